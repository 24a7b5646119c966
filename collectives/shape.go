package collectives

import "fmt"

// Shape is all that an algorithm may know of the case it is for.
type Shape struct {
	Collective Collective
	Ranks      int // 1 or more
	Root       int // 0 … Ranks−1; 0 where the collective has no root
	Count      int // elements of the whole buffer, or of one rank's block where the collective is Blocked
	Chunks     int // parts that a pipelined algorithm streams one after the other; 1 or more
	Local      int // ranks that share a host or NVLink domain; 1 … Ranks
	Radix      int // down ports of an aggregation switch; 2 or more
}

// NewShape is the shape for a buffer of so many bytes with the meaning of nccl-tests (all-gather: the whole
// receive buffer). Blocks are rounded down to whole elements. It has one chunk, one domain and radix 40, the
// down ports of an NVIDIA Quantum switch. An error says what is wrong with the numbers.
func NewShape(c Collective, ranks, root int, bytes int64, d DataType) (Shape, error) {
	s := Shape{Collective: c, Ranks: ranks, Root: root, Chunks: 1, Local: ranks, Radix: 40}
	if ranks < 1 {
		return s, fmt.Errorf("%d ranks: want 1 or more", ranks)
	}
	if root < 0 || root >= ranks {
		return s, fmt.Errorf("root %d: want 0 … %d", root, ranks-1)
	}
	elements := bytes / int64(d.Size())
	if c.Blocked() {
		elements /= int64(ranks)
	}
	if elements < 1 {
		return s, fmt.Errorf("%d bytes of %s leave no element for %s on %d ranks", bytes, d, c, ranks)
	}
	s.Count = int(elements)
	return s, nil
}

// Size is the length of the whole buffer in elements.
func (s Shape) Size() int {
	if s.Collective.Blocked() {
		return s.Count * s.Ranks
	}
	return s.Count
}

// NodeName says which node it is: "rank 3", "switch 0".
func (s Shape) NodeName(v Node) string {
	if int(v) < s.Ranks {
		return fmt.Sprintf("rank %d", v)
	}
	return fmt.Sprintf("switch %d", int(v)-s.Ranks)
}

// Validate checks the ranges that the fields' comments give.
func (s Shape) Validate() error {
	switch {
	case s.Ranks < 1:
		return fmt.Errorf("%d ranks: want 1 or more", s.Ranks)
	case s.Root < 0 || s.Root >= s.Ranks:
		return fmt.Errorf("root %d: want 0 … %d", s.Root, s.Ranks-1)
	case s.Count < 0:
		return fmt.Errorf("%d elements: want 0 or more", s.Count)
	case s.Chunks < 1:
		return fmt.Errorf("%d chunks: want 1 or more", s.Chunks)
	case s.Local < 1 || s.Local > s.Ranks:
		return fmt.Errorf("domain of %d ranks: want 1 … %d", s.Local, s.Ranks)
	case s.Radix < 2:
		return fmt.Errorf("radix %d: want 2 or more", s.Radix)
	}
	return nil
}

// Part is a run of elements of a rank's data buffer.
type Part struct {
	Offset, Length int
	Index          int // place of the first element in the logical vector (AllToAll: of the ranks' inputs one after the other)
	From           int // the rank whose element it is, or AllRanks for the reduction over all
}

// AllRanks stands in Part.From for "every rank, once".
const AllRanks = -1

// Contract says where rank r's input sits in its data buffer when the collective starts and which parts of it
// hold the output at the end. Programs work in this one buffer; elements that no output part covers may end as
// anything.
func Contract(s Shape, r int) (in, out []Part) {
	n, c := s.Ranks, s.Count
	switch s.Collective {
	case AllReduce:
		return []Part{{0, c, 0, r}}, []Part{{0, c, 0, AllRanks}}
	case Reduce:
		in = []Part{{0, c, 0, r}}
		if r == s.Root {
			out = []Part{{0, c, 0, AllRanks}}
		}
	case Broadcast:
		if r == s.Root {
			in = []Part{{0, c, 0, r}}
		}
		out = []Part{{0, c, 0, s.Root}}
	case ReduceScatter:
		return []Part{{0, n * c, 0, r}}, []Part{{r * c, c, r * c, AllRanks}}
	case AllGather, Gather:
		in = []Part{{r * c, c, r * c, r}}
		if s.Collective == AllGather || r == s.Root {
			for i := range n {
				out = append(out, Part{i * c, c, i * c, i})
			}
		}
	case Scatter:
		if r == s.Root {
			in = []Part{{0, n * c, 0, r}}
		}
		out = []Part{{r * c, c, r * c, s.Root}}
	case AllToAll:
		in = []Part{{0, n * c, r * n * c, r}}
		for i := range n {
			out = append(out, Part{i * c, c, i*n*c + r*c, i})
		}
	case SendRecv:
		from := (r + n - 1) % n
		return []Part{{0, c, 0, r}}, []Part{{0, c, 0, from}}
	}
	return in, out
}
