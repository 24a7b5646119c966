package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"collbench/bench/unit"
	"collbench/collectives"
	"collbench/collectives/algorithms"
	"collbench/collectives/model"

	"github.com/urfave/cli/v2"
)

func modelCommand() *cli.Command {
	return &cli.Command{
		Name:  "model",
		Usage: "count an algorithm's operations and predict its time on a machine, for any number of ranks",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "collective", Value: "all_reduce", Usage: "collectives, separated by commas"},
			&cli.StringFlag{Name: "algorithm", Value: "all", Usage: "algorithms, separated by commas; all leaves out what a shape refuses"},
			&cli.StringFlag{Name: "ranks", Value: "8", Usage: "numbers of ranks, such as 2,4,8,72"},
			&cli.StringFlag{Name: "bytes", Value: "64MiB", Usage: "sizes, such as 8:64MiB:x2 or 4MiB,1GiB"},
			&cli.StringFlag{Name: "machine", Value: model.Generic, Usage: strings.Join(model.Names(), ", ") + " or a JSON file; or " + ncclMachines()},
			&cli.IntFlag{Name: "domain", Usage: "ranks of an NVLink domain (default: 8 for hierarchical, nvls+sharp and nvlstree, else all)"},
			&cli.IntFlag{Name: "radix", Value: 40, Usage: "down ports of an aggregation switch"},
			&cli.IntFlag{Name: "chunks", Usage: "chunks of a pipeline (default: by size and machine)"},
			&cli.StringFlag{Name: "dtype", Value: "float32", Usage: "data type"},
			&cli.StringFlag{Name: "format", Value: "table", Usage: "table or json"},
		},
		Action: func(c *cli.Context) error {
			q, err := parseModelQuery(c)
			if err != nil {
				return exitError{exitUsage, fmt.Errorf("model: %w", err)}
			}
			if name, ok := strings.CutPrefix(c.String("machine"), ncclPrefix); ok {
				return q.writeNCCL(c, name)
			}
			rows, err := q.rows(c.App.ErrWriter)
			if err != nil {
				return exitError{exitUsage, fmt.Errorf("model: %w", err)}
			}
			if c.String("format") == "json" {
				return writeModelJSON(c.App.Writer, rows)
			}
			return writeModelTable(c.App.Writer, q.machine, rows)
		},
	}
}

// modelQuery is what the model command is asked. Zero stands for the default of domain and chunks.
type modelQuery struct {
	collectives   []collectives.Collective
	algorithms    []collectives.Algorithm
	named         bool // the algorithms were named one by one
	ranks         []int
	bytes         []int64
	machine       model.Machine
	domain, radix int
	chunks        int
	dataType      collectives.DataType
}

func parseModelQuery(c *cli.Context) (q modelQuery, err error) {
	if f := c.String("format"); f != "table" && f != "json" {
		return q, fmt.Errorf("unknown format %q: want one of table, json", f)
	}
	for _, name := range strings.Split(c.String("collective"), ",") {
		one, err := collectives.ParseCollective(name)
		if err != nil {
			return q, err
		}
		q.collectives = append(q.collectives, one)
	}
	q.algorithms = algorithms.All
	if names := c.String("algorithm"); names != "all" {
		q.named, q.algorithms = true, nil
		for _, name := range strings.Split(names, ",") {
			a, err := algorithms.Find(name)
			if err != nil {
				return q, err
			}
			q.algorithms = append(q.algorithms, a)
		}
	}
	if q.ranks, err = parseRanks(c.String("ranks")); err != nil {
		return q, err
	}
	if q.bytes, err = unit.ParseSizes(c.String("bytes")); err != nil {
		return q, err
	}
	if q.dataType, err = collectives.ParseDataType(c.String("dtype")); err != nil {
		return q, err
	}
	q.domain, q.radix, q.chunks = c.Int("domain"), c.Int("radix"), c.Int("chunks")
	if c.IsSet("domain") && q.domain < 1 {
		return q, fmt.Errorf("domain %d: want 1 or more", q.domain)
	}
	if c.IsSet("chunks") && q.chunks < 1 {
		return q, fmt.Errorf("chunks %d: want 1 or more", q.chunks)
	}
	if q.radix < 2 {
		return q, fmt.Errorf("radix %d: want 2 or more", q.radix)
	}
	if !strings.HasPrefix(c.String("machine"), ncclPrefix) {
		q.machine, err = findMachine(c.String("machine"))
	}
	return q, err
}

