package workflows

import (
	"context"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"

	"gatehouse/lifecycle"
)

// origins has every step carry who causes what it changes: the workflow, by the
// name of the step. Who is behind that, where somebody is, stands in the rows.
type origins struct {
	interceptor.WorkerInterceptorBase
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (*origins) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &stepOrigin{interceptor.ActivityInboundInterceptorBase{Next: next}}
}

type stepOrigin struct {
	interceptor.ActivityInboundInterceptorBase
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor; local
// activities come through it as well.
func (s *stepOrigin) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	return s.Next.ExecuteActivity(lifecycle.WithOrigin(ctx, lifecycle.Origin{
		Channel: lifecycle.ChannelWorkflow, Operation: activity.GetInfo(ctx).ActivityType.Name,
	}), in)
}
