package doctor

import (
	"errors"
	"path"
	"slices"
	"strings"
)

const infiniband = "sys/class/infiniband"

// unreadRDMA is shared by the checks of RDMA devices.
var unreadRDMA = &Outcome{Status: Unknown, When: "the RDMA devices cannot be read",
	Advice: "Run where /sys is mounted: in a container, give it the host's /sys read-only."}

// rdmaDevice is an InfiniBand or RoCE device.
type rdmaDevice struct {
	Name  string // "mlx5_0"
	PCI   string // address; "" if it is not on the PCI bus (soft-RoCE)
	Ports []rdmaPort
}

// rdmaPort is a port of one. What could not be read is "".
type rdmaPort struct {
	Path                         string // folder
	Number                       string
	State, Physical, Rate, Layer string // "4: ACTIVE", "5: LinkUp", "400 Gb/sec (4X NDR)", "InfiniBand"
}

// readRDMA lists the devices.
func (v *View) readRDMA() ([]rdmaDevice, error) {
	names, err := v.list(infiniband)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var devices []rdmaDevice
	for _, name := range names {
		d := rdmaDevice{Name: name}
		if target, err := v.link(path.Join(infiniband, name, "device")); err == nil && pciAddress.MatchString(path.Base(target)) {
			d.PCI = path.Base(target)
		} else if err != nil && !isAbsent(err) {
			return nil, err
		}
		ports := path.Join(infiniband, name, "ports")
		numbers, err := v.list(ports)
		if err != nil {
			return nil, err
		}
		for _, n := range numbers {
			p := rdmaPort{Path: path.Join(ports, n), Number: n}
			for file, to := range map[string]*string{"state": &p.State, "phys_state": &p.Physical, "rate": &p.Rate, "link_layer": &p.Layer} {
				*to, err = v.read(path.Join(p.Path, file))
				if err != nil && (errors.Is(err, ErrNotRecorded) || isAbsent(err)) {
					return nil, err
				}
			}
			d.Ports = append(d.Ports, p)
		}
		devices = append(devices, d)
	}
	return devices, nil
}

func (p rdmaPort) active() bool { return strings.HasSuffix(p.State, " ACTIVE") }

// onPCI are the devices that are on the PCI bus.
func onPCI(devices []rdmaDevice) []rdmaDevice {
	return slices.DeleteFunc(slices.Clone(devices), func(d rdmaDevice) bool { return d.PCI == "" })
}
