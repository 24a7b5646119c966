package softgpu

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"collbench/cgo/softgpu/softgputest"
)

// TestFaults has the ranks of testdata/faults.c say what they saw of each fault.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name, release string
		settings      []string
		want          []string // lines, in any order; of windows only where they matter
	}{
		{"none", "2.26", nil, []string{"rank 0: done", "rank 1: done"}},
		{"launched at once", "2.22", []string{"SAY_BACKGROUND=1"}, []string{"rank 0: at once", "rank 1: at once", "rank 0: done", "rank 1: done"}},
		{"launched in the background", "2.23", []string{"SAY_BACKGROUND=1"},
			[]string{"rank 0: in the background", "rank 1: in the background", "rank 0: done", "rank 1: done"}},
		{"wrong element", "2.26", []string{"SOFTGPU_FAULT=wrong:rank=1,op=allreduce,iteration=2"},
			[]string{"rank 1: iteration 2 wrong 1", "rank 0: done", "rank 1: done"}},
		{"from an iteration on", "2.26", []string{"SOFTGPU_FAULT=wrong:rank=0,iteration=2+"},
			[]string{"rank 0: iteration 2 wrong 1", "rank 0: iteration 3 wrong 1", "rank 0: done", "rank 1: done"}},
		{"of another operation", "2.26", []string{"SOFTGPU_FAULT=wrong:op=broadcast"}, []string{"rank 0: done", "rank 1: done"}},
		{"hang", "2.26", []string{"SOFTGPU_FAULT=hang:rank=1,iteration=2", "WAIT_MS=1000"}, []string{"rank 0: iteration 2 hangs", "rank 1: iteration 2 hangs"}},
		{"hang in init", "2.26", []string{"SOFTGPU_FAULT=hang-init:rank=1", "WAIT_MS=500"}, []string{"rank 0: init -1: hangs", "rank 1: init -1: hangs"}},
		{"async error", "2.26", []string{"SOFTGPU_FAULT=async:rank=0,iteration=1", "WAIT_MS=1000"},
			[]string{"rank 0: iteration 1 remote process exited or there was a network error", "rank 1: iteration 1 hangs"}},
		{"slow", "2.26", []string{"SOFTGPU_FAULT=slow:rank=1,ms=60,iteration=0", "SAY_SLOW=1"},
			[]string{"rank 0: iteration 0 slow", "rank 1: iteration 0 slow", "rank 0: done", "rank 1: done"}},
		{"two faults", "2.26", []string{"SOFTGPU_FAULT=wrong:rank=0,iteration=0;slow:rank=1,ms=60,iteration=1", "SAY_SLOW=1"},
			[]string{"rank 0: iteration 0 wrong 1", "rank 0: iteration 1 slow", "rank 1: iteration 1 slow", "rank 0: done", "rank 1: done"}},
		{"null window", "2.30", []string{"SOFTGPU_FAULT=null-window:rank=1"},
			[]string{"rank 0: window yes", "rank 1: window NULL", "rank 0: done", "rank 1: done"}},
		{"no windows over nodes", "2.30", []string{"SOFTGPU_RANKS_PER_NODE=1"},
			[]string{"rank 0: window NULL", "rank 1: window NULL", "rank 0: done", "rank 1: done"}},
		{"out of memory", "2.26", []string{"SOFTGPU_FAULT=out-of-memory:device=1,bytes=60000+", "WAIT_MS=500"}, []string{"rank 1: alloc 2", "rank 0: init -1: hangs"}},
		{"old driver", "2.26", []string{"SOFTGPU_FAULT=driver"},
			[]string{"rank 0: init 1: Cuda failure 'CUDA driver version is insufficient for CUDA runtime version' [softgpu stand-in]",
				"rank 1: init 1: Cuda failure 'CUDA driver version is insufficient for CUDA runtime version' [softgpu stand-in]"}},
		{"mixed versions", "2.26", []string{"SOFTGPU_FAULT=version:rank=1,value=2.21.5"},
			[]string{"rank 0: init 5: Mismatched NCCL version detected : rank 1 version 22105 rank 0 version 22606 [softgpu stand-in]",
				"rank 1: init 5: Mismatched NCCL version detected : rank 0 version 22606 rank 1 version 22105 [softgpu stand-in]"}},
		{"one device for two", "2.18", []string{"ONE_DEVICE=1"},
			[]string{"rank 0: init 5: Duplicate GPU detected : rank 1 and rank 0 both on CUDA device 1000 [softgpu stand-in]",
				"rank 1: init 5: Duplicate GPU detected : rank 1 and rank 0 both on CUDA device 1000 [softgpu stand-in]"}},
		{"one device for two, allowed", "2.30", []string{"ONE_DEVICE=1", "NCCL_MULTI_RANK_GPU_ENABLE=1"},
			[]string{"rank 0: window yes", "rank 1: window yes", "rank 0: done", "rank 1: done"}},
		{"empty operations", "2.26", []string{"SOFTGPU_EMPTY=1"},
			[]string{"rank 0: iteration 0 wrong 1000", "rank 0: iteration 1 wrong 1000", "rank 0: iteration 2 wrong 1000", "rank 0: iteration 3 wrong 1000", "rank 0: done",
				"rank 1: iteration 0 wrong 1000", "rank 1: iteration 1 wrong 1000", "rank 1: iteration 2 wrong 1000", "rank 1: iteration 3 wrong 1000", "rank 1: done"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			output, err := run(t, "faults.c", c.release, c.settings, "2")
			if err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			got := strings.Split(output, "\n")
			got = slices.DeleteFunc(got, func(line string) bool { // on a busy machine others are slow too
				return strings.HasPrefix(line, "driver ") || strings.HasSuffix(line, " slow") && !slices.Contains(c.want, line)
			})
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestUnknownFault: a misspelt fault must not look like a run without one.
func TestUnknownFault(t *testing.T) {
	for _, fault := range []string{"wrnog:rank=1", "wrong:rank", "slow;hnag"} {
		if output, err := run(t, "faults.c", "", []string{"SOFTGPU_FAULT=" + fault}, "1"); err == nil || !strings.Contains(output, "SOFTGPU_FAULT has no fault") {
			t.Errorf("%s: %v: %s", fault, err, output)
		}
	}
}

func TestMissingSymbol(t *testing.T) {
	libraries := softgputest.Libraries(t)
	for _, c := range []struct{ library, symbol string }{{"libnccl.so.2", "ncclAllReduce"}, {"libcuda.so.1", "cuMemAlloc_v2"}} {
		folder := softgputest.Without(t, libraries, c.library, c.symbol)
		command := exec.Command(program(t, "faults.c"), "1")
		command.Env = softgputest.Environment(folder+":"+libraries, "")
		output, err := command.CombinedOutput()
		if err == nil || !strings.Contains(string(output), "undefined symbol: "+c.symbol) {
			t.Errorf("without %s: %v: %s", c.symbol, err, output)
		}
	}
}
