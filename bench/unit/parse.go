// Package unit reads and writes quantities as people do: "8MiB", "100Mbit", "1%", "412.3 GB/s", "13.2 µs".
//
// It stands at both ends of the data's way: flags and plans come in through it, tables and reports go out through
// it. In between everything is in bytes, bytes per second and seconds.
package unit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

type suffix struct {
	name   string
	factor float64
}

// byteSuffixes are those of nccl-tests (K, M, G: powers of 1024), of IEC 80000-13 (KiB, …) and of SI (kB, …).
var byteSuffixes = []suffix{
	{"", 1}, {"B", 1},
	{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"T", 1 << 40},
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
}

// rateSuffixes are bits and bytes per second, decimal, in bytes per second.
var rateSuffixes = []suffix{
	{"bit", 1. / 8}, {"kbit", 1e3 / 8}, {"Mbit", 1e6 / 8}, {"Gbit", 1e9 / 8}, {"Tbit", 1e12 / 8},
	{"bit/s", 1. / 8}, {"kbit/s", 1e3 / 8}, {"Mbit/s", 1e6 / 8}, {"Gbit/s", 1e9 / 8}, {"Tbit/s", 1e12 / 8},
	{"B/s", 1}, {"kB/s", 1e3}, {"MB/s", 1e6}, {"GB/s", 1e9}, {"TB/s", 1e12},
}

const (
	wantBytes = `want a whole number of bytes such as 8, 64K, 4MiB or 1GB (K, M, G, KiB, MiB, GiB are powers of 1024; kB, MB, GB of 1000)`
	wantRate  = `want a rate above 0 such as 100Mbit, 1Gbit or 2.5GB/s (decimal)`
	maxBytes  = 1 << 62
)

// number splits a text into a decimal number and its suffix's factor. Signs, exponents and infinities are refused.
func number(text string, suffixes []suffix) (value, factor float64, err error) {
	digits := digitsOf(text)
	unit := strings.TrimPrefix(text[len(digits):], " ")
	if digits == "" {
		return 0, 0, fmt.Errorf("no number")
	}
	if value, err = strconv.ParseFloat(digits, 64); err != nil {
		return 0, 0, fmt.Errorf("%q is no number", digits)
	}
	for _, s := range suffixes {
		if s.name == unit {
			return value, s.factor, nil
		}
	}
	return 0, 0, fmt.Errorf("unknown unit %q", unit)
}

// ParseBytes reads a number of bytes, 0 or more: "8", "64K", "4MiB", "1.5GB". K, M, G and KiB, MiB, GiB are powers
// of 1024, kB, MB, GB of 1000.
func ParseBytes(text string) (int64, error) {
	value, factor, err := number(text, byteSuffixes)
	if err != nil {
		return 0, fmt.Errorf("bytes %q: %w: %s", text, err, wantBytes)
	}
	if whole, err := strconv.ParseInt(digitsOf(text), 10, 64); err == nil {
		// Exact where a float64 would round.
		if f := int64(factor); whole <= maxBytes/f {
			return whole * f, nil
		}
		return 0, fmt.Errorf("bytes %q: more than 4 EiB: %s", text, wantBytes)
	}
	bytes := value * factor
	switch {
	case bytes > maxBytes:
		return 0, fmt.Errorf("bytes %q: more than 4 EiB: %s", text, wantBytes)
	case bytes != math.Trunc(bytes):
		return 0, fmt.Errorf("bytes %q: %g is not whole: %s", text, bytes, wantBytes)
	}
	return int64(bytes), nil
}

// digitsOf is the number at the beginning of a text, if it has one.
func digitsOf(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		return text
	}
	return text[:end]
}

// ParseRate reads a data rate and returns bytes per second, above 0: "100Mbit" is 12.5e6. Prefixes are decimal.
func ParseRate(text string) (float64, error) {
	value, factor, err := number(text, rateSuffixes)
	if err == nil && (value*factor <= 0 || math.IsInf(value*factor, 0)) {
		err = fmt.Errorf("out of range")
	}
	if err != nil {
		return 0, fmt.Errorf("rate %q: %w: %s", text, err, wantRate)
	}
	return value * factor, nil
}

// ParsePercent reads "1%" or "0.5 %" and returns the fraction, 0.01 or 0.005; above 0 and at most 1.
func ParsePercent(text string) (float64, error) {
	value, factor, err := number(text, []suffix{{"%", 1. / 100}})
	if err == nil && (value <= 0 || value > 100) {
		err = fmt.Errorf("out of range")
	}
	if err != nil {
		return 0, fmt.Errorf("percentage %q: %w: want a number above 0 and up to 100 with its sign, such as 1%% or 0.5%%", text, err)
	}
	return value * factor, nil
}

// ParseSeconds reads a duration above 0 as Go writes it ("30s", "2m", "1.5ms") and returns seconds.
func ParseSeconds(text string) (float64, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("duration %q: want a time above 0 such as 500ms, 30s or 2m", text)
	}
	return d.Seconds(), nil
}
