package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shell is a way to reach hosts by ssh that lasts as long as a test: keys of its own, no password, and the program
// under a name that a login there can start.
type shell struct {
	dir     string
	port    int
	command string // ssh and options
	binary  string // starts the test binary as the program
}

// newShell makes the keys and the configuration of servers on the port.
func newShell(t *testing.T, port int) *shell {
	t.Helper()
	s := &shell{dir: t.TempDir(), port: port}
	for _, tool := range []string{sshd, "ssh-keygen"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no ssh server here (scripts/setup installs openssh-server as sshd): %v", err)
		}
	}
	for _, name := range []string{"host", "user"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(s.dir, name)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v %s", err, out)
		}
	}
	if os.Geteuid() == 0 {
		// Where sshd gives up its rights; Debian makes it when the service is started.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.command = fmt.Sprintf("ssh -F none -p %d -i %s -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
		port, filepath.Join(s.dir, "user"))
	s.binary = filepath.Join(s.dir, "collbench")
	script := fmt.Sprintf("#!/bin/sh\n%s=1 exec %s \"$@\"\n", asProgram, os.Args[0])
	if err := os.WriteFile(s.binary, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return s
}

const sshd = "/usr/sbin/sshd" // it insists on its whole path

// serve starts a server on an address, in the way of start, and waits until it listens.
func (s *shell) serve(t *testing.T, address string, start func(*exec.Cmd) error, reach func() error) {
	t.Helper()
	config := filepath.Join(s.dir, "config-"+address)
	text := fmt.Sprintf("ListenAddress %s:%d\nHostKey %s\nAuthorizedKeysFile %s\nUsePAM no\nStrictModes no\nPidFile none\nPasswordAuthentication no\nMaxStartups 100\n",
		address, s.port, filepath.Join(s.dir, "host"), filepath.Join(s.dir, "user.pub"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(sshd, "-D", "-e", "-f", config)
	var said bytes.Buffer
	server.Stdout, server.Stderr = &said, &said
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := start(server); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
		if t.Failed() {
			t.Logf("sshd on %s:\n%s", address, said.String())
		}
	})
	for deadline := time.Now().Add(30 * time.Second); reach() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("sshd on %s does not listen: %v", address, reach())
		}
	}
}

// loopbackShell serves two addresses of this machine that are nobody's: for the program they are other hosts.
func loopbackShell(t *testing.T) *shell {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skipf("127.0.0.2 is none of this machine's addresses: %v", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	s := newShell(t, port)
	for _, address := range []string{"127.0.0.2", "127.0.0.3"} {
		s.serve(t, address, (*exec.Cmd).Start, func() error { return dialed(fmt.Sprintf("%s:%d", address, port)) })
	}
	return s
}

func dialed(address string) error {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err == nil {
		conn.Close()
	}
	return err
}

// launch is the arguments of collbench launch for hosts that are reached so.
func (s *shell) launch(hosts string, args ...string) []string {
	return append([]string{"launch", "--ssh", s.command, "--binary", s.binary, "--hosts", hosts}, args...)
}

// processes lists those that are alive and whose command line and environment hold the words.
func processes(word string) (found []int) {
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		command, _ := os.ReadFile(folder + "/cmdline")
		environ, _ := os.ReadFile(folder + "/environ")
		if strings.Contains(string(command)+"\x00"+string(environ), word) {
			var pid int
			fmt.Sscanf(filepath.Base(folder), "%d", &pid)
			found = append(found, pid)
		}
	}
	return found
}
