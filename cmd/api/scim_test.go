package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"gatehouse/auth"
	"gatehouse/lifecycle"
	"gatehouse/scim"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// directory is the actor that SCIM is open to.
const directory = "directory"

// scimID stands for all operations of SCIM, which the document does not have.
const scimID = "scim"

const (
	urnSchemas  = "urn:ietf:params:scim:schemas:core:2.0:"
	urnMessages = "urn:ietf:params:scim:api:messages:2.0:"
)

// scimOperations are those of RFC 7644 that the service has, and some that it says
// it has not.
func scimOperations() []operation {
	get, post, put, patch, remove := http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
	var all []operation
	for _, route := range []struct {
		template string
		methods  []string
	}{
		{"/Users", []string{get, post}},
		{"/Users/.search", []string{post}},
		{"/Users/{id}", []string{get, put, patch, remove}},
		{"/Groups", []string{get, post}},
		{"/Groups/.search", []string{post}},
		{"/Groups/{id}", []string{get, put, patch, remove}},
		{"/ServiceProviderConfig", []string{get}},
		{"/ResourceTypes", []string{get}},
		{"/ResourceTypes/{id}", []string{get}},
		{"/Schemas", []string{get}},
		{"/Schemas/{id}", []string{get}},
		{"/Me", []string{get}},
		{"/Bulk", []string{post}},
	} {
		for _, method := range route.methods {
			all = append(all, operation{scimID, method, scim.Path + route.template})
		}
	}
	return all
}

// addDirectory makes the client of the directory.
func (w *world) addDirectory(t testing.TB) {
	t.Helper()
	hash, err := auth.HashSecret(directory + "-secret")
	require.NoError(t, err)
	rows := w.schema.Open(t, store.Config{MaxConns: 2})
	require.NoError(t, rows.CreateClient(t.Context(), lifecycle.Client{
		ID: directory, Name: directory, SecretHash: hash, Scopes: []string{lifecycle.ScopeSCIM}, Active: true, Created: storetest.Now(),
	}))
}

// directoryToken is that of the directory.
func (w *world) directoryToken() string { return w.tokens[slices.Index(actors, directory)] }

// makeDirectory makes a user and a group, in the place of those that were there.
func (w *world) makeDirectory(t testing.TB) {
	t.Helper()
	for word, route := range map[string]string{"$group": "/Groups/", "$user": "/Users/"} {
		if old := w.live[word]; old != "" {
			w.ask(t, w.directoryToken(), http.MethodDelete, scim.Path+route+old, "", "")
		}
	}
	w.serial++
	name := "directory." + strconv.Itoa(w.serial)
	w.live["$user"] = text(t, w.ask(t, w.directoryToken(), http.MethodPost, scim.Path+"/Users", "application/scim+json",
		`{"userName":"`+name+`","displayName":"D","emails":[{"value":"`+name+`@example.com","type":"work"}]}`), "id")
	w.live["$group"] = text(t, w.ask(t, w.directoryToken(), http.MethodPost, scim.Path+"/Groups", "application/scim+json",
		`{"displayName":"`+name+`","members":[{"value":"`+w.live["$user"]+`"}]}`), "id")
}

// scimMethods are those that the router hands on to SCIM; the others it refuses
// itself.
var scimMethods = []string{"GET", "POST", "PUT", "PATCH", "HEAD", "OPTIONS", "DELETE", "CONNECT", "TRACE"}

// isSCIM reports whether SCIM answers this. What can be no path of anything the
// router refuses itself, too.
func isSCIM(method string, asked *url.URL) bool {
	plain := path.Clean(asked.Path) == asked.Path && !strings.ContainsAny(asked.Path, "\\\x00") &&
		strings.Count(asked.Path, "/") == strings.Count(asked.EscapedPath(), "/")
	return plain && strings.HasPrefix(asked.Path, scim.Path+"/") && slices.Contains(scimMethods, method)
}

