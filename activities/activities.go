// Package activities holds the steps of the workflows that touch the world:
// the rows, the outbox, other workflows. It declares the small interfaces it
// needs of the store and of the Temporal client, maps between their types and
// those of wire, and decides in one table (errors.go) what is worth trying
// again.
//
// Every step may run twice: after a crash Temporal does the step again, not
// knowing that it was done.
package activities

import (
	"context"
	"log/slog"
	"time"

	"gatehouse/lifecycle"
)

// RequestStore keeps the rows of the requests that workflows carry.
type RequestStore interface {
	// LoadRequest returns where the request stands. KindNotFound if the request
	// is gone.
	LoadRequest(ctx context.Context, request lifecycle.ID) (lifecycle.Progress, error)
	// MarkSeen does what SaveNotification does beside telling, for an event that
	// can't be told. It changes nothing where the request is gone.
	MarkSeen(ctx context.Context, request, item lifecycle.ID, version time.Time) error
	// Decide stores the verdict by compare-and-set. A decision that may not be,
	// or no more, is an outcome and not an error; KindNotFound if the request
	// is gone.
	Decide(ctx context.Context, decision lifecycle.Decision) (lifecycle.DecisionResult, error)
	// CompleteRequest approves a pending request that has no approval items and
	// creates its record. KindNotFound if the request is gone,
	// KindIllegalUpdate if it is not pending any more.
	CompleteRequest(ctx context.Context, request lifecycle.ID) error
	// CancelRequest cancels a pending request whose approver is gone, for a
	// reason that the requester is told, and frees its account name. Errors as
	// CompleteRequest's; KindIllegalUpdate as well if somebody can decide after
	// all.
	CancelRequest(ctx context.Context, request lifecycle.ID, reason string) error
	// FallBack moves the pending item to whom the request's policy names for where
	// nobody is left who can decide it; moved is false where it names nobody, and
	// where somebody can decide after all. KindNotFound if the request is gone.
	FallBack(ctx context.Context, request lifecycle.ID) (moved bool, err error)
	// FallDue does what has fallen due by now and returns it in its order, with the
	// status of the request afterwards. KindNotFound if the request is gone.
	FallDue(ctx context.Context, request lifecycle.ID) (done []lifecycle.DueStep, status lifecycle.ApprovalStatus, err error)
}

// NotificationStore is the outbox.
type NotificationStore interface {
	// SaveNotification puts the event into the outbox, addressed to recipient;
	// saved is false if it was there before. item is zero for an event about
	// the whole request. recipient is zero, and nothing is saved, where there
	// is nobody to tell. It also notes that the request's workflow stands at the
	// item, which is pending, or where item is zero at the end of the request;
	// nothing is noted where the rows stand elsewhere by now, or are of another
	// version, unless that is zero. KindNotFound if the request or the item is gone.
	SaveNotification(ctx context.Context, event string, request, item lifecycle.ID, version time.Time) (saved bool, recipient lifecycle.ID, err error)
}

// SweepStore knows which workflows need looking after.
type SweepStore interface {
	// RequestsToCheck returns at most limit requests, pending or final, whose
	// rows moved without their workflow, and pending ones whose approver is gone
	// or whose workflow was not checked for recheck, these in the order of need.
	// Requests that were changed or checked within grace are left out, so that a
	// sweep comes to an end and does not race with the workflow itself.
	RequestsToCheck(ctx context.Context, limit int, grace, recheck time.Duration) ([]lifecycle.RequestToCheck, error)
	// MarkChecked notes that the workflows of these requests were looked after, as if
	// each had been up to spread ago.
	MarkChecked(ctx context.Context, requests []lifecycle.ID, spread time.Duration) error
	// WorkflowEndings returns at most limit deleted requests whose workflow has
	// to end.
	WorkflowEndings(ctx context.Context, limit int) ([]lifecycle.ID, error)
	// DropWorkflowEndings forgets these; their workflows are ending.
	DropWorkflowEndings(ctx context.Context, requests []lifecycle.ID) error
}

// Store is what the activities need of the store.
type Store interface {
	RequestStore
	NotificationStore
	SweepStore
}

