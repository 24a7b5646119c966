package lint

import (
	"go/ast"
	"go/format"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const maxLines = 400

func TestFormatAndLength(t *testing.T) {
	for path, text := range texts(t) {
		code := slices.Contains([]string{".go", ".s", ".c", ".h", ".cpp", ".cu", ".cuh"}, filepath.Ext(path))
		if n := strings.Count(text, "\n"); code && n > maxLines {
			t.Errorf("%s has %d lines: more than %d ask to be two files", path, n, maxLines)
		}
		if strings.HasSuffix(path, ".go") {
			if formatted, err := format.Source([]byte(text)); err != nil || string(formatted) != text {
				t.Errorf("%s: gofmt would change it (%v)", path, err)
			}
		}
	}
}

// TestPackageComments demands one comment a package, beginning as go doc expects it.
func TestPackageComments(t *testing.T) {
	comments, names := map[string]int{}, map[string]string{}
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		names[f.dir] = f.syntax.Name.Name
		if f.syntax.Doc == nil {
			continue
		}
		comments[f.dir]++
		want := "Package " + f.syntax.Name.Name + " "
		if names[f.dir] == "main" {
			want = "Command " + f.dir[strings.LastIndexByte(f.dir, '/')+1:] + " "
		}
		if !strings.HasPrefix(f.syntax.Doc.Text(), want) {
			t.Errorf("%s: the package's comment must begin with %q", f.path, want)
		}
	}
	for dir := range names {
		if comments[dir] != 1 {
			t.Errorf("%s: %d package comments, want 1", dir, comments[dir])
		}
	}
}

// TestDocComments demands a comment on everything exported outside of tests; in package main nothing is exported.
func TestDocComments(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || f.syntax.Name.Name == "main" {
			continue
		}
		missing := func(at token.Pos, name string) {
			t.Errorf("%s:%d: %s is exported and has no comment", f.path, f.set.Position(at).Line, name)
		}
		for _, declaration := range f.syntax.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) && !wellKnown[d.Name.Name] {
					missing(d.Pos(), d.Name.Name)
				}
			case *ast.GenDecl:
				undocumented(d, missing)
			}
		}
	}
}

// wellKnown are methods whose contract the standard library gives, in an interface that everybody knows.
var wellKnown = map[string]bool{"Error": true, "Unwrap": true, "String": true}

// undocumented calls missing with the exported names of a declaration that has no comment. A comment on a group of
// constants or variables stands for all of it.
func undocumented(d *ast.GenDecl, missing func(token.Pos, string)) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc == nil && (d.Doc == nil || d.Lparen.IsValid()) {
				missing(s.Pos(), s.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					missing(name.Pos(), name.Name)
				}
			}
		}
	}
}

// exportedReceiver says whether a function can be reached from outside: it has no receiver, or one whose type is
// exported.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	for base := d.Recv.List[0].Type; ; {
		switch b := base.(type) {
		case *ast.StarExpr:
			base = b.X
		case *ast.IndexExpr:
			base = b.X
		case *ast.Ident:
			return b.IsExported()
		default:
			return true
		}
	}
}

// TestNoRegistration refuses init functions: what there is stands in an explicit list.
func TestNoRegistration(t *testing.T) {
	for _, f := range sources(t) {
		for _, declaration := range f.syntax.Decls {
			if d, ok := declaration.(*ast.FuncDecl); ok && d.Recv == nil && d.Name.Name == "init" && !f.test {
				t.Errorf("%s:%d: an init function", f.path, f.set.Position(d.Pos()).Line)
			}
		}
	}
}

// machinePaths finds folders of one machine: its users', and where this checkout lies. Nothing of the project may
// depend on them.
func machinePaths(t *testing.T) *regexp.Regexp {
	t.Helper()
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	folders := []string{"/home", "/root", "/Users", "/mnt", regexp.QuoteMeta(here)}
	if above := filepath.Dir(here); above != "/" && above != filepath.Clean(os.TempDir()) {
		folders = append(folders, regexp.QuoteMeta(above))
	}
	return regexp.MustCompile(`(^|[^A-Za-z0-9_.$}/])(` + strings.Join(folders, "|") + `)/[a-z.]`)
}

var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|for n` + `ow|place` + `holder|not impl` + `emented)\b`)

func TestNoMachinePathsAndNothingUnfinished(t *testing.T) {
	machinePath := machinePaths(t)
	for path, text := range texts(t) {
		if path == "internal/lint/style_test.go" || strings.HasSuffix(path, ".json") {
			continue
		}
		number := 0
		for line := range strings.Lines(text) {
			number++
			if match := machinePath.FindString(line); match != "" {
				t.Errorf("%s:%d: a path of one machine: %s", path, number, strings.TrimSpace(line))
			}
			if match := unfinished.FindString(line); match != "" {
				t.Errorf("%s:%d: %q says that something is not finished", path, number, match)
			}
		}
	}
}
