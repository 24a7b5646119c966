package certify

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"collbench/bench/store"
)

// Folder is where an acceptance keeps what it has done:
//
//	profile.yaml            the profile
//	session.json            how its steps are started (session)
//	01-hosts/ …             a step: launch-1/ … are run folders, step.json what came of it, once it is done
//	report.json, report.md  the whole, once all is done
type Folder struct {
	Dir     string
	Profile Profile
	session session
}

// session is what is not in the profile's file.
type session struct {
	Schema   string    `json:"schema"`
	Profile  string    `json:"profile"`
	Started  time.Time `json:"started"`
	Start    []string  `json:"start,omitempty"`
	LineRate float64   `json:"line_rate,omitempty"` // bytes per second
}

const (
	sessionSchema = "collbench.acceptance-session/1"
	sessionName   = "session.json"
	profileName   = "profile.yaml"
	stepName      = "step.json"
)

// ErrNotEmpty is in the chain of Create's error for a folder that holds something.
var ErrNotEmpty = errors.New("the folder is not empty")

// Create makes the folder of a new acceptance.
func Create(dir string, p Profile, now time.Time) (*Folder, error) {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s: %w: name another one, or go on with --resume %s", dir, ErrNotEmpty, dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f := &Folder{Dir: dir, Profile: p, session: session{sessionSchema, p.Name, now.UTC(), p.Start, p.LineRate}}
	if err := store.WriteWhole(filepath.Join(dir, profileName), []byte(p.Text)); err != nil {
		return nil, err
	}
	return f, writeJSON(filepath.Join(dir, sessionName), f.session)
}

// Open opens the folder of an acceptance that was begun.
func Open(dir string) (*Folder, error) {
	f := &Folder{Dir: dir}
	if err := readJSON(filepath.Join(dir, sessionName), &f.session); err != nil {
		return nil, fmt.Errorf("%s is no folder of an acceptance: %w", dir, err)
	}
	if f.session.Schema != sessionSchema {
		return nil, fmt.Errorf("%s: schema %q, want %q", filepath.Join(dir, sessionName), f.session.Schema, sessionSchema)
	}
	text, err := os.ReadFile(filepath.Join(dir, profileName))
	if err != nil {
		return nil, err
	}
	if f.Profile, err = Parse(filepath.Join(dir, profileName), text); err != nil {
		return nil, err
	}
	f.Profile.Name, f.Profile.Start, f.Profile.LineRate = f.session.Profile, f.session.Start, f.session.LineRate
	return f, nil
}

// step is the name of a step's folder.
func (f *Folder) step(i int) string {
	slug := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '-'
	}, f.Profile.Steps[i].Name)
	return fmt.Sprintf("%02d-%s", i+1, slug)
}

// done gives what came of a step, if it is done.
func (f *Folder) done(i int) (r StepReport, ok bool) {
	err := readJSON(filepath.Join(f.Dir, f.step(i), stepName), &r)
	return r, err == nil
}

func (f *Folder) keep(i int, r StepReport) error {
	return writeJSON(filepath.Join(f.Dir, f.step(i), stepName), r)
}

// launch is the run folder of a launch that has been carried out, and where it is carried out before.
func (f *Folder) launch(i, n int) (whole, under string) {
	whole = filepath.Join(f.Dir, f.step(i), fmt.Sprintf("launch-%d", n))
	return whole, whole + ".unfinished"
}

func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return store.WriteWhole(path, append(data, '\n'))
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
