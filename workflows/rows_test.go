package workflows_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/activities"
	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// rows stand for the database where a test runs in virtual time or records a
// history. They judge decisions by the rules of lifecycle. What the real store
// does is tested with the real store.
type rows struct {
	mutex    sync.Mutex
	requests map[lifecycle.ID]*lifecycle.Request
	inactive map[lifecycle.ID]bool
	outbox   []wire.Notice
	endings  []lifecycle.ID
	// seen are the requests whose workflow is known to stand where they do.
	seen map[lifecycle.ID]bool
	// checked are those that a sweep has checked. They stay so: a test is over
	// within the grace.
	checked map[lifecycle.ID]bool
	// policy is the policy of all requests; with nil nothing falls due.
	policy *lifecycle.ApprovalPolicy
	// waiting is how each item waits, by the clock now.
	waiting map[lifecycle.ID]*lifecycle.Waiting
	now     func() time.Time
	// versions counts the moves of each request.
	versions map[lifecycle.ID]int
	// told are what fell due, in its order.
	told []string
	// calls are the names of the steps in their order.
	calls []string
	// fault, where set, is asked before each step.
	fault func(step string) error
	// after, where set, runs after a step has changed the rows.
	after func(step string)
}

func newRows() *rows {
	return &rows{
		requests: map[lifecycle.ID]*lifecycle.Request{}, inactive: map[lifecycle.ID]bool{},
		seen: map[lifecycle.ID]bool{}, checked: map[lifecycle.ID]bool{},
		waiting: map[lifecycle.ID]*lifecycle.Waiting{}, now: time.Now, versions: map[lifecycle.ID]int{},
	}
}

// accept adds a pending request with this many approvers.
func (r *rows) accept(approvers int) lifecycle.Request {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	request := lifecycle.Request{
		ID: lifecycle.NewID(), Source: lifecycle.SourceSummary{ID: lifecycle.NewID()},
		Status: lifecycle.StatusPending, Created: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC),
	}
	references := make([]lifecycle.Reference, approvers)
	for i := range references {
		references[i].ID = lifecycle.NewID()
	}
	request.Items = lifecycle.NewApprovalItems(request, references)
	stored := request
	stored.Items = slices.Clone(request.Items)
	r.requests[request.ID] = &stored
	r.await(&stored)
	return request
}

// await has the pending item wait from now on, for whoever has it. Who calls it
// holds the mutex.
func (r *rows) await(request *lifecycle.Request) {
	for _, item := range request.Items {
		if item.Status != lifecycle.StatusPending {
			continue
		}
		w := r.waiting[item.ID]
		if w == nil {
			w = &lifecycle.Waiting{PendingSince: r.now()}
			r.waiting[item.ID] = w
		}
		w.AssignedSince, w.Reminders = r.now(), 0
	}
	r.move(request.ID)
}

// move has the rows of a request be of another version.
func (r *rows) move(request lifecycle.ID) {
	r.versions[request]++
	delete(r.seen, request)
}

// version is that of the rows of a request.
func (r *rows) version(request lifecycle.ID) time.Time {
	return time.UnixMilli(int64(r.versions[request])).UTC()
}

// reassign gives the pending item to somebody else, and returns them.
func (r *rows) reassign(request lifecycle.ID) lifecycle.ID {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	to := lifecycle.NewID()
	r.moveTo(r.requests[request], to)
	return to
}

// moveTo is reassign for who holds the mutex.
func (r *rows) moveTo(request *lifecycle.Request, to lifecycle.ID) {
	for i := range request.Items {
		if request.Items[i].Status == lifecycle.StatusPending {
			request.Items[i].Approver.ID = to
		}
	}
	r.await(request)
}

// fallen are the steps that fell due, in their order.
func (r *rows) fallen() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return slices.Clone(r.told)
}

// remove deletes a request.
func (r *rows) remove(request lifecycle.ID) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.requests, request)
	r.endings = append(r.endings, request)
}

// withdraw cancels a request as who asked for an extension may, without its
// workflow.
func (r *rows) withdraw(id lifecycle.ID) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	request := r.requests[id]
	request.Status, r.seen[id] = lifecycle.StatusCancelled, false
	for i := range request.Items {
		if !request.Items[i].Status.Final() {
			request.Items[i].Status = lifecycle.StatusCancelled
		}
	}
}

func (r *rows) deactivate(identity lifecycle.ID, inactive bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.inactive[identity] = inactive
}

func (r *rows) status(request lifecycle.ID) lifecycle.ApprovalStatus {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if found, ok := r.requests[request]; ok {
		return found.Status
	}
	return ""
}

