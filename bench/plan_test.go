package bench

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func flags(pairs ...string) Settings {
	s := Settings{}
	for i := 0; i < len(pairs); i += 2 {
		s[pairs[i]] = Setting{Text: pairs[i+1], Place: "--" + pairs[i]}
	}
	return s
}

var here = Site{Ranks: 4, Hosts: 1, Backends: []string{"host"}}

func TestDefaults(t *testing.T) {
	p, err := Resolve(PlanFile{}, Settings{}, here)
	if err != nil {
		t.Fatal(err)
	}
	c := p.Cases[0]
	if got := fmt.Sprintf("%+v", c); got != "all_reduce 8 B auto" || c.How != (How{"host", "", "shm", "private", TimingBarrier}) ||
		c.Where != (Where{Ranks: 4, Hosts: 1, Domain: 4, Radix: 40}) {
		t.Errorf("%s %+v %+v", got, c.How, c.Where)
	}
	if p.Budget != 30 || p.Precision != 0.01 || p.Seed != 1 || p.Launches != 1 || p.Warmup != -1 || p.Iterations != 0 || len(p.Cases) != 12 {
		t.Errorf("%+v", p)
	}
}

func TestAllLeavesOutWhatIsRefused(t *testing.T) {
	for ranks, want := range map[string]bool{"4": true, "6": false} {
		p, err := Resolve(PlanFile{}, flags("collective", "all_gather", "algorithm", "all", "bytes", "4MiB", "ranks", ranks), here)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, c := range p.Cases {
			found = found || c.What.Algorithm == "recursive-doubling"
		}
		if found != want || len(p.Skipped) != 0 {
			t.Errorf("%s ranks: recursive-doubling measured: %v, skipped %v", ranks, found, p.Skipped)
		}
	}
}

func TestANamedAlgorithmThatOneLacksIsSkipped(t *testing.T) {
	p, err := Resolve(PlanFile{}, flags("collective", "all_reduce,all_gather", "algorithm", "sharp", "bytes", "1K"), here)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Cases) != 1 || len(p.Skipped) != 1 || p.Skipped[0].Status != Skipped || !strings.Contains(p.Skipped[0].Error, "all_gather") {
		t.Errorf("%v, skipped %+v", p.Cases, p.Skipped)
	}
}

func TestCasesAreCanonical(t *testing.T) {
	p, err := Resolve(PlanFile{}, flags("collective", "all_gather", "op", "sum,max", "root", "2", "bytes", "1K,1KiB"), here)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Cases) != 1 || p.Cases[0].What.Root != 0 {
		t.Errorf("%+v", p.Cases)
	}
}

func TestDefaultSizesBeginWhereThereIsAnElement(t *testing.T) {
	p, err := Resolve(PlanFile{}, flags("collective", "alltoall", "ranks", "16"), here)
	if err != nil || p.Cases[0].What.Bytes != 128 {
		t.Errorf("%v %v", p.Cases, err)
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	for _, c := range []struct{ key, text, want string }{
		{"algorithm", "rong", `--algorithm: unknown algorithm "rong"`},
		{"algorithm", "bruck", "no algorithm"},
		{"algorithm", "all,ring", "all stands alone"},
		{"algorithm", ",", "empty"},
		{"collective", "allreduce", "unknown collective"},
		{"bytes", "3", "--bytes: 3 bytes of float32 leave no element"},
		{"bytes", "8:4", "backwards"},
		{"ranks", "0", "--ranks: 0: want 1"},
		{"ranks", "two", "no whole number"},
		{"backend", "nccl", `unknown backend "nccl"`},
		{"transport", "ib", "unknown transport"},
		{"buffers", "x", "unknown buffers"},
		{"timing", "x", "unknown timing"},
		{"dtype", "float", "unknown data type"},
		{"op", "xor", "unknown reduction"},
		{"root", "4", "want 0 … 3"},
		{"domain", "5", "want 1 … 4"},
		{"radix", "1", "want 2"},
		{"precision", "0%", "--precision"},
		{"budget", "-3s", "--budget"},
		{"launches", "0", "--launches"},
		{"seed", "-1", "--seed"},
		{"in-place", "maybe", "want true or false"},
	} {
		_, err := Resolve(PlanFile{}, flags(c.key, c.text), here)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, want %s", c.key, c.text, err, c.want)
		}
	}
	if _, err := Resolve(PlanFile{}, flags("transport", "shm"), Site{Ranks: 2, Hosts: 2, Backends: []string{"host"}}); err == nil {
		t.Error("shm between hosts")
	}
	if _, err := Resolve(PlanFile{}, flags("ranks", "3"), Site{Ranks: 2, Fixed: true, Hosts: 1, Backends: []string{"host"}}); err == nil {
		t.Error("ranks on a fixed site")
	}
}

