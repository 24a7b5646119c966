package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"collbench/bench"
	"collbench/bench/stat"
	"collbench/bench/summary"
	"collbench/bench/unit"

	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows on standard error how far a run is: a bar on a terminal, else a line for each case that has ended.
type progress struct {
	out       io.Writer
	container *mpb.Progress // nil: no terminal
	bar       *mpb.Bar
	now       atomic.Value // string: what is being done
}

func newProgress(out io.Writer, plan bench.Plan) *progress {
	p := &progress{out: out}
	p.now.Store("starting")
	file, ok := out.(*os.File)
	if !ok || !isatty.IsTerminal(file.Fd()) {
		return p
	}
	p.container = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40))
	total := int64(len(plan.Skipped) + len(plan.Cases)*plan.Launches)
	p.bar = p.container.AddBar(total, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.CountersNoUnit("%d/%d")),
		mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO), decor.Any(func(decor.Statistics) string {
			return " " + p.now.Load().(string)
		})))
	return p
}

// report takes what the measuring loop says.
func (p *progress) report(e bench.Event) {
	if e.Result == nil {
		p.now.Store(fmt.Sprintf("%s: %s, %d samples", e.Case, e.Stage, e.Samples))
		return
	}
	if p.bar != nil {
		p.bar.SetCurrent(int64(e.Done))
		return
	}
	fmt.Fprintf(p.out, "[%d/%d] %s: %s\n", e.Done, e.Total, e.Case, outcome(*e.Result))
}

// outcome is a result in a few words.
func outcome(r bench.Result) string {
	text := string(r.Status)
	if times := summary.IterationTimes(r.Case, r.Seconds); len(times) > 0 && r.Status == bench.OK {
		text += " " + unit.Seconds(stat.Median(times))
	}
	if r.Error != "" {
		text += ": " + r.Error
	}
	return text
}

// close takes the bar away.
func (p *progress) close() {
	if p.container != nil {
		p.bar.Abort(true)
		p.container.Wait()
	}
}
