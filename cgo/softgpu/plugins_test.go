package softgpu

import (
	"regexp"
	"strings"
	"testing"
)

const static = "NCCL_PROFILER_PLUGIN=STATIC_PLUGIN"

// The calls of a profiler that wants collectives, by the version of its interface: an all-reduce, a broadcast, and a
// send and receive. Before 2.28 nothing is said of the calls themselves.
const (
	apiStart = "start group-api in -\nrecord group-api 23\n"
	tasks    = "start group in -\nstart coll %s\nstop coll\nstop group\n"
	noTask   = "start group in -\nstop group\n"
)

func trace(prologue, reduce, broadcast string, api bool) string {
	task := func(what string) string { return strings.Replace(tasks, "%s", what, 1) }
	var s strings.Builder
	s.WriteString(prologue + "\n")
	call := func(name, count, events string) {
		if api {
			s.WriteString(apiStart + "start coll-api " + name + " " + count + " ncclFloat32 in group-api\nstop coll-api\nrecord group-api 24\n" + events + "stop group-api\n")
		} else {
			s.WriteString(events)
		}
	}
	call("AllReduce", "1024", task(reduce))
	s.WriteString("-- all_reduce\n")
	if broadcast == "" {
		call("Broadcast", "1024", "")
	} else {
		call("Broadcast", "1024", task(broadcast))
	}
	s.WriteString("-- broadcast\n")
	if api {
		s.WriteString(apiStart + "record group-api 24\n" + noTask + "stop group-api\n")
	} else {
		s.WriteString(noTask)
	}
	s.WriteString("-- send and receive\nfinalize")
	return s.String()
}

// TestProfiler holds the order, the parents and the contents of the events of each release against what NCCL's source
// says: src/plugin/profiler.cc and its callers, src/misc/profiler.cc before 2.27. The program has every version of the
// interface, of which a release takes the newest that it knows.
func TestProfiler(t *testing.T) {
	for release, want := range map[string]string{
		"2.18": "-- all_reduce\n-- broadcast\n-- send and receive", // no profiler yet
		"2.22": "-- all_reduce\n-- broadcast\n-- send and receive",
		"2.23": trace("init", "func 4 algo 1 proto 0 1024 in group", "func 0 algo 1 proto 0 4096 in group", false),
		"2.24": trace("init", "AllReduce RING LL 1024 ncclFloat32 in group", "Broadcast RING LL 4096 ncclInt8 in group", false),
		"2.26": trace("init", "AllReduce RING LL 1024 ncclFloat32 in group", "Broadcast RING LL 4096 ncclInt8 in group", false),
		"2.27": trace("init 1 2 0", "AllReduce RING LL 1024 ncclFloat32 in group", "Broadcast RING LL 4096 ncclInt8 in group", false),
		"2.28": trace("init 1 2 0", "AllReduce RING LL 1024 ncclFloat32 in coll-api of group", "Broadcast RING LL 4096 ncclInt8 in coll-api of group", true),
		"2.29": trace("init 1 2 0", "AllReduce RING LL 1024 ncclFloat32 in coll-api of group", "", true),
		"2.30": trace("init 1 2 0", "AllReduce RING LL 1024 ncclFloat32 in coll-api of group", "", true),
	} {
		t.Run(release, func(t *testing.T) {
			if output, err := run(t, "trace.cpp", release, []string{static, "NCCL_ALGO=Ring", "NCCL_PROTO=LL"}); err != nil || output != want {
				t.Errorf("%v: got\n%s\nwant\n%s", err, output, want)
			}
		})
	}
}

