package launch

import (
	"context"
	"fmt"
	"strconv"
)

// findTorchrun reads what torchrun sets for every process (torch.distributed's "env://").
func findTorchrun(v Variables) (*World, error) {
	if !v.has("RANK", "WORLD_SIZE") {
		return nil, nil
	}
	w := newWorld("torchrun", "torchrun's variables")
	if v.has("TORCHELASTIC_RUN_ID") {
		w.By = "torchrun"
	}
	r := reading{world: w, variables: v}
	r.number("rank", &w.Rank, 0, "RANK")
	r.number("size", &w.Size, 1, "WORLD_SIZE")
	r.number("local rank", &w.LocalRank, 0, "LOCAL_RANK")
	r.number("local size", &w.LocalSize, 1, "LOCAL_WORLD_SIZE")
	return w, r.err
}

// portsTried is how many ports in a row rank 0 may listen on where others may be in the way.
const portsTried = 8

// openTorchrun meets behind MASTER_PORT, which is torchrun's own: its store listens there, or PyTorch will.
func openTorchrun(_ context.Context, _ *World, v Variables) (Exchange, error) {
	port, err := strconv.Atoi(v["MASTER_PORT"])
	if err != nil || port < 1 || port > 65535-portsTried || !v.has("MASTER_ADDR") {
		return nil, fmt.Errorf("MASTER_ADDR=%q and MASTER_PORT=%q: want a host and a port", v["MASTER_ADDR"], v["MASTER_PORT"])
	}
	return meetAt(v, v["MASTER_ADDR"], consecutive(port+1)...)
}

func consecutive(first int) []int {
	var ports []int
	for i := range portsTried {
		ports = append(ports, first+i)
	}
	return ports
}
