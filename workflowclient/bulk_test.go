package workflowclient_test

import (
	"context"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"

	"gatehouse/activities"
	"gatehouse/lifecycle"
	"gatehouse/service"
	"gatehouse/workflowclient"
	"gatehouse/workflowclient/temporaltest"
	"gatehouse/workflows/wire"
)

var (
	_ service.BulkWorkflows    = (*workflowclient.Client)(nil)
	_ activities.BulkWorkflows = (*workflowclient.Client)(nil)
)

// reached is a client to a real server without workers.
type reached struct {
	*workflowclient.Client
	t      *testing.T
	server temporaltest.Namespace
}

func newReached(t *testing.T) *reached {
	t.Helper()
	server := temporaltest.NewNamespace(t)
	return &reached{Client: workflowclient.New(server.Client, workflowclient.Options{}), t: t, server: server}
}

// serverTimeout bounds a test on a real server.
const serverTimeout = time.Minute

func (r *reached) context() context.Context {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), serverTimeout)
	r.t.Cleanup(cancel)
	return ctx
}

// events counts those of one type in the history of the latest run.
func (r *reached) events(workflow string, of enumspb.EventType) int {
	r.t.Helper()
	history := r.server.Client.GetWorkflowHistory(r.context(), workflow, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	n := 0
	for history.HasNext() {
		event, err := history.Next()
		require.NoError(r.t, err)
		if event.GetEventType() == of {
			n++
		}
	}
	return n
}

// requireStarted checks what a workflow was started as.
func (r *reached) requireStarted(workflow, workflowType string, want, in any) {
	r.t.Helper()
	info, err := r.server.Client.DescribeWorkflowExecution(r.context(), workflow, "")
	require.NoError(r.t, err)
	require.Equal(r.t, workflowType, info.GetWorkflowExecutionInfo().GetType().GetName())
	require.Equal(r.t, wire.QueueBulk, info.GetWorkflowExecutionInfo().GetTaskQueue())
	history := r.server.Client.GetWorkflowHistory(r.context(), workflow, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	first, err := history.Next()
	require.NoError(r.t, err)
	started := first.GetWorkflowExecutionStartedEventAttributes()
	require.NoError(r.t, converter.GetDefaultDataConverter().FromPayloads(started.GetInput(), in))
	require.Equal(r.t, want, in)
}

func TestWakingStartsTheWorkflowOfASourceOrSignalsIt(t *testing.T) {
	t.Parallel()
	r, source := newReached(t), lifecycle.NewID()
	id := wire.ImportsWorkflowID(source)
	for range 3 {
		require.NoError(t, r.WakeImports(r.context(), source))
	}
	require.Equal(t, 3, r.events(id, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED))
	r.requireStarted(id, wire.WorkflowImports, &wire.ImportsInput{SourceID: source}, &wire.ImportsInput{})

	started, err := r.EnsureImports(r.context(), source)
	require.NoError(t, err)
	require.False(t, started)
	require.Equal(t, 3, r.events(id, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), "one that runs is left alone")

	require.NoError(t, r.server.Client.TerminateWorkflow(r.context(), id, "", "test"))
	started, err = r.EnsureImports(r.context(), source)
	require.NoError(t, err)
	require.True(t, started)
	require.Zero(t, r.events(id, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED))
}

func TestAnExportHasOneWorkflow(t *testing.T) {
	t.Parallel()
	r, job, source := newReached(t), lifecycle.NewID(), lifecycle.NewID()
	started, err := r.EnsureExport(r.context(), job, source)
	require.NoError(t, err)
	require.True(t, started)
	id := wire.ExportWorkflowID(job)
	before, err := r.server.Client.DescribeWorkflowExecution(r.context(), id, "")
	require.NoError(t, err)
	require.NoError(t, r.StartExport(r.context(), job, source))
	started, err = r.EnsureExport(r.context(), job, source)
	require.NoError(t, err)
	require.False(t, started)
	after, err := r.server.Client.DescribeWorkflowExecution(r.context(), id, "")
	require.NoError(t, err)
	require.Equal(t, before.GetWorkflowExecutionInfo().GetExecution().GetRunId(), after.GetWorkflowExecutionInfo().GetExecution().GetRunId())
	r.requireStarted(id, wire.WorkflowExport, &wire.ExportInput{JobID: job, SourceID: source}, &wire.ExportInput{})

	require.NoError(t, r.server.Client.TerminateWorkflow(r.context(), id, "", "test"))
	require.NoError(t, r.StartExport(r.context(), job, source))
	require.Equal(t, 1, r.events(id, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED))
}

func TestATemporalThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	c, err := workflowclient.Dial(t.Context(), workflowclient.DialOptions{Address: "127.0.0.1:1", Namespace: "default"})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	w, id := workflowclient.New(c, workflowclient.Options{}), lifecycle.NewID()
	for name, call := range map[string]func(context.Context) error{
		"WakeImports":   func(ctx context.Context) error { return w.WakeImports(ctx, id) },
		"EnsureImports": func(ctx context.Context) error { _, err := w.EnsureImports(ctx, id); return err },
		"StartExport":   func(ctx context.Context) error { return w.StartExport(ctx, id, id) },
		"EnsureExport":  func(ctx context.Context) error { _, err := w.EnsureExport(ctx, id, id); return err },
		"SaveExportSchedule": func(ctx context.Context) error {
			return w.SaveExportSchedule(ctx, lifecycle.ExportSchedule{ID: id, Cron: "* * * * *", Zone: "UTC"})
		},
		"DropExportSchedule": func(ctx context.Context) error { return w.DropExportSchedule(ctx, id) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			err := call(ctx)
			require.Error(t, err)
			require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(err))
		})
	}
}

