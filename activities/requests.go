package activities

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"time"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// LoadRequest reads where a request stands. A request that is gone is a state,
// not an error.
func (a *Activities) LoadRequest(ctx context.Context, request lifecycle.ID) (state wire.RequestState, err error) {
	defer a.seal(ctx, wire.ActivityLoadRequest, request, &err)
	return a.load(ctx, request)
}

func (a *Activities) load(ctx context.Context, request lifecycle.ID) (wire.RequestState, error) {
	p, err := a.Store.LoadRequest(ctx, request)
	if err != nil {
		if lifecycle.KindOf(err) == lifecycle.KindNotFound {
			return wire.RequestState{}, nil
		}
		return wire.RequestState{}, err
	}
	state := wire.RequestState{
		Found: true, SourceID: p.SourceID, Status: p.Status, Items: p.Items,
		Pending: p.Pending, Order: p.Order, ApproverGone: p.ApproverGone, Extension: p.Extension,
	}
	if p.Pending.IsZero() {
		return state, nil
	}
	state.PendingSince = p.PendingSince.UTC().Format(time.RFC3339)
	if p.Next.Step != "" {
		state.NextDue, state.NextStep = lifecycle.FormatTime(p.Next.At), p.Next.Step
	}
	if !p.Version.IsZero() {
		state.Version = lifecycle.FormatTime(p.Version)
	}
	return state, nil
}

// Decide stores a decision and reads the rows again, in one step, so that a
// decision costs its workflow one task and not two.
func (a *Activities) Decide(ctx context.Context, d wire.Decision) (result wire.DecideResult, err error) {
	defer a.seal(ctx, wire.ActivityDecide, d.ItemID, &err)
	if d.Via == wire.ViaSignal && !a.SignalDecisions {
		result.Decision.Outcome = wire.OutcomeSignalsOff
		a.refused(ctx, d, result.Decision.Outcome)
		return result, nil
	}
	stored, err := a.Store.Decide(ctx, lifecycle.Decision{
		ID: d.DecisionID, RequestID: d.RequestID, ItemID: d.ItemID,
		Approver: d.ApproverID, Verdict: d.Verdict, Via: d.Via,
	})
	if err != nil {
		if lifecycle.KindOf(err) != lifecycle.KindNotFound {
			return result, err
		}
		stored, err = lifecycle.DecisionResult{Outcome: lifecycle.DecisionGone}, nil
	}
	result.Decision = wire.DecisionResult{
		Outcome: outcome(stored.Outcome), ItemStatus: stored.Status, RequestStatus: stored.Request,
	}
	a.observer().DecisionMade(ctx, string(d.Verdict), result.Decision.Outcome, d.Via, stored.Waited)
	switch stored.Outcome {
	case lifecycle.DecisionStored:
		if stored.Request.Final() {
			a.ended(stored.Request)
		}
		a.log(ctx, "decision stored", d, result.Decision.Outcome)
	case lifecycle.DecisionForbidden, lifecycle.DecisionOwnRequest:
		a.refused(ctx, d, result.Decision.Outcome)
		return result, nil
	default:
		a.refused(ctx, d, result.Decision.Outcome)
	}
	// The verdict is in. A state that can't be read just now is read by the
	// workflow later; failing here would turn "stored" into "repeated".
	if state, loadErr := a.load(ctx, d.RequestID); loadErr == nil {
		result.State = &state
	}
	return result, nil
}

// outcome names the outcome on the wire.
func outcome(o lifecycle.DecisionOutcome) string {
	switch o {
	case lifecycle.DecisionStored:
		return wire.OutcomeStored
	case lifecycle.DecisionRepeated:
		return wire.OutcomeRepeated
	case lifecycle.DecisionForbidden:
		return wire.OutcomeForbidden
	case lifecycle.DecisionGone:
		return wire.OutcomeGone
	case lifecycle.DecisionOwnRequest:
		return wire.OutcomeOwnRequest
	case lifecycle.DecisionNotDecidable:
	}
	return wire.OutcomeNotDecidable
}

func (a *Activities) ended(status lifecycle.ApprovalStatus) {
	a.observer().RequestEnded(strings.ToLower(string(status)))
}

// refused notes a decision that changed nothing.
func (a *Activities) refused(ctx context.Context, d wire.Decision, outcome string) {
	if d.Via == wire.ViaSignal {
		a.observer().SignalRefused(outcome)
	}
	a.log(ctx, "decision changed nothing", d, outcome)
}

func (a *Activities) log(ctx context.Context, message string, d wire.Decision, outcome string) {
	a.Log.LogAttrs(ctx, slog.LevelInfo, message,
		slog.String("request", d.RequestID.String()), slog.String("item", d.ItemID.String()),
		slog.String("approver", d.ApproverID.String()), slog.String("decision", d.DecisionID.String()),
		slog.String("verdict", string(d.Verdict)), slog.String("via", d.Via), slog.String("outcome", outcome))
}

