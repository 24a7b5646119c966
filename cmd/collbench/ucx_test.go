package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"collbench/bench"
	"collbench/bench/store"
)

// ucxLibraries are the UCX libraries that one binary is tried with: what COLLBENCH_LIBUCP is, by name.
func ucxLibraries(t *testing.T, f func(t *testing.T, setting string)) {
	wheel, err := filepath.Abs("../../build/ucx/lib/libucp.so.0")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []struct{ name, path string }{{"system", "libucp.so.0"}, {"wheel", wheel}} {
		t.Run(l.name, func(t *testing.T) {
			setting := "COLLBENCH_LIBUCP=" + l.path
			cmd := exec.Command(os.Args[0], "list", "backends")
			cmd.Env = append(os.Environ(), setting)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(strings.Split(string(out), "\n"), "ucx") {
				t.Skipf("no UCX of the %s here (scripts/setup and scripts/ucx-peer install it):\n%s", l.name, out)
			}
			f(t, setting)
		})
	}
}

// measureUCX measures between two ranks and reads back what was kept.
func measureUCX(t *testing.T, setting string, flags ...string) []bench.Result {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	cmd := exec.Command(os.Args[0], slices.Concat([]string{"run", "-n", "2", "--backend", "ucx", "--iterations", "20", "--warmup", "2", "--window", "8", "--out", dir}, flags)...)
	cmd.Env = append(os.Environ(), setting)
	said, _ := cmd.CombinedOutput() // the exit code says what became of the cases, which the results do too
	runs, warnings, err := store.Read(dir)
	if err != nil || len(warnings) > 0 || len(runs) != 1 {
		t.Fatalf("%v %v\n%s", err, warnings, said)
	}
	return runs[0].Results
}

// allOperations are those of the names of every test.
func allOperations() string {
	var names []string
	for _, p := range bench.PointToPoints {
		names = append(names, p.Name)
	}
	return strings.Join(names, ",")
}

// TestUCX carries out every operation in both timings, with its data verified, by one binary with each of the libraries.
func TestUCX(t *testing.T) {
	ucxLibraries(t, func(t *testing.T, setting string) {
		for _, timing := range []string{"batch", "barrier"} {
			results := measureUCX(t, setting, "--operation", allOperations(), "--bytes", "8", "--timing", timing)
			results = append(results, measureUCX(t, setting, "--operation", "latency,am_bandwidth,stream_latency,put_bandwidth,get_latency", "--bytes", "300000", "--timing", timing)...)
			if len(results) != len(bench.PointToPoints)+5 {
				t.Errorf("%s: %d results", timing, len(results))
			}
			for _, r := range results {
				if r.Status != bench.OK || r.Wrong == nil || *r.Wrong != 0 || !strings.HasPrefix(r.Evidence.Detail, "UCX 1.") || len(r.Seconds[0]) == 0 || len(r.Seconds[1]) > 0 {
					t.Errorf("%s, %s: %s %s, %v wrong, evidence %+v", r.Case, timing, r.Status, r.Error, r.Wrong, r.Evidence)
				}
			}
		}
	})
}

// TestUCXTransports has the transports that were asked for in the evidence, and no others.
func TestUCXTransports(t *testing.T) {
	ucxLibraries(t, func(t *testing.T, setting string) {
		variants := []string{"UCX_TLS=posix", "UCX_TLS=sysv", "UCX_TLS=posix,cma", "UCX_TLS=tcp", "UCX_TLS=tcp;peer-errors", "eager", "rendezvous"}
		seen := map[string]string{}
		for _, r := range measureUCX(t, setting, "--operation", "latency", "--bytes", "64KiB", "--timing", "batch", "--variant", strings.Join(variants, "|")) {
			if r.Status != bench.OK {
				t.Errorf("%s: %s %s", r.How.Variant, r.Status, r.Error)
			}
			seen[r.How.Variant] = r.Evidence.Detail
		}
		for _, v := range variants {
			list, ok := strings.CutPrefix(v, "UCX_TLS=")
			if !ok {
				continue
			}
			list, _, _ = strings.Cut(list, ";")
			for _, name := range []string{"posix", "sysv", "cma", "tcp"} {
				asked := slices.Contains(strings.Split(list, ","), name)
				if asked != strings.Contains(seen[v], name+"/") {
					t.Errorf("%s: %s", v, seen[v])
				}
			}
		}
	})
}

