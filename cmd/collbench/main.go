// Command collbench measures collective communication and holds it against a model of what it must cost.
//
// It is the outermost layer: one file per subcommand, which binds flags to a plan or a configuration, calls a
// library, and turns what comes back into text on standard output, messages on standard error and an exit code.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
)

// commands lists the subcommands in the order in which help shows them.
func commands() []*cli.Command {
	return []*cli.Command{
		runCommand(),
		launchCommand(),
		labCommand(),
		pairsCommand(),
		labPairsCommand(),
		modelCommand(),
		doctorCommand(),
		certifyCommand(),
		storageCommand(),
		importCommand(),
		reportCommand(),
		showCommand(),
		historyCommand(),
		compareCommand(),
		gateCommand(),
		calibrateCommand(),
		listCommand(),
		whoamiCommand(),
		workerCommand(),
		starterCommand(),
	}
}

func main() {
	os.Exit(Main(os.Args, os.Stdout, os.Stderr))
}

// Main runs the command line and returns the exit code: one of the constants in exit.go.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once: its workers die with it. Not in the first moment: Open MPI's mpirun
	// sends each signal twice.
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })

	out := &checked{to: stdout}
	err := application(out, stderr).RunContext(ctx, args)
	if err == nil {
		err = out.failed()
	}
	if err != nil && !errors.Is(err, errSilent) {
		fmt.Fprintf(stderr, "collbench: %s\n", oneLine(err))
	}
	return exitCode(err)
}

// checked remembers the first error of standard output, for those that do not look at each line's.
type checked struct {
	to    io.Writer
	mutex sync.Mutex
	err   error
}

// Write implements io.Writer.
func (c *checked) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	if err != nil {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		if c.err == nil {
			c.err = err
		}
	}
	return n, err
}

func (c *checked) failed() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.err != nil {
		return environmentErrorf("standard output: %w", c.err)
	}
	return nil
}

func application(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:                      "collbench",
		Usage:                     "measure collective communication and hold it against a model of what it must cost",
		Version:                   version(),
		Commands:                  commands(),
		Writer:                    stdout,
		ErrWriter:                 stderr,
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true, // settings such as NCCL_IB_HCA=mlx5_0,mlx5_1 hold commas
		ExitErrHandler:            func(*cli.Context, error) {},
		Action:                    withoutCommand,
		OnUsageError:              onUsageError,
	}
	refuseUnknown(app.Commands)
	return app
}

// refuseUnknown makes commands, and those within them, refuse what they do not know.
func refuseUnknown(list []*cli.Command) {
	for _, c := range list {
		c.HideHelpCommand = true
		c.OnUsageError = onUsageError
		if len(c.Subcommands) > 0 {
			refuseUnknown(c.Subcommands)
			c.Action = withoutSubcommand
			continue
		}
		if c.ArgsUsage == "" {
			c.ArgsUsage = " " // else help promises arguments
			c.Action = withoutArguments(c.Action)
		}
	}
}

// withoutSubcommand is what happens to a command that needs one of its own.
func withoutSubcommand(c *cli.Context) error {
	var names []string
	for _, known := range c.Command.Subcommands {
		names = append(names, known.Name)
	}
	if name := c.Args().First(); name != "" {
		return usageErrorf("%s: unknown command %q: want one of %s", commandName(c), name, strings.Join(names, ", "))
	}
	return usageErrorf("%s: want one of %s", commandName(c), strings.Join(names, ", "))
}

// withoutCommand is what happens without a known subcommand.
func withoutCommand(c *cli.Context) error {
	if name := c.Args().First(); name != "" {
		var names []string
		for _, known := range c.App.VisibleCommands() {
			names = append(names, known.Name)
		}
		return usageErrorf("unknown command %q: want one of %s", name, strings.Join(names, ", "))
	}
	return cli.ShowAppHelp(c)
}

// withoutArguments refuses what is left after the flags: cli would pass over a flag behind a stray word in silence.
func withoutArguments(action cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		if c.Args().Present() {
			return usageErrorf("%s: unexpected argument %q", commandName(c), c.Args().First())
		}
		return action(c)
	}
}

func onUsageError(c *cli.Context, err error, _ bool) error {
	if c.Command != nil && c.Command.Name != "" && c.Command.Name != c.App.Name {
		return usageErrorf("%s: %w", commandName(c), err)
	}
	return usageErrorf("%w", err)
}

// commandName is the command as it was called: "history show".
func commandName(c *cli.Context) string {
	_, name, _ := strings.Cut(c.Command.HelpName, " ")
	return name
}

// oneLine keeps a message on one line, whatever it was made of.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
