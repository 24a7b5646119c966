//go:build !cgo

package dl

import "unsafe"

// Library is a library that is open; without cgo there is none.
type Library struct{}

// Open fails: see ErrNoCgo.
func Open(...string) (*Library, error) { return nil, ErrNoCgo }

// OpenGlobal fails: see ErrNoCgo.
func OpenGlobal(...string) (*Library, error) { return nil, ErrNoCgo }

// Name is the name under which the library was found.
func (l *Library) Name() string { return "" }

// Symbol fails: see ErrNoCgo.
func (l *Library) Symbol(string) (unsafe.Pointer, error) { return nil, ErrNoCgo }

// Close has nothing to do.
func (l *Library) Close() error { return nil }
