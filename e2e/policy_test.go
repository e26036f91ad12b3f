package e2e_test

import (
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// access is one line of contract §5, written out as it shows over HTTP.
type access struct {
	operation string
	method    string
	// path has {source}, {attribute}, {record}, {request}, {item}, {job}, {schedule},
	// {extension} or {part} in it.
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
	effect  effect
}

// effect is what a success does to the grounds.
type effect int

const (
	// reads leaves them as they are, so that it can be had at every mount at once.
	reads effect = iota
	// changes leaves them fit for the next call.
	changes
	// uses leaves nothing for a next call.
	uses
)

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
		jobs      = source + "/non-employee-bulk-upload/jobs"
		job       = jobs + "/{job}"
		schedules = source + "/non-employees/export-schedules"
		waiting   = source + "/approval-config"
		dates     = source + "/lifecycle-config"
		records   = "/non-employee-records"
		record    = records + "/{record}"
		requests  = "/non-employee-requests"
		request   = requests + "/{request}"
		item      = "/non-employee-approvals/{item}"
		extension = "/non-employee-extensions/{extension}"
		part      = "/non-employee-extension-approvals/{part}"

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
	toOwner := func(g grounds) any { return object{"newOwner": g.owner, "comment": "c"} }
	both := func(a, b []string) []string { return slices.Concat(a, b) }
	extend := func(g grounds) any { return extensionOf(g.source, g.record) }
	extendFile := func(g grounds) any { return upload("id,endDate\n" + g.record.id() + ",2099-12-31\n") }
	concerned := slices.Concat(managers, approver, []string{"here.requester"})

	return []access{
		{"getNonEmployeeSource", get, source, nil, readers, both(managers, subadmin), 404, 200, reads},
		{"patchNonEmployeeSource", patch, source, replace("/description", "Patched"), updaters, subadmin, 404, 200, changes},
		{"deleteNonEmployeeSource", remove, source, nil, deleters, subadmin, 404, 204, uses},

		{"getNonEmployeeSourceSchemaAttributes", get, schema, nil, readers, both(managers, subadmin), 404, 200, reads},
		{"createNonEmployeeSourceSchemaAttributes", post, schema, newAttribute, creators, subadmin, 404, 200, changes},
		{"deleteNonEmployeeSourceSchemaAttributes", remove, schema, nil, deleters, subadmin, 404, 204, uses},
		{"getNonEmployeeSchemaAttribute", get, attribute, nil, readers, both(managers, subadmin), 404, 200, reads},
		{"patchNonEmployeeSchemaAttribute", patch, attribute, replace("/label", "M"), updaters, subadmin, 404, 200, changes},
		{"deleteNonEmployeeSchemaAttribute", remove, attribute, nil, deleters, subadmin, 404, 204, uses},
		{"exportNonEmployeeSourceSchemaTemplate", get, source + "/schema-attributes-template/download", nil, readers, subadmin, 404, 200, reads},

		{"exportNonEmployeeRecords", get, source + "/non-employees/download", nil, readers, nobody, 0, 0, changes},
		{"importNonEmployeeRecordsInBulk", post, source + "/non-employee-bulk-upload", file, creators, nobody, 0, 0, changes},
		{"getNonEmployeeBulkUploadStatus", get, source + "/non-employee-bulk-upload/status", nil, readers, nobody, 0, 0, reads},

		{"listNonEmployeeBulkUploadJobs", get, jobs, nil, readers, nobody, 404, 200, reads},
		{"getNonEmployeeBulkUploadJob", get, job, nil, readers, nobody, 404, 200, reads},
		{"listNonEmployeeBulkUploadFaults", get, job + "/faults", nil, readers, nobody, 404, 200, reads},
		{"exportNonEmployeeBulkUploadFaults", get, job + "/faults/download", nil, readers, nobody, 404, 0, reads},
		{"cancelNonEmployeeBulkUploadJob", post, job + "/cancel", nil, creators, nobody, 404, 0, changes},
		{"listNonEmployeeExports", get, source + "/non-employees/exports", nil, readers, nobody, 404, 200, reads},
		{"listNonEmployeeExportSchedules", get, schedules, nil, readers, nobody, 404, 200, reads},
		{"createNonEmployeeExportSchedule", post, schedules, send(weekly), readers, nobody, 404, 200, changes},
		{"deleteNonEmployeeExportSchedule", remove, schedules + "/{schedule}", nil, readers, nobody, 404, 204, uses},

		{"getNonEmployeeSourceApprovalConfig", get, waiting, nil, readers, both(managers, subadmin), 404, 200, reads},
		{"putNonEmployeeSourceApprovalConfig", put, waiting, send(defaultPolicy), updaters, subadmin, 404, 200, changes},
		{"deleteNonEmployeeSourceApprovalConfig", remove, waiting, nil, updaters, subadmin, 404, 204, changes},
		{"applyNonEmployeeSourceApprovalConfig", post, waiting + "/apply", nil, updaters, subadmin, 404, 200, changes},
		{"putNonEmployeeApprovalConfig", put, "/non-employee-approval-config", send(defaultPolicy), []string{"admin"}, nobody, 0, 200, changes},

		{"getNonEmployeeSourceLifecycleConfig", get, dates, nil, readers, both(managers, subadmin), 404, 200, reads},
		{"putNonEmployeeSourceLifecycleConfig", put, dates, send(defaultDates), updaters, subadmin, 404, 200, changes},
		{"deleteNonEmployeeSourceLifecycleConfig", remove, dates, nil, updaters, subadmin, 404, 204, changes},
		{"putNonEmployeeLifecycleConfig", put, "/non-employee-lifecycle-config", send(defaultDates), []string{"admin"}, nobody, 0, 200, changes},
		{"endNonEmployeeRecord", post, record + "/end", send(object{"reason": "Left"}), admins, managers, 404, 200, changes},

		{"createNonEmployeeRecord", post, records, newPerson, creators, nobody, 400, 200, changes},
		{"getNonEmployeeRecord", get, record, nil, readers, managers, 404, 200, reads},
		{"updateNonEmployeeRecord", put, record, samePerson, admins, managers, 404, 200, changes},
		{"patchNonEmployeeRecord", patch, record, replace("/endDate", "2029-01-01"), admins, managers, 404, 200, changes},
		{"deleteNonEmployeeRecord", remove, record, nil, deleters, nobody, 404, 204, uses},
		{"deleteNonEmployeeRecordsInBulk", post, records + "/bulk-delete", ids, deleters, nobody, 400, 204, uses},

		{"createNonEmployeeRequest", post, requests, newPerson, creators, managers, 400, 200, changes},
		{"getNonEmployeeRequest", get, request, nil, readers, both(managers, []string{"here.requester"}), 404, 200, reads},
		{"getNonEmployeeRequestProgress", get, request + "/progress", nil, readers, slices.Concat(managers, approver, []string{"here.requester"}), 404, 200, reads},
		{"deleteNonEmployeeRequest", remove, request, nil, deleters, nobody, 404, 204, uses},

		{"createNonEmployeeExtension", post, "/non-employee-extensions", extend, updaters, managers, 400, 0, changes},
		{"importNonEmployeeExtension", post, source + "/non-employee-extensions/upload", extendFile, updaters, managers, 0, 0, changes},
		{"getNonEmployeeExtension", get, extension, nil, readers, concerned, 404, 200, reads},
		{"listNonEmployeeExtensionRecords", get, extension + "/records", nil, readers, concerned, 404, 200, reads},
		{"cancelNonEmployeeExtension", post, extension + "/cancel", nil, updaters, []string{"here.requester"}, 404, 200, uses},
		{"approveNonEmployeeExtension", post, part + "/approve", send(object{}), nobody, approver, 0, 200, uses},
		{"rejectNonEmployeeExtension", post, part + "/reject", send(object{"comment": "No"}), nobody, approver, 0, 200, uses},

		// Of an identity that there is not, and of clients that are not or that nobody here needs.
		{"listPersonalAccessTokens", get, "/personal-access-tokens?owner-id=" + lifecycle.NewID().String(), nil, []string{"admin"}, nobody, 0, 200, reads},
		{"createPersonalAccessToken", post, "/personal-access-tokens", send(object{"name": "T"}), users(), nobody, 0, 0, changes},
		{"deletePersonalAccessToken", remove, "/personal-access-tokens/nothing", nil, []string{"admin"}, nobody, 404, 404, reads},
		{"listWebhooks", get, "/webhooks", nil, []string{"admin"}, nobody, 0, 200, reads},
		{"createWebhook", post, "/webhooks", send(object{"url": "https://hooks.example.com", "enabled": false}), []string{"admin"}, nobody, 0, 200, changes},
		{"getWebhook", get, "/webhooks/{job}", nil, []string{"admin"}, nobody, 404, 404, reads},
		{"updateWebhook", put, "/webhooks/{job}", send(object{"url": "https://hooks.example.com"}), []string{"admin"}, nobody, 404, 404, reads},
		{"deleteWebhook", remove, "/webhooks/{job}", nil, []string{"admin"}, nobody, 404, 404, reads},
		{"resendWebhookDeliveries", post, "/webhooks/{job}/resend", nil, []string{"admin"}, nobody, 404, 404, reads},
		{"listDeliveries", get, "/deliveries?limit=1", nil, []string{"admin"}, nobody, 0, 200, reads},
		{"resendDelivery", post, "/deliveries/{job}/resend", nil, []string{"admin"}, nobody, 404, 404, reads},

		{"listOauthClients", get, "/oauth-clients?limit=1", nil, []string{"admin"}, nobody, 0, 200, reads},
		{"createOauthClient", post, "/oauth-clients", send(object{"name": "C"}), []string{"admin"}, nobody, 0, 200, changes},
		{"getOauthClient", get, "/oauth-clients/demo-app", nil, []string{"admin"}, nobody, 0, 200, reads},
		{"deleteOauthClient", remove, "/oauth-clients/nothing", nil, []string{"admin"}, nobody, 404, 404, reads},

		// Their own, and one that there is not.
		{"listIdentityAbsences", get, "/identities/me/absences", nil, users(), nobody, 0, 200, reads},
		{"createIdentityAbsence", post, "/identities/me/absences", send(object{"deputy": "x"}), users(), nobody, 0, 400, reads},
		{"getIdentityAbsence", get, "/identities/me/absences/" + lifecycle.NewID().String(), nil, users(), nobody, 404, 404, reads},
		{"deleteIdentityAbsence", remove, "/identities/me/absences/" + lifecycle.NewID().String(), nil, users(), nobody, 404, 404, reads},

		{"listAuditEvents", get, "/audit-events?limit=1", nil, []string{"admin"}, nobody, 0, 200, reads},
		{"exportAuditEvents", get, "/audit-events/export?" + url.Values{"filters": {`operation eq "none"`}}.Encode(), nil, []string{"admin"}, nobody, 0, 200, reads},

		{"getNonEmployeeApproval", get, item, nil, admins, approver, 404, 200, reads},
		{"approveNonEmployeeRequest", post, item + "/approve", send(object{}), nobody, approver, 0, 200, uses},
		{"rejectNonEmployeeRequest", post, item + "/reject", send(object{"comment": "No"}), nobody, approver, 0, 200, uses},
		{"reassignNonEmployeeApproval", post, item + "/reassign", toOwner, admins, both(approver, subadmin), 404, 200, uses},
		// It is theirs already.
		{"claimNonEmployeeApproval", post, item + "/claim", send(object{}), nobody, approver, 0, 200, changes},
		{"getNonEmployeeApprovalReassignmentHistory", get, item + "/reassignment-history", nil, admins, approver, 404, 200, reads},
	}
}

