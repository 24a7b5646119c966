package reports

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/bench/pairs"

	"github.com/chromedp/chromedp"
)

// surveyed is a test of pairs on a simulated fabric in which host 3 sends at half rate.
func surveyed(t testing.TB, hosts, each int) PairsOf {
	t.Helper()
	info := bench.RunInfo{Schema: bench.RunSchema, ID: "20260102T030405Z-test", Command: []string{"collbench", "pairs"}, Plan: json.RawMessage(`{"seed":1,"tolerance":0.1}`)}
	for r := range hosts * each {
		info.Ranks = append(info.Ranks, bench.RankInfo{Rank: r, Host: fmt.Sprintf("node%03d", r/each), Local: r % each, GPU: fmt.Sprintf("gpu%d", r%each), NIC: fmt.Sprintf("mlx5_%d", r%each)})
	}
	places := pairs.Places(info, hosts*each)
	fabric := pairs.Simulation{Places: places, Noise: 0.01, Seed: 1,
		Latency:   map[pairs.Kind]float64{pairs.SameHost: 2e-6, pairs.SameRail: 5e-6, pairs.CrossRail: 7e-6},
		Bandwidth: map[pairs.Kind]float64{pairs.SameHost: 370e9, pairs.SameRail: 48e9, pairs.CrossRail: 40e9},
		Fault: func(p bench.Pair) float64 {
			if places[p.From].Host == "node003" && places[p.To].Host != "node003" {
				return 0.5
			}
			return 1
		}}
	scope := pairs.Scope{Name: pairs.ScopeAll}
	rounds, err := scope.Rounds(places, false, 1)
	if err != nil {
		t.Fatal(err)
	}
	base := bench.Case{What: bench.What{Operation: "bandwidth", Bytes: 1 << 20, Window: 8, Algorithm: bench.Auto}, How: bench.How{Timing: bench.TimingBarrier}, Where: bench.Where{Ranks: len(places), Hosts: hosts}}
	results := computed(t, fabric, pairs.Cases(base, rounds, scope))
	for _, m := range pairs.Read(info, results) {
		results = append(results, computed(t, fabric, pairs.Again(m, pairs.OptionsOf(info)))...)
	}
	p, ok := ReadPairs(info, results)
	if !ok {
		t.Fatal("no pairs")
	}
	return p
}

// computed has the fabric compute a sample of each case.
func computed(t testing.TB, fabric pairs.Simulation, cases []bench.Case) (results []bench.Result) {
	t.Helper()
	team, err := fabric.Launch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if err := team.Prepare(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		batch, err := team.Run(t.Context(), 1, bench.StageIterate)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, bench.Result{Case: c, Status: bench.OK, Seconds: batch.Seconds, Simulated: batch.Evidence.StandIn})
	}
	return results
}

func TestPairsTable(t *testing.T) {
	var b bytes.Buffer
	if err := Pairs(&b, "table", surveyed(t, 4, 2)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FAIL: node003 sends at 5", "Simulated: these figures were computed", "56 of 56 pairs", "same rail", "worst pairs", "rank 6 (node003/gpu0)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing:\n%s", want, b.String())
		}
	}
	if first, _, _ := strings.Cut(b.String(), "\n"); !strings.HasPrefix(first, "FAIL: ") {
		t.Errorf("the verdict is not first: %s", first)
	}
}

func TestPairsCSV(t *testing.T) {
	var b bytes.Buffer
	p := surveyed(t, 3, 2)
	if err := Pairs(&b, "csv", p); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 31 || strings.Join(rows[0], ",") != "run,operation,bytes,scope,from,to,from_host,to_host,from_gpu,to_gpu,from_nic,to_nic,kind,unit,value,share,again,simulated" {
		t.Fatalf("%d rows, %v, %v", len(rows), rows[0], err)
	}
	if got := rows[2]; !slices.Equal(got[:14], []string{p.Info.ID, "bandwidth", "1048576", "", "0", "2", "node000", "node001", "gpu0", "gpu0", "mlx5_0", "mlx5_0", "same rail", "B/s"}) || got[17] != "true" {
		t.Errorf("%v", got)
	}
}

