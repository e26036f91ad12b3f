package devstack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
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

// Links are the connections of a Stack that can be harmed, one for all copies of a
// program. Clients is nil where one copy runs without links, the others are nil
// without links.
type Links struct {
	Clients                         *Link
	APIToPostgres, WorkerToPostgres *Link
	APIToTemporal, WorkerToTemporal *Link
}

// listening is where a copy listens; a worker has metrics alone.
type listening struct{ api, metrics string }

// fronted is whether clients reach the API through a link.
func (s *Stack) fronted() bool { return s.options.Copies > 1 || s.options.Links }

// startLinks starts the balancer in front of the API and, with Links, what can be
// harmed between the programs and what they need.
func (s *Stack) startLinks(ctx context.Context) error {
	start := func(link **Link, address string, targets ...string) error {
		started, err := StartLink(ctx, address, targets...)
		if err != nil {
			return err
		}
		*link = started
		s.running = append(s.running, started.Stop)
		return nil
	}
	if s.fronted() {
		var targets []string
		for _, at := range s.apis {
			targets = append(targets, at.api)
		}
		if err := start(&s.Links.Clients, s.options.APIAddress, targets...); err != nil {
			return err
		}
	}
	if !s.options.Links {
		return nil
	}
	database, err := url.Parse(s.Environ()[variableDatabase])
	if err != nil {
		return fmt.Errorf("%s can't be read", variableDatabase) // it has a password
	}
	return errors.Join(
		start(&s.Links.APIToPostgres, hostPort(0), database.Host),
		start(&s.Links.WorkerToPostgres, hostPort(0), database.Host),
		start(&s.Links.APIToTemporal, hostPort(0), s.TemporalAddress()),
		start(&s.Links.WorkerToTemporal, hostPort(0), s.TemporalAddress()),
	)
}

// behind are the variables of a program that reaches Postgres and Temporal by these
// links; none without links.
func (s *Stack) behind(postgres, temporal *Link) map[string]string {
	if postgres == nil {
		return nil
	}
	database, err := url.Parse(s.Environ()[variableDatabase])
	if err != nil {
		return nil // startLinks has said so
	}
	database.Host = postgres.Address()
	return map[string]string{variableDatabase: database.String(), variableTemporal: temporal.Address()}
}

func (s *Stack) startAPI(ctx context.Context) error {
	s.say("starting api")
	links := s.behind(s.Links.APIToPostgres, s.Links.APIToTemporal)
	for i, at := range s.apis {
		s.API = append(s.API, s.newProgram("api", i+1, at, links))
	}
	return s.startProgram(ctx, s.API)
}

func (s *Stack) startWorker(ctx context.Context) error {
	s.say("starting worker")
	links := s.behind(s.Links.WorkerToPostgres, s.Links.WorkerToTemporal)
	for i, at := range s.workers {
		s.Worker = append(s.Worker, s.newProgram("worker", i+1, at, links))
	}
	return s.startProgram(ctx, s.Worker)
}

// newProgram is a copy of api or worker, the first having number 1.
func (s *Stack) newProgram(program string, number int, at listening, links map[string]string) *Program {
	name := program
	if number > 1 {
		name += "-" + strconv.Itoa(number)
	}
	own := maps.Clone(links)
	if own == nil {
		own = map[string]string{}
	}
	if at.api != "" {
		own[variableAPI], own[variableAPIMetrics] = at.api, at.metrics
	} else {
		own[variableWorkerMetrics] = at.metrics
	}
	p := &Program{address: at.api, metricsURL: "http://" + reachable(at.metrics), environ: own}
	sp := spec{
		name: name, command: s.program(program, own),
		logPath: s.logPath(name), pidPath: pidPath(s.options.Dir, name),
		ready: func(ctx context.Context, _ int) error { return programReady(ctx, p.metricsURL+"/readyz") },
		grace: stopProgramGrace, say: s.say,
	}
	if s.options.Echo {
		sp.echo = func(line string) {
			if worthTelling(line) {
				s.say("%s: %s", name, line)
			}
		}
	}
	p.Process = newProcess(sp)
	return p
}

func (s *Stack) startProgram(ctx context.Context, copies Copies) error {
	if err := os.MkdirAll(filepath.Join(s.options.Dir, "run"), 0o750); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startProgramTimeout)
	defer cancel()
	s.running = append(s.running, copies.Stop)
	return copies.Start(ctx)
}
