package main

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"gatehouse/devstack"
)

// harm is one thing that is done to the system, and taken back.
type harm struct {
	// what is a verb and whom it is done to.
	what string
	// do does it and returns what takes it back; chosen picks a copy.
	do func(ctx context.Context, chosen *rand.Rand) (undo func(context.Context) error, err error)
}

// done is a harm that was done.
type done struct {
	what         string
	began, ended time.Time
}

const (
	// shortestHarm is how long a harm lasts at least, and how long the system is left
	// alone before the next one at least.
	shortestHarm = 300 * time.Millisecond
	// longestPause bounds that pause.
	longestPause = 3 * time.Second
	// undoLimit bounds how long it takes to bring a part back.
	undoLimit = 4 * time.Minute
)

// harms are two lists that are gone through at the same time, each in turn and in
// another order every time: what happens to processes, and what to connections.
func (r *rig) harms() [][]harm {
	s := r.stack
	type part struct {
		name    string
		process func(*rand.Rand) []*devstack.Process
		start   func(context.Context) error
	}
	some := func(copies devstack.Copies) func(*rand.Rand) []*devstack.Process {
		return func(chosen *rand.Rand) (hit []*devstack.Process) {
			for _, i := range chosen.Perm(len(copies))[:1+chosen.IntN(len(copies))] {
				hit = append(hit, copies[i].Process)
			}
			return hit
		}
	}
	one := func(p *devstack.Process) func(*rand.Rand) []*devstack.Process {
		return func(*rand.Rand) []*devstack.Process { return []*devstack.Process{p} }
	}
	parts := []part{
		{"api", some(s.API), s.API.Start},
		{"worker", some(s.Worker), s.Worker.Start},
		{"Temporal", one(s.Temporal.Process), startOne(s.Temporal.Process)},
		{"Postgres", one(s.Postgres.Process), startOne(s.Postgres.Process)},
	}
	var processes, connections []harm
	for _, p := range parts {
		processes = append(processes,
			harm{"kill " + p.name, func(_ context.Context, chosen *rand.Rand) (func(context.Context) error, error) {
				for _, process := range p.process(chosen) {
					if err := process.Kill(); err != nil {
						return nil, err
					}
				}
				return p.start, nil
			}},
			harm{"restart " + p.name, func(ctx context.Context, chosen *rand.Rand) (func(context.Context) error, error) {
				for _, process := range p.process(chosen) {
					if err := process.Stop(ctx); err != nil {
						return nil, err
					}
				}
				return p.start, nil
			}},
			harm{"freeze " + p.name, func(_ context.Context, chosen *rand.Rand) (func(context.Context) error, error) {
				hit := p.process(chosen)
				var frozen []int
				for _, process := range hit {
					frozen = append(frozen, freeze(process.PID())...)
				}
				return func(context.Context) error {
					for _, pid := range frozen {
						_ = syscall.Kill(pid, syscall.SIGCONT)
					}
					return nil
				}, nil
			}})
	}
	for _, l := range []struct {
		name string
		*devstack.Link
	}{
		{"clients-api", s.Links.Clients},
		{"api-Postgres", s.Links.APIToPostgres}, {"worker-Postgres", s.Links.WorkerToPostgres},
		{"api-Temporal", s.Links.APIToTemporal}, {"worker-Temporal", s.Links.WorkerToTemporal},
	} {
		link := l.Link
		weather := func(verb string, w devstack.Weather) harm {
			return harm{verb + " " + l.name, func(context.Context, *rand.Rand) (func(context.Context) error, error) {
				link.Set(w)
				return func(context.Context) error { link.Set(devstack.Weather{}); return nil }, nil
			}}
		}
		connections = append(connections,
			harm{"cut " + l.name, func(context.Context, *rand.Rand) (func(context.Context) error, error) {
				link.Cut()
				return func(context.Context) error { return nil }, nil
			}},
			harm{"forget " + l.name, func(context.Context, *rand.Rand) (func(context.Context) error, error) {
				link.Forget()
				return func(context.Context) error { return nil }, nil
			}},
			weather("refuse", devstack.Weather{Refusing: true}),
			weather("silence", devstack.Weather{Silent: true}),
			weather("slow", devstack.Weather{Delay: 50 * time.Millisecond}))
	}
	return [][]harm{processes, connections}
}

