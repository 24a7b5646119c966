package reports

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"collbench/bench"
)

// foundTest are findings of which two are worth showing: one with names that want to be something else.
var foundTest = []bench.Finding{
	{Check: "numa", Status: "pass", Hosts: []string{"a"}, Seen: "near"},
	{Check: "parity", Status: "warn", Hosts: []string{"a<b>", "c\x1b[31m"}, Seen: "kernel: 6.1 on *c*", Why: "because", Advice: "Make them alike."},
	{Check: "gdr-distance", Status: "fail", Hosts: []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}, Seen: "far"},
	{Check: "hypervisor", Status: "unknown", Seen: "does not show"},
}

func TestFindings(t *testing.T) {
	info, _, rows := lab(1 << 20).build(t)
	for _, format := range Formats {
		var without, with bytes.Buffer
		if err := Rows(&without, format, info, rows); err != nil {
			t.Fatal(err)
		}
		more := info
		more.Findings = foundTest
		if err := Rows(&with, format, more, rows); err != nil {
			t.Fatal(err)
		}
		added, ok := strings.CutPrefix(with.String(), without.String())
		want := map[string]string{
			"table":    "\nfail gdr-distance on 1, 2, 3, 4, 5, 6, 7, 8 and 2 more: far\nwarn parity on a<b>, c?[31m: kernel: 6.1 on *c*. Make them alike.\n",
			"markdown": "\n- **fail** gdr-distance on 1, 2, 3, 4, 5, 6, 7, 8 and 2 more: far\n- **warn** parity on a&lt;b&gt;, c?\\[31m: kernel: 6.1 on \\*c\\*. Make them alike.\n",
		}[format]
		if !ok || format != "json" && added != want {
			t.Errorf("%s: %q, want %q", format, added, want)
		}
		if format != "json" {
			continue
		}
		var f struct {
			Schema, Run, Check, Status string
		}
		lines := strings.Split(strings.TrimSpace(added), "\n")
		if err := json.Unmarshal([]byte(lines[0]), &f); err != nil || len(lines) != 2 || f.Schema != FindingSchema || f.Run != info.ID || f.Check != "gdr-distance" || f.Status != "fail" {
			t.Errorf("%v %+v %q", err, f, added)
		}
	}
}

func TestFindingsInHTML(t *testing.T) {
	info, results, rows := lab(1 << 20).build(t)
	info.Findings = foundTest
	var page bytes.Buffer
	if err := HTML(&page, info, results, rows); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, want := range []string{"Found beside the figures", "gdr-distance on 1, 2", "a&lt;b&gt;, c?[31m", "Make them alike."} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(text, "does not show") || strings.Contains(text, "a<b>") || !strings.Contains(text, "PASS") {
		t.Error("the page shows what is no trouble, or unescaped, or lets a finding change the verdict on the figures")
	}
}
