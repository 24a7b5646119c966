package doctor

import (
	"strings"
	"testing"
)

// secondGPUGone takes the second GPU out of nvidia-smi's answer.
func secondGPUGone(t *testing.T, r *Recording) {
	text := string(r.outputs[smiQuery])
	i, j := strings.LastIndex(text, "\t<gpu id="), strings.Index(text, "</nvidia_smi_log>")
	if i < 0 || j < i {
		t.Fatal("no second GPU")
	}
	r.outputs[smiQuery] = []byte(text[:i] + text[j:])
}

const (
	esxiNIC0 = "0000:13:00.0"
	esxiNIC1 = "0000:1b:00.0"
	port0    = "sys/class/infiniband/mlx5_0/ports/1"
	port1    = "sys/class/infiniband/mlx5_1/ports/1"
)

// behindOneSwitch gives the ESXi guest a virtual switch with everything behind it.
func behindOneSwitch(t *testing.T, r *Recording) {
	for address, downstream := range map[string]string{"0000:03:00.0": "04:00.0", "0000:0b:00.0": "04:01.0", esxiNIC0: "04:02.0", esxiNIC1: "04:03.0"} {
		r.links["sys/bus/pci/devices/"+address] = "../../../devices/pci0000:00/0000:00:15.0/0000:02:00.0/0000:" + downstream + "/" + address
	}
}

