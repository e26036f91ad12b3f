package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// call is one that was made.
type call struct {
	name string
	// due is when it was to be sent, ended when it was answered.
	due, ended time.Time
	outcome    outcome
}

// took is since it was to be sent, so that a stall shows in all that it delayed.
func (c call) took() time.Duration { return c.ended.Sub(c.due) }

type outcome int

const (
	// done is an answer as asked for.
	done outcome = iota
	// refused is 429 or 503: the system says that it has too much to do.
	refused
	// failed is anything else.
	failed
)

// calls collects what was made.
type calls struct {
	mu    sync.Mutex
	all   []call
	fault map[string]int
}

func (c *calls) add(ctx context.Context, name string, due time.Time, status int, err error) {
	// What the end of the run breaks off is nobody's fault.
	if err != nil && ctx.Err() != nil {
		return
	}
	made := call{name: name, due: due, ended: time.Now()}
	switch {
	case err == nil && status < http.StatusMultipleChoices:
	case err == nil && (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable):
		made.outcome = refused
	default:
		made.outcome = failed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, made)
	if made.outcome == failed {
		if c.fault == nil {
			c.fault = map[string]int{}
		}
		c.fault[fmt.Sprintf("%s: status %d %v", name, status, errors.Unwrap(err))]++
	}
}

// faults are what failed, and how often.
func (c *calls) faults() []string {
	var told []string
	for fault, times := range c.fault {
		told = append(told, fmt.Sprintf("%d times %s", times, fault))
	}
	slices.Sort(told)
	return told
}

// draw returns a source of chance; the same stream is the same in every run with the
// same seed.
func (p *profile) draw(stream int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(p.seed), uint64(stream))) //nolint:gosec // any will do
}

// pick draws a kind.
func (p *profile) pick(draw *rand.Rand) kind {
	all := 0
	for _, k := range p.kinds {
		all += k.weight
	}
	n := draw.IntN(all)
	for _, k := range p.kinds {
		if n -= k.weight; n < 0 {
			return k
		}
	}
	panic("the weights don't add up")
}

// closed has clients call one after another and returns how many calls a second
// were done. An error is that something failed.
func (p *profile) closed(ctx context.Context, clients int, lasts time.Duration) (perSecond float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	var made calls
	var group sync.WaitGroup
	began := time.Now()
	for i := range clients {
		group.Go(func() {
			draw := p.draw(i)
			for ctx.Err() == nil {
				k, due := p.pick(draw), time.Now()
				status, err := k.call(ctx, draw)
				made.add(ctx, k.name, due, status, err)
			}
		})
	}
	group.Go(func() { p.bulk(ctx, &group, &made) })
	group.Wait()
	took := time.Since(began)
	n := 0
	for _, c := range made.all {
		if c.outcome == done {
			n++
		}
	}
	for _, fault := range made.faults() {
		err = errors.Join(err, errors.New(fault))
	}
	return float64(n) / took.Seconds(), err
}

// phase is a load that was offered.
type phase struct {
	Name    string  `json:"name"`
	Offered float64 `json:"offeredPerSecond"`
	// Done are those that were done while the phase lasted, whenever they were due.
	Done float64 `json:"donePerSecond"`
	// Lasted is how long the phase was to last, and afterwards how long it did.
	Lasted time.Duration `json:"lasted"`
	// Calls are those that were due in the phase.
	Calls []figures `json:"calls"`
	// Before, After and Most are the memory of the programs.
	Before memory `json:"memoryBeforeMiB"`
	After  memory `json:"memoryAfterMiB"`
	Most   memory `json:"memoryMostMiB"`

	began, ended time.Time
	seconds      []figures
}

// figures are those of calls of a sort, in milliseconds since they were to be sent.
type figures struct {
	Name    string  `json:"name"`
	Count   int     `json:"count"`
	Done    int     `json:"done"`
	Refused int     `json:"refused"`
	Failed  int     `json:"failed"`
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
	Longest float64 `json:"longest"`
}

// open offers the phases one right after the other, at random times, whatever becomes
// of the calls. It returns what failed.
func (p *profile) open(ctx context.Context, phases []phase) []string {
	var made calls
	var group sync.WaitGroup
	bulk, stop := context.WithCancel(ctx)
	defer stop()
	group.Go(func() { p.bulk(bulk, &group, &made) })
	arrivals := p.draw(0)
	due := time.Now()
	for i := range phases {
		f := &phases[i]
		f.began = due
		f.Before = p.system.memory()
		f.Most = f.Before
		look := f.began
		for ; due.Sub(f.began) < f.Lasted && until(ctx, due); due = due.Add(time.Duration(arrivals.ExpFloat64() / f.Offered * float64(time.Second))) {
			k, draw, at := p.pick(arrivals), p.draw(arrivals.Int()), due
			group.Go(func() {
				status, err := k.call(ctx, draw)
				made.add(ctx, k.name, at, status, err)
			})
			if due.Sub(look) > time.Second {
				look = due
				f.Most = f.Most.or(p.system.memory())
			}
		}
		f.After = p.system.memory()
		f.Most = f.Most.or(f.After)
		f.ended = due
		f.Lasted = due.Sub(f.began)
	}
	stop()
	group.Wait()
	for i := range phases {
		phases[i].take(made.all)
	}
	return made.faults()
}

// until waits for a time; false where ctx ends before.
func until(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// take sums up the calls of the phase.
func (f *phase) take(all []call) {
	byName, bySecond := map[string][]call{}, map[int][]call{}
	var own []call
	n := 0
	for _, c := range all {
		if c.outcome == done && !c.ended.Before(f.began) && c.ended.Before(f.ended) {
			n++
		}
		if c.due.Before(f.began) || !c.due.Before(f.ended) {
			continue
		}
		own = append(own, c)
		byName[c.name] = append(byName[c.name], c)
		second := int(c.due.Sub(f.began) / time.Second)
		bySecond[second] = append(bySecond[second], c)
	}
	f.Done = float64(n) / f.Lasted.Seconds()
	f.Calls = append(f.Calls, sum("all", own))
	for name, some := range byName {
		f.Calls = append(f.Calls, sum(name, some))
	}
	slices.SortFunc(f.Calls, func(a, b figures) int { return b.Count - a.Count })
	for second := range int(f.Lasted / time.Second) {
		f.seconds = append(f.seconds, sum("", bySecond[second]))
	}
}

// sum has the latencies of those that were done.
func sum(name string, all []call) figures {
	s := figures{Name: name, Count: len(all)}
	var took []time.Duration
	for _, c := range all {
		switch c.outcome {
		case done:
			s.Done++
			took = append(took, c.took())
		case refused:
			s.Refused++
		case failed:
			s.Failed++
		}
	}
	slices.Sort(took)
	if len(took) > 0 {
		at := func(part float64) float64 { return took[int(part*float64(len(took)-1))].Seconds() * 1000 }
		s.P50, s.P99, s.Longest = at(0.5), at(0.99), at(1)
	}
	return s
}

// steady is how many seconds in a row have to be as before.
const steady = 5

// recovery is how many seconds after the load fell everything was done again, within
// twice the times of the phase before the overload; -1 where that was not seen.
func recovery(before, after phase) float64 {
	usual := before.Calls[0]
	good := 0
	for second, s := range after.seconds {
		if s.Count == 0 || s.Done < s.Count || s.P50 > 2*usual.P50 || s.P99 > 2*usual.P99 {
			good = 0
			continue
		}
		if good++; good == steady {
			return float64(second - steady + 1)
		}
	}
	return -1
}