// TestProfilerMasks: events of messages, of the channels of kernels, and of launches.
func TestProfilerMasks(t *testing.T) {
	for _, c := range []struct {
		release, mask string
		want          []string // expressions that the trace matches
	}{
		{"2.24", "4", []string{`start p2p Send peer 1 in group\nstart p2p Recv peer 1 in group\nstop p2p\nstop p2p\nstop group\n-- send`}},
		{"2.28", "1028", []string{`start p2p-api Send in group-api\nstop p2p-api\n`, `start p2p Send in p2p-api of group\n`}},
		{"2.26", "66", []string{`start kernel in coll\nstop kernel\n-- all_reduce`}},
		{"2.27", "66", []string{`start kernel in coll\nrecord kernel 22\nstop kernel\n-- all_reduce`}},
		{"2.30", "2050", []string{`record group-api 24\nstart launch in group-api\nstart group`, `stop launch\nstop group-api`}},
	} {
		output, err := run(t, "trace.cpp", c.release, []string{static, "TRACE_MASK=" + c.mask, "NCCL_ALGO=Ring"})
		for _, want := range c.want {
			if err != nil || !regexp.MustCompile(want).MatchString(output) {
				t.Errorf("%s, mask %s: %v: no %q in\n%s", c.release, c.mask, err, want, output)
			}
		}
	}
}

// TestTuner: every interface is called with its own parameters, and the tree that it asks for is what runs.
func TestTuner(t *testing.T) {
	for release, want := range map[string]string{
		"2.18": "",
		"2.19": "tuner 1 2 1|tune 4096|tune 4096|tuner end",
		"2.21": "tuner 2|tune 4096|tune 4096|tuner end",
		"2.22": "tuner 2|tune 4096 of 6x3|tune 4096 of 6x3|tuner end",
		"2.23": "tuner 2|tune 4096 of 7x3|tune 4096 of 7x3|tuner end",
		"2.27": "tuner 2|tune 4096 of 7x3|tune 4096 of 7x3|tuner end",
		"2.28": "tuner 2|tune 4096 of 7x3|tune 4096 of 7x3|tuner end",
		"2.30": "tuner 2|tune 4096 of 7x3|chunk|tune 4096 of 7x3|chunk|tuner end",
	} {
		output, err := run(t, "trace.cpp", release, []string{static, "NCCL_TUNER_PLUGIN=STATIC_PLUGIN"})
		var calls []string
		for line := range strings.Lines(output) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "tune") || strings.HasPrefix(line, "chunk") {
				calls = append(calls, line)
			}
		}
		if got := strings.Join(calls, "|"); err != nil || got != want {
			t.Errorf("%s: %v: %s; want %s", release, err, got, want)
		}
		if release >= "2.24" && !strings.Contains(output, "AllReduce TREE SIMPLE") {
			t.Errorf("%s: the tuner's tree did not run:\n%s", release, output)
		}
	}
}

