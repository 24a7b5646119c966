package formats

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// logs are published logs with what a person reads in them. COLLBENCH_LOGS names their folder.
var logs = []expectation{
	{
		file: "01_nccl_2xp5_16xH100_EFA_srun-label.log", format: "nccl-tests",
		runs: []string{"nccl-tests =all_reduce 16/rates"}, counts: []int{64},
		rows: []string{
			"8: bytes=8 count=2 float32 sum out s=6.912e-05 alg=0 bus=0 wrong=0",
			"8: bytes=8 count=2 float32 sum in s=7.243e-05 alg=0 bus=0 wrong=0",
			"20: bytes=32768 count=8192 float32 sum out s=0.0001117 alg=290000000 bus=550000000 wrong=0",
			"39: bytes=17179869184 count=4294967296 float32 sum in s=0.066109 alg=2.5987e+11 bus=4.8726e+11 wrong=0",
		},
		warnings: []string{"8: the log does not name the collective: all_reduce fits", `39: no "Out of bounds values" line`},
	}, {
		file: "03_nccl_awsbatch_8xH100_NVLS_mpi-tag.log", format: "nccl-tests",
		runs: []string{"nccl-tests =all_reduce 8/rates"}, counts: []int{64},
		rows: []string{
			"9: bytes=8 count=2 float32 sum out s=1.29e-05 alg=0 bus=0 wrong=0",
			"40: bytes=17179869184 count=4294967296 float32 sum out s=0.062239 alg=2.7603e+11 bus=4.8305e+11 wrong=0",
		},
		warnings: []string{"9: the log does not name the collective: all_reduce fits"},
	}, {
		file: "05_nccl_GB200_NVL72_1rack_72gpu.log", format: "nccl-tests",
		runs: []string{"nccl-tests =all_reduce 72/header"}, counts: []int{10},
		rows: []string{
			"11: bytes=536870912 count=134217728 float32 sum out s=0.0018067 alg=2.9716e+11 bus=5.8606e+11 wrong=0",
			"15: bytes=8589934592 count=2147483648 float32 sum in s=0.020006 alg=4.2937e+11 bus=8.4682e+11 wrong=0",
		},
		warnings: []string{"6: the header lists ranks 71 only: 72 ranks", "11: the log does not name the collective: all_reduce fits"},
	}, {
		file: "08_nccl2.17.1_8xGH200_Slingshot_good.log", format: "nccl-tests",
		runs: []string{"nccl-tests 2.17.1 all_reduce_perf=all_reduce 8/header on 2"}, counts: []int{50},
		rows: []string{
			"23: bytes=8 count=2 float32 sum out s=1.793e-05 alg=0 bus=0 wrong=0",
			"39: bytes=524288 count=131072 float32 sum in s=0.0003496 alg=1.5e+09 bus=2.62e+09 wrong=0",
			"47: bytes=134217728 count=33554432 float32 sum in s=0.0019078 alg=7.035e+10 bus=1.2311e+11 wrong=0",
		},
	}, {
		file: "10_nccl2.18.2_2xGH200_2node_sarus.log", format: "nccl-tests",
		runs: []string{"nccl-tests 2.18.2 [NCCL 2.30.7] all_reduce_perf=all_reduce 2/header on 2"}, counts: []int{16},
		rows: []string{
			"18: bytes=1048576 count=262144 float32 sum out s=0.00033961 alg=3.09e+09 bus=3.09e+09 wrong=0",
			"25: bytes=134217728 count=33554432 float32 sum in s=0.00586743 alg=2.288e+10 bus=2.288e+10 wrong=0",
		},
	}, {
		file: "12_nccl_GKE_mpioperator_2gpu_openmpi-warnings.log", format: "nccl-tests",
		runs: []string{"nccl-tests all_reduce_perf=all_reduce 2/header on 2"}, counts: []int{48},
		rows: []string{
			"46: bytes=1024 count=256 float32 sum out s=3.559e-05 alg=30000000 bus=30000000 wrong=0",
			"69: bytes=8589934592 count=2147483648 float32 sum in s=0.269407 alg=3.188e+10 bus=3.188e+10 wrong=0",
		},
	}, {
		file: "16_rccl_16xMI300X_2node_CX7_oldranklines.log", format: "rccl-tests",
		runs:   []string{"rccl-tests develop:448c4c7 [RCCL 2.22.3-HEAD:7d8d67c] all_reduce_perf=all_reduce 16/header on 2"},
		counts: []int{64},
		rows: []string{
			"59: bytes=8 count=2 float32 sum out s=0.0002565 alg=0 bus=0 wrong=0",
			"90: bytes=17179869184 count=4294967296 float32 sum in s=0.090127 alg=1.9062e+11 bus=3.5741e+11 wrong=0",
		},
		warnings: []string{`29: "<snip>": lines were left out`},
	}, {
		file: "19_nccl_2x2080Ti_PCIe3_multi-collective_zh.log", format: "nccl-tests",
		runs: []string{
			"nccl-tests all_reduce_perf=all_reduce 2/header on 1", "nccl-tests all_gather_perf=all_gather 2/header on 1",
			"nccl-tests broadcast_perf=broadcast 2/header on 1", "nccl-tests reduce_perf=reduce 2/header on 1",
			"nccl-tests reduce_perf=reduce 1/header on 1", "nccl-tests alltoall_perf=alltoall 2/header on 1",
		},
		counts: []int{56, 56, 56, 56, 56, 56},
		rows: []string{
			"43: bytes=1073741824 count=268435456 float32 sum in s=0.268461 alg=4e+09 bus=4e+09 wrong=0",
			"58: bytes=0 count=0 float32 out s=3.3e-07 alg=0 bus=0 wrong=0",
			"85: bytes=1073741824 count=134217728 float32 out s=0.141614 alg=7.58e+09 bus=3.79e+09 wrong=0",
			"127: bytes=1073741824 count=268435456 float32 root=0 in s=0.096803 alg=1.109e+10 bus=1.109e+10 wrong=0",
			"170: bytes=1073741824 count=268435456 float32 sum root=0 out s=0.096427 alg=1.114e+10 bus=1.114e+10 wrong=0",
			"211: bytes=1073741824 count=268435456 float32 sum root=0 in s=1.9e-07 alg=5.70683935e+15 bus=5.70683935e+15 wrong=0",
			"227: bytes=0 count=0 float32 in s=1.286e-05 alg=0 bus=0",
			"254: bytes=1073741824 count=134217728 float32 out s=0.116573 alg=9.21e+09 bus=4.61e+09 wrong=0",
			"254: bytes=1073741824 count=134217728 float32 in s=0.113591 alg=9.45e+09 bus=4.73e+09",
		},
	}, {
		file: "20_nccl2.17.9_OCI_16xA100_2node_newlayout.log", format: "nccl-tests",
		runs: []string{"nccl-tests 2.17.9 [NCCL 2.29.3+cuda13.1] all_reduce_perf=all_reduce 16/header"}, counts: []int{8},
		rows: []string{
			"25: bytes=1073741824 count=268435456 float32 sum out s=0.0108874 alg=9.862e+10 bus=1.8492e+11 wrong=0",
			"28: bytes=8589934592 count=2147483648 float32 sum in s=0.0849923 alg=1.0107e+11 bus=1.895e+11 wrong=0",
		},
		warnings: []string{"19: the header lists ranks 0, 7, 8, 15 only: 16 ranks"},
	}, {
		file: "22_nccl_AKS_2x8A100_HDR_NA-wrong.log", format: "nccl-tests",
		runs: []string{"nccl-tests =all_reduce 16/rates"}, counts: []int{32},
		rows: []string{
			"10: bytes=8 count=2 float32 sum out s=9.909e-05 alg=0 bus=0",
			"25: bytes=8589934592 count=2147483648 float32 sum in s=0.086106 alg=9.976e+10 bus=1.8705e+11",
		},
		warnings: []string{`6: "...": lines were left out`, "10: the log does not name the collective", `28: "...": lines were left out`},
	}, {
		file: "24_nccl_old2.10_8xA100-40G_allreduce.log", format: "nccl-tests",
		runs: []string{"nccl-tests =all_reduce 8/header on 1"}, counts: []int{68},
		rows: []string{
			"22: bytes=0 count=0 float32 sum out s=3.52e-05 alg=0 bus=0",
			"55: bytes=8589934592 count=2147483648 float32 sum in s=0.063959 alg=1.343e+11 bus=2.3503e+11",
		},
		warnings: []string{"22: the log does not name the collective: all_reduce fits"},
	}, {
		file: "24_nccl_old2.10_8xA100-40G_reducescatter.log", format: "nccl-tests",
		runs: []string{"nccl-tests =reduce_scatter 8/header on 1"}, counts: []int{68},
		rows: []string{
			"27: bytes=32 count=1 float32 sum out s=3.506e-05 alg=0 bus=0",
			"55: bytes=8589934592 count=268435456 float32 sum in s=0.032502 alg=2.6429e+11 bus=2.3125e+11",
		},
		warnings: []string{"22: the log does not name the collective: reduce_scatter fits"},
	}, {
		file: "30_osu_bw_cscs_mpich_1.log", format: "osu",
		runs: []string{"osu 7.5 osu_bw= 2/test"}, counts: []int{23},
		rows: []string{
			"9: (H H) bytes=1 int8 alg=1190000", "13: (H H) bytes=16 int8 alg=8710000", "31: (H H) bytes=4194304 int8 alg=2.390616e+10",
		},
	}, {
		file: "31_osu_cscs_openmpi_1.log", format: "osu",
		runs: []string{"osu 7.5 osu_bw= 2/test"}, counts: []int{23},
		rows: []string{"8: bytes=1 int8 alg=950000 wrong=0", "30: bytes=4194304 int8 alg=2.398218e+10 wrong=0"},
	}, {
		file: "31_osu_cscs_openmpi_11.log", format: "osu",
		runs: []string{"osu 7.5 osu_iallreduce=all_reduce 4/command"}, counts: []int{1},
		rows: []string{`12: failed (non-blocking) int32 "[nid006549:31808] Signal: Segmentation fault (11)"`},
	}, {
		file: "33_ib_write_bw_gke_h200_roce_1.log", format: "perftest",
		runs: []string{"perftest ib_write_bw= 2/test"}, counts: []int{17},
		rows: []string{ // Gbit/s
			"30: mlx5_3→ bytes=2 alg=6106375 peak=6373250 rate=3053158",
			"45: mlx5_3→ bytes=65536 alg=4.767625e+10 peak=4.76875e+10 rate=727473",
			`46: failed mlx5_3→ "Completion with error at client Failed status 10: wr_id 0 syndrom 0x88 scnt=128, ccnt=0 Failed to complete run_iter_bw function successfully"`,
		},
	}, {
		file: "35_nvbandwidth_v0.6_GH200.log", format: "nvbandwidth",
		runs: []string{"nvbandwidth 0.6"}, counts: []int{21},
		rows: []string{
			"16: host_to_device_memcpy_ce CPU 0→GPU 0 alg=3.6936e+11", "17: host_to_device_memcpy_ce CPU 1→GPU 2 alg=3.1211e+11", "24: device_to_host_memcpy_ce GPU 1→CPU 0 alg=3.1211e+11",
			"31: host_to_device_bidirectional_memcpy_ce CPU 0→GPU 0 (bidirectional) alg=1.7692e+11", "120: host_to_all_bidirectional_memcpy_sm CPU 0→GPU 0 (bidirectional) alg=2.4756e+11",
			"131: host_device_latency_sm CPU 0→GPU 0 (bidirectional) s=7.7258e-07",
		},
		warnings: []string{"42: 17 tests were waived"},
	}, {
		file: "36_ib_write_bw_loopback_interleaved.log", format: "perftest",
		runs: []string{"perftest ib_write_bw= 2/test"}, counts: []int{23},
		rows: []string{ // MB of 2^20 bytes
			"44: ib0→ bytes=2 alg=5557452.8 peak=5578424.32 rate=2778732",
			"66: ib0→ bytes=8388608 alg=2.43696193e+10 peak=2.43696193e+10 rate=2905",
		},
		warnings: []string{"68: this row repeats line 66"},
	}, {
		file: "44_FAIL_openmpi_not_enough_slots.log", format: "nccl-tests",
		runs: []string{"nccl-tests all_reduce_perf=all_reduce"}, counts: []int{1},
		rows: []string{`8: failed "There are not enough slots available in the system to satisfy the 16 slots that were requested by the application"`},
	}, {
		file: "45_nccl_DGX-H100_8gpu_NVLS_480GBs.log", format: "nccl-tests",
		runs: []string{"nccl-tests =all_reduce 8/header on 1"}, counts: []int{64},
		rows: []string{
			"23: bytes=32 count=8 float32 sum out s=6.814e-05 alg=0 bus=0 wrong=0",
			"52: bytes=17179869184 count=4294967296 float32 sum in s=0.062636 alg=2.7428e+11 bus=4.7999e+11 wrong=0",
		},
		warnings: []string{"21: the log does not name the collective: all_reduce fits"},
	}, {
		file: "51_FAIL_nccl-tests_issue219_4xA6000_internal_error.log", format: "nccl-tests",
		runs: []string{"nccl-tests = 4/header on 2"}, counts: []int{1},
		rows: []string{`13: failed "fengyun: Test NCCL failure common.cu:959 'internal error - please report this issue to the NCCL developers / '"`},
	}, {
		file: "56_ucx_perftest_tag_bw.log", format: "ucx_perftest",
		runs: []string{"ucx_perftest tag_bw= 2/test"}, counts: []int{1},
		rows: []string{"12: s=0.001671351 p50=2.4e-07 alg=4.90142381e+10 rate=598"},
	}, {
		file: "58_nvshmem_perftest_EFA.log", format: "nvshmem",
		runs: []string{"nvshmem = 32/rates"}, counts: []int{14},
		rows: []string{
			"6: (block) bytes=128 count=32 32-bit s=0.000225921094 alg=1000000 bus=1000000",
			"19: (block) bytes=1048576 count=262144 32-bit s=0.000248655841 alg=4.217e+09 bus=4.085e+09",
		},
		warnings: []string{"6: the log does not say which collective", `20: a row cut after 4 of 7 columns: "2097152 524288 32-bit block"`},
	}, {
		file: "60_nccl-tests2.20_2xGB10_DGXSpark_excerpt.log", format: "nccl-tests",
		runs: []string{"nccl-tests 2.20.0 [NCCL 2.31.2] all_reduce_perf=all_reduce 2/header on 2"}, counts: []int{8},
		rows: []string{
			"17: bytes=8192 count=2048 float32 sum out s=3.515e-05 alg=230000000 bus=230000000 wrong=0",
			"20: bytes=65536 count=16384 float32 sum in s=6.471e-05 alg=1.01e+09 bus=1.01e+09 wrong=0",
		},
		warnings: []string{`20: no "Out of bounds values" line`, "20: the last row has 65536 bytes, but the header announces up to 8589934592", `21: a row cut after 1 of 13 columns: "131072"`},
	},
}

