package doctor

import (
	"strconv"
	"strings"
)

var fabric = Check{
	ID:       "fabric",
	What:     "Whether each GPU of Hopper or later has joined its NVLink fabric, and in what health.",
	Why:      "Without the fabric manager there is no NVLink between the GPUs of an NVSwitch system and no NVLS; a degraded link slows down every collective.",
	How:      "fabric of nvidia-smi -q -x: state, status and health; how long the system is up in /proc/uptime.",
	Outcomes: []*Outcome{fabricJoined, fabricJoining, fabricLate, fabricNotStarted, fabricFailed, fabricUnhealthy, fabricUptime, noFabric, noGPU, noPCI, noDriver},
	Sources: []string{
		"https://docs.nvidia.com/deploy/nvml-api/group__nvmlFabricDefs.html",
		"https://docs.nvidia.com/datacenter/tesla/fabric-manager-user-guide/index.html",
	},
	Look: lookFabric,
}

const fabricAdvice = "See that nvidia-fabricmanager runs where the NVSwitches are (on the host, if they are not passed through), that its version is the driver's, and what its log says."

var (
	fabricJoined     = &Outcome{Status: Pass, When: "every GPU has joined, and nothing of its health is wrong"}
	fabricJoining    = &Outcome{Status: Warn, When: "a GPU is joining, and the system is up for less than five minutes", Advice: "Wait until nvidia-smi -q shows Completed."}
	fabricLate       = &Outcome{Status: Fail, When: "a GPU is still joining after five minutes", Advice: fabricAdvice}
	fabricNotStarted = &Outcome{Status: Fail, When: "a GPU has not begun to join", Advice: fabricAdvice}
	fabricFailed     = &Outcome{Status: Fail, When: "a GPU could not join", Advice: fabricAdvice}
	fabricUnhealthy  = &Outcome{Status: Fail, When: "a GPU has joined with degraded bandwidth, a wrong configuration or unhealthy routes",
		Advice: "Take the host out, look into the fabric manager's log, and reset its GPUs or reboot; have links that stay degraded repaired."}
	fabricUptime = &Outcome{Status: Unknown, When: "a GPU is joining, and it does not show for how long", Advice: "Run where /proc/uptime can be read."}
	noFabric     = &Outcome{Status: Info, When: "no GPU is part of a fabric that it tells of: an architecture before Hopper, or no NVSwitch"}
)

const joiningSeconds = 300

func lookFabric(v *View) []Finding {
	if f := v.withoutDriver(); f != nil {
		return f
	}
	gpus, _ := v.known()
	var found []Finding
	for _, g := range gpus {
		f := g.Fabric
		where := []Evidence{smiSaw(g, "fabric/state", f.State), smiSaw(g, "fabric/status", f.Status)}
		switch {
		case f.State == "" || strings.EqualFold(f.State, "Not Supported"):
		case f.State == "Not Started":
			found = append(found, fabricNotStarted.found(where, "%s has not begun to join its fabric", g.Address))
		case f.State == "In Progress":
			found = append(found, v.joining(g, where))
		case f.State != "Completed" || f.Status != "Success":
			found = append(found, fabricFailed.found(where, "%s: state %s, status %s", g.Address, f.State, f.Status))
		case f.trouble() != "":
			found = append(found, fabricUnhealthy.found(append(where, smiSaw(g, "fabric/health", f.trouble())), "%s: %s", g.Address, f.trouble()))
		default:
			found = append(found, fabricJoined.found(where, "every GPU has joined its NVLink fabric"))
		}
	}
	if len(found) == 0 {
		return []Finding{noFabric.found(nil, "no NVLink fabric is told of")}
	}
	return worst(found)
}

// joining is the finding on a GPU that is joining its fabric.
func (v *View) joining(g GPU, where []Evidence) Finding {
	text, err := v.read("proc/uptime")
	first, _, _ := strings.Cut(text, " ")
	seconds, bad := strconv.ParseFloat(first, 64)
	if err != nil || bad != nil {
		return fabricUptime.found(where, "%s is joining its fabric", g.Address)
	}
	where = append(where, saw("proc/uptime", first))
	if seconds < joiningSeconds {
		return fabricJoining.found(where, "%s is joining its fabric", g.Address)
	}
	return fabricLate.found(where, "%s is still joining its fabric, %.0f minutes after the start", g.Address, seconds/60)
}

// trouble says what is wrong with a fabric's health; "" if nothing is, or none is told.
func (f Fabric) trouble() string {
	var wrong []string
	for _, c := range []struct {
		bad  bool
		text string
	}{
		{f.Bandwidth != "" && f.Bandwidth != "Full", "bandwidth " + strings.ToLower(f.Bandwidth)},
		{f.RouteUnhealthy == "True", "a route is unhealthy"},
		{f.RouteRecovery == "True", "a route is being recovered"},
		{f.AccessTimeout == "True", "recovering from a timeout"},
		{f.Misconfigured != "" && f.Misconfigured != "None", "wrong configuration: " + f.Misconfigured},
	} {
		if c.bad {
			wrong = append(wrong, c.text)
		}
	}
	if len(wrong) == 0 && f.Summary != "" && f.Summary != "Healthy" {
		wrong = append(wrong, "health "+strings.ToLower(f.Summary))
	}
	return strings.Join(wrong, ", ")
}
