package workflows

import (
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"gatehouse/activities"
	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// RequestWorkflow carries one request from its acceptance to its end. The rows
// are the truth: a run begins by reading them, and goes on wherever they stand.
// It ends well where the request is decided, cancelled or gone, as Canceled
// where it was cancelled because the request was deleted. In every other case
// the request is pending still, and the sweep starts another run.
func (w *Workflows) RequestWorkflow(ctx workflow.Context, in wire.RequestInput) error {
	told := telling{item: in.Told, version: in.ToldVersion}
	r := &request{workflows: w, in: in, stale: true, asked: told, told: told}
	if err := r.setup(ctx); err != nil {
		return err
	}
	err := r.run(ctx)
	// A decision that is under way is answered by this run, whatever ends it.
	if settleErr := r.settle(ctx); settleErr != nil {
		return settleErr
	}
	if err == nil || !workflow.IsContinueAsNewError(err) {
		return err
	}
	if err := r.leaveUpdateBehind(ctx); err != nil {
		return err
	}
	return workflow.NewContinueAsNewError(ctx, wire.WorkflowRequest,
		wire.RequestInput{RequestID: in.RequestID, SourceID: in.SourceID, Told: r.told.item, ToldVersion: r.told.version})
}

// request is one run of a RequestWorkflow.
type request struct {
	workflows *Workflows
	in        wire.RequestInput

	approve, reject, nudge workflow.ReceiveChannel

	// mutex is held by whoever reads or writes the rows, so that a decision and
	// the main loop don't act on each other's past.
	mutex workflow.Mutex
	// state is what the rows were last seen to be.
	state wire.RequestState
	// stale says that state is not known, or not known to be right.
	stale bool
	// moved says that state changed behind the main loop's back.
	moved bool
	// receiving says that a signal has been taken up and is not done with.
	receiving bool
	// updated is the length of the history when the last Update was answered,
	// 0 if none was.
	updated int

	// tried is the NextDue at which FallDue was called last.
	tried string

	// asked is what the approver is being told of, told what they were.
	asked, told telling
	// shown are the search attributes as they stand.
	shown shownAttributes
}

// telling is an item whose approver is told, with the version of the rows that the
// workflow knew.
type telling struct {
	item    lifecycle.ID
	version string
}

// setup makes the workflow ready for messages. It must not block: an Update
// that finds no handler is refused.
func (r *request) setup(ctx workflow.Context) error {
	if workflow.GetInfo(ctx).WorkflowExecution.ID != wire.RequestWorkflowID(r.in.RequestID) {
		return temporal.NewNonRetryableApplicationError(
			"the workflow's id does not name its request", lifecycle.KindBadRequest.String(), nil)
	}
	r.mutex = workflow.NewMutex(ctx)
	r.shown = currentAttributes(ctx)
	r.approve = workflow.GetSignalChannel(ctx, wire.SignalApprove)
	r.reject = workflow.GetSignalChannel(ctx, wire.SignalReject)
	r.nudge = workflow.GetSignalChannel(ctx, wire.SignalNudge)
	err := workflow.SetUpdateHandlerWithOptions(ctx, wire.UpdateDecide, r.update,
		workflow.UpdateHandlerOptions{Validator: r.validate})
	if err != nil {
		return err
	}
	// Cancelling the workflow does not cut off a decision that is under way.
	free, _ := workflow.NewDisconnectedContext(ctx)
	workflow.GoNamed(free, "signals", r.listen)
	return nil
}

// run is the life of a request. It returns nil where the request came to its
// end, and a continue-as-new error where the history has grown too long.
func (r *request) run(ctx workflow.Context) error {
	due := false
	for {
		if err := r.advance(ctx, due); err != nil {
			return err
		}
		if !r.state.Found {
			return nil
		}
		if err := r.show(ctx); err != nil {
			return err
		}
		if r.state.Status.Final() {
			return r.tellRequester(ctx)
		}
		r.tellApprover(ctx)
		r.moved = false
		var err error
		if due, err = r.wait(ctx); err != nil {
			return err
		}
		if tooLong(ctx) {
			return errContinue(ctx)
		}
	}
}

// wait waits until the rows have moved or, then due is true, the next step falls
// due. The time of that comes from the rows, so that a wait which began late, or
// anew, is the shorter.
func (r *request) wait(ctx workflow.Context) (due bool, err error) {
	awoken := func() bool { return r.stale || r.moved || tooLong(ctx) }
	at, err := lifecycle.ParseDate(r.state.NextDue)
	if err != nil {
		// Nothing falls due, as in every state from before anything did.
		return false, workflow.Await(ctx, awoken)
	}
	wait := at.Sub(workflow.Now(ctx))
	if r.tried == r.state.NextDue {
		// The clock of the rows is behind, or the step fell due while it was looked at.
		wait = max(wait, tryDelay)
	}
	timing, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimerWithOptions(timing, wait, workflow.TimerOptions{Summary: string(r.state.NextStep)})
	if err := workflow.Await(ctx, func() bool { return timer.IsReady() || awoken() }); err != nil {
		return false, err
	}
	if !timer.IsReady() {
		return false, nil
	}
	return true, r.letSignals(ctx)
}

// letSignals has the signals handled that have come. Decisions that waited for a
// worker together with a timer go first; those by Update are at work before any
// timer is looked at.
func (r *request) letSignals(ctx workflow.Context) error {
	if err := listened(ctx); err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return !r.receiving && r.approve.Len() == 0 && r.reject.Len() == 0 })
}