// defaultPolicy is the organisation's, as it is.
var defaultPolicy = object{
	"reminderConfig": object{"enabled": true, "daysUntilFirstReminder": 3, "reminderCronSchedule": "@every 72h", "maxReminders": 20},
	"timeoutConfig":  object{"enabled": true, "daysUntilTimeout": 90},
}

// defaultDates is the lifecycle policy of the organisation, as it is.
var defaultDates = object{"warnings": []object{
	{"days": 30, "to": []string{"ACCOUNT_MANAGERS", "MANAGER"}}, {"days": 14, "to": []string{"ACCOUNT_MANAGERS", "MANAGER"}},
	{"days": 7, "to": []string{"ACCOUNT_MANAGERS", "MANAGER"}}, {"days": 1, "to": []string{"ACCOUNT_MANAGERS", "MANAGER"}},
}}

// weekly is a schedule of exports.
var weekly = object{"cron": "@weekly", "zone": "UTC", "keep": 1}

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
		"{record}", g.record.id(), "{request}", g.request.id(), "{item}", g.item.id(),
		"{job}", g.job.id(), "{schedule}", g.schedule.id(),
		"{extension}", g.extension.id(), "{part}", g.part.id()).Replace(a.path)
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

// grounds makes what the line needs on a side.
func (a access) grounds(t *testing.T, s side) grounds {
	t.Helper()
	var more []func(*grounds, *testing.T, side)
	if strings.Contains(a.path, "{extension}") || strings.Contains(a.path, "{part}") {
		more = append(more, (*grounds).addExtension)
	}
	g := newGrounds(t, s, more...)
	if strings.Contains(a.path, "{job}") {
		g.addJob(t)
	}
	if strings.Contains(a.path, "{schedule}") {
		g.addSchedule(t)
	}
	return g
}

