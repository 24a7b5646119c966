package nccl

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/cgo/nccl"
	"collbench/collectives"
)

// over is the backend with a library of the version; no library is opened.
func over(v nccl.Version) Backend {
	return Backend{func() (nccl.Version, error) { return v, nil }}
}

func test(c collectives.Collective, algorithm string, change ...func(*bench.Case)) bench.Case {
	k := bench.Case{
		What:  bench.What{Collective: c, Algorithm: algorithm, Bytes: 1 << 20},
		How:   bench.How{Backend: "nccl", Transport: bench.TransportLibrary, Buffers: private, Timing: bench.TimingBarrier},
		Where: bench.Where{Ranks: 8, Hosts: 1, Domain: 8},
	}
	for _, f := range change {
		f(&k)
	}
	return k
}

func hosts(n int) func(*bench.Case) { return func(c *bench.Case) { c.Where.Hosts = n } }
func ranks(n int) func(*bench.Case) { return func(c *bench.Case) { c.Where.Ranks = n } }
func of(d collectives.DataType, r collectives.Reduction) func(*bench.Case) {
	return func(c *bench.Case) { c.What.DataType, c.What.Reduction = d, r }
}
func variantOf(text string) func(*bench.Case) { return func(c *bench.Case) { c.How.Variant = text } }
func known(c *bench.Case)                     { c.How.Buffers = registered }
func between(c *bench.Case)                   { c.What.Operation, c.Where.To = "latency", 7 }
func inPlace(c *bench.Case)                   { c.What.InPlace = true }
func batch(c *bench.Case)                     { c.How.Timing = bench.TimingBatch }

