package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"collbench/bench/doctor"
)

// odd is what differs on one of three hosts of a cluster.
type odd struct{ nccl, variable, cpus string }

// doctors runs doctor as one rank on each host of the cluster, vm0, vm1 and login, and gives what rank 0 prints.
func (c *cluster) doctors(t *testing.T, hosts [3]odd) (d doctor.Diagnosis, code int) {
	t.Helper()
	meet := filepath.Join(t.TempDir(), "meet")
	var ranks []*exec.Cmd
	var stdout, stderr bytes.Buffer
	for rank, o := range hosts {
		cmd := exec.Command("sh", "-c", `mount -t tmpfs lib /usr/local/lib && touch "/usr/local/lib/libnccl.so.$0" && exec "$@"`, o.nccl,
			"taskset", "-c", o.cpus, os.Args[0], "doctor", "--format", "json")
		cmd.Env = append(os.Environ(), asProgram+"=1", fmt.Sprintf("COLLBENCH_RANK=%d", rank), "COLLBENCH_SIZE=3", "COLLBENCH_RENDEZVOUS=file:"+meet, "NCCL_ALGO="+o.variable)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
		cmd.Stderr = &stderr
		if rank == 0 {
			cmd.Stdout = &stdout
		}
		if err := c.start(rank, cmd); err != nil {
			t.Fatal(err)
		}
		ranks = append(ranks, cmd)
	}
	for _, cmd := range ranks {
		cmd.Wait()
		code = max(code, cmd.ProcessState.ExitCode())
	}
	if err := json.Unmarshal(stdout.Bytes(), &d); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout.String(), stderr.String())
	}
	return d, code
}

// TestDoctorNamesTheOddHost has one host with another version, another with another variable and a third with other CPUs:
// each is named.
func TestDoctorNamesTheOddHost(t *testing.T) {
	c := enterCluster(t)
	if c == nil {
		return
	}
	noneIn(t, map[string]string{"taskset": "util-linux"})
	cpus, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil || !strings.ContainsAny(string(cpus), "-,") {
		t.Skipf("one CPU: %q %v", cpus, err)
	}
	all := strings.TrimSpace(string(cpus))
	alike := odd{"2.27.5", "Ring", all}
	d, code := c.doctors(t, [3]odd{alike, alike, alike})
	if len(d.Reports) != 3 || doctor.Worst(d.Compared) != doctor.Pass || code != exitOK {
		t.Errorf("alike: exit %d, %d reports, %+v", code, len(d.Reports), d.Compared)
	}
	d, code = c.doctors(t, [3]odd{{"2.27.5", "Ring", "0"}, {"2.27.5", "Tree", all}, {"2.21.5", "Ring", all}})
	if code != exitFailed {
		t.Errorf("exit %d", code)
	}
	for _, want := range []struct {
		host, seen string
		status     doctor.Status
	}{
		{"login", "NCCL: 2.21 on login; 2.27 on vm0, vm1", doctor.Fail},
		{"vm1", "NCCL_ALGO: Tree on vm1; Ring on login, vm0", doctor.Warn},
		{"vm0", "CPUs that a process may use: 0 on vm0; " + all + " on login, vm1", doctor.Warn},
	} {
		if !slices.ContainsFunc(d.Compared, func(f doctor.Finding) bool {
			return f.Seen == want.seen && f.Status == want.status && reflect.DeepEqual(f.Hosts, []string{want.host})
		}) {
			t.Errorf("nobody says %q: %+v", want.seen, d.Compared)
		}
	}
}
