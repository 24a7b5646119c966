package bench

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"collbench/bench/unit"
	"collbench/collectives"
	"collbench/collectives/algorithms"
)

// maxCases bounds a plan against slips of the pen.
const maxCases = 100_000

// expansion is what one block of settings comes to.
type expansion struct {
	cases   []Case
	skipped []Result
	refused error // the first reason why a case was left out or skipped
}

// block is a block of settings, read.
type block struct {
	settings   Settings
	base       Case   // what all its cases have in common
	subjects   []Case // base for each collective or point-to-point test
	algorithms []string
	all        bool // algorithms: those that can, instead
	dtypes     []collectives.DataType
	ops        []collectives.Reduction
	bytes      []int64
	variants   []string
}

// expand makes the cases of a block: every combination of its lists.
func expand(s Settings, ranks int, site Site) (expansion, error) {
	var e expansion
	b, err := readBlock(s, ranks, site)
	if err != nil {
		return e, err
	}
	for _, c := range b.subjects {
		for _, c.What.DataType = range b.dtypes {
			for _, op := range b.ops {
				for _, c.What.Bytes = range b.bytes {
					if c.What.Reduces() {
						c.What.Reduction = op
					}
					if err := e.add(b, c, site); err != nil {
						return e, err
					}
				}
			}
		}
	}
	return e, nil
}

// add adds the case once per algorithm. An error is one of usage.
func (e *expansion) add(b block, c Case, site Site) error {
	if _, err := c.Whole(); err != nil {
		if _, asked := b.settings["bytes"]; !asked {
			return nil // the default sweep begins where there is something to measure
		}
		return b.settings.Errorf("bytes", "%w", err)
	}
	names := b.algorithms
	if b.all {
		names = site.algorithms(c.How.Backend, c.What.Collective)
	}
	for _, name := range names {
		for _, variant := range b.variants {
			c.What.Algorithm, c.How.Variant = name, variant
			e.take(c, site.supports(c), !b.all)
			if len(e.cases)+len(e.skipped) > maxCases {
				return b.settings.Errorf("bytes", "more than %d cases", maxCases)
			}
		}
	}
	return nil
}

// take adds a case, or what is wrong with it: skipped if it was asked for by name.
func (e *expansion) take(c Case, wrong error, asked bool) {
	switch {
	case wrong == nil:
		e.cases = append(e.cases, c)
		return
	case asked:
		e.skipped = append(e.skipped, Result{Schema: SampleSchema, Case: c, Status: Skipped, Error: wrong.Error()})
	}
	if e.refused == nil {
		e.refused = wrong
	}
}

// supports says why a case cannot be carried out.
func (s Site) supports(c Case) error {
	if s.Supports != nil {
		return s.Supports(c)
	}
	if c.What.Algorithm == Auto {
		return nil
	}
	a, err := algorithms.Find(c.What.Algorithm)
	if err == nil {
		_, err = c.Shape(a)
	}
	return err
}

// algorithms lists the algorithms that the backend has for the collective.
func (s Site) algorithms(backend string, c collectives.Collective) (names []string) {
	if s.Algorithms != nil {
		return s.Algorithms(backend, c)
	}
	for _, a := range algorithms.For(c) {
		names = append(names, a.Name)
	}
	return names
}

func readBlock(s Settings, ranks int, site Site) (b block, err error) {
	b.settings = s
	if b.base, err = readBase(s, ranks, site); err != nil {
		return b, err
	}
	if b.dtypes, err = list(s, "dtype", collectives.ParseDataType); err != nil {
		return b, err
	}
	if b.ops, err = list(s, "op", collectives.ParseReduction); err != nil {
		return b, err
	}
	if b.bytes, err = unit.ParseSizes(s.Text("bytes")); err != nil {
		return b, s.Errorf("bytes", "%w", err)
	}
	if b.variants, err = readVariants(s); err != nil {
		return b, err
	}
	if s.Text("operation") != "" {
		return b, b.readPointToPoint()
	}
	return b, b.readCollectives(site)
}

// readCollectives reads which collectives by which algorithms.
func (b *block) readCollectives(site Site) error {
	s := b.settings
	for _, key := range []string{"pair", "window"} {
		if _, ok := s[key]; ok {
			return s.Errorf(key, "only point-to-point tests have it: give operation")
		}
	}
	asked, err := list(s, "collective", collectives.ParseCollective)
	if err != nil {
		return err
	}
	for _, collective := range asked {
		c := b.base
		c.What.Collective = collective
		if !collective.Rooted() {
			c.What.Root = 0
		}
		b.subjects = append(b.subjects, c)
	}
	if b.all = s.Text("algorithm") == "all"; b.all {
		return nil
	}
	b.algorithms, err = list(s, "algorithm", func(name string) (string, error) {
		return name, known(name, asked, func(c collectives.Collective) []string { return site.algorithms(b.base.How.Backend, c) })
	})
	return err
}

