package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"collbench/bench/unit"
	"collbench/collectives/model/nccl"

	"github.com/jedib0t/go-pretty/v6/table"
	pretty "github.com/jedib0t/go-pretty/v6/text"
)

// writeNCCLTables writes a table of times for each collective and number of ranks, a column for each algorithm and
// protocol, and below it from which sizes on NCCL chooses what.
func writeNCCLTables(w io.Writer, tables []ncclTable) error {
	for _, t := range tables {
		u := t.tuning
		nodes := fmt.Sprintf("%d nodes", u.Nodes)
		if u.Nodes == 1 {
			nodes = "1 node"
		}
		_, err := fmt.Fprintf(w, "%s, %s, %s of %d %s GPUs as NCCL %s itself prices it (a prediction, nothing is measured)\n%s\n\n",
			t.collective, t.rows[0].DataType, nodes, u.Topology.GPUs, printable(u.Topology.Name), u.Table.Version, t.draw())
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "NCCL chooses %s.\nconstants: %s; graphs: %s.\n\n", sentence(t.choices), u.Table.Source, printable(u.Graphs.Source)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, "busbw: of the algorithm and protocol that NCCL chooses, as nccl-tests.")
	return err
}

// sentence lists choices: "ring LL from 8 B, nvls Simple from 1.1 MiB".
func sentence(choices []ncclChoice) string {
	var parts []string
	for _, c := range choices {
		parts = append(parts, fmt.Sprintf("%s %s from %s", c.Algorithm, c.Protocol, unit.BytesAbout(float64(c.From))))
	}
	return strings.Join(parts, ", ")
}

// ncclColumn is a column of times.
type ncclColumn struct {
	algorithm nccl.Algorithm
	protocol  nccl.Protocol
}

func (c ncclColumn) String() string { return c.algorithm.String() + " " + c.protocol.String() }

// draw draws the times, a line for each size.
func (t ncclTable) draw() string {
	var columns []ncclColumn
	for _, r := range t.rows {
		if c := (ncclColumn{r.Algorithm, r.Protocol}); !slices.Contains(columns, c) {
			columns = append(columns, c)
		}
	}
	w := table.NewWriter()
	w.SetStyle(table.StyleLight)
	w.Style().Format.Header = pretty.FormatDefault
	head := table.Row{"size"}
	for _, c := range columns {
		head = append(head, c.String())
	}
	head = append(head, "busbw", "choice")
	var configs []table.ColumnConfig
	for i := range len(head) - 1 {
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: pretty.AlignRight, AlignHeader: pretty.AlignRight})
	}
	w.AppendHeader(head)
	w.SetColumnConfigs(configs)
	for rows := range slices.Chunk(t.rows, len(columns)) {
		line := table.Row{unit.Bytes(rows[0].Bytes)}
		var chosen ncclRow
		for _, r := range rows {
			line = append(line, unit.Seconds(r.Seconds))
			if r.Chosen {
				chosen = r
			}
		}
		w.AppendRow(append(line, unit.Bandwidth(chosen.BusBW), ncclColumn{chosen.Algorithm, chosen.Protocol}.String()))
	}
	return w.Render()
}
