package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/cgo/softgpu/softgputest"
	"collbench/collectives"
)

// ncclMatrix measures everything that NCCL is asked for, under mpirun where there is one: every row is proved and right,
// or refused because NVLink SHARP does not do it. Every test run has a part of it, the acceptance all.
func ncclMatrix(t *testing.T, program string) {
	types, reductions := []string{"float32", "bfloat16"}, []string{"sum", "max"}
	whole, blocks, ladder := []string{"8"}, []string{"4KiB"}, "64:1MiB:x16"
	if os.Getenv(acceptance) != "" {
		types, reductions = nil, nil
		for _, d := range collectives.DataTypes {
			types = append(types, d.String())
		}
		for _, r := range collectives.Reductions {
			reductions = append(reductions, r.String())
		}
		whole, blocks, ladder = []string{"8", "4KiB", "1MiB"}, []string{"64", "4KiB", "1MiB"}, "8:64MiB:x2" // 64: 8 for each rank
	}
	both, auto := []string{"ring", "nvls"}, []string{"auto"}
	for _, part := range []struct {
		collectives, algorithms, types, reductions, sizes []string
	}{
		{[]string{"all_reduce", "reduce"}, both, types, reductions, whole},
		{[]string{"reduce_scatter"}, both, types, reductions, blocks},
		{[]string{"all_gather"}, both, types, []string{"none"}, blocks},
		{[]string{"broadcast"}, both[:1], types, []string{"none"}, whole},
		{[]string{"alltoall", "gather", "scatter"}, auto, types, []string{"none"}, blocks},
		{[]string{"sendrecv"}, auto, types, []string{"none"}, whole},
		{[]string{"all_reduce"}, both, []string{"float32"}, []string{"sum"}, []string{ladder}},
	} {
		args := []string{"--collective", strings.Join(part.collectives, ","), "--algorithm", strings.Join(part.algorithms, ","),
			"--dtype", strings.Join(part.types, ","), "--bytes", strings.Join(part.sizes, ","), "--iterations", "2", "--warmup", "0"}
		if part.reductions[0] != "none" {
			args = append(args, "--op", strings.Join(part.reductions, ","))
		}
		rows, code, said := rowsOf(t, eightRanks(t, program, args))
		if code != exitOK {
			t.Fatalf("%v: exit %d\n%s", part.collectives, code, said)
		}
		found := map[string]int{}
		for _, r := range rows {
			proved(t, r)
			found[fmt.Sprint(r.Collective, r.Algorithm, r.DType, r.Op)]++
		}
		each := len(rows) / max(1, len(found)) // sizes
		if want := len(part.collectives) * len(part.algorithms) * len(part.types) * len(part.reductions); len(found) != want || each < len(part.sizes) || len(rows) != each*want {
			t.Errorf("%v: %d rows of %d kinds, want %d kinds", part.collectives, len(rows), len(found), want)
		}
	}
}

// proved: the row has run as asked, with the right results; or NVLink SHARP is asked for what it lacks.
func proved(t *testing.T, r row) {
	t.Helper()
	switch {
	case lacking(r):
		if r.Status != string(bench.Skipped) || r.Error == "" {
			t.Errorf("%+v: NVLink SHARP lacks that", r)
		}
	case r.Status != string(bench.OK), r.Algorithm != "auto" && r.Observed != r.Algorithm, r.Wrong == nil || *r.Wrong != 0, !r.Simulated:
		t.Errorf("%+v", r)
	}
}

// lacking: NVLink SHARP gathers, and it reduces integers and halves by sum, minimum and maximum, wider floats by sum.
func lacking(r row) bool {
	switch {
	case r.Algorithm != "nvls" || r.Collective == "all_gather":
		return false
	case r.Collective != "all_reduce" && r.Collective != "reduce_scatter", strings.HasSuffix(r.DType, "int8"), strings.HasPrefix(r.DType, "float8"):
		return true
	case r.DType == "float32" || r.DType == "float64":
		return r.Op != "sum"
	}
	return r.Op != "sum" && r.Op != "min" && r.Op != "max"
}

// eightRanks is a measurement between eight ranks on the stand-ins, under mpirun, or without it.
func eightRanks(t *testing.T, program string, args []string) *exec.Cmd {
	t.Helper()
	args = slices.Concat([]string{"run"}, ncclArguments, args, []string{"--out", filepath.Join(t.TempDir(), "run")})
	cmd := exec.Command(program, append(args, "-n", "8")...)
	launcher := mpiruns[0].command
	if path, err := exec.LookPath(launcher[0]); err == nil {
		cmd = exec.Command(path, slices.Concat(launcher[1:], []string{"-n", "8", program}, args)...)
	}
	cmd.Env = softgputest.Environment(softgputest.Libraries(t), "", "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
	return cmd
}
