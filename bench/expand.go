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
	settings    Settings
	base        Case // what all its cases have in common
	collectives []collectives.Collective
	algorithms  []string // names; nil: all
	dtypes      []collectives.DataType
	ops         []collectives.Reduction
	bytes       []int64
	variants    []string
}

// expand makes the cases of a block: every combination of its lists.
func expand(s Settings, ranks int, site Site) (expansion, error) {
	var e expansion
	b, err := readBlock(s, ranks, site)
	if err != nil {
		return e, err
	}
	for _, collective := range b.collectives {
		for _, dtype := range b.dtypes {
			for _, op := range b.ops {
				for _, bytes := range b.bytes {
					c := b.base
					c.What.Collective, c.What.DataType, c.What.Bytes = collective, dtype, bytes
					if collective.Reduces() {
						c.What.Reduction = op
					}
					if !collective.Rooted() {
						c.What.Root = 0
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
	what := c.What
	if _, err := collectives.NewShape(what.Collective, c.Where.Ranks, what.Root, what.Bytes, what.DataType); err != nil {
		if _, asked := b.settings["bytes"]; !asked {
			return nil // the default sweep begins where there is something to measure
		}
		return b.settings.Errorf("bytes", "%w", err)
	}
	names := b.algorithms
	if names == nil {
		for _, a := range algorithms.For(what.Collective) {
			names = append(names, a.Name)
		}
	}
	for _, name := range names {
		for _, variant := range b.variants {
			c.What.Algorithm, c.How.Variant = name, variant
			e.take(c, supports(c, site), b.algorithms != nil)
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
func supports(c Case, site Site) error {
	if c.What.Algorithm != Auto {
		a, err := algorithms.Find(c.What.Algorithm)
		if err != nil {
			return err
		}
		if _, err = c.Shape(a); err != nil {
			return err
		}
	}
	if site.Supports == nil {
		return nil
	}
	return site.Supports(c)
}

func readBlock(s Settings, ranks int, site Site) (b block, err error) {
	b.settings = s
	if b.base, err = readBase(s, ranks, site); err != nil {
		return b, err
	}
	if b.collectives, err = list(s, "collective", collectives.ParseCollective); err != nil {
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
	if s.Text("algorithm") != "all" {
		b.algorithms, err = list(s, "algorithm", func(name string) (string, error) { return name, known(name, b.collectives) })
	}
	return b, err
}

// readBase reads what all cases of a block have in common.
func readBase(s Settings, ranks int, site Site) (c Case, err error) {
	transport := s.Text("transport")
	if transport == "" {
		if transport = site.Transport; transport == "" {
			transport = map[bool]string{true: "shm", false: "tcp"}[site.Hosts == 1]
		}
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
		{"transport", transport, &c.How.Transport, []string{"shm", "tcp", "shm+tcp"}},
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

// known says whether there is such an algorithm for at least one of the collectives.
func known(name string, asked []collectives.Collective) error {
	if name == Auto {
		return nil
	}
	if name == "all" {
		return fmt.Errorf("all stands alone")
	}
	a, err := algorithms.Find(name)
	if err != nil {
		return err
	}
	var names []string
	for _, c := range asked {
		if slices.Contains(a.Collectives, c) {
			return nil
		}
		names = append(names, c.String())
	}
	var has []string
	for _, c := range a.Collectives {
		has = append(has, c.String())
	}
	return fmt.Errorf("%s has no algorithm %q: it is one for %s", strings.Join(names, ", "), name, strings.Join(has, ", "))
}