func newSchedule(cron, zone string) lifecycle.ExportSchedule {
	return lifecycle.ExportSchedule{ID: lifecycle.NewID(), SourceID: lifecycle.NewID(), Cron: cron, Zone: zone, Keep: 1}
}

func (r *reached) describe(schedule lifecycle.ExportSchedule) *client.ScheduleDescription {
	r.t.Helper()
	description, err := r.server.Client.ScheduleClient().GetHandle(r.context(), wire.ExportScheduleID(schedule.ID)).Describe(r.context())
	require.NoError(r.t, err)
	return description
}

func TestAScheduleOfExportsIsKeptInTemporal(t *testing.T) {
	t.Parallel()
	r, schedule := newReached(t), newSchedule("30 2 * * mon-fri", "Europe/Berlin")
	require.NoError(t, r.SaveExportSchedule(r.context(), schedule))
	d := r.describe(schedule)
	require.Equal(t, "Europe/Berlin", d.Schedule.Spec.TimeZoneName)
	require.Equal(t, enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, d.Schedule.Policy.Overlap)
	require.Equal(t, time.Hour, d.Schedule.Policy.CatchupWindow)
	action, ok := d.Schedule.Action.(*client.ScheduleWorkflowAction)
	require.True(t, ok)
	require.Equal(t, wire.WorkflowScheduledExport, action.Workflow)
	require.Equal(t, wire.QueueBulk, action.TaskQueue)
	require.Positive(t, action.WorkflowExecutionTimeout)
	require.Len(t, action.Args, 1)
	payload, ok := action.Args[0].(*commonpb.Payload)
	require.True(t, ok)
	var in wire.ScheduledExportInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayload(payload, &in))
	require.Equal(t, wire.ScheduledExportInput{ScheduleID: schedule.ID}, in)

	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	require.NotEmpty(t, d.Info.NextActionTimes)
	for _, next := range d.Info.NextActionTimes {
		local := next.In(berlin)
		require.Equal(t, "02:30:00", local.Format(time.TimeOnly))
		require.NotContains(t, []time.Weekday{time.Saturday, time.Sunday}, local.Weekday())
	}
}

