// Package nvml reads what the NVIDIA driver tells of devices and the links between them: identity, NVLink, the fabric
// of NVLink domains, peer-to-peer status, clocks and why they are held back, MIG and virtualization. Its functions come
// from libnvidia-ml.so.1, which go-nvml opens at run time.
//
// It is the source of bench/environment, of counters and of the doctor's checks. What a device or a driver does not know
// is absent: an empty text, a nil pointer.
package nvml

import (
	"errors"
	"os"
)

// pathVariable names the library's file where the search would find another one, or none.
const pathVariable = "COLLBENCH_LIBNVML"

// ErrUnavailable is in the error of Open where there is no driver.
var ErrUnavailable = errors.New("NVML is not available")

func library() string {
	if path := os.Getenv(pathVariable); path != "" {
		return path
	}
	return "libnvidia-ml.so.1"
}

// Driver is the driver of this host.
type Driver struct {
	Version string `json:"version"` // "550.54.15"
	CUDA    string `json:"cuda"`    // the newest that it serves: "12.4"
	Devices int    `json:"devices"` // physical ones
}

// Identity is what a device is.
type Identity struct {
	Name           string `json:"name"` // "NVIDIA H100 80GB HBM3"
	UUID           string `json:"uuid"`
	PCI            string `json:"pci"`                      // "0000:19:00.0"
	MIG            string `json:"mig,omitempty"`            // "enabled", "disabled"
	Virtualization string `json:"virtualization,omitempty"` // "none", "passthrough", "vgpu", "host-vgpu", "host-vsga"
}

// Link is one NVLink of a device.
type Link struct {
	Number    int    `json:"number"`
	Active    bool   `json:"active"`
	Version   uint32 `json:"version,omitempty"` // as NVML counts: 7 is NVLink 4.0
	Remote    string `json:"remote,omitempty"`  // "gpu", "switch", "npu"
	RemotePCI string `json:"remote_pci,omitempty"`
}

// LinkBytes is what all NVLinks of a device have carried, since an unknown time. Differences count.
type LinkBytes struct {
	Sent, Received uint64 // bytes of data, without headers; they move in steps of 1,024
}

// Fabric is the device's place in an NVLink domain of several hosts; fabric manager or NVLink's own management sets it
// up.
type Fabric struct {
	State   string `json:"state"`            // "not supported", "not started", "in progress", "completed"
	Status  string `json:"status,omitempty"` // of a completed one, NVML's words: "SUCCESS"
	Cluster string `json:"cluster,omitempty"`
	Clique  uint32 `json:"clique,omitempty"` // devices of one cluster and clique reach each other by NVLink
}

// Clocks are how fast the device runs, and what holds it back.
type Clocks struct {
	SM, MaxSM   float64  // Hz; 0: unknown
	Memory      float64  // Hz; 0: unknown
	Temperature *float64 // °C
	Power       *float64 // W
	Reasons     []string // in the words of nvidia-smi: "sw_power_cap"; "gpu_idle" is one
	Throttled   []string // of these, what makes figures slower than the device is: power, heat, or a brake
}

// Peer is how two devices of this host reach each other.
type Peer struct {
	Ancestor string            `json:"ancestor,omitempty"` // nearest common one on PCI: "internal", "single switch", …, "system"
	P2P      map[string]string `json:"p2p,omitempty"`      // "read", "write", "nvlink", "atomics" → "ok", or why not
}
