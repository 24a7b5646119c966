package nccl

import (
	"reflect"
	"testing"

	"collbench/bench"
	"collbench/cgo/nccl"
	"collbench/collectives"
)

// The lines are those of the versions' sources: src/enqueue.cc, src/transport.cc, src/transport/coll_net.cc.
const log220 = `vm1:17:42 [0] NCCL INFO 1048576 Bytes -> Algo 1 proto 2 time 118.500000
vm1:17:42 [0] NCCL INFO 1048576 Bytes -> Algo 1 proto 2 time 118.500000
vm1:17:42 [0] NCCL INFO 8 Bytes -> Algo 0 proto 0 time 8.500000
vm1:17:42 [0] NCCL INFO 8 Bytes -> Algo 9 proto 0 time 8.500000
`

const log223 = "vm1:17:42 [0] NCCL INFO AllReduce: 1048576 Bytes -> Algo 4 proto 2 time 60.250000\n"

const log224 = `vm1:17:40 [0] NCCL INFO rank 0 Connected CollNet
vm1:17:40 [0] NCCL INFO SHARP rank 0/2 initialized on mlx5_0:1
vm1:17:42 [0] NCCL INFO AllReduce: 1048576 Bytes -> Algo COLLNET_DIRECT proto SIMPLE channel{Lo..Hi}={0..15}
[1,0]<stdout>:vm1:17:42 [0] NCCL INFO AllGather: 4096 Bytes -> Algo PAT proto SIMPLE channel{Lo..Hi}={0..1}
vm1:17:42 [0] NCCL INFO AllReduce [Symmetric]: 4096 Bytes -> Kernel AllReduce_RSxLD_AGxST nchannels 8 nthreads 512 nWorks 1
`

const log230 = `vm1:17:40 [0] transport.cc:464 NCCL WARN Cannot initialize CollNet, using point-to-point network instead
vm1:17:40 [0] NCCL INFO NVLS multicast support is not available on dev 0 (NVLS_NCHANNELS 0)
vm1:17:42 [0] NCCL INFO AllGather [Copy Engine]: 8192 Bytes -> cudaMemcpyBatch
`

func TestDebugLog(t *testing.T) {
	for _, k := range []struct {
		text string
		want debugLog
	}{
		{"", debugLog{}},
		{"1 Bytes -> Algo\n999999999999999999999 Bytes -> Algo 1 proto 1\nAlgo RING proto LL\n", debugLog{}},
		{log220, debugLog{choices: []choice{{"", 1 << 20, "RING", "SIMPLE", ""}, {"", 8, "TREE", "LL", ""}}}},
		{log223, debugLog{choices: []choice{{"AllReduce", 1 << 20, "NVLS", "SIMPLE", ""}}}},
		{log224, debugLog{connected: true, sharp: "SHARP rank 0/2 initialized on mlx5_0:1", choices: []choice{
			{"AllReduce", 1 << 20, "COLLNET_DIRECT", "SIMPLE", ""}, {"AllGather", 4096, "PAT", "SIMPLE", ""}, {"AllReduce", 4096, "", "", "Symmetric"},
		}}},
		{log230, debugLog{disabled: "Cannot initialize CollNet, using point-to-point network instead", unavailable: true,
			choices: []choice{{"AllGather", 8192, "", "", "Copy Engine"}}}},
	} {
		if got := readDebugLog(k.text); !reflect.DeepEqual(got, k.want) {
			t.Errorf("%q:\ngot  %+v\nwant %+v", k.text, got, k.want)
		}
	}
}

func TestWays(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"vm1:17:42 [0] NCCL INFO Channel 00/0 : 0[0] -> 8[0] [send] via NET/IB/0/GDRDMA\n" +
			"vm1:17:42 [0] NCCL INFO Channel 01/0 : 8[0] -> 0[0] [receive] via NET/IB/3(PXN)/GDRDMA(PCI)/Shared\n": "NET/IB/GDRDMA",
		"vm1:17:42 [0] NCCL INFO Channel 00/0 : 0[0] -> 8[0] [send] via NET/Socket/0\nvm1:17:42 [0] NCCL INFO Channel 02/0 : 0[0] -> 1[1] via P2P/CUMEM\n": "NET/Socket",
		"NCCL INFO CollNet 00/0 : 0 [send] via COLLNET/SHARP/0/GDRDMA\nNCCL INFO Channel 00 : 0[0] -> 1[0] [send] via NET/IBext_v8/1\n" +
			"NCCL INFO rank 0 Connected CollNet\n": "COLLNET, COLLNET/SHARP/GDRDMA, NET/IBext_v8",
	} {
		if got := readDebugLog(text).ways(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzDebugLog(f *testing.F) {
	for _, s := range []string{log220, log223, log224, log230} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range readDebugLog(text).choices {
			if c.bytes < 0 || (c.algorithm == "") == (c.other == "") {
				t.Errorf("%+v", c)
			}
		}
	})
}

