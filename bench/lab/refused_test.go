package lab

import (
	"os"
	"syscall"
	"testing"
)

func TestWhyRefused(t *testing.T) {
	const user = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWUSER
	for _, c := range []struct {
		flags uintptr
		err   error
		files map[string]string
		want  string
	}{
		{user, syscall.EPERM, map[string]string{"/proc/sys/kernel/unprivileged_userns_clone": "0\n"},
			"user namespaces are refused here: operation not permitted (kernel.unprivileged_userns_clone=0)"},
		{user, syscall.EPERM, map[string]string{"/proc/self/status": "Name:\tx\nSeccomp:\t2\n", "/proc/sys/kernel/unprivileged_userns_clone": "1\n"},
			"user namespaces are refused here: operation not permitted (a seccomp filter is active, as in many containers)"},
		{user, syscall.EPERM, map[string]string{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"},
			"user namespaces are refused here: operation not permitted (kernel.apparmor_restrict_unprivileged_userns=1)"},
		{user, syscall.EPERM, nil, "user namespaces are refused here: operation not permitted"},
		{user, syscall.ENOSPC, map[string]string{"/proc/sys/user/max_user_namespaces": "0\n", "/proc/sys/user/max_net_namespaces": "100\n"},
			"user namespaces are refused here: no space left on device (user.max_user_namespaces=0)"},
		{user, syscall.ENOSPC, map[string]string{"/proc/sys/user/max_user_namespaces": "10\n", "/proc/sys/user/max_net_namespaces": "100\n"},
			"user namespaces are refused here: no space left on device (user.max_user_namespaces=10, user.max_net_namespaces=100)"},
		{user, syscall.EINVAL, nil, "user namespaces are refused here: invalid argument (this kernel was built without them)"},
		{syscall.CLONE_NEWNET, syscall.EPERM, map[string]string{"/proc/self/status": "Name:\tx\nSeccomp:\t0\n"},
			"network, process and mount namespaces are refused here: operation not permitted (no CAP_SYS_ADMIN)"},
	} {
		wrapped := &os.PathError{Op: "fork/exec", Path: "/proc/self/exe", Err: c.err}
		got := whyRefused(c.flags, wrapped, func(name string) ([]byte, error) {
			text, found := c.files[name]
			if !found {
				return nil, os.ErrNotExist
			}
			return []byte(text), nil
		})
		if got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
