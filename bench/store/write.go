// Package store keeps runs in folders and reads them back.
//
// It stands between measuring and reporting: each case is written as it ends, so that a crash loses at most the
// case in hand, and every report is made from what was written. A run folder holds
//
//	run.json        what was run where (bench.RunInfo), written before anything is measured, and again with what only
//	                measuring tells
//	run-2.json, …   likewise of the runs added with --append, in their order
//	results.jsonl   one finished case a line (bench.Result), with the ID of its run under the key "run"
package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"collbench/bench"
)

// Names of the files in a run folder.
const (
	infoName    = "run.json"
	resultsName = "results.jsonl"
)

// ErrBusy is in the chain of Create's error for a folder that another run is being written to.
var ErrBusy = errors.New("another run is being written to it")

// ErrNotEmpty is in the chain of Create's error for a folder that holds something and may not be added to.
var ErrNotEmpty = errors.New("the folder is not empty")

// Folder is a run folder that is being written. It serves one goroutine.
type Folder struct {
	dir     string
	run     string // ID of the run that is being added
	info    string // the file that describes it
	results *os.File
	size    int64 // of results.jsonl: all of it whole lines
	kept    int   // results written by this Folder
}

// line is one line of results.jsonl.
type line struct {
	Run string `json:"run"`
	bench.Result
}

// DefaultDir is the folder of a run that names none: runs/<UTC time>.
func DefaultDir(start time.Time) string {
	return filepath.Join("runs", start.UTC().Format("20060102T150405Z"))
}

// Create makes the folder, and its parents, or opens it to add a run. A folder that is not empty is refused unless
// add is set, and then it must be a run folder; a line that a crash left unfinished is cut off. One at a time writes to a
// folder, as far as its file system has locks.
func Create(dir string, add bool) (*Folder, error) {
	f, err := create(dir, add)
	if err != nil {
		return nil, fmt.Errorf("run folder %s: %w", dir, err)
	}
	return f, nil
}

func create(dir string, add bool) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		if !add {
			return nil, fmt.Errorf("%w: name another one, or add to it with --append", ErrNotEmpty)
		}
		if _, err := os.Stat(filepath.Join(dir, infoName)); err != nil {
			return nil, fmt.Errorf("%w and no run folder: it has no %s", ErrNotEmpty, infoName)
		}
	}
	file, err := os.OpenFile(filepath.Join(dir, resultsName), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	f := &Folder{dir: dir, results: file}
	if err = f.take(add); err != nil {
		file.Close()
		return nil, err
	}
	return f, nil
}

// take locks the results and brings them to whole lines. Two writers would give their runs the same number, and each cut the
// other's results off where its own do not fit on the disk.
func (f *Folder) take(add bool) (err error) {
	if syscall.Flock(int(f.results.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == syscall.EWOULDBLOCK {
		return ErrBusy
	}
	if _, err := os.Stat(filepath.Join(f.dir, infoName)); err == nil && !add {
		return fmt.Errorf("%w: another run has just been there", ErrNotEmpty)
	}
	if f.size, err = wholeLines(f.results); err == nil {
		err = f.results.Truncate(f.size)
	}
	return err
}

// wholeLines is the length of the file up to and with its last newline.
func wholeLines(file *os.File) (int64, error) {
	size, err := file.Seek(0, io.SeekEnd)
	block := make([]byte, 64<<10)
	for err == nil && size > 0 {
		start := max(0, size-int64(len(block)))
		n := int(size - start)
		if _, err = file.ReadAt(block[:n], start); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(block[:n], '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		size = start
	}
	return size, err
}

// Dir is the folder's path as given to Create.
func (f *Folder) Dir() string { return f.dir }

// WriteInfo writes what is known of the run before its first result: run.json, or run-2.json and so on in a folder
// that has runs. The file appears whole or not at all. Called again for the run, it writes its file anew, with what has
// become known.
func (f *Folder) WriteInfo(info bench.RunInfo) error {
	data, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return fmt.Errorf("run folder %s: %w", f.dir, err)
	}
	name := f.info
	if info.ID != f.run {
		name = f.nextInfo()
	}
	if err := WriteWhole(filepath.Join(f.dir, name), append(data, '\n')); err != nil {
		return fmt.Errorf("run folder %s: %s was not written: %w", f.dir, name, err)
	}
	f.run, f.info = info.ID, name
	return nil
}

// nextInfo is the name of the file that will describe another run.
func (f *Folder) nextInfo() string {
	name := infoName
	for n := 2; ; n++ {
		if _, err := os.Lstat(filepath.Join(f.dir, name)); errors.Is(err, os.ErrNotExist) {
			return name
		}
		name = fmt.Sprintf("run-%d.json", n)
	}
}

// WriteWhole makes a file appear whole or not at all, in place of one of its name: it is written under another name
// beside it, which begins with a dot, brought to the disk and then given its own.
func WriteWhole(path string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // there is none once it has its name
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// Append writes one result and brings it to the disk. If that fails, for want of room say, what was written before
// stays whole, and the error says what was kept.
func (f *Folder) Append(r bench.Result) error {
	if f.run == "" {
		panic("store: a result before WriteInfo")
	}
	data, err := json.Marshal(line{f.run, r})
	if err == nil {
		data = append(data, '\n')
		_, err = f.results.Write(data)
	}
	if err == nil {
		err = f.results.Sync()
	}
	if err != nil {
		err = errors.Join(err, f.results.Truncate(f.size))
		return fmt.Errorf("%s: %s %s %d bytes was not kept, the %d results before it were: %w",
			f.results.Name(), r.What.Name(), r.What.Algorithm, r.What.Bytes, f.kept, err)
	}
	f.size += int64(len(data))
	f.kept++
	return nil
}

// Close ends the writing.
func (f *Folder) Close() error { return f.results.Close() }
