package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

const day = 24 * time.Hour

// lasting makes a record whose time begins and ends so long from now.
func (w *world) lasting(t testing.TB, accountName string, start, end time.Duration) lifecycle.Record {
	t.Helper()
	record := w.newRecord(accountName)
	record.StartDate, record.EndDate = storetest.Now().Add(start), storetest.Now().Add(end)
	require.NoError(t, w.CreateRecord(t.Context(), record, plenty))
	return record
}

// sweep does what one turn of the sweep does, as of so long from now, in batches
// of limit.
func (w *world) sweep(t testing.TB, in time.Duration, limit int) (all lifecycle.Advance) {
	t.Helper()
	at := time.Now().Add(in)
	for {
		begun, err := w.BeginRecords(t.Context(), at, limit)
		require.NoError(t, err)
		all.Begun += begun
		if begun < limit {
			break
		}
	}
	due, err := w.DueRecords(t.Context(), at)
	require.NoError(t, err)
	for _, d := range due {
		require.False(t, d.Since.After(at))
		for {
			advance, err := w.AdvanceRecords(t.Context(), d, at, limit)
			require.NoError(t, err)
			all = all.Add(advance)
			if advance.Total() < limit {
				break
			}
		}
	}
	return all
}

// state is the state of the record, with how near to its end people were told.
func (w *world) state(t testing.TB, record lifecycle.Record) string {
	t.Helper()
	return w.text(t, "SELECT lifecycle_state || ' ' || lifecycle_rung FROM records WHERE id = $1", record.ID.String())
}

// moveEnd changes the end of the record as any writer may.
func (w *world) moveEnd(t testing.TB, record lifecycle.Record, end time.Duration) {
	t.Helper()
	require.NoError(t, w.Exec(t.Context(), "UPDATE records SET end_date = ? WHERE id = ?", storetest.Now().Add(end), record.ID))
}

// telling is an event about records in the outbox.
type telling struct {
	event, recipient string
	facts            map[string]any
	records          []string
}

// tellings reads what the outbox has about records, and empties it.
func (w *world) tellings(t testing.TB) (all []telling) {
	t.Helper()
	rows, err := w.admin.QueryContext(t.Context(), `SELECT n.event, n.recipient_id::text, n.facts,
			(SELECT json_agg(b.record_id ORDER BY b.record_id) FROM notification_records AS b WHERE b.batch_id = n.batch_id)
		FROM notifications AS n WHERE n.batch_id IS NOT NULL ORDER BY n.event, n.recipient_id, n.facts, n.id`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var n telling
		var facts, records []byte
		require.NoError(t, rows.Scan(&n.event, &n.recipient, &facts, &records))
		require.NoError(t, json.Unmarshal(facts, &n.facts))
		require.NoError(t, json.Unmarshal(records, &n.records))
		all = append(all, n)
	}
	require.NoError(t, rows.Err())
	_, err = w.admin.ExecContext(t.Context(), "TRUNCATE notifications, notification_records CASCADE")
	require.NoError(t, err)
	return all
}

func (w *world) setPolicy(t testing.TB, change func(*lifecycle.LifecyclePolicy)) {
	t.Helper()
	policy := lifecycle.DefaultLifecyclePolicy()
	change(&policy)
	_, err := w.SetLifecyclePolicy(t.Context(), w.source.ID, policy)
	require.NoError(t, err)
}

func atTheEnd(action lifecycle.EndAction, grace int) func(*lifecycle.LifecyclePolicy) {
	return func(p *lifecycle.LifecyclePolicy) { p.End = lifecycle.EndPolicy{Action: action, GraceDays: grace} }
}

