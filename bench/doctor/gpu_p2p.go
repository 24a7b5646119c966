package doctor

import (
	"regexp"
	"strconv"
	"strings"
)

var gpuP2P = Check{
	ID:   "gpu-p2p",
	What: "Whether the GPUs of this system can reach each other's memory.",
	Why:  "Without peer access NCCL copies through shared host memory: an order of magnitude slower than NVLink.",
	How: "nvidia-smi topo -p2p r (read) and n (NVLink); nvidia-smi nvlink -s tells which GPUs have active NVLinks. " +
		"Names such as \"A100-4-20C\" are vGPUs on a MIG instance.",
	Outcomes: []*Outcome{p2pAll, p2pNVLink, p2pPCIe, p2pFraction, p2pUnread, p2pOne, noGPU, noPCI, noDriver},
	Sources: []string{
		"https://github.com/NVIDIA/nccl/blob/master/docs/userguide/source/troubleshooting/gpu_troubleshooting.rst",
		"https://docs.nvidia.com/ai-enterprise/release-8/8.0/infra-software/vgpu/features/p2p.html",
	},
	Look: lookGPUP2P,
}

var (
	p2pAll    = &Outcome{Status: Pass, When: "every pair can, over NVLink where both have it"}
	p2pNVLink = &Outcome{Status: Fail, When: "two GPUs have active NVLinks and cannot reach each other over them",
		Advice: "See that the fabric manager runs and is of the driver's version. For vGPUs of A100 under vSphere look at check uvm."}
	p2pPCIe = &Outcome{Status: Warn, When: "two GPUs without NVLink cannot reach each other",
		Advice: "On bare metal look at ACS (check acs). In a virtual machine the hypervisor must allow it (vSphere: pciPassthru.allowP2P=TRUE) and both GPUs be below one root port; vGPUs have none over PCIe."}
	p2pFraction = &Outcome{Status: Fail, When: "there are several vGPUs, of which one is a MIG instance: peer access needs the whole memory of a GPU, time-sliced",
		Advice: "Give the virtual machine profiles of the whole GPU's memory that are not backed by MIG."}
	p2pUnread = &Outcome{Status: Unknown, When: "nvidia-smi does not show the matrix", Advice: "Use a driver whose nvidia-smi knows topo -p2p."}
	p2pOne    = &Outcome{Status: Info, When: "there is one GPU"}
)

var (
	// " GPU0\tX\tOK\tCNS"; the header has the same form without X.
	matrixLine = regexp.MustCompile(`^\s*GPU[0-9]+\s+.*\bX\b.*$`)
	linkLine   = regexp.MustCompile(`^GPU [0-9]+:|^\s+Link [0-9]+: [<>a-z0-9./A-Z ]+$`)
	migBacked  = regexp.MustCompile(`-[0-9]+-[0-9]+[A-Z]+$`)
	gpuHead    = regexp.MustCompile(`^GPU ([0-9]+):`)
	linkUp     = regexp.MustCompile(`^\s+Link [0-9]+: [0-9.]+ GB/s`)
)

// parseMatrix reads the states of nvidia-smi topo -p2p: "OK", "CNS" (chipset not supported), "TNS" (topology), ….
func parseMatrix(text string) [][]string {
	var rows [][]string
	for line := range strings.Lines(text) {
		line = escapes.ReplaceAllString(line, "")
		if matrixLine.MatchString(strings.TrimSuffix(line, "\n")) {
			rows = append(rows, strings.Fields(line)[1:])
		}
	}
	return rows
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// activeLinks reads the number of active NVLinks of each GPU from nvidia-smi nvlink -s.
func activeLinks(text string) map[int]int {
	links, gpu := map[int]int{}, -1
	for line := range strings.Lines(text) {
		if m := gpuHead.FindStringSubmatch(line); m != nil {
			gpu, _ = strconv.Atoi(m[1])
		} else if linkUp.MatchString(line) {
			links[gpu]++
		}
	}
	return links
}

func lookGPUP2P(v *View) []Finding {
	if f := v.withoutDriver(); f != nil {
		return f
	}
	gpus, _ := v.known()
	if len(gpus) == 1 {
		return []Finding{p2pOne.found(nil, "one GPU: no pair")}
	}
	for _, g := range gpus {
		if g.Mode == VGPU && migBacked.MatchString(g.Name) {
			return []Finding{p2pFraction.found([]Evidence{smiSaw(g, "product_name", g.Name)}, "%s at %s is a vGPU on a MIG instance", g.Name, g.Address)}
		}
	}
	text, err := v.run(smiPeers)
	if err != nil {
		return []Finding{p2pUnread.found(unread(string(smiPeers), err), "which GPUs can reach each other is not told")}
	}
	nvlink, _ := v.run(smiNVPeers) // without it, and without links, what is not told is judged as PCIe
	status, _ := v.run(smiNVLink)
	read, over, links := parseMatrix(text), parseMatrix(nvlink), activeLinks(status)
	if len(read) != len(gpus) {
		return []Finding{p2pUnread.found([]Evidence{setting(string(smiPeers), firstLine(text))}, "the matrix has %d rows for %s", len(read), count(len(gpus), "GPU"))}
	}
	var found []Finding
	for i, row := range read {
		for j := i + 1; j < len(row); j++ {
			state, command, bad := row[j], smiPeers, p2pPCIe
			if links[i] > 0 && links[j] > 0 && i < len(over) && j < len(over[i]) {
				state, command, bad = over[i][j], smiNVPeers, p2pNVLink
			}
			if state != "OK" {
				where := []Evidence{{Path: string(command), Field: "GPU" + strconv.Itoa(i) + " – GPU" + strconv.Itoa(j), Value: state}}
				found = append(found, bad.found(where, "GPU%d and GPU%d cannot reach each other: %s", i, j, state))
			}
		}
	}
	if len(found) == 0 {
		return []Finding{p2pAll.found(nil, "%s of GPUs, all of which can reach each other", count(len(gpus)*(len(gpus)-1)/2, "pair"))}
	}
	return worst(found)
}
