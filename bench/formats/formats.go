// Package formats reads what other benchmarks print: nccl-tests, rccl-tests, OSU, IMB, ucx_perftest, ib_write_bw and
// its kin, NVSHMEM's perftest, nvbandwidth, UCC's perftest and tables in Markdown.
//
// It stands at the entrance of the data's way: a log becomes Measurements, and those that are collectives become
// bench.Results like our own. Real logs are dirty, so every reader skips what is not its tool's, says what it could
// not read with the line's number, and reports a run that failed as failed.
package formats

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Confidence is how sure a format is that a text is its own: 0 not at all, 100 entirely.
type Confidence int

// The steps of confidence. Table: the tool's own table or banner is there. Named: only the tool's name is.
// Plain: it has the form of a table whose columns are known. Guess: nothing but a launcher's failure is there.
const (
	Sure  Confidence = 95
	Table Confidence = 90
	Named Confidence = 50
	Plain Confidence = 40
	Guess Confidence = 10
)

// Format is one layout that can be read.
type Format struct {
	Name    string // as in --as
	Family  string // formats of one family share a layout: two of them in one text are no conflict
	Summary string
	Detect  func(*Text) Confidence
	Read    func(*Text, *Log)
}

// All lists every format; among equally sure ones the first wins.
var All = []Format{
	ncclTestsJSON, rcclTests, ncclTests,
	osu, imb, ucc, ucxPerftest,
	perftestJSON, perftest,
	nvshmem, nvbandwidthJSON, nvbandwidth,
	markdown, launcher,
}

// Names lists the formats' names.
func Names() []string {
	var names []string
	for _, f := range All {
		names = append(names, f.Name)
	}
	return names
}

// Lookup finds a format by its name.
func Lookup(name string) (Format, error) {
	for _, f := range All {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("unknown format %q: want one of %s", name, strings.Join(Names(), ", "))
}

// MaxBytes is the largest file that is read.
const MaxBytes = 64 << 20

// ErrNothing says that a file holds neither a row nor a failure that a format knows.
var ErrNothing = errors.New("nothing was read")

// Read reads a log. An empty format is found by looking. The error wraps ErrNothing where the log holds neither a
// row nor a recognised failure; the Log's warnings then say what was seen.
func Read(name string, r io.Reader, format string) (Log, error) {
	log := Log{File: name}
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return log, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > MaxBytes {
		return log, fmt.Errorf("read %s: more than %d MiB", name, MaxBytes>>20)
	}
	text := NewText(data)
	var f Format
	if format != "" {
		if f, err = Lookup(format); err != nil {
			return log, err
		}
	} else {
		var others []Format
		if f, others = Detect(text); f.Name == "" {
			return log, fmt.Errorf("%s: %w: no known format (%s) and no known failure", name, ErrNothing, strings.Join(Names(), ", "))
		}
		for _, other := range others {
			log.warn(0, "read as %s, but %s is in there too: read it with --as %s", f.Name, other.Name, other.Name)
		}
	}
	log.Format = f.Name
	f.Read(text, &log)
	log.finish(text)
	if len(log.Measurements) == 0 {
		return log, fmt.Errorf("%s: %w: read as %s, it holds neither a row nor a known failure", name, ErrNothing, f.Name)
	}
	return log, nil
}

// Detect finds the format that is surest of the text, without a name where none is, and others whose tables are in
// there too.
func Detect(t *Text) (best Format, others []Format) {
	sure := Confidence(0)
	confidences := make([]Confidence, len(All))
	for i, f := range All {
		if confidences[i] = f.Detect(t); confidences[i] > sure {
			best, sure = f, confidences[i]
		}
	}
	for i, f := range All {
		if confidences[i] >= Table && f.Name != best.Name && f.Family != best.Family {
			others = append(others, f)
		}
	}
	return best, others
}