func TestBackendRefusal(t *testing.T) {
	site := here
	site.Supports = func(c Case) error {
		if c.What.Algorithm == "ring" {
			return errors.New("no ring today")
		}
		return nil
	}
	p, err := Resolve(PlanFile{}, flags("algorithm", "ring,direct", "bytes", "1K"), site)
	if err != nil || len(p.Cases) != 1 || len(p.Skipped) != 1 || p.Skipped[0].Error != "no ring today" {
		t.Errorf("%v %v", p, err)
	}
	if _, err = Resolve(PlanFile{}, flags("algorithm", "ring", "bytes", "1K"), site); err == nil || !strings.Contains(err.Error(), "no ring today") {
		t.Error(err)
	}
}

func TestPlanFile(t *testing.T) {
	file, err := ParsePlan("p.yaml", []byte("budget: 5s\nbytes: 1KiB\ncases:\n- algorithm: [ring, direct]\n  bytes: 2KiB\n- collective: broadcast\n  root: 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Resolve(file, flags("budget", "7s"), here)
	if err != nil {
		t.Fatal(err)
	}
	if p.Budget != 7 || fmt.Sprint(p.Cases) != "[all_reduce 2 KiB ring all_reduce 2 KiB direct broadcast 1 KiB auto]" || p.Cases[2].What.Root != 3 {
		t.Errorf("%+v", p)
	}
	p, err = Resolve(file, flags("bytes", "4K"), here)
	if err != nil || p.Cases[0].What.Bytes != 4096 || p.Cases[2].What.Bytes != 4096 {
		t.Errorf("a flag does not lie over the blocks: %v %v", p.Cases, err)
	}
}

func TestPlanFilesThatAreWrong(t *testing.T) {
	for text, want := range map[string]string{
		"algoritm: ring\n":                   `p.yaml:1:1: algoritm: unknown key`,
		"bytes: 8\ncases:\n- bites: 8\n":     `p.yaml:3:3: bites: unknown key`,
		"cases:\n- seed: 8\n":                `p.yaml:2:3: seed: holds for the whole run`,
		"cases: 5\n":                         `p.yaml:1:8: cases: want a list`,
		"cases: []\n":                        `want a list`,
		"bytes: 8\nbytes: 9\n":               `p.yaml:2`,
		"bytes: {a: 1}\n":                    `p.yaml:1:1: bytes: want a plain value`,
		"- 1\n":                              `p.yaml:1`,
		"":                                   `p.yaml: empty`,
		"bytes: [1,\n":                       `p.yaml:1`,
		"bytes: 8\n---\nbytes: 9\n":          `2 documents`,
		"bytes: &a [*a]\n":                   `want a plain value`,
		"collective: all_reduce\nbytes: 3\n": `p.yaml:2:1: bytes: 3 bytes of float32`,
	} {
		file, err := ParsePlan("p.yaml", []byte(text))
		if err == nil {
			_, err = Resolve(file, Settings{}, here)
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzParsePlan(f *testing.F) {
	f.Add([]byte("budget: 5s\ncases:\n- algorithm: [ring, direct]\n  bytes: 2KiB\n"))
	f.Add([]byte("bytes: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := ParsePlan("p.yaml", text)
		if err == nil {
			Resolve(file, Settings{}, here)
		}
	})
}
