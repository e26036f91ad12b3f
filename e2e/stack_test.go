package e2e_test

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"

	"gatehouse/devstack"
	"gatehouse/store"
)

// copiesVariable says how many processes of API and of worker there are, behind a
// balancer. Tests that take the API or the worker away take all of them.
const copiesVariable = "GATEHOUSE_TEST_COPIES"

// stack is the running system, one for all tests: the real programs on a real
// Postgres and a real Temporal. Tests that take a part away run one after
// another and bring it back.
var stack *system

type system struct {
	*devstack.Stack
	apiURL   string
	db       *sql.DB
	temporal client.Client
}

const (
	// startLimit bounds the start of everything, the build of the programs included.
	startLimit = 10 * time.Minute
	// stopLimit bounds how long a program takes to finish what it has begun:
	// GATEHOUSE_SHUTDOWN_TIMEOUT and some.
	stopLimit = 25 * time.Second
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests wait for the programs more than they work themselves.
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(run(m))
}

// together runs tests that get along with one another at the same time, and ends
// when all have.
func together(t *testing.T, tests map[string]func(*testing.T)) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	dir, err := os.MkdirTemp("", "gatehouse-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	copies, err := strconv.Atoi(cmp.Or(os.Getenv(copiesVariable), "1"))
	if err != nil || copies < 1 {
		fmt.Fprintln(os.Stderr, copiesVariable, "is not a number of processes")
		return 1
	}
	started, err := devstack.Start(ctx, devstack.Options{
		Dir: dir, Race: true, Demo: true, Copies: copies, Log: &launcher, Echo: true,
		Env: map[string]string{
			// Short, so that the tests don't wait for what operators wait for.
			"GATEHOUSE_SWEEP_INTERVAL": "2s",
			"GATEHOUSE_SWEEP_RECHECK":  "2s",
			// Long, so that a busy machine answers all the same.
			"GATEHOUSE_DECISION_TIMEOUT": "20s",
			"GATEHOUSE_LOG_LEVEL":        "debug",
			// The one test of the rate limit starts an API of its own.
			"GATEHOUSE_RATE_LIMIT": "0",
			// Milliseconds, so that the tests of traces don't wait either.
			"OTEL_EXPORTER_OTLP_ENDPOINT": traces.serve(), "OTEL_BSP_SCHEDULE_DELAY": "200",
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, launcher.String(), "the stack does not start:", err)
		return 1
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := started.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "the stack does not stop:", err)
		}
	}()
	stack = &system{Stack: started, apiURL: started.APIURL()}
	database, err := pgx.ParseConfig(started.Postgres.URL())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// A connection may have ended with a server that was stopped a moment ago.
	stack.db = stdlib.OpenDB(*database, stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return true }))
	defer func() { _ = stack.db.Close() }()
	// Not a lazy one: its first call must not be one that finds Temporal just back.
	stack.temporal, err = client.DialContext(ctx, client.Options{
		HostPort: started.Temporal.Address(), Namespace: started.Temporal.Namespace(),
		Logger: log.NewStructuredLogger(nil),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer stack.temporal.Close()
	return m.Run()
}

// patience bounds a step of a test that stops or starts something.
func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), waitTimeout)
	t.Cleanup(cancel)
	return ctx
}

func (s *system) execute(t *testing.T, query string, args ...any) {
	t.Helper()
	_, err := s.db.ExecContext(patience(t), query, args...)
	require.NoError(t, err)
}

func (s *system) count(t *testing.T, query string, args ...any) int {
	t.Helper()
	var n int
	require.NoError(t, s.db.QueryRowContext(patience(t), query, args...).Scan(&n))
	return n
}

func (s *system) text(t *testing.T, query string, args ...any) string {
	t.Helper()
	var text string
	require.NoError(t, s.db.QueryRowContext(patience(t), query, args...).Scan(&text))
	return text
}

// rows opens the store, for what no operation of the API does.
func (s *system) rows(t *testing.T) *store.Store {
	t.Helper()
	rows, err := store.Open(t.Context(), store.Config{URL: s.Postgres.AppURL(), MaxConns: 2})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rows.Close()) })
	return rows
}

// hold is a transaction that stays open: whoever needs what it took waits.
type hold struct {
	system  *system
	tx      *sql.Tx
	backend int
}

