package pairs

import (
	"fmt"
	"strings"

	"collbench/bench/unit"
)

// sentence is what a finding says: who, in which direction, how much, with whom, and what may be to blame.
func sentence(m *Matrix, s suspect, f Finding) string {
	how := fmt.Sprintf("at %s of its peers (%s)", percent(f.Share), figures(m, f))
	if !m.Rate() {
		how = fmt.Sprintf("%.1f times as long as its peers (%s)", 1/f.Share, figures(m, f))
	}
	if s.level == LevelPair {
		return pairSentence(m, s, strings.Replace(how, "its peers", "other pairs", 1))
	}
	verb, to := verbs(m, s)
	return fmt.Sprintf("%s %s %s %s: %s", s.name(m), verb, how, partnersOf(m, s, to), s.blame())
}

// verbs are what the suspect does, and the word before its partners.
func verbs(m *Matrix, s suspect) (verb, to string) {
	switch {
	case !m.Rate():
		return "takes", "with"
	case !m.Directed():
		return "sends and receives at once", "with"
	case s.direction == Sends:
		return "sends", "to"
	case s.direction == Receives:
		return "receives", "from"
	}
	return "sends and receives", "to and from"
}

func (s suspect) name(m *Matrix) string {
	switch s.level {
	case LevelNIC:
		return fmt.Sprintf("%s's %s", s.host, s.nic)
	case LevelRank:
		return name(m.Places, s.rank)
	}
	return s.host
}

// blame is what may be at fault: what the slow pairs have in common.
func (s suspect) blame() string {
	nic := s.nic
	switch {
	case s.within && s.level == LevelHost:
		return "its memory or the links between its devices"
	case s.within:
		return "its device or the device's links within the host"
	case s.level == LevelHost && len(s.interfaces) == 1:
		nic = s.interfaces[0]
	}
	if nic == "" {
		return "its network interface or its cable"
	}
	return fmt.Sprintf("its NIC %s or its cable", nic)
}

// partnersOf says with whom the suspect is slow.
func partnersOf(m *Matrix, s suspect, to string) string {
	if s.within {
		return to + " the others of its host"
	}
	hosts, slow := map[string]bool{}, map[string]bool{}
	for _, list := range []struct {
		cells []*sight
		into  map[string]bool
	}{{s.cells, hosts}, {s.low, slow}} {
		for _, c := range list.cells {
			for _, r := range []int{c.From, c.To} {
				if h := m.Places[r].Host; h != s.host {
					list.into[h] = true
				}
			}
		}
	}
	if len(slow) == len(hosts) {
		return to + " every host"
	}
	return fmt.Sprintf("%s %d of %d hosts", to, len(slow), len(hosts))
}

// pairSentence names a pair.
func pairSentence(m *Matrix, s suspect, how string) string {
	a, b := name(m.Places, s.low[0].From), name(m.Places, s.low[0].To)
	between := a + " → " + b
	if s.direction == Both || !m.Directed() {
		between = a + " ↔ " + b
	}
	verb := "is"
	if !m.Rate() {
		verb = "takes"
	}
	return fmt.Sprintf("%s %s %s, while both do well with others: the route between them", between, verb, how)
}

// figures are value and reference, in one unit: "104 of 190 GB/s".
func figures(m *Matrix, f Finding) string {
	write := unit.Seconds
	if m.Rate() {
		write = unit.Bandwidth
	}
	value, reference := write(f.Value), write(f.Reference)
	number, in, _ := strings.Cut(value, " ")
	if _, other, _ := strings.Cut(reference, " "); in == other {
		value = number
	}
	return value + " of " + reference
}

func percent(share float64) string { return unit.Percent(float64(int(share*100+0.5)) / 100) }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// aside says why pairs that are slow, and were so again, are not named one by one; others is how many were not tested again.
func aside(slow []Finding, others int) string {
	least, most := slow[0].Share, slow[0].Share
	for _, f := range slow {
		least, most = min(least, f.Share), max(most, f.Share)
	}
	return fmt.Sprintf("%d pairs are slow (%s … %s of the better ones) without a rank or host in common: the fabric has two speeds, or is too noisy to judge single pairs",
		len(slow)+others, percent(least), percent(most))
}

// acquittal says what would have been named.
func (v *Verdict) acquittal() (said []string) {
	said = append(said, "no host, rank or pair stands out")
	for _, t := range v.Tables {
		text := fmt.Sprintf("%s: %d of %d pairs", t.Test, t.Measured, t.Possible)
		for _, r := range t.References {
			write := unit.Seconds
			if t.Unit == "B/s" {
				write = unit.Bandwidth
			}
			text += fmt.Sprintf(", %s %s … %s", r.Kind, write(r.Least), write(r.Most))
			if t.Unit == "B/s" {
				text += fmt.Sprintf(" (below %s would have been named)", write(r.Value*r.Limit))
			} else {
				text += fmt.Sprintf(" (above %s would have been named)", write(r.Value/r.Limit))
			}
		}
		if t.Power != nil {
			text += ", " + t.Power.String()
		}
		said = append(said, text)
	}
	return said
}
