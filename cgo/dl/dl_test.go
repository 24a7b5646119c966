package dl

import (
	"errors"
	"strings"
	"testing"
	"unsafe"
)

func TestLibrary(t *testing.T) {
	lib, err := Open("libnothing-of-the-kind.so.1", "libc.so.6")
	if errors.Is(err, ErrNoCgo) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if lib.Name() != "libc.so.6" {
		t.Error(lib.Name())
	}
	if address, err := lib.Symbol("getpid"); err != nil || address == nil {
		t.Error(err)
	}
	if _, err := lib.Symbol("no_such_symbol"); err == nil || !strings.Contains(err.Error(), "no_such_symbol") {
		t.Error(err)
	}
	if err := lib.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenSaysWhatTheLoaderSays(t *testing.T) {
	_, err := Open("liba-that-is-not.so", "libb-that-is-not.so")
	if errors.Is(err, ErrNoCgo) {
		t.Skip(err)
	}
	if err == nil || !strings.Contains(err.Error(), "liba-that-is-not.so: cannot open shared object file") || !strings.Contains(err.Error(), "libb-") {
		t.Error(err)
	}
}

func TestFillIsAllOrNothing(t *testing.T) {
	lib, err := Open("libc.so.6")
	if errors.Is(err, ErrNoCgo) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var a, b unsafe.Pointer
	if err := lib.Fill([]Slot{{"getpid", &a, false}, {"no_such_symbol", &b, true}}); err != nil || a == nil || b != nil {
		t.Error(a, b, err)
	}
	err = lib.Fill([]Slot{{"getpid", &a, false}, {"no_such_symbol", &b, false}})
	if err == nil || err.Error() != "libc.so.6 has no no_such_symbol" || a != nil {
		t.Error(a, err)
	}
}
