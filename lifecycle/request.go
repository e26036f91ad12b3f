package lifecycle

import "time"

// ApprovalStatus is the state of a request or of one of its approval items.
type ApprovalStatus string

// The approval statuses of the contract.
const (
	StatusApproved  ApprovalStatus = "APPROVED"
	StatusRejected  ApprovalStatus = "REJECTED"
	StatusPending   ApprovalStatus = "PENDING"
	StatusNotReady  ApprovalStatus = "NOT_READY"
	StatusCancelled ApprovalStatus = "CANCELLED"
)

// Final reports whether nothing can change the status any more.
func (s ApprovalStatus) Final() bool {
	return s == StatusApproved || s == StatusRejected || s == StatusCancelled
}

// Verdict is what an approver says.
type Verdict string

// The verdicts.
const (
	VerdictApprove Verdict = "approve"
	VerdictReject  Verdict = "reject"
)

// Status is the status of an item that got this verdict.
func (v Verdict) Status() ApprovalStatus {
	if v == VerdictApprove {
		return StatusApproved
	}
	return StatusRejected
}

// Request asks for one person to be let into a source.
type Request struct {
	ID     ID
	Source SourceSummary
	// Requester is zero where an application client asked.
	Requester ID
	Person
	Status ApprovalStatus
	// Completed is when the last approval came; zero until then and on any
	// other outcome.
	Completed time.Time
	Created   time.Time
	Modified  time.Time
	// Items are the approval items in their order; empty if the source had no
	// approvers when the request was made.
	Items []ApprovalItem
}

// SourceSummary is the short form of a source that a request carries.
type SourceSummary struct {
	ID          ID
	Name        string
	Description string
}

// ApprovalItem is one approver's part in a request.
type ApprovalItem struct {
	ID        ID
	RequestID ID
	// Order counts from 0 (contract §4).
	Order    int
	Approver Reference
	Status   ApprovalStatus
	// DecidedBy is the identity that decided; zero until then, and on an item
	// that was cancelled.
	DecidedBy ID
	// OnBehalfOf is the identity in whose place the approver has the item, or
	// decided; zero where in nobody's. Like SelfApproval it is known of a single
	// item alone.
	OnBehalfOf ID
	// Comment is the approver's; empty until decided, and may stay so.
	Comment string
	// AccountName, which is empty in an extension, and Requester are the request's.
	AccountName string
	Requester   ID
	// Extension is true for an item of an [Extension].
	Extension bool
	Created   time.Time
	Modified  time.Time
	// SelfApproval lets the requester decide; known of a single item alone, not of
	// those in a list or in a request.
	SelfApproval bool
}

// NewApprovalItems makes the items of a new request: one for each approver in
// the order of the source's list, the first one PENDING, the others NOT_READY.
func NewApprovalItems(request Request, approvers []Reference) []ApprovalItem {
	items := make([]ApprovalItem, len(approvers))
	for i, approver := range approvers {
		items[i] = ApprovalItem{
			ID: NewID(), RequestID: request.ID, Order: i, Approver: approver,
			Status: StatusNotReady, AccountName: request.AccountName, Requester: request.Requester,
			Created: request.Created, Modified: request.Created,
		}
		if i == 0 {
			items[i].Status = StatusPending
		}
	}
	return items
}

// Effect is what a decision does to its request.
type Effect struct {
	// Next is the position in Items of the item that becomes PENDING, -1 for none.
	Next int
	// Request is the status of the request afterwards.
	Request ApprovalStatus
}

// Decide returns the effect of the verdict on the item at position, which must
// be in range. Only an item that is PENDING on a request that is PENDING can be
// decided; anything else is KindIllegalUpdate, naming the item's state
// (contract §3). A rejection leaves every item not yet decided CANCELLED.
func (r Request) Decide(position int, verdict Verdict) (Effect, error) {
	item := r.Items[position]
	if item.Status != StatusPending || r.Status != StatusPending {
		return Effect{}, NotDecidable(item.Status)
	}
	if verdict == VerdictReject {
		return Effect{Next: -1, Request: StatusRejected}, nil
	}
	if position+1 < len(r.Items) {
		return Effect{Next: position + 1, Request: StatusPending}, nil
	}
	return Effect{Next: -1, Request: StatusApproved}, nil
}

