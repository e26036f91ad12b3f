package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryMount walks through the operations under every mount of contract §1.
func TestEveryMount(t *testing.T) {
	for _, m := range mounts() {
		t.Run(m.name, func(t *testing.T) {
			admin, jane := as(t, "admin").at(m), as(t, "jane.doe").at(m)
			source := newSource(t, "approver.one")
			path := "/non-employee-sources/" + source.id()

			require.Equal(t, source.id(), admin.get(path).want(200).object().text("sourceId"))
			require.Equal(t, "Another description", admin.patch(path,
				patchOperation{Op: "replace", Path: "/description", Value: "Another description"},
			).want(200).object().text("description"))
			require.NotEmpty(t, admin.get("/non-employee-sources?non-employee-count=true&count=true").want(200).header.Get("X-Total-Count"))

			attribute := admin.post(path+"/schema-attributes", object{
				"type": "TEXT", "technicalName": "badge", "label": "Badge",
			}).want(200).object()
			require.Len(t, admin.get(path+"/schema-attributes").want(200).list(), 9)
			require.Equal(t, "badge", admin.get(path+"/schema-attributes/"+attribute.id()).want(200).object().text("technicalName"))
			require.Equal(t, "Badge number", admin.patch(path+"/schema-attributes/"+attribute.id(),
				patchOperation{Op: "replace", Path: "/label", Value: "Badge number"},
				patchOperation{Op: "replace", Path: "/placeholder", Value: "A-17"},
			).want(200).object().text("label"))
			template := admin.get(path + "/schema-attributes-template/download").want(200)
			require.Equal(t, "accountName,firstName,lastName,phone,email,manager,startDate,endDate,badge",
				strings.TrimSpace(string(template.body)))

			body := person(source)
			body["data"] = object{"badge": "A-17"}
			record := admin.post("/non-employee-records", body).want(200).object()
			require.Equal(t, "john.roe", record.text("manager"))
			require.Equal(t, "2027-12-31T00:00:00.000Z", record.text("endDate"))
			require.Equal(t, record, admin.get("/non-employee-records/"+record.id()).want(200).object())
			require.Equal(t, "Other", admin.patch("/non-employee-records/"+record.id(),
				patchOperation{Op: "replace", Path: "/firstName", Value: "Other"},
			).want(200).object().text("firstName"))
			record["lastName"] = "Changed"
			require.Equal(t, "Changed", admin.send(http.MethodPut, "/non-employee-records/"+record.id(), record).want(200).object().text("lastName"))
			require.Len(t, admin.get("/non-employee-records?filters="+url.QueryEscape(`sourceId eq "`+source.id()+`"`)).want(200).list(), 1)
			admin.delete("/non-employee-records/" + record.id()).want(204)
			again := admin.post("/non-employee-records", body).want(200).object()
			admin.post("/non-employee-records/bulk-delete", object{"ids": []string{again.id()}}).want(204)

			admin.delete(path + "/schema-attributes/" + attribute.id()).want(204)
			admin.delete(path + "/schema-attributes").want(204)
			require.Len(t, admin.get(path+"/schema-attributes").want(200).list(), 8)

			request := jane.post("/non-employee-requests", person(source)).want(200).object()
			require.Equal(t, []string{"PENDING"}, request.itemStatuses())
			require.Equal(t, request.id(), jane.get("/non-employee-requests/"+request.id()).want(200).object().id())
			require.Len(t, admin.get("/non-employee-requests?requested-for="+identityID(t, "jane.doe")+
				"&filters="+url.QueryEscape(`sourceId eq "`+source.id()+`"`)).want(200).list(), 1)
			jane.get("/non-employee-requests?requested-for=me").want(200)
			jane.get("/non-employee-requests/summary/me").want(200)

			approver := as(t, "approver.one").at(m)
			item := request.items()[0].id()
			require.NotEmpty(t, approver.get("/non-employee-approvals?requested-for=me&filters="+url.QueryEscape(`approvalStatus eq "PENDING"`)).want(200).list())
			approver.get("/non-employee-approvals/summary/me").want(200)
			detail := approver.get("/non-employee-approvals/" + item).want(200).object()
			require.Equal(t, "2027-12-31", object(detail["nonEmployeeRequest"].(map[string]any)).text("endDate"))
			require.NotContains(t, string(approver.get("/non-employee-approvals/"+item+"?include-detail=false").want(200).body), "endDate")
			require.Equal(t, "APPROVED", approver.post("/non-employee-approvals/"+item+"/approve", object{}).want(200).object().text("approvalStatus"))
			require.Len(t, recordsOf(t, source), 1)

			second := jane.post("/non-employee-requests", person(source)).want(200).object()
			rejected := approver.post("/non-employee-approvals/"+second.items()[0].id()+"/reject", object{"comment": "No " + marker}).want(200).object()
			require.Equal(t, "REJECTED", rejected.text("approvalStatus"))
			admin.delete("/non-employee-requests/" + request.id()).want(204)
			require.Len(t, recordsOf(t, source), 1, "deleting a decided request leaves its record")
			admin.delete(path).want(204)
			admin.get(path).wantError(404, "404 Not found", "")
		})
	}
}

