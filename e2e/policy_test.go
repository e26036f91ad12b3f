package e2e_test

import (
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// access is one line of contract §5, written out as it shows over HTTP.
type access struct {
	operation string
	method    string
	// path has {source}, {attribute}, {record}, {request} or {item} in it.
	path string
	// body is nil for an operation without one.
	body func(g grounds) any
	// everywhere are admitted on any object, here those who have to do with it.
	everywhere, here []string
	// unknown is what those of everywhere get for an object that does not exist.
	unknown int
	// success is the status of a success; 0 stands for anything but a refusal,
	// where what the operation does is for other tests.
	success int
	// uses is true if a success uses the grounds up.
	uses bool
}

var (
	admins   = []string{"admin", "source.admin"}
	creators = append(slices.Clone(admins), "app", "app-create")
	readers  = append(slices.Clone(admins), "app", "app-read")
	updaters = append(slices.Clone(admins), "app", "app-update")
	deleters = append(slices.Clone(admins), "app", "app-delete")

	// managers are the account managers, the owner among them.
	managers = []string{"here.owner", "here.manager", "here.submanager"}
	subadmin = []string{"here.subadmin"}
	approver = []string{"here.approver"}
	nobody   []string
)

// table has every operation on one object, or on objects that the body names.
func table() []access {
	const (
		source    = "/non-employee-sources/{source}"
		schema    = source + "/schema-attributes"
		attribute = schema + "/{attribute}"
		records   = "/non-employee-records"
		record    = records + "/{record}"
		requests  = "/non-employee-requests"
		request   = requests + "/{request}"
		item      = "/non-employee-approvals/{item}"

		get, post, put, patch, remove = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
	)
	replace := func(path, value string) func(grounds) any {
		return func(grounds) any { return []patchOperation{{Op: "replace", Path: path, Value: value}} }
	}
	send := func(body any) func(grounds) any { return func(grounds) any { return body } }
	newPerson := func(g grounds) any { return person(g.source) }
	newAttribute := func(grounds) any {
		return object{"type": "TEXT", "technicalName": strings.ReplaceAll(unique("t"), ".", "_"), "label": "L"}
	}
	samePerson := func(g grounds) any {
		body := person(g.source)
		for _, field := range []string{"accountName", "email"} {
			body[field] = g.record[field]
		}
		return body
	}
	file := func(g grounds) any {
		row := person(g.source)
		names := []string{"accountName", "firstName", "lastName", "phone", "email", "manager", "startDate", "endDate"}
		cells := make([]string, len(names))
		for i, name := range names {
			cells[i] = row.text(name)
		}
		return upload(strings.Join(names, ",") + "\n" + strings.Join(cells, ",") + "\n")
	}
	ids := func(g grounds) any { return object{"ids": []string{g.record.id()}} }
	both := func(a, b []string) []string { return slices.Concat(a, b) }

	return []access{
		{"getNonEmployeeSource", get, source, nil, readers, both(managers, subadmin), 404, 200, false},
		{"patchNonEmployeeSource", patch, source, replace("/description", "Patched"), updaters, subadmin, 404, 200, false},
		{"deleteNonEmployeeSource", remove, source, nil, deleters, subadmin, 404, 204, true},

		{"getNonEmployeeSourceSchemaAttributes", get, schema, nil, readers, both(managers, subadmin), 404, 200, false},
		{"createNonEmployeeSourceSchemaAttributes", post, schema, newAttribute, creators, subadmin, 404, 200, false},
		{"deleteNonEmployeeSourceSchemaAttributes", remove, schema, nil, deleters, subadmin, 404, 204, true},
		{"getNonEmployeeSchemaAttribute", get, attribute, nil, readers, both(managers, subadmin), 404, 200, false},
		{"patchNonEmployeeSchemaAttribute", patch, attribute, replace("/label", "M"), updaters, subadmin, 404, 200, false},
		{"deleteNonEmployeeSchemaAttribute", remove, attribute, nil, deleters, subadmin, 404, 204, true},
		{"exportNonEmployeeSourceSchemaTemplate", get, source + "/schema-attributes-template/download", nil, readers, subadmin, 404, 200, false},

		{"exportNonEmployeeRecords", get, source + "/non-employees/download", nil, readers, nobody, 0, 0, false},
		{"importNonEmployeeRecordsInBulk", post, source + "/non-employee-bulk-upload", file, creators, nobody, 0, 0, false},
		{"getNonEmployeeBulkUploadStatus", get, source + "/non-employee-bulk-upload/status", nil, readers, nobody, 0, 0, false},

		{"createNonEmployeeRecord", post, records, newPerson, creators, nobody, 400, 200, false},
		{"getNonEmployeeRecord", get, record, nil, readers, managers, 404, 200, false},
		{"updateNonEmployeeRecord", put, record, samePerson, admins, managers, 404, 200, false},
		{"patchNonEmployeeRecord", patch, record, replace("/endDate", "2029-01-01"), admins, managers, 404, 200, false},
		{"deleteNonEmployeeRecord", remove, record, nil, deleters, nobody, 404, 204, true},
		{"deleteNonEmployeeRecordsInBulk", post, records + "/bulk-delete", ids, deleters, nobody, 400, 204, true},

		{"createNonEmployeeRequest", post, requests, newPerson, creators, managers, 400, 200, false},
		{"getNonEmployeeRequest", get, request, nil, readers, both(managers, []string{"here.requester"}), 404, 200, false},
		{"deleteNonEmployeeRequest", remove, request, nil, deleters, nobody, 404, 204, true},

		{"getNonEmployeeApproval", get, item, nil, admins, approver, 404, 200, false},
		{"approveNonEmployeeRequest", post, item + "/approve", send(object{}), nobody, approver, 0, 200, true},
		{"rejectNonEmployeeRequest", post, item + "/reject", send(object{"comment": "No"}), nobody, approver, 0, 200, true},
	}
}

// upload is a file as a multipart body.
type upload string

const uploadBoundary = "gatehouse-e2e"

// body returns what is sent, and its headers.
func (u upload) body(t *testing.T) (string, []string) {
	t.Helper()
	var form strings.Builder
	parts := multipart.NewWriter(&form)
	require.NoError(t, parts.SetBoundary(uploadBoundary))
	part, err := parts.CreateFormFile("data", "people.csv")
	require.NoError(t, err)
	_, err = part.Write([]byte(u))
	require.NoError(t, err)
	require.NoError(t, parts.Close())
	return form.String(), []string{"Content-Type", parts.FormDataContentType()}
}

// at is the line's path on these grounds.
func (a access) at(g grounds) string {
	return strings.NewReplacer("{source}", g.source.id(), "{attribute}", g.attribute.id(),
		"{record}", g.record.id(), "{request}", g.request.id(), "{item}", g.item.id()).Replace(a.path)
}

// call carries the line out on these grounds.
func (a access) call(c caller, g grounds) answer {
	c.t.Helper()
	var body any
	var headers []string
	if a.body != nil {
		body = a.body(g)
	}
	if file, ok := body.(upload); ok {
		body, headers = file.body(c.t)
	}
	return c.send(a.method, a.at(g), body, headers...)
}

var trackingID = regexp.MustCompile(`"trackingId":"[0-9a-f]{32}"`)

// refusal is the one body of every 403, but for its trackingId: nobody can tell
// one reason from another (contract §5).
const refusal = `{"causes":[],"detailCode":"403 Forbidden","messages":[{"locale":"en-US","localeOrigin":"DEFAULT",` +
	`"text":"The server understood the request but refuses to authorize it."}],"trackingId":""}` + "\n"

// wantRefusal fails the test unless the answer is the 403, to the byte.
func (a answer) wantRefusal(what ...any) {
	a.t.Helper()
	require.Equal(a.t, http.StatusForbidden, a.status, what...)
	got := trackingID.ReplaceAllString(string(a.body), `"trackingId":""`)
	require.Equal(a.t, refusal, got, what...) //nolint:testifylint // alike to the byte, not only in meaning
	header := a.header.Clone()
	for _, own := range []string{"Date", "X-Request-Id"} {
		require.NotEmpty(a.t, header.Get(own), what...)
		header.Del(own)
	}
	header.Del("Connection")
	require.Equal(a.t, http.Header{
		"Cache-Control": {"no-store"}, "Content-Type": {"application/json"}, "X-Content-Type-Options": {"nosniff"},
		"Content-Length":          {header.Get("Content-Length")},
		"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"}, "X-Frame-Options": {"DENY"},
		"Cross-Origin-Resource-Policy": {"same-origin"}, "Referrer-Policy": {"no-referrer"},
	}, header, what...)
}

