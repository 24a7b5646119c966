package bench

import (
	"fmt"
	"slices"
	"strings"
)

// watch keeps the slowest clock of each rank and all that held it back.
func (m *measurement) watch(clocks []Clocks) {
	kept := m.result.Clocks
	if len(kept) != len(clocks) {
		m.result.Clocks = slices.Clone(clocks)
		return
	}
	for i, c := range clocks {
		if kept[i].SM == 0 || c.SM > 0 && c.SM < kept[i].SM {
			kept[i].SM = c.SM
		}
		kept[i].MaxSM = max(kept[i].MaxSM, c.MaxSM)
		for _, reason := range c.Throttled {
			if !slices.Contains(kept[i].Throttled, reason) {
				kept[i].Throttled = append(slices.Clip(kept[i].Throttled), reason)
			}
		}
	}
}

// throttled is the mark of a case in which devices were held back: "throttled: rank 3 by sw_power_cap, at 1.2 of 1.98
// GHz"; "" if none was.
func throttled(clocks []Clocks) string {
	const most = 4
	var list []string
	for rank, c := range clocks {
		if len(c.Throttled) == 0 {
			continue
		}
		text := fmt.Sprintf("rank %d by %s", rank, strings.Join(c.Throttled, " and "))
		if c.SM > 0 && c.MaxSM > 0 {
			text += fmt.Sprintf(", at %.3g of %.3g GHz", c.SM/1e9, c.MaxSM/1e9)
		}
		list = append(list, text)
	}
	if len(list) == 0 {
		return ""
	}
	if more := len(list) - most; more > 0 {
		list = append(list[:most], fmt.Sprintf("and %d more", more))
	}
	return "throttled: " + strings.Join(list, "; ")
}

// JoinNotes makes one note of those that say something.
func JoinNotes(notes ...string) string {
	return strings.Join(slices.DeleteFunc(notes, func(n string) bool { return n == "" }), "; ")
}
