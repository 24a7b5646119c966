package start

import (
	"fmt"
	"io"
	"sync"
)

// Prefixes are the ways in which a rank's lines can be marked: "[2] ", "[2,host1] ", or not at all.
var Prefixes = []string{"rank", "host", "none"}

// Output is where the ranks' lines go: each whole, in one Write, standard output to Stdout and standard error to
// Stderr.
type Output struct {
	Stdout, Stderr io.Writer
	Prefix         string // one of Prefixes
	mutex          sync.Mutex
}

// line writes a line of a rank.
func (o *Output) line(to io.Writer, host string, rank int, text []byte) {
	var b []byte
	switch o.Prefix {
	case "rank":
		b = fmt.Appendf(b, "[%d] ", rank)
	case "host":
		b = fmt.Appendf(b, "[%d,%s] ", rank, host)
	}
	marked := len(b) > 0
	b = append(b, text...)
	if marked && b[len(b)-1] != '\n' {
		b = append(b, '\n') // or the next line's mark would stand in the middle of one
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	_, _ = to.Write(b) // a reader that has gone is no reason to end what is measured
}
