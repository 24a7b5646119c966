package reports

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"collbench/bench"
	"collbench/bench/summary"
)

var update = flag.Bool("update", false, "write the golden files anew")

// some is a run with a row of each kind that the text formats treat differently.
func some(t testing.TB) run {
	var r run
	m := lab(64<<10, 4<<20)
	r.info, r.results, r.rows = m.build(t)
	wrong := int64(7)
	set := func(i int, change func(*bench.Result)) { change(&r.results[i]) }
	set(0, func(r *bench.Result) { r.Note = "precision 1 % not reached: 2.3 %" })
	set(1, func(r *bench.Result) { r.Note = "precision 1 % not reached: 4 %" })
	set(2, func(r *bench.Result) {
		r.Status, r.Wrong, r.Error = bench.Wrong, &wrong, "rank 3 on vm\x1b[31m3: iteration 2, element 5: 1, want 2"
	})
	set(3, func(r *bench.Result) {
		r.Status, r.Error, r.Seconds, r.Wrong, r.Counted, r.Chunks = bench.Skipped, "not for 8 ranks", nil, nil, nil, 0
	})
	set(4, func(r *bench.Result) { r.Case.What.Algorithm = bench.Auto })
	for i, result := range r.results {
		r.rows[i] = summary.Of(r.info, result)
		r.rows[i].Model = &summary.Model{Seconds: float64(result.What.Bytes) / 10e6, BusBW: 17.5e6} // whatever the model says
	}
	return r
}

func TestFormats(t *testing.T) {
	r := some(t)
	for _, format := range Formats {
		t.Run(format, func(t *testing.T) {
			var got bytes.Buffer
			if err := Rows(&got, format, r.info, r.rows); err != nil {
				t.Fatal(err)
			}
			if format != "json" && strings.Contains(got.String(), "\x1b") && format != "csv" {
				t.Error("an escape sequence got through to the terminal")
			}
			golden := filepath.Join("testdata", format+".golden")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("differs from %s (go test -update writes it anew):\n%s", golden, got.String())
			}
		})
	}
	if err := Rows(new(bytes.Buffer), "xml", r.info, r.rows); err == nil {
		t.Error("an unknown format is no error")
	}
	var empty bytes.Buffer
	if err := Table(&empty, nil); err != nil || empty.String() != "no results\n" {
		t.Errorf("no rows: %q, %v", empty.String(), err)
	}
}

// A case that failed gives no figure for the average, and what scripts look for does not say OK.
func TestNCCLTestsOfAFailedRun(t *testing.T) {
	r := some(t)
	row := r.rows[0]
	row.Status, row.Error, row.Seconds, row.AlgBW, row.BusBW, row.Wrong = bench.Failed, "rank 3 was killed", nil, nil, nil, nil
	var got bytes.Buffer
	if err := Rows(&got, "nccl-tests", r.info, []summary.Row{row}); err != nil {
		t.Fatal(err)
	}
	if text := got.String(); !strings.Contains(text, "# Out of bounds values : 0 FAILED") || strings.Contains(text, "Avg bus bandwidth") || !strings.Contains(text, "rank 3 was killed") {
		t.Error(text)
	}
}

// TestCSVHasEveryKey compares the CSV's columns with the keys of the JSON line.
func TestCSVHasEveryKey(t *testing.T) {
	var keys []string
	var walk func(prefix string, of reflect.Type)
	walk = func(prefix string, of reflect.Type) {
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			kind := of.Field(i).Type
			if kind.Kind() == reflect.Pointer {
				kind = kind.Elem()
			}
			switch {
			case name == "fault":
			case kind.Kind() == reflect.Struct:
				walk(prefix+name+".", kind)
			default:
				keys = append(keys, prefix+name)
			}
		}
	}
	walk("", reflect.TypeFor[summary.Row]())
	keys = append(keys, "fault.kind", "fault.rank", "fault.host", "fault.stage")
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	if !slices.Equal(names, keys) {
		t.Errorf("columns\n%v, keys\n%v", names, keys)
	}
	r := some(t)
	var out bytes.Buffer
	if err := CSV(&out, r.rows); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(records) != len(r.rows)+1 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for i, row := range r.rows {
		var line bytes.Buffer
		if err := JSON(&line, row); err != nil {
			t.Fatal(err)
		}
		var object map[string]any
		if err := json.Unmarshal(line.Bytes(), &object); err != nil {
			t.Fatal(err)
		}
		for j, key := range names {
			got, want := records[i+1][j], lookup(object, key)
			if v, err := strconv.ParseFloat(got, 64); err == nil {
				got = strconv.FormatFloat(v, 'g', -1, 64)
			}
			if got != want {
				t.Errorf("row %d: %s is %q in CSV and %q in JSON", i, key, got, want)
			}
		}
	}
}

