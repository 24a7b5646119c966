//go:build cgo

package nvml

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	_ "collbench/cgo/cuda"
	_ "collbench/cgo/nccl"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxa100"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxb200"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxh100"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/dgxh200"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock/server"
)

func TestNoDriver(t *testing.T) {
	t.Setenv(pathVariable, "/nowhere/libnvidia-ml.so.1")
	_, err := Open()
	if !errors.Is(err, ErrUnavailable) || err.Error() != "NVML is not available: /nowhere/libnvidia-ml.so.1: library not found" {
		t.Error(err)
	}
}

func TestServers(t *testing.T) {
	for _, c := range []struct {
		api        *server.Server
		name, cuda string
	}{
		{dgxa100.New(), "Mock NVIDIA A100-SXM4-40GB", "12.4"}, {dgxh100.New(), "NVIDIA H100 80GB HBM3", "12.4"},
		{dgxh200.New(), "NVIDIA H200 141GB HBM3e", "12.4"}, {dgxb200.New(), "NVIDIA B200 180GB HBM3e", "12.6"},
	} {
		l := &Library{c.api}
		driver, err := l.Driver()
		if err != nil || driver.Devices != 8 || driver.CUDA != c.cuda || driver.Version == "" {
			t.Errorf("%s: %+v, %v", c.name, driver, err)
		}
		devices, err := l.Devices()
		if err != nil || len(devices) != 8 {
			t.Fatalf("%s: %d devices, %v", c.name, len(devices), err)
		}
		device(c.api, 3).GetVirtualizationModeFunc = func() (nvml.GpuVirtualizationMode, nvml.Return) {
			return nvml.GPU_VIRTUALIZATION_MODE_PASSTHROUGH, nvml.SUCCESS
		}
		device(c.api, 3).GetPciInfoFunc = func() (nvml.PciInfo, nvml.Return) { return nvml.PciInfo{Bus: 0x3b}, nvml.SUCCESS }
		id, err := devices[3].Identity()
		want := Identity{Name: c.name, UUID: device(c.api, 3).UUID, PCI: "0000:3b:00.0", MIG: "disabled", Virtualization: "passthrough"}
		if err != nil || id != want {
			t.Errorf("%+v, %v; want %+v", id, err, want)
		}
	}
}

func device(s *server.Server, i int) *server.Device { return s.Devices[i].(*server.Device) }

// one is a device of a mock server.
func one() (Device, *server.Device) {
	s := dgxh100.New()
	d := device(s, 0)
	return Device{&Library{s}, d}, d
}

func TestUnknownIsAbsent(t *testing.T) {
	d, mock := one()
	mock.GetMigModeFunc = func() (int, int, nvml.Return) { return 0, 0, nvml.ERROR_NOT_SUPPORTED }
	mock.GetVirtualizationModeFunc = func() (nvml.GpuVirtualizationMode, nvml.Return) { return 0, nvml.ERROR_NO_PERMISSION }
	if id, err := d.Identity(); err != nil || id.MIG != "" || id.Virtualization != "" {
		t.Errorf("%+v, %v", id, err)
	}
	mock.GetMigModeFunc = func() (int, int, nvml.Return) { return 0, 0, nvml.ERROR_GPU_IS_LOST }
	if _, err := d.Identity(); err == nil || !strings.HasPrefix(err.Error(), "nvmlDeviceGetMigMode: ") {
		t.Error(err)
	}
	mock.GetFieldValuesFunc = func([]nvml.FieldValue) nvml.Return { return nvml.ERROR_NOT_SUPPORTED }
	if _, known, err := d.LinkBytes(); known || err != nil {
		t.Error(known, err)
	}
	mock.GetGpuFabricInfoFunc = func() (nvml.GpuFabricInfo, nvml.Return) { return nvml.GpuFabricInfo{}, nvml.ERROR_NOT_SUPPORTED }
	if f, err := d.Fabric(); f != nil || err != nil {
		t.Error(f, err)
	}
}

