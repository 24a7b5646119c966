package launch

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// pmiBoard is a PMI-1 server as a board. The wire: one line of "name=value" words each way, in lock step.
type pmiBoard struct {
	conn  net.Conn
	lines *bufio.Reader
	space string // name of the server's key-value space
}

// maxLine bounds a line of the server in bytes.
const maxLine = 4096

// openPMI says hello to the server.
func openPMI(ctx context.Context, w *World, v Variables) (Exchange, error) {
	conn, err := pmiConnect(ctx, v)
	if err != nil {
		return nil, fmt.Errorf("PMI-1: %w", err)
	}
	b := &pmiBoard{conn: conn, lines: bufio.NewReaderSize(conn, maxLine)}
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	if !v.has("PMI_FD") {
		err = b.acknowledge(w)
	}
	if err == nil {
		err = b.hello()
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("PMI-1: %w", err)
	}
	return posted{b, w.Rank}, nil
}

func pmiConnect(ctx context.Context, v Variables) (net.Conn, error) {
	if address := v["PMI_PORT"]; !v.has("PMI_FD") {
		return (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	fd, err := strconv.Atoi(v["PMI_FD"])
	if err != nil || fd < 0 {
		return nil, fmt.Errorf("PMI_FD=%q: want a file descriptor", v["PMI_FD"])
	}
	syscall.CloseOnExec(fd) // the connection is this process's: workers must not hold it open
	inherited := os.NewFile(uintptr(fd), "PMI_FD")
	defer inherited.Close()
	conn, err := net.FileConn(inherited)
	if err != nil {
		return nil, fmt.Errorf("PMI_FD=%d: %w", fd, err)
	}
	return conn, nil
}

// acknowledge tells a server behind a port who is speaking, and learns the size of the job.
func (b *pmiBoard) acknowledge(w *World) error {
	if _, err := b.ask(fmt.Sprintf("cmd=initack pmiid=%d", w.Rank), "initack"); err != nil {
		return err
	}
	for range 3 { // size, rank, debug
		words, err := b.read("set")
		if err != nil {
			return err
		}
		text, ok := words["size"]
		if !ok {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxRanks {
			return fmt.Errorf("size=%q", text)
		}
		w.Size = n
		w.from("size", n, "the server at PMI_PORT")
	}
	return nil
}

// hello agrees on the protocol. Slurm's server takes no other subversion than 1 for PMI_FD's first version.
func (b *pmiBoard) hello() error {
	if _, err := b.ask("cmd=init pmi_version=1 pmi_subversion=1", "response_to_init"); err != nil {
		return err
	}
	maxes, err := b.ask("cmd=get_maxes", "maxes")
	if err != nil {
		return err
	}
	if most, err := strconv.Atoi(maxes["vallen_max"]); err != nil || most < maxCard {
		return fmt.Errorf("values are at most %q bytes long: want %d", maxes["vallen_max"], maxCard)
	}
	name, err := b.ask("cmd=get_my_kvsname", "my_kvsname")
	b.space = name["kvsname"]
	return err
}

// ask sends a line and reads the answer, which has to be of the kind that is wanted and no refusal.
func (b *pmiBoard) ask(line, want string) (map[string]string, error) {
	if _, err := b.conn.Write([]byte(line + "\n")); err != nil {
		return nil, fmt.Errorf("%s: %w", firstWord(line), err)
	}
	words, err := b.read(want)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", firstWord(line), err)
	}
	return words, nil
}

func firstWord(line string) string {
	word, _, _ := strings.Cut(line, " ")
	return word
}

func (b *pmiBoard) read(want string) (map[string]string, error) {
	line, err := b.lines.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	words := parsePMI(string(line))
	if words["cmd"] != want {
		return nil, fmt.Errorf("the server answers cmd=%q: want %q", words["cmd"], want)
	}
	if rc := words["rc"]; rc != "" && rc != "0" {
		return nil, fmt.Errorf("the server refuses: rc=%s %s", rc, words["msg"])
	}
	return words, nil
}

// parsePMI reads a line of words, whose order differs from server to server.
func parsePMI(line string) map[string]string {
	words := map[string]string{}
	for word := range strings.FieldsSeq(line) {
		if name, value, ok := strings.Cut(word, "="); ok {
			words[name] = value
		}
	}
	return words
}

func (b *pmiBoard) put(key, value string) error {
	_, err := b.ask(fmt.Sprintf("cmd=put kvsname=%s key=%s value=%s", b.space, key, value), "put_result")
	return err
}

func (b *pmiBoard) fence() error {
	_, err := b.ask("cmd=barrier_in", "barrier_out")
	return err
}

func (b *pmiBoard) get(_ int, key string) (string, error) {
	words, err := b.ask(fmt.Sprintf("cmd=get kvsname=%s key=%s", b.space, key), "get_result")
	return words["value"], err
}

// Close leaves the job in peace: hydra takes a process that ends without a word for one that has failed.
func (b *pmiBoard) Close() error {
	_, err := b.ask("cmd=finalize", "finalize_ack")
	b.conn.Close()
	return err
}