// maxRanks bounds the ranks of a model: pricing takes memory in proportion.
const maxRanks = 1 << 20

func parseRanks(list string) (ranks []int, err error) {
	for _, text := range strings.Split(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 || n > maxRanks {
			return nil, fmt.Errorf("ranks %q: want numbers from 1 to %d, such as 2,4,8,72", list, maxRanks)
		}
		ranks = append(ranks, n)
	}
	return ranks, nil
}

// findMachine finds a machine by name, or else reads it from a file.
func findMachine(name string) (model.Machine, error) {
	m, unknown := model.Named(name)
	if unknown == nil {
		return m, nil
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) && !strings.ContainsAny(name, "/.") {
		return m, unknown
	}
	if err != nil {
		return m, fmt.Errorf("machine file: %w", err)
	}
	if m, err = model.Parse(data); err != nil {
		return m, fmt.Errorf("machine file %s: %w", name, err)
	}
	if m.Name == "" {
		m.Name = name
	}
	return m, nil
}

// rows prices every combination. A combination that is refused is told on notes if its algorithm was named.
func (q modelQuery) rows(notes io.Writer) (rows []modelRow, err error) {
	var refusals []error
	for _, c := range q.collectives {
		for _, n := range q.ranks {
			for _, bytes := range q.bytes {
				s, err := collectives.NewShape(c, n, 0, bytes, q.dataType)
				if err != nil {
					return nil, err
				}
				for _, a := range q.algorithms {
					row, err := q.row(a, s, bytes)
					switch {
					case err == nil:
						rows = append(rows, row)
					case q.named:
						refusals = append(refusals, err)
					}
				}
			}
		}
	}
	if len(rows) == 0 && len(refusals) == 0 {
		return nil, errors.New("no algorithm fits these ranks on this machine")
	}
	if len(rows) == 0 {
		return nil, errors.Join(unique(refusals)...)
	}
	for _, refusal := range unique(refusals) {
		fmt.Fprintf(notes, "collbench: model: skipped: %s\n", oneLine(refusal))
	}
	return rows, nil
}

// unique leaves out errors that say the same again, as for several sizes.
func unique(errs []error) (some []error) {
	seen := map[string]bool{}
	for _, err := range errs {
		if !seen[err.Error()] {
			seen[err.Error()] = true
			some = append(some, err)
		}
	}
	return some
}

// usualDomain is the number of GPUs in the systems for which algorithms with a local and a global part are made.
const usualDomain = 8

// shape completes the shape for an algorithm.
func (q modelQuery) shape(a collectives.Algorithm, s collectives.Shape, bytes int64) collectives.Shape {
	s.Radix = q.radix
	switch {
	case q.domain > 0:
		s.Local = min(q.domain, s.Ranks)
	case a.Name == "hierarchical" || a.Name == "nvls+sharp" || a.Name == "nvlstree":
		s.Local = min(usualDomain, s.Ranks)
	}
	if s.Chunks = q.chunks; q.chunks == 0 {
		s.Chunks = q.machine.Chunks(a, s.Collective, bytes)
	}
	return s
}

func (q modelQuery) row(a collectives.Algorithm, s collectives.Shape, bytes int64) (modelRow, error) {
	s = q.shape(a, s, bytes)
	if err := a.Supports(s); err != nil {
		return modelRow{}, fmt.Errorf("%w%s", err, nearest(a, s))
	}
	size := q.dataType.Size()
	p, err := model.Price(a, s, size, q.machine)
	if err != nil {
		return modelRow{}, err
	}
	return newModelRow(a, s, q, bytes, p, collectives.Busiest(a, s)), nil
}

// nearest says which numbers of ranks the algorithm would accept.
func nearest(a collectives.Algorithm, s collectives.Shape) string {
	fits := func(n int) bool {
		t := s
		t.Ranks = n
		return n >= s.Local && a.Supports(t) == nil
	}
	var near []string
	for _, step := range []int{-1, 1} {
		for d := 1; d <= s.Ranks; d++ {
			if n := s.Ranks + step*d; fits(n) {
				near = append(near, strconv.Itoa(n))
				break
			}
		}
	}
	if len(near) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s would do)", strings.Join(near, " or "))
}