var fabricRules = map[string][]rule{
	"gdr-distance": {
		on(bareH100, gdrNear), on(kvmB200, gdrNear), on(esxiA100, gdrFarVM),
		on(esxiA100, gdrNear, behindOneSwitch),
		on(esxiA100, gdrForced, setenv("NCCL_NET_GDR_LEVEL=PHB")),
		on(esxiA100, gdrForbidden, setenv("NCCL_NET_GDR_LEVEL=2")), on(bareH100, gdrForbidden, setenv("NCCL_NET_GDR_LEVEL=LOC")),
		on(esxiA100, gdrC2C, replace(string(smiQuery), "<c2c_mode>N/A", "<c2c_mode>Enabled")),
		on(esxiA100, gdrFarBare, bareMetal),
		on(bareH100, gdrFarBare, remove("sys/class/infiniband/mlx5_0")),
		on(kvmB200, gdrFarVM, replace("etc/nccl/topo.xml", `</pci>
  </cpu>
  <cpu numaid="1"`, `</pci><pci busid="ffff:ff:03.0"/>
  </cpu>
  <cpu numaid="1"`), replace("etc/nccl/topo.xml", "0000:07:00.0", "0000:77:00.0")),
		on(kvmB200, gdrFarVM, func(t *testing.T, r *Recording) { r.environ = nil }),
		on(esxiA100, gdrNear, set(topologyd, `<system version="1"><cpu numaid="0"><pci busid="ffff:ff:01.0"><pci busid="0000:03:00.0"/><pci busid="0000:0b:00.0"/><pci busid="0000:13:00.0"/></pci><pci busid="0000:1b:00.0"/></cpu></system>`)),
		on(kvmB200, gdrUnknownPath, set("etc/nccl/topo.xml", "<graphs/>")),
		on(kvmB200, gdrUnknownPath, remove("etc/nccl/topo.xml")),
		on(esxiA100, gdrUnknownPath, deny("sys/bus/pci/devices/0000:03:00.0")),
		on(nothere, noGPU), on(vgpuH100, noRDMA), on(bareH100, noPCI, noSysfs), on(bareH100, unreadRDMA, noIBAccess),
		on(esxiA100, noRDMA, remove("sys/class/infiniband/mlx5_0/device"), remove("sys/class/infiniband/mlx5_1/device")),
	},
	"gdr-kernel": {
		on(bareH100, gdrDMABuf), on(kvmB200, gdrDMABuf), on(esxiA100, gdrPeermem),
		on(esxiA100, gdrNeither, remove(peermem[0])),
		on(bareH100, gdrNeither, replace("proc/version", "6.8.0", "5.4.0")),
		on(bareH100, gdrNeither, replace(driverVersion, "Open Kernel Module for x86_64", "x86_64 Kernel Module")),
		on(bareH100, gdrNeither, remove("sys/bus/pci/devices/0000:18:00.0/driver"), remove("sys/bus/pci/devices/0000:9a:00.0/driver")),
		on(bareH100, gdrPeermem, replace("proc/version", "6.8.0", "5.4.0"), set(peermem[1], "1.3\n")),
		on(bareH100, gdrNoDriver, remove(driverVersion)),
		on(bareH100, gdrNoDriver, remove("proc/version")),
		on(nothere, noGPU), on(vgpuH100, noRDMA), on(bareH100, noPCI, noSysfs), on(bareH100, unreadRDMA, noIBAccess),
	},
	"ats": {
		on(esxiA100, atsOn), on(bareH100, atsNotNeeded),
		on(esxiA100, atsOff, poke(pciFile(esxiNIC0, "config"), 0x126, 0, 0)),
		on(esxiA100, atsHidden, poke(pciFile(esxiNIC0, "config"), 0x120, 0x10)),
		on(esxiA100, atsPrivilege, cut(pciFile(esxiNIC1, "config"), 64)),
		on(esxiA100, atsPrivilege, unsaidVM, remove("sys/class/dmi/id")),
		on(nothere, noRDMA), on(esxiA100, unreadRDMA, noIBAccess),
		on(esxiA100, noRDMA, remove("sys/class/infiniband/mlx5_0/device"), remove("sys/class/infiniband/mlx5_1/device")),
	},
	"fabric": {
		on(bareH100, fabricJoined), on(kvmB200, fabricJoined), on(esxiA100, noFabric),
		on(kvmB200, fabricJoining, once(string(smiQuery), "<state>Completed", "<state>In Progress"), set("proc/uptime", "45.2 80.1\n")),
		on(kvmB200, fabricLate, once(string(smiQuery), "<state>Completed", "<state>In Progress")),
		on(kvmB200, fabricUptime, once(string(smiQuery), "<state>Completed", "<state>In Progress"), remove("proc/uptime")),
		on(kvmB200, fabricNotStarted, once(string(smiQuery), "<state>Completed", "<state>Not Started")),
		on(kvmB200, fabricFailed, once(string(smiQuery), "<status>Success", "<status>Insufficient Resources")),
		on(kvmB200, fabricUnhealthy, once(string(smiQuery), "<bandwidth>Full", "<bandwidth>Degraded")),
		on(kvmB200, fabricUnhealthy, once(string(smiQuery), "<route_unhealthy>False", "<route_unhealthy>True")),
		on(kvmB200, fabricUnhealthy, once(string(smiQuery), "<incorrect_configuration>None", "<incorrect_configuration>Insufficient Nvlinks")),
		on(kvmB200, fabricUnhealthy, once(string(smiQuery), "<summary>Healthy", "<summary>Limited Capacity")),
		on(nothere, noGPU), on(bareH100, noPCI, noSysfs), on(bareH100, noDriver, noSMI),
	},
	"ib-port": {
		on(bareH100, portsUp), on(esxiA100, portsUp), on(kvmB200, portsUp),
		on(bareH100, portsDown, set(port0+"/state", "1: DOWN\n"), set(port1+"/state", "2: INIT\n")),
		on(kvmB200, portNamedDown, set(port0+"/state", "1: DOWN\n")),
		on(bareH100, portNamedDown, set(port0+"/state", "1: DOWN\n"), setenv("NCCL_IB_HCA==mlx5_0:1")),
		on(bareH100, portSomeDown, set(port0+"/state", "1: DOWN\n")), on(bareH100, portSomeDown, set(port0+"/state", "1: DOWN\n"), setenv("NCCL_IB_HCA=^mlx5_7")),
		on(bareH100, portsNone, setenv("NCCL_IB_HCA==mlx5")), on(bareH100, portsNone, setenv("NCCL_IB_HCA=^mlx5")),
		on(bareH100, portRates, set(port0+"/rate", "200 Gb/sec (4X HDR)\n")),
		on(esxiA100, portNoRoCE2, set(port0+"/gid_attrs/types/1", "IB/RoCE v1\n")),
		on(bareH100, portErrors, set(port1+"/hw_counters/out_of_sequence", "12\n")),
		on(bareH100, portErrors, set(port0+"/counters/symbol_error", "1\n")),
		on(bareH100, portUnread, deny(port0+"/state")),
		on(esxiA100, portUnread, deny(port0+"/gid_attrs/types")),
		on(nothere, noRDMA), on(bareH100, unreadRDMA, noIBAccess),
	},
	"nic-driver": {
		on(bareH100, nicMLX5), on(esxiA100, nicMLX5), on(nothere, noNIC),
		on(bareH100, nicOther, vfio),
		on(bareH100, nicUnbound, remove("sys/bus/pci/devices/"+nic0+"/driver")),
		on(bareH100, nicUnread, deny("sys/bus/pci/devices/"+nic0+"/driver")),
		on(bareH100, noPCI, noSysfs),
	},
	"sharp": {
		on(bareH100, sharpReady),
		on(bareH100, sharpDisabled, setenv("NCCL_SHARP_DISABLE=1")),
		on(bareH100, sharpNoPlugin, remove("opt/hpcx")),
		on(bareH100, sharpNotAsked, setenv("NCCL_COLLNET_ENABLE=0")),
		on(esxiA100, sharpNoIB), on(nothere, noRDMA), on(bareH100, unreadRDMA, noIBAccess),
	},
	"tag-matching": {
		on(bareH100, tagOn),
		on(bareH100, tagImpossible, once(string(ibvDevices), "hca_id:\tmlx5_1", "hca_id:\tmlx5_1\n\ttag matching not supported")),
		on(bareH100, tagOff, setenv("UCX_RC_MLX5_TM_ENABLE=n")), on(esxiA100, tagOff),
		on(bareH100, tagUnread, remove(string(ibvDevices))),
		on(bareH100, tagUnread, replace(string(ibvDevices), "hca_id", "ID")),
		on(nothere, noRDMA), on(bareH100, unreadRDMA, noIBAccess),
	},
}

