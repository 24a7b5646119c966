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
	// From the process that has started the worker.
	takeSeat kind = "seat"
	meet     kind = "meet"
	// From the coordinator, to all workers alike.
	hello     kind = "hello"
	prepare   kind = "prepare"
	iterate   kind = "run"
	exchanged kind = "exchanged"
	ping      kind = "ping"
	// From a worker.
	met      kind = "met"
	done     kind = "done"
	failed   kind = "failed"
	exchange kind = "exchange"
	pong     kind = "pong"
)

// message is what a worker is sent and sends: four bytes of length, big-endian, and so many of JSON.
type message struct {
	Kind       kind        `json:"kind"`
	Seat       *seat       `json:"seat,omitempty"`
	Meet       *meeting    `json:"meet,omitempty"`
	Hello      *welcome    `json:"hello,omitempty"`
	Case       *bench.Case `json:"case,omitempty"`
	Iterations int         `json:"iterations,omitempty"`
	Stage      bench.Stage `json:"stage,omitempty"`
	Data       [][]byte    `json:"data,omitempty"` // of an exchange: one from a worker, all from the coordinator
	Result     *result     `json:"result,omitempty"`
	Error      string      `json:"error,omitempty"`
	Refused    bool        `json:"refused,omitempty"` // with Error: not supported; nothing has begun, so nothing is broken
}

// seat is what a worker has for itself: its node, and what it shares with the others of its host.
type seat struct {
	Node    collectives.Node   `json:"node"`
	Team    int                `json:"team"` // the how manieth team of the run it is in, from 1
	Members []collectives.Node `json:"members,omitempty"`
	Bytes   int64              `json:"bytes,omitempty"`   // of the shared memory; 0: there is none
	PaceFD  int                `json:"pace_fd,omitempty"` // the file of the paced links; 0: there is none
}

// welcome is what all workers of a team are told at its start.
type welcome struct {
	Ranks     int              `json:"ranks"`
	Hosts     []string         `json:"hosts"`     // of each node
	Addresses []string         `json:"addresses"` // of each node
	Pace      []bench.LinkInfo `json:"pace,omitempty"`
}

// meeting is how a worker is asked to bring the ranks together, and what came of it.
type meeting struct {
	Backend string `json:"backend,omitempty"`
	Card    []byte `json:"card,omitempty"` // asked: rank 0's own; answered: rank 0's
	Rank    int    `json:"rank"`
	Ranks   int    `json:"ranks"`
}

// result is a worker's part of a bench.Batch.
type result struct {
	Seconds  []float64      `json:"seconds,omitempty"`
	Verdict  bench.Verdict  `json:"verdict"`
	Evidence bench.Evidence `json:"evidence"`
	Chunks   int            `json:"chunks"`
	bench.Observation
	Device *bench.Device `json:"device,omitempty"` // with the first case that is prepared
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
	if err := writeFrame(w, body); err != nil {
		return fmt.Errorf("control message %s: %w", kind, err)
	}
	return nil
}

func writeFrame(w io.Writer, body []byte) error {
	if len(body) > maxMessage {
		return fmt.Errorf("%d bytes: at most %d", len(body), maxMessage)
	}
	frame := make([]byte, 4, 4+len(body))
	binary.BigEndian.PutUint32(frame, uint32(len(body)))
	_, err := w.Write(append(frame, body...))
	return err
}

func receiveFrame(r io.Reader, v any) error {
	body, err := readFrame(r)
	if err != nil {
		return err
	}
	if err = json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("control message: %w", err)
	}
	return nil
}

func readFrame(r io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	return readBody(r, binary.BigEndian.Uint32(length[:]))
}

// readBody reads so many bytes. The buffer grows with what really comes: a false length costs no memory.
func readBody(r io.Reader, n uint32) ([]byte, error) {
	if n > maxMessage {
		return nil, fmt.Errorf("control message of %d bytes: at most %d", n, maxMessage)
	}
	body, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && len(body) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("control message: %w", err)
	}
	return body, nil
}
