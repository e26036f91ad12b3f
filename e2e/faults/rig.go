package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"gatehouse/devstack"
	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/workflows/wire"
)

const (
	// patience is how long after the last harm clients still repeat their calls.
	patience = 2 * time.Minute
	// restLimit bounds how long the system takes to come to rest.
	restLimit = 5 * time.Minute
	// restful is the check that it does.
	restful = "the system comes to rest by itself"
	// maxSources is how many sources there may be, of which a run makes some.
	maxSources = 8
	// probing is what the tally calls the calls that look whether the API is of use.
	probing = "probe"
)

// rig is the running system with what the run needs of it.
type rig struct {
	options options
	dir     string
	// keep leaves the directory where it is.
	keep     bool
	stack    *devstack.Stack
	rows     *pgxpool.Pool
	temporal client.Client
	http     *http.Client
	ledger   *ledger
	tally    *tally
	// out is what say writes to, a line at a time.
	out    io.Writer
	saying sync.Mutex
	// sources are those of requests, with one approver, two and three, and one that
	// files alone go into.
	sources   []string
	approvers map[string]int
	tokens    map[string]string
	ids       map[string]string

	receiver *httptest.Server
	// watching ends when the rig closes; heard counts mails by delivery and postings
	// by event.
	watching context.CancelFunc
	watchers sync.WaitGroup
	mutex    sync.Mutex
	mails    map[string]int
	postings map[string]int
	lastMail int
}

// newRig starts the system, with a link between all of its parts, and signs in whom
// the load needs. out is told what goes on.
func newRig(ctx context.Context, o options, out io.Writer) (_ *rig, err error) {
	r := &rig{
		options: o, ledger: newLedger(), tally: newTally(), out: out, approvers: map[string]int{},
		tokens: map[string]string{}, ids: map[string]string{}, mails: map[string]int{}, postings: map[string]int{},
		// A connection for each call: on one that is kept, net/http sends a call again by
		// itself, which the ledger would not know.
		http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	r.say("seed %d", o.seed)
	if r.dir, err = os.MkdirTemp("", "gatehouse-faults-"); err != nil {
		return nil, err
	}
	r.stack, err = devstack.Start(ctx, devstack.Options{
		Dir: r.dir, Demo: true, Durable: true, Copies: o.copies, Links: true, Race: o.race, Log: out,
		Env: map[string]string{
			"GATEHOUSE_LOG_LEVEL":              "warn",
			"GATEHOUSE_RATE_LIMIT":             "0",
			"GATEHOUSE_TOKEN_LIFETIME":         "24h",
			"GATEHOUSE_MAX_RECORDS_PER_SOURCE": "1000000",
			"GATEHOUSE_DECISION_TIMEOUT":       "5s",
			"GATEHOUSE_SWEEP_INTERVAL":         "2s",
			"GATEHOUSE_MAX_SOURCES":            strconv.Itoa(maxSources),
		},
	})
	if err != nil {
		return nil, err
	}
	if r.rows, err = pgxpool.New(ctx, r.stack.Postgres.URL()); err != nil {
		return nil, err
	}
	r.temporal, err = client.DialContext(ctx, client.Options{
		HostPort: r.stack.Temporal.Address(), Namespace: r.stack.Namespace(),
		Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return nil, err
	}
	return r, r.furnish(ctx)
}

// close takes down what stands.
func (r *rig) close() {
	if r.watching != nil {
		r.watching()
		r.watchers.Wait()
	}
	if r.receiver != nil {
		r.receiver.Close()
	}
	if r.temporal != nil {
		r.temporal.Close()
	}
	if r.rows != nil {
		r.rows.Close()
	}
	if r.stack != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.stack.Stop(ctx); err != nil {
			r.say("stopping: %v", err)
		}
	}
	if r.keep {
		r.say("the logs are in %s", filepath.Join(r.dir, "log"))
		return
	}
	if err := os.RemoveAll(r.dir); err != nil {
		r.say("%v", err)
	}
}

func (r *rig) say(what string, args ...any) {
	r.saying.Lock()
	defer r.saying.Unlock()
	_, _ = fmt.Fprintf(r.out, "%s "+what+"\n", append([]any{time.Now().UTC().Format("15:04:05.000")}, args...)...)
}

func (r *rig) as(alias string) caller {
	return caller{http: r.http, base: r.stack.APIURL(), token: r.tokens[alias], tally: r.tally}
}

// furnish signs in, makes the sources and a webhook, and begins to listen to what is
// told.
func (r *rig) furnish(ctx context.Context) error {
	for _, alias := range append([]string{"admin", "jane.doe", "source.admin", "outsider"}, approvers...) {
		l, err := devstack.LogIn(ctx, r.http, r.stack.APIURL(), alias)
		if err != nil {
			return err
		}
		r.tokens[alias], r.ids[alias] = l.AccessToken, l.IdentityID
	}
	type reference struct {
		ID string `json:"id"`
	}
	for _, n := range []int{1, 2, 3, 0} {
		deciding := []reference{}
		for _, alias := range approvers[:n] {
			deciding = append(deciding, reference{r.ids[alias]})
		}
		var source reference
		if err := r.make(ctx, "/non-employee-sources", map[string]any{
			"name": fmt.Sprintf("Decided by %d", n), "description": "For the run", "owner": reference{r.ids["source.admin"]},
			"accountManagers": []reference{{r.ids["jane.doe"]}}, "approvers": deciding,
		}, &source); err != nil {
			return err
		}
		r.sources, r.approvers[source.ID] = append(r.sources, source.ID), n
	}
	r.receiver = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		r.postings[request.Header.Get("Webhook-Id")]++
	}))
	if err := r.make(ctx, "/webhooks", map[string]any{"url": r.receiver.URL, "events": []string{"request_decided"}}, nil); err != nil {
		return err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.watching = stop
	r.watchers.Go(func() {
		for wait(watching, 200*time.Millisecond) {
			r.hear()
		}
	})
	return nil
}

