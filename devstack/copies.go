package devstack

import (
	"context"
	"errors"
	"maps"
	"sync"
	"syscall"
)

// Program is one copy of api or worker.
type Program struct {
	*Process
	address, metricsURL string
	environ             map[string]string
}

// Address is host:port where this copy of the API takes calls; empty for a worker.
func (p *Program) Address() string { return p.address }

// MetricsURL is the base URL of its metrics, health and readiness.
func (p *Program) MetricsURL() string { return p.metricsURL }

// Environ are the variables that it has beside those of [Stack.Environ]: where it
// listens and, with links, how it reaches what it needs.
func (p *Program) Environ() map[string]string { return maps.Clone(p.environ) }

// Copies are the processes of one program. What is done to them is done to all at
// once; each may be harmed alone as well.
type Copies []*Program

func (c Copies) all(do func(*Program) error) error {
	faults := make([]error, len(c))
	var group sync.WaitGroup
	for i, p := range c {
		group.Go(func() { faults[i] = do(p) })
	}
	group.Wait()
	return errors.Join(faults...)
}

// Start starts those that don't run and returns when they are ready; see [Process.Start].
func (c Copies) Start(ctx context.Context) error {
	return c.all(func(p *Program) error {
		if p.PID() != 0 {
			return nil
		}
		return p.Start(ctx)
	})
}

// Stop stops all; see [Process.Stop].
func (c Copies) Stop(ctx context.Context) error {
	return c.all(func(p *Program) error { return p.Stop(ctx) })
}

// Kill kills all; see [Process.Kill].
func (c Copies) Kill() error { return c.all(func(p *Program) error { return p.Kill() }) }

// Signal sends all of them a signal; see [Process.Signal].
func (c Copies) Signal(signal syscall.Signal) error {
	return c.all(func(p *Program) error { return p.Signal(signal) })
}
