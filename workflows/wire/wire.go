// Package wire holds everything that ends up in a Temporal history or names
// one: task queues, workflow types, ids, Update and signal names, payloads.
//
// It is append-only. A name or a field that was ever released stays, because
// histories written with it must replay; a change here is a change of a stored
// format. Payloads carry ids, verdicts, kinds and counts: never a name, a mail
// address, an account name or a comment.
package wire

import (
	"strconv"

	"gatehouse/lifecycle"
)

// Task queues. Each kind of work has its own, so that none starves another.
const (
	// QueueRequests serves request workflows and their short database steps.
	QueueRequests = "gatehouse-requests"
	// QueueNotifications serves the telling of people.
	QueueNotifications = "gatehouse-notifications"
	// QueueMaintenance serves the sweep and absences.
	QueueMaintenance = "gatehouse-maintenance"
)

// Workflow types.
const (
	WorkflowRequest = "RequestWorkflow"
	WorkflowSweep   = "SweepWorkflow"
)

// ScheduleSweep is the id of the schedule that starts the sweep; SweepID is
// the prefix of the ids of the runs it starts.
const (
	ScheduleSweep = "gatehouse-sweep"
	SweepID       = "sweep"
)

// Messages to a request workflow.
const (
	// UpdateDecide carries a Decision and answers a DecisionResult.
	UpdateDecide = "decide"
	// SignalApprove and SignalReject carry a SignalDecision.
	SignalApprove = "approve"
	SignalReject  = "reject"
	// SignalNudge has no payload: the rows moved, read them again.
	SignalNudge = "nudge"
)

// What says, beside a payload, which call caused something: the tracking id that
// the call's answer, its log line and its entries of the audit trail have. It is
// 32 hexadecimal digits made at random.
const (
	// HeaderTrackingID is the header of starts, messages and steps that has it, as
	// a JSON string.
	HeaderTrackingID = "gatehouse-tracking-id"
	// MemoTrackingID is the field of a workflow's memo that has it, of the call that
	// the workflow was started by.
	MemoTrackingID = "tracking_id"
)

// Activity names.
const (
	ActivityLoadRequest     = "LoadRequest"
	ActivityDecide          = "Decide"
	ActivityCompleteRequest = "CompleteRequest"
	ActivityCancelRequest   = "CancelRequest"
	ActivityFallDue         = "FallDue"
	ActivityNotify          = "Notify"
	ActivitySweepPending    = "SweepPendingRequests"
	ActivitySweepEndings    = "SweepWorkflowEndings"
)

// Search attributes, all of type Keyword.
const (
	AttributeKind   = "GatehouseKind"
	AttributeSource = "GatehouseSource"
	AttributeStatus = "GatehouseStatus"
	AttributeStage  = "GatehouseStage"
)

// SearchAttributes lists the attributes that a namespace must have registered.
func SearchAttributes() []string {
	return []string{AttributeKind, AttributeSource, AttributeStatus, AttributeStage}
}

// Stage is the value of AttributeStage while the item at order, counted from 0, of
// a request with so many items is waited for.
func Stage(order, items int) string { return strconv.Itoa(order+1) + "/" + strconv.Itoa(items) }

// Values of AttributeKind.
const (
	KindRequest = "request"
	KindSweep   = "sweep"
)

const requestPrefix = "request/"

// RequestWorkflowID is the id of the workflow that carries a request.
func RequestWorkflowID(request lifecycle.ID) string { return requestPrefix + request.String() }

// DecisionID is [lifecycle.DecisionID].
func DecisionID(item, approver lifecycle.ID, verdict lifecycle.Verdict, key string) lifecycle.ID {
	return lifecycle.DecisionID(item, approver, verdict, key)
}

// RequestInput starts a request workflow.
type RequestInput struct {
	RequestID lifecycle.ID `json:"requestId"`
	// SourceID is for the search attribute and may be zero where a signal with
	// start came from outside.
	SourceID lifecycle.ID `json:"sourceId"`
	// Told is the item whose approver an earlier run has told already; zero
	// but where a run continues as new.
	Told lifecycle.ID `json:"told,omitzero"`
	// ToldVersion is the Version of the rows that it was told of.
	ToldVersion string `json:"toldVersion,omitempty"`
}

// Decision is the payload of the Update, and of the Decide activity.
type Decision struct {
	RequestID  lifecycle.ID      `json:"requestId"`
	ItemID     lifecycle.ID      `json:"itemId"`
	ApproverID lifecycle.ID      `json:"approverId"`
	DecisionID lifecycle.ID      `json:"decisionId"`
	Verdict    lifecycle.Verdict `json:"verdict"`
	// Via is ViaAPI or ViaSignal.
	Via string `json:"via"`
	// Call names one sending of the decision. Temporal answers a second Update
	// of the same id with the first one's result; the Call in it tells the
	// sender which of the two was answered. Zero for a signal.
	Call lifecycle.ID `json:"call,omitzero"`
}

// Ways a decision may come.
const (
	ViaAPI    = lifecycle.ViaAPI
	ViaSignal = lifecycle.ViaSignal
)

