package model

import (
	"embed"
	"fmt"
	"strings"
)

// The machine files, one a machine, with a source for each constant.
//
//go:embed machines/*.json
var files embed.FS

// Generic is the name of the machine that stands for none in particular.
const Generic = "generic"

// Names lists the machines that come with the program, the generic one first.
func Names() []string { return []string{Generic, "dgx-h100", "hgx-h200", "hgx-b200"} }

// Named returns a machine that comes with the program; the error lists the names there are.
func Named(name string) (Machine, error) {
	for _, known := range Names() {
		if name != known {
			continue
		}
		data, err := files.ReadFile("machines/" + name + ".json")
		if err != nil {
			return Machine{}, fmt.Errorf("machine %s: %w", name, err)
		}
		m, err := Parse(data)
		if err != nil {
			return Machine{}, fmt.Errorf("machine %s: %w", name, err)
		}
		return m, nil
	}
	return Machine{}, fmt.Errorf("unknown machine %q: want one of %s", name, strings.Join(Names(), ", "))
}
