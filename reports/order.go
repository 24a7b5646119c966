package reports

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/summary"
	"collbench/bench/unit"
	"collbench/collectives"
	"collbench/collectives/algorithms"
)

// sorted puts rows into the order in which they are read, whatever the order in which they were measured.
func sorted(rows []summary.Row) []summary.Row {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, compareRows)
	return rows
}

func compareRows(a, b summary.Row) int {
	return cmp.Or(cmp.Compare(subject(a), subject(b)), cmp.Compare(a.Ranks, b.Ranks), strings.Compare(a.DataType, b.DataType),
		strings.Compare(a.Reduction, b.Reduction), cmp.Compare(a.Root, b.Root), cmp.Compare(a.Bytes, b.Bytes),
		cmp.Compare(rank(a.Algorithm), rank(b.Algorithm)), strings.Compare(a.Algorithm, b.Algorithm),
		strings.Compare(a.Backend+a.Variant+a.Transport+a.Buffers, b.Backend+b.Variant+b.Transport+b.Buffers),
		strings.Compare(string(a.Timing), string(b.Timing)), compareBool(a.InPlace, b.InPlace), cmp.Compare(a.Launch, b.Launch))
}

// subject is the place of a collective, or after all of them of a point-to-point test, in the order in which they are shown.
func subject(r summary.Row) int {
	if r.Operation != "" {
		return len(collectives.Collectives) + slices.IndexFunc(bench.PointToPoints, func(p bench.PointToPoint) bool { return p.Name == r.Operation })
	}
	c, _ := collectives.ParseCollective(r.Collective)
	return int(c)
}

// rank is an algorithm's place in the list of all; unknown ones, auto among them, come first.
func rank(algorithm string) int {
	return slices.IndexFunc(algorithms.All, func(a collectives.Algorithm) bool { return a.Name == algorithm })
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// remark is an error or a note with the cases that it is about.
type remark struct{ Status, Cases, Text string }

// figure at the end of a note, by which alike notes differ: "precision 1 % not reached: 5.27 %".
var trailing = regexp.MustCompile(`: [0-9.]+ %$`)

// remarks collects errors and notes; those that say the same are one.
func remarks(rows []summary.Row) (list []remark) {
	cases := map[remark][]string{}
	var order []remark
	for _, r := range rows {
		for _, k := range []remark{{Status: string(r.Status), Text: r.Error}, {Status: "note", Text: trailing.ReplaceAllString(r.Note, "")}} {
			if k.Text == "" {
				continue
			}
			k.Text = oneLine(k.Text)
			if cases[k] == nil {
				order = append(order, k)
			}
			cases[k] = append(cases[k], oneLine(caseName(r)))
		}
	}
	for _, k := range order {
		c := unique(cases[k])
		if len(c) > 4 {
			c = append(c[:3:3], plural(len(c)-3, "more case", "more cases"))
		}
		k.Cases = strings.Join(c, ", ")
		list = append(list, k)
	}
	return list
}

// caseName names a row's case: "all_reduce ring 4 MiB", "latency 8 B".
func caseName(r summary.Row) string {
	return strings.Join(slices.DeleteFunc([]string{r.Name(), ranAs(r), unit.Bytes(r.Bytes)}, func(s string) bool { return s == "" }), " ")
}

func unique(list []string) (kept []string) {
	for _, s := range list {
		if !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
