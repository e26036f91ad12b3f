package workflowclient

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"
)

// buildPoll is how often EnsureCurrentBuild looks whether the workers are there.
const buildPoll = time.Second

// EnsureCurrentBuild has Temporal hand all tasks of a deployment to the workers of this
// build, once they poll every queue that those before them do; it waits for that until
// ctx ends. Where the build is the current one already nothing changes.
func EnsureCurrentBuild(ctx context.Context, c client.Client, deployment, build string) error {
	handle := c.WorkerDeploymentClient().GetHandle(deployment)
	tick := time.NewTicker(buildPoll)
	defer tick.Stop()
	for {
		_, err := handle.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("build %s of deployment %s is not the current one: %w", build, deployment, err)
		case <-tick.C:
		}
	}
}
