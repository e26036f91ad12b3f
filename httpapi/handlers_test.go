package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

const aBody = `{"sourceId":"0193a1b27c3d7e4f8a5b6c7d8e9f0a1b","accountName":"william.smith","firstName":"William",
	"lastName":"Smith","phone":null,"data":{"costCentre":"4711"},"unknown":[1,{"a":2}]}`

const (
	aFile = "accountName,firstName,lastName,phone,email,manager,startDate,endDate\n" +
		"william.smith,William,Smith,+1 512 555 0147,william.smith@example.com,jane.doe,2026-03-02,2026-12-31\n"
	anUpload = "--x\r\nContent-Disposition: form-data; name=\"data\"; filename=\"a.csv\"\r\n\r\n" + aFile + "\r\n--x--\r\n"

	uploads   = "/non-employee-sources/{source}/non-employee-bulk-upload"
	exports   = "/non-employee-sources/{source}/non-employees"
	schedules = exports + "/export-schedules"
	ofSource  = "/non-employee-sources/{source}/approval-config"
	datesOf   = "/non-employee-sources/{source}/lifecycle-config"
)

// served has every operation, with a call that succeeds.
var served = map[policy.Operation]struct {
	method, path, body string
	status             int
	// answer is a part of the body.
	answer string
}{
	policy.ListSources:   {"GET", "/non-employee-sources?requested-for=me&non-employee-count=true&count=true&sorters=-name", "", 200, `"nonEmployeeCount":0`},
	policy.CreateSource:  {"POST", "/non-employee-sources", `{"name":"A","owner":{"id":"x"},"approvers":["y",{"id":"z"}]}`, 200, `"accountManagers":[]`},
	policy.GetSource:     {"GET", "/non-employee-sources/{source}", "", 200, `"sourceId":"0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"`},
	policy.PatchSource:   {"PATCH", "/non-employee-sources/{source}", `[{"op":"replace","path":"/name","value":"B"}]`, 200, `"GOVERNANCE_GROUP"`},
	policy.DeleteSource:  {"DELETE", "/non-employee-sources/{source}", "", 204, ""},
	policy.ListSchema:    {"GET", "/non-employee-sources/{source}/schema-attributes", "", 200, `"technicalName":"costCentre"`},
	policy.CreateSchema:  {"POST", "/non-employee-sources/{source}/schema-attributes", `{"type":"TEXT","label":"L","required":true}`, 200, `"system":false`},
	policy.DeleteSchema:  {"DELETE", "/non-employee-sources/{source}/schema-attributes", "", 204, ""},
	policy.GetAttribute:  {"GET", "/non-employee-sources/{source}/schema-attributes/{id}", "", 200, `"required":true`},
	policy.PatchAttr:     {"PATCH", "/non-employee-sources/{source}/schema-attributes/{id}", `[]`, 200, `"label":"Cost centre"`},
	policy.DeleteAttr:    {"DELETE", "/non-employee-sources/{source}/schema-attributes/{id}", "", 204, ""},
	policy.Template:      {"GET", "/non-employee-sources/{source}/schema-attributes-template/download", "", 200, "accountName,firstName,lastName,phone,email,manager,startDate,endDate,costCentre\n"},
	policy.ListRecords:   {"GET", "/non-employee-records?limit=0&offset=3", "", 200, `"data":{}`},
	policy.CreateRecord:  {"POST", "/non-employee-records", aBody, 200, `"manager":"jane.doe"`},
	policy.GetRecord:     {"GET", "/non-employee-records/{id}", "", 200, `"startDate":"2026-03-02T08:00:00.120Z"`},
	policy.PutRecord:     {"PUT", "/non-employee-records/{id}", aBody, 200, `"accountName":"william.smith"`},
	policy.PatchRecord:   {"PATCH", "/non-employee-records/{id}", `[{"op":"remove","path":"/data/a"}]`, 200, `"phone":"+1 512 555 0147"`},
	policy.DeleteRecord:  {"DELETE", "/non-employee-records/{id}", "", 204, ""},
	policy.BulkDelete:    {"POST", "/non-employee-records/bulk-delete", `{"ids":["a","b"]}`, 204, ""},
	policy.ListRequests:  {"GET", "/non-employee-requests?requested-for=me&filters=sourceId+eq+%22a%22", "", 200, `"completionDate":"2026-03-02T08:00:00.120Z"`},
	policy.CreateRequest: {"POST", "/non-employee-requests", aBody, 200, `"approvalItems":[]`},
	policy.GetRequest:    {"GET", "/non-employee-requests/{id}", "", 200, `"nonEmployeeSource":{`},
	policy.DeleteRequest: {"DELETE", "/non-employee-requests/{id}", "", 204, ""},
	policy.RequestSum:    {"GET", "/non-employee-requests/summary/me", "", 200, `"nonEmployeeCount":4`},
	policy.ListApprovals: {"GET", "/non-employee-approvals?count=true", "", 200, `"nonEmployeeRequest":{"id":"0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b","requester":{`},
	policy.GetApproval:   {"GET", "/non-employee-approvals/{id}", "", 200, `"startDate":"2026-03-02"`},
	policy.ApprovalSum:   {"GET", "/non-employee-approvals/summary/me", "", 200, `"rejected":2`},
	policy.Approve:       {"POST", "/non-employee-approvals/{id}/approve", `{}`, 200, `"approvalOrder":1`},
	policy.Reject:        {"POST", "/non-employee-approvals/{id}/reject", `{"comment":"No"}`, 200, `"comment":"No"`},

	policy.BulkUpload:           {"POST", uploads, anUpload, 202, `"status":"PENDING"`},
	policy.BulkStatus:           {"GET", uploads + "/status", "", 200, `{"status":"IN_PROGRESS"}`},
	policy.ListImports:          {"GET", uploads + "/jobs?count=true&limit=5", "", 200, `"rows":{"created":3,"done":6,"failed":1,"total":9,"unchanged":1,"updated":1}`},
	policy.GetImport:            {"GET", uploads + "/jobs/{id}", "", 200, `"waiting":2`},
	policy.ListImportFaults:     {"GET", uploads + "/jobs/{id}/faults", "", 200, `"detailCode":"400.1.404 Referenced object not found"`},
	policy.DownloadImportFaults: {"GET", uploads + "/jobs/{id}/faults/download", "", 200, aFile},
	policy.CancelImport:         {"POST", uploads + "/jobs/{id}/cancel", "", 200, `"status":"CANCELLED"`},
	policy.Export:               {"GET", exports + "/download", "", 200, aFile},
	policy.ListExports:          {"GET", exports + "/exports?offset=1", "", 200, `"bytes":12`},
	policy.ListExportSchedules:  {"GET", schedules, "", 200, `"zone":"Europe/Berlin"`},
	policy.CreateExportSchedule: {"POST", schedules, `{"cron":"30 6 * * *","keep":3}`, 200, `"keep":3`},
	policy.DeleteExportSchedule: {"DELETE", schedules + "/{id}", "", 204, ""},

	policy.GetRequestProgress: {"GET", "/non-employee-requests/{id}/progress", "", 200, `"next":[{"at":"2026-03-02T08:00:00.120Z","step":"ESCALATION","to":{`},
	policy.GetSourcePolicy:    {"GET", ofSource, "", 200, `"inherited":true`},
	policy.PutSourcePolicy:    {"PUT", ofSource, `{"timeoutConfig":{"enabled":true,"daysUntilTimeout":30}}`, 200, `"identityType":"MANAGER_OF"}`},
	policy.DeleteSourcePolicy: {"DELETE", ofSource, "", 204, ""},
	policy.ApplySourcePolicy:  {"POST", ofSource + "/apply", "", 200, `{"applied":12}`},
	policy.GetDefaultPolicy:   {"GET", "/non-employee-approval-config", "", 200, `"inherited":false`},
	policy.PutDefaultPolicy:   {"PUT", "/non-employee-approval-config", `{"timeoutConfig":{"enabled":true,"daysUntilTimeout":30}}`, 200, `"version":2`},

	policy.GetSourceLifecycle:    {"GET", datesOf, "", 200, `"inherited":true`},
	policy.PutSourceLifecycle:    {"PUT", datesOf, `{"warnings":[{"days":30,"to":["OWNER"]}]}`, 200, `"warnings":[{"days":30,"to":["ACCOUNT_MANAGERS","MANAGER"]},`},
	policy.DeleteSourceLifecycle: {"DELETE", datesOf, "", 204, ""},
	policy.GetDefaultLifecycle:   {"GET", "/non-employee-lifecycle-config", "", 200, `"inherited":false`},
	policy.PutDefaultLifecycle:   {"PUT", "/non-employee-lifecycle-config", `{"warnings":[]}`, 200, `"end":{"action":"NONE","graceDays":0}`},
	policy.EndRecord:             {"POST", "/non-employee-records/{id}/end", `{"reason":"Left early"}`, 200, `"accountName":"william.smith"`},
	policy.ListExtensions:        {"GET", "/non-employee-extensions?assigned-to=me&count=true&sorters=-created", "", 200, `"records":{"approved":4,"cancelled":0,"pending":2,"rejected":1,"skipped":2,"total":9}`},
	policy.CreateExtension:       {"POST", "/non-employee-extensions", `{"sourceId":"a","endDate":"b","recordIds":["c"]}`, 200, `"endDate":"2027-03-02T08:00:00.120Z"`},
	policy.ImportExtension:       {"POST", "/non-employee-sources/{source}/non-employee-extensions/upload", anUpload, 200, `"completionDate":"2026-03-02T08:00:00.120Z"`},
	policy.GetExtension:          {"GET", "/non-employee-extensions/{id}", "", 200, `"approvalOrder":1`},
	policy.ListExtensionRecords:  {"GET", "/non-employee-extensions/{id}/records?filters=status+eq+%22a%22&limit=1", "", 200, `"rejectedBy":{`},
	policy.CancelExtension:       {"POST", "/non-employee-extensions/{id}/cancel", "", 200, `"cancellationReason":"withdrawn"`},
	policy.ApproveExtension:      {"POST", "/non-employee-extension-approvals/{id}/approve", `{"rejectedRecords":["a"]}`, 200, `"comment":"Goes on"`},
	policy.RejectExtension:       {"POST", "/non-employee-extension-approvals/{id}/reject", `{"comment":"No"}`, 200, `"approvalStatus":"REJECTED"`},
	policy.ListWebhooks:          {"GET", "/webhooks", "", 200, `"url":"https://hooks.example.com/gatehouse"`},
	policy.CreateWebhook:         {"POST", "/webhooks", `{"url":"https://hooks.example.com/gatehouse","events":["reminder"]}`, 200, `"secret":"whsec_MDEy`},
	policy.GetWebhook:            {"GET", "/webhooks/{id}", "", 200, `"events":["reminder"]`},
	policy.UpdateWebhook:         {"PUT", "/webhooks/{id}", `{"url":"https://hooks.example.com/gatehouse","enabled":false}`, 200, `"enabled":true`},
	policy.DeleteWebhook:         {"DELETE", "/webhooks/{id}", "", 204, ""},
	policy.ResendDeliveries:      {"POST", "/webhooks/{id}/resend", "", 200, `{"resent":3}`},
	policy.ListDeliveries:        {"GET", "/deliveries?status=DEAD&count=true", "", 200, `"fault":"timeout"`},
	policy.ResendDelivery:        {"POST", "/deliveries/{id}/resend", "", 200, `"status":"DEAD"`},

	policy.Reassign:             {"POST", "/non-employee-approvals/{id}/reassign", `{"newOwner":"x","comment":"c"}`, 200, `"approvalOrder":1`},
	policy.Claim:                {"POST", "/non-employee-approvals/{id}/claim", `{}`, 200, `"approvalStatus":"PENDING"`},
	policy.ReassignmentHistory:  {"GET", "/non-employee-approvals/{id}/reassignment-history", "", 200, `"reassignmentType":"DELEGATION"`},
	policy.ListIdentities:       {"GET", "/identities?count=true&sorters=-name", "", 200, `"emailAddress":"jane.doe@example.com"`},
	policy.GetIdentity:          {"GET", "/identities/{id}", "", 200, `"managerRef":{"id":"2c918085-7d7e-4f0e-8d0c-5a1f3b6c9e01","name":"Sol Source","type":"IDENTITY"}`},
	policy.ListAbsences:         {"GET", "/identities/me/absences?count=true&limit=5", "", 200, `"endDate":"2026-03-16T08:00:00.120Z"`},
	policy.CreateAbsence:        {"POST", "/identities/{id}/absences", `{"deputy":{"id":"x"},"endDate":"2026-03-16"}`, 200, `"deputy":{`},
	policy.GetAbsence:           {"GET", "/identities/me/absences/{id}", "", 200, `"creator":{`},
	policy.DeleteAbsence:        {"DELETE", "/identities/me/absences/{id}", "", 204, ""},
	policy.ListWorkgroups:       {"GET", "/workgroups?limit=1", "", 200, `"memberCount":4`},
	policy.GetWorkgroup:         {"GET", "/workgroups/{id}", "", 200, `"name":"Field operations"`},
	policy.ListWorkgroupMembers: {"GET", "/workgroups/{id}/members?count=true", "", 200, `"alias":"jane.doe"`},
	policy.ListAuditEvents:      {"GET", "/audit-events?count=true&sorters=occurred", "", 200, `"before":{"firstName":"A"}`},
	policy.ExportAuditEvents:    {"GET", "/audit-events/export?format=ndjson", "", 200, "second piece"},
	policy.ListTokens:           {"GET", "/personal-access-tokens?owner-id=me&count=true", "", 200, `"lastUsed":"2026-03-02T08:00:00.120Z"`},
	policy.CreateToken:          {"POST", "/personal-access-tokens", `{"name":"Laptop","scope":["idn:nelm:read"]}`, 200, `"secret":"s3cret"`},
	policy.DeleteToken:          {"DELETE", "/personal-access-tokens/a-token", "", 204, ""},
	policy.ListClients:          {"GET", "/oauth-clients?limit=5", "", 200, `"rights":["idn:nesr:read"]`},
	policy.CreateClient:         {"POST", "/oauth-clients", `{"name":"App","rights":["idn:nesr:read"]}`, 200, `"secret":"s3cret"`},
	policy.GetClient:            {"GET", "/oauth-clients/a-client", "", 200, `"enabled":true`},
	policy.DeleteClient:         {"DELETE", "/oauth-clients/a-client", "", 204, ""},
}

