package main

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
)

// seedVariable has a run that failed begun in the same way again.
const seedVariable = "GATEHOUSE_TEST_SEED"

// TestFaultsLoseNothing is a short run of the program; `make faults` is a long one.
// Its checker is then shown rows and workflows that were harmed, and has to find
// each harm; and what several copies might not agree on is tried.
func TestFaultsLoseNothing(t *testing.T) {
	seed := rand.Uint64() //nolint:gosec // any will do
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, seedVariable)
	}
	t.Logf("%s=%d", seedVariable, seed)
	r, err := newRig(t.Context(), options{
		duration: 15 * time.Second, seed: seed, copies: 3, longest: 2 * time.Second, race: true, hurry: true,
	}, t.Output())
	require.NoError(t, err)
	t.Cleanup(r.close)
	s, err := r.run(t.Context())
	r.keep = err != nil || len(s.findings.violations()) > 0
	require.NoError(t, err)
	var told strings.Builder
	s.print(&told)
	t.Log(told.String())
	require.Empty(t, s.findings.violations())
	require.NotEmpty(t, s.harms)
	for _, kind := range []string{"request", "approve", "import"} {
		require.NotZero(t, s.tally.counts[kind]["told"], "%s was carried out now and then", kind)
	}
	findsHarm(t, r, s)
	copiesAgree(t, r)
}

func TestEqualSeedsPlanEqualHarm(t *testing.T) {
	t.Parallel()
	first := func(seed uint64, list int) (turns []turn) {
		for next := range plan(options{seed: seed, longest: time.Second}, list, 12) {
			if turns = append(turns, next); len(turns) == 50 {
				break
			}
		}
		return turns
	}
	planned, again := first(7, 0), first(7, 0)
	require.Equal(t, planned, again)
	require.NotEqual(t, planned, first(8, 0))
	require.NotEqual(t, planned, first(7, 1))
}

func TestAGapCountsFromTheBeginAndUntilTheEnd(t *testing.T) {
	t.Parallel()
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	for _, c := range []struct {
		served []time.Time
		want   time.Duration
	}{
		{nil, 10 * time.Second},
		{[]time.Time{at(14)}, 6 * time.Second},
		{[]time.Time{at(17), at(18)}, 7 * time.Second},
		{[]time.Time{at(5), at(12), at(25)}, 13 * time.Second},
	} {
		answers := newTally()
		answers.served[probing] = c.served
		require.Equal(t, c.want, answers.gap(probing, at(10), at(20)))
	}
}

// answered is the number of a request that was answered, decided that of a decision.
func answered(e evidence) int {
	return slices.IndexFunc(e.ledger.asked, func(a *asked) bool { return a.outcome == told && a.id != "" })
}

func decided(e evidence) int {
	return slices.IndexFunc(e.ledger.decisions, func(d *decision) bool { return d.outcome == told })
}

// copied is a ledger of one's own with the same entries.
func (l *ledger) copied() *ledger {
	own := &ledger{files: l.files, exports: slices.Clone(l.exports), faults: slices.Clone(l.faults)}
	for _, a := range l.asked {
		entry := *a
		own.asked = append(own.asked, &entry)
	}
	for _, d := range l.decisions {
		entry := *d
		own.decisions = append(own.decisions, &entry)
	}
	return own
}

// more counts each one that arrived as often again.
func more(arrived map[string]int, times int) {
	for id := range arrived {
		arrived[id] *= times
	}
}

// of are the violations of one check.
func (f findings) of(check string) (faults []string) {
	for _, c := range f {
		if c.check == check {
			faults = append(faults, c.faults...)
		}
	}
	return faults
}

