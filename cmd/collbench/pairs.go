package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"collbench/bench"
	"collbench/bench/pairs"
	"collbench/bench/store"
	"collbench/bench/unit"
	"collbench/reports"

	"github.com/urfave/cli/v2"
)

// The names of the command, and of the one that "lab … -- pairs" becomes.
const (
	pairsName    = "pairs"
	labPairsName = "lab-pairs"
)

func pairsCommand() *cli.Command {
	return &cli.Command{
		Name:   pairsName,
		Usage:  "test every pair of ranks and name the host, interface or route that is slow: pass (exit 0), fail (1) or inconclusive (4)",
		Flags:  slices.Concat([]cli.Flag{ranksFlag()}, pairsFlags(), worldFlags(), joinFlags(), expectFlags()),
		Action: runAction,
	}
}

// labPairsCommand is what "lab OPTIONS -- pairs OPTIONS" calls.
func labPairsCommand() *cli.Command {
	return &cli.Command{Name: labPairsName, Hidden: true, Usage: "pairs on a virtual cluster", ArgsUsage: "[]",
		Flags: slices.Concat(labFlags(), []cli.Flag{ranksFlag()}, pairsFlags()), Action: labAction}
}

// forPairs says whether the command tests pairs.
func forPairs(c *cli.Context) bool {
	return c.Command.Name == pairsName || c.Command.Name == labPairsName
}

// notOfPairs are flags of run that mean nothing here.
var notOfPairs = []string{"collective", "pair", "algorithm", "op", "in-place", "root", "domain", "radix", "chunks", "launches", "format", "require-proof", "fail-fast"}

func pairsFlags() []cli.Flag {
	flags := slices.DeleteFunc(slices.Concat(caseFlags(), runFlags()), func(f cli.Flag) bool { return slices.Contains(notOfPairs, f.Names()[0]) })
	return append(flags,
		&cli.StringFlag{Name: "scope", Value: pairs.ScopeAll, Usage: "`PAIRS`: all, intra (within hosts), inter (between them), rail (on one rail), sample=N rounds, incast, outcast"},
		&cli.BoolFlag{Name: "isolated", Usage: "one pair at a time"},
		&cli.StringFlag{Name: "tolerance", Value: "10%", Usage: "how far below its peers a pair's bandwidth may be"},
		&cli.BoolFlag{Name: "bisect", Usage: "where the pairs do well, halve the hosts with an all-reduce to find one that slows it down; not under a launcher"},
		&cli.StringSliceFlag{Name: "nic", Usage: "network interface `NAMES` of a host's ranks in turn, such as mlx5_0,mlx5_1: what is one rail, and what findings name"},
		&cli.StringSliceFlag{Name: "gpu", Usage: "likewise the GPUs' `NAMES`"},
		&cli.StringFlag{Name: "format", Value: "table", Usage: "of the answer on standard output: " + strings.Join(reports.PairsFormats, ", ")},
	)
}

// pairsTest is how pairs are tested.
type pairsTest struct {
	scope     pairs.Scope
	isolated  bool
	tolerance float64
	bisect    bool
	nics      []string
	gpus      []string
}

// newPairsTest reads the flags.
func newPairsTest(c *cli.Context, plan bench.Plan) (t *pairsTest, err error) {
	t = &pairsTest{isolated: c.Bool("isolated"), bisect: c.Bool("bisect"), nics: names(c, "nic"), gpus: names(c, "gpu")}
	if t.scope, err = pairs.ParseScope(c.String("scope")); err != nil {
		return nil, usageErrorf("--scope: %w", err)
	}
	if t.tolerance, err = unit.ParsePercent(c.String("tolerance")); err != nil || t.tolerance >= 1 {
		return nil, usageErrorf("--tolerance: %q: want a percentage above 0 and below 100 %%", c.String("tolerance"))
	}
	for _, one := range plan.Cases {
		if p, err := bench.FindPointToPoint(one.What.Operation); err != nil || p.AllPairs {
			return nil, usageErrorf("--operation: %s has pairs of its own", one.What.Name())
		}
	}
	return t, nil
}

// plan is what the run keeps of the plan.
func (t *pairsTest) plan(p bench.Plan) pairs.Plan {
	scope := t.scope.Name
	if t.scope.Sample > 0 {
		scope = fmt.Sprintf("%s=%d", scope, t.scope.Sample)
	}
	return pairs.Plan{Plan: p, Scope: scope, Isolated: t.isolated, Tolerance: t.tolerance}
}

// names are those of a flag, which may be given several times and hold commas.
func names(c *cli.Context, flag string) (list []string) {
	for _, text := range c.StringSlice(flag) {
		list = append(list, strings.Split(text, ",")...)
	}
	return list
}

// What pairs measures if it is not told. In the virtual cluster a second has to do for what takes a millisecond elsewhere.
const (
	pairsOperations = "latency,bandwidth"
	pairsLatency    = "8"
	pairsBytes      = "1MiB"
	pairsWindow     = "16"
	labPairsBytes   = "64KiB"
	labPairsWindow  = "4"
)