// listened waits until the listener has run, if there is anything for it: what a
// signal brings is already with it, and in no channel any more, before it does. A
// coroutine that begins now runs after it.
func listened(ctx workflow.Context) error {
	ran, run := workflow.NewFuture(ctx)
	workflow.GoNamed(ctx, "after-signals", func(workflow.Context) { run.SetValue(nil) })
	return ran.Get(ctx, nil)
}

func tooLong(ctx workflow.Context) bool { return workflow.GetInfo(ctx).GetContinueAsNewSuggested() }

// errContinue asks for another run; RequestWorkflow fills in what it starts with.
func errContinue(ctx workflow.Context) error {
	return workflow.NewContinueAsNewError(ctx, wire.WorkflowRequest)
}

// advance reads the rows if need be and takes the steps that need nobody's
// decision, among them what is due. It leaves a request that is final, gone, or
// waits for a decision.
func (r *request) advance(ctx workflow.Context, due bool) error {
	if err := r.mutex.Lock(ctx); err != nil {
		return err
	}
	defer r.mutex.Unlock()
	switch {
	case due && r.state.Found && !r.state.Status.Final():
		// A decision may have come first; the rows say whether anything is due still.
		r.tried = r.state.NextDue
		if err := r.step(ctx, wire.ActivityFallDue, r.in.RequestID); err != nil {
			return err
		}
	case r.stale:
		if err := r.step(ctx, wire.ActivityLoadRequest, r.in.RequestID); err != nil {
			return err
		}
	}
	if !r.state.Found || r.state.Status.Final() {
		return nil
	}
	switch {
	case r.state.Items == 0:
		if err := r.step(ctx, wire.ActivityCompleteRequest, r.in.RequestID); err != nil {
			return err
		}
	case r.state.ApproverGone:
		in := wire.CancelInput{RequestID: r.in.RequestID, Reason: wire.ReasonApproverGone}
		if err := r.step(ctx, wire.ActivityCancelRequest, in); err != nil {
			return err
		}
	}
	if r.state.Found && r.state.Status == lifecycle.StatusPending && r.state.Pending.IsZero() {
		// No decision can ever come for these rows. Failing makes it seen, and
		// the sweep tries again.
		return temporal.NewNonRetryableApplicationError(
			"pending without an approval item that is: "+r.in.RequestID.String(), lifecycle.KindInternal.String(), nil)
	}
	return nil
}

// databaseStep is for what reads or writes the rows. What they are is not known
// before they were read once: a decision may come first.
func (r *request) databaseStep(ctx workflow.Context) workflow.Context {
	if r.state.Extension || !r.state.Found {
		return extensionStep(ctx)
	}
	return databaseStep(ctx)
}

// step runs an activity that answers the state of the rows; the caller holds
// the mutex. A nudge that comes meanwhile makes the answer stale again.
func (r *request) step(ctx workflow.Context, activity string, in any) error {
	r.stale = false
	var state wire.RequestState
	if err := workflow.ExecuteLocalActivity(r.databaseStep(ctx), activity, in).Get(ctx, &state); err != nil {
		r.stale = true
		return err
	}
	r.state = state
	return nil
}