// isUnbuilt reports whether the answer is that of what RFC 7644 has and the service
// has not.
func isUnbuilt(asked *url.URL, status int) bool {
	return status == http.StatusNotImplemented && (asked.Path == scim.Path+"/Me" || asked.Path == scim.Path+"/Bulk")
}

// requireSCIM holds that the answer is one of SCIM, and a refusal one of RFC 7644
// §3.12.
func requireSCIM(t *testing.T, method string, got answer, shown string) {
	t.Helper()
	for name := range got.header {
		require.Contains(t, append([]string{"Etag", "Location"}, headerNames...), name, shown)
	}
	if got.status == http.StatusNoContent || got.status == http.StatusNotModified {
		require.Empty(t, got.body, shown)
		return
	}
	require.Contains(t, []int{200, 201, 400, 401, 403, 404, 405, 409, 412, 413, 415, 501}, got.status, shown)
	require.Equal(t, "application/scim+json", got.header.Get("Content-Type"), shown)
	if method == http.MethodHead {
		return
	}
	require.True(t, utf8.Valid(got.body), shown)
	var body struct {
		Schemas                  []string
		Status, Detail, ScimType string
	}
	require.NoError(t, json.Unmarshal(got.body, &body), shown)
	if got.status < http.StatusBadRequest {
		require.NotEmpty(t, body.Schemas, shown)
		return
	}
	require.Equal(t, []string{urnMessages + "Error"}, body.Schemas, shown)
	require.Equal(t, strconv.Itoa(got.status), body.Status, shown)
	require.NotEmpty(t, body.Detail, shown)
	require.Less(t, len(got.body), 10_000, "a refusal is for somebody to read: %s", shown)
}

// goodSCIM are the bodies that operations of SCIM take, by method and the beginning
// of the path.
var goodSCIM = map[string]string{
	"POST /Users":          `{"schemas":["` + urnSchemas + `User"],"userName":"new.user",` + restOfUser,
	"PUT /Users/{id}":      `{"schemas":["` + urnSchemas + `User"],"userName":"u.$user",` + restOfUser,
	"PATCH /Users/{id}":    `{"schemas":["` + urnMessages + `PatchOp"],"Operations":[{"op":"replace","path":"displayName","value":"More"}]}`,
	"POST /Groups":         `{"schemas":["` + urnSchemas + `Group"],"displayName":"new","externalId":"x","members":[{"value":"$user","type":"User"}]}`,
	"PUT /Groups/{id}":     `{"schemas":["` + urnSchemas + `Group"],"displayName":"new $group","members":[{"value":"$user"}]}`,
	"PATCH /Groups/{id}":   `{"schemas":["` + urnMessages + `PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"$user"}]}]}`,
	"POST /Users/.search":  searchBody,
	"POST /Groups/.search": searchBody,
	"POST /Bulk":           `{"schemas":["` + urnMessages + `BulkRequest"],"Operations":[]}`,
}

const (
	restOfUser = `"externalId":"x","displayName":"new","name":{"formatted":"new","givenName":"F","familyName":"d"},` +
		`"emails":[{"value":"a@example.com","type":"work","primary":true}],"active":true,"roles":[{"value":"SOURCE_ADMIN"}]}`
	searchBody = `{"schemas":["` + urnMessages + `SearchRequest"],"attributes":["id","displayName"],"filter":"displayName co \"new\"",` +
		`"sortBy":"displayName","sortOrder":"descending","startIndex":1,"count":10}`
)

