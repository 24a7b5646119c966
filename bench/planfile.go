package bench

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// PlanFile is what a plan file says: settings for the whole run, and blocks of settings that are laid over them
// one after the other. Without blocks there is one empty block.
type PlanFile struct {
	Settings Settings
	Blocks   []Settings
}

// maxPlan bounds a plan file in bytes.
const maxPlan = 1 << 20

// ParsePlan reads a plan in YAML. Its keys are the long names of the flags, or "cases", a list of blocks of such
// keys. Every error begins with the file's name, the line and the column.
func ParsePlan(name string, text []byte) (PlanFile, error) {
	plan := PlanFile{Settings: Settings{}}
	if len(text) > maxPlan {
		return plan, fmt.Errorf("%s: %d bytes: a plan has at most %d", name, len(text), maxPlan)
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return plan, yamlError(name, err)
	}
	if len(file.Docs) > 1 {
		return plan, fmt.Errorf("%s: %d documents: want one", name, len(file.Docs))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return plan, fmt.Errorf("%s: empty: want keys such as collective, algorithm, bytes", name)
	}
	err = eachKey(name, file.Docs[0].Body, func(key string, value ast.Node, at string) error {
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
		return nil, fmt.Errorf("%s: cases: want a list of blocks", place(name, list.GetToken()))
	}
	var blocks []Settings
	for _, node := range sequence.Values {
		block := Settings{}
		err := eachKey(name, node, func(key string, value ast.Node, at string) error {
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

// eachKey calls do for every key of a mapping, with the place of the key.
func eachKey(name string, node ast.Node, do func(key string, value ast.Node, at string) error) error {
	var values []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		return fmt.Errorf("%s: want keys such as collective, algorithm, bytes", place(name, node.GetToken()))
	}
	seen := map[string]bool{}
	for _, v := range values {
		key := v.Key.GetToken().Value
		at := place(name, v.Key.GetToken()) + ": " + key
		if seen[key] {
			return fmt.Errorf("%s: given twice", at)
		}
		seen[key] = true
		if err := do(key, v.Value, at); err != nil {
			return err
		}
	}
	return nil
}

func (s Settings) add(known []string, key string, value ast.Node, at string) error {
	if !slices.Contains(known, key) {
		return fmt.Errorf("%s: unknown key: want one of %s", at, strings.Join(known, ", "))
	}
	text, err := scalar(value)
	if sequence, ok := value.(*ast.SequenceNode); ok {
		var items []string
		for _, item := range sequence.Values {
			word, itemErr := scalar(item)
			if itemErr != nil {
				return fmt.Errorf("%s: %w", at, itemErr)
			}
			items = append(items, word)
		}
		text, err = strings.Join(items, ","), nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	s[key] = Setting{Text: text, Place: at}
	return nil
}

// scalar is the text of a plain value, as it was written.
func scalar(node ast.Node) (string, error) {
	switch node.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return node.GetToken().Value, nil
	}
	return "", fmt.Errorf("want a plain value or a list of plain values")
}

func place(name string, t *token.Token) string {
	if t == nil || t.Position == nil {
		return name
	}
	return fmt.Sprintf("%s:%d:%d", name, t.Position.Line, t.Position.Column)
}

// yamlError turns "[3:1] what is wrong" and the source lines below it into one line with the place.
func yamlError(name string, err error) error {
	first, _, _ := strings.Cut(err.Error(), "\n")
	if at, what, ok := strings.Cut(strings.TrimPrefix(first, "["), "] "); ok {
		return fmt.Errorf("%s:%s: %s", name, at, what)
	}
	return fmt.Errorf("%s: %s", name, first)
}