// admits reports whether the actor is admitted to the line on the grounds of a side.
func (a access) admits(actor string, s side) bool {
	if slices.Contains(a.everywhere, actor) || s.name == here.name && slices.Contains(a.here, actor) {
		return true
	}
	// Who has to do with the other grounds fares there as their like does here.
	counterpart, ok := strings.CutPrefix(actor, "there.")
	return ok && s.name == there.name && slices.Contains(a.here, "here."+counterpart)
}

// requireSuccess holds that the call is admitted and does what it is for.
func (a access) requireSuccess(c caller, g grounds, what ...any) {
	c.t.Helper()
	got := a.call(c, g)
	if a.success != 0 {
		require.Equal(c.t, a.success, got.status, append(what, string(got.body))...)
		return
	}
	require.NotContains(c.t, []int{http.StatusUnauthorized, http.StatusForbidden}, got.status, what...)
}

// TestAccessTable walks every operation on one object, for every actor, on an
// object they have to do with, on another's and on none, at every mount, and holds
// what shows to contract §5. What is refused or only read is so at all mounts at
// once; what changes something is done once by each actor, at a mount in turn.
func TestAccessTable(t *testing.T) {
	ensurePeople(t)
	none := noGrounds()
	none.record["accountName"], none.record["email"] = "x", "x@example.com"
	lanes := map[string]func(*testing.T){}
	for lane := range accessLanes {
		lanes[fmt.Sprintf("lane %d", lane)] = func(t *testing.T) {
			t.Helper()
			for i, line := range table() {
				if i%accessLanes == lane {
					t.Run(line.operation, func(t *testing.T) { line.walk(t, i, none) })
				}
			}
		}
	}
	together(t, lanes)
}