// startOne starts a process that does not run.
func startOne(p *devstack.Process) func(context.Context) error {
	return func(ctx context.Context) error {
		if p.PID() != 0 {
			return nil
		}
		return p.Start(ctx)
	}
}

// freeze stops a process and its children, and returns which those are. Where the
// system does not tell of children it is the process alone.
func freeze(pid int) (frozen []int) {
	if pid == 0 {
		return nil
	}
	frozen = []int{pid}
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return frozen
	}
	for field := range strings.FieldsSeq(string(text)) {
		if child, err := strconv.Atoi(field); err == nil {
			frozen = append(frozen, child)
			_ = syscall.Kill(child, syscall.SIGSTOP)
		}
	}
	return frozen
}

// doHarm goes through the harms until ctx ends, and returns what was done when all of
// it is taken back. Only those whose name contains only are done.
func (r *rig) doHarm(ctx context.Context, o options) (all []done, err error) {
	var lanes sync.WaitGroup
	var mutex sync.Mutex
	for number, harms := range r.harms() {
		var wanted []harm
		for _, h := range harms {
			if strings.Contains(h.what, o.only) {
				wanted = append(wanted, h)
			}
		}
		if len(wanted) == 0 {
			continue
		}
		lanes.Go(func() {
			for next := range plan(o, number, len(wanted)) {
				if !wait(ctx, next.pause) {
					return
				}
				chosen := rand.New(rand.NewPCG(o.seed, next.chance)) //nolint:gosec // chance that can be had again
				d, failed := inflict(ctx, wanted[next.harm], chosen, next.lasts)
				mutex.Lock()
				all = append(all, d)
				if failed != nil {
					err = failed
				}
				mutex.Unlock()
				if failed != nil {
					return
				}
				r.say("%s for %s", d.what, d.ended.Sub(d.began).Round(100*time.Millisecond))
			}
		})
	}
	lanes.Wait()
	return all, err
}

// turn is what is done next: which of the harms, after a pause, for how long, and by
// what chance its copies are picked.
type turn struct {
	harm         int
	pause, lasts time.Duration
	chance       uint64
}

// plan is what is done in one of the two lists, which has n harms, without an end. It
// follows from the options alone.
func plan(o options, list, n int) iter.Seq[turn] {
	return func(yield func(turn) bool) {
		chosen := rand.New(rand.NewPCG(o.seed, uint64(1000+list))) //nolint:gosec // chance that can be had again
		for {
			for _, i := range chosen.Perm(n) {
				next := turn{
					harm:   i,
					pause:  shortestHarm + time.Duration(chosen.Int64N(int64(longestPause-shortestHarm))),
					lasts:  shortestHarm + time.Duration(chosen.Int64N(int64(o.longest-shortestHarm))),
					chance: chosen.Uint64(),
				}
				if !yield(next) {
					return
				}
			}
		}
	}
}

// inflict does one harm and takes it back. What is taken back while another harm
// lasts may need several attempts.
func inflict(ctx context.Context, h harm, chosen *rand.Rand, lasts time.Duration) (done, error) {
	d := done{what: h.what, began: time.Now()}
	undo, err := h.do(ctx, chosen)
	if err != nil {
		return d, fmt.Errorf("%s: %w", h.what, err)
	}
	wait(ctx, lasts)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	for {
		if err = undo(limited); err == nil || !wait(limited, 200*time.Millisecond) {
			break
		}
	}
	d.ended = time.Now()
	if err != nil {
		return d, fmt.Errorf("after %s: %w", h.what, err)
	}
	return d, nil
}