// unseen reports whether a sweep would have the request's workflow read it again.
func (r *rows) unseen(request lifecycle.ID) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return !r.seen[request]
}

func (r *rows) notices(event string) []wire.Notice {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var found []wire.Notice
	for _, n := range r.outbox {
		if n.Event == event {
			found = append(found, n)
		}
	}
	return found
}

func (r *rows) count(step string) int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	n := 0
	for _, call := range r.calls {
		if call == step {
			n++
		}
	}
	return n
}

func (r *rows) begin(step string) error {
	r.mutex.Lock()
	r.calls = append(r.calls, step)
	fault := r.fault
	r.mutex.Unlock()
	if fault == nil {
		return nil
	}
	return fault(step)
}

func (r *rows) end(step string) {
	if r.after != nil {
		r.after(step)
	}
}

var errNoRow = lifecycle.NewError(lifecycle.KindNotFound, "no such request")

func (r *rows) LoadRequest(_ context.Context, id lifecycle.ID) (lifecycle.Progress, error) {
	if err := r.begin(wire.ActivityLoadRequest); err != nil {
		return lifecycle.Progress{}, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	request, ok := r.requests[id]
	if !ok {
		return lifecycle.Progress{}, errNoRow
	}
	p := lifecycle.Progress{SourceID: request.Source.ID, Status: request.Status, Items: len(request.Items)}
	for _, item := range request.Items {
		if item.Status == lifecycle.StatusPending {
			p.Pending, p.Order, p.PendingSince = item.ID, item.Order, item.Modified
			p.ApproverGone = r.inactive[item.Approver.ID]
			p.Version = r.version(id)
			if r.policy != nil {
				p.Next = r.policy.Next(*r.waiting[item.ID], fullDay)
			}
		}
	}
	return p, nil
}

// fullDay is how long a day of these policies lasts.
const fullDay = 24 * time.Hour

// FallDue does what the store's does; whom a rule names is there unless they are
// inactive.
func (r *rows) FallDue(_ context.Context, id lifecycle.ID) ([]lifecycle.DueStep, lifecycle.ApprovalStatus, error) {
	if err := r.begin(wire.ActivityFallDue); err != nil {
		return nil, "", err
	}
	done, status, err := r.fallDue(id)
	r.end(wire.ActivityFallDue)
	return done, status, err
}

func (r *rows) fallDue(id lifecycle.ID) (done []lifecycle.DueStep, status lifecycle.ApprovalStatus, err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	request, ok := r.requests[id]
	if !ok {
		return nil, "", errNoRow
	}
	for {
		position := slices.IndexFunc(request.Items, func(i lifecycle.ApprovalItem) bool { return i.Status == lifecycle.StatusPending })
		if position < 0 || r.policy == nil {
			return done, request.Status, nil
		}
		w := r.waiting[request.Items[position].ID]
		due := r.policy.Due(*w, fullDay, r.now())
		if due.Step == "" {
			return done, request.Status, nil
		}
		done = append(done, due)
		r.told = append(r.told, string(due.Step))
		switch due.Step {
		case lifecycle.StepReminder:
			w.Reminders += due.Count
		case lifecycle.StepEscalation:
			w.Escalations += due.Count
			r.moveTo(request, r.policy.Escalation.Chain[w.Escalations-1].ID)
		case lifecycle.StepTimeout:
			if r.policy.Timeout.Result == lifecycle.TimeoutApproved {
				effect, err := request.Decide(position, lifecycle.VerdictApprove)
				if err != nil {
					return nil, "", err
				}
				r.effect(request, position, lifecycle.VerdictApprove, lifecycle.ID{}, effect)
				continue
			}
			r.cancel(request)
		case lifecycle.StepFallback:
			return nil, "", errors.New("a fallback falls due at no time")
		}
	}
}

// FallBack does what the store's does.
func (r *rows) FallBack(_ context.Context, id lifecycle.ID) (bool, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	request, ok := r.requests[id]
	if !ok {
		return false, errNoRow
	}
	if r.policy == nil || r.policy.Fallback == nil || r.inactive[r.policy.Fallback.ID] || !r.approverGone(request) {
		return false, nil
	}
	r.moveTo(request, r.policy.Fallback.ID)
	return true, nil
}

func (r *rows) cancel(request *lifecycle.Request) {
	request.Status = lifecycle.StatusCancelled
	for i := range request.Items {
		if !request.Items[i].Status.Final() {
			request.Items[i].Status = lifecycle.StatusCancelled
		}
	}
	r.move(request.ID)
}

func (r *rows) MarkSeen(_ context.Context, id, item lifecycle.ID, version time.Time) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.markSeen(id, item, version)
	return nil
}

