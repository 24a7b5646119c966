package model

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// sources calls f for every constant that is set.
func sources(v reflect.Value, path string, f func(path string, c Constant)) {
	switch {
	case v.Type() == reflect.TypeFor[Constant]():
		if c := v.Interface().(Constant); c != (Constant{}) {
			f(path, c)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			sources(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			sources(v.Index(i), path, f)
		}
	}
}

func TestNamedMachines(t *testing.T) {
	files, err := os.ReadDir("machines")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(Names()) {
		t.Errorf("%d machine files and %d names", len(files), len(Names()))
	}
	for _, name := range Names() {
		m, err := Named(name)
		if err != nil {
			t.Fatal(err)
		}
		if m.Name != name || m.About == "" {
			t.Errorf("%s is named %q, about %q", name, m.Name, m.About)
		}
		constants := 0
		sources(reflect.ValueOf(m), name, func(path string, c Constant) {
			constants++
			if len(c.Source) < 5 {
				t.Errorf("%s = %g has no source", path, c.Value)
			}
		})
		if constants < 8 {
			t.Errorf("%s has %d constants", name, constants)
		}
	}
	if _, err := Named("dgx-1"); err == nil || !strings.Contains(err.Error(), "want one of generic, dgx-h100") {
		t.Errorf("unknown machine: %v", err)
	}
}

// A machine survives being written and read, and the lab's machine gives a source for each constant too.
func TestMachineRoundTrip(t *testing.T) {
	lab, err := Lab([]Rates{{1e6, 1e6}, {2e6, 1e6}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	sources(reflect.ValueOf(lab), "lab", func(path string, c Constant) {
		if c.Source == "" {
			t.Errorf("%s has no source", path)
		}
	})
	h100, _ := Named("dgx-h100")
	for _, m := range []Machine{lab, h100} {
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(data)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if !reflect.DeepEqual(m, again) {
			t.Errorf("%+v became %+v", m, again)
		}
	}
}

const small = `{
  "name": "small",
  "domain": {"ranks": 4, "latency": 1e-6, "bandwidth": {"value": 1e9, "source": "made up"}},
  "nic": {"latency": 2e-6, "bandwidth": 1e8}
}`

func TestParse(t *testing.T) {
	m, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if m.Domain.Ranks.Value != 4 || m.Domain.Bandwidth != (Constant{1e9, "made up"}) || m.NIC.Latency.Value != 2e-6 {
		t.Errorf("read %+v", m)
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"negative rate", "1e8}", "-1e8}", `line 4, column 28: nic.bandwidth: -1e+08 is negative`},
		{"negative rate in an object", `"value": 1e9`, `"value": -5`, `line 3, column 57: domain.bandwidth: -5 is negative`},
		{"unknown key", `"latency": 2e-6`, `"latensy": 2e-6`, `line 4, column 11: unknown key "latensy": want one of per_domain, latency`},
		{"unknown key of a constant", `"source"`, `"sorce"`, `line 3, column 71: unknown key "sorce": want one of value, source`},
		{"unknown key at the top", `"name"`, `"nane"`, `line 2, column 3: unknown key "nane"`},
		{"the same key again", `"latency": 1e-6`, `"ranks": 8`, `line 3, column 26: key "ranks" stands there twice`},
		{"missing rate", `, "bandwidth": 1e8`, ``, `line 4, column 3: nic.bandwidth: missing or 0`},
		{"half a rank", `"ranks": 4`, `"ranks": 4.5`, `line 3, column 14: domain.ranks: 4.5: want a whole number`},
		{"text for a number", `1e8}`, `"fast"}`, `line 4, column 28: nic.bandwidth: want a number or an object of value and source`},
		{"list for an object", `{"latency": 2e-6, "bandwidth": 1e8}`, `[1]`, `line 4, column 3: nic: want an object`},
		{"nothing for a number", `1e8}`, `null}`, `line 4, column 28: nic.bandwidth: want a number`},
		{"number for a text", `"small"`, `7`, `line 2, column 3: name: want a text`},
		{"a comma too many", `1e8}`, `1e8,}`, `line 4, column`},
		{"cut off", "\n}", "", `the file ends too early`},
		{"more", "\n}", "\n} {}", `line 5, column 4: more follows`},
		{"infinite", "1e8}", "1e999}", `line 4, column`},
		{"too long a latency", `2e-6`, `2e6`, `nic.latency: 2e+06: want 1000 or less`},
		{"endless without tiers", `"name": "small"`, `"name": "small", "endless": true`, `line 2, column 20: endless: there is no tier to repeat`},
		{"a tier without ports", `"name": "small"`, `"tiers": [{"name": "leaf"}]`, `line 2, column 3: tiers[0].ports: missing or 0`},
		{"a domain that shrinks", `"ranks": 4`, `"ranks": 4, "largest": 2`, `domain.largest: 2 is less than the 4 ranks`},
	} {
		text := strings.Replace(small, c.from, c.to, 1)
		if text == small {
			t.Fatalf("%s: nothing replaced", c.name)
		}
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want …%s…", c.name, err, c.want)
		}
	}
	if _, err := Parse(nil); err == nil {
		t.Error("an empty file is a machine")
	}
}

// Whatever the bytes are, Parse gives a valid machine or an error and never panics.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(`{"tiers": [{"ports": 1}], "nic": {"links": [{"index": -1}]}}`))
	f.Add([]byte(`[{"name": {}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err == nil && m.Validate() != nil {
			t.Errorf("%s is invalid: %v", data, m.Validate())
		}
	})
}
