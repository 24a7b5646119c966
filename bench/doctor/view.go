package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"collbench/bench"
	"collbench/bench/environment"
)

// View is a machine as the checks see it: what several of them need is read once.
type View struct {
	ctx     context.Context
	machine Machine
	// Environment is what bench/environment reads of the machine.
	Environment bench.Environment

	pci   func() ([]pciDevice, error)
	smi   func() (GPUs, error)
	nics  func() ([]rdmaDevice, error)
	facts func() Facts
}

func newView(ctx context.Context, m Machine) *View {
	v := &View{ctx: ctx, machine: m, Environment: environment.Read(m.Root, m.Environ)}
	v.pci = sync.OnceValues(v.readPCI)
	v.smi = sync.OnceValues(v.readSMI)
	v.nics = sync.OnceValues(v.readRDMA)
	v.facts = sync.OnceValue(v.readFacts)
	return v
}

// raw reads a file.
func (v *View) raw(name string) ([]byte, error) { return fs.ReadFile(v.machine.Root, name) }

// read reads a file and cuts off the space around its text.
func (v *View) read(name string) (string, error) {
	data, err := v.raw(name)
	return strings.TrimSpace(string(data)), err
}

// list gives the names in a folder, sorted.
func (v *View) list(name string) ([]string, error) {
	entries, err := fs.ReadDir(v.machine.Root, name)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, err
}

func (v *View) link(name string) (string, error) { return fs.ReadLink(v.machine.Root, name) }

// run gives a command's output, unless the look has been given up.
func (v *View) run(c Command) (string, error) {
	if err := v.ctx.Err(); err != nil {
		return "", err
	}
	output, err := v.machine.Run(v.ctx, c)
	return string(output), err
}

// variable is a variable of the environment that is on the allow-list; "" if it is not set.
func (v *View) variable(name string) string { return v.Environment.Variables[name] }

// virtual says whether this is a virtual machine; known is false where that does not show.
func (v *View) virtual() (virtual, known bool) {
	return v.Environment.Hypervisor != "none", v.Environment.Hypervisor != ""
}

func (v *View) vmware() bool { return v.Environment.Hypervisor == "VMware" }

func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// readSMI asks the driver for its GPUs.
func (v *View) readSMI() (GPUs, error) {
	text, err := v.run(smiQuery)
	if err != nil {
		return GPUs{}, err
	}
	return parseSMI([]byte(text))
}

// onBus are the NVIDIA GPUs on the PCI bus.
func (v *View) onBus() ([]pciDevice, error) {
	all, err := v.pci()
	return slices.DeleteFunc(slices.Clone(all), func(d pciDevice) bool { return d.Vendor != nvidia || d.Class != classDisplay }), err
}

// gpus are the NVIDIA GPUs on the PCI bus that the driver tells of, or all of them if it does not answer. A container
// sees the bus whole, and of the GPUs those that it was given.
func (v *View) gpus() ([]pciDevice, error) {
	all, err := v.onBus()
	if err != nil || len(all) == 0 {
		return nil, err
	}
	known, err := v.known()
	given := slices.DeleteFunc(slices.Clone(all), func(d pciDevice) bool {
		return !slices.ContainsFunc(known, func(g GPU) bool { return g.Address == d.Address })
	})
	if err != nil || len(given) == 0 {
		return all, nil
	}
	return given, nil
}

// known are the GPUs as the driver tells of them.
func (v *View) known() ([]GPU, error) {
	all, err := v.smi()
	return all.Devices, err
}

// Outcomes that every check of GPUs or of RDMA devices shares.
var (
	noGPU = &Outcome{Status: Info, Absent: true, When: "there is no NVIDIA GPU on the PCI bus"}
	noPCI = &Outcome{Status: Unknown, When: "the PCI bus cannot be read",
		Advice: "Run where /sys is mounted: in a container, give it the host's /sys read-only."}
	noDriver = &Outcome{Status: Unknown, When: "there is a GPU, and nvidia-smi does not answer",
		Advice: "Install the NVIDIA driver and nvidia-smi, or run where both are (in a container: with the NVIDIA Container Toolkit), as a user who may open /dev/nvidia*."}
	noRDMA = &Outcome{Status: Info, Absent: true, When: "there is no InfiniBand or RoCE device"}
)

// withoutGPU is the finding where there are no GPUs to look at; nil if there are.
func (v *View) withoutGPU() []Finding {
	gpus, err := v.gpus()
	switch {
	case err != nil:
		return []Finding{noPCI.found(unread(pciDevices, err), "the PCI bus cannot be read")}
	case len(gpus) == 0:
		return []Finding{noGPU.found(nil, "no NVIDIA GPU on the PCI bus")}
	}
	return nil
}

// withoutDriver is the finding where GPUs cannot be asked; nil if they can.
func (v *View) withoutDriver() []Finding {
	if f := v.withoutGPU(); f != nil {
		return f
	}
	known, err := v.known()
	if err == nil && len(known) == 0 {
		err = errors.New("lists no GPU")
	}
	if err != nil {
		gpus, _ := v.gpus()
		return []Finding{noDriver.found(unread(string(smiQuery), err), "%s on the PCI bus, but nvidia-smi does not answer", count(len(gpus), "NVIDIA GPU"))}
	}
	return nil
}

// withoutRDMA is the finding where there are no RDMA devices to look at; nil if there are.
func (v *View) withoutRDMA() []Finding {
	nics, err := v.nics()
	switch {
	case err != nil:
		return []Finding{unreadRDMA.found(unread(infiniband, err), "the RDMA devices cannot be read")}
	case len(nics) == 0:
		return []Finding{noRDMA.found(nil, "no InfiniBand or RoCE device")}
	}
	return nil
}

// unread is the evidence that a file, or a command's output, could not be read.
func unread(name string, err error) []Evidence {
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) && failed.Op != "run" {
		name = failed.Path
	}
	if _, isCommand := commands[Command(name)]; !isCommand {
		name = "/" + name
	}
	return []Evidence{{Path: name, Value: reason(err)}}
}

// saw is evidence of a file, part of a field of it, setting of a variable or of what else has a name.
func saw(file, value string) Evidence         { return part(file, "", value) }
func part(file, field, value string) Evidence { return Evidence{"/" + path.Clean(file), field, value} }
func setting(name, value string) Evidence     { return Evidence{Path: name, Value: value} }

// smiSaw is evidence of nvidia-smi's answer on one GPU.
func smiSaw(g GPU, field, value string) Evidence {
	return Evidence{Path: string(smiQuery), Field: g.Address + " " + field, Value: value}
}

// count writes a number of things.
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// each writes what is distinct, in its order, separated by commas.
func each(values []string) string {
	var distinct []string
	for _, v := range values {
		if !slices.Contains(distinct, v) {
			distinct = append(distinct, v)
		}
	}
	return strings.Join(distinct, ", ")
}