// pairsSettings are the settings of a test of pairs: a block for each operation, so that latency has a size of its own. A size
// that is given is that of messages in windows, if any of the tests has one.
func pairsSettings(c *cli.Context, file bench.PlanFile, flags bench.Settings) (bench.PlanFile, bench.Settings) {
	bytes, window := pairsBytes, pairsWindow
	if c.Command.Name == labPairsName {
		bytes, window = labPairsBytes, labPairsWindow
	}
	for key, text := range map[string]string{"timing": string(bench.TimingBatch), "precision": "5%", "window": window} {
		if _, given := file.Settings[key]; !given {
			file.Settings[key] = bench.Setting{Text: text, Place: key}
		}
	}
	if file.Blocks != nil {
		return file, flags
	}
	operation, given := flags["operation"]
	if !given {
		operation = bench.Setting{Text: pairsOperations, Place: "operation"}
	}
	windowed := func(name string) bool {
		p, err := bench.FindPointToPoint(strings.TrimSpace(name))
		return err == nil && p.Windowed
	}
	all := strings.Split(operation.Text, ",")
	size, sized := flags["bytes"]
	delete(flags, "operation")
	delete(flags, "bytes")
	for _, name := range all {
		block := bench.Settings{"operation": {Text: name, Place: operation.Place}, "bytes": {Text: bytes, Place: "bytes"}}
		switch {
		case sized && (windowed(name) || !slices.ContainsFunc(all, windowed)):
			block["bytes"] = size
		case !windowed(name):
			block["bytes"] = bench.Setting{Text: pairsLatency, Place: "bytes"}
		}
		if !windowed(name) {
			block["dtype"] = bench.Setting{Text: "uint8", Place: "dtype"}
		}
		file.Blocks = append(file.Blocks, block)
	}
	return file, flags
}

// measurePairs tests the pairs and says what that shows.
func (j *job) measurePairs(c *cli.Context) error {
	t := j.pairs
	for i := range j.info.Ranks {
		r := &j.info.Ranks[i]
		if len(t.nics) > 0 {
			r.NIC = t.nics[r.Local%len(t.nics)]
		}
		if len(t.gpus) > 0 {
			r.GPU = t.gpus[r.Local%len(t.gpus)]
		}
	}
	rounds, err := t.scope.Rounds(pairs.Places(j.info, j.plan.Ranks), t.isolated, j.plan.Seed)
	if err != nil {
		return usageErrorf("%w", err)
	}
	survey := pairs.Survey{Plan: j.plan, Info: j.info, Options: pairs.OptionsOf(j.info), Launcher: j.launcher, Environment: environmentOf}
	survey.Plan.Cases = nil
	for _, base := range j.plan.Cases {
		cases := pairs.Cases(base, rounds, t.scope)
		if err := supported(cases[0]); err != nil {
			return planError(err)
		}
		survey.Plan.Cases = append(survey.Plan.Cases, cases...)
	}
	folder, err := j.folder()
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := folder.WriteInfo(j.info); err != nil {
		return environmentErrorf("%w", err)
	}
	results, err := j.survey(c, survey, folder)
	matrices := pairs.Read(j.info, results)
	shown := reports.PairsOf{Info: j.info, Matrices: matrices, Verdict: pairs.Judge(matrices, survey.Options)}
	if t.bisect && err == nil && shown.Verdict.Outcome == pairs.Pass {
		var b pairs.Bisection
		if b, err = j.bisect(c.Context, folder); err == nil {
			shown.Verdict.Bisected(b)
		}
	}
	if len(matrices) > 0 {
		err = errors.Join(err, reports.Pairs(c.App.Writer, j.format, shown))
	}
	fmt.Fprintf(c.App.ErrWriter, "results: %s\n", folder.Dir())
	if err != nil {
		j.rows = j.rows[:0]
		return j.verdict(err)
	}
	return pairsExit(shown.Verdict)
}

// survey has the pairs measured, and shows how far that is.
func (j *job) survey(c *cli.Context, s pairs.Survey, folder *store.Folder) ([]bench.Result, error) {
	progress := newProgress(c.App.ErrWriter, s.Plan)
	defer progress.close()
	done, total := 0, len(s.Plan.Cases)
	s.Sink = folder.Append
	s.Report = func(e bench.Event) {
		if e.Result != nil {
			done++
		}
		total = max(total, done)
		e.Done, e.Total = done, total
		tenth := done*10/total != (done-1)*10/total
		if e.Result == nil || e.Result.Status != bench.OK || tenth || progress.bar != nil {
			progress.report(e)
		}
	}
	return s.Run(c.Context)
}

// pairsExit is the exit code of a verdict, which has been printed.
func pairsExit(v pairs.Verdict) error {
	switch v.Outcome {
	case pairs.Fail:
		return silent(exitFailed)
	case pairs.Inconclusive:
		return silent(exitInconclusive)
	}
	return nil
}
