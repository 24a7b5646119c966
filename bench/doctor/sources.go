package doctor

import (
	"path"
	"regexp"
	"strings"
)

// What the checks may read, and how much of it goes into a redacted recording: of each line the part that matches
// keep; what does not match is left out. So a recording holds what a rule needs and nothing that happened to stand
// beside it. A path or command that is not listed here cannot be recorded, which a test makes an error.

// source is a file, folder or link that checks read.
type source struct {
	path string         // a pattern of path.Match; "*" does not cross a slash
	keep *regexp.Regexp // of each line, each name in the folder, or the target of the link
	once bool           // keep equal lines once: of files that repeat themselves for every processor
	// loose says that keep lets names through, in which addresses may hide: they are looked for. Where only numbers and
	// versions pass they are not, as four numbers of a version look like an address.
	loose bool
}

var (
	number  = regexp.MustCompile(`^-?[0-9]{1,12}$`)
	version = regexp.MustCompile(`^[0-9]+(\.[0-9]+){1,2}(-[0-9.]+)?$`)
	listing = regexp.MustCompile(`^[0-9]{1,5}([,-][0-9]{1,5}){0,60}$`) // of CPUs: "0-3,8"
	rate    = regexp.MustCompile(`^[0-9.]+ G[A-Za-z/]+(/s)?( [A-Za-z0-9 ()]+)?$`)
	bdf     = `[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]`
	address = regexp.MustCompile(`^` + bdf + `$`)
	device  = regexp.MustCompile(`^[a-z]+[a-z0-9_]{0,20}$`) // of the kernel's own naming: "mlx5_0", "eth0", "nvme1"
	// Of the maker and product of a machine what tells a hypervisor, as bench/environment looks for it.
	virtual = regexp.MustCompile(`VMware|Microsoft Corporation|Virtual Machine|Xen|innotek|VirtualBox|Parallels|Amazon EC2|Google|OpenStack|Firecracker|KVM|QEMU|Apple Virtualization`)
	small   = regexp.MustCompile(`^[0-9]{1,4}$`)
	empty   = regexp.MustCompile(`^$`)
	library = regexp.MustCompile(`^lib(nccl|nccl-net[a-z-]*|dcgm|mpi|mpich|mpi_[a-z]+|nvshmem_host|sharp_coll|ucp)\.so(\.[0-9.]+)?$`)
)

// libraries are the folders in which libraries are looked for.
var libraries = []string{
	"usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64", "usr/lib", "usr/local/lib",
	"usr/local/cuda/lib64", "opt/hpcx/nccl_rdma_sharp_plugin/lib", "opt/mellanox/sharp/lib", "opt/nvidia/nvshmem/lib",
}

