package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"collbench/collectives"
	"collbench/collectives/model/nccl"

	"github.com/urfave/cli/v2"
)

// ncclPrefix begins the name of a machine that is priced by NCCL's own model, as in nccl:2.27:h100.
const ncclPrefix = "nccl:"

// The sizes between which NCCL's choices are listed.
const (
	firstChoice = 8
	lastChoice  = 16 << 30
)

// ncclRow is a line of the schema collbench.nccl_model/1: what NCCL believes of one algorithm, protocol and size.
type ncclRow struct {
	Schema     string         `json:"schema"`
	Collective string         `json:"collective"`
	Algorithm  nccl.Algorithm `json:"algorithm"`
	Protocol   nccl.Protocol  `json:"protocol"`
	Ranks      int            `json:"ranks"`
	Nodes      int            `json:"nodes"`
	Bytes      int64          `json:"bytes"`
	DataType   string         `json:"dtype"`
	Seconds    float64        `json:"seconds"`
	Latency    float64        `json:"latency_seconds"`
	AlgBW      float64        `json:"algbw"`
	BusBW      float64        `json:"busbw"`
	Chosen     bool           `json:"chosen"` // NCCL takes this one
	Machine    string         `json:"machine"`
	Source     string         `json:"source"` // of the constants
}

// ncclChoice is a line of the schema collbench.nccl_choice/1: from which size on NCCL chooses what.
type ncclChoice struct {
	Schema     string         `json:"schema"`
	Collective string         `json:"collective"`
	Ranks      int            `json:"ranks"`
	Nodes      int            `json:"nodes"`
	DataType   string         `json:"dtype"`
	From       int64          `json:"from_bytes"`
	Algorithm  nccl.Algorithm `json:"algorithm"`
	Protocol   nccl.Protocol  `json:"protocol"`
	Machine    string         `json:"machine"`
}

// ncclTable is what NCCL believes of one collective on one number of ranks.
type ncclTable struct {
	collective collectives.Collective
	tuning     nccl.Tuning
	rows       []ncclRow
	choices    []ncclChoice
}

// ncclMachines says which machines of NCCL's model there are.
func ncclMachines() string {
	versions := nccl.Versions()
	return fmt.Sprintf("%sVERSION:GPU for NCCL's own model, %s … %s and %s or a JSON file", ncclPrefix, versions[0], versions[len(versions)-1], strings.Join(nccl.MachineNames(), ", "))
}

// writeNCCL answers by NCCL's own model. The name is the machine's without its prefix.
func (q modelQuery) writeNCCL(c *cli.Context, name string) error {
	for _, flag := range []string{"domain", "radix", "chunks"} {
		if c.IsSet(flag) {
			return exitError{exitUsage, fmt.Errorf("model: %s: NCCL's own model has no such setting; a node's GPUs are its machine's", flag)}
		}
	}
	tables, err := q.ncclTables(name)
	if err != nil {
		return exitError{exitUsage, fmt.Errorf("model: %w", err)}
	}
	if c.String("format") == "json" {
		return writeNCCLJSON(c.App.Writer, tables)
	}
	return writeNCCLTables(c.App.Writer, tables)
}

// ncclTables prices what was asked by NCCL's own model. The name is the machine's without its prefix.
func (q modelQuery) ncclTables(name string) (tables []ncclTable, err error) {
	version, machine, ok := strings.Cut(name, ":")
	if !ok {
		return nil, fmt.Errorf("machine %s%s: want %sVERSION:GPU, such as %s2.27:h100", ncclPrefix, name, ncclPrefix, ncclPrefix)
	}
	topology, err := findTopology(machine)
	if err != nil {
		return nil, err
	}
	only, err := q.ncclAlgorithms()
	if err != nil {
		return nil, err
	}
	for _, c := range q.collectives {
		if err := nccl.Supports(c); err != nil {
			return nil, err
		}
		for _, ranks := range q.ranks {
			tuning, err := nccl.New(version, topology, ranks, q.dataType)
			if err != nil {
				return nil, err
			}
			t := ncclTable{collective: c, tuning: tuning}
			if err := t.fill(q, ncclPrefix+name, only); err != nil {
				return nil, err
			}
			tables = append(tables, t)
		}
	}
	return tables, nil
}

// findTopology finds a machine of NCCL's model by name, or else reads it from a file.
func findTopology(name string) (nccl.Topology, error) {
	t, unknown := nccl.Machine(name)
	if unknown == nil {
		return t, nil
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, "/.") {
		return t, unknown
	}
	if err != nil {
		return t, fmt.Errorf("machine file: %w", err)
	}
	if t, err = nccl.ParseTopology(data); err != nil {
		return t, fmt.Errorf("machine file %s: %w", name, err)
	}
	return t, nil
}

// ncclAlgorithms are the algorithms that were named; none: all.
func (q modelQuery) ncclAlgorithms() (only []nccl.Algorithm, err error) {
	if !q.named {
		return nil, nil
	}
	for _, named := range q.algorithms {
		var a nccl.Algorithm
		if err := a.UnmarshalText([]byte(named.Name)); err != nil {
			return nil, err
		}
		only = append(only, a)
	}
	return only, nil
}

func (t *ncclTable) fill(q modelQuery, machine string, only []nccl.Algorithm) error {
	u, c, d := t.tuning, t.collective, q.dataType
	for _, bytes := range q.bytes {
		s, err := collectives.NewShape(c, u.Ranks, 0, bytes, d)
		if err != nil {
			return err
		}
		whole := int64(s.Size() * d.Size())
		estimates := u.Estimates(c, whole, only...)
		if len(estimates) == 0 {
			return fmt.Errorf("NCCL %s doesn't consider these algorithms for %s on %d ranks of %s", u.Table.Version, c, u.Ranks, u.Topology.Name)
		}
		chosen := nccl.Choice(estimates)
		for i, e := range estimates {
			algbw := float64(whole) / e.Seconds
			t.rows = append(t.rows, ncclRow{
				Schema: "collbench.nccl_model/1", Collective: c.String(), Algorithm: e.Algorithm, Protocol: e.Protocol,
				Ranks: u.Ranks, Nodes: u.Nodes, Bytes: bytes, DataType: d.String(), Seconds: e.Seconds, Latency: e.Latency,
				AlgBW: algbw, BusBW: algbw * c.BusFactor(u.Ranks), Chosen: i == chosen, Machine: machine, Source: u.Table.Source,
			})
		}
	}
	for _, chosen := range u.Choices(c, firstChoice, lastChoice, only...) {
		t.choices = append(t.choices, ncclChoice{
			"collbench.nccl_choice/1", c.String(), u.Ranks, u.Nodes, d.String(), chosen.From, chosen.Algorithm, chosen.Protocol, machine,
		})
	}
	return nil
}

func writeNCCLJSON(w io.Writer, tables []ncclTable) error {
	out := json.NewEncoder(w)
	for _, t := range tables {
		for _, r := range t.rows {
			if err := out.Encode(r); err != nil {
				return err
			}
		}
		for _, c := range t.choices {
			if err := out.Encode(c); err != nil {
				return err
			}
		}
	}
	return nil
}
