package gate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"collbench/bench/keyfile"
	"collbench/bench/unit"
)

// policyKeys are some, for who wrote none.
const policyKeys = "relative, floors, model"

// ParsePolicy reads a policy in YAML: the keys of All. What it does not say is as in DefaultPolicy. Every error begins
// with the file's name, the line and the column.
func ParsePolicy(name string, text []byte) (Policy, error) {
	p := DefaultPolicy()
	root, err := keyfile.Parse(name, text, policyKeys)
	if err != nil {
		return p, err
	}
	err = keyfile.EachKey(name, root, policyKeys, func(key string, value ast.Node, at string) error {
		switch key {
		case "relative":
			p.Relative.Required = true
			return p.Relative.parse(name, value)
		case "wrong":
			if word, err := keyfile.Text(value); err != nil || word != "0" {
				return fmt.Errorf("%s: want 0: no other number of wrong elements can be allowed", at)
			}
			p.Verified = true
			return nil
		case "floors":
			return eachRule(name, key, value, &p.Floors, parseFloor)
		case "model":
			return eachRule(name, key, value, &p.Models, parseModelShare)
		case "algorithms":
			return eachRule(name, key, value, &p.Algorithms, parseProof)
		case "variants":
			return eachRule(name, key, value, &p.Variants, parseSpeedup)
		case "stragglers":
			return eachRule(name, key, value, &p.Stragglers, parseStraggler)
		}
		return fmt.Errorf("%s: unknown key: want one of %s", at, strings.Join(RuleNames(), ", "))
	})
	return p, err
}

// RuleNames lists the keys of a policy file.
func RuleNames() (names []string) {
	for _, r := range All {
		if r.Name != "" {
			names = append(names, r.Name)
		}
	}
	return names
}

