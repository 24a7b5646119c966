package lab

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// whyRefused puts into words why the kernel refused to start a process in namespaces made by flags. read gives the
// files of /proc that tell.
func whyRefused(flags uintptr, err error, read func(string) ([]byte, error)) string {
	kind, setting := "network, process and mount namespaces are refused here", ""
	if flags&syscall.CLONE_NEWUSER != 0 {
		kind = "user namespaces are refused here"
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		err = number // without the name of the file that was to be started
	}
	switch {
	case errors.Is(err, syscall.EPERM):
		setting = whyForbidden(flags, read)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EUSERS):
		setting = limits(read)
	case errors.Is(err, syscall.EINVAL):
		setting = "this kernel was built without them"
	}
	if setting == "" {
		return fmt.Sprintf("%s: %v", kind, err)
	}
	return fmt.Sprintf("%s: %v (%s)", kind, err, setting)
}

// whyForbidden looks for what makes the kernel answer "operation not permitted".
func whyForbidden(flags uintptr, read func(string) ([]byte, error)) string {
	var found []string
	if flags&syscall.CLONE_NEWUSER == 0 {
		found = append(found, "no CAP_SYS_ADMIN")
	} else {
		for _, s := range []struct{ file, value string }{
			{"kernel/unprivileged_userns_clone", "0"},
			{"kernel/apparmor_restrict_unprivileged_userns", "1"},
			{"user/max_user_namespaces", "0"},
		} {
			if value, err := read("/proc/sys/" + s.file); err == nil && strings.TrimSpace(string(value)) == s.value {
				found = append(found, strings.ReplaceAll(s.file, "/", ".")+"="+s.value)
			}
		}
	}
	if status, err := read("/proc/self/status"); err == nil && strings.Contains(string(status), "\nSeccomp:\t2") {
		found = append(found, "a seccomp filter is active, as in many containers")
	}
	return strings.Join(found, ", ")
}

// limits names the limits on namespaces that are used up: those of 0, or all of them when none is.
func limits(read func(string) ([]byte, error)) string {
	var all, zero []string
	for _, kind := range []string{"user", "net", "pid", "mnt"} {
		name := "max_" + kind + "_namespaces"
		value, err := read("/proc/sys/user/" + name)
		if err != nil {
			continue
		}
		text := "user." + name + "=" + strings.TrimSpace(string(value))
		all = append(all, text)
		if strings.HasSuffix(text, "=0") {
			zero = append(zero, text)
		}
	}
	if len(zero) > 0 {
		all = zero
	}
	return strings.Join(all, ", ")
}
