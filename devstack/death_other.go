//go:build !linux

package devstack

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// setDeathSignal does nothing: only Linux tells children of their parent's
// death. What a killed launcher leaves behind is ended by its next start.
func setDeathSignal(*syscall.SysProcAttr, syscall.Signal) {}

// commandLine is the command line of a process, joined by blanks; empty if
// there is no such process.
func commandLine(pid int) string {
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
