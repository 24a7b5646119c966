package host

import (
	"slices"
	"sort"

	"collbench/collectives"
)

// access is what has been done so far to a range of bytes, as far as later operations must wait for it.
type access struct {
	start  int     // the range ends where the next one starts
	writes []int32 // the last overwrite, or the accumulations that may still be joined by others
	before []int32 // what those accumulations waited for
	reads  []int32 // since those writes
	adding bool    // writes are accumulations
	input  bool    // nothing was written here, and the input, which is kept apart, has it
}

// history keeps what was done to one buffer, by range. Operations are shown to it in program order.
type history struct {
	ranges []access // in order; the first starts at 0
}

func newHistory() *history { return &history{ranges: []access{{}}} }

// cut makes a range start at the byte and returns its place.
func (h *history) cut(at int) int {
	i := sort.Search(len(h.ranges), func(i int) bool { return h.ranges[i].start >= at })
	if i < len(h.ranges) && h.ranges[i].start == at {
		return i
	}
	r := h.ranges[i-1]
	r.start, r.writes, r.before, r.reads = at, slices.Clone(r.writes), slices.Clone(r.before), slices.Clone(r.reads)
	h.ranges = slices.Insert(h.ranges, i, r)
	return i
}

// note adds operation id on bytes [from, to) and calls need with each operation that it must wait for: a read waits
// for the writes before it, an overwrite for reads and writes. Accumulations commute (integers and the exactly
// representable values that are sent here), so they wait for each other only where a read stands between them.
func (h *history) note(action collectives.Action, id int32, from, to int, need func(int32)) {
	first := h.cut(from)
	last := h.cut(to)
	all := func(ids []int32) {
		for _, d := range ids {
			need(d)
		}
	}
	for i := first; i < last; i++ {
		r := &h.ranges[i]
		switch {
		case action == collectives.Send:
			all(r.writes)
			r.reads = append(r.reads, id)
		case action == collectives.Accumulate && r.adding && len(r.reads) == 0:
			all(r.before)
			r.writes = append(r.writes, id)
		default:
			all(r.writes)
			all(r.reads)
			r.before = append(r.writes, r.reads...)
			r.writes, r.reads, r.adding, r.input = []int32{id}, nil, action == collectives.Accumulate, false
		}
	}
}

// untouched says whether bytes [from, to) are still as the input has them.
func (h *history) untouched(from, to int) bool {
	first := h.cut(from)
	last := h.cut(to)
	for _, r := range h.ranges[first:last] {
		if !r.input {
			return false
		}
	}
	return true
}

// bring says which of bytes [from, to) are still as the input has them, and takes them as copied from now on.
func (h *history) bring(from, to int, copied func(from, to int)) {
	first := h.cut(from)
	last := h.cut(to)
	for i := first; i < last; i++ {
		if r := &h.ranges[i]; r.input {
			r.input = false
			end := to
			if i+1 < len(h.ranges) {
				end = h.ranges[i+1].start
			}
			copied(r.start, end)
		}
	}
}
