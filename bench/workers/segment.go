package workers

import (
	"fmt"
	"os"
	"unsafe"

	"collbench/bench"

	"golang.org/x/sys/unix"
)

// segmentBytes is the length of a host's shared memory. It is address space: pages are only there once touched.
const segmentBytes = 1 << 36

// anonymous makes memory that can be inherited and has no name in any file system.
func anonymous(name string, bytes int64) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("shared memory (memfd_create): %w", err)
	}
	file := os.NewFile(uintptr(fd), name)
	if err := file.Truncate(bytes); err != nil {
		file.Close()
		return nil, fmt.Errorf("shared memory of %d bytes: %w", bytes, err)
	}
	return file, nil
}

func bell() (*os.File, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("bell (eventfd): %w", err)
	}
	return os.NewFile(uintptr(fd), "bell"), nil
}

// progressStride keeps the nodes' progress on cache lines of their own.
const progressStride = 128

// progressPage is the memory by which the parent sees how far each node is, even one that is dead or stopped.
type progressPage struct {
	file   *os.File
	memory []byte
}

func newProgressPage(nodes int) (*progressPage, error) {
	file, err := anonymous("progress", int64(nodes*progressStride))
	if err != nil {
		return nil, err
	}
	p, err := openProgressPage(file, nodes)
	if err != nil {
		file.Close()
	}
	return p, err
}

func openProgressPage(file *os.File, nodes int) (*progressPage, error) {
	memory, err := unix.Mmap(int(file.Fd()), 0, nodes*progressStride, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping the progress page: %w", err)
	}
	return &progressPage{file, memory}, nil
}

func (p *progressPage) of(node int) *bench.Progress {
	return (*bench.Progress)(unsafe.Pointer(&p.memory[node*progressStride]))
}

func (p *progressPage) close() {
	unix.Munmap(p.memory)
	p.file.Close()
}
