package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/activities"
	"gatehouse/devstack"
	"gatehouse/httpapi/apitest"
	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
	"gatehouse/telemetry"
	"gatehouse/workflowclient"
	"gatehouse/workflowclient/temporaltest"
	"gatehouse/workflows"
)

const (
	// startTime bounds the start of the program.
	startTime = time.Minute
	// answerTime is how long an answer may take; the longest that one may wait
	// for a workflow is well below.
	answerTime = 15 * time.Second
	// longHead is more than the program reads of a head.
	longHead = 32 << 10
	// worldConns is the number of connections of the program, and of its worker,
	// to the database. Several of these worlds may share a server.
	worldConns = 6
)

// actors are who calls: a level, a relation to the world or none of them each.
var actors = []string{"demo-admin", "demo-sub.admin", "demo-jane.doe", "demo-approver.one", "demo-outsider", "demo-app", directory}

// operation is one of the OpenAPI document, or of SCIM.
type operation struct {
	id, method, template string
}

// world is the program as main runs it, on a Postgres and a Temporal with a
// worker, and an object of each kind in it.
type world struct {
	address    string
	schema     storetest.Schema
	operations []operation
	tokens     []string
	log        *logWatch
	// live are the ids of the objects, by the words that stand for them.
	live map[string]string
	// writes counts what was changed since the objects were made.
	writes int
	serial int
}

// newWorld starts the program. through, where given, turns the address of the
// database into that of something between the two.
func newWorld(t testing.TB, through ...func(url string) string) *world {
	t.Helper()
	schema, namespace := storetest.NewSchema(t), temporaltest.NewNamespace(t)
	w := &world{log: &logWatch{}, schema: schema}
	database := schema.AppURL
	for _, f := range through {
		database = f(database)
	}
	for path, item := range apitest.Document(t).Paths.Map() {
		for method, o := range item.Operations() {
			w.operations = append(w.operations, operation{o.OperationID, method, path})
		}
	}
	slices.SortFunc(w.operations, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	w.operations = append(w.operations, scimOperations()...)
	w.work(t, schema, namespace)
	port, err := devstack.FreePort()
	require.NoError(t, err)
	w.address = fmt.Sprintf("%s:%d", devstack.Loopback, port)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{
			"GATEHOUSE_DATABASE_URL=" + database, fmt.Sprintf("GATEHOUSE_DATABASE_MAX_CONNS=%d", worldConns),
			"GATEHOUSE_TEMPORAL_ADDRESS=" + namespace.Address, "GATEHOUSE_TEMPORAL_NAMESPACE=" + namespace.Name,
			"GATEHOUSE_API_ADDRESS=" + w.address, "GATEHOUSE_API_METRICS_ADDRESS=127.0.0.1:0",
			"GATEHOUSE_ISSUER=http://" + w.address, "GATEHOUSE_DEMO=true", "GATEHOUSE_LOG_LEVEL=debug",
			"GATEHOUSE_MAX_SOURCES=100000", "GATEHOUSE_RATE_LIMIT=0",
		}, w.log)
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, startTime, 20*time.Millisecond, "the program listens")
	w.addDirectory(t)
	for _, client := range actors {
		w.tokens = append(w.tokens, w.signIn(t, client))
	}
	w.make(t)
	return w
}

// signIn returns a token of a client whose secret is "CLIENT-secret".
func (w *world) signIn(t testing.TB, client string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {client + "-secret"}}
	answer := w.ask(t, "", http.MethodPost, "/oauth/token", "application/x-www-form-urlencoded", form.Encode())
	return text(t, answer, "access_token")
}

// work runs a worker until the test ends.
func (w *world) work(t testing.TB, schema storetest.Schema, namespace temporaltest.Namespace) {
	t.Helper()
	rows := schema.Open(t, store.Config{MaxConns: worldConns})
	log := telemetry.NewLogger(w.log, slog.LevelDebug, "json", nil)
	reach := workflowclient.New(namespace.Client, workflowclient.Options{Endings: rows, Log: log})
	workers := workflows.NewWorkers(namespace.Client, workflows.WorkerOptions{Log: log, BulkConcurrency: 1},
		&activities.Activities{
			Store: rows, Workflows: reach, Log: log, SweepGrace: time.Second, SweepConcurrency: 1,
			Bulk:     &activities.Bulk{Store: rows, Workflows: reach, JobRetention: time.Hour, ExportRetention: time.Hour},
			Absences: &activities.Absences{Store: rows, Workflows: reach},
		})
	require.NoError(t, workers.Start(t.Context()))
	t.Cleanup(func() {
		workers.Stop()
		require.NoError(t, reach.Close(context.Background()))
	})
}

