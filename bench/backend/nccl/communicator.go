package nccl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"collbench/bench"
	"collbench/cgo/cuda"
	"collbench/cgo/nccl"
	"collbench/collectives"

	"golang.org/x/sys/unix"
)

// communicator is this rank's end of the group.
type communicator struct {
	backend Backend
	group   bench.Group
	context *cuda.Context
	stream  cuda.Stream
	kernels programs
	comm    *nccl.Comm
	log     *os.File // NCCL's log, in memory; nil where the user has it elsewhere
	version nccl.Version
	device  string // "GPU 3 (NVIDIA H100 80GB HBM3, 0000:19:00.0)"
	major   int    // of its compute capability
	gauges  gauges
	broken  error // an operation has ended in the middle
}

// hello is what the ranks tell each other before they join.
type hello struct {
	Version nccl.Version `json:"version"`
	UUID    string       `json:"uuid"`
	ID      []byte       `json:"id,omitempty"`    // rank 0's
	Ports   bool         `json:"ports,omitempty"` // it has InfiniBand ports that count
	Error   string       `json:"error,omitempty"`
}

// severalOnOne is the variable by which NCCL 2.30 allows several ranks on one GPU, for functional tests.
const severalOnOne = "NCCL_MULTI_RANK_GPU_ENABLE"

func (c *communicator) open(ctx context.Context) error {
	mine, failed := c.introduce()
	if failed != nil {
		mine.Error = failed.Error()
	}
	message, err := json.Marshal(mine)
	if err != nil {
		return err
	}
	messages, err := c.group.Exchange(ctx, message)
	if err != nil {
		return fmt.Errorf("exchange of the unique id: %w", err)
	}
	if failed != nil {
		return failed
	}
	all := make([]hello, len(messages))
	for i, m := range messages {
		if err := json.Unmarshal(m, &all[i]); err != nil {
			return fmt.Errorf("introduction of %s: %w", c.name(i), err)
		}
	}
	if err := c.agree(all); err != nil {
		return err
	}
	var id nccl.UniqueID
	copy(id[:], all[0].ID)
	c.comm, err = nccl.Join(ctx, id, c.group.Ranks(), int(c.group.Node()), nccl.Config{Blocking: true})
	if err != nil {
		return fmt.Errorf("%s: %w", c.device, err)
	}
	return nil
}

// name is what messages call a rank.
func (c *communicator) name(rank int) string {
	return fmt.Sprintf("rank %d on %s", rank, c.group.Host(collectives.Node(rank)))
}

// introduce opens the libraries and this rank's device, and says what the others have to know.
func (c *communicator) introduce() (h hello, err error) {
	if err := c.catchLog(); err != nil {
		return h, err
	}
	if err := cuda.Init(); err != nil {
		return h, err
	}
	if c.version, err = c.backend.version(); err != nil {
		return h, err
	}
	h.Version = c.version
	device, err := c.choose()
	if err != nil {
		return h, err
	}
	p, err := device.Properties()
	if err != nil {
		return h, err
	}
	c.gauges.open(p, c.version, c.group)
	h.Ports = c.gauges.ports
	h.UUID, c.major, c.device = p.UUID, p.Major, fmt.Sprintf("GPU %d (%s, %s)", device, p.Name, p.PCI)
	if c.context, err = device.Retain(); err != nil {
		return h, err
	}
	if c.stream, err = cuda.NewStream(); err != nil {
		return h, err
	}
	if c.kernels, err = load(p); err != nil {
		return h, fmt.Errorf("%s: %w", c.device, err)
	}
	if c.group.Node() == 0 {
		id, err := nccl.NewUniqueID()
		if err != nil {
			return h, err
		}
		h.ID = id[:]
	}
	return h, nil
}

// catchLog has NCCL write its log into memory of this process, so that nothing is left when that ends.
func (c *communicator) catchLog() error {
	if os.Getenv("NCCL_DEBUG_FILE") != "" {
		return nil
	}
	fd, err := unix.MemfdCreate("nccl-log", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("memory for NCCL's log: %w", err)
	}
	c.log = os.NewFile(uintptr(fd), "nccl-log")
	return os.Setenv("NCCL_DEBUG_FILE", fmt.Sprintf("/proc/self/fd/%d", fd))
}