// counting returns a client whose calls to the server are counted by method.
func (r *reached) counting() (*workflowclient.Client, func(method string) int) {
	r.t.Helper()
	var mutex sync.Mutex
	calls := map[string]int{}
	count := func(ctx context.Context, method string, in, out any, c *grpc.ClientConn, next grpc.UnaryInvoker, o ...grpc.CallOption) error {
		mutex.Lock()
		calls[path.Base(method)]++
		mutex.Unlock()
		return next(ctx, method, in, out, c, o...)
	}
	c, err := client.NewLazyClient(client.Options{
		HostPort: r.server.Address, Namespace: r.server.Name,
		ConnectionOptions: client.ConnectionOptions{DialOptions: []grpc.DialOption{grpc.WithChainUnaryInterceptor(count)}},
	})
	require.NoError(r.t, err)
	r.t.Cleanup(c.Close)
	return workflowclient.New(c, workflowclient.Options{}), func(method string) int {
		mutex.Lock()
		defer mutex.Unlock()
		return calls[method]
	}
}

func TestAScheduleThatIsRightIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := newReached(t)
	c, calls := r.counting()
	for _, cron := range []string{"* * * * *", "*/7 1,3-5 */2 feb 1-5", "0 12 13 * fri", "0 0 29 2 *"} {
		schedule := newSchedule(cron, "America/New_York")
		for range 3 {
			require.NoError(t, c.SaveExportSchedule(r.context(), schedule))
		}
		require.Zero(t, calls("UpdateSchedule"), cron)
	}
	require.Equal(t, 4, calls("CreateSchedule"))
	require.Equal(t, 12, calls("DescribeSchedule"))
}

func TestAScheduleFollowsItsRow(t *testing.T) {
	t.Parallel()
	r, schedule := newReached(t), newSchedule("0 1 * * *", "UTC")
	require.NoError(t, r.SaveExportSchedule(r.context(), schedule))
	handle := r.server.Client.ScheduleClient().GetHandle(r.context(), wire.ExportScheduleID(schedule.ID))
	require.NoError(t, handle.Pause(r.context(), client.SchedulePauseOptions{Note: "by hand"}))
	for _, change := range []lifecycle.ExportSchedule{
		{ID: schedule.ID, Cron: "0 2 * * *", Zone: "UTC"},
		{ID: schedule.ID, Cron: "0 2 * * *", Zone: "Asia/Tokyo"},
	} {
		require.NoError(t, r.SaveExportSchedule(r.context(), change))
		require.Eventually(t, func() bool {
			d := r.describe(change)
			return d.Schedule.Spec.TimeZoneName == change.Zone && d.Schedule.Spec.Calendars[0].Hour[0].Start == 2
		}, serverTimeout, 20*time.Millisecond)
		require.True(t, r.describe(change).Schedule.State.Paused, "what an operator did stays")
	}
}

func TestADayThatFitsEitherFieldCounts(t *testing.T) {
	t.Parallel()
	r, schedule := newReached(t), newSchedule("0 12 13 * fri", "UTC")
	require.NoError(t, r.SaveExportSchedule(r.context(), schedule))
	times := r.describe(schedule).Info.NextActionTimes
	require.NotEmpty(t, times)
	day := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	var want []time.Time
	for len(want) < len(times) {
		if day.After(time.Now()) && (day.Day() == 13 || day.Weekday() == time.Friday) {
			want = append(want, day)
		}
		day = day.AddDate(0, 0, 1)
	}
	for i := range times {
		require.True(t, want[i].Equal(times[i]), "%v %v", want[i], times[i])
	}
}

func TestDailyAndWeeklyAreAtMidnight(t *testing.T) {
	t.Parallel()
	r := newReached(t)
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	require.NoError(t, err)
	for cron, days := range map[string]int{"@daily": 1, "@weekly": 7} {
		schedule := newSchedule(cron, "Asia/Tokyo")
		require.NoError(t, r.SaveExportSchedule(r.context(), schedule))
		times := r.describe(schedule).Info.NextActionTimes
		require.Greater(t, len(times), 1)
		for i, next := range times {
			local := next.In(tokyo)
			require.Equal(t, "00:00:00", local.Format(time.TimeOnly))
			if cron == "@weekly" {
				require.Equal(t, time.Sunday, local.Weekday())
			}
			if i > 0 {
				require.Equal(t, times[i-1].AddDate(0, 0, days), next)
			}
		}
	}
}