// make makes the objects, in the place of those that were there.
func (w *world) make(t testing.TB) {
	t.Helper()
	if old := w.live["$source"]; old != "" {
		w.ask(t, w.tokens[0], http.MethodDelete, "/v3/non-employee-sources/"+old, "", "")
	}
	w.serial++
	w.writes = 0
	person := func(alias string) string { return lifecycle.DeriveID(demoSpace, "identity", alias).String() }
	w.live = map[string]string{
		"$person": person("jane.doe"), "$approver": person("approver.one"), "$user": w.live["$user"], "$group": w.live["$group"],
	}
	w.makeDirectory(t)
	source := w.send(t, http.MethodPost, "/v3/non-employee-sources", fmt.Sprintf(
		`{"name":"World %d","description":"d","owner":{"id":"%s"},"accountManagers":["%s"],"approvers":["%s"],"managementWorkgroup":"%s"}`,
		w.serial, person("source.admin"), person("jane.doe"), person("approver.one"), lifecycle.DeriveID(demoSpace, "workgroup", demoWorkgroup)))
	w.live["$source"] = text(t, source, "id")
	under := "/v3/non-employee-sources/" + w.live["$source"]
	// Whatever the organisation's was changed to meanwhile.
	w.send(t, http.MethodPut, under+"/lifecycle-config", `{"warnings":[],"extension":{"approval":"REQUIRED"}}`)
	w.live["$attribute"] = text(t, w.send(t, http.MethodPost, under+"/schema-attributes",
		`{"type":"TEXT","technicalName":"extra","label":"Extra"}`), "id")
	w.live["$record"] = text(t, w.send(t, http.MethodPost, "/v3/non-employee-records", w.fill(personBody("a.record"))), "id")
	request := w.send(t, http.MethodPost, "/v3/non-employee-requests", w.fill(personBody("a.request")))
	w.live["$request"] = text(t, request, "id")
	w.live["$item"] = text(t, request["approvalItems"].([]any)[0].(map[string]any), "id")
	extended := text(t, w.send(t, http.MethodPost, "/v3/non-employee-records", w.fill(personBody("an.extended.record"))), "id")
	extension := w.send(t, http.MethodPost, "/v3/non-employee-extensions",
		`{"sourceId":"`+w.live["$source"]+`","endDate":"2029-12-31","recordIds":["`+extended+`"]}`)
	w.live["$extension"] = text(t, extension, "id")
	w.live["$part"] = text(t, extension["approvalItems"].([]any)[0].(map[string]any), "id")
	w.live["$absence"] = text(t, w.send(t, http.MethodPost, w.fill("/v3/identities/$user/absences"),
		w.fill(`{"deputy":{"id":"$approver"},"startDate":"`+inAMonth(0)+`","endDate":"`+inAMonth(1)+`"}`)), "id")
	w.live["$schedule"] = text(t, w.send(t, http.MethodPost, under+"/non-employees/export-schedules",
		`{"cron":"@weekly","zone":"UTC","keep":1}`), "id")
	w.live["$token"], w.live["$client"] = "a.token", "a.client"
	rows := w.schema.Open(t, store.Config{MaxConns: 2})
	for _, client := range []lifecycle.Client{
		{ID: w.live["$token"], IdentityID: lifecycle.DeriveID(demoSpace, "identity", "john.roe")}, {ID: w.live["$client"]},
	} {
		client.Name, client.SecretHash, client.Active, client.Created = "A client", []byte("none"), true, storetest.Now()
		require.NoError(t, rows.EnsureClient(t.Context(), client))
	}
	w.makeDelivery(t, rows)
	w.live["$job"] = text(t, w.ask(t, w.tokens[0], http.MethodPost, under+"/non-employee-bulk-upload", aForm, formOf(aFile)), "id")
}

// makeDelivery makes an endpoint, in the place of all that there are, and a delivery
// to it.
func (w *world) makeDelivery(t testing.TB, rows *store.Store) {
	t.Helper()
	endpoints, err := rows.ListWebhooks(t.Context())
	require.NoError(t, err)
	for _, endpoint := range endpoints {
		require.NoError(t, rows.DeleteWebhook(t.Context(), endpoint.ID))
	}
	endpoint := lifecycle.WebhookEndpoint{
		ID: lifecycle.NewID(), URL: "https://hooks.example.com", Secret: []byte("secret"), Enabled: true, Created: storetest.Now(), Modified: storetest.Now(),
	}
	require.NoError(t, rows.CreateWebhook(t.Context(), endpoint))
	for relayed := 1; relayed > 0; {
		relayed, err = rows.RelayEvents(t.Context(), 1000, false)
		require.NoError(t, err)
	}
	deliveries, _, err := rows.ListDeliveries(t.Context(), lifecycle.DeliveryQuery{Endpoint: endpoint.ID, Limit: 1})
	require.NoError(t, err)
	require.NotEmpty(t, deliveries)
	w.live["$webhook"], w.live["$delivery"] = endpoint.ID.String(), deliveries[0].ID.String()
}

