package main

import (
	"bytes"
	"io"

	"github.com/urfave/cli/v2"

	"collbench/bench/store"
)

// output writes to the file that --output names, which appears whole, or else to standard output.
func output(c *cli.Context, write func(io.Writer) error) error {
	path := c.String("output")
	if path == "" {
		return write(c.App.Writer)
	}
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return err
	}
	if err := store.WriteWhole(path, text.Bytes()); err != nil {
		return environmentErrorf("%s: %s was not written: %w", c.Command.Name, path, err)
	}
	return nil
}
