package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

// BeginRecords takes up to limit records whose time has begun by at out of PLANNED.
// A record that somebody else holds at this moment is passed over.
func (s *Store) BeginRecords(ctx context.Context, at time.Time, limit int) (begun int, err error) {
	defer s.done(ctx, "BeginRecords", time.Now(), &err)
	audited, err := auditOf(ctx, stateAudit("r"))
	if err != nil {
		return 0, err
	}
	err = s.inTx(ctx, func(tx bun.Tx) error {
		if err := tune(ctx, tx, byIndex...); err != nil {
			return err
		}
		_, err := row(ctx, tx, []any{&begun}, `WITH due AS MATERIALIZED (
				SELECT id, lifecycle_state AS was FROM records WHERE lifecycle_state = 'PLANNED' AND start_date <= ?0
				ORDER BY start_date LIMIT ?1 FOR UPDATE SKIP LOCKED
			), r AS (
				UPDATE records AS r SET lifecycle_since = ?0,
					lifecycle_state = lifecycle_state_of(r.start_date, r.end_date, r.lifecycle_rung, ?0)
				FROM due WHERE r.id = due.id RETURNING r.id, r.source_id, r.lifecycle_state, due.was
			), ?2 SELECT count(*) FROM r`, at, max(0, limit), audited)
		return err
	})
	return begun, err
}

// stateAudit is an entry for each row of from, a record r with the state that it
// was in.
func stateAudit(from string) auditQuery {
	return auditQuery{
		action: lifecycle.ActionUpdate, object: lifecycle.ObjectRecord, id: "r.id", source: "r.source_id",
		facts: "jsonb_build_object('lifecycleState', r.lifecycle_state, 'was', r.was)", from: from,
	}
}

// DueRecords returns which records have come to the next rung of their ladder by
// at, those first of each source that are the nearest to their end.
func (s *Store) DueRecords(ctx context.Context, at time.Time) (due []lifecycle.DueRecords, err error) {
	defer s.done(ctx, "DueRecords", time.Now(), &err)
	return s.dueRecords(ctx, at)
}

func (s *Store) dueRecords(ctx context.Context, at time.Time) (due []lifecycle.DueRecords, err error) {
	var (
		d        lifecycle.DueRecords
		end      time.Time
		classes  []lifecycle.DueRecords
		ends     []time.Time
		sources  idList
		policies map[lifecycle.ID]lifecycle.PolicyInForce
	)
	// One probe of the index for each rung of each source, however many records
	// there are.
	const next = `SELECT r.source_id, r.lifecycle_rung, r.end_date FROM records AS r WHERE r.lifecycle_state <> 'PLANNED'`
	err = s.inTx(ctx, func(tx bun.Tx) error {
		if err := tune(ctx, tx, byIndex...); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `WITH RECURSIVE class (source_id, rung, end_date) AS (
				(`+next+` ORDER BY r.source_id, r.lifecycle_rung, r.end_date LIMIT 1)
				UNION ALL
				SELECT n.* FROM class CROSS JOIN LATERAL (`+next+`
					AND (r.source_id, r.lifecycle_rung) > (class.source_id, class.rung)
					ORDER BY r.source_id, r.lifecycle_rung, r.end_date LIMIT 1) AS n
			) SELECT source_id, rung, end_date FROM class`)
		err = each(rows, err, []any{&d.Source, &d.Rung, &end}, func() error {
			classes, ends = append(classes, d), append(ends, end)
			if len(sources) == 0 || sources[len(sources)-1] != d.Source {
				sources = append(sources, d.Source)
			}
			return nil
		})
		if err != nil {
			return err
		}
		policies, err = lifecyclePolicies(ctx, tx, sources)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, class := range classes {
		since, ok := policies[class.Source].DueSince(class.Rung, ends[i], at, s.day)
		if ok {
			class.Since = since
			due = append(due, class)
		}
	}
	return due, nil
}

// OldestDue counts what DueRecords returns by now, and tells since when the first
// of the records is due; zero if none is.
func (s *Store) OldestDue(ctx context.Context) (count int, oldest time.Time, err error) {
	defer s.done(ctx, "OldestDue", time.Now(), &err)
	due, err := s.dueRecords(ctx, now())
	for _, d := range due {
		if oldest.IsZero() || d.Since.Before(oldest) {
			oldest = d.Since
		}
	}
	return len(due), oldest, err
}

// AdvanceRecords takes up to limit of the records on to the rungs that they have
// come to by at, each to the innermost, and tells of it, in one transaction:
// whoever else does the same at this moment takes others, so that each rung of
// each record is told once. Records of one manager are taken together. A record
// that somebody else holds is passed over.
func (s *Store) AdvanceRecords(ctx context.Context, due lifecycle.DueRecords, at time.Time, limit int) (advance lifecycle.Advance, err error) {
	defer s.done(ctx, "AdvanceRecords", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		policy, err := lifecyclePolicy(ctx, tx, due.Source)
		if err != nil {
			return err
		}
		rungs := policy.RungsBelow(due.Rung, at, s.day)
		if len(rungs) == 0 {
			return nil
		}
		take := advanceRecords
		if rungs[0].Days == lifecycle.RungRemoved {
			take = removeRecords
		}
		taken, err := take(ctx, tx, due, rungs, at, max(0, limit))
		if err != nil {
			return err
		}
		for _, r := range taken {
			switch {
			case r.rung > lifecycle.RungEnd:
				advance.Warned++
			case r.rung == lifecycle.RungEnd:
				advance.Expired++
			case r.rung == lifecycle.RungSuspended:
				advance.Suspended++
			default:
				advance.Removed++
			}
		}
		return tellOfRungs(ctx, tx, due.Source, policy, taken)
	})
	if err != nil {
		return lifecycle.Advance{}, err
	}
	return advance, nil
}

