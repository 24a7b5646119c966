package formats

import (
	"bytes"
	"regexp"
	"strings"
)

// Text is a log in lines, freed from what launchers, terminals and web pages put around them.
type Text struct {
	Data  []byte
	Lines []Line

	counted int64 // bytes whose line ends lineAt has counted
	ends    int
}

// Line is one line of a log.
type Line struct {
	Number int    // from 1
	Raw    string // without the line's end and the terminal's colours
	Text   string // without prefixes and the space around it
}

var (
	escape = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

	// prefixes are what launchers and log collectors put before a line.
	prefixes = []*regexp.Regexp{
		regexp.MustCompile(`^\[[^\]\s<>]*\d+,\d+\]<(?:stdout|stderr|stddiag)>: ?`),                             // mpirun --tag-output
		regexp.MustCompile(`^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?[: ]\s*`), // kubectl, GitHub Actions
		regexp.MustCompile(`^\s*\d+: `),                       // srun --label
		regexp.MustCompile(`^\[\d+\] ?`),                      // hydra -prepend-rank
		regexp.MustCompile(`^[A-Za-z][\w.-]*\d[\w.-]*\s+\| `), // docker compose: "worker-0  | "
		regexp.MustCompile(`^> `),                             // a quotation in Markdown
	}
	// host is the prefix of pdsh and clush, which is taken off only before a table's lines: other messages begin so too.
	host      = regexp.MustCompile(`^[A-Za-z][\w.-]*\d[\w.-]*: +`)
	tableLine = regexp.MustCompile(`^(#|\d+\s+\d)`)
	glued     = regexp.MustCompile(`\[\d+\] ?`)
)

// NewText splits a log into lines. A line that was overwritten on the terminal (carriage return) counts as what was
// to be seen at last.
func NewText(data []byte) *Text {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	t := &Text{Data: data}
	number := 0
	for raw := range strings.Lines(string(data)) {
		number++
		raw = strings.TrimRight(raw, "\r\n")
		if i := strings.LastIndexByte(raw, '\r'); i >= 0 {
			raw = raw[i+1:]
		}
		if strings.IndexByte(raw, '\x1b') >= 0 {
			raw = escape.ReplaceAllString(raw, "")
		}
		t.Lines = append(t.Lines, Line{number, raw, clean(raw)})
	}
	return t
}

// maxPrefix is the most bytes that a prefix may have.
const maxPrefix = 80

// clean takes prefixes, a trailing pipe and space off a line.
func clean(text string) string {
	for range len(prefixes) {
		if !strings.ContainsAny(text[:min(len(text), maxPrefix)], ":|>]") {
			break // as most rows of tables
		}
		before := len(text)
		for _, p := range prefixes {
			if at := p.FindStringIndex(text); at != nil {
				text = text[at[1]:]
			}
		}
		if at := host.FindStringIndex(text); at != nil && tableLine.MatchString(text[at[1]:]) {
			text = text[at[1]:]
		}
		if len(text) == before {
			break
		}
	}
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "|") && !strings.HasPrefix(text, "+") {
		text = strings.TrimRight(text, "|│ \t")
	}
	return text
}

// has says whether a line matches. A line without the word can't, and need not be looked at closely.
func (t *Text) has(word string, re *regexp.Regexp) bool {
	if !bytes.Contains(t.Data, []byte(word)) {
		return false
	}
	for _, line := range t.Lines {
		if strings.Contains(line.Text, word) && re.MatchString(line.Text) {
			return true
		}
	}
	return false
}

// isJSON says whether the text is a JSON object that holds every one of the keys.
func (t *Text) isJSON(keys ...string) bool {
	if !bytes.HasPrefix(bytes.TrimSpace(t.Data), []byte("{")) {
		return false
	}
	for _, k := range keys {
		if !bytes.Contains(t.Data, []byte(`"`+k+`"`)) {
			return false
		}
	}
	return true
}

// lineAt is the number of the line that holds the byte at an offset. Offsets that grow are cheap.
func (t *Text) lineAt(offset int64) int {
	offset = min(offset, int64(len(t.Data)))
	if offset < t.counted {
		t.counted, t.ends = 0, 0
	}
	t.ends += bytes.Count(t.Data[t.counted:offset], []byte("\n"))
	t.counted = offset
	return 1 + t.ends
}
