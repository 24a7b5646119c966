// Package history keeps what was measured over the months where it can be asked: which runs there were, how a case
// went from session to session on one machine, where it changed, and which run is a baseline.
//
// It stands beside the reports at the end of the data's way. Run folders are the truth: all that the index holds is
// read from them (bench/store) and can be made anew from them; summaries are those of bench/summary. Nothing is ever
// compared across machines, and what was simulated is not taken in.
package history

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"collbench/bench/store"
)

// History is the index and what is done with it.
type History struct{ Index Index }

// ErrRefused is in the chain of the error for a run that may not be part of a history: nothing in it was measured,
// or it does not say on which machine.
var ErrRefused = errors.New("not for the history")

// Added says what Add took in.
type Added struct {
	Runs     []Run    // with their points
	Warnings []string // what was left out, in one line each
}

// Add reads a run folder and keeps its runs, each in place of what was known of a run with its ID. All of the
// folder is taken in or nothing of it. The error is ErrRefused where there is nothing that may be kept.
func (h History) Add(ctx context.Context, folder string) (Added, error) {
	added, err := readFolder(folder)
	if err != nil {
		return added, err
	}
	if len(added.Runs) == 0 {
		return added, fmt.Errorf("%s: %w: %s", folder, ErrRefused, first(added.Warnings))
	}
	return added, h.Index.Put(ctx, added.Runs)
}

func first(warnings []string) string {
	if len(warnings) == 0 {
		return "the folder holds no run"
	}
	return warnings[0]
}

// readFolder reads the runs of a folder that may be kept. What may not is a warning.
func readFolder(folder string) (Added, error) {
	path, err := filepath.Abs(folder)
	if err != nil {
		return Added{}, err
	}
	runs, warnings, err := store.Read(folder)
	if err != nil {
		return Added{}, err
	}
	added := Added{Warnings: warnings}
	for _, run := range runs {
		kept, simulated, err := newRun(path, run)
		if err != nil {
			added.Warnings = append(added.Warnings, err.Error())
			continue
		}
		if simulated > 0 {
			added.Warnings = append(added.Warnings, fmt.Sprintf("run %s: %d simulated results were left out", run.Info.ID, simulated))
		}
		if n := len(added.Runs); n > 0 && added.Runs[n-1].continuedBy(kept) {
			added.Runs[n-1].merge(kept)
			continue
		}
		added.Runs = append(added.Runs, kept)
	}
	return added, nil
}

// Rebuild makes the index anew from the folders that it knows and those found under dirs, and gives the number of
// runs. Runs whose folder is gone are lost; what others add meanwhile is kept.
func (h History) Rebuild(ctx context.Context, dirs ...string) (runs int, warnings []string, err error) {
	known, err := h.contents(ctx)
	if err != nil {
		return 0, nil, err
	}
	folders := map[string]bool{}
	for _, r := range known.Runs {
		folders[r.Folder] = true
	}
	for _, dir := range dirs {
		if err := findFolders(dir, folders); err != nil {
			return 0, nil, err
		}
	}
	there, warnings := readFolders(sortedKeys(folders))
	return len(there.Runs), warnings, h.Index.Replace(ctx, known, there)
}

func (h History) contents(ctx context.Context) (c Contents, err error) {
	if c.Runs, err = h.Index.Runs(ctx, Query{}); err == nil {
		c.Baselines, err = h.Index.Baselines(ctx)
	}
	return c, err
}

func readFolders(folders []string) (there Contents, warnings []string) {
	var marks []Baseline
	for _, folder := range folders {
		added, err := readFolder(folder)
		warnings = append(warnings, added.Warnings...)
		if err != nil {
			warnings = append(warnings, err.Error())
		}
		if len(added.Runs) == 0 {
			continue
		}
		there.Runs = append(there.Runs, added.Runs...)
		found, err := readMarks(folder)
		if err != nil {
			warnings = append(warnings, err.Error())
		}
		marks = append(marks, found...)
	}
	there.Runs, there.Baselines = latest(there.Runs), newest(marks)
	return there, warnings
}

// latest keeps one run of each ID: a copied folder holds the same runs. The last in the order of folders stays.
func latest(all []Run) []Run {
	at := map[string]int{}
	var kept []Run
	for _, r := range all {
		if i, ok := at[r.ID]; ok {
			kept[i] = r
			continue
		}
		at[r.ID] = len(kept)
		kept = append(kept, r)
	}
	return kept
}

// findFolders adds every run folder at or under dir.
func findFolders(dir string, found map[string]bool) error {
	root, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			return nil
		}
		if _, err := os.Stat(filepath.Join(path, "run.json")); err == nil {
			found[path] = true
		}
		return nil
	})
}

// Gone lists the runs whose folder is no longer there, as far as that can be told: a folder on a file system that is
// not mounted looks the same.
func (h History) Gone(ctx context.Context) (gone []Run, err error) {
	runs, err := h.Index.Runs(ctx, Query{})
	for _, r := range runs {
		if _, err := os.Stat(filepath.Join(r.Folder, "run.json")); errors.Is(err, os.ErrNotExist) {
			gone = append(gone, r)
		}
	}
	return gone, err
}
