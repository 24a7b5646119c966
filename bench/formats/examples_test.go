package formats

// ncclExamples are our own imitations of nccl-tests' layouts, every row listed.
var ncclExamples = []expectation{
	{
		file: "nccl_2018.txt", format: "nccl-tests", // milliseconds, deviations
		runs: []string{"nccl-tests =all_reduce 4/header on 1"}, counts: []int{4},
		rows: []string{
			"11: bytes=1024 count=256 float32 sum out s=3.1e-05 alg=30000000 bus=50000000 deviation=1e-07",
			"11: bytes=1024 count=256 float32 sum in s=3e-05 alg=30000000 bus=50000000 deviation=1e-07",
			"12: bytes=4194304 count=1048576 float32 sum out s=0.00042 alg=9.99e+09 bus=1.498e+10 deviation=2e-07",
			"12: bytes=4194304 count=1048576 float32 sum in s=0.000419 alg=1.001e+10 bus=1.502e+10",
		},
		warnings: []string{"11: the log does not name the collective: all_reduce fits"},
	}, {
		file: "nccl_hydra.txt", format: "nccl-tests", // a rank glued into rows, a row broken in two, one cut
		runs: []string{"nccl-tests =all_reduce 2/header on 1"}, counts: []int{6},
		rows: []string{
			"11: bytes=1048576 count=524288 float16 max out s=0.0001 alg=1.049e+10 bus=1.049e+10 wrong=0",
			"11: bytes=1048576 count=524288 float16 max in s=9.8e-05 alg=1.07e+10 bus=1.07e+10 wrong=0",
			"12: bytes=2097152 count=1048576 float16 max out s=0.00015 alg=1.398e+10 bus=1.398e+10 wrong=0",
			"12: bytes=2097152 count=1048576 float16 max in s=0.000149 alg=1.407e+10 bus=1.407e+10 wrong=0",
			"16: bytes=8388608 count=4194304 float16 max out s=0.00045 alg=1.864e+10 bus=1.864e+10 wrong=0",
			"16: bytes=8388608 count=4194304 float16 max in s=0.000449 alg=1.868e+10 bus=1.868e+10 wrong=0",
		},
		warnings: []string{
			"11: the log does not name the collective: all_reduce fits", "15: a row cut after 9 of 13 columns",
			"18: the average bus bandwidth is 14.7 GB/s, but that of the rows is 14.43",
		},
	}, {
		file: "nccl_pipes.txt", format: "nccl-tests", // two runs, docker's and kubectl's prefixes, pipes at line ends
		runs: []string{
			"nccl-tests 2.19.6 [NCCL 2.28.9] broadcast_perf=broadcast 2/header on 2",
			"nccl-tests 2.19.6 [NCCL 2.28.9] sendrecv_perf=sendrecv",
		},
		counts: []int{2, 2},
		rows: []string{
			"8: bytes=1024 count=256 bfloat16 root=1 out s=2e-05 alg=50000000 bus=50000000 wrong=0",
			"8: bytes=1024 count=256 bfloat16 root=1 in s=2.1e-05 alg=50000000 bus=50000000 wrong=0",
			"15: bytes=4096 count=1024 float32 sum out s=1e-05 alg=410000000 bus=410000000 wrong=0",
			"15: bytes=4096 count=1024 float32 sum in s=1.024e-05 alg=400000000 bus=400000000",
		},
	}, {
		file: "nccl_alone.txt", format: "nccl-tests", // without MPI; wrong elements; the header contradicts the rates
		runs: []string{"nccl-tests all_reduce_perf=all_reduce 4/header on 1", "nccl-tests =all_reduce 16/header"}, counts: []int{2, 3},
		rows: []string{
			"15: bytes=1048576 count=262144 float32 sum out s=1e-05 alg=1.0486e+11 bus=1.835e+11 wrong=0",
			"15: bytes=1048576 count=262144 float32 sum in s=1e-05 alg=1.0486e+11 bus=1.835e+11 wrong=0",
			`16: wrong wrong=2 "2 wrong elements"`, // of which row the log does not say
			`9: wrong bytes=1048576 count=262144 float32 sum out s=1e-05 alg=1.0486e+11 bus=1.835e+11 wrong=3 "3 wrong elements"`,
			"9: bytes=1048576 count=262144 float32 sum in s=1e-05 alg=1.0486e+11 bus=1.835e+11 wrong=0",
		},
		warnings: []string{"1: the header stands there 2 times", "9: the header lists 4 ranks, but the rates say 8",
			"13: the header lists ranks 15 only: 16 ranks", "15: the log does not name the collective", "15: the header lists 16 ranks, but the rates say 8"},
	}, {
		file: "nccl_died.txt", format: "nccl-tests", // dies after a row; is cancelled before the first; in place only
		runs: []string{
			"nccl-tests reduce_scatter_perf=reduce_scatter 4/sizes", "nccl-tests reduce_scatter_perf=reduce_scatter",
			"nccl-tests all_reduce_perf=all_reduce 4/rates",
		},
		counts: []int{3, 1, 1},
		rows: []string{
			"4: bytes=67108864 count=4194304 float32 sum out s=0.001 alg=6.711e+10 bus=5.033e+10 wrong=0",
			"4: bytes=67108864 count=4194304 float32 sum in s=0.001 alg=6.711e+10 bus=5.033e+10 wrong=0",
			`5: failed "delta02: Test NCCL failure common.cu:585 'unhandled cuda error (run with NCCL_DEBUG=INFO for details) / '"`,
			`11: failed "slurmstepd: error: *** STEP 17.2 ON delta01 CANCELLED AT 2026-01-02T00:00:00 DUE TO TIME LIMIT ***"`,
			"15: bytes=67108864 count=16777216 float32 sum in s=0.001 alg=6.711e+10 bus=1.0066e+11 wrong=0",
		},
		warnings: []string{`4: no "Out of bounds values" line`, "4: the last row has 67108864 bytes, but the header announces up to 268435456"},
	}, {
		file: "nccl_per_iteration.txt", format: "nccl-tests",
		runs: []string{"nccl-tests 2.19.6 [NCCL 2.30.0] all_gather_perf=all_gather 4/sizes"}, counts: []int{2},
		rows: []string{
			"5: bytes=4194304 count=262144 float32 out s=0.0001 min=9e-05 max=0.00012 p99=0.000119 alg=4.194e+10 bus=3.146e+10 wrong=0",
			"5: bytes=4194304 count=262144 float32 in s=0.000101 min=9.1e-05 max=0.000121 p99=0.0001205 alg=4.153e+10 bus=3.115e+10 wrong=0",
		},
	}, {
		file: "nccl_not_found.txt", format: "nccl-tests",
		runs: []string{"nccl-tests alltoall_perf=alltoall"}, counts: []int{1},
		rows: []string{`2: failed "/opt/nccl-tests/build/alltoall_perf: error while loading shared libraries: libnccl.so.2: cannot open shared object file"`},
	}, {
		file: "nccl_grumble.txt", format: "nccl-tests", // messages that a run got over; a warning as the only cause
		runs: []string{"nccl-tests broadcast_perf=broadcast", "nccl-tests broadcast_perf=broadcast"}, counts: []int{2, 1},
		rows: []string{
			"5: bytes=1024 count=256 int32 root=0 out s=1e-05 alg=100000000 bus=100000000 wrong=0",
			"5: bytes=1024 count=256 int32 root=0 in s=1e-05 alg=100000000 bus=100000000 wrong=0",
			`12: failed "NCCL WARN Call to ibv_open_device failed"`,
		},
	}, {
		file: "rccl.txt", format: "rccl-tests",
		runs: []string{"rccl-tests main:abc1234 [RCCL 2.27.7-HEAD:1234567] all_reduce_perf=all_reduce 2/header on 1"}, counts: []int{2},
		rows: []string{
			"8: bytes=1024 count=256 float8e4m3 sum out s=1e-05 alg=100000000 bus=100000000 wrong=0",
			"8: bytes=1024 count=256 float8e4m3 sum in s=1e-05 alg=100000000 bus=100000000 wrong=0",
		},
	}, {
		file: "nccl.json", format: "nccl-tests-json",
		runs: []string{"nccl-tests [NCCL 2.28.9] all_reduce_perf=all_reduce 2/header on 2"}, counts: []int{2},
		rows: []string{
			"6: bytes=1048576 count=262144 float32 sum out s=0.0001 min=9.5e-05 max=0.00011 p50=9.9e-05 p99=0.000109 alg=1.048576e+10 bus=1.048576e+10 wrong=0",
			"7: bytes=2097152 count=524288 float32 sum in s=0.0002 alg=1.048576e+10 bus=1.048576e+10",
		},
	}, {
		file: "nccl_cut.json", format: "nccl-tests-json",
		runs: []string{"nccl-tests [NCCL 2.28.9] sendrecv_perf=sendrecv 2/header on 1"}, counts: []int{2},
		rows: []string{
			"3: bytes=1024 count=256 float32 sum out s=1e-05 alg=102400000 bus=102400000 wrong=0",
			`3: failed "the JSON is damaged or cut: invalid character '\\n' in string literal"`,
		},
		warnings: []string{`3: no "Out of bounds values" line`},
	},
}

