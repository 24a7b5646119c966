// Package keyfile reads YAML files of plain keys strictly: no key twice, and every error with file, line and column.
//
// It stands where a plan or a policy comes in as a file.
package keyfile

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// MaxBytes bounds a file.
const MaxBytes = 1 << 20

// Parse reads the one document of a file. example names some keys, for who wrote none.
func Parse(name string, text []byte, example string) (ast.Node, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("%s: %d bytes: such a file has at most %d", name, len(text), MaxBytes)
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, syntaxError(name, err)
	}
	if len(file.Docs) > 1 {
		return nil, fmt.Errorf("%s: %d documents: want one", name, len(file.Docs))
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s: empty: want keys such as %s", name, example)
	}
	return file.Docs[0].Body, nil
}

// EachKey calls do for every key of a mapping, with the place of the key and its name: "plan.yaml:3:1: bytes".
func EachKey(name string, node ast.Node, example string, do func(key string, value ast.Node, at string) error) error {
	var values []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		return fmt.Errorf("%s: want keys such as %s", Place(name, node), example)
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

// Text is the text of a plain value as it was written, or of a list of plain values with commas between them.
func Text(value ast.Node) (string, error) {
	sequence, ok := value.(*ast.SequenceNode)
	if !ok {
		return scalar(value)
	}
	var items []string
	for _, item := range sequence.Values {
		word, err := scalar(item)
		if err != nil {
			return "", err
		}
		items = append(items, word)
	}
	return strings.Join(items, ","), nil
}

func scalar(node ast.Node) (string, error) {
	switch node.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return node.GetToken().Value, nil
	}
	return "", fmt.Errorf("want a plain value or a list of plain values")
}

// Place is "file:line:column" of a node.
func Place(name string, node ast.Node) string { return place(name, node.GetToken()) }

func place(name string, t *token.Token) string {
	if t == nil || t.Position == nil {
		return name
	}
	return fmt.Sprintf("%s:%d:%d", name, t.Position.Line, t.Position.Column)
}

// syntaxError turns "[3:1] what is wrong" and the source lines below it into one line with the place.
func syntaxError(name string, err error) error {
	first, _, _ := strings.Cut(err.Error(), "\n")
	if at, what, ok := strings.Cut(strings.TrimPrefix(first, "["), "] "); ok {
		return fmt.Errorf("%s:%s: %s", name, at, what)
	}
	return fmt.Errorf("%s: %s", name, first)
}
