package lab

import (
	"fmt"
	"os"
	"os/exec"

	"collbench/bench"
	"collbench/bench/workers"
	"collbench/collectives/model"

	"golang.org/x/sys/unix"
)

// SwitchHost is the host that the switch processes are on. Its way to the VMs has no limit of its own.
const SwitchHost = "switch"

// The kinds of links, as bench.RunInfo names them.
const (
	KindKernel = "kernel" // rate-limited by the kernel, and counted
	KindPaced  = "paced"  // TCP on loopback held back by its senders
)

// Cluster is the place of a run's nodes: ranks 0 … RanksPerVM−1 in VM 0, and so on; switches behind them all.
type Cluster struct {
	Links      []bench.LinkInfo  // of the VMs
	Routes     []bench.RouteInfo // those that have a rate of their own
	RanksPerVM int
	Kind       string
	network    *Network    // of KindKernel
	pace       *bench.Pace // of KindPaced
}

// New builds the cluster's network in this process's network namespace, one that Enter made.
func New(links []bench.LinkInfo, ranksPerVM int, routes ...bench.RouteInfo) (*Cluster, error) {
	network, err := Build(links, routes...)
	if err != nil {
		return nil, err
	}
	return &Cluster{Links: links, Routes: routes, RanksPerVM: ranksPerVM, Kind: KindKernel, network: network}, nil
}

// NewPaced makes a cluster of processes that are held back as the links would.
func NewPaced(links []bench.LinkInfo, ranksPerVM int) (*Cluster, error) {
	pace := &bench.Pace{Links: links}
	fd, err := unix.MemfdCreate("links", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("shared clock of the links (memfd_create): %w", err)
	}
	pace.File = os.NewFile(uintptr(fd), "links")
	if err := pace.File.Truncate(pace.Bytes()); err != nil {
		pace.File.Close()
		return nil, fmt.Errorf("shared clock of the links: %w", err)
	}
	return &Cluster{Links: links, RanksPerVM: ranksPerVM, Kind: KindPaced, pace: pace}, nil
}

// Ranks is the number of ranks.
func (c *Cluster) Ranks() int { return len(c.Links) * c.RanksPerVM }

// Info says where rank r sits.
func (c *Cluster) Info(r int) bench.RankInfo {
	info := bench.RankInfo{Rank: r, Host: c.Host(r), Local: r % c.RanksPerVM}
	if c.network != nil {
		info.NIC = portInside
	}
	return info
}

// Host is the name of the host of rank r.
func (c *Cluster) Host(r int) string { return c.Links[r/c.RanksPerVM].Host }

// Pool starts the worker processes of the cluster: its ranks and so many switches. command is the program and the
// arguments of a worker.
func (c *Cluster) Pool(command []string, switches int) *workers.Pool {
	pool := &workers.Pool{Command: command, Ranks: c.Ranks(), Pace: c.pace}
	for r := range c.Ranks() {
		pool.Nodes = append(pool.Nodes, c.rank(r/c.RanksPerVM))
	}
	for range switches {
		node := workers.Node{Host: SwitchHost, Address: loopback}
		if c.network != nil {
			node.Address = SwitchAddress
		}
		pool.Nodes = append(pool.Nodes, node)
	}
	if c.network != nil {
		pool.Links = c.counted
	}
	return pool
}

const loopback = "127.0.0.1"

// rank is the place of a rank of VM i.
func (c *Cluster) rank(i int) workers.Node {
	node := workers.Node{Host: c.Links[i].Host, Address: loopback}
	if c.network != nil {
		node.Address = Address(i)
		node.Start = func(cmd *exec.Cmd) error { return c.network.Start(i, cmd) }
	}
	return node
}

// counted reads the links' counters, by rank.
func (c *Cluster) counted() ([]bench.LinkBytes, error) {
	vms, err := c.network.Counters()
	if err != nil {
		return nil, err
	}
	return shares(vms, c.RanksPerVM), nil
}

// shares splits each VM's bytes evenly among its ranks.
func shares(vms []bench.LinkBytes, ranksPerVM int) []bench.LinkBytes {
	n := float64(ranksPerVM)
	ranks := make([]bench.LinkBytes, len(vms)*ranksPerVM)
	for r := range ranks {
		vm := vms[r/ranksPerVM]
		ranks[r] = bench.LinkBytes{Sent: vm.Sent / n, Received: vm.Received / n}
	}
	return ranks
}

// Machine is the model's description of the cluster, from the rates of its links alone.
func (c *Cluster) Machine() (model.Machine, error) {
	rates := make([]model.Rates, len(c.Links))
	for i, l := range c.Links {
		rates[i] = model.Rates{Transmit: l.Transmit, Receive: l.Receive}
	}
	return model.Lab(rates, c.RanksPerVM)
}

// Close takes the cluster down, when its teams are closed.
func (c *Cluster) Close() error {
	if c.network != nil {
		return c.network.Close()
	}
	return c.pace.File.Close()
}
