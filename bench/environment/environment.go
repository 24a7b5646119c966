// Package environment reads what this host is: operating system, processor, memory, hypervisor, versions, and those
// environment variables that change how communication behaves.
//
// What it reads goes once per run into the run's description, so that figures can be held against others.
package environment

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"collbench/bench"
)

// Host reads the environment of the host and process that call it.
func Host() bench.Environment {
	e := Read(os.DirFS("/"), os.Environ())
	e.Host, _ = os.Hostname()
	e.CPUs = runtime.NumCPU() // honours the affinity that the process was started with
	e.Go = runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	if info, ok := debug.ReadBuildInfo(); ok {
		e.Version = version(info)
	}
	return e
}

// Read reads what the files under a root directory tell, and the variables ("NAME=value") that are on the
// allow-list. What cannot be read stays absent.
func Read(root fs.FS, variables []string) bench.Environment {
	e := bench.Environment{
		OS:        osName(read(root, "etc/os-release")),
		Memory:    memory(read(root, "proc/meminfo")),
		NUMANodes: numaNodes(root),
		Variables: allowed(variables),
	}
	if fields := strings.Fields(read(root, "proc/version")); len(fields) > 2 {
		e.Kernel = fields[2] // "Linux version 6.1.0-18-amd64 (…)"
	}
	cpu := read(root, "proc/cpuinfo")
	e.CPU = field(cpu, "model name")
	e.Hypervisor = hypervisor(root, field(cpu, "flags"))
	return e
}

func read(root fs.FS, name string) string {
	data, _ := fs.ReadFile(root, name)
	return string(data)
}

// field is the value of the first line "name : value".
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// osName is PRETTY_NAME of os-release(5).
func osName(text string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			return strings.Trim(value, `"'`)
		}
	}
	return ""
}

// memory is MemTotal in bytes; proc(5) gives it in units of 1024.
func memory(meminfo string) int64 {
	kib, err := strconv.ParseInt(strings.TrimSuffix(field(meminfo, "MemTotal"), " kB"), 10, 64)
	if err != nil || kib < 0 || kib > 1<<50 {
		return 0
	}
	return kib << 10
}

var nodeName = regexp.MustCompile(`^node[0-9]+$`)

func numaNodes(root fs.FS) int {
	entries, _ := fs.ReadDir(root, "sys/devices/system/node")
	n := 0
	for _, e := range entries {
		if nodeName.MatchString(e.Name()) {
			n++
		}
	}
	return n
}

// vendors are parts of what DMI calls the machine's maker and product, and the hypervisor that they stand for.
var vendors = []struct{ part, name string }{
	{"VMware", "VMware"}, {"Microsoft Corporation Virtual", "Hyper-V"}, {"Xen", "Xen"}, {"innotek", "VirtualBox"}, {"VirtualBox", "VirtualBox"},
	{"Parallels", "Parallels"}, {"Amazon EC2", "KVM (Amazon EC2)"}, {"Google", "KVM (Google)"}, {"OpenStack", "KVM (OpenStack)"}, {"Firecracker", "KVM (Firecracker)"},
	{"KVM", "KVM"}, {"QEMU", "QEMU"}, {"Apple Virtualization", "Apple Virtualization"},
}

// hypervisor tells the hypervisor by name, "unknown" if there is one without a name, "none" on bare metal, or
// nothing where neither shows. x86 CPUs have the flag "hypervisor" under every hypervisor (CPUID leaf 1, ECX bit 31,
// which processors themselves leave 0); it alone tells a cloud's bare metal from its virtual machines.
func hypervisor(root fs.FS, flags string) string {
	flagged := strings.Contains(" "+flags+" ", " hypervisor ")
	if flags != "" && !flagged {
		return "none"
	}
	dmi := "sys/class/dmi/id"
	machine := strings.TrimSpace(read(root, path.Join(dmi, "sys_vendor"))) + " " + strings.TrimSpace(read(root, path.Join(dmi, "product_name")))
	for _, v := range vendors {
		if strings.Contains(machine, v.part) {
			return v.name
		}
	}
	if kind := strings.TrimSpace(read(root, "sys/hypervisor/type")); kind == "xen" {
		return "Xen"
	}
	if flagged {
		return "unknown"
	}
	return ""
}

// version is the module's version with the commit, "+modified" if the source differed from it.
func version(info *debug.BuildInfo) string {
	v := info.Main.Version
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if revision := settings["vcs.revision"]; revision != "" && !strings.Contains(v, revision[:min(12, len(revision))]) {
		v += " " + revision[:min(12, len(revision))]
		if settings["vcs.modified"] == "true" {
			v += "+modified"
		}
	}
	return strings.TrimSpace(v)
}
