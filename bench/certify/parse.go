package certify

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"collbench/bench"
	"collbench/bench/keyfile"
	"collbench/bench/unit"
)

// profileKeys are some, for who wrote none.
const profileKeys = "summary, start, steps"

// Parse reads a profile in YAML: docs/certify.md has its keys. Every error begins with the file's name, the line and the
// column.
func Parse(name string, text []byte) (Profile, error) {
	p := Profile{Name: strings.TrimSuffix(path.Base(name), path.Ext(name)), Text: string(text)}
	root, err := keyfile.Parse(name, text, profileKeys)
	if err != nil {
		return p, err
	}
	err = keyfile.EachKey(name, root, profileKeys, func(key string, value ast.Node, at string) (err error) {
		switch key {
		case "steps":
			return eachItem(name, key, value, func(node ast.Node) error { return p.addStep(name, node) })
		case "not-run":
			return eachItem(name, key, value, func(node ast.Node) error {
				word, err := keyfile.Text(node)
				p.NotRun = append(p.NotRun, word)
				return place(at, err)
			})
		}
		word, err := keyfile.Text(value)
		if err == nil {
			err = p.set(key, word)
		}
		return place(at, err)
	})
	if err == nil && len(p.Steps) == 0 {
		err = fmt.Errorf("%s: no steps", name)
	}
	if err == nil {
		err = p.check(name)
	}
	return p, err
}

func (p *Profile) set(key, word string) (err error) {
	switch key {
	case "summary":
		p.Summary = word
	case "start":
		p.Start = strings.Fields(word)
	case "line-rate":
		p.LineRate, err = unit.ParseRate(word)
	default:
		err = fmt.Errorf("unknown key: want one of summary, start, line-rate, steps, not-run")
	}
	return err
}

// check refuses what no single key shows.
func (p Profile) check(name string) error {
	seen := map[string]bool{}
	for _, s := range p.Steps {
		if seen[s.Name] {
			return fmt.Errorf("%s: two steps are called %q", name, s.Name)
		}
		seen[s.Name] = true
		if p.LineRate == 0 && (s.Accept.LineRate > 0 || s.Accept.Model > 0) {
			return fmt.Errorf("%s: step %q is held against the rate of the links: say line-rate, such as 400Gbit", name, s.Name)
		}
	}
	return nil
}

// place puts a place before an error.
func place(at string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}

func eachItem(name, key string, list ast.Node, do func(ast.Node) error) error {
	sequence, ok := list.(*ast.SequenceNode)
	if !ok || len(sequence.Values) == 0 {
		return fmt.Errorf("%s: %s: want a list", keyfile.Place(name, list), key)
	}
	for _, node := range sequence.Values {
		if err := do(node); err != nil {
			return err
		}
	}
	return nil
}

// stepKeys are the keys of a step; the first four are its command.
var stepKeys = []string{"run", "train", "doctor", "storage", "name", "launches", "optional", "accept"}

func (p *Profile) addStep(name string, node ast.Node) error {
	s := Step{Launches: 1}
	err := keyfile.EachKey(name, node, "name, run, accept", func(key string, value ast.Node, at string) (err error) {
		switch {
		case !slices.Contains(stepKeys, key):
			return fmt.Errorf("%s: unknown key: want one of %s", at, strings.Join(stepKeys, ", "))
		case slices.Contains(stepKeys[:4], key) && s.Kind != "":
			return fmt.Errorf("%s: the step has a command already, %s: want one", at, s.Kind)
		case slices.Contains(stepKeys[:4], key):
			s.Kind = Kind(key)
			s.Arguments, err = arguments(name, s.Kind, value)
			return err
		case key == "accept":
			return keyfile.EachKey(name, value, "model, line-rate", func(key string, value ast.Node, at string) error {
				word, err := keyfile.Text(value)
				if err == nil {
					err = s.Accept.set(key, word)
				}
				return place(at, err)
			})
		}
		word, err := keyfile.Text(value)
		switch {
		case err != nil:
		case key == "name":
			s.Name = word
		case key == "launches":
			s.Launches, err = strconv.Atoi(word)
			if err != nil || s.Launches < 1 || s.Launches > mostLaunches {
				err = fmt.Errorf("%q: want a whole number, 1 … %d", word, mostLaunches)
			}
		case key == "optional":
			s.Optional, err = strconv.ParseBool(word)
		}
		return place(at, err)
	})
	if err == nil && s.Kind == "" {
		err = fmt.Errorf("%s: the step has no command: want one of %s", keyfile.Place(name, node), strings.Join(stepKeys[:4], ", "))
	}
	if err == nil && s.Name == "" {
		err = fmt.Errorf("%s: the step has no name", keyfile.Place(name, node))
	}
	if err == nil {
		err = place(keyfile.Place(name, node), s.check())
	}
	p.Steps = append(p.Steps, s)
	return err
}

// mostLaunches bounds slips of the pen.
const mostLaunches = 1000

// storageKeys are the flags of storage that a profile may set.
var storageKeys = []string{"directory", "bytes", "block", "threads"}

// arguments makes flags of a step's settings. What a runner sets itself is none of a profile's.
func arguments(name string, kind Kind, node ast.Node) (words []string, err error) {
	var known []string
	example := ""
	switch kind {
	case Doctor:
		known, example = []string{"profile", "fail-on"}, "profile"
	case Storage:
		known, example = storageKeys, "directory"
	case Train:
		known, example = []string{"compute", "bytes", "algorithm", "dtype", "iterations", "warmup", "budget", "backend", "ranks", "timeout"}, "bytes, compute"
	case Run:
		known, example = append(bench.Keys(), "timeout"), "collective, bytes"
		known = slices.DeleteFunc(known, func(k string) bool {
			return slices.Contains([]string{"out", "append", "format", "launches", "seed"}, k)
		})
	}
	err = keyfile.EachKey(name, node, example, func(key string, value ast.Node, at string) error {
		if !slices.Contains(known, key) {
			return fmt.Errorf("%s: unknown key: want one of %s", at, strings.Join(known, ", "))
		}
		word, err := keyfile.Text(value)
		words = append(words, "--"+key+"="+word)
		return place(at, err)
	})
	if err == nil && kind == Train {
		words, err = trainArguments(words)
		err = place(keyfile.Place(name, node), err)
	}
	return words, err
}

// trainArguments are those of run: the all-reduce of a bucket by itself, and with computing beside it.
func trainArguments(words []string) ([]string, error) {
	compute := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, computeFlag) })
	bytes := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "--bytes=") })
	if compute < 0 || bytes < 0 || strings.ContainsAny(words[bytes], ",:") {
		return nil, fmt.Errorf("want bytes, the size of one bucket, and compute, the time of computing beside it")
	}
	words[compute] = "--variant=default|compute=" + strings.TrimPrefix(words[compute], computeFlag)
	return append([]string{"--collective=all_reduce"}, words...), nil
}

const computeFlag = "--compute="
