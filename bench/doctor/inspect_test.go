package doctor

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFilesAndList demands a file for each check and the other way round: "gpu-mode" is gpu_mode.go.
func TestFilesAndList(t *testing.T) {
	listed := map[string]bool{}
	for _, c := range All {
		listed[c.ID] = true
		text, err := os.ReadFile(strings.ReplaceAll(c.ID, "-", "_") + ".go")
		if err != nil || !strings.Contains(string(text), `"`+c.ID+`"`) {
			t.Errorf("%s: no file of its own (%v)", c.ID, err)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if id := strings.ReplaceAll(strings.TrimSuffix(file, ".go"), "_", "-"); strings.Contains(string(text), "= Check{") && !listed[id] && file != "compare.go" && file != "proof.go" && !strings.HasSuffix(file, "_test.go") {
			t.Errorf("%s holds a check that All lacks", file)
		}
	}
}

// TestChecksKnowTheirDocs demands that everything that is shown of a check is there.
func TestChecksKnowTheirDocs(t *testing.T) {
	for _, c := range slices.Concat(All, []Check{Parity}, Proofs) {
		if c.What == "" || c.Why == "" || c.How == "" || len(c.Sources) == 0 || len(c.Outcomes) == 0 {
			t.Errorf("%s: something of its documentation is missing", c.ID)
		}
		for _, o := range c.Outcomes {
			if o.When == "" || o.Advice == "" && (o.Status == Warn || o.Status == Fail || o.Status == Unknown) {
				t.Errorf("%s: the outcome %q has no advice", c.ID, o.When)
			}
		}
	}
}

func TestProfiles(t *testing.T) {
	ids := map[string]bool{}
	for _, c := range All {
		ids[c.ID] = true
	}
	for _, p := range Profiles {
		for _, id := range append(slices.Clone(p.Checks), p.Required...) {
			if !ids[id] || !p.runs(id) {
				t.Errorf("%s: the check %q does not exist, or does not run", p.Name, id)
			}
		}
	}
	for _, c := range []struct {
		on, profile, check string
		want               Status
		edits              []edit
	}{
		{nothere, "default", "ib-port", Info, nil}, {nothere, "rdma", "ib-port", Fail, nil}, {bareH100, "rdma", "ib-port", Pass, nil},
		{bareH100, "rdma", "ib-port", Fail, []edit{deny("sys/class/infiniband")}}, {bareH100, "default", "ib-port", Unknown, []edit{deny("sys/class/infiniband")}},
		{esxiA100, "sharp", "sharp", Fail, nil}, {bareH100, "sharp", "sharp", Pass, nil}, {bareH100, "sharp", "sharp", Fail, []edit{setenv("NCCL_COLLNET_ENABLE=0")}},
		{bareH100, "vgpu", "vgpu-license", Fail, nil}, {vgpuH100, "vgpu", "vgpu-license", Pass, nil},
		{esxiA100, "storage", "gds", Fail, nil}, {bareH100, "storage", "gds", Pass, nil},
		{nothere, "kubernetes", "gpu-operator", Fail, nil}, {kvmB200, "kubernetes", "gpu-operator", Pass, nil},
		{nothere, "kubernetes", "network-operator", Info, nil},
	} {
		r := fixture(t, c.on)
		for _, e := range c.edits {
			e(t, r)
		}
		p, err := FindProfile(c.profile)
		if err != nil {
			t.Fatal(err)
		}
		report := Inspect(context.Background(), r.Machine(), p)
		i := slices.IndexFunc(report.Findings, func(f Finding) bool { return f.Check == c.check })
		if i < 0 || report.Findings[i].Status != c.want {
			t.Errorf("%s with profile %s: %+v, want %s of %s", c.on, c.profile, report.Findings, c.want, c.check)
		}
	}
	if _, err := FindProfile("none"); err == nil {
		t.Error("a profile that does not exist is found")
	}
}

// TestWholeMachines sees what is worst of each machine: a good one has nothing that is warned of.
func TestWholeMachines(t *testing.T) {
	for name, want := range map[string]Status{bareH100: Info, nothere: Unknown, kvmB200: Unknown, vgpuH100: Unknown, esxiA100: Fail} {
		report := Inspect(context.Background(), fixture(t, name).Machine(), Profiles[0])
		if got := Worst(report.Findings); got != want {
			t.Errorf("%s: %s, want %s\n%s", name, got, want, asJSON(t, report.Findings))
		}
		if len(report.Findings) < len(All) {
			t.Errorf("%s: %d findings of %d checks", name, len(report.Findings), len(All))
		}
		var again Report
		if err := json.Unmarshal([]byte(asJSON(t, report)), &again); err != nil || asJSON(t, again) != asJSON(t, report) {
			t.Errorf("%s: the report does not survive JSON (%v)", name, err)
		}
	}
}

func TestFacts(t *testing.T) {
	got := Inspect(context.Background(), fixture(t, bareH100).Machine(), Profiles[0]).Facts
	want := Facts{
		Values: map[string]string{
			factOS: "Ubuntu 24.04.1 LTS", factKernel: "6.8.0-45-generic", factCPU: "Intel(R) Xeon(R) Platinum 8480C", factHypervisor: "none", factNUMA: "2", factCPUs: "0-223",
			factMTU: "1 × 1500", factDriver: "580.65.06", factGPU: "2 × NVIDIA H100 80GB HBM3", factMode: "2 × bare metal", factMIG: "Disabled", factVBIOS: "96.00.74.00.1A",
			factRDMA: "2 × MT4129", factFirmware: "MT4129 28.39.1002", factRDMADriver: "MLNX_OFED_LINUX-24.10-1.1.4.0", factRate: "2 × 400 Gb/sec (4X NDR)", factNCCL: "2.27.5", factCUDA: "13.0",
		},
		Variables: map[string]string{"NCCL_COLLNET_ENABLE": "1", "UCX_RC_MLX5_TM_ENABLE": "y"},
		Counters: map[string]uint64{
			"sys/class/infiniband/mlx5_0/ports/1/counters/symbol_error": 0, "sys/class/infiniband/mlx5_0/ports/1/hw_counters/out_of_sequence": 0,
			"sys/class/infiniband/mlx5_1/ports/1/counters/symbol_error": 0, "sys/class/infiniband/mlx5_1/ports/1/hw_counters/out_of_sequence": 0,
			"sys/class/net/ens1/statistics/rx_crc_errors": 3,
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestEndedLook sees that a look that has been given up tells of nothing that it has not seen.
func TestEndedLook(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	report := Inspect(ctx, fixture(t, bareH100).Machine(), Profiles[0])
	for _, f := range report.Findings {
		if slices.Contains([]string{"gpu-mode", "gpu-p2p", "fabric", "mig"}, f.Check) && f.Status != Unknown {
			t.Errorf("%s: %s: %s", f.Check, f.Status, f.Seen)
		}
	}
}

// TestThisMachine looks at the machine of the test itself.
func TestThisMachine(t *testing.T) {
	report := Inspect(context.Background(), Host(), Profiles[0])
	if report.Facts.Values[factKernel] == "" || report.Facts.Values[factCPUs] == "" {
		t.Errorf("facts: %v", report.Facts)
	}
}

func TestExecute(t *testing.T) {
	if _, err := execute(context.Background(), "sh -c true"); err == nil || !strings.Contains(err.Error(), "not on the list") {
		t.Errorf("a command that is not on the list: %v", err)
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nif [ \"$1\" = -q ]; then echo 'Failed to initialize NVML: Unknown Error'; exit 9; fi\necho \"$LC_ALL $*\"\n"
	if err := os.WriteFile(filepath.Join(dir, "nvidia-smi"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	if _, err := execute(context.Background(), smiQuery); err == nil || !strings.Contains(err.Error(), "exit status 9: Failed to initialize NVML: Unknown Error") {
		t.Errorf("a command that fails: %v", err)
	}
	if out, err := execute(context.Background(), smiNVLink); err != nil || string(out) != "C nvlink -s\n" {
		t.Errorf("a command: %q, %v", out, err)
	}
	if _, err := execute(context.Background(), ibvDevices); err == nil && exec.Command("ibv_devinfo").Err != nil || err != nil && !isAbsent(err) && exec.Command("ibv_devinfo").Err != nil {
		t.Errorf("a command that is not installed: %v", err)
	}
	hang := filepath.Join(dir, "ofed_info")
	if err := os.WriteFile(hang, []byte("#!/bin/sh\nsleep 60\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := execute(ctx, ofedVersion); err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("a command that hangs: %v after %v", err, time.Since(start))
	}
}

// TestContainer sees that GPUs which a container was not given do not count, and that the rest is judged as before.
func TestContainer(t *testing.T) {
	r := fixture(t, bareH100)
	secondGPUGone(t, r)
	r.links["sys/bus/pci/devices/0000:9b:00.0"] = "../../../devices/pci0000:00/0000:00:01.0/0000:9b:00.0" // far from any NIC
	for _, c := range []struct {
		check Check
		want  *Outcome
	}{{gpuMode, gpuModeFewer}, {gdrDistance, gdrNear}, {gpuP2P, p2pOne}, {link, linkFull}} {
		if found := c.check.Look(newView(context.Background(), r.Machine())); !ends(found, c.want) {
			t.Errorf("%s: %+v, want %q", c.check.ID, found, c.want.When)
		}
	}
}

// TestNoGPUIsNotAsked sees that nvidia-smi, which may take long, is not run where there is no GPU.
func TestNoGPUIsNotAsked(t *testing.T) {
	m := fixture(t, nothere).Machine()
	m.Run = func(_ context.Context, c Command) ([]byte, error) {
		t.Errorf("%s is run", c)
		return nil, errAbsent
	}
	Inspect(context.Background(), m, Profiles[0])
}

// TestUnusedPorts sees that ports of devices that NCCL_IB_HCA leaves out do not count.
func TestUnusedPorts(t *testing.T) {
	for _, list := range []string{"mlx5_1", "=mlx5_1:1", "^mlx5_0", "^=mlx5_0"} {
		if found := look(t, bareH100, ibPort, set(port0+"/state", "1: DOWN\n"), setenv("NCCL_IB_HCA="+list)); !ends(found, portsUp) {
			t.Errorf("NCCL_IB_HCA=%s: %+v", list, found)
		}
	}
}
