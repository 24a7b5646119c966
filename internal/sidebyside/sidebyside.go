// Package sidebyside is what the commands have in common that measure collbench beside programs of others: launches that take
// turns, what comes out of them, and the section of docs/performance.md that it goes into.
package sidebyside

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Contender is one side: Measure makes one launch and returns seconds by message size in bytes.
type Contender struct {
	Name    string
	Measure func() (map[int64]float64, error)
}

// Interleave has all contenders make so many launches in turns, A B … B A: what drifts falls on all alike. The result is by
// contender and launch. said is told of each finished turn.
func Interleave(all []Contender, launches int, said func(launch int)) ([][]map[int64]float64, error) {
	seconds := make([][]map[int64]float64, len(all))
	for launch := range launches {
		order := make([]int, len(all))
		for i := range order {
			order[i] = i
		}
		if launch%2 == 1 {
			slices.Reverse(order)
		}
		for _, i := range order {
			measured, err := all[i].Measure()
			if err != nil {
				return nil, fmt.Errorf("launch %d of %s: %w", launch, all[i].Name, err)
			}
			seconds[i] = append(seconds[i], measured)
		}
		said(launch)
	}
	return seconds, nil
}

// Column is the times of one size, by launch.
func Column(launches []map[int64]float64, size int64) []float64 {
	times := make([]float64, len(launches))
	for i, l := range launches {
		times[i] = l[size]
	}
	return times
}

// ParseLines reads lines "BYTES SECONDS", as the C programs print them.
func ParseLines(text []byte) (map[int64]float64, error) {
	measured := map[int64]float64{}
	for line := range strings.Lines(string(text)) {
		var size int64
		var seconds float64
		if _, err := fmt.Sscan(line, &size, &seconds); err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
		measured[size] = seconds
	}
	return measured, nil
}

// CPU names the processor.
func CPU() string {
	out, err := exec.Command("sh", "-c", "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1").Output()
	if err != nil || len(out) == 0 {
		return "unknown CPU"
	}
	return strings.TrimSpace(string(out))
}

// ReplaceSection replaces what stands between the marks "<!-- NAME: begin -->" and "<!-- NAME: end -->" of a file.
func ReplaceSection(path, name, text string) error {
	begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->"
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(old), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s: no section between %q and %q", path, strings.TrimSpace(begin), end)
	}
	return os.WriteFile(path, []byte(before+begin+text+end+after), 0o644)
}
