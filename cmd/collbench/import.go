package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"collbench/bench"
	"collbench/bench/environment"
	"collbench/bench/formats"
	"collbench/bench/store"

	"github.com/urfave/cli/v2"
)

func importCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "read the output of other benchmarks: " + strings.Join(formats.Names(), ", "),
		ArgsUsage: "FILE…",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "as", Usage: "read as this `FORMAT` instead of looking which it is"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "keep collectives as results in this run folder `DIR`"},
			&cli.StringFlag{Name: "format", Value: "table", Usage: "table or json (one object a line, schema " + formats.ImportSchema + ")"},
		},
		Action: importLogs,
	}
}

// importLogs reads every file. What is read goes to standard output, what can't be to standard error. A file that
// held nothing is an error, but does not keep the others from being read.
func importLogs(c *cli.Context) error {
	format := c.String("format")
	if format != "table" && format != "json" {
		return usageErrorf("import: --format: unknown format %q: want table or json", format)
	}
	if as := c.String("as"); as != "" {
		if _, err := formats.Lookup(as); err != nil {
			return usageErrorf("import: --as: %w", err)
		}
	}
	if !c.Args().Present() {
		return usageErrorf("import: name the files to read")
	}
	for _, name := range c.Args().Slice() {
		if strings.HasPrefix(name, "-") && name != "-" {
			return usageErrorf("import: %s: flags come before the files", name)
		}
	}
	var logs []formats.Log
	var unread []error
	for _, name := range c.Args().Slice() {
		log, err := readLog(name, c.String("as"), c.App.Reader)
		for _, w := range log.Warnings {
			fmt.Fprintf(c.App.ErrWriter, "collbench: import: %s\n", printable(w.String()))
		}
		if err != nil {
			unread = append(unread, err)
			continue
		}
		logs = append(logs, log)
	}
	if err := writeImported(c.App.Writer, format, logs); err != nil {
		return environmentErrorf("import: %w", err)
	}
	if dir := c.String("out"); dir != "" && len(logs) > 0 {
		if err := keepImported(c, dir, logs); err != nil {
			return err
		}
	}
	if len(unread) > 0 {
		return environmentErrorf("import: %w", errors.Join(unread...))
	}
	return nil
}

// readLog reads one file, or standard input under the name "-".
func readLog(name, as string, stdin io.Reader) (formats.Log, error) {
	if name == "-" {
		return formats.Read("stdin", stdin, as)
	}
	file, err := os.Open(name)
	if err != nil {
		return formats.Log{}, err
	}
	defer file.Close()
	return formats.Read(name, file, as)
}

func writeImported(w io.Writer, format string, logs []formats.Log) error {
	if format == "table" {
		return writeImportTable(w, logs)
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for _, log := range logs {
		for _, m := range log.Measurements {
			if err := out.Encode(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// keepImported writes what are collectives into a run folder, one run a file, and says what was left out.
func keepImported(c *cli.Context, dir string, logs []formats.Log) error {
	folder, err := store.Create(dir, false)
	if errors.Is(err, store.ErrNotEmpty) {
		return usageErrorf("import: %w", err)
	}
	if err != nil {
		return environmentErrorf("import: %w", err)
	}
	defer folder.Close()
	kept := 0
	for _, log := range logs {
		n, err := keepLog(c, folder, log)
		if err != nil {
			return environmentErrorf("import: %w", err)
		}
		kept += n
	}
	fmt.Fprintf(c.App.ErrWriter, "results: %s (%d)\n", folder.Dir(), kept)
	if kept == 0 {
		return environmentErrorf("import: none of the measurements is a collective that can be kept as a result")
	}
	return nil
}

// keepLog writes one file's collectives as a run of their own. The environment is that of the import and so left
// out but for the version: the log's own is not known.
func keepLog(c *cli.Context, folder *store.Folder, log formats.Log) (kept int, err error) {
	tag := make([]byte, 4)
	rand.Read(tag)
	now := time.Now().UTC()
	info := bench.RunInfo{
		Schema: bench.RunSchema, ID: fmt.Sprintf("%s-%x", now.Format("20060102T150405Z"), tag), Started: now, Command: os.Args,
		Plan: json.RawMessage("null"), Environment: bench.Environment{Version: environment.Host().Version},
	}
	if err := folder.WriteInfo(info); err != nil {
		return 0, err
	}
	for _, m := range log.Measurements {
		r, reason := formats.Result(m)
		if reason != nil {
			fmt.Fprintf(c.App.ErrWriter, "collbench: import: %s\n", oneLine(reason))
			continue
		}
		r.Order, r.Start = kept, now
		if err := folder.Append(r); err != nil {
			return kept, err
		}
		kept++
	}
	return kept, nil
}
