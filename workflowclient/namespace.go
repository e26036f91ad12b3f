package workflowclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"gatehouse/workflows/wire"
)

// MissingSearchAttributes returns which of the search attributes the namespace
// lacks or holds under another type. Workflows make no progress without them.
func MissingSearchAttributes(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	answer, err := c.OperatorService().ListSearchAttributes(ctx,
		&operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, fmt.Errorf("listing search attributes: %w", err)
	}
	var missing []string
	for _, name := range wire.SearchAttributes() {
		if answer.GetCustomAttributes()[name] != enumspb.INDEXED_VALUE_TYPE_KEYWORD {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

// registeredPoll is how often EnsureSearchAttributes looks whether what it
// added has taken effect.
const registeredPoll = 100 * time.Millisecond

// EnsureSearchAttributes registers the search attributes that the namespace
// lacks, and returns when the namespace shows them. Any number of processes may
// do so at once.
func EnsureSearchAttributes(ctx context.Context, c client.Client, namespace string) error {
	missing, err := MissingSearchAttributes(ctx, c, namespace)
	if err != nil || len(missing) == 0 {
		return err
	}
	add := make(map[string]enumspb.IndexedValueType, len(missing))
	for _, name := range missing {
		add[name] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx,
		&operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: add})
	var exists *serviceerror.AlreadyExists
	if err != nil && !errors.As(err, &exists) {
		return fmt.Errorf("adding search attributes: %w", err)
	}
	tick := time.NewTicker(registeredPoll)
	defer tick.Stop()
	for {
		left, err := MissingSearchAttributes(ctx, c, namespace)
		if err != nil {
			return fmt.Errorf("search attributes not registered as Keyword: %v: %w", missing, err)
		}
		if missing = left; len(missing) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("search attributes not registered as Keyword: %v: %w", missing, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// The sweep's schedule.
const (
	// sweepCatchup is how late a sweep may begin that came due while Temporal
	// was away. Unset it would be a year, and an outage of a day be followed by
	// thousands of sweeps.
	sweepCatchup = 10 * time.Second
	// sweepTimeout ends a sweep that got stuck, since the next one waits for it.
	sweepTimeout = 15 * time.Minute
)

// sweepSchedule is the schedule that has the sweep run at this interval, looking
// at batch rows at a time. A sweep that comes due while one runs is skipped.
func sweepSchedule(interval time.Duration, batch int) client.ScheduleOptions {
	return client.ScheduleOptions{
		ID:   wire.ScheduleSweep,
		Spec: client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: interval}}},
		Action: &client.ScheduleWorkflowAction{
			ID: wire.SweepID, Workflow: wire.WorkflowSweep, TaskQueue: wire.QueueMaintenance,
			Args:                     []any{wire.SweepInput{Batch: batch}},
			WorkflowExecutionTimeout: sweepTimeout,
			TypedSearchAttributes: temporal.NewSearchAttributes(
				temporal.NewSearchAttributeKeyKeyword(wire.AttributeKind).ValueSet(wire.KindSweep)),
			StaticSummary: "sweep",
		},
		Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: sweepCatchup, TriggerImmediately: true,
	}
}

// lifecycleSchedule is the schedule that has the records' sweep run at this
// interval, as sweepSchedule has the other.
func lifecycleSchedule(interval time.Duration, batch int) client.ScheduleOptions {
	schedule := sweepSchedule(interval, batch)
	schedule.ID = wire.ScheduleLifecycle
	schedule.Action = &client.ScheduleWorkflowAction{
		ID: wire.LifecycleSweepID, Workflow: wire.WorkflowLifecycleSweep, TaskQueue: wire.QueueMaintenance,
		Args:                     []any{wire.SweepInput{Batch: batch}},
		WorkflowExecutionTimeout: sweepTimeout,
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(wire.AttributeKind).ValueSet(wire.KindLifecycleSweep)),
		StaticSummary: "sweep of records",
	}
	return schedule
}

// EnsureSchedule makes the sweep run at this interval, looking at batch rows at
// a time, or changes the schedule to that. Any number of processes may do so at
// once.
func EnsureSchedule(ctx context.Context, c client.Client, interval time.Duration, batch int) error {
	return ensure(ctx, c, sweepSchedule(interval, batch))
}

// EnsureLifecycleSchedule is EnsureSchedule for the sweep of records.
func EnsureLifecycleSchedule(ctx context.Context, c client.Client, interval time.Duration, batch int) error {
	return ensure(ctx, c, lifecycleSchedule(interval, batch))
}

func ensure(ctx context.Context, c client.Client, want client.ScheduleOptions) error {
	schedules := c.ScheduleClient()
	_, err := schedules.Create(ctx, want)
	if err == nil || !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return wrap(err, "creating the schedule "+want.ID)
	}
	err = schedules.GetHandle(ctx, want.ID).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			// What an operator did, such as pausing it, stays.
			schedule := in.Description.Schedule
			schedule.Spec, schedule.Action = &want.Spec, want.Action
			schedule.Policy = &client.SchedulePolicies{Overlap: want.Overlap, CatchupWindow: want.CatchupWindow}
			return &client.ScheduleUpdate{Schedule: &schedule}, nil
		},
	})
	return wrap(err, "updating the schedule "+want.ID)
}

// RestoreSchedule is EnsureSchedule for a schedule that got lost. One that is
// there is left as it is, since another process may have other settings.
func RestoreSchedule(ctx context.Context, c client.Client, interval time.Duration, batch int) (restored bool, err error) {
	return restore(ctx, c, sweepSchedule(interval, batch))
}

// RestoreLifecycleSchedule is RestoreSchedule for the sweep of records.
func RestoreLifecycleSchedule(ctx context.Context, c client.Client, interval time.Duration, batch int) (restored bool, err error) {
	return restore(ctx, c, lifecycleSchedule(interval, batch))
}

func restore(ctx context.Context, c client.Client, want client.ScheduleOptions) (restored bool, err error) {
	schedules := c.ScheduleClient()
	_, err = schedules.GetHandle(ctx, want.ID).Describe(ctx)
	if _, ok := errors.AsType[*serviceerror.NotFound](err); !ok {
		return false, wrap(err, "looking for the schedule "+want.ID)
	}
	_, err = schedules.Create(ctx, want)
	if errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return false, nil
	}
	return err == nil, wrap(err, "creating the schedule "+want.ID)
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
