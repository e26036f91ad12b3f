package e2e_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"gatehouse/httpapi"
	"gatehouse/lifecycle"
)

// trailEnd is the number of the last entry of the audit trail.
func trailEnd(t *testing.T) int {
	t.Helper()
	return stack.count(t, `SELECT coalesce(max(id), 0) FROM audit_entries`)
}

// changing are the operations of the document that change something, but for the
// getting of tokens.
func changing(t *testing.T) []string {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(httpapi.Document)
	require.NoError(t, err)
	var operations []string
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if method != http.MethodGet && !strings.HasPrefix(path, "/oauth/") {
				operations = append(operations, operation.OperationID)
			}
		}
	}
	return operations
}

// TestEveryOperationLeavesItsEntry walks every operation that changes something,
// and what follows from it in workflows and by signal, and finds it in the audit
// trail, with whoever did it.
func TestEveryOperationLeavesItsEntry(t *testing.T) {
	ensurePeople(t)
	since, admin := trailEnd(t), as(t, "admin")
	ground := map[string]grounds{}
	// Others count what these people have to do with.
	defer func() {
		for _, g := range ground {
			g.drop(t)
		}
	}()
	for _, line := range table() {
		// Jobs, schedules, clients, policies and the claim come below, each when it can be had.
		if line.method == http.MethodGet || line.success >= http.StatusMultipleChoices || strings.Contains(line.path, "{job}") ||
			strings.Contains(line.path, "{schedule}") || strings.Contains(line.path, "-config") || strings.HasSuffix(line.path, "/claim") {
			continue
		}
		g := line.grounds(t, here)
		ground[line.operation] = g
		who := slices.Concat(line.here, line.everywhere)[0]
		if a := line.call(as(t, who), g); a.status >= http.StatusMultipleChoices {
			require.Fail(t, "it fails", "%s as %s: %d %s", line.operation, who, a.status, a.body)
		} else {
			require.Positive(t, stack.count(t, `SELECT count(*) FROM audit_entries WHERE id > $1 AND operation = $2 AND outcome = 'SUCCESS'
				AND coalesce(tracking_id, '') = $3`, since, line.operation, a.header.Get("X-Request-Id")), line.operation)
		}
	}
	source := newSource(t)
	token := admin.post("/personal-access-tokens", object{"name": unique("Token")}).want(200).object()
	admin.delete("/personal-access-tokens/" + token.id()).want(204)
	client := admin.post("/oauth-clients", object{"name": unique("Client")}).want(200).object()
	admin.delete("/oauth-clients/" + client.id()).want(204)
	path := exportPath(source, "/export-schedules")
	schedule := admin.post(path, object{"cron": "30 4 * * 1", "zone": "Europe/Berlin", "keep": 2}).want(200).object()
	admin.delete(path + "/" + schedule.id()).want(204)
	decided := newSource(t, "approver.one")
	ask(t, decided)
	waits := "/non-employee-sources/" + decided.id() + "/approval-config"
	sooner := maps.Clone(defaultPolicy)
	sooner["timeoutConfig"] = object{"enabled": true, "daysUntilTimeout": 89}
	admin.send(http.MethodPut, waits, sooner).want(200)
	admin.post(waits+"/apply", nil).want(200)
	admin.delete(waits).want(204)
	for _, policy := range []object{sooner, defaultPolicy} {
		admin.send(http.MethodPut, "/non-employee-approval-config", policy).want(200)
	}
	dates := "/non-employee-sources/" + source.id() + "/lifecycle-config"
	admin.send(http.MethodPut, dates, defaultDates).want(200)
	admin.delete(dates).want(204)
	// Where nothing is done at the end, the days until then mean nothing.
	other := maps.Clone(defaultDates)
	other["end"] = object{"action": "NONE", "graceDays": 1}
	for _, policy := range []object{other, defaultDates} {
		admin.send(http.MethodPut, "/non-employee-lifecycle-config", policy).want(200)
	}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer receiver.Close()
	listens := object{"url": receiver.URL, "events": []string{"request_made"}}
	endpoint := "/webhooks/" + admin.post("/webhooks", listens).want(200).object().id()
	listens["events"] = []string{"request_made", "request_decided"}
	admin.send(http.MethodPut, endpoint, listens).want(200)
	ask(t, decided)
	again := func(resend func(delivery string)) {
		id := strings.TrimPrefix(endpoint, "/webhooks/")
		eventually(t, "it has arrived", func() bool {
			return stack.count(t, `SELECT count(*) FROM deliveries WHERE endpoint_id = $1 AND status = 'DELIVERED'`, id) > 0
		})
		stack.execute(t, `UPDATE deliveries SET status = 'DEAD', delivered = NULL WHERE endpoint_id = $1`, id)
		resend(stack.text(t, `SELECT min(id::text) FROM deliveries WHERE endpoint_id = $1`, id))
	}
	again(func(delivery string) { admin.post("/deliveries/"+delivery+"/resend", nil).want(200) })
	again(func(string) { admin.post(endpoint+"/resend", nil).want(200) })
	admin.delete(endpoint).want(204)
	pool := newSource(t)
	admin.patch("/non-employee-sources/"+pool.id(), patchOperation{Op: "replace", Path: "/approvers", Value: []object{
		{"id": groupID(t, "here.group"), "type": "GOVERNANCE_GROUP"},
	}}).want(200)
	as(t, "here.member").post("/non-employee-approvals/"+ask(t, pool).items()[0].id()+"/claim", object{}).want(200)
	as(t, "here.member").delete("/identities/me/absences/" + away(t, "here.member", "outsider").id()).want(204)
	accepted := admin.upload(source, "", csvHeader+csvRow("trail."+marker)).want(http.StatusAccepted).object()
	awaitJob(t, source, accepted.id(), "COMPLETED")
	admin.get(exportPath(source, "/download")).want(200)
	stack.killWorker(t)
	waiting := admin.upload(source, "", csvHeader+csvRow("never."+marker)).want(http.StatusAccepted).object()
	admin.post(bulkPath(source, "/jobs/"+waiting.id()+"/cancel"), nil).want(200)
	stack.startWorker(t)
	alone := ask(t, source)
	eventually(t, "it is approved", func() bool { return readRequest(t, alone.id()).text("approvalStatus") == "APPROVED" })

	for _, operation := range changing(t) {
		require.Positive(t, stack.count(t, `SELECT count(*) FROM audit_entries WHERE id > $1 AND operation = $2 AND channel = 'API'
			AND outcome = 'SUCCESS' AND identity_id IS NOT NULL`, since, operation), operation)
	}
	for _, step := range []string{"ApplyImport", "WriteExport", "CompleteRequest"} {
		require.Positive(t, stack.count(t, `SELECT count(*) FROM audit_entries WHERE id > $1 AND operation = $2 AND channel = 'WORKFLOW'`,
			since, step), step)
	}
	require.Equal(t, identityID(t, "admin"), stack.text(t, `SELECT identity_id::text FROM audit_entries
		WHERE operation = 'ApplyImport' AND action = 'APPLY' AND object_id = $1`, accepted.id()))

	// A decision is in the trail of all that it is about, with the client and the
	// address that its workflow never knew.
	g := ground["approveNonEmployeeRequest"]
	record := stack.text(t, `SELECT facts::jsonb ->> 'record' FROM audit_entries WHERE object_id = $1`, g.item.id())
	for _, id := range []string{g.item.id(), g.request.id(), record} {
		require.Equal(t, 1, stack.count(t, `SELECT count(*) FROM audit_entries AS e JOIN audit_details AS d ON d.entry_id = e.id
			WHERE e.object_id = $1 AND e.operation = 'approveNonEmployeeRequest' AND e.identity_id = $2
				AND d.actor::jsonb ->> 'client' = 'demo-here.approver' AND d.actor::jsonb ->> 'address' = '127.0.0.1'`,
			id, identityID(t, "here.approver")), id)
	}

	// By signal, and by who may not.
	signalled := newSource(t, "approver.one")
	request := ask(t, signalled)
	awaitRunning(t, request.id())
	item := request.items()[0]
	signal := func(alias string) {
		stack.signalObject(t, request.id(), "approve", object{
			"itemId": item.id(), "approverId": identityID(t, alias), "decisionId": lifecycle.NewID().String(),
		})
	}
	signal("outsider")
	signal("approver.one")
	eventually(t, "the signal decides", func() bool { return readRequest(t, request.id()).text("approvalStatus") == "APPROVED" })
	for alias, outcome := range map[string]string{"outsider": "DENIED", "approver.one": "SUCCESS"} {
		require.Positive(t, stack.count(t, `SELECT count(*) FROM audit_entries WHERE object_id = $1 AND channel = 'SIGNAL'
			AND operation = 'approve' AND identity_id = $2 AND outcome = $3`, item.id(), identityID(t, alias), outcome), alias)
	}
	require.Zero(t, stack.count(t, `SELECT count(*) FROM audit_entries WHERE id > $1 AND channel = 'UNKNOWN'`, since))
	require.Zero(t, stack.count(t, `SELECT count(*) FROM audit_entries AS e WHERE e::text LIKE '%'||$1||'%' OR e::text LIKE '%127.0.0.1%'`, marker))
}