func TestPairsJSON(t *testing.T) {
	var b bytes.Buffer
	if err := Pairs(&b, "json", surveyed(t, 4, 2)); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		pairs.Verdict
		Values []struct {
			Ranks []pairs.Place
			Pairs []struct{ From, To int }
		}
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil || doc.Schema != pairs.Schema || doc.Outcome != pairs.Fail || len(doc.Findings) != 1 || doc.Findings[0].Host != "node003" ||
		len(doc.Values) != 1 || len(doc.Values[0].Pairs) != 56 || len(doc.Values[0].Ranks) != 8 {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// pairsPage renders the page. With COLLBENCH_PAGES set, it is kept in that folder to be looked at.
func pairsPage(t testing.TB, name string, p PairsOf) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := PairsHTML(&b, p); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("COLLBENCH_PAGES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".html"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestPairsPage(t *testing.T) {
	p := surveyed(t, 4, 2)
	html := pairsPage(t, "pairs", p)
	if !bytes.Equal(html, pairsPage(t, "pairs", p)) {
		t.Error("the same input gave other bytes")
	}
	if found := regexp.MustCompile(`ZgotmplZ|NaN|(src|href)="(https?:)?//| on[a-z]+=`).Find(html); found != nil {
		t.Errorf("the page holds %q", found)
	}
	for i := range p.Info.Ranks {
		p.Info.Ranks[i].Host += attack
	}
	for _, m := range p.Matrices {
		for i := range m.Places {
			m.Places[i].Host, m.Places[i].NIC, m.Places[i].GPU = attack, attack, attack
		}
	}
	p.Verdict.Statement = attack
	if html := pairsPage(t, "pairs-attack", p); bytes.Contains(html, []byte("<img")) || bytes.Contains(html, []byte("<script>alert")) {
		t.Error("foreign text became a part of the page")
	}
}

// seen asks the page what it shows of a pair: the dot's colour, and what it says of it.
const seen = `(() => {
	const box = document.querySelector(".matrix"), canvas = box.querySelector("canvas"), ratio = devicePixelRatio || 1;
	const copy = document.createElement("canvas");
	copy.width = canvas.width; copy.height = canvas.height;
	const pen = copy.getContext("2d", {willReadFrequently: true});
	pen.drawImage(canvas, 0, 0);
	const colour = (x, y) => [...pen.getImageData(x * ratio, y * ratio, 1, 1).data].slice(0, 3).join();
	const point = (x, y) => { canvas.dispatchEvent(new MouseEvent("mousemove", {clientX: canvas.getBoundingClientRect().left + x, clientY: canvas.getBoundingClientRect().top + y})); return box.querySelector(".said").textContent; };
	const cell = (canvas.clientWidth - 112) / %d;
	return [colour(110 + %d.5 * cell, 70 + %d.5 * cell), colour(110 + %d.5 * cell, 70 + %d.5 * cell), point(110 + %d.3 * cell, 70 + %d.3 * cell)];
})()`

func TestPairsInBrowser(t *testing.T) {
	ctx := browser(t)
	for _, c := range []struct{ hosts, each int }{{4, 2}, {128, 8}} {
		n := c.hosts * c.each
		html := pairsPage(t, fmt.Sprintf("pairs%d", n), surveyed(t, c.hosts, c.each))
		t.Run(fmt.Sprint(n), func(t *testing.T) { lookAtPairs(t, ctx, html, n, 3*c.each) })
	}
}

// lookAtPairs looks at a page of so many ranks on which the given one sends slowly to the last.
func lookAtPairs(t *testing.T, ctx context.Context, html []byte, ranks, slow int) {
	file := filepath.Join(t.TempDir(), "pairs.html")
	if err := os.WriteFile(file, html, 0o644); err != nil {
		t.Fatal(err)
	}
	const to = 0
	var shown []string
	var took float64
	question := fmt.Sprintf(seen, ranks, to, slow, to, slow-1, to, slow)
	for _, complaint := range look(t, ctx, file, 1, chromedp.Evaluate(question, &shown), chromedp.Evaluate(`Number(document.documentElement.dataset.took)`, &took)) {
		t.Error(complaint)
	}
	if took <= 0 || took > 1000 {
		t.Errorf("drawn in %.0f ms, want less than a second", took)
	}
	if len(shown) != 3 || shown[0] == shown[1] || !strings.Contains(shown[2], " (node003/") || !strings.Contains(shown[2], "% of its peers") {
		t.Errorf("the slow pair and another look like %q", shown)
	}
	t.Logf("%d ranks: %.1f MB, drawn in %.0f ms: %s", ranks, float64(len(html))/1e6, took, shown[2])
}