// TestAccessTable walks every operation on one object, for every actor, on an
// object they have to do with, on another's and on none, and holds what shows to
// contract §5.
func TestAccessTable(t *testing.T) {
	ensurePeople(t)
	none := noGrounds()
	none.record["accountName"], none.record["email"] = "x", "x@example.com"
	for _, line := range table() {
		t.Run(line.operation, func(t *testing.T) {
			for _, s := range []side{here, there} {
				shared := newGrounds(t, s)
				for _, actor := range actors() {
					admitted := slices.Contains(line.everywhere, actor)
					if s.name == here.name {
						admitted = admitted || slices.Contains(line.here, actor)
					} else if counterpart, ok := strings.CutPrefix(actor, "there."); ok {
						// Who has to do with the other grounds fares there as their like does here.
						admitted = admitted || slices.Contains(line.here, "here."+counterpart)
					}
					what := []any{"%s as %s on the grounds %s", line.operation, actor, s.name}
					if !admitted {
						line.call(as(t, actor), shared).wantRefusal(what...)
						requireBodyUnread(t, line, actor, shared)
						continue
					}
					g := shared
					if line.uses {
						g = newGrounds(t, s)
					}
					got := line.call(as(t, actor), g)
					if line.success != 0 {
						require.Equal(t, line.success, got.status, "%s as %s on the grounds %s: %s", line.operation, actor, s.name, got.body)
					} else {
						require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, got.status, what...)
					}
					if line.uses {
						g.drop(t)
					}
				}
				shared.drop(t)
			}
			for _, actor := range actors() {
				requireNothingThere(t, line, actor, none)
			}
		})
	}
}

