package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/auth"
	"gatehouse/lifecycle"
)

const (
	directoryClient = "e2e-directory"
	patchBody       = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}`
)

// directoryToken gets a token of an application client with the directory's scope,
// as an administrator makes it.
func directoryToken(t *testing.T) string {
	t.Helper()
	rows := stack.rows(t)
	hash, err := auth.HashSecret(directoryClient + "-secret")
	require.NoError(t, err)
	require.NoError(t, rows.EnsureClient(t.Context(), lifecycle.Client{
		ID: directoryClient, Name: directoryClient, SecretHash: hash, Scopes: []string{lifecycle.ScopeSCIM}, Active: true, Created: time.Now(),
	}))
	status, body := askForToken(t, url.Values{"client_id": {directoryClient}, "client_secret": {directoryClient + "-secret"}})
	require.Equal(t, http.StatusOK, status, "%s", body)
	var l login
	require.NoError(t, json.Unmarshal(body, &l))
	return l.AccessToken
}

// scimCall makes one call under /scim/v2, which the OpenAPI document does not have.
func scimCall(t *testing.T, token, method, path, body string, headers ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), answerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, stack.apiURL+"/scim/v2"+path, strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/scim+json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := httpClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Regexp(t, "^[0-9a-f]{32}$", response.Header.Get("X-Request-Id"))
	if len(content) > 0 {
		require.Equal(t, "application/scim+json", response.Header.Get("Content-Type"))
	}
	return answer{t: t, status: response.StatusCode, header: response.Header, body: content}
}

// directoryUser makes a user with a personal access token "demo-ALIAS".
func directoryUser(t *testing.T, token, alias string) object {
	t.Helper()
	user := scimCall(t, token, http.MethodPost, "/Users", `{"userName":"`+alias+`","displayName":"`+alias+`","active":true}`).
		want(http.StatusCreated).object()
	newClient(t, stack.rows(t), lifecycle.Client{ID: "demo-" + alias, IdentityID: lifecycle.MustParseID(user.id())})
	return user
}

// TestADirectoryDecidesWhoCanDecide takes a group through its life: its members
// decide, and when the last of them is gone, what waits for them is cancelled.
func TestADirectoryDecidesWhoCanDecide(t *testing.T) {
	token := directoryToken(t)
	names := []string{unique("ann"), unique("bob"), unique("cleo")}
	var users []object
	var members []string
	for _, name := range names {
		user := directoryUser(t, token, name)
		users, members = append(users, user), append(members, `{"value":"`+user.id()+`"}`)
	}
	group := scimCall(t, token, http.MethodPost, "/Groups", `{"displayName":"`+unique("Deciders")+`","members":[`+strings.Join(members, ",")+`]}`).
		want(http.StatusCreated).object()
	source := newSource(t)
	admin := as(t, "admin")
	reference := object{"id": group.id(), "type": "GOVERNANCE_GROUP"}
	admin.patch("/non-employee-sources/"+source.id(), patchOperation{Op: "replace", Path: "/approvers", Value: []object{reference}}).want(200)

	waits := func(alias string) bool {
		return slices.ContainsFunc(as(t, alias).get("/non-employee-approvals?requested-for=me&filters="+
			url.QueryEscape(`approvalStatus eq "PENDING"`)).want(200).list(), func(object) bool { return true })
	}
	// Any of them may decide, one decision counts, and then it waits for none.
	first := ask(t, source)
	for _, name := range names {
		require.True(t, waits(name), name)
	}
	approve(t, names[1], first.items()[0]).want(200)
	for _, name := range names {
		require.False(t, waits(name), name)
	}
	approve(t, names[0], first.items()[0]).wantError(400, "400.1.1 Illegal update attempt", "APPROVED")
	require.Len(t, recordsOf(t, source), 1)

	// Who was removed, who is inactive and who was deleted can't; the last one can.
	second := ask(t, source)
	item := second.items()[0]
	scimCall(t, token, http.MethodPatch, "/Groups/"+group.id(),
		fmt.Sprintf(patchBody, `{"op":"Remove","path":"members","value":[{"value":"`+users[0].id()+`"}]}`)).want(204)
	as(t, names[0]).post("/non-employee-approvals/"+item.id()+"/approve", object{}).wantRefusal("as one who was removed")
	require.False(t, waits(names[0]))
	scimCall(t, token, http.MethodPatch, "/Users/"+users[1].id(), fmt.Sprintf(patchBody, `{"op":"replace","value":{"active":false}}`)).want(200)
	require.Equal(t, "PENDING", readRequest(t, second.id()).text("approvalStatus"), "cleo can decide")
	eventually(t, "the token of who is inactive is refused", func() bool {
		return as(t, names[1]).get("/non-employee-approvals").status == http.StatusUnauthorized
	})
	approve(t, names[2], item).want(200)

	// Nobody is left.
	third := ask(t, source)
	scimCall(t, token, http.MethodDelete, "/Users/"+users[2].id(), "").want(204)
	eventually(t, "the request is cancelled", func() bool {
		return readRequest(t, third.id()).text("approvalStatus") == "CANCELLED"
	})
	require.Equal(t, "approver_gone", stack.text(t, `SELECT cancellation_reason FROM requests WHERE id = $1`, third.id()))
	eventually(t, "the requester is told why", func() bool {
		return stack.count(t, `SELECT count(*) FROM notifications WHERE request_id = $1 AND reason = 'approver_gone'`, third.id()) == 1
	})
	eventually(t, "the token of who was deleted is refused", func() bool {
		return as(t, names[2]).get("/non-employee-approvals").status == http.StatusUnauthorized
	})
	require.Zero(t, stack.count(t, `SELECT count(*) FROM clients WHERE id = $1`, "demo-"+names[2]))

	// None of them can be named.
	for _, user := range users[1:] {
		for _, field := range []string{"approvers", "accountManagers"} {
			admin.patch("/non-employee-sources/"+source.id(), patchOperation{Op: "replace", Path: "/" + field, Value: []object{{"id": user.id()}}}).
				wantError(400, "400.1.404 Referenced object not found", field+" names no active identity")
		}
		for _, manager := range []string{user.id(), user.text("userName")} {
			body := person(source)
			body["manager"] = manager
			admin.post("/non-employee-records", body).wantError(400, "400.1.404 Referenced object not found", "manager names no active identity")
		}
		admin.post("/non-employee-sources", object{"name": unique("x"), "description": "x", "owner": object{"id": user.id()}}).
			wantError(400, "400.1.404 Referenced object not found", "owner names no active identity")
	}
	scimCall(t, token, http.MethodDelete, "/Groups/"+group.id(), "").want(204)
	fresh := object{"name": unique("x"), "description": "x", "owner": object{"id": identityID(t, "jane.doe")}}
	for field, value := range map[string]any{"approvers": []object{reference}, "managementWorkgroup": group.id()} {
		body := object{field: value}
		maps.Copy(body, fresh)
		admin.post("/non-employee-sources", body).wantError(400, "400.1.404 Referenced object not found", field+" names no workgroup")
	}
	// What names it goes on doing so.
	admin.patch("/non-employee-sources/"+source.id(), patchOperation{Op: "replace", Path: "/description", Value: "Changed"}).want(200)
}

// TestADeletedGroupLeavesNothingHanging, nor does one whose workflow can't be
// reached when it is deleted.
func TestADeletedGroupLeavesNothingHanging(t *testing.T) {
	token := directoryToken(t)
	user := directoryUser(t, token, unique("dora"))
	group := scimCall(t, token, http.MethodPost, "/Groups", `{"displayName":"`+unique("Short")+`","members":[{"value":"`+user.id()+`"}]}`).
		want(http.StatusCreated).object()
	source := newSource(t)
	as(t, "admin").patch("/non-employee-sources/"+source.id(), patchOperation{
		Op: "replace", Path: "/approvers", Value: []object{{"id": group.id(), "type": "GOVERNANCE_GROUP"}},
	}).want(200)
	request := ask(t, source)
	stack.stopTemporal(t)
	scimCall(t, token, http.MethodDelete, "/Groups/"+group.id(), "").want(204)
	stack.startTemporal(t)
	bySweep(t, "the request is cancelled", func() bool {
		return readRequest(t, request.id()).text("approvalStatus") == "CANCELLED"
	})
}

// TestSCIMIsOpenToItsScopeAlone, whoever comes, and its scope opens nothing else.
func TestSCIMIsOpenToItsScopeAlone(t *testing.T) {
	ensurePeople(t)
	token, since := directoryToken(t), trailEnd(t)
	target := "/Users/" + identityID(t, "outsider")
	for _, actor := range actors() {
		for method, path := range map[string]string{http.MethodGet: "/Users", http.MethodPost: "/Groups", http.MethodDelete: target} {
			refused := scimCall(t, signIn(t, actor).AccessToken, method, path, "").want(http.StatusForbidden).object()
			require.Equal(t, "403", refused.text("status"))
			require.Equal(t, []any{"urn:ietf:params:scim:api:messages:2.0:Error"}, refused["schemas"])
		}
	}
	// So many are written down in a minute, of all that is refused.
	eventually(t, "an attempt is in the trail", func() bool {
		scimCall(t, signIn(t, "app").AccessToken, http.MethodDelete, target, "").want(http.StatusForbidden)
		return stack.count(t, `SELECT count(*) FROM audit_entries WHERE id > $1 AND channel = 'SCIM' AND operation = 'scimDeleteUser'
			AND outcome = 'DENIED' AND object_type = 'IDENTITY' AND object_id = $2`, since, identityID(t, "outsider")) > 0
	})
	scimCall(t, "", http.MethodGet, "/Users", "").want(http.StatusUnauthorized)
	scimCall(t, "x.y.z", http.MethodGet, "/Users", "").want(http.StatusUnauthorized)
	none := noGrounds()
	none.record["accountName"], none.record["email"] = "x", "x@example.com"
	directory := caller{t: t, token: token, mount: prefixed("/v3")}
	for _, line := range everyOperation() {
		line.call(directory, none).wantRefusal("%s by a directory", line.operation)
	}
	for _, scopes := range []string{lifecycle.ScopeSCIM, lifecycle.ScopeAll + " " + lifecycle.ScopeSCIM} {
		status, body := askForToken(t, url.Values{
			"client_id": {"demo-app"}, "client_secret": {"demo-app-secret"}, "scope": {scopes},
		})
		require.Equal(t, http.StatusBadRequest, status, "sp:scopes:all does not hold the directory's: %s", body)
	}
}

// TestWhatADirectoryChangesIsInTheTrail, with the channel and the client.
func TestWhatADirectoryChangesIsInTheTrail(t *testing.T) {
	token, since := directoryToken(t), trailEnd(t)
	user := scimCall(t, token, http.MethodPost, "/Users", `{"userName":"`+unique("trail")+`"}`).want(201).object()
	group := scimCall(t, token, http.MethodPost, "/Groups", `{"displayName":"`+unique("trail")+`"}`).want(201).object()
	calls := map[string]answer{
		"scimPatchUser":    scimCall(t, token, http.MethodPatch, "/Users/"+user.id(), fmt.Sprintf(patchBody, `{"op":"add","path":"externalId","value":"x"}`)).want(200),
		"scimReplaceUser":  scimCall(t, token, http.MethodPut, "/Users/"+user.id(), `{"userName":"`+unique("trail")+`"}`).want(200),
		"scimPatchGroup":   scimCall(t, token, http.MethodPatch, "/Groups/"+group.id(), fmt.Sprintf(patchBody, `{"op":"add","path":"members","value":"`+user.id()+`"}`)).want(204),
		"scimReplaceGroup": scimCall(t, token, http.MethodPut, "/Groups/"+group.id(), `{"displayName":"`+unique("trail")+`","members":["`+user.id()+`"]}`).want(200),
		"scimDeleteUser":   scimCall(t, token, http.MethodDelete, "/Users/"+user.id(), "").want(204),
		"scimDeleteGroup":  scimCall(t, token, http.MethodDelete, "/Groups/"+group.id(), "").want(204),
	}
	for operation, call := range calls {
		require.Positive(t, stack.count(t, `SELECT count(*) FROM audit_entries WHERE id > $1 AND channel = 'SCIM' AND operation = $2
			AND client_id = $3 AND tracking_id = $4 AND outcome = 'SUCCESS'`, since, operation, directoryClient, call.header.Get("X-Request-Id")), operation)
	}
	require.Equal(t, 1, stack.count(t, `SELECT count(*) FROM audit_entries WHERE id > $1 AND operation = 'scimCreateUser' AND object_id = $2`, since, user.id()))
}

// TestPeopleAreLookedUp by everybody who has an identity, at every mount, and levels
// are nobody's business.
func TestPeopleAreLookedUp(t *testing.T) {
	ensurePeople(t)
	group := groupID(t, "here.group")
	jane := identityID(t, "jane.doe")
	for _, actor := range actors() {
		c := as(t, actor)
		paths := []string{"/identities", "/identities/" + jane, "/workgroups", "/workgroups/" + group, "/workgroups/" + group + "/members"}
		if isApp(actor) && !slices.Contains(readers, actor) {
			for _, path := range append(paths, "/identities/"+noGrounds().source.id(), "/workgroups/"+noGrounds().source.id()+"/members") {
				c.get(path).wantRefusal("%s as %s", path, actor)
			}
			continue
		}
		for _, m := range mounts() {
			for _, path := range paths {
				require.NotContains(t, string(c.at(m).get(path).want(200).body), "ADMIN")
			}
		}
		for _, path := range []string{"/identities/", "/workgroups/"} {
			c.get(path+noGrounds().source.id()).wantError(404, "404 Not found", "")
			c.get(path+"x").wantError(400, "400.1 Bad Request Content", "id must be a UUID")
		}
	}
	narrow := narrowed(t, "outsider", lifecycle.ScopeManage)
	narrow.get("/identities").wantRefusal("without the scope")

	outsider := as(t, "outsider")
	found := outsider.get("/identities?count=true&limit=1&sorters=-alias&filters=" + url.QueryEscape(`alias sw "HERE." and name co "a"`)).want(200)
	require.Equal(t, "here.submanager", found.list()[0].text("alias"))
	require.Equal(t, "4", found.header.Get("X-Total-Count"))
	members := outsider.get("/workgroups/" + group + "/members?sorters=alias&count=true").want(200)
	require.Equal(t, "2", members.header.Get("X-Total-Count"))
	require.Equal(t, []string{"here.member", "here.subadmin"}, []string{members.list()[0].text("alias"), members.list()[1].text("alias")})
	require.InDelta(t, 2, outsider.get("/workgroups/" + group).want(200).object()["memberCount"], 0)
	outsider.get("/identities?filters="+url.QueryEscape(`levels eq "ORG_ADMIN"`)).wantError(400, "400.1 Bad Request Content", "expected a field")
	outsider.get("/identities?sorters=email").wantError(400, "400.1 Bad Request Content", "sorters")
}