// lookup finds a dotted key and writes its value as CSV does; what is absent is empty.
func lookup(object map[string]any, key string) string {
	head, rest, nested := strings.Cut(key, ".")
	switch v := object[head].(type) {
	case map[string]any:
		if nested {
			return lookup(v, rest)
		}
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case nil:
	default:
		return fmt.Sprint(v)
	}
	return ""
}

// TestNCCLTestsLayout writes the figures of a genuine log again and wants the same characters.
func TestNCCLTestsLayout(t *testing.T) {
	logs := os.Getenv("COLLBENCH_LOGS")
	if logs == "" {
		t.Skip("COLLBENCH_LOGS does not name a folder with logs of nccl-tests")
	}
	found, err := filepath.Glob(filepath.Join(logs, "45_*.log"))
	if err != nil || len(found) != 1 {
		t.Skipf("no log 45 in COLLBENCH_LOGS: %v, %v", found, err)
	}
	file, err := os.Open(found[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var header bytes.Buffer
	ncclHeader(&header, bench.RunInfo{}, series{}, []summary.Row{{}})
	compared := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		if strings.Contains(line, "out-of-place") || strings.Contains(line, "redop") || strings.Contains(line, "(elements)") {
			if !strings.Contains(header.String(), strings.TrimRight(line, " ")) {
				t.Errorf("the header lacks %q", line)
			}
		}
		f := strings.Fields(line)
		if len(f) != 13 || f[2] != "float" {
			continue
		}
		side := func(i int) *summary.Row {
			number := func(j int) *float64 {
				v, err := strconv.ParseFloat(f[j], 64)
				if err != nil {
					t.Fatal(err)
				}
				return &v
			}
			alg, bus := *number(i + 1)*1e9, *number(i + 2)*1e9
			zero := int64(0)
			return &summary.Row{Seconds: &summary.Seconds{Median: *number(i) / 1e6}, AlgBW: &alg, BusBW: &bus, Wrong: &zero}
		}
		out, in := side(5), side(9)
		if *out.AlgBW < 1e9 || *in.AlgBW < 1e9 {
			continue // we write more digits there
		}
		size, _ := strconv.ParseInt(f[0], 10, 64)
		count, _ := strconv.ParseInt(f[1], 10, 64)
		if got := ncclLine(size, count, "float32", "sum", -1, out, in); got != line {
			t.Errorf("\n%q, want\n%q", got, line)
		}
		compared++
	}
	if compared < 10 {
		t.Errorf("%d lines compared", compared)
	}
}

// TestMessagesAloneAreAResult has a run without a collective, which has no charts.
func TestMessagesAloneAreAResult(t *testing.T) {
	info, results, _ := lab(4096).build(t)
	r := results[0]
	r.What = bench.What{Operation: "latency", Algorithm: bench.Auto, Bytes: 4096}
	r.Evidence = bench.Evidence{Source: "library", Detail: "Some MPI chose"}
	rows := []summary.Row{summary.Of(info, r)}
	if v := judge(info, rows, panels([]bench.Result{r}, rows)); v.Word != "PASS" {
		t.Errorf("%+v", v)
	}
	rows[0].Seconds = nil
	if v := judge(info, rows, nil); v.Word != "INCONCLUSIVE" {
		t.Errorf("%+v", v)
	}
}

// TestPointToPointInEveryFormat has tests of messages beside a collective.
func TestPointToPointInEveryFormat(t *testing.T) {
	info, results, rows := lab(4096).build(t)
	for _, name := range []string{"bandwidth", "latency"} {
		r := results[0]
		r.What = bench.What{Operation: name, Algorithm: bench.Auto, Bytes: 4096}
		if name == "bandwidth" {
			r.What.Window = 64
		}
		r.Where.From, r.Where.To, r.Evidence, r.Counted = 0, 7, bench.Evidence{Source: "library", Detail: "Some MPI chose"}, nil
		for rank := range r.Seconds {
			if rank > 0 {
				r.Seconds[rank] = nil
			}
		}
		results, rows = append(results, r), append(rows, summary.Of(info, r))
	}
	for format, want := range map[string][]string{
		"table":      {"latency", "rank 0 to rank 7", "window of 64", "window: the time is that of all its messages"},
		"csv":        {",latency,0,7,,", ",bandwidth,0,7,64,"},
		"json":       {`"operation":"latency","from":0,"to":7}`, `"window":64`},
		"nccl-tests": {"# latency 4 KiB: ok: point-to-point tests have no place", "# bandwidth 4 KiB: ok"},
	} {
		var got bytes.Buffer
		if err := Rows(&got, format, info, rows); err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(got.String(), text) {
				t.Errorf("%s: no %q in\n%s", format, text, got.String())
			}
		}
		if format == "table" && strings.Index(got.String(), "bandwidth ") < strings.Index(got.String(), "latency ") {
			t.Errorf("bandwidth before latency:\n%s", got.String())
		}
	}
}