// TestUCXRefusals has what cannot be done end in a line that says why, and the next case measured.
func TestUCXRefusals(t *testing.T) {
	ucxLibraries(t, func(t *testing.T, setting string) {
		for _, c := range []struct {
			flags  []string
			status bench.Status
			want   string
			good   int // results that are right
		}{
			{[]string{"--operation", "latency", "--bytes", "8", "--variant", "UCX_TLS=warp|default"}, bench.Failed, "no usable transports/devices (asked warp", 1},
			{[]string{"--operation", "latency", "--bytes", "8,16TiB"}, bench.Failed, "of memory for each of 2 ranks of this host: it has ", 1},
			{[]string{"--operation", "fetch_add", "--bytes", "8", "--variant", "offset=4|offset=8"}, bench.Skipped, "an atomic has to be aligned", 1},
			{[]string{"--operation", "fetch_add", "--bytes", "4,16"}, bench.Skipped, "an atomic has 4 or 8", 1},
		} {
			good := 0
			for _, r := range measureUCX(t, setting, append(c.flags, "--timing", "batch")...) {
				switch {
				case r.Status == bench.OK:
					good++
				case r.Status != c.status || !strings.Contains(r.Error, c.want):
					t.Errorf("%v: %s %s, want %s", c.flags, r.Status, r.Error, c.want)
				}
			}
			if good != c.good {
				t.Errorf("%v: %d results are right, want %d", c.flags, good, c.good)
			}
		}
	})
}

// TestUCXPeerKilled kills a rank in mid-transfer: the case names it, within bounds, whether UCX notices itself or not, and the next is
// measured.
func TestUCXPeerKilled(t *testing.T) {
	ucxLibraries(t, func(t *testing.T, setting string) {
		for _, variant := range []string{"default", "UCX_TLS=tcp;peer-errors"} {
			m := &measured{dir: filepath.Join(t.TempDir(), "run")}
			m.cmd = exec.Command(os.Args[0], "run", "-n", "2", "--out", m.dir, "--backend", "ucx", "--variant", variant, "--operation", "bandwidth,put_bandwidth",
				"--bytes", "1MiB", "--timing", "batch", "--budget", "4s", "--precision", "0.0001%")
			m.cmd.Env, m.cmd.Stderr = append(os.Environ(), setting), &bytes.Buffer{}
			if err := m.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { m.cmd.Process.Kill() })
			workers := m.children(t, 2)
			time.Sleep(time.Second)
			if err := syscall.Kill(workers[1], syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			_, results := m.end(t, 60*time.Second, workers)
			var failed, good int
			for _, r := range results {
				switch {
				case r.Status == bench.OK:
					good++
				case strings.Contains(r.Error, "was killed by signal 9 (SIGKILL)") && strings.Contains(r.Error, "rank 1 on "):
					failed++
				default:
					t.Errorf("%s: %s %s", variant, r.Status, r.Error)
				}
			}
			if failed != 1 || good != 1 {
				t.Errorf("%s: %d have failed, %d are right", variant, failed, good)
			}
		}
	})
}

// TestUCXBetweenVMs measures over the virtual network.
func TestUCXBetweenVMs(t *testing.T) {
	l := startLab(t, nil, "--vms", "2", "--link", "500Mbit", "--backend", "ucx", "--variant", "UCX_TLS=tcp", "--operation", "latency,bandwidth,put_flush", "--bytes", "64KiB",
		"--timing", "batch", "--iterations", "20", "--warmup", "2", "--window", "4")
	l.end(t)
	results := l.kept(t)
	for _, r := range results {
		if strings.Contains(r.Error, "UCX is not available") {
			t.Skip(r.Error)
		}
		if r.Status != bench.OK && r.Status != bench.Unproven || r.Wrong == nil || *r.Wrong != 0 || !strings.Contains(r.Evidence.Detail, "tcp/") || r.Where.Hosts != 2 {
			t.Errorf("%s: %s %s, %v wrong, %+v", r.Case, r.Status, r.Error, r.Wrong, r.Evidence)
		}
	}
	if len(results) != 3 {
		t.Errorf("%d results:\n%s", len(results), l.stderr.String())
	}
}

// TestUCXMissing says in one line what this machine lacks.
func TestUCXMissing(t *testing.T) {
	cmd := exec.Command(os.Args[0], "list", "backends")
	cmd.Env = append(os.Environ(), "COLLBENCH_LIBUCP=/nowhere/libucp.so.0")
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "ucx       UCX is not available: /nowhere/libucp.so.0: cannot open shared object file") {
		t.Errorf("%v\n%s", err, out)
	}
}