func fill(path string) string {
	return "/v3" + strings.NewReplacer("{source}", sourceID.String(), "{id}", objectID.String()).Replace(path)
}

func TestEveryOperationAnswersAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	require.Len(t, served, len(policy.Rules)+len(policy.Extensions))
	for op, call := range served {
		t.Run(string(op), func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			w := a.do(t, request(call.method, fill(call.path), call.body))
			require.Equal(t, call.status, w.Code, w.Body.String())
			require.Contains(t, w.Body.String(), call.answer)
			require.NotContains(t, w.Body.String(), "null")
			require.Equal(t, person, a.service.actor.IdentityID)
			requireProtected(t, w.Header(), false)
		})
	}
}

func TestEveryOperationPassesTheErrorsOfTheServiceOn(t *testing.T) {
	t.Parallel()
	for op, call := range served {
		t.Run(string(op), func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.service.err = lifecycle.NewError(lifecycle.KindForbidden, "Not yours.")
			w := a.do(t, request(call.method, fill(call.path), call.body))
			require.Equal(t, http.StatusForbidden, w.Code)
			require.Contains(t, w.Body.String(), `"text":"Not yours."`)
		})
	}
}

func TestEveryOperationNeedsAToken(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, method, path, body string) {
		t.Helper()
		a := newAPI(t)
		r := request(method, fill(path), body)
		r.Header.Del("Authorization")
		w := a.do(t, r)
		require.Equal(t, http.StatusUnauthorized, w.Code)
		require.JSONEq(t, `{"error":"JWT validation failed: no token"}`, w.Body.String())
		require.Empty(t, a.service.actor.ClientID, "the service was not asked")
	}
	for _, call := range served {
		check(t, call.method, call.path, call.body)
	}
}

