package doctor

var nicDriver = Check{
	ID:   "nic-driver",
	What: "Whether NVIDIA's network devices are bound to the driver that RDMA needs.",
	Why:  "A NIC bound to vfio-pci or a uio driver (for DPDK or a virtual machine), or to none, is not there for NCCL, UCX and MPI.",
	How: "The driver of PCI functions of NVIDIA's networking vendor id (15b3) and network class in /sys/bus/pci/devices. " +
		"DPDK's own mlx5 driver works on top of mlx5_core, so that mlx5_core says nothing about DPDK.",
	Outcomes: []*Outcome{nicMLX5, nicOther, nicUnbound, nicUnread, noNIC, noPCI},
	Sources: []string{
		"https://doc.dpdk.org/guides/linux_gsg/linux_drivers.html",
		"https://doc.dpdk.org/guides/platform/mlx5.html",
	},
	Look: lookNICDriver,
}

var (
	nicMLX5    = &Outcome{Status: Pass, When: "all are bound to mlx5_core or mlx4_core"}
	nicOther   = &Outcome{Status: Info, When: "some are bound to another driver, such as those for programs in user space (DPDK) or virtual machines", Advice: "If collectives are to use them: driverctl unset-override, or bind them to mlx5_core."}
	nicUnbound = &Outcome{Status: Warn, When: "one has no driver", Advice: "Load mlx5_core and mlx5_ib (of the kernel, MLNX_OFED or DOCA-OFED) and look into the kernel log."}
	nicUnread  = &Outcome{Status: Unknown, When: "the driver of one cannot be read", Advice: "Run where /sys is mounted as the kernel gives it."}
	noNIC      = &Outcome{Status: Info, When: "there is no NVIDIA network device on the PCI bus"}
)

func lookNICDriver(v *View) []Finding {
	all, err := v.pci()
	if err != nil {
		return []Finding{noPCI.found(unread(pciDevices, err), "the PCI bus cannot be read")}
	}
	var found []Finding
	for _, d := range all {
		if d.Vendor != mellanox || d.Class != classNetwork {
			continue
		}
		driver, err := v.driver(d)
		where := []Evidence{saw(d.at("driver"), driver)}
		switch {
		case err != nil:
			found = append(found, nicUnread.found(unread(d.at("driver"), err), "the driver of %s cannot be read", d.Address))
		case driver == "":
			where[0].Value = "none"
			found = append(found, nicUnbound.found(where, "%s has no driver", d.Address))
		case driver == "mlx5_core" || driver == "mlx4_core":
			found = append(found, nicMLX5.found(where, "bound to %s", driver))
		default:
			found = append(found, nicOther.found(where, "%s is bound to %s", d.Address, driver))
		}
	}
	if len(found) == 0 {
		return []Finding{noNIC.found(nil, "no NVIDIA network device on the PCI bus")}
	}
	return worst(found)
}
