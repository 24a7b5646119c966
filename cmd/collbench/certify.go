package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"collbench/bench/certify"
	"collbench/bench/store"
	"collbench/bench/unit"

	"github.com/urfave/cli/v2"
)

func certifyCommand() *cli.Command {
	return &cli.Command{
		Name:  "certify",
		Usage: "carry out an acceptance profile: doctor, runs and soaks with what has to come of each; certified by nobody",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "profile", Value: certify.Names()[0], Usage: "`NAME` (" + strings.Join(certify.Names(), ", ") + ") or file of the plan"},
			&cli.StringFlag{Name: "start", Usage: "`WORDS` before run and doctor that start them on all hosts, such as \"launch -H host1,host2 --\" or \"mpirun -n 2 -H host1,host2 collbench\" (default: the profile's)"},
			&cli.StringFlag{Name: "line-rate", Usage: "`RATE` of a host's link, such as 400Gbit (default: the profile's)"},
			&cli.BoolFlag{Name: "dry-run", Usage: "print the steps, and carry out none"},
			&cli.StringFlag{Name: "resume", Usage: "go on with what was begun in `DIR`, without what is done there"},
			&cli.StringFlag{Name: "out", Usage: "`DIR` for all that is done, and the report (default: runs/<UTC time>-certify)"},
			&cli.StringFlag{Name: "format", Value: "table", Usage: strings.Join(doctorFormats, ", ")},
		},
		Action: certifyAction,
	}
}

func certifyAction(c *cli.Context) error {
	if err := notLaunched("certify"); err != nil {
		return err
	}
	if format := c.String("format"); !slices.Contains(doctorFormats, format) {
		return usageErrorf("certify: --format: unknown format %q: want one of %s", format, strings.Join(doctorFormats, ", "))
	}
	if c.IsSet("resume") {
		for _, other := range []string{"profile", "start", "line-rate", "out", "dry-run"} {
			if c.IsSet(other) {
				return usageErrorf("certify: --resume goes on as it was begun: want no --%s beside it", other)
			}
		}
		folder, err := certify.Open(c.String("resume"))
		if err != nil {
			return environmentErrorf("certify: --resume: %w", err)
		}
		return accept(c, folder)
	}
	profile, err := certifyProfile(c)
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return writeSteps(c.App.Writer, profile)
	}
	dir := c.String("out")
	if dir == "" {
		dir = store.DefaultDir(time.Now()) + "-certify"
	}
	folder, err := certify.Create(dir, profile, time.Now())
	if errors.Is(err, certify.ErrNotEmpty) {
		return usageErrorf("certify: --out: %w", err)
	}
	if err != nil {
		return environmentErrorf("certify: %w", err)
	}
	return accept(c, folder)
}

// certifyProfile is the profile with what the flags say of the place where it is carried out.
func certifyProfile(c *cli.Context) (certify.Profile, error) {
	p, err := certify.Load(c.String("profile"))
	if err != nil {
		return p, usageErrorf("certify: %w", err)
	}
	if c.IsSet("start") {
		p.Start = strings.Fields(c.String("start"))
		if p.LineRate > 0 && !p.Virtual() && !c.IsSet("line-rate") {
			return p, usageErrorf("certify: --start: say --line-rate too: the profile's %s is that of its own links", unit.BitRate(p.LineRate))
		}
	}
	if c.IsSet("line-rate") {
		if p.LineRate, err = unit.ParseRate(c.String("line-rate")); err != nil {
			return p, usageErrorf("certify: --line-rate: %w", err)
		}
	}
	return p, nil
}

// accept carries out what is not done yet, and ends with the exit code that the whole deserves.
func accept(c *cli.Context, folder *certify.Folder) error {
	steps := len(folder.Profile.Steps)
	report, err := certify.Runner{
		Folder: folder, Start: startCollbench, Now: time.Now,
		Tell: func(n int, r certify.StepReport, again bool) {
			text := "…"
			if r.Outcome != "" {
				text = string(r.Outcome)
			}
			if again {
				text += ", as it was"
			}
			fmt.Fprintf(c.App.ErrWriter, "[%d/%d] %s: %s\n", n, steps, printable(r.Name), text)
		},
	}.Run(c.Context)
	switch {
	case c.Context.Err() != nil:
		return exitError{exitInterrupted, fmt.Errorf("interrupted: go on with: collbench certify --resume %s", folder.Dir)}
	case err != nil:
		return environmentErrorf("certify: %w", err)
	}
	var page bytes.Buffer
	if err := writeAcceptance(&page, "markdown", report); err != nil {
		return err
	}
	if err := store.WriteWhole(filepath.Join(folder.Dir, "report.md"), page.Bytes()); err != nil {
		return environmentErrorf("certify: the report was not written: %w", err)
	}
	if err := writeAcceptance(c.App.Writer, c.String("format"), report); err != nil {
		return environmentErrorf("certify: %w", err)
	}
	fmt.Fprintf(c.App.ErrWriter, "report: %s\n", filepath.Join(folder.Dir, "report.md"))
	switch report.Outcome {
	case certify.Fail:
		return silent(exitFailed)
	case certify.Inconclusive:
		return silent(exitInconclusive)
	}
	return nil
}

// ours says whether a word is a command of collbench, and not a launcher's.
func ours(word string) bool {
	return slices.ContainsFunc(commands(), func(known *cli.Command) bool { return known.Name == word })
}

// startCollbench starts this program, or a launcher that starts it.
func startCollbench(ctx context.Context, words []string) (certify.Ended, error) {
	program, err := os.Executable()
	if err != nil {
		return certify.Ended{}, fmt.Errorf("finding this program's file: %w", err)
	}
	if !ours(words[0]) {
		program, words = words[0], words[1:]
	}
	cmd := exec.CommandContext(ctx, program, words...)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Discard, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Run()
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return certify.Ended{}, err
	}
	return certify.Ended{Code: cmd.ProcessState.ExitCode(), Last: lines[len(lines)-1]}, nil
}
