package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/lab"
	"collbench/bench/summary"

	"github.com/urfave/cli/v2"
)

// What lab measures if it is not told: what a new user should see first.
const (
	labBytes      = "4MiB"
	labAlgorithms = "ring,nvls,sharp"
)

func labCommand() *cli.Command {
	return &cli.Command{
		Name:      "lab",
		Usage:     "the same on a virtual cluster: VMs as network namespaces with rate-limited, counted links",
		ArgsUsage: "[-- run OPTIONS OF run | -- pairs OPTIONS OF pairs | -- doctor]",
		Flags:     slices.Concat(labFlags(), []cli.Flag{ranksFlag()}, caseFlags(), runFlags()),
		Action:    labAction,
	}
}

func labFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "vms", Value: 8, Usage: "number of `VMS`"},
		&cli.IntFlag{Name: "ranks-per-vm", Value: 1, Usage: "`RANKS` in each, which share its link and its memory"},
		&cli.StringFlag{Name: "link", Value: "100Mbit", Usage: "`RATES` of the VMs' links, such as 100Mbit,vm3=50Mbit,vm5:tx=50Mbit"},
		&cli.StringFlag{Name: "route", Usage: "`RATES` of single routes, both ways or one: vm2-vm5=30Mbit,vm1>vm3=20Mbit"},
		&cli.BoolFlag{Name: "paced", Usage: "TCP on loopback held back by its senders, instead of network namespaces; counts no bytes"},
	}
}

func labAction(c *cli.Context) error {
	if c.Args().Present() {
		return labOptionsOfRun(c)
	}
	if err := notLaunched("lab"); err != nil {
		return err
	}
	links, err := lab.ParseLinks(c.String("link"), c.Int("vms"))
	if err != nil {
		return usageErrorf("lab: %w", err)
	}
	routes, err := lab.ParseRoutes(c.String("route"), len(links))
	if err != nil {
		return usageErrorf("lab: %w", err)
	}
	perVM := c.Int("ranks-per-vm")
	if most := lab.MaxRanks / len(links); perVM < 1 || perVM > most {
		return usageErrorf("--ranks-per-vm: %d: want 1 … %d with %d VMs", perVM, most, len(links))
	}
	job, err := labJob(c, len(links), perVM)
	if err != nil {
		return err
	}
	cluster, err := labCluster(c, links, routes, perVM)
	if err != nil {
		return err
	}
	defer cluster.Close()
	if err := job.place(c, cluster); err != nil {
		return err
	}
	return job.measure(c)
}

// labOptionsOfRun reads "lab OPTIONS -- run OPTIONS" as "lab OPTIONS OPTIONS", and likewise pairs. Doctor looks at this machine,
// which all VMs are.
func labOptionsOfRun(c *cli.Context) error {
	args := []string{c.App.Name, c.Command.Name}
	switch first := c.Args().First(); {
	case forPairs(c):
		return usageErrorf("lab: unexpected argument %q", first)
	case first == "doctor":
		return c.App.RunContext(c.Context, append([]string{c.App.Name}, c.Args().Slice()...))
	case first == pairsName:
		args[1] = labPairsName
	case first != "run":
		return usageErrorf("lab: unexpected argument %q: want options, or -- run, -- pairs or -- doctor and its options", first)
	}
	for _, f := range c.Command.Flags {
		if name := f.Names()[0]; c.IsSet(name) {
			args = append(args, fmt.Sprintf("--%s=%v", name, c.Value(name)))
		}
	}
	return c.App.RunContext(c.Context, append(args, c.Args().Tail()...))
}

// labJob is the plan on so many VMs.
func labJob(c *cli.Context, vms, perVM int) (*job, error) {
	file, flags, err := settings(c)
	if err != nil {
		return nil, err
	}
	otherwise := func(key, text string) {
		if _, given := file.Settings[key]; !given {
			file.Settings[key] = bench.Setting{Text: text, Place: key}
		}
	}
	otherwise("bytes", labBytes)
	if !c.IsSet("plan") && !c.IsSet("collective") && !c.IsSet("operation") && !forPairs(c) {
		otherwise("algorithm", labAlgorithms)
	}
	site := bench.Site{
		Ranks: vms * perVM, Fixed: true, Hosts: vms, Domain: perVM, Transport: "tcp",
		Backends: backendNames(), Supports: supported, Algorithms: algorithmsOf,
	}
	if perVM > 1 {
		site.Transport = "shm+tcp"
	}
	plan, err := bench.Resolve(file, flags, site)
	if err != nil {
		return nil, usageErrorf("%w", err)
	}
	if err := startsItself(plan); err != nil {
		return nil, err
	}
	return newJob(c, file, flags, plan)
}

