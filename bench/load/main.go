// Command load puts a mixed load on a running system and tells how it bears it.
// Calls arrive at random times whatever became of those before (an open loop), and
// their latency counts from when they were to be sent, so that a stall shows in
// every call that it delayed.
//
//	go run ./bench/load [-copies N] [-for 5m] [-warmup 60s] [-seed N] [-out FILE]
//
// It starts a system of its own, with N API and worker processes. First it measures
// the capacity: what so many clients get done that each send a call when the one
// before is answered. Then it offers 0.5, 0.8 and 1.2 of that for so long each, and at
// last 0.5 again for a while, to see how soon the system is as before.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"
	"time"
)

// report is what a run found.
type report struct {
	Copies   int     `json:"copies"`
	Seed     int64   `json:"seed"`
	Capacity float64 `json:"capacityPerSecond"`
	Phases   []phase `json:"phases"`
	// Faults are answers that no call should get, however much there is to do.
	Faults []string `json:"faults,omitempty"`
	// Recovery is how long after the overload calls took again what they took at
	// half the capacity, in seconds; less than 0 where that was not seen.
	Recovery float64 `json:"recoverySeconds"`
}

func main() {
	copies := flag.Int("copies", 1, "how many API and how many worker processes")
	lasts := flag.Duration("for", 5*time.Minute, "how long each load is offered")
	warmup := flag.Duration("warmup", time.Minute, "how long the capacity is measured")
	clients := flag.Int("clients", 64, "how many clients measure the capacity")
	seed := flag.Int64("seed", 1, "what arrives when follows from it")
	out := flag.String("out", "", "a file for the figures, as JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	found, err := run(ctx, *copies, *clients, *lasts, *warmup, *seed)
	stop()
	if *out != "" && found != nil {
		err = errors.Join(err, write(*out, found))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// loads are the parts of the capacity that are offered one after another, and for
// what part of the time; the last shows how the system recovers from the one before.
var loads = []struct {
	name       string
	part, time float64
}{{"0.5 of the capacity", 0.5, 1}, {"0.8", 0.8, 1}, {"1.2", 1.2, 1}, {"0.5 again", 0.5, 0.2}}

func run(ctx context.Context, copies, clients int, lasts, warmup time.Duration, seed int64) (*report, error) {
	s, err := start(ctx, copies)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	p, err := newProfile(ctx, s, seed)
	if err != nil {
		return nil, err
	}
	found := &report{Copies: copies, Seed: seed}
	// Once before it counts: caches and connections.
	if _, err := p.closed(ctx, clients, warmup/4); err != nil {
		return nil, err
	}
	if found.Capacity, err = p.closed(ctx, clients, warmup); err != nil {
		return nil, err
	}
	fmt.Printf("%d copies: %.1f calls a second are the capacity, by %d clients in %s\n", copies, found.Capacity, clients, warmup)
	for _, load := range loads {
		found.Phases = append(found.Phases, phase{
			Name: load.name, Offered: load.part * found.Capacity, Lasted: time.Duration(load.time * float64(lasts)),
		})
	}
	found.Faults = p.open(ctx, found.Phases)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, offered := range found.Phases {
		offered.print()
	}
	for _, fault := range found.Faults {
		fmt.Println("  ", fault)
	}
	found.Recovery = recovery(found.Phases[0], found.Phases[len(found.Phases)-1])
	fmt.Printf("\nafter the overload calls took as long as before it within %.0f s\n", found.Recovery)
	return found, p.settle(ctx)
}

// print writes the phase as a table.
func (f phase) print() {
	fmt.Printf("\n%s: %.1f calls a second offered for %s, %.1f done, memory of API %.0f to %.0f MiB, %.0f at most, of worker %.0f to %.0f, %.0f at most\n",
		f.Name, f.Offered, f.Lasted.Round(time.Second), f.Done, f.Before.API, f.After.API, f.Most.API, f.Before.Worker, f.After.Worker, f.Most.Worker)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "call\tcount\tp50 ms\tp99 ms\tlongest ms\tdone\t429/503\tother")
	for _, k := range f.Calls {
		fmt.Fprintf(table, "%s\t%d\t%.1f\t%.1f\t%.1f\t%d\t%d\t%d\n", k.Name, k.Count, k.P50, k.P99, k.Longest, k.Done, k.Refused, k.Failed)
	}
	_ = table.Flush()
}

func write(path string, found *report) error {
	text, err := json.MarshalIndent(found, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}
