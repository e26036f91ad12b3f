package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"gatehouse/lifecycle"
	"gatehouse/workflowclient"
	"gatehouse/workflows"
)

// workAs runs workers of a build until stop or the end of the test.
func (s *served) workAs(build string) (stop func()) {
	s.t.Helper()
	workers := workflows.NewWorkers(s.server.Client, workflows.WorkerOptions{
		StopTimeout: time.Second, Deployment: "gatehouse", BuildID: build,
	}, newActivities(s.rows, s.client, s.counts))
	require.NoError(s.t, workers.Start(s.context()))
	s.t.Cleanup(workers.Stop)
	return workers.Stop
}

// build is the build that handled the newest task of the request's workflow.
func (s *served) build() string {
	s.t.Helper()
	described, err := s.server.Client.DescribeWorkflowExecution(s.context(), s.workflow(), "")
	require.NoError(s.t, err)
	return described.GetWorkflowExecutionInfo().GetVersioningInfo().GetDeploymentVersion().GetBuildId()
}

func (s *served) makeCurrent(build string) {
	s.t.Helper()
	require.NoError(s.t, workflowclient.EnsureCurrentBuild(s.context(), s.server.Client, "gatehouse", build))
}

// TestARequestGoesOverToTheCurrentBuild has a request decided by workers of two builds
// in turn: the first approval, by an Update whose handler runs a local activity, at
// one, the second at the other, while both poll.
func TestARequestGoesOverToTheCurrentBuild(t *testing.T) {
	t.Parallel()
	s := newServed(t, 2)
	s.workAs("one")
	s.makeCurrent("one")
	require.Equal(t, lifecycle.DecisionStored, (<-s.send(s.decision(0, lifecycle.VerdictApprove))).Outcome)
	require.Equal(t, "one", s.build())

	s.workAs("two")
	s.makeCurrent("two")
	s.makeCurrent("two")
	// Who polls already hears of it a moment later.
	deployment := s.server.Client.WorkerDeploymentClient().GetHandle("gatehouse")
	described, err := deployment.Describe(s.context(), client.WorkerDeploymentDescribeOptions{})
	require.NoError(t, err)
	require.Equal(t, "two", described.Info.RoutingConfig.CurrentVersion.BuildID)
	require.Equal(t, lifecycle.DecisionStored, (<-s.send(s.decision(1, lifecycle.VerdictApprove))).Outcome)
	require.Equal(t, lifecycle.StatusApproved, s.rows.status(s.request.ID))
	for _, run := range s.runs() {
		require.NotEmpty(t, run.Events)
	}
	require.Equal(t, "two", s.build())
}