// labCluster makes the cluster in this process, which has to be inside its namespaces for that. The process that
// the user started gets there by starting another one, whose exit code it ends with; where that is refused it
// stays outside, and the links are paced.
func labCluster(c *cli.Context, links []bench.LinkInfo, routes []bench.RouteInfo, perVM int) (*lab.Cluster, error) {
	if c.Bool("paced") {
		return labPaced(links, routes, perVM)
	}
	if line, inside := lab.Entered(); inside {
		cluster, err := lab.New(links, perVM, routes...)
		if err != nil {
			line.Refuse(err)
			return nil, silent(exitEnvironment)
		}
		return cluster, nil
	}
	code, err := lab.Enter()
	var refused *lab.Refused
	switch {
	case errors.As(err, &refused):
		fmt.Fprintf(c.App.ErrWriter, "collbench: lab: %s; instead, TCP on loopback is held back by its senders, and no bytes are counted\n", refused.Reason)
		return labPaced(links, routes, perVM)
	case err != nil:
		return nil, environmentErrorf("lab: %w", err)
	}
	return nil, silent(code)
}

func labPaced(links []bench.LinkInfo, routes []bench.RouteInfo, perVM int) (*lab.Cluster, error) {
	if len(routes) > 0 {
		return nil, environmentErrorf("lab: --route: only the kernel limits single routes, in network namespaces")
	}
	cluster, err := lab.NewPaced(links, perVM)
	if err != nil {
		return nil, environmentErrorf("lab: %w", err)
	}
	return cluster, nil
}

// label adds to the variant of every row of the plan, so that its figures are not taken for those of another kind.
func label(p *bench.Plan, variant string) {
	for i := range p.Cases {
		p.Cases[i].How.Variant = strings.TrimPrefix(p.Cases[i].How.Variant+";"+variant, ";")
	}
	for i := range p.Skipped {
		p.Skipped[i].How.Variant = strings.TrimPrefix(p.Skipped[i].How.Variant+";"+variant, ";")
	}
}

// place puts the job on the cluster.
func (j *job) place(c *cli.Context, cluster *lab.Cluster) error {
	command, err := workerCommandLine()
	if err != nil {
		return err
	}
	pool := cluster.Pool(command, switches(j.plan))
	pool.Timeout = c.Duration("timeout")
	j.launcher, j.info.Findings = pool, ownFindings(c.Context)
	for rank := range cluster.Ranks() {
		j.info.Ranks = append(j.info.Ranks, cluster.Info(rank))
	}
	j.info.Links, j.info.Routes, j.info.LinkKind = cluster.Links, cluster.Routes, cluster.Kind
	if cluster.Kind == lab.KindPaced {
		label(&j.plan, bench.PacedVariant)
	}
	if len(cluster.Routes) > 0 {
		return nil // the model knows links alone
	}
	machine, err := cluster.Machine()
	if err != nil {
		return environmentErrorf("lab: %w", err)
	}
	if j.info.Machine, err = json.Marshal(machine); err != nil {
		return fmt.Errorf("machine of the lab: %w", err)
	}
	links := j.info // priced without latencies
	machine.Start.Value, machine.Domain.Latency.Value, machine.NIC.Latency.Value = 0, 0, 0
	if links.Machine, err = json.Marshal(machine); err != nil {
		return fmt.Errorf("machine of the lab: %w", err)
	}
	j.adjust = func(r *bench.Result) {
		if why := cpuLimited(j.info, links, *r, cluster); why != "" {
			r.Status, r.Error = bench.Unproven, why
		}
	}
	return nil
}

// cpuLimited says whether the CPUs, not the links, were the limit of a case.
func cpuLimited(info, links bench.RunInfo, r bench.Result, cluster *lab.Cluster) string {
	row, bare := summary.Of(info, r), summary.Of(links, r)
	if r.Status != bench.OK || row.Seconds == nil || row.Model == nil || bare.Model == nil {
		return ""
	}
	return lab.CPULimited(lab.Figures{
		Seconds: row.Seconds.Median, Model: row.Model.Seconds, Bandwidth: bare.Model.Seconds, Counted: r.Counted, CPU: r.CPU,
		CPUs: info.Environment.CPUs,
	}, cluster.Links, cluster.RanksPerVM)
}
