//go:build !cgo

package nvml

import (
	"fmt"

	"collbench/cgo/dl"
)

// Library is the library when it is open; without cgo it never is.
type Library struct{}

// Open fails: see dl.ErrNoCgo.
func Open() (*Library, error) { return nil, fmt.Errorf("%w: %w", ErrUnavailable, dl.ErrNoCgo) }

// Close has nothing to do.
func (l *Library) Close() error { return nil }

// Driver fails: see dl.ErrNoCgo.
func (l *Library) Driver() (Driver, error) { return Driver{}, dl.ErrNoCgo }

// Device is a device of this host; without cgo there is none.
type Device struct{}

// Device fails: see dl.ErrNoCgo.
func (l *Library) Device(string) (Device, error) { return Device{}, dl.ErrNoCgo }

// Devices fails: see dl.ErrNoCgo.
func (l *Library) Devices() ([]Device, error) { return nil, dl.ErrNoCgo }

// Identity fails: see dl.ErrNoCgo.
func (d Device) Identity() (Identity, error) { return Identity{}, dl.ErrNoCgo }

// Peer fails: see dl.ErrNoCgo.
func (d Device) Peer(Device) (Peer, error) { return Peer{}, dl.ErrNoCgo }

// Links fails: see dl.ErrNoCgo.
func (d Device) Links() ([]Link, error) { return nil, dl.ErrNoCgo }

// LinkBytes fails: see dl.ErrNoCgo.
func (d Device) LinkBytes() (LinkBytes, bool, error) { return LinkBytes{}, false, dl.ErrNoCgo }

// Fabric fails: see dl.ErrNoCgo.
func (d Device) Fabric() (*Fabric, error) { return nil, dl.ErrNoCgo }

// Clocks fails: see dl.ErrNoCgo.
func (d Device) Clocks() (Clocks, error) { return Clocks{}, dl.ErrNoCgo }
