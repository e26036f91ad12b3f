package main

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	requesters = 3
	importers  = 2
	// rowsTogether are no more than one transaction of an import takes, so that a
	// snapshot has all of a file in one version or nothing of it.
	rowsTogether = 200
	// Who asks thinks longer than who decides, so that what waits does not grow.
	thinkOfAsking = 500 * time.Millisecond
	thinkOfRest   = 100 * time.Millisecond
	// probeEvery is how often it is looked whether the system is of use.
	probeEvery = 100 * time.Millisecond
)

// approvers are who decides, in order; the n-th source needs the first n of them.
var approvers = []string{"approver.one", "approver.two", "approver.three"}

// load is all clients together. What each does follows from the seed; what comes
// of it does not.
type load struct {
	*rig
	seed   uint64
	serial atomic.Int64
	// running ends with the load. Calls that were begun are repeated until patience
	// ends, so that nearly all get an answer.
	running, patience context.Context //nolint:containedctx // the two spans of a run, which every client heeds
}

// run runs all clients until running ends and each has come to an end with what it
// was at.
func (l *load) run() {
	var clients sync.WaitGroup
	number := uint64(0)
	start := func(client func(*rand.Rand)) {
		number++
		chosen := rand.New(rand.NewPCG(l.seed, number)) //nolint:gosec // chance that can be had again
		clients.Go(func() {
			for l.running.Err() == nil {
				client(chosen)
			}
		})
	}
	for range requesters {
		start(l.ask)
	}
	for _, alias := range approvers {
		start(func(chosen *rand.Rand) { l.decideSome(chosen, alias) })
	}
	for range importers {
		start(l.carryIn)
	}
	start(l.carryOut)
	start(func(*rand.Rand) { l.probe() })
	clients.Wait()
}

// next is a number that nothing else of the run has.
func (l *load) next() int64 { return l.serial.Add(1) }

// think is the pause of a client between two things, between half of about and one
// and a half of it.
func (l *load) think(chosen *rand.Rand, about time.Duration) {
	wait(l.running, about/2+time.Duration(chosen.Int64N(int64(about))))
}

func (l *load) probe() {
	began := time.Now()
	ctx, cancel := context.WithTimeout(l.running, time.Second)
	defer cancel()
	l.as("admin").once(ctx, call{kind: probing, method: http.MethodGet, path: "/non-employee-sources?limit=1"})
	wait(l.running, probeEvery-time.Since(began))
}

// ask asks for somebody to be let in: most of the time properly, now and then in
// two calls at once for one name, of which one must be refused, or without a
// first name, which must be refused.
func (l *load) ask(chosen *rand.Rand) {
	defer l.think(chosen, thinkOfAsking)
	if l.ledger.crowded() {
		return
	}
	source := l.sources[chosen.IntN(len(approvers))]
	name := fmt.Sprintf("asked.%d", l.next())
	switch kind := chosen.IntN(100); {
	case kind < 8:
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { l.askFor(source, name, true, false) })
		}
		both.Wait()
	case kind < 14:
		l.askFor(source, name, false, true)
	default:
		l.askFor(source, name, false, false)
	}
}

type requestAnswer struct {
	ID    string `json:"id"`
	Phone string `json:"phone"`
	Items []struct {
		ID    string `json:"id"`
		Order int    `json:"approvalOrder"`
	} `json:"approvalItems"`
}

