package main

import (
	"encoding/json"
	"fmt"
	"io"

	"collbench/bench/stat"
	"collbench/bench/storage"
	"collbench/bench/unit"

	"github.com/urfave/cli/v2"
)

func storageCommand() *cli.Command {
	return &cli.Command{
		Name:  "storage",
		Usage: "write and read a file past the page cache (O_DIRECT): what GPUDirect Storage has to be held against",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "directory", Value: ".", Usage: "`DIR` on the file system to measure; nothing is left there"},
			&cli.StringFlag{Name: "bytes", Value: "1GiB", Usage: "`SIZE` of the file"},
			&cli.StringFlag{Name: "block", Value: "1MiB", Usage: "`SIZE` of one call"},
			&cli.IntFlag{Name: "threads", Value: 8, Usage: "calls under way at once"},
			&cli.IntFlag{Name: "passes", Value: 3, Usage: "times that the file is written and read"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`FILE` to write instead of standard output"},
			&cli.StringFlag{Name: "format", Value: "table", Usage: "table or json"},
		},
		Action: storageAction,
	}
}

func storageAction(c *cli.Context) error {
	s := storage.Settings{Directory: c.String("directory"), Threads: c.Int("threads"), Passes: c.Int("passes")}
	format := c.String("format")
	var err error
	if s.Bytes, err = unit.ParseBytes(c.String("bytes")); err != nil {
		return usageErrorf("storage: --bytes: %w", err)
	}
	if s.Block, err = unit.ParseBytes(c.String("block")); err != nil {
		return usageErrorf("storage: --block: %w", err)
	}
	if err := s.Check(); err != nil {
		return usageErrorf("storage: %w", err)
	}
	if format != "table" && format != "json" {
		return usageErrorf("storage: --format: unknown format %q: want table or json", format)
	}
	r, err := storage.Measure(c.Context, s)
	if err != nil {
		if c.Context.Err() != nil {
			return c.Context.Err()
		}
		return environmentErrorf("storage: %w", err)
	}
	if err := output(c, func(w io.Writer) error { return writeStorage(w, format, r) }); err != nil {
		return err
	}
	if r.Wrong > 0 {
		return exitError{exitFailed, fmt.Errorf("storage: %d blocks of %s did not read back as they were written", r.Wrong, s.Directory)}
	}
	return nil
}

func writeStorage(w io.Writer, format string, r storage.Result) error {
	if format == "json" {
		return json.NewEncoder(w).Encode(r)
	}
	_, err := fmt.Fprintf(w, "%s: %s in blocks of %s, %d at once, past the page cache (%s)\n  write %12s\n  read  %12s\n",
		printable(r.Directory), unit.Bytes(r.Bytes), unit.Bytes(r.Block), r.Threads, r.Method, unit.Bandwidth(stat.Median(r.Write)), unit.Bandwidth(stat.Median(r.Read)))
	return err
}