func TestTheStateFollowsTheDatesWhoeverWritesThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for name, c := range map[string]struct {
		start, end time.Duration
		want       string
	}{
		"planned": {day, 90 * day, "PLANNED 366"},
		"active":  {-day, 90 * day, "ACTIVE 366"},
		"soon":    {-day, 5 * day, "ACTIVE 366"},
		"over":    {-10 * day, -5 * day, "EXPIRED 366"},
	} {
		record := w.lasting(t, name, c.start, c.end)
		require.Equal(t, c.want, w.state(t, record), "made: "+name)
		changed := w.lasting(t, "changed "+name, -100*day, 400*day)
		_, err := w.UpdateRecord(t.Context(), changed.ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
			r.StartDate, r.EndDate = record.StartDate, record.EndDate
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, c.want, w.state(t, changed), "changed: "+name)

		rows := w.rowsOf("Imported "+name, "Changed "+name)
		for i := range rows {
			rows[i].Person.StartDate, rows[i].Person.EndDate = record.StartDate, record.EndDate
		}
		imported := w.lasting(t, "Changed "+name+"0", -100*day, 400*day)
		rows[1].Person.AccountName = imported.AccountName
		require.Equal(t, 1, w.carryOut(t, w.sealed(t, rows...), 10).Updated)
		for _, account := range []string{rows[0].Person.AccountName, rows[1].Person.AccountName} {
			require.Equal(t, c.want, w.state(t, w.records(t)[account]), "imported: "+account)
		}
	}
	approved := w.newRequest("approved")
	approved.StartDate, approved.EndDate = storetest.Now().Add(day), storetest.Now().Add(2*day)
	_, err := w.AcceptRequest(t.Context(), approved, plenty)
	require.NoError(t, err)
	require.NoError(t, w.CompleteRequest(t.Context(), approved.ID))
	require.Equal(t, "PLANNED 366", w.state(t, w.records(t)["approved"]))
}

func TestARecordGoesDownItsLadder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.setPolicy(t, atTheEnd(lifecycle.EndSuspend, 10))
	record := w.lasting(t, "zaphod", day, 100*day)
	for _, turn := range []struct {
		in   time.Duration
		want string
		told float64
	}{
		{in: time.Hour, want: "PLANNED 366"},
		{in: day - time.Minute, want: "PLANNED 366"},
		{in: day + time.Minute, want: "ACTIVE 366"},
		{in: 70*day - time.Minute, want: "ACTIVE 366"},
		{in: 70*day + time.Minute, want: "EXPIRING 30", told: 30},
		{in: 71 * day, want: "EXPIRING 30"},
		{in: 86*day + time.Minute, want: "EXPIRING 14", told: 14},
		{in: 93*day + time.Minute, want: "EXPIRING 7", told: 7},
		{in: 99*day + time.Minute, want: "EXPIRING 1", told: 1},
		{in: 100*day + time.Minute, want: "EXPIRED 0"},
		{in: 109 * day, want: "EXPIRED 0"},
		{in: 110*day + time.Minute, want: "SUSPENDED -1"},
		{in: 400 * day, want: "SUSPENDED -1"},
	} {
		before := w.state(t, record)
		w.sweep(t, turn.in, 100)
		require.Equal(t, turn.want, w.state(t, record), "after %v", turn.in)
		told := w.tellings(t)
		if before == turn.want || before == "PLANNED 366" {
			require.Empty(t, told, "after %v", turn.in)
			continue
		}
		want := telling{
			event: "expired", recipient: w.owner.ID.String(), records: []string{record.ID.String()},
			facts: map[string]any{"state": w.text(t, "SELECT lifecycle_state FROM records"), "action": "SUSPEND", "graceDays": 10.0, "to": "ACCOUNT_MANAGERS"},
		}
		if turn.told > 0 {
			want.event, want.facts["days"] = "expiring", turn.told
		}
		require.Equal(t, []telling{want}, told, "after %v", turn.in)
	}
	require.Equal(t, 4, w.number(t, `SELECT count(*) FROM audit_entries WHERE object_type = 'RECORD' AND facts::jsonb ? 'was'`),
		"ACTIVE, EXPIRING, EXPIRED and SUSPENDED")
}

// TestWhatFellDueMeanwhileHappensOnceNow: a sweep that was away, and a record that
// was made late.
func TestWhatFellDueMeanwhileHappensOnceNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.setPolicy(t, atTheEnd(lifecycle.EndSuspend, 1))
	late := w.lasting(t, "late", -day, 5*day)
	long := w.lasting(t, "long", -day, 31*day)
	require.Equal(t, lifecycle.Advance{Warned: 1}, w.sweep(t, 0, 100), "of four rungs one is told")
	require.Equal(t, "EXPIRING 7", w.state(t, late))
	require.InDelta(t, 7, w.tellings(t)[0].facts["days"], 0)

	require.Equal(t, lifecycle.Advance{Warned: 1, Suspended: 1}, w.sweep(t, 24*day, 100))
	require.Equal(t, "SUSPENDED -1", w.state(t, late), "its end and what follows it came while nobody looked")
	require.Equal(t, "EXPIRING 7", w.state(t, long))
	told := w.tellings(t)
	require.Len(t, told, 2)
	require.Equal(t, "SUSPENDED", told[0].facts["state"])
	require.InDelta(t, 7, told[1].facts["days"], 0)
	require.Zero(t, w.sweep(t, 24*day, 100))
	require.Empty(t, w.tellings(t))
}

