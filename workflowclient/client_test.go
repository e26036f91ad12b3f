package workflowclient_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"gatehouse/lifecycle"
	"gatehouse/workflowclient"
	"gatehouse/workflows/wire"
)

func TestARequestIsStartedOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := within(t, testTimeout)
	request, source := lifecycle.NewID(), lifecycle.NewID()
	require.NoError(t, b.StartRequest(ctx, request, source, 2))
	first := b.run(request)
	require.NoError(t, b.StartRequest(ctx, request, source, 2), "content with one that runs")
	require.Equal(t, first, b.run(request))
	started, in := b.started(request)
	require.Equal(t, wire.WorkflowRequest, started.GetWorkflowType().GetName())
	require.Equal(t, wire.QueueRequests, started.GetTaskQueue().GetName())
	require.Equal(t, wire.RequestInput{RequestID: request, SourceID: source}, in)
	require.Zero(t, started.GetWorkflowExecutionTimeout().AsDuration(), "people take their time")
	shown := map[string]string{}
	for name, payload := range started.GetSearchAttributes().GetIndexedFields() {
		shown[name] = string(payload.GetData())
	}
	require.Equal(t, map[string]string{
		wire.AttributeKind: `"request"`, wire.AttributeSource: `"` + source.String() + `"`,
		wire.AttributeStatus: `"PENDING"`, wire.AttributeStage: `"1/2"`,
	}, shown)

	b.terminate(request)
	require.NoError(t, b.StartRequest(ctx, request, source, 2))
	require.NotEqual(t, first, b.run(request), "one that has ended is followed by another")
}

func TestOfManyStartsAtOnceOneRuns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, request := within(t, testTimeout), lifecycle.NewID()
	faults := make([]error, 8)
	var group sync.WaitGroup
	for i := range faults {
		group.Go(func() { faults[i] = b.StartRequest(ctx, request, lifecycle.NewID(), 0) })
	}
	group.Wait()
	require.NoError(t, errors.Join(faults...))
	started, _ := b.started(request)
	require.Equal(t, started.GetFirstExecutionRunId(), started.GetOriginalExecutionRunId())
	require.Empty(t, started.GetContinuedExecutionRunId())
}

func TestANudgeReachesTheRunThatIsThereOrStartsOne(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx := within(t, testTimeout)
	request, source := lifecycle.NewID(), lifecycle.NewID()
	nudges := func() int {
		n := 0
		for _, event := range b.events(request, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) {
			require.Equal(t, wire.SignalNudge, event.GetWorkflowExecutionSignaledEventAttributes().GetSignalName())
			n++
		}
		return n
	}
	require.NoError(t, b.NudgeRequest(ctx, request, source))
	first := b.run(request)
	require.Equal(t, 1, nudges())
	_, in := b.started(request)
	require.Equal(t, wire.RequestInput{RequestID: request, SourceID: source}, in)

	require.NoError(t, b.NudgeRequest(ctx, request, source))
	require.Equal(t, first, b.run(request))
	require.Equal(t, 2, nudges())

	b.terminate(request)
	require.NoError(t, b.NudgeRequest(ctx, request, source))
	require.NotEqual(t, first, b.run(request))
	require.Equal(t, 1, nudges())
}

func TestWhetherARequestRuns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	running := func(request lifecycle.ID) bool {
		is, err := b.RequestRunning(within(t, testTimeout), request)
		require.NoError(t, err)
		return is
	}
	require.False(t, running(lifecycle.NewID()), "unknown")
	request := b.start()
	require.True(t, running(request))
	b.terminate(request)
	require.False(t, running(request), "ended")
}

func TestAwaitingARequestReturnsAtItsEnd(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.work()
	for name, end := range map[string]func(request lifecycle.ID){
		"well":           func(request lifecycle.ID) { b.signal(request, signalEnd) },
		"by a failure":   func(request lifecycle.ID) { b.signal(request, signalFail) },
		"by a terminate": b.terminate,
		"well, in another run": func(request lifecycle.ID) {
			first := b.run(request)
			b.signal(request, signalContinue)
			b.await("another run", func() bool { return b.run(request) != first })
			b.signal(request, signalEnd)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := b.start()
			returned := make(chan error, 1)
			ctx := within(t, testTimeout)
			go func() { returned <- b.AwaitRequest(ctx, request) }()
			end(request)
			require.NoError(t, <-returned)
			is, err := b.RequestRunning(ctx, request)
			require.NoError(t, err)
			require.False(t, is)
			require.NoError(t, b.AwaitRequest(ctx, request), "one that ended before")
		})
	}
	t.Run("unless it is unknown", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, b.AwaitRequest(within(t, testTimeout), lifecycle.NewID()))
	})
}

func TestAwaitingARequestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	request := b.start()
	require.ErrorIs(t, b.AwaitRequest(within(t, 300*time.Millisecond), request), context.DeadlineExceeded)

	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	require.ErrorIs(t, b.AwaitRequest(ctx, request), enough)
}

