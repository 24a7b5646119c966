package bench

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// RunSchema is the name of what run.json holds.
const RunSchema = "collbench.run/1"

// RunInfo is what is written once per run, before anything is measured: run.json.
type RunInfo struct {
	Schema      string          `json:"schema"`
	ID          string          `json:"run"` // "20261122T231500Z-1f3a07c2"
	Started     time.Time       `json:"started"`
	Command     []string        `json:"command"` // the command line that reproduces the run
	Plan        json.RawMessage `json:"plan"`    // as resolved, with the seed
	Environment Environment     `json:"environment"`
	Launcher    string          `json:"launcher,omitempty"` // that started the ranks; absent: we did
	Ranks       []RankInfo      `json:"ranks"`
	Links       []LinkInfo      `json:"links,omitempty"`     // of the virtual cluster's VMs
	Routes      []RouteInfo     `json:"routes,omitempty"`    // those between VMs that have a rate of their own
	LinkKind    string          `json:"link_kind,omitempty"` // "kernel" (rate-limited veth) or "paced" (TCP on loopback held back by the sender)
	Machine     json.RawMessage `json:"machine,omitempty"`   // collectives/model's description, from which predictions are recomputed
	Findings    []Finding       `json:"findings,omitempty"`  // of the hosts, and after the run of what it proves
}

// Environment is what this host is. A field that could not be read is absent.
type Environment struct {
	Host       string            `json:"host,omitempty"`
	OS         string            `json:"os,omitempty"`     // "Debian GNU/Linux 12"
	Kernel     string            `json:"kernel,omitempty"` // "6.18.44"
	CPU        string            `json:"cpu,omitempty"`    // model name
	CPUs       int               `json:"cpus,omitempty"`   // that this process may use
	Memory     int64             `json:"memory,omitempty"` // bytes
	NUMANodes  int               `json:"numa_nodes,omitempty"`
	Hypervisor string            `json:"hypervisor,omitempty"` // "KVM", "VMware"; "none" on bare metal
	Go         string            `json:"go,omitempty"`
	Version    string            `json:"version,omitempty"`   // of collbench, with the commit
	Variables  map[string]string `json:"variables,omitempty"` // of the environment, by allow-list
}

// incidental are the beginnings of variables that differ in every run and explain nothing: of the job, and what launchers
// tell their own processes (seen under Open MPI 4 and Intel MPI 2021).
var incidental = []string{"SLURM_JOB_ID", "COLLBENCH_HISTORY", "COLLBENCH_RENDEZVOUS", "OMPI_MCA_ess", "OMPI_MCA_orte_", "OMPI_MCA_initial_wdir",
	"I_MPI_HYDRA_"}

// Incidental says whether an environment variable differs from run to run by itself, so that it is no difference between
// runs.
func Incidental(variable string) bool {
	return slices.ContainsFunc(incidental, func(begin string) bool { return strings.HasPrefix(variable, begin) })
}

// RankInfo is where a rank sat.
type RankInfo struct {
	Rank  int    `json:"rank"`
	Host  string `json:"host"`
	Local int    `json:"local"`          // among the ranks of the host, as the launcher counts
	GPU   string `json:"gpu,omitempty"`  // that it uses, by the name that the host has for it; absent: none, or not known
	NIC   string `json:"nic,omitempty"`  // likewise its network interface
	CPUs  []int  `json:"cpus,omitempty"` // it was pinned to; absent: not pinned
	// Device is known once the first case of its backend is prepared.
	Device *Device `json:"device,omitempty"`
}

// RouteInfo is the way from one VM to another, where that has a rate of its own.
type RouteInfo struct {
	From string  `json:"from"` // hosts
	To   string  `json:"to"`
	Rate float64 `json:"rate"` // bytes per second
}

// LinkInfo is one VM's link.
type LinkInfo struct {
	Host     string  `json:"host"`
	Transmit float64 `json:"transmit"` // bytes per second that the VM may send
	Receive  float64 `json:"receive"`  // bytes per second that the VM may receive
}
