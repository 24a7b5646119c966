package doctor

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// hosts are reports of several hosts that are alike.
func hosts(t *testing.T, names ...string) []Report {
	t.Helper()
	var reports []Report
	for _, name := range names {
		r := Inspect(context.Background(), fixture(t, bareH100).Machine(), Profiles[0])
		r.Host = name
		r.Facts = Facts{Values: maps.Clone(r.Facts.Values), Variables: maps.Clone(r.Facts.Variables)}
		reports = append(reports, r)
	}
	return reports
}

func TestCompare(t *testing.T) {
	value := func(host int, fact, to string) func([]Report) {
		return func(r []Report) { r[host].Facts.Values[fact] = to }
	}
	variable := func(host int, name, to string) func([]Report) {
		return func(r []Report) { r[host].Facts.Variables[name] = to }
	}
	checked := map[*Outcome]bool{}
	for _, c := range []struct {
		change func([]Report)
		want   *Outcome
		hosts  []string
		seen   string
	}{
		{func([]Report) {}, paritySame, nil, "4 hosts alike in: GPU mode, GPUs, port rates, NCCL, NVIDIA driver"},
		{value(2, factDriver, "570.172.08"), parityDiffers, []string{"c"}, "NVIDIA driver: 570.172.08 on c; 580.65.06 on a, b, d"},
		{value(0, factNCCL, "2.21.5"), parityBroken, []string{"a"}, "NCCL: 2.21 on a; 2.27 on b, c, d"},
		{value(0, factNCCL, "2.27.3"), parityDiffers, []string{"a"}, "NCCL: 2.27.3 on a; 2.27.5 on b, c, d"},
		{value(1, factMode, "2 × passthrough"), parityBroken, []string{"b"}, "GPU mode: 2 × passthrough on b"},
		{value(3, factMPI, "libmpi 40.30.4"), parityUnknown, nil, "not known: MPI on a, b, c"},
		{value(3, factCPUs, "0-111"), parityDiffers, []string{"d"}, "CPUs that a process may use: 0-111 on d; 0-223 on a, b, c"},
		{value(3, factMTU, "1 × 9000"), parityDiffers, []string{"d"}, "MTU: 1 × 9000 on d"},
		{value(3, factRate, "2 × 200 Gb/sec (4X HDR)"), parityBroken, []string{"d"}, "port rates: 2 × 200 Gb/sec (4X HDR) on d"},
		{variable(1, "NCCL_ALGO", "Ring"), parityVariable, []string{"b"}, "NCCL_ALGO: Ring on b; (not set) on a, c, d"},
		{func(r []Report) { delete(r[1].Facts.Variables, "NCCL_COLLNET_ENABLE") }, parityVariable, []string{"b"}, "NCCL_COLLNET_ENABLE: (not set) on b; 1 on a, c, d"},
		{func(r []Report) { r[0].Facts.Values[factKernel], r[1].Facts.Values[factKernel] = "6.1", "6.1" }, parityDiffers, []string{"a", "b", "c", "d"}, "kernel: 6.1 on a, b; 6.8.0-45-generic on c, d"},
	} {
		reports := hosts(t, "a", "b", "c", "d")
		c.change(reports)
		found := Compare(reports)
		i := slices.IndexFunc(found, func(f Finding) bool { return f.outcome == c.want })
		if i < 0 || !strings.HasPrefix(found[i].Seen, c.seen) || !reflect.DeepEqual(found[i].Hosts, c.hosts) || found[i].Check != "parity" || found[i].Why == "" {
			t.Errorf("want %s %q: %+v", c.want.Status, c.seen, found)
		}
		if c.want != paritySame && c.want != parityUnknown && len(found) != 1 {
			t.Errorf("%q: %d findings: %+v", c.seen, len(found), found)
		}
		checked[c.want] = true
	}
	for _, o := range Parity.Outcomes {
		if !checked[o] {
			t.Errorf("no comparison ends so: %q", o.When)
		}
	}
}

// TestWhatMayDiffer sees that a launcher's variables, which differ from rank to rank, are not compared.
func TestWhatMayDiffer(t *testing.T) {
	reports := hosts(t, "a", "b")
	for i, r := range reports {
		for _, name := range []string{"OMPI_MCA_ess_base_vpid", "SLURM_JOB_ID", "COLLBENCH_RANK", "CUDA_VISIBLE_DEVICES", "I_MPI_HYDRA_HOST_FILE", "OMPI_MCA_orte_hnp_uri"} {
			r.Facts.Variables[name] = string(rune('0' + i))
		}
	}
	if found := Compare(reports); Worst(found) != Pass {
		t.Errorf("%+v", found)
	}
}

// TestManyHosts sees that a long list of those that agree is cut.
func TestManyHosts(t *testing.T) {
	reports := hosts(t, "a", "b", "c", "d", "e", "f", "g")
	reports[6].Facts.Values[factDriver] = "570.172.08"
	if found := Compare(reports); found[0].Seen != "NVIDIA driver: 570.172.08 on g; 580.65.06 on the other 6" {
		t.Errorf("%+v", found)
	}
}