// TestWhatIsRefusedIsInTheTrail: a change, and a login.
func TestWhatIsRefusedIsInTheTrail(t *testing.T) {
	since, source := trailEnd(t), newSource(t)
	refused := as(t, "outsider").delete("/non-employee-sources/" + source.id())
	refused.wantRefusal()
	nowhere := lifecycle.NewID().String()
	as(t, "outsider").delete("/non-employee-sources/" + nowhere).wantRefusal()
	for _, id := range []string{source.id(), nowhere} {
		eventually(t, "it is in the trail, whether the object is there or not", func() bool {
			return stack.count(t, `SELECT count(*) FROM audit_entries WHERE id > $1 AND outcome = 'DENIED' AND action = 'ATTEMPT'
				AND object_type = 'SOURCE' AND object_id = $2 AND identity_id = $3 AND operation = 'deleteNonEmployeeSource'`,
				since, id, identityID(t, "outsider")) == 1
		})
	}
	status, _ := askForToken(t, url.Values{"client_id": {"demo-outsider"}, "client_secret": {"guessed"}})
	require.Equal(t, http.StatusUnauthorized, status)
	eventually(t, "the login is in the trail", func() bool {
		return stack.count(t, `SELECT count(*) FROM audit_entries AS e JOIN audit_details AS d ON d.entry_id = e.id
			WHERE e.id > $1 AND e.outcome = 'DENIED' AND e.operation = 'createToken' AND e.object_type = 'CLIENT'
				AND e.object_id = 'demo-outsider' AND d.actor::jsonb ->> 'address' = '127.0.0.1'`, since) == 1
	})
}