// findsHarm harms what the checker looks at, one thing after another, each taken back
// before the next. Every check must find something.
func findsHarm(t *testing.T, r *rig, s summary) {
	t.Helper()
	rows := func(statements ...string) func(*testing.T, evidence) {
		return func(t *testing.T, e evidence) {
			t.Helper()
			// Harm knows no rules.
			for _, statement := range append([]string{`SET LOCAL session_replication_role = replica`}, statements...) {
				tag, err := e.rows.Exec(t.Context(), statement)
				require.NoError(t, err, statement)
				require.True(t, tag.String() == "SET" || tag.RowsAffected() > 0, "%s hits nothing", statement)
			}
		}
	}
	const (
		anApproved = `(SELECT id FROM requests WHERE approval_status = 'APPROVED' ORDER BY id LIMIT 1)`
		aRecord    = `(SELECT id FROM records WHERE account_name LIKE 'asked.%' ORDER BY id LIMIT 1)`
		anImported = `(SELECT id FROM records WHERE account_name LIKE 'file%' ORDER BY id LIMIT 1)`
		aDecided   = `(SELECT id FROM approval_items WHERE status = 'APPROVED' ORDER BY id LIMIT 1)`
		aPending   = `UPDATE requests SET approval_status = 'PENDING' WHERE id = ` + anApproved
	)
	harmed := map[string]func(*testing.T, evidence){
		"what clients saw for themselves": func(_ *testing.T, e evidence) { e.ledger.complain("a check", "something") },
		"counters equal the rows":         rows(`UPDATE source_counters SET records = records + 1`),
		"names equal their holders":       rows(`DELETE FROM account_names WHERE holder = ` + aRecord),
		"a pending request has one pending item, those before it approved and those behind it waiting": rows(aPending),
		"an approved request is approved by all and one record":                                        rows(`DELETE FROM records WHERE id = ` + aRecord),
		"a rejected request is rejected once, not decided behind that, and no record": rows(
			`UPDATE requests SET approval_status = 'REJECTED' WHERE id = ` + anApproved),
		"nobody cancels a request":                rows(`UPDATE requests SET approval_status = 'CANCELLED' WHERE id = ` + anApproved),
		"a record comes of one request or import": rows(`DELETE FROM requests WHERE id = ` + anApproved),
		"a request has one entry of its making in the trail": rows(
			`DELETE FROM audit_entries WHERE object_type = 'REQUEST' AND action = 'CREATE'`),
		"a decided item has one entry of its decision in the trail, any other none": rows(
			`UPDATE audit_entries SET object_id = ` + aDecided + `::text WHERE object_type = 'APPROVAL_ITEM' AND action = 'APPROVE'`),
		"a record that was asked for has one entry of its making in the trail": rows(
			`DELETE FROM audit_entries WHERE object_type = 'RECORD' AND action = 'CREATE'`),
		"the trail has what imports did, once": rows(
			`UPDATE import_jobs SET updated_rows = updated_rows + 1, total = total + 1, done = done + 1`),
		"everybody is told that a request was made and decided, once": rows(
			`DELETE FROM notifications WHERE event = 'request_decided' AND request_id = ` + anApproved),
		"the approver whose turn it is was told so": rows(
			`UPDATE approval_items SET status = 'PENDING', decided_by = NULL WHERE id = `+aDecided, `DELETE FROM notifications WHERE event = 'decision_needed'`),
		"everything that happened went to somebody":             rows(`DELETE FROM deliveries WHERE channel = 'MAIL'`),
		"nothing is left of uploads and exports that broke off": rows(`UPDATE import_jobs SET status = 'ERROR'`),
		"a request that was answered is there, once, and whole": rows(`DELETE FROM approval_items WHERE request_id = ` + anApproved),
		"a request that was refused is not there":               func(_ *testing.T, e evidence) { e.ledger.asked[answered(e)].outcome = refused },
		"a request that was not answered is there whole or not at all": func(t *testing.T, e evidence) {
			t.Helper()
			a := e.ledger.asked[answered(e)]
			a.outcome = unknown
			rows(`DELETE FROM approval_items WHERE request_id = '`+a.id+`'`)(t, e)
		},
		"nobody else asked for anything":                  rows(`UPDATE requests SET phone = 'strange' WHERE id = ` + anApproved),
		"a decision that was answered stands":             rows(`UPDATE approval_items SET comment = 'changed' WHERE id = ` + aDecided),
		"a decision that was refused was not carried out": func(_ *testing.T, e evidence) { e.ledger.decisions[decided(e)].outcome = refused },
		"a decision that was not answered stands whole or not at all": func(t *testing.T, e evidence) {
			t.Helper()
			d := e.ledger.decisions[decided(e)]
			d.outcome = unknown
			rows(`UPDATE approval_items SET decided_by = gen_random_uuid() WHERE id = '`+d.item+`'`)(t, e)
		},
		"every decision is somebody's, and they were not refused":                        rows(`UPDATE approval_items SET comment = 'nobody''s' WHERE id = ` + aDecided),
		"an import that was accepted is complete, and so is each row":                    rows(`UPDATE import_jobs SET failed_rows = failed_rows + 1, done = done + 1, total = total + 1`),
		"there are no more imports than were sent":                                       rows(`DELETE FROM import_jobs`),
		"all rows of a file are there once, in a version that was sent last, or none is": rows(`DELETE FROM records WHERE id = ` + anImported),
		"an export that arrived whole is the one that is kept": func(_ *testing.T, e evidence) {
			e.ledger.exports = append(e.ledger.exports, &export{job: "of nobody", digest: "other", rows: 1})
		},
		"a pending request has an open workflow":     rows(aPending),
		"an open workflow has something to wait for": func(_ *testing.T, e evidence) { e.workflows["request/gone"] = true },
		"no workflow of a request fails or is ended": func(_ *testing.T, e evidence) {
			e.ended[0].how = enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED
		},
		"a mail is told once, or as often again as it was in doubt": func(_ *testing.T, e evidence) { more(e.mails, 10) },
		"a webhook is told, and no more often than it was tried":    func(_ *testing.T, e evidence) { more(e.postings, 10) },
		"nothing arrives that is not a delivery":                    func(_ *testing.T, e evidence) { e.mails["of nobody"] = 1 },
	}
	// What needs the programs, and is what Postgres, Temporal or the launcher say.
	harmless := map[string]bool{
		restful: true, "an export at rest has exactly the records": true, "the chain of the audit trail holds": true, "no program dies by itself": true,
	}
	for _, c := range s.findings {
		if harmless[c.check] {
			continue
		}
		harm, ok := harmed[c.check]
		require.True(t, ok, "%q is never shown to fail", c.check)
		t.Run(c.check, func(t *testing.T) {
			e, done, err := r.evidence(t.Context())
			require.NoError(t, err)
			defer done()
			e.ledger = e.ledger.copied()
			harm(t, e)
			found, err := e.check(t.Context())
			require.NoError(t, err)
			require.NotEmpty(t, found.of(c.check))
		})
	}
	e, done, err := r.evidence(t.Context())
	require.NoError(t, err)
	defer done()
	found, err := e.check(t.Context())
	require.NoError(t, err)
	require.Empty(t, found.violations(), "all harm is taken back")
}