func TestAnEmptyListIsAnEmptyArray(t *testing.T) {
	t.Parallel()
	for _, op := range []policy.Operation{
		policy.ListSources, policy.ListRecords, policy.ListRequests, policy.ListApprovals, policy.ListSchema,
		policy.ListImports, policy.ListImportFaults, policy.ListExports, policy.ListExportSchedules,
		policy.ReassignmentHistory, policy.ListAbsences,
	} {
		a := newAPI(t)
		a.service.empty = true
		w := a.do(t, request("GET", fill(served[op].path), ""))
		require.JSONEq(t, `[]`, w.Body.String(), op)
	}
}

func TestCollectionParametersReachTheService(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	w := a.do(t, request("GET", `/v3/non-employee-records?limit=10&offset=20&count=true&sorters=-created&filters=email+sw+"a"`, ""))
	require.Equal(t, "7", w.Header().Get("X-Total-Count"))
	p := a.service.params
	require.Equal(t, 10, *p.Limit)
	require.Equal(t, 20, *p.Offset)
	require.Equal(t, "-created", *p.Sorters)
	require.Equal(t, `email sw "a"`, *p.Filters)

	w = a.do(t, request("GET", "/v3/non-employee-records", ""))
	require.NotContains(t, w.Header(), "X-Total-Count")
	require.Nil(t, a.service.params.Limit)
	w = a.do(t, request("GET", "/v3/non-employee-records?count=false", ""))
	require.NotContains(t, w.Header(), "X-Total-Count")

	a.do(t, request("GET", "/v3/non-employee-sources", ""))
	require.Nil(t, a.service.requestedFor)
	a.do(t, request("GET", "/v3/non-employee-sources?requested-for=me&non-employee-count=true", ""))
	require.Equal(t, "me", *a.service.requestedFor)
	require.True(t, a.service.flag)
}