// NotDecidable is the error for a decision on an item in this state.
func NotDecidable(status ApprovalStatus) *Error {
	return NewError(KindIllegalUpdate,
		"The approval item can't be decided: its approvalStatus is "+string(status)+".")
}

// Decision is one verdict on its way to the rows.
type Decision struct {
	// ID identifies the decision; the comment is stored under it.
	ID        ID
	RequestID ID
	ItemID    ID
	// Approver is the identity that decides.
	Approver ID
	Verdict  Verdict
	// Via is ViaAPI or ViaSignal; a rejection by signal is stored with
	// SignalRejectionComment.
	Via string
}

// Ways a decision may come. The values stand in histories and never change.
const (
	ViaAPI    = "api"
	ViaSignal = "signal"
)

// ReasonApproverGone is why a request is cancelled that nobody is left to
// decide. It may be made again. The value stands in histories and never changes.
const ReasonApproverGone = "approver_gone"

// SignalRejectionComment stands in for the comment of a rejection that came by
// signal, since comments don't travel through Temporal.
const SignalRejectionComment = "Rejected by signal"

// TimeoutApprovalComment stands in for the comment of an item that nobody decided
// in time and that its policy approves then.
const TimeoutApprovalComment = "Approved since nobody decided in time"

// RepeatedApprovalComment is the comment of an item that was approved because its
// approver had approved an earlier one of the same request.
const RepeatedApprovalComment = "Approved before in the same request"

// ErrOwnRequest is the answer to a decision, or a claim, by the identity that made
// the request.
var ErrOwnRequest = NewError(KindIllegalUpdate, "Who made a request can't decide it.")

// DecisionOutcome is what became of a decision.
type DecisionOutcome uint8

// The outcomes.
const (
	// DecisionStored: this decision is the verdict.
	DecisionStored DecisionOutcome = iota
	// DecisionRepeated: the same approver had given the same verdict before.
	DecisionRepeated
	// DecisionNotDecidable: the item is decided otherwise, cancelled or not ready.
	DecisionNotDecidable
	// DecisionForbidden: the item is not this identity's to decide.
	DecisionForbidden
	// DecisionGone: the request has no such item.
	DecisionGone
	// DecisionOwnRequest: the identity made the request, and may not decide it.
	DecisionOwnRequest
)

// DecisionResult is the outcome with the item's status as stored.
type DecisionResult struct {
	Outcome DecisionOutcome
	Status  ApprovalStatus
	// Waited is how long the item was PENDING; set with DecisionStored.
	Waited time.Duration
	// Request is the status of the request afterwards.
	Request ApprovalStatus
}

// Progress is where a request stands, for the workflow that carries it.
type Progress struct {
	SourceID ID
	Status   ApprovalStatus
	// Extension is true for an [Extension].
	Extension bool
	// Items is the number of approval items.
	Items int
	// Pending is the item that waits for its decision, zero if none does.
	Pending ID
	// Order is the order of the pending item.
	Order int
	// PendingSince is when that item became PENDING.
	PendingSince time.Time
	// ApproverGone is true if the pending item's approver is inactive or deleted.
	ApproverGone bool
	// Next is what happens next if nobody acts; no Step where nothing does.
	Next DueStep
	// Version is when the rows of the request last moved. What the workflow knows
	// of another version is out of date.
	Version time.Time
}

// WaitingStage is how many requests wait for the decision of an approval item of the
// same place in its order.
type WaitingStage struct {
	// Stage counts from 1.
	Stage int
	Items int
	// Oldest is since when that item waits which does so the longest.
	Oldest time.Time
}

// RequestSummary counts requests and records within somebody's reach.
type RequestSummary struct {
	Approved, Rejected, Pending, Records int
}

// ApprovalSummary counts approval items within somebody's reach.
type ApprovalSummary struct {
	Approved, Rejected, Pending int
}

// RequestToCheck is a request whose workflow the sweep looks after.
type RequestToCheck struct {
	RequestID ID
	SourceID  ID
	// Moved is true if the workflow is not known to stand where the rows do, or
	// nobody is left who can decide: the workflow has to read them again. Else
	// the request is pending and the workflow only has to be there.
	Moved bool
}
