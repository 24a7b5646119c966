package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocumentedCommands runs every collbench command of the README and of docs/ in the order of the page, in a
// folder of its own, so that no page promises what does not work. A command stands in a block marked sh and begins
// its line with "collbench".
func TestDocumentedCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("runs real measurements: left out by -short")
	}
	binary := filepath.Join(t.TempDir(), "collbench")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for _, line := range documentedCommands(string(text)) {
			found++
			cmd := exec.Command("sh", "-c", line)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if _, err := cmd.Output(); err != nil && cmd.ProcessState.ExitCode() != exitInconclusive {
				t.Errorf("%s: %s: %v\n%s", filepath.Base(page), line, err, stderr.String())
			}
		}
	}
	if found == 0 {
		t.Error("no command found in the docs")
	}
}

// documentedCommands takes the commands out of a page.
func documentedCommands(page string) (commands []string) {
	inside := false
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		switch {
		case line == "```sh":
			inside = true
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside && strings.HasPrefix(line, "collbench "):
			commands = append(commands, line)
		}
	}
	return commands
}
