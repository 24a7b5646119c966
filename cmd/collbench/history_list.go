package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"collbench/bench"
	"collbench/bench/history"
	"collbench/bench/stat"
	"collbench/bench/unit"

	"github.com/jedib0t/go-pretty/v6/table"
	pretty "github.com/jedib0t/go-pretty/v6/text"
	"github.com/urfave/cli/v2"
)

// historyFormat is the format that is asked for.
func historyFormat(c *cli.Context) (asJSON bool, err error) {
	switch f := c.String("format"); f {
	case "table":
		return false, nil
	case "json":
		return true, nil
	default:
		return false, usageErrorf("%s: unknown format %q: want table or json", commandName(c), f)
	}
}

// printTable writes rows whose cells may hold foreign text; columns from right on are aligned to the right.
func printTable(c *cli.Context, right int, header table.Row, rows []table.Row) {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.Options{SeparateHeader: true}
	t.Style().Format.Header = pretty.FormatDefault
	var configs []table.ColumnConfig
	for i := right; i < len(header); i++ {
		configs = append(configs, table.ColumnConfig{Number: i + 1, Align: pretty.AlignRight, AlignHeader: pretty.AlignRight})
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = printable(fmt.Sprint(cell))
		}
		t.AppendRow(row)
	}
	t.SuppressEmptyColumns()
	t.SuppressTrailingSpaces()
	fmt.Fprintln(c.App.Writer, t.Render())
}

// machine finds the one machine whose fingerprint begins with the flag's text; none for an empty one.
func machine(c *cli.Context, h history.History) (found *history.Machine, err error) {
	begin := c.String("machine")
	if begin == "" {
		return nil, nil
	}
	all, err := h.Index.Machines(c.Context)
	if err != nil {
		return nil, environmentErrorf("%w", err)
	}
	var known []string
	for i, m := range all {
		known = append(known, m.Fingerprint)
		if !strings.HasPrefix(m.Fingerprint, begin) {
			continue
		}
		if found != nil {
			return nil, usageErrorf("--machine: %s and %s both begin with %q", found.Fingerprint, m.Fingerprint, begin)
		}
		found = &all[i]
	}
	if found == nil {
		return nil, usageErrorf("--machine: no machine %q: want one of %s", begin, strings.Join(known, ", "))
	}
	return found, nil
}

func historyList(c *cli.Context) error {
	asJSON, err := historyFormat(c)
	if err != nil {
		return err
	}
	if c.Int("last") < 0 {
		return usageErrorf("history list: --last: %d: want 0 or more", c.Int("last"))
	}
	return withHistory(c, false, func(h history.History) error {
		q := history.Query{Last: c.Int("last")}
		m, err := machine(c, h)
		if err != nil {
			return err
		}
		if m != nil {
			q.Machine = m.Fingerprint
		}
		runs, err := h.Index.Runs(c.Context, q)
		if err != nil {
			return environmentErrorf("%w", err)
		}
		if asJSON {
			for _, r := range runs {
				if err := json.NewEncoder(c.App.Writer).Encode(r); err != nil {
					return err
				}
			}
			return nil
		}
		return listRuns(c, h, runs)
	})
}

// listRuns prints a line a run, and below it what the machines are.
func listRuns(c *cli.Context, h history.History, runs []history.Run) error {
	baselines, err := h.Index.Baselines(c.Context)
	if err != nil {
		return environmentErrorf("%w", err)
	}
	names := map[string][]string{}
	for _, b := range baselines {
		for _, folder := range b.Folders {
			names[folder] = append(names[folder], b.Name)
		}
	}
	var rows []table.Row
	machines := map[string]history.Machine{}
	var order []string
	for _, r := range runs {
		points, err := h.Index.Points(c.Context, r.ID)
		if err != nil {
			return environmentErrorf("%w", err)
		}
		rows = append(rows, table.Row{r.ID, r.Started.Format("2006-01-02 15:04"), r.Machine.Fingerprint, statuses(points), r.Commit, strings.Join(names[r.Folder], " "), r.Folder})
		if _, ok := machines[r.Machine.Fingerprint]; !ok {
			machines[r.Machine.Fingerprint] = r.Machine
			order = append(order, r.Machine.Fingerprint)
		}
	}
	if len(rows) == 0 {
		fmt.Fprintln(c.App.Writer, "no runs")
		return nil
	}
	printTable(c, 7, table.Row{"run", "started (UTC)", "machine", "cases", "commit", "baseline", "folder"}, rows)
	fmt.Fprintln(c.App.Writer)
	for _, f := range order {
		fmt.Fprintf(c.App.Writer, "%s: %s\n", f, printable(machines[f].String()))
	}
	return nil
}