func TestARecordThatIsExtendedEntersTheLadderAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.setPolicy(t, atTheEnd(lifecycle.EndSuspend, 0))
	for name, c := range map[string]struct {
		sweep, end time.Duration
		before     string
		after      string
	}{
		"while it is warned of":   {0, 300 * day, "EXPIRING 7", "ACTIVE 366"},
		"into another rung":       {0, 20 * day, "EXPIRING 7", "EXPIRING 30"},
		"to be shorter":           {0, 12 * time.Hour, "EXPIRING 7", "EXPIRING 1"},
		"after it was suspended":  {6 * day, 300 * day, "SUSPENDED -1", "ACTIVE 366"},
		"but not into the future": {6 * day, -time.Hour, "SUSPENDED -1", "SUSPENDED -1"},
	} {
		t.Run(name, func(t *testing.T) {
			record := w.lasting(t, name, -10*day, 5*day)
			w.sweep(t, c.sweep, 100)
			require.Equal(t, c.before, w.state(t, record))
			w.tellings(t)
			w.moveEnd(t, record, c.end)
			told := w.sweep(t, 0, 100).Warned
			require.Equal(t, c.after, w.state(t, record))
			require.Len(t, w.tellings(t), told)
			require.Zero(t, w.sweep(t, 0, 100))
			require.NoError(t, w.DeleteRecord(t.Context(), record.ID))
		})
	}
}

// TestEachIsToldOfTheirOwn: account managers of all records, a manager of theirs,
// and nobody of the same twice.
func TestEachIsToldOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	member, manager := storetest.Identity(t, w.Store, "member"), storetest.Identity(t, w.Store, "manager")
	group := w.group(t, "Sponsors", member)
	_, err := w.UpdateSource(t.Context(), w.source.ID, func(s *lifecycle.Source) error {
		s.AccountManagers = []lifecycle.Reference{
			{ID: group.ID, Type: lifecycle.ReferenceGovernanceGroup}, lifecycle.IdentityReference(w.outsider.ID), lifecycle.IdentityReference(w.owner.ID),
		}
		return nil
	})
	require.NoError(t, err)
	w.setPolicy(t, func(p *lifecycle.LifecyclePolicy) {
		p.Warnings = []lifecycle.Warning{
			{Days: 30, To: []lifecycle.WarnedRole{lifecycle.WarnAccountManagers, lifecycle.WarnManager, lifecycle.WarnOwner}},
			{Days: 14, To: []lifecycle.WarnedRole{lifecycle.WarnManager}},
			{Days: 7, To: []lifecycle.WarnedRole{lifecycle.WarnOwner}},
		}
	})
	ids := map[lifecycle.ID][]string{}
	var all []string
	for i, of := range []lifecycle.Identity{manager, w.outsider, member, manager, w.owner} {
		record := w.newRecord(fmt.Sprint("record", i))
		record.Person = storetest.Person(record.AccountName, of)
		record.EndDate = storetest.Now().Add(40 * day)
		require.NoError(t, w.CreateRecord(t.Context(), record, plenty))
		ids[of.ID] = append(ids[of.ID], record.ID.String())
		all = append(all, record.ID.String())
	}
	for _, list := range ids {
		slices.Sort(list)
	}
	slices.Sort(all)
	require.Equal(t, 5, w.sweep(t, 11*day, 100).Warned)
	got := map[string][]string{}
	for _, n := range w.tellings(t) {
		require.Equal(t, "expiring", n.event)
		got[fmt.Sprint(n.facts["to"], " ", n.recipient)] = n.records
	}
	require.Equal(t, map[string][]string{
		"ACCOUNT_MANAGERS " + group.ID.String():      all,
		"ACCOUNT_MANAGERS " + w.outsider.ID.String(): all,
		"ACCOUNT_MANAGERS " + w.owner.ID.String():    all,
		"MANAGER " + manager.ID.String():             ids[manager.ID],
	}, got)

	require.Equal(t, 5, w.sweep(t, 27*day, 2).Warned, "records of a manager are taken together")
	got = map[string][]string{}
	for _, n := range w.tellings(t) {
		require.Equal(t, "MANAGER", n.facts["to"])
		got[n.recipient] = append(got[n.recipient], n.records...)
	}
	require.Len(t, got, 4)
	for of, list := range got {
		require.ElementsMatch(t, ids[lifecycle.MustParseID(of)], list)
	}

	require.Equal(t, 5, w.sweep(t, 34*day, 100).Warned)
	told := w.tellings(t)
	require.Len(t, told, 1)
	require.Equal(t, []any{"OWNER", w.owner.ID.String()}, []any{told[0].facts["to"], told[0].recipient})
	require.Equal(t, all, told[0].records)
}

