// Command bench-gate-lab gates a virtual cluster against itself, again and again: with a link slowed by 10 %, which
// has to be failed with the size and the number, and unchanged, which has to pass.
//
// It stands beside the data's way: it starts the finished binary as a user would. `make bench-gate-lab` runs it; it
// takes about half a minute a round, and nothing else may run meanwhile.
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
	"strings"

	"collbench/bench/gate"
)

// What is measured: the links, not the processors, have to be the limit.
const cluster = "lab --vms 4 --bytes 128KiB,256KiB,512KiB --algorithm ring --iterations 7 --warmup 1 --link "

func main() {
	rounds := flag.Int("rounds", 30, "rounds, of two gates each")
	launches := flag.Int("launches", 8, "launches a side")
	binary := flag.String("collbench", "bin/collbench", "the binary to measure with")
	flag.Parse()
	wrong := 0
	for round := range *rounds {
		for _, link := range []string{"90Mbit", "100Mbit"} {
			v, err := judge(*binary, *launches, link)
			if err == nil {
				err = expected(v, link == "90Mbit")
			}
			if err != nil {
				wrong++
				fmt.Printf("round %d, link %s: WRONG: %v\n", round+1, link, err)
				continue
			}
			fmt.Printf("round %d, link %s: %s: %s\n", round+1, link, v.Outcome, v.Statement)
		}
	}
	fmt.Printf("%d of %d gates as expected\n", 2**rounds-wrong, 2**rounds)
	if wrong > 0 {
		os.Exit(1)
	}
}

// judge gates links of a rate against links of 100 Mbit/s.
func judge(binary string, launches int, link string) (v gate.Verdict, err error) {
	dir, err := os.MkdirTemp("", "bench-gate-lab")
	if err != nil {
		return v, err
	}
	defer os.RemoveAll(dir)
	args := slices.Concat([]string{"gate", "--launches", fmt.Sprint(launches), "--base", cluster + "100Mbit", "--out", filepath.Join(dir, "runs"), "--format", "json", "--"},
		strings.Fields(cluster+link))
	cmd := exec.Command(binary, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, ended := cmd.Output()
	if err := json.Unmarshal(text, &v); err != nil {
		return v, fmt.Errorf("no verdict: %w: %w\n%s", ended, err, stderr.String())
	}
	return v, nil
}

// expected says what is wrong with a verdict. A link of 90 instead of 100 Mbit/s takes 11.1 % longer; the figure has to
// be within two points of that at every size.
func expected(v gate.Verdict, slowed bool) error {
	want := gate.Pass
	if slowed {
		want = gate.Fail
	}
	if v.Outcome != want || v.Compared != 3 {
		return fmt.Errorf("%s of %d sizes, want %s of 3: %s", v.Outcome, v.Compared, want, messages(v))
	}
	for _, f := range v.Findings {
		if slowed && (f.Outcome != gate.Fail || len(f.Cases) != 1 || f.Ratio == nil || *f.Ratio < 1.09 || *f.Ratio > 1.13) {
			return fmt.Errorf("want every size failed with +11.1 %%: %s", messages(v))
		}
	}
	return nil
}

func messages(v gate.Verdict) string {
	var all []string
	for _, f := range v.Findings {
		all = append(all, f.Message)
	}
	return strings.Join(all, "; ")
}