// files are what is read with fs.ReadFile.
var files = []source{
	{path: "etc/os-release", keep: regexp.MustCompile(`^PRETTY_NAME="?[A-Za-z0-9 ./()-]{1,80}"?$`)},
	{path: "proc/version", keep: regexp.MustCompile(`^Linux version [0-9][A-Za-z0-9._+-]{1,60} `)},
	{path: "proc/meminfo", keep: regexp.MustCompile(`^MemTotal: +[0-9]+ kB$`)},
	{path: "proc/cpuinfo", keep: regexp.MustCompile(`^(model name|flags)\t*: .*$`), once: true, loose: true},
	{path: "proc/uptime", keep: regexp.MustCompile(`^[0-9.]+ [0-9.]+$`)},
	{path: "proc/self/status", keep: regexp.MustCompile(`^Cpus_allowed_list:\t[0-9,-]+$`)},
	{path: "proc/self/limits", keep: regexp.MustCompile(`^Max locked memory +\S+ +\S+ +bytes *$`)},
	{path: "sys/hypervisor/type", keep: regexp.MustCompile(`^xen$`)},
	{path: "sys/class/dmi/id/sys_vendor", keep: virtual},
	{path: "sys/class/dmi/id/product_name", keep: virtual},
	{path: "sys/devices/system/node/node*/cpulist", keep: listing},
	{path: "sys/bus/pci/devices/*/modalias", keep: regexp.MustCompile(`^pci:v[0-9A-F]{8}d[0-9A-F]{8}sv[0-9A-F]{8}sd[0-9A-F]{8}bc[0-9A-F]{2}sc[0-9A-F]{2}i[0-9A-F]{2}$`)},
	{path: "sys/bus/pci/devices/*/numa_node", keep: number},
	{path: "sys/bus/pci/devices/*/resource", keep: regexp.MustCompile(`^0x[0-9a-f]{16} 0x[0-9a-f]{16} 0x[0-9a-f]{16}$`)},
	{path: "sys/bus/pci/devices/*/config"}, // by readConfig
	{path: "sys/bus/pci/devices/*/*_link_width", keep: small},
	{path: "sys/bus/pci/devices/*/*_link_speed", keep: rate},
	{path: "sys/class/infiniband/*/fw_ver", keep: version},
	{path: "sys/class/infiniband/*/hca_type", keep: regexp.MustCompile(`^MT[0-9]{3,6}$`)},
	{path: "sys/class/infiniband/*/ports/*/state", keep: regexp.MustCompile(`^[0-9]: [A-Z_]+$`)},
	{path: "sys/class/infiniband/*/ports/*/phys_state", keep: regexp.MustCompile(`^[0-9]: [A-Za-z]+$`)},
	{path: "sys/class/infiniband/*/ports/*/rate", keep: rate},
	{path: "sys/class/infiniband/*/ports/*/link_layer", keep: regexp.MustCompile(`^(InfiniBand|Ethernet)$`)},
	{path: "sys/class/infiniband/*/ports/*/counters/*", keep: number},
	{path: "sys/class/infiniband/*/ports/*/hw_counters/*", keep: number},
	{path: "sys/class/infiniband/*/ports/*/gid_attrs/types/*", keep: regexp.MustCompile(`^(IB/RoCE v1|RoCE v2)$`)},
	{path: "sys/class/net/*/mtu", keep: number},
	{path: "sys/class/net/*/statistics/*", keep: number},
	{path: "sys/class/net/*/phys_port_name", keep: representor},
	{path: "sys/kernel/mm/hugepages/*/*", keep: number},
	{path: "sys/class/nvme/*/model", keep: regexp.MustCompile(`(?i)^NVMe SNAP Controller *$`)},
	{path: "sys/module/*/version", keep: version},
	{path: "sys/kernel/mm/memory_peers/*/version", keep: version},
	{path: "proc/driver/nvidia/version", keep: regexp.MustCompile(`^NVRM version: NVIDIA UNIX [A-Za-z0-9_ ]+  ?[0-9.]+ `)},
	{path: "proc/driver/nvidia-fs/version", keep: regexp.MustCompile(`^version: [0-9.]+$`)},
	{path: "proc/driver/nvidia-fs/stats", keep: regexp.MustCompile(`^(IO stats|GDS Version|NVFS driver version|Mellanox PeerDirect Supported): ?[A-Za-z0-9.(), ]+$`)},
	{path: "etc/cufile.json", keep: regexp.MustCompile(`"(use_pci_p2pdma|allow_compat_mode|use_poll_mode)" *: *(true|false)`)},
	{path: "run/mellanox/drivers/.driver-ready", keep: empty},
	{path: topologyd}, // by keepTopology, as is the file that NCCL_TOPO_FILE names
}

// folders are what is read with fs.ReadDir.
var folders = []source{
	{path: "sys/devices/system/node", keep: regexp.MustCompile(`^node[0-9]+$`)},
	{path: "sys/bus/pci/devices", keep: address},
	{path: "sys/class/infiniband", keep: device, loose: true},
	{path: "sys/class/infiniband/*/ports", keep: small},
	{path: "sys/class/infiniband/*/ports/*/gid_attrs/types", keep: small},
	{path: "sys/class/net", keep: device, loose: true},
	{path: "sys/class/nvme", keep: device, loose: true},
	{path: "sys/kernel/mm/hugepages", keep: regexp.MustCompile(`^hugepages-[0-9]+kB$`)},
	{path: "run/nvidia/validations", keep: regexp.MustCompile(`^[a-z-]+-ready$`)},
	{path: "usr/local", keep: regexp.MustCompile(`^cuda-[0-9.]+$`)},
	{path: "opt", keep: regexp.MustCompile(`^hpcx(-v[0-9.]+)?`)},
	{path: "usr/local/lib", keep: regexp.MustCompile(library.String() + `|^python3[.0-9]*$`)},
	{path: "usr/local/lib/python3*/dist-packages", keep: packages},
}

