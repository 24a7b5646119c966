//go:build cgo

package mpi

/*
#include <stdlib.h>
#include "mpi.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"unsafe"

	"collbench/cgo/dl"
)

// Library is an MPI library that is open, and after Init this process as a rank of its world.
type Library struct {
	lib     *dl.Library
	m       *C.cb_mpi
	openMPI bool
	rank    int
	size    int
	ended   bool
}

// Open opens the first of the libraries that can be opened and finds its functions and handles; no MPI call is made. The
// error says what the loader said of each.
func Open(names ...string) (*Library, error) {
	lib, err := dl.OpenGlobal(names...)
	if err != nil {
		return nil, fmt.Errorf("MPI library: %w", err)
	}
	// It stays open: it has threads and exit handlers of its own.
	l := &Library{lib: lib, m: (*C.cb_mpi)(C.calloc(1, C.sizeof_cb_mpi))}
	for i := range l.m.calls {
		name := C.GoString(C.cb_call_name(C.int(i)))
		address, err := lib.Symbol(name)
		if err != nil && C.cb_call_required(C.int(i)) != 0 {
			return nil, fmt.Errorf("MPI library: %w", err)
		}
		l.m.calls[i] = address
	}
	_, err = lib.Symbol(C.GoString(C.cb_handle_symbol(C.CB_COMM_WORLD)))
	l.openMPI = err == nil
	for i := range l.m.handles {
		if l.openMPI {
			l.m.handles[i], _ = lib.Symbol(C.GoString(C.cb_handle_symbol(C.int(i)))) // what it lacks stays 0
		} else {
			*(*C.uintptr_t)(unsafe.Pointer(&l.m.handles[i])) = C.cb_handle_number(C.int(i))
		}
	}
	return l, nil
}

// Name is the name under which the library was found.
func (l *Library) Name() string { return l.lib.Name() }

// OpenMPI says whether the library has Open MPI's ABI; else it has MPICH's.
func (l *Library) OpenMPI() bool { return l.openMPI }

// Rank is this process's rank in the world, after Init.
func (l *Library) Rank() int { return l.rank }

// Size is the number of ranks in the world, after Init.
func (l *Library) Size() int { return l.size }

// Init initialises MPI, unless that was done, for calls from this thread alone.
func (l *Library) Init() error {
	var rank, size, rc C.int
	if l.openMPI {
		rc = C.cb_openmpi_init(l.m, &rank, &size)
	} else {
		rc = C.cb_mpich_init(l.m, &rank, &size)
	}
	l.rank, l.size = int(rank), int(size)
	return l.check("MPI_Init_thread", rc)
}

// Finalize ends MPI, unless that was done; all ranks do it together. A launcher takes a process that ends without it for one that
// has failed.
func (l *Library) Finalize() error {
	if l.ended {
		return nil
	}
	l.ended = true
	if l.openMPI {
		return l.check("MPI_Finalize", C.cb_openmpi_finalize(l.m))
	}
	return l.check("MPI_Finalize", C.cb_mpich_finalize(l.m))
}

// Exit ends the process with the exit handlers of its C libraries.
func Exit(code int) { C.exit(C.int(code)) }

// Version is what the library says of itself: "Open MPI v4.1.4, …", in one line.
func (l *Library) Version() string {
	text := (*C.char)(C.calloc(C.CB_TEXT, 1))
	defer C.free(unsafe.Pointer(text))
	var length, rc C.int
	if l.openMPI {
		rc = C.cb_openmpi_version(l.m, text, &length)
	} else {
		rc = C.cb_mpich_version(l.m, text, &length)
	}
	if rc != 0 {
		return l.lib.Name()
	}
	return strings.Join(strings.Fields(C.GoString(text)), " ")
}

// check makes an error of what a call returned, in the library's words.
func (l *Library) check(call string, rc C.int) error {
	if rc == 0 {
		return nil
	}
	text := (*C.char)(C.calloc(C.CB_TEXT, 1))
	defer C.free(unsafe.Pointer(text))
	var length C.int
	if l.openMPI {
		C.cb_openmpi_error(l.m, rc, text, &length)
	} else {
		C.cb_mpich_error(l.m, rc, text, &length)
	}
	return fmt.Errorf("%s (%s): %s (%d)", call, l.lib.Name(), strings.Join(strings.Fields(C.GoString(text)), " "), int(rc))
}

// Barrier waits for all ranks.
func (l *Library) Barrier() error {
	if l.openMPI {
		return l.check("MPI_Barrier", C.cb_openmpi_barrier(l.m))
	}
	return l.check("MPI_Barrier", C.cb_mpich_barrier(l.m))
}

// Broadcast brings the root's bytes to all ranks, who give as many.
func (l *Library) Broadcast(b []byte, root int) error {
	bytes := C.CBytes(b)
	defer C.free(bytes)
	var rc C.int
	if l.openMPI {
		rc = C.cb_openmpi_broadcast(l.m, bytes, C.int(len(b)), C.int(root))
	} else {
		rc = C.cb_mpich_broadcast(l.m, bytes, C.int(len(b)), C.int(root))
	}
	copy(b, unsafe.Slice((*byte)(bytes), len(b)))
	return l.check("MPI_Bcast", rc)
}

var errNoType = errors.New("the MPI library was built without this data type")

// halves are 1, 2 and 3 in the types of 16 bits.
var halves = map[Type][3]uint16{Float16: {0x3c00, 0x4000, 0x4200}, BFloat16: {0x3f80, 0x4000, 0x4040}}

// Has says why the library cannot compute with the type; nil if it can. What MPI has had since version 2.2 is taken for
// granted; the types of 16 bits, which no version of it has, are tried out: 1 + 2 has to be 3.
func (l *Library) Has(t Type) error {
	try, short := halves[t]
	if !short {
		return nil
	}
	type pair struct{ one, two C.uint16_t }
	values := (*pair)(C.malloc(C.size_t(unsafe.Sizeof(pair{}))))
	defer C.free(unsafe.Pointer(values))
	*values = pair{C.uint16_t(try[0]), C.uint16_t(try[1])}
	kind := C.int(t) + C.CB_FLOAT
	var rc C.int
	switch {
	case l.m.handles[kind] == nil || t == BFloat16 && !l.openMPI && mpichMajor(l.Version()) < 5:
		return errNoType // even its name must not be asked for: MPICH before 5 ends the process
	case l.openMPI:
		rc = C.cb_openmpi_probe(l.m, kind, unsafe.Pointer(&values.one), unsafe.Pointer(&values.two))
	default:
		rc = C.cb_mpich_probe(l.m, kind, unsafe.Pointer(&values.one), unsafe.Pointer(&values.two))
	}
	if rc != 0 {
		return fmt.Errorf("%w: %w", errNoType, l.check("MPI_Reduce_local", rc))
	}
	if uint16(values.two) != try[2] {
		return errNoType
	}
	return nil
}

// Variable reads a control variable of the library (MPI_T): its value, and what it is called where that has a name. ok is false
// where the library has no such variable.
func (l *Library) Variable(name string) (value, meaning string, ok bool) {
	text, into := C.CString(name), (*C.char)(C.calloc(2, C.CB_TEXT))
	defer C.free(unsafe.Pointer(text))
	defer C.free(unsafe.Pointer(into))
	called := (*C.char)(unsafe.Add(unsafe.Pointer(into), C.CB_TEXT))
	var rc C.int
	if l.openMPI {
		rc = C.cb_openmpi_variable(l.m, text, into, called)
	} else {
		rc = C.cb_mpich_variable(l.m, text, into, called)
	}
	return C.GoString(into), C.GoString(called), rc == 0
}

// Set writes a control variable that is a number, and says whether there is one that can be written.
func (l *Library) Set(name string, value int) bool {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	if l.openMPI {
		return C.cb_openmpi_set(l.m, text, C.int(value)) == 0
	}
	return C.cb_mpich_set(l.m, text, C.int(value)) == 0
}

// Runner is a Job made ready.
type Runner struct {
	l   *Library
	job C.cb_job
	// the buffers, kept
	in, out []byte
	what    Kind
}

// Ready checks a job and makes it ready to run.
func (l *Library) Ready(j Job) (*Runner, error) {
	if j.Count < 0 || j.Count > math.MaxInt32 {
		return nil, fmt.Errorf("%d elements in one call: MPI counts in 32 bits", j.Count)
	}
	r := &Runner{l: l, in: j.In, out: j.Out, what: j.Kind}
	r.job = C.cb_job{
		kind: C.int(j.Kind), _type: C.int(j.Type) + C.CB_FLOAT, op: C.int(j.Reduction) + C.CB_SUM,
		in: (*C.char)(unsafe.Pointer(unsafe.SliceData(j.In))), out: (*C.char)(unsafe.Pointer(unsafe.SliceData(j.Out))),
		count: C.int(j.Count), block: C.long(j.Block), root: C.int(j.Root), rank: C.int(l.rank), ranks: C.int(l.size),
		peer: C.int(j.Peer), window: C.int(j.Window),
		requests: C.calloc(C.size_t(2*j.Window+1), C.size_t(unsafe.Sizeof(uintptr(0)))),
	}
	return r, nil
}

// Run waits for all ranks and then repeats the job: the seconds of all iterations together. It counts progress up, one an
// iteration.
func (r *Runner) Run(iterations int, progress *atomic.Int64) (seconds float64, err error) {
	var took C.double
	var rc C.int
	count := (*C.int64_t)(unsafe.Pointer(progress))
	if r.l.openMPI {
		rc = C.cb_openmpi_run(r.l.m, &r.job, C.long(iterations), count, &took)
	} else {
		rc = C.cb_mpich_run(r.l.m, &r.job, C.long(iterations), count, &took)
	}
	return float64(took), r.l.check(r.what.String(), rc)
}

// Close gives back what Ready took.
func (r *Runner) Close() {
	C.free(r.job.requests)
	r.job.requests = nil
}

// Memory gets zeroed memory from the C library, whose calls MPI libraries may watch, on pages of its own.
func Memory(bytes int) (b []byte, free func(), err error) {
	var p unsafe.Pointer
	if C.posix_memalign(&p, 4096, C.size_t(max(bytes, 1))) != 0 {
		return nil, nil, fmt.Errorf("%d bytes of memory: there are not so many", bytes)
	}
	b = unsafe.Slice((*byte)(p), bytes)
	clear(b)
	return b, func() { C.free(p) }, nil
}