func TestIDsComeInBothForms(t *testing.T) {
	source := newSource(t)
	admin := as(t, "admin")
	short := strings.ToUpper(strings.ReplaceAll(source.id(), "-", ""))
	require.Equal(t, source.id(), admin.get("/non-employee-sources/"+short).want(200).object().id())
	admin.get("/non-employee-sources/nonsense").wantError(400, "400.1 Bad Request Content", "id must be a UUID")
	body := person(source)
	body["sourceId"] = short
	require.Equal(t, source.id(), admin.post("/non-employee-records", body).want(200).object().text("sourceId"))
}

func TestAllFaultsOfABodyAreToldAtOnce(t *testing.T) {
	source := newSource(t)
	text := as(t, "admin").post("/non-employee-records", object{
		"sourceId": source.id(), "accountName": " ", "email": "nobody", "manager": "no.such.person",
		"startDate": "2027-02-29", "endDate": "2027-01-01", "phone": 5, "data": object{"unknown": "x"},
	}).want(400).errorText()
	for _, field := range []string{"accountName", "firstName", "lastName", "email", "manager", "startDate", "phone", "unknown"} {
		require.Contains(t, text, field)
	}
	require.Empty(t, recordsOf(t, source))
}

func TestAccountNameIsTakenOnceAcrossRecordsAndRequests(t *testing.T) {
	source := newSource(t, "approver.one")
	body := person(source)
	request := as(t, "jane.doe").post("/non-employee-requests", body).want(200).object()
	same := person(source)
	same["accountName"] = strings.ToUpper(body.text("accountName"))
	as(t, "admin").post("/non-employee-records", same).wantError(400, "400.1.409 Reference conflict",
		`Unable to create Non-Employee because the accountName "`+same.text("accountName")+`" is already being used.`)
	as(t, "admin").delete("/non-employee-requests/" + request.id()).want(204)
	as(t, "admin").post("/non-employee-records", same).want(200)
}

func TestWhatWasReadCanBeSentBackChanged(t *testing.T) {
	source := newSource(t)
	admin := as(t, "admin")
	record := admin.post("/non-employee-records", person(source)).want(200).object()
	path := "/non-employee-records/" + record.id()
	record["firstName"] = "Back"
	require.Equal(t, "Back", admin.send(http.MethodPut, path, record).want(200).object().text("firstName"))
	for _, other := range []any{source.id(), 7} {
		record["id"] = other
		admin.send(http.MethodPut, path, record).wantError(400, "400.1.1 Illegal update attempt", "id")
	}
	another := person(source)
	another["id"] = 5
	admin.post("/non-employee-records", another).want(200)
	admin.patch("/non-employee-sources/"+source.id(), patchOperation{Op: "replace", Path: "/managementWorkgroup", Value: "x"}).
		wantError(400, "400.1.1 Illegal update attempt", `"managementWorkgroup" can't be changed.`)
	admin.patch(path, patchOperation{Op: "replace", Path: "/created", Value: "2000-01-01T00:00:00Z"}).
		wantError(400, "400.1.1 Illegal update attempt", "created")
}

func TestAnAccountManagerMovesTheEndDateOnly(t *testing.T) {
	source := newSource(t)
	record := as(t, "admin").post("/non-employee-records", person(source)).want(200).object()
	path := "/non-employee-records/" + record.id()
	jane := as(t, "jane.doe")
	require.Equal(t, "2028-06-30T00:00:00.000Z", jane.patch(path,
		patchOperation{Op: "replace", Path: "/endDate", Value: "2028-06-30"}).want(200).object().text("endDate"))
	jane.patch(path, patchOperation{Op: "replace", Path: "/firstName", Value: "X"}).wantError(403, "403 Forbidden", "")
	jane.patch(path, patchOperation{Op: "remove", Path: "/phone"}).wantError(403, "403 Forbidden", "")
	jane.patch(path,
		patchOperation{Op: "replace", Path: "/startDate", Value: "2027-01-01"},
		patchOperation{Op: "replace", Path: "/firstName", Value: " " + record.text("firstName") + " "},
		patchOperation{Op: "replace", Path: "/manager", Value: identityID(t, "john.roe")},
		patchOperation{Op: "replace", Path: "/id", Value: strings.ReplaceAll(record.id(), "-", "")},
	).want(200)
	record["endDate"] = "2028-07-01"
	require.Equal(t, "2028-07-01T00:00:00.000Z", jane.send(http.MethodPut, path, record).want(200).object().text("endDate"))
	record["lastName"] = "X"
	jane.send(http.MethodPut, path, record).wantError(403, "403 Forbidden", "")
	jane.patch(path, patchOperation{Op: "replace", Path: "/endDate", Value: "2020-01-01"}).want(400)
}

