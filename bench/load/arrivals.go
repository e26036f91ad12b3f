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
	// due is when it was to be sent, took how long after that it was answered.
	due  time.Time
	took time.Duration
	// outcome says what the answer was.
	outcome outcome
}

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
	// The end of a phase is nobody's fault.
	if err != nil && ctx.Err() != nil {
		return
	}
	made := call{name: name, due: due, took: time.Since(due)}
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

// draw returns a source of chance; the same stream is the same in every run with the
// same seed.
func (p *profile) draw(stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(p.seed), stream)) //nolint:gosec // any will do
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
// were done. An error is that something else was answered.
func (p *profile) closed(ctx context.Context, clients int, lasts time.Duration) (perSecond float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	var made calls
	var group sync.WaitGroup
	began := time.Now()
	for i := range clients {
		group.Go(func() {
			draw := p.draw(uint64(i))
			for ctx.Err() == nil {
				k, due := p.pick(draw), time.Now()
				status, err := k.call(ctx, draw)
				made.add(ctx, k.name, due, status, err)
			}
		})
	}
	group.Go(func() { p.bulk(ctx, p.counted(ctx, &made)) })
	group.Wait()
	took := time.Since(began)
	n := 0
	for _, c := range made.all {
		if c.outcome == done {
			n++
		}
	}
	for fault, times := range made.fault {
		err = errors.Join(err, fmt.Errorf("%d times %s", times, fault))
	}
	return float64(n) / took.Seconds(), err
}

func (p *profile) counted(ctx context.Context, made *calls) func(string, time.Time, int, error) {
	return func(name string, began time.Time, status int, err error) { made.add(ctx, name, began, status, err) }
}

// phase is a load that was offered.
type phase struct {
	Name         string        `json:"name"`
	Offered      float64       `json:"offeredPerSecond"`
	Done         float64       `json:"donePerSecond"`
	Lasted       time.Duration `json:"lasted"`
	Calls        []figures     `json:"calls"`
	Faults       []string      `json:"faults,omitempty"`
	MemoryBefore memory        `json:"memoryBeforeMiB"`
	MemoryAfter  memory        `json:"memoryAfterMiB"`

	seconds []figures
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

// open offers so many calls a second, at random times, whatever becomes of them.
func (p *profile) open(ctx context.Context, name string, rate float64, lasts time.Duration) phase {
	offered := phase{Name: name, Offered: rate, MemoryBefore: p.system.memory()}
	var made calls
	var group sync.WaitGroup
	bulk, stop := context.WithCancel(ctx)
	group.Go(func() { p.bulk(bulk, p.counted(bulk, &made)) })
	arrivals := p.draw(uint64(rate * 1000))
	began := time.Now()
	for due := began; due.Sub(began) < lasts && ctx.Err() == nil; due = due.Add(time.Duration(arrivals.ExpFloat64() / rate * float64(time.Second))) {
		if !until(ctx, due) {
			break
		}
		k, draw := p.pick(arrivals), p.draw(arrivals.Uint64())
		group.Go(func() {
			status, err := k.call(ctx, draw)
			made.add(ctx, k.name, due, status, err)
		})
	}
	offered.Lasted = time.Since(began)
	offered.MemoryAfter = p.system.memory()
	stop()
	group.Wait()
	offered.take(began, &made)
	return offered
}

// until waits for a time; false where ctx ends before.
func until(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// take sums up what was made since the phase began.
func (f *phase) take(began time.Time, made *calls) {
	byName, bySecond := map[string][]call{}, map[int][]call{}
	n := 0
	for _, c := range made.all {
		byName[c.name] = append(byName[c.name], c)
		bySecond[int(c.due.Sub(began)/time.Second)] = append(bySecond[int(c.due.Sub(began)/time.Second)], c)
		if c.outcome == done {
			n++
		}
	}
	f.Done = float64(n) / f.Lasted.Seconds()
	f.Calls = append(f.Calls, sum("all", made.all))
	for name, all := range byName {
		f.Calls = append(f.Calls, sum(name, all))
	}
	slices.SortFunc(f.Calls, func(a, b figures) int { return b.Count - a.Count })
	for second := range int(f.Lasted / time.Second) {
		f.seconds = append(f.seconds, sum("", bySecond[second]))
	}
	for fault, times := range made.fault {
		f.Faults = append(f.Faults, fmt.Sprintf("%d times %s", times, fault))
	}
	slices.Sort(f.Faults)
}

// sum has the latencies of those that were done.
func sum(name string, all []call) figures {
	s := figures{Name: name, Count: len(all)}
	var took []time.Duration
	for _, c := range all {
		switch c.outcome {
		case done:
			s.Done++
			took = append(took, c.took)
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

// recovery is after how many seconds of a phase everything was done again, half of
// it within twice the time that it took in the phase before the overload; -1 where
// that was not seen.
func recovery(before, after phase) float64 {
	usual := before.Calls[0].P50
	good := 0
	for second, s := range after.seconds {
		if s.Refused+s.Failed > 0 || s.P50 > 2*usual {
			good = 0
			continue
		}
		if good++; good == steady {
			return float64(second - steady + 1)
		}
	}
	return -1
}