// taken is a record that came to a rung.
type taken struct {
	id, manager lifecycle.ID
	rung        int
}

// recordsDue selects the records r that have come to the first of the rungs, by
// manager, under their locks. Its arguments are ?0 to ?3. Those that may be removed
// wait for nobody's decision about a later end.
const (
	recordsDue    = recordsOfRung + takenInOrder
	removableDue  = recordsOfRung + ` AND NOT EXISTS (SELECT 1 FROM extension_records AS x WHERE x.record_id = r.id AND x.status = 'PENDING')` + takenInOrder
	recordsOfRung = ` FROM records AS r WHERE r.source_id = ?0 AND r.lifecycle_rung = ?1 AND r.lifecycle_state <> 'PLANNED'
	AND r.end_date <= ?2`
	takenInOrder = ` ORDER BY r.manager_id, r.id LIMIT ?3 FOR UPDATE SKIP LOCKED`
)

func advanceRecords(ctx context.Context, tx bun.Tx, due lifecycle.DueRecords, rungs []lifecycle.Rung, at time.Time, limit int) ([]taken, error) {
	if err := tune(ctx, tx, byIndex...); err != nil {
		return nil, err
	}
	audited, err := auditOf(ctx, stateAudit("r WHERE r.lifecycle_state <> r.was"))
	if err != nil {
		return nil, err
	}
	args := []any{due.Source, due.Rung, rungs[0].Until, limit, at, audited}
	var reached strings.Builder
	for _, rung := range slices.Backward(rungs) {
		fmt.Fprintf(&reached, " WHEN r.end_date <= ?%d THEN %d", len(args), rung.Days)
		args = append(args, rung.Until)
	}
	rows, err := tx.QueryContext(ctx, `WITH due AS MATERIALIZED (
			SELECT r.id, r.lifecycle_state AS was, (CASE`+reached.String()+` END)::smallint AS rung`+recordsDue+`
		), r AS (
			UPDATE records AS r SET lifecycle_rung = due.rung,
				lifecycle_state = lifecycle_state_of(r.start_date, r.end_date, due.rung, ?4),
				lifecycle_since = CASE lifecycle_state_of(r.start_date, r.end_date, due.rung, ?4)
					WHEN due.was THEN r.lifecycle_since ELSE ?4::timestamptz END
			FROM due WHERE r.id = due.id
			RETURNING r.id, r.source_id, r.manager_id, r.lifecycle_state, due.was, due.rung
		), ?5 SELECT id, manager_id, rung FROM r ORDER BY manager_id, id`, args...)
	var r taken
	var all []taken
	err = each(rows, err, []any{&r.id, &r.manager, &r.rung}, func() error { all = append(all, r); return nil })
	return all, err
}

