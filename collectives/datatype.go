package collectives

import (
	"fmt"
	"slices"
	"strings"
)

// DataType is the type of one element.
type DataType uint8

// The data types. Float16 is IEEE 754 binary16; BFloat16 is the upper half of a Float32. The two of 8 bits are those of "FP8
// formats for deep learning" (Micikevicius et al., 2022): E4M3 has no infinities, E5M2 is the upper half of a Float16.
const (
	Float32 DataType = iota
	Float64
	Float16
	BFloat16
	Int8
	Uint8
	Int32
	Int64
	Uint32
	Uint64
	Float8E4M3
	Float8E5M2
)

// DataTypes lists every data type in the order in which they are shown.
var DataTypes = []DataType{Float32, Float64, Float16, BFloat16, Float8E4M3, Float8E5M2, Int8, Uint8, Int32, Uint32, Int64, Uint64}

var (
	dataTypeNames = [...]string{
		Float32: "float32", Float64: "float64", Float16: "float16", BFloat16: "bfloat16", Float8E4M3: "float8e4m3", Float8E5M2: "float8e5m2",
		Int8: "int8", Uint8: "uint8", Int32: "int32", Uint32: "uint32", Int64: "int64", Uint64: "uint64",
	}
	dataTypeSizes = [...]int{
		Float32: 4, Float64: 8, Float16: 2, BFloat16: 2, Float8E4M3: 1, Float8E5M2: 1, Int8: 1, Uint8: 1, Int32: 4, Uint32: 4, Int64: 8, Uint64: 8,
	}
)

// String returns the type's name, such as "float32".
func (d DataType) String() string {
	if int(d) < len(dataTypeNames) {
		return dataTypeNames[d]
	}
	return fmt.Sprintf("datatype(%d)", uint8(d))
}

// Size is the length of one element in bytes.
func (d DataType) Size() int { return dataTypeSizes[d] }

// Floating says whether the type is a floating-point type.
func (d DataType) Floating() bool { return d <= BFloat16 || d >= Float8E4M3 }

// ParseDataType finds a data type by its name.
func ParseDataType(name string) (DataType, error) {
	i := slices.Index(dataTypeNames[:], name)
	if i < 0 {
		return 0, fmt.Errorf("unknown data type %q: want one of %s", name, strings.Join(dataTypeNames[:], ", "))
	}
	return DataType(i), nil
}

// MarshalText writes the name.
func (d DataType) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the name.
func (d *DataType) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDataType(string(b))
	return err
}
