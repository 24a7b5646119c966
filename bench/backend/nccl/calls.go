package nccl

import (
	"collbench/bench"
	"collbench/cgo/cuda"
	"collbench/cgo/nccl"
)

// role is what this rank does in the case.
type role struct {
	rank     int  // in the payload: of a point-to-point test 0 the first of the pair, 1 the second
	peer     int  // of a point-to-point test; -1: this rank is in no pair
	receives bool // what the contract of the collective says that it gets
}

// part finds the role of a rank.
func part(c bench.Case, rank int) role {
	if c.What.Operation == "" {
		return role{rank, -1, true}
	}
	p, _ := bench.FindPointToPoint(c.What.Operation)
	for _, pair := range c.Pairs() {
		switch rank {
		case pair.From:
			return role{0, pair.To, !p.Windowed || p.BothWays}
		case pair.To:
			return role{1, pair.From, true}
		}
	}
	return role{0, -1, false}
}

// calls are the case as NCCL is asked for it on this rank, one after the other. The word is memory for an acknowledgement.
func (o *operation) calls(reduction nccl.Op, word cuda.Pointer) []nccl.Call {
	n := o.shape.Ranks
	k := nccl.Call{
		Collective: calls[o.test.What.Collective], Send: o.in.address, Recv: o.out.address, Count: o.shape.Count, Type: types[o.test.What.DataType],
		Op: reduction, Root: o.shape.Root, To: (o.role.rank + 1) % n, From: (o.role.rank + n - 1) % n,
	}
	p, err := bench.FindPointToPoint(o.test.What.Operation)
	if err != nil {
		return []nccl.Call{k}
	}
	k.Collective, k.To, k.From = nccl.SendRecv, o.role.peer, o.role.peer
	if o.role.peer < 0 {
		return []nccl.Call{k}
	}
	there, back := k, k
	there.From, back.To = -1, -1
	if p.Windowed {
		k.Times, there.Times, back.Times = o.test.What.Window, o.test.What.Window, 1
		back.Send, back.Recv, back.Count, back.Type = word, word, 1, nccl.Int32
	}
	switch {
	case p.BothWays:
		return []nccl.Call{k}
	case o.role.rank == 1: // as the other one, with the ends changed
		there.To, there.From, back.To, back.From = -1, there.To, back.From, -1
	}
	return []nccl.Call{there, back}
}
