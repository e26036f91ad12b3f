package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthTimeout bounds the question of CheckReady: longer than the program takes
// to find out what it lacks.
const healthTimeout = 8 * time.Second

// longestStatus bounds how much of an answer is shown, in bytes.
const longestStatus = 4096

// Start runs a program, or asks the one that runs already for its health where the
// arguments are the word health; other arguments are an error. address returns
// where the program listens for operators.
func Start(ctx context.Context, args []string, run func() error, address func() (string, error)) error {
	switch {
	case len(args) == 0:
		return run()
	case len(args) > 1 || args[0] != "health":
		return errors.New(`it takes no arguments but "health", which asks the program that runs here whether it is ready`)
	}
	at, err := address()
	if err != nil {
		return err
	}
	return CheckReady(ctx, at)
}

// CheckReady asks the program that listens at address, which may be on all
// addresses of this machine, for its readiness. The error says what it lacks.
func CheckReady(ctx context.Context, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	switch host {
	case "", "0.0.0.0":
		host = "127.0.0.1" // a name would need a file that an image has not
	case "::":
		host = "::1"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	// Without the proxies of the environment: the program is on this machine.
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, longestStatus))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", strings.TrimSpace(string(body)))
	}
	return nil
}