// scimBodies are no good for SCIM, or only just.
var scimBodies = []string{
	`{"schemas":"x"}`, `{"schemas":[5,null,{}]}`, `{"schemas":[]}`, `{"userName":"a","USERNAME":"b"}`, `{"userName":"a","u\u017ferName":"b"}`, `{"displayName":"a","di\u017fplayName":"b"}`,
	`{"userName":null,"displayName":null}`, `{"userName":5,"displayName":[]}`, `{"userName":" ","displayName":"\u200b"}`, `{"userName":"i.\u0130","displayName":"\u212a"}`,
	`{"userName":"many.1","displayName":"m","emails":[null,5,"a@example.com",{},{"value":null},{"VALUE":"b","value":"c"}]}`,
	`{"userName":"many.2","emails":[` + strings.Repeat(`5,`, 20_000) + `5]}`, `{"userName":"many.3","roles":[` + strings.Repeat(`"x",`, 20_000) + `"x"]}`,
	`{"displayName":"many.4","members":[` + strings.Repeat(`"x",`, 20_000) + `"x"]}`, `{"displayName":"many.5","members":[` + strings.Repeat(`{"type":"Group"},`, 20_000) + `5]}`,
	`{"displayName":"many.6","members":[` + strings.Repeat(`"$user",`, 10_000) + `"$user"]}`, `{"displayName":"self","members":["$group"]}`, `{"displayName":"nobody","members":["` + unknownID + `",{"value":"\u0000"}]}`,
	`{"userName":"n","name":"x","active":"True"}`, `{"userName":"n","name":{"givenName":{"a":1},"GIVENNAME":2}}`, `{"userName":"act","active":"maybe"}`, `{"userName":"act","active":1e400}`,
	`{"id":"x","userName":"ids","displayName":"ids"}`, `{"id":"$user","userName":"ids","displayName":"ids","meta":{"version":5},"groups":[{"value":"$group"}]}`,
	`{"userName":"pw","password":"p","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"$user"}}}`,
	`{"filter":5,"count":"x","startIndex":{}}`, `{"count":1e400,"startIndex":-1E+9999999999}`, `{"count":99999999999999999999}`, `{"count":1.5}`, `{"count":-5,"startIndex":2147483647}`, `{"attributes":"id"}`,
	`{"attributes":[` + strings.Repeat(`"id",`, 20_000) + `"id"]}`, `{"attributes":[5,null]}`, `{"sortBy":"\u0000","sortOrder":"x"}`, `{"filter":"userName eq \"\u0000\""}`, `{"filter":"\ud800"}`,
}