func TestPagesNeitherRepeatNorLoseARow(t *testing.T) {
	source := newSource(t)
	admin := as(t, "admin")
	want := map[string]bool{}
	for range 23 {
		want[admin.post("/non-employee-records", person(source)).want(200).object().id()] = true
	}
	where := "&filters=" + url.QueryEscape(`sourceId eq "`+source.id()+`"`)
	for _, sorters := range []string{"", "accountName", "-endDate", "lastName,-created", "manager"} {
		seen := map[string]bool{}
		for offset := 0; ; offset += 5 {
			page := admin.get("/non-employee-records?limit=5&count=true&offset=" + strconv.Itoa(offset) +
				"&sorters=" + sorters + where).want(200)
			require.Equal(t, "23", page.header.Get("X-Total-Count"))
			if len(page.list()) == 0 {
				break
			}
			for _, record := range page.list() {
				require.False(t, seen[record.id()], "repeated under sorters %q", sorters)
				seen[record.id()] = true
			}
		}
		require.Equal(t, want, seen)
	}
	admin.get("/non-employee-records?limit=251").wantError(400, "400.1 Bad Request Content", "limit")
	admin.get("/non-employee-records?limit=x").wantError(400, "400.1 Bad Request Content", "limit")
	admin.get("/non-employee-records?sorters=data").wantError(400, "400.1 Bad Request Content", "data")
	admin.get("/non-employee-records?filters="+url.QueryEscape(`accountName eq`)).wantError(400, "400.1 Bad Request Content", "filters")
	require.Empty(t, admin.get("/non-employee-records?limit=0").want(200).list())
	require.Equal(t, "[]", strings.TrimSpace(string(admin.get("/non-employee-records?limit=0").body)))
}

func TestTokens(t *testing.T) {
	nobody := caller{t: t, mount: prefixed("/v3")}
	require.Contains(t, nobody.get("/non-employee-sources").want(401).object().text("error"), "JWT validation failed:")
	forged := caller{t: t, token: signIn(t, "admin").AccessToken + "x", mount: prefixed("/v3")}
	forged.get("/non-employee-sources").want(401)

	status, refused := askForToken(t, url.Values{"client_id": {"demo-admin"}, "client_secret": {"wrong"}})
	require.Equal(t, http.StatusUnauthorized, status)
	var failure struct {
		Error string `json:"error"`
	}
	require.NoError(t, json.Unmarshal(refused, &failure))
	require.Equal(t, "invalid_client", failure.Error)

	app := as(t, "app")
	app.get("/non-employee-sources").want(200)
	app.get("/non-employee-sources?requested-for=me").wantError(400, "400.1 Bad Request Content", "me")
	app.get("/non-employee-approvals/"+identityID(t, "admin")).wantError(403, "403 Forbidden", "")
}

func TestAFileComesOutAndGoesBackIn(t *testing.T) {
	source := newSource(t)
	admin := as(t, "admin")
	uploads := "/non-employee-sources/" + source.id() + "/non-employee-bulk-upload"
	require.Empty(t, admin.get(uploads+"/status").want(200).object())
	stored := admin.post("/non-employee-records", person(source)).want(200).object()

	download := "/non-employee-sources/" + source.id() + "/non-employees/download"
	exported := admin.get(download).want(200)
	require.Contains(t, exported.header.Get("Content-Disposition"), "attachment; filename=")
	header, row, _ := strings.Cut(string(exported.body), "\n")
	require.Equal(t, "accountName,firstName,lastName,phone,email,manager,startDate,endDate", header)
	require.True(t, strings.HasPrefix(row, stored.text("accountName")+","), row)
	again := admin.get(download + "?job=" + exported.header.Get("X-Gatehouse-Job")).want(200)
	require.Equal(t, exported.body, again.body)
	require.Equal(t, strconv.Itoa(len(again.body)), again.header.Get("Content-Length"))

	account := unique("acc")
	added := account + ",First-" + marker + ",Last-" + marker + ",1," + account + "@example.com,john.roe,2027-01-01,2027-12-31\n"
	upload := func(query, file string) answer {
		return admin.post(uploads+query, "--x\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n"+file+"\r\n--x--\r\n",
			"Content-Type", "multipart/form-data; boundary=x")
	}
	upload("", header+"\n,,,,,,,\n").wantError(400, "400.1.0 Required Data Missing Or Empty", "line 2, column firstName: firstName is required")
	require.Equal(t, object{"total": 2., "created": 1., "updated": 0., "unchanged": 1.},
		upload("?dry-run=true", string(exported.body)+added).want(200).object())
	require.Empty(t, admin.get(uploads+"/status").want(200).object(), "nothing came of it")

	job := upload("", string(exported.body)+added).want(202).object()
	eventually(t, "the file is in", func() bool {
		return admin.get(uploads+"/status").want(200).object().text("status") == "COMPLETED"
	})
	rows := admin.get(uploads + "/jobs/" + job.id()).want(200).object()["rows"]
	require.Equal(t, map[string]any{"total": 2., "done": 2., "created": 1., "updated": 0., "unchanged": 1., "failed": 0.}, rows)
	require.Empty(t, admin.get(uploads+"/jobs/"+job.id()+"/faults").want(200).list())
	require.Contains(t, string(admin.get(download).want(200).body), account)
}
