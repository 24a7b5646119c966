package reports

import (
	"bytes"
	"encoding/base64"
	unescape "html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/bench/summary"
)

// render renders a made-up run. With COLLBENCH_PAGES set, the page is kept in that folder to be looked at.
func render(t testing.TB, name string, m made, change func(*run)) []byte {
	t.Helper()
	var r run
	r.info, r.results, r.rows = m.build(t)
	if change != nil {
		change(&r)
		for i, result := range r.results {
			r.rows[i] = summary.Of(r.info, result)
		}
	}
	var b bytes.Buffer
	if err := HTML(&b, r.info, r.results, r.rows); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("COLLBENCH_PAGES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".html"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestPages(t *testing.T) {
	for name, m := range pages() {
		t.Run(name, func(t *testing.T) {
			html := render(t, name, m, nil)
			if !bytes.Equal(html, render(t, name, m, nil)) {
				t.Error("the same input gave other bytes")
			}
			for what, pattern := range map[string]string{
				"a value that the template refused":   `ZgotmplZ`,
				"a figure that is none":               `NaN|[^a-z]Inf[^a-z]`,
				"something to fetch":                  `(src|href)="(https?:)?//|@import|url\(http`,
				"a script that the policy would stop": ` on[a-z]+=`,
			} {
				body := strings.Replace(string(html), echartsScript, "", 1)
				if found := regexp.MustCompile(pattern).FindString(body); found != "" {
					t.Errorf("the page holds %s: %q", what, found)
				}
			}
			for _, id := range regexp.MustCompile(`class="chart" id="([^"]+)"`).FindAllSubmatch(html, -1) {
				if !bytes.Contains(html, []byte(`data-for="`+string(id[1])+`"`)) {
					t.Errorf("chart %s has no data", id[1])
				}
			}
		})
	}
}

const attack = `</script><script>alert(1)</script><img src=x onerror=alert(2)>`

// attacked puts foreign text that would be a script wherever foreign text can stand.
func attacked(r *run) {
	r.info.ID, r.info.LinkKind = attack, attack
	r.info.Command = append(r.info.Command, attack)
	r.info.Plan = []byte(`{"name":"</script><script>alert(1)</script>"}`)
	r.info.Environment.Host, r.info.Environment.CPU, r.info.Environment.Version = attack, attack, attack
	r.info.Environment.Variables = map[string]string{attack: attack}
	for i := range r.info.Ranks {
		r.info.Ranks[i].Host = attack
	}
	r.info.Links[0].Host = attack
	for i := range r.results {
		r.results[i].Error, r.results[i].Note, r.results[i].Evidence.Detail = attack, attack, attack
		r.results[i].Case.How.Variant, r.results[i].Case.How.Transport = attack, attack
		if i%3 == 0 {
			r.results[i].Case.What.Algorithm = attack
		}
	}
}

func TestForeignTextIsNoScript(t *testing.T) {
	m := lab(1<<20, 2<<20, 4<<20)
	clean, html := string(render(t, "clean", m, nil)), string(render(t, "attack", m, attacked))
	ours := strings.Replace(html, echartsScript, "", 1)
	for _, text := range []string{"<script>alert", "<img", "</script><script>alert"} {
		if strings.Contains(ours, text) {
			t.Errorf("the page holds %q", text)
		}
	}
	// Each chart brings a data script, so only the others can be compared.
	executable := regexp.MustCompile(`<script>`)
	if got, want := len(executable.FindAllString(html, -1)), len(executable.FindAllString(clean, -1)); got != want {
		t.Errorf("%d executable scripts, want %d", got, want)
	}
	if !strings.Contains(html, "&lt;/script&gt;") {
		t.Error("the foreign text is not shown at all")
	}
}

func TestPolicyNamesTheScripts(t *testing.T) {
	html := string(render(t, "policy", lab(1<<20), nil))
	header := regexp.MustCompile(`Content-Security-Policy" content="([^"]+)"`).FindStringSubmatch(html)
	if header == nil {
		t.Fatal("no policy")
	}
	allowed := unescape.UnescapeString(header[1])
	if strings.Contains(strings.Split(allowed, "style-src")[0], "unsafe") {
		t.Errorf("the policy allows any script: %s", allowed)
	}
	scripts := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(html, -1)
	if len(scripts) != 3 {
		t.Errorf("%d scripts, want ECharts, ours and the one that copies", len(scripts))
	}
	for _, script := range scripts {
		if hash := regexp.MustCompile(`'sha256-[^']+'`).FindString(policy(script[1])); !strings.Contains(allowed, hash) {
			t.Errorf("a script of %d bytes is not in the policy", len(script[1]))
		}
	}
}

func TestDownloads(t *testing.T) {
	m := lab(1 << 20)
	html := render(t, "downloads", m, nil)
	info, _, rows := m.build(t)
	var csv, lines bytes.Buffer
	if err := CSV(&csv, sorted(rows)); err != nil {
		t.Fatal(err)
	}
	if err := Rows(&lines, "json", info, sorted(rows)); err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`download="[^"]+" href="data:[a-z/]+;base64,([^"]+)"`).FindAllSubmatch(html, -1)
	if len(links) != 2 {
		t.Fatalf("%d downloads, want 2", len(links))
	}
	for i, want := range [][]byte{lines.Bytes(), csv.Bytes()} {
		got, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(links[i][1]), "&#43;", "+"))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("download %d: %v; %d bytes, want %d", i, err, len(got), len(want))
		}
	}
}

