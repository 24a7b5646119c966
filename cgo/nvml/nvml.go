//go:build cgo

package nvml

import (
	"errors"
	"fmt"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// Library is the library when it is open.
type Library struct{ api nvml.Interface }

// Open opens the library. The error says what the loader or the driver said and wraps ErrUnavailable.
func Open() (*Library, error) {
	api := nvml.New(nvml.WithLibraryPath(library()))
	switch result := api.Init(); result {
	case nvml.SUCCESS:
		return &Library{api}, nil
	case nvml.ERROR_LIBRARY_NOT_FOUND:
		return nil, fmt.Errorf("%w: %s: library not found", ErrUnavailable, library())
	default:
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, check("nvmlInit_v2", result))
	}
}

// Close lets go of the library.
func (l *Library) Close() error { return check("nvmlShutdown", l.api.Shutdown()) }

// errUnknown is the error where a driver or a device has no answer.
var errUnknown = errors.New("not known here")

// check makes an error of what a call returned, in words that need no library.
func check(call string, result nvml.Return) error {
	switch result {
	case nvml.SUCCESS:
		return nil
	case nvml.ERROR_NOT_SUPPORTED, nvml.ERROR_FUNCTION_NOT_FOUND, nvml.ERROR_NO_PERMISSION:
		return fmt.Errorf("%s: %w (%d)", call, errUnknown, result)
	}
	return fmt.Errorf("%s: %s", call, result.Error())
}

// known says whether there was an answer; errors other than errUnknown are passed on.
func known(call string, result nvml.Return) (bool, error) {
	err := check(call, result)
	if errors.Is(err, errUnknown) {
		return false, nil
	}
	return err == nil, err
}

// has says whether the library has a function that came late. To call what is not there would end the process.
func (l *Library) has(symbol string) bool { return l.api.Extensions().LookupSymbol(symbol) == nil }

// Driver says which driver this is.
func (l *Library) Driver() (Driver, error) {
	var d Driver
	var cuda int
	var result nvml.Return
	if d.Version, result = l.api.SystemGetDriverVersion(); result != nvml.SUCCESS {
		return d, check("nvmlSystemGetDriverVersion", result)
	}
	if cuda, result = l.api.SystemGetCudaDriverVersion(); result != nvml.SUCCESS {
		return d, check("nvmlSystemGetCudaDriverVersion_v2", result)
	}
	d.CUDA = fmt.Sprintf("%d.%d", cuda/1000, cuda%1000/10)
	d.Devices, result = l.api.DeviceGetCount()
	return d, check("nvmlDeviceGetCount_v2", result)
}

// Device is a device of this host.
type Device struct {
	lib    *Library
	device nvml.Device
}

// Device finds the device at a PCI address, "0000:19:00.0", as CUDA gives it: NVML's own order is another one.
func (l *Library) Device(pci string) (Device, error) {
	d, result := l.api.DeviceGetHandleByPciBusId(pci)
	if err := check("nvmlDeviceGetHandleByPciBusId_v2", result); err != nil {
		return Device{}, fmt.Errorf("device at %s: %w", pci, err)
	}
	return Device{l, d}, nil
}

// Devices lists all devices in NVML's order, which is that of their PCI addresses.
func (l *Library) Devices() ([]Device, error) {
	n, result := l.api.DeviceGetCount()
	if err := check("nvmlDeviceGetCount_v2", result); err != nil {
		return nil, err
	}
	var list []Device
	for i := range n {
		d, result := l.api.DeviceGetHandleByIndex(i)
		if err := check("nvmlDeviceGetHandleByIndex_v2", result); err != nil {
			return nil, fmt.Errorf("device %d: %w", i, err)
		}
		list = append(list, Device{l, d})
	}
	return list, nil
}

