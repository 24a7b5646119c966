package bench

// Device is the accelerator of a rank, as its driver describes it. What is not known is absent.
type Device struct {
	Name           string  `json:"name"`
	UUID           string  `json:"uuid,omitempty"`
	PCI            string  `json:"pci,omitempty"`            // "0000:19:00.0"
	Driver         string  `json:"driver,omitempty"`         // "580.65.06"
	CUDA           string  `json:"cuda,omitempty"`           // the newest that the driver serves: "13.0"
	Library        string  `json:"library,omitempty"`        // that communicates: "NCCL 2.30.7"
	MIG            string  `json:"mig,omitempty"`            // "enabled", "disabled"
	Virtualization string  `json:"virtualization,omitempty"` // "none", "passthrough", "vgpu", …
	NVLink         *NVLink `json:"nvlink,omitempty"`
	Fabric         *Fabric `json:"fabric,omitempty"`
	Peers          []Peers `json:"peers,omitempty"`    // the other devices of the host
	StandIn        bool    `json:"stand_in,omitempty"` // its libraries only stand in for the real ones
}

// NVLink is the state of a device's NVLinks.
type NVLink struct {
	Active  int      `json:"active"`            // links that are up
	Down    []int    `json:"down,omitempty"`    // numbers of the others
	Version uint32   `json:"version,omitempty"` // as the driver counts: 7 is NVLink 4.0
	Remotes []string `json:"remotes,omitempty"` // kinds of what is at the other ends: "switch", "gpu"
}

// Fabric is a device's place in an NVLink domain of several hosts.
type Fabric struct {
	State   string `json:"state"`
	Status  string `json:"status,omitempty"`
	Cluster string `json:"cluster,omitempty"`
	Clique  uint32 `json:"clique,omitempty"` // devices of one cluster and clique reach each other
}

// Peers are devices that are reached in the same way.
type Peers struct {
	PCI      []string          `json:"pci"`
	Ancestor string            `json:"ancestor,omitempty"` // the nearest common one on PCI: "NUMA node"
	P2P      map[string]string `json:"p2p,omitempty"`      // "read", "write", "nvlink", "atomics" → "ok", or why not
}

// Clocks are how fast a device ran, and what held it back, as sampled around the timed iterations.
type Clocks struct {
	SM        float64  `json:"sm_hz,omitempty"` // the least that was seen; 0: unknown
	MaxSM     float64  `json:"max_sm_hz,omitempty"`
	Throttled []string `json:"throttled,omitempty"` // what made it slower than it is: "sw_power_cap", …
}

// Observation is what counters and sensors say of a rank's device and links in one Run. What is not known is nil.
type Observation struct {
	Counted   *LinkBytes `json:"counted,omitempty"`    // sums over the iterations
	CountedOn string     `json:"counted_on,omitempty"` // OnNVLink or OnInfiniBand
	Clocks    *Clocks    `json:"clocks,omitempty"`
}

// What the bytes of LinkBytes were counted on, besides the links of a virtual cluster.
const (
	OnNVLink     = "nvlink"
	OnInfiniBand = "infiniband"
)

// Observer is an Operation that has counters and sensors.
type Observer interface {
	Operation
	// Observation is that of the last Run.
	Observation() Observation
}

// Described is a Communicator that knows its device.
type Described interface {
	Communicator
	Device() *Device
}

// DescribedTeam is a Team that knows its ranks' devices once a case is prepared.
type DescribedTeam interface {
	Team
	Devices() []*Device // by rank, nil where it is not known; no ranks at all where none is
}