// readPointToPoint reads which point-to-point tests between which ranks.
func (b *block) readPointToPoint() error {
	s := b.settings
	for _, key := range []string{"collective", "op", "root", "in-place"} {
		if _, ok := s[key]; ok {
			return s.Errorf(key, "point-to-point tests (operation) have none")
		}
	}
	if s.Text("algorithm") != Auto {
		return s.Errorf("algorithm", "point-to-point tests (operation) have none")
	}
	tests, err := list(s, "operation", FindPointToPoint)
	if err != nil {
		return err
	}
	ranks := b.base.Where.Ranks
	if ranks < 2 {
		return s.Errorf("operation", "a point-to-point test needs 2 ranks or more: there is %d", ranks)
	}
	pair, err := s.pair(ranks)
	if err != nil {
		return err
	}
	window, err := s.integer("window", 0, 1, maxWindow)
	if err != nil {
		return err
	}
	b.algorithms = []string{Auto}
	for _, p := range tests {
		c := b.base
		c.What.Operation, c.What.Root, c.What.InPlace = p.Name, 0, false
		if p.Windowed {
			c.What.Window = window
		}
		if !p.AllPairs {
			c.Where.From, c.Where.To = pair.From, pair.To
		}
		b.subjects = append(b.subjects, c)
	}
	return nil
}

// maxWindow bounds the messages under way at once.
const maxWindow = 4096

// pair reads the ranks FROM,TO of a point-to-point test. The first and the last, if nothing is said: where there are several
// hosts they are on different ones.
func (s Settings) pair(ranks int) (Pair, error) {
	p := Pair{0, ranks - 1}
	text := s.Text("pair")
	if text == "" {
		return p, nil
	}
	numbers := words(text)
	var err error
	if len(numbers) == 2 {
		if p.From, err = strconv.Atoi(numbers[0]); err == nil {
			p.To, err = strconv.Atoi(numbers[1])
		}
	}
	if len(numbers) != 2 || err != nil || p.From == p.To || min(p.From, p.To) < 0 || max(p.From, p.To) >= ranks {
		return p, s.Errorf("pair", "%q: want two different ranks FROM,TO of 0 … %d", text, ranks-1)
	}
	return p, nil
}

// readBase reads what all cases of a block have in common.
func readBase(s Settings, ranks int, site Site) (c Case, err error) {
	transport := s.Text("transport")
	switch {
	case transport != "":
	case s.Text("backend") != defaults["backend"]:
		transport = TransportLibrary
	case site.Transport != "":
		transport = site.Transport
	default:
		transport = map[bool]string{true: "shm", false: "tcp"}[site.Hosts == 1]
	}
	if transport == "shm" && site.Hosts > 1 {
		return c, s.Errorf("transport", "shm joins ranks of one host: there are %d hosts", site.Hosts)
	}
	for _, v := range []struct {
		key, text string
		target    *string
		known     []string
	}{
		{"backend", s.Text("backend"), &c.How.Backend, site.Backends},
		{"transport", transport, &c.How.Transport, []string{"shm", "tcp", "shm+tcp", TransportLibrary}},
		{"buffers", s.Text("buffers"), &c.How.Buffers, []string{"private", "registered"}},
		{"timing", s.Text("timing"), (*string)(&c.How.Timing), []string{string(TimingBarrier), string(TimingBatch)}},
	} {
		if !slices.Contains(v.known, v.text) {
			return c, s.Errorf(v.key, "unknown %s %q: want one of %s", v.key, v.text, strings.Join(v.known, ", "))
		}
		*v.target = v.text
	}
	c.Where.Ranks, c.Where.Hosts = ranks, site.Hosts
	domain := site.Domain
	if domain == 0 {
		domain = ranks
	}
	if c.Where.Domain, err = s.integer("domain", domain, 1, ranks); err != nil {
		return c, err
	}
	if c.Where.Radix, err = s.integer("radix", 0, 2, maxCount); err != nil {
		return c, err
	}
	if c.Where.Chunks, err = s.integer("chunks", 0, 0, maxCount); err != nil {
		return c, err
	}
	if c.What.Root, err = s.integer("root", 0, 0, ranks-1); err != nil {
		return c, err
	}
	if c.What.InPlace, err = strconv.ParseBool(s.Text("in-place")); err != nil {
		return c, s.Errorf("in-place", "%q: want true or false", s.Text("in-place"))
	}
	return c, nil
}

// list reads a list of names, in the order given and each once.
func list[T comparable](s Settings, key string, parse func(string) (T, error)) ([]T, error) {
	var found []T
	for _, name := range words(s.Text(key)) {
		v, err := parse(name)
		if err != nil {
			return nil, s.Errorf(key, "%w", err)
		}
		if !slices.Contains(found, v) {
			found = append(found, v)
		}
	}
	if len(found) == 0 {
		return nil, s.Errorf(key, "empty")
	}
	return found, nil
}

// known says whether there is such an algorithm for at least one of the collectives. has lists those of a collective.
func known(name string, asked []collectives.Collective, has func(collectives.Collective) []string) error {
	if name == Auto {
		return nil
	}
	if name == "all" {
		return fmt.Errorf("all stands alone")
	}
	var names, whose, all []string
	for _, c := range collectives.Collectives {
		for _, a := range has(c) {
			if !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
		if slices.Contains(has(c), name) {
			whose = append(whose, c.String())
		}
	}
	for _, c := range asked {
		names = append(names, c.String())
		if slices.Contains(has(c), name) {
			return nil
		}
	}
	if whose == nil {
		return fmt.Errorf("unknown algorithm %q: want one of %s", name, strings.Join(all, ", "))
	}
	return fmt.Errorf("%s has no algorithm %q: it is one for %s", strings.Join(names, ", "), name, strings.Join(whose, ", "))
}
