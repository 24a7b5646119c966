package workers

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"collbench/bench"
	"collbench/collectives"
)

// kind says what a message is.
type kind string

const (
	// From the parent.
	hello     kind = "hello"
	prepare   kind = "prepare"
	iterate   kind = "run"
	exchanged kind = "exchanged"
	ping      kind = "ping"
	// From a worker.
	done     kind = "done"
	failed   kind = "failed"
	exchange kind = "exchange"
	pong     kind = "pong"
)

// message is what the parent and a worker send each other: four bytes of length, big-endian, and so many of JSON.
type message struct {
	Kind       kind        `json:"kind"`
	Hello      *welcome    `json:"hello,omitempty"`
	Case       *bench.Case `json:"case,omitempty"`
	Iterations int         `json:"iterations,omitempty"`
	Stage      bench.Stage `json:"stage,omitempty"`
	Data       [][]byte    `json:"data,omitempty"` // of an exchange: one from a worker, all from the parent
	Result     *result     `json:"result,omitempty"`
	Error      string      `json:"error,omitempty"`
}

// welcome is all that a worker is told at its start.
type welcome struct {
	Node    collectives.Node   `json:"node"`
	Ranks   int                `json:"ranks"`
	Hosts   []string           `json:"hosts"` // of each node
	Address string             `json:"address"`
	Members []collectives.Node `json:"members,omitempty"` // of the shared memory
	Bytes   int64              `json:"bytes,omitempty"`   // of the shared memory; 0: there is none
	Pace    []bench.LinkInfo   `json:"pace,omitempty"`    // links to be held to the rates of
	PaceFD  int                `json:"pace_fd,omitempty"` // the file that goes with them; 0: there is none
}

// result is a worker's part of a bench.Batch.
type result struct {
	Seconds  []float64      `json:"seconds,omitempty"`
	Verdict  bench.Verdict  `json:"verdict"`
	Evidence bench.Evidence `json:"evidence"`
	Chunks   int            `json:"chunks"`
}

// maxMessage bounds a message in bytes: an exchange among 1,000 nodes still fits.
const maxMessage = 64 << 20

// send writes one message.
func send(w io.Writer, m message) error { return sendFrame(w, string(m.Kind), m) }

// receive reads one message. io.EOF means that the other end has closed between messages.
func receive(r io.Reader) (m message, err error) {
	err = receiveFrame(r, &m)
	return m, err
}

func sendFrame(w io.Writer, kind string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("control message %s: %w", kind, err)
	}
	if len(body) > maxMessage {
		return fmt.Errorf("control message %s: %d bytes: at most %d", kind, len(body), maxMessage)
	}
	frame := make([]byte, 4, 4+len(body))
	binary.BigEndian.PutUint32(frame, uint32(len(body)))
	if _, err = w.Write(append(frame, body...)); err != nil {
		return fmt.Errorf("control message %s: %w", kind, err)
	}
	return nil
}

func receiveFrame(r io.Reader, v any) error {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxMessage {
		return fmt.Errorf("control message of %d bytes: at most %d", n, maxMessage)
	}
	// The buffer grows with what really comes: a false length costs no memory.
	body, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && len(body) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("control message: %w", err)
	}
	if err = json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("control message: %w", err)
	}
	return nil
}
