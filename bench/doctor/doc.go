// Package doctor says whether a machine, its virtual machine and its fabric are fit for collectives, before a figure
// is trusted: most bad figures of a fabric are not the fabric's.
//
// A check is one file and one entry of All: a rule over what files, a few commands and the environment tell, with its
// outcomes in words. Everything is read through a Machine, so that a rule is tested on recorded machines and a user's
// machine can be recorded (redacted) and looked at elsewhere. What cannot be read is unknown, never a pass. Inspect
// looks at one host and gives a Report; Compare holds the reports of several hosts against each other.
package doctor
