package scim_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/scim"
	"gatehouse/service"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const base = "https://gatehouse.example"

// directory is a SCIM server on a store of its own.
type directory struct {
	*store.Store
	schema  storetest.Schema
	handler http.Handler
	// actor is who calls.
	actor policy.Actor
	wakes *wakes
	// mutex guards noted, who called, and what for.
	mutex sync.Mutex
	noted []string
}

// wakes are workflows that take note of what is nudged.
type wakes struct {
	service.Workflows
	mutex  sync.Mutex
	nudged []lifecycle.ID
	err    error
}

func (w *wakes) NudgeRequest(_ context.Context, request, _ lifecycle.ID) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.nudged = append(w.nudged, request)
	return w.err
}

var application = policy.Actor{ClientID: "okta", Scopes: []string{lifecycle.ScopeSCIM}}

func newDirectory(t *testing.T, change ...func(*scim.Options)) *directory {
	t.Helper()
	d := &directory{schema: storetest.NewSchema(t), actor: application, wakes: &wakes{}}
	d.Store = d.schema.Open(t, store.Config{})
	log := slog.New(slog.DiscardHandler)
	opts := scim.Options{
		Directory: service.New(d.Store, d.wakes, service.Settings{StartTimeout: time.Minute}, log),
		Authenticate: func(r *http.Request) (policy.Actor, error) {
			if r.Header.Get("Authorization") == "" {
				return policy.Actor{}, lifecycle.NewError(lifecycle.KindUnauthenticated, "JWT validation failed: no token")
			}
			return d.actor, nil
		},
		Note: func(_ context.Context, a policy.Actor, op policy.Operation) {
			d.mutex.Lock()
			defer d.mutex.Unlock()
			d.noted = append(d.noted, a.ClientID+" "+string(op))
		},
		BaseURL: base, MaxBodyBytes: 1 << 20, Log: log,
	}
	for _, c := range change {
		c(&opts)
	}
	var err error
	d.handler, err = scim.New(opts)
	require.NoError(t, err)
	return d
}

// answer is what came back.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

type object = map[string]any

func (d *directory) send(t *testing.T, r *http.Request) answer {
	t.Helper()
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	a := answer{t, w.Code, w.Header(), w.Body.String()}
	if a.body != "" {
		require.Equal(t, "application/scim+json", a.header.Get("Content-Type"))
	}
	return a
}

