package unit

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "8": 8, "8B": 8, "8 B": 8, "1K": 1024, "1KiB": 1024, "1kB": 1000, "4M": 4 << 20, "4MiB": 4 << 20, "4 MiB": 4 << 20,
		"1MB": 1e6, "1.5G": 3 << 29, "2GiB": 2 << 30, "1GB": 1e9, "0.5K": 512, "9007199254740993": 9007199254740993,
		"4194304T": 1 << 62,
	} {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for text, reason := range map[string]string{
		"": "no number", "-8": "no number", "8mb": `unknown unit "mb"`, "1k": `unknown unit "k"`, "0.3K": "not whole", "1.2.3": "is no number",
		"9223372036854775807T": "more than 4 EiB", "99999999999999999999": "more than 4 EiB", "8  B": "unknown unit", "1e9": "unknown unit", "MiB": "no number",
	} {
		if _, err := ParseBytes(text); err == nil || !strings.Contains(err.Error(), reason) || !strings.Contains(err.Error(), "such as") {
			t.Errorf("ParseBytes(%q): error %v; want %q and an example", text, err, reason)
		}
	}
}

func TestParseSizes(t *testing.T) {
	for text, want := range map[string][]int64{
		"4MiB,1MiB": {4 << 20, 1 << 20}, "8": {8}, "8:64:x2": {8, 16, 32, 64}, "8:65:x2": {8, 16, 32, 64}, "8:20": {8, 16},
		"1:100:x10": {1, 10, 100}, "1MiB:3MiB:+1MiB": {1 << 20, 2 << 20, 3 << 20}, "8:8:x2": {8}, "5:9:+3, 1K": {5, 8, 1024},
		"4611686018427387904:4611686018427387904:x9": {1 << 62}, "4611686018427387903:4611686018427387904:+1": {1<<62 - 1, 1 << 62},
	} {
		if got, err := ParseSizes(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ParseSizes(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for text, reason := range map[string]string{
		"": "item 1", "8,": "item 2", "8:4:x2": "backwards", "8:64:2": `step "2"`, "8:64:x1": "2 or more", "8:64:+0": "more than 0",
		"8:64:x2:3": "3 colons", "0": "more than 0", "1:1G:+1": "more than 10000", "8,64:x": "item 2", "x2": "no number",
	} {
		if got, err := ParseSizes(text); err == nil || !strings.Contains(err.Error(), reason) || !strings.Contains(err.Error(), "want") {
			t.Errorf("ParseSizes(%q) = %d, error %v; want %q", text, got, err, reason)
		}
	}
}

func TestParseRatePercentSeconds(t *testing.T) {
	for _, c := range []struct {
		parse func(string) (float64, error)
		text  string
		want  float64
	}{
		{ParseRate, "100Mbit", 12.5e6}, {ParseRate, "1Gbit", 125e6}, {ParseRate, "2.5 GB/s", 2.5e9}, {ParseRate, "8bit/s", 1},
		{ParsePercent, "1%", .01}, {ParsePercent, "0.5 %", .005}, {ParsePercent, "100%", 1},
		{ParseSeconds, "30s", 30}, {ParseSeconds, "1.5ms", .0015}, {ParseSeconds, "2m", 120},
	} {
		if got, err := c.parse(c.text); err != nil || math.Abs(got-c.want) > 1e-12*c.want {
			t.Errorf("%q: %g, %v; want %g", c.text, got, err, c.want)
		}
	}
	for _, c := range []struct {
		parse func(string) (float64, error)
		texts []string
	}{
		{ParseRate, []string{"", "100", "-1Mbit", "0Mbit", "100mbit", "100MiB/s", "1e3Mbit"}},
		{ParsePercent, []string{"", "1", "0%", "-1%", "101%", "1%%"}},
		{ParseSeconds, []string{"", "30", "-1s", "0s", "1 s"}},
	} {
		for _, text := range c.texts {
			if got, err := c.parse(text); err == nil || !strings.Contains(err.Error(), "want") {
				t.Errorf("%q: %g, %v; want an error that says what would be right", text, got, err)
			}
		}
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Bytes(0), "0 B"}, {Bytes(8), "8 B"}, {Bytes(1024), "1 KiB"}, {Bytes(1536), "1536 B"}, {Bytes(8 << 20), "8 MiB"}, {Bytes(1000003), "1000003 B"},
		{Bytes(3 << 40), "3 TiB"}, {BytesAbout(8188723.2), "7.81 MiB"}, {BytesAbout(0), "0 B"},
		{Bandwidth(412.3e9), "412.3 GB/s"}, {Bandwidth(12.5e6), "12.5 MB/s"}, {Bandwidth(1.234e9), "1.23 GB/s"}, {Bandwidth(999.99e6), "1.00 GB/s"},
		{Bandwidth(3), "3.00 B/s"}, {Bandwidth(0), "0.00 B/s"}, {BitRate(12.5e6), "100 Mbit/s"}, {BitRate(312.5e6), "2.5 Gbit/s"},
		{Seconds(13.2e-6), "13.2 µs"}, {Seconds(.0015), "1.5 ms"}, {Seconds(620e-9), "620 ns"}, {Seconds(.9996e-3), "1 ms"}, {Seconds(0), "0 ns"},
		{Seconds(1234), "1234 s"}, {Seconds(-.002), "-2 ms"}, {Seconds(43e-12), "0.043 ns"}, {Percent(.0153), "1.53 %"}, {Percent(1), "100 %"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func FuzzParseBytes(f *testing.F) {
	for _, text := range []string{"8", "4MiB", "1.5 GB", "-", "9e9", "4194304T"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseBytes(text)
		if err != nil {
			return
		}
		if n < 0 {
			t.Fatalf("ParseBytes(%q) = %d", text, n)
		}
		if back, err := ParseBytes(Bytes(n)); err != nil || back != n {
			t.Fatalf("%q: %d written as %q is read as %d, %v", text, n, Bytes(n), back, err)
		}
	})
}

func FuzzParseSizes(f *testing.F) {
	for _, text := range []string{"8:64MiB:x2", "4MiB,1MiB", "1:9:+4", "8:8", ":", "1:4611686018427387904:x4611686018427387904"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sizes, err := ParseSizes(text)
		if err == nil && (len(sizes) == 0 || len(sizes) > maxSizes) {
			t.Fatalf("ParseSizes(%q): %d sizes", text, len(sizes))
		}
		for _, n := range sizes {
			if n < 1 || n > maxBytes {
				t.Fatalf("ParseSizes(%q) has %d", text, n)
			}
		}
	})
}

func FuzzRatesAndPercentages(f *testing.F) {
	f.Add("100Mbit")
	f.Add("1%")
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := ParseRate(text); err == nil && !(v > 0 && !math.IsInf(v, 0)) {
			t.Fatalf("ParseRate(%q) = %g", text, v)
		}
		if v, err := ParsePercent(text); err == nil && !(v > 0 && v <= 1) {
			t.Fatalf("ParsePercent(%q) = %g", text, v)
		}
	})
}
