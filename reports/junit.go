package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"collbench/bench"
	"collbench/bench/summary"
	"collbench/bench/unit"
)

// The elements of a JUnit report, as the schema junit-10.xsd of Jenkins' xUnit plug-in has them; Jenkins, GitLab,
// Azure and GitHub's actions read it.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string           `xml:"name,attr"`
		Tests      int              `xml:"tests,attr"`
		Failures   int              `xml:"failures,attr"`
		Errors     int              `xml:"errors,attr"`
		Skipped    int              `xml:"skipped,attr"`
		Timestamp  string           `xml:"timestamp,attr,omitempty"`
		Hostname   string           `xml:"hostname,attr,omitempty"`
		Properties *junitProperties `xml:"properties"`
		Cases      []junitCase      `xml:"testcase"`
	}
	junitProperties struct {
		List []junitProperty `xml:"property"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr,omitempty"` // seconds of an iteration
		Skipped *junitOutcome `xml:"skipped"`
		Error   *junitOutcome `xml:"error"`
		Failure *junitOutcome `xml:"failure"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitOutcome struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
	}
)

// JUnit writes a test case for each operation, size and algorithm. A wrong result is a failure, a case that failed or
// was interrupted is an error, and what was skipped or proves nothing is skipped: never a pass. The time of a test
// case is that of its median iteration.
func JUnit(w io.Writer, info bench.RunInfo, rows []summary.Row) error {
	rows = sorted(rows)
	_, differing := layout(rows)
	var suites []junitSuite
	at := map[string]int{} // by run: in several, the same case has the same name
	for _, r := range rows {
		if _, ok := at[r.Run]; !ok {
			at[r.Run] = len(suites)
			described := bench.RunInfo{ID: r.Run}
			if r.Run == info.ID {
				described = info
			}
			suites = append(suites, newJUnitSuite("collbench "+r.Run, described))
		}
		suites[at[r.Run]].add(junitRow(r, differing))
	}
	if len(rows) == 0 {
		suites = []junitSuite{newJUnitSuite("collbench "+info.ID, info)}
		suites[0].add(junitCase{Name: "results", Class: "collbench", Skipped: &junitOutcome{Type: "inconclusive", Message: "nothing was measured"}})
	}
	return writeJUnit(w, suites...)
}

func newJUnitSuite(name string, info bench.RunInfo) junitSuite {
	s := junitSuite{Name: oneLine(name), Hostname: oneLine(info.Environment.Host)}
	if !info.Started.IsZero() {
		s.Timestamp = info.Started.UTC().Format("2006-01-02T15:04:05")
	}
	e := info.Environment
	for _, p := range [][2]string{{"version", e.Version}, {"os", e.OS}, {"kernel", e.Kernel}, {"cpu", e.CPU}, {"command", strings.Join(info.Command, " ")}} {
		s.property(p[0], p[1])
	}
	return s
}

// property adds one that is known.
func (s *junitSuite) property(name, value string) {
	if value == "" {
		return
	}
	if s.Properties == nil {
		s.Properties = new(junitProperties)
	}
	s.Properties.List = append(s.Properties.List, junitProperty{name, oneLine(value)})
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func junitRow(r summary.Row, differing []field) junitCase {
	c := junitCase{Name: fullName(r, differing), Class: "collbench." + r.Name()}
	outcome := &junitOutcome{Type: string(r.Status), Message: oneLine(r.Error)}
	switch r.Status {
	case bench.OK:
	case bench.Wrong:
		c.Failure = outcome
	case bench.Failed, bench.Interrupted:
		c.Error = outcome
	default:
		c.Skipped = outcome
	}
	if r.Seconds != nil {
		c.Time = strconv.FormatFloat(r.Seconds.Median, 'f', 9, 64)
		c.Out = fmt.Sprintf("median %s, busbw %s", unit.Seconds(r.Seconds.Median), rate(r.BusBW))
	}
	if r.Note != "" {
		c.Out = strings.TrimPrefix(c.Out+"; "+oneLine(r.Note), "; ")
	}
	return c
}

func writeJUnit(w io.Writer, suites ...junitSuite) error {
	all := junitSuites{Name: "collbench", Suites: suites}
	for _, s := range suites {
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	text, err := xml.MarshalIndent(all, "", "  ")
	if err == nil {
		_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	}
	if err != nil {
		return fmt.Errorf("write as JUnit: %w", err)
	}
	return nil
}