// logFolder is where the published logs are.
func logFolder(t *testing.T) string {
	dir := os.Getenv("COLLBENCH_LOGS")
	if dir == "" {
		t.Skip("COLLBENCH_LOGS is not set: it names the folder of published logs")
	}
	return dir
}

func TestLogs(t *testing.T) {
	dir := logFolder(t)
	expected := map[string]bool{"README.md": true, nvlsTable.file: true} // the latter: TestNVLSTable
	for _, e := range logs {
		expected[e.file] = true
		t.Run(e.file, func(t *testing.T) {
			log := e.check(t, filepath.Join(dir, e.file))
			checkWords(t, log, filepath.Join(dir, e.file))
			withoutComments(t, e, log, filepath.Join(dir, e.file))
		})
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !expected[entry.Name()] {
			t.Errorf("no expectation for %s", entry.Name())
		}
	}
}

// checkWords holds every row of nccl-tests and rccl-tests against the words of its line: the last eight are those
// of the two sides.
func checkWords(t *testing.T, log Log, path string) {
	if !strings.HasSuffix(log.Format, "ccl-tests") {
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	for _, m := range log.Measurements {
		if m.Seconds == nil {
			continue
		}
		words := strings.Fields(lines[m.Line-1])
		side := words[len(words)-8 : len(words)-4]
		if *m.InPlace {
			side = words[len(words)-4:]
		}
		for i, got := range []float64{*m.Seconds * 1e6, *m.AlgBW / 1e9, *m.BusBW / 1e9} {
			if want, _ := strconv.ParseFloat(side[i], 64); math.Abs(got-want) > 1e-9*want {
				t.Errorf("line %d: %g where %s is printed", m.Line, got, side[i])
			}
		}
		switch {
		case side[3] == "N/A" && m.Wrong != nil:
			t.Errorf("line %d: %d wrong elements where N/A is printed", m.Line, *m.Wrong)
		case side[3] != "N/A" && (m.Wrong == nil || strconv.FormatInt(*m.Wrong, 10) != side[3]):
			t.Errorf("line %d: wrong elements are not %s", m.Line, side[3])
		}
	}
}

// withoutComments reads the log without the lines that the collector put on top: nothing may come from those.
func withoutComments(t *testing.T, e expectation, with Log, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(data, []byte("\n"))
	for i := range lines {
		if i < 5 && bytes.HasPrefix(lines[i], []byte("# ")) && bytes.Contains(lines[i], []byte(": ")) {
			lines[i] = nil
		}
	}
	log, err := Read(e.file, bytes.NewReader(bytes.Join(lines, []byte("\n"))), "")
	if err != nil {
		t.Fatal(err)
	}
	same := func(a, b Measurement) bool { return brief(a) == brief(b) && runOf(a) == runOf(b) }
	if !slices.EqualFunc(log.Measurements, with.Measurements, same) || log.Format != e.format {
		t.Errorf("without the comments on top something else is read")
	}
}

// nvlsTable is the text with tables. Its second does not name the tool: the text does, before the first.
var nvlsTable = expectation{
	file: "47_table_stas00_H200_B200_NVLS_on_off_by_gpu_count.md", format: "markdown",
	warnings: []string{"8: the table has no column of sizes: 8GiB", "20: the table has no column of sizes: 8GiB"},
}

func TestNVLSTable(t *testing.T) {
	file, err := os.Open(filepath.Join(logFolder(t), nvlsTable.file))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	log, err := Read(nvlsTable.file, file, "")
	if err != nil {
		t.Fatal(err)
	}
	nvlsTable.checkWarnings(t, log)
	type cell struct {
		line, ranks int
		algorithm   string
		on, off     float64 // GB/s
		library     string
	}
	want := []cell{
		{12, 4, "Ring", 363.3, 363.3, ""}, {13, 5, "NVLS", 414.2, 364.4, ""}, {14, 6, "NVLS", 435.6, 365.1, ""},
		{15, 7, "NVLS", 460.0, 365.7, ""}, {16, 8, "NVLS", 473.1, 365.6, ""},
		{24, 4, "Ring", 673.2, 673.8, "NCCL 2.27.7"}, {25, 5, "Ring", 677.8, 677.8, "NCCL 2.27.7"},
		{26, 6, "NVLS", 778.2, 677.8, "NCCL 2.27.7"}, {27, 7, "NVLS", 811.2, 680.5, "NCCL 2.27.7"},
		{28, 8, "NVLS", 838.0, 682.2, "NCCL 2.27.7"},
	}
	if len(log.Measurements) != 2*len(want) {
		t.Fatalf("%d measurements, want %d", len(log.Measurements), 2*len(want))
	}
	for i, w := range want {
		on, off := log.Measurements[2*i], log.Measurements[2*i+1]
		for _, m := range []Measurement{on, off} {
			if m.Line != w.line || m.Ranks != w.ranks || m.Library != w.library || m.Tool != "nccl-tests" || m.Bytes == nil || *m.Bytes != 8<<30 {
				t.Errorf("line %d: %+v", w.line, m)
			}
		}
		if on.Algorithm != w.algorithm || on.Variant != "" || math.Abs(*on.BusBW/1e9-w.on) > 1e-9*w.on {
			t.Errorf("line %d: %s %q %g", w.line, on.Algorithm, on.Variant, *on.BusBW)
		}
		if off.Algorithm != "" || off.Variant != "NVLS off" || math.Abs(*off.BusBW/1e9-w.off) > 1e-9*w.off {
			t.Errorf("line %d: %s %q %g", w.line, off.Algorithm, off.Variant, *off.BusBW)
		}
	}
}
