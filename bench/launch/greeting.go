package launch

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// The greeting of a control connection. Both sides show that they know the job's secret, and neither sends it:
//
//	rank 0    magic, 32 random bytes S
//	the other magic, 32 random bytes C, length, header, HMAC-SHA256(secret, "client" S C header)
//	rank 0    length, refusal (empty: welcome), HMAC-SHA256(secret, "server" S C header refusal)
//
// S is fresh for every connection, so a greeting that was overheard is worth nothing. All lengths are bounded, and
// so is the time. What follows is neither encrypted nor signed: a job's network is trusted to carry it.
const (
	magic       = "cllbnch1"
	nonceBytes  = 32
	maxHeader   = 16 << 10
	maxRefusal  = 1 << 10
	greetingFor = 10 * time.Second
)

// protocol is the version of all that is said on control connections; both ends have to have the same.
const protocol = 1

// Header says what a connection is for.
type Header struct {
	Protocol int             `json:"protocol"`
	Rank     int             `json:"rank"`
	Purpose  string          `json:"purpose"`
	Data     json.RawMessage `json:"data,omitempty"`
}

// errSilent is the error of a connection that ended before the other side said anything: a member that has found
// rank 0 at another of its addresses does that.
var errSilent = errors.New("the other side said nothing")

var errStranger = errors.New("the other side does not know this job's secret")

// errHungUp is what a member sees whose proof was not accepted.
var errHungUp = errors.New("it hung up at the greeting: does it belong to another job, or have another " + secretVariable + "?")

// refusal is what rank 0 tells a member that it does not let in.
type refusal struct{ text string }

func (r refusal) Error() string { return "rank 0 refuses: " + r.text }

// sign makes the proof of one side. Every part but the last has a length that follows from what is before it, or is
// itself prefixed by its length.
func sign(secret []byte, side string, server, client, header, reply []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(side))
	mac.Write(server)
	mac.Write(client)
	mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(header))))
	mac.Write(header)
	mac.Write(reply)
	return mac.Sum(nil)
}

// welcome is rank 0's side. admit says why a member with the right secret is refused all the same; nil: it is not.
func welcome(conn net.Conn, secret []byte, admit func(Header) error) (h Header, err error) {
	conn.SetDeadline(time.Now().Add(greetingFor))
	server := make([]byte, nonceBytes)
	rand.Read(server)
	if _, err = conn.Write(append([]byte(magic), server...)); err != nil {
		return h, err
	}
	client, err := readOpening(conn)
	if err != nil {
		return h, err
	}
	header, err := readPart(conn, maxHeader)
	if err != nil {
		return h, err
	}
	proof := make([]byte, sha256.Size)
	if _, err = io.ReadFull(conn, proof); err != nil {
		return h, err
	}
	if !hmac.Equal(proof, sign(secret, "client", server, client, header, nil)) {
		return h, errStranger
	}
	text := ""
	if err = json.Unmarshal(header, &h); err == nil {
		err = admitted(h, admit)
	}
	if err != nil {
		text = err.Error()
		text = text[:min(len(text), maxRefusal)]
	}
	answer := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	answer = append(answer, text...)
	answer = append(answer, sign(secret, "server", server, client, header, []byte(text))...)
	if _, e := conn.Write(answer); err == nil {
		err = e
	}
	conn.SetDeadline(time.Time{})
	return h, err
}

func admitted(h Header, admit func(Header) error) error {
	if h.Protocol != protocol {
		return fmt.Errorf("rank %d speaks version %d of the control protocol, rank 0 version %d: all ranks have to run the same collbench", h.Rank, h.Protocol, protocol)
	}
	return admit(h)
}

// introduce is the other side: it returns when rank 0 has let it in.
func introduce(conn net.Conn, secret []byte, h Header) error {
	conn.SetDeadline(time.Now().Add(greetingFor))
	h.Protocol = protocol
	header, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if len(header) > maxHeader {
		return fmt.Errorf("a header of %d bytes: at most %d", len(header), maxHeader)
	}
	server, err := readOpening(conn)
	if err != nil {
		return err
	}
	client := make([]byte, nonceBytes)
	rand.Read(client)
	opening := append([]byte(magic), client...)
	opening = binary.BigEndian.AppendUint32(opening, uint32(len(header)))
	opening = append(opening, header...)
	opening = append(opening, sign(secret, "client", server, client, header, nil)...)
	if _, err = conn.Write(opening); err != nil {
		return err
	}
	text, err := readPart(conn, maxRefusal)
	if errors.Is(err, io.EOF) {
		return errHungUp
	}
	if err != nil {
		return err
	}
	proof := make([]byte, sha256.Size)
	if _, err = io.ReadFull(conn, proof); err != nil {
		return err
	}
	if !hmac.Equal(proof, sign(secret, "server", server, client, header, text)) {
		return errStranger
	}
	conn.SetDeadline(time.Time{})
	if len(text) > 0 {
		return refusal{string(text)}
	}
	return nil
}

// readOpening reads the magic and the nonce of the other side.
func readOpening(r io.Reader) ([]byte, error) {
	opening := make([]byte, len(magic)+nonceBytes)
	if n, err := io.ReadFull(r, opening); n == 0 {
		return nil, fmt.Errorf("%w: %w", errSilent, err)
	} else if err != nil {
		return nil, err
	}
	if string(opening[:len(magic)]) != magic {
		return nil, errors.New("the other side is no collbench")
	}
	return opening[len(magic):], nil
}

// readPart reads a length and so many bytes.
func readPart(r io.Reader, most int) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > uint32(most) {
		return nil, fmt.Errorf("a part of %d bytes: at most %d", n, most)
	}
	part := make([]byte, n)
	_, err := io.ReadFull(r, part)
	return part, err
}
