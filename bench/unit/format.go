package unit

import (
	"fmt"
	"math"
	"strconv"
)

// Bytes writes a number of bytes: with the largest binary unit in which it is whole ("8 MiB", "1536 B"), else the
// digits ("1000003 B"). ParseBytes reads it back to the same number.
func Bytes(n int64) string {
	for _, u := range []suffix{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if f := int64(u.factor); n != 0 && n%f == 0 {
			return fmt.Sprintf("%d %s", n/f, u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// BytesAbout writes a number of bytes, whole or not, to about three digits with binary units: "7.81 MiB". It is for
// averages and axes.
func BytesAbout(n float64) string {
	return scaled(n, []suffix{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}})
}

// Bandwidth writes bytes per second: "412.3 GB/s". 1 GB/s is 1e9 bytes per second, as in nccl-tests.
func Bandwidth(bytesPerSecond float64) string {
	for _, u := range []suffix{{"TB/s", 1e12}, {"GB/s", 1e9}, {"MB/s", 1e6}, {"kB/s", 1e3}} {
		if math.Abs(bytesPerSecond) >= u.factor*0.99995 {
			return withDecimals(bytesPerSecond/u.factor, 1, 2) + " " + u.name
		}
	}
	return withDecimals(bytesPerSecond, 1, 2) + " B/s"
}

// BitRate writes bytes per second as a link's rate in bits: "100 Mbit/s".
func BitRate(bytesPerSecond float64) string {
	return scaled(bytesPerSecond*8, []suffix{{"Tbit/s", 1e12}, {"Gbit/s", 1e9}, {"Mbit/s", 1e6}, {"kbit/s", 1e3}, {"bit/s", 1}})
}

// Seconds writes a time to about three digits: "13.2 µs", "1.5 ms", "620 ns".
func Seconds(s float64) string {
	return scaled(s, []suffix{{"s", 1}, {"ms", 1e-3}, {"µs", 1e-6}, {"ns", 1e-9}})
}

// Percent writes a fraction as a percentage to about three digits: 0.0153 is "1.53 %".
func Percent(fraction float64) string { return significant(fraction*100) + " %" }

// scaled writes v in the first unit in which it is at least 1, else in the last.
func scaled(v float64, units []suffix) string {
	for _, u := range units {
		// What would round up to 1 in a unit belongs to it: 0.9996 ms is "1 ms", never "1000 µs".
		if math.Abs(v) >= u.factor*0.9995 {
			return significant(v/u.factor) + " " + u.name
		}
	}
	u := units[len(units)-1]
	return significant(v/u.factor) + " " + u.name
}

// significant writes three significant digits, all digits before the point, no zeros at the end.
func significant(v float64) string {
	a := math.Abs(v)
	switch {
	case a >= 99.95 || a == 0:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 9.995:
		return trimmed(v, 1)
	case a >= 0.9995:
		return trimmed(v, 2)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func trimmed(v float64, decimals int) string {
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	return text
}

// withDecimals writes v with large decimals from 10 up and small ones below: columns of bandwidths line up.
func withDecimals(v float64, large, small int) string {
	if math.Abs(v) >= 9.995 {
		return strconv.FormatFloat(v, 'f', large, 64)
	}
	return strconv.FormatFloat(v, 'f', small, 64)
}
