package doctor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const pciDevices = "sys/bus/pci/devices"

// The vendors and classes that matter here.
const (
	nvidia   = 0x10de
	mellanox = 0x15b3

	classNetwork = 0x02
	classDisplay = 0x03
)

// pciDevice is one function on the PCI bus.
type pciDevice struct {
	Address        string // "0000:06:00.0"
	Vendor, Device uint32
	Class          uint32 // base class
}

// at is the path of one of the device's files.
func (d pciDevice) at(file string) string { return path.Join(pciDevices, d.Address, file) }

var modalias = regexp.MustCompile(`^pci:v([0-9A-F]{8})d([0-9A-F]{8})sv[0-9A-F]{8}sd[0-9A-F]{8}bc([0-9A-F]{2})`)

// readPCI lists the functions on the PCI bus. Functions that do not tell what they are make it an error: they could
// be what is looked for.
func (v *View) readPCI() ([]pciDevice, error) {
	names, err := v.list(pciDevices)
	if err != nil {
		return nil, err
	}
	var devices []pciDevice
	for _, name := range names {
		d := pciDevice{Address: name}
		text, err := v.read(d.at("modalias"))
		if err != nil {
			return nil, err
		}
		m := modalias.FindStringSubmatch(text)
		if m == nil {
			return nil, fmt.Errorf("%s: %q is not the modalias of a PCI device", d.at("modalias"), text)
		}
		for i, to := range []*uint32{&d.Vendor, &d.Device, &d.Class} {
			n, _ := strconv.ParseUint(m[i+1], 16, 32) // the pattern admits nothing else
			*to = uint32(n)
		}
		devices = append(devices, d)
	}
	return devices, nil
}

var pciAddress = regexp.MustCompile(`^` + bdf + `$`)

// chain is a function's place in the tree: the root bus ("pci0000:00"), the bridges from there on, and itself.
func (v *View) chain(address string) ([]string, error) {
	name := path.Join(pciDevices, address)
	target, err := v.link(name)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(target, "/")
	first := slices.IndexFunc(parts, func(p string) bool { return pciAddress.MatchString(p) })
	if first < 1 {
		return nil, fmt.Errorf("%s: %q is not a place on the PCI bus", name, target)
	}
	return parts[first-1:], nil
}

// distance is how far two functions are apart, in the words of nvidia-smi topo and NCCL.
type distance int

const (
	pix  distance = iota // at most one PCIe switch between them
	pxb                  // several switches, no host bridge
	phb                  // a host bridge of the same root complex
	node                 // host bridges of one NUMA node
	sys                  // across NUMA nodes
)

func (d distance) String() string { return []string{"PIX", "PXB", "PHB", "NODE", "SYS"}[d] }

// between is the distance of two chains. Functions below different root buses are at most node apart, if their NUMA
// nodes are known and equal.
func between(a, b []string, sameNode bool) distance {
	common := 0
	for common < len(a) && common < len(b) && a[common] == b[common] {
		common++
	}
	// Below the last common bridge, the upstream port of a switch, each function has its downstream port.
	longest := max(len(a), len(b)) - common
	switch {
	case common == 0 && sameNode:
		return node
	case common == 0:
		return sys
	case common == 1:
		return phb
	case longest <= 2:
		return pix
	}
	return pxb
}

// numaNode is the NUMA node of a function; -1: the firmware does not say.
func (v *View) numaNode(d pciDevice) (int, error) {
	text, err := v.read(d.at("numa_node"))
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not a number", d.at("numa_node"), text)
	}
	return n, nil
}

// driver is the name of the kernel's driver that a function is bound to; "" if to none.
func (v *View) driver(d pciDevice) (string, error) {
	target, err := v.link(d.at("driver"))
	if isAbsent(err) {
		return "", nil
	}
	return path.Base(target), err
}

// Offsets and ids of PCI configuration space: PCI Local Bus 3.0 §6, PCI Express Base §7.
const (
	headerLength   = 64 // all that a user without privileges may read
	capabilities   = 0x34
	legacyLength   = 256
	vendorSpecific = 0x09
	extACS         = 0x0d
	extATS         = 0x0f
)

