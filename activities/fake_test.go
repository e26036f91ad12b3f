package activities

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkactivity "go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"gatehouse/lifecycle"
)

// secret stands in every text that must not get into a history.
const secret = "Walter White"

var (
	errAway   = lifecycle.NewError(lifecycle.KindUnavailable, "away, "+secret).WithCause(errors.New("dialing " + secret))
	errGone   = lifecycle.NewError(lifecycle.KindNotFound, "no "+secret)
	errNotNow = lifecycle.NewError(lifecycle.KindIllegalUpdate, secret+" is not pending")
)

// fakeStore does what its fields say. One that is called and not set fails the
// test, by a panic.
type fakeStore struct {
	load     func(lifecycle.ID) (lifecycle.Progress, error)
	decide   func(lifecycle.Decision) (lifecycle.DecisionResult, error)
	complete func(lifecycle.ID) error
	cancel   func(request lifecycle.ID, reason string) error
	back     func(lifecycle.ID) (bool, error)
	due      func(lifecycle.ID) ([]lifecycle.DueStep, lifecycle.ApprovalStatus, error)
	seen     func(request, item lifecycle.ID, version time.Time) error
	notify   func(event string, request, item lifecycle.ID, version time.Time) (bool, lifecycle.ID, error)
	check    func(limit int, grace, _ time.Duration) ([]lifecycle.RequestToCheck, error)
	mark     func(context.Context, []lifecycle.ID, time.Duration) error
	endings  func(limit int) ([]lifecycle.ID, error)
	drop     func(context.Context, []lifecycle.ID) error
}

func (s *fakeStore) LoadRequest(_ context.Context, id lifecycle.ID) (lifecycle.Progress, error) {
	return s.load(id)
}

func (s *fakeStore) Decide(_ context.Context, d lifecycle.Decision) (lifecycle.DecisionResult, error) {
	return s.decide(d)
}

func (s *fakeStore) CompleteRequest(_ context.Context, id lifecycle.ID) error { return s.complete(id) }

func (s *fakeStore) CancelRequest(_ context.Context, id lifecycle.ID, reason string) error {
	return s.cancel(id, reason)
}

func (s *fakeStore) FallBack(_ context.Context, id lifecycle.ID) (bool, error) { return s.back(id) }

func (s *fakeStore) FallDue(_ context.Context, id lifecycle.ID) ([]lifecycle.DueStep, lifecycle.ApprovalStatus, error) {
	return s.due(id)
}

func (s *fakeStore) MarkSeen(_ context.Context, request, item lifecycle.ID, version time.Time) error {
	return s.seen(request, item, version)
}

func (s *fakeStore) SaveNotification(_ context.Context, event string, request, item lifecycle.ID, version time.Time) (bool, lifecycle.ID, error) {
	return s.notify(event, request, item, version)
}

func (s *fakeStore) RequestsToCheck(_ context.Context, limit int, grace, recheck time.Duration) ([]lifecycle.RequestToCheck, error) {
	return s.check(limit, grace, recheck)
}

func (s *fakeStore) MarkChecked(ctx context.Context, ids []lifecycle.ID, spread time.Duration) error {
	return s.mark(ctx, ids, spread)
}

func (s *fakeStore) WorkflowEndings(_ context.Context, limit int) ([]lifecycle.ID, error) {
	return s.endings(limit)
}

func (s *fakeStore) DropWorkflowEndings(ctx context.Context, ids []lifecycle.ID) error {
	return s.drop(ctx, ids)
}

// fakeWorkflows does what its fields say, as [fakeStore].
type fakeWorkflows struct {
	start, nudge func(request, source lifecycle.ID) error
	running      func(lifecycle.ID) (bool, error)
	cancel       func([]lifecycle.ID) ([]lifecycle.ID, error)
}

func (w *fakeWorkflows) StartRequest(_ context.Context, request, source lifecycle.ID, _ int) error {
	return w.start(request, source)
}

