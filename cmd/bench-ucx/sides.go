package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// side starts both sides' launches.
type side struct {
	library
	dir, binary string
	cells       []cell
	version     string // of UCX, as collbench's evidence has it
}

// bound is a program that may use one CPU.
func (s *side) bound(cpu int, program ...string) *exec.Cmd {
	cmd := exec.Command("taskset", append([]string{"-c", strconv.Itoa(cpu)}, program...)...)
	cmd.Env = s.environment()
	cmd.Stderr = &bytes.Buffer{}
	return cmd
}

// together starts the first program, then the second, and returns what the second, or if that says nothing the first, prints.
func together(first, second *exec.Cmd, pause time.Duration) ([]byte, error) {
	var a, b bytes.Buffer
	first.Stdout, second.Stdout = &a, &b
	if err := first.Start(); err != nil {
		return nil, err
	}
	time.Sleep(pause)
	err := second.Run()
	if err != nil {
		_ = first.Process.Kill() // it would wait for ever
	}
	for _, cmd := range []*exec.Cmd{first, second} {
		if cmd == first {
			if failed := cmd.Wait(); err == nil {
				err = failed
			}
		}
		if err != nil {
			err = fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, cmd.Stderr)
		}
	}
	if b.Len() == 0 {
		return a.Bytes(), err
	}
	return b.Bytes(), err
}

// collbench makes one launch of the binary: a run of each size with windows and one without, as their numbers of iterations differ.
func (s *side) collbench() (map[int64]float64, error) {
	measured := map[int64]float64{}
	for _, size := range sizes {
		for _, windowed := range []bool{false, true} {
			var operations []string
			for _, c := range s.cells {
				if c.size == size && c.windowed == windowed {
					operations = append(operations, c.operation)
				}
			}
			iterations := size.messages
			if windowed {
				iterations = size.windows
			}
			text, err := s.run(size.bytes, iterations, operations)
			if err != nil {
				return nil, err
			}
			if err := s.read(text, measured); err != nil {
				return nil, err
			}
		}
	}
	if len(measured) != len(s.cells) {
		return nil, fmt.Errorf("%d cells of %d", len(measured), len(s.cells))
	}
	return measured, nil
}

// run starts the two ranks of a run and returns the rows that it has kept, with all samples.
func (s *side) run(size int64, iterations int, operations []string) ([]byte, error) {
	out, err := os.MkdirTemp(s.dir, "run")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	line := func(rank int) []string {
		return []string{s.binary, "run", "--rank", strconv.Itoa(rank), "--ranks", "2", "--rendezvous", "file:" + filepath.Join(out, "meeting"),
			"--backend", "ucx", "--operation", strings.Join(operations, ","), "--bytes", strconv.FormatInt(size, 10), "--window", strconv.Itoa(window),
			"--timing", "batch", "--iterations", strconv.Itoa(iterations), "--warmup", strconv.Itoa(warmup(iterations)), "--out", filepath.Join(out, "run")}
	}
	if _, err := together(s.bound(0, line(0)...), s.bound(1, line(1)...), 0); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(out, "run", "results.jsonl"))
}

func warmup(iterations int) int { return max(3, iterations/10) }

// read takes seconds a message from rows of results: the mean over the samples of rank 0, which is the mean over all messages, as
// ucx_perftest's figure is.
func (s *side) read(text []byte, measured map[int64]float64) error {
	for line := range bytes.Lines(text) {
		var row struct {
			What struct {
				Bytes     int64
				Operation string
			}
			Status   string
			Error    string
			Wrong    *int64
			Evidence struct{ Detail string }
			Seconds  [][]float64
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
		i := slices.IndexFunc(s.cells, func(c cell) bool { return c.operation == row.What.Operation && c.bytes == row.What.Bytes })
		if row.Status != "ok" || row.Wrong == nil || *row.Wrong != 0 || i < 0 || len(row.Seconds) == 0 || len(row.Seconds[0]) != samples {
			return fmt.Errorf("%s of %d bytes: %s: %s", row.What.Operation, row.What.Bytes, row.Status, row.Error)
		}
		s.version, _, _ = strings.Cut(row.Evidence.Detail, ":")
		var seconds float64
		for _, sample := range row.Seconds[0] {
			seconds += sample / samples
		}
		if s.cells[i].windowed {
			seconds /= window
		}
		measured[int64(i)] = seconds
	}
	return nil
}

// perftest makes one launch of ucx_perftest, which carries out all cells in turn: each with a context of its own.
func (s *side) perftest() (map[int64]float64, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	var batch strings.Builder
	for i, c := range s.cells {
		under := 1
		if c.windowed {
			under = window
		}
		fmt.Fprintf(&batch, "cell%d -t %s -s %d -O %d -n %d -w %d\n", i, c.test.perftest, c.bytes, under, c.messages(), warmup(c.messages()/samples))
	}
	file := filepath.Join(s.dir, "batch")
	if err := os.WriteFile(file, []byte(batch.String()), 0o600); err != nil {
		return nil, err
	}
	arguments := []string{s.library.perftest, "-b", file, "-f", "-v", "-p", strconv.Itoa(port)}
	text, err := together(s.bound(0, arguments...), s.bound(1, append([]string{arguments[0], "127.0.0.1"}, arguments[1:]...)...), 300*time.Millisecond)
	if err != nil {
		return nil, err
	}
	return parsePerftest(text, len(s.cells))
}

// parsePerftest reads lines "cellN,iterations,…,message rate": seconds a message, as the rate over all of them has it.
func parsePerftest(text []byte, cells int) (map[int64]float64, error) {
	measured := map[int64]float64{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), ",")
		number, err := strconv.Atoi(strings.TrimPrefix(fields[0], "cell"))
		if err != nil {
			continue // a heading
		}
		rate, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil || rate <= 0 {
			return nil, fmt.Errorf("ucx_perftest's line %q has no message rate", line)
		}
		measured[int64(number)] = 1 / rate
	}
	if len(measured) != cells {
		return nil, fmt.Errorf("ucx_perftest measured %d cells of %d:\n%s", len(measured), cells, text)
	}
	return measured, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
