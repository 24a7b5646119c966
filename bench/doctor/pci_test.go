package doctor

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestBetween(t *testing.T) {
	const up, other = "pci0000:15/0000:15:01.0/0000:16:00.0", "pci0000:97/0000:97:01.0/0000:98:00.0"
	for _, c := range []struct {
		a, b     string
		sameNode bool
		want     distance
	}{
		{up + "/0000:17:00.0/0000:18:00.0", up + "/0000:17:01.0/0000:19:00.0", true, pix},
		{up + "/0000:17:00.0/0000:18:00.0", up + "/0000:17:00.0/0000:18:00.1", true, pix}, // two functions of one card
		{up + "/0000:17:00.0/0000:18:00.0", up + "/0000:17:01.0/0000:19:00.0/0000:1a:00.0/0000:1b:00.0", true, pxb},
		{up + "/0000:17:00.0/0000:18:00.0", up + "/0000:17:01.0/0000:19:00.0/0000:1a:00.0", true, pxb}, // behind one bridge more
		{up + "/0000:17:00.0/0000:18:00.0", "pci0000:15/0000:15:03.0/0000:30:00.0", true, phb},
		{"pci0000:00/0000:00:05.0", "pci0000:00/0000:00:06.0", true, phb}, // a virtual machine without bridges
		{up + "/0000:17:00.0/0000:18:00.0", other + "/0000:99:00.0/0000:9a:00.0", true, node},
		{up + "/0000:17:00.0/0000:18:00.0", other + "/0000:99:00.0/0000:9a:00.0", false, sys},
	} {
		a, b := strings.Split(c.a, "/"), strings.Split(c.b, "/")
		if got := between(a, b, c.sameNode); got != c.want {
			t.Errorf("%s and %s: %s, want %s", c.a, c.b, got, c.want)
		}
		if between(a, b, c.sameNode) != between(b, a, c.sameNode) {
			t.Errorf("%s and %s: not the same back", c.a, c.b)
		}
	}
}

func TestTopologyFile(t *testing.T) {
	chains, err := parseTopology([]byte(`<system version="1">
		<cpu numaid="0"><pci busid="ffff:ff:01.0"><pci busid="00000000:0A:00.0"/><pci busid="0000:0b:00.0"/>
			<pci busid="ffff:ff:02.0"><pci busid="0000:0c:00.0"/></pci></pci><pci busid="0000:0d:00.0"/></cpu>
		<cpu numaid="1"><pci busid="0000:8a:00.0"/></cpu></system>`))
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]distance{"0000:0b:00.0": pix, "0000:0c:00.0": pxb, "0000:0d:00.0": phb, "0000:8a:00.0": sys} {
		if got := betweenTopology(chains["0000:0a:00.0"], chains[to]); got != want {
			t.Errorf("%s: %s, want %s", to, got, want)
		}
	}
	for _, bad := range []string{"", "<system>", "<graphs/>", "<system>" + strings.Repeat("<cpu>", 100) + strings.Repeat("</cpu>", 100) + "</system>"} {
		if _, err := parseTopology([]byte(bad)); err == nil {
			t.Errorf("%.40q is read", bad)
		}
	}
}

func TestPairing(t *testing.T) {
	for _, c := range []struct {
		host, guest string
		want        *Outcome
	}{
		{"525.60.12", "525.60.13", vgpuSame},      // 15.0 and 15.0
		{"525.85.07", "525.60.13", vgpuMinor},     // 15.1 and 15.0
		{"525.85.07", "510.108.03", vgpuPrevious}, // 15.1 and 14.x
		{"525.85.07", "470.161.03", vgpuOlder},    // 15 has no long-term support
		{"535.54.06", "470.182.03", vgpuPreviousLTS},
		{"580.65.05", "535.230.02", vgpuPreviousLTS},
		{"580.65.05", "470.256.02", vgpuOlder},
		{"580.65.05", "570.133.20", vgpuPrevious},
		{"535.54.06", "550.54.14", vgpuNewer},
		{"430.1", "580.65.06", vgpuUntabled}, {"", "580.65.06", vgpuUntabled}, {"580.65.05", "x", vgpuUntabled},
	} {
		if got := pairing(c.host, c.guest); got != c.want {
			t.Errorf("host %s, guest %s: %q, want %q", c.host, c.guest, got.When, c.want.When)
		}
	}
}

// TestKeptConfig sees that a configuration space keeps what checks read, and no serial number.
func TestKeptConfig(t *testing.T) {
	for _, name := range []string{"0000:02:00.0", "0000:13:00.0"} {
		config := []byte(fixture(t, map[string]string{"0000:02:00.0": vgpuH100, "0000:13:00.0": esxiA100}[name]).files[pciFile(name, "config")])
		kept := keepConfig(config)
		if !reflect.DeepEqual(vendorCapability(kept), vendorCapability(config)) || len(kept) != len(config) {
			t.Errorf("%s: the vendor's capability goes", name)
		}
		before, was := control(config, extATS)
		if after, is := control(kept, extATS); after != before || is != was {
			t.Errorf("%s: ATS %v %v, was %v %v", name, after, is, before, was)
		}
		if serial := []byte{0x9c, 0x59, 0xa6}; bytes.Contains(kept, serial) || name == "0000:13:00.0" && !bytes.Contains(config, serial) {
			t.Errorf("%s: the serial number is kept", name)
		}
	}
}

func FuzzConfig(f *testing.F) {
	for _, name := range machines {
		for file, text := range fixture(f, name).files {
			if strings.HasSuffix(file, "/config") {
				f.Add([]byte(text))
			}
		}
	}
	f.Fuzz(func(t *testing.T, config []byte) {
		vendor := vendorCapability(config)
		host, branch, ok := hostDriver(vendor)
		kept := keepConfig(config)
		if len(kept) != len(config) {
			t.Fatalf("%d bytes of %d", len(kept), len(config))
		}
		if isVGPU(vendor) {
			if h, b, o := hostDriver(vendorCapability(kept)); h != host || b != branch || o != ok {
				t.Fatalf("%q %q %v, was %q %q %v", h, b, o, host, branch, ok)
			}
		}
	})
}

func FuzzTexts(f *testing.F) {
	f.Add("0-3,8,x-", "<system><cpu numaid='0'><pci busid='0000:01:00.0'/></cpu></system>", "\tGPU0\n GPU0\tX\n", "0x0 0x1 0x200\n")
	f.Fuzz(func(t *testing.T, list, topology, matrix, resource string) {
		cpuSet(list)
		if _, err := parseTopology([]byte(topology)); err == nil {
			if _, err := parseTopology(keepTopology([]byte(topology))); err != nil {
				t.Fatal(err)
			}
		}
		parseMatrix(matrix)
		activeLinks(matrix)
		windows(resource)
		if log, err := parseSMI([]byte(topology)); err == nil && len(log.Devices) > 0 {
			parseSMI(keepSMI([]byte(topology)))
		}
	})
}