func (l *load) askFor(source, name string, twin, faulty bool) {
	a := &asked{source: source, name: name, mark: fmt.Sprintf("512 %d", l.next()), outcome: unknown}
	l.ledger.change(func() {
		l.ledger.asked = append(l.ledger.asked, a)
		put(l.ledger.tried, source, name, nil)
	})
	body := map[string]string{
		"sourceId": source, "accountName": name, "firstName": "First", "lastName": "Last", "email": name + "@example.com",
		"phone": a.mark, "manager": "john.roe", "startDate": "2027-01-01", "endDate": "2027-12-31",
	}
	if faulty {
		delete(body, "firstName")
	}
	got, open := l.as("jane.doe").insist(l.patience, call{kind: "request", method: http.MethodPost, path: "/non-employee-requests", body: body})
	var made requestAnswer
	came := got.outcome
	switch {
	case came == told && faulty:
		l.ledger.complain("what is wrong is refused", "request for %s was accepted", name)
	case came == told && !got.decode(&made):
		l.ledger.complain("answers can be read", "request for %s: %s", name, got.body)
	case came == refused && !faulty && got.taken() && (open > 0 || twin):
		// It may have been an attempt of ours that was not answered.
		made, came = l.lookUp(source, name)
		if came == told && made.Phone != a.mark {
			made, came = requestAnswer{}, refused
		}
	case came == refused && !faulty:
		l.ledger.complain("nothing is refused without a reason", "request for %s: %d %s", name, got.status, got.body)
	}
	l.ledger.change(func() {
		a.outcome, a.open, a.id = came, open, made.ID
		for _, item := range made.Items {
			l.ledger.steps[item.ID] = step{request: a, last: item.Order == len(made.Items)-1}
		}
	})
}

// lookUp finds the request that has the name.
func (l *load) lookUp(source, name string) (found requestAnswer, came outcome) {
	filters := url.QueryEscape(fmt.Sprintf("sourceId eq %q and accountName eq %q", source, name))
	a, _ := l.as("admin").insist(l.patience, call{kind: "look up", method: http.MethodGet, path: "/non-employee-requests?filters=" + filters})
	var all []requestAnswer
	if a.outcome != told || !a.decode(&all) {
		return found, unknown
	}
	if len(all) != 1 {
		l.ledger.complain("who is refused for a name finds who has it", "%d requests for %s", len(all), name)
		return found, unknown
	}
	return all[0], told
}

// decideSome decides some of what waits for an approver: most of the time once, now
// and then both ways at once, of which one must be refused, and now and then as
// somebody whom it is not for, which must be refused.
func (l *load) decideSome(chosen *rand.Rand, alias string) {
	defer l.think(chosen, thinkOfRest)
	items := l.inbox(l.running, alias)
	chosen.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	for _, item := range items[:min(3, len(items))] {
		if l.running.Err() != nil {
			return
		}
		switch kind := chosen.IntN(100); {
		case kind < 8:
			var both sync.WaitGroup
			var came [2]outcome
			for i, verdict := range []string{"approve", "reject"} {
				both.Go(func() { came[i] = l.decide(alias, item, verdict, true) })
			}
			both.Wait()
			if came == [2]outcome{refused, refused} {
				l.ledger.complain("of two verdicts at once one stands", "item %s", item)
			}
		case kind < 12:
			l.decide("outsider", item, "approve", true)
		case kind < 25:
			l.decide(alias, item, "reject", false)
		default:
			l.decide(alias, item, "approve", false)
		}
	}
}

// inbox returns some of the items that wait for an approver; none where there is no
// answer.
func (l *load) inbox(ctx context.Context, alias string) []string {
	a := l.as(alias).once(ctx, call{
		kind: "inbox", method: http.MethodGet,
		path: "/non-employee-approvals?limit=50&requested-for=me&filters=" + url.QueryEscape(`approvalStatus eq "PENDING"`),
	})
	var items []struct {
		ID string `json:"id"`
	}
	if a.outcome != told || !a.decode(&items) {
		return nil
	}
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.ID
	}
	l.ledger.change(func() { l.ledger.waiting[alias] = len(ids) })
	return ids
}

// decide gives a verdict and returns what came of it; it may be refused only if it is
// said so.
func (l *load) decide(alias, item, verdict string, mayBeRefused bool) outcome {
	d := &decision{
		item: item, approver: l.ids[alias], verdict: verdict, comment: fmt.Sprintf("Said in %d", l.next()), outcome: unknown,
	}
	l.ledger.change(func() { l.ledger.decisions = append(l.ledger.decisions, d) })
	a, open := l.as(alias).insist(l.patience, call{
		kind: verdict, method: http.MethodPost, path: "/non-employee-approvals/" + item + "/" + verdict,
		body: map[string]string{"comment": d.comment}, key: d.comment,
	})
	switch {
	case a.outcome == refused && !mayBeRefused:
		l.ledger.complain("nothing is refused without a reason", "%s of item %s: %d %s", verdict, item, a.status, a.body)
	case a.outcome == told && alias == "outsider":
		l.ledger.complain("nobody decides what is not theirs", "item %s", item)
	}
	l.ledger.change(func() {
		d.outcome, d.open = a.outcome, open
		if s := l.ledger.steps[item]; a.outcome == told && verdict == "approve" && s.last {
			put(l.ledger.certain, s.request.source, s.request.name, nil)
		}
	})
	return a.outcome
}

