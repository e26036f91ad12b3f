package main

import (
	"fmt"
	"maps"
	"sync"
	"time"
)

// ledger is what clients were told, which the checker holds the system to. Its
// methods may be called from any goroutine.
type ledger struct {
	mutex     sync.Mutex
	asked     []*asked
	decisions []*decision
	files     []*importFile
	exports   []*export
	// steps are the items of requests that clients know of.
	steps map[string]step
	// waiting is how many items waited for an approver when they looked last.
	waiting map[string]int
	// certain are the records that are known to be there, by source, with the file
	// they came in, gone those that are known to be deleted, and tried all that
	// anybody asked for.
	certain, gone, tried map[string]map[string]*importFile
	// faults are what clients themselves found wrong.
	faults []violation
}

// asked is a request that somebody asked for, however often it was repeated.
type asked struct {
	source, name string
	// mark is a phone number that no other has: it tells two with one name apart.
	mark    string
	outcome outcome
	// open is how many attempts had no answer.
	open int
	// id is what it is called, where that was told.
	id string
}

// step is one item of a request.
type step struct {
	request *asked
	last    bool
}

// decision is a verdict that somebody gave, however often it was repeated.
type decision struct {
	item, approver, verdict, comment string
	outcome                          outcome
	open                             int
}

// importFile is a file of people, uploaded in one version after another.
type importFile struct {
	number  int
	source  string
	rows    int
	uploads []*upload
	// deleting is set once somebody asked for its records to be deleted, deleted once
	// that was told.
	deleting, deleted bool
}

// upload is one version of a file, however often it was repeated.
type upload struct {
	mark    string
	outcome outcome
	open    int
	job     string
}

// export is a file that arrived whole.
type export struct {
	source, job, digest string
	rows                int
}

func newLedger() *ledger {
	return &ledger{
		steps: map[string]step{}, waiting: map[string]int{}, certain: map[string]map[string]*importFile{},
		gone: map[string]map[string]*importFile{}, tried: map[string]map[string]*importFile{},
	}
}

// change runs do with the ledger to itself.
func (l *ledger) change(do func()) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	do()
}

func put(in map[string]map[string]*importFile, source, name string, of *importFile) {
	if in[source] == nil {
		in[source] = map[string]*importFile{}
	}
	in[source][name] = of
}

// known is what is known of a source at one moment.
type known struct{ certain, gone map[string]*importFile }

func (l *ledger) known(source string) known {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return known{maps.Clone(l.certain[source]), maps.Clone(l.gone[source])}
}

// mostWaiting bounds how many requests wait at a time, about: it is faults that are
// tried and not load, and what piled up in a long one has to be worked off.
const mostWaiting = 40

// crowded is whether so many requests wait that nobody should ask for more.
func (l *ledger) crowded() bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	all := 0
	for _, n := range l.waiting {
		all += n
	}
	return all >= mostWaiting
}

// complain notes what a client found wrong.
func (l *ledger) complain(check, what string, args ...any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.faults = append(l.faults, violation{check, fmt.Sprintf(what, args...)})
}

func (f *importFile) name(row int) string { return fmt.Sprintf("file%d.%d", f.number, row) }

// tally counts calls and remembers when the system was of use.
type tally struct {
	mutex  sync.Mutex
	counts map[string]map[outcome]int
	took   map[string][]time.Duration
	// served are the moments at which a probe was answered.
	served map[string][]time.Time
}

func newTally() *tally {
	return &tally{counts: map[string]map[outcome]int{}, took: map[string][]time.Duration{}, served: map[string][]time.Time{}}
}

// note counts a call, and how long it took where it was carried out.
func (t *tally) note(kind string, came outcome, took time.Duration) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.counts[kind] == nil {
		t.counts[kind] = map[outcome]int{}
	}
	t.counts[kind][came]++
	if came == told {
		t.took[kind] = append(t.took[kind], took)
		t.served[kind] = append(t.served[kind], time.Now())
	}
}