// SignalDecision is the payload of the signals approve and reject. The ids are
// plain text so that a malformed one is judged by the handler, which logs it,
// and not by the data converter.
type SignalDecision struct {
	ItemID     string `json:"itemId"`
	ApproverID string `json:"approverId"`
	DecisionID string `json:"decisionId"`
}

// DecisionResult is what a decision came to.
type DecisionResult struct {
	// Outcome is one of the Outcome constants.
	Outcome string `json:"outcome"`
	// ItemStatus is the item's status as stored; empty if it is gone.
	ItemStatus lifecycle.ApprovalStatus `json:"itemStatus,omitempty"`
	// RequestStatus is the request's status afterwards; empty if it is gone or
	// was not looked at.
	RequestStatus lifecycle.ApprovalStatus `json:"requestStatus,omitempty"`
	// Call is the Call of the Decision that was answered.
	Call lifecycle.ID `json:"call,omitzero"`
}

// DecideResult is what the Decide activity answers.
type DecideResult struct {
	Decision DecisionResult `json:"decision"`
	// State is the state of the rows afterwards; nil if they were not read.
	State *RequestState `json:"state,omitempty"`
}

// Outcomes of a decision.
const (
	// OutcomeStored: this decision is the verdict.
	OutcomeStored = "stored"
	// OutcomeRepeated: the same approver had given the same verdict before.
	OutcomeRepeated = "repeated"
	// OutcomeNotDecidable: the item is decided otherwise, cancelled or not ready.
	OutcomeNotDecidable = "not_decidable"
	// OutcomeForbidden: the item is not the approver's to decide.
	OutcomeForbidden = "forbidden"
	// OutcomeGone: there is no such item in this request.
	OutcomeGone = "gone"
	// OutcomeOwnRequest: the approver made the request, and may not decide it.
	OutcomeOwnRequest = "own_request"
	// OutcomeSignalsOff: decisions by signal are switched off.
	OutcomeSignalsOff = "signals_off"
)

// RequestState is what the workflow needs to know of its rows.
type RequestState struct {
	// Found is false once the request was deleted.
	Found    bool                     `json:"found"`
	SourceID lifecycle.ID             `json:"sourceId"`
	Status   lifecycle.ApprovalStatus `json:"status"`
	// Items is the number of approval items.
	Items int `json:"items"`
	// Pending is the item that waits for its decision; zero ID if none does.
	Pending lifecycle.ID `json:"pending"`
	// Order is the order of the pending item, counted from 0.
	Order int `json:"order"`
	// PendingSince is when the item became PENDING, RFC 3339 in UTC; empty if
	// none is pending.
	PendingSince string `json:"pendingSince,omitempty"`
	// ApproverGone is true if nobody is left who can decide the pending item.
	ApproverGone bool `json:"approverGone,omitempty"`
	// NextDue is when the next step falls due if nobody acts, RFC 3339 in UTC with
	// milliseconds, and NextStep which it is, a Step of lifecycle; both empty where
	// none does.
	NextDue  string         `json:"nextDue,omitempty"`
	NextStep lifecycle.Step `json:"nextStep,omitempty"`
	// Version tells this state of the rows from earlier ones: when they last
	// moved, RFC 3339 in UTC with milliseconds.
	Version string `json:"version,omitempty"`
	// Extension is true for a request whose end changes many records.
	Extension bool `json:"extension,omitempty"`
}

// CancelInput is the payload of the CancelRequest activity.
type CancelInput struct {
	RequestID lifecycle.ID `json:"requestId"`
	// Reason is one of the Reason constants.
	Reason string `json:"reason"`
}

// ReasonApproverGone is the reason of a request that nobody is left to decide.
const ReasonApproverGone = lifecycle.ReasonApproverGone

// Notice is the payload of the Notify activity. Together its ids name the
// event, so telling it twice is telling it once.
type Notice struct {
	// Event is one of the Event constants.
	Event     string       `json:"event"`
	RequestID lifecycle.ID `json:"requestId"`
	// ItemID is the approval item, zero for events about the whole request.
	ItemID lifecycle.ID `json:"itemId"`
	// Version is the Version of the rows that the workflow knows; empty for events
	// about the whole request. It does not belong to the name.
	Version string `json:"version,omitempty"`
}

// Events that people are told.
const (
	// EventDecisionNeeded goes to the approver of the item.
	EventDecisionNeeded = "decision_needed"
	// EventRequestDecided goes to the requester.
	EventRequestDecided = "request_decided"
	// EventRequestCancelled goes to the requester.
	EventRequestCancelled = "request_cancelled"
)

// SweepInput starts a sweep.
type SweepInput struct {
	// Batch is how many rows one step of the sweep looks at; at least 1.
	Batch int `json:"batch"`
}

// SweepResult counts what one step of the sweep did.
type SweepResult struct {
	Checked int `json:"checked"`
	Started int `json:"started"`
	Ended   int `json:"ended"`
	// Nudged workflows were told to read their rows again.
	Nudged int `json:"nudged,omitempty"`
	// Failed ones stay for the next sweep.
	Failed int `json:"failed,omitempty"`
}
