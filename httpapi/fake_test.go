package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/auditfile"
	"gatehouse/filter"
	"gatehouse/httpapi"
	"gatehouse/httpapi/apitest"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/service"
	"gatehouse/telemetry"
)

var (
	now      = time.Date(2026, 3, 2, 8, 0, 0, 120_000_000, time.UTC)
	sourceID = lifecycle.MustParseID("0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b")
	objectID = lifecycle.MustParseID("2c918085-7d7e-4f0e-8d0c-5a1f3b6c9e01")
	person   = lifecycle.MustParseID("5b0f6f0e-1111-4222-8333-444455556666")
)

var (
	aSource = lifecycle.Source{
		ID: sourceID, Name: "Contractors", Description: "Of the warehouse", Owner: person,
		Approvers: []lifecycle.Reference{lifecycle.IdentityReference(person), {ID: objectID, Type: lifecycle.ReferenceGovernanceGroup}},
		Created:   now, Modified: now,
	}
	anAttribute = lifecycle.SchemaAttribute{
		ID: objectID, SourceID: sourceID, Type: lifecycle.AttributeText, TechnicalName: "costCentre",
		Label: "Cost centre", Required: true, Created: now, Modified: now,
	}
	aPerson = lifecycle.Person{
		AccountName: "william.smith", FirstName: "William", LastName: "Smith", Phone: "+1 512 555 0147",
		Email: "william.smith@example.com", Manager: lifecycle.ManagerReference{ID: person, Alias: "jane.doe"},
		StartDate: now, EndDate: now.AddDate(1, 0, 0),
	}
	aRecord = lifecycle.Record{ID: objectID, SourceID: sourceID, Person: aPerson, Created: now, Modified: now}
	anItem  = lifecycle.ApprovalItem{
		ID: objectID, RequestID: sourceID, Order: 1, Approver: lifecycle.IdentityReference(person),
		Status: lifecycle.StatusPending, AccountName: "william.smith", Requester: person, Created: now, Modified: now,
	}
	aMove = lifecycle.Reassignment{
		ID: objectID, ItemID: objectID, Number: 1, Type: lifecycle.ReassignedByAbsence, From: lifecycle.IdentityReference(person),
		To: lifecycle.Reference{ID: sourceID, Type: lifecycle.ReferenceGovernanceGroup}, Created: now,
	}
	aRequest = lifecycle.Request{
		ID: objectID, Source: lifecycle.SourceSummary{ID: sourceID, Name: "Contractors", Description: "Of the warehouse"},
		Requester: person, Person: aPerson, Status: lifecycle.StatusApproved, Completed: now, Created: now, Modified: now,
		Items: []lifecycle.ApprovalItem{anItem},
	}
)

// fake is a service that answers the same to everybody and remembers what it
// was asked.
type fake struct {
	// err, where set, is the answer to everything.
	err error
	// onCall, where set, runs first.
	onCall func(ctx context.Context)
	// empty lists have nothing on them.
	empty bool
	// deputy has items be decided on behalf of sourceID.
	deputy bool
	// reassign and absence are the last ones' input.
	reassign lifecycle.ReassignInput
	absence  lifecycle.AbsenceInput

	clients

	actor        policy.Actor
	params       filter.Params
	requestedFor *string
	flag         bool
	id, parent   lifecycle.ID
	person       lifecycle.PersonInput
	source       lifecycle.SourceInput
	attribute    lifecycle.AttributeInput
	decision     service.DecisionInput
	patch        service.Patch
	ids          []string
	faults       lifecycle.Faults
	bulk         bulk
	format       auditfile.Format
	policy       lifecycle.ApprovalPolicyInput
	dates        lifecycle.LifecyclePolicyInput
	reason       *string
	extensions
	webhooks webhooks
}

var _ httpapi.Service = (*fake)(nil)

func (f *fake) asked(ctx context.Context, a policy.Actor) error {
	f.actor = a
	if f.onCall != nil {
		f.onCall(ctx)
	}
	return f.err
}

func page[T any](f *fake, element T, err error) ([]T, int, error) {
	if f.empty {
		return nil, 0, err
	}
	return []T{element, element}, 7, err
}

func (f *fake) ListSources(ctx context.Context, a policy.Actor, requestedFor *string, withCount bool, p filter.Params) ([]lifecycle.CountedSource, int, error) {
	f.requestedFor, f.flag, f.params = requestedFor, withCount, p
	counted := lifecycle.CountedSource{Source: aSource}
	if withCount {
		counted.Records = new(int)
	}
	return page(f, counted, f.asked(ctx, a))
}

func (f *fake) CreateSource(ctx context.Context, a policy.Actor, in lifecycle.SourceInput) (lifecycle.Source, error) {
	f.source = in
	return aSource, f.asked(ctx, a)
}

func (f *fake) GetSource(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Source, error) {
	f.id = id
	return aSource, f.asked(ctx, a)
}

func (f *fake) PatchSource(ctx context.Context, a policy.Actor, id lifecycle.ID, patch service.Patch) (lifecycle.Source, error) {
	f.id, f.patch = id, patch
	return aSource, f.asked(ctx, a)
}

