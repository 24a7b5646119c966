// Package abi reads what a C header says of types, constants and functions, by compiling a small program against it,
// and keeps it in tables.
//
// It is for tests alone: packages under cgo declare the vendors' types by themselves, and their tests hold those
// declarations against tables derived from the vendors' headers, and against the headers that are installed.
package abi

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// A fact is named by its kind and what it is about:
//
//	size T       bytes of the type T
//	field T f    "offset+bytes" of the field f of T, as in "8+4"
//	value X      a constant
//	type f       what passes through a call of the function f: "4(p,8,*4)" is 4 bytes of integer from a pointer to
//	             something unknown, 8 bytes of integer and a pointer to 4 bytes
//	call T f     the same of the field f, a pointer to a function, of T

// Absent is what a table has for what a header lacks.
const Absent = "-"

// Header is a header as a program sees it.
type Header struct {
	Prologue string   // C++ that includes it
	Folders  []string // where to look for it
}

//go:embed probe.txt
var probe string

// Compiler finds a C++ compiler.
func Compiler() (string, error) {
	for _, name := range []string{"c++", "g++"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no C++ compiler (g++) to read headers with")
}

// Read asks the header for the facts. A fact that does not compile is Absent.
func (h Header) Read(facts []string) (map[string]string, error) {
	compiler, err := Compiler()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "abi")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	answers := map[string]string{}
	for { // until what is left compiles
		said, err := h.compile(compiler, folder, facts, answers)
		if err == nil {
			break
		}
		missing := refused.FindAllStringSubmatch(said, -1)
		if len(missing) == 0 {
			return nil, fmt.Errorf("%w\n%s", err, said)
		}
		for _, m := range missing {
			line, _ := strconv.Atoi(m[1])
			answers[facts[line-1]] = Absent
		}
	}
	output, err := exec.Command(filepath.Join(folder, "probe")).Output()
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(output)) {
		fact, answer, _ := strings.Cut(strings.TrimSpace(line), "\t")
		answers[fact] = answer
	}
	return answers, nil
}

// refused finds the facts, by number, that the compiler found wrong.
var refused = regexp.MustCompile(`(?m)^facts:(\d+):\d+: error:`)

// compile makes the program that prints the facts without an answer, and returns what the compiler said.
func (h Header) compile(compiler, folder string, facts []string, answers map[string]string) (string, error) {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n%s\nint main() {\n", h.Prologue, probe)
	for i, fact := range facts {
		if answers[fact] != "" {
			continue
		}
		expression, err := expression(fact)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, "#line %d \"facts\"\nprintf(\"%%s\\t\", %q); %s; puts(\"\");\n", i+1, fact, expression)
	}
	text.WriteString("}\n")
	source := filepath.Join(folder, "probe.cpp")
	if err := os.WriteFile(source, []byte(text.String()), 0o600); err != nil {
		return "", err
	}
	arguments := []string{"-std=c++17", "-w", "-o", filepath.Join(folder, "probe"), source}
	for _, f := range h.Folders {
		arguments = append(arguments, "-I", f)
	}
	// What is only declared is never called, so it need not be there.
	arguments = append(arguments, "-Wl,--unresolved-symbols=ignore-all")
	command := exec.Command(compiler, arguments...)
	command.Env = append(os.Environ(), "LC_ALL=C")
	said, err := command.CombinedOutput()
	return string(said), err
}

// expression is the C++ that prints the answer to a fact.
func expression(fact string) (string, error) {
	words := strings.Fields(fact)
	switch {
	case len(words) == 2 && words[0] == "size":
		return fmt.Sprintf(`printf("%%zu", sizeof(%s))`, words[1]), nil
	case len(words) == 3 && words[0] == "field":
		return fmt.Sprintf(`printf("%%zu+%%zu", offsetof(%[1]s, %[2]s), sizeof(((%[1]s *)0)->%[2]s))`, words[1], words[2]), nil
	case len(words) == 2 && words[0] == "value":
		return fmt.Sprintf(`printf("%%lld", (long long)(%s))`, words[1]), nil
	case len(words) == 2 && words[0] == "type":
		return fmt.Sprintf(`signature((decltype(&%s))0)`, words[1]), nil
	case len(words) == 3 && words[0] == "call":
		return fmt.Sprintf(`signature(decltype(((%s *)0)->%s)())`, words[1], words[2]), nil
	}
	return "", fmt.Errorf("%q is no fact", fact)
}