// scimPatches are lists of operations of a PATCH.
var scimPatches = []string{
	``, `5`, `null`, `{}`, `{"op":"Add","path":"displayName","value":"A"}`, `{"op":"REPLACE","path":" displayname ","value":null}`, `{"op":"move","path":"displayName"}`, `{"op":"remove"}`, `{"op":"remove","path":""}`,
	`{"op":"add","op":"remove","path":"x"}`, `{"op":"add","OP":"remove","path":"x"}`, `{"op":"add","path":5,"value":1}`, `{"op":"add","value":5}`, `{"op":"add","value":null}`, `{"op":"replace","value":{}}`, `{"op":"replace","value":[{}]}`,
	`{"op":"replace","value":{"":1,"id":"x","meta":5,"schemas":[],"groups":[],"nothing":1,"active":"False"}}`, `{"op":"replace","value":{"` + urnSchemas + `User":{"` + urnSchemas + `User":{"displayName":"n"}}}}`,
	`{"op":"replace","value":{"` + urnSchemas + `User:displayName":"n","name.givenName":"g","emails[type eq \"work\"].value":"b@example.com"}}`, `{"op":"replace","value":` + strings.Repeat(`{"`+urnSchemas+`User":`, 50) + `{}` + strings.Repeat("}", 50) + `}`,
	`{"op":"remove","path":"userName"}`, `{"op":"remove","path":"displayName"}`, `{"op":"remove","path":"id"}`, `{"op":"replace","path":"meta.version","value":"x"}`, `{"op":"replace","path":"groups","value":[]}`, `{"op":"replace","path":"schemas","value":[]}`,
	`{"op":"replace","path":"name","value":"x"}`, `{"op":"replace","path":"name","value":{"givenName":"a","GIVENNAME":"b"}}`, `{"op":"add","path":"name.x","value":"x"}`, `{"op":"add","path":"name.givenName","value":{"a":[1]}}`, `{"op":"add","path":"name.givenName.x","value":"x"}`, `{"op":"remove","path":"name"}`,
	`{"op":"add","path":"emails","value":"c@example.com"}`, `{"op":"add","path":"emails","value":[null]}`, `{"op":"add","path":"emails","value":{"value":"d@example.com","primary":"true"}}`, `{"op":"remove","path":"emails[type eq \"work\"]"}`, `{"op":"remove","path":"emails"}`,
	`{"op":"replace","path":"emails[type eq \"home\" and primary eq true].value","value":"e@example.com"}`, `{"op":"replace","path":"emails[type gt \"home\"].value","value":"x"}`, `{"op":"replace","path":"emails[x eq 1].value","value":"x"}`, `{"op":"add","path":"emails[not (type eq \"work\")].value","value":"x"}`,
	`{"op":"add","path":"emails[type eq \"w\" or type eq \"v\"].value","value":"x"}`, `{"op":"add","path":"emails[value eq 1e400].type","value":"x"}`, `{"op":"add","path":"emails[value eq \"\\u0000\"].type","value":"x"}`, `{"op":"add","path":"emails[type eq \"q\"]","value":"x"}`, `{"op":"add","path":"emails[type eq \"q\"]","value":{"value":"\u0000"}}`,
	`{"op":"add","path":"emails[` + strings.Repeat("(", 500) + `","value":"x"}`, `{"op":"add","path":"emails[type eq \"` + strings.Repeat("a", 5_000) + `\"]","value":"x"}`, `{"op":"add","path":"emails[","value":"x"}`, `{"op":"add","path":"]","value":"x"}`, `{"op":"add","path":"\u0000","value":"x"}`, `{"op":"add","path":"\ud800","value":"x"}`, `{"op":"add","path":"a.b.c.d","value":"x"}`,
	`{"op":"add","path":"members","value":["$user","$user",{"value":"$user"}]}`, `{"op":"remove","path":"members[value eq \"$user\"]"}`, `{"op":"remove","path":"members","value":[{"value":"$user"}]}`, `{"op":"add","path":"members","value":[{"value":"$group","type":"Group"}]}`, `{"op":"replace","path":"members","value":null}`, `{"op":"add","path":"members[value eq \"` + unknownID + `\"].value","value":"x"}`,
	`{"op":"add","path":"members.value","value":"x"}`, `{"op":"replace","path":"members[value eq \"$user\"].value","value":5}`, `{"op":"remove","path":"members[not (value pr)].type"}`, `{"op":"add","path":"roles","value":[{"value":"ORG_ADMIN"},"ORG_ADMIN","none"]}`, `{"op":"replace","path":"roles[primary eq \"True\"].value","value":"ORG_ADMIN"}`, `{"op":"replace","path":"active","value":{"a":1}}`,
	`{"op":"replace","path":"externalId","value":"\u0000"}`, `{"op":"replace","path":"externalId","value":null}`, `{"op":"replace","path":"` + urnSchemas + `User:userName","value":"p.$user"}`, `{"op":"replace","path":"urn:x:y:z","value":1}`, `{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":1}`,
	strings.Repeat(`{"op":"replace","path":"displayName","value":"x"},`, 999) + `{"op":"replace","path":"displayName","value":"y"}`, strings.Repeat(`{"op":"replace","path":"displayName","value":"x"},`, 1_000) + `{}`,
	strings.Repeat(`{"op":"add","path":"members","value":["$user","`+unknownID+`"]},`, 300) + `{"op":"remove","path":"members"}`,
}

