package model

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"collbench/collectives"
)

// busBandwidth predicts nccl-tests' figure for an all-reduce of 8 GiB in GB/s.
func busBandwidth(t *testing.T, machine, algorithm string, gpus int) float64 {
	t.Helper()
	m, err := Named(machine)
	if err != nil {
		t.Fatal(err)
	}
	const bytes = 8 << 30
	a := mustFind(t, algorithm)
	s := mustShape(t, collectives.AllReduce, gpus, bytes)
	s.Chunks = m.Chunks(a, collectives.AllReduce, bytes)
	return bytes / mustPrice(t, a, s, m).Seconds * collectives.AllReduce.BusFactor(gpus) / 1e9
}

// within asserts that a prediction is within a share of the published figure.
func within(t *testing.T, machine, algorithm string, gpus int, published, share float64) {
	t.Helper()
	if p := busBandwidth(t, machine, algorithm, gpus); math.Abs(p/published-1) > share {
		t.Errorf("%s, %s on %d GPUs: %.1f GB/s predicted, %.1f published", machine, algorithm, gpus, p, published)
	}
}

// W is calibrated at 8 GPUs alone; what it says of fewer must hold against the published sweep
// (github.com/stas00/ml-engineering at 744d01e, network/README.md, lines 919–943).
func TestPublishedSweep(t *testing.T) {
	for gpus, published := range map[int]float64{5: 414.2, 6: 435.6, 7: 460.0} {
		within(t, "hgx-h200", "nvls", gpus, published, 0.025)
	}
	for gpus, published := range map[int]float64{6: 778.2, 7: 811.2} {
		within(t, "hgx-b200", "nvls", gpus, published, 0.025)
	}
	// The calibration itself, and the plateaus of rings.
	within(t, "hgx-h200", "nvls", 8, 473.1, 0.002)
	within(t, "hgx-b200", "nvls", 8, 838.0, 0.002)
	within(t, "dgx-h100", "nvls", 8, 480, 0.002)
	within(t, "dgx-h100", "ring", 8, 370, 0.002)
	// The tie at 4 GPUs, at which NCCL stays with the ring.
	if n, r := busBandwidth(t, "hgx-h200", "nvls", 4), busBandwidth(t, "hgx-h200", "ring", 4); math.Abs(n/r-1) > 0.01 {
		t.Errorf("4 H200: nvls %.1f, ring %.1f GB/s: no tie", n, r)
	}
}

// The same against the table itself, where the logs are at hand.
func TestPublishedTable(t *testing.T) {
	folder := os.Getenv("COLLBENCH_LOGS")
	if folder == "" {
		t.Skip("COLLBENCH_LOGS does not name a folder of published logs")
	}
	files, err := filepath.Glob(filepath.Join(folder, "47_*.md"))
	if err != nil || len(files) == 0 {
		t.Skipf("%s has no file 47_*.md with the sweep over GPUs", folder)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`^\|\s+(\d) \| (Ring|NVLS)\s+\|\s+([\d.]+)GBps \|\s+([\d.]+)GBps`)
	machine, seen := "hgx-h200", 0
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "8x B200") {
			machine = "hgx-b200"
		}
		fields := row.FindStringSubmatch(line)
		if fields == nil {
			continue
		}
		seen++
		gpus, _ := strconv.Atoi(fields[1])
		chosen, _ := strconv.ParseFloat(fields[3], 64)
		ring, _ := strconv.ParseFloat(fields[4], 64)
		within(t, machine, strings.ToLower(fields[2]), gpus, chosen, 0.025)
		within(t, machine, "ring", gpus, ring, 0.025)
	}
	if seen != 10 {
		t.Errorf("%d rows in the table, want 10", seen)
	}
}
