// Command faults shows that faults lose nothing. It runs the real programs under a
// continuous load of requests, decisions, imports and exports while it kills,
// restarts and freezes API, worker, Temporal and Postgres and breaks, silences and
// slows the connections between them. Then it brings everything back, waits until
// nothing moves any more, and holds what clients were told to what is in Postgres and
// in Temporal. It ends with 1 where anything is not as it must be.
//
//	go run ./e2e/faults [-for D] [-seed N] [-copies N] [-longest D] [-only TEXT]
//
// Which harms are done, in what order and for how long, follows from the seed. What
// clients do follows from it in part: they choose by it, among what they find. Which
// call a harm hits does not follow from it.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are those of a run.
type options struct {
	duration time.Duration
	seed     uint64
	// copies is how many processes of API and of worker there are.
	copies int
	// longest bounds how long a harm lasts, but for the time that a start takes.
	longest time.Duration
	// only has those harms done alone whose names contain it.
	only string
	// race has the programs built with the race detector.
	race bool
	// hurry has what waits for a time by design not waited for: the lease of an upload
	// whose process died.
	hurry bool
}

// check says what is wrong with the options.
func (o options) check() error {
	switch {
	case o.duration < time.Second:
		return fmt.Errorf("-for must be at least 1s, not %s", o.duration)
	case o.copies < 1:
		return fmt.Errorf("-copies must be at least 1, not %d", o.copies)
	case o.longest <= shortestHarm:
		return fmt.Errorf("-longest must be more than %s, not %s", shortestHarm, o.longest)
	}
	return nil
}

func main() {
	o := options{}
	flag.DurationVar(&o.duration, "for", 30*time.Minute, "how long there is load and harm")
	flag.Uint64Var(&o.seed, "seed", rand.Uint64(), "what the plan of the harms follows from, and the choices of the clients") //nolint:gosec // any will do
	flag.IntVar(&o.copies, "copies", 3, "how many processes of API and of worker there are")
	flag.DurationVar(&o.longest, "longest", 15*time.Second, "how long a harm lasts at most")
	flag.StringVar(&o.only, "only", "", "do only harms whose names contain this, such as \"kill\" or \"silence worker-Postgres\"")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	wrong, err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
	}
	if err != nil || wrong {
		fmt.Fprintf(os.Stderr, "faults: to run it again: go run ./e2e/faults -for %s -seed %d -copies %d -longest %s -only %q\n",
			o.duration, o.seed, o.copies, o.longest, o.only)
		os.Exit(1)
	}
}

// run makes one run and prints its summary; wrong is whether something is not as it
// must be.
func run(ctx context.Context, o options) (wrong bool, err error) {
	if err := o.check(); err != nil {
		return false, err
	}
	r, err := newRig(ctx, o, os.Stderr)
	if err != nil {
		return false, err
	}
	defer r.close()
	summary, err := r.run(ctx)
	wrong = len(summary.findings.violations()) > 0
	r.keep = err != nil || wrong
	if err == nil {
		summary.print(os.Stdout)
	}
	return wrong, err
}
