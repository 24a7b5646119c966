package model

// meter keeps the load of each link in picoseconds and knows the heaviest. Links that changed are played again in a
// tournament; when many changed it is played anew.
type meter struct {
	load    []int64
	tree    []int64 // tree[1] is the largest load, the leaves stand from size up
	size    int
	touched []int32
	all     bool // more than can be listed have changed
	over    bool // a load came near the end of its range
}

func newMeter(links int) *meter {
	m := &meter{load: make([]int64, links), size: 1}
	for m.size < links {
		m.size *= 2
	}
	m.tree = make([]int64, 2*m.size)
	return m
}

func (m *meter) add(link int32, ps int64) {
	m.load[link] += ps
	if m.load[link] > farthest {
		m.over = true
	}
	if m.all {
		return
	}
	m.touched = append(m.touched, link)
	m.all = len(m.touched) > len(m.load)/32+8
}

func (m *meter) clear() {
	clear(m.load)
	m.all = true
}

// heaviest is the largest load.
func (m *meter) heaviest() int64 {
	if m.all {
		copy(m.tree[m.size:], m.load)
		for i := m.size - 1; i > 0; i-- {
			m.tree[i] = max(m.tree[2*i], m.tree[2*i+1])
		}
	} else {
		for _, l := range m.touched {
			i := m.size + int(l)
			m.tree[i] = m.load[l]
			for i /= 2; i > 0; i /= 2 {
				m.tree[i] = max(m.tree[2*i], m.tree[2*i+1])
			}
		}
	}
	m.touched, m.all = m.touched[:0], false
	return m.tree[1]
}

// where is a link with the largest load, as of the last call of heaviest.
func (m *meter) where() int {
	i := 1
	for i < m.size {
		i *= 2
		if m.tree[i] < m.tree[i/2] {
			i++
		}
	}
	return i - m.size
}

// tally sums loads that are looked at once and thrown away.
type tally struct {
	load    []float64
	touched []int32
}

func (t *tally) add(link int32, ps float64) {
	if t.load[link] == 0 {
		t.touched = append(t.touched, link)
	}
	t.load[link] += ps
}

// take returns the largest load and empties the tally.
func (t *tally) take() (heaviest float64) {
	for _, l := range t.touched {
		heaviest = max(heaviest, t.load[l])
		t.load[l] = 0
	}
	t.touched = t.touched[:0]
	return heaviest
}
