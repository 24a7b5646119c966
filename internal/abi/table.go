package abi

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Table holds the facts of several versions of a header.
type Table struct {
	Notes    []string // lines about where it comes from
	Versions []string
	Facts    []string
	answers  map[[2]string]string // by fact and version
}

// Set puts a version's answers into the table.
func (t *Table) Set(version string, answers map[string]string) {
	if t.answers == nil {
		t.answers = map[[2]string]string{}
	}
	if !slices.Contains(t.Versions, version) {
		t.Versions = append(t.Versions, version)
	}
	for fact, answer := range answers {
		if !slices.Contains(t.Facts, fact) {
			t.Facts = append(t.Facts, fact)
		}
		t.answers[[2]string{fact, version}] = answer
	}
}

// Answer is what the version's header says; "" if nobody asked.
func (t *Table) Answer(fact, version string) string { return t.answers[[2]string{fact, version}] }

// Load reads a table of tab-separated values; lines that begin with # are notes.
func Load(path string) (*Table, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t := &Table{answers: map[[2]string]string{}}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		fields := strings.Split(line, "\t")
		switch {
		case strings.HasPrefix(line, "#"):
			t.Notes = append(t.Notes, line)
		case t.Versions == nil:
			t.Versions = fields[1:]
		case len(fields) != len(t.Versions)+1:
			return nil, fmt.Errorf("%s: %q: want %d columns", path, line, len(t.Versions)+1)
		default:
			t.Facts = append(t.Facts, fields[0])
			for i, v := range t.Versions {
				t.answers[[2]string{fields[0], v}] = fields[i+1]
			}
		}
	}
	return t, nil
}

// Save writes the table, with its facts and versions in the order given.
func (t *Table) Save(path string) error {
	var text strings.Builder
	for _, note := range t.Notes {
		fmt.Fprintln(&text, note)
	}
	fmt.Fprintf(&text, "fact\t%s\n", strings.Join(t.Versions, "\t"))
	for _, fact := range t.Facts {
		text.WriteString(fact)
		for _, v := range t.Versions {
			answer := t.Answer(fact, v)
			if answer == "" {
				answer = Absent
			}
			text.WriteString("\t" + answer)
		}
		text.WriteString("\n")
	}
	return os.WriteFile(path, []byte(text.String()), 0o644)
}
