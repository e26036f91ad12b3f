package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// summary is what a run has to tell.
type summary struct {
	options options
	began   time.Time
	// loaded is how long there was load, with the time that clients took to come to an
	// end.
	loaded time.Duration
	harms  []done
	// firstRest is how long the system took to come to rest once everything was
	// brought back, lastRest how long once the rest was decided; left is how many items
	// that was.
	firstRest, lastRest time.Duration
	left                int
	tally               *tally
	// first is what was found before the rest was decided, findings what was found in
	// the end, with what was wrong at first.
	first, findings findings
}

// onlyWrong are the checks that found something, each under a name that says when.
func (f findings) onlyWrong(when string) (wrong findings) {
	for _, c := range f {
		if len(c.faults) > 0 {
			c.check += ", " + when
			wrong = append(wrong, c)
		}
	}
	return wrong
}

// shownFaults bounds how many violations of one check are printed.
const shownFaults = 20

func (s summary) print(out io.Writer) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	violations := s.findings.violations()
	line("seed %d, %d copies of API and worker, load for %s, %d harms", s.options.seed, s.options.copies, s.loaded.Round(time.Second), len(s.harms))
	line("at rest %s after everything was brought back, %s after the last of %d items that were left was decided",
		s.firstRest.Round(100*time.Millisecond), s.lastRest.Round(100*time.Millisecond), s.left)
	line("longest time that nothing was answered: %s", s.tally.gap(probing, s.began, s.began.Add(s.loaded)).Round(10*time.Millisecond))
	line("")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...any) {
		for _, cell := range cells {
			_, _ = fmt.Fprintf(table, "%v\t", cell)
		}
		_, _ = fmt.Fprintln(table)
	}
	row("harm", "times", "longest harm", "longest without a read", "without a decision")
	kinds := map[string][]done{}
	for _, d := range s.harms {
		kinds[d.what] = append(kinds[d.what], d)
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		var lasted, reads, decisions time.Duration
		for _, d := range kinds[kind] {
			lasted = max(lasted, d.ended.Sub(d.began))
			reads = max(reads, s.tally.gap(probing, d.began, d.ended))
			decisions = max(decisions, s.tally.gap("approve", d.began, d.ended))
		}
		row(kind, len(kinds[kind]), seconds(lasted), seconds(reads), seconds(decisions))
	}
	row()
	row("call", told, refused, unknown, "p50", "p99", "longest")
	for _, kind := range slices.Sorted(maps.Keys(s.tally.counts)) {
		n, took := s.tally.counts[kind], slices.Sorted(slices.Values(s.tally.took[kind]))
		at := func(share float64) string {
			if len(took) == 0 {
				return ""
			}
			return took[min(int(share*float64(len(took))), len(took)-1)].Round(time.Millisecond).String()
		}
		row(kind, n[told], n[refused], n[unknown], at(0.5), at(0.99), at(1))
	}
	_ = table.Flush()
	line("")
	before := map[string]string{}
	for _, c := range s.first {
		before[c.check] = strconv.Itoa(c.looked)
	}
	line("looked at, before the rest was decided and after:")
	for _, c := range s.findings {
		verdict := "ok"
		if len(c.faults) > 0 {
			verdict = fmt.Sprintf("%d WRONG", len(c.faults))
		}
		line("%-8s %6s %6d  %s", verdict, before[c.check], c.looked, c.check)
		for _, fault := range c.faults[:min(len(c.faults), shownFaults)] {
			line("         %s", fault)
		}
	}
	line("")
	line("%d violations", len(violations))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }

// gap is the longest time between two calls of a kind that were carried out, of those
// times that lie at least in part between began and ended. Where none was before, or
// none came after, the time counts from began, or until ended.
func (t *tally) gap(kind string, began, ended time.Time) (longest time.Duration) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	served := slices.SortedFunc(slices.Values(t.served[kind]), time.Time.Compare)
	if len(served) == 0 || served[0].After(began) {
		served = slices.Insert(served, 0, began)
	}
	if served[len(served)-1].Before(ended) {
		served = append(served, ended)
	}
	for i := 1; i < len(served); i++ {
		if served[i].After(began) && served[i-1].Before(ended) {
			longest = max(longest, served[i].Sub(served[i-1]))
		}
	}
	return longest
}
