package softgpu

import "syscall"

// ownGroup puts a program and its children into a process group, which killGroup ends whole.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(leader int) { _ = syscall.Kill(-leader, syscall.SIGKILL) }
