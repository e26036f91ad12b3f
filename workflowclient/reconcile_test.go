package workflowclient_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"gatehouse/lifecycle"
	"gatehouse/workflowclient"
	"gatehouse/workflows/wire"
)

// TestWhereTheWorkflowOfARequestStands reads it from the history of a workflow that
// tells of an item and waits.
func TestWhereTheWorkflowOfARequestStands(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, reach := within(t, testTimeout), workflowclient.New(b.server.Client, workflowclient.Options{})
	request, source, item := lifecycle.NewID(), lifecycle.NewID(), lifecycle.NewID()
	stand := func() lifecycle.RequestInEngine {
		t.Helper()
		stand, err := reach.RequestStand(ctx, request)
		require.NoError(t, err)
		return stand
	}
	require.Zero(t, stand(), "there is none")
	require.NoError(t, reach.StartRequest(ctx, request, source, 0))
	require.Equal(t, lifecycle.RequestInEngine{Running: true, AtWork: true}, stand(), "nobody has worked on it")

	version := time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC)
	w := worker.New(b.server.Client, wire.QueueRequests, worker.Options{DisableRegistrationAliasing: true})
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context, _ wire.RequestInput) error {
		options := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
		notice := wire.Notice{Event: wire.EventDecisionNeeded, RequestID: request, ItemID: item, Version: lifecycle.FormatTime(version)}
		workflow.ExecuteActivity(options, wire.ActivityNotify, notice)
		workflow.GetSignalChannel(ctx, wire.SignalNudge).Receive(ctx, nil)
		return nil
	}, workflow.RegisterOptions{Name: wire.WorkflowRequest})
	w.RegisterActivityWithOptions(func(wire.Notice) error { return nil }, activity.RegisterOptions{Name: wire.ActivityNotify})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	b.await("it has come that far", func() bool { return stand().Begun })
	is := stand()
	is.AtWork = false // that it has told comes back to it at any moment
	require.Equal(t, lifecycle.RequestInEngine{Running: true, Begun: true, Item: item, Version: version}, is)
	b.await("it waits", func() bool { return !stand().AtWork })

	running := func() (ids []lifecycle.ID) {
		t.Helper()
		require.NoError(t, reach.EachRunning(ctx, lifecycle.EngineRequest, func(some []lifecycle.ID) error {
			ids = append(ids, some...)
			return nil
		}))
		return ids
	}
	b.await("it is listed", func() bool { return slices.Contains(running(), request) })
	first := b.runOf(wire.RequestWorkflowID(request))
	require.NoError(t, reach.RestartRequest(ctx, request, source))
	require.NotEqual(t, first, b.runOf(wire.RequestWorkflowID(request)), "another run is in its place")
	require.NoError(t, reach.End(ctx, lifecycle.EngineRequest, request))
	require.NoError(t, reach.End(ctx, lifecycle.EngineRequest, request), "it has ended")
	require.False(t, stand().Running)
	b.await("it is not listed any more", func() bool { return !slices.Contains(running(), request) })
	runs, completed, err := reach.Running(ctx, lifecycle.EngineRequest, request)
	require.NoError(t, err)
	require.False(t, runs)
	require.False(t, completed)

	schedule := lifecycle.ExportSchedule{ID: lifecycle.NewID(), Cron: "@weekly", Zone: "UTC"}
	require.NoError(t, reach.SaveExportSchedule(ctx, schedule))
	b.await("the schedule is listed", func() bool {
		schedules, err := reach.ExportSchedules(ctx)
		require.NoError(t, err)
		return slices.Equal(schedules, []lifecycle.ID{schedule.ID})
	})
	absence := lifecycle.NewID()
	for _, want := range []bool{true, false} {
		started, err := reach.EnsureAbsence(ctx, absence)
		require.NoError(t, err)
		require.Equal(t, want, started)
	}
}

// runOf is the id of the newest run of a workflow.
func (b *bench) runOf(id string) string {
	b.t.Helper()
	described, err := b.server.Client.DescribeWorkflow(within(b.t, testTimeout), id, "")
	require.NoError(b.t, err)
	return described.WorkflowExecution.RunID
}
