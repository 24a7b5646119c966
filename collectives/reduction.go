package collectives

import (
	"fmt"
	"slices"
	"strings"
)

// Reduction is how elements of several ranks become one.
type Reduction uint8

// The reductions. Integers wrap around. Avg is the sum divided by the number of ranks when all have been added;
// integers are divided toward zero. PreMulSum is the sum of what every rank has, multiplied by PreMulFactor beforehand: an
// operation of NCCL's.
const (
	Sum Reduction = iota
	Min
	Max
	Prod
	Avg
	PreMulSum
)

// PreMulFactor is what PreMulSum multiplies by; every data type holds it.
const PreMulFactor = 2

// Reductions lists every reduction in the order in which they are shown.
var Reductions = []Reduction{Sum, Min, Max, Prod, Avg, PreMulSum}

var reductionNames = [...]string{Sum: "sum", Min: "min", Max: "max", Prod: "prod", Avg: "avg", PreMulSum: "premulsum"}

// String returns the reduction's name, such as "sum".
func (r Reduction) String() string {
	if int(r) < len(reductionNames) {
		return reductionNames[r]
	}
	return fmt.Sprintf("reduction(%d)", uint8(r))
}

// ParseReduction finds a reduction by its name.
func ParseReduction(name string) (Reduction, error) {
	i := slices.Index(reductionNames[:], name)
	if i < 0 {
		return 0, fmt.Errorf("unknown reduction %q: want one of %s", name, strings.Join(reductionNames[:], ", "))
	}
	return Reduction(i), nil
}

// MarshalText writes the name.
func (r Reduction) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the name.
func (r *Reduction) UnmarshalText(b []byte) (err error) {
	*r, err = ParseReduction(string(b))
	return err
}
