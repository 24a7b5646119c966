package main

import (
	"os"
	"strings"
	"time"

	"collbench/bench"
	"collbench/reports"

	"github.com/urfave/cli/v2"
)

// Flags that a plan file may hold too are read as text: bench.Resolve reads flags and files alike and says what is
// wrong with either.

// ranksFlag is the number of ranks.
func ranksFlag() cli.Flag {
	return &cli.StringFlag{Name: "ranks", Aliases: []string{"n"}, Usage: "number of `RANKS` (default: as many as CPUs)"}
}

// caseFlags say what is measured: those of run and lab.
func caseFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "backend", Usage: "what carries out the collectives: see list backends (default: host)"},
		&cli.StringFlag{Name: "variant", Usage: "`VARIANTS`, separated by |, each measured by processes of its own: a backend's own by name, settings such as UCX_TLS=tcp;UCX_NET_DEVICES=eth0, or default (default: default)"},
		&cli.StringFlag{Name: "transport", Usage: "shm, tcp, or shm+tcp: memory within a host, TCP between hosts (default: shm on one host, else tcp)"},
		&cli.StringFlag{Name: "buffers", Usage: "private or registered: in shared memory, or known to the library, from the start (default: private)"},
		&cli.StringFlag{Name: "collective", Usage: "`NAMES`, separated by commas: see list collectives (default: all_reduce)"},
		&cli.StringFlag{Name: "operation", Usage: "point-to-point tests instead, `NAMES` separated by commas: see list operations"},
		&cli.StringFlag{Name: "pair", Usage: "ranks `FROM,TO` of a point-to-point test (default: the first and the last)"},
		&cli.StringFlag{Name: "window", Usage: "messages under way at once in a bandwidth test (default: 64)"},
		&cli.StringFlag{Name: "algorithm", Usage: "`NAMES`, separated by commas: see list algorithms; auto: by measured thresholds; all: those that can (default: auto)"},
		&cli.StringFlag{Name: "bytes", Usage: "`SIZES` of the whole buffer: 4MiB,1MiB or FIRST:LAST:STEP such as 8:64MiB:x2 (default: " + bench.DefaultBytes + ")"},
		&cli.StringFlag{Name: "dtype", Usage: "data `TYPES`: see list datatypes (default: float32)"},
		&cli.StringFlag{Name: "op", Usage: "reductions: sum, min, max, prod, avg (default: sum)"},
		&cli.BoolFlag{Name: "in-place", Usage: "leave the result where the input was"},
		&cli.StringFlag{Name: "root", Usage: "`RANK` of the root (default: 0)"},
		&cli.StringFlag{Name: "domain", Usage: "number of ranks that share a host or NVLink domain (default: from the hosts)"},
		&cli.StringFlag{Name: "radix", Usage: "down ports of an aggregation switch (default: 40)"},
		&cli.StringFlag{Name: "chunks", Usage: "parts that a pipelined algorithm streams (default: from the size)"},
		&cli.StringFlag{Name: "timing", Usage: "barrier: each iteration after a barrier; batch: back to back, as nccl-tests and IMB do (default: barrier)"},
	}
}

// runFlags say how thoroughly it is measured and where the results go: those of run and lab.
func runFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "precision", Usage: "iterate until the median's 95 % interval is within ± this (default: 1%)"},
		&cli.StringFlag{Name: "budget", Usage: "measuring `TIME` of the whole run, shared over its cases (default: 30s)"},
		&cli.StringFlag{Name: "sample", Usage: "`TIME` that a sample of batch timing is meant to take (default: 5ms)"},
		&cli.StringFlag{Name: "iterations", Usage: "so many timed iterations of each case (with batch timing: of each sample) instead"},
		&cli.StringFlag{Name: "warmup", Usage: "so many iterations before them (default: until steady)"},
		&cli.StringFlag{Name: "launches", Usage: "repeat everything from so many fresh starts (default: 1)"},
		&cli.StringFlag{Name: "seed", Usage: "of the order of measuring (default: 1)"},
		&cli.StringFlag{Name: "plan", Usage: "YAML `FILE` whose keys are these flags' names, or cases: a list of blocks of them"},
		&cli.StringFlag{Name: "out", Usage: "run folder (default: runs/<UTC time>)"},
		&cli.BoolFlag{Name: "append", Usage: "add to a run folder that is not empty"},
		&cli.StringFlag{Name: "format", Usage: "of the results on standard output: " + strings.Join(reports.Formats, ", ") + " (default: table)"},
		&cli.BoolFlag{Name: "require-proof", Usage: "exit with 4 if a case was skipped or nothing shows which algorithm ran"},
		&cli.BoolFlag{Name: "fail-fast", Usage: "end with the first case that fails or gives a wrong result"},
		&cli.DurationFlag{Name: "timeout", Usage: "give a case up when a phase of it takes so long (default: from its size and speed)", Action: aboveZero("timeout")},
	}
}

// aboveZero is the check of a flag whose value is a time.
func aboveZero(name string) func(*cli.Context, time.Duration) error {
	return func(_ *cli.Context, d time.Duration) error {
		if d <= 0 {
			return usageErrorf("--%s: %s: want a time above 0", name, d)
		}
		return nil
	}
}

// given are the settings that were given on the command line.
func given(c *cli.Context) bench.Settings {
	s := bench.Settings{}
	for _, key := range bench.Keys() {
		if c.IsSet(key) {
			text := c.String(key)
			if _, isBool := c.Value(key).(bool); isBool {
				text = "false"
				if c.Bool(key) {
					text = "true"
				}
			}
			s[key] = bench.Setting{Text: text, Place: "--" + key}
		}
	}
	return s
}

// settings reads the plan file, if there is one, and the flags.
func settings(c *cli.Context) (file bench.PlanFile, flags bench.Settings, err error) {
	flags = given(c)
	for key, s := range flags {
		if s.Text == "" {
			return file, flags, usageErrorf("--%s: empty", key)
		}
	}
	file = bench.PlanFile{Settings: bench.Settings{}}
	if c.IsSet("plan") {
		text, err := os.ReadFile(c.String("plan"))
		if err != nil {
			return file, flags, environmentErrorf("--plan: %w", err)
		}
		if file, err = bench.ParsePlan(c.String("plan"), text); err != nil {
			return file, flags, usageErrorf("%w", err)
		}
	}
	if forPairs(c) {
		file, flags = pairsSettings(c, file, flags)
	}
	return file, flags, nil
}

// text is a setting of the run, from the flags or else the plan file.
func text(file bench.PlanFile, flags bench.Settings, key, otherwise string) string {
	if s, ok := flags[key]; ok {
		return s.Text
	}
	if s, ok := file.Settings[key]; ok {
		return s.Text
	}
	return otherwise
}