// otherExamples are our own imitations of the other tools' layouts, every row listed.
var otherExamples = []expectation{
	{
		file: "osu_collectives.txt", format: "osu",
		runs: []string{
			"osu 5.9 osu_allgather=all_gather 4/command", "osu 7.3 osu_reduce_scatter=reduce_scatter 4/command",
			"osu 7.3 osu_alltoall=alltoall", "osu 7.3 osu_barrier= 4/command",
		},
		counts: []int{2, 3, 1, 1},
		rows: []string{
			"4: bytes=1 buffer=4 s=2.05e-06 min=1.9e-06 max=2.2e-06",
			"5: bytes=1048576 buffer=4194304 s=0.0003105 min=0.00030025 max=0.00032075",
			"11: bytes=16 float32 s=5e-06 wrong=0", `12: wrong bytes=1024 float32 s=6e-06 "validation failed"`,
			`14: failed float32 "mpirun noticed that process rank 3 with PID 0 on node n4 exited on signal 9 (Killed)."`,
			"18: bytes=8 s=3e-06", "22: s=4.25e-06",
		},
		warnings: []string{`13: a row cut after 1 of 3 columns: "2048"`, "16: the log does not say how many ranks"},
	}, {
		file: "osu_multiple.txt", format: "osu",
		runs: []string{"osu 5.6.3 Multiple Bandwidth / Message Rate= 8/header", "osu 5.6.3 Latency= 2/test"}, counts: []int{2, 2},
		rows: []string{
			"4: bytes=1 alg=8000000 rate=8000000", "5: bytes=4096 alg=1.6384e+10 rate=4000000", "8: bytes=0 s=1.11e-06", "9: bytes=8 s=1.25e-06",
		},
	}, {
		file: "imb.txt", format: "imb",
		runs: []string{
			"imb 2021.7 PingPong= 2/header", "imb 2021.7 Allgather=all_gather 4/header", "imb 2021.7 Barrier= 4/header",
			"imb 2021.7 Sendrecv=sendrecv 4/header", "imb 2021.7 Bcast=broadcast 4/header",
		},
		counts: []int{2, 3, 1, 1, 1},
		rows: []string{
			"14: bytes=0 s=1.5e-06 alg=0", "15: bytes=1000000 s=0.0001 alg=1e+10",
			"22: bytes=4 buffer=16 s=1.2e-06 min=1.1e-06 max=1.3e-06", "23: bytes=8192 buffer=32768 s=1.2e-05 min=1.1e-05 max=1.3e-05",
			`24: skipped bytes=4194304 "out of memory: 4194304 out-of-mem.; needed X= 1.508 GB; use flag \"-mem X\" or MAX_MEM_USAGE>=X (IMB_mem_info.h)"`,
			"31: s=2.2e-06 min=2.1e-06 max=2.3e-06",
			"38: bytes=1048576 s=9.5e-05 min=9e-05 max=0.0001 alg=2.097152e+10",
			`43: failed "forrtl: error (78): process killed (SIGTERM)"`,
		},
	}, {
		file: "imb_old.txt", format: "imb", // its megabyte is 2^20 bytes
		runs: []string{"imb 3.2.4 PingPong= 2/header"}, counts: []int{1},
		rows: []string{"5: bytes=1048576 s=0.0001 alg=1.048576e+10"},
	}, {
		file: "ucx_old.txt", format: "ucx_perftest", // the last row is the result
		runs: []string{"ucx_perftest UCP tag match latency= 2/test"}, counts: []int{1},
		rows: []string{"12: bytes=8 s=1.255e-06 p50=1.21e-06 alg=6375342.08 rate=796812"},
	}, {
		file: "ucx_cut.txt", format: "ucx_perftest",
		runs: []string{"ucx_perftest ucp_put_bw= 2/test"}, counts: []int{1},
		rows: []string{`6: failed "the test was cut short: no \"Final:\" row follows its progress"`},
	}, {
		file: "ucx.csv", format: "ucx_perftest",
		runs: []string{"ucx_perftest tag_lat= 2/test"}, counts: []int{1},
		rows: []string{"2: s=1.16e-06 p50=1.1e-06 alg=6815744 rate=850000"},
	}, {
		file: "ib_lat.txt", format: "perftest",
		runs: []string{"perftest ib_read_lat= 2/test", "perftest ib_send_bw= 2/test"}, counts: []int{1, 1},
		rows: []string{
			"5: mlx5_7→ bytes=2 s=1.97e-06 min=1.9e-06 max=9.5e-06 p50=1.95e-06 p99=2.5e-06",
			"11: mlx5_8→ (bidirectional) bytes=65536 alg=52428800 peak=104857600 rate=800",
		},
		warnings: []string{"6: a row cut after 5 of 9 columns"},
	}, {
		file: "ib_refused.txt", format: "perftest",
		runs: []string{"perftest ib_read_bw= 2/test"}, counts: []int{1},
		rows: []string{`2: failed "Couldn't connect to 192.0.2.7:18515"`},
	}, {
		file: "ib.json", format: "perftest-json", // the message rate tells Gbit/s
		runs: []string{"perftest ib_write_bw= 2/test", "perftest ib_write_lat= 2/test", "perftest ib_send_bw= 2/test"}, counts: []int{1, 1, 1},
		rows: []string{
			"1: mlx5_0→ bytes=65536 alg=4.875e+10 peak=4.88125e+10 rate=743866",
			"15: mlx5_0→ bytes=2 s=1.7e-06 min=1.5e-06 max=9e-06 p50=1.6e-06 p99=2e-06", "32: alg=2097152",
		},
		warnings: []string{"32: the JSON does not say its unit"},
	}, {
		file: "nvshmem.txt", format: "nvshmem",
		runs: []string{"nvshmem device_reduction=all_reduce 2/header", "nvshmem shmem_put_bw_uni="}, counts: []int{2, 1},
		rows: []string{
			"5: (thread) bytes=1024 count=256 float32 sum s=1e-05 min=9e-06 max=1.1e-05 alg=102000000 bus=102000000",
			"6: (thread) bytes=1048576 count=262144 float32 sum s=0.0001 min=9e-05 max=0.00011 alg=1.0486e+10 bus=1.0486e+10",
			"9: (block) bytes=4096 alg=1.25e+10",
		},
	}, {
		file: "nvshmem_machine.txt", format: "nvshmem",
		runs: []string{"nvshmem fcollect_on_stream=all_gather", "nvshmem shmem_p_bw=", "nvshmem shmem_g_latency="}, counts: []int{1, 1, 1},
		rows: []string{"2: (int) bytes=1024 s=1.25e-05", "3: bytes=8 alg=1.25e+09", "4: bytes=8 s=2.5e-06"},
	}, {
		file: "nvbandwidth.txt", format: "nvbandwidth",
		runs: []string{"nvbandwidth 0.8"}, counts: []int{7},
		rows: []string{
			"7: device_to_device_memcpy_read_ce GPU 0→GPU 1 alg=1e+11", "8: device_to_device_memcpy_read_ce GPU 1→GPU 0 alg=1.01e+11",
			`13: skipped multinode_device_to_device_memcpy_read_ce "waived not enough nodes"`,
			"17: device_local_copy →GPU 0 alg=9e+11", "18: device_local_copy →GPU 0 alg=9e+11", "18: device_local_copy →GPU 1 alg=9.01e+11",
			`21: failed all_to_one_write_sm "ERROR: CUDA_ERROR_ILLEGAL_ADDRESS in launch"`,
		},
		warnings: []string{"17: a row with 1 of 2 columns", "19: the sum is 9999, but that of the cells is 2701.00"},
	}, {
		file: "nvbandwidth.json", format: "nvbandwidth-json",
		runs: []string{"nvbandwidth 0.7"}, counts: []int{4},
		rows: []string{
			"7: host_to_device_memcpy_ce CPU 0→GPU 0 alg=5.55e+10", "7: host_to_device_memcpy_ce CPU 1→GPU 0 alg=5.425e+10",
			`10: skipped device_to_device_memcpy_write_ce "Waived"`, `11: failed all_to_host_memcpy_ce "Error out of memory"`,
		},
		warnings: []string{"1: nvbandwidth warns: a limit was hit"},
	}, {
		file: "ucc.txt", format: "ucc_perftest",
		runs: []string{"ucc_perftest Allgather=all_gather 4/command", "ucc_perftest Barrier= 4/command"}, counts: []int{1, 1},
		rows: []string{
			"16: (cuda) bytes=512 buffer=2048 count=128 float32 out s=1e-05 min=9e-06 max=1.1e-05 alg=204800000 bus=150000000",
			"25: (host) float32 s=5e-06 min=4e-06 max=6e-06",
		},
		warnings: []string{"17: a row cut after 3 of 5 or 8 columns"},
	}, {
		file: "table.md", format: "markdown",
		runs: []string{"all_reduce_perf [NCCL 2.26.2] =all_reduce 16/table"}, counts: []int{3},
		rows: []string{
			"7: bytes=1024 s=1.05e-05 alg=100000000 bus=190000000 wrong=0", "8: bytes=1048576 s=0.0001 alg=1.049e+10 bus=1.966e+10 wrong=0",
			"9: bytes=2097152 alg=125000000", // 1 Gbit/s
		},
		warnings: []string{`9: Latency (us): "slow" is no figure`, "10: a row with 2 of 6 columns", `16: bandwidth: "3.5" is no figure`},
	}, {
		file: "launcher.txt", format: "launcher",
		runs: []string{"launcher ="}, counts: []int{1},
		rows: []string{`1: failed "srun: error: node7: task 0: Out Of Memory"`},
	},
}