func (f *fake) DeleteSource(ctx context.Context, a policy.Actor, id lifecycle.ID) error {
	f.id = id
	return f.asked(ctx, a)
}

func (f *fake) ListAttributes(ctx context.Context, a policy.Actor, source lifecycle.ID, p filter.Params) ([]lifecycle.SchemaAttribute, error) {
	f.parent, f.params = source, p
	attributes, _, err := page(f, anAttribute, f.asked(ctx, a))
	return attributes, err
}

func (f *fake) CreateAttribute(ctx context.Context, a policy.Actor, source lifecycle.ID, in lifecycle.AttributeInput) (lifecycle.SchemaAttribute, error) {
	f.parent, f.attribute = source, in
	return anAttribute, f.asked(ctx, a)
}

func (f *fake) DeleteAttributes(ctx context.Context, a policy.Actor, source lifecycle.ID) error {
	f.parent = source
	return f.asked(ctx, a)
}

func (f *fake) GetAttribute(ctx context.Context, a policy.Actor, source, id lifecycle.ID) (lifecycle.SchemaAttribute, error) {
	f.parent, f.id = source, id
	return anAttribute, f.asked(ctx, a)
}

func (f *fake) PatchAttribute(ctx context.Context, a policy.Actor, source, id lifecycle.ID, patch service.Patch) (lifecycle.SchemaAttribute, error) {
	f.parent, f.id, f.patch = source, id, patch
	return anAttribute, f.asked(ctx, a)
}

func (f *fake) DeleteAttribute(ctx context.Context, a policy.Actor, source, id lifecycle.ID) error {
	f.parent, f.id = source, id
	return f.asked(ctx, a)
}

func (f *fake) Template(ctx context.Context, a policy.Actor, source lifecycle.ID) ([]lifecycle.SchemaAttribute, error) {
	f.parent = source
	return append(lifecycle.SystemAttributes(source, now), anAttribute), f.asked(ctx, a)
}

func (f *fake) ListRecords(ctx context.Context, a policy.Actor, p filter.Params, detail *string) ([]lifecycle.Record, int, error) {
	f.params = p
	return page(f, detailed(detail), f.asked(ctx, a))
}

func (f *fake) CreateRecord(ctx context.Context, a policy.Actor, in lifecycle.PersonInput) (lifecycle.Record, error) {
	f.person = in
	return aRecord, f.asked(ctx, a)
}

func (f *fake) GetRecord(ctx context.Context, a policy.Actor, id lifecycle.ID, detail *string) (lifecycle.Record, error) {
	f.id = id
	return detailed(detail), f.asked(ctx, a)
}

func (f *fake) PutRecord(ctx context.Context, a policy.Actor, id lifecycle.ID, in lifecycle.PersonInput) (lifecycle.Record, error) {
	f.id, f.person = id, in
	return aRecord, f.asked(ctx, a)
}

func (f *fake) PatchRecord(ctx context.Context, a policy.Actor, id lifecycle.ID, patch service.Patch) (lifecycle.Record, error) {
	f.id, f.patch = id, patch
	return aRecord, f.asked(ctx, a)
}

func (f *fake) DeleteRecord(ctx context.Context, a policy.Actor, id lifecycle.ID) error {
	f.id = id
	return f.asked(ctx, a)
}

func (f *fake) DeleteRecords(ctx context.Context, a policy.Actor, ids []string, faults lifecycle.Faults) error {
	f.ids, f.faults = ids, faults
	return f.asked(ctx, a)
}

func (f *fake) ListRequests(ctx context.Context, a policy.Actor, requestedFor string, p filter.Params) ([]lifecycle.Request, int, error) {
	f.requestedFor, f.params = &requestedFor, p
	return page(f, aRequest, f.asked(ctx, a))
}

func (f *fake) CreateRequest(ctx context.Context, a policy.Actor, in lifecycle.PersonInput) (lifecycle.Request, error) {
	f.person = in
	request := aRequest
	request.Completed, request.Items, request.Requester = time.Time{}, nil, lifecycle.ID{}
	return request, f.asked(ctx, a)
}

func (f *fake) GetRequest(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Request, error) {
	f.id = id
	return aRequest, f.asked(ctx, a)
}

func (f *fake) DeleteRequest(ctx context.Context, a policy.Actor, id lifecycle.ID) error {
	f.id = id
	return f.asked(ctx, a)
}

func (f *fake) SummarizeRequests(ctx context.Context, a policy.Actor, requestedFor string) (lifecycle.RequestSummary, error) {
	f.requestedFor = &requestedFor
	return lifecycle.RequestSummary{Approved: 1, Rejected: 2, Pending: 3, Records: 4}, f.asked(ctx, a)
}

func (f *fake) ListApprovals(ctx context.Context, a policy.Actor, requestedFor *string, p filter.Params) ([]lifecycle.ApprovalItem, int, error) {
	f.requestedFor, f.params = requestedFor, p
	return page(f, anItem, f.asked(ctx, a))
}

