package lifecycle

import "time"

// Rungs beside the days of warnings: how near to the end of a record people have
// been told.
const (
	// RungNone: nobody was told of the end yet.
	RungNone = MaxLifecycleDays + 1
	// RungEnd: they were told that it has come.
	RungEnd = 0
	// RungSuspended: the source suspended the record after its end, or somebody ended
	// it.
	RungSuspended = -1
	// RungRemoved is told of records that are gone.
	RungRemoved = -2
)

// PolicyInForce is a LifecyclePolicy as it holds for a source.
type PolicyInForce struct {
	LifecyclePolicy
	// EndSince is when its End became what it is.
	EndSince time.Time
	// Own is false where it is the organisation's.
	Own bool
}

// Rung is a step of the ladder at some moment.
type Rung struct {
	// Days are those of a Warning, RungEnd, RungSuspended or RungRemoved.
	Days int
	// Until is the latest end of the records that have come to it.
	Until time.Time
}

// RungsBelow returns the rungs that a record may come to at this moment where
// people have been told of the rung told, the farthest from the end first, so that
// Until never rises. A day lasts day. A record is removed only after its end was
// told, or after it was suspended.
func (p PolicyInForce) RungsBelow(told int, at time.Time, day time.Duration) []Rung {
	var rungs []Rung
	for _, warning := range p.Warnings {
		if warning.Days < told {
			rungs = append(rungs, Rung{Days: warning.Days, Until: at.Add(time.Duration(warning.Days) * day)})
		}
	}
	if told > RungEnd {
		rungs = append(rungs, Rung{Days: RungEnd, Until: at})
	}
	grace := time.Duration(p.End.GraceDays) * day
	if last, acts := p.End.rung(); acts && last < told && (last == RungSuspended || told <= RungEnd) && !p.EndSince.Add(grace).After(at) {
		rungs = append(rungs, Rung{Days: last, Until: at.Add(-grace)})
	}
	return rungs
}

// rung is the one of what the source does at the end; acts is false where it does
// nothing.
func (p EndPolicy) rung() (rung int, acts bool) {
	switch p.Action {
	case EndSuspend:
		return RungSuspended, true
	case EndRemove:
		return RungRemoved, true
	default:
		return 0, false
	}
}

// Reached returns the innermost of the rungs that a record which ends then has
// come to; ok is false if it has come to none.
func Reached(rungs []Rung, end time.Time) (days int, ok bool) {
	for _, rung := range rungs {
		if end.After(rung.Until) {
			break
		}
		days, ok = rung.Days, true
	}
	return days, ok
}

// NextWarning is when the next warning of a record is due that ends then, where
// people have been told of the rung told; in the past if it waits for the next turn
// of the sweep, zero if there is none.
func (p PolicyInForce) NextWarning(told int, end, at time.Time, day time.Duration) time.Time {
	var next time.Time
	if !end.After(at) {
		return next
	}
	for _, warning := range p.Warnings {
		due := end.Add(-time.Duration(warning.Days) * day)
		if warning.Days >= told {
			continue
		}
		if !next.IsZero() && due.After(at) {
			break
		}
		next = due
	}
	return next
}

// ActionDue is when what the source does at the end is due for a record that ends
// then, where people have been told of the rung told; zero where nothing is left to
// be done.
func (p PolicyInForce) ActionDue(told int, end time.Time, day time.Duration) time.Time {
	rung, acts := p.End.rung()
	if !acts || told <= rung {
		return time.Time{}
	}
	return later(end, p.EndSince).Add(time.Duration(p.End.GraceDays) * day)
}

// DueSince is since when a record that ends then has come to the first of the rungs
// below told; ok is false if it has come to none.
func (p PolicyInForce) DueSince(told int, end, at time.Time, day time.Duration) (since time.Time, ok bool) {
	rungs := p.RungsBelow(told, at, day)
	if len(rungs) == 0 || end.After(rungs[0].Until) {
		return time.Time{}, false
	}
	if rungs[0].Days < RungEnd {
		return p.ActionDue(told, end, day), true
	}
	return end.Add(-time.Duration(rungs[0].Days) * day), true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Audience returns who is told of the rung: those of its warning, and everybody of
// the end and what follows it.
func (p PolicyInForce) Audience(rung int) []WarnedRole {
	for _, warning := range p.Warnings {
		if warning.Days == rung {
			return warning.To
		}
	}
	return []WarnedRole{WarnAccountManagers, WarnManager}
}

// DueRecords are records of a source whose people have been told of the same rung,
// and some of which have come to one that is nearer to the end.
type DueRecords struct {
	Source ID
	Rung   int
	// Since is since when the first of them has.
	Since time.Time
}

// Advance counts what one turn of the sweep did with records.
type Advance struct {
	// Begun are those whose time began, Warned those whose people were warned of the
	// end.
	Begun, Warned, Expired, Suspended, Removed int
}

// Total is how many records that are.
func (a Advance) Total() int { return a.Begun + a.Warned + a.Expired + a.Suspended + a.Removed }

// Add returns both together.
func (a Advance) Add(b Advance) Advance {
	return Advance{
		Begun: a.Begun + b.Begun, Warned: a.Warned + b.Warned, Expired: a.Expired + b.Expired,
		Suspended: a.Suspended + b.Suspended, Removed: a.Removed + b.Removed,
	}
}

// RecordLifecycle is where a record stands, and what comes next.
type RecordLifecycle struct {
	State LifecycleState
	Since time.Time
	// NextWarning and EndAction are when the next warning is due and what the source
	// does at the end; zero for never.
	NextWarning, EndAction time.Time
	// Ended is when somebody ended the record before its time, and EndedReason why;
	// zero and empty where nobody did.
	Ended       time.Time
	EndedReason string
}
