package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"collbench/bench/launch"

	"github.com/urfave/cli/v2"
)

// worldFlags say which of the job's processes this one is, where the launcher does not.
func worldFlags() []cli.Flag {
	var names []string
	for _, l := range launch.All {
		names = append(names, l.Name)
	}
	return []cli.Flag{
		&cli.StringFlag{Name: "launcher", Usage: "take this `NAME` for the launcher, whatever the variables say: " + strings.Join(names, ", "),
			EnvVars: []string{"COLLBENCH_LAUNCHER"}},
		&cli.StringFlag{Name: "rank", Usage: "this process is rank `RANK` of --ranks"},
		&cli.StringFlag{Name: "rendezvous", Usage: "where the ranks meet: `HOST:PORT` of rank 0, or file:PATH"},
	}
}

// expectFlags say what the world has to be.
func expectFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "expect-ranks", Usage: "refuse to measure if there are not so many `RANKS`"},
		&cli.IntFlag{Name: "expect-hosts", Usage: "refuse to measure if they are not on so many `HOSTS`"},
	}
}

// variables are this process's environment, with what the flags say laid over it.
func variables(c *cli.Context) (launch.Variables, error) {
	v := launch.Environ(os.Environ())
	if rank := c.String("rank"); rank != "" {
		ranks := c.String("ranks")
		if ranks == "" {
			return nil, usageErrorf("--rank: of how many? --ranks is missing")
		}
		var numbers [2]uint64
		for i, f := range []struct{ name, text string }{{"rank", rank}, {"ranks", ranks}} {
			var err error
			if numbers[i], err = strconv.ParseUint(f.text, 10, 31); err != nil {
				return nil, usageErrorf("--%s: %q is no whole number", f.name, f.text)
			}
		}
		if numbers[0] >= numbers[1] {
			return nil, usageErrorf("--rank: %s of %s ranks: want 0 or more, and less than --ranks", rank, ranks)
		}
		v["COLLBENCH_RANK"], v["COLLBENCH_SIZE"] = rank, ranks
	}
	if where := c.String("rendezvous"); where != "" {
		v["COLLBENCH_RENDEZVOUS"] = where
	}
	return v, nil
}

// findWorld says who this process is.
func findWorld(c *cli.Context) (*launch.World, launch.Variables, error) {
	v, err := variables(c)
	if err != nil {
		return nil, nil, err
	}
	w, err := launch.Find(v, c.String("launcher"))
	if err != nil {
		return nil, nil, environmentErrorf("who am I: %w", err)
	}
	return w, v, nil
}

// notLaunched refuses a command that makes its world by itself to one of many processes.
func notLaunched(command string) error {
	w, err := launch.Find(launch.Environ(os.Environ()), os.Getenv("COLLBENCH_LAUNCHER"))
	if err != nil {
		return environmentErrorf("who am I: %w", err)
	}
	if w.Size != 1 {
		return environmentErrorf("this is %s: %s starts its ranks itself; start it once", w, command)
	}
	return nil
}

func whoamiCommand() *cli.Command {
	flags := append(worldFlags(), ranksFlag(),
		&cli.StringFlag{Name: "format", Value: "table", Usage: "table or json"})
	return &cli.Command{
		Name:   "whoami",
		Usage:  "what a launcher told this process: rank, size, and from which variable",
		Flags:  flags,
		Action: whoamiAction,
	}
}

// askTime bounds how long whoami waits for the launcher's server.
const askTime = 20 * time.Second

func whoamiAction(c *cli.Context) error {
	format := c.String("format")
	if format != "table" && format != "json" {
		return usageErrorf("--format: unknown format %q: want table or json", format)
	}
	w, v, err := findWorld(c)
	if err != nil {
		return err
	}
	if w.Size == 0 || w.Launcher == "pmix" || w.Launcher == "pmi1" {
		ctx, cancel := context.WithTimeout(c.Context, askTime)
		defer cancel()
		exchange, err := launch.Open(ctx, w, v)
		if err != nil {
			return environmentErrorf("who am I: %w", err)
		}
		defer exchange.Close()
	}
	host, _ := os.Hostname()
	if format == "json" {
		line, err := json.Marshal(struct {
			*launch.World
			Host string `json:"host"`
			PID  int    `json:"pid"`
		}{w, host, os.Getpid()})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.App.Writer, "%s\n", line)
		return errors.Join(err, lonely(w))
	}
	return errors.Join(printWorld(c.App.Writer, *w, host), lonely(w))
}

func lonely(w *launch.World) error {
	if err := w.Lonely(); err != nil {
		return environmentErrorf("%w", err)
	}
	return nil
}

// printWorld writes the world as text, in one piece: many ranks may write at once.
func printWorld(out io.Writer, w launch.World, host string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, on %s\n", w, host)
	fmt.Fprintf(&b, "  launcher    %s\n", w.Launcher)
	for _, s := range w.From {
		fmt.Fprintf(&b, "  %-11s %d, by %s\n", s.What, s.Value, s.Where)
	}
	for _, text := range w.Contradict {
		fmt.Fprintf(&b, "  but         %s\n", text)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// expect holds the world against what the user expects.
func expect(c *cli.Context, ranks, hosts int) error {
	if want := c.Int("expect-ranks"); c.IsSet("expect-ranks") && want != ranks {
		return environmentErrorf("--expect-ranks %d: there are %d", want, ranks)
	}
	if want := c.Int("expect-hosts"); c.IsSet("expect-hosts") && want != hosts {
		return environmentErrorf("--expect-hosts %d: there are %d", want, hosts)
	}
	return nil
}