func TestSupports(t *testing.T) {
	for _, k := range []struct {
		version nccl.Version
		test    bench.Case
		refused string // a part of the reason; "": none
	}{
		{23007, test(collectives.AllReduce, "ring"), ""},
		{23007, test(collectives.AllReduce, bench.Auto, hosts(4)), ""},
		{23007, test(collectives.AllToAll, bench.Auto), ""},
		{23007, test(collectives.AllToAll, "ring"), "sends and receives"},
		{23007, test(collectives.AllReduce, "bruck"), "want auto, ring, tree, nvls, nvlstree, sharp, collnetdirect, collnetchain, nvls+sharp, symmetric"},
		{23007, test(collectives.Broadcast, "nvls"), "want auto, ring"},
		{23007, test(collectives.AllReduce, "nvls", hosts(2)), "across 2 hosts"},
		{23007, test(collectives.AllReduce, "nvls+sharp"), "two hosts at least"},
		{23007, test(collectives.AllReduce, "nvls+sharp", hosts(2)), ""},
		{23007, test(collectives.AllReduce, "nvlstree"), "two hosts at least"},
		{23007, test(collectives.AllReduce, "sharp"), "two hosts at least"},
		{23007, test(collectives.AllReduce, "sharp", hosts(2), of(collectives.Float32, collectives.Prod)), "SHARP has no prod"},
		{23007, test(collectives.AllReduce, "sharp", hosts(2), of(collectives.Float32, collectives.Max)), ""},
		{23007, test(collectives.AllReduce, "nvls", of(collectives.Float32, collectives.Max)), "no max of float32"},
		{23007, test(collectives.AllReduce, "nvls", of(collectives.BFloat16, collectives.Max)), ""},
		{23007, test(collectives.AllReduce, "nvls", of(collectives.Int8, collectives.Sum)), "does not reduce int8"},
		{23007, test(collectives.AllGather, "nvls", of(collectives.Int8, collectives.Sum)), ""},
		{22203, test(collectives.AllGather, "pat"), "came with NCCL 2.23; this is 2.22.3"},
		{22304, test(collectives.AllGather, "pat"), ""},
		{21803, test(collectives.AllGather, "nvls"), "came with NCCL 2.19"},
		{23007, test(collectives.AllReduce, "ring", variantOf("proto=ll;graph")), ""},
		{23007, test(collectives.AllReduce, "ring", variantOf("proto=ll;proto=simple")), "two protocols"},
		{23007, test(collectives.AllReduce, "nvls", variantOf("proto=ll")), "Simple alone"},
		{23007, test(collectives.AllReduce, "ring", variantOf("fast")), `no variant "fast"`},
		{22604, test(collectives.AllReduce, bench.Auto, variantOf("windows")), "came with NCCL 2.27"},
		{23007, test(collectives.AllToAll, bench.Auto, inPlace), "in place"},
		{23007, test(collectives.AllReduce, bench.Auto, inPlace, batch), "back to back"},
		{23007, test(collectives.AllReduce, bench.Auto, ranks(6), of(collectives.Float32, collectives.Avg)), ""},
		{23007, test(collectives.AllReduce, bench.Auto, of(collectives.Float32, collectives.Avg)), ""},
		{23007, test(collectives.AllReduce, bench.Auto, ranks(6), of(collectives.Int32, collectives.Avg)), ""},
		{23007, test(collectives.AllReduce, bench.Auto, of(collectives.Float8E5M2, collectives.Sum)), ""},
		{22304, test(collectives.AllGather, bench.Auto, of(collectives.Float8E4M3, collectives.Sum)), "float8e4m3 came with NCCL 2.24; this is 2.23.4"},
		{23007, test(collectives.AllReduce, "nvls", of(collectives.Uint64, collectives.Max)), ""},
		{23007, test(collectives.AllReduce, "nvls", of(collectives.Float32, collectives.PreMulSum)), "no premulsum of float32"},
		{23007, test(collectives.AllReduce, "sharp", hosts(2), of(collectives.Float32, collectives.PreMulSum)), "SHARP has no premulsum"},
		{23007, test(collectives.AllReduce, "symmetric"), ""},
		{22604, test(collectives.AllReduce, "symmetric"), "all_reduce by symmetric came with NCCL 2.27; this is 2.26.4"},
		{23007, test(collectives.AllReduce, "symmetric", of(collectives.Float32, collectives.Max)), "no max of float32"},
		{23007, test(collectives.AllReduce, "symmetric", of(collectives.Float64, collectives.Sum)), "no sum of float64"},
		{23007, test(collectives.AllGather, "symmetric", of(collectives.Int64, collectives.Sum)), ""},
		{23007, test(collectives.AllReduce, "symmetric", variantOf("proto=simple")), "no protocol to choose"},
		{23007, test(collectives.AllReduce, "symmetric", variantOf("memory=nccl")), "anyway"},
		{23007, test(collectives.AllReduce, "symmetric", known), "known to NCCL already"},
		{23007, test(collectives.AllReduce, "ring", known), ""},
		{21803, test(collectives.AllReduce, "ring", known), "came with NCCL 2.19"},
		{23007, test(collectives.AllReduce, "ring", known, variantOf("windows")), "known to NCCL already"},
		{23007, test(collectives.AllReduce, "ring", variantOf("memory=nccl;graph")), ""},
		{21803, test(collectives.AllReduce, "ring", variantOf("memory=nccl")), "came with NCCL 2.19"},
		{23007, test(collectives.AllReduce, "nvls", variantOf("nic=only")), "over NVLink"},
		{23007, test(collectives.AllReduce, "ring", variantOf("nic=only;gdr=off")), ""},
		{23007, test(collectives.AllToAll, bench.Auto, variantOf("proto=ll")), "sends and receives"},
		{23007, test(collectives.AllReduce, "ring", variantOf("group=8")), "want timing batch"},
		{23007, test(collectives.AllReduce, "ring", variantOf("group=8"), batch), ""},
		{23007, test(collectives.AllReduce, "ring", variantOf("group=8;graph"), batch), "one of graph and group"},
		{23007, test(collectives.AllReduce, "ring", variantOf("group=1"), batch), "2 … 1024"},
		{23007, test(collectives.AllReduce, "ring", variantOf("group=N"), batch), "2 … 1024"},
		{23007, test(0, bench.Auto, between), ""},
		{23007, test(0, bench.Auto, between, batch, variantOf("group=8")), "one message waits"},
		{23007, test(0, bench.Auto, between, variantOf("proto=ll")), "whose protocol NCCL chooses"},
		{23007, test(collectives.AllReduce, bench.Auto, func(c *bench.Case) { c.How.Transport = "tcp" }), "want library"},
		{23007, test(collectives.AllReduce, bench.Auto, func(c *bench.Case) { c.Where.Chunks = 4 }), "chunks"},
	} {
		err := over(k.version).Supports(k.test)
		if k.refused == "" && err != nil || k.refused != "" && (err == nil || !strings.Contains(err.Error(), k.refused)) {
			t.Errorf("NCCL %s, %s %+v %+v: %v, want %q", k.version, k.test, k.test.How, k.test.Where, err, k.refused)
		}
	}
	b := Backend{func() (nccl.Version, error) { return 0, missing{errors.New("libnccl.so.2: no such file")} }}
	if err := b.Supports(test(collectives.AllReduce, "ring")); !errors.Is(err, bench.ErrUnavailable) || err.Error() != "libnccl.so.2: no such file" {
		t.Error(err)
	}
}

