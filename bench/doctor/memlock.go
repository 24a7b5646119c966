package doctor

import "strings"

var memlock = Check{
	ID:       "memlock",
	What:     "Whether a process may lock as much memory as RDMA registers.",
	Why:      "Registering buffers fails at the limit: libraries give up, or fall back to TCP or to copies.",
	How:      "Max locked memory in /proc/self/limits.",
	Outcomes: []*Outcome{lockUnlimited, lockLimited, lockUnread, noRDMA, unreadRDMA},
	Sources: []string{
		"https://docs.open-mpi.org/en/v5.0.x/tuning-apps/networking/ib-and-roce.html",
		"https://man7.org/linux/man-pages/man2/getrlimit.2.html (RLIMIT_MEMLOCK)",
	},
	Look: lookMemlock,
}

var (
	lockUnlimited = &Outcome{Status: Pass, When: "there is no limit"}
	lockLimited   = &Outcome{Status: Warn, When: "there is a limit",
		Advice: "Lift it: memlock unlimited in /etc/security/limits.conf, LimitMEMLOCK=infinity for services (slurmd), --ulimit memlock=-1 for containers."}
	lockUnread = &Outcome{Status: Unknown, When: "the limit cannot be read", Advice: "Run where /proc is mounted."}
)

const limitsFile = "proc/self/limits"

func lookMemlock(v *View) []Finding {
	if f := v.withoutRDMA(); f != nil {
		return f
	}
	text, err := v.read(limitsFile)
	if err != nil {
		return []Finding{lockUnread.found(unread(limitsFile, err), "the limit of locked memory cannot be read")}
	}
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "Max locked memory")
		fields := strings.Fields(rest)
		if !ok || len(fields) == 0 {
			continue
		}
		where := []Evidence{part(limitsFile, "Max locked memory", fields[0])}
		if fields[0] == "unlimited" {
			return []Finding{lockUnlimited.found(where, "no limit of locked memory")}
		}
		return []Finding{lockLimited.found(where, "locked memory is limited to %s bytes", fields[0])}
	}
	return []Finding{lockUnread.found([]Evidence{saw(limitsFile, "no such line")}, "the limit of locked memory cannot be read")}
}
