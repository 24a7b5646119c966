package dl

import (
	"errors"
	"strings"
	"testing"
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