// scimFilters are expressions of RFC 7644 §3.4.2.2.
var scimFilters = []string{
	`userName eq "$user"`, `id eq "$user"`, `id eq "x"`, `id eq "\u0000"`, `id gt "$user"`, `displayName co "%"`, `displayName sw "_"`, `displayName ew "\\"`, `displayName eq "'; DROP TABLE identities; --"`, `userName EQ "a" AND NOT (active eq true)`,
	`emails[type eq "work" and value co "@"]`, `emails.value pr`, `emails eq "a"`, `emails[emails[value pr]]`, `members[value eq "$user"]`, `members.value eq "$user"`, `members eq "x"`, `groups.value eq "$group"`, `groups[value eq "x"]`, `roles.value eq "ORG_ADMIN"`, `roles pr`,
	`meta.created gt "0000-01-01T00:00:00Z"`, `meta.lastModified lt "9999-12-31T23:59:59.999999999-14:00"`, `meta.created gt "infinity"`, `meta.created eq 5`, `meta.created ge "294277-01-01T00:00:00Z"`, `meta.lastModified pr`, `meta.version eq "1"`, `active eq "True"`, `active gt false`, `active eq null`,
	`userName eq 1e400`, `userName eq -0`, `userName eq true`, `userName eq null`, `userName pr`, `not (userName pr)`, `externalId eq "x"`, `externalId ne null`, `externalId co ""`, urnSchemas + `User:userName eq "x"`, urnSchemas + `Group:displayName eq "x"`, `urn:x:y eq "z"`, `nothing eq "x"`, `name.givenName.x eq 1`, `name eq "x"`,
	`userName eq "\ud800"`, `userName eq "\ud83d\ude00"`, "userName eq \"\x00\"", "userName eq \"\xff\"", `userName eq "` + strings.Repeat("a", 5_000) + `"`, `displayName co "` + strings.Repeat("%", 4_000) + `"`, strings.Repeat("(", 5_000), strings.Repeat("not ", 1_000), strings.Repeat("not (", 10) + `userName pr` + strings.Repeat(")", 10),
	strings.Repeat(`userName eq "a" and `, 99) + `userName eq "a"`, strings.Repeat(`userName eq "a"and `, 200) + `userName pr`, `userName`, `eq`, `"`, `[`, `)`, `userName eq`, `userName  eq "a"`, `userName eq 'a'`, `userName in ("a")`, `userName eq "a" --`, "userName\teq\n\"a\"",
}

// scimQueries are further parameters.
var scimQueries = []string{
	"startIndex=0", "startIndex=-9223372036854775808", "startIndex=2147483647&count=250", "startIndex=2147483648", "startIndex=1e1", "startIndex=%2B1", "startIndex=%00", "count=0", "count=-1", "count=251", "count=99999999999999999999", "count=1&count=2", "count=1&COUNT=2", "count=",
	"sortBy=userName&sortOrder=descending", "sortBy=displayName", "sortBy=meta.created", "sortBy=emails", "sortBy=members", "sortBy=name", "sortBy=nothing", "sortBy=id%3B", "sortBy=" + urnSchemas + "User:userName", "sortBy=userName&sortOrder=sideways", "sortBy=%FF", "sortBy=groups", "sortBy=active", "sortBy=roles.value",
	"attributes=id", "attributes=userName,displayName,members", "attributes=" + urnSchemas + "User", "attributes=name.givenName,emails.value,meta.location", "attributes=nothing", "attributes=,", "attributes=%00", "attributes=id&excludedAttributes=id", "excludedAttributes=members,groups", "excludedAttributes=id,schemas,meta",
	"attributes=" + strings.Repeat("id,", 2_000), "attributes=name.name.name", "filter=", "filter=%00", "filter=%ff", "filter=%", "a=b;c=d", "%zz=1", "=&=&&", "password=x",
}

// scimHeaders are conditions, and media types.
var scimHeaders = []string{
	"If-Match: *", `If-Match: W/"1"`, `If-Match: W/"0"`, `If-Match: "x", W/"1-x", *`, "If-Match: ", "If-Match: ,,,", "If-Match: \xff\x00", `If-Match: W/"` + strings.Repeat("1", 5_000) + `"`, "If-Match: W/\"1\"\nIf-Match: W/\"2\"",
	"If-None-Match: *", `If-None-Match: W/"1"`, "If-None-Match: ", `If-None-Match: -`, "If-Match: *\nIf-None-Match: *", "Content-Type: application/scim+json; charset=\"", "Content-Type: application/scim+json; a*0=b; a*1*=c", "Content-Type: text/plain", "Content-Type: APPLICATION/JSON", "Content-Encoding: gzip", "Accept: text/html",
}

