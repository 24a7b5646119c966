package doctor

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
)

// topologyd is the topology file that NCCL reads where NCCL_TOPO_FILE is not set.
// Source: https://github.com/NVIDIA/nccl/blob/master/src/graph/topo.cc
const topologyd = "var/run/nvidia-topologyd/virtualTopology.xml"

// topologyFile is the path of the file that NCCL_TOPO_FILE names, as fs.FS has it; "" if it names none.
func topologyFile(environ []string) string {
	for _, v := range environ {
		if name, ok := strings.CutPrefix(v, "NCCL_TOPO_FILE="); ok {
			return strings.TrimPrefix(name, "/")
		}
	}
	return ""
}

// topoElement is what NCCL's topology files consist of: a system of CPUs, PCI switches and devices, one in another.
type topoElement struct {
	XMLName  xml.Name
	BusID    string        `xml:"busid,attr,omitempty"`
	NUMA     string        `xml:"numaid,attr,omitempty"`
	Children []topoElement `xml:",any"`
}

// parseTopology reads a file into the chain of each PCI device by its address: the CPU, then the switches down to it.
func parseTopology(text []byte) (map[string][]string, error) {
	var root topoElement
	if err := xml.Unmarshal(text, &root); err != nil {
		return nil, err
	}
	if root.XMLName.Local != "system" {
		return nil, fmt.Errorf("its root is <%s>, not <system>", root.XMLName.Local)
	}
	chains := map[string][]string{}
	var walk func(e topoElement, above []string, depth int) error
	walk = func(e topoElement, above []string, depth int) error {
		if depth > 64 {
			return errors.New("more than 64 levels")
		}
		switch e.XMLName.Local {
		case "cpu":
			above = []string{"cpu" + e.NUMA}
		case "pci":
			address := shortAddress(e.BusID)
			above = append(above[:len(above):len(above)], address)
			chains[address] = above
		}
		for _, child := range e.Children {
			if err := walk(child, above, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return chains, walk(root, nil, 0)
}

// betweenTopology is the distance of two chains of a topology file, in which a switch is one element.
func betweenTopology(a, b []string) distance {
	common := 0
	for common < len(a) && common < len(b) && a[common] == b[common] {
		common++
	}
	switch longest := max(len(a), len(b)) - common; {
	case common == 0:
		return sys
	case common == 1:
		return phb
	case longest <= 1:
		return pix
	}
	return pxb
}

// keepTopology writes a topology file anew with the tree alone.
func keepTopology(text []byte) []byte {
	var root topoElement
	if err := xml.Unmarshal(text, &root); err != nil {
		return []byte(withheld + "\n")
	}
	var clean func(e *topoElement)
	clean = func(e *topoElement) {
		e.XMLName = xml.Name{Local: e.XMLName.Local}
		if !pciAddress.MatchString(strings.ToLower(e.BusID)) {
			e.BusID = ""
		}
		if !number.MatchString(e.NUMA) {
			e.NUMA = ""
		}
		known := e.Children[:0]
		for _, c := range e.Children {
			if name := c.XMLName.Local; name == "cpu" || name == "pci" {
				clean(&c)
				known = append(known, c)
			}
		}
		e.Children = known
	}
	clean(&root)
	if root.XMLName.Local != "system" {
		return []byte(withheld + "\n")
	}
	kept, err := xml.MarshalIndent(root, "", " ")
	if err != nil {
		return []byte(withheld + "\n")
	}
	return append(bytes.TrimSpace(kept), '\n')
}
