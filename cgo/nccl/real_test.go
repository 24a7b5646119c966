package nccl

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"collbench/internal/abi/abitest"
)

var tryDownloaded = flag.Bool("real", false, "try the libraries that make abi has downloaded")

// tryReal is what a user sees of a library on this machine.
func tryReal(t *testing.T) {
	if err := Open(); err != nil {
		t.Fatal(err)
	}
	version, err := LibraryVersion()
	if err != nil {
		t.Fatal(err)
	}
	id, err := NewUniqueID()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err = Join(ctx, id, 1, 0, Config{})
	fmt.Println(">", version, id == UniqueID{})
	fmt.Println(">", err)
}

// TestRealLibrary asks NVIDIA's own libraries for their version and sees how they refuse a machine without a GPU.
func TestRealLibrary(t *testing.T) {
	if !*tryDownloaded {
		t.Skip("only with -real, in make abi")
	}
	found := abitest.Downloaded(t, "nccl-*/lib/libnccl.so.2")
	if len(found) < 2 {
		t.Fatalf("libraries %v in build/abi: want the oldest and the newest", found)
	}
	for _, version := range slices.Sorted(maps.Keys(found)) {
		said, _ := carryOut(t, "real", found[version], "NCCL_SOCKET_IFNAME=lo")
		t.Logf("%s: %s", filepath.Dir(found[version]), said)
		if !strings.HasPrefix(said, version+" false\n") {
			t.Errorf("want version %s", version)
		}
		if strings.Contains(said, "<nil>") {
			t.Skip("this machine has a GPU")
		}
		if !strings.Contains(said, "CUDA driver version is insufficient") {
			t.Errorf("no clean refusal of a machine without a driver")
		}
	}
}
