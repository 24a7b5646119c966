package unit

import (
	"fmt"
	"strconv"
	"strings"
)

// maxSizes bounds a list of sizes: more cases than that are a slip of the pen.
const maxSizes = 10000

const wantSizes = `want sizes such as 4MiB, a list 1K,4MiB, or a range FIRST:LAST:STEP with a step of x2 or +1MiB`

// ParseSizes reads sizes in bytes, each above 0, in the order given: a size ("4MiB"), a range whose step multiplies
// ("8:64MiB:x2") or adds ("1MiB:8MiB:+1MiB"), or a list of those separated by commas. A range without a step doubles.
// The last size of a range is included if a step falls on it.
func ParseSizes(text string) ([]int64, error) {
	var sizes []int64
	for i, item := range strings.Split(text, ",") {
		more, err := parseRange(strings.TrimSpace(item))
		if err == nil && len(sizes)+len(more) > maxSizes {
			err = fmt.Errorf("more than %d sizes", maxSizes)
		}
		if err != nil {
			return nil, fmt.Errorf("sizes %q, item %d: %w; %s", text, i+1, err, wantSizes)
		}
		sizes = append(sizes, more...)
	}
	return sizes, nil
}

func parseRange(item string) ([]int64, error) {
	fields := strings.Split(item, ":")
	if len(fields) > 3 {
		return nil, fmt.Errorf("%q has %d colons", item, len(fields)-1)
	}
	first, err := positive(fields[0])
	if err != nil {
		return nil, err
	}
	if len(fields) == 1 {
		return []int64{first}, nil
	}
	last, err := positive(fields[1])
	if err != nil {
		return nil, err
	}
	if last < first {
		return nil, fmt.Errorf("range %q runs backwards", item)
	}
	factor, summand := int64(2), int64(0)
	if len(fields) == 3 {
		if factor, summand, err = parseStep(fields[2]); err != nil {
			return nil, err
		}
	}
	var sizes []int64
	for size := first; ; size = size*factor + summand {
		if sizes = append(sizes, size); len(sizes) > maxSizes {
			return nil, fmt.Errorf("range %q has more than %d sizes", item, maxSizes)
		}
		if size > (last-summand)/factor {
			return sizes, nil
		}
	}
}

// parseStep returns the step as size → size × factor + summand.
func parseStep(step string) (factor, summand int64, err error) {
	switch {
	case strings.HasPrefix(step, "x"):
		factor, err = strconv.ParseInt(step[1:], 10, 64)
		if err != nil || factor < 2 {
			return 0, 0, fmt.Errorf("step %q: want a whole factor of 2 or more, such as x2", step)
		}
		return factor, 0, nil
	case strings.HasPrefix(step, "+"):
		summand, err = positive(step[1:])
		return 1, summand, err
	}
	return 0, 0, fmt.Errorf("step %q: want x2 or +1MiB", step)
}

func positive(text string) (int64, error) {
	n, err := ParseBytes(text)
	if err == nil && n == 0 {
		err = fmt.Errorf("bytes %q: want more than 0", text)
	}
	return n, err
}
