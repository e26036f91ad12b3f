package workflowclient_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"gatehouse/workflowclient"
	"gatehouse/workflows/wire"
)

func (b *bench) missing() []string {
	b.t.Helper()
	missing, err := workflowclient.MissingSearchAttributes(within(b.t, testTimeout), b.server.Client, b.server.Name)
	require.NoError(b.t, err)
	return missing
}

func (b *bench) removeAttributes(names ...string) {
	b.t.Helper()
	_, err := b.server.Client.OperatorService().RemoveSearchAttributes(within(b.t, testTimeout),
		&operatorservice.RemoveSearchAttributesRequest{Namespace: b.server.Name, SearchAttributes: names})
	require.NoError(b.t, err)
	b.await("they are removed", func() bool { return len(b.missing()) == len(names) })
}

func TestSearchAttributesAreRegisteredWhereTheyAreMissing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Empty(t, b.missing())
	b.removeAttributes(wire.SearchAttributes()...)
	require.Equal(t, wire.SearchAttributes(), b.missing())

	faults := make([]error, 4)
	ctx := within(t, testTimeout)
	var group sync.WaitGroup
	for i := range faults {
		group.Go(func() { faults[i] = workflowclient.EnsureSearchAttributes(ctx, b.server.Client, b.server.Name) })
	}
	group.Wait()
	require.NoError(t, errors.Join(faults...), "any number of processes may do so at once")
	require.Empty(t, b.missing())
}

func TestASearchAttributeOfAnotherTypeIsMissing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.removeAttributes(wire.AttributeStage)
	_, err := b.server.Client.OperatorService().AddSearchAttributes(within(t, testTimeout), &operatorservice.AddSearchAttributesRequest{
		Namespace:        b.server.Name,
		SearchAttributes: map[string]enumspb.IndexedValueType{wire.AttributeStage: enumspb.INDEXED_VALUE_TYPE_TEXT},
	})
	require.NoError(t, err)
	require.Equal(t, []string{wire.AttributeStage}, b.missing())
	err = workflowclient.EnsureSearchAttributes(within(t, noAnswerTimeout), b.server.Client, b.server.Name)
	require.ErrorContains(t, err, wire.AttributeStage)
}

// scheduled are the schedules of the sweeps, by the workflow that they start.
var scheduled = map[string]struct {
	id      string
	ensure  func(ctx context.Context, c client.Client, interval time.Duration, batch int) error
	restore func(ctx context.Context, c client.Client, interval time.Duration, batch int) (bool, error)
}{
	wire.WorkflowSweep:          {wire.ScheduleSweep, workflowclient.EnsureSchedule, workflowclient.RestoreSchedule},
	wire.WorkflowLifecycleSweep: {wire.ScheduleLifecycle, workflowclient.EnsureLifecycleSchedule, workflowclient.RestoreLifecycleSchedule},
}

func TestASweepIsScheduledOnceAndWithItsLatestSettings(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for workflow, sweep := range scheduled {
		faults := make([]error, 4)
		ctx := within(t, testTimeout)
		var group sync.WaitGroup
		for i := range faults {
			group.Go(func() { faults[i] = sweep.ensure(ctx, b.server.Client, time.Hour, 100) })
		}
		group.Wait()
		require.NoError(t, errors.Join(faults...), "any number of processes may do so at once")

		handle := b.server.Client.ScheduleClient().GetHandle(ctx, sweep.id)
		settings := func() (client.Schedule, time.Duration, wire.SweepInput) {
			described, err := handle.Describe(ctx)
			require.NoError(t, err)
			action, ok := described.Schedule.Action.(*client.ScheduleWorkflowAction)
			require.True(t, ok)
			require.Equal(t, workflow, action.Workflow)
			require.Equal(t, wire.QueueMaintenance, action.TaskQueue)
			require.Len(t, action.Args, 1)
			require.Len(t, described.Schedule.Spec.Intervals, 1)
			var in wire.SweepInput
			require.NoError(t, converter.GetDefaultDataConverter().FromPayload(action.Args[0].(*commonpb.Payload), &in))
			return described.Schedule, described.Schedule.Spec.Intervals[0].Every, in
		}
		schedule, every, in := settings()
		require.Equal(t, time.Hour, every)
		require.Equal(t, wire.SweepInput{Batch: 100}, in)
		require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, schedule.Policy.Overlap)
		require.Less(t, schedule.Policy.CatchupWindow, time.Minute, "a day's outage is not followed by a day's sweeps")

		require.NoError(t, handle.Pause(ctx, client.SchedulePauseOptions{Note: "by an operator"}))
		require.NoError(t, sweep.ensure(ctx, b.server.Client, 5*time.Minute, 7))
		schedule, every, in = settings()
		require.Equal(t, 5*time.Minute, every)
		require.Equal(t, wire.SweepInput{Batch: 7}, in)
		require.True(t, schedule.State.Paused, "what an operator did stays")
		require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, schedule.Policy.Overlap)
	}
}

func TestASweepWhoseScheduleGotLostIsScheduledAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := within(t, testTimeout)
	schedules := b.server.Client.ScheduleClient()
	for _, sweep := range scheduled {
		restore := func(interval time.Duration) bool {
			t.Helper()
			restored, err := sweep.restore(ctx, b.server.Client, interval, 100)
			require.NoError(t, err)
			return restored
		}
		every := func() time.Duration {
			t.Helper()
			described, err := schedules.GetHandle(ctx, sweep.id).Describe(ctx)
			require.NoError(t, err)
			require.Zero(t, described.Info.LastUpdateAt.Unix(), "nobody has changed it")
			return described.Schedule.Spec.Intervals[0].Every
		}
		require.True(t, restore(time.Hour))
		require.False(t, restore(2*time.Hour))
		require.Equal(t, time.Hour, every(), "one that is there is left as it is")
		require.NoError(t, schedules.GetHandle(ctx, sweep.id).Delete(ctx))
		require.True(t, restore(2*time.Hour))
		require.Equal(t, 2*time.Hour, every())
	}
}
