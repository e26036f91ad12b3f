package lifecycle

import (
	"fmt"
	"time"
)

// Absence is a time in which somebody else decides for an identity.
type Absence struct {
	ID       ID
	Identity ID
	Deputy   ID
	// Start is its first moment, End the first one after it.
	Start, End time.Time
	// Creator is the identity that made it.
	Creator  ID
	Created  time.Time
	Modified time.Time
}

// Bounds of absences.
const (
	// MaxAbsenceYears is how long one may be.
	MaxAbsenceYears = 1
	// MaxAbsences is how many that are not over an identity may have.
	MaxAbsences = 20
	// MaxDeputies is how many deputies of deputies are asked, one after another.
	MaxDeputies = 10
	// AbsenceMargin is how long after a beginning or an end the items are looked
	// through once more, for what was on its way just then. No transaction takes as
	// long.
	AbsenceMargin = time.Minute
)

// Over reports whether the absence has ended.
func (a Absence) Over(at time.Time) bool { return !at.Before(a.End) }

// Begun reports whether the absence has begun; it may be over.
func (a Absence) Begun(at time.Time) bool { return !at.Before(a.Start) }

// NextLook returns when the items of the absence are to be looked through next,
// where they were last at looked, the zero time for never: at the beginning, at
// the end, and AbsenceMargin after each. The zero time says that all is done.
func (a Absence) NextLook(looked time.Time) time.Time {
	for _, due := range []time.Time{a.Start, a.Start.Add(AbsenceMargin), a.End, a.End.Add(AbsenceMargin)} {
		if due.After(a.End) && due.Before(a.End.Add(AbsenceMargin)) {
			continue // the absence is shorter than the margin
		}
		if looked.Before(due) {
			return due
		}
	}
	return time.Time{}
}

// DeputyOf returns who decides in the place of the person: their deputy, or where
// that one is away as well that one's, and so on for at most MaxDeputies. deputies
// has those of everybody on the way who is away; may reports whether somebody could
// decide. Where the way ends with nobody who is there and may, or leads in a
// circle, it is the person.
func DeputyOf(person ID, deputies map[ID]ID, may func(ID) bool) ID {
	seen := map[ID]bool{person: true}
	at := person
	for range MaxDeputies {
		deputy, away := deputies[at]
		if !away || seen[deputy] {
			return person
		}
		seen[deputy], at = true, deputy
		if _, away := deputies[at]; away {
			continue
		}
		if may(at) {
			return at
		}
		return person
	}
	return person
}

// AbsenceInput is what a client sent of an absence. nil is absent.
type AbsenceInput struct {
	Deputy     *string
	Start, End *string
	// Faults is what was wrong while the input was read, to be told with the
	// rest.
	Faults Faults
}

// Judge normalises and judges an absence of the identity and returns all the
// faults there are: those found while reading first. Without a start, or with one
// that is past, it begins at now; it must end after that, and within
// MaxAbsenceYears.
//
// Kinds: KindRequired, KindBadRequest for an id that is none, and KindIllegalValue
// for the rest.
func (in AbsenceInput) Judge(identity ID, now time.Time) (Absence, Faults) {
	j := newJudge(in.Faults)
	a := Absence{Identity: identity, Deputy: j.id("deputy", in.Deputy, false), Start: now}
	if a.Deputy == identity && !identity.IsZero() {
		j.faults.Add(KindIllegalValue, "deputy", "deputy must be somebody else")
	}
	if in.Start != nil {
		if start := j.date("startDate", in.Start); start.After(now) {
			a.Start = start
		}
	}
	a.End = j.date("endDate", in.End)
	switch {
	case j.faults.About("startDate"), j.faults.About("endDate"):
	case !a.End.After(a.Start):
		j.faults.Add(KindIllegalValue, "endDate", "endDate must be after startDate, and to come")
	case a.End.After(a.Start.AddDate(MaxAbsenceYears, 0, 0)):
		j.faults.Add(KindIllegalValue, "endDate", fmt.Sprintf("endDate must be at most %d year after startDate", MaxAbsenceYears))
	}
	return a, j.faults
}

// AbsencePass goes through the items that an absence is about, in pieces.
type AbsencePass struct {
	Absence ID
	// Began is when the pass did; zero for one that is to begin.
	Began time.Time
	// After is the last item of the piece before.
	After ID
}

// AbsenceProgress is what became of a piece of a pass.
type AbsenceProgress struct {
	// Found is false if the absence was taken back before it began.
	Found bool
	// Moved are the requests whose items went from one to another.
	Moved []RequestToCheck
	// More is true if the pass goes on with Next.
	More bool
	Next AbsencePass
	// Due is when the next pass is to begin; zero once all is done.
	Due time.Time
}
