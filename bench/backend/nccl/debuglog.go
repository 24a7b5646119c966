package nccl

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// debugLog is what NCCL's log (NCCL_DEBUG=INFO) says of algorithms and of CollNet.
type debugLog struct {
	choices     []choice
	connected   bool     // "rank 3 Connected CollNet"
	sharp       string   // "SHARP rank 0/2 initialized on mlx5_0:1": the plugin's, for each rank that speaks for a node
	disabled    string   // why there is no CollNet, in NCCL's words
	unavailable bool     // "NVLS multicast support is not available on dev 0"
	via         []string // how other nodes are reached: see viaLine
}

// choice is what NCCL chose for operations of one size.
type choice struct {
	function  string // "AllReduce"; "" before 2.23
	bytes     int64
	algorithm string // as the profiler calls it; "" for symmetric kernels and copy engines
	protocol  string
	other     string // "Symmetric", "Copy Engine": no algorithm of NCCL's list
}

var (
	// 2.20–2.22 "1024 Bytes -> Algo 1 proto 2 time 8.5"; 2.23 with the function; from 2.24 on with names and channels.
	choiceLine = regexp.MustCompile(`(?:(\w+): )?(\d+) Bytes -> Algo (\w+) proto (\w+)`)
	// From 2.27 on: "AllReduce [Symmetric]: 1024 Bytes -> Kernel AllReduce_RSxLD_AGxST nchannels 8 nthreads 512".
	otherLine = regexp.MustCompile(`(\w+) \[([\w ]+)\]: (\d+) Bytes -> `)
	connected = regexp.MustCompile(`rank \d+ Connected CollNet`)
	// "Channel 00/0 : 0[0] -> 8[0] [send] via NET/IB/0/GDRDMA", also with "(PXN)", "/Shared" and a flavour of GDRDMA behind
	// it (src/transport/net.cc); "… via COLLNET/SHARP/0/GDRDMA" (src/transport/coll_net.cc).
	viaLine   = regexp.MustCompile(`via (NET|COLLNET)/([^/\s]+)/\d+(?:\([^)]*\))?(/GDRDMA)?`)
	sharpLine = regexp.MustCompile(`SHARP rank \d+/\d+ initialized on \S+`)
)

// disabledLines are how NCCL says that it goes on without CollNet.
var disabledLines = []string{"Cannot initialize CollNet", "disabling CollNet", "CollNet node threshold"}

// Numbers of algorithms and protocols before 2.24 (src/include/nccl_common.h).
var (
	algorithmNumbers = []string{"TREE", "RING", "COLLNET_DIRECT", "COLLNET_CHAIN", "NVLS", "NVLS_TREE", "PAT"}
	protocolNumbers  = []string{"LL", "LL128", "SIMPLE"}
)

// readDebugLog reads NCCL's log, of whatever version; what it does not know it passes over.
func readDebugLog(text string) debugLog {
	var d debugLog
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if m := choiceLine.FindStringSubmatch(line); m != nil {
			bytes, err := strconv.ParseInt(m[2], 10, 64)
			algorithm, protocol := named(algorithmNumbers, m[3]), named(protocolNumbers, m[4])
			if err == nil && algorithm != "" && protocol != "" {
				d.add(choice{function: m[1], bytes: bytes, algorithm: algorithm, protocol: protocol})
			}
		} else if m := otherLine.FindStringSubmatch(line); m != nil {
			if bytes, err := strconv.ParseInt(m[3], 10, 64); err == nil {
				d.add(choice{function: m[1], bytes: bytes, other: m[2]})
			}
		}
		if m := viaLine.FindStringSubmatch(line); m != nil {
			d.reaches(m[1] + "/" + m[2] + m[3])
		}
		d.connected = d.connected || connected.MatchString(line)
		d.unavailable = d.unavailable || strings.Contains(line, "NVLS multicast support is not available")
		if m := sharpLine.FindString(line); m != "" && d.sharp == "" {
			d.sharp = m
		}
		if d.disabled == "" && slices.ContainsFunc(disabledLines, func(part string) bool { return strings.Contains(line, part) }) {
			d.disabled = message(line)
		}
	}
	return d
}

// reaches keeps each way once.
func (d *debugLog) reaches(way string) {
	if !slices.Contains(d.via, way) {
		d.via = append(d.via, way)
	}
}

// add keeps each choice once.
func (d *debugLog) add(c choice) {
	if !slices.Contains(d.choices, c) {
		d.choices = append(d.choices, c)
	}
}

// named is a name, or the name behind a number; "" if that has none.
func named(names []string, text string) string {
	i, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return text
	case i < 0 || i >= len(names):
		return ""
	}
	return names[i]
}

// message is a line of the log without "host:pid:tid [device] file:line NCCL WARN" before it.
func message(line string) string {
	for _, mark := range []string{"NCCL WARN ", "NCCL INFO "} {
		if _, text, ok := strings.Cut(line, mark); ok {
			return text
		}
	}
	return line
}