// hold runs a statement in a transaction that stays open until it is released or
// the test ends.
func (s *system) hold(t *testing.T, query string, args ...any) *hold {
	t.Helper()
	tx, err := s.db.BeginTx(context.WithoutCancel(t.Context()), nil)
	require.NoError(t, err)
	h := &hold{system: s, tx: tx}
	t.Cleanup(h.release)
	_, err = tx.ExecContext(patience(t), query, args...)
	require.NoError(t, err)
	require.NoError(t, tx.QueryRowContext(patience(t), `SELECT pg_backend_pid()`).Scan(&h.backend))
	return h
}

// release lets go of what is held. It may be gone with its server already.
func (h *hold) release() { _ = h.tx.Rollback() }

// await waits until somebody waits for what is held.
func (h *hold) await(t *testing.T) {
	t.Helper()
	eventually(t, "somebody waits for what is held", func() bool {
		return h.system.count(t, `SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))`, h.backend) > 0
	})
}

// holdItem holds the row of an approval item, as a decision does: whoever refers
// to it goes on.
func (s *system) holdItem(t *testing.T, item string) *hold {
	t.Helper()
	return s.hold(t, `SELECT 1 FROM approval_items WHERE id = $1 FOR NO KEY UPDATE`, item)
}

// holdRow holds the name of a row of a sample, the first being number 1: an
// import of it into the source stands still in the chunk that makes this record,
// with the chunk's transaction open.
func (s *system) holdRow(t *testing.T, source object, number int) *hold {
	t.Helper()
	return s.hold(t, `INSERT INTO account_names (source_id, folded, holder) VALUES ($1, $2, $1)`,
		source.id(), fmt.Sprintf("worker.%07d", number-1))
}

// holdChunk holds the place of a chunk in the file of an export, the first being
// number 0: every attempt stands still there.
func (s *system) holdChunk(t *testing.T, export string, number int) *hold {
	t.Helper()
	return s.hold(t, `INSERT INTO export_chunks (job_id, attempt, number, bytes)
		SELECT $1::uuid, attempt, $2::integer, '' FROM generate_series(1, 100) AS attempt`, export, number)
}

// blockedTransactions counts the transactions that wait for a lock.
func (s *system) blockedTransactions(t *testing.T) int {
	t.Helper()
	return s.count(t, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)
}

func (s *system) stopTemporal(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Temporal.Pause(patience(t)))
	t.Cleanup(func() { s.startTemporal(t) })
}

func (s *system) startTemporal(t *testing.T) {
	t.Helper()
	if s.Temporal.PID() == 0 {
		require.NoError(t, s.Temporal.Resume(patience(t)))
	}
}

func (s *system) pauseTemporal(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Temporal.Signal(syscall.SIGSTOP))
	t.Cleanup(func() { _ = s.Temporal.Signal(syscall.SIGCONT) })
}

func (s *system) resumeTemporal(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Temporal.Signal(syscall.SIGCONT))
}

func (s *system) stopPostgres(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Postgres.Pause(patience(t)))
	t.Cleanup(func() { s.startPostgres(t) })
}

func (s *system) startPostgres(t *testing.T) {
	t.Helper()
	if s.Postgres.PID() == 0 {
		require.NoError(t, s.Postgres.Resume(patience(t)))
	}
}

func (s *system) killAPI(t *testing.T) {
	t.Helper()
	require.NoError(t, s.API.Kill())
	t.Cleanup(func() { s.startAPI(t) })
}

func (s *system) startAPI(t *testing.T) {
	t.Helper()
	require.NoError(t, s.API.Start(patience(t)))
}

// hurryAPI has the API answer soon that a decision got no answer, for the tests
// that wait for that.
func (s *system) hurryAPI(t *testing.T) {
	t.Helper()
	s.killAPI(t)
	s.startWith(t, "api", s.API[0], map[string]string{"GATEHOUSE_DECISION_TIMEOUT": "2s"})
}

func (s *system) killWorker(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Worker.Kill())
	t.Cleanup(func() { s.startWorker(t) })
}

func (s *system) startWorker(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Worker.Start(patience(t)))
}

// pauseWorker has the worker do nothing until resumeWorker or the end of the test.
func (s *system) pauseWorker(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Worker.Signal(syscall.SIGSTOP))
	t.Cleanup(func() { _ = s.Worker.Signal(syscall.SIGCONT) })
}

func (s *system) resumeWorker(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Worker.Signal(syscall.SIGCONT))
}