// CompleteRequest approves a request that nobody has to decide and creates its
// record; it answers the state afterwards.
func (a *Activities) CompleteRequest(ctx context.Context, request lifecycle.ID) (state wire.RequestState, err error) {
	defer a.seal(ctx, wire.ActivityCompleteRequest, request, &err)
	err = a.Store.CompleteRequest(ctx, request)
	if err == nil {
		a.ended(lifecycle.StatusApproved)
	} else if !illegalOrGone(err) {
		return state, err
	}
	return a.load(ctx, request)
}

// FallDue does what has fallen due on a request by now; it answers the state
// afterwards.
func (a *Activities) FallDue(ctx context.Context, request lifecycle.ID) (state wire.RequestState, err error) {
	defer a.seal(ctx, wire.ActivityFallDue, request, &err)
	done, status, err := a.Store.FallDue(ctx, request)
	if err != nil && !illegalOrGone(err) {
		return state, err
	}
	for _, step := range done {
		late := max(0, time.Since(step.At))
		a.observer().FellDue(step.Step, late)
		a.Log.LogAttrs(ctx, slog.LevelInfo, "fallen due", slog.String("request", request.String()),
			slog.String("step", string(step.Step)), slog.Int("count", step.Count), slog.Duration("late", late))
	}
	if len(done) > 0 && status.Final() {
		a.ended(status)
	}
	return a.load(ctx, request)
}

// CancelRequest moves the item of a request that nobody is left to decide to the
// fallback approver of its policy, or where there is none cancels the request; it
// answers the state afterwards.
func (a *Activities) CancelRequest(ctx context.Context, in wire.CancelInput) (state wire.RequestState, err error) {
	defer a.seal(ctx, wire.ActivityCancelRequest, in.RequestID, &err)
	moved, err := a.Store.FallBack(ctx, in.RequestID)
	if err != nil && !illegalOrGone(err) {
		return state, err
	}
	if moved {
		a.observer().FellDue(lifecycle.StepFallback, 0)
		a.Log.LogAttrs(ctx, slog.LevelInfo, "fallen back", slog.String("request", in.RequestID.String()))
		return a.load(ctx, in.RequestID)
	}
	err = a.Store.CancelRequest(ctx, in.RequestID, in.Reason)
	if err == nil {
		a.ended(lifecycle.StatusCancelled)
		a.Log.LogAttrs(ctx, slog.LevelInfo, "request cancelled",
			slog.String("request", in.RequestID.String()), slog.String("reason", in.Reason))
	} else if !illegalOrGone(err) {
		return state, err
	}
	return a.load(ctx, in.RequestID)
}

// Notify puts an event into the outbox and the log, and notes that the workflow
// has come this far. Temporal runs this step because it has kept what the
// workflow knew when it asked for it; of the short steps that read the rows this
// can't be said, their results may die with the worker. An event about something
// that is gone concerns nobody any more. One that can never be told is given up,
// or the sweep would have it tried for ever.
func (a *Activities) Notify(ctx context.Context, n wire.Notice) (err error) {
	defer a.seal(ctx, wire.ActivityNotify, n.RequestID, &err)
	version, err := noticeVersion(n)
	if err != nil {
		return err
	}
	saved, recipient, err := a.Store.SaveNotification(ctx, n.Event, n.RequestID, n.ItemID, version)
	switch {
	case err == nil, lifecycle.KindOf(err) == lifecycle.KindNotFound:
		a.notified(ctx, n, saved, recipient)
		return nil
	case hopeless(err):
		return cmp.Or(a.Store.MarkSeen(ctx, n.RequestID, n.ItemID, version), err)
	}
	return err
}

// noticeVersion is the version of the rows that a notice tells of; zero for none.
func noticeVersion(n wire.Notice) (time.Time, error) {
	if n.Version == "" {
		return time.Time{}, nil
	}
	version, err := lifecycle.ParseDate(n.Version)
	if err != nil {
		return version, lifecycle.NewError(lifecycle.KindBadRequest, "The notice has a version that can't be read.")
	}
	return version, nil
}

func (a *Activities) notified(ctx context.Context, n wire.Notice, saved bool, recipient lifecycle.ID) {
	if !saved {
		a.observer().Notified(n.Event, NotifiedNobody)
		return
	}
	a.observer().Notified(n.Event, NotifiedSaved)
	a.Log.LogAttrs(ctx, slog.LevelInfo, "notification",
		slog.String("event", n.Event), slog.String("request", n.RequestID.String()),
		slog.String("item", n.ItemID.String()), slog.String("recipient", recipient.String()))
}
