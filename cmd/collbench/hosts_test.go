package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"collbench/bench"
	"collbench/bench/lab"
	"collbench/bench/store"
)

// asHosts is the variable that makes the test binary the launcher of severalHosts: it holds a folder to meet in.
const asHosts = "COLLBENCH_TEST_AS_HOSTS"

// severalHosts runs the program as four ranks in two VMs of a virtual cluster, which for the program are two hosts.
// Ranks sit as the first argument says: one digit a rank, the VM. The other arguments are the program's.
func severalHosts() int {
	links, err := lab.ParseLinks("400Mbit", 2)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 98
	}
	network, err := lab.Build(links)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 99
	}
	defer network.Close()
	var ranks []*exec.Cmd
	for rank, vm := range os.Args[1] {
		cmd := exec.Command(os.Args[0], os.Args[2:]...)
		cmd.Env = append(os.Environ(), asHosts+"=", asProgram+"=1", fmt.Sprintf("COLLBENCH_RANK=%d", rank), fmt.Sprintf("COLLBENCH_SIZE=%d", len(os.Args[1])),
			"COLLBENCH_RENDEZVOUS=file:"+filepath.Join(os.Getenv(asHosts), "meet"))
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := network.Start(int(vm-'0'), cmd); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 98
		}
		ranks = append(ranks, cmd)
	}
	code := 0
	for _, cmd := range ranks {
		cmd.Wait()
		code = max(code, cmd.ProcessState.ExitCode())
	}
	return code
}

func TestSeveralHosts(t *testing.T) {
	for _, c := range []struct {
		vms       string
		transport []string
		want      string // the transport
		local     []int
		domain    int
	}{
		{"0011", []string{"--transport", "tcp"}, "tcp", []int{0, 1, 0, 1}, 2},
		{"0011", nil, "shm+tcp", []int{0, 1, 0, 1}, 2},
		{"0101", nil, "shm+tcp", []int{0, 0, 1, 1}, 1}, // round robin
		{"01", nil, "tcp", []int{0, 0}, 1},
	} {
		dir := t.TempDir()
		args := slices.Concat([]string{c.vms, "run", "--bytes", "8,1MiB", "--algorithm", "ring,sharp", "--iterations", "5", "--warmup", "1",
			"--expect-hosts", "2", "--out", filepath.Join(dir, "run")}, c.transport)
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env = append(os.Environ(), asHosts+"="+dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if os.Geteuid() != 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
				UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
		}
		var output bytes.Buffer
		cmd.Stdout, cmd.Stderr = &output, &output
		err := cmd.Run()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == 99 {
			t.Skipf("no virtual cluster here: %v %s", err, output.String())
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.vms, err, output.String())
		}
		runs, _, err := store.Read(filepath.Join(dir, "run"))
		if err != nil {
			t.Fatal(err)
		}
		hosts, local := map[string]bool{}, []int{}
		for _, r := range runs[0].Info.Ranks {
			hosts[r.Host] = true
			local = append(local, r.Local)
		}
		if len(hosts) != 2 || !slices.Equal(local, c.local) || !strings.Contains(output.String(), "on 2 hosts") {
			t.Errorf("%s: %+v\n%s", c.vms, runs[0].Info.Ranks, output.String())
		}
		if found := runs[0].Info.Findings; !slices.ContainsFunc(found, func(f bench.Finding) bool { return f.Check == "parity" }) ||
			!slices.ContainsFunc(found, func(f bench.Finding) bool { return f.Check == "numa" && len(f.Hosts) == 2 }) {
			t.Errorf("%s: what was found of the hosts: %+v", c.vms, found)
		}
		for _, r := range runs[0].Results {
			if r.Status != bench.OK || r.Wrong == nil || *r.Wrong != 0 || r.Where.Hosts != 2 || r.Where.Domain != c.domain || r.How.Transport != c.want {
				t.Errorf("%s: %s: %s %s, %+v, %s", c.vms, r.Case, r.Status, r.Error, r.Where, r.How.Transport)
			}
		}
		if len(runs[0].Results) != 4 {
			t.Errorf("%s: %d results\n%s", c.vms, len(runs[0].Results), output.String())
		}
	}
}
