package workers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"collbench/bench"
)

// failure says what went wrong: a death before complaints, which may only be its echo.
func (t *team) failure(c *collection) error {
	if len(c.dead) == 0 {
		slices.SortFunc(c.errors, func(a, b complaint) int { return a.node - b.node })
		node, text := t.subject(c.errors[0])
		if len(c.errors) > 1 {
			text += fmt.Sprintf(" (and %d more like it)", len(c.errors)-1)
		}
		return t.fault(bench.FaultRefused, node, 0, t.errorf("%s", text).Error())
	}
	t.starter.refresh()
	var texts []string
	for _, node := range c.dead {
		w := t.processes[node]
		texts = append(texts, fmt.Sprintf("%s (pid %d) %s", t.pool.name(node), w.pid, w.death()))
	}
	return t.fault(bench.FaultEnded, c.dead[0], 0, fmt.Sprintf("%s in %s", strings.Join(texts, ", "), t.where(c.dead[0])))
}

// subject is the node that a complaint is about, with its text: the one that it begins with, or else the one that makes
// it.
func (t *team) subject(c complaint) (node int, text string) {
	for i := range t.processes {
		if rest, ok := strings.CutPrefix(c.text, t.pool.name(i)); ok && (strings.HasPrefix(rest, ": ") || strings.HasPrefix(rest, " ")) {
			return i, c.text
		}
	}
	return c.node, fmt.Sprintf("%s: %s", t.pool.name(c.node), c.text)
}

// hang says who did not go on, as well as it can be known: a node that is stopped, one that does not answer the
// watchdog, or the one that the others wait for.
func (t *team) hang(c *collection, after time.Duration) error {
	after = after.Round(time.Millisecond)
	t.starter.refresh()
	for i, w := range t.processes {
		if trouble := w.trouble(); trouble != "" {
			return t.fault(bench.FaultStopped, i, after, fmt.Sprintf("%s (pid %d) %s in %s; given up after %s", t.pool.name(i), w.pid, trouble, t.where(i), after))
		}
	}
	for i, w := range t.processes {
		if time.Since(c.heard[i]) > 2*pingEvery {
			return t.fault(bench.FaultSilent, i, after, fmt.Sprintf("%s (pid %d) does not answer in %s; given up after %s", t.pool.name(i), w.pid, t.where(i), after))
		}
	}
	node := t.blamed(c)
	if node < 0 {
		return t.deadlock(c, after)
	}
	return t.fault(bench.FaultStuck, node, after, fmt.Sprintf("%s (pid %d) did not go on in %s; given up after %s; %s",
		t.pool.name(node), t.processes[node].pid, t.where(node), after, t.positions()))
}

// deadlock is the error where nothing shows which of the nodes holds the others up: they wait inside a library.
func (t *team) deadlock(c *collection, after time.Duration) error {
	waiting := t.waiting(c)
	f := &bench.Fault{Kind: bench.FaultStuck, GivenUp: after.Seconds(), Position: t.position(waiting[0])}
	f.Rank, f.Switch, f.Host, f.WaitsFor = nil, nil, "", ""
	for i := range min(len(t.processes), maxPositions) {
		f.Others = append(f.Others, t.position(i))
	}
	f.Text = fmt.Sprintf("none of %d nodes went on in %s; given up after %s; nothing shows which of them holds the others up; %s",
		len(waiting), t.where(waiting[0]), after, t.positions())
	return f
}

// waiting lists the nodes that have not answered. Where nodes wait in an exchange these are the ones that have not
// brought their parts.
func (t *team) waiting(c *collection) (nodes []int) {
	for i, answered := range c.answered {
		if !answered && len(c.parts[i]) == 0 {
			nodes = append(nodes, i)
		}
	}
	if nodes == nil {
		nodes = append(nodes, slices.Index(c.answered, false))
	}
	return nodes
}

