package bench

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"collbench/bench/keyfile"
)

// PlanFile is what a plan file says: settings for the whole run, and blocks of settings that are laid over them
// one after the other. Without blocks there is one empty block.
type PlanFile struct {
	Settings Settings
	Blocks   []Settings
}

// planKeys are some, for who wrote none.
const planKeys = "collective, algorithm, bytes"

// ParsePlan reads a plan in YAML. Its keys are the long names of the flags, or "cases", a list of blocks of such
// keys. Every error begins with the file's name, the line and the column.
func ParsePlan(name string, text []byte) (PlanFile, error) {
	plan := PlanFile{Settings: Settings{}}
	root, err := keyfile.Parse(name, text, planKeys)
	if err != nil {
		return plan, err
	}
	err = keyfile.EachKey(name, root, planKeys, func(key string, value ast.Node, at string) error {
		if key == "cases" {
			plan.Blocks, err = parseBlocks(name, value)
			return err
		}
		return plan.Settings.add(Keys(), key, value, at)
	})
	if plan.Blocks == nil {
		plan.Blocks = []Settings{{}}
	}
	return plan, err
}

func parseBlocks(name string, list ast.Node) ([]Settings, error) {
	sequence, ok := list.(*ast.SequenceNode)
	if !ok || len(sequence.Values) == 0 {
		return nil, fmt.Errorf("%s: cases: want a list of blocks", keyfile.Place(name, list))
	}
	var blocks []Settings
	for _, node := range sequence.Values {
		block := Settings{}
		err := keyfile.EachKey(name, node, planKeys, func(key string, value ast.Node, at string) error {
			if slices.Contains(runKeys, key) || slices.Contains(outputKeys, key) {
				return fmt.Errorf("%s: holds for the whole run: it belongs outside of cases", at)
			}
			return block.add(caseKeys, key, value, at)
		})
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, block)
	}
	return blocks, nil
}

func (s Settings) add(known []string, key string, value ast.Node, at string) error {
	if !slices.Contains(known, key) {
		return fmt.Errorf("%s: unknown key: want one of %s", at, strings.Join(known, ", "))
	}
	text, err := keyfile.Text(value)
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	s[key] = Setting{Text: text, Place: at}
	return nil
}
