package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/urfave/cli/v2"
)

// The parts of the files in scripts/ci that are read here. Decoding is strict within them.
type (
	githubWorkflow struct {
		Name        string            `yaml:"name"`
		On          map[string]any    `yaml:"on"`
		Permissions map[string]string `yaml:"permissions"`
		Concurrency map[string]any    `yaml:"concurrency"`
		Jobs        map[string]struct {
			RunsOn  []string          `yaml:"runs-on"`
			Timeout int               `yaml:"timeout-minutes"`
			Env     map[string]string `yaml:"env"`
			Steps   []struct {
				Name string         `yaml:"name"`
				Uses string         `yaml:"uses"`
				If   string         `yaml:"if"`
				Run  string         `yaml:"run"`
				With map[string]any `yaml:"with"`
			} `yaml:"steps"`
		} `yaml:"jobs"`
	}
	gitlabFile map[string]struct {
		Stage         string              `yaml:"stage"`
		Tags          []string            `yaml:"tags"`
		Rules         []map[string]string `yaml:"rules"`
		Timeout       string              `yaml:"timeout"`
		ResourceGroup string              `yaml:"resource_group"`
		Variables     map[string]string   `yaml:"variables"`
		Script        []string            `yaml:"script"`
		AllowFailure  struct {
			ExitCodes []int `yaml:"exit_codes"`
		} `yaml:"allow_failure"`
		Artifacts struct {
			When    string            `yaml:"when"`
			Paths   []string          `yaml:"paths"`
			Reports map[string]string `yaml:"reports"`
		} `yaml:"artifacts"`
	}
	cronJob struct {
		APIVersion string         `yaml:"apiVersion"`
		Kind       string         `yaml:"kind"`
		Metadata   map[string]any `yaml:"metadata"`
		Spec       struct {
			Schedule                   string `yaml:"schedule"`
			ConcurrencyPolicy          string `yaml:"concurrencyPolicy"`
			SuccessfulJobsHistoryLimit int    `yaml:"successfulJobsHistoryLimit"`
			FailedJobsHistoryLimit     int    `yaml:"failedJobsHistoryLimit"`
			JobTemplate                struct {
				Spec struct {
					BackoffLimit          *int `yaml:"backoffLimit"`
					ActiveDeadlineSeconds int  `yaml:"activeDeadlineSeconds"`
					Template              struct {
						Spec struct {
							RestartPolicy string            `yaml:"restartPolicy"`
							NodeSelector  map[string]string `yaml:"nodeSelector"`
							Containers    []struct {
								Name         string              `yaml:"name"`
								Image        string              `yaml:"image"`
								Env          []map[string]string `yaml:"env"`
								Command      []string            `yaml:"command"`
								Args         []string            `yaml:"args"`
								VolumeMounts []map[string]string `yaml:"volumeMounts"`
							} `yaml:"containers"`
							Volumes []map[string]any `yaml:"volumes"`
						} `yaml:"spec"`
					} `yaml:"template"`
				} `yaml:"spec"`
			} `yaml:"jobTemplate"`
		} `yaml:"spec"`
	}
)

func ciFile(t *testing.T, name string, into any) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../scripts/ci", name))
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := yaml.UnmarshalWithOptions(text, into, yaml.Strict()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return string(text)
}

// TestCIScripts runs the shell lines of every file in scripts/ci with a collbench that only notes how it is called,
// and has our own command line accept each call. The last one is the gate.
func TestCIScripts(t *testing.T) {
	var workflow githubWorkflow
	ciFile(t, "github.yaml", &workflow)
	var github []string
	for _, step := range workflow.Jobs["gate"].Steps {
		if step.Run == "" && step.Uses == "" {
			t.Errorf("github.yaml: step %s does nothing", step.Name)
		}
		github = append(github, step.Run)
	}
	var pipeline gitlabFile
	ciFile(t, "gitlab.yaml", &pipeline)
	if codes := pipeline["collectives"].AllowFailure.ExitCodes; !slices.Equal(codes, []int{exitInconclusive}) {
		t.Errorf("gitlab.yaml: exit codes %v are warnings: want that of an inconclusive gate", codes)
	}
	var job cronJob
	ciFile(t, "cronjob.yaml", &job)
	pod := job.Spec.JobTemplate.Spec.Template.Spec
	if job.APIVersion != "batch/v1" || job.Kind != "CronJob" || pod.RestartPolicy != "Never" || len(pod.Containers) != 1 || job.Spec.JobTemplate.Spec.BackoffLimit == nil {
		t.Fatalf("cronjob.yaml: %+v", job)
	}
	calls := 0
	for name, script := range map[string]string{
		"github.yaml":    strings.Join(github, "\n"),
		"gitlab.yaml":    strings.Join(pipeline["collectives"].Script, "\n"),
		"cronjob.yaml":   pod.Containers[0].Args[0],
		"nightly.sbatch": ciFile(t, "nightly.sbatch", nil),
	} {
		called := shellCalls(t, name, script)
		if len(called) < 3 || called[len(called)-1][0] != "gate" {
			t.Errorf("%s: does not end in the gate: %q", name, called)
		}
		for _, args := range called {
			calls++
			if err := accepted(args); err != nil {
				t.Errorf("%s: collbench %s: %v", name, strings.Join(args, " "), err)
			}
		}
	}
	if calls < 15 {
		t.Errorf("only %d calls", calls)
	}
	if err := accepted([]string{"run", "--bogus"}); err == nil {
		t.Error("an unknown flag is accepted")
	}
}

// shellCalls runs a script in an empty folder where the only commands of note are stand-ins, and returns how collbench
// was called.
func shellCalls(t *testing.T, name, script string) (calls [][]string) {
	t.Helper()
	dir := t.TempDir()
	for command, body := range map[string]string{
		"collbench": `printf '%s\n' "$@" >>"$CALLS"; echo >>"$CALLS"`,
		"srun":      `while [ "$1" != collbench ]; do shift; done; exec "$@"`,
		"seq":       "echo 1",
	} {
		if err := os.WriteFile(filepath.Join(dir, command), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	calledAs := filepath.Join(dir, "calls")
	cmd := exec.Command("bash", "-eu")
	cmd.Stdin = strings.NewReader(script)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "CALLS=" + calledAs, "RUN=runs/x", "COLLBENCH_HOME=" + dir,
		"SLURM_JOB_ID=7", "SLURM_NTASKS=16", "SLURM_JOB_NUM_NODES=2"}
	if out, err := cmd.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	text, err := os.ReadFile(calledAs)
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		calls = append(calls, strings.Split(call, "\n"))
	}
	return calls
}

// accepted parses a command line as the program does, without doing what it says.
func accepted(args []string) error {
	app := application(io.Discard, io.Discard)
	var idle func([]*cli.Command)
	idle = func(list []*cli.Command) {
		for _, c := range list {
			idle(c.Subcommands)
			if len(c.Subcommands) == 0 {
				c.Action = func(c *cli.Context) error { return flagsFirst(c, c.Args().Slice()) }
			}
		}
	}
	idle(app.Commands)
	return app.Run(append([]string{"collbench"}, args...))
}
