package bench

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A variant is what How.Variant holds: the name of one that the backend knows, or settings of the environment as they
// are, "UCX_TLS=tcp;UCX_NET_DEVICES=eth0". Each is measured by processes of its own.

// PacedVariant marks what was measured with links that are held back by their senders.
const PacedVariant = "links=paced"

// plainVariant is how the empty variant is asked for.
const plainVariant = "default"

// readVariants reads the setting: variants separated by "|", because values hold commas.
func readVariants(s Settings) ([]string, error) {
	text := s.Text("variant")
	if text == "" {
		return []string{""}, nil
	}
	var list []string
	for v := range strings.SplitSeq(text, "|") {
		v = canonicalVariant(v)
		switch {
		case v == "":
			return nil, s.Errorf("variant", "%q: an empty variant: say %s for the plain one", text, plainVariant)
		case v == plainVariant:
			v = ""
		}
		if err := checkVariant(v); err != nil {
			return nil, s.Errorf("variant", "%w", err)
		}
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list, nil
}

// canonicalVariant is a variant without the blanks around its settings.
func canonicalVariant(v string) string {
	parts := strings.Split(v, ";")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return strings.Join(parts, ";")
}

// variable is a setting of the environment; backends' own settings have names in small letters.
var variable = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*=`)

// reserved are variables by which collbench's processes find each other, or which make them something else.
var reserved = regexp.MustCompile(`^(COLLBENCH|PMI|PMIX|OMPI_COMM_WORLD|LD|GOTRACEBACK|PATH)(_|=)`)

func checkVariant(v string) error {
	for _, part := range strings.Split(v, ";") {
		if reserved.MatchString(part) && !strings.HasPrefix(part, "LD_LIBRARY_PATH=") {
			name, _, _ := strings.Cut(part, "=")
			return fmt.Errorf("%s cannot be set by a variant", name)
		}
	}
	return nil
}

// VariantEnvironment splits a variant into the settings of the environment in it, "NAME=VALUE", and the rest, which is
// the backend's to know.
func VariantEnvironment(variant string) (environment []string, rest string) {
	var others []string
	for part := range strings.SplitSeq(variant, ";") {
		switch {
		case variable.MatchString(part):
			environment = append(environment, part)
		case part != "":
			others = append(others, part)
		}
	}
	return environment, strings.Join(others, ";")
}
