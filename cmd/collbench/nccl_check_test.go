package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"collbench/cgo/softgpu/softgputest"
)

// ncclCheck runs scripts/gpu-check on stand-ins, where it says that they are, and without a GPU. A line begins with what
// was tried and says pass, fail or not here.
func ncclCheck(t *testing.T, program string) {
	nowhere := []string{"COLLBENCH_LIBCUDA=libnowhere.so.1", "COLLBENCH_LIBNCCL=libnowhere.so.2"}
	for _, c := range []struct {
		name     string
		settings []string
		code     int
		want     map[string]string // lines whose result is not that of the others
		others   string
	}{
		{"eight GPUs", nil, 0, nil, "pass"},
		{"one GPU of a driver without NVML", []string{"SOFTGPU_DEVICES=1", "COLLBENCH_LIBNVML=/nowhere"}, 0, map[string]string{"NVML": "not here", "counters": "not here"}, "pass"},
		{"no large memory", []string{"SOFTGPU_FAULT=out-of-memory:bytes=900000+"}, 1, map[string]string{"driver": "pass", "NVML": "not here", "NCCL with one rank": "pass", "counters": "not here"}, "fail"},
		{"nothing", nowhere, 5, nil, "not here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.code != 5 {
				t.Skip("measures: left out by -short")
			}
			t.Parallel()
			cmd := exec.Command("../../scripts/gpu-check")
			cmd.Env = softgputest.Environment(softgputest.Libraries(t), "", append(c.settings, "COLLBENCH="+program, "TMPDIR="+t.TempDir())...)
			out, _ := cmd.CombinedOutput() // the exit code says it
			lines := 0
			for _, m := range regexp.MustCompile(`(?m)^(\S.*\S) +(pass|fail|not here) +(\S.*)$`).FindAllStringSubmatch(string(out), -1) {
				lines++
				want, ok := c.want[m[1]]
				if !ok {
					want = c.others
				}
				if m[2] != want {
					t.Errorf("%s: %s, want %s", m[1], m[2], want)
				}
			}
			simulated := strings.Contains(string(out), "simulated: stand-ins ran, not a GPU")
			if code := cmd.ProcessState.ExitCode(); code != c.code || lines != 9 || simulated != (c.code == 0) {
				t.Errorf("exit %d, %d lines, want %d\n%s", code, lines, c.code, out)
			}
		})
	}
}

// ncclRefused: neither the history nor a comparison takes what stand-ins have measured.
func ncclRefused(t *testing.T, program string) {
	folder := t.TempDir()
	runs := []string{filepath.Join(folder, "a"), filepath.Join(folder, "b")}
	for _, run := range runs {
		cmd := exec.Command(program, append([]string{"run", "-n", "2", "--algorithm", "ring", "--bytes", "8", "--launches", "3", "--out", run}, ncclArguments...)...)
		cmd.Env = softgputest.Environment(softgputest.Libraries(t), "")
		if _, code, said := rowsOf(t, cmd); code != exitOK {
			t.Fatalf("exit %d\n%s", code, said)
		}
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"history", "add", "--db", filepath.Join(folder, "history.db"), runs[0]}, "simulated"},
		{[]string{"compare", runs[0], runs[1]}, "simulated"},
	} {
		cmd := exec.Command(program, c.args...)
		cmd.Env = append(os.Environ(), "HOME="+folder)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%v: %v\n%s", c.args, err, out)
		}
	}
}
