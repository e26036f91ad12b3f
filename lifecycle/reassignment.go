package lifecycle

import "time"

// ReassignmentType says by what an approval item went from one to another.
type ReassignmentType string

// The reassignment types; DELEGATION is ours.
const (
	ReassignedManually     ReassignmentType = "MANUAL_REASSIGNMENT"
	ReassignedByEscalation ReassignmentType = "ESCALATION"
	// ReassignedByRule is a move that nobody asked for: to the fallback approver where
	// nobody is left who could decide, or away from the one who made the request.
	ReassignedByRule ReassignmentType = "AUTO_REASSIGNMENT"
	// ReassignedByAbsence is a move to a deputy, or back from one.
	ReassignedByAbsence ReassignmentType = "DELEGATION"
)

// Reassignment is a move of an approval item from one approver to another.
type Reassignment struct {
	ID     ID
	ItemID ID
	// Number counts the moves of the item from 1.
	Number int
	Type   ReassignmentType
	From   Reference
	To     Reference
	// OnBehalfOf is the identity in whose place To has the item; zero where in
	// nobody's. It is kept with the item, not with the move.
	OnBehalfOf ID
	// Reassigner is zero where nobody in particular did it.
	Reassigner ID
	// Comment is why; at most MaxCommentLength characters, empty where the system
	// did it.
	Comment string
	Created time.Time
}

// ReassignInput is what a client sent to hand an approval item on. nil is absent.
type ReassignInput struct {
	NewOwner *ReferenceInput
	Comment  *string
	// Faults is what was wrong while the input was read, to be told with the
	// rest.
	Faults Faults
}

// Judge returns to whom the item is to go, and why, both of which are required,
// with all the faults there are: those found while reading first.
//
// Kinds: KindRequired, KindBadRequest for an id that is none, KindLimit for a
// comment of more than [MaxCommentLength] characters, and KindIllegalValue for
// the rest.
func (in ReassignInput) Judge() (to Reference, comment string, faults Faults) {
	j := newJudge(in.Faults)
	to = j.reference("newOwner", in.NewOwner)
	comment, err := JudgeComment(in.Comment, true)
	j.note(err)
	return to, comment, j.faults
}

// NotMovable is the error for a move of an item in this state.
func NotMovable(status ApprovalStatus) *Error {
	return NewError(KindIllegalUpdate,
		"The approval item can't be moved: its approvalStatus is "+string(status)+".")
}