// Workflows reaches the workflows of requests.
type Workflows interface {
	// StartRequest starts the workflow of a request, and is content with one
	// that runs already. items is 0 for a request that was not just accepted.
	StartRequest(ctx context.Context, request, source lifecycle.ID, items int) error
	// NudgeRequest makes the workflow read its rows again, starting it if need be.
	NudgeRequest(ctx context.Context, request, source lifecycle.ID) error
	// RequestRunning reports whether the workflow of the request runs.
	RequestRunning(ctx context.Context, request lifecycle.ID) (bool, error)
	// CancelRequests cancels the workflows of these requests and returns those
	// that are ending or had ended before, also where it returns an error.
	CancelRequests(ctx context.Context, requests []lifecycle.ID) (ended []lifecycle.ID, err error)
}

// Observer counts what happens. A step that runs twice is counted twice. Its
// methods must not block and must be safe for concurrent use.
type Observer interface {
	// DecisionMade notes what became of a decision: outcome and via are
	// constants of wire. waited is how long the item had been PENDING, zero
	// unless outcome is [wire.OutcomeStored].
	DecisionMade(ctx context.Context, verdict, outcome, via string, waited time.Duration)
	// RequestEnded notes a request that came to its final status, which outcome
	// names in lower case.
	RequestEnded(outcome string)
	// FellDue notes a step that was done because its time had come, so long after
	// that.
	FellDue(step lifecycle.Step, late time.Duration)
	// SignalRefused notes a signal that changed nothing; reason is
	// [RefusedMalformed] or an outcome of wire.
	SignalRefused(reason string)
	// Notified notes an event that people are told; outcome is [NotifiedSaved]
	// or [NotifiedNobody].
	Notified(event, outcome string)
	// Swept notes how often the sweep did something; action is one of the Swept
	// constants.
	Swept(action string, count int)
	// SweepEnded notes that a whole sweep came to its end without a fault; sweep is
	// [SweepOfRequests] or [SweepOfRecords].
	SweepEnded(sweep string)
}

// The sweeps, by what they look after.
const (
	SweepOfRequests = "requests"
	SweepOfRecords  = "records"
)

// RefusedMalformed is the reason of a signal whose payload can't be read.
const RefusedMalformed = "malformed"

// Outcomes of a notification.
const (
	// NotifiedSaved: the outbox has it now.
	NotifiedSaved = "saved"
	// NotifiedNobody: it was told before, or there is nobody to tell.
	NotifiedNobody = "nobody"
)

// What a sweep does.
const (
	SweptChecked = "checked"
	SweptStarted = "started"
	SweptNudged  = "nudged"
	SweptEnded   = "ended"
	SweptFailed  = "failed"
)

// Activities are the steps. Its methods are registered under the names of wire.
type Activities struct {
	Store     Store
	Workflows Workflows
	// Observer may be nil.
	Observer Observer
	Log      *slog.Logger
	// SignalDecisions says whether a decision that came by signal counts.
	SignalDecisions bool
	// SweepGrace is how long the sweep leaves a request alone after it was
	// changed or checked; see [SweepStore].
	SweepGrace time.Duration
	// SweepRecheck is how long the sweep takes the workflow of a pending request to run
	// that was found to. Each look costs a call, however many are pending.
	SweepRecheck time.Duration
	// SweepConcurrency is how many workflows a sweep reaches at once; at least 1.
	SweepConcurrency int
	// Bulk is what imports and exports need. With nil there are none, and the
	// sweep passes them over.
	Bulk *Bulk
	// Lifecycle is what the sweep of records needs. With nil there is nothing for it
	// to do.
	Lifecycle *Lifecycle
	// Deliveries is what the telling of people and other systems needs. With nil
	// there is none.
	Deliveries *Deliveries
	// Absences is what absences need. With nil there are none, and the sweep passes
	// them over.
	Absences *Absences
}

func (a *Activities) observer() Observer {
	if a.Observer == nil {
		return blind{}
	}
	return a.Observer
}

// blind counts nothing.
type blind struct{}

func (blind) SweepEnded(string)                                                   {}
func (blind) DecisionMade(context.Context, string, string, string, time.Duration) {}
func (blind) RequestEnded(string)                                                 {}
func (blind) FellDue(lifecycle.Step, time.Duration)                               {}
func (blind) SignalRefused(string)                                                {}
func (blind) Notified(string, string)                                             {}
func (blind) Swept(string, int)                                                   {}
