package formats

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"collbench/collectives"
)

// figure is a printed decimal number: the true value lies within half a unit of the last digit.
type figure struct{ value, half float64 }

var decimal = regexp.MustCompile(`^[+-]?\d+(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$`)

// parseFigure reads a finite decimal number; "N/A", "nan" and "inf" are none.
func parseFigure(text string) (figure, bool) {
	m := decimal.FindStringSubmatch(text)
	if m == nil {
		return figure{}, false
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) {
		return figure{}, false
	}
	exponent := 0
	if m[2] != "" {
		exponent, _ = strconv.Atoi(m[2])
	}
	return figure{v, 0.5 * math.Pow(10, float64(exponent-len(m[1])))}, true
}

// scaled reads a number and multiplies it; nil where there is none. A time or a rate below 0 is none either. With a
// power of ten the result is the float64 nearest to the printed decimal: 134.30 GB/s is 134.3e9.
func scaled(text string, factor float64) *float64 {
	f, ok := parseFigure(text)
	v := f.value * factor
	if exponent := math.Round(math.Log10(factor)); ok && math.Pow(10, exponent) == factor {
		mantissa, own, _ := strings.Cut(strings.ToLower(text), "e")
		e, _ := strconv.Atoi(own)
		v, _ = strconv.ParseFloat(mantissa+"e"+strconv.Itoa(e+int(exponent)), 64)
	}
	if ok && v >= 0 && !math.IsInf(v, 0) {
		return &v
	}
	return nil
}

// whole reads a whole number of 0 or more; nil where there is none.
func whole(text string) *int64 {
	if v, err := strconv.ParseInt(text, 10, 64); err == nil && v >= 0 {
		return &v
	}
	f, ok := parseFigure(text) // "1e+06", as %g prints
	if ok && f.value >= 0 && f.value < 1<<53 && f.value == math.Trunc(f.value) {
		return pointer(int64(f.value))
	}
	return nil
}

// absent says whether a column was left out on purpose.
func absent(text string) bool {
	switch strings.ToLower(text) {
	case "n/a", "na", "-", "nan", "-nan", "inf", "none":
		return true
	}
	return false
}

// dataTypes are the names that other tools have for our data types.
var dataTypes = map[string]collectives.DataType{
	"float": collectives.Float32, "float32": collectives.Float32, "fp32": collectives.Float32, "mpi_float": collectives.Float32,
	"double": collectives.Float64, "float64": collectives.Float64, "fp64": collectives.Float64, "mpi_double": collectives.Float64,
	"half": collectives.Float16, "float16": collectives.Float16, "fp16": collectives.Float16,
	"bfloat16": collectives.BFloat16, "bf16": collectives.BFloat16,
	"int8": collectives.Int8, "char": collectives.Int8, "mpi_char": collectives.Int8,
	"uint8": collectives.Uint8,
	"int32": collectives.Int32, "int": collectives.Int32, "mpi_int": collectives.Int32,
	"int64": collectives.Int64, "long": collectives.Int64, "longlong": collectives.Int64,
	"uint32": collectives.Uint32, "uint": collectives.Uint32,
	"uint64": collectives.Uint64, "ulonglong": collectives.Uint64,
	"float8e4m3": collectives.Float8E4M3, "f8e4m3": collectives.Float8E4M3, "fp8_e4m3": collectives.Float8E4M3,
	"float8e5m2": collectives.Float8E5M2, "f8e5m2": collectives.Float8E5M2, "fp8_e5m2": collectives.Float8E5M2,
}

// foreignSizes are types that we lack: name and bytes of one element.
var foreignSizes = map[string]int{"32-bit": 4, "64-bit": 8, "float8": 1, "bfloat8": 1}

// dataType is our name of a type where there is one, else the tool's, and the bytes of one element, 0 if unknown.
func dataType(name string) (string, int) {
	low := strings.ToLower(strings.TrimSuffix(name, "."))
	if d, ok := dataTypes[low]; ok {
		return d.String(), d.Size()
	}
	return low, foreignSizes[low]
}

// collectiveWords maps the letters of a collective's name in any tool to the collective.
var collectiveWords = map[string]collectives.Collective{
	"allreduce": collectives.AllReduce, "reduceall": collectives.AllReduce,
	"allgather": collectives.AllGather, "fcollect": collectives.AllGather,
	"reducescatter": collectives.ReduceScatter, "reducescatterblock": collectives.ReduceScatter,
	"broadcast": collectives.Broadcast, "bcast": collectives.Broadcast,
	"reduce": collectives.Reduce, "alltoall": collectives.AllToAll,
	"gather": collectives.Gather, "scatter": collectives.Scatter, "sendrecv": collectives.SendRecv,
}

// collectiveNamed finds the collective by a name in whatever spelling: "all_reduce", "Allreduce", "All-Reduce";
// "" where it is none that we know (a "v" variant moves unequal blocks and is another operation).
func collectiveNamed(name string) string {
	letters := strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(name))
	if c, ok := collectiveWords[letters]; ok {
		return c.String()
	}
	return ""
}

// excerpt is what a message quotes of a line.
func excerpt(text string) string { return shorten(oneSpace(text[:min(len(text), 1000)]), 120) }

// shorten cuts a text after so many characters.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	if runes := []rune(text[:min(len(text), 4*most)]); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// oneSpace makes of every run of white space one space.
func oneSpace(text string) string { return strings.Join(strings.Fields(text), " ") }