// do calls with a token; header are names and values.
func (d *directory) do(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	r := httptest.NewRequest(method, "/scim/v2"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer token")
	if body != "" {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return d.send(t, r)
}

func (a answer) want(status int) answer {
	a.t.Helper()
	require.Equal(a.t, status, a.status, a.body)
	return a
}

func (a answer) object() object {
	a.t.Helper()
	var o object
	require.NoError(a.t, json.Unmarshal([]byte(a.body), &o), a.body)
	return o
}

// wantError holds the body to RFC 7644 §3.12.
func (a answer) wantError(status int, scimType, detail string) {
	a.t.Helper()
	a.want(status)
	o := a.object()
	require.Equal(a.t, []any{"urn:ietf:params:scim:api:messages:2.0:Error"}, o["schemas"])
	require.Equal(a.t, http.StatusText(status), http.StatusText(a.status))
	require.IsType(a.t, "", o["status"])
	if scimType == "" {
		require.NotContains(a.t, o, "scimType")
	} else {
		require.Equal(a.t, scimType, o["scimType"], a.body)
	}
	require.Contains(a.t, o["detail"], detail)
}

func id(o object) string { return o["id"].(string) }

// quietly calls as one of many at once, and returns the status.
func (d *directory) quietly(method, path, body string, header ...string) int {
	r := httptest.NewRequest(method, "/scim/v2"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer token")
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w.Code
}

// create makes a resource from JSON.
func (d *directory) create(t *testing.T, endpoint, body string) object {
	t.Helper()
	return d.do(t, http.MethodPost, endpoint, body).want(http.StatusCreated).object()
}

func (d *directory) user(t *testing.T, userName string) object {
	t.Helper()
	return d.create(t, "/Users", `{"userName":"`+userName+`"}`)
}

// names lists the userNames or displayNames that a filter finds, in order.
func (d *directory) names(t *testing.T, endpoint, filter string) []string {
	t.Helper()
	list := d.do(t, http.MethodGet, endpoint+"?sortBy=meta.created&filter="+url.QueryEscape(filter), "").want(200).object()
	names := []string{}
	for _, resource := range list["Resources"].([]any) {
		name, ok := resource.(object)["userName"].(string)
		if !ok {
			name = resource.(object)["displayName"].(string)
		}
		names = append(names, name)
	}
	require.InDelta(t, len(names), list["totalResults"], 0)
	return names
}

const wholeUser = `{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
	"externalId": "00u1", "userName": " Jane.Doe ", "displayName": "Jane É. Doe",
	"name": {"formatted": "Ms. Jane Doe", "givenName": "Jane", "familyName": "Doe", "middleName": "E."},
	"emails": [{"value": "home@example.com", "type": "home"}, {"value": "jane@example.com", "type": "work", "primary": true}],
	"active": true, "roles": [{"value": "org_admin"}, {"value": "SOURCE_SUBADMIN", "primary": false}], "title": "Boss",
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "IT"}, "groups": [{"value": "x"}], "id": "mine"
}`

// anotherUser has everything, too.
var anotherUser = strings.Replace(wholeUser, " Jane.Doe ", "sixth", 1)

func TestAUserIsReadAsItWasSent(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	created := d.do(t, http.MethodPost, "/Users", wholeUser).want(201)
	user := created.object()
	meta := user["meta"].(object)
	location := base + "/scim/v2/Users/" + id(user)
	require.Equal(t, location, created.header.Get("Location"))
	require.Equal(t, location, meta["location"])
	require.Equal(t, `W/"1"`, created.header.Get("ETag"))
	require.Equal(t, `W/"1"`, meta["version"])
	require.Equal(t, meta["created"], meta["lastModified"])
	delete(user, "meta")
	require.Equal(t, object{
		"schemas": []any{"urn:ietf:params:scim:schemas:core:2.0:User"}, "id": id(user), "externalId": "00u1",
		"userName": "Jane.Doe", "displayName": "Jane É. Doe", "active": true,
		"name":   object{"formatted": "Ms. Jane Doe", "givenName": "Jane", "familyName": "Doe"},
		"emails": []any{object{"value": "jane@example.com", "type": "work", "primary": true}},
		"roles":  []any{object{"value": "ORG_ADMIN"}, object{"value": "SOURCE_SUBADMIN"}},
	}, user)
	require.Equal(t, created.body, d.do(t, http.MethodGet, "/Users/"+id(user), "").want(200).body)
	require.Equal(t, []string{"okta scimCreateUser", "okta scimGetUser"}, d.noted)

	identity, err := d.GetIdentity(t.Context(), lifecycle.MustParseID(id(user)))
	require.NoError(t, err)
	require.Equal(t, []lifecycle.Level{lifecycle.LevelOrgAdmin, lifecycle.LevelSourceSubadmin}, identity.Levels)
	require.Equal(t, "Jane É. Doe", identity.Name)
}

func TestANameIsMadeOfItsPartsAndFollowsThem(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	for body, want := range map[string]string{
		`{"userName":"a1"}`: "a1",
		`{"userName":"a2","name":{"givenName":"Ann","familyName":"Lee"}}`:                       "Ann Lee",
		`{"userName":"a3","name":{"givenName":"Ann","formatted":"Dr. Ann"}}`:                    "Dr. Ann",
		`{"userName":"a4","name":{"familyName":"Lee"},"displayName":" "}`:                       "Lee",
		`{"userName":"a5","name":{"givenName":"Ann"},"displayName":"Annie"}`:                    "Annie",
		`{"USERNAME":"a6","Name":{"GIVENNAME":"Ann"},"displayname":null,"nickName":"N","x":[]}`: "Ann",
	} {
		require.Equal(t, want, d.create(t, "/Users", body)["displayName"], body)
	}
	user := d.create(t, "/Users", `{"userName":"b","name":{"givenName":"Ann","familyName":"Lee"}}`)
	patch := func(value string) any {
		return d.do(t, http.MethodPatch, "/Users/"+id(user), `{"Operations":[{"op":"replace","value":`+value+`}]}`).want(200).object()["displayName"]
	}
	require.Equal(t, "Ann Fox", patch(`{"name.familyName":"Fox"}`))
	require.Equal(t, "Foxy", patch(`{"displayName":"Foxy"}`))
	require.Equal(t, "Foxy", patch(`{"name":{"familyName":"Lee"}}`))
}

func TestWhatIsWrongWithAUserIsSaid(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	d.user(t, "Taken")
	long := strings.Repeat("x", 256)
	for body, want := range map[string]struct {
		status           int
		scimType, detail string
	}{
		`{}`:                                      {400, "invalidValue", "userName is required"},
		`{"userName":" "}`:                        {400, "invalidValue", "userName is required"},
		`{"userName":5}`:                          {400, "invalidValue", "userName must be a string"},
		`{"userName":"` + long + `"}`:             {400, "invalidValue", "255"},
		`{"userName":"a\u0000b"}`:                 {400, "invalidSyntax", "NUL"},
		`{"userName":"a\u0007b"}`:                 {400, "invalidValue", "U+0007"},
		"{\"userName\":\"a\xff\"}":                {400, "invalidSyntax", "UTF-8"},
		`{"userName":"a","userName":"b"}`:         {400, "invalidSyntax", "twice"},
		`{"userName":"a","USERNAME":"b"}`:         {400, "invalidSyntax", "twice"},
		`{"userName":"a","active":"maybe"}`:       {400, "invalidValue", "active must be true or false"},
		`{"userName":"a","name":"b"}`:             {400, "invalidValue", "name must be an object"},
		`{"userName":"a","emails":[5]}`:           {400, "invalidValue", "emails[0] must be an object"},
		`{"userName":"a","emails":[{"value":5}]}`: {400, "invalidValue", "emails[0].value must be a string"},
		`{"userName":"a","roles":["boss"]}`:       {400, "invalidValue", "roles[0] must be ORG_ADMIN"},
		`{"schemas":["urn:x"],"userName":"a"}`:    {400, "invalidSyntax", "schemas must have"},
		`[]`:                                      {400, "invalidSyntax", "must be a JSON object"},
		`{`:                                       {400, "invalidSyntax", "not valid JSON"},
		`{"userName":"TAKEN"}`:                    {409, "uniqueness", "exists already"},
		`{"userName":"taken "}`:                   {409, "uniqueness", "exists already"},
	} {
		d.do(t, http.MethodPost, "/Users", body).wantError(want.status, want.scimType, want.detail)
	}
	require.Len(t, d.names(t, "/Users", ""), 1, "nothing else was made")
}

func TestAGroupIsReadAsItWasSent(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	ann, bob := d.user(t, "ann"), d.user(t, "bob")
	group := d.create(t, "/Groups", `{"displayName":"Field ops","externalId":"g-1","members":[
		{"value":"`+id(ann)+`","display":"ignored"},{"value":"`+strings.ToUpper(id(bob))+`","type":"user"},{"value":"`+id(ann)+`"}]}`)
	member := func(u object) object {
		return object{"value": id(u), "$ref": base + "/scim/v2/Users/" + id(u), "type": "User", "display": u["displayName"]}
	}
	require.Equal(t, "g-1", group["externalId"])
	require.ElementsMatch(t, []any{member(ann), member(bob)}, group["members"])
	require.Equal(t, group, d.do(t, http.MethodGet, "/Groups/"+id(group), "").want(200).object())

	read := d.do(t, http.MethodGet, "/Users/"+id(ann), "").want(200).object()
	require.Equal(t, []any{object{
		"value": id(group), "$ref": base + "/scim/v2/Groups/" + id(group), "display": "Field ops", "type": "direct",
	}}, read["groups"])

	ghost := lifecycle.NewID().String()
	for body, want := range map[string]struct {
		status           int
		scimType, detail string
	}{
		`{}`:                          {400, "invalidValue", "displayName is required"},
		`{"displayName":"FIELD OPS"}`: {409, "uniqueness", "exists already"},
		`{"displayName":"b","members":[{"value":"` + ghost + `"}]}`:                    {400, "invalidValue", ghost},
		`{"displayName":"b","members":[{"value":"nobody"}]}`:                           {400, "invalidValue", "members[0] names no user"},
		`{"displayName":"b","members":[{"display":"x"}]}`:                              {400, "invalidValue", "members[0].value is required"},
		`{"displayName":"b","members":[{"value":"` + id(group) + `","type":"Group"}]}`: {400, "invalidValue", "groups have no groups"},
		`{"displayName":"b","members":[{"value":"` + id(group) + `"}]}`:                {400, "invalidValue", id(group)},
	} {
		d.do(t, http.MethodPost, "/Groups", body).wantError(want.status, want.scimType, want.detail)
	}
	require.Equal(t, []string{"Field ops"}, d.names(t, "/Groups", ""))
}

func TestPutReplaces(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	user := d.create(t, "/Users", wholeUser)
	path := "/Users/" + id(user)
	put := d.do(t, http.MethodPut, path, `{"id":"`+id(user)+`","userName":"new.name","active":"False"}`).want(200).object()
	require.Equal(t, "new.name", put["userName"])
	require.Equal(t, false, put["active"])
	for _, gone := range []string{"emails", "roles", "name", "externalId"} {
		require.NotContains(t, put, gone)
	}
	require.Equal(t, `W/"2"`, put["meta"].(object)["version"])
	require.Equal(t, user["meta"].(object)["created"], put["meta"].(object)["created"])
	d.user(t, "Jane.Doe") // which is free again
	d.do(t, http.MethodPut, path, `{"userName":"JANE.DOE"}`).wantError(409, "uniqueness", "exists already")
	d.do(t, http.MethodPut, path, `{"userName":"x","id":"`+lifecycle.NewID().String()+`"}`).wantError(400, "mutability", "id")
	again := d.do(t, http.MethodPut, path, `{"userName":"new.name","active":false}`).want(200).object()
	require.Equal(t, put, again, "nothing changed, so nothing did")

	ann, bob := d.user(t, "ann"), d.user(t, "bob")
	group := d.create(t, "/Groups", `{"displayName":"g","externalId":"e","members":[{"value":"`+id(ann)+`"}]}`)
	replaced := d.do(t, http.MethodPut, "/Groups/"+id(group), `{"displayName":"h","members":[{"value":"`+id(bob)+`"}]}`).want(200).object()
	require.Equal(t, id(bob), replaced["members"].([]any)[0].(object)["value"])
	require.NotContains(t, replaced, "externalId")
	require.NotContains(t, d.do(t, http.MethodPut, "/Groups/"+id(group), `{"displayName":"h"}`).want(200).object(), "members")
}

func TestWhatIsDeletedIsGoneAndItsNameFree(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	user := d.user(t, "ann")
	group := d.create(t, "/Groups", `{"displayName":"g","members":[{"value":"`+id(user)+`"}]}`)
	d.do(t, http.MethodDelete, "/Users/"+id(user), "").want(204)
	d.do(t, http.MethodGet, "/Users/"+id(user), "").wantError(404, "", "")
	d.do(t, http.MethodDelete, "/Users/"+id(user), "").wantError(404, "", "")
	d.do(t, http.MethodPut, "/Users/"+id(user), `{"userName":"ann"}`).wantError(404, "", "")
	d.do(t, http.MethodPatch, "/Users/"+id(user), `{"Operations":[{"op":"replace","value":{"active":true}}]}`).wantError(404, "", "")
	require.Empty(t, d.names(t, "/Users", ""))
	left := d.do(t, http.MethodGet, "/Groups/"+id(group), "").want(200)
	require.NotContains(t, left.object(), "members")
	require.Equal(t, `W/"2"`, left.header.Get("ETag"), "the group has changed")
	d.do(t, http.MethodPatch, "/Groups/"+id(group), `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+id(user)+`"}]}]}`).
		wantError(400, "invalidValue", id(user))
	require.NotEqual(t, id(user), id(d.user(t, "ANN")))

	d.do(t, http.MethodDelete, "/Groups/"+id(group), "").want(204)
	d.do(t, http.MethodGet, "/Groups/"+id(group), "").wantError(404, "", "")
	d.do(t, http.MethodDelete, "/Groups/"+id(group), "").wantError(404, "", "")
	require.Empty(t, d.names(t, "/Groups", ""))
	d.create(t, "/Groups", `{"displayName":"G"}`)
	for _, path := range []string{"/Users/x", "/Groups/x", "/Users/" + lifecycle.NewID().String(), "/Users/" + id(group)} {
		d.do(t, http.MethodGet, path, "").wantError(404, "", "")
	}
}

func TestOneOfTwoWithTheSameNameGetsIt(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	for _, endpoint := range []string{"/Users", "/Groups"} {
		statuses := make([]int, 6)
		var group sync.WaitGroup
		for i := range statuses {
			group.Go(func() {
				statuses[i] = d.quietly(http.MethodPost, endpoint, `{"userName":"one","displayName":"One"}`)
			})
		}
		group.Wait()
		made := 0
		for _, status := range statuses {
			if status == http.StatusCreated {
				made++
			} else {
				require.Equal(t, http.StatusConflict, status)
			}
		}
		require.Equal(t, 1, made, endpoint)
	}
}