// validate refuses an Update that can't be meant for this workflow. What it
// refuses leaves no trace in the history; whether the decision may be is for
// the rows to say.
func (r *request) validate(_ workflow.Context, d wire.Decision) error {
	switch {
	case d.RequestID != r.in.RequestID:
		return badDecision("the decision is for another request")
	case d.ItemID.IsZero(), d.ApproverID.IsZero(), d.DecisionID.IsZero():
		return badDecision("the decision lacks an id")
	case d.Verdict != lifecycle.VerdictApprove && d.Verdict != lifecycle.VerdictReject:
		return badDecision("the decision has no verdict")
	}
	return nil
}

func badDecision(text string) error {
	return temporal.NewNonRetryableApplicationError(text, lifecycle.KindBadRequest.String(), nil)
}

// update answers a decision that came through the API.
func (r *request) update(ctx workflow.Context, d wire.Decision) (wire.DecisionResult, error) {
	free, _ := workflow.NewDisconnectedContext(ctx)
	d.Via = wire.ViaAPI
	result, err := r.decide(free, d)
	result.Call = d.Call
	r.updated = workflow.GetInfo(ctx).GetCurrentHistoryLength()
	return result, err
}

// listen takes up signals one after another until the workflow ends.
func (r *request) listen(ctx workflow.Context) {
	selector := workflow.NewSelector(ctx)
	var handle func()
	decision := func(verdict lifecycle.Verdict) func(workflow.ReceiveChannel, bool) {
		return func(c workflow.ReceiveChannel, _ bool) {
			var raw converter.RawValue
			c.Receive(ctx, &raw)
			handle = func() { r.signal(ctx, verdict, raw) }
		}
	}
	selector.AddReceive(r.approve, decision(lifecycle.VerdictApprove))
	selector.AddReceive(r.reject, decision(lifecycle.VerdictReject))
	selector.AddReceive(r.nudge, func(c workflow.ReceiveChannel, _ bool) {
		c.Receive(ctx, nil)
		handle = func() { r.stale = true }
	})
	for {
		selector.Select(ctx)
		r.receiving = true
		handle()
		r.receiving = false
	}
}

// signal handles a decision that came by signal, in the very way of an Update.
// Nothing that it is sent fails it.
func (r *request) signal(ctx workflow.Context, verdict lifecycle.Verdict, raw converter.RawValue) {
	d, err := readSignal(r.in.RequestID, verdict, raw.Payload())
	if err == nil {
		err = r.validate(ctx, d)
	}
	if err != nil {
		workflow.GetLogger(ctx).Warn("signal refused", "reason", activities.RefusedMalformed,
			"request", r.in.RequestID.String(), "verdict", string(verdict))
		r.workflows.refused(ctx, activities.RefusedMalformed)
		return
	}
	if _, err := r.decide(ctx, d); err != nil {
		workflow.GetLogger(ctx).Error("decision by signal failed",
			"request", r.in.RequestID.String(), "item", d.ItemID.String(), "kind", failureKind(err))
	}
}

// decide carries a decision to the rows. The Update and the signals share it.
func (r *request) decide(ctx workflow.Context, d wire.Decision) (wire.DecisionResult, error) {
	if err := r.mutex.Lock(ctx); err != nil {
		return wire.DecisionResult{}, err
	}
	defer r.mutex.Unlock()
	wasStale := r.stale
	r.stale = false
	var result wire.DecideResult
	err := workflow.ExecuteLocalActivity(r.databaseStep(ctx), wire.ActivityDecide, d).Get(ctx, &result)
	switch outcome := result.Decision.Outcome; {
	case err != nil:
		r.stale = true
	case result.State != nil:
		r.state, r.moved = *result.State, true
	case outcome == wire.OutcomeForbidden, outcome == wire.OutcomeOwnRequest, outcome == wire.OutcomeSignalsOff:
		r.stale = r.stale || wasStale
	default:
		r.stale = true
	}
	return result.Decision, err
}

