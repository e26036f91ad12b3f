package workflowclient

import (
	"context"
	"fmt"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"gatehouse/workflows/wire"
)

// pollerAge is how long ago a poller may have been seen to count. A poll lasts a
// minute; the server forgets who polled after five.
const pollerAge = 90 * time.Second

// Pollers returns how many processes poll each task queue that wire names: where a
// queue is polled for tasks of both kinds, for the kind that fewer poll for. A worker
// that ended may count for a minute and a half.
func Pollers(ctx context.Context, c client.Client) (map[string]int, error) {
	var (
		mutex  sync.Mutex
		counts = map[string]int{}
		group  errgroup.Group
	)
	for queue, kinds := range polled {
		for _, kind := range kinds {
			group.Go(func() error {
				answer, err := c.DescribeTaskQueue(ctx, queue, kind)
				if err != nil {
					return fmt.Errorf("describing the task queue %s: %w", queue, err)
				}
				who := map[string]bool{}
				for _, poller := range answer.GetPollers() {
					if time.Since(poller.GetLastAccessTime().AsTime()) <= pollerAge {
						who[poller.GetIdentity()] = true
					}
				}
				mutex.Lock()
				defer mutex.Unlock()
				if before, ok := counts[queue]; !ok || len(who) < before {
					counts[queue] = len(who)
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return counts, nil
}

const (
	workflowTasks = enumspb.TASK_QUEUE_TYPE_WORKFLOW
	activityTasks = enumspb.TASK_QUEUE_TYPE_ACTIVITY
)

// polled are the queues that workers poll, and for which kinds of tasks.
var polled = map[string][]enumspb.TaskQueueType{
	wire.QueueRequests:      {workflowTasks},
	wire.QueueNotifications: {activityTasks},
	wire.QueueMaintenance:   {workflowTasks, activityTasks},
	wire.QueueBulk:          {workflowTasks, activityTasks},
	wire.QueueExports:       {activityTasks},
	wire.QueueDeliveries:    {workflowTasks, activityTasks},
	wire.QueueWebhooks:      {activityTasks},
}
