package history

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// SQLite is an Index in one file.
type SQLite struct {
	db   *sql.DB
	path string
}

//go:embed schema.sql
var schema string

// schemaVersion is what PRAGMA user_version says of a file with this schema. A file of another version is made anew
// from the run folders.
const schemaVersion = 1

// patience is how long a writer waits for another one.
var patience = 30 * time.Second

// Errors by which callers tell why an index could not be used.
var (
	ErrNoHistory = errors.New("there is no history")
	ErrUnusable  = errors.New("the file is no usable history")
)

// Open opens the index in a file. Where there is none it is made, if make is set, and else the error is
// ErrNoHistory. ErrUnusable: the file is damaged, no database, or of another version, and must be rebuilt.
//
// Write-ahead logging lets readers read while one writes, but needs memory that all who have the file open share;
// that does not work on network file systems (https://sqlite.org/wal.html), where a rollback journal is used.
func Open(ctx context.Context, path string, make bool) (*SQLite, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !make {
		return nil, fmt.Errorf("%w at %s: add runs with history add", ErrNoHistory, path)
	}
	if make {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("history %s: %w", path, err)
		}
	}
	journal := "DELETE"
	if local(filepath.Dir(path)) {
		journal = "WAL"
	}
	return open(ctx, path, journal)
}

func open(ctx context.Context, path, journal string) (*SQLite, error) {
	settings := url.Values{"_txlock": {"immediate"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", patience.Milliseconds()), "synchronous(FULL)", "foreign_keys(ON)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("history %s: %w", path, err)
	}
	db.SetMaxOpenConns(1) // the settings are a connection's
	s := &SQLite{db, path}
	if err := s.prepare(ctx, journal); err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

// prepare brings a new file to the schema and checks that of an old one. Of several processes that make the same file
// one does it; SQLite lets the others wait for a transaction, but not for the change of the journal's kind.
func (s *SQLite) prepare(ctx context.Context, journal string) error {
	deadline := time.Now().Add(patience)
	for {
		var mode string
		err := s.db.QueryRowContext(ctx, "PRAGMA journal_mode="+journal).Scan(&mode)
		if err == nil {
			break
		}
		if code(err) != codes.SQLITE_BUSY || time.Now().After(deadline) {
			return s.explain("open", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	found, err := version(ctx, s.db)
	if err == nil && found == 0 {
		err = s.write(ctx, "make", func(tx *sql.Tx) error {
			if found, err := version(ctx, tx); found != 0 || err != nil {
				return err // another process was first
			}
			_, err := tx.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA user_version=%d", schema, schemaVersion))
			return err
		})
		if err != nil {
			return err
		}
		found, err = version(ctx, s.db)
	}
	if err != nil {
		return s.explain("open", err)
	}
	if found != schemaVersion {
		return fmt.Errorf("history %s: %w: its version is %d, want %d: history rebuild makes it anew from the run folders", s.path, ErrUnusable, found, schemaVersion)
	}
	return nil
}

func version(ctx context.Context, of interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}) (number int, err error) {
	err = of.QueryRowContext(ctx, "PRAGMA user_version").Scan(&number)
	return number, err
}

// Close ends the use of the index.
func (s *SQLite) Close() error { return s.db.Close() }

// write does something in a transaction, which begins by taking the place of the one writer.
func (s *SQLite) write(ctx context.Context, what string, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err == nil {
		err = do(tx)
		if err == nil {
			err = tx.Commit()
		} else {
			tx.Rollback() // the error that matters is do's
		}
	}
	return s.explain(what, err)
}

// SetAside gives a file that is no usable index another name, so that one can be made in its place; its journal goes
// with it.
func SetAside(path string) (aside string, err error) {
	aside = fmt.Sprintf("%s.unusable-%d", path, time.Now().UnixNano())
	for _, end := range []string{"-wal", "-shm", "-journal"} {
		if err := os.Rename(path+end, aside+end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return aside, os.Rename(path, aside)
}

// code is SQLite's primary result code (https://sqlite.org/rescode.html); 0 for other errors.
func code(err error) int {
	if e := (*sqlite.Error)(nil); errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// explain says what to do about an error of the database.
func (s *SQLite) explain(what string, err error) error {
	if err == nil {
		return nil
	}
	switch code(err) {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return fmt.Errorf("history %s: %s: another process has been writing to it for %s: try again, or end that process: %w", s.path, what, patience, err)
	case codes.SQLITE_FULL:
		return fmt.Errorf("history %s: %s: no room is left on its file system; nothing was changed: %w", s.path, what, err)
	case codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN:
		return fmt.Errorf("history %s: %s: the file and its folder must be writable: %w", s.path, what, err)
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return fmt.Errorf("history %s: %s: %w: history rebuild makes it anew from the run folders: %w", s.path, what, ErrUnusable, err)
	}
	return fmt.Errorf("history %s: %s: %w", s.path, what, err)
}
