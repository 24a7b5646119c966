package doctor

var gdrDistance = Check{
	ID:   "gdr-distance",
	What: "How far each GPU is from its nearest RDMA device on the PCI bus, as NCCL will see it.",
	Why: "NCCL uses GPUDirect RDMA up to the distance PXB (through NVLink to the CPU, up to the CPU). " +
		"The flat PCI tree of a virtual machine puts every pair at PHB: GPUDirect is then off without a word, however well the kernel supports it.",
	How:      "The links in /sys/bus/pci/devices, or the topology file of NCCL_TOPO_FILE or " + "/" + topologyd + "; NCCL_NET_GDR_LEVEL; c2c_mode of nvidia-smi -q -x.",
	Outcomes: []*Outcome{gdrNear, gdrC2C, gdrForced, gdrForbidden, gdrFarVM, gdrFarBare, gdrUnknownPath, noGPU, noRDMA, noPCI, unreadRDMA},
	Sources: []string{
		"https://github.com/NVIDIA/nccl/blob/master/src/graph/paths.cc (ncclTopoCheckGdr, ncclGetLevel)",
		"https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html#nccl-net-gdr-level",
	},
	Look: lookGDRDistance,
}

var (
	gdrNear   = &Outcome{Status: Pass, When: "every GPU has an RDMA device at PIX or PXB"}
	gdrC2C    = &Outcome{Status: Pass, When: "a GPU is farther away, and linked to its CPU by NVLink (C2C), through which NCCL uses GPUDirect too"}
	gdrForced = &Outcome{Status: Warn, When: "a GPU is farther away, and NCCL_NET_GDR_LEVEL allows it",
		Advice: "Measure with and without NCCL_NET_GDR_LEVEL: through a host bridge GPUDirect RDMA may be slower than through host memory."}
	gdrForbidden = &Outcome{Status: Warn, When: "NCCL_NET_GDR_LEVEL forbids GPUDirect at the distance of a GPU",
		Advice: "Unset NCCL_NET_GDR_LEVEL, unless it is meant to turn GPUDirect RDMA off."}
	gdrFarVM = &Outcome{Status: Fail, When: "in a virtual machine a GPU is farther away, and neither a topology file nor NCCL_NET_GDR_LEVEL says otherwise",
		Advice: "Have GPU and NIC added as a vSphere device group (or behind one virtual switch), or give NCCL the real tree in NCCL_TOPO_FILE; then look for /GDRDMA in NCCL's log."}
	gdrFarBare = &Outcome{Status: Warn, When: "without virtualization, or where that does not show, a GPU is farther away",
		Advice: "Use the RDMA device behind the GPU's own PCIe switch (NCCL_IB_HCA), if there is one: without, all traffic of that GPU goes through host memory."}
	gdrUnknownPath = &Outcome{Status: Unknown, When: "the place of a device on the PCI bus, or the topology file, cannot be read",
		Advice: "Run where /sys is mounted as the kernel gives it, and see that the topology file is valid."}
)

func lookGDRDistance(v *View) []Finding {
	if f := v.withoutGPU(); f != nil {
		return f
	}
	if f := v.withoutRDMA(); f != nil {
		return f
	}
	gpus, _ := v.gpus()
	nics, _ := v.nics()
	nics = onPCI(nics)
	if len(nics) == 0 {
		return []Finding{noRDMA.found(nil, "no InfiniBand or RoCE device on the PCI bus")}
	}
	tree, err := v.tree()
	if err != nil {
		return []Finding{gdrUnknownPath.found(unread(pciDevices, err), "distances cannot be told")}
	}
	var found []Finding
	for _, g := range gpus {
		nearest, to := sys, ""
		for _, n := range nics {
			d, err := tree.between(g.Address, n.PCI)
			if err != nil {
				return []Finding{gdrUnknownPath.found(unread(pciDevices, err), "the distance of %s and %s cannot be told", g.Address, n.Name)}
			}
			if to == "" || d < nearest {
				nearest, to = d, n.Name
			}
		}
		where := []Evidence{part(tree.source, g.Address+" – "+to, nearest.String())}
		found = append(found, v.gdrOutcome(g, nearest).found(where, "GPU %s is nearest to %s: %s", g.Address, to, nearest))
	}
	return worst(found)
}

// gdrLevels are the values of NCCL_NET_GDR_LEVEL, names and old numbers, by the distance up to which they allow
// GPUDirect. NCCL takes host bridges of one NUMA node for one. The source is ncclGetLevel in NCCL's paths.cc.
var gdrLevels = map[string]distance{
	"LOC": -1, "0": -1, "PIX": pix, "1": pix, "PXB": pxb, "2": pxb, "PHB": node, "3": node, "SYS": sys, "4": sys, "5": sys,
}

// gdrOutcome judges the distance of a GPU from its nearest RDMA device.
func (v *View) gdrOutcome(g pciDevice, nearest distance) *Outcome {
	level, set := gdrLevels[v.variable("NCCL_NET_GDR_LEVEL")]
	near, linked := nearest <= pxb, nearest <= node && v.linkedToCPU(g)
	virtual, known := v.virtual()
	switch {
	case set && nearest > level:
		return gdrForbidden
	case near:
		return gdrNear
	case linked:
		return gdrC2C
	case set:
		return gdrForced
	case virtual && known:
		return gdrFarVM
	}
	return gdrFarBare
}

func (v *View) linkedToCPU(d pciDevice) bool {
	gpus, _ := v.known()
	for _, g := range gpus {
		if g.Address == d.Address {
			return g.C2C == "Enabled"
		}
	}
	return false
}

// tree tells distances on the PCI bus.
type tree struct {
	source  string // the file or folder that tells
	between func(a, b string) (distance, error)
}

// tree reads the topology file that NCCL would read, or the kernel's tree.
func (v *View) tree() (tree, error) {
	name := topologyFile(v.machine.Environ)
	named := name != ""
	if !named {
		name = topologyd
	}
	text, err := v.raw(name)
	if isAbsent(err) && !named || err == nil && len(text) == 0 {
		return tree{source: pciDevices, between: v.betweenSys}, nil
	}
	if err != nil {
		return tree{}, err
	}
	chains, err := parseTopology(text)
	if err != nil {
		return tree{}, fsError(name, err)
	}
	return tree{source: name, between: func(a, b string) (distance, error) {
		if chains[a] == nil || chains[b] == nil {
			return v.betweenSys(a, b) // NCCL too adds what the file lacks from the kernel's tree
		}
		return betweenTopology(chains[a], chains[b]), nil
	}}, nil
}

// betweenSys tells a distance from the kernel's tree.
func (v *View) betweenSys(a, b string) (distance, error) {
	chainA, err := v.chain(a)
	if err != nil {
		return 0, err
	}
	chainB, err := v.chain(b)
	if err != nil {
		return 0, err
	}
	nodeA, errA := v.numaNode(pciDevice{Address: a})
	nodeB, errB := v.numaNode(pciDevice{Address: b})
	return between(chainA, chainB, errA == nil && errB == nil && nodeA == nodeB && nodeA >= 0), nil
}