// statuses counts cases by status: "24 ok, 1 failed".
func statuses(points []history.Point) string {
	var parts []string
	for _, s := range []bench.Status{bench.OK, bench.Unproven, bench.Skipped, bench.Interrupted, bench.Failed, bench.Wrong} {
		n := 0
		for _, p := range points {
			if p.Status == s {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(parts, ", ")
}

// findRun finds a run by its ID or its folder.
func findRun(c *cli.Context, h history.History, name string) (r history.Run, err error) {
	for _, q := range []history.Query{{ID: name}, {Folder: name}} {
		if q.Folder != "" {
			if q.Folder, err = filepath.Abs(name); err != nil {
				return r, err
			}
		}
		runs, err := h.Index.Runs(c.Context, q)
		if err != nil {
			return r, environmentErrorf("%w", err)
		}
		if len(runs) > 0 {
			return runs[0], nil // the last of a folder that has several
		}
	}
	if _, err := os.Stat(name); err == nil {
		return r, usageErrorf("%s: the folder %s is not in the history: history add takes it in", commandName(c), name)
	}
	return r, usageErrorf("%s: the history has no run %q", commandName(c), name)
}

// sessionsBefore is how many sessions a run is shown beside.
const sessionsBefore = 20

func historyShow(c *cli.Context) error {
	names, err := runArguments(c, c.Args().Slice())
	if err != nil {
		return err
	}
	if len(names) > 1 {
		return usageErrorf("history show: unexpected argument %q", names[1])
	}
	asJSON, err := historyFormat(c)
	if err != nil {
		return err
	}
	return withHistory(c, false, func(h history.History) error {
		r, err := findRun(c, h, names[0])
		if err != nil {
			return err
		}
		if r.Points, err = h.Index.Points(c.Context, r.ID); err != nil {
			return environmentErrorf("%w", err)
		}
		if asJSON {
			return json.NewEncoder(c.App.Writer).Encode(r)
		}
		fmt.Fprintf(c.App.Writer, "%s  %s  %s\n%s: %s\n", printable(r.ID), r.Started.Format("2006-01-02 15:04 UTC"), printable(strings.TrimSpace(r.Folder+"  "+r.Commit)),
			r.Machine.Fingerprint, printable(r.Machine.String()))
		var rows []table.Row
		for _, p := range r.Points {
			row, err := pointRow(c, h, r, p)
			if err != nil {
				return environmentErrorf("%w", err)
			}
			rows = append(rows, row)
		}
		printTable(c, 3, table.Row{"case", "how", "status", "launches", "time", "before", "sessions", "Δ"}, rows)
		return nil
	})
}

// pointRow is a case beside the median of the sessions before it on the same machine.
func pointRow(c *cli.Context, h history.History, r history.Run, p history.Point) (table.Row, error) {
	row := table.Row{p.Case.String(), how(p.Case), p.Status, len(p.Launches), "", "", "", ""}
	if p.Seconds == nil {
		return row, nil
	}
	row[4] = unit.Seconds(*p.Seconds)
	series, err := h.Index.Series(c.Context, r.Machine.Fingerprint, p.Case, history.Span{Before: r.Started, Last: sessionsBefore})
	if err != nil {
		return nil, err
	}
	var times []float64
	for _, s := range series {
		if s.Point.Seconds != nil {
			times = append(times, *s.Point.Seconds)
		}
	}
	if len(times) > 0 {
		middle := stat.Median(times)
		row[5], row[6], row[7] = unit.Seconds(middle), len(times), longer(middle, *p.Seconds)
	}
	return row, nil
}

// longer is how much longer something takes: "+3.1 %".
func longer(earlier, later float64) string { return fmt.Sprintf("%+.1f %%", 100*(later/earlier-1)) }

// how is what names a case beside its operation, size and algorithm.
func how(c bench.Case) string {
	parts := []string{c.What.DataType.String()}
	switch {
	case c.What.Operation != "" && c.Where.From != c.Where.To:
		parts = []string{fmt.Sprintf("rank %d to rank %d", c.Where.From, c.Where.To)}
	case c.What.Operation != "":
		parts = nil
	case c.What.Collective.Reduces():
		parts = append(parts, c.What.Reduction.String())
	}
	if c.What.Operation == "" && c.What.Collective.Rooted() {
		parts = append(parts, fmt.Sprintf("root %d", c.What.Root))
	}
	if c.What.InPlace {
		parts = append(parts, "in place")
	}
	parts = append(parts, c.How.Backend, c.How.Variant, c.How.Transport, c.How.Buffers, string(c.How.Timing), counted(c.Where.Ranks, "rank", "ranks"), "on", counted(c.Where.Hosts, "host", "hosts"))
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

var errNoSessions = errors.New("inconclusive: no session of such a case: see history list")
