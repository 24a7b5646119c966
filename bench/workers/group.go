package workers

import (
	"context"
	"fmt"

	"collbench/bench"
	"collbench/collectives"
)

// maxExchange bounds a node's part of an exchange in bytes.
const maxExchange = 1 << 20

// group is a bench.PacedGroup over the control connection.
type group struct {
	seat
	welcome
	worker   *worker
	segment  *bench.Segment
	pace     *bench.Pace
	progress *bench.Progress
}

func (g *group) Node() collectives.Node         { return g.seat.Node }
func (g *group) Ranks() int                     { return g.welcome.Ranks }
func (g *group) Nodes() int                     { return len(g.Hosts) }
func (g *group) Host(n collectives.Node) string { return g.Hosts[n] }
func (g *group) Address() string                { return g.Addresses[g.seat.Node] }
func (g *group) Shared() *bench.Segment         { return g.segment }
func (g *group) Progress() *bench.Progress      { return g.progress }
func (g *group) Pace() *bench.Pace              { return g.pace }

// Exchange sends this node's part to the parent and waits for all parts.
func (g *group) Exchange(ctx context.Context, mine []byte) ([][]byte, error) {
	if len(mine) > maxExchange {
		return nil, fmt.Errorf("exchange of %d bytes: at most %d", len(mine), maxExchange)
	}
	g.worker.reply(message{Kind: exchange, Data: [][]byte{mine}})
	select {
	case all := <-g.worker.exchanges:
		if len(all) != len(g.Hosts) {
			return nil, fmt.Errorf("exchange: parts of %d nodes: want %d", len(all), len(g.Hosts))
		}
		return all, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