// removeRecords removes the records as DeleteRecords does.
func removeRecords(ctx context.Context, tx bun.Tx, due lifecycle.DueRecords, rungs []lifecycle.Rung, _ time.Time, limit int) ([]taken, error) {
	if found, err := lockCounters(ctx, tx, due.Source, forRemoving); err != nil || !found {
		return nil, err
	}
	if err := tune(ctx, tx, bulk(byIndex)...); err != nil {
		return nil, err
	}
	var (
		r   = taken{rung: lifecycle.RungRemoved}
		all []taken
		ids idList
	)
	rows, err := tx.QueryContext(ctx, "SELECT r.id, r.manager_id"+removableDue, due.Source, due.Rung, rungs[0].Until, limit)
	err = each(rows, err, []any{&r.id, &r.manager}, func() error {
		all, ids = append(all, r), append(ids, r.id)
		return nil
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	_, err = deleteRecords(ctx, tx, ids)
	return all, err
}

// stateTold is the state of a record that is told of with its rung.
func stateTold(rung int) lifecycle.LifecycleState {
	switch {
	case rung > lifecycle.RungEnd:
		return lifecycle.StateExpiring
	case rung == lifecycle.RungEnd:
		return lifecycle.StateExpired
	case rung == lifecycle.RungSuspended:
		return lifecycle.StateSuspended
	default:
		return lifecycle.StateRemoved
	}
}

// tellOfRungs tells of the records of the source, those of a rung together: who
// answers for the source of all of them, a manager of their own.
func tellOfRungs(ctx context.Context, tx bun.Tx, source lifecycle.ID, policy lifecycle.PolicyInForce, all []taken) error {
	byRung := map[int][]taken{}
	for _, r := range all {
		byRung[r.rung] = append(byRung[r.rung], r)
	}
	for rung, records := range byRung {
		event := lifecycle.Event{
			Type: lifecycle.EventExpired, Source: source,
			Facts: map[string]any{"state": string(stateTold(rung)), "action": string(policy.End.Action), "graceDays": policy.End.GraceDays},
		}
		if rung > lifecycle.RungEnd {
			event.Type = lifecycle.EventExpiring
			event.Facts["days"] = rung
		}
		if err := tellOfRecords(ctx, tx, event, policy.Audience(rung), records); err != nil {
			return err
		}
	}
	return nil
}

// tellOfRecords tells whoever has one of the roles, and the recipients of the event,
// of the event about the records, which are sorted by their managers. Who is told
// of all is told nothing as a manager.
func tellOfRecords(ctx context.Context, tx bun.Tx, event lifecycle.Event, roles []lifecycle.WarnedRole, records []taken) error {
	var events []lifecycle.Event
	add := func(role lifecycle.WarnedRole, recipients []lifecycle.Reference, about []taken) {
		e := event
		e.Key, e.Recipients = lifecycle.NewID().String(), recipients
		e.Facts = maps.Clone(event.Facts)
		e.Facts["to"] = string(role)
		for _, r := range about {
			e.Records = append(e.Records, r.id)
		}
		events = append(events, e)
	}
	told, err := whoAnswersFor(ctx, tx, event.Source, roles)
	if err != nil {
		return err
	}
	if len(told.references) > 0 {
		add(told.role, told.references, records)
	}
	for _, recipient := range event.Recipients {
		if !told.people[recipient.ID] {
			add(lifecycle.ToldRequester, []lifecycle.Reference{recipient}, records)
			told.people[recipient.ID] = true
		}
	}
	if slices.Contains(roles, lifecycle.WarnManager) {
		for len(records) > 0 {
			manager := records[0].manager
			theirs := slices.IndexFunc(records, func(r taken) bool { return r.manager != manager })
			if theirs < 0 {
				theirs = len(records)
			}
			if !told.people[manager] {
				add(lifecycle.WarnManager, []lifecycle.Reference{lifecycle.IdentityReference(manager)}, records[:theirs])
			}
			records = records[theirs:]
		}
	}
	return tell(ctx, tx, events...)
}

// answering are those who are told of all records of a source.
type answering struct {
	role       lifecycle.WarnedRole
	references []lifecycle.Reference
	// people are those who are meant, members of groups among them.
	people map[lifecycle.ID]bool
}

// whoAnswersFor returns the account managers of the source or its owner alone, as
// the roles say.
func whoAnswersFor(ctx context.Context, tx bun.Tx, source lifecycle.ID, roles []lifecycle.WarnedRole) (answering, error) {
	a := answering{people: map[lifecycle.ID]bool{}}
	managers := slices.Contains(roles, lifecycle.WarnAccountManagers)
	switch {
	case managers:
		a.role = lifecycle.WarnAccountManagers
	case slices.Contains(roles, lifecycle.WarnOwner):
		a.role = lifecycle.WarnOwner
	default:
		return a, nil
	}
	var (
		to     lifecycle.Reference
		groups idList
	)
	rows, err := tx.QueryContext(ctx, `SELECT owner_id, 'IDENTITY', -1 AS position FROM sources WHERE id = ?0
		UNION SELECT manager_id, manager_type, position FROM source_account_managers WHERE source_id = ?0 AND ?1
		ORDER BY position`, source, managers)
	var position int
	err = each(rows, err, []any{&to.ID, &to.Type, &position}, func() error {
		if slices.Contains(a.references, to) {
			return nil
		}
		a.references = append(a.references, to)
		if to.Type == lifecycle.ReferenceGovernanceGroup {
			groups = append(groups, to.ID)
			return nil
		}
		a.people[to.ID] = true
		return nil
	})
	if err != nil || len(groups) == 0 {
		return a, err
	}
	var member lifecycle.ID
	rows, err = tx.QueryContext(ctx, "SELECT identity_id FROM workgroup_members WHERE workgroup_id = ANY (?)", groups)
	err = each(rows, err, []any{&member}, func() error { a.people[member] = true; return nil })
	return a, err
}
