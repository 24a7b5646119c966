package doctor

var mig = Check{
	ID:       "mig",
	What:     "Whether GPUs are split into instances (MIG).",
	Why:      "An instance has no NVLink and no peer access, and instances of one GPU share its memory bandwidth: collectives among them say nothing of the fabric.",
	How:      "mig_mode of nvidia-smi -q -x.",
	Outcomes: []*Outcome{migOff, migOn, migPending, migUntold, noGPU, noPCI, noDriver},
	Sources: []string{
		"https://docs.nvidia.com/datacenter/tesla/mig-user-guide/",
		"https://docs.nvidia.com/deploy/nvidia-smi/index.html",
	},
	Look: lookMIG,
}

var (
	migOff     = &Outcome{Status: Pass, When: "no GPU is split, or knows MIG"}
	migOn      = &Outcome{Status: Warn, When: "a GPU is split", Advice: "For collectives turn MIG off (nvidia-smi -mig 0) and ask for whole GPUs."}
	migPending = &Outcome{Status: Warn, When: "a GPU changes its mode at the next reset", Advice: "Reset the GPU (nvidia-smi --gpu-reset) or reboot, so that what is measured stays."}
	migUntold  = &Outcome{Status: Unknown, When: "a GPU knows MIG and does not tell its mode", Advice: "Ask nvidia-smi as root."}
)

func lookMIG(v *View) []Finding {
	if f := v.withoutDriver(); f != nil {
		return f
	}
	gpus, _ := v.known()
	var found []Finding
	for _, g := range gpus {
		where := []Evidence{smiSaw(g, "current_mig", g.MIG)}
		knows := g.Architecture == "Hopper" || g.Architecture == "Blackwell"
		switch {
		case g.MIG == "Enabled":
			found = append(found, migOn.found(where, "%s at %s is split into instances", g.Name, g.Address))
		case g.PendingMIG != g.MIG:
			found = append(found, migPending.found(append(where, smiSaw(g, "pending_mig", g.PendingMIG)), "%s becomes %s at the next reset", g.Address, g.PendingMIG))
		case g.MIG == "" && knows && g.Mode != VGPU:
			found = append(found, migUntold.found(where, "the MIG mode of %s is not told", g.Address))
		default:
			found = append(found, migOff.found(where, "no GPU is split into instances"))
		}
	}
	return worst(found)
}