func TestTemporalTakesEveryCronAndZoneThatIsOne(t *testing.T) {
	t.Parallel()
	r := newReached(t)
	for _, zone := range []string{
		"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Etc/GMT-14", "GMT0", "EST5EDT", "W-SU",
		"GB-Eire", "NZ-CHAT", "Pacific/Apia", "America/Port-au-Prince", "US/East-Indiana", "Europe/Kyiv", "Factory",
	} {
		require.NoError(t, lifecycle.CheckZone(zone))
		require.NoError(t, r.SaveExportSchedule(r.context(), newSchedule("0 0 1 1 *", zone)), zone)
	}
	long := "0" + strings.Repeat(",0", (lifecycle.MaxCronLength-9)/2) + " * * * *"
	for _, cron := range []string{
		"* * * * *", "*/15 2 1-7 jan,FEB 0-7/2", "59 23 31 12 7", "0 0 29 2 */2", "0 0 */31 2 *", long,
		"*/99 * * * *", "5/20 23/23 31/1 12/12 7/7", "0,0,0 0-0 1,1 JAN-jan sun-Sat", "05 05 05 05 05", "59 23 * * 0,7", "0 0 * * 5-7",
		// One of its two calendars has no day at all.
		"0 0 31 2 fri", "0 0 30-31 feb 0",
		// On this day of the week once in 28 years.
		"0 0 29 2 */7", "0 0 29 feb */99", "\t0  0\u00a01 1 *", "@daily", "@weekly",
	} {
		_, err := lifecycle.ParseCron(cron)
		require.NoError(t, err, cron)
		schedule := newSchedule(cron, "UTC")
		require.NoError(t, r.SaveExportSchedule(r.context(), schedule), cron)
		require.NotEmpty(t, r.describe(schedule).Info.NextActionTimes, cron)
	}
}

func TestAScheduleThatIsNoneIsIllegal(t *testing.T) {
	t.Parallel()
	r := newReached(t)
	for _, schedule := range []lifecycle.ExportSchedule{
		newSchedule("@hourly", "UTC"), newSchedule("0 0 31 2 *", "UTC"), newSchedule("", "UTC"),
		newSchedule("0 0 * * *", "Europe/Atlantis"), newSchedule("0 0 * * *", ""), newSchedule("0 0 * * *", "Local"),
	} {
		err := r.SaveExportSchedule(r.context(), schedule)
		require.Error(t, err)
		require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err))
		_, err = r.server.Client.ScheduleClient().GetHandle(r.context(), wire.ExportScheduleID(schedule.ID)).Describe(r.context())
		var absent *serviceerror.NotFound
		require.ErrorAs(t, err, &absent)
	}
}

func TestAScheduleIsForgotten(t *testing.T) {
	t.Parallel()
	r, schedule := newReached(t), newSchedule("* * * * *", "UTC")
	require.NoError(t, r.DropExportSchedule(r.context(), schedule.ID), "one that never was")
	require.NoError(t, r.SaveExportSchedule(r.context(), schedule))
	require.NoError(t, r.DropExportSchedule(r.context(), schedule.ID))
	require.NoError(t, r.DropExportSchedule(r.context(), schedule.ID), "a second time")
	_, err := r.server.Client.ScheduleClient().GetHandle(r.context(), wire.ExportScheduleID(schedule.ID)).Describe(r.context())
	var absent *serviceerror.NotFound
	require.ErrorAs(t, err, &absent)
	require.NoError(t, r.SaveExportSchedule(r.context(), schedule), "made again")
}

func TestOfTwoWhoSaveAScheduleBothSucceed(t *testing.T) {
	t.Parallel()
	r, schedule := newReached(t), newSchedule("0 5 * * *", "UTC")
	saved := make(chan error)
	for range 4 {
		go func() { saved <- r.SaveExportSchedule(r.context(), schedule) }()
	}
	for range 4 {
		require.NoError(t, <-saved)
	}
}
