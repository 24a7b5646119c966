package counters

import (
	"strings"
	"testing"
	"testing/fstest"

	"collbench/bench"
)

// host is the file system of a host with these ports: "mlx5_0/1" → state, words sent, words received.
func host(ports map[string][3]string) fstest.MapFS {
	files := fstest.MapFS{"sys/class/net/lo/mtu": &fstest.MapFile{}}
	for port, texts := range ports {
		device, number, _ := strings.Cut(port, "/")
		folder := "sys/class/infiniband/" + device + "/ports/" + number + "/"
		for i, name := range []string{"state", "counters/port_xmit_data", "counters/port_rcv_data"} {
			if texts[i] != "" {
				files[folder+name] = &fstest.MapFile{Data: []byte(texts[i] + "\n")}
			}
		}
	}
	return files
}

func TestInfiniBand(t *testing.T) {
	for _, c := range []struct {
		name   string
		ports  map[string][3]string
		want   bench.LinkBytes
		number int
		failed string
	}{
		{"none", nil, bench.LinkBytes{}, 0, ""},
		{"two adapters", map[string][3]string{"mlx5_0/1": {"4: ACTIVE", "100", "7"}, "mlx5_1/1": {"4: ACTIVE", "9007199254740992", "0"}},
			bench.LinkBytes{Sent: 400 + 4*9007199254740992, Received: 28}, 2, ""},
		{"one port down", map[string][3]string{"mlx5_0/1": {"4: ACTIVE", "1", "2"}, "mlx5_0/2": {"1: DOWN", "5", "5"}}, bench.LinkBytes{Sent: 4, Received: 8}, 1, ""},
		{"a virtual function that does not count", map[string][3]string{"mlx5_2/1": {"4: ACTIVE", "", ""}}, bench.LinkBytes{}, 0, ""},
		{"half a counter", map[string][3]string{"mlx5_2/1": {"4: ACTIVE", "3", ""}}, bench.LinkBytes{}, 0, ""},
		{"nonsense", map[string][3]string{"mlx5_0/1": {"4: ACTIVE", "N/A (no PMA)", "2"}}, bench.LinkBytes{}, 0,
			`sys/class/infiniband/mlx5_0/ports/1/counters/port_xmit_data: "N/A (no PMA)" is no count`},
	} {
		got, n, err := InfiniBand(host(c.ports))
		if got != c.want || n != c.number || (err == nil) != (c.failed == "") || err != nil && err.Error() != c.failed {
			t.Errorf("%s: %+v of %d ports, %v; want %+v of %d, %q", c.name, got, n, err, c.want, c.number, c.failed)
		}
	}
}