// TestWhereARecordStandsIsAnsweredWhereItIsAskedFor, and else what the contract has.
func TestWhereARecordStandsIsAnsweredWhereItIsAskedFor(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, path := range []string{"/v3/non-employee-records/" + objectID.String(), "/v3/non-employee-records"} {
		plain := a.do(t, request("GET", path, "")).Body.String()
		for _, field := range []string{"lifecycle", "next", "Action", "ended"} {
			require.NotContains(t, plain, field)
		}
		w := a.do(t, request("GET", path+"?detail-level=LIFECYCLE", ""))
		require.Equal(t, http.StatusOK, w.Code)
		for _, member := range []string{
			`"lifecycleState":"EXPIRING"`, `"lifecycleStateSince":"2026-03-02T08:00:00.120Z"`,
			`"nextWarningDate":"2026-03-09T08:00:00.120Z"`, `"endActionDate":"2026-04-02T08:00:00.120Z"`,
		} {
			require.Contains(t, w.Body.String(), member)
		}
		require.NotContains(t, w.Body.String(), "ended")
		w = a.do(t, request("GET", path+"?detail-level=ended", ""))
		require.Contains(t, w.Body.String(), `"endedDate":"2026-03-02T08:00:00.120Z","endedReason":"Left early"`)
		require.NotContains(t, w.Body.String(), "next")
	}
}