func TestWorkflowsAreCancelledWhateverTheirState(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	running, ended, unknown := b.start(), b.start(), lifecycle.NewID()
	b.terminate(ended)
	all := []lifecycle.ID{running, ended, unknown}
	got, err := b.CancelRequests(within(t, testTimeout), all)
	require.NoError(t, err)
	require.ElementsMatch(t, all, got)
	require.Len(t, b.events(running, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED), 1)
	require.Empty(t, b.events(ended, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED))

	got, err = b.CancelRequests(within(t, testTimeout), all)
	require.NoError(t, err, "again")
	require.ElementsMatch(t, all, got)

	got, err = b.CancelRequests(within(t, testTimeout), nil)
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestWorkflowsThatCouldNotBeCancelledAreNotAmongThoseThatWere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	request := b.start()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := b.CancelRequests(ctx, []lifecycle.ID{request, lifecycle.NewID()})
	requireUnavailable(t, err)
	require.Empty(t, got)
	require.Empty(t, b.events(request, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED))
}

// endings are deleted requests whose workflows have to end.
type endings struct {
	mutex sync.Mutex
	left  []lifecycle.ID
	reads int
	// fault is that of a read.
	fault error
}

func (e *endings) WorkflowEndings(_ context.Context, limit int) ([]lifecycle.ID, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.reads++
	return slices.Clone(e.left[:min(limit, len(e.left))]), e.fault
}

func (e *endings) DropWorkflowEndings(_ context.Context, ids []lifecycle.ID) error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.left = slices.DeleteFunc(e.left, func(id lifecycle.ID) bool { return slices.Contains(ids, id) })
	return nil
}

func (e *endings) count() (left, reads int) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return len(e.left), e.reads
}

func TestEndingWorkflowsGoesOnUntilNoneIsLeft(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	request := b.start()
	e := &endings{left: []lifecycle.ID{request}}
	for range 450 {
		e.left = append(e.left, lifecycle.NewID())
	}
	c := workflowclient.New(b.server.Client, workflowclient.Options{Endings: e})
	c.EndWorkflows()
	b.await("all are dropped", func() bool { left, _ := e.count(); return left == 0 })
	require.Len(t, b.events(request, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED), 1)
	require.NoError(t, c.Close(within(t, testTimeout)))
	require.NoError(t, c.Close(within(t, testTimeout)), "once more")
	_, reads := e.count()
	c.EndWorkflows()
	_, later := e.count()
	require.Equal(t, reads, later, "none after Close")
}

func TestEndingWorkflowsStopsAtAFault(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := &endings{left: []lifecycle.ID{lifecycle.NewID()}, fault: errors.New("away")}
	c := workflowclient.New(b.server.Client, workflowclient.Options{Endings: e})
	for want := 1; want <= 2; want++ {
		c.EndWorkflows()
		b.await("it has tried", func() bool { _, reads := e.count(); return reads == want })
	}
	require.NoError(t, c.Close(within(t, testTimeout)))
	left, reads := e.count()
	require.Equal(t, 1, left)
	require.Equal(t, 2, reads)
}

func TestAClientWithoutEndingsEndsNone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 3 {
		b.EndWorkflows()
	}
	require.NoError(t, b.Close(within(t, testTimeout)))
}

// silent is an address where connections are taken and nobody answers.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	return listener.Addr().String()
}

// closed is an address where nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

func TestATemporalThatIsAwayIsAPassingFault(t *testing.T) {
	t.Parallel()
	request := lifecycle.NewID()
	for where, address := range map[string]string{"nobody listens": closed(t), "nobody answers": silent(t)} {
		for name, call := range map[string]func(context.Context, *workflowclient.Client) error{
			"start": func(ctx context.Context, c *workflowclient.Client) error {
				return c.StartRequest(ctx, request, request, 1)
			},
			"nudge": func(ctx context.Context, c *workflowclient.Client) error {
				return c.NudgeRequest(ctx, request, request)
			},
			"wake an absence": func(ctx context.Context, c *workflowclient.Client) error {
				return c.WakeAbsence(ctx, request)
			},
			"running": func(ctx context.Context, c *workflowclient.Client) error {
				_, err := c.RequestRunning(ctx, request)
				return err
			},
			"decide": func(ctx context.Context, c *workflowclient.Client) error {
				_, err := c.Decide(ctx, newDecision())
				return err
			},
			"cancel": func(ctx context.Context, c *workflowclient.Client) error {
				ended, err := c.CancelRequests(ctx, []lifecycle.ID{request})
				require.Empty(t, ended)
				return err
			},
			"ready": func(ctx context.Context, c *workflowclient.Client) error { return c.Ready(ctx) },
		} {
			t.Run(where+", "+name, func(t *testing.T) {
				t.Parallel()
				temporal, err := workflowclient.Dial(t.Context(), workflowclient.DialOptions{Address: address, Namespace: "default"})
				require.NoError(t, err, "a process starts all the same")
				t.Cleanup(temporal.Close)
				begin := time.Now()
				requireUnavailable(t, call(within(t, time.Second), workflowclient.New(temporal, workflowclient.Options{})))
				require.Less(t, time.Since(begin), testTimeout)
			})
		}
		t.Run(where+", await", func(t *testing.T) {
			t.Parallel()
			temporal, err := workflowclient.Dial(t.Context(), workflowclient.DialOptions{Address: address, Namespace: "default"})
			require.NoError(t, err)
			t.Cleanup(temporal.Close)
			err = workflowclient.New(temporal, workflowclient.Options{}).AwaitRequest(within(t, time.Second), request)
			if !errors.Is(err, context.DeadlineExceeded) {
				requireUnavailable(t, err)
			}
		})
	}
}

func TestATemporalThatAnswersIsReady(t *testing.T) {
	t.Parallel()
	require.NoError(t, newBench(t).Ready(within(t, testTimeout)))
}
