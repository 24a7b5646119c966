package reports

import (
	"strconv"
	"strings"
	"unicode"
)

// oneLine makes foreign text safe for a terminal and for a format of lines: whatever is not printable, such as an
// escape sequence in a host name, becomes a question mark, line ends and tabs become spaces.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, s)
}

// plural writes a number of things: "1 rank", "8 ranks".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
