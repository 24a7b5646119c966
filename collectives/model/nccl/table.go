package nccl

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed versions/*.json machines/*.json
var files embed.FS

// latencies are microseconds by protocol.
type latencies map[Algorithm][3]float64

// bandwidths are GB/s on one node, on two, and on more.
type bandwidths map[Architecture][3]float64

// Table holds the constants of one version of NCCL.
type Table struct {
	Version string `json:"version"` // such as "2.27"
	Minors  []int  `json:"minors"`  // the minor versions that have these constants
	Source  string `json:"source"`  // the release from which they were taken: the last of the minor version

	Base    latencies `json:"base"`    // of an operation: baseLat
	NVLink  latencies `json:"nvlink"`  // of a step within a node: hwLat, NCCL_HW_NVLINK
	Network latencies `json:"network"` // of a step between nodes: hwLat, NCCL_HW_NET

	LLMax     bandwidths `json:"ll_max"`     // LL in all: llMaxBws; between nodes the row is the CPU's
	RingLL128 bandwidths `json:"ring_ll128"` // per channel: perChMaxRingLL128Bws
	TreeLL128 bandwidths `json:"tree_ll128"` // per channel: perChMaxTreeLL128Bws
	Tree      bandwidths `json:"tree"`       // per channel: perChMaxTreeBws
	NVLSTree  bandwidths `json:"nvlstree"`   // per channel: perChMaxNVLSTreeBws, from 2.28 on

	NVLSEfficiency map[Architecture]float64 `json:"nvls_efficiency"` // share of the NVLink bandwidth, from 2.28 on
}

// Versions lists the minor versions that have a table, oldest first, such as "2.18".
func Versions() (versions []string) {
	for _, t := range tables() {
		for _, minor := range t.Minors {
			versions = append(versions, fmt.Sprintf("2.%d", minor))
		}
	}
	return versions
}

// tables reads the tables of all versions, oldest first. They are part of the program: a fault in one is a
// programmer's, and a test reads them all.
func tables() (all []Table) {
	entries, err := files.ReadDir("versions")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		var t Table
		if err := decodeFile(path.Join("versions", e.Name()), &t); err != nil {
			panic(err)
		}
		all = append(all, t)
	}
	return all
}

// FindTable returns the constants of a version such as "2.27" or "2.27.5", and its minor version; the error lists the
// versions there are. Releases of one minor version may differ: Table.Source says which one was read.
func FindTable(version string) (t Table, minor int, err error) {
	parts := strings.Split(version, ".")
	if len(parts) == 2 || len(parts) == 3 {
		minor, err = strconv.Atoi(parts[1])
	}
	if err == nil && parts[0] == "2" {
		for _, t := range tables() {
			if slices.Contains(t.Minors, minor) {
				return t, minor, nil
			}
		}
	}
	versions := Versions()
	return Table{}, 0, fmt.Errorf("no constants of NCCL %q: want %s … %s", version, versions[0], versions[len(versions)-1])
}

func decodeFile(name string, v any) error {
	data, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	if err := decode(data, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// decode reads one JSON value and refuses keys that mean nothing.
func decode(data []byte, v any) error {
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