// blamed follows who waits for whom to the node at the end: one that waits for nobody, or in a circle the first
// that comes up again. Where no node says whom it waits for it is the one that is behind the others; -1 if none is.
func (t *team) blamed(c *collection) int {
	waiting := t.waiting(c)
	silent := func(i int) bool { return t.processes[i].progress.Waiting.Load() == 0 }
	if len(waiting) > 1 && !slices.ContainsFunc(waiting, func(i int) bool { return !silent(i) }) {
		return t.last(waiting)
	}
	node := waiting[0]
	seen := map[int]bool{}
	for !seen[node] {
		seen[node] = true
		next := int(t.processes[node].progress.Waiting.Load()) - 1
		if next < 0 || next >= len(t.processes) {
			break
		}
		node = next
	}
	return node
}

// last is the node that is behind all others of the list; -1 if several are where it is.
func (t *team) last(nodes []int) int {
	behind := func(a, b int) int {
		p, q := t.processes[a].progress, t.processes[b].progress
		return cmp.Or(cmp.Compare(t.stageOf(a), t.stageOf(b)), cmp.Compare(p.Iteration.Load(), q.Iteration.Load()), cmp.Compare(p.Round.Load(), q.Round.Load()))
	}
	nodes = slices.SortedStableFunc(slices.Values(nodes), behind)
	if behind(nodes[0], nodes[1]) == 0 {
		return -1
	}
	return nodes[0]
}

// fault is the error that names a node.
func (t *team) fault(kind bench.FaultKind, node int, after time.Duration, text string) error {
	f := &bench.Fault{Kind: kind, PID: t.processes[node].pid, GivenUp: after.Seconds(), Position: t.position(node), Text: text}
	for i := range min(len(t.processes), maxPositions) {
		if i != node {
			f.Others = append(f.Others, t.position(i))
		}
	}
	return f
}

// position is where a node was last seen.
func (t *team) position(node int) bench.Position {
	w := t.processes[node]
	p := w.progress
	at := bench.Position{Host: t.pool.Nodes[node].Host, Stage: t.stageOf(node).String(), Iteration: p.Iteration.Load(),
		Round: p.Round.Load(), Still: w.still().Seconds()}
	number := node
	if node < t.pool.Ranks {
		at.Rank = &number
	} else {
		number -= t.pool.Ranks
		at.Switch = &number
	}
	if waiting := int(p.Waiting.Load()) - 1; waiting >= 0 && waiting < len(t.processes) {
		at.WaitsFor = t.pool.name(waiting)
	}
	return at
}

// stageOf is the stage that a node is in; one that has not begun has that of the team before it.
func (t *team) stageOf(node int) bench.Stage {
	if stage := bench.Stage(t.processes[node].progress.Stage.Load()); stage != bench.StageIdle {
		return stage
	}
	return t.stage
}

// where says what the node was at: "all_reduce 4 MiB ring, iterate, iteration 12".
func (t *team) where(node int) string {
	stage := t.stageOf(node)
	text := stage.String()
	if t.current != (bench.Case{}) {
		text = fmt.Sprintf("%s, %s", t.current, stage)
	}
	if stage == bench.StageIterate || stage == bench.StageWarmUp {
		text += fmt.Sprintf(", iteration %d", t.processes[node].progress.Iteration.Load())
	}
	return text
}

// maxPositions bounds the list of positions in a message.
const maxPositions = 16

// positions says where every node is: "rank 0 on vm0: iterate, iteration 3, round 2 for 2.1 s, waits for rank 1".
func (t *team) positions() string {
	var list []string
	for i := range min(len(t.processes), maxPositions) {
		p := t.position(i)
		text := fmt.Sprintf("%s: %s, iteration %d, round %d for %.1f s", t.pool.name(i), bench.Stage(t.processes[i].progress.Stage.Load()), p.Iteration, p.Round, p.Still)
		if p.WaitsFor != "" {
			text += ", waits for " + p.WaitsFor
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}
