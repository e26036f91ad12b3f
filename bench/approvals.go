package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// flow is a number of approvals done by a number of clients.
type flow struct {
	approve []time.Duration
	perSec  float64
}

// rounds is how often baseline and ours take turns, so that what else the
// machine does falls on both.
const rounds = 3

// approvals measures requests from submission to record, at 1 and 16 clients,
// against the empty workflow.
func (r *rig) approvals(ctx context.Context, n int) ([]result, error) {
	source, err := r.source(ctx, "Approvals", "approver.one")
	if err != nil {
		return nil, err
	}
	base := func(ctx context.Context) (time.Duration, error) {
		return baselineApproval(ctx, r.temporal, "bench/"+uuid.NewString())
	}
	ours := func(ctx context.Context) (time.Duration, error) { return r.approval(ctx, source) }
	// Both once before they count.
	for _, one := range []func(context.Context) (time.Duration, error){base, ours} {
		if _, err := drive(ctx, 2, 8, one); err != nil {
			return nil, err
		}
	}
	var results []result
	for _, clients := range []int{1, 16} {
		var b, o flow
		for range rounds {
			each := max(clients, n/rounds)
			measured, err := drive(ctx, clients, each, base)
			if err != nil {
				return nil, fmt.Errorf("the empty workflow: %w", err)
			}
			b = b.and(measured)
			if measured, err = drive(ctx, clients, each, ours); err != nil {
				return nil, fmt.Errorf("a request: %w", err)
			}
			o = o.and(measured)
		}
		bp, op := percentile(b.approve, 0.5), percentile(o.approve, 0.5)
		results = append(results, result{
			Name: fmt.Sprintf("submitted to record, %d clients", clients), Unit: "/s",
			Baseline: b.perSec / rounds, Ours: o.perSec / rounds, Ratio: o.perSec / b.perSec,
			Bar: "at least 0.8x", Met: o.perSec >= 0.8*b.perSec,
		}, result{
			Name: fmt.Sprintf("approve, p50, %d clients", clients), Unit: "ms",
			Baseline: bp, Ours: op, Ratio: op / bp,
			Bar: "at most 1.5x + 5 ms", Met: op <= 1.5*bp+5,
		}, result{
			Name: fmt.Sprintf("approve, p99, %d clients", clients), Unit: "ms",
			Baseline: percentile(b.approve, 0.99), Ours: percentile(o.approve, 0.99),
			Ratio: percentile(o.approve, 0.99) / percentile(b.approve, 0.99), Bar: "reported", Met: true,
		})
	}
	return results, nil
}

func (f flow) and(g flow) flow {
	return flow{approve: append(f.approve, g.approve...), perSec: f.perSec + g.perSec}
}

// drive has clients do n approvals together.
func drive(ctx context.Context, clients, n int, one func(context.Context) (time.Duration, error)) (flow, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 10*time.Minute, errors.New("the measurement takes too long"))
	defer cancel()
	var (
		left   atomic.Int64
		group  sync.WaitGroup
		mu     sync.Mutex
		f      flow
		failed error
	)
	left.Store(int64(n))
	begin := time.Now()
	for range clients {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				took, err := one(ctx)
				mu.Lock()
				if err != nil && failed == nil {
					failed = err
				}
				f.approve = append(f.approve, took)
				stop := failed != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	group.Wait()
	f.perSec = float64(n) / time.Since(begin).Seconds()
	return f, failed
}

// toldInterval is how often it is asked whether an approver was told. Clients wait
// for that: nobody decides before, and an Update that meets the first workflow task
// may wait 2 s in the server.
const toldInterval = 10 * time.Millisecond

// outbox tells many clients which approvers were told, by one query at a time: the
// clients of the empty workflow learn it for nothing.
type outbox struct {
	rows    *pgx.Conn
	stop    context.CancelFunc
	stopped sync.WaitGroup

	mu sync.Mutex
	// waiting are the items that clients ask about, closed once theirs is told.
	waiting map[string]chan struct{}
}

func openOutbox(ctx context.Context, url string) (*outbox, error) {
	rows, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	o := &outbox{rows: rows, stop: stop, waiting: map[string]chan struct{}{}}
	o.stopped.Go(func() { o.watch(ctx) })
	return o, nil
}

func (o *outbox) close(ctx context.Context) {
	o.stop()
	o.stopped.Wait()
	_ = o.rows.Close(ctx)
}

// watch looks into the outbox until ctx ends.
func (o *outbox) watch(ctx context.Context) {
	tick := time.NewTicker(toldInterval)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		o.mu.Lock()
		items := slices.Collect(maps.Keys(o.waiting))
		o.mu.Unlock()
		if len(items) == 0 {
			continue
		}
		// What fails is asked again; a client gives up by its own deadline.
		answer, _ := o.rows.Query(ctx, `SELECT i.id::text FROM approval_items AS i JOIN notifications AS n
			ON n.event = 'decision_needed' AND n.request_id = i.request_id AND n.item_id = i.id
			WHERE i.id = ANY ($1::uuid[])`, items)
		told, _ := pgx.CollectRows(answer, pgx.RowTo[string])
		o.mu.Lock()
		for _, item := range told {
			close(o.waiting[item])
			delete(o.waiting, item)
		}
		o.mu.Unlock()
	}
}

// await waits until the approver of the item is told.
func (o *outbox) await(ctx context.Context, item string) error {
	told := make(chan struct{})
	o.mu.Lock()
	o.waiting[item] = told
	o.mu.Unlock()
	select {
	case <-told:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// approval makes one request and approves it once its approver is told; the
// record is made when the approval is answered. It returns how long the approval
// took.
func (r *rig) approval(ctx context.Context, source string) (time.Duration, error) {
	item, err := r.accept(ctx, source, uuid.NewString())
	if err != nil {
		return 0, err
	}
	if err = r.outbox.await(ctx, item); err != nil {
		return 0, err
	}
	return r.approve(ctx, item)
}

// accept makes a request and returns the id of its item.
func (r *rig) accept(ctx context.Context, source, account string) (item string, err error) {
	var request struct {
		ApprovalItems []struct{ ID string } `json:"approvalItems"`
	}
	err = r.post(ctx, "jane.doe", "/non-employee-requests", map[string]any{
		"sourceId": source, "accountName": account, "firstName": "First", "lastName": "Last",
		"email": account + "@example.com", "phone": "1", "manager": "john.roe",
		"startDate": "2027-01-01", "endDate": "2027-12-31",
	}, &request)
	if err != nil {
		return "", err
	}
	if len(request.ApprovalItems) != 1 {
		return "", fmt.Errorf("the request has %d approval items", len(request.ApprovalItems))
	}
	return request.ApprovalItems[0].ID, nil
}

// approve approves the item and returns how long that took.
func (r *rig) approve(ctx context.Context, id string) (time.Duration, error) {
	begin := time.Now()
	var item struct{ ApprovalStatus string }
	err := r.post(ctx, "approver.one", "/non-employee-approvals/"+id+"/approve", map[string]string{}, &item)
	if err == nil && item.ApprovalStatus != "APPROVED" {
		err = fmt.Errorf("the item is %q", item.ApprovalStatus)
	}
	return time.Since(begin), err
}