// modelRow is a line of the schema collbench.model/1. What has no meaning for a row is absent.
type modelRow struct {
	Schema     string          `json:"schema"`
	Collective string          `json:"collective"`
	Algorithm  string          `json:"algorithm"`
	Ranks      int             `json:"ranks"`
	Domain     int             `json:"domain"`
	Bytes      int64           `json:"bytes"` // as asked
	Count      int             `json:"count"`
	DataType   string          `json:"dtype"`
	Chunks     int             `json:"chunks"`
	Operations modelOperations `json:"operations"`
	Seconds    float64         `json:"seconds"`
	AlgBW      *float64        `json:"algbw,omitempty"`
	BusBW      *float64        `json:"busbw,omitempty"`
	WireBW     *float64        `json:"wirebw,omitempty"` // bytes that the busiest rank sends ÷ seconds
	Machine    string          `json:"machine"`
	Bottleneck string          `json:"bottleneck,omitempty"`
	Note       string          `json:"note,omitempty"`
}

// modelOperations are the largest over the ranks, each by itself.
type modelOperations struct {
	Sends         float64  `json:"sends"` // slices of S/N, as Receives
	Receives      float64  `json:"receives"`
	Total         float64  `json:"total"`
	SlideTotal    *int     `json:"slide_total,omitempty"` // 4N, of all_reduce only, as are the ratios
	SlideRatio    *float64 `json:"slide_ratio,omitempty"`
	ExactRatio    *float64 `json:"exact_ratio,omitempty"` // 4(N−1) ÷ total
	BytesSent     int64    `json:"bytes_sent"`
	BytesReceived int64    `json:"bytes_received"`
	Messages      int      `json:"messages"`
}

func newModelRow(a collectives.Algorithm, s collectives.Shape, q modelQuery, bytes int64, p model.Prediction, o collectives.Operations) modelRow {
	size := int64(q.dataType.Size())
	row := modelRow{
		Schema: "collbench.model/1", Collective: s.Collective.String(), Algorithm: a.Name, Ranks: s.Ranks, Domain: s.Local,
		Bytes: bytes, Count: s.Count, DataType: q.dataType.String(), Chunks: s.Chunks,
		Seconds: p.Seconds, Machine: q.machine.Name, Bottleneck: p.Bottleneck,
		Operations: modelOperations{
			Sends: o.Sends, Receives: o.Receives, Total: o.Total(),
			BytesSent: int64(o.Sent) * size, BytesReceived: int64(o.Received) * size, Messages: o.Messages,
		},
		Note: strings.Join(modelNotes(a, s, q.machine, p, o), "; "),
	}
	if s.Collective == collectives.AllReduce {
		slide := 4 * s.Ranks
		row.Operations.SlideTotal = &slide
		row.Operations.SlideRatio = quotient(float64(slide), o.Total())
		row.Operations.ExactRatio = quotient(float64(slide-4), o.Total())
	}
	whole := float64(int64(s.Size()) * size)
	row.AlgBW = quotient(whole, p.Seconds)
	row.BusBW = quotient(whole*s.Collective.BusFactor(s.Ranks), p.Seconds)
	row.WireBW = quotient(float64(row.Operations.BytesSent), p.Seconds)
	return row
}

// quotient is nil where the divisor is 0.
func quotient(a, b float64) *float64 {
	if b == 0 {
		return nil
	}
	q := a / b
	return &q
}

// published is the largest number of GPUs for which measurements are public.
const published = 1440

// modelNotes are the reservations about a row.
func modelNotes(a collectives.Algorithm, s collectives.Shape, m model.Machine, p model.Prediction, o collectives.Operations) (notes []string) {
	if s.Ranks > published {
		notes = append(notes, fmt.Sprintf("extrapolation: no measurement beyond %d GPUs is public", published))
	}
	if a.Name == "nvls" && s.Ranks > 1 && s.Ranks < 4 && m.Domain.SwitchBandwidth.Value > 0 {
		notes = append(notes, "published figures for 2 and 3 GPUs do not fit this model")
	}
	if l := int(m.Domain.Largest.Value); l > 0 && p.Domain > l {
		notes = append(notes, fmt.Sprintf("no domain of more than %d ranks exists", l))
	}
	if p.Sampled {
		notes = append(notes, "rounds that differ were sampled")
	}
	if !o.Exact {
		notes = append(notes, "operations are the largest of a sample of the ranks")
	}
	return notes
}

func writeModelJSON(w io.Writer, rows []modelRow) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for _, r := range rows {
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	return nil
}
