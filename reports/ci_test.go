package reports

import (
	"bytes"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/bench/summary"
)

// hostile is what a host name, a log or a variable may hold to break out of where it is written.
const hostile = "x\x1b[31m\r\n::error title=y::z\n</failure>]]>&\"'|<script>alert(1)</script>`*_[a](http://b)![i](j)@you %0A,:\\ \x00\xff # EOF {a=\"b\"}"

// foreign is a run in which everything that comes from outside is hostile.
func foreign(t testing.TB) run {
	r := some(t)
	e := &r.info.Environment
	e.Host, e.OS, e.Kernel, e.CPU, e.Version = hostile, hostile, hostile, hostile, hostile
	r.info.Command = append(r.info.Command, hostile)
	for i := range r.rows {
		row := &r.rows[i]
		row.Run, row.Error, row.Note, row.Variant, row.Backend, row.Observed = r.info.ID, hostile, hostile, hostile, hostile, hostile
		row.Algorithm += hostile
	}
	return r
}

func written(t testing.TB, format string, r run) string {
	t.Helper()
	var b bytes.Buffer
	if err := Rows(&b, format, r.info, r.rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestJUnitSchema holds reports against the schema of Jenkins' plug-in.
func TestJUnitSchema(t *testing.T) {
	validJUnit(t, "some", written(t, "junit", some(t)))
	validJUnit(t, "foreign", written(t, "junit", foreign(t)))
	validJUnit(t, "none", written(t, "junit", run{}))
}

// validJUnit skips the test where the schema or what reads it is not there.
func validJUnit(t *testing.T, name, text string) {
	t.Helper()
	schema := filepath.Join("..", "build", "junit", "junit-10.xsd")
	if _, err := os.Stat(schema); err != nil {
		t.Skipf("the JUnit schema is not there: scripts/setup fetches it: %v", err)
	}
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skipf("xmllint is not installed: %v", err)
	}
	cmd := exec.Command(xmllint, "--noout", "--schema", schema, "-")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s\n%s", name, err, out, text)
	}
}

// TestJUnitOutcomes: a failure for what is wrong, an error for what crashed, skipped for what says nothing.
func TestJUnitOutcomes(t *testing.T) {
	r := foreign(t)
	for i, status := range []bench.Status{bench.OK, bench.Unproven, bench.Wrong, bench.Failed, bench.Skipped, bench.Interrupted} {
		r.rows[i].Status = status
	}
	var got junitSuites
	if err := xml.Unmarshal([]byte(written(t, "junit", r)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 6 || got.Failures != 1 || got.Errors != 2 || len(got.Suites) != 1 || got.Suites[0].Skipped != 2 {
		t.Errorf("%+v", got)
	}
	for _, c := range got.Suites[0].Cases {
		for _, outcome := range []*junitOutcome{c.Failure, c.Error, c.Skipped} {
			if outcome != nil && outcome.Message != oneLine(hostile) {
				t.Errorf("message %q, want %q", outcome.Message, oneLine(hostile))
			}
		}
	}
}

// prometheusParser reads standard input with the parsers of Prometheus' client library: that of OpenMetrics, and that
// of the older text format as the node exporter's textfile collector. It prints the samples of the first.
const prometheusParser = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text
given = sys.stdin.read()
assert len([s for f in text(given) for s in f.samples]) > 0 or "{" not in given
for family in openmetrics(given):
    assert family.type == "gauge", family.type
    for s in family.samples:
        print(s.name, family.unit, s.labels.get("backend", ""), s.value)
`

func TestOpenMetricsParser(t *testing.T) {
	python := ""
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(name, "-c", "import prometheus_client.openmetrics.parser").Run() == nil {
			python = name
		}
	}
	if python == "" {
		t.Skip("the Prometheus client library is not installed: package python3-prometheus-client")
	}
	none := run{}
	for name, r := range map[string]run{"some": some(t), "foreign": foreign(t), "none": none} {
		cmd := exec.Command(python, "-c", prometheusParser)
		cmd.Stdin = strings.NewReader(written(t, "openmetrics", r))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if name == "some" && !strings.Contains(string(out), "collbench_iteration_seconds seconds host 0.0103647") {
			t.Errorf("the median of the first row is not among\n%s", out)
		}
		if name == "foreign" && !strings.Contains(string(out), oneLine(hostile)) {
			t.Errorf("a label came out as another one:\n%s", out)
		}
	}
}

// Two runs of the same case in one folder are one sample: the last.
func TestOpenMetricsTakesTheLast(t *testing.T) {
	r := some(t)
	again := r.rows[0]
	seconds := *again.Seconds
	seconds.Median = 123
	again.Run, again.Seconds = "later", &seconds
	r.rows = append(r.rows[:1:1], again)
	text := written(t, "openmetrics", r)
	if strings.Count(text, "\ncollbench_iteration_seconds{") != 1 || !strings.Contains(text, "} 123\n") || !strings.HasSuffix(text, "\n# EOF\n") {
		t.Error(text)
	}
}

// command is the form in which GitHub's runner knows a workflow command.
var command = regexp.MustCompile(`^::(error|warning|notice) title=([^:,]*)::(.*)$`)

func TestGitHubAnnotations(t *testing.T) {
	r := foreign(t)
	r.rows[0].Status, r.rows[1].Status, r.rows[3].Status = bench.Failed, bench.OK, bench.Interrupted
	lines := strings.Split(strings.TrimSpace(written(t, "github", r)), "\n")
	var levels []string
	for _, line := range lines {
		m := command.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("no annotation: %q", line)
		}
		levels = append(levels, m[1])
		if !strings.HasSuffix(m[3], strings.ReplaceAll(oneLine(hostile), "%", "%25")) {
			t.Errorf("text %q", m[3])
		}
	}
	if got := strings.Join(levels, " "); got != "error error warning" {
		t.Errorf("levels %s:\n%s", got, strings.Join(lines, "\n"))
	}
	// GitHub shows ten of a level: the tenth says how many there are.
	many := run{}
	for range 25 {
		many.rows = append(many.rows, summary.Row{Status: bench.Failed, Error: "gone"})
	}
	if text := written(t, "github", many); strings.Count(text, "\n") != mostAnnotations || !strings.Contains(text, "gone (and 15 more)\n") {
		t.Error(text)
	}
	if text := written(t, "github", run{}); !strings.Contains(text, "::warning title=collbench::nothing was measured") {
		t.Error(text)
	}
}

// unescapedBar is the end of a cell in a Markdown table.
var unescapedBar = regexp.MustCompile(`(^|[^\\])\|`)

func TestMarkdownKeepsItsForm(t *testing.T) {
	text := written(t, "markdown", foreign(t))
	cells := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		n := len(unescapedBar.FindAllString(line, -1))
		if cells == 0 {
			cells = n
		}
		if n != cells {
			t.Errorf("%d cells, want %d: %s", n, cells, line)
		}
	}
	for _, raw := range []string{"<script", "[a]", "![", "http://", "|`", ">`", "\r", "\x1b", "@you"} {
		if strings.Contains(text, raw) {
			t.Errorf("%q got through", raw)
		}
	}
	if written(t, "markdown", run{}) != "No results.\n" {
		t.Error("no rows are not said")
	}
}