// make makes something that the run needs.
func (r *rig) make(ctx context.Context, path string, body, into any) error {
	a := r.as("admin").send(ctx, call{method: http.MethodPost, path: path, body: body})
	if a.outcome != told {
		return fmt.Errorf("POST %s: %d %s", path, a.status, a.body)
	}
	if into != nil && !a.decode(into) {
		return fmt.Errorf("POST %s: %s", path, a.body)
	}
	return nil
}

// hear counts the mails that came since it was called last; the catcher keeps only
// some.
func (r *rig) hear() {
	mails := r.stack.Mail.Mails()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, mail := range mails {
		if mail.Number > r.lastMail {
			id, _, _ := strings.Cut(strings.Trim(mail.MessageID, "<>"), "@")
			r.mails[id]++
		}
	}
	if len(mails) > 0 {
		r.lastMail = mails[0].Number
	}
}

// run does harm under load for as long as the options say, brings everything back and
// judges what is left.
func (r *rig) run(ctx context.Context) (summary, error) {
	began := time.Now()
	running, stop := context.WithTimeout(ctx, r.options.duration)
	defer stop()
	patient, giveUp := context.WithTimeout(ctx, r.options.duration+undoLimit+patience)
	defer giveUp()
	l := &load{rig: r, seed: r.options.seed, running: running, patience: patient}
	s := summary{options: r.options, began: began, tally: r.tally}
	var group sync.WaitGroup
	group.Go(l.run)
	var err error
	s.harms, err = r.doHarm(running, r.options)
	if err != nil {
		stop()
	}
	group.Wait()
	s.loaded = time.Since(began)
	if err != nil || ctx.Err() != nil {
		return s, errors.Join(err, ctx.Err())
	}
	r.say("no more harm; waiting for rest")
	var first findings
	if s.firstRest, first, err = r.judgeAtRest(ctx); err != nil {
		return s, err
	}
	r.say("deciding what is left")
	if s.left, err = l.decideAll(ctx); err != nil {
		return s, err
	}
	if s.lastRest, s.findings, err = r.judgeAtRest(ctx); err != nil {
		return s, err
	}
	s.first = first
	s.findings = append(s.findings, first.onlyWrong("before the rest was decided")...)
	last, err := r.last(ctx)
	s.findings = append(s.findings, last...)
	return s, err
}

