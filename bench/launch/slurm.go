package launch

import (
	"context"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// findSlurm reads what srun sets for every task of a step. A batch script has a rank too, but is no step.
func findSlurm(v Variables) (*World, error) {
	if !v.has("SLURM_PROCID") || !v.has("SLURM_STEP_ID") && !v.has("SLURM_STEPID") {
		return nil, nil
	}
	w := newWorld("slurm", "srun")
	r := reading{world: w, variables: v}
	r.number("rank", &w.Rank, 0, "SLURM_PROCID")
	r.number("size", &w.Size, 1, "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NPROCS")
	r.number("local rank", &w.LocalRank, 0, "SLURM_LOCALID")
	r.number("slots", &w.Slots, 1, "SLURM_NTASKS")
	node := 0
	r.number("node", &node, 0, "SLURM_NODEID")
	if r.err != nil {
		return nil, r.err
	}
	if w.Size == 0 {
		return nil, fmt.Errorf("SLURM_PROCID=%d is there, but neither SLURM_STEP_NUM_TASKS nor SLURM_NTASKS", w.Rank)
	}
	const tasks = "SLURM_STEP_TASKS_PER_NODE"
	if counts, err := tasksPerNode(v[tasks]); err == nil && node < len(counts) {
		r.set("local size", &w.LocalSize, counts[node], tasks)
	}
	return w, nil
}

// tasksPerNode reads Slurm's "2(x3),1": 2, 2, 2, 1.
func tasksPerNode(text string) ([]int, error) {
	var counts []int
	for part := range strings.SplitSeq(text, ",") {
		number, rest, repeated := strings.Cut(part, "(x")
		n, err := strconv.Atoi(number)
		times := 1
		if repeated && err == nil {
			times, err = strconv.Atoi(strings.TrimSuffix(rest, ")"))
		}
		if err != nil || n < 1 || times < 1 || n > maxRanks || len(counts)+times > maxRanks {
			return nil, fmt.Errorf("tasks per node %q: want a list such as 2(x3),1", text)
		}
		for range times {
			counts = append(counts, n)
		}
	}
	return counts, nil
}

// firstHost is the first name of a Slurm list of hosts: node-a01 of "node-a[01-04,07],other".
func firstHost(list string) (string, error) {
	name, rest, ranged := strings.Cut(list, "[")
	if i := strings.IndexByte(name, ','); i >= 0 || !ranged {
		if i >= 0 {
			name = name[:i]
		}
		return name, checkHost(name, list)
	}
	inside, suffix, closed := strings.Cut(rest, "]")
	if !closed {
		return "", fmt.Errorf("list of hosts %q: a bracket is not closed", list)
	}
	suffix, _, _ = strings.Cut(suffix, ",")
	first := inside[:strings.IndexAny(inside+",", ",-")]
	name += first + suffix
	return name, checkHost(name, list)
}

func checkHost(name, list string) error {
	if name == "" || strings.ContainsAny(name, "[], \t\n") {
		return fmt.Errorf("list of hosts %q: no first name", list)
	}
	return nil
}

// slurmPorts is the range in which the ports of steps lie that srun has reserved none for.
const slurmPorts, slurmFirstPort = 20000, 20000

// openSlurm meets on the step's first host, on a port that srun has reserved or else one that follows from the step.
func openSlurm(_ context.Context, _ *World, v Variables) (Exchange, error) {
	list := v["SLURM_STEP_NODELIST"]
	if list == "" {
		list = v["SLURM_JOB_NODELIST"]
	}
	host, err := firstHost(list)
	if err != nil {
		return nil, err
	}
	if first, _, _ := strings.Cut(v["SLURM_STEP_RESV_PORTS"], "-"); first != "" {
		port, err := strconv.Atoi(first)
		if err != nil || port < 1 || port > 65535 {
			return nil, fmt.Errorf("SLURM_STEP_RESV_PORTS=%q: no ports", v["SLURM_STEP_RESV_PORTS"])
		}
		return meetAt(v, host, port)
	}
	mix := fnv.New32a()
	fmt.Fprint(mix, v["SLURM_JOB_ID"], ".", v["SLURM_STEP_ID"])
	return meetAt(v, host, consecutive(slurmFirstPort+int(mix.Sum32()%slurmPorts))...)
}
