package doctor

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Mode is how a GPU is given to this system, as NVML's virtualization modes.
type Mode string

// The modes; "" is unknown.
const (
	Bare        Mode = "bare metal"
	Passthrough Mode = "passthrough"
	VGPU        Mode = "vGPU"
	HostVGPU    Mode = "vGPU host"
	HostVSGA    Mode = "vSGA host"
)

// GPUs is what the driver tells of itself and its GPUs. It holds plain data, whoever gave it: nvidia-smi here, or
// NVML, whose answers are the same.
type GPUs struct {
	Driver, CUDA string
	Devices      []GPU
}

// GPU is one GPU. Text that the driver did not give is "", numbers 0.
type GPU struct {
	Address            string // on the PCI bus: "0000:06:00.0"
	Name, Architecture string
	VBIOS, GSP         string // versions of firmware
	Mode               Mode
	MIG, PendingMIG    string // "Enabled", "Disabled"
	C2C                string // "Enabled": NVLink to the CPU
	Product, License   string // vGPU software's licensed product, and its status in words
	BAR1, Memory       int64  // bytes
	Fabric             Fabric
}

// Fabric is a GPU's place in an NVLink fabric.
type Fabric struct {
	State, Status string // "Completed", "Success"; "": none, or not told
	// Health in words: Summary "Healthy", Bandwidth "Full", the rest "True" where something is wrong, or what it is.
	Summary, Bandwidth, RouteRecovery, RouteUnhealthy, AccessTimeout, Misconfigured string
}

// smiLog is what is read of the XML of nvidia-smi -q -x, and all that a redacted recording keeps of it. Its elements
// are those of drivers 470 to 610.
type smiLog struct {
	XMLName xml.Name `xml:"nvidia_smi_log"`
	Driver  string   `xml:"driver_version"`
	CUDA    string   `xml:"cuda_version"`
	GPUs    []smiGPU `xml:"gpu"`
}

type smiGPU struct {
	ID           string     `xml:"id,attr"`
	Name         string     `xml:"product_name"`
	Architecture string     `xml:"product_architecture"`
	MIG          string     `xml:"mig_mode>current_mig"`
	PendingMIG   string     `xml:"mig_mode>pending_mig"`
	VBIOS        string     `xml:"vbios_version"`
	C2C          string     `xml:"c2c_mode"`
	Mode         string     `xml:"gpu_virtualization_mode>virtualization_mode"`
	Product      string     `xml:"vgpu_software_licensed_product>licensed_product_name"`
	License      string     `xml:"vgpu_software_licensed_product>license_status"`
	GSP          string     `xml:"gsp_firmware_version"`
	Memory       string     `xml:"fb_memory_usage>total"`
	BAR1         string     `xml:"bar1_memory_usage>total"`
	Fabric       *smiFabric `xml:"fabric"`
}

type smiFabric struct {
	State          string `xml:"state"`
	Status         string `xml:"status"`
	Summary        string `xml:"health>summary"`
	Bandwidth      string `xml:"health>bandwidth"`
	RouteRecovery  string `xml:"health>route_recovery_in_progress"`
	RouteUnhealthy string `xml:"health>route_unhealthy"`
	AccessTimeout  string `xml:"health>access_timeout_recovery"`
	Misconfigured  string `xml:"health>incorrect_configuration"`
}

// texts are pointers to all the text of the log.
func (l *smiLog) texts() []*string {
	all := []*string{&l.Driver, &l.CUDA}
	for i := range l.GPUs {
		g := &l.GPUs[i]
		all = append(all, &g.ID, &g.Name, &g.Architecture, &g.MIG, &g.PendingMIG, &g.VBIOS, &g.C2C, &g.Mode, &g.Product, &g.License, &g.GSP, &g.Memory, &g.BAR1)
		if f := g.Fabric; f != nil {
			all = append(all, &f.State, &f.Status, &f.Summary, &f.Bandwidth, &f.RouteRecovery, &f.RouteUnhealthy, &f.AccessTimeout, &f.Misconfigured)
		}
	}
	return all
}

// smiName is what products are called.
var smiName = regexp.MustCompile(`^((NVIDIA|GRID|Tesla|Quadro|GeForce|Graphics Device)[A-Za-z0-9 ()/-]{0,60})?$`)

var smiText = regexp.MustCompile(`^[A-Za-z0-9 ,.()/:_+-]{0,100}$`)

// keepSMI writes the XML anew with nothing but what is read of it.
func keepSMI(text []byte) []byte {
	var log smiLog
	if err := xml.Unmarshal(text, &log); err != nil {
		return []byte(withheld + "\n")
	}
	for _, t := range log.texts() {
		if *t = strings.TrimSpace(*t); !smiText.MatchString(*t) {
			*t = withheld
		}
	}
	for i := range log.GPUs {
		for _, name := range []*string{&log.GPUs[i].Name, &log.GPUs[i].Product} {
			if !smiName.MatchString(*name) {
				*name = withheld
			}
		}
	}
	kept, err := xml.MarshalIndent(log, "", " ")
	if err != nil {
		return []byte(withheld + "\n")
	}
	return append(kept, '\n')
}

var smiModes = map[string]Mode{"None": Bare, "Pass-Through": Passthrough, "VGPU": VGPU, "Host VGPU": HostVGPU, "Host VSGA": HostVSGA}

// parseSMI reads the XML of nvidia-smi -q -x.
func parseSMI(text []byte) (GPUs, error) {
	var log smiLog
	if err := xml.Unmarshal(text, &log); err != nil {
		return GPUs{}, fmt.Errorf("%s: %w", smiQuery, err)
	}
	for _, t := range log.texts() {
		*t = told(*t)
	}
	all := GPUs{Driver: log.Driver, CUDA: log.CUDA}
	for _, g := range log.GPUs {
		gpu := GPU{
			Address: shortAddress(g.ID), Name: g.Name, Architecture: g.Architecture, VBIOS: g.VBIOS, GSP: g.GSP, Mode: smiModes[g.Mode],
			MIG: g.MIG, PendingMIG: g.PendingMIG, C2C: g.C2C, Product: g.Product, License: g.License, BAR1: mebibytes(g.BAR1), Memory: mebibytes(g.Memory),
		}
		if f := g.Fabric; f != nil {
			gpu.Fabric = Fabric(*f)
		}
		all.Devices = append(all.Devices, gpu)
	}
	return all, nil
}

// told is a value, or "" for one of nvidia-smi's ways to say that there is none.
func told(value string) string {
	value = strings.TrimSpace(value)
	switch strings.Trim(value, "[]") {
	case "N/A", "Not Supported", "Unknown Error", "Insufficient Permissions", "Requested functionality has been deprecated", "withheld":
		return ""
	}
	return value
}

// shortAddress turns NVIDIA's "00000000:06:00.0" into the kernel's "0000:06:00.0".
func shortAddress(id string) string {
	domain, rest, _ := strings.Cut(strings.ToLower(id), ":")
	if n := len(domain); n > 4 && strings.Trim(domain[:n-4], "0") == "" {
		domain = domain[n-4:]
	}
	return domain + ":" + rest
}

// mebibytes reads "65536 MiB" into bytes; 0 if it is nothing of the kind.
func mebibytes(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(text, " MiB"), 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		return 0
	}
	return n << 20
}