func vfio(t *testing.T, r *Recording) {
	r.links["sys/bus/pci/devices/"+nic0+"/driver"] = "../../../../../../bus/pci/drivers/vfio-pci"
	r.links["sys/bus/pci/devices/0000:9a:00.0/driver"] = "../../../../../../bus/pci/drivers/uio_pci_generic"
}

var hostRules = map[string][]rule{
	"hypervisor": {
		on(bareH100, hypervisorNone), on(esxiA100, hypervisorNamed), on(kvmB200, hypervisorNamed), on(nothere, hypervisorUnnamed),
		on(esxiA100, hypervisorNone, bareMetal),
		on(esxiA100, hypervisorUnnamed, deny("sys/class/dmi/id/sys_vendor"), deny("sys/class/dmi/id/product_name")),
		on(bareH100, hypervisorUnseen, unsaidVM),
	},
	"numa": {
		on(bareH100, numaNear), on(kvmB200, numaNear), on(esxiA100, numaVirtual), on(nothere, numaVirtual),
		on(bareH100, numaRemote, replace(selfStatus, "0-223", "0-55"), set(pciFile(gpu0, "numa_node"), "1\n")),
		on(bareH100, numaApart, set(pciFile(nic0, "numa_node"), "1\n")),
		on(bareH100, numaUnsaid, set(pciFile(gpu0, "numa_node"), "-1\n")),
		on(bareH100, numaUnsaid, set(pciFile(nic0, "numa_node"), "-1\n")),
		on(bareH100, numaOne, remove("sys/devices/system/node/node1")),
		on(bareH100, numaUnread, remove("sys/devices/system/node")),
		on(bareH100, numaUnread, deny(selfStatus)),
		on(bareH100, numaUnread, deny(pciFile(gpu0, "numa_node"))),
		on(bareH100, numaUnread, set(pciFile(nic0, "numa_node"), "?\n")),
	},
	"link": {
		on(bareH100, linkFull), on(esxiA100, linkVirtual), on(nothere, noDevices),
		on(bareH100, noDevices, noIB, replace(string(smiQuery), "<c2c_mode>Disabled", "<c2c_mode>Enabled")),
		on(bareH100, linkNarrow, set(pciFile(gpu0, "current_link_width"), "8\n")),
		on(bareH100, linkSlow, set(pciFile(nic0, "current_link_speed"), "16.0 GT/s PCIe\n")),
		on(bareH100, linkUnread, set(pciFile(nic0, "current_link_speed"), "Unknown\n")),
		on(bareH100, linkUnread, deny(pciFile(gpu0, "max_link_width"))),
		on(bareH100, linkUnread, noSysfs), on(bareH100, linkUnread, noIBAccess),
		on(bareH100, linkVirtual, unsaidVM, remove("sys/class/dmi/id")),
	},
	"memlock": {
		on(bareH100, lockUnlimited),
		on(bareH100, lockLimited, replace(limitsFile, "Max locked memory         unlimited", "Max locked memory         65536    ")),
		on(bareH100, lockUnread, remove(limitsFile)),
		on(bareH100, lockUnread, replace(limitsFile, "Max locked memory", "Max looked memory")),
		on(nothere, noRDMA), on(bareH100, unreadRDMA, noIBAccess),
	},
	"asap2": {
		on(bareH100, asapOffload), on(nothere, asapNone), on(esxiA100, asapNone),
		on(bareH100, asapSoftware, replace(string(ovsOffload), "true", "false")),
		on(bareH100, asapSoftware, replace(string(ovsOffload), `"true"`, "")),
		on(bareH100, asapUnseen, fail(ovsOffload, "exit status 1: ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed")),
		on(bareH100, asapUnseen, remove(string(ovsOffload))),
		on(bareH100, asapNone, set("sys/class/net/enp24s0np0_0/phys_port_name", "p0\n")),
		on(bareH100, asapUnread, deny("sys/class/net")),
	},
	"dpdk": {
		on(bareH100, hugeUsed), on(nothere, hugeNone), on(esxiA100, hugeNone),
		on(bareH100, hugeIdle, set(hugeFolder+"/hugepages-2048kB/free_hugepages", "4096\n")),
		on(bareH100, hugeNone, set(hugeFolder+"/hugepages-2048kB/nr_hugepages", "0\n"), set(hugeFolder+"/hugepages-2048kB/free_hugepages", "0\n")),
		on(bareH100, hugeUnread, deny(hugeFolder)),
		on(bareH100, hugeUnread, deny(hugeFolder+"/hugepages-2048kB/free_hugepages")),
	},
	"nvme-snap": {
		on(kvmB200, snapThere), on(bareH100, snapNone), on(nothere, snapNone),
		on(esxiA100, snapVMware, set("sys/class/nvme/nvme3/model", "Acme nvme snap controller\n")),
		on(kvmB200, snapUnread, deny("sys/class/nvme/nvme0/model")),
		on(kvmB200, snapUnread, deny("sys/class/nvme")),
	},
	"gpu-operator": {
		on(kvmB200, operatorReady), on(nothere, operatorAbsent),
		on(kvmB200, operatorMissing, remove(validations+"/cuda-ready")),
		on(kvmB200, operatorUnread, deny(validations)),
	},
	"network-operator": {
		on(kvmB200, netOperatorReady), on(nothere, netOperatorAbsent),
		on(kvmB200, netOperatorUnread, deny(driverReady)),
	},
	"stack": {
		on(bareH100, stackSeen), on(esxiA100, stackSeen), on(nothere, stackNone),
	},
}