// accessLanes is how many lines of the table are walked at once: each makes sources,
// whose number is bounded.
const accessLanes = 4

// walk holds one line, the one at position, to what it says.
func (a access) walk(t *testing.T, position int, none grounds) {
	t.Helper()
	sides := []side{here, there}
	shared := map[string]grounds{}
	for _, s := range sides {
		shared[s.name] = a.grounds(t, s)
	}
	t.Run("refused or read", func(t *testing.T) {
		for j, m := range mounts() {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				for _, actor := range actors() {
					c := as(t, actor).at(m)
					for _, s := range sides {
						what := a.operation + " as " + actor + " on the grounds " + s.name
						switch admitted := a.admits(actor, s); {
						case admitted && a.effect == reads:
							a.requireSuccess(c, shared[s.name], what)
						case !admitted:
							a.call(c, shared[s.name]).wantRefusal(what)
							if position%len(mounts()) == j {
								requireBodyUnread(c, a, shared[s.name], what)
							}
						}
					}
					requireNothingThere(c, a, actor, none)
				}
			})
		}
	})
	turn := position
	for _, s := range sides {
		for _, actor := range actors() {
			if a.effect == reads || !a.admits(actor, s) {
				continue
			}
			g := shared[s.name]
			if a.effect == uses {
				g = a.grounds(t, s)
			}
			m := mounts()[turn%len(mounts())]
			turn++
			a.requireSuccess(as(t, actor).at(m), g, a.operation+" as "+actor+" on the grounds "+s.name+" at "+m.name)
			if a.effect == uses {
				g.drop(t)
			}
		}
		shared[s.name].drop(t)
	}
}

// requireBodyUnread holds that a body is judged only after access: who is
// refused is so whatever they send.
func requireBodyUnread(c caller, line access, g grounds, what string) {
	c.t.Helper()
	if line.body != nil {
		c.send(line.method, line.at(g), `{"twice":1,"twice":`).wantRefusal(what + " with a broken body")
	}
}

// requireNothingThere holds what an actor is told of an object that does not
// exist: 404, or the fault of the body that names it, where they may do this
// everywhere or read everything; else the very refusal that another's object
// gets.
func requireNothingThere(c caller, line access, actor string, none grounds) {
	c.t.Helper()
	got := line.call(c, none)
	decides := strings.HasPrefix(line.operation, "approve") || strings.HasPrefix(line.operation, "reject") || strings.HasPrefix(line.operation, "claim")
	switch {
	case slices.Contains(line.everywhere, actor) && line.unknown == http.StatusNotFound,
		decides && slices.Contains(admins, actor):
		got.wantError(http.StatusNotFound, "404 Not found", "")
	case slices.Contains(line.everywhere, actor) && line.unknown == http.StatusBadRequest:
		got.wantError(http.StatusBadRequest, "400.1.404 Referenced object not found", "")
	case slices.Contains(line.everywhere, actor):
		require.NotContains(c.t, []int{http.StatusUnauthorized, http.StatusForbidden}, got.status, "%s as %s", line.operation, actor)
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
			for _, m := range mounts() {
				line.call(as(t, actor).at(m), none).wantError(http.StatusBadRequest, "400.1 Bad Request Content", "must be a UUID")
			}
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
	for i, actor := range actors() {
		for j, m := range mounts() {
			c := as(t, actor).at(m)
			switch {
			case !slices.Contains(creators, actor):
				c.post("/non-employee-sources", body()).wantRefusal("as %s", actor)
				c.post("/non-employee-sources", `{`).wantRefusal("as %s with a broken body", actor)
			case i%len(mounts()) == j:
				made := c.post("/non-employee-sources", body()).want(200).object()
				as(t, "admin").delete("/non-employee-sources/" + made.id()).want(204)
			}
		}
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