// carryIn uploads a file of new people, in one to three versions one after another,
// and now and then deletes them again; or a file that must be refused.
func (l *load) carryIn(chosen *rand.Rand) {
	defer l.think(chosen, thinkOfRest)
	f := &importFile{number: int(l.next()), source: l.sources[chosen.IntN(len(l.sources))], rows: 20 + chosen.IntN(rowsTogether-20)}
	if chosen.IntN(10) == 0 {
		f.rows = 2*rowsTogether + chosen.IntN(300)
	}
	faulty := chosen.IntN(10) == 0
	versions, deletes := 1+chosen.IntN(3), chosen.IntN(3) == 0
	l.ledger.change(func() {
		l.ledger.files = append(l.ledger.files, f)
		for row := range f.rows {
			put(l.ledger.tried, f.source, f.name(row), f)
		}
	})
	for range versions {
		if !l.upload(f, faulty) || l.running.Err() != nil {
			return
		}
	}
	if deletes && f.rows <= rowsTogether {
		l.remove(f)
	}
}

// upload uploads a new version of the file and waits until it is in; it reports
// whether it is.
func (l *load) upload(f *importFile, faulty bool) bool {
	u := &upload{mark: fmt.Sprintf("512 %d", l.next()), outcome: unknown}
	l.ledger.change(func() { f.uploads = append(f.uploads, u) })
	var text strings.Builder
	text.WriteString("accountName,firstName,lastName,phone,email,manager,startDate,endDate\n")
	for row := range f.rows {
		manager := "john.roe"
		if faulty && row == f.rows/2 {
			manager = "nobody.at.all"
		}
		fmt.Fprintf(&text, "%s,First,Last,%s,%s@example.com,%s,2027-01-01,2027-12-31\n", f.name(row), u.mark, f.name(row), manager)
	}
	path := "/non-employee-sources/" + f.source + "/non-employee-bulk-upload"
	a, open := l.as("admin").insist(l.patience, call{kind: "import", method: http.MethodPost, path: path, body: file(text.String())})
	var job struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	switch {
	case a.outcome == told && faulty:
		l.ledger.complain("what is wrong is refused", "file %d was accepted", f.number)
	case a.outcome == told && !a.decode(&job):
		l.ledger.complain("answers can be read", "file %d: %s", f.number, a.body)
	case a.outcome == refused && !faulty:
		l.ledger.complain("nothing is refused without a reason", "file %d: %d %s", f.number, a.status, a.body)
	}
	l.ledger.change(func() { u.outcome, u.open, u.job = a.outcome, open, job.ID })
	if a.outcome != told {
		return false
	}
	for job.Status != "COMPLETED" {
		if !wait(l.patience, firstPause) {
			return false
		}
		a, _ := l.as("admin").insist(l.patience, call{kind: "look at an import", method: http.MethodGet, path: path + "/jobs/" + job.ID})
		if a.outcome != told || !a.decode(&job) {
			return false
		}
		if job.Status == "ERROR" || job.Status == "CANCELLED" {
			l.ledger.complain("what was accepted is carried out", "import %s ended as %s", job.ID, job.Status)
			return false
		}
	}
	l.ledger.change(func() {
		for row := range f.rows {
			put(l.ledger.certain, f.source, f.name(row), f)
		}
	})
	return true
}

