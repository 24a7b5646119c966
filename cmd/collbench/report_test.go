package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestReportExitCodes(t *testing.T) {
	for _, c := range []struct {
		args string
		want int
	}{
		{"report", exitUsage},
		{"show", exitUsage},
		{"report nowhere", exitEnvironment},
		{"report nowhere -o x", exitEnvironment},
		{"report nowhere --bogus", exitUsage},
		{"report nowhere stray", exitUsage},
		{"show nowhere --format table", exitEnvironment},
		{"show nowhere --format xml", exitUsage},
		{"show /dev/null", exitEnvironment},
	} {
		var stdout, stderr bytes.Buffer
		got := Main(append([]string{"collbench"}, strings.Fields(c.args)...), &stdout, &stderr)
		if got != c.want {
			t.Errorf("collbench %s: exit %d, want %d", c.args, got, c.want)
		}
		if strings.Count(stderr.String(), "\n") != 1 || stdout.Len() > 0 {
			t.Errorf("collbench %s: want one line on standard error:\n%s%s", c.args, stderr.String(), stdout.String())
		}
	}
}
