package workflows_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"gatehouse/lifecycle"
	"gatehouse/telemetry"
	"gatehouse/workflowclient"
	"gatehouse/workflowclient/temporaltest"
	"gatehouse/workflows"
	"gatehouse/workflows/wire"
)

// watched are rows that remember who came.
type watched struct {
	*rows
	mutex sync.Mutex
	by    map[lifecycle.Origin]bool
}

func (w *watched) note(ctx context.Context) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.by[lifecycle.OriginOf(ctx)] = true
}

func (w *watched) Decide(ctx context.Context, d lifecycle.Decision) (lifecycle.DecisionResult, error) {
	w.note(ctx)
	return w.rows.Decide(ctx, d)
}

func (w *watched) SaveNotification(ctx context.Context, event string, request, item lifecycle.ID, version time.Time) (bool, lifecycle.ID, error) {
	w.note(ctx)
	return w.rows.SaveNotification(ctx, event, request, item, version)
}

// TestEveryStepSaysWhichItIs: the local ones as well as those of a queue.
func TestEveryStepSaysWhichItIs(t *testing.T) {
	t.Parallel()
	s := newServed(t, 1)
	seen := &watched{rows: s.rows, by: map[lifecycle.Origin]bool{}}
	steps := newActivities(s.rows, s.client, s.counts)
	steps.Store = seen
	workers := workflows.NewWorkers(s.server.Client, workflows.WorkerOptions{StopTimeout: time.Second}, steps)
	require.NoError(t, workers.Start(s.context()))
	t.Cleanup(workers.Stop)
	result, err := s.client.Decide(s.context(), s.decision(0, lifecycle.VerdictApprove))
	require.NoError(t, err)
	require.Equal(t, lifecycle.DecisionStored, result.Outcome)
	require.NoError(t, s.client.AwaitRequest(s.context(), s.request.ID))

	want := map[lifecycle.Origin]bool{}
	for _, step := range []string{wire.ActivityDecide, wire.ActivityNotify} {
		want[lifecycle.Origin{Channel: lifecycle.ChannelWorkflow, Operation: step}] = true
	}
	seen.mutex.Lock()
	defer seen.mutex.Unlock()
	require.Equal(t, want, seen.by)
}

// TestTheTrackingIDGoesWithTheCall: from the call to the memo of the workflow that
// it starts, and to every step that follows from it; a decision has its own.
func TestTheTrackingIDGoesWithTheCall(t *testing.T) {
	t.Parallel()
	asked, decided := strings.Repeat("a1", 16), strings.Repeat("b2", 16)
	by := func(ctx context.Context, id string) context.Context {
		return lifecycle.WithOrigin(ctx, lifecycle.Origin{Channel: lifecycle.ChannelAPI, TrackingID: id})
	}
	s := &served{t: t, server: temporaltest.NewNamespace(t), rows: newRows(), counts: &counts{}}
	s.client = workflowclient.New(s.server.Client, workflowclient.Options{})
	s.request = s.rows.accept(1)
	require.NoError(t, s.client.StartRequest(by(s.context(), asked), s.request.ID, s.request.Source.ID, 1))
	answer, err := s.server.Client.DescribeWorkflowExecution(s.context(), s.workflow(), "")
	require.NoError(t, err)
	var remembered string
	require.NoError(t, converter.GetDefaultDataConverter().FromPayload(
		answer.GetWorkflowExecutionInfo().GetMemo().GetFields()[wire.MemoTrackingID], &remembered))
	require.Equal(t, asked, remembered)

	seen := &watched{rows: s.rows, by: map[lifecycle.Origin]bool{}}
	steps := newActivities(s.rows, s.client, s.counts)
	steps.Store = seen
	var lines bytes.Buffer
	log := telemetry.NewLogger(&lines, slog.LevelDebug, "text", func(ctx context.Context) string {
		return lifecycle.OriginOf(ctx).TrackingID
	})
	workers := workflows.NewWorkers(s.server.Client, workflows.WorkerOptions{StopTimeout: time.Second, Log: log}, steps)
	require.NoError(t, workers.Start(s.context()))
	// What can't be a tracking id is nobody's.
	d := s.decision(0, lifecycle.VerdictReject)
	d.Approver = lifecycle.NewID()
	_, err = s.client.Decide(by(s.context(), "jane.doe"), d)
	require.NoError(t, err)
	result, err := s.client.Decide(by(s.context(), decided), s.decision(0, lifecycle.VerdictApprove))
	require.NoError(t, err)
	require.Equal(t, lifecycle.DecisionStored, result.Outcome)
	require.NoError(t, s.client.AwaitRequest(s.context(), s.request.ID))
	workers.Stop()

	step := func(name, id string) lifecycle.Origin {
		return lifecycle.Origin{Channel: lifecycle.ChannelWorkflow, Operation: name, TrackingID: id}
	}
	seen.mutex.Lock()
	defer seen.mutex.Unlock()
	require.Equal(t, map[lifecycle.Origin]bool{
		step(wire.ActivityDecide, ""): true, step(wire.ActivityDecide, decided): true, step(wire.ActivityNotify, asked): true,
	}, seen.by)
	require.Regexp(t, `msg=step activity=Decide workflow_id=`+s.workflow()+` attempt=1 outcome=ok .* tracking_id=`+decided, lines.String())
	require.Regexp(t, `msg=step activity=Notify .* tracking_id=`+asked, lines.String())
	require.NotContains(t, lines.String(), "jane.doe")
}
