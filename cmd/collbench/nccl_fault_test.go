package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"collbench/bench"
	"collbench/cgo/softgpu/softgputest"
)

// ncclFaults: what goes wrong in the library in one of two cases, or what it does there in silence, ends in the right
// words, names the rank, takes no longer than it may, and the other case is measured. A fault strikes tree alone.
func ncclFaults(t *testing.T, program string) {
	if testing.Short() {
		t.Skip("waits for the watchdog: left out by -short")
	}
	const nobody, timeout = -1, 2 * time.Second
	for _, c := range []struct {
		name, fault, variant string
		status               bench.Status
		want                 string // in the error
		kind                 bench.FaultKind
		rank                 int
	}{
		{"another algorithm in silence", "algorithm:op=allreduce", "", bench.Failed, "asked tree, ran ring (profiler)", "", nobody},
		{"a wrong element", "wrong:rank=2,iteration=3", "", bench.Wrong, "1 of 12288 elements wrong: rank 2 on ", "", nobody},
		{"a hang in an operation", "hang:rank=3,iteration=3", "", bench.Failed, "none of 4 nodes went on in all_reduce 4 KiB tree, iterate, iteration 1; given up after 2s", bench.FaultStuck, nobody},
		{"a hang in init", "hang-init:rank=1", "", bench.Failed, "none of 4 nodes went on in all_reduce 4 KiB tree, open; given up after 2s", bench.FaultStuck, nobody},
		{"an error in the background", "async:rank=1,iteration=3", "", bench.Failed, "rank 1: injected asynchronous error", bench.FaultRefused, 1},
		{"a slow rank", "slow:rank=1,ms=60", "", bench.OK, "", "", nobody},
		{"out of memory", "out-of-memory:device=1", "", bench.Failed, "0000:02:00.0): cuMemAlloc_v2: out of memory (CUDA_ERROR_OUT_OF_MEMORY, 2)", bench.FaultRefused, 1},
		{"out of NCCL's memory", "out-of-memory:device=2", "--buffers=registered", bench.Failed, "ncclMemAlloc: ", bench.FaultRefused, 2},
		{"a driver that is too old", "driver", "", bench.Failed, "the driver serves CUDA 11.4 and needs to serve 11.8 or later", bench.FaultRefused, 0},
		{"mixed versions", "version:rank=1,value=2.21.5", "", bench.Failed, "Mismatched NCCL version detected : rank 1 version 22105 rank 0 version 23007", bench.FaultRefused, 0},
		{"no window on a rank", "null-window:rank=1", "--variant=windows", bench.Failed, "0000:02:00.0): not supported: NCCL gives no symmetric window", bench.FaultRefused, 1},
		{"no window at all", "null-window", "--variant=windows", bench.Skipped, "not supported: NCCL gives no symmetric window", "", nobody},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := []string{"-n", "4", "--algorithm", "tree,ring", "--bytes", "4KiB", "--timeout", timeout.String()}
			if c.variant != "" {
				args = append(args, c.variant)
			}
			start := time.Now()
			rows, code, said := onStandIns(t, program, []string{"SOFTGPU_FAULT=" + c.fault + atTree(c.fault)}, args...)
			if took := time.Since(start); took > timeout+8*time.Second {
				t.Errorf("took %s", took)
			}
			want := map[bench.Status]int{bench.OK: exitOK, bench.Skipped: exitOK}
			if _, good := want[c.status]; !good {
				want[c.status] = exitFailed
			}
			// With windows no algorithm runs: ring is measured, but it is not what was asked for.
			if c.variant == "--variant=windows" {
				want[c.status] = exitFailed
			}
			if code != want[c.status] || len(rows) != 2 {
				t.Fatalf("exit %d, %d rows\n%s", code, len(rows), said)
			}
			for _, r := range rows {
				if r.Algorithm == "tree" {
					struck(t, r, c.status, c.want, c.kind, c.rank)
				} else if c.variant != "--variant=windows" && r.Status != string(bench.OK) || r.Wrong == nil || *r.Wrong != 0 {
					t.Errorf("the other case: %+v", r)
				}
			}
		})
	}
}

// atTree has a fault strike where tree was asked for.
func atTree(fault string) string {
	if strings.Contains(fault, ":") {
		return ",asked=tree"
	}
	return ":asked=tree"
}

// struck holds the row that a fault was meant for against what it has to be.
func struck(t *testing.T, r row, status bench.Status, want string, kind bench.FaultKind, rank int) {
	t.Helper()
	if r.Status != string(status) || !strings.Contains(r.Error, want) {
		t.Errorf("%s: %s\nwant %s: %s", r.Status, r.Error, status, want)
	}
	switch {
	case kind == "" && r.Fault != nil, kind != "" && r.Fault == nil:
		t.Errorf("fault %+v, want %q", r.Fault, kind)
	case kind == "":
	case r.Fault.Kind != kind, rank < 0 && r.Fault.Rank != nil, rank >= 0 && (r.Fault.Rank == nil || *r.Fault.Rank != rank):
		t.Errorf("fault %+v, want %s of rank %d", r.Fault, kind, rank)
	}
	if status == bench.OK && (r.Seconds == nil || r.Seconds.Median < 0.06) {
		t.Errorf("a rank is late by 60 ms, and the case takes %+v", r.Seconds)
	}
}