func (w *fakeWorkflows) NudgeRequest(_ context.Context, request, source lifecycle.ID) error {
	return w.nudge(request, source)
}

func (w *fakeWorkflows) RequestRunning(_ context.Context, request lifecycle.ID) (bool, error) {
	return w.running(request)
}

func (w *fakeWorkflows) CancelRequests(_ context.Context, requests []lifecycle.ID) ([]lifecycle.ID, error) {
	return w.cancel(requests)
}

// counts is an Observer that notes every call, and how often it came.
type counts struct {
	mutex sync.Mutex
	noted map[string]int
}

func (c *counts) add(n int, format string, args ...any) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.noted[fmt.Sprintf(format, args...)] += n
}

func (c *counts) DecisionMade(_ context.Context, verdict, outcome, via string, waited time.Duration) {
	c.add(1, "decision %s %s %s %s", verdict, outcome, via, waited)
}
func (c *counts) RequestEnded(outcome string)                  { c.add(1, "ended %s", outcome) }
func (c *counts) SignalRefused(reason string)                  { c.add(1, "refused %s", reason) }
func (c *counts) FellDue(step lifecycle.Step, _ time.Duration) { c.add(1, "due %s", step) }
func (c *counts) Notified(event, outcome string)               { c.add(1, "notified %s %s", event, outcome) }
func (c *counts) SweepEnded(sweep string)                      { c.add(1, "sweep ended %s", sweep) }
func (c *counts) Swept(action string, n int) {
	if n > 0 {
		c.add(n, "swept %s", action)
	}
}

// bench is activities over fakes, run as a worker runs them: what they take,
// answer and fail with goes through Temporal's converters.
type bench struct {
	*Activities
	t         *testing.T
	store     *fakeStore
	workflows *fakeWorkflows
	counts    *counts
	log       *bytes.Buffer
	// beats are the heartbeats that came to the server; most stay in the process.
	beats atomic.Int32
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{
		t: t, store: &fakeStore{}, workflows: &fakeWorkflows{}, counts: &counts{noted: map[string]int{}}, log: &bytes.Buffer{},
	}
	b.Activities = &Activities{
		Store: b.store, Workflows: b.workflows, Observer: b.counts, Log: slog.New(slog.NewTextHandler(b.log, nil)),
		SignalDecisions: true, SweepGrace: time.Minute, SweepRecheck: time.Hour, SweepConcurrency: 4,
	}
	t.Cleanup(func() { require.NotContains(t, b.log.String(), secret) })
	return b
}

// run runs one of the activities until ctx ends.
func run[T any](ctx context.Context, b *bench, activity, in any) (out T, err error) {
	b.t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
	env.SetOnActivityHeartbeatListener(func(*sdkactivity.Info, converter.EncodedValues) { b.beats.Add(1) })
	env.RegisterActivity(activity)
	value, err := env.ExecuteActivity(activity, in)
	if err == nil && value.HasValue() {
		require.NoError(b.t, value.Get(&out))
	}
	return out, err
}

// requireFailure checks all that a history would hold of err.
func requireFailure(t *testing.T, err error, step string, kind lifecycle.Kind, subject lifecycle.ID) {
	t.Helper()
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	text := step + ": " + kind.String()
	if !subject.IsZero() {
		text += ": " + subject.String()
	}
	require.Equal(t, text, failure.Message())
	require.Equal(t, kind.String(), failure.Type())
	require.Equal(t, kind != lifecycle.KindInternal && kind != lifecycle.KindUnavailable, failure.NonRetryable())
	require.NoError(t, failure.Unwrap(), "nothing of the chain")
	require.False(t, failure.HasDetails())
	require.NotContains(t, stored(failure), secret)
}

// stored is the text of an error as a history has it.
func stored(err error) string {
	failure := temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter: converter.GetDefaultDataConverter(),
	}).ErrorToFailure(err)
	return failure.String()
}