// readLog is what NCCL has written so far.
func (c *communicator) readLog() string {
	if c.log == nil {
		return ""
	}
	text := make([]byte, maxLog)
	n, _ := c.log.ReadAt(text, 0) // it is shorter: io.EOF
	return string(text[:n])
}

const maxLog = 1 << 20 // bytes

// choose picks the device by this rank's place among those of its host, unless the launcher left one to be seen.
func (c *communicator) choose() (cuda.Device, error) {
	n, err := cuda.Devices()
	switch {
	case err != nil:
		return 0, err
	case n == 0:
		return 0, fmt.Errorf("%w: no GPU is visible (CUDA_VISIBLE_DEVICES=%q)", cuda.ErrUnavailable, os.Getenv("CUDA_VISIBLE_DEVICES"))
	case n == 1:
		return 0, nil
	}
	local := 0
	for v := range c.group.Node() {
		if c.group.Host(v) == c.group.Host(c.group.Node()) {
			local++
		}
	}
	if local >= n && os.Getenv(severalOnOne) != "1" {
		return 0, fmt.Errorf("%s is number %d there, and there are %d GPUs", c.name(int(c.group.Node())), local+1, n)
	}
	return cuda.Device(local % n), nil
}

// agree makes sure that all ranks have the same NCCL and GPUs of their own.
func (c *communicator) agree(all []hello) error {
	users := map[string]int{}
	for rank, h := range all[:c.group.Ranks()] {
		if h.Error != "" {
			return fmt.Errorf("%s: %s", c.name(rank), h.Error)
		}
		if h.Version != all[0].Version {
			return fmt.Errorf("%s has NCCL %s, %s has %s", c.name(rank), h.Version, c.name(0), all[0].Version)
		}
		if other, taken := users[h.UUID]; taken && os.Getenv(severalOnOne) != "1" {
			return fmt.Errorf("%s and %s have the same GPU, %s", c.name(other), c.name(rank), h.UUID)
		}
		users[h.UUID] = rank
		c.gauges.ports = c.gauges.ports && h.Ports
	}
	return nil
}

// closing is how long the ranks may take to leave together.
const closing = 10 * time.Second

// Close implements bench.Communicator.
func (c *communicator) Close() error {
	var errs []error
	if c.comm != nil {
		if c.broken != nil {
			errs = append(errs, c.comm.Abort())
		} else {
			ctx, cancel := context.WithTimeout(context.Background(), closing)
			defer cancel()
			errs = append(errs, c.comm.Close(ctx))
		}
	}
	if c.context != nil {
		errs = append(errs, c.context.Close())
	}
	if c.log != nil {
		errs = append(errs, os.Unsetenv("NCCL_DEBUG_FILE"))
		// The file stays open: NCCL may still write to it.
	}
	return errors.Join(errs...)
}

// use makes the device current for the calling goroutine until the returned function is called.
func (c *communicator) use() (func(), error) {
	runtime.LockOSThread()
	if err := c.context.Use(); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	return runtime.UnlockOSThread, nil
}

// unsupported is an error about what this machine, or this NCCL, cannot carry out, in the words that it has.
type unsupported struct{ error }

func (u unsupported) Unwrap() error        { return u.error }
func (u unsupported) Is(target error) bool { return target == bench.ErrNotSupported }

// Prepare implements bench.Communicator.
func (c *communicator) Prepare(ctx context.Context, test bench.Case) (bench.Operation, error) {
	o := &operation{communicator: c, test: test}
	if err := o.build(ctx); err != nil {
		_ = o.Close()
		if errors.Is(err, nccl.ErrNotSupported) {
			err = unsupported{err}
		}
		return nil, fmt.Errorf("%s: %s: %w", test, c.device, err)
	}
	return o, nil
}
