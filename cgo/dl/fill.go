package dl

import (
	"fmt"
	"strings"
	"unsafe"
)

// Slot is where the address of a symbol goes.
type Slot struct {
	Name     string
	Address  *unsafe.Pointer
	Optional bool // may be missing in some versions of the library
}

// Fill looks up all symbols. If one that is not optional is missing, it empties all slots again, and the error names
// what is missing.
func (l *Library) Fill(slots []Slot) error {
	var missing []string
	for _, s := range slots {
		address, err := l.Symbol(s.Name)
		if err != nil && !s.Optional {
			missing = append(missing, s.Name)
		}
		*s.Address = address
	}
	if missing == nil {
		return nil
	}
	for _, s := range slots {
		*s.Address = nil
	}
	return fmt.Errorf("%s has no %s", l.Name(), strings.Join(missing, ", "))
}
