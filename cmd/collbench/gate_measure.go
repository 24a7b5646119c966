package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"collbench/bench/gate"
	"collbench/bench/store"

	"github.com/urfave/cli/v2"
)

// measuredSide is one of two sides that gate measures itself: every launch is a fresh collbench.
type measuredSide struct {
	name   string // "base", "new"
	binary string
	args   []string // of collbench: "lab --link 100Mbit"
	env    []string
	dir    string // run folder
}

// ownOptions are those that gate gives to each launch itself.
var ownOptions = []string{"launches", "append", "out", "format", "seed"}

// measuredSides reads the two sides from the command line.
func measuredSides(c *cli.Context) (sides [2]measuredSide, err error) {
	args := c.Args().Slice()
	if len(args) == 0 || args[0] != "run" && args[0] != "lab" {
		return sides, usageErrorf("gate: what is to be measured? Want -- run OPTIONS or -- lab OPTIONS behind the other flags")
	}
	if len(c.StringSlice("baseline")) > 0 {
		return sides, usageErrorf("gate: --baseline is a run that was measured before: with --until-clear or --launches both sides are measured (--base OPTIONS)")
	}
	base := args
	if c.IsSet("base") {
		base = strings.Fields(c.String("base"))
		if len(base) == 0 || base[0] != "run" && base[0] != "lab" {
			return sides, usageErrorf("gate: --base %q: want run or lab and its options", c.String("base"))
		}
	}
	for _, arg := range slices.Concat(base, args) {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && slices.Contains(ownOptions, name) {
			return sides, usageErrorf("gate: %s: gate sets it for each launch itself", arg)
		}
	}
	for _, v := range c.StringSlice("base-env") {
		if name, _, ok := strings.Cut(v, "="); !ok || name == "" {
			return sides, usageErrorf("gate: --base-env %q: want NAME=VALUE", v)
		}
	}
	self, err := os.Executable()
	if err != nil {
		return sides, environmentErrorf("gate: %w", err)
	}
	other := self
	if c.IsSet("base-binary") {
		if other, err = exec.LookPath(c.String("base-binary")); err != nil {
			return sides, environmentErrorf("gate: --base-binary: %w", err)
		}
	}
	out := c.String("out")
	if out == "" {
		out = store.DefaultDir(time.Now().UTC()) + "-gate"
	}
	sides[0] = measuredSide{"base", other, base, c.StringSlice("base-env"), filepath.Join(out, "base")}
	sides[1] = measuredSide{"new", self, args, nil, filepath.Join(out, "new")}
	for _, s := range sides {
		if entries, err := os.ReadDir(s.dir); err == nil && len(entries) > 0 {
			return sides, usageErrorf("gate: --out: %s is not empty", s.dir)
		}
	}
	return sides, nil
}

// launch measures one launch of the side. That a case failed, or has no figure, is for the verdict to say.
func (s measuredSide) launch(ctx context.Context, number int) error {
	args := slices.Concat(s.args, []string{"--launches", "1", "--append", "--out", s.dir, "--format", "json", "--seed", strconv.Itoa(number)})
	cmd := exec.CommandContext(ctx, s.binary, args...)
	cmd.Env = append(os.Environ(), s.env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return exitError{exitInterrupted, fmt.Errorf("gate: interrupted in launch %d of %s: what was measured is in %s", number, s.name, filepath.Dir(s.dir))}
	}
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		if err != nil {
			return environmentErrorf("gate: launch %d of %s: %w", number, s.name, err)
		}
		return nil
	}
	switch code := ended.ExitCode(); code {
	case exitFailed, exitInconclusive:
		return nil
	default:
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		if code != exitUsage {
			code = exitEnvironment
		}
		return exitError{code, fmt.Errorf("gate: launch %d of %s (%s): %s", number, s.name, strings.Join(s.args, " "), lines[len(lines)-1])}
	}
}

// measureBoth measures both sides in turns, A B B A, and judges them: once after so many launches, or whenever a look
// is due until the verdict is clear or the budget spent.
func measureBoth(c *cli.Context, policy gate.Policy) (v gate.Verdict, err error) {
	once := c.IsSet("launches")
	most := c.Int("launches")
	if once && (c.Bool("until-clear") || most < 1) {
		return v, usageErrorf("gate: --launches: want 1 or more, and no --until-clear beside it")
	}
	sides, err := measuredSides(c)
	if err != nil {
		return v, err
	}
	budget := c.Duration("budget")
	if budget <= 0 {
		return v, usageErrorf("gate: --budget: want a time above 0")
	}
	begun := time.Now()
	var looks gate.Looks
	for n, look := 1, gate.NextLook(0); ; n++ {
		if err := measureTurn(c, sides, n); err != nil {
			return v, err
		}
		if once && n < most {
			continue
		}
		runs, err := readSides(c, sides)
		if err != nil {
			return v, err
		}
		if once {
			return gate.Judge(policy, runs[0], runs[1], gate.Fixed), nil
		}
		elapsed := time.Since(begun)
		last := elapsed+elapsed/time.Duration(n) > budget // another turn does not fit any more
		if n < look && !last {
			continue
		}
		spent := elapsed.Seconds() / budget.Seconds()
		if last {
			spent = 1
		}
		verdict, clear := looks.Look(policy, runs[0], runs[1], spent)
		fmt.Fprintf(c.App.ErrWriter, "gate: %d launches a side, %s of the budget spent: %s\n", n, elapsed.Round(time.Second), verdict.Outcome)
		if clear || last {
			return verdict, nil
		}
		look = gate.NextLook(n)
	}
}

// measureTurn measures the n-th launch of both sides: the base first in every other turn.
func measureTurn(c *cli.Context, sides [2]measuredSide, n int) error {
	order := []int{0, 1}
	if n%2 == 0 {
		slices.Reverse(order)
	}
	for _, i := range order {
		if err := sides[i].launch(c.Context, n); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.App.ErrWriter, "gate: launch %d of both sides done\n", n)
	return nil
}

func readSides(c *cli.Context, sides [2]measuredSide) (runs [2][]gate.Run, err error) {
	for i, s := range sides {
		if runs[i], err = readRuns(c, []string{s.dir}); err != nil {
			return runs, err
		}
	}
	return runs, nil
}
