package algorithms

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"collbench/collectives"
)

var update = flag.Bool("update", false, "write docs/algorithms.md anew")

const docsFile = "../../docs/algorithms.md"

// docs/algorithms.md is written from the programs. It is stale when this fails; -update writes it anew.
func TestDocs(t *testing.T) {
	text := docs()
	if *update {
		if err := os.WriteFile(docsFile, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, text) {
		t.Error("docs/algorithms.md is not what the programs say; run: go test ./collectives/algorithms -run TestDocs -update")
	}
}

const docsHead = `# Algorithms

This page is written by ` + "`go test ./collectives/algorithms -run TestDocs -update`" + ` from the programs themselves: every
number is counted, none is computed by a formula. The sources are in the package comment of collectives/algorithms.

S is the length of the whole buffer, N the number of ranks. A *slice* is S/N. *Sends* and *receives* are slices that
cross the busiest rank's interface, each the largest over the ranks by itself; *sent* and *received* are the same in
units of S. *Rounds* is the number of steps with one chunk; a pipelined algorithm takes one more for each further chunk.
*Reduced* is what the busiest rank combines itself, *by a switch* what the busiest switch does. A *message* is one
transfer, sent or received, of any length. The root is rank 0, switches have 40 down ports. ` + "`hierarchical`, `nvls+sharp`" + `
and ` + "`nvlstree`" + ` have domains of 4 ranks at N = 8 and of 8 above.

` + "`4N ÷ total`" + ` and ` + "`4(N−1) ÷ total`" + ` compare sends + receives of an all-reduce with the 2N + 2N of NVIDIA's NVSwitch
slide and with the 2(N−1) + 2(N−1) that a ring really makes.
`

func docs() []byte {
	var b bytes.Buffer
	b.WriteString(docsHead + "\n")
	for _, a := range All {
		fmt.Fprintf(&b, "- `%s`: %s\n", a.Name, a.Summary)
	}
	for _, c := range collectives.Collectives {
		fmt.Fprintf(&b, "\n## %s\n\nN = 8, one chunk:\n\n", c)
		rows := [][]string{{"algorithm", "rounds", "sends", "receives", "sent", "received", "messages", "reduced", "switches", "by a switch"}}
		if c == collectives.AllReduce {
			rows[0] = append(rows[0], "4N ÷ total", "4(N−1) ÷ total")
		}
		for _, a := range For(c) {
			rows = append(rows, eight(a, c))
		}
		writeTable(&b, rows)
		b.WriteString("\nRounds, and sends + receives, by the number of ranks:\n\n")
		rows = [][]string{{"algorithm"}}
		for _, n := range docsRanks {
			rows[0] = append(rows[0], fmt.Sprintf("N = %d", n))
		}
		for _, a := range For(c) {
			rows = append(rows, byRanks(a, c))
		}
		writeTable(&b, rows)
	}
	b.WriteString(domainsHead)
	rows := [][]string{{"algorithm", "N", "domain", "within: sends", "within: receives", "between: sends", "between: receives"}}
	for _, a := range For(collectives.AllReduce) {
		if a.Name != "nvls" { // its switch is of one domain
			rows = append(rows, byDomain(a, 8, 4), byDomain(a, 64, 8))
		}
	}
	writeTable(&b, rows)
	return b.Bytes()
}

const domainsHead = `
## all_reduce, by domains

The same slices, where a domain's NVSwitch is part of it and all other switches are not: what crosses from one domain to
another, and what does not. Ranks are numbered domain by domain.

`

// byDomain is an algorithm's row of what stays in a domain and what leaves it.
func byDomain(a collectives.Algorithm, n, local int) []string {
	s := even(collectives.AllReduce, n, local, 1)
	home := func(v node) int {
		if int(v) < n {
			return int(v) / local
		}
		if level, index := a.Place(s, v); level == 0 {
			return index
		}
		return int(v)
	}
	var within, between collectives.Traffic
	for v := range node(n) {
		all, out := collectives.Count(a, s, v), collectives.CountAcross(a, s, v, home)
		within.Sent, between.Sent = max(within.Sent, all.Sent-out.Sent), max(between.Sent, out.Sent)
		within.Received, between.Received = max(within.Received, all.Received-out.Received), max(between.Received, out.Received)
	}
	row := []string{"`" + a.Name + "`", strconv.Itoa(n), strconv.Itoa(local)}
	for _, elements := range []int{within.Sent, within.Received, between.Sent, between.Received} {
		row = append(row, number(float64(elements*n)/float64(s.Size())))
	}
	return row
}

var docsRanks = []int{2, 3, 8, 64, 72, 1024}

// docsShape is the shape on the page.
func docsShape(a collectives.Algorithm, c collectives.Collective, n int) (shape, error) {
	local := n
	if a.Refuses != nil && n >= 8 {
		local = 8
		if n == 8 {
			local = 4
		}
	}
	s := even(c, n, local, 1)
	return s, a.Supports(s)
}

// eight is an algorithm's row for 8 ranks.
func eight(a collectives.Algorithm, c collectives.Collective) []string {
	s, err := docsShape(a, c, 8)
	if err != nil {
		return []string{"`" + a.Name + "`", err.Error()}
	}
	var reduced, bySwitch int
	for v := range node(a.Nodes(s)) {
		if t := collectives.Count(a, s, v); int(v) < s.Ranks {
			reduced = max(reduced, t.Accumulated)
		} else {
			bySwitch = max(bySwitch, t.Accumulated)
		}
	}
	o := collectives.Busiest(a, s)
	row := []string{"`" + a.Name + "`", strconv.Itoa(rounds(a, s)), number(o.Sends), number(o.Receives), inBuffers(o.Sent, s),
		inBuffers(o.Received, s), strconv.Itoa(o.Messages), inBuffers(reduced, s), "", ""}
	if n := a.Nodes(s) - s.Ranks; n > 0 {
		row[8], row[9] = strconv.Itoa(n), inBuffers(bySwitch, s)
	}
	if c == collectives.AllReduce {
		row = append(row, fmt.Sprintf("%.3f", 32/o.Total()), fmt.Sprintf("%.3f", 28/o.Total()))
	}
	return row
}

// byRanks is an algorithm's row of "rounds: sends + receives" for several numbers of ranks.
func byRanks(a collectives.Algorithm, c collectives.Collective) []string {
	row := []string{"`" + a.Name + "`"}
	for _, n := range docsRanks {
		s, err := docsShape(a, c, n)
		if err != nil {
			row = append(row, "–")
			continue
		}
		o := collectives.Busiest(a, s)
		row = append(row, fmt.Sprintf("%d: %s + %s", rounds(a, s), number(o.Sends), number(o.Receives)))
	}
	return row
}

// rounds is the number of rounds of the programs together.
func rounds(a collectives.Algorithm, s shape) (n int) {
	for v := range node(a.Nodes(s)) {
		for _, p := range a.Program(s, v) {
			n = max(n, p.Start+p.Rounds)
		}
	}
	return n
}

// number writes up to three digits behind the point.
func number(x float64) string {
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.3f", x), "0"), ".")
}

func inBuffers(elements int, s shape) string {
	return number(float64(elements)/float64(s.Size())) + " S"
}

func writeTable(b *bytes.Buffer, rows [][]string) {
	columns := len(rows[0])
	for i, row := range rows {
		row = append(row, make([]string, columns-len(row))...)
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(b, "|%s\n", strings.Repeat("---|", columns))
		}
	}
}
