package devstack

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// setDeathSignal lets the kernel send signal to the child when its parent dies.
func setDeathSignal(attr *syscall.SysProcAttr, signal syscall.Signal) {
	attr.Pdeathsig = signal
}

// commandLine is the command line of a process, joined by blanks; empty if
// there is no such process or it is a zombie.
func commandLine(pid int) string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	return string(bytes.ReplaceAll(bytes.TrimRight(raw, "\x00"), []byte{0}, []byte{' '}))
}
