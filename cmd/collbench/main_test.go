package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// asProgram is the variable that makes the test binary the program itself, so that it can be started, also by
// itself, without being built anew.
const asProgram = "COLLBENCH_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asHosts) != "" {
		os.Exit(severalHosts())
	}
	if os.Getenv(asProgram) != "" {
		enterTinyDisk()
		main()
	}
	os.Setenv(asProgram, "1") // for what this process starts
	testscript.Main(m, map[string]func(){"collbench": main})
}

// TestScripts runs the command lines of testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv(asProgram, "1")
			recordings, err := filepath.Abs("../../bench/doctor/testdata")
			e.Setenv("RECORDINGS", recordings)
			return err
		},
	})
}

// TestLostOutput: what could not be printed is no success, whichever command it is.
func TestLostOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for _, args := range []string{"list", "list algorithms", "--help", "--version", "whoami", "model --ranks 8 --algorithm ring"} {
		var stderr bytes.Buffer
		if code := Main(append([]string{"collbench"}, strings.Fields(args)...), full, &stderr); code != exitEnvironment || !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("collbench %s: exit %d: %s", args, code, stderr.String())
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args string
		want int
	}{
		{"", exitOK},
		{"list", exitOK},
		{"--version", exitOK},
		{"bogus", exitUsage},
		{"--bogus", exitUsage},
		{"list x", exitUsage},
		{"list algorithms x", exitUsage},
		{"run --bogus", exitUsage},
		{"run stray", exitUsage},
		{"run --bytes 3", exitUsage},
		{"run --launches 0", exitUsage},
		{"run --timeout x", exitUsage},
		{"run --out /dev/null", exitEnvironment},
		{"run --plan /nowhere.yaml", exitEnvironment},
	} {
		var stdout, stderr bytes.Buffer
		got := Main(append([]string{"collbench"}, strings.Fields(c.args)...), &stdout, &stderr)
		if got != c.want {
			t.Errorf("collbench %s: exit %d, want %d", c.args, got, c.want)
		}
		if lines := strings.Count(stderr.String(), "\n"); got != exitOK && (lines != 1 || stdout.Len() > 0) {
			t.Errorf("collbench %s: want one line on standard error:\n%s%s", c.args, stderr.String(), stdout.String())
		}
	}
}
