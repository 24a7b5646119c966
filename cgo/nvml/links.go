//go:build cgo

package nvml

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// remotes are names of nvmlIntNvLinkDeviceType_t.
var remotes = map[nvml.IntNvLinkDeviceType]string{
	nvml.NVLINK_DEVICE_TYPE_GPU: "gpu", nvml.NVLINK_DEVICE_TYPE_IBMNPU: "npu", nvml.NVLINK_DEVICE_TYPE_SWITCH: "switch",
}

// Links lists the device's NVLinks, those that are down too; none where it has none.
func (d Device) Links() ([]Link, error) {
	var list []Link
	for i := range nvml.NVLINK_MAX_LINKS {
		state, result := d.device.GetNvLinkState(i)
		if result == nvml.ERROR_INVALID_ARGUMENT { // beyond the last link
			break
		}
		if ok, err := known("nvmlDeviceGetNvLinkState", result); err != nil {
			return nil, fmt.Errorf("link %d: %w", i, err)
		} else if !ok {
			continue
		}
		l := Link{Number: i, Active: state == nvml.FEATURE_ENABLED}
		if l.Active {
			if err := d.remote(&l); err != nil {
				return nil, fmt.Errorf("link %d: %w", i, err)
			}
		}
		list = append(list, l)
	}
	return list, nil
}

// remote finds what is at the other end of a link that is up.
func (d Device) remote(l *Link) error {
	version, result := d.device.GetNvLinkVersion(l.Number)
	if ok, err := known("nvmlDeviceGetNvLinkVersion", result); err != nil {
		return err
	} else if ok {
		l.Version = version
	}
	kind, result := d.device.GetNvLinkRemoteDeviceType(l.Number)
	if ok, err := known("nvmlDeviceGetNvLinkRemoteDeviceType", result); err != nil {
		return err
	} else if ok {
		l.Remote = remotes[kind]
	}
	info, result := d.device.GetNvLinkRemotePciInfo(l.Number)
	ok, err := known("nvmlDeviceGetNvLinkRemotePciInfo_v2", result)
	if ok {
		l.RemotePCI = address(info)
	}
	return err
}

// allLinks is the scope of a field that sums over all links (nvml.h: "scopeId UINT_MAX for all links").
const allLinks = math.MaxUint32

// LinkBytes reads the data counters of all NVLinks together: fields NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX and RX, which
// count in KiB (nvml.h). The second result says whether the device has them.
func (d Device) LinkBytes() (LinkBytes, bool, error) {
	fields := []nvml.FieldValue{
		{FieldId: nvml.FI_DEV_NVLINK_THROUGHPUT_DATA_TX, ScopeId: allLinks}, {FieldId: nvml.FI_DEV_NVLINK_THROUGHPUT_DATA_RX, ScopeId: allLinks},
	}
	if ok, err := known("nvmlDeviceGetFieldValues", d.device.GetFieldValues(fields)); !ok {
		return LinkBytes{}, false, err
	}
	var kib [2]uint64
	for i, f := range fields {
		if ok, err := known("NVLink data counter", nvml.Return(f.NvmlReturn)); !ok {
			return LinkBytes{}, false, err
		}
		n, err := number(f)
		if err != nil {
			return LinkBytes{}, false, err
		}
		kib[i] = n
	}
	return LinkBytes{Sent: kib[0] << 10, Received: kib[1] << 10}, true, nil
}

// number is the value of a field that counts.
func number(f nvml.FieldValue) (uint64, error) {
	switch nvml.ValueType(f.ValueType) {
	case nvml.VALUE_TYPE_UNSIGNED_INT:
		return uint64(binary.NativeEndian.Uint32(f.Value[:])), nil
	case nvml.VALUE_TYPE_UNSIGNED_LONG, nvml.VALUE_TYPE_UNSIGNED_LONG_LONG:
		return binary.NativeEndian.Uint64(f.Value[:]), nil
	}
	return 0, fmt.Errorf("field %d has a value of type %d, which is no count", f.FieldId, f.ValueType)
}

// states are names of NVML_GPU_FABRIC_STATE_….
var states = map[uint8]string{
	nvml.GPU_FABRIC_STATE_NOT_SUPPORTED: "not supported", nvml.GPU_FABRIC_STATE_NOT_STARTED: "not started",
	nvml.GPU_FABRIC_STATE_IN_PROGRESS: "in progress", nvml.GPU_FABRIC_STATE_COMPLETED: "completed",
}

// Fabric reads the device's place in an NVLink domain; nil where driver or device know of none.
func (d Device) Fabric() (*Fabric, error) {
	if !d.lib.has("nvmlDeviceGetGpuFabricInfo") { // driver 525
		return nil, nil
	}
	info, result := d.device.GetGpuFabricInfo()
	if ok, err := known("nvmlDeviceGetGpuFabricInfo", result); !ok {
		return nil, err
	}
	f := &Fabric{State: states[info.State]}
	if f.State == "" {
		f.State = fmt.Sprintf("unknown (%d)", info.State)
	}
	if info.State == nvml.GPU_FABRIC_STATE_COMPLETED {
		f.Status = nvml.Return(info.Status).String()
		f.Cluster = fmt.Sprintf("%x-%x-%x-%x-%x", info.ClusterUuid[:4], info.ClusterUuid[4:6], info.ClusterUuid[6:8], info.ClusterUuid[8:10], info.ClusterUuid[10:])
		f.Clique = info.CliqueId
	}
	return f, nil
}
