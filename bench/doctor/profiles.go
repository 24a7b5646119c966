package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// Profile says which checks run, and what must be there.
type Profile struct {
	Name, Summary string
	Checks        []string // ids; empty: all
	Required      []string // ids of checks for which absent or unknown is a failure
}

// Profiles lists the profiles; the first is the default.
var Profiles = []Profile{
	{Name: "default", Summary: "every check; what is absent is no failure"},
	{Name: "rdma", Summary: "InfiniBand or RoCE must be there, with all that GPUDirect RDMA needs",
		Checks:   []string{"gpu-mode", "gdr-distance", "gdr-kernel", "ats", "acs", "numa", "link", "ib-port", "nic-driver", "memlock"},
		Required: []string{"ib-port"}},
	{Name: "sharp", Summary: "reduction in the InfiniBand switches must be asked for and possible",
		Checks: []string{"ib-port", "nic-driver", "memlock", "sharp"}, Required: []string{"ib-port", "sharp"}},
	{Name: "vgpu", Summary: "GPUs must be virtual, licensed and driven by a driver that the host accepts",
		Checks: []string{"gpu-mode", "vgpu-driver", "vgpu-license", "bar-mmio", "gpu-p2p", "uvm", "mig"}, Required: []string{"gpu-mode", "vgpu-driver", "vgpu-license"}},
	{Name: "storage", Summary: "GPUDirect Storage must be possible",
		Checks: []string{"gpu-mode", "bar-mmio", "numa", "link", "gds", "nvme-snap"}, Required: []string{"gds"}},
	{Name: "kubernetes", Summary: "the GPU Operator must have found the node good",
		Checks: []string{"gpu-mode", "mig", "ib-port", "memlock", "gpu-operator", "network-operator"}, Required: []string{"gpu-operator"}},
}

// ProfileNames are the names of the profiles.
func ProfileNames() []string {
	var names []string
	for _, p := range Profiles {
		names = append(names, p.Name)
	}
	return names
}

// FindProfile gives a profile by its name.
func FindProfile(name string) (Profile, error) {
	i := slices.IndexFunc(Profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}, fmt.Errorf("unknown profile %q: want one of %s", name, strings.Join(ProfileNames(), ", "))
	}
	return Profiles[i], nil
}

// runs says whether a check is part of the profile.
func (p Profile) runs(id string) bool { return len(p.Checks) == 0 || slices.Contains(p.Checks, id) }

// judge is a finding under the profile: what must be there and is not, or is not known to be, fails.
func (p Profile) judge(f Finding) Finding {
	missing := f.outcome.Absent || f.Status == Unknown
	if missing && slices.Contains(p.Required, f.Check) {
		f.Status = Fail
		f.Seen += "; the profile " + p.Name + " requires it"
	}
	return f
}
