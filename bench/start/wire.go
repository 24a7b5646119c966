package start

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// The launcher and a host's starter speak in lines of JSON, over the starter's standard input and output. The starter
// begins, with a hello; the launcher answers with the job when all hosts have said theirs, so that nothing is started
// anywhere while a host is missing. What a login prints before the hello is passed over.

// protocol is the version of what is said.
const protocol = 1

// toHost is what a starter is told: one of the fields.
type toHost struct {
	Job    *work  `json:"job,omitempty"`
	Card   string `json:"card,omitempty"`    // rank 0's, for the other ranks
	NoCard bool   `json:"no_card,omitempty"` // there will be none: rank 0 has ended
	End    bool   `json:"end,omitempty"`     // the ranks
	Ping   bool   `json:"ping,omitempty"`
}

// work is the job of one host.
type work struct {
	Ranks     []int    `json:"ranks"`
	Size      int      `json:"size"`
	Arguments []string `json:"arguments"`
	Dir       string   `json:"dir"`
	Env       []string `json:"env,omitempty"` // NAME=VALUE
}

// fromHost is what a starter tells: one of Hello, Card, Failure, or something about a rank.
type fromHost struct {
	Hello   int      `json:"hello,omitempty"`   // the protocol's version
	Failure string   `json:"failure,omitempty"` // why nothing could be started
	Card    string   `json:"card,omitempty"`
	Rank    int      `json:"rank"`
	Stdout  []byte   `json:"stdout,omitempty"` // a line, with its end
	Stderr  []byte   `json:"stderr,omitempty"`
	Ended   *outcome `json:"ended,omitempty"`
}

// outcome is how a process ended.
type outcome struct {
	Code int    `json:"code"` // 0: well; 128 + signal: killed
	How  string `json:"how"`  // "was killed by signal 9 (SIGKILL)"
}

const (
	// longestLine is the longest line in bytes that a rank may print without its being cut.
	longestLine = 1 << 20
	// longestMessage is the longest message in bytes: such a line, in JSON's base64.
	longestMessage = 2 * longestLine
)

// pingEvery is the pause between two signs of life of the launcher, patience how many pauses in a row a starter does without one.
// It counts pauses and not time: while it was stopped, or its machine was, it could hear nothing.
const (
	pingEvery = 5 * time.Second
	patience  = 6
)

func messages(r io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), longestMessage)
	return s
}

// errEnded is the end of what the other side says.
var errEnded = errors.New("the connection ended")

// receive reads one message.
func receive(from *bufio.Scanner, m any) error {
	if !from.Scan() {
		return errors.Join(errEnded, from.Err())
	}
	if err := json.Unmarshal(from.Bytes(), m); err != nil {
		return fmt.Errorf("not understood: %w", err)
	}
	return nil
}

// sender writes messages, each in one piece.
type sender struct {
	mutex sync.Mutex
	to    io.Writer
}

func (s *sender) send(m any) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, err = s.to.Write(append(line, '\n'))
	return err
}

// lines cuts what is written to it into lines and hands each on, with its end.
type lines struct {
	line func([]byte)
	held []byte
}

// Write never fails.
func (l *lines) Write(p []byte) (int, error) {
	l.held = append(l.held, p...)
	for {
		n := bytes.IndexByte(l.held, '\n') + 1
		if n == 0 && len(l.held) >= longestLine {
			n = longestLine
		}
		if n == 0 {
			return len(p), nil
		}
		l.line(l.held[:n])
		l.held = l.held[n:]
	}
}

// flush hands on a last line that has no end.
func (l *lines) flush() {
	if len(l.held) > 0 {
		l.line(l.held)
		l.held = nil
	}
}
