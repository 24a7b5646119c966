package main

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/cgo/softgpu/softgputest"
)

// ncclCounters: NVLink counts what the program of the algorithm moves; what contradicts it, and a device that is held back,
// is marked in the row.
func ncclCounters(t *testing.T, program string) {
	args := []string{"-n", "4", "--collective", "all_reduce,all_gather,reduce_scatter", "--algorithm", "ring,nvls", "--bytes", "1MiB"}
	rows, code, said := onStandIns(t, program, nil, args...)
	if code != exitOK || len(rows) != 6 {
		t.Fatalf("exit %d, %d rows\n%s", code, len(rows), said)
	}
	for _, r := range rows {
		if r.Counted == nil || r.Counted.On != bench.OnNVLink || r.Note != "" || len(r.Throttled) > 0 {
			t.Errorf("%s %s: counted %+v, note %q", r.Collective, r.Algorithm, r.Counted, r.Note)
			continue
		}
		for _, d := range []struct{ got, want float64 }{{r.Counted.BytesSent, float64(r.Operations.BytesSent)}, {r.Counted.BytesReceived, float64(r.Operations.BytesReceived)}} {
			if math.Abs(d.got/d.want-1) > 0.01 {
				t.Errorf("%s %s: counted %+v, the program moves %+v", r.Collective, r.Algorithm, r.Counted, r.Operations)
			}
		}
	}
	for _, c := range []struct{ setting, note string }{
		{"SOFTGPU_FAULT=traffic:percent=60", "NVLink counted 922 KiB sent by a rank in an iteration, 1.5 MiB by the program of ring: a part of the data went another way"},
		{"SOFTGPU_THROTTLE=4", "throttled: rank 0 by sw_power_cap, at 0.5 of 1 GHz; rank 1 by sw_power_cap, at 0.5 of 1 GHz"},
	} {
		rows, code, said := onStandIns(t, program, []string{c.setting}, "-n", "4", "--algorithm", "ring", "--bytes", "1MiB")
		if code != exitOK || len(rows) != 1 || !strings.Contains(rows[0].Note, c.note) || (len(rows[0].Throttled) > 0) != strings.Contains(c.note, "throttled") {
			t.Errorf("%s: exit %d, %+v\n%s", c.setting, code, rows, said)
		}
	}
}

// ncclDevices: the run's description says what each rank's device is, as far as this machine's NVML knows.
func ncclDevices(t *testing.T, program string) {
	libraries := softgputest.Libraries(t)
	old := softgputest.Without(t, libraries, "libnvidia-ml.so.1", "nvmlDeviceGetGpuFabricInfo")
	for _, c := range []struct {
		name, path string
		settings   []string
		want       func(bench.Device) bool
	}{
		{"all", libraries, []string{"SOFTGPU_MIG=1", "SOFTGPU_VIRTUALIZATION=1", "SOFTGPU_LINKS_DOWN=2"}, func(d bench.Device) bool {
			return d.MIG == "enabled" && d.Virtualization == "passthrough" && d.NVLink.Active == 16 && len(d.NVLink.Down) == 2 && d.NVLink.Remotes[0] == "switch" &&
				d.Fabric.State == "completed" && d.CUDA == "13.0" && strings.HasPrefix(d.Driver, "580.0") && len(d.Peers) == 1 && len(d.Peers[0].PCI) == 7 &&
				d.Peers[0].P2P["nvlink"] == "ok" && d.Peers[0].Ancestor == "NUMA node"
		}},
		{"a driver that knows no fabric", old + ":" + libraries, nil, func(d bench.Device) bool { return d.MIG == "disabled" && d.NVLink.Active == 18 && d.Fabric == nil }},
		{"without NVML", libraries, []string{"COLLBENCH_LIBNVML=/nowhere/libnvidia-ml.so.1"}, func(d bench.Device) bool { return d.MIG == "" && d.NVLink == nil && d.Driver == "" && d.Peers == nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "run")
			cmd := exec.Command(program, append([]string{"run", "-n", "2", "--algorithm", "ring", "--bytes", "8", "--out", folder}, ncclArguments...)...)
			cmd.Env = softgputest.Environment(c.path, "", c.settings...)
			rows, code, said := rowsOf(t, cmd)
			if code != exitOK || len(rows) != 1 || (rows[0].Counted == nil) != (c.name == "without NVML") {
				t.Fatalf("exit %d, %+v\n%s", code, rows, said)
			}
			var info bench.RunInfo
			text, err := os.ReadFile(filepath.Join(folder, "run.json"))
			if err == nil {
				err = json.Unmarshal(text, &info)
			}
			if err != nil {
				t.Fatal(err)
			}
			for rank, r := range info.Ranks {
				pci := []string{"0000:01:00.0", "0000:02:00.0"}[rank]
				if d := r.Device; d == nil || !d.StandIn || d.PCI != pci || d.Library != "NCCL 2.30.7" || !strings.HasPrefix(d.UUID, "GPU-736f6674-") || !c.want(*d) {
					t.Errorf("rank %d: %+v", rank, d)
				}
			}
		})
	}
}
