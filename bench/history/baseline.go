package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"collbench/bench/store"
)

// A run folder that is part of a baseline says so itself, in a file of this name, so that the index can be made
// anew from the folders.
const (
	marksName   = "baselines.json"
	marksSchema = "collbench.baselines/1"
)

// marks is what the file holds: the names, and when each was given.
type marks struct {
	Schema string               `json:"schema"`
	Names  map[string]time.Time `json:"names"`
}

var baselineName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// Errors by which callers tell a name that is no baseline's from one that cannot be.
var (
	ErrNoBaseline = errors.New("no such baseline")
	ErrName       = errors.New("want a name of letters, digits, dots, dashes and underscores")
)

// SetBaseline gives run folders a name, in place of those that had it. A folder that is not in the history is added.
func (h History) SetBaseline(ctx context.Context, name string, folders []string, now time.Time) error {
	if !baselineName.MatchString(name) {
		return fmt.Errorf("baseline %q: %w", name, ErrName)
	}
	b := Baseline{Name: name, Set: now.UTC()}
	for _, folder := range folders {
		if _, err := h.Add(ctx, folder); err != nil {
			return fmt.Errorf("baseline %s: %w", name, err)
		}
		path, err := filepath.Abs(folder)
		if err != nil {
			return err
		}
		b.Folders = append(b.Folders, path)
	}
	slices.Sort(b.Folders)
	b.Folders = slices.Compact(b.Folders)
	old, err := h.Baseline(ctx, name)
	if err != nil && !errors.Is(err, ErrNoBaseline) {
		return err
	}
	for _, folder := range b.Folders {
		if err := mark(folder, name, b.Set); err != nil {
			return fmt.Errorf("baseline %s: %w", name, err)
		}
	}
	if err := unmark(old.Folders, b.Folders, name); err != nil {
		return fmt.Errorf("baseline %s: %w", name, err)
	}
	return h.Index.SetBaseline(ctx, b)
}

// RemoveBaseline takes a name away; the runs stay.
func (h History) RemoveBaseline(ctx context.Context, name string) error {
	b, err := h.Baseline(ctx, name)
	if err != nil {
		return err
	}
	if err := unmark(b.Folders, nil, name); err != nil {
		return fmt.Errorf("baseline %s: %w", name, err)
	}
	return h.Index.RemoveBaseline(ctx, name)
}

// Baseline finds a baseline by its name. The error is ErrNoBaseline where there is none.
func (h History) Baseline(ctx context.Context, name string) (Baseline, error) {
	all, err := h.Index.Baselines(ctx)
	if err != nil {
		return Baseline{}, err
	}
	var names []string
	for _, b := range all {
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	if len(names) == 0 {
		return Baseline{}, fmt.Errorf("%w as %q: none is set (history baseline set NAME RUN)", ErrNoBaseline, name)
	}
	return Baseline{}, fmt.Errorf("%w as %q: want one of %s", ErrNoBaseline, name, strings.Join(names, ", "))
}

// newest makes baselines of the marks in run folders. Where a name was given more than once, by moving a folder away
// while its name went elsewhere, the last time counts.
func newest(found []Baseline) (list []Baseline) {
	byName := map[string]Baseline{}
	for _, b := range found {
		known, ok := byName[b.Name]
		switch {
		case !ok || b.Set.After(known.Set):
			byName[b.Name] = b
		case b.Set.Equal(known.Set):
			known.Folders = append(slices.Clone(known.Folders), b.Folders...)
			slices.Sort(known.Folders)
			byName[b.Name] = known
		}
	}
	for _, name := range sortedKeys(byName) {
		list = append(list, byName[name])
	}
	return list
}

// readMarks are the names that a folder has, as baselines of this one folder.
func readMarks(folder string) (list []Baseline, err error) {
	m, err := marksOf(folder)
	for _, name := range sortedKeys(m.Names) {
		list = append(list, Baseline{Name: name, Folders: []string{folder}, Set: m.Names[name].UTC()})
	}
	return list, err
}

func marksOf(folder string) (m marks, err error) {
	path := filepath.Join(folder, marksName)
	m = marks{Schema: marksSchema, Names: map[string]time.Time{}}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	var read marks
	if err := json.Unmarshal(text, &read); err != nil {
		return m, fmt.Errorf("%s: %w", path, err)
	}
	if read.Schema != marksSchema {
		return m, fmt.Errorf("%s: schema %q, want %q", path, read.Schema, marksSchema)
	}
	for name, set := range read.Names {
		if !baselineName.MatchString(name) {
			return m, fmt.Errorf("%s: %q is no name of a baseline", path, name)
		}
		m.Names[name] = set
	}
	return m, nil
}

func mark(folder, name string, now time.Time) error {
	m, err := marksOf(folder)
	if err != nil {
		return err
	}
	m.Names[name] = now
	return m.write(folder)
}

// unmark takes the name from folders except those that keep it and those that are gone.
func unmark(folders, except []string, name string) error {
	for _, folder := range folders {
		if slices.Contains(except, folder) {
			continue
		}
		m, err := marksOf(folder)
		if err != nil {
			return err
		}
		if _, marked := m.Names[name]; !marked {
			continue
		}
		delete(m.Names, name)
		if err := m.write(folder); err != nil {
			return err
		}
	}
	return nil
}

// write makes the file appear whole or not at all; without names there is no file.
func (m marks) write(folder string) error {
	path := filepath.Join(folder, marksName)
	if len(m.Names) == 0 {
		return os.Remove(path)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return store.WriteWhole(path, append(text, '\n'))
}
