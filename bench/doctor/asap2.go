package doctor

import (
	"path"
	"regexp"
	"strings"
)

var asap2 = Check{
	ID:   "asap2",
	What: "Whether a NIC switches its virtual functions' packets itself (ASAP², switchdev with hardware offload).",
	Why:  "Where Open vSwitch switches them on processors of the host, ranks in virtual machines and pods get a fraction of the port's rate, and lose it to each other.",
	How: "Representors, which a NIC in switchdev mode has: phys_port_name such as pf0vf1 in /sys/class/net/*; Open vSwitch's other_config:hw-offload. " +
		"In a virtual machine neither shows: there it is the host's matter.",
	Outcomes: []*Outcome{asapOffload, asapSoftware, asapUnseen, asapNone, asapUnread},
	Sources: []string{
		"https://docs.kernel.org/networking/representors.html",
		"https://docs.openvswitch.org/en/latest/howto/tc-offload/",
	},
	Look: lookASAP2,
}

var (
	asapOffload  = &Outcome{Status: Info, When: "there are representors, and Open vSwitch is told to offload"}
	asapSoftware = &Outcome{Status: Warn, When: "there are representors, and Open vSwitch is not told to offload",
		Advice: "ovs-vsctl set Open_vSwitch . other_config:hw-offload=true, and restart Open vSwitch."}
	asapUnseen = &Outcome{Status: Unknown, When: "there are representors, and Open vSwitch does not answer",
		Advice: "Run where ovs-vsctl is and may ask, as root on the host; where something else switches (OVN-Kubernetes, DOCA), ask that."}
	asapNone   = &Outcome{Status: Info, Absent: true, When: "there are no representors: no NIC here is in switchdev mode, or this is a guest, whose host decides"}
	asapUnread = &Outcome{Status: Unknown, When: "the network interfaces cannot be read", Advice: "Run where /sys is mounted as the kernel gives it."}
)

// representor is what the kernel calls the port that stands for a virtual function or subfunction.
var representor = regexp.MustCompile(`^(c[0-9]+)?pf[0-9]+(vf|sf)[0-9]+$`)

func lookASAP2(v *View) []Finding {
	names, err := v.list(netFolder)
	if err != nil {
		return []Finding{asapUnread.found(unread(netFolder, err), "the network interfaces cannot be read")}
	}
	var where []Evidence
	for _, name := range names {
		file := path.Join(netFolder, name, "phys_port_name")
		if port, err := v.read(file); err == nil && representor.MatchString(port) {
			where = append(where, saw(file, port))
		}
	}
	if len(where) == 0 {
		return []Finding{asapNone.found(nil, "no representor of a virtual function")}
	}
	text, err := v.run(ovsOffload)
	switch value := strings.Trim(strings.TrimSpace(text), `"`); {
	case err != nil:
		return []Finding{asapUnseen.found(append(where, unread(string(ovsOffload), err)...), "%s, and Open vSwitch does not answer", count(len(where), "representor"))}
	case value == "true":
		return []Finding{asapOffload.found(append(where, setting(string(ovsOffload), value)), "%s, and Open vSwitch offloads", count(len(where), "representor"))}
	default:
		return []Finding{asapSoftware.found(append(where, setting(string(ovsOffload), value)), "%s, and Open vSwitch switches in software", count(len(where), "representor"))}
	}
}
