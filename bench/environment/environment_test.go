package environment

import (
	"io/fs"
	"reflect"
	"runtime/debug"
	"strings"
	"testing"
	"testing/fstest"

	"collbench/bench"
)

func files(contents map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, text := range contents {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func TestReadOfAServer(t *testing.T) {
	root := files(map[string]string{
		"etc/os-release":                         "NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
		"proc/version":                           "Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org) (gcc-12) #1 SMP\n",
		"proc/cpuinfo":                           "processor\t: 0\nmodel name\t: AMD EPYC 9654 96-Core Processor\nflags\t\t: fpu sse avx2\n\nprocessor\t: 1\nmodel name\t: other\n",
		"proc/meminfo":                           "MemTotal:       1583986324 kB\nMemFree: 1 kB\n",
		"sys/devices/system/node/node0/cpulist":  "0-95\n",
		"sys/devices/system/node/node12/cpulist": "96-191\n",
		"sys/devices/system/node/online":         "0-1\n",
		"sys/class/dmi/id/sys_vendor":            "Amazon EC2\n",
		"sys/class/dmi/id/product_name":          "p5.metal\n",
	})
	want := bench.Environment{
		OS: "Debian GNU/Linux 12 (bookworm)", Kernel: "6.1.0-18-amd64", CPU: "AMD EPYC 9654 96-Core Processor", Memory: 1583986324 * 1024, NUMANodes: 2, Hypervisor: "none",
		Variables: map[string]string{"NCCL_ALGO": "Ring", "GOGC": "off"},
	}
	if got := Read(root, []string{"NCCL_ALGO=Ring", "HOME=/root", "GOGC=off"}); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := Read(files(nil), nil); !reflect.DeepEqual(got, bench.Environment{}) {
		t.Errorf("nothing to read: %+v", got)
	}
	bad := files(map[string]string{"proc/version": "Linux", "proc/meminfo": "MemTotal: lots\n", "proc/cpuinfo": "\x00:::\n"})
	if got := Read(bad, []string{"NCCL_X", "="}); !reflect.DeepEqual(got, bench.Environment{}) {
		t.Errorf("nonsense: %+v", got)
	}
}

func TestHypervisor(t *testing.T) {
	for _, c := range []struct{ flags, vendor, product, xen, want string }{
		{"fpu hypervisor", "QEMU", "Standard PC (Q35 + ICH9, 2009)", "", "QEMU"},
		{"fpu hypervisor", "Red Hat", "KVM", "", "KVM"},
		{"fpu hypervisor", "VMware, Inc.", "VMware7,1", "", "VMware"},
		{"fpu hypervisor", "Microsoft Corporation", "Virtual Machine", "", "Hyper-V"},
		{"fpu hypervisor", "Amazon EC2", "p5.48xlarge", "", "KVM (Amazon EC2)"},
		{"fpu hypervisor", "", "", "xen", "Xen"},
		{"fpu hypervisor", "", "", "", "unknown"},
		{"fpu", "Supermicro", "AS-8125GS-TNHR", "", "none"},
		{"", "Apple Inc.", "Apple Virtualization Generic Platform", "", "Apple Virtualization"},
		{"", "", "", "", ""},
		{"", "HPE", "ProLiant", "", ""},
	} {
		root := files(map[string]string{"sys/class/dmi/id/sys_vendor": c.vendor + "\n", "sys/class/dmi/id/product_name": c.product + "\n", "sys/hypervisor/type": c.xen + "\n"})
		if got := hypervisor(root, c.flags); got != c.want {
			t.Errorf("%+v: %q, want %q", c, got, c.want)
		}
	}
}

func TestNoSecrets(t *testing.T) {
	got := allowed([]string{
		"UCX_TLS=tcp", "NCCL_IB_HCA=mlx5_0,mlx5_1", "OMPI_MCA_btl=self=1", "SLURM_JOB_ID=17", "COLLBENCH_EMPTY=", "NCCL_BAD=\xff",
		"AWS_SECRET_ACCESS_KEY=s", "NCCL_TOKEN=s", "UCX_PASSWORD=s", "COLLBENCH_API_KEY=s", "SHARP_secret=s", "NCCL_AUTH=s",
		"NCCL_COLLNET=https://user:pw@host/x", "PATH=/bin", "NCCL", "XNCCL_ALGO=Ring", "NCCL_LONG=" + strings.Repeat("x", 2000),
	})
	want := map[string]string{"UCX_TLS": "tcp", "NCCL_IB_HCA": "mlx5_0,mlx5_1", "OMPI_MCA_btl": "self=1", "SLURM_JOB_ID": "17", "COLLBENCH_EMPTY": "", "NCCL_BAD": "\uFFFD"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestVersion(t *testing.T) {
	set := func(v ...string) (s []debug.BuildSetting) {
		for i := 0; i < len(v); i += 2 {
			s = append(s, debug.BuildSetting{Key: v[i], Value: v[i+1]})
		}
		return s
	}
	for _, c := range []struct {
		version  string
		settings []debug.BuildSetting
		want     string
	}{
		{"v1.2.3", nil, "v1.2.3"},
		{"(devel)", set("vcs.revision", "0123456789abcdef", "vcs.modified", "true"), "(devel) 0123456789ab+modified"},
		{"v0.0.0-20260101000000-0123456789ab+dirty", set("vcs.revision", "0123456789abcdef", "vcs.modified", "true"), "v0.0.0-20260101000000-0123456789ab+dirty"},
		{"", set("vcs.revision", "abc"), "abc"},
	} {
		if got := version(&debug.BuildInfo{Main: debug.Module{Version: c.version}, Settings: c.settings}); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestThisHost(t *testing.T) {
	e := Host()
	if e.Host == "" || e.CPUs < 1 || !strings.HasPrefix(e.Go, "go1.") || e.Kernel == "" || e.Memory < 1<<20 {
		t.Errorf("%+v", e)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("MemTotal: 9223372036854775807 kB", "model name : x\nflags : hypervisor", "PRETTY_NAME='a\"", "NCCL_A=b")
	f.Fuzz(func(t *testing.T, meminfo, cpuinfo, release, variable string) {
		e := Read(files(map[string]string{"proc/meminfo": meminfo, "proc/cpuinfo": cpuinfo, "etc/os-release": release, "proc/version": release}), []string{variable})
		if e.Memory < 0 {
			t.Fatalf("%d bytes of memory", e.Memory)
		}
	})
}