func TestTheBodyOfAnEndReachesTheService(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := "/v3/non-employee-records/" + objectID.String() + "/end"
	a.do(t, request("POST", path, `{"reason":"Left early","other":1}`))
	require.Equal(t, "Left early", *a.service.reason)
	require.Empty(t, a.service.faults)
	for _, body := range []string{`{"reason":5}`, `[]`, `{`, ``} {
		a.do(t, request("POST", path, body))
		require.Nil(t, a.service.reason, body)
		require.NotEmpty(t, a.service.faults, body)
	}
	a.do(t, request("PUT", "/v3/non-employee-lifecycle-config", `{"warnings":[{"days":"x","to":["OWNER"]}],"more":1}`))
	require.True(t, a.service.dates.Faults.About("warnings[0].days"))
	require.True(t, a.service.dates.Faults.About("more"))
	a.do(t, request("PUT", "/v3/non-employee-lifecycle-config", `{`))
	require.NotEmpty(t, a.service.dates.Faults)
}

func TestIdsAreAcceptedInBothForms(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, id := range []string{
		"2c918085-7d7e-4f0e-8d0c-5a1f3b6c9e01", "2c9180857d7e4f0e8d0c5a1f3b6c9e01", "2C918085-7D7E-4F0E-8D0C-5A1F3B6C9E01",
	} {
		a.service.id = lifecycle.ID{}
		w := a.do(t, request("GET", "/v3/non-employee-records/"+id, ""))
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, objectID, a.service.id)
	}
}

func TestAParameterThatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	const records, requests = "/v3/non-employee-records", "/v3/non-employee-requests"
	for target, want := range map[string]string{
		records + "?limit=ten":                        "limit must be a whole number",
		records + "?limit=":                           "limit must be a whole number",
		records + "?limit=1.5":                        "limit must be a whole number",
		records + "?limit=99999999999999999999":       "limit must be a whole number",
		records + "?limit=1&limit=2":                  "limit must be a whole number",
		records + "?offset=x":                         "offset must be a whole number",
		records + "?count=maybe":                      "count must be true or false",
		records + "?sorters=a&sorters=b":              "sorters must be given once",
		records + "?limit=%zz":                        "The query string can't be read.",
		records + "?a;b":                              "The query string can't be read.",
		records + "?filters=%00":                      "must be UTF-8",
		records + "?filters=%ff":                      "must be UTF-8",
		requests:                                      "requested-for is required;",
		requests + "?requested-for=a&requested-for=b": "requested-for must be given once",
		records + "/nobody":                           "id must be a UUID",
		records + "/%20" + objectID.String():          "id must be a UUID",
		records + "/{" + objectID.String() + "}":      "id must be a UUID",
		"/v3/non-employee-sources/" + sourceID.String() + "/schema-attributes/x": "attributeId must be a UUID",
		fill(uploads + "/jobs/x"):                                                        "jobId must be a UUID",
		fill(uploads + "/jobs/x/faults/download"):                                        "jobId must be a UUID",
		fill(uploads + "/jobs?limit=x"):                                                  "limit must be a whole number",
		fill(exports + "/download?job=x"):                                                "job must be a UUID",
		fill(exports + "/download?job="):                                                 "job must be a UUID",
		"/v3/non-employee-sources?non-employee-count=2":                                  "non-employee-count must be true or false",
		"/v3/non-employee-approvals/" + objectID.String() + "?include-detail=2":          "include-detail must be true or false",
		"/beta/non-employee-sources/" + sourceID.String() + "/schema-attributes?limit=x": "limit must be a whole number",
	} {
		a := newAPI(t)
		w := a.do(t, request("GET", target, ""))
		require.Equal(t, http.StatusBadRequest, w.Code, target)
		require.Contains(t, w.Body.String(), want, target)
		require.Empty(t, a.service.actor.ClientID, "the service was not asked")
	}
}

func TestAnIdempotencyKeyReachesTheService(t *testing.T) {
	t.Parallel()
	for _, verdict := range []string{"approve", "reject"} {
		a := newAPI(t)
		target := "/v3/non-employee-approvals/" + objectID.String() + "/" + verdict
		r := request("POST", target, `{"comment":"Fine"}`)
		r.Header.Set("Idempotency-Key", "k-1")
		a.do(t, r)
		require.Equal(t, "k-1", a.service.decision.Key)
		require.Equal(t, "Fine", *a.service.decision.Comment)
		require.Empty(t, a.service.decision.Faults)

		r = request("POST", target, `{}`)
		r.Header.Add("Idempotency-Key", "a")
		r.Header.Add("Idempotency-Key", "b")
		w := a.do(t, r)
		require.Equal(t, http.StatusBadRequest, w.Code)
		require.Contains(t, w.Body.String(), "Idempotency-Key must be given once")
	}
}

func TestDetailOfAnApprovalIsLeftOutOnDemand(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	w := a.do(t, request("GET", "/v3/non-employee-approvals/"+objectID.String()+"?include-detail=false", ""))
	require.False(t, a.service.flag)
	require.Contains(t, w.Body.String(), `"nonEmployeeRequest":{"id":"0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b","requester":{"id":"5b0f6f0e-1111-4222-8333-444455556666","type":"IDENTITY"}}`)
	w = a.do(t, request("GET", "/v3/non-employee-approvals/"+objectID.String(), ""))
	require.True(t, a.service.flag)
	require.Contains(t, w.Body.String(), `"schemaAttributes":[{`)
}

func TestATemplateIsAFileToSave(t *testing.T) {
	t.Parallel()
	w := newAPI(t).do(t, request("GET", fill(served[policy.Template].path), ""))
	require.Equal(t, `attachment; filename="template-0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b.csv"`, w.Header().Get("Content-Disposition"))
	require.Equal(t, "text/csv", w.Header().Get("Content-Type"))
}

