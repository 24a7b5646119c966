package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Machine is what the checks read: this host, or a recording of one.
type Machine struct {
	Root    fs.FS    // the files from "/" on; read with fs.ReadFile, fs.ReadDir and fs.ReadLink alone
	Environ []string // "NAME=value"
	Host    string   // name; "" if it is not known
	// Run gives the standard output of a command. A command that is not installed gives fs.ErrNotExist.
	Run func(context.Context, Command) ([]byte, error)
}

// Command is a command line of the allow-list, its words separated by single spaces.
type Command string

// Host is the machine on which this runs.
func Host() Machine {
	name, _ := os.Hostname()
	return Machine{Root: os.DirFS("/"), Environ: os.Environ(), Host: name, Run: execute}
}

const (
	commandTime   = 10 * time.Second // nvidia-smi takes seconds where persistence mode is off
	commandOutput = 16 << 20         // bytes
)

// execute runs a command of the allow-list.
func execute(ctx context.Context, c Command) ([]byte, error) {
	if _, ok := commands[c]; !ok {
		return nil, fmt.Errorf("%s: not on the list of commands", c)
	}
	words := strings.Fields(string(c))
	program, err := find(words[0])
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, words[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second // a child that keeps the pipes open must not keep us
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &limited{&stdout}, &limited{&stderr}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s: no end after %v", c, commandTime)
		}
		return nil, fmt.Errorf("%s: %w: %s", c, err, firstLine(stdout.String()+"\n"+stderr.String()))
	}
	return stdout.Bytes(), nil
}

// find looks for a program on the path and where administrators' tools are, which a user's path often lacks.
func find(name string) (string, error) {
	program, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if err != nil {
			program, err = exec.LookPath(filepath.Join(dir, name))
		}
	}
	if err != nil {
		return "", &fs.PathError{Op: "run", Path: name, Err: fs.ErrNotExist}
	}
	return program, nil
}

// limited keeps the beginning of an output and drops the rest.
type limited struct{ *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	l.Buffer.Write(p[:min(len(p), commandOutput-l.Len())])
	return len(p), nil
}

// firstLine is the first line that is not blank, of at most 200 bytes.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return strings.ToValidUTF8(line[:min(len(line), 200)], "")
		}
	}
	return "no output"
}

// reason says in few words why something could not be read.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, ErrNotRecorded):
		return ErrNotRecorded.Error()
	}
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		return failed.Err.Error()
	}
	return err.Error()
}

// errUnlike says that a file is not what its place promises, errAbsent that it is not there.
var (
	errUnlike = errors.New("not as expected")
	errAbsent = fs.ErrNotExist
)

// fsError is an error of a file.
func fsError(name string, err error) error { return &fs.PathError{Op: "read", Path: name, Err: err} }
