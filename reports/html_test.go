package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// page renders a made-up run. With COLLBENCH_PAGES set, the page is kept in that folder to be looked at.
func render(t testing.TB, name string, m made, change func(*run)) []byte {
	t.Helper()
	var r run
	r.info, r.results, r.rows = m.build(t)
	if change != nil {
		change(&r)
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
			html := string(render(t, name, m, nil))
			if strings.Contains(html, "ZgotmplZ") {
				t.Error("the template refused a value")
			}
		})
	}
}