// remove deletes the records of a file. One with an upload that was not answered
// stays: that may yet be carried out, and make them again.
func (l *load) remove(f *importFile) {
	for _, u := range f.uploads {
		if u.open > 0 {
			return
		}
	}
	filters := url.QueryEscape(fmt.Sprintf("sourceId eq %q and accountName sw %q", f.source, fmt.Sprintf("file%d.", f.number)))
	a, _ := l.as("admin").insist(l.patience, call{kind: "look up", method: http.MethodGet, path: "/non-employee-records?limit=250&filters=" + filters})
	var records []struct {
		ID string `json:"id"`
	}
	if a.outcome != told || !a.decode(&records) {
		return
	}
	if len(records) != f.rows {
		l.ledger.complain("an import that is complete shows all its rows", "file %d has %d of %d records", f.number, len(records), f.rows)
		return
	}
	ids := make([]string, len(records))
	for i, record := range records {
		ids[i] = record.ID
	}
	l.ledger.change(func() {
		f.deleting = true
		for row := range f.rows {
			delete(l.ledger.certain[f.source], f.name(row))
		}
	})
	a, open := l.as("admin").insist(l.patience, call{
		kind: "bulk delete", method: http.MethodPost, path: "/non-employee-records/bulk-delete", body: map[string][]string{"ids": ids},
	})
	// Who repeats is refused where an attempt before was carried out: they are gone.
	done := a.outcome == told || a.outcome == refused && open > 0
	if a.outcome == refused && open == 0 {
		l.ledger.complain("nothing is refused without a reason", "deletion of file %d: %d %s", f.number, a.status, a.body)
	}
	if !done {
		return
	}
	l.ledger.change(func() {
		f.deleted = true
		for row := range f.rows {
			put(l.ledger.gone, f.source, f.name(row), f)
		}
	})
}

// carryOut downloads the records of a source and holds a file that arrived whole to
// what was known before and after.
func (l *load) carryOut(chosen *rand.Rand) {
	defer l.think(chosen, thinkOfRest)
	source := l.sources[chosen.IntN(len(l.sources))]
	before := l.ledger.known(source)
	a := l.as("admin").once(l.running, call{
		kind: "export", method: http.MethodGet, path: "/non-employee-sources/" + source + "/non-employees/download",
	})
	switch a.outcome {
	case refused:
		l.ledger.complain("nothing is refused without a reason", "export of %s: %d %s", source, a.status, a.body)
	case told:
		l.judgeExport(source, a, before)
	case unknown: // half a file promises nothing
	}
}

// people reads a file of people: phone numbers by account name.
func people(text []byte) (map[string]string, error) {
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		return nil, err
	}
	columns := map[string]int{}
	for i, name := range rows[0] {
		columns[name] = i
	}
	found := map[string]string{}
	for _, row := range rows[1:] {
		name := row[columns["accountName"]]
		if _, twice := found[name]; twice {
			return nil, fmt.Errorf("%s is there twice", name)
		}
		found[name] = row[columns["phone"]]
	}
	return found, nil
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// judgeExport holds a file to one moment: it has who was there before it was asked
// for and is not deleted since, nobody who was gone then, nobody whom nobody asked
// for, and of each import all or nothing.
func (l *load) judgeExport(source string, a answer, before known) {
	const check = "an export that arrives whole is of one moment"
	job := a.header.Get("X-Gatehouse-Job")
	found, err := people(a.body)
	if err != nil {
		l.ledger.complain(check, "export %s: %v", job, err)
		return
	}
	l.ledger.change(func() {
		l.ledger.exports = append(l.ledger.exports, &export{source: source, job: job, digest: digest(a.body), rows: len(found)})
		complain := func(what string, args ...any) {
			l.ledger.faults = append(l.ledger.faults, violation{check, fmt.Sprintf("export %s: ", job) + fmt.Sprintf(what, args...)})
		}
		for name, f := range before.certain {
			if _, there := found[name]; !there && (f == nil || !f.deleting) {
				complain("%s is missing", name)
			}
		}
		for name := range before.gone {
			if _, there := found[name]; there {
				complain("%s was gone", name)
			}
		}
		shown := map[*importFile]map[string]int{}
		for name, mark := range found {
			f, asked := l.ledger.tried[source][name]
			if !asked {
				complain("nobody asked for %s", name)
			}
			if f == nil {
				continue
			}
			if shown[f] == nil {
				shown[f] = map[string]int{}
			}
			shown[f][mark]++
		}
		for f, marks := range shown {
			for _, rows := range marks {
				if f.rows <= rowsTogether && rows != f.rows {
					complain("file %d has %v of %d rows", f.number, marks, f.rows)
					break
				}
			}
		}
	})
}