// startWorkerWith runs one worker with further settings in the place of those
// that were killed, until stop is called or the test ends.
func (s *system) startWorkerWith(t *testing.T, settings map[string]string) (stop func()) {
	t.Helper()
	end := s.startWith(t, "worker", s.Worker[0], settings)
	return func() { _ = end() }
}

// startWith runs a program with further settings in the place of a copy that
// was killed. end, called by the end of the test at the latest, has it stop by
// SIGTERM, and returns how it ended; one that takes too long is killed.
func (s *system) startWith(t *testing.T, name string, instead *devstack.Program, settings map[string]string) (end func() error) {
	t.Helper()
	log, err := os.OpenFile(instead.LogPath(), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	program := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(s.Dir(), "bin", name))
	program.Dir, program.Stdout, program.Stderr = s.Dir(), log, log
	program.Env = os.Environ()
	for _, variables := range []map[string]string{s.Environ(), instead.Environ(), settings} {
		for variable, value := range variables {
			program.Env = append(program.Env, variable+"="+value)
		}
	}
	require.NoError(t, program.Start())
	end = sync.OnceValue(func() error {
		_ = program.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(stopLimit, func() { _ = program.Process.Kill() })
		defer late.Stop()
		return errors.Join(program.Wait(), log.Close())
	})
	t.Cleanup(func() { _ = end() })
	metricsURL := instead.MetricsURL()
	if address, other := settings["GATEHOUSE_API_METRICS_ADDRESS"]; other {
		metricsURL = "http://" + address
	}
	eventually(t, "the "+name+" is ready", func() bool {
		request, err := http.NewRequestWithContext(patience(t), http.MethodGet, metricsURL+"/readyz", nil)
		require.NoError(t, err)
		response, err := httpClient.Do(request)
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return end
}

// startAnotherAPI runs an API with further settings beside the stack's own, until
// the test ends, and returns its base URL.
func (s *system) startAnotherAPI(t *testing.T, settings map[string]string) string {
	t.Helper()
	address := func() string {
		port, err := devstack.FreePort()
		require.NoError(t, err)
		return fmt.Sprintf("%s:%d", devstack.Loopback, port)
	}
	own, metrics := address(), address()
	all := map[string]string{"GATEHOUSE_API_ADDRESS": own, "GATEHOUSE_API_METRICS_ADDRESS": metrics}
	maps.Copy(all, settings)
	s.startWith(t, "api", s.API[0], all)
	return "http://" + own
}

// running reports whether a workflow of the request runs.
func (s *system) running(t *testing.T, request string) bool {
	t.Helper()
	answer, err := insist(t, func(ctx context.Context) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
		return s.temporal.DescribeWorkflowExecution(ctx, "request/"+request, "")
	})
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return false
	}
	require.NoError(t, err)
	return answer.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
}

