package workflowclient

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// Endings knows which workflows have to end, since their requests were deleted.
type Endings interface {
	// WorkflowEndings returns at most limit of these requests.
	WorkflowEndings(ctx context.Context, limit int) ([]lifecycle.ID, error)
	// DropWorkflowEndings forgets requests whose workflows are ending.
	DropWorkflowEndings(ctx context.Context, requests []lifecycle.ID) error
}

// Options are what a Client needs beside Temporal.
type Options struct {
	// Endings is needed by [Client.EndWorkflows] alone; with nil that does
	// nothing.
	Endings Endings
	// Decisions is how many decisions wait for their workflows at once; one that
	// waits more than a second for its turn is KindUnavailable. 0 is no bound.
	Decisions int
	// Log may be nil.
	Log *slog.Logger
}

// Client reaches the workflows of requests. It is safe for concurrent use.
type Client struct {
	temporal client.Client
	endings  Endings
	log      *slog.Logger
	// deciding has a turn for each decision that waits; nil for no bound.
	deciding *semaphore.Weighted

	kick     chan struct{}
	stop     chan struct{}
	stopOnce sync.Once
	cancel   context.CancelFunc
	drainer  sync.WaitGroup
}

// New returns a Client over a connection, which stays the caller's to close,
// after [Client.Close].
func New(c client.Client, o Options) *Client {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &Client{
		temporal: c, endings: o.Endings, log: log,
		kick: make(chan struct{}, 1), stop: make(chan struct{}), cancel: cancel,
	}
	if o.Decisions > 0 {
		w.deciding = semaphore.NewWeighted(int64(o.Decisions))
	}
	if o.Endings != nil {
		w.drainer.Go(func() { w.drainOnKick(ctx) })
	}
	return w
}

// Close stops ending workflows in the background; it waits for the batch under
// way until ctx ends, and then gives that up. What is left is for the sweep.
func (w *Client) Close(ctx context.Context) error {
	stopped := make(chan struct{})
	go func() {
		w.drainer.Wait()
		close(stopped)
	}()
	w.stopOnce.Do(func() { close(w.stop) })
	select {
	case <-stopped:
		w.cancel()
		return nil
	case <-ctx.Done():
		w.cancel()
		<-stopped
		return context.Cause(ctx)
	}
}

// requestOptions start the workflow of a request. A run that has ended may be
// followed by another, since every run begins with the rows; beside one that
// runs there is never a second.
func requestOptions(ctx context.Context, request lifecycle.ID) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       wire.RequestWorkflowID(request),
		TaskQueue:                wire.QueueRequests,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "request " + request.String(),
		Memo:                     memo(ctx),
	}
}

// StartRequest starts the workflow of a request, and is content with one that
// runs already. items is how many approval items a request has that was just
// accepted, 0 for any other. It returns when Temporal has it; KindUnavailable if
// it did not answer before ctx ended.
func (w *Client) StartRequest(ctx context.Context, request, source lifecycle.ID, items int) error {
	options := requestOptions(ctx, request)
	if items > 0 {
		// What the workflow would set in its first task; from the start they cost less.
		options.TypedSearchAttributes = temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(wire.AttributeKind).ValueSet(wire.KindRequest),
			temporal.NewSearchAttributeKeyKeyword(wire.AttributeSource).ValueSet(source.String()),
			temporal.NewSearchAttributeKeyKeyword(wire.AttributeStatus).ValueSet(string(lifecycle.StatusPending)),
			temporal.NewSearchAttributeKeyKeyword(wire.AttributeStage).ValueSet(wire.Stage(0, items)))
	}
	_, err := w.temporal.ExecuteWorkflow(ctx, options, wire.WorkflowRequest,
		wire.RequestInput{RequestID: request, SourceID: source})
	return unavailable(err)
}

// NudgeRequest makes the workflow of a request read its rows again, starting it
// if need be.
func (w *Client) NudgeRequest(ctx context.Context, request, source lifecycle.ID) error {
	_, err := w.temporal.SignalWithStartWorkflow(ctx, wire.RequestWorkflowID(request), wire.SignalNudge, nil,
		requestOptions(ctx, request), wire.WorkflowRequest, wire.RequestInput{RequestID: request, SourceID: source})
	return unavailable(err)
}

