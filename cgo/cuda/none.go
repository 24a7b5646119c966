//go:build !cgo

package cuda

import (
	"fmt"
	"unsafe"

	"collbench/cgo/dl"
)

// Init fails: see dl.ErrNoCgo.
func Init() error { return fmt.Errorf("%w: %w", ErrUnavailable, dl.ErrNoCgo) }

// StandIn says no.
func StandIn() bool { return false }

// Table is nil: without cgo there are no functions of a driver.
func Table() unsafe.Pointer { return nil }

// Check is the error for a CUresult; without cgo nothing brings one.
func Check(call string, result int) error {
	return &Error{Call: call, Code: result, Text: Init().Error()}
}

// DriverVersion fails: see dl.ErrNoCgo.
func DriverVersion() (int, error) { return 0, Init() }

// Devices fails: see dl.ErrNoCgo.
func Devices() (int, error) { return 0, Init() }

// Properties fails: see dl.ErrNoCgo.
func (d Device) Properties() (Properties, error) { return Properties{}, Init() }

// Reaches fails: see dl.ErrNoCgo.
func (d Device) Reaches(Device) (bool, error) { return false, Init() }

// Context is the primary context of a device; without cgo there is none.
type Context struct{}

// Retain fails: see dl.ErrNoCgo.
func (d Device) Retain() (*Context, error) { return nil, Init() }

// Use fails: see dl.ErrNoCgo.
func (c *Context) Use() error { return Init() }

// Synchronize fails: see dl.ErrNoCgo.
func (c *Context) Synchronize() error { return Init() }

// Reach fails: see dl.ErrNoCgo.
func (c *Context) Reach(*Context) error { return Init() }

// Close has nothing to do.
func (c *Context) Close() error { return nil }

// Stream is a queue of work of a device; without cgo there is none.
type Stream struct{}

// NewStream fails: see dl.ErrNoCgo.
func NewStream() (Stream, error) { return Stream{}, Init() }

// Handle is nil.
func (s Stream) Handle() unsafe.Pointer { return nil }

// Synchronize fails: see dl.ErrNoCgo.
func (s Stream) Synchronize() error { return Init() }

// Done fails: see dl.ErrNoCgo.
func (s Stream) Done() (bool, error) { return false, Init() }

// Wait fails: see dl.ErrNoCgo.
func (s Stream) Wait(Event) error { return Init() }

// Alloc fails: see dl.ErrNoCgo.
func (s Stream) Alloc(uint64) (Pointer, error) { return 0, Init() }

// Free fails: see dl.ErrNoCgo.
func (s Stream) Free(Pointer) error { return Init() }

// Copy fails: see dl.ErrNoCgo.
func (s Stream) Copy(_, _ Pointer, _ uint64) error { return Init() }

// Set fails: see dl.ErrNoCgo.
func (s Stream) Set(Pointer, byte, uint64) error { return Init() }

// Capture fails: see dl.ErrNoCgo.
func (s Stream) Capture(func() error) (Graph, error) { return Graph{}, Init() }

// Close has nothing to do.
func (s Stream) Close() error { return nil }

// Event is a point in a stream; without cgo there is none.
type Event struct{}

// NewEvent fails: see dl.ErrNoCgo.
func NewEvent(bool) (Event, error) { return Event{}, Init() }

// Handle is nil.
func (e Event) Handle() unsafe.Pointer { return nil }

// Record fails: see dl.ErrNoCgo.
func (e Event) Record(Stream) error { return Init() }

// Synchronize fails: see dl.ErrNoCgo.
func (e Event) Synchronize() error { return Init() }

// Done fails: see dl.ErrNoCgo.
func (e Event) Done() (bool, error) { return false, Init() }

// Since fails: see dl.ErrNoCgo.
func (e Event) Since(Event) (float64, error) { return 0, Init() }

// Close has nothing to do.
func (e Event) Close() error { return nil }

// Graph is work that was captured; without cgo there is none.
type Graph struct{}

// Handle is nil.
func (g Graph) Handle() unsafe.Pointer { return nil }

// Launch fails: see dl.ErrNoCgo.
func (g Graph) Launch(Stream) error { return Init() }

// Close has nothing to do.
func (g Graph) Close() error { return nil }

// Free fails: see dl.ErrNoCgo.
func Free() (free, total uint64, err error) { return 0, 0, Init() }

// Alloc fails: see dl.ErrNoCgo.
func Alloc(uint64) (Pointer, error) { return 0, Init() }

// Free fails: see dl.ErrNoCgo.
func (p Pointer) Free() error { return Init() }

// Upload fails: see dl.ErrNoCgo.
func Upload(Pointer, []byte) error { return Init() }

// Download fails: see dl.ErrNoCgo.
func Download([]byte, Pointer) error { return Init() }

// AllocHost fails: see dl.ErrNoCgo.
func AllocHost(int) (Host, error) { return Host{}, Init() }

// Free has nothing to do.
func (h Host) Free() error { return nil }

// Register fails: see dl.ErrNoCgo.
func Register([]byte) (Host, error) { return Host{}, Init() }

// Unregister has nothing to do.
func (h Host) Unregister() error { return nil }

// Share fails: see dl.ErrNoCgo.
func (p Pointer) Share() (IPC, error) { return IPC{}, Init() }

// Open fails: see dl.ErrNoCgo.
func (h IPC) Open() (Pointer, error) { return 0, Init() }

// CloseShared has nothing to do.
func (p Pointer) CloseShared() error { return nil }

// Module is code on the device; without cgo there is none.
type Module struct{}

// Function is a kernel of a module; without cgo there is none.
type Function struct{}

// Launch is a prepared launch; without cgo there is none.
type Launch struct{}

// Load fails: see dl.ErrNoCgo.
func Load([]byte) (Module, error) { return Module{}, Init() }

// Function fails: see dl.ErrNoCgo.
func (m Module) Function(string) (Function, error) { return Function{}, Init() }

// Close has nothing to do.
func (m Module) Close() error { return nil }

// Registers fails: see dl.ErrNoCgo.
func (f Function) Registers() (int, error) { return 0, Init() }

// Blocks fails: see dl.ErrNoCgo.
func (f Function) Blocks(int) (int, error) { return 0, Init() }

// Prepare returns a launch that cannot run.
func (f Function) Prepare(Stream, int, int, int) Launch { return Launch{} }

// Handle is nil.
func (l Launch) Handle() unsafe.Pointer { return nil }

// Parameter is empty.
func (l Launch) Parameter() []byte { return nil }

// Run fails: see dl.ErrNoCgo.
func (l Launch) Run() error { return Init() }

// Close has nothing to do.
func (l Launch) Close() {}
