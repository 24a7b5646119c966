package bench

import (
	"fmt"
	"slices"
	"strings"
)

// Setting is the text of one setting and where it was written, for messages: "--bytes" or "plan.yaml:3:1: bytes".
type Setting struct {
	Text  string
	Place string
}

// Settings are what flags or a plan file say, by key. A key is the long name of the flag.
type Settings map[string]Setting

// The keys. Those of a case may differ from block to block of a plan file, those of the run may not.
var (
	caseKeys = []string{"backend", "variant", "transport", "buffers", "collective", "operation", "pair", "window", "algorithm", "bytes", "dtype", "op", "in-place",
		"root", "domain", "radix", "chunks", "timing"}
	runKeys = []string{"ranks", "precision", "budget", "sample", "iterations", "warmup", "launches", "seed"}
	// outputKeys are no business of this package, but a plan file may hold them.
	outputKeys = []string{"out", "append", "format"}
)

// Keys lists the keys that a plan file may hold: the long names of the flags.
func Keys() []string { return slices.Concat(caseKeys, runKeys, outputKeys) }

// defaults are the settings that do not depend on the machine. The sweep of sizes leaves out those that leave no
// element.
var defaults = map[string]string{
	"backend": "host", "buffers": "private", "collective": "all_reduce", "algorithm": Auto, "dtype": "float32",
	"op": "sum", "in-place": "false", "root": "0", "radix": "40", "chunks": "0", "window": "64", "timing": string(TimingBarrier),
	"precision": "1%", "budget": "30s", "launches": "1", "seed": "1", "bytes": DefaultBytes,
}

// DefaultBytes is the sweep of sizes that is measured where none is asked for.
const DefaultBytes = "8:32MiB:x4"

// Text returns the setting of the key, or its default, or "".
func (s Settings) Text(key string) string {
	if v, ok := s[key]; ok {
		return v.Text
	}
	return defaults[key]
}

// Errorf is an error about the key that says where it was set.
func (s Settings) Errorf(key, format string, args ...any) error {
	place := key
	if v, ok := s[key]; ok && v.Place != "" {
		place = v.Place
	}
	return fmt.Errorf("%s: %w", place, fmt.Errorf(format, args...))
}

// over returns the settings of s with those of the other laid over them.
func (s Settings) over(other Settings) Settings {
	merged := Settings{}
	for k, v := range s {
		merged[k] = v
	}
	for k, v := range other {
		merged[k] = v
	}
	return merged
}

// words splits a list at its commas.
func words(text string) []string {
	var list []string
	for w := range strings.SplitSeq(text, ",") {
		if w = strings.TrimSpace(w); w != "" {
			list = append(list, w)
		}
	}
	return list
}