// tellApprover has the approver of the pending item told, once for an item, and
// noted that the workflow knows the rows as they are: the activity does both, and
// only the latter where they moved since. It does not wait: decisions don't depend
// on it.
func (r *request) tellApprover(ctx workflow.Context) {
	now := telling{item: r.state.Pending, version: r.state.Version}
	if now == r.asked {
		return
	}
	r.asked = now
	notified := workflow.ExecuteActivity(notifying(ctx), wire.ActivityNotify, wire.Notice{
		Event: wire.EventDecisionNeeded, RequestID: r.in.RequestID, ItemID: now.item, Version: now.version,
	})
	workflow.GoNamed(ctx, "tell-approver", func(ctx workflow.Context) {
		if err := notified.Get(ctx, nil); err != nil {
			r.lostNotice(ctx, wire.EventDecisionNeeded, err)
			return
		}
		r.told = now
	})
}

// tellRequester has the requester told how the request ended, and waits for it.
// A run that begins with a request that has ended tells it as well: the run
// before may have been lost on its way there, and telling twice is telling once.
func (r *request) tellRequester(ctx workflow.Context) error {
	event := wire.EventRequestDecided
	if r.state.Status == lifecycle.StatusCancelled {
		event = wire.EventRequestCancelled
	}
	notified := workflow.ExecuteActivity(notifying(ctx), wire.ActivityNotify,
		wire.Notice{Event: event, RequestID: r.in.RequestID})
	err := workflow.Await(ctx, func() bool { return notified.IsReady() || tooLong(ctx) })
	if err != nil {
		return err
	}
	if !notified.IsReady() {
		return errContinue(ctx)
	}
	if err := notified.Get(ctx, nil); err != nil {
		r.lostNotice(ctx, event, err)
	}
	return nil
}

func (r *request) lostNotice(ctx workflow.Context, event string, err error) {
	if temporal.IsCanceledError(err) {
		return
	}
	workflow.GetLogger(ctx).Error("notification failed", "event", event,
		"request", r.in.RequestID.String(), "kind", failureKind(err))
}

// settle waits until every message that has come is handled, cancelled or not.
func (r *request) settle(ctx workflow.Context) error {
	free, _ := workflow.NewDisconnectedContext(ctx)
	if err := listened(free); err != nil {
		return err
	}
	return workflow.Await(free, func() bool {
		return workflow.AllHandlersFinished(free) && !r.receiving &&
			r.approve.Len() == 0 && r.reject.Len() == 0 && r.nudge.Len() == 0
	})
}

// leaveUpdateBehind waits for a workflow task that answers no Update. One that
// is answered in the task that continues as new could be delivered to both runs.
func (r *request) leaveUpdateBehind(ctx workflow.Context) error {
	free, _ := workflow.NewDisconnectedContext(ctx)
	for r.updated > 0 && r.updated == workflow.GetInfo(ctx).GetCurrentHistoryLength() {
		err := workflow.NewTimerWithOptions(free, leaveDelay,
			workflow.TimerOptions{Summary: "before continuing as new"}).Get(free, nil)
		if err != nil {
			return err
		}
		if err := r.settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// show tells operators where the request stands: by the details in the Web UI
// and the search attributes. Neither holds anything but ids, counts and times.
func (r *request) show(ctx workflow.Context) error {
	s := r.state
	now := shownAttributes{kind: wire.KindRequest, source: s.SourceID.String(), status: string(s.Status)}
	if s.Status.Final() {
		now.stage = stageEnded
		workflow.SetCurrentDetails(ctx, strings.ToLower(now.status))
	} else {
		now.stage = wire.Stage(s.Order, s.Items)
		details := fmt.Sprintf("approval %d of %d, waiting since %s", s.Order+1, s.Items, s.PendingSince)
		if s.NextStep != "" {
			details += fmt.Sprintf("; unless somebody decides, the next is the %s at %s", s.NextStep, s.NextDue)
		}
		workflow.SetCurrentDetails(ctx, details)
	}
	updates := now.since(r.shown)
	if len(updates) == 0 {
		return nil
	}
	r.shown = now
	return workflow.UpsertTypedSearchAttributes(ctx, updates...)
}

// failureKind is the kind that an activity's error travels under.
func failureKind(err error) string {
	if failure, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return failure.Type()
	}
	return lifecycle.KindInternal.String()
}
