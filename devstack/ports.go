package devstack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
)

// Loopback is the address that everything listens on.
const Loopback = "127.0.0.1"

func hostPort(port int) string { return net.JoinHostPort(Loopback, strconv.Itoa(port)) }

// Free ports are taken from below the range that systems hand out to outgoing
// connections: a client that keeps dialling a stopped server's port could
// otherwise be given that very port and hold it.
const (
	lowestFree  = 20000
	highestFree = 31999
)

// FreePort returns a loopback port that nothing listens on at this moment.
func FreePort() (int, error) {
	for range 200 {
		port := lowestFree + rand.IntN(highestFree-lowestFree+1) //nolint:gosec // a guess that need not be secret
		if checkPort(hostPort(port)) == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port between %d and %d", lowestFree, highestFree)
}

func checkPort(address string) error {
	listener, err := net.Listen("tcp", address) //nolint:noctx // an address of this machine, which waits for nothing
	if err != nil {
		return err
	}
	return listener.Close()
}

// portUse is a port that the stack is about to take.
type portUse struct {
	// what needs it and the variable that changes it.
	what, variable string
	address        string
}

// checkPorts reports every port that can't be taken, a line each.
func checkPorts(uses []portUse) error {
	var faults []error
	seen := map[string]portUse{}
	for _, use := range uses {
		host, port, err := net.SplitHostPort(use.address)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %q is not host:port", use.variable, use.address))
			continue
		}
		if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
			faults = append(faults, fmt.Errorf("%s: %q is not a port between 1 and 65535", use.variable, port))
			continue
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			faults = append(faults, fmt.Errorf("%s: %q is not a loopback address, and this stack with its known demo secrets listens on loopback only", use.variable, host))
			continue
		}
		if other, twice := seen[port]; twice {
			faults = append(faults, fmt.Errorf("port %s is wanted by the %s and by the %s: set %s or %s to another",
				port, other.what, use.what, other.variable, use.variable))
			continue
		}
		seen[port] = use
		if err := checkPort(use.address); err != nil {
			if errors.Is(err, syscall.EADDRINUSE) {
				err = fmt.Errorf("port %s for the %s is taken: end what listens there or set %s to another", port, use.what, use.variable)
			} else {
				err = fmt.Errorf("port %s for the %s can't be used (%w): set %s to another", port, use.what, err, use.variable)
			}
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}
