package workflows

import (
	"context"
	"log/slog"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"

	"gatehouse/lifecycle"
)

// origins has every step carry who causes what it changes: the workflow, by the
// name of the step, and the tracking id of the call behind it, which the client
// has put into the context. Who is behind that, where somebody is, stands in the
// rows. What becomes of a step is logged for who looks closely.
type origins struct {
	interceptor.WorkerInterceptorBase
	log *slog.Logger
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (o *origins) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &stepOrigin{interceptor.ActivityInboundInterceptorBase{Next: next}, o.log}
}

type stepOrigin struct {
	interceptor.ActivityInboundInterceptorBase
	log *slog.Logger
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor; local
// activities come through it as well.
func (s *stepOrigin) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	step, began := activity.GetInfo(ctx), time.Now()
	ctx = lifecycle.WithOrigin(ctx, lifecycle.Origin{
		Channel: lifecycle.ChannelWorkflow, Operation: step.ActivityType.Name, TrackingID: lifecycle.OriginOf(ctx).TrackingID,
	})
	result, err := s.Next.ExecuteActivity(ctx, in)
	outcome := "ok"
	if err != nil {
		outcome = failureKind(err)
	}
	s.log.LogAttrs(ctx, slog.LevelDebug, "step",
		slog.String("activity", step.ActivityType.Name), slog.String("workflow_id", step.WorkflowExecution.ID),
		slog.Int("attempt", int(step.Attempt)), slog.String("outcome", outcome),
		slog.Float64("duration_ms", float64(time.Since(began).Microseconds())/1000))
	return result, err
}