// run is what the profiler tells of operations of 1 MiB of float32.
func run(algorithm string, times uint64) nccl.Record {
	return nccl.Record{Event: nccl.CollectiveRun, Times: times, Function: "AllReduce", DataType: "ncclFloat32", Count: 1 << 18, Algorithm: algorithm, Protocol: "SIMPLE", Channels: 16}
}

func called(times uint64) nccl.Record {
	return nccl.Record{Event: nccl.CollectiveCall, Times: times, Function: "AllReduce", DataType: "ncclFloat32", Count: 1 << 18}
}

func TestShown(t *testing.T) {
	other := run("TREE", 7) // of another size: the barrier
	other.Count = 1
	sharpLog := readDebugLog(log224)
	for _, k := range []struct {
		name    string
		test    bench.Case
		records []nccl.Record
		windows bool
		log     debugLog
		want    bench.Evidence
	}{
		{"as asked", test(collectives.AllReduce, "ring"), []nccl.Record{run("RING", 20), other, called(20)}, false, debugLog{},
			bench.Evidence{Observed: "ring", Source: "profiler", Detail: "20 × RING SIMPLE, 16 channels"}},
		{"sharp silently ring", test(collectives.AllReduce, "sharp", hosts(2)), []nccl.Record{run("RING", 20)}, false, readDebugLog(log230),
			bench.Evidence{Observed: "ring", Source: "profiler", Detail: "20 × RING SIMPLE, 16 channels; Cannot initialize CollNet, using point-to-point network instead"}},
		{"sharp", test(collectives.AllReduce, "sharp", hosts(2)), []nccl.Record{run("COLLNET_CHAIN", 3)}, false, sharpLog,
			bench.Evidence{Observed: "sharp", Source: "profiler", Detail: "3 × COLLNET_CHAIN SIMPLE, 16 channels; CollNet connected; SHARP rank 0/2 initialized on mlx5_0:1", Via: "COLLNET"}},
		{"by its own name", test(collectives.AllReduce, "collnetchain", hosts(2)), []nccl.Record{run("COLLNET_CHAIN", 3)}, false, debugLog{},
			bench.Evidence{Observed: "collnetchain", Source: "profiler", Detail: "3 × COLLNET_CHAIN SIMPLE, 16 channels"}},
		{"nvls across hosts", test(collectives.AllReduce, bench.Auto, hosts(2)), []nccl.Record{run("NVLS", 3)}, false, debugLog{},
			bench.Evidence{Observed: "nvls+sharp", Source: "profiler", Detail: "3 × NVLS SIMPLE, 16 channels"}},
		{"two at once", test(collectives.AllReduce, "ring"), []nccl.Record{run("TREE", 3), run("RING", 2)}, false, debugLog{},
			bench.Evidence{Observed: "ring and tree", Source: "profiler", Detail: "3 × TREE SIMPLE, 16 channels; 2 × RING SIMPLE, 16 channels"}},
		{"symmetric", test(collectives.AllReduce, bench.Auto), []nccl.Record{called(5)}, true, debugLog{},
			bench.Evidence{Observed: "symmetric", Source: "profiler", Detail: "5 calls without a kernel of an algorithm"}},
		{"calls alone show nothing", test(collectives.AllReduce, "ring"), []nccl.Record{called(5)}, false, debugLog{}, bench.Evidence{}},
		{"another size shows nothing", test(collectives.AllReduce, "tree"), []nccl.Record{other}, false, debugLog{}, bench.Evidence{}},
		{"by the log", test(collectives.AllReduce, "ring"), nil, false, readDebugLog(log220),
			bench.Evidence{Observed: "ring", Source: "debug log", Detail: "1048576 bytes: RING SIMPLE"}},
		{"nothing", test(collectives.AllReduce, "ring"), nil, false, debugLog{}, bench.Evidence{}},
	} {
		if got := shown(k.test, 1<<18, k.windows, k.records, 0, k.log); got != k.want {
			t.Errorf("%s:\ngot  %+v\nwant %+v", k.name, got, k.want)
		}
	}
	// An all-gather is told of in bytes.
	gather := nccl.Record{Event: nccl.CollectiveRun, Times: 1, Function: "AllGather", DataType: "ncclInt8", Count: 4096, Algorithm: "PAT", Protocol: "SIMPLE"}
	if got := shown(test(collectives.AllGather, "pat"), 1024, false, []nccl.Record{gather}, 2, debugLog{}); got.Observed != "pat" || got.Detail != "1 × PAT SIMPLE, 0 channels; 2 operations not recorded" {
		t.Errorf("%+v", got)
	}
}

func TestWrongProtocol(t *testing.T) {
	c := test(collectives.AllReduce, "ring")
	for asked, want := range map[string]string{"": "", "SIMPLE": "", "LL": "SIMPLE"} {
		if got := wrongProtocol(asked, c, 1<<18, []nccl.Record{run("RING", 1)}); got != want {
			t.Errorf("%q: %q, want %q", asked, got, want)
		}
	}
}
