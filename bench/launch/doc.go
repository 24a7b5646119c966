// Package launch finds out who this process is in the job that a launcher has started, and brings the processes of
// the job together: the address of rank 0 and a secret of the job travel the launcher's own way, and what is
// connected after that has shown that it knows the secret.
//
// It stands between the command line and bench/workers: run asks it for a World before anything is measured, so
// that processes that were started together never measure alone, each believing that it is all there is.
package launch