func TestLinks(t *testing.T) {
	d, mock := one()
	mock.GetNvLinkStateFunc = func(link int) (nvml.EnableState, nvml.Return) {
		switch {
		case link >= 3:
			return 0, nvml.ERROR_INVALID_ARGUMENT
		case link == 1:
			return nvml.FEATURE_DISABLED, nvml.SUCCESS
		}
		return nvml.FEATURE_ENABLED, nvml.SUCCESS
	}
	mock.GetNvLinkVersionFunc = func(int) (uint32, nvml.Return) { return 7, nvml.SUCCESS }
	mock.GetNvLinkRemoteDeviceTypeFunc = func(link int) (nvml.IntNvLinkDeviceType, nvml.Return) {
		return map[int]nvml.IntNvLinkDeviceType{0: nvml.NVLINK_DEVICE_TYPE_SWITCH, 2: nvml.NVLINK_DEVICE_TYPE_UNKNOWN}[link], nvml.SUCCESS
	}
	mock.GetNvLinkRemotePciInfoFunc = func(link int) (nvml.PciInfo, nvml.Return) {
		if link == 2 {
			return nvml.PciInfo{}, nvml.ERROR_NOT_SUPPORTED
		}
		return nvml.PciInfo{Domain: 1, Bus: 0xc5}, nvml.SUCCESS
	}
	want := []Link{{0, true, 7, "switch", "0001:c5:00.0"}, {Number: 1}, {2, true, 7, "", ""}}
	if got, err := d.Links(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestLinkBytes(t *testing.T) {
	d, mock := one()
	kind := nvml.VALUE_TYPE_UNSIGNED_LONG_LONG
	mock.GetFieldValuesFunc = func(fields []nvml.FieldValue) nvml.Return {
		for i := range fields {
			fields[i].ValueType = uint32(kind)
			binary.NativeEndian.PutUint64(fields[i].Value[:], uint64(fields[i].FieldId)<<33|uint64(fields[i].ScopeId&1))
		}
		return nvml.SUCCESS
	}
	want := LinkBytes{Sent: (138<<33 | 1) << 10, Received: (139<<33 | 1) << 10}
	if got, known, err := d.LinkBytes(); got != want || !known || err != nil {
		t.Errorf("%+v, %v, %v; want %+v", got, known, err, want)
	}
	kind = nvml.VALUE_TYPE_DOUBLE
	if _, _, err := d.LinkBytes(); err == nil {
		t.Error("a counter that is no whole number was taken")
	}
}

func TestFabric(t *testing.T) {
	d, mock := one()
	info := nvml.GpuFabricInfo{State: nvml.GPU_FABRIC_STATE_COMPLETED, CliqueId: 4, ClusterUuid: [16]uint8{0: 0xab, 15: 1}}
	mock.GetGpuFabricInfoFunc = func() (nvml.GpuFabricInfo, nvml.Return) { return info, nvml.SUCCESS }
	want := &Fabric{State: "completed", Status: "SUCCESS", Cluster: "ab000000-0000-0000-0000-000000000001", Clique: 4}
	if f, err := d.Fabric(); err != nil || !reflect.DeepEqual(f, want) {
		t.Errorf("%+v, %v; want %+v", f, err, want)
	}
	info.State = nvml.GPU_FABRIC_STATE_IN_PROGRESS
	if f, err := d.Fabric(); err != nil || !reflect.DeepEqual(f, &Fabric{State: "in progress"}) {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestClocks(t *testing.T) {
	d, mock := one()
	mock.GetClockInfoFunc = func(kind nvml.ClockType) (uint32, nvml.Return) {
		return map[nvml.ClockType]uint32{nvml.CLOCK_SM: 1980, nvml.CLOCK_MEM: 2619}[kind], nvml.SUCCESS
	}
	mock.GetMaxClockInfoFunc = func(nvml.ClockType) (uint32, nvml.Return) { return 1980, nvml.SUCCESS }
	mock.GetTemperatureFunc = func(nvml.TemperatureSensors) (uint32, nvml.Return) { return 71, nvml.SUCCESS }
	mock.GetPowerUsageFunc = func() (uint32, nvml.Return) { return 0, nvml.ERROR_NOT_SUPPORTED }
	bits := uint64(1 | 2)
	mock.GetCurrentClocksEventReasonsFunc = func() (uint64, nvml.Return) { return bits, nvml.SUCCESS }
	celsius := 71.0
	want := Clocks{SM: 1.98e9, MaxSM: 1.98e9, Memory: 2.619e9, Temperature: &celsius, Reasons: []string{"gpu_idle", "applications_clocks_setting"}}
	if got, err := d.Clocks(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for i := range 9 {
		bits = 1 << i
		got, err := d.Clocks()
		if err != nil || len(got.Reasons) != 1 || (len(got.Throttled) == 1) != slices.Contains([]int{2, 3, 5, 6, 7}, i) {
			t.Errorf("bit %d: %+v, %v", i, got, err)
		}
	}
	// Drivers before 535 have the function by its old name alone.
	d.lib.api.(*server.Server).LookupSymbolFunc = func(string) error { return errors.New("undefined symbol") }
	mock.GetCurrentClocksThrottleReasonsFunc = func() (uint64, nvml.Return) { return 4, nvml.SUCCESS }
	if got, err := d.Clocks(); err != nil || !slices.Equal(got.Reasons, []string{"sw_power_cap"}) || !slices.Equal(got.Throttled, got.Reasons) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPeer(t *testing.T) {
	d, mock := one()
	mock.GetTopologyCommonAncestorFunc = func(nvml.Device) (nvml.GpuTopologyLevel, nvml.Return) { return nvml.TOPOLOGY_SYSTEM, nvml.SUCCESS }
	mock.GetP2PStatusFunc = func(_ nvml.Device, index nvml.GpuP2PCapsIndex) (nvml.GpuP2PStatus, nvml.Return) {
		return map[nvml.GpuP2PCapsIndex]nvml.GpuP2PStatus{nvml.P2P_CAPS_INDEX_ATOMICS: nvml.P2P_STATUS_UNKNOWN, nvml.P2P_CAPS_INDEX_WRITE: nvml.P2P_STATUS_DISABLED_BY_REGKEY}[index], nvml.SUCCESS
	}
	want := Peer{Ancestor: "system", P2P: map[string]string{"read": "ok", "write": "disabled by a driver setting", "nvlink": "ok"}}
	if got, err := d.Peer(d); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

// TestExecutable looks at this program, which has all of our bindings to NVIDIA's libraries in it: it must start without
// any of them, and export the profiler plugin.
func TestExecutable(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range libraries {
		if name, _, _ := strings.Cut(l, ".so"); !slices.Contains([]string{"libc", "libdl", "libm", "libpthread", "libresolv", "ld-linux-x86-64", "ld-linux-aarch64"}, name) {
			t.Errorf("needs %s to start", l)
		}
	}
	for _, tag := range []elf.DynTag{elf.DT_FLAGS, elf.DT_FLAGS_1} {
		if values, _ := f.DynValue(tag); len(values) > 0 && (tag == elf.DT_FLAGS && values[0]&uint64(elf.DF_BIND_NOW) != 0 || tag == elf.DT_FLAGS_1 && values[0]&uint64(elf.DF_1_NOW) != 0) {
			t.Error("looks for all functions when it starts, those of NVML too: link with -extldflags=-Wl,-z,lazy, as make does")
		}
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	exported := map[string]bool{}
	for _, s := range symbols {
		defined := s.Section != elf.SHN_UNDEF
		exported[s.Name] = defined
		if !defined && (strings.HasPrefix(s.Name, "cu") || strings.HasPrefix(s.Name, "nccl") || strings.HasPrefix(s.Name, "cb_")) {
			t.Errorf("%s is nowhere: go-nvml's linker flags hide that", s.Name)
		}
		if defined && (strings.HasPrefix(s.Name, "cu") || strings.HasPrefix(s.Name, "nccl") && !strings.HasPrefix(s.Name, "ncclProfiler_v")) {
			t.Errorf("exports %s, which NVIDIA's libraries could take for the driver's", s.Name)
		}
	}
	for _, name := range []string{"ncclProfiler_v1", "ncclProfiler_v2", "ncclProfiler_v3", "ncclProfiler_v4", "ncclProfiler_v5", "ncclProfiler_v6"} {
		if !exported[name] {
			t.Errorf("does not export %s", name)
		}
	}
}
