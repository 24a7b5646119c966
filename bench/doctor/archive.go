package doctor

import "strings"

// A recording is a txtar archive: text, then sections of lines, each below a line "-- NAME --". What reads it here is
// a few lines of our own, as golang.org/x/tools/txtar and its copies panic on a line "-- --".
// Source of the format: https://pkg.go.dev/golang.org/x/tools/txtar

// section is one part of an archive.
type section struct{ name, text string }

// marked is the name in a line that begins a section.
func marked(line string) (name string, ok bool) {
	line = strings.TrimRight(line, "\r\n")
	if len(line) < len("-- x --") || !strings.HasPrefix(line, "-- ") || !strings.HasSuffix(line, " --") {
		return "", false
	}
	name = strings.TrimSpace(line[len("-- ") : len(line)-len(" --")])
	return name, name != ""
}

// parseArchive splits a text into what stands before the first section and the sections.
func parseArchive(text string) (comment string, sections []section) {
	var b strings.Builder
	end := func() {
		if len(sections) == 0 {
			comment = b.String()
		} else {
			sections[len(sections)-1].text = b.String()
		}
		b.Reset()
	}
	for line := range strings.Lines(text) {
		if name, ok := marked(line); ok {
			end()
			sections = append(sections, section{name: name})
			continue
		}
		b.WriteString(line)
	}
	end()
	return comment, sections
}

// holds says whether a text comes back from an archive as it was: whole lines, none of which begins a section.
func holds(text string) bool {
	for line := range strings.Lines(text) {
		if _, ok := marked(line); ok {
			return false
		}
	}
	return text == "" || strings.HasSuffix(text, "\n")
}

// formatArchive writes an archive.
func formatArchive(comment string, sections []section) []byte {
	var b strings.Builder
	b.WriteString(comment)
	for _, s := range sections {
		b.WriteString("-- " + s.name + " --\n" + s.text)
	}
	return []byte(b.String())
}
