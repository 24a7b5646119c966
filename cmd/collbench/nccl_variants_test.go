package main

import (
	"strings"
	"testing"
)

// TestNCCLCases runs on stand-ins what can be asked for besides an algorithm, and sees wrong data named.
func TestNCCLCases(t *testing.T) {
	program := built(t)
	t.Run("variants", func(t *testing.T) { ncclVariants(t, program) })
	t.Run("data", func(t *testing.T) { ncclData(t, program) })
}

// ncclVariants: what a variant asks for is done, and skipped with the reason where it cannot be.
func ncclVariants(t *testing.T, program string) {
	for _, c := range []struct {
		name     string
		settings []string
		args     []string
		rows     int    // that are ok
		observed string // in each; "": any
		skipped  string // why the other rows were skipped
	}{
		{"settings", nil, []string{"-n", "4", "--algorithm", "ring", "--variant",
			"memory=nccl|graph|clock=host|proto=ll|proto=ll128|proto=simple|gdr=off|nic=only|graph;clock=host;proto=simple"}, 9, "ring", ""},
		{"batches", nil, []string{"-n", "4", "--algorithm", "tree", "--timing", "batch", "--variant", "default|group=8|graph|clock=host;group=3"}, 4, "tree", ""},
		{"symmetric kernels", nil, []string{"-n", "4", "--collective", "all_reduce,all_gather,reduce_scatter", "--algorithm", "symmetric"}, 3, "symmetric", ""},
		{"windows in place", nil, []string{"-n", "4", "--collective", "all_gather,all_reduce", "--variant", "windows", "--in-place"}, 2, "symmetric", ""},
		{"no window", []string{"SOFTGPU_FAULT=null-window"}, []string{"-n", "4", "--algorithm", "symmetric,ring"}, 1, "ring", "no symmetric window"},
		{"registered", nil, []string{"-n", "3", "--buffers", "registered", "--collective", "all_reduce,reduce_scatter,gather,scatter,alltoall"}, 5, "", ""},
		{"in place", nil, []string{"-n", "3", "--in-place", "--collective", "all_reduce,all_gather,reduce_scatter,reduce,gather,scatter"}, 6, "", ""},
		{"rooted", nil, []string{"-n", "3", "--root", "2", "--collective", "reduce,gather,scatter"}, 3, "", ""},
		{"other types", nil, []string{"-n", "3", "--op", "sum,max,avg", "--dtype", "uint32,uint64,float8e4m3,float8e5m2"}, 12, "", ""},
		{"8 bits on an older GPU", []string{"SOFTGPU_CAPABILITY=80"}, []string{"-n", "2", "--dtype", "float8e4m3,uint32"}, 1, "", "compute capability 9.0 and later"},
		{"sums of what is multiplied", nil, []string{"-n", "3", "--collective", "all_reduce,reduce,reduce_scatter", "--op", "premulsum",
			"--dtype", "float32,bfloat16,float8e5m2,int8,uint64", "--variant", "default|graph"}, 30, "", ""},
		{"averages that are not exact", nil, []string{"-n", "6", "--op", "avg", "--dtype", "float32,float64,float16,bfloat16,int32"}, 5, "", ""},
		{"pairs", nil, []string{"-n", "4", "--operation", "latency,bandwidth,bibandwidth,multi_bandwidth", "--window", "3", "--variant", "default|graph|windows"}, 12, "", ""},
		{"pairs in batches", nil, []string{"-n", "3", "--operation", "latency,bandwidth,bibandwidth", "--pair", "2,0", "--timing", "batch"}, 3, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, _, said := onStandIns(t, program, c.settings, append(c.args, "--bytes", "4KiB")...)
			good := 0
			for _, r := range rows {
				switch {
				case r.Status == "ok" && (c.observed == "" || r.Observed == c.observed) && r.Wrong != nil && *r.Wrong == 0 && r.Simulated:
					good++
				case r.Status != "skipped" || c.skipped == "" || !strings.Contains(r.Error, c.skipped):
					t.Errorf("%+v", r)
				}
			}
			if good != c.rows || c.skipped != "" && good == len(rows) {
				t.Errorf("%d of %d rows are as they should be, want %d\n%s", good, len(rows), c.rows, said)
			}
		})
	}
}

// ncclData: a wrong element is named by the kernels that check on the device, and a GPU refused that there are none for.
func ncclData(t *testing.T, program string) {
	for _, c := range []struct {
		name     string
		settings []string
		args     []string
		status   string
		want     string // in the row's error
	}{
		{"an element", []string{"SOFTGPU_FAULT=wrong:rank=1,op=reducescatter,element=77"}, []string{"-n", "2", "--collective", "reduce_scatter"}, "wrong",
			"rank 1 on HOST: iteration 0, element 589 (over all ranks): "}, // of the whole vector
		{"of a batch", []string{"SOFTGPU_FAULT=wrong:rank=1,op=allgather,element=77"}, []string{"-n", "2", "--collective", "all_gather", "--timing", "batch"}, "wrong",
			"rank 1 on HOST: batch 0, element 77 (from rank 0): "},
		{"of a message", []string{"SOFTGPU_FAULT=wrong:rank=2,op=recv,element=77"}, []string{"-n", "3", "--operation", "bandwidth", "--window", "1"}, "wrong",
			"rank 2 on HOST: iteration 0, element 77 (from rank 0): "},
		{"an old GPU", []string{"SOFTGPU_CAPABILITY=61"}, []string{"-n", "2"}, "failed", "compute capability 6.1: the kernels need 7.0 (Volta) or newer"},
		{"a new GPU with an old driver", []string{"SOFTGPU_CAPABILITY=120", "SOFTGPU_DRIVER=12040"}, []string{"-n", "2"}, "failed",
			"(compute_70.ptx, for compute capability 12.0) do not load: cuModuleLoadDataEx: the provided PTX was compiled with an unsupported toolchain."},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows, code, said := onStandIns(t, program, c.settings, append(c.args, "--bytes", "4KiB")...)
			before, after, _ := strings.Cut(c.want, "HOST")
			if len(rows) != 1 || rows[0].Status != c.status || !strings.Contains(rows[0].Error, before) || !strings.Contains(rows[0].Error, after) || code == exitOK {
				t.Errorf("exit %d: %+v, want %s\n%s", code, rows, c.want, said)
			}
		})
	}
}