// moving are queries that count what has yet to happen by itself.
var moving = map[string]string{
	"imports on their way":                `SELECT count(*) FROM import_jobs WHERE status IN ('RECEIVING', 'PENDING', 'IN_PROGRESS')`,
	"exports on their way":                `SELECT count(*) FROM export_jobs WHERE status IN ('PENDING', 'IN_PROGRESS')`,
	"events that nobody was told of":      `SELECT count(*) FROM notifications WHERE relayed IS NULL`,
	"deliveries on their way":             `SELECT count(*) FROM deliveries WHERE status = 'PENDING'`,
	"requests whose rows moved alone":     `SELECT count(*) FROM requests WHERE workflow_seen_at < modified`,
	"workflows that are to end":           `SELECT count(*) FROM workflow_endings`,
	"entries of the trail without a seal": `SELECT count(*) FROM audit_tail`,
	"jobs whose rows are of no use":       `SELECT count(*) FROM bulk_garbage`,
}

// judgeAtRest waits until nothing moves by itself any more, says how long that took,
// and looks at everything. What still moves when it has taken too long is a finding.
func (r *rig) judgeAtRest(ctx context.Context) (took time.Duration, found findings, err error) {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, restLimit)
	defer cancel()
	resting := checked{check: restful, looked: len(moving)}
	for {
		if r.options.hurry { // no upload is under way any more
			if _, err := r.rows.Exec(ctx, `UPDATE import_jobs SET lease_until = now() - interval '1 second' WHERE status = 'RECEIVING'`); err != nil {
				return 0, nil, err
			}
		}
		if resting.faults, err = r.moving(ctx); err != nil {
			return 0, nil, err
		}
		if len(resting.faults) == 0 || !wait(limited, 200*time.Millisecond) {
			break
		}
	}
	took = time.Since(began)
	if ctx.Err() != nil {
		return took, nil, ctx.Err()
	}
	e, done, err := r.evidence(ctx)
	if err != nil {
		return took, nil, err
	}
	defer done()
	found, err = e.check(ctx)
	return took, append(findings{resting}, found...), err
}

func (r *rig) moving(ctx context.Context) (left []string, err error) {
	for what, query := range moving {
		var n int
		if err := r.rows.QueryRow(ctx, query).Scan(&n); err != nil {
			return nil, err
		}
		if n > 0 {
			left = append(left, fmt.Sprintf("%d %s", n, what))
		}
	}
	workflows, err := r.workflows(ctx)
	if err != nil {
		return nil, err
	}
	pending := map[string]bool{}
	rows, err := r.rows.Query(ctx, `SELECT 'request/' || id FROM requests WHERE approval_status = 'PENDING'`)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, id := range ids {
		if pending[id] = true; !workflows[id] {
			left = append(left, id+" without its workflow")
		}
	}
	for id := range workflows {
		if !pending[id] && !isPassing(id) {
			left = append(left, "the workflow "+id)
		}
	}
	slices.Sort(left)
	return left[:min(len(left), 20)], err
}

// workflows are the ids of those that are open.
func (r *rig) workflows(ctx context.Context) (map[string]bool, error) {
	open := map[string]bool{}
	err := r.list(ctx, `ExecutionStatus = "Running"`, func(w *workflowpb.WorkflowExecutionInfo) { open[w.GetExecution().GetWorkflowId()] = true })
	return open, err
}

// list calls visit with each run of a workflow that the query selects.
func (r *rig) list(ctx context.Context, query string, visit func(*workflowpb.WorkflowExecutionInfo)) error {
	var token []byte
	for {
		page, err := r.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Query: query, PageSize: 1000, NextPageToken: token,
		})
		if _, away := errors.AsType[*serviceerror.Unavailable](err); away && wait(ctx, firstPause) {
			continue
		}
		if err != nil {
			return err
		}
		for _, execution := range page.GetExecutions() {
			visit(execution)
		}
		if token = page.GetNextPageToken(); len(token) == 0 {
			return nil
		}
	}
}

