package main

import (
	"context"
	"os"

	"collbench/bench/backend"
	"collbench/bench/workers"

	"github.com/urfave/cli/v2"
)

// workerName is the hidden subcommand that a worker process runs.
const workerName = "worker"

func workerCommand() *cli.Command {
	return &cli.Command{
		Name:   workerName,
		Usage:  "one node of a run, started by run and lab",
		Hidden: true,
		Action: func(c *cli.Context) error {
			// Signals from a terminal are for the parent, which ends its workers.
			return workers.Serve(context.WithoutCancel(c.Context), backend.All)
		},
	}
}

// workerCommandLine is how this program starts itself as a worker.
func workerCommandLine() ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, environmentErrorf("finding this program's file: %w", err)
	}
	return []string{self, workerName}, nil
}
