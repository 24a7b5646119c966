// Package certify carries out acceptance profiles: plans of steps, each a command of collbench with what has to come of
// it. It is modelled on what NVIDIA says that the tests of NVIDIA-Certified Systems cover; it is none of them, and what
// passes is not certified by anybody.
//
// It stands above the commands: a step starts collbench itself, under whatever launcher the profile names, reads back
// the run folder or report that the command has left, and has bench/gate judge it. All that is done lies in one
// folder, so that a session that was interrupted goes on where it was.
package certify
