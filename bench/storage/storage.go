// Package storage measures how fast a file system takes and gives bytes past the page cache, for comparison with what
// GPUDirect Storage promises: data that collectives then spread comes from there.
//
// It stands beside the measuring loop: one process, one machine, no ranks. What it gives is plain data that a command
// prints and a profile of acceptance judges. It uses POSIX calls with O_DIRECT, through host memory; the way through
// cuFile into a GPU is not in it.
package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Settings are what is to be measured.
type Settings struct {
	Directory string // of the file system; a file without a name is made there
	Bytes     int64  // that a pass writes and then reads; a multiple of Block
	Block     int64  // bytes of one call; a multiple of Alignment
	Threads   int    // that each have one call under way
	Passes    int    // 1 or more
}

// Alignment is what O_DIRECT asks of offsets, lengths and memory on every common file system, in bytes.
const Alignment = 4096

// Schema is the name of what a Result is as JSON.
const Schema = "collbench.storage/1"

// Result is what came of it. A pass writes the file whole, brings it to the disk, and reads it whole.
type Result struct {
	Schema    string    `json:"schema"`
	Directory string    `json:"directory"`
	Method    string    `json:"method"` // "posix O_DIRECT"
	Bytes     int64     `json:"bytes"`
	Block     int64     `json:"block"`
	Threads   int       `json:"threads"`
	Write     []float64 `json:"write"` // bytes per second, a pass each, with the time until the file is on the disk
	Read      []float64 `json:"read"`  // bytes per second, a pass each
	Wrong     int64     `json:"wrong"` // blocks that did not read back as they were written
}

// ErrNoDirect is in the error for a file system that has no O_DIRECT, such as tmpfs.
var ErrNoDirect = errors.New("this file system has no O_DIRECT")

// Check says what is wrong with the settings.
func (s Settings) Check() error {
	switch {
	case s.Block < Alignment || s.Block%Alignment != 0:
		return fmt.Errorf("block of %d bytes: want a multiple of %d", s.Block, Alignment)
	case s.Bytes < s.Block || s.Bytes%s.Block != 0:
		return fmt.Errorf("%d bytes: want a multiple of the block of %d bytes", s.Bytes, s.Block)
	case s.Threads < 1 || s.Threads > 1024:
		return fmt.Errorf("%d threads: want 1 … 1024", s.Threads)
	case s.Passes < 1:
		return fmt.Errorf("%d passes: want 1 or more", s.Passes)
	}
	return nil
}

// Measure carries the settings out. The file has no name, so that nothing is left behind, whatever ends the process.
func Measure(ctx context.Context, s Settings) (Result, error) {
	r := Result{Schema: Schema, Directory: s.Directory, Method: "posix O_DIRECT", Bytes: s.Bytes, Block: s.Block, Threads: s.Threads}
	if err := s.Check(); err != nil {
		return r, err
	}
	file, err := open(s.Directory)
	if err != nil {
		return r, err
	}
	defer file.Close()
	buffers, free, err := memory(s)
	if err != nil {
		return r, err
	}
	defer free()
	fd := int(file.Fd())
	for range s.Passes {
		took, err := pass(ctx, s, func(thread int, offset int64) error { return writeAt(fd, buffers[thread].stamped(offset), offset) }, file.Sync)
		if err != nil {
			return r, fmt.Errorf("write %s: %w", s.Directory, err)
		}
		r.Write = append(r.Write, float64(s.Bytes)/took.Seconds())
		var wrong atomic.Int64
		took, err = pass(ctx, s, func(thread int, offset int64) error {
			b := buffers[thread]
			if err := readAt(fd, b.data, offset); err != nil {
				return err
			}
			if !b.right(offset) {
				wrong.Add(1)
			}
			return nil
		}, func() error { return nil })
		if err != nil {
			return r, fmt.Errorf("read %s: %w", s.Directory, err)
		}
		r.Read = append(r.Read, float64(s.Bytes)/took.Seconds())
		r.Wrong += wrong.Load()
	}
	return r, nil
}

// open makes a file without a name.
func open(directory string) (*os.File, error) {
	fd, err := unix.Open(directory, unix.O_TMPFILE|unix.O_RDWR|unix.O_DIRECT|unix.O_CLOEXEC, 0o600)
	switch {
	case err == nil:
		return os.NewFile(uintptr(fd), directory), nil
	case !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EISDIR):
		return nil, &os.PathError{Op: "open", Path: directory, Err: err}
	}
	// Not every file system has files without names (NFS has none). A name is gone as soon as the file is open.
	named, nameErr := os.CreateTemp(directory, ".collbench-storage-*")
	if nameErr != nil {
		return nil, nameErr
	}
	defer named.Close()
	defer os.Remove(named.Name())
	fd, err = unix.Open(named.Name(), unix.O_RDWR|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.EINVAL) {
		return nil, fmt.Errorf("%s: %w", directory, ErrNoDirect)
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: directory, Err: err}
	}
	return os.NewFile(uintptr(fd), directory), nil
}

// pass goes once over the file: thread t does blocks t, t + threads, …
func pass(ctx context.Context, s Settings, do func(thread int, offset int64) error, finish func() error) (time.Duration, error) {
	var work sync.WaitGroup
	failures := make([]error, s.Threads)
	start := time.Now()
	for thread := range s.Threads {
		work.Go(func() {
			for offset := int64(thread) * s.Block; offset < s.Bytes && failures[thread] == nil; offset += int64(s.Threads) * s.Block {
				if failures[thread] = ctx.Err(); failures[thread] == nil {
					failures[thread] = do(thread, offset)
				}
			}
		})
	}
	work.Wait()
	err := errors.Join(failures...)
	if ctx.Err() != nil {
		err = ctx.Err()
	} else if err == nil {
		err = finish()
	}
	return time.Since(start), err
}

func writeAt(fd int, b []byte, offset int64) error {
	n, err := unix.Pwrite(fd, b, offset)
	if err == nil && n < len(b) {
		err = fmt.Errorf("%d of %d bytes were taken", n, len(b))
	}
	return err
}

func readAt(fd int, b []byte, offset int64) error {
	n, err := unix.Pread(fd, b, offset)
	if err == nil && n < len(b) {
		err = fmt.Errorf("%d of %d bytes came", n, len(b))
	}
	return err
}

// buffer is a thread's block. Random bytes keep a file system from making nothing of it by compression.
type buffer struct{ data []byte }

// stamped is the block with where it belongs at both ends.
func (b buffer) stamped(offset int64) []byte {
	for _, at := range []int{0, len(b.data) - 8} {
		copy(b.data[at:], fmt.Appendf(nil, "%08x", uint32(offset/Alignment)))
	}
	return b.data
}

// right says whether the block is the one that belongs there.
func (b buffer) right(offset int64) bool {
	want := fmt.Sprintf("%08x", uint32(offset/Alignment))
	return string(b.data[:8]) == want && string(b.data[len(b.data)-8:]) == want
}

// memory gets the threads' blocks, aligned as pages are.
func memory(s Settings) (buffers []buffer, free func(), err error) {
	whole, err := unix.Mmap(-1, 0, int(s.Block)*s.Threads, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, nil, fmt.Errorf("%d blocks of %d bytes of memory: %w", s.Threads, s.Block, err)
	}
	rand.Read(whole)
	for t := range int64(s.Threads) {
		buffers = append(buffers, buffer{whole[t*s.Block : (t+1)*s.Block]})
	}
	return buffers, func() { unix.Munmap(whole) }, nil
}