// inAMonth is a day so many days after one that is a month from now.
func inAMonth(days int) string { return storetest.Now().AddDate(0, 1, days).Format(time.DateOnly) }

// fill puts ids in the place of the words that stand for them.
func (w *world) fill(text string) string {
	for _, word := range slices.Sorted(maps.Keys(w.live)) {
		text = strings.ReplaceAll(text, word, w.live[word])
	}
	return text
}

func (w *world) send(t testing.TB, method, path, body string) map[string]any {
	t.Helper()
	return w.ask(t, w.tokens[0], method, path, "application/json", body)
}

// ask makes a call that must succeed.
func (w *world) ask(t testing.TB, token, method, path, media, body string) map[string]any {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+w.address+path, strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if media != "" {
		request.Header.Set("Content-Type", media)
	}
	response, err := (&http.Client{Timeout: answerTime}).Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	if method == http.MethodDelete && response.StatusCode == http.StatusNotFound {
		return nil
	}
	require.Less(t, response.StatusCode, 300, "%s %s: %s", method, path, content)
	var answer map[string]any
	if len(content) > 0 {
		require.NoError(t, json.Unmarshal(content, &answer), "%s", content)
	}
	return answer
}

func text(t testing.TB, object map[string]any, name string) string {
	t.Helper()
	value, ok := object[name].(string)
	require.True(t, ok, "%v has no %s", object, name)
	return value
}

// answer is what came back; its header has no X-Request-Id where net/http
// answered without asking the program.
type answer struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

// exchange sends the request and reads the one answer. net/http closes the
// connection on what is no HTTP without reading the rest, and what it answered may
// be lost by that. So a lost answer counts as such a refusal where the head can't
// be read, and else the head alone has to be refused.
func (w *world) exchange(t testing.TB, method string, head, body string) answer {
	t.Helper()
	got, err := w.once(t, method, fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body))
	if err == nil {
		return got
	}
	require.ErrorIs(t, err, syscall.ECONNRESET, "%.300q", head)
	alone := head + "Content-Length: 0\r\n\r\n"
	if _, err := http.ReadRequest(bufio.NewReader(strings.NewReader(alone))); err != nil || len(alone) > longHead {
		return answer{status: http.StatusBadRequest, header: http.Header{}}
	}
	got, err = w.once(t, method, alone)
	require.NoError(t, err, "%.300q", head)
	require.Empty(t, got.header.Get("X-Request-Id"), "an answer was lost: %.300q", head)
	return got
}

func (w *world) once(t testing.TB, method, request string) (answer, error) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.address)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	began := time.Now()
	require.NoError(t, conn.SetDeadline(began.Add(2*answerTime)))
	// A server that refuses the beginning may not read the rest; what it answered
	// is there all the same.
	_, _ = io.WriteString(conn, request)
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, body, time.Since(began)}, err
}

// logWatch is the log of the program; it keeps the lines that there must not be.
type logWatch struct {
	lock sync.Mutex
	part []byte
	bad  []string
}

// Write implements io.Writer.
func (l *logWatch) Write(p []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	l.part = append(l.part, p...)
	for {
		line, rest, whole := bytes.Cut(l.part, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		l.judge(line)
		l.part = append([]byte(nil), rest...)
	}
}

// judge looks for lines that are no event of the program's: a value that a client
// sent may end no line, and begin none.
func (l *logWatch) judge(line []byte) {
	var event struct {
		Time  time.Time  `json:"time"`
		Level slog.Level `json:"level"`
	}
	switch err := json.Unmarshal(line, &event); {
	case err != nil, event.Time.IsZero(), event.Level >= slog.LevelError, bytes.ContainsAny(line, "\x1b\r"):
		l.bad = append(l.bad, string(line))
	}
}

// take returns the bad lines, once.
func (l *logWatch) take() []string {
	l.lock.Lock()
	defer l.lock.Unlock()
	bad := l.bad
	l.bad = nil
	return bad
}
