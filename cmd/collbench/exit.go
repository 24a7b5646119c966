package main

import (
	"context"
	"errors"
	"fmt"

	"collbench/bench"
)

// The exit codes.
const (
	exitOK           = 0
	exitFailed       = 1   // a case failed or gave a wrong result
	exitUsage        = 2   // a wrong flag, argument, plan or machine file
	exitInconclusive = 4   // measured, but the figure cannot stand
	exitEnvironment  = 5   // a file, a process or the machine stood in the way
	exitInterrupted  = 130 // Ctrl-C
)

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string { return e.err.Error() }
func (e exitError) Unwrap() error { return e.err }

// errSilent ends the program without a message: the results say it all.
var errSilent = errors.New("")

// silent is an error with an exit code and no message.
func silent(code int) error { return exitError{code, errSilent} }

func usageErrorf(format string, args ...any) error {
	return exitError{exitUsage, fmt.Errorf(format, args...)}
}

// planError is the error of a plan: one of usage, unless this machine lacks what was asked for.
func planError(err error) error {
	if errors.Is(err, bench.ErrUnavailable) {
		return environmentErrorf("%w", err)
	}
	return usageErrorf("%w", err)
}

func environmentErrorf(format string, args ...any) error {
	return exitError{exitEnvironment, fmt.Errorf(format, args...)}
}

// exitCode is the code for an error. One without a code of its own came from the machine.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if e := (exitError{}); errors.As(err, &e) {
		return e.code
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	return exitEnvironment
}