// markSeen is MarkSeen for who holds the mutex.
func (r *rows) markSeen(id, item lifecycle.ID, version time.Time) {
	request, ok := r.requests[id]
	if !ok || !version.IsZero() && !version.Equal(r.version(id)) {
		return
	}
	pending := slices.IndexFunc(request.Items, func(i lifecycle.ApprovalItem) bool { return i.Status == lifecycle.StatusPending })
	if item.IsZero() && request.Status.Final() || pending >= 0 && request.Items[pending].ID == item {
		r.seen[id] = true
	}
}

func (r *rows) Decide(_ context.Context, d lifecycle.Decision) (lifecycle.DecisionResult, error) {
	if err := r.begin(wire.ActivityDecide); err != nil {
		return lifecycle.DecisionResult{}, err
	}
	result := r.decide(d)
	r.end(wire.ActivityDecide)
	return result, nil
}

func (r *rows) decide(d lifecycle.Decision) lifecycle.DecisionResult {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	request, ok := r.requests[d.RequestID]
	if !ok {
		return lifecycle.DecisionResult{Outcome: lifecycle.DecisionGone}
	}
	position := slices.IndexFunc(request.Items, func(i lifecycle.ApprovalItem) bool { return i.ID == d.ItemID })
	if position < 0 {
		return lifecycle.DecisionResult{Outcome: lifecycle.DecisionGone, Request: request.Status}
	}
	item := &request.Items[position]
	if item.Approver.ID != d.Approver {
		return lifecycle.DecisionResult{Outcome: lifecycle.DecisionForbidden, Status: item.Status, Request: request.Status}
	}
	effect, err := request.Decide(position, d.Verdict)
	if err != nil {
		outcome := lifecycle.DecisionNotDecidable
		if item.DecidedBy == d.Approver && item.Status == d.Verdict.Status() {
			outcome = lifecycle.DecisionRepeated
		}
		return lifecycle.DecisionResult{Outcome: outcome, Status: item.Status, Request: request.Status}
	}
	r.effect(request, position, d.Verdict, d.Approver, effect)
	return lifecycle.DecisionResult{
		Outcome: lifecycle.DecisionStored, Status: item.Status, Request: request.Status, Waited: time.Minute,
	}
}

// effect stores what follows from a decision.
func (r *rows) effect(request *lifecycle.Request, position int, verdict lifecycle.Verdict, by lifecycle.ID, effect lifecycle.Effect) {
	request.Items[position].Status, request.Items[position].DecidedBy = verdict.Status(), by
	request.Status = effect.Request
	for i := range request.Items {
		switch {
		case i == effect.Next:
			request.Items[i].Status = lifecycle.StatusPending
		case request.Items[i].Status == lifecycle.StatusNotReady && verdict == lifecycle.VerdictReject:
			request.Items[i].Status = lifecycle.StatusCancelled
		}
	}
	r.await(request)
}

func (r *rows) CompleteRequest(_ context.Context, id lifecycle.ID) error {
	return r.finish(wire.ActivityCompleteRequest, id, lifecycle.StatusApproved,
		func(request *lifecycle.Request) bool { return len(request.Items) == 0 })
}

func (r *rows) CancelRequest(_ context.Context, id lifecycle.ID, _ string) error {
	return r.finish(wire.ActivityCancelRequest, id, lifecycle.StatusCancelled, r.approverGone)
}

// approverGone reports whether nobody is left to decide the pending item.
func (r *rows) approverGone(request *lifecycle.Request) bool {
	return slices.ContainsFunc(request.Items, func(i lifecycle.ApprovalItem) bool {
		return i.Status == lifecycle.StatusPending && r.inactive[i.Approver.ID]
	})
}

