package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "collbench"
)

// file is one Go file of the module, parsed whatever its build constraints are.
type file struct {
	path   string // relative to the module, with slashes
	dir    string // of the package; "." for the module itself
	test   bool
	text   string
	syntax *ast.File
	set    *token.FileSet
}

// sources parses all Go files of the tree. It asks the files themselves and not `go list`, whose answer Go's test
// cache would keep when a file changes.
func sources(t *testing.T) []file {
	t.Helper()
	var files []file
	for path, text := range texts(t) {
		if !strings.HasSuffix(path, ".go") {
			continue
		}
		set := token.NewFileSet()
		syntax, err := parser.ParseFile(set, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		dir := "."
		if i := strings.LastIndexByte(path, '/'); i >= 0 {
			dir = path[:i]
		}
		files = append(files, file{path, dir, strings.HasSuffix(path, "_test.go"), text, syntax, set})
	}
	if len(files) < 20 {
		t.Fatalf("only %d Go files found: the test looks in the wrong place", len(files))
	}
	return files
}

// texts are the project's files that people write, by path: hidden folders, what is built and runs are left out.
func texts(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	skipped := map[string]bool{"bin": true, "build": true, "runs": true, "testdata": true}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		if entry.IsDir() {
			if name != "." && name != ".ci" && (strings.HasPrefix(entry.Name(), ".") || skipped[entry.Name()]) {
				return filepath.SkipDir
			}
			return nil
		}
		written := strings.HasPrefix(name, "scripts/") || strings.HasPrefix(name, ".ci/") || name == "Makefile"
		for _, end := range []string{".go", ".s", ".c", ".h", ".cpp", ".cu", ".cuh", ".md", ".sh", ".css", ".gohtml", ".json", ".yaml"} {
			written = written || strings.HasSuffix(name, end)
		}
		if !written || !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		found[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
