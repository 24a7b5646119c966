// Package kernels holds the programs that run on a GPU, compiled and embedded: fill a rank's input, verify an output,
// reduce two buffers, copy one. It chooses the image for a device and does nothing else; cgo/cuda loads and launches.
//
// Every kernel takes one struct, declared in kernels.h together with what it does; params.go has the same for Go. The data are those of
// collectives/host.Payload, bit for bit: a value is looked up in a table of 1009 elements, which the host makes exact
// in every order of reduction, for one data type, reduction and number of ranks. So filling and verifying cost the
// same for 2 and for 5000 ranks, need no second buffer, and know no reduction and no collective: which part of a
// buffer holds whose data is a list of segments (collectives.Contract).
//
// The same sources run on the host: host.cpp, with host_cuda.h in the place of CUDA, goes into the stand-in libcuda
// and into the tests, never into the binary. `make kernels` compiles for devices into bin/.
//
// What has run is the host's build. No image has been loaded by a driver or run on a device yet: what is known of them
// is that the compiler made them, and which kernels with which parameters they hold.
package kernels

import (
	"embed"
	"fmt"
)

//go:embed bin
var bin embed.FS

// Names are the kernels of every image, in the order of kernels.h.
var Names = []string{"cb_fill", "cb_verify", "cb_reduce", "cb_copy"}

// cubins are the architectures that there is machine code for, as compute capabilities. A device runs code of its own
// major version and of an equal or lesser minor one (CUDA C++ Programming Guide, "Binary Compatibility").
var cubins = [][2]int{{10, 0}, {9, 0}, {8, 0}, {7, 0}}

// Image returns what to give to cuModuleLoadData for a device of that compute capability, and its name: a cubin, or
// PTX, which the driver compiles, where there is none. PTX needs a driver of CUDA 12.9 or newer. Below 7.0 there is
// neither.
func Image(major, minor int) (image []byte, name string, err error) {
	if major < 7 {
		return nil, "", fmt.Errorf("compute capability %d.%d: the kernels need 7.0 (Volta) or newer", major, minor)
	}
	name = "compute_70.ptx"
	for _, c := range cubins {
		if c[0] == major && c[1] <= minor {
			name = fmt.Sprintf("sm_%d%d.cubin", c[0], c[1])
			break
		}
	}
	image, err = bin.ReadFile("bin/" + name)
	if err != nil {
		return nil, "", err
	}
	if name == "compute_70.ptx" {
		image = append(image, 0) // the driver reads a string of C
	}
	return image, name, nil
}
