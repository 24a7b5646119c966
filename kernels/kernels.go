// Package kernels holds the programs that run on a GPU, compiled and embedded: fill a rank's input, verify an output,
// reduce two buffers, copy one. It chooses the image for a device and does nothing else; cgo/cuda loads and launches.
//
// Every kernel takes one struct, declared in kernels.h together with what it does. The data are those of
// collectives/host.Payload, bit for bit: a value is looked up in a table of 1009 elements, which the host makes exact
// in every order of reduction, for one data type, reduction and number of ranks. So filling and verifying cost the
// same for 2 and for 5000 ranks, need no second buffer, and know no reduction and no collective: which part of a
// buffer holds whose data is a list of segments (collectives.Contract).
//
// The same sources run on the host: host.cpp, with host_cuda.h in the place of CUDA, goes into the stand-in libcuda
// and into the tests, never into the binary. `make kernels` compiles for devices into bin/.
package kernels