// TestWhatIsRemovedIsToldOfFirst: names and counters are free again.
func TestWhatIsRemovedIsToldOfFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	var records []lifecycle.Record
	for i := range 5 {
		records = append(records, w.lasting(t, fmt.Sprint("record", i), -10*day, -5*day))
	}
	ended := w.lasting(t, "ended", -10*day, 90*day)
	_, err := w.EndRecord(t.Context(), ended.ID, "left")
	require.NoError(t, err)
	w.lasting(t, "stays", -10*day, 300*day)
	w.tellings(t)
	w.setPolicy(t, atTheEnd(lifecycle.EndRemove, 2))
	require.Equal(t, lifecycle.Advance{Expired: 5, Removed: 1}, w.sweep(t, 3*day, 2))
	require.Equal(t, "EXPIRED 0", w.state(t, records[0]), "grace has passed, but it is told of first")
	told := w.tellings(t)
	require.Equal(t, []string{ended.ID.String()}, told[slices.IndexFunc(told, func(n telling) bool { return n.facts["state"] == "REMOVED" })].records)
	require.Equal(t, lifecycle.Advance{Removed: 5}, w.sweep(t, 3*day, 2))
	require.Equal(t, []string{"stays"}, slices.Collect(func(yield func(string) bool) {
		for name := range w.records(t) {
			yield(name)
		}
	}))
	w.requireConsistent(t)
	removed := 0
	for _, n := range w.tellings(t) {
		require.Equal(t, "REMOVED", n.facts["state"])
		removed += len(n.records)
	}
	require.Equal(t, 5, removed)
	require.Equal(t, 6, w.number(t, "SELECT count(*) FROM audit_entries WHERE action = 'DELETE' AND object_type = 'RECORD'"))
	w.record(t, "record0")
}

// TestGraceCountsFromWhenThePolicySaysSo: a policy that is set today does nothing
// before its grace has passed, to whoever ended long ago.
func TestGraceCountsFromWhenThePolicySaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	record := w.lasting(t, "record", -100*day, -50*day)
	w.sweep(t, 0, 100)
	w.setPolicy(t, atTheEnd(lifecycle.EndSuspend, 3))
	w.setPolicy(t, func(p *lifecycle.LifecyclePolicy) {
		atTheEnd(lifecycle.EndSuspend, 3)(p)
		p.Warnings = nil
	})
	require.Zero(t, w.sweep(t, 3*day-time.Minute, 100))
	require.Equal(t, 1, w.sweep(t, 3*day+time.Minute, 100).Suspended)
	require.Equal(t, "SUSPENDED -1", w.state(t, record))

	// The organisation's may be as old as it likes when a source comes back to it.
	other := w.elsewhere(t, "Other")
	old := other.lasting(t, "old", -100*day, -50*day)
	policy := lifecycle.DefaultLifecyclePolicy()
	_, err := w.SetLifecyclePolicy(t.Context(), other.source.ID, policy)
	require.NoError(t, err)
	atTheEnd(lifecycle.EndRemove, 1)(&policy)
	_, err = w.SetLifecyclePolicy(t.Context(), lifecycle.ID{}, policy)
	require.NoError(t, err)
	w.change(t, "UPDATE lifecycle_policies SET end_since = 'epoch' WHERE source_id IS NULL")
	require.Equal(t, 1, w.sweep(t, 0, 100).Expired)
	require.Zero(t, w.sweep(t, 20*day, 100), "the source has a policy of its own, which does nothing")
	require.NoError(t, w.DropLifecyclePolicy(t.Context(), other.source.ID))
	require.Zero(t, w.sweep(t, day-time.Minute, 100))
	require.Equal(t, "EXPIRED 0", w.state(t, old))
	require.Equal(t, 1, w.sweep(t, day+time.Minute, 100).Removed)
}

