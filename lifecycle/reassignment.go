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
	// Reassigner is zero where nobody in particular did it.
	Reassigner ID
	// Comment is why; at most MaxCommentLength characters, empty where the system
	// did it.
	Comment string
	Created time.Time
}
