//go:build cgo

package dl

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"
)

// Library is a library that is open.
type Library struct {
	name   string
	handle unsafe.Pointer
}

// Open opens the first of the libraries that can be opened; names are searched for as the loader does, paths are
// not. The error has the loader's message for each.
func Open(names ...string) (*Library, error) { return open(C.RTLD_NOW|C.RTLD_LOCAL, names) }

// OpenGlobal is Open for a library whose plugins look for its symbols in the whole process, as Open MPI's may.
func OpenGlobal(names ...string) (*Library, error) { return open(C.RTLD_NOW|C.RTLD_GLOBAL, names) }

func open(flags C.int, names []string) (*Library, error) {
	runtime.LockOSThread() // dlerror speaks of the thread's last call
	defer runtime.UnlockOSThread()
	var said []string
	for _, name := range names {
		text := C.CString(name)
		handle := C.dlopen(text, flags)
		C.free(unsafe.Pointer(text))
		if handle != nil {
			return &Library{name, handle}, nil
		}
		said = append(said, lastError())
	}
	return nil, errors.New(strings.Join(said, "; "))
}

// Name is the name under which the library was found.
func (l *Library) Name() string { return l.name }

// Symbol is the address of a function or a variable of the library.
func (l *Library) Symbol(name string) (unsafe.Pointer, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	C.dlerror()
	address := C.dlsym(l.handle, text)
	if address == nil {
		return nil, fmt.Errorf("%s: %s", l.name, lastError())
	}
	return address, nil
}

// Close lets go of the library; none of its symbols may be used after that.
func (l *Library) Close() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if C.dlclose(l.handle) != 0 {
		return fmt.Errorf("%s: %s", l.name, lastError())
	}
	return nil
}

func lastError() string {
	if text := C.dlerror(); text != nil {
		return C.GoString(text)
	}
	return "the loader gave no reason"
}
