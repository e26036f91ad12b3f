package wire

import (
	"time"

	"gatehouse/lifecycle"
)

// WorkflowAbsence has the items of somebody who is away go to their deputy, and
// back.
const WorkflowAbsence = "AbsenceWorkflow"

// Activity names of absences. SignalWake tells an AbsenceWorkflow that its absence
// was changed.
const (
	ActivitySettleAbsence = "SettleAbsence"
	ActivitySweepAbsences = "SweepAbsences"
)

// KindAbsence is the value of AttributeKind for absences.
const KindAbsence = "absence"

// AbsenceWorkflowID is the id of the workflow of an absence.
func AbsenceWorkflowID(absence lifecycle.ID) string { return "absence/" + absence.String() }

// AbsenceInput starts an AbsenceWorkflow.
type AbsenceInput struct {
	AbsenceID lifecycle.ID `json:"absenceId"`
}

// AbsencePass is the payload of the SettleAbsence activity: a piece of a pass
// through the items that the absence is about.
type AbsencePass struct {
	AbsenceID lifecycle.ID `json:"absenceId"`
	// Began is when the pass did, and After the last item of the piece before; zero
	// where it is to begin.
	Began time.Time    `json:"began,omitzero"`
	After lifecycle.ID `json:"after,omitzero"`
}

// AbsenceState is what SettleAbsence answers.
type AbsenceState struct {
	// Found is false if the absence was taken back before it began.
	Found bool `json:"found"`
	// Moved is how many items went from one to another.
	Moved int `json:"moved,omitempty"`
	// Next is the piece to go on with; nil where the pass is over.
	Next *AbsencePass `json:"next,omitempty"`
	// Due is when another pass is to begin; zero once all is done.
	Due time.Time `json:"due,omitzero"`
}