// errPrivilege says that only the header of a configuration space could be read.
var errPrivilege = errors.New("only the first 64 bytes can be read without privilege")

// config reads a function's configuration space.
func (v *View) config(d pciDevice) ([]byte, error) {
	text, err := v.raw(d.at("config"))
	if err == nil && len(text) <= headerLength {
		err = fmt.Errorf("%s: %w", d.at("config"), errPrivilege)
	}
	return text, err
}

// legacy calls f with the offset and id of each capability of the first 256 bytes.
func legacy(config []byte, f func(at int, id byte)) {
	if len(config) < legacyLength || config[6]&0x10 == 0 { // status: capabilities list
		return
	}
	at := int(config[capabilities]) &^ 3
	for hops := 0; at >= headerLength && hops < 48; hops++ {
		f(at, config[at])
		at = int(config[at+1]) &^ 3
	}
}

// vendorCapability is the vendor-specific capability, whose third byte is its length; nil if there is none.
func vendorCapability(config []byte) (found []byte) {
	legacy(config, func(at int, id byte) {
		if id == vendorSpecific && found == nil {
			found = config[at:min(legacyLength, at+max(3, int(config[at+2])))]
		}
	})
	return found
}

// extended calls f with the offset and id of each extended capability.
func extended(config []byte, f func(at int, id uint16)) {
	at := legacyLength
	for hops := 0; at >= legacyLength && at+8 <= len(config) && hops < 960; hops++ {
		header := binary.LittleEndian.Uint32(config[at:])
		if header == 0 || header == 0xffffffff {
			return
		}
		f(at, uint16(header))
		at = int(header>>20) &^ 3
	}
}

// control is the 16 bits at offset 6 of an extended capability, where both ACS and ATS have their control register.
func control(config []byte, id uint16) (value uint16, ok bool) {
	extended(config, func(at int, found uint16) {
		if found == id {
			value, ok = binary.LittleEndian.Uint16(config[at+6:]), true
		}
	})
	return value, ok
}

// isVGPU says whether a vendor-specific capability is that of a virtual GPU.
// Source: https://github.com/NVIDIA/k8s-device-plugin/tree/main/internal/vgpu
func isVGPU(vendor []byte) bool { return len(vendor) >= 5 && vendor[3] == 'V' && vendor[4] == 'F' }

// records calls f with the offset, id and content of each record of a virtual GPU's capability: from byte 5 on there
// are records of an id, a length with both, and content.
func records(vendor []byte, f func(at int, id byte, content []byte)) {
	for at := 5; at+2 <= len(vendor); {
		length := int(vendor[at+1])
		if length < 2 || at+length > len(vendor) {
			return
		}
		f(at, vendor[at], vendor[at+2:at+length])
		at += length
	}
}

// hostDriver is the version and branch of the driver on the hypervisor: ten bytes each of record 0.
func hostDriver(vendor []byte) (version, branch string, ok bool) {
	records(vendor, func(_ int, id byte, content []byte) {
		if id == 0 && len(content) >= 20 && !ok {
			version, branch, ok = strings.TrimRight(string(content[:10]), "\x00"), strings.TrimRight(string(content[10:20]), "\x00"), true
		}
	})
	return version, branch, ok
}

// keepConfig keeps of a configuration space its header, the chains of capabilities and the contents that checks read.
// Serial numbers are among what goes.
func keepConfig(config []byte) []byte {
	kept := make([]byte, len(config))
	keep := func(from, length int) {
		from = min(from, len(config))
		copy(kept[from:min(len(config), from+length)], config[from:])
	}
	keep(0, headerLength)
	legacy(config, func(at int, _ byte) { keep(at, 3) })
	if vendor := vendorCapability(config); isVGPU(vendor) {
		start := cap(config) - cap(vendor)
		keep(start, 5)
		records(vendor, func(at int, id byte, content []byte) {
			keep(start+at, 2)
			if id == 0 {
				keep(start+at, 22)
			}
		})
	}
	extended(config, func(at int, id uint16) {
		keep(at, 4)
		if id == extACS || id == extATS {
			keep(at, 8)
		}
	})
	return kept
}
