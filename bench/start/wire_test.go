package start

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// TestLinesStayWhole writes text in random pieces: what comes out is the same text, cut at line ends alone.
func TestLinesStayWhole(t *testing.T) {
	const seed = 7
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		text := make([]byte, random.IntN(300))
		for i := range text {
			text[i] = "ab\n"[random.IntN(3)]
		}
		var got []byte
		l := &lines{line: func(line []byte) {
			if i := bytes.IndexByte(line, '\n'); i >= 0 && i < len(line)-1 {
				t.Errorf("seed %d: two lines in one: %q", seed, line)
			}
			if len(got) > 0 && got[len(got)-1] != '\n' {
				t.Errorf("seed %d: %q follows half a line", seed, line)
			}
			got = append(got, line...)
		}}
		for rest := text; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			l.Write(rest[:n])
			rest = rest[n:]
		}
		l.flush()
		if !bytes.Equal(got, text) {
			t.Errorf("seed %d: %q became %q", seed, text, got)
		}
	}
}

// TestLongLines: a line without end is cut, and its message fits.
func TestLongLines(t *testing.T) {
	var sent bytes.Buffer
	to := &sender{to: &sent}
	l := &lines{line: func(line []byte) { to.send(fromHost{Rank: 3, Stdout: line}) }}
	l.Write(bytes.Repeat([]byte("x"), 5*longestLine/2))
	l.flush()
	total := 0
	for from := messages(&sent); ; {
		var m fromHost
		if err := receive(from, &m); err != nil {
			if from.Err() != nil {
				t.Error(err)
			}
			break
		}
		total += len(m.Stdout)
	}
	if total != 5*longestLine/2 {
		t.Errorf("%d bytes", total)
	}
}

// TestOutput: lines of many ranks come whole and marked.
func TestOutput(t *testing.T) {
	for prefix, want := range map[string]string{"rank": "[7] text\n", "host": "[7,h] text\n", "none": "text"} {
		var out bytes.Buffer
		o := &Output{Stdout: &out, Prefix: prefix}
		o.line(o.Stdout, "h", 7, []byte("text"))
		if out.String() != want {
			t.Errorf("%s: %q", prefix, out.String())
		}
	}
	var out bytes.Buffer
	o := &Output{Stdout: &out, Prefix: "rank"}
	var all sync.WaitGroup
	for rank := range 8 {
		all.Go(func() {
			for range 100 {
				o.line(o.Stdout, "h", rank, []byte(strings.Repeat(string(rune('a'+rank)), 50)+"\n"))
			}
		})
	}
	all.Wait()
	for line := range strings.Lines(out.String()) {
		if rank := int(line[1] - '0'); line[4:] != strings.Repeat(string(rune('a'+rank)), 50)+"\n" {
			t.Fatalf("%q", line)
		}
	}
}

func FuzzReceive(f *testing.F) {
	for _, m := range []any{fromHost{Hello: 1}, fromHost{Rank: 2, Stdout: []byte("x\n")}, fromHost{Rank: 1, Ended: &outcome{137, "was killed"}}, toHost{End: true}} {
		line, _ := json.Marshal(m)
		f.Add(string(line) + "\n")
	}
	f.Add("Welcome\n{}\n{\"rank\":1e99}\n")
	f.Fuzz(func(t *testing.T, text string) {
		from := messages(strings.NewReader(text))
		for range 1000 {
			var m fromHost
			if err := receive(from, &m); errors.Is(err, errEnded) {
				return
			}
		}
	})
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{"a": "'a'", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'"} {
		if got := quote(word); got != want {
			t.Errorf("%s: %s", word, got)
		}
	}
}

func TestFirstCauseWins(t *testing.T) {
	var said []string
	r := &run{Job: &Job{Log: func(string, ...any) { said = append(said, "") }}}
	r.fail(&Failed{Rank: 1, Host: "a", Code: 5, How: "ended with exit code 5"})
	r.fail(&Failed{Rank: 2, Host: "b", Code: 137, How: "was killed by signal 9 (SIGKILL)", died: true})
	r.fail(&Failed{Rank: 0, Host: "a", Code: 5, How: "ended with exit code 5"})
	if got := r.failed.Error(); got != "rank 2 on b was killed by signal 9 (SIGKILL), and 2 more failed" || r.failed.Code != 137 || len(said) != 1 {
		t.Errorf("%s, said %d", got, len(said))
	}
}