// ncclLibraryFaults: what is wrong with a library as a whole ends the run before it starts, or leaves out what needs it.
func ncclLibraryFaults(t *testing.T, program string) {
	libraries := softgputest.Libraries(t)
	for _, c := range []struct {
		name, library, symbol, fault, variant string
		code, rows                            int
		want                                  string
	}{
		{"NCCL without a function", "libnccl.so.2", "ncclAllReduce", "", "", exitEnvironment, 0, "NCCL is not available: libnccl.so.2 has no ncclAllReduce"},
		{"a driver without a function", "libcuda.so.1", "cuMemAlloc_v2", "", "", exitEnvironment, 0, "libcuda.so.1 has no cuMemAlloc_v2"},
		{"a driver that is too old", "", "", "driver", "", exitEnvironment, 0, "the driver serves CUDA 11.4 and needs to serve 11.8 or later"},
		{"NCCL without windows", "libnccl.so.2", "ncclCommWindowRegister", "", "windows|default", exitOK, 2, "has no ncclCommWindowRegister"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{"run", "-n", "2", "--bytes", "8", "--algorithm", "ring", "--out", filepath.Join(t.TempDir(), "run")}
			if c.variant != "" {
				args = append(args, "--variant", c.variant)
			}
			cmd := exec.Command(program, append(args, ncclArguments...)...)
			path := libraries
			if c.library != "" {
				path = softgputest.Without(t, libraries, c.library, c.symbol) + ":" + libraries
			}
			cmd.Env = softgputest.Environment(path, "", "SOFTGPU_FAULT="+c.fault)
			rows, code, said := rowsOf(t, cmd)
			good := 0
			for _, r := range rows {
				said += r.Error
				if r.Status == string(bench.OK) {
					good++
				}
			}
			if code != c.code || len(rows) != c.rows || good != c.rows/2 || !strings.Contains(said, c.want) {
				t.Errorf("exit %d, %d of %d rows good, want %d: %s\n%s", code, good, len(rows), c.code, c.want, said)
			}
		})
	}
}

// ncclMixed: ranks that find different releases of NCCL are told so before NCCL can hang.
func ncclMixed(t *testing.T, program string) {
	libraries := softgputest.Libraries(t)
	folder := t.TempDir()
	args := append([]string{"run", "--bytes", "8", "--algorithm", "ring", "--out", filepath.Join(folder, "run")}, ncclArguments...)
	var ranks []*exec.Cmd
	var said, rows bytes.Buffer
	for rank, release := range []string{"2.30", "2.30", "2.21"} {
		cmd := exec.Command(program, args...)
		cmd.Env = softgputest.Environment(libraries, release, "COLLBENCH_RANK="+string(rune('0'+rank)), "COLLBENCH_SIZE=3", "COLLBENCH_RENDEZVOUS=file:"+filepath.Join(folder, "meet"))
		if rank == 0 {
			cmd.Stdout, cmd.Stderr = &rows, &said
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ranks = append(ranks, cmd)
	}
	for _, cmd := range ranks {
		_ = cmd.Wait() // rank 0's exit code says it
	}
	var r row
	if err := json.Unmarshal(rows.Bytes(), &r); err != nil {
		t.Fatalf("%v\n%s%s", err, rows.String(), said.String())
	}
	if code := ranks[0].ProcessState.ExitCode(); code != exitFailed {
		t.Errorf("exit %d\n%s", code, said.String())
	}
	struck(t, r, bench.Failed, " has NCCL 2.21.5, rank 0 on ", bench.FaultRefused, 2)
}

// ncclHosts measures on two VMs, which the stand-ins take for two hosts: CollNet carries sharp, by whichever of its
// algorithms, and what is not it fails the row.
func ncclHosts(t *testing.T, program string) {
	for _, c := range []struct {
		fault string
		code  int
		want  map[string]string // observed, by algorithm; else a part of the error
	}{
		{"", exitOK, map[string]string{"ring": "ring", "sharp": "sharp", "collnetchain": "collnetchain", "nvls+sharp": "nvls+sharp", "nvlstree": "nvlstree", "nvls": "across 2 hosts"}},
		{"algorithm:asked=collnet", exitFailed, map[string]string{"sharp": "asked sharp, ran ring (profiler)", "ring": "ring"}},
	} {
		var names []string
		for name := range c.want {
			names = append(names, name)
		}
		args := []string{"lab", "--vms", "2", "--ranks-per-vm", "2", "--algorithm", strings.Join(names, ","), "--bytes", "4KiB,1MiB", "--out", filepath.Join(t.TempDir(), "run")}
		cmd := exec.Command(program, append(args, ncclArguments...)...)
		cmd.Env = softgputest.Environment(softgputest.Libraries(t), "", "SOFTGPU_FAULT="+c.fault)
		rows, code, said := rowsOf(t, cmd)
		if strings.Contains(said, "held back by its senders") {
			t.Skip("no network namespaces here: " + said)
		}
		if code != c.code || len(rows) != 2*len(c.want) {
			t.Fatalf("exit %d, %d rows\n%s", code, len(rows), said)
		}
		for _, r := range rows {
			want := c.want[r.Algorithm]
			if proved := r.Observed == want && r.Status == string(bench.OK) && *r.Wrong == 0; !proved && (r.Error == "" || !strings.Contains(r.Error, want)) {
				t.Errorf("%+v, want %s", r, want)
			}
		}
	}
}