func TestEnvironment(t *testing.T) {
	modern := []string{"NCCL_PROFILER_PLUGIN=STATIC_PLUGIN", "NCCL_DEBUG=INFO", "NCCL_DEBUG_SUBSYS=INIT"}
	for _, k := range []struct {
		version nccl.Version
		test    bench.Case
		want    []string
	}{
		{23007, test(collectives.AllReduce, bench.Auto), modern},
		{23007, test(collectives.Broadcast, bench.Auto), append(slices.Clone(modern), "NCCL_ALLGATHERV_ENABLE=0")},
		{22809, test(collectives.Broadcast, bench.Auto), modern},
		{22403, test(collectives.ReduceScatter, "pat"), append(slices.Clone(modern), "NCCL_ALGO=reducescatter:PAT")},
		{22304, test(collectives.AllReduce, "tree"), append(slices.Clone(modern), "NCCL_ALGO=Tree")},
		{22005, test(collectives.AllReduce, "nvls", variantOf("gdr=off")), []string{"NCCL_DEBUG=INFO", "NCCL_DEBUG_SUBSYS=INIT,TUNING", "NCCL_ALGO=NVLS", "NCCL_NET_GDR_LEVEL=LOC"}},
		{23007, test(collectives.AllReduce, "sharp", hosts(2), variantOf("proto=simple")), append(slices.Clone(modern),
			"NCCL_ALGO=allreduce:CollnetDirect,CollnetChain", "NCCL_COLLNET_ENABLE=1", "NCCL_COLLNET_NODE_THRESHOLD=2", "NCCL_PROTO=Simple")},
		{23007, test(collectives.AllReduce, "symmetric"), append(slices.Clone(modern), "NCCL_WIN_ENABLE=1")},
	} {
		got, err := over(k.version).Environment(k.test)
		if err != nil || !slices.Equal(got, k.want) {
			t.Errorf("NCCL %s, %s: %q, %v, want %q", k.version, k.test, got, err, k.want)
		}
	}
}

func TestAlgorithms(t *testing.T) {
	if got := over(23007).Algorithms(collectives.AllGather); !slices.Equal(got, []string{"ring", "nvls", "pat", "sharp", "collnetdirect", "symmetric"}) {
		t.Error(got)
	}
	if got := over(23007).Algorithms(collectives.Gather); got != nil {
		t.Error(got)
	}
}

// TestContrary: what NCCL does although a variant has asked it not to.
func TestContrary(t *testing.T) {
	const network = "vm1:17:42 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[1] [send] via NET/IB/0/GDRDMA\n"
	const peer = "vm1:17:42 [0] NCCL INFO Channel 03/1 : 0[0] -> 1[1] via P2P/IPC/read\n"
	const memory = "vm1:17:42 [0] NCCL INFO Channel 03 : 0[0] -> 1[1] via SHM/direct/direct\n"
	const plain = "vm1:17:42 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[1] [send] via NET/IB/0/Shared\n"
	for _, k := range []struct {
		variant string
		records []nccl.Record
		log     string
		want    string // a part of the error; "": none
	}{
		{"", []nccl.Record{run("RING", 1)}, network + peer + log220, ""},
		{"proto=simple", []nccl.Record{run("RING", 1)}, log220, ""},
		{"proto=ll", []nccl.Record{run("RING", 1)}, "", "asked for protocol LL, but SIMPLE ran (profiler)"},
		{"proto=ll", nil, log220, "asked for protocol LL, but SIMPLE ran (debug log)"},
		{"gdr=off", nil, plain + peer, ""},
		{"gdr=off", nil, plain + network, "via NET/IB/0/GDRDMA"},
		{"nic=only;graph", nil, network, ""},
		{"nic=only", nil, plain + peer, "via P2P/IPC/read"},
		{"nic=only", nil, memory, "via SHM/direct/direct"},
	} {
		c := test(collectives.AllReduce, "ring", variantOf(k.variant))
		v, err := settle(c, 23007)
		if err != nil {
			t.Fatal(err)
		}
		err = v.contrary(c, 1<<18, k.records, k.log)
		if k.want == "" && err != nil || k.want != "" && (err == nil || !strings.Contains(err.Error(), k.want)) {
			t.Errorf("%s: %v, want %q", k.variant, err, k.want)
		}
	}
}
