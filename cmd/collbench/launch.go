package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"collbench/bench/start"

	"github.com/urfave/cli/v2"
)

func launchCommand() *cli.Command {
	return &cli.Command{
		Name:      "launch",
		Usage:     "start a run's ranks, or doctor, on hosts over ssh, or on this one",
		ArgsUsage: "-- run [flags]",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "ranks", Aliases: []string{"n"}, Usage: "number of `RANKS` (default: as many as slots; on this host alone, as CPUs)"},
			&cli.StringFlag{Name: "hosts", Aliases: []string{"H"}, Usage: "`HOSTS` and their slots, filled in order: host1:4,host2:4 (default: this host)"},
			&cli.StringFlag{Name: "hostfile", Usage: "`FILE` with a host a line: host1, host1:4 or host1 slots=4"},
			&cli.StringSliceFlag{Name: "x", Usage: "give the ranks this variable: `NAME`, as it is here, or NAME=VALUE; may be repeated"},
			&cli.StringFlag{Name: "workdir", Usage: "working `FOLDER` of the ranks on every host (default: this one's name)"},
			&cli.StringFlag{Name: "binary", Usage: "`FILE` of collbench on the other hosts (default: this one's name)"},
			&cli.StringFlag{Name: "ssh", Value: "ssh", Usage: "`COMMAND` that reaches a host: ssh and options, split at blanks"},
			&cli.StringFlag{Name: "prefix", Value: "rank", Usage: "before each line of a rank: " + strings.Join(start.Prefixes, ", ")},
			&cli.DurationFlag{Name: "connect-timeout", Value: 30 * time.Second, Usage: "how long to wait until every host has answered", Action: aboveZero("connect-timeout")},
		},
		Action: launchAction,
	}
}

// starterName is the hidden subcommand that launch runs on every host.
const starterName = "starter"

func starterCommand() *cli.Command {
	return &cli.Command{
		Name:   starterName,
		Usage:  "the ranks of one host, started by launch",
		Hidden: true,
		Action: func(c *cli.Context) error { return start.Serve(c.Context, os.Stdin, os.Stdout) },
	}
}

func launchAction(c *cli.Context) error {
	if err := notLaunched("launch"); err != nil {
		return err
	}
	arguments := c.Args().Slice()
	if !slices.Contains([]string{"run", "doctor", "whoami"}, c.Args().First()) {
		return usageErrorf("launch: %q is no command for ranks: want -- run …, -- doctor or -- whoami", c.Args().First())
	}
	places, err := places(c)
	if err != nil {
		return err
	}
	job, err := newLaunch(c, places, arguments)
	if err != nil {
		return err
	}
	err = job.Run(c.Context)
	failed := &start.Failed{}
	switch {
	case errors.Is(err, context.Canceled):
		return exitError{exitInterrupted, errors.New("interrupted")}
	case errors.As(err, &failed):
		return exitError{failed.Code, err}
	case err != nil:
		return environmentErrorf("launch: %w", err)
	}
	return nil
}

// places says which host gets which ranks.
func places(c *cli.Context) ([]start.Place, error) {
	ranks := c.Int("ranks")
	if c.IsSet("ranks") && ranks < 1 {
		return nil, usageErrorf("--ranks %d: want 1 or more", ranks)
	}
	var hosts []start.Host
	var err error
	switch {
	case c.IsSet("hosts") && c.IsSet("hostfile"):
		return nil, usageErrorf("--hosts and --hostfile: want one of them")
	case c.IsSet("hosts"):
		if hosts, err = start.ParseHosts(c.String("hosts")); err != nil {
			return nil, usageErrorf("--hosts: %w", err)
		}
	case c.IsSet("hostfile"):
		file, err := os.Open(c.String("hostfile"))
		if err != nil {
			return nil, environmentErrorf("--hostfile: %w", err)
		}
		defer file.Close()
		if hosts, err = start.ReadHosts(file); err != nil {
			return nil, usageErrorf("--hostfile %s: %w", file.Name(), err)
		}
	default:
		host, err := os.Hostname()
		if err != nil {
			host = "localhost"
		}
		if ranks == 0 {
			ranks = runtime.NumCPU()
		}
		hosts = []start.Host{{Name: host, Slots: ranks}}
	}
	spread, err := start.Spread(hosts, ranks)
	if err != nil {
		return nil, usageErrorf("launch: %w", err)
	}
	return spread, nil
}

// newLaunch is the job that the flags describe.
func newLaunch(c *cli.Context, places []start.Place, arguments []string) (*start.Job, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, environmentErrorf("finding this program's file: %w", err)
	}
	dir := c.String("workdir")
	if dir == "" {
		if dir, err = os.Getwd(); err != nil {
			return nil, environmentErrorf("working folder: %w", err)
		}
	}
	program := c.String("binary")
	if program == "" {
		program = self
	}
	if !slices.Contains(start.Prefixes, c.String("prefix")) {
		return nil, usageErrorf("--prefix %q: want one of %s", c.String("prefix"), strings.Join(start.Prefixes, ", "))
	}
	shell := strings.Fields(c.String("ssh"))
	if len(shell) == 0 {
		return nil, usageErrorf("--ssh: empty")
	}
	env, err := forwarded(c.StringSlice("x"))
	if err != nil {
		return nil, err
	}
	return &start.Job{
		Places: places, Self: self, Program: program, Starter: []string{starterName}, Arguments: arguments, Dir: dir, Env: env,
		Shell: shell, Connect: c.Duration("connect-timeout"),
		Output: &start.Output{Stdout: c.App.Writer, Stderr: c.App.ErrWriter, Prefix: c.String("prefix")},
		Log: func(format string, args ...any) {
			fmt.Fprintf(c.App.ErrWriter, "collbench: %s\n", oneLine(fmt.Errorf(format, args...)))
		},
	}, nil
}

// forwarded reads the variables that the ranks are given.
func forwarded(list []string) (env []string, err error) {
	for _, text := range list {
		name, _, given := strings.Cut(text, "=")
		if name == "" {
			return nil, usageErrorf("-x %q: want NAME or NAME=VALUE", text)
		}
		if !given {
			value, ok := os.LookupEnv(name)
			if !ok {
				return nil, usageErrorf("-x %s: there is no such variable here", name)
			}
			text = name + "=" + value
		}
		env = append(env, text)
	}
	return env, nil
}
