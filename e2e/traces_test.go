package e2e_test

import (
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"gatehouse/devstack"
	"gatehouse/workflows/wire"
)

// traces takes what the programs export, all of it, for as long as the tests run.
var traces = &traceCollector{byTrace: map[string][]span{}, byTracking: map[string]span{}, texts: map[string]bool{}}

// span is what the tests look at of one.
type span struct {
	program, name, trace, id, parent string
	// links are the traces that it links to.
	links []string
}

// traceCollector is as much of an OTLP receiver as the programs need.
type traceCollector struct {
	lock    sync.Mutex
	byTrace map[string][]span
	// byTracking are the calls by their tracking ids.
	byTracking map[string]span
	// texts are all that the exports held, each once, but for ids and times.
	texts map[string]bool
}

// serve takes exports until the end of the process and returns where.
func (c *traceCollector) serve() string {
	return httptest.NewServer(http.HandlerFunc(c.take)).URL
}

func (c *traceCollector) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var export collectorpb.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &export)
	}
	if err != nil || r.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	for _, resource := range export.GetResourceSpans() {
		program := c.note(resource.GetResource().GetAttributes())["service.name"]
		for _, scope := range resource.GetScopeSpans() {
			c.texts[scope.GetScope().String()] = true
			for _, each := range scope.GetSpans() {
				c.keep(program, each)
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(http.StatusOK)
}

func (c *traceCollector) keep(program string, from *tracepb.Span) {
	s := span{
		program: program, name: from.GetName(), trace: hex.EncodeToString(from.GetTraceId()),
		id: hex.EncodeToString(from.GetSpanId()), parent: hex.EncodeToString(from.GetParentSpanId()),
	}
	for _, link := range from.GetLinks() {
		s.links = append(s.links, hex.EncodeToString(link.GetTraceId()))
		c.note(link.GetAttributes())
	}
	c.texts[from.GetName()+"\n"+from.GetTraceState()+"\n"+from.GetStatus().GetMessage()] = true
	for _, event := range from.GetEvents() {
		c.texts[event.String()] = true
	}
	attributes := c.note(from.GetAttributes())
	c.byTrace[s.trace] = append(c.byTrace[s.trace], s)
	if id := attributes["gatehouse.tracking_id"]; id != "" && from.GetKind() == tracepb.Span_SPAN_KIND_SERVER {
		c.byTracking[id] = s
	}
}

// idsAndNumbers are different each time, and say nothing.
var idsAndNumbers = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b|[0-9]+`)

func (c *traceCollector) note(attributes []*commonpb.KeyValue) map[string]string {
	values := map[string]string{}
	for _, a := range attributes {
		values[a.GetKey()] = a.GetValue().GetStringValue()
		c.texts[a.GetKey()+"="+idsAndNumbers.ReplaceAllString(a.GetValue().String(), "…")] = true
	}
	return values
}

// all is everything that was exported, as one text.
func (c *traceCollector) all() string {
	c.lock.Lock()
	defer c.lock.Unlock()
	return strings.Join(slices.Sorted(maps.Keys(c.texts)), "\n")
}

// find waits until all these spans of the trace have come, and returns them by name,
// of several of one name the last.
func (c *traceCollector) find(t *testing.T, trace string, names ...string) map[string]span {
	t.Helper()
	found := map[string]span{}
	eventually(t, "the spans "+strings.Join(names, ", "), func() bool {
		c.lock.Lock()
		defer c.lock.Unlock()
		for _, s := range c.byTrace[trace] {
			found[s.name] = s
		}
		return !slices.ContainsFunc(names, func(name string) bool { return found[name].id == "" })
	})
	return found
}

// callOf waits for the span of the call that an answer came from.
func (c *traceCollector) callOf(t *testing.T, a answer) span {
	t.Helper()
	var call span
	eventually(t, "the span of the call", func() bool {
		c.lock.Lock()
		defer c.lock.Unlock()
		call = c.byTracking[a.header.Get("X-Request-Id")]
		return call.id != ""
	})
	return call
}

// TestOneTraceLeadsFromTheCallToTheRecord: through both programs and Temporal. A
// decision is a call of its own; its trace and that of the request link to each other.
func TestOneTraceLeadsFromTheCallToTheRecord(t *testing.T) {
	source := newSource(t)
	asked := as(t, "jane.doe").post("/non-employee-requests", person(source)).want(200)
	awaitEnd(t, asked.object().id())
	call := traces.callOf(t, asked)
	require.Equal(t, "POST /non-employee-requests", call.name)
	path := []string{
		"store.CompleteRequest", "RunActivity:CompleteRequest", "StartActivity:CompleteRequest", "RunWorkflow:RequestWorkflow",
		"StartWorkflow:RequestWorkflow", "POST /non-employee-requests",
	}
	spans := traces.find(t, call.trace, path...)
	for i, name := range path[:len(path)-1] {
		require.Equal(t, spans[path[i+1]].id, spans[name].parent, "%s is caused by %s", name, path[i+1])
	}
	require.Equal(t, "gatehouse-worker", spans[path[0]].program)
	require.Equal(t, "gatehouse-api", call.program)

	source = newSource(t, "approver.one")
	asked = as(t, "jane.doe").post("/non-employee-requests", person(source)).want(200)
	request := asked.object()
	decided := approve(t, "approver.one", request.items()[0]).want(200)
	awaitEnd(t, request.id())
	asking, deciding := traces.callOf(t, asked), traces.callOf(t, decided)
	require.NotEqual(t, asking.trace, deciding.trace)
	spans = traces.find(t, deciding.trace, "UpdateWithStartWorkflow:decide", "HandleUpdate:decide", "RunActivity:Decide", "store.Decide")
	require.Equal(t, deciding.id, spans["UpdateWithStartWorkflow:decide"].parent)
	require.Equal(t, spans["UpdateWithStartWorkflow:decide"].id, spans["HandleUpdate:decide"].parent)
	require.Equal(t, spans["RunActivity:Decide"].id, spans["store.Decide"].parent)
	require.Equal(t, []string{asking.trace}, spans["HandleUpdate:decide"].links)
	require.Contains(t, traces.find(t, asking.trace, "RunWorkflow:RequestWorkflow")["RunWorkflow:RequestWorkflow"].links, deciding.trace)

	// The tracking ids lead the same way.
	askedID, decidedID := asked.header.Get("X-Request-Id"), decided.header.Get("X-Request-Id")
	answer, err := stack.temporal.DescribeWorkflowExecution(patience(t), "request/"+request.id(), "")
	require.NoError(t, err)
	var remembered string
	require.NoError(t, converter.GetDefaultDataConverter().FromPayload(
		answer.GetWorkflowExecutionInfo().GetMemo().GetFields()[wire.MemoTrackingID], &remembered))
	require.Equal(t, askedID, remembered)
	lines := func(copies devstack.Copies, id string) string {
		var with []string
		for line := range strings.Lines(stack.logs(t, copies)) {
			if strings.Contains(line, `"tracking_id":"`+id+`"`) {
				with = append(with, line)
			}
		}
		return strings.Join(with, "")
	}
	for _, id := range []string{askedID, decidedID} {
		require.Contains(t, lines(stack.API, id), `"msg":"request"`)
	}
	require.Contains(t, lines(stack.Worker, decidedID), `"activity":"Decide"`)
	require.Contains(t, lines(stack.Worker, askedID), `"activity":"Notify"`)
	require.Contains(t, lines(stack.Worker, askedID), `"trace_id":"`+asking.trace+`"`)
}