// insist asks Temporal until it answers: one that has just been started again
// gives up some calls by itself.
func insist[T any](t *testing.T, call func(context.Context) (T, error)) (T, error) {
	t.Helper()
	ctx := patience(t)
	for {
		answer, err := call(ctx)
		var late *serviceerror.DeadlineExceeded
		var away *serviceerror.Unavailable
		if ctx.Err() != nil || !errors.As(err, &late) && !errors.As(err, &away) {
			return answer, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *system) terminate(t *testing.T, request string) {
	t.Helper()
	require.NoError(t, s.temporal.TerminateWorkflow(patience(t), "request/"+request, "", "a test"))
}

// deleteWorkflow makes Temporal forget the workflow, history and all.
func (s *system) deleteWorkflow(t *testing.T, request string) {
	t.Helper()
	s.terminate(t, request)
	id := "request/" + request
	described, err := s.temporal.DescribeWorkflowExecution(patience(t), id, "")
	require.NoError(t, err)
	_, err = s.temporal.WorkflowService().DeleteWorkflowExecution(patience(t), &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: s.Temporal.Namespace(), WorkflowExecution: described.GetWorkflowExecutionInfo().GetExecution(),
	})
	require.NoError(t, err)
}

// details returns the current details of the request's workflow.
func (s *system) details(t *testing.T, request string) string {
	t.Helper()
	return s.detailsOf(t, "request/"+request)
}

func (s *system) detailsOf(t *testing.T, workflow string) string {
	t.Helper()
	answer, err := insist(t, func(ctx context.Context) (converter.EncodedValue, error) {
		return s.temporal.QueryWorkflow(ctx, workflow, "", "__temporal_workflow_metadata")
	})
	require.NoError(t, err)
	var metadata sdkpb.WorkflowMetadata
	require.NoError(t, answer.Get(&metadata))
	return metadata.GetCurrentDetails()
}

func (s *system) countWorkflows(t *testing.T, query string) int {
	t.Helper()
	answer, err := insist(t, func(ctx context.Context) (*workflowservice.CountWorkflowExecutionsResponse, error) {
		return s.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	})
	require.NoError(t, err)
	return int(answer.GetCount())
}

// signal sends a payload as the command line would, JSON that may be anything.
func (s *system) signal(t *testing.T, request, name, payload string) {
	t.Helper()
	require.NoError(t, s.temporal.SignalWorkflow(patience(t), "request/"+request, "", name, json.RawMessage(payload)))
}

func (s *system) signalObject(t *testing.T, request, name string, payload object) {
	t.Helper()
	require.NoError(t, s.temporal.SignalWorkflow(patience(t), "request/"+request, "", name, payload))
}

// metric returns the sum of a counter of the workers over its labels.
func (s *system) metric(t *testing.T, name string) float64 {
	t.Helper()
	var sum float64
	for line := range strings.Lines(s.metrics(t, s.Worker)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, name+"{") || strings.HasPrefix(line, name+" ") {
			value, err := strconv.ParseFloat(line[strings.LastIndex(line, " ")+1:], 64)
			require.NoError(t, err)
			sum += value
		}
	}
	return sum
}

// metrics returns all that the copies of a program show that run at this moment;
// at least one does.
func (s *system) metrics(t *testing.T, copies devstack.Copies) string {
	t.Helper()
	var shown strings.Builder
	for _, program := range copies {
		request, err := http.NewRequestWithContext(patience(t), http.MethodGet, program.MetricsURL()+"/metrics", http.NoBody)
		require.NoError(t, err)
		response, err := httpClient.Do(request)
		if errors.Is(err, syscall.ECONNREFUSED) {
			continue
		}
		require.NoError(t, err)
		_, err = io.Copy(&shown, response.Body)
		_ = response.Body.Close()
		require.NoError(t, err)
	}
	require.NotEmpty(t, shown.String())
	return shown.String()
}

// logs returns what the copies of a program have logged.
func (s *system) logs(t *testing.T, copies devstack.Copies) string {
	t.Helper()
	var logged strings.Builder
	for _, program := range copies {
		text, err := os.ReadFile(program.LogPath())
		require.NoError(t, err)
		logged.Write(text)
	}
	return logged.String()
}

// histories returns every history in the namespace, each as JSON with its
// payloads decoded and with what is pending, and every schedule.
func (s *system) histories(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	schedules, err := s.temporal.ScheduleClient().List(patience(t), client.ScheduleListOptions{})
	require.NoError(t, err)
	for schedules.HasNext() {
		schedule, err := schedules.Next()
		require.NoError(t, err)
		encoded, err := json.Marshal(schedule)
		require.NoError(t, err)
		found[schedule.ID] = decodePayloads(string(encoded))
	}
	var token []byte
	for {
		page, err := s.temporal.ListWorkflow(patience(t), &workflowservice.ListWorkflowExecutionsRequest{PageSize: 500, NextPageToken: token})
		require.NoError(t, err)
		for _, execution := range page.GetExecutions() {
			id, run := execution.GetExecution().GetWorkflowId(), execution.GetExecution().GetRunId()
			var text strings.Builder
			memo, err := json.Marshal(execution)
			require.NoError(t, err)
			text.Write(memo)
			if execution.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
				described, err := s.temporal.DescribeWorkflowExecution(patience(t), id, run)
				require.NoError(t, err)
				pending, err := json.Marshal(described.GetPendingActivities())
				require.NoError(t, err)
				text.Write(pending)
			}
			events := s.temporal.GetWorkflowHistory(patience(t), id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
			for events.HasNext() {
				event, err := events.Next()
				require.NoError(t, err)
				encoded, err := json.Marshal(event)
				require.NoError(t, err)
				text.Write(encoded)
				text.WriteString("\n")
			}
			found[id+" "+run] = decodePayloads(text.String())
		}
		if token = page.GetNextPageToken(); len(token) == 0 {
			return found
		}
	}
}