// scimTargets are whole ones below SCIM.
var scimTargets = []string{
	"", "/", "//", "/Users/", "//Users", "/Users//", "/Users/.", "/Users/..", "/Users/../Groups", "/./Users", "/x/../Users", "/../../v3/non-employee-sources", "/Users/$user/", "/Users/$user/x", "/users", "/%55sers", "/Users%2f$user", "/Users/%2e%2e", "/Users/%00", "/Users/%ff", "/Users;x", "/.search", "/Users/.search/",
	"/Groups/.search?x", "/Schemas/", "/Schemas/%00", "/Schemas/" + urnSchemas + "User/x", "/v2/Users", "/scim/v2/Users", "/Me", "/Bulk", "/Me/x", "/ServiceProviderConfigs", "/ServiceProviderConfig?filter=x", "/Users/" + strings.Repeat("a", 8_000), "/" + strings.Repeat("a/", 4_000), "/%C0%AF", "/\xff", "/*", "/{id}",
}

// scimSeeds are where the fuzzer begins with SCIM.
func (w *world) scimSeeds() []attempt {
	var all []attempt
	caller := uint8(slices.Index(actors, directory)) //nolint:gosec // it is there
	for i, op := range w.operations {
		if op.id != scimID {
			continue
		}
		at := func(a attempt) { a.operation, a.actor = uint8(i), caller; all = append(all, a) } //nolint:gosec // there are fewer
		good := goodOf(op)
		for actor := range len(actors) + 1 {
			all = append(all, attempt{operation: uint8(i), actor: uint8(actor), body: good})
		}
		for _, method := range slices.Concat(scimMethods, []string{"get", "PURGE"}) {
			at(attempt{method: method, body: good})
		}
		if strings.Contains(op.template, "{") {
			for _, value := range some(parameters, i) {
				at(attempt{path: value, body: good})
			}
		}
		for _, line := range scimHeaders {
			at(attempt{headers: line, body: good})
		}
		for _, query := range some(scimQueries, i) {
			at(attempt{query: query, body: good})
		}
		w.seedSCIMBodies(op, i, good, at)
	}
	for _, target := range scimTargets {
		for _, actor := range []uint8{caller, nobody} {
			all = append(all, attempt{operation: rawTarget, actor: actor, path: scim.Path + target},
				attempt{operation: rawTarget, actor: actor, method: http.MethodPost, path: scim.Path + target, body: "{}"})
		}
	}
	return all
}

func goodOf(op operation) string {
	return goodSCIM[op.method+" "+strings.TrimPrefix(op.template, scim.Path)]
}

// seedSCIMBodies adds what a body can hold, or the query of a list instead.
func (w *world) seedSCIMBodies(op operation, turn int, good string, at func(attempt)) {
	list := strings.HasSuffix(op.template, "/Users") || strings.HasSuffix(op.template, "/Groups")
	switch {
	case op.method == http.MethodGet && list:
		for _, query := range scimQueries {
			at(attempt{query: query})
		}
		for _, filter := range scimFilters {
			at(attempt{query: "sortBy=id&filter=" + url.QueryEscape(filter)})
		}
		return
	case good == "":
		return
	case strings.HasSuffix(op.template, "/.search"):
		for _, filter := range scimFilters {
			quoted, err := json.Marshal(filter)
			if err != nil {
				panic(err) // no text fails
			}
			at(attempt{body: `{"filter":` + string(quoted) + `}`})
		}
	case op.method == http.MethodPatch:
		for _, patch := range scimPatches {
			at(attempt{body: `{"Operations":[` + patch + `]}`})
		}
	}
	for _, body := range slices.Concat(scimBodies, bodies) {
		at(attempt{body: body})
	}
	for _, line := range some(headerLines, turn) {
		at(attempt{headers: line, body: good})
	}
	for _, text := range evil {
		for _, word := range []string{"new.user", "u.$user", "new", "More", `"F"`, "a@example.com", `"x"`, "SOURCE_ADMIN", "$user", "displayName", "descending", "work"} {
			if strings.Contains(good, word) {
				at(attempt{body: strings.Replace(good, strings.Trim(word, `"`), text, 1)})
			}
		}
	}
}