// requireBodyUnread holds that a body is judged only after access: who is
// refused is so whatever they send.
func requireBodyUnread(t *testing.T, line access, actor string, g grounds) {
	t.Helper()
	if line.body != nil {
		as(t, actor).send(line.method, line.at(g), `{"twice":1,"twice":`).
			wantRefusal("%s as %s with a broken body", line.operation, actor)
	}
}

// requireNothingThere holds what an actor is told of an object that does not
// exist: 404, or the fault of the body that names it, where they may do this
// everywhere or read everything; else the very refusal that another's object
// gets.
func requireNothingThere(t *testing.T, line access, actor string, none grounds) {
	t.Helper()
	got := line.call(as(t, actor), none)
	decides := line.operation == "approveNonEmployeeRequest" || line.operation == "rejectNonEmployeeRequest"
	switch {
	case slices.Contains(line.everywhere, actor) && line.unknown == http.StatusNotFound,
		decides && slices.Contains(admins, actor):
		got.wantError(http.StatusNotFound, "404 Not found", "")
	case slices.Contains(line.everywhere, actor) && line.unknown == http.StatusBadRequest:
		got.wantError(http.StatusBadRequest, "400.1.404 Referenced object not found", "")
	case slices.Contains(line.everywhere, actor):
		require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, got.status, "%s as %s", line.operation, actor)
	default:
		got.wantRefusal("%s as %s where there is nothing", line.operation, actor)
	}
}

// TestIDsAreReadBeforeAccessIsChecked: what is no id is 400 for everybody who
// has a token (contract §5).
func TestIDsAreReadBeforeAccessIsChecked(t *testing.T) {
	ensurePeople(t)
	none, nonsense := noGrounds(), regexp.MustCompile(`\{[a-z]+\}`)
	for _, line := range table() {
		if !nonsense.MatchString(line.path) {
			continue
		}
		line.path = nonsense.ReplaceAllString(line.path, "nonsense")
		for _, actor := range []string{"admin", "outsider", "app", "app-none"} {
			line.call(as(t, actor), none).wantError(http.StatusBadRequest, "400.1 Bad Request Content", "must be a UUID")
		}
	}
}

// TestAccessToCreatingASource: there is no object yet that a relation could hang
// on.
func TestAccessToCreatingASource(t *testing.T) {
	ensurePeople(t)
	body := func() object {
		return object{"name": unique("Made"), "description": "d", "owner": object{"id": identityID(t, "here.owner")}}
	}
	for _, actor := range actors() {
		c := as(t, actor)
		if slices.Contains(creators, actor) {
			made := c.post("/non-employee-sources", body()).want(200).object()
			as(t, "admin").delete("/non-employee-sources/" + made.id()).want(204)
			continue
		}
		c.post("/non-employee-sources", body()).wantRefusal("as %s", actor)
		c.post("/non-employee-sources", `{`).wantRefusal("as %s with a broken body", actor)
	}
}

// TestBulkDeleteTakesAllOrNone: one id that is unknown keeps the others.
func TestBulkDeleteTakesAllOrNone(t *testing.T) {
	source := newSource(t)
	admin := as(t, "admin")
	record := admin.post("/non-employee-records", person(source)).want(200).object()
	unknown := noGrounds().record.id()
	admin.post("/non-employee-records/bulk-delete", object{"ids": []string{record.id(), unknown}}).
		wantError(400, "400.1.404 Referenced object not found", unknown)
	require.Len(t, recordsOf(t, source), 1)
}