// RequestRunning reports whether the workflow of the request runs.
func (w *Client) RequestRunning(ctx context.Context, request lifecycle.ID) (bool, error) {
	answer, err := w.temporal.DescribeWorkflowExecution(ctx, wire.RequestWorkflowID(request), "")
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return false, nil
	}
	if err != nil {
		return false, unavailable(err)
	}
	return answer.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}

// AwaitRequest returns once the workflow of the request has ended, however it
// ended, or is not there; else with ctx's error, or KindUnavailable where
// Temporal did not take the question.
func (w *Client) AwaitRequest(ctx context.Context, request lifecycle.ID) error {
	err := w.temporal.GetWorkflow(ctx, wire.RequestWorkflowID(request), "").Get(ctx, nil)
	var ended *temporal.WorkflowExecutionError
	var absent *serviceerror.NotFound
	var late *serviceerror.DeadlineExceeded
	switch {
	case err == nil, errors.As(err, &ended), errors.As(err, &absent):
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &late):
		// The deadline is sent along, and its end may be noticed there first.
		return context.DeadlineExceeded
	}
	return unavailable(err)
}

// cancelConcurrency is how many workflows are cancelled at once.
const cancelConcurrency = 8

// CancelRequests cancels the workflows of these requests. It returns those that
// are ending or had ended before, and the first error about the others.
func (w *Client) CancelRequests(ctx context.Context, requests []lifecycle.ID) ([]lifecycle.ID, error) {
	var (
		mutex sync.Mutex
		ended = make([]lifecycle.ID, 0, len(requests))
		// The first fault stops the rest: most likely all would meet it.
		group, groupCtx = errgroup.WithContext(ctx)
	)
	group.SetLimit(cancelConcurrency)
	for _, request := range requests {
		group.Go(func() error {
			err := w.temporal.CancelWorkflow(groupCtx, wire.RequestWorkflowID(request), "")
			var absent *serviceerror.NotFound
			if err != nil && !errors.As(err, &absent) {
				return unavailable(err)
			}
			mutex.Lock()
			defer mutex.Unlock()
			ended = append(ended, request)
			return nil
		})
	}
	err := group.Wait()
	return ended, err
}

// Ready returns nil if Temporal answers.
func (w *Client) Ready(ctx context.Context) error {
	_, err := w.temporal.CheckHealth(ctx, &client.CheckHealthRequest{})
	return unavailable(err)
}

// unavailable makes any fault of Temporal one that passes.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return lifecycle.NewError(lifecycle.KindUnavailable,
		"The workflow engine can't be reached just now; please try again later.").WithCause(err)
}

// Ending workflows in the background.
const (
	// endingsBatch is how many endings are read at once.
	endingsBatch = 200
	// endingsTimeout bounds one batch.
	endingsTimeout = 10 * time.Second
)

// EndWorkflows asks for the noted workflows to be ended soon; it does not wait.
// What fails is left to the sweep.
func (w *Client) EndWorkflows() {
	select {
	case w.kick <- struct{}{}:
	default: // the drainer has been told and has not begun
	}
}

func (w *Client) drainOnKick(ctx context.Context) {
	for {
		select {
		case <-w.stop:
			return
		case <-w.kick:
			w.drain(ctx)
		}
	}
}

// drain ends noted workflows until none is left, one fails, or it is told to
// stop.
func (w *Client) drain(ctx context.Context) {
	for {
		select {
		case <-w.stop:
			return
		default:
		}
		more, err := w.drainBatch(ctx)
		if err != nil {
			w.log.WarnContext(ctx, "workflows of deleted requests are left to the sweep",
				"kind", lifecycle.KindOf(err).String())
		}
		if err != nil || !more {
			return
		}
	}
}

func (w *Client) drainBatch(ctx context.Context) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, endingsTimeout)
	defer cancel()
	requests, err := w.endings.WorkflowEndings(ctx, endingsBatch)
	if err != nil || len(requests) == 0 {
		return false, err
	}
	ended, fault := w.CancelRequests(ctx, requests)
	if len(ended) > 0 {
		if err := w.endings.DropWorkflowEndings(ctx, ended); err != nil {
			return false, err
		}
	}
	return len(requests) == endingsBatch, fault
}
