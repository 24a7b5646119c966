package start

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestParseHosts(t *testing.T) {
	for _, c := range []struct {
		text string
		want []Host // nil: refused
	}{
		{"a", []Host{{"a", 1}}},
		{"a:4,b:2", []Host{{"a", 4}, {"b", 2}}},
		{"a:2, b ,a:2", []Host{{"a", 4}, {"b", 1}}},
		{"me@a.b:3", []Host{{"me@a.b", 3}}},
		{"10.0.0.1:8,[fe80::1%eth0]:2,[::1]", []Host{{"10.0.0.1", 8}, {"fe80::1%eth0", 2}, {"::1", 1}}},
		{"", nil}, {",", nil}, {"a,", nil}, {"a:", nil}, {"a:0", nil}, {"a:-1", nil}, {"a:x", nil}, {"a:65537", nil}, {"fe80::1", nil},
		{"[::1", nil}, {"[::1]2", nil}, {"-oProxyCommand=x", nil}, {"a b", nil}, {"a;b", nil}, {"$(x)", nil}, {"[-x]:2", nil},
	} {
		got, err := ParseHosts(c.text)
		if (err == nil) != (c.want != nil) || err == nil && !slices.Equal(got, c.want) {
			t.Errorf("%q: %v %v, want %v", c.text, got, err, c.want)
		}
	}
}

func TestReadHosts(t *testing.T) {
	got, err := ReadHosts(strings.NewReader("# all\n\nnode1 slots=4\nnode2:2  # small\n node3\nnode1\n"))
	if want := []Host{{"node1", 5}, {"node2", 2}, {"node3", 1}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v %v", got, err)
	}
	for text, want := range map[string]string{
		"": "no host", "# none\n": "no host", "a\nb slots=0\n": `line 2: "slots=0"`, "a max=3\n": `line 1: "max=3"`, "a:b\n": "line 1: ", "a:2 slots=2 x\n": "line 1: ",
	} {
		if _, err := ReadHosts(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzHosts(f *testing.F) {
	for _, seed := range []string{"a:4,b", "[::1]:2", "node1 slots=4\n#\nnode2:2", "-x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseHosts(text)
		more, again := ReadHosts(strings.NewReader(text))
		if err != nil {
			list = nil
		}
		if again != nil {
			more = nil
		}
		for _, h := range slices.Concat(list, more) {
			if h.Name == "" || h.Name[0] == '-' || strings.ContainsAny(h.Name, " \t\n'\"$;&|`\\") || h.Slots < 1 || h.Slots > maxSlots {
				t.Errorf("%q gives %+v", text, h)
			}
		}
	})
}

func TestSpread(t *testing.T) {
	hosts := []Host{{"a.invalid", 2}, {"b.invalid", 3}, {"c.invalid", 1}}
	for n, want := range map[int][][]int{
		0: {{0, 1}, {2, 3, 4}, {5}}, 1: {{0}}, 2: {{0, 1}}, 3: {{0, 1}, {2}}, 5: {{0, 1}, {2, 3, 4}}, 6: {{0, 1}, {2, 3, 4}, {5}},
	} {
		places, err := Spread(hosts, n)
		var got [][]int
		for _, p := range places {
			got = append(got, p.Ranks)
		}
		if err != nil || !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%d ranks: %v %v", n, got, err)
		}
	}
	if _, err := Spread(hosts, 7); err == nil || err.Error() != "7 ranks, but the hosts have 6 slots: want NAME:SLOTS with more, or fewer ranks" {
		t.Error(err)
	}
}

func TestIsHere(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{name: true, "localhost": true, "127.0.0.1": true, "127.0.0.2": false, "nobody.invalid": false, "me@localhost": false, "192.0.2.1": false} {
		if isHere(host) != want {
			t.Errorf("%s: %v", host, !want)
		}
	}
}
