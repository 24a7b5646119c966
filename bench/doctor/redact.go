package doctor

import (
	"fmt"
	"regexp"
	"strings"
)

// redactor takes out of a text what names a machine, a network or a person. It is the second line of defence: what a
// source keeps is already an allow-list. What is equal stays equal: each distinct address gets a number of its own.
type redactor struct {
	host    *regexp.Regexp // nil: no name is known
	numbers map[string]int
}

func newRedactor(host string) *redactor {
	r := &redactor{numbers: map[string]int{}}
	if short, _, _ := strings.Cut(host, "."); len(short) > 1 {
		// With what follows of a full name, wherever it does not stand within a word.
		r.host = regexp.MustCompile(`(?i)(^|[^a-z0-9])` + regexp.QuoteMeta(strings.ToValidUTF8(short, "")) + `(\.[a-z0-9.-]+)?($|[^a-z0-9])`)
	}
	return r
}

// identities are patterns of what names something, and what takes its place, with the number of the distinct value.
var identities = []struct {
	pattern *regexp.Regexp
	as      string
}{
	{regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "uuid-%d"},
	{regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+`), "user-%d"},
	{regexp.MustCompile(`(?i)\b[0-9a-f]{2}(:[0-9a-f]{2}){5,19}\b`), "mac-%d"},
	{regexp.MustCompile(`\benx[0-9a-f]{12}\b`), "enx%d"},
	{regexp.MustCompile(`(?i)\b[0-9a-f]{4}(:[0-9a-f]{4}){3}\b(:[0-9a-f]{4}){0,4}`), "guid-%d"},
	{regexp.MustCompile(`(?i)\b[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}\b`), "ip-%d"},
	{regexp.MustCompile(`(?i)\b[0-9a-f]{1,4}(:[0-9a-f]{1,4}){0,6}::([0-9a-f]{1,4}(:[0-9a-f]{1,4}){0,6})?`), "ip-%d"},
	// The first alternative is a VBIOS version, which stays.
	{regexp.MustCompile(`\b[0-9A-F]{2}(\.[0-9A-F]{2}){4}\b|\b[0-9]{1,3}(\.[0-9]{1,3}){3}\b`), "ip-%d"},
	{regexp.MustCompile(`(?i)\b(0x)?[0-9a-f]{16}\b`), "guid-%d"},
	{regexp.MustCompile(`(?i)(^|/)(home|users)/[^/\s:]+`), "home/user-%d"},
	{regexp.MustCompile(`\b[A-Za-z0-9+_]{32,}={0,2}`), "secret-%d"},
}

// text redacts a text.
func (r *redactor) text(text string) string {
	for _, id := range identities {
		text = id.pattern.ReplaceAllStringFunc(text, func(value string) string {
			if strings.Count(value, ".") == 4 && !strings.Contains(value, "@") {
				return value
			}
			rest := strings.TrimPrefix(value, "/") // of a path, which fs.FS has without
			return value[:len(value)-len(rest)] + fmt.Sprintf(id.as, r.number(strings.ToLower(rest)))
		})
	}
	for range 2 { // the separator behind one name may be the one before the next
		if r.host != nil {
			text = r.host.ReplaceAllString(text, "${1}host${3}")
		}
	}
	return text
}

func (r *redactor) number(value string) int {
	if _, ok := r.numbers[value]; !ok {
		r.numbers[value] = len(r.numbers) + 1
	}
	return r.numbers[value]
}