// links are what is read with fs.ReadLink.
var links = []source{
	{path: "sys/bus/pci/devices/*", keep: regexp.MustCompile(`^(\.\./)+devices/[a-z0-9:._/-]*pci[0-9a-f:]+(/` + bdf + `)+$`)},
	{path: "sys/bus/pci/devices/*/driver", keep: regexp.MustCompile(`^(\.\./)+bus/pci/drivers/[a-z0-9_-]+$`)},
	{path: "sys/class/infiniband/*/device", keep: regexp.MustCompile(`^(\.\./)+[a-z0-9:._/-]*` + bdf + `$`)},
	{path: "sys/class/net/*/device", keep: regexp.MustCompile(`^(\.\./)+(` + bdf + `|virtio[0-9]+)$`)},
}

// The commands that may be run.
const (
	smiQuery    Command = "nvidia-smi -q -x"
	smiPeers    Command = "nvidia-smi topo -p2p r"
	smiNVPeers  Command = "nvidia-smi topo -p2p n"
	smiNVLink   Command = "nvidia-smi nvlink -s"
	ucxVersion  Command = "ucx_info -v"
	ofedVersion Command = "ofed_info -s"
	ibvDevices  Command = "ibv_devinfo -v"
	ovsOffload  Command = "ovs-vsctl --timeout=2 get Open_vSwitch . other_config:hw-offload"
)

// commands are the command lines that may be run, and the lines that are kept of their output; nil: by keepSMI.
var commands = map[Command]*regexp.Regexp{
	smiQuery:    nil,
	smiPeers:    matrixLine,
	smiNVPeers:  matrixLine,
	smiNVLink:   linkLine,
	ucxVersion:  regexp.MustCompile(`^# Library version: [0-9.]+`),
	ofedVersion: regexp.MustCompile(`^[A-Za-z_]+-(internal-)?[0-9][0-9.-]+:?$`),
	ovsOffload:  regexp.MustCompile(`^"?(true|false)"?$`),
	ibvDevices:  regexp.MustCompile(`^hca_id:	[a-z0-9_]+$|^	tag matching not supported$`),
}

// failures are the words of a command's failure that a redacted recording keeps.
var failures = regexp.MustCompile(`exit status [0-9]+|no end after [0-9a-z]+|NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver|` +
	`Failed to initialize NVML: (Driver/library version mismatch|Unknown Error|Insufficient Permissions|Driver Not Loaded|GPU access blocked by the operating system)|No devices were found`)

// kept is what a redacted recording keeps of a text. Of a text of which nothing may be kept it says so.
func kept(text string, keep *regexp.Regexp, once bool) string {
	var b strings.Builder
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		part := keep.FindString(strings.TrimSuffix(line, "\n"))
		if part == "" || once && seen[part] {
			continue
		}
		seen[part] = true
		b.WriteString(part + "\n")
	}
	if b.Len() == 0 && strings.TrimSpace(text) != "" {
		return withheld + "\n"
	}
	return b.String()
}

// withheld stands for what a redacted recording does not hold.
const withheld = "[withheld]"

// lookup finds the source of a path. Folders of libraries need no entry of their own.
func lookup(table []source, name string) (source, bool) {
	for _, s := range table {
		if ok, _ := path.Match(s.path, name); ok {
			return s, true
		}
	}
	return source{}, false
}

func folder(name string) (source, bool) {
	if s, ok := lookup(folders, name); ok {
		return s, ok
	}
	for _, dir := range libraries {
		if dir == name {
			return source{path: dir, keep: library}, true
		}
	}
	return source{}, false
}
