package doctor

import (
	"path"
	"strings"
)

var sharp = Check{
	ID:   "sharp",
	What: "Whether reduction in InfiniBand switches (SHARP) is asked for and can be used by NCCL.",
	Why:  "NCCL falls back to ring or tree without a word where the plugin is missing or a setting forbids SHARP: the figure is right, and half of what was paid for.",
	How: "NCCL_COLLNET_ENABLE and NCCL_SHARP_DISABLE; the plugin libnccl-net.so in the usual folders; link_layer of the ports. " +
		"Whether the fabric has aggregation nodes does not show on a host: NCCL's log says via COLLNET/ and SHARP rank x/y initialized; sums, minima and maxima only.",
	Outcomes: []*Outcome{sharpReady, sharpDisabled, sharpNoPlugin, sharpNotAsked, sharpNoIB, noRDMA, unreadRDMA},
	Sources: []string{
		"https://github.com/Mellanox/nccl-rdma-sharp-plugins",
		"https://docs.nvidia.com/networking/display/sharpv370/testing+nvidia+sharp+setup",
	},
	Look: lookSHARP,
}

var (
	sharpReady    = &Outcome{Status: Pass, When: "it is asked for and the plugin is there"}
	sharpDisabled = &Outcome{Status: Fail, When: "it is asked for and forbidden at once (NCCL_SHARP_DISABLE=1)", Advice: "Unset NCCL_SHARP_DISABLE, on all ranks."}
	sharpNoPlugin = &Outcome{Status: Unknown, When: "it is asked for and the plugin is in none of the usual folders, so that only LD_LIBRARY_PATH can lead to it",
		Advice: "Install HPC-X, and put its nccl_rdma_sharp_plugin/lib into LD_LIBRARY_PATH; NCCL's log says which plugin it loads."}
	sharpNotAsked = &Outcome{Status: Info, Absent: true, When: "it is not asked for", Advice: "NCCL_COLLNET_ENABLE=1, with HPC-X's plugin and an aggregation manager in the fabric."}
	sharpNoIB     = &Outcome{Status: Info, Absent: true, When: "no port is InfiniBand"}
)

func lookSHARP(v *View) []Finding {
	if f := v.withoutRDMA(); f != nil {
		return f
	}
	nics, _ := v.nics()
	native := false
	for _, n := range nics {
		for _, p := range n.Ports {
			native = native || p.Layer == "InfiniBand"
		}
	}
	if !native {
		return []Finding{sharpNoIB.found(nil, "no port is InfiniBand")}
	}
	where := []Evidence{setting("NCCL_COLLNET_ENABLE", v.variable("NCCL_COLLNET_ENABLE"))}
	if v.variable("NCCL_COLLNET_ENABLE") != "1" {
		return []Finding{sharpNotAsked.found(nil, "NCCL_COLLNET_ENABLE is not 1")}
	}
	if v.variable("NCCL_SHARP_DISABLE") == "1" {
		return []Finding{sharpDisabled.found(append(where, setting("NCCL_SHARP_DISABLE", "1")), "NCCL_COLLNET_ENABLE and NCCL_SHARP_DISABLE are both 1")}
	}
	if file := v.findLibrary("libnccl-net.so"); file != "" {
		return []Finding{sharpReady.found(append(where, saw(file, "found")), "asked for, with the plugin %s", "/"+file)}
	}
	return []Finding{sharpNoPlugin.found(where, "asked for; libnccl-net.so is in none of the usual folders")}
}

// findLibrary looks for a library by the beginning of its name; "" if it is in none of the usual folders.
func (v *View) findLibrary(prefix string) string {
	for _, folder := range libraries {
		names, _ := v.list(folder)
		for _, name := range names {
			if strings.HasPrefix(name, prefix) {
				return path.Join(folder, name)
			}
		}
	}
	return ""
}
