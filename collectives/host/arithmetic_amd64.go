package host

import (
	"golang.org/x/sys/cpu"

	"collbench/collectives"
)

// wide computes out = a op b over n bytes, n a multiple of wideBytes; in arithmetic_amd64.s.
type wide func(out, a, b *byte, n int)

const wideBytes = 32

//go:noescape
func sumFloat32(out, a, b *byte, n int)

//go:noescape
func sumFloat64(out, a, b *byte, n int)

//go:noescape
func prodFloat32(out, a, b *byte, n int)

//go:noescape
func prodFloat64(out, a, b *byte, n int)

//go:noescape
func minFloat32(out, a, b *byte, n int)

//go:noescape
func maxFloat32(out, a, b *byte, n int)

//go:noescape
func minFloat64(out, a, b *byte, n int)

//go:noescape
func maxFloat64(out, a, b *byte, n int)

//go:noescape
func sumInt8(out, a, b *byte, n int)

//go:noescape
func minInt8(out, a, b *byte, n int)

//go:noescape
func maxInt8(out, a, b *byte, n int)

//go:noescape
func minUint8(out, a, b *byte, n int)

//go:noescape
func maxUint8(out, a, b *byte, n int)

//go:noescape
func sumInt32(out, a, b *byte, n int)

//go:noescape
func prodInt32(out, a, b *byte, n int)

//go:noescape
func minInt32(out, a, b *byte, n int)

//go:noescape
func maxInt32(out, a, b *byte, n int)

//go:noescape
func minUint32(out, a, b *byte, n int)

//go:noescape
func maxUint32(out, a, b *byte, n int)

//go:noescape
func sumInt64(out, a, b *byte, n int)

//go:noescape
func sumFloat16(out, a, b *byte, n int)

//go:noescape
func prodFloat16(out, a, b *byte, n int)

//go:noescape
func minFloat16(out, a, b *byte, n int)

//go:noescape
func maxFloat16(out, a, b *byte, n int)

//go:noescape
func sumBFloat16(out, a, b *byte, n int)

//go:noescape
func prodBFloat16(out, a, b *byte, n int)

//go:noescape
func minBFloat16(out, a, b *byte, n int)

//go:noescape
func maxBFloat16(out, a, b *byte, n int)

// wideFor is the vectorised form of a reduction, or nil where there is none or this CPU lacks what it needs: AVX2
// has no product of 8- and 64-bit integers and no minimum of 64-bit ones, and no conversions of 8-bit floating-point numbers.
func wideFor(d collectives.DataType, r collectives.Reduction) wide {
	if !cpu.X86.HasAVX2 || d == collectives.Float16 && !cpu.X86.HasF16C {
		return nil
	}
	type reductions [4]wide // in the order of sum, min, max, prod
	return map[collectives.DataType]reductions{
		collectives.Float32:  {sumFloat32, minFloat32, maxFloat32, prodFloat32},
		collectives.Float64:  {sumFloat64, minFloat64, maxFloat64, prodFloat64},
		collectives.Float16:  {sumFloat16, minFloat16, maxFloat16, prodFloat16},
		collectives.BFloat16: {sumBFloat16, minBFloat16, maxBFloat16, prodBFloat16},
		collectives.Int8:     {sumInt8, minInt8, maxInt8, nil},
		collectives.Uint8:    {sumInt8, minUint8, maxUint8, nil},
		collectives.Int32:    {sumInt32, minInt32, maxInt32, prodInt32},
		collectives.Int64:    {sumInt64, nil, nil, nil},
		collectives.Uint32:   {sumInt32, minUint32, maxUint32, prodInt32},
		collectives.Uint64:   {sumInt64, nil, nil, nil},
	}[d][r]
}
