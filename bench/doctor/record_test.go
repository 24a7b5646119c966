package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// recordOf looks at a machine with all checks while it is recorded.
func recordOf(t *testing.T, m Machine, whole bool) (Report, *recorder) {
	t.Helper()
	watched, recording := Record(m, whole)
	report := Inspect(context.Background(), watched, Profiles[0])
	r := watched.Root.(*recorder)
	if r.into != recording || len(r.unlisted) > 0 {
		t.Errorf("read without being in a table of what may be recorded: %q", r.unlisted)
	}
	return report, r
}

// TestRecordedMachine records each machine, reads the recording back, and sees that the checks say the same of it.
func TestRecordedMachine(t *testing.T) {
	for _, name := range machines {
		for _, whole := range []bool{false, true} {
			before, r := recordOf(t, fixture(t, name).Machine(), whole)
			text := r.into.Format()
			again, err := ParseRecording(text)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again.Format(), text) {
				t.Errorf("%s: written anew the recording differs", name)
			}
			after := Inspect(context.Background(), again.Machine(), Profiles[0])
			if whole && after.Host != before.Host || !whole && after.Host != "" {
				t.Errorf("%s, whole %v: host %q of %q", name, whole, after.Host, before.Host)
			}
			after.Host, before.Host = "", ""
			if got, want := asJSON(t, after), asJSON(t, before); got != want {
				t.Errorf("%s, whole %v: the recording says\n%s\nthe machine\n%s", name, whole, got, want)
			}
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTopologyOfAUser sees that a recording leads to a topology file in the folder of a user whom it does not name.
func TestTopologyOfAUser(t *testing.T) {
	r := fixture(t, kvmB200)
	r.files[topologyAtHome] = r.files["etc/nccl/topo.xml"]
	setenv("NCCL_TOPO_FILE=/"+topologyAtHome)(t, r)
	_, recorded := recordOf(t, r.Machine(), false)
	if found := gdrDistance.Look(newView(context.Background(), recorded.into.Machine())); !ends(found, gdrNear) {
		t.Errorf("%+v\n%s", found, recorded.into.Format())
	}
}

const (
	home           = "home/" + "alice/"
	topologyAtHome = home + "topo.xml"
)

// secrets are what must not be in a recording, each in the form that it has somewhere.
var secrets = []string{
	"compute-7.acme.example", "compute-7", "10.20.30.40", "fe80::9a03:9bff:fe9e:1234", "fe80:0000:0000:0000:9a03:9bff:fe9e:1234",
	"9a03:9bff:fe9e:1234", "0x9a039bfffe9e1234", "98:03:9b:9e:12:34", "98:03:9B:9E:12:34", "enx98039b9e1234", "e0b1c2d3-1111-2222-3333-444455556666",
	"GPU-E0B1C2D3-1111-2222-3333-444455556666", "1324120043321", "VMware-56 4d 2b 7f", "alice", "alice@acme.example",
	"AKIAIOSFODNN7EXAMPLEKEY0123456789abcd", "hunter2",
}

// TestNoSecretIsRecorded plants secrets in every file, folder, link and output of every machine, beside and in place
// of what is there, and greps the recording for them.
func TestNoSecretIsRecorded(t *testing.T) {
	const host = "compute-7.acme.example"
	for _, name := range machines {
		for _, how := range []string{"beside", "instead"} {
			r := fixture(t, name)
			r.host = host
			plantSecrets(r, how)
			_, redacted := recordOf(t, r.Machine(), false)
			text := strings.ToLower(string(redacted.into.Format()))
			for _, s := range secrets {
				if i := strings.Index(text, strings.ToLower(s)); i >= 0 {
					t.Errorf("%s, %s: %q is in the recording: …%s…", name, how, s, text[max(0, i-200):min(len(text), i+100)])
				}
			}
			if _, whole := recordOf(t, r.Machine(), true); !strings.Contains(string(whole.into.Format()), host) {
				t.Errorf("%s, %s: the whole recording does not name the host", name, how)
			}
		}
	}
}

// plantSecrets puts the secrets into a machine.
func plantSecrets(r *Recording, how string) {
	block := strings.Join(secrets, "\n") + "\n"
	for _, s := range secrets {
		block += "x " + s + " y: " + s + "\nSerial Number: " + s + "\n"
	}
	for name, text := range r.files {
		switch {
		case strings.HasSuffix(name, "/config"): // the bytes of a device serial number in an extended capability
			if len(text) > 0x118 {
				data := []byte(text)
				copy(data[0x104:], "hunter2")
				copy(data[0x90:], "hunter2")
				r.files[name] = string(data)
			}
		case how == "instead":
			r.files[name] = block
		default:
			r.files[name] = text + block
		}
	}
	for c, text := range r.outputs {
		switch {
		case how == "instead":
			r.outputs[c] = []byte(block)
		case c == smiQuery:
			element := ""
			for _, s := range secrets {
				element += "<gpu><serial>" + s + "</serial><uuid>" + s + "</uuid><pci><pci_bus_id>" + s + "</pci_bus_id></pci><process_name>" + s + "</process_name>" +
					"<product_name>" + s + "</product_name><licensed_product_name>" + s + "</licensed_product_name></gpu>"
			}
			r.outputs[c] = bytes.Replace(text, []byte("</nvidia_smi_log>"), []byte(element+"</nvidia_smi_log>"), 1)
		default:
			r.outputs[c] = append(slices.Clone(text), block...)
		}
	}
	for c := range commands {
		if r.outputs[c] == nil && how == "instead" {
			r.failures[string(c)] = errors.New(strings.Join(secrets, " "))
		}
	}
	// Interfaces and devices with telling names, and topology files.
	for i, s := range []string{"enx98039b9e1234", "compute-7"} {
		r.files["sys/class/net/"+s+"/mtu"] = "1500\n"
		r.links["sys/class/net/"+s+"/device"] = "../../../" + s
		r.files[fmt.Sprintf("usr/lib/libnccl.so.%d.%s", i, s)] = ""
		r.files["usr/local/lib/python3.11/dist-packages/"+s] = ""
	}
	r.files[topologyAtHome] = `<system version="1"><cpu numaid="0" host_hash="0x9a039bfffe9e1234"><pci busid="compute-7" serial="1324120043321"><nic><net name="hunter2"/></nic></pci>hunter2</cpu></system>`
	r.environ = append(r.environ, "NCCL_TOPO_FILE=/"+topologyAtHome, "SECRET=hunter2", "NCCL_TOKEN=hunter2", "UCX_NET_DEVICES=enx98039b9e1234",
		"NCCL_SOCKET_IFNAME==compute-7", "NCCL_COMM_ID=10.20.30.40:5000", "NCCL_DEBUG_FILE=/"+home+"log.compute-7.acme.example",
		"UCX_A=[fe80::9a03:9bff:fe9e:1234]", "UCX_B=9a03:9bff:fe9e:1234", "UCX_C=0x9a039bfffe9e1234", "UCX_D=98:03:9B:9E:12:34",
		"UCX_E=GPU-E0B1C2D3-1111-2222-3333-444455556666", "UCX_F=alice@acme.example", "UCX_G=AKIAIOSFODNN7EXAMPLEKEY0123456789abcd", "UCX_H=Compute-7")
}

// TestRedactionKeepsWhatItMust sees that versions, PCI addresses and the like are no secrets.
func TestRedactionKeepsWhatItMust(t *testing.T) {
	for _, text := range []string{
		"580.65.06", "0000:19:00.0", "96.10.74.11.1A", "mlx5_0:1,mlx5_1:1", "ring;allreduce:nvls,tree", "0-31,64-95", "NCCL_IB_HCA==mlx5_0",
		"NVIDIA H100 80GB HBM3", "5.14.0-427.13.1.el9_4.x86_64", "hosting", "Licensed (Expiry: 2026-12-24 7:29:4 GMT)", "cma,rc_mlx5,ud:aux",
	} {
		if got := newRedactor("host").text(text); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
	r := newRedactor("Node1.example.org")
	for text, want := range map[string]string{
		"98:03:9b:9e:12:34 98:03:9b:9e:12:35 98:03:9b:9e:12:34": "mac-1 mac-2 mac-1",
		"/var/log/node1.example.org.txt":                        "/var/log/host",
		"node1 node12 NODE1":                                    "host node12 host",
	} {
		if got := r.text(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// TestRecordingTellsWhatItLacks sees that a recording which does not tell is no machine on which nothing is there.
func TestRecordingTellsWhatItLacks(t *testing.T) {
	r, err := ParseRecording([]byte(RecordingSchema + "\n-- denied --\nproc/uptime\n-- absent --\nproc/version\n"))
	if err != nil {
		t.Fatal(err)
	}
	m := r.Machine()
	for name, want := range map[string]error{"proc/uptime": fs.ErrPermission, "proc/version": fs.ErrNotExist, "proc/meminfo": ErrNotRecorded} {
		if _, err := fs.ReadFile(m.Root, name); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	if _, err := m.Run(context.Background(), smiQuery); !errors.Is(err, ErrNotRecorded) {
		t.Errorf("%v", err)
	}
	for _, f := range Inspect(context.Background(), m, Profiles[0]).Findings {
		if f.Status != Unknown && f.Check != "stack" {
			t.Errorf("of an empty recording %s says %s: %s", f.Check, f.Status, f.Seen)
		}
	}
}

func TestBadRecordings(t *testing.T) {
	for _, text := range []string{"", "x", "collbench.recording/2\n", RecordingSchema + "\n-- hex a --\n0g\n", RecordingSchema + "\n-- what a --\n", RecordingSchema + "\n-- host --\n\xc6\n"} {
		if r, err := ParseRecording([]byte(text)); err == nil {
			t.Errorf("%q: %+v", text, r)
		}
	}
}

// TestThisMachineIsRecorded records the machine of the test itself, redacted, and looks for its name and its user.
func TestThisMachineIsRecorded(t *testing.T) {
	m := Host()
	_, r := recordOf(t, m, false)
	text := string(r.into.Format())
	if len(m.Host) > 3 && strings.Contains(text, m.Host) {
		t.Errorf("the name of this host, %s, is in the recording", m.Host)
	}
	if id, err := os.ReadFile("/etc/machine-id"); err == nil && len(id) > 8 && strings.Contains(text, strings.TrimSpace(string(id))) {
		t.Error("the id of this machine is in the recording")
	}
	if !strings.Contains(text, "-- file proc/version --\nLinux version ") {
		t.Errorf("no version of the kernel:\n%s", text)
	}
}

func FuzzParseRecording(f *testing.F) {
	for _, name := range machines {
		text, err := os.ReadFile("testdata/" + name + ".txtar")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(RecordingSchema + "\n-- --\n--  --\n-- file a --\n-- x --\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseRecording(text)
		if err != nil {
			return
		}
		again, err := ParseRecording(r.Format())
		if err != nil {
			t.Fatal(err)
		}
		a, b := Inspect(context.Background(), r.Machine(), Profiles[0]), Inspect(context.Background(), again.Machine(), Profiles[0])
		a.Facts, b.Facts = Facts{}, Facts{}
		if !r.complete && !reflect.DeepEqual(len(a.Findings), len(b.Findings)) {
			t.Fatalf("%v\n%v", a, b)
		}
		watched, recording := Record(r.Machine(), false)
		Inspect(context.Background(), watched, Profiles[0])
		if _, err := ParseRecording(recording.Format()); err != nil {
			t.Fatal(err)
		}
	})
}