func TestWhatIsSentOfExtensionsReachesTheService(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.do(t, request("GET", fill("/non-employee-extensions?requested-for=me&assigned-to=you&filters=a&sorters=b"), ""))
	require.Equal(t, []string{"me", "you", "a", "b"},
		[]string{*a.service.requestedFor, *a.service.assignedTo, *a.service.params.Filters, *a.service.params.Sorters})
	a.do(t, request("POST", fill("/non-employee-extensions"),
		`{"sourceId":"s","endDate":"e","recordIds":["r",1],"filters":"f","comment":"c","id":5}`))
	in := a.service.extension
	require.Equal(t, []string{"s", "e", "f", "c"}, []string{*in.SourceID, *in.EndDate, *in.Filters, *in.Comment})
	require.Equal(t, []string{"r", ""}, in.RecordIDs)
	require.EqualError(t, in.Faults.Err(), "illegal_value: recordIds[1] must be a string;")
	a.do(t, request("POST", fill("/non-employee-extensions"), `[`))
	require.Error(t, a.service.extension.Faults.Err())

	r := request("POST", fill("/non-employee-extension-approvals/{id}/approve"), `{"comment":"c","rejectedRecords":["r"]}`)
	r.Header.Set("Idempotency-Key", "k")
	a.do(t, r)
	require.Equal(t, objectID, a.service.id)
	require.Equal(t, []string{"r"}, a.service.decision.Rejected)
	require.Equal(t, []string{"c", "k"}, []string{*a.service.decision.Comment, a.service.decision.Key})
	a.do(t, request("POST", fill("/non-employee-extension-approvals/{id}/approve"), `{"rejectedRecords":"r"}`))
	require.EqualError(t, a.service.decision.Faults.Err(), "illegal_value: rejectedRecords must be a list;")
}

// TestAnUploadMayHaveTextsBesideTheFile, before and after it.
func TestAnUploadMayHaveTextsBesideTheFile(t *testing.T) {
	t.Parallel()
	field := func(name, text string) string {
		return "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + text + "\r\n"
	}
	path := fill("/non-employee-sources/{source}/non-employee-extensions/upload")
	a := newAPI(t)
	file := strings.TrimSuffix(anUpload, "--x--\r\n")
	w := a.do(t, request("POST", path, field("endDate", "2027-01-01")+file+field("comment", "why")+"--x--\r\n"))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, []string{"2027-01-01", "why"}, []string{*a.service.fields["endDate"], *a.service.fields["comment"]})
	require.Equal(t, aFile, string(a.service.bulk.received))
	w = a.do(t, request("POST", path, anUpload))
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Nil(t, a.service.fields["endDate"])
	w = a.do(t, request("POST", path, field("comment", "one")+file+field("comment", "two")+"--x--\r\n"))
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "must be given once")
}

// TestTheAnswerSaysForWhomADeputyDecides, beside the item, whose schema is the
// contract's.
func TestTheAnswerSaysForWhomADeputyDecides(t *testing.T) {
	t.Parallel()
	for _, op := range []policy.Operation{policy.GetApproval, policy.Approve, policy.Reject, policy.Reassign, policy.Claim} {
		for _, deputy := range []bool{false, true} {
			a := newAPI(t)
			a.service.deputy = deputy
			w := a.do(t, request(served[op].method, fill(served[op].path), served[op].body))
			require.Equal(t, http.StatusOK, w.Code, op)
			want := ""
			if deputy {
				want = sourceID.String()
			}
			require.Equal(t, want, w.Header().Get("X-On-Behalf-Of"), op)
		}
	}
}

func TestAMoveAndAnAbsenceReachTheService(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.do(t, request("POST", fill("/non-employee-approvals/{id}/reassign"), `{"newOwner":{"id":"x","type":"GOVERNANCE_GROUP"},"comment":"why"}`))
	require.Equal(t, lifecycle.ReassignInput{
		NewOwner: &lifecycle.ReferenceInput{ID: new("x"), Type: new("GOVERNANCE_GROUP")}, Comment: new("why"),
	}, a.service.reassign)
	a.do(t, request("POST", fill("/identities/me/absences"), `{"deputy":"x","startDate":"2026-03-02","endDate":"2026-03-16"}`))
	require.Equal(t, lifecycle.AbsenceInput{Deputy: new("x"), Start: new("2026-03-02"), End: new("2026-03-16")}, a.service.absence)
	require.Equal(t, policy.Me, *a.service.requestedFor)
	a.do(t, request("POST", fill("/non-employee-approvals/{id}/reassign"), `{"newOwner":5,"comment":[]}`))
	require.EqualError(t, a.service.reassign.Faults.Err(), "illegal_value: newOwner must be an id or an object with an id; comment must be a string;")
}
