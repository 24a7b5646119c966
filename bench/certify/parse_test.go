package certify

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const small = `summary: small
start: lab --vms 2 --
line-rate: 200Mbit
steps:
- name: a
  doctor: {profile: rdma, fail-on: warn}
- name: b
  run: {collective: all_reduce, algorithm: [ring, tree], bytes: "8:1MiB:x2", in-place: true}
  launches: 3
  accept: {model: 80%, line-rate: 75%, repeatability: 10%, busbw: 1GB/s, time: 3ms, faster: tree gdr=off than ring by 1.5, counters: unchanged, wrong: 0}
- name: c
  optional: true
  train: {bytes: 25MiB, compute: 600ms, algorithm: ring}
  accept: {overlap: 70%}
- name: d
  storage: {directory: /data, bytes: 1GiB}
  accept: {read: 2GB/s, write: 1GB/s}
not-run: [packet processing, security]
`

func TestParse(t *testing.T) {
	p, err := Parse("dir/small.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	want := Profile{
		Name: "small", Summary: "small", Start: []string{"lab", "--vms", "2", "--"}, LineRate: 25e6, Text: small, NotRun: []string{"packet processing", "security"},
		Steps: []Step{
			{Name: "a", Kind: Doctor, Launches: 1, Arguments: []string{"--profile=rdma", "--fail-on=warn"}},
			{Name: "b", Kind: Run, Launches: 3, Arguments: []string{"--collective=all_reduce", "--algorithm=ring,tree", "--bytes=8:1MiB:x2", "--in-place=true"},
				Accept: Accept{Model: 0.8, LineRate: 0.75, Repeatability: 0.1, BusBW: 1e9, Time: 0.003, Faster: &Faster{"tree gdr=off", "ring", 1.5}, Counters: true}},
			{Name: "c", Kind: Train, Launches: 1, Optional: true, Arguments: []string{"--collective=all_reduce", "--bytes=25MiB", "--variant=default|compute=600ms", "--algorithm=ring"},
				Accept: Accept{Overlap: 0.7}},
			{Name: "d", Kind: Storage, Launches: 1, Arguments: []string{"--directory=/data", "--bytes=1GiB"}, Accept: Accept{Read: 2e9, Write: 1e9}},
		},
	}
	if fmt.Sprintf("%+v", p) != fmt.Sprintf("%+v", want) { // fractions are written in per cent
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
	if words := strings.Join(p.Command(p.Steps[0]), " "); words != "lab --vms 2 -- doctor --profile=rdma --fail-on=warn" {
		t.Error(words)
	}
	if words := strings.Join(p.Command(p.Steps[3]), " "); words != "storage --directory=/data --bytes=1GiB" {
		t.Error(words)
	}
}

// TestMistakes breaks one line of a profile that is right, and sees the place and what would be right.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ old, broken, want string }{
		{"summary: small", "sumary: small", "x.yaml:1:1: sumary: unknown key: want one of summary, start, line-rate, steps, not-run"},
		{"200Mbit", "fast", "x.yaml:3:1: line-rate: "},
		{"line-rate: 200Mbit\n", "", `step "b" is held against the rate of the links: say line-rate`},
		{"fail-on: warn", "failon: warn", "x.yaml:6:27: failon: unknown key: want one of profile, fail-on"},
		{"name: b", "name: a", `two steps are called "a"`},
		{"name: b\n  run", "run", "the step has no name"},
		{"  train:", "  run: {bytes: 8}\n  train:", "the step has a command already, run: want one"},
		{"  doctor: {profile: rdma, fail-on: warn}\n", "  optional: true\n", "the step has no command: want one of run, train, doctor, storage"},
		{"launches: 3", "launches: 2", `step "b": model is judged over launches`},
		{"launches: 3", "launches: many", "x.yaml:9:3: launches: "},
		{"launches: 3", "out: here", "x.yaml:9:3: out: unknown key"},
		{"in-place: true", "out: here", "x.yaml:8:78: out: unknown key"},
		{"model: 80%", "modell: 80%", "modell: unknown key: want one of model, line-rate, repeatability"},
		{"overlap: 70%", "model: 70%", `step "c": model is no criterion of train`},
		{"by 1.5", "by", "want such as: sharp than ring by 1.5"},
		{"unchanged", "few", "want unchanged"},
		{"wrong: 0", "wrong: 1", "want 0"},
		{"compute: 600ms, ", "", "want bytes, the size of one bucket, and compute"},
		{"[packet processing, security]", "nothing", "not-run: want a list"},
		{"optional: true", "optional: perhaps", "x.yaml:12:3: optional: "},
	} {
		if !strings.Contains(small, c.old) {
			t.Fatalf("the profile lacks %q", c.old)
		}
		_, err := Parse("x.yaml", []byte(strings.Replace(small, c.old, c.broken, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "x.yaml") {
			t.Errorf("%q: %v, want %q", c.broken, err, c.want)
		}
	}
}

// TestEmbedded reads the profiles that come with collbench, which are files of this folder.
func TestEmbedded(t *testing.T) {
	for _, name := range Names() {
		p, err := Load(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if p.Name != name || p.Summary == "" || len(p.NotRun) < 2 || p.Steps[0].Kind != Doctor {
			t.Errorf("%s: %+v", name, p)
		}
	}
	files, err := filepath.Glob("profiles/*.yaml")
	if err != nil || len(files) != len(Names()) {
		t.Errorf("%q %v", files, err)
	}
	if _, err := Load("three-node"); err == nil || !strings.Contains(err.Error(), "want single-node, two-node, or a file") {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte(small), 0o644); err != nil {
		t.Fatal(err)
	}
	if p, err := Load(file); err != nil || p.Name != "mine" {
		t.Errorf("%+v %v", p, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Fuzz(func(t *testing.T, text []byte) {
		if p, err := Parse("x.yaml", text); err == nil && len(p.Steps) == 0 || err != nil && !strings.HasPrefix(err.Error(), "x.yaml") {
			t.Fatalf("%+v, %v", p, err)
		}
	})
}
