// Package section replaces a generated part of a document, so that tables in docs/ come from the programs that
// measure them.
package section

import (
	"fmt"
	"os"
	"strings"
)

// Replace puts the text between the marks "<!-- NAME: begin -->" and "<!-- NAME: end -->" of a file.
func Replace(path, name, text string) error {
	begin, end := fmt.Sprintf("<!-- %s: begin -->\n", name), fmt.Sprintf("<!-- %s: end -->", name)
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(old), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return fmt.Errorf("%s: no section between %q and %q", path, strings.TrimSpace(begin), end)
	}
	return os.WriteFile(path, []byte(before+begin+text+end+after), 0o644)
}