func (f *fake) GetApproval(ctx context.Context, a policy.Actor, id lifecycle.ID, detail bool) (service.ApprovalDetail, error) {
	f.id, f.flag = id, detail
	answer := service.ApprovalDetail{Item: f.item()}
	if detail {
		answer.Request, answer.Attributes = aRequest, []lifecycle.SchemaAttribute{anAttribute}
	}
	return answer, f.asked(ctx, a)
}

func (f *fake) SummarizeApprovals(ctx context.Context, a policy.Actor, requestedFor string) (lifecycle.ApprovalSummary, error) {
	f.requestedFor = &requestedFor
	return lifecycle.ApprovalSummary{Approved: 1, Rejected: 2, Pending: 3}, f.asked(ctx, a)
}

func (f *fake) item() lifecycle.ApprovalItem {
	item := anItem
	if f.deputy {
		item.OnBehalfOf = sourceID
	}
	return item
}

func (f *fake) Approve(ctx context.Context, a policy.Actor, id lifecycle.ID, in service.DecisionInput) (lifecycle.ApprovalItem, error) {
	f.id, f.decision = id, in
	return f.item(), f.asked(ctx, a)
}

func (f *fake) Reject(ctx context.Context, a policy.Actor, id lifecycle.ID, in service.DecisionInput) (lifecycle.ApprovalItem, error) {
	item := f.item()
	item.Status, item.Comment = lifecycle.StatusRejected, "No"
	f.id, f.decision = id, in
	return item, f.asked(ctx, a)
}

func (f *fake) Reassign(ctx context.Context, a policy.Actor, id lifecycle.ID, in lifecycle.ReassignInput) (lifecycle.ApprovalItem, error) {
	f.id, f.reassign = id, in
	return f.item(), f.asked(ctx, a)
}

func (f *fake) Claim(ctx context.Context, a policy.Actor, id lifecycle.ID, in service.DecisionInput) (lifecycle.ApprovalItem, error) {
	f.id, f.decision = id, in
	return f.item(), f.asked(ctx, a)
}

func (f *fake) ListReassignments(ctx context.Context, a policy.Actor, id lifecycle.ID) ([]lifecycle.Reassignment, error) {
	f.id = id
	if f.empty {
		return nil, f.asked(ctx, a)
	}
	return []lifecycle.Reassignment{aMove}, f.asked(ctx, a)
}

// api is the whole API over a fake service.
type api struct {
	handler http.Handler
	service *fake
	log     *strings.Builder
	// missing makes the API unready.
	missing []string
	// routes are what Observe was told: method, route and status.
	routes   []string
	observed sync.Mutex
	// attempts are what Attempted was told; unwritten is what it returns.
	attempts  []attempted
	unwritten error
}

type attempted struct {
	lifecycle.Origin
	lifecycle.AuditChange
}

const (
	maxBodyBytes   = 4096
	maxUploadBytes = 1 << 20
)

func newAPI(t testing.TB, change ...func(*httpapi.Options)) *api {
	t.Helper()
	a := &api{service: &fake{bulk: bulk{pieces: []string{aFile}, length: -1}}, log: &strings.Builder{}}
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
	}
	opts := httpapi.Options{
		Service: a.service,
		Authenticate: func(r *http.Request) (policy.Actor, error) {
			if r.Header.Get("Authorization") == "" {
				return policy.Actor{}, lifecycle.NewError(lifecycle.KindUnauthenticated, "JWT validation failed: no token")
			}
			return policy.Actor{
				ClientID: "test", IdentityID: person, Scopes: []string{lifecycle.ScopeAll},
				Levels: []lifecycle.Level{lifecycle.LevelOrgAdmin},
			}, nil
		},
		Token: named("token"), TokenInfo: named("info"), JWKS: named("jwks"), SCIM: named("scim"),
		Health: telemetry.Health(), Readiness: telemetry.Readiness(func(context.Context) []string { return a.missing }),
		Attempted: func(ctx context.Context, attempt lifecycle.AuditChange) error {
			a.observed.Lock()
			defer a.observed.Unlock()
			a.attempts = append(a.attempts, attempted{lifecycle.OriginOf(ctx), attempt})
			return a.unwritten
		},
		MaxBodyBytes: maxBodyBytes, MaxUploadBytes: maxUploadBytes, UploadPatience: time.Minute,
		Log: telemetry.NewLogger(a.log, slog.LevelInfo, "json", httpapi.TrackingID),
		Observe: func(_ context.Context, method, route string, status int, _ time.Duration) {
			a.observed.Lock()
			defer a.observed.Unlock()
			a.routes = append(a.routes, method+" "+route+" "+http.StatusText(status))
		},
	}
	for _, c := range change {
		c(&opts)
	}
	var err error
	a.handler, err = httpapi.New(opts)
	require.NoError(t, err)
	return a
}

// request makes a request with a token. Its body is JSON unless empty, or a
// form with the boundary x.
func request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer token")
	switch {
	case strings.HasPrefix(body, "--x"):
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	case body != "":
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// do serves the request and holds the answer against the document.
func (a *api) do(t testing.TB, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	apitest.ValidateResponse(t, r, w.Code, w.Header(), w.Body.Bytes())
	return w
}