// TestChoice: what a release makes of settings, seen by the profiler, by the log, or by its error.
func TestChoice(t *testing.T) {
	const info = "NCCL_DEBUG=INFO"
	const tuning = "NCCL_DEBUG_SUBSYS=INIT,TUNING"
	nodes := []string{"SOFTGPU_RANKS_PER_NODE=1", "NCCL_COLLNET_ENABLE=1"}
	for _, c := range []struct {
		name, release string
		settings      []string
		want          string // an expression
	}{
		{"tree", "2.30", []string{"NCCL_ALGO=Tree;broadcast:ring;reduce:ring;allgather:ring;reducescatter:ring"}, `AllReduce TREE `},
		{"of one function", "2.30", []string{"NCCL_ALGO=ring;allreduce:nvls,tree", "NCCL_PROTO=Simple"}, `AllReduce (NVLS|TREE) SIMPLE`},
		{"excluded", "2.30", []string{"NCCL_ALGO=^ring,tree;broadcast:ring"}, `AllReduce NVLS SIMPLE`},
		{"no ring in the gap", "2.30", []string{"NCCL_ALGO=NVLSTree"}, `answers 5: No algorithm/protocol available for function AllReduce with datatype ncclFloat32. NCCL_ALGO was set to NVLSTree`},
		{"ring in the gap", "2.23", []string{"NCCL_ALGO=NVLSTree"}, `func 4 algo 1 `},
		{"unknown word", "2.24", []string{"NCCL_ALGO=rnig"}, `answers 5: Unrecognized element token "rnig" when parsing "rnig"`},
		{"unknown word, ring in the gap", "2.23", []string{"NCCL_ALGO=rnig"}, `func 4 algo 1 `},
		{"no second list without a name", "2.24", []string{"NCCL_ALGO=ring;tree"}, `All entries except the first must have a prefix`},
		{"no NVLS without multicast", "2.30", []string{"NCCL_ALGO=NVLS", "NCCL_NVLS_ENABLE=0"}, `answers 5: No algorithm`},
		{"no NVLS on Ampere", "2.30", []string{"NCCL_ALGO=NVLS", "SOFTGPU_CAPABILITY=80"}, `answers 5: No algorithm`},
		{"collnet", "2.30", append(nodes, "NCCL_ALGO=CollNetDirect,Ring;allreduce:CollNetDirect"), `AllReduce COLLNET_DIRECT SIMPLE`},
		{"collnet in the log", "2.30", append(nodes, info), `NCCL INFO SHARP rank 0/2 initialized on \S+ \[softgpu stand-in\]\n(.*\n)*.*NCCL INFO rank 0 Connected CollNet \[softgpu stand-in\]`},
		{"no network that reduces", "2.30", append(nodes, "SOFTGPU_SHARP=0", "NCCL_DEBUG=WARN"), `NCCL WARN Cannot initialize CollNet, using point-to-point network instead \[softgpu stand-in\]`},
		{"silently ring", "2.30", []string{"NCCL_ALGO=allreduce:Tree", "SOFTGPU_FAULT=algorithm:op=allreduce"}, `AllReduce RING SIMPLE`},
		{"silently another", "2.30", []string{"NCCL_ALGO=allreduce:Ring", "SOFTGPU_FAULT=algorithm:op=allreduce,to=NVLS"}, `AllReduce NVLS SIMPLE`},
		{"symmetric", "2.30", []string{"TRACE_SYMMETRIC=1", info, tuning}, `AllReduce \[Symmetric\]: 4096 Bytes -> Kernel \S+ nchannels \d+ nthreads 512 nWorks 1 \[softgpu`},
		{"symmetric has no event", "2.30", []string{"TRACE_SYMMETRIC=1"}, `stop coll-api\nrecord group-api 24\nstop group-api\n-- all_reduce`},
		{"no windows", "2.30", []string{"TRACE_SYMMETRIC=1", "NCCL_WIN_ENABLE=0"}, `no window\n(.*\n)*start coll AllReduce`},
		{"log of 2.30", "2.30", []string{"NCCL_ALGO=Ring", "NCCL_PROTO=LL", info, tuning}, `AllReduce: 4096 Bytes -> Algo RING proto LL channel\{Lo\.\.Hi\}=\{0\.\.0\} \[softgpu`},
		{"log of 2.23", "2.23", []string{"NCCL_ALGO=Ring", "NCCL_PROTO=LL", info, tuning}, `AllReduce: 4096 Bytes -> Algo 1 proto 0 time \d+\.\d{6} \[softgpu`},
		{"log of 2.20", "2.20", []string{"NCCL_ALGO=Ring", "NCCL_PROTO=LL", info, tuning}, `NCCL INFO 4096 Bytes -> Algo 1 proto 0 time \d+\.\d{6} \[softgpu`},
		{"version in the log", "2.21", []string{"NCCL_DEBUG=VERSION", info}, `NCCL version 2\.21\.5\+cuda13\.0 \[softgpu stand-in\]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			output, _ := run(t, "trace.cpp", c.release, append([]string{static}, c.settings...))
			if !regexp.MustCompile(c.want).MatchString(output) {
				t.Errorf("no %q in\n%s", c.want, output)
			}
		})
	}
}

// TestQuiet: 2.18 and 2.19 say nothing of the algorithm.
func TestQuiet(t *testing.T) {
	output, err := run(t, "trace.cpp", "2.18", []string{"NCCL_DEBUG=INFO", "NCCL_DEBUG_SUBSYS=ALL"})
	if err != nil || strings.Contains(output, "Algo") || !strings.Contains(output, "Init COMPLETE") {
		t.Errorf("%v: %s", err, output)
	}
}
