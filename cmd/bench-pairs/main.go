// Command bench-pairs plants faults in a virtual cluster of eight VMs, again and again, and tests its pairs: the verdict has to
// name the VM and the direction, or the pair, and nobody else; and nobody where nothing is slow.
//
// It stands beside the data's way: it starts the finished binary as a user would. `make bench-pairs` runs it; a test takes some
// five seconds, and nothing else should run meanwhile.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"collbench/bench/pairs"
	"collbench/internal/planted"
)

func main() {
	rounds := flag.Int("rounds", 50, "tests of each kind")
	first := flag.Uint64("first", 1, "seed of the first one")
	only := flag.String("kind", "", "only this kind")
	binary := flag.String("collbench", "bin/collbench", "the binary to test with")
	flag.Parse()
	bad := false
	for _, kind := range planted.Kinds {
		if *only != "" && kind != *only {
			continue
		}
		right, begun, cleared := 0, time.Now(), 0
		for seed := *first; seed < *first+uint64(*rounds); seed++ {
			fault := planted.New(kind, seed)
			v, err := test(*binary, fault, seed)
			if err == nil {
				err = fault.Check(v)
			}
			cleared += len(v.Cleared)
			if err != nil {
				bad = true
				fmt.Printf("%s, seed %d, %v: WRONG: %v\n", kind, seed, fault.Args, err)
				continue
			}
			right++
		}
		fmt.Printf("%s: %d of %d right, %d alarms cleared by testing again, %.1f s each\n", kind, right, *rounds, cleared, time.Since(begun).Seconds()/float64(*rounds))
	}
	if bad {
		os.Exit(1)
	}
}

// test tests the pairs of a cluster with a fault.
func test(binary string, fault planted.Fault, seed uint64) (v pairs.Verdict, err error) {
	dir, err := os.MkdirTemp("", "bench-pairs")
	if err != nil {
		return v, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(binary, slices.Concat(fault.Args, planted.Options(seed), []string{"--out", filepath.Join(dir, "run")})...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, ended := cmd.Output()
	if err := json.Unmarshal(text, &v); err != nil {
		return v, fmt.Errorf("no verdict: %w: %w\n%s", ended, err, stderr.String())
	}
	return v, nil
}
