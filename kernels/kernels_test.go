package kernels

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unsafe"
)

// paramsBytes is the size of each kernel's parameter.
var paramsBytes = map[string]int{
	"cb_fill": int(unsafe.Sizeof(FillParams{})), "cb_verify": int(unsafe.Sizeof(VerifyParams{})),
	"cb_reduce": int(unsafe.Sizeof(reduceParams{})), "cb_copy": int(unsafe.Sizeof(copyParams{})),
}

func TestImage(t *testing.T) {
	for _, c := range []struct {
		major, minor int
		name         string
	}{
		{7, 0, "sm_70.cubin"}, {7, 5, "sm_70.cubin"}, {8, 0, "sm_80.cubin"}, {8, 6, "sm_80.cubin"}, {8, 9, "sm_80.cubin"},
		{9, 0, "sm_90.cubin"}, {10, 0, "sm_100.cubin"}, {10, 3, "sm_100.cubin"}, {11, 0, "compute_70.ptx"}, {12, 0, "compute_70.ptx"},
	} {
		image, name, err := Image(c.major, c.minor)
		if err != nil || name != c.name || len(image) < 1000 {
			t.Errorf("%d.%d: %d bytes of %q, %v; want %s", c.major, c.minor, len(image), name, err, c.name)
		}
		if strings.HasSuffix(name, ".ptx") != (bytes.IndexByte(image, 0) == len(image)-1) {
			t.Errorf("%s: PTX ends with its only zero, a cubin has many", name)
		}
	}
	if _, _, err := Image(6, 1); err == nil || !strings.Contains(err.Error(), "6.1") {
		t.Errorf("6.1: %v", err)
	}
}

// TestImagesAreOfTheseSources compares the sources with those that the images were made from.
func TestImagesAreOfTheseSources(t *testing.T) {
	recorded, err := bin.ReadFile("bin/sources.sha256")
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(recorded)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[name] = sum
	}
	names := []string{"kernels.h", "../scripts/nvrtc.py"}
	for _, pattern := range []string{"*.cu", "*.cuh"} {
		found, _ := filepath.Glob(pattern)
		names = append(names, found...)
	}
	for _, name := range names {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(source)
		if hex.EncodeToString(sum[:]) != sums[name] {
			t.Errorf("%s has changed since the images were compiled: make kernels", name)
		}
		delete(sums, name)
	}
	for name := range sums {
		t.Errorf("%s is gone since the images were compiled: make kernels", name)
	}
}

// TestCubins looks into the machine code: its architecture, and each kernel's one parameter.
func TestCubins(t *testing.T) {
	for _, c := range cubins {
		name := fmt.Sprintf("sm_%d%d.cubin", c[0], c[1])
		image, _, err := Image(c[0], c[1])
		if err != nil {
			t.Fatal(err)
		}
		// NVIDIA's tools leave a number of their own in the version, which debug/elf wants to be 1.
		plain := bytes.Clone(image)
		binary.LittleEndian.PutUint32(plain[20:], 1)
		file, err := elf.NewFile(bytes.NewReader(plain))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if file.Machine != 190 { // EM_CUDA
			t.Errorf("%s is for machine %v", name, file.Machine)
		}
		// The architecture is in the ELF header's flags: in the lowest byte up to version 7 of the ABI, in the next
		// one in version 8, which NVRTC 12.9 writes for sm_100 alone.
		flags := binary.LittleEndian.Uint32(image[48:])
		if file.ABIVersion >= 8 {
			flags >>= 8
		}
		if got, want := int(flags&0xff), c[0]*10+c[1]; got != want {
			t.Errorf("%s is for sm_%d", name, got)
		}
		found := map[string]int{}
		for _, s := range file.Sections {
			if kernel, ok := strings.CutPrefix(s.Name, ".nv.info."); ok {
				data, err := s.Data()
				if err != nil {
					t.Fatal(err)
				}
				found[kernel] = parameterBytes(t, name+" "+kernel, data)
			}
		}
		for _, kernel := range Names {
			if found[kernel] != paramsBytes[kernel] {
				t.Errorf("%s: %s takes %d bytes, want %d", name, kernel, found[kernel], paramsBytes[kernel])
			}
		}
		if len(found) != len(Names) {
			t.Errorf("%s: kernels %v, want %v", name, found, Names)
		}
	}
}

// parameterBytes reads the attributes of a kernel: a format byte, an attribute byte, and two bytes that are the value
// or, in format 4, the length of the value that follows. 0x17 describes one parameter (index, ordinal and offset,
// size << 18), 0x19 is the size of them all.
func parameterBytes(t *testing.T, name string, info []byte) (all int) {
	parameters := 0
	for len(info) >= 4 {
		value, next := int(binary.LittleEndian.Uint16(info[2:])), 4
		if info[0] == 4 {
			next += value
		}
		switch info[1] {
		case 0x17:
			parameters++
		case 0x19:
			all = value
		}
		info = info[next:]
	}
	if parameters != 1 || len(info) != 0 {
		t.Errorf("%s: %d parameters, want 1; %d bytes left", name, parameters, len(info))
	}
	return all
}

func TestPTX(t *testing.T) {
	text, err := bin.ReadFile("bin/compute_70.ptx")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{".version 8.8\n", ".target sm_70\n", ".address_size 64\n"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("no %q", want)
		}
	}
	entries := regexp.MustCompile(`\.visible \.entry (\w+)\(\s*\.param \.align 8 \.b8 \w+\[(\d+)\]\s*\)`).FindAllSubmatch(text, -1)
	for _, e := range entries {
		if want := fmt.Sprint(paramsBytes[string(e[1])]); string(e[2]) != want {
			t.Errorf("%s takes %s bytes, want %s", e[1], e[2], want)
		}
	}
	if len(entries) != len(Names) {
		t.Errorf("%d kernels with one parameter, want %d", len(entries), len(Names))
	}
}