func TestPoliciesOfSourcesAndOfTheOrganisation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	get := func(source lifecycle.ID) lifecycle.PolicyInForce {
		t.Helper()
		p, err := w.GetLifecyclePolicy(t.Context(), source)
		require.NoError(t, err)
		return p
	}
	first := get(w.source.ID)
	require.Equal(t, lifecycle.DefaultLifecyclePolicy(), first.LifecyclePolicy, "the migration has the default of the code")
	require.False(t, first.Own)
	require.Equal(t, first.LifecyclePolicy, get(lifecycle.ID{}).LifecyclePolicy)

	entries := w.last(t)
	w.setPolicy(t, func(*lifecycle.LifecyclePolicy) {})
	own := get(w.source.ID)
	require.True(t, own.Own)
	require.Equal(t, first.EndSince, own.EndSince, "what it does at the end did not change")
	w.setPolicy(t, func(*lifecycle.LifecyclePolicy) {})
	require.Len(t, w.trail(t, entries), 1, "the same again is no change")
	w.setPolicy(t, atTheEnd(lifecycle.EndSuspend, 4))
	require.True(t, get(w.source.ID).EndSince.After(first.EndSince))
	require.Equal(t, lifecycle.EndPolicy{Action: lifecycle.EndSuspend, GraceDays: 4}, get(w.source.ID).End)

	policy := lifecycle.DefaultLifecyclePolicy()
	policy.Warnings, policy.Extension.Approval = policy.Warnings[:1], lifecycle.ExtensionApprovalNone
	set, err := w.SetLifecyclePolicy(t.Context(), lifecycle.ID{}, policy)
	require.NoError(t, err)
	require.Equal(t, get(lifecycle.ID{}), set)
	require.Equal(t, policy, set.LifecyclePolicy)
	require.Equal(t, lifecycle.EndSuspend, get(w.source.ID).End.Action, "it has its own")
	require.NoError(t, w.DropLifecyclePolicy(t.Context(), w.source.ID))
	require.Equal(t, policy, get(w.source.ID).LifecyclePolicy)
	entries = w.last(t)
	require.NoError(t, w.DropLifecyclePolicy(t.Context(), w.source.ID))
	require.Empty(t, w.trail(t, entries))

	nobody := lifecycle.NewID()
	_, err = w.SetLifecyclePolicy(t.Context(), nobody, policy)
	requireKind(t, lifecycle.KindNotFound, err)
	requireKind(t, lifecycle.KindNotFound, w.DropLifecyclePolicy(t.Context(), nobody))
	w.setPolicy(t, func(*lifecycle.LifecyclePolicy) {})
	require.NoError(t, w.DeleteSource(t.Context(), w.source.ID))
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM lifecycle_policies"))
}

func TestARecordIsEndedNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	by := lifecycle.WithOrigin(t.Context(), lifecycle.Origin{Channel: lifecycle.ChannelAPI, Identity: w.owner.ID})
	for name, c := range map[string]struct{ start, end time.Duration }{
		"under way":     {-10 * day, 90 * day},
		"not begun yet": {10 * day, 90 * day},
		"over":          {-10 * day, -day},
	} {
		t.Run(name, func(t *testing.T) {
			record := w.lasting(t, name, c.start, c.end)
			entries, before := w.last(t), storetest.Now()
			ended, err := w.EndRecord(by, record.ID, "Lost the "+marker)
			require.NoError(t, err)
			require.Equal(t, "SUSPENDED -1", w.state(t, record))
			stored, _, err := w.GetRecord(t.Context(), record.ID, lifecycle.ID{})
			require.NoError(t, err)
			require.Equal(t, stored, ended)
			require.False(t, stored.EndDate.After(storetest.Now()))
			if c.end > 0 {
				require.False(t, stored.EndDate.Before(before))
			} else {
				require.Equal(t, record.EndDate, stored.EndDate)
			}
			if c.start < 0 {
				require.Equal(t, record.StartDate, stored.StartDate)
			}
			told := w.tellings(t)
			require.Equal(t, []telling{{
				event: "ended", recipient: w.owner.ID.String(), records: []string{record.ID.String()},
				facts: map[string]any{"state": "SUSPENDED", "by": w.owner.ID.String(), "to": "ACCOUNT_MANAGERS"},
			}}, told)
			trail := w.trail(t, entries)
			require.Len(t, trail, 1)
			require.Contains(t, trail[0].change, marker)
			require.NotContains(t, fmt.Sprint(trail[0].facts), marker)

			again, err := w.EndRecord(by, record.ID, "Another reason")
			require.NoError(t, err)
			require.Equal(t, ended, again)
			require.Empty(t, w.tellings(t))
			lives, err := w.RecordLifecycles(t.Context(), []lifecycle.ID{record.ID, lifecycle.NewID()}, time.Now())
			require.NoError(t, err)
			require.Len(t, lives, 1)
			life := lives[record.ID]
			require.Equal(t, "Lost the "+marker, life.EndedReason)
			require.WithinDuration(t, time.Now(), life.Ended, time.Minute)
			require.Zero(t, w.sweep(t, 400*day, 100))

			_, err = w.UpdateRecord(t.Context(), record.ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
				r.Phone = "1"
				return nil
			})
			require.NoError(t, err)
			require.Equal(t, "SUSPENDED -1", w.state(t, record), "another change does not begin it anew")
			w.moveEnd(t, record, 90*day)
			require.Equal(t, "ACTIVE 366", w.state(t, record))
			lives, err = w.RecordLifecycles(t.Context(), []lifecycle.ID{record.ID}, time.Now())
			require.NoError(t, err)
			require.Empty(t, lives[record.ID].EndedReason)
			require.Zero(t, lives[record.ID].Ended)
			require.NoError(t, w.DeleteRecord(t.Context(), record.ID))
		})
	}
	_, err := w.EndRecord(by, lifecycle.NewID(), "nobody")
	requireKind(t, lifecycle.KindNotFound, err)
}

func TestWhatComesNextIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.setPolicy(t, atTheEnd(lifecycle.EndSuspend, 10))
	record := w.lasting(t, "record", -day, 20*day)
	other := w.elsewhere(t, "Other").lasting(t, "other", -day, 20*day)
	lives, err := w.RecordLifecycles(t.Context(), []lifecycle.ID{record.ID, other.ID}, time.Now())
	require.NoError(t, err)
	require.Equal(t, record.EndDate.Add(10*day), lives[record.ID].EndAction)
	require.Equal(t, record.EndDate.Add(-30*day), lives[record.ID].NextWarning, "due already, with the next turn of the sweep")
	require.Zero(t, lives[other.ID].EndAction, "the organisation's policy does nothing")
	w.sweep(t, 0, 100)
	lives, err = w.RecordLifecycles(t.Context(), []lifecycle.ID{record.ID}, time.Now())
	require.NoError(t, err)
	require.Equal(t, lifecycle.StateExpiring, lives[record.ID].State)
	require.WithinDuration(t, time.Now(), lives[record.ID].Since, time.Minute)
	require.Equal(t, record.EndDate.Add(-14*day), lives[record.ID].NextWarning)
}

// TestWhatSomebodyHoldsComesInTheNextTurn, and nothing waits for it.
func TestWhatSomebodyHoldsComesInTheNextTurn(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, 0, store.Config{StatementTimeout: 5 * time.Second})
	held, free := w.lasting(t, "held", -day, 5*day), w.lasting(t, "free", -day, 5*day)
	planned := w.lasting(t, "planned", day, 90*day)
	tx, _ := w.hold(t, "SELECT 1 FROM records WHERE id IN ($1, $2) FOR UPDATE", held.ID.String(), planned.ID.String())
	require.Equal(t, lifecycle.Advance{Warned: 1}, w.sweep(t, 2*day, 100))
	require.Equal(t, "EXPIRING 7", w.state(t, free))
	require.NoError(t, tx.Rollback())
	require.Equal(t, lifecycle.Advance{Begun: 1, Warned: 1}, w.sweep(t, 2*day, 100))
}

