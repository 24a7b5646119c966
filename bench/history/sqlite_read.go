package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"collbench/bench"
)

// runColumns are what scanRun reads.
const runColumns = "runs.run, runs.folder, runs.started, machines.description, runs.revision, runs.environment"

// query collects what a statement finds, one value a row.
func query[T any](ctx context.Context, s *SQLite, scan func(*sql.Rows) (T, error), statement string, values ...any) (list []T, err error) {
	rows, err := s.db.QueryContext(ctx, statement, values...)
	if err != nil {
		return nil, s.explain("read", err)
	}
	defer rows.Close()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, s.explain("read", err)
		}
		list = append(list, v)
	}
	return list, s.explain("read", rows.Err())
}

// scanRun reads a row whose first columns are a run's.
func scanRun(rows *sql.Rows, others ...any) (r Run, err error) {
	var started int64
	var machine, environment []byte
	if err := rows.Scan(append([]any{&r.ID, &r.Folder, &started, &machine, &r.Commit, &environment}, others...)...); err != nil {
		return r, err
	}
	r.Started = time.Unix(0, started).UTC()
	if err := json.Unmarshal(machine, &r.Machine); err != nil {
		return r, fmt.Errorf("machine of run %s: %w", r.ID, err)
	}
	if err := json.Unmarshal(environment, &r.Environment); err != nil {
		return r, fmt.Errorf("environment of run %s: %w", r.ID, err)
	}
	return r, nil
}

// limit is SQLite's for a number of rows of which 0 means all.
func limit(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// Runs is Index's.
func (s *SQLite) Runs(ctx context.Context, q Query) ([]Run, error) {
	where, values := "", []any{}
	for _, c := range []struct{ column, value string }{{"runs.run", q.ID}, {"runs.folder", q.Folder}} {
		if c.value != "" {
			where += " AND " + c.column + "=?"
			values = append(values, c.value)
		}
	}
	if q.Machine != "" {
		where += " AND runs.machine=(SELECT id FROM machines WHERE fingerprint=?)"
		values = append(values, q.Machine)
	}
	return query(ctx, s, func(rows *sql.Rows) (Run, error) { return scanRun(rows) },
		"SELECT "+runColumns+" FROM runs JOIN machines ON machines.id=runs.machine WHERE true"+where+" ORDER BY runs.started DESC, runs.id DESC LIMIT ?",
		append(values, limit(q.Last))...)
}

// Points is Index's.
func (s *SQLite) Points(ctx context.Context, run string) ([]Point, error) {
	return query(ctx, s, func(rows *sql.Rows) (p Point, err error) {
		var text, launches []byte
		if err := rows.Scan(&text, &p.Status, &p.Observed, &p.Seconds, &launches); err != nil {
			return p, err
		}
		if err := json.Unmarshal(text, &p.Case); err != nil {
			return p, err
		}
		err = json.Unmarshal(launches, &p.Launches)
		return p, err
	}, `SELECT cases.text, status, observed, seconds, launches FROM points JOIN cases ON cases.id=points.kase
		WHERE points.run=(SELECT id FROM runs WHERE run=?) ORDER BY points.kase`, run)
}

// Machines is Index's.
func (s *SQLite) Machines(ctx context.Context) ([]Machine, error) {
	return query(ctx, s, func(rows *sql.Rows) (m Machine, err error) {
		var text []byte
		if err := rows.Scan(&text); err != nil {
			return m, err
		}
		err = json.Unmarshal(text, &m)
		return m, err
	}, "SELECT description FROM machines ORDER BY id")
}

// Cases is Index's.
func (s *SQLite) Cases(ctx context.Context, machine string) ([]bench.Case, error) {
	return query(ctx, s, func(rows *sql.Rows) (c bench.Case, err error) {
		var text []byte
		if err := rows.Scan(&text); err != nil {
			return c, err
		}
		err = json.Unmarshal(text, &c)
		return c, err
	}, `SELECT text FROM cases WHERE EXISTS
		(SELECT 1 FROM points WHERE kase=cases.id AND machine=(SELECT id FROM machines WHERE fingerprint=?)) ORDER BY id`, machine)
}

// Series is Index's.
func (s *SQLite) Series(ctx context.Context, machine string, c bench.Case, span Span) ([]Session, error) {
	before := int64(math.MaxInt64)
	if !span.Before.IsZero() {
		before = span.Before.UnixNano()
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	list, err := query(ctx, s, func(rows *sql.Rows) (e Session, err error) {
		var launches []byte
		if e.Run, err = scanRun(rows, &e.Point.Status, &e.Point.Observed, &e.Point.Seconds, &launches); err != nil {
			return e, err
		}
		e.Point.Case = c
		err = json.Unmarshal(launches, &e.Point.Launches)
		return e, err
	}, "SELECT "+runColumns+`, status, observed, seconds, launches
		FROM points JOIN runs ON runs.id=points.run JOIN machines ON machines.id=points.machine
		WHERE points.machine=(SELECT id FROM machines WHERE fingerprint=?) AND points.kase=(SELECT id FROM cases WHERE text=?)
		AND points.started<? ORDER BY points.started DESC, points.run DESC LIMIT ?`, machine, string(text), before, limit(span.Last))
	slices.Reverse(list)
	return list, err
}

// Baselines is Index's.
func (s *SQLite) Baselines(ctx context.Context) ([]Baseline, error) {
	var list []Baseline
	rows, err := query(ctx, s, func(rows *sql.Rows) (b Baseline, err error) {
		var folder string
		var given int64
		err = rows.Scan(&b.Name, &folder, &given)
		b.Folders, b.Set = []string{folder}, time.Unix(0, given).UTC()
		return b, err
	}, "SELECT name, folder, given FROM baselines ORDER BY name, folder")
	for _, b := range rows {
		if n := len(list); n > 0 && list[n-1].Name == b.Name {
			list[n-1].Folders = append(list[n-1].Folders, b.Folders...)
			continue
		}
		list = append(list, b)
	}
	return list, err
}
