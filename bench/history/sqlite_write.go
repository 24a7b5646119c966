package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Put is Index's.
func (s *SQLite) Put(ctx context.Context, runs []Run) error {
	return s.write(ctx, "add", func(tx *sql.Tx) error {
		w := newWriter(ctx, tx)
		for _, r := range runs {
			if err := w.put(r); err != nil {
				return fmt.Errorf("run %s: %w", r.ID, err)
			}
		}
		return nil
	})
}

// Replace is Index's.
func (s *SQLite) Replace(ctx context.Context, known, there Contents) error {
	return s.write(ctx, "rebuild", func(tx *sql.Tx) error {
		w := newWriter(ctx, tx)
		for _, r := range known.Runs {
			if err := w.remove(r.ID); err != nil {
				return err
			}
		}
		for _, b := range known.Baselines {
			if _, err := tx.ExecContext(ctx, "DELETE FROM baselines WHERE name=? AND given=?", b.Name, b.Set.UnixNano()); err != nil {
				return err
			}
		}
		for _, r := range there.Runs {
			if err := w.put(r); err != nil {
				return fmt.Errorf("run %s: %w", r.ID, err)
			}
		}
		for _, b := range there.Baselines {
			if err := setBaseline(ctx, tx, b); err != nil {
				return err
			}
		}
		return w.tidy()
	})
}

// Remove is Index's.
func (s *SQLite) Remove(ctx context.Context, ids []string) error {
	return s.write(ctx, "remove", func(tx *sql.Tx) error {
		w := newWriter(ctx, tx)
		for _, id := range ids {
			if err := w.remove(id); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM baselines WHERE folder NOT IN (SELECT folder FROM runs)"); err != nil {
			return err
		}
		return w.tidy()
	})
}

// SetBaseline is Index's. A name that was given later than this one stays as it is.
func (s *SQLite) SetBaseline(ctx context.Context, b Baseline) error {
	return s.write(ctx, "baseline", func(tx *sql.Tx) error { return setBaseline(ctx, tx, b) })
}

func setBaseline(ctx context.Context, tx *sql.Tx, b Baseline) error {
	var later int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM baselines WHERE name=? AND given>?", b.Name, b.Set.UnixNano()).Scan(&later); err != nil || later > 0 {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM baselines WHERE name=?", b.Name); err != nil {
		return err
	}
	for _, folder := range b.Folders {
		if _, err := tx.ExecContext(ctx, "INSERT INTO baselines (name, folder, given) VALUES (?, ?, ?)", b.Name, folder, b.Set.UnixNano()); err != nil {
			return err
		}
	}
	return nil
}

// RemoveBaseline is Index's.
func (s *SQLite) RemoveBaseline(ctx context.Context, name string) error {
	return s.write(ctx, "baseline", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM baselines WHERE name=?", name)
		return err
	})
}

// writer writes runs in one transaction and remembers the numbers of machines and cases.
type writer struct {
	ctx      context.Context
	tx       *sql.Tx
	machines map[string]int64
	cases    map[string]int64
}

func newWriter(ctx context.Context, tx *sql.Tx) *writer {
	return &writer{ctx, tx, map[string]int64{}, map[string]int64{}}
}

func (w *writer) put(r Run) error {
	var started int64
	switch err := w.tx.QueryRowContext(w.ctx, "SELECT started FROM runs WHERE run=?", r.ID).Scan(&started); {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return err
	case started != r.Started.UnixNano():
		return fmt.Errorf("%s has the ID of another run, which started at %s", r.Folder, time.Unix(0, started).UTC().Format(time.RFC3339Nano))
	default:
		if err := w.remove(r.ID); err != nil {
			return err
		}
	}
	description, err := json.Marshal(r.Machine)
	if err != nil {
		return err
	}
	machine, err := w.number(w.machines, r.Machine.Fingerprint,
		"INSERT INTO machines (fingerprint, description) VALUES (?, ?) ON CONFLICT DO UPDATE SET description=excluded.description RETURNING id",
		r.Machine.Fingerprint, string(description))
	if err != nil {
		return err
	}
	environment, err := json.Marshal(r.Environment)
	if err != nil {
		return err
	}
	var run int64
	err = w.tx.QueryRowContext(w.ctx, "INSERT INTO runs (run, folder, started, machine, revision, environment) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
		r.ID, r.Folder, r.Started.UnixNano(), machine, r.Commit, string(environment)).Scan(&run)
	if err != nil {
		return err
	}
	for _, p := range r.Points {
		if err := w.point(p, run, machine, r.Started.UnixNano()); err != nil {
			return fmt.Errorf("%s: %w", p.Case, err)
		}
	}
	return nil
}

func (w *writer) point(p Point, run, machine, started int64) error {
	text, err := json.Marshal(p.Case)
	if err != nil {
		return err
	}
	number, err := w.number(w.cases, string(text), "INSERT INTO cases (text) VALUES (?) ON CONFLICT DO UPDATE SET text=text RETURNING id", string(text))
	if err != nil {
		return err
	}
	launches, err := json.Marshal(p.Launches)
	if err != nil {
		return err
	}
	_, err = w.tx.ExecContext(w.ctx, "INSERT INTO points (machine, kase, started, run, status, observed, seconds, launches) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		machine, number, started, run, string(p.Status), p.Observed, p.Seconds, string(launches))
	return err
}

// number finds the number of a machine or case by its key, or inserts it.
func (w *writer) number(known map[string]int64, key, insert string, values ...any) (number int64, err error) {
	if n, ok := known[key]; ok {
		return n, nil
	}
	err = w.tx.QueryRowContext(w.ctx, insert, values...).Scan(&number)
	known[key] = number
	return number, err
}

// remove takes a run out, if it is there.
func (w *writer) remove(id string) error {
	for _, statement := range []string{"DELETE FROM points WHERE run IN (SELECT id FROM runs WHERE run=?)", "DELETE FROM runs WHERE run=?"} {
		if _, err := w.tx.ExecContext(w.ctx, statement, id); err != nil {
			return err
		}
	}
	return nil
}

// tidy drops machines and cases that nothing refers to any more.
func (w *writer) tidy() error {
	for _, statement := range []string{
		"DELETE FROM machines WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.machine=machines.id)",
		"DELETE FROM cases WHERE id NOT IN (SELECT kase FROM points)",
	} {
		if _, err := w.tx.ExecContext(w.ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