func (r *rows) finish(step string, id lifecycle.ID, status lifecycle.ApprovalStatus, may func(*lifecycle.Request) bool) error {
	if err := r.begin(step); err != nil {
		return err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	request, ok := r.requests[id]
	if !ok {
		return errNoRow
	}
	if request.Status != lifecycle.StatusPending || !may(request) {
		return lifecycle.NewError(lifecycle.KindIllegalUpdate, "not pending, or not to be ended so")
	}
	request.Status = status
	r.move(id)
	for i := range request.Items {
		request.Items[i].Status = status
	}
	return nil
}

func (r *rows) SaveNotification(_ context.Context, event string, request, item lifecycle.ID, version time.Time) (bool, lifecycle.ID, error) {
	if err := r.begin(wire.ActivityNotify); err != nil {
		return false, lifecycle.ID{}, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if _, ok := r.requests[request]; !ok {
		return false, lifecycle.ID{}, errNoRow
	}
	r.markSeen(request, item, version)
	n := wire.Notice{Event: event, RequestID: request, ItemID: item}
	if slices.Contains(r.outbox, n) {
		return false, lifecycle.ID{}, nil
	}
	r.outbox = append(r.outbox, n)
	return true, lifecycle.NewID(), nil
}

func (r *rows) RequestsToCheck(_ context.Context, limit int, _, _ time.Duration) ([]lifecycle.RequestToCheck, error) {
	if err := r.begin(wire.ActivitySweepPending); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var found []lifecycle.RequestToCheck
	for id, request := range r.requests {
		moved := !r.seen[id] || r.approverGone(request)
		if !r.checked[id] && (moved || !request.Status.Final()) {
			found = append(found, lifecycle.RequestToCheck{RequestID: id, SourceID: request.Source.ID, Moved: moved})
		}
	}
	slices.SortFunc(found, func(a, b lifecycle.RequestToCheck) int {
		if a.Moved != b.Moved {
			return map[bool]int{true: -1, false: 1}[a.Moved]
		}
		return strings.Compare(a.RequestID.String(), b.RequestID.String())
	})
	return found[:min(limit, len(found))], nil
}

func (r *rows) MarkChecked(_ context.Context, ids []lifecycle.ID, _ time.Duration) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, id := range ids {
		r.checked[id] = true
	}
	return nil
}

func (r *rows) WorkflowEndings(_ context.Context, limit int) ([]lifecycle.ID, error) {
	if err := r.begin(wire.ActivitySweepEndings); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return slices.Clone(r.endings[:min(limit, len(r.endings))]), nil
}

func (r *rows) DropWorkflowEndings(_ context.Context, ids []lifecycle.ID) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.endings = slices.DeleteFunc(r.endings, func(id lifecycle.ID) bool { return slices.Contains(ids, id) })
	return nil
}

var errAway = lifecycle.NewError(lifecycle.KindUnavailable, "the database is away").WithCause(errors.New("secret text"))

// counts is an Observer.
type counts struct {
	mutex sync.Mutex
	by    map[string]int
}

func (c *counts) add(key string, n int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.by == nil {
		c.by = map[string]int{}
	}
	c.by[key] += n
}

func (c *counts) get(key string) int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.by[key]
}

func (c *counts) SweepEnded(sweep string) { c.add("sweep ended "+sweep, 1) }

func (c *counts) DecisionMade(_ context.Context, verdict, outcome, via string, _ time.Duration) {
	c.add("decision "+verdict+" "+outcome+" "+via, 1)
}
func (c *counts) RequestEnded(outcome string)                  { c.add("ended "+outcome, 1) }
func (c *counts) FellDue(step lifecycle.Step, _ time.Duration) { c.add("due "+string(step), 1) }
func (c *counts) SignalRefused(reason string)                  { c.add("refused "+reason, 1) }
func (c *counts) Notified(event, outcome string)               { c.add("notified "+event+" "+outcome, 1) }
func (c *counts) Swept(action string, n int)                   { c.add("swept "+action, n) }

// reach stands for the workflows that a sweep looks after.
type reach struct {
	mutex                    sync.Mutex
	running, started, nudged []lifecycle.ID
	cancelled                []lifecycle.ID
	failing                  []lifecycle.ID
}

func (w *reach) note(list *[]lifecycle.ID, id lifecycle.ID) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if slices.Contains(w.failing, id) {
		return errAway
	}
	*list = append(*list, id)
	return nil
}

func (w *reach) StartRequest(_ context.Context, request, _ lifecycle.ID, _ int) error {
	return w.note(&w.started, request)
}

func (w *reach) NudgeRequest(_ context.Context, request, _ lifecycle.ID) error {
	return w.note(&w.nudged, request)
}

func (w *reach) RequestRunning(_ context.Context, request lifecycle.ID) (bool, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return slices.Contains(w.running, request), nil
}

func (w *reach) CancelRequests(_ context.Context, requests []lifecycle.ID) ([]lifecycle.ID, error) {
	var ended []lifecycle.ID
	var fault error
	for _, id := range requests {
		if err := w.note(&w.cancelled, id); err != nil {
			fault = err
			continue
		}
		ended = append(ended, id)
	}
	return ended, fault
}

func newActivities(r *rows, w activities.Workflows, c *counts) *activities.Activities {
	return &activities.Activities{
		Store: r, Workflows: w, Observer: c, Log: slog.New(slog.DiscardHandler),
		SignalDecisions: true, SweepGrace: time.Minute, SweepConcurrency: 4,
	}
}