// virtualizations are names of nvmlGpuVirtualizationMode_t.
var virtualizations = map[nvml.GpuVirtualizationMode]string{
	nvml.GPU_VIRTUALIZATION_MODE_NONE: "none", nvml.GPU_VIRTUALIZATION_MODE_PASSTHROUGH: "passthrough", nvml.GPU_VIRTUALIZATION_MODE_VGPU: "vgpu",
	nvml.GPU_VIRTUALIZATION_MODE_HOST_VGPU: "host-vgpu", nvml.GPU_VIRTUALIZATION_MODE_HOST_VSGA: "host-vsga",
}

// Identity says what the device is.
func (d Device) Identity() (Identity, error) {
	var id Identity
	var result nvml.Return
	if id.Name, result = d.device.GetName(); result != nvml.SUCCESS {
		return id, check("nvmlDeviceGetName", result)
	}
	if id.UUID, result = d.device.GetUUID(); result != nvml.SUCCESS {
		return id, check("nvmlDeviceGetUUID", result)
	}
	info, result := d.device.GetPciInfo()
	if err := check("nvmlDeviceGetPciInfo_v3", result); err != nil {
		return id, err
	}
	id.PCI = address(info)
	mode, result := d.device.GetVirtualizationMode()
	if ok, err := known("nvmlDeviceGetVirtualizationMode", result); err != nil {
		return id, err
	} else if ok {
		id.Virtualization = virtualizations[mode]
	}
	mig, _, result := d.device.GetMigMode()
	ok, err := known("nvmlDeviceGetMigMode", result)
	if ok {
		id.MIG = map[bool]string{true: "enabled", false: "disabled"}[mig == nvml.DEVICE_MIG_ENABLE]
	}
	return id, err
}

// address writes a PCI address as CUDA and the kernel do: with a domain of 16 bits where that is enough.
func address(info nvml.PciInfo) string {
	return fmt.Sprintf("%04x:%02x:%02x.0", info.Domain, info.Bus, info.Device)
}

// levels are names of nvmlGpuTopologyLevel_t.
var levels = map[nvml.GpuTopologyLevel]string{
	nvml.TOPOLOGY_INTERNAL: "internal", nvml.TOPOLOGY_SINGLE: "single switch", nvml.TOPOLOGY_MULTIPLE: "several switches",
	nvml.TOPOLOGY_HOSTBRIDGE: "host bridge", nvml.TOPOLOGY_NODE: "NUMA node", nvml.TOPOLOGY_SYSTEM: "system",
}

var capabilities = []struct {
	name  string
	index nvml.GpuP2PCapsIndex
}{{"read", nvml.P2P_CAPS_INDEX_READ}, {"write", nvml.P2P_CAPS_INDEX_WRITE}, {"nvlink", nvml.P2P_CAPS_INDEX_NVLINK}, {"atomics", nvml.P2P_CAPS_INDEX_ATOMICS}}

// peerings are names of nvmlGpuP2PStatus_t.
var peerings = map[nvml.GpuP2PStatus]string{
	nvml.P2P_STATUS_OK: "ok", nvml.P2P_STATUS_CHIPSET_NOT_SUPPORTED: "chipset not supported", nvml.P2P_STATUS_GPU_NOT_SUPPORTED: "GPU not supported",
	nvml.P2P_STATUS_IOH_TOPOLOGY_NOT_SUPPORTED: "topology not supported", nvml.P2P_STATUS_DISABLED_BY_REGKEY: "disabled by a driver setting",
	nvml.P2P_STATUS_NOT_SUPPORTED: "not supported",
}

// Peer says how the device reaches the other.
func (d Device) Peer(other Device) (Peer, error) {
	p := Peer{P2P: map[string]string{}}
	level, result := d.device.GetTopologyCommonAncestor(other.device)
	if ok, err := known("nvmlDeviceGetTopologyCommonAncestor", result); err != nil {
		return p, err
	} else if ok {
		p.Ancestor = levels[level]
	}
	for _, c := range capabilities {
		status, result := d.device.GetP2PStatus(other.device, c.index)
		if ok, err := known("nvmlDeviceGetP2PStatus", result); err != nil {
			return p, err
		} else if text := peerings[status]; ok && text != "" {
			p.P2P[c.name] = text
		}
	}
	return p, nil
}