// TestEveryRungOfEveryRecordIsToldOnce has two sweepers at work at once while
// records are extended, at times that jump: what is told is what the ladder says,
// each rung once since the end was changed last.
func TestEveryRungOfEveryRecordIsToldOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 5)) //nolint:gosec // the same at every run
			w := newWorld(t, 0)
			w.setPolicy(t, atTheEnd(lifecycle.EndSuspend, 5))
			policy, err := w.GetLifecyclePolicy(t.Context(), w.source.ID)
			require.NoError(t, err)
			began := storetest.Now()
			type model struct {
				id  lifecycle.ID
				end time.Time
				// rung is what was told, since the end was changed last.
				rung int
			}
			var models []*model
			rows := w.rowsOf(slices.Collect(func(yield func(string) bool) {
				for i := range 300 {
					yield(fmt.Sprint("record", i))
				}
			})...)
			for i := range rows {
				rows[i].Person.StartDate = began.Add(-time.Hour)
				rows[i].Person.EndDate = began.Add(time.Duration(1+random.IntN(60*24)) * time.Hour)
				models = append(models, &model{id: rows[i].RecordID, end: rows[i].Person.EndDate, rung: lifecycle.RungNone})
			}
			w.carryOut(t, w.sealed(t, rows...), 1000)
			for at := began; at.Before(began.Add(80 * day)); at = at.Add(time.Duration(random.IntN(200)) * time.Hour) {
				var sweepers sync.WaitGroup
				faults := make([]error, 2)
				for i := range faults {
					sweepers.Go(func() { faults[i] = sweepOnce(t.Context(), w.Store, at, 7) })
				}
				sweepers.Wait()
				require.NoError(t, faults[0])
				require.NoError(t, faults[1])
				// What one held while the other looked is for the next turn.
				require.NoError(t, sweepOnce(t.Context(), w.Store, at, 100))

				want := map[string]int{}
				for _, m := range models {
					reached, ok := lifecycle.Reached(policy.RungsBelow(m.rung, at, day), m.end)
					if !ok {
						continue
					}
					m.rung = reached
					event := fmt.Sprint("expired ", m.id)
					if reached > lifecycle.RungEnd {
						event = fmt.Sprint("expiring ", reached, " ", m.id)
					}
					want[event]++
				}
				got := map[string]int{}
				for _, n := range w.tellings(t) {
					for _, id := range n.records {
						event := fmt.Sprint("expired ", id)
						if days, ok := n.facts["days"]; ok {
							event = fmt.Sprint("expiring ", days, " ", id)
						}
						got[event]++
					}
				}
				require.Equal(t, want, got, "at %v", at)
				for _, m := range models {
					// The trigger's clock is that of the database: what moves is what has yet
					// to end there.
					if random.IntN(12) == 0 {
						m.end = at.Add(time.Duration(1+random.IntN(40*24)) * time.Hour)
						m.rung = lifecycle.RungNone
						require.NoError(t, w.Exec(t.Context(), "UPDATE records SET end_date = ? WHERE id = ?", m.end, m.id))
					}
				}
			}
		})
	}
}

// sweepOnce is a turn of a sweeper that shares the work with others.
func sweepOnce(ctx context.Context, s *store.Store, at time.Time, limit int) error {
	due, err := s.DueRecords(ctx, at)
	if err != nil {
		return err
	}
	for _, d := range due {
		for {
			advance, err := s.AdvanceRecords(ctx, d, at, limit)
			if err != nil {
				return err
			}
			if advance.Total() == 0 {
				break
			}
		}
	}
	return nil
}

// TestADayOfAPolicyMayBeShort, for demonstrations.
func TestADayOfAPolicyMayBeShort(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, 0, store.Config{Day: time.Minute})
	record := w.lasting(t, "record", -day, 20*time.Minute)
	require.Equal(t, 1, w.sweep(t, 0, 100).Warned)
	require.Equal(t, "EXPIRING 30", w.state(t, record))
}

// TestNobodyIsRemovedWhileALaterEndWaits for its approvers.
func TestNobodyIsRemovedWhileALaterEndWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	record := w.lasting(t, "somebody", -10*day, -5*day)
	w.setPolicy(t, atTheEnd(lifecycle.EndRemove, 2))
	w.sweep(t, 3*day, 10)
	e := w.extend(t, laterEnd(), record)
	require.Zero(t, w.sweep(t, 3*day, 10).Removed)
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, lifecycle.Decision{
		ID: lifecycle.NewID(), RequestID: e.ID, ItemID: e.Items[0].ID, Approver: w.approvers[0].ID,
		Verdict: lifecycle.VerdictReject, Via: lifecycle.ViaAPI,
	}))
	require.Equal(t, 1, w.sweep(t, 3*day, 10).Removed)
}