func TestVerdict(t *testing.T) {
	wrong := int64(3)
	for name, c := range map[string]struct {
		change func(*run)
		word   string
		says   string
	}{
		"good": {func(*run) {}, "PASS", "sharp is 1."},
		"wrong": {func(r *run) {
			r.results[1].Status, r.results[1].Wrong, r.results[1].Error = bench.Wrong, &wrong, "rank 3 on vm3: iteration 2, element 5: 1, want 2"
		}, "FAIL", "rank 3 on vm3"},
		"failed": {func(r *run) {
			r.results[2].Status, r.results[2].Error, r.results[2].Seconds = bench.Failed, "rank 5 on vm5 was killed", nil
		}, "FAIL", "rank 5 on vm5 was killed"},
		"interrupted": {func(r *run) { r.results[2].Status = bench.Interrupted }, "INCONCLUSIVE", "interrupted"},
		"nothing":     {func(r *run) { r.results, r.rows = nil, nil }, "INCONCLUSIVE", "Nothing was measured"},
		"the CPUs were the limit": {func(r *run) {
			for i := range r.results {
				r.results[i].Status, r.results[i].Error = bench.Unproven, "the CPUs, not the links, were the limit"
			}
		}, "INCONCLUSIVE", "the CPUs, not the links, were the limit (and 2 more)"},
		"unproven": {func(r *run) { r.results[0].Status, r.results[0].Error = bench.Unproven, "the CPUs were the limit" }, "WARN", "1 result of 3 is unproven"},
		"slower than the model": {func(r *run) {
			for rank := range r.results[0].Seconds {
				for i := range r.results[0].Seconds[rank] {
					r.results[0].Seconds[rank][i] *= 1.5
				}
			}
		}, "WARN", "more time than predicted"},
		"a slow rank": {func(r *run) {
			for i := range r.results[1].Seconds[6] {
				r.results[0].Seconds[6][i] *= 1.08
				r.results[1].Seconds[6][i] *= 1.08
				r.results[2].Seconds[6][i] *= 1.08
			}
		}, "", "Rank 6 · vm6 takes 8 % longer"},
		"a narrow link": {func(r *run) { r.info.Links[3].Transmit /= 2 }, "", "The narrowest link is vm3&#39;s, 50 Mbit/s"},
	} {
		t.Run(name, func(t *testing.T) {
			html := string(render(t, "verdict", lab(4<<20), c.change))
			section := regexp.MustCompile(`(?s)<section class="verdict.*?</section>`).FindString(html)
			if !strings.Contains(section, c.word) || !strings.Contains(section, c.says) {
				t.Errorf("want %q and %q in\n%s", c.word, c.says, section)
			}
		})
	}
}