func (r *Relative) parse(name string, node ast.Node) error {
	keys := []string{"minimum-effect", "excluded", "launches", "session", "session-each", "same"}
	err := keyfile.EachKey(name, node, "minimum-effect, excluded", func(key string, value ast.Node, at string) error {
		word, err := keyfile.Text(value)
		if err == nil {
			err = r.set(key, word)
		}
		if err == nil && !slices.Contains(keys, key) {
			err = fmt.Errorf("unknown key: want one of %s", strings.Join(keys, ", "))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		return nil
	})
	if err == nil && r.Excluded <= r.MinimumEffect {
		err = fmt.Errorf("%s: excluded %s: want more than minimum-effect, which is %s", keyfile.Place(name, node), unit.Percent(r.Excluded), unit.Percent(r.MinimumEffect))
	}
	return err
}

func (r *Relative) set(key, word string) (err error) {
	switch key {
	case "minimum-effect":
		r.MinimumEffect, err = unit.ParsePercent(word)
	case "excluded":
		r.Excluded, err = unit.ParsePercent(word)
	case "session":
		r.Between.Common, err = unit.ParsePercent(word)
	case "session-each":
		r.Between.Each, err = unit.ParsePercent(word)
	case "launches":
		r.Launches, err = strconv.Atoi(word)
		if err != nil || r.Launches < leastLaunches {
			return fmt.Errorf("%q: want a whole number, %d or more", word, leastLaunches)
		}
	case "same":
		r.Same = nil
		for _, fact := range strings.Split(word, ",") {
			if fact = strings.TrimSpace(fact); fact == "" {
				continue
			}
			if !slices.Contains(EnvironmentNames(), fact) {
				return fmt.Errorf("unknown %q: want some of %s", fact, strings.Join(EnvironmentNames(), ", "))
			}
			r.Same = append(r.Same, fact)
		}
	}
	return err
}

// leastLaunches is the least that the comparison can do with: of 4 launches a side there are 70 arrangements.
const leastLaunches = 4

// eachRule reads a list of rules of one kind. parse takes one key of a rule, or with the key "" checks the whole.
func eachRule[R any](name, kind string, list ast.Node, rules *[]R, parse func(r *R, key, word string) error) error {
	sequence, ok := list.(*ast.SequenceNode)
	if !ok || len(sequence.Values) == 0 {
		return fmt.Errorf("%s: %s: want a list of rules", keyfile.Place(name, list), kind)
	}
	for _, node := range sequence.Values {
		var r R
		err := keyfile.EachKey(name, node, "name, bytes", func(key string, value ast.Node, at string) error {
			word, err := keyfile.Text(value)
			if err == nil {
				err = parse(&r, key, word)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
			return nil
		})
		if err == nil {
			if err = parse(&r, "", ""); err != nil {
				err = fmt.Errorf("%s: %s: %w", keyfile.Place(name, node), kind, err)
			}
		}
		if err != nil {
			return err
		}
		*rules = append(*rules, r)
	}
	return nil
}

// common reads the keys that every rule has: its name and what selects its cases.
func common(ruleName *string, s *Selector, key, word string, own ...string) error {
	if key == "name" {
		*ruleName = word
		return nil
	}
	if slices.Contains(selectorKeys, key) {
		return s.set(key, word)
	}
	return fmt.Errorf("unknown key: want one of %s", strings.Join(slices.Concat([]string{"name"}, selectorKeys, own), ", "))
}

// named gives a rule without a name one.
func named(ruleName *string, kind Kind, s Selector) {
	if *ruleName == "" {
		*ruleName = fmt.Sprintf("%s of %s", kind, s)
	}
}

func parseFloor(f *Floor, key, word string) (err error) {
	switch key {
	case "busbw", "algbw", "wirebw":
		f.Bound, err = unit.ParseRate(word)
	case "time":
		f.Bound, err = unit.ParseSeconds(word)
	case "":
		if f.Metric == "" {
			return fmt.Errorf("want a bound: busbw, algbw, wirebw or time")
		}
		named(&f.Name, KindFloor, f.Selector)
		return nil
	default:
		return common(&f.Name, &f.Selector, key, word, "busbw", "algbw", "wirebw", "time")
	}
	if f.Metric != "" {
		return fmt.Errorf("the rule has the bound %s already: want one", f.Metric)
	}
	f.Metric = key
	return err
}

func parseModelShare(m *ModelShare, key, word string) (err error) {
	switch key {
	case "at-least":
		m.AtLeast, err = unit.ParsePercent(word)
		return err
	case "":
		if m.AtLeast == 0 {
			return fmt.Errorf("want at-least, such as 92%%")
		}
		named(&m.Name, KindModel, m.Selector)
		return nil
	}
	return common(&m.Name, &m.Selector, key, word, "at-least")
}

func parseProof(p *Proof, key, word string) error {
	switch key {
	case "proved":
		p.Algorithm = word
		return nil
	case "":
		if p.Algorithm == "" {
			return fmt.Errorf("want proved, the algorithm that has to be shown to have run")
		}
		named(&p.Name, KindAlgorithm, p.Selector)
		return nil
	}
	return common(&p.Name, &p.Selector, key, word, "proved")
}

func parseSpeedup(s *Speedup, key, word string) (err error) {
	switch key {
	case "faster":
		s.Faster = contender(word)
	case "than":
		s.Than = contender(word)
	case "by":
		s.By, err = strconv.ParseFloat(strings.TrimSuffix(word, "x"), 64)
		if err != nil || !(s.By > 0) || s.By > 1e6 {
			return fmt.Errorf("%q: want a factor such as 1.5", word)
		}
	case "":
		if s.Faster.Algorithm == "" || s.Than.Algorithm == "" || s.By == 0 {
			return fmt.Errorf("want faster, than and by, such as sharp, ring and 1.5")
		}
		named(&s.Name, KindVariant, s.Selector)
	default:
		return common(&s.Name, &s.Selector, key, word, "faster", "than", "by")
	}
	return err
}

// contender reads "ring" or "ring proto=simple".
func contender(word string) Contender {
	algorithm, variant, _ := strings.Cut(word, " ")
	return Contender{algorithm, variant}
}

func parseStraggler(s *Straggler, key, word string) (err error) {
	switch key {
	case "at-most":
		s.Most, err = unit.ParsePercent(word)
		return err
	case "":
		if s.Most == 0 {
			return fmt.Errorf("want at-most, such as 10%%")
		}
		named(&s.Name, KindStraggler, s.Selector)
		return nil
	}
	return common(&s.Name, &s.Selector, key, word, "at-most")
}
