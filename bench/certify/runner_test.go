package certify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"collbench/bench/store"
)

// launcher stands in for collbench: its runs leave a folder with the results that it is given.
type launcher struct {
	commands []string
	end      map[string]Ended // by a part of the command
	fail     error
	leave    bool // whether a run leaves results
}

func (l *launcher) start(ctx context.Context, words []string) (Ended, error) {
	command := strings.Join(words, " ")
	l.commands = append(l.commands, command)
	for part, e := range l.end {
		if strings.Contains(command, part) {
			return e, nil
		}
	}
	out := slices.Index(words, "--out")
	if l.fail != nil || out < 0 || !l.leave {
		return Ended{}, l.fail
	}
	folder, err := store.Create(words[out+1], false)
	if err != nil {
		return Ended{}, err
	}
	defer folder.Close()
	run := measuredRuns(full)[0]
	run.Info.Schema, run.Info.Plan, run.Info.ID = "collbench.run/1", []byte("{}"), fmt.Sprint(len(l.commands))
	return Ended{}, errors.Join(folder.WriteInfo(run.Info), folder.Append(run.Results[0]))
}

const two = `start: mpirun -n 2 collbench
steps:
- name: optional
  optional: true
  run: {backend: nccl}
- name: second
  run: {bytes: 1MiB}
  launches: 2
not-run: [security]
`

func runner(t *testing.T, dir string, l *launcher) (Runner, *[]string) {
	t.Helper()
	var folder *Folder
	p, err := Parse("two.yaml", []byte(two))
	if err == nil {
		if folder, err = Create(dir, p, time.Unix(1.7e9, 0)); errors.Is(err, ErrNotEmpty) {
			folder, err = Open(dir)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	return Runner{Folder: folder, Start: l.start, Now: time.Now, Tell: func(n int, r StepReport, again bool) {
		told = append(told, fmt.Sprintf("%d %s %s %t", n, r.Name, r.Outcome, again))
	}}, &told
}

func TestRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	l := &launcher{leave: true, end: map[string]Ended{"nccl": {5, "collbench: NCCL is not available"}}}
	r, _ := runner(t, dir, l)
	report, err := r.Run(t.Context())
	if err != nil || report.Outcome != Pass || report.Steps[0].Outcome != NotRun || report.Steps[1].Outcome != Pass {
		t.Fatalf("%v %+v", err, report)
	}
	if want := []string{"security", "optional: NCCL is not available"}; !slices.Equal(report.NotRun, want) {
		t.Errorf("%q", report.NotRun)
	}
	if len(l.commands) != 3 || !strings.HasPrefix(l.commands[2], "mpirun -n 2 collbench run --bytes=1MiB --out "+filepath.Join(dir, "02-second", "launch-2.unfinished")) || !strings.HasSuffix(l.commands[2], "--seed 2") {
		t.Errorf("%q", l.commands)
	}
	again, told := runner(t, dir, l)
	if second, err := again.Run(t.Context()); err != nil || second.Outcome != Pass || len(l.commands) != 4 || (*told)[2] != "2 second pass true" {
		t.Errorf("a second time: %v %+v %q %q", err, second, l.commands, *told)
	}
}

// TestRunGoesOn interrupts the second launch of a step.
func TestRunGoesOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	l := &launcher{leave: true, end: map[string]Ended{"nccl": {5, "x"}}}
	r, _ := runner(t, dir, l)
	ctx, cancel := context.WithCancel(t.Context())
	r.Start = func(c context.Context, words []string) (Ended, error) {
		if slices.Contains(words, "2") && slices.Contains(words, "--seed") && words[len(words)-1] == "2" {
			cancel()
			os.MkdirAll(words[slices.Index(words, "--out")+1], 0o755)
			return Ended{130, "interrupted"}, nil
		}
		return l.start(c, words)
	}
	if _, err := r.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	done := len(l.commands)
	again, _ := runner(t, dir, l)
	report, err := again.Run(t.Context()) // what could not be started, and the launch that was interrupted
	if err != nil || report.Outcome != Pass || len(l.commands) != done+2 || report.Steps[1].Figures[0].Launches != 2 {
		t.Errorf("%v %+v %q", err, report, l.commands)
	}
}

func TestRunTroubles(t *testing.T) {
	for name, c := range map[string]struct {
		l    *launcher
		want Outcome
		said string
	}{
		"not started":  {&launcher{fail: errors.New("mpirun: executable file not found")}, Fail, "mpirun: executable file not found"},
		"usage":        {&launcher{leave: true, end: map[string]Ended{"1MiB": {2, "collbench: --bytes: no"}, "nccl": {5, "x"}}}, Fail, "--bytes: no"},
		"no last line": {&launcher{leave: true, end: map[string]Ended{"1MiB": {137, ""}, "nccl": {5, "x"}}}, Fail, "the command ended with 137"},
	} {
		r, _ := runner(t, filepath.Join(t.TempDir(), "out"), c.l)
		report, err := r.Run(t.Context())
		if err != nil || report.Outcome != c.want || !strings.Contains(report.Steps[1].Findings[0].Text, c.said) {
			t.Errorf("%s: %v %+v", name, err, report)
		}
	}
	r, _ := runner(t, filepath.Join(t.TempDir(), "out"), &launcher{end: map[string]Ended{"nccl": {5, "x"}}})
	if _, err := r.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "does it share this folder?") {
		t.Errorf("rank 0 elsewhere: %v", err)
	}
}

func TestOpen(t *testing.T) {
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no folder of an acceptance") {
		t.Error(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	p, _ := Parse("two.yaml", []byte(two))
	p.Start, p.LineRate = []string{"launch", "--"}, 5e9
	if _, err := Create(dir, p, time.Now()); err != nil {
		t.Fatal(err)
	}
	f, err := Open(dir)
	if err != nil || f.Profile.Name != "two" || !slices.Equal(f.Profile.Start, p.Start) || f.Profile.LineRate != 5e9 || len(f.Profile.Steps) != 2 {
		t.Errorf("%+v %v", f, err)
	}
	os.WriteFile(filepath.Join(dir, sessionName), []byte(`{"schema":"other/1"}`), 0o644)
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), `schema "other/1"`) {
		t.Error(err)
	}
}