// evidence collects what the checker looks at; done lets go of it. The rows are those
// of a transaction that is rolled back.
func (r *rig) evidence(ctx context.Context) (e evidence, done func(), err error) {
	workflows, err := r.workflows(ctx)
	if err != nil {
		return e, nil, err
	}
	var closed []ended
	err = r.list(ctx, `WorkflowType = "`+wire.WorkflowRequest+`" AND ExecutionStatus != "Running"`, func(w *workflowpb.WorkflowExecutionInfo) {
		closed = append(closed, ended{w.GetExecution().GetWorkflowId(), w.GetStatus()})
	})
	if err != nil {
		return e, nil, err
	}
	tx, err := r.rows.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return e, nil, err
	}
	r.hear()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return evidence{
		ledger: r.ledger, approvers: r.approvers, rows: tx, workflows: workflows, ended: closed,
		mails: maps.Clone(r.mails), postings: maps.Clone(r.postings),
	}, func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }, nil
}

// decideAll has the approvers approve everything that waits, and returns how much
// that was.
func (l *load) decideAll(ctx context.Context) (decided int, err error) {
	limited, cancel := context.WithTimeout(ctx, restLimit)
	defer cancel()
	l.patience = limited
	var mutex sync.Mutex
	for {
		var left int
		if err := l.rows.QueryRow(limited, `SELECT count(*) FROM requests WHERE approval_status = 'PENDING'`).Scan(&left); err != nil {
			return decided, err
		}
		if left == 0 {
			return decided, nil
		}
		var group sync.WaitGroup
		for _, alias := range approvers {
			group.Go(func() {
				var deciding sync.WaitGroup
				for piece := range slices.Chunk(l.inbox(limited, alias), 10) {
					deciding.Go(func() {
						for _, item := range piece {
							l.decide(alias, item, "approve", false)
							mutex.Lock()
							decided++
							mutex.Unlock()
						}
					})
				}
				deciding.Wait()
			})
		}
		group.Wait()
		if limited.Err() != nil {
			return decided, fmt.Errorf("after %s %d requests are pending still", restLimit, left)
		}
	}
}

// last are the checks that need the programs: an export of each source is what its
// rows are, the chain of the audit trail holds, and no program has died by itself.
func (r *rig) last(ctx context.Context) (findings, error) {
	files := checked{check: "an export at rest has exactly the records"}
	for _, source := range r.sources {
		a, _ := r.as("admin").insist(ctx, call{kind: "export", method: http.MethodGet, path: "/non-employee-sources/" + source + "/non-employees/download"})
		found, err := people(bytes.TrimPrefix(a.body, []byte("\ufeff")))
		if err != nil {
			files.faults = append(files.faults, fmt.Sprintf("source %s: %v", source, err))
			continue
		}
		rows, err := r.rows.Query(ctx, `SELECT account_name, phone FROM records WHERE source_id = $1`, source)
		if err != nil {
			return nil, err
		}
		stored := 0
		var name, phone string
		_, err = pgx.ForEachRow(rows, []any{&name, &phone}, func() error {
			stored++
			if got, there := found[name]; !there || got != phone {
				files.faults = append(files.faults, fmt.Sprintf("source %s: %s has %q, not %q", source, name, got, phone))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		files.looked += stored
		if stored != len(found) {
			files.faults = append(files.faults, fmt.Sprintf("source %s: %d rows of %d records", source, len(found), stored))
		}
	}
	trail := checked{check: "the chain of the audit trail holds"}
	rows, err := store.Open(ctx, store.Config{URL: r.stack.Postgres.AppURL(), MaxConns: 2, StatementTimeout: time.Minute})
	if err != nil {
		return nil, err
	}
	report, err := rows.VerifyAudit(ctx, nil, func(fault lifecycle.AuditFault) error {
		told, err := json.Marshal(fault)
		trail.faults = append(trail.faults, string(told))
		return err
	})
	if err = errors.Join(err, rows.Close()); err != nil {
		return nil, err
	}
	trail.looked = int(report.Sealed)
	alive := checked{check: "no program dies by itself"}
	processes := []*devstack.Process{r.stack.Postgres.Process, r.stack.Temporal.Process}
	for _, copies := range []devstack.Copies{r.stack.API, r.stack.Worker} {
		for _, program := range copies {
			processes = append(processes, program.Process)
		}
	}
	for _, process := range processes {
		alive.looked++
		if n := process.Restarts(); n > 0 {
			alive.faults = append(alive.faults, fmt.Sprintf("%d times, see %s", n, process.LogPath()))
		}
	}
	return findings{files, trail, alive}, nil
}
