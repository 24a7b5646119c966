// Package abitest is what the tests of declarations under cgo have in common: they read our header and the vendor's,
// keep the table of facts, and compare.
package abitest

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"collbench/internal/abi"
)

// Check is what Compare is to compare.
type Check struct {
	Table     string                         // the file of the table
	Facts     []string                       // what is declared
	Ours      abi.Header                     // our declarations
	Installed map[string]string              // version → folder of the vendor's headers
	Header    func(folder string) abi.Header // the vendor's header there
	Optional  func(fact string) bool         // may be missing in some version
	Excused   func(fact string) bool         // may differ; its versions are compared by the test itself
	Update    bool                           // write the table from the headers that are installed
}

// Compare fails the test where our declarations differ from the table's facts or from a header's, and where table and
// header differ. It returns the table.
func Compare(t *testing.T, c Check) *abi.Table {
	t.Helper()
	if _, err := abi.Compiler(); err != nil {
		t.Skip(err)
	}
	read := readAll(t, c)
	if c.Update {
		update(t, c, read)
	}
	table, err := abi.Load(c.Table)
	if err != nil {
		t.Fatal(err)
	}
	mine, err := c.Ours.Read(c.Facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, fact := range c.Facts {
		if mine[fact] == abi.Absent {
			t.Errorf("%s: not declared", fact)
		}
		if !slices.Contains(table.Facts, fact) {
			t.Errorf("%s: not in %s: make abi derives it", fact, c.Table)
			continue
		}
		for _, v := range table.Versions {
			differ(t, c, fact, v+" ("+c.Table+")", mine[fact], table.Answer(fact, v))
		}
		for v, answers := range read {
			differ(t, c, fact, v, mine[fact], answers[fact])
			if slices.Contains(table.Versions, v) && table.Answer(fact, v) != answers[fact] {
				t.Errorf("%s: %s says %s, the header of %s %s", fact, c.Table, table.Answer(fact, v), v, answers[fact])
			}
		}
	}
	return table
}

func differ(t *testing.T, c Check, fact, version, mine, theirs string) {
	t.Helper()
	switch {
	case mine == theirs, c.Excused != nil && c.Excused(fact):
	case theirs == abi.Absent && c.Optional(fact):
	default:
		t.Errorf("%s: %s, in %s %s", fact, mine, version, theirs)
	}
}

// readAll asks every header that is installed.
func readAll(t *testing.T, c Check) map[string]map[string]string {
	t.Helper()
	read := map[string]map[string]string{}
	for v, folder := range c.Installed {
		answers, err := c.Header(folder).Read(c.Facts)
		if err != nil {
			t.Fatalf("%s: %v", v, err)
		}
		read[v] = answers
	}
	return read
}

func update(t *testing.T, c Check, read map[string]map[string]string) {
	t.Helper()
	old, err := abi.Load(c.Table)
	if err != nil {
		old = &abi.Table{}
	}
	table := abi.Table{Notes: old.Notes, Facts: c.Facts}
	for _, v := range slices.SortedFunc(maps.Keys(read), byVersion) {
		if version.MatchString(v) {
			table.Set(v, read[v])
		}
	}
	if err := table.Save(c.Table); err != nil {
		t.Fatal(err)
	}
}

var version = regexp.MustCompile(`^[0-9.]+$`)

func byVersion(a, b string) int {
	parts := func(v string) (n []int) {
		for p := range strings.SplitSeq(v, ".") {
			i, _ := strconv.Atoi(p)
			n = append(n, i)
		}
		return n
	}
	return slices.Compare(parts(a), parts(b))
}

// Installed finds those of the folders that have the header.
func Installed(header string, folders ...string) map[string]string {
	found := map[string]string{}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, header)); err == nil {
			found[folder] = folder
		}
	}
	return found
}

// Downloaded finds folders in build/abi, where make abi puts headers, by the version in their name: "cuda-*/include"
// finds that of cuda-12.9.79 under "12.9.79".
func Downloaded(t *testing.T, pattern string) map[string]string {
	t.Helper()
	root := Absolute(t, "../../build/abi")
	found := map[string]string{}
	folders, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		inside, _ := filepath.Rel(root, folder)
		name, _, _ := strings.Cut(inside, "/")
		_, version, _ := strings.Cut(name, "-")
		found[version] = folder
	}
	return found
}

// Words lists what the pattern's group finds in a file, each once.
func Words(t *testing.T, path, pattern string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(list, m[1]) {
			list = append(list, m[1])
		}
	}
	if list == nil {
		t.Fatalf("%s: nothing matches %s", path, pattern)
	}
	return list
}

// Absolute is a path from the test's folder on.
func Absolute(t *testing.T, path string) string {
	t.Helper()
	absolute, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return absolute
}
