package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/scim"
)

// people makes the users that the filters of these tests are about, and returns
// their ids by userName.
func (d *directory) people(t *testing.T) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for _, body := range []string{
		`{"userName":"Jane.Doe","externalId":"Ext-1","displayName":"Jane Doe","name":{"givenName":"Jane","familyName":"Doe"},"emails":[{"value":"Jane@Example.com"}],"roles":["ORG_ADMIN"]}`,
		`{"userName":"john.roe","externalId":"ext-1","name":{"givenName":"John","familyName":"Roe","formatted":"Mr. Roe"},"active":false}`,
		`{"userName":"ÉVA.NAGY","displayName":"Éva 100% (Nagy)_","emails":[{"value":"eva@example.org"}]}`,
		`{"userName":"o\"brien\\","displayName":"O'Brien"}`,
	} {
		user := d.create(t, "/Users", body)
		ids[user["userName"].(string)] = id(user)
	}
	return ids
}

func TestUsersAreFiltered(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	ids := d.people(t)
	group := d.create(t, "/Groups", `{"displayName":"Field","members":[{"value":"`+ids["john.roe"]+`"}]}`)
	const jane, john, eva, brien = "Jane.Doe", "john.roe", "ÉVA.NAGY", `o"brien\`
	all := []string{jane, john, eva, brien}
	for filter, want := range map[string][]string{
		``: all, `userName eq "jane.doe"`: {jane}, `USERNAME EQ "JANE.DOE"`: {jane}, `userName eq " jane.doe "`: {jane},
		`userName ne "jane.doe"`: {john, eva, brien}, `userName sw "J"`: {jane, john}, `userName ew "OE"`: {jane, john},
		`userName co ".d"`: {jane}, `userName eq "éva.nagy"`: {eva}, `userName eq "\u00c9VA.nagy"`: {eva}, `userName eq "\u00C9va.nagy"`: {eva},
		`userName eq "o\"brien\\"`: {brien}, `userName sw "%"`: {}, `displayName co "100% ("`: {eva}, `displayName ew "_"`: {eva},
		`displayName eq "o'brien"`: {brien}, `userName gt "john.ro"`: {john, eva, brien}, `userName le "jane.doe"`: {jane},
		`externalId eq "Ext-1"`: {jane}, `externalId eq "ext-1"`: {john}, `externalId sw "ext"`: {john}, `externalId pr`: {jane, john},
		`not (externalId pr)`: {eva, brien}, `externalId eq 1`: {}, `externalId eq null`: {eva, brien},
		`active eq true`: {jane, eva, brien}, `active eq false`: {john}, `active eq "False"`: {john}, `active ne true`: {john}, `active pr`: all,
		`name.givenName eq "JANE"`: {jane}, `name.familyName sw "r"`: {john}, `name.givenName pr and not (name.familyName eq "Doe")`: {john},
		`name.formatted pr`:                  {john},
		`emails.value eq "JANE@example.COM"`: {jane}, `emails eq "jane@example.com"`: {jane}, `emails co "@example."`: {jane, eva},
		`emails[type eq "work"]`: {jane, eva}, `emails[type eq "home"]`: {}, `emails[type eq "work" and value ew ".org"]`: {eva},
		`emails[primary eq true]`: {jane, eva}, `emails.primary eq false`: {}, `emails.primary ne true`: {john, brien}, `emails pr`: {jane, eva},
		`emails.type ne "work"`:      {john, brien},
		`roles.value eq "org_admin"`: {jane}, `roles[value eq "ORG_ADMIN"]`: {jane}, `roles eq "SOURCE_ADMIN"`: {}, `roles eq "king"`: {},
		`groups.value eq "` + id(group) + `"`: {john}, `groups eq "` + lifecycle.NewID().String() + `"`: {}, `groups eq "x"`: {},
		`id eq "` + ids[eva] + `"`: {eva}, `id eq "` + strings.ToUpper(ids[eva]) + `"`: {eva}, `id eq "x"`: {}, `id ne "x"`: all, `id pr`: all,
		`meta.created gt "2020-01-01T00:00:00Z"`: all, `meta.lastModified lt "2020-01-01T00:00:00Z"`: {},
		`urn:ietf:params:scim:schemas:core:2.0:User:userName eq "john.roe"`:            {john},
		`userName eq "jane.doe" or userName eq "john.roe" and active eq true`:          {jane},
		`(userName eq "jane.doe" or userName eq "john.roe") and active eq false`:       {john},
		`userName eq "jane.doe" and externalId eq "Ext-1" and active eq true or id pr`: all,
		`userName eq "' OR 1=1 --"`: {}, `userName eq "?0"`: {},
	} {
		require.Equal(t, want, d.names(t, "/Users", filter), filter)
	}
	for filter, detail := range map[string]string{
		`shoeSize eq 5`: "shoeSize", `name eq "x"`: "name", `title pr`: "title", `userName`: "can't be read", `userName eq`: "can't be read",
		`userName eq "x`: "can't be read", `userName is "x"`: "can't be read", `active gt true`: "operator", `active eq "maybe"`: "true or false",
		`roles.value sw "O"`: "operator", `groups.value co "x"`: "operator", `meta.created eq "yesterday"`: "date-time", `id sw "0"`: "operator",
		`userName eq "a\u0000b"`: "NUL", `emails[shoe eq "x"]`: "emails.shoe", `name[givenName eq "x"]`: "brackets", `userName eq "x")`: "can't be read",
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "x"`: "schema", `meta.version eq "x"`: "meta.version",
		strings.Repeat("(", 11) + `userName eq "x"` + strings.Repeat(")", 11): "parentheses",
		strings.Repeat(`userName eq "x" or `, 100) + `userName eq "x"`:        "comparisons",
		`userName eq "` + strings.Repeat("x", 5000) + `"`:                     "bytes",
		`password eq "x"`: "password", `userName eq "x"; DROP TABLE identities`: "can't be read",
	} {
		d.do(t, http.MethodGet, "/Users?filter="+url.QueryEscape(filter), "").wantError(400, "invalidFilter", detail)
	}
}

func TestGroupsAreFiltered(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	ann := d.user(t, "ann")
	first := d.create(t, "/Groups", `{"displayName":"Field Ops","externalId":"G1","members":[{"value":"`+id(ann)+`"}]}`)
	d.create(t, "/Groups", `{"displayName":"Office"}`)
	for filter, want := range map[string][]string{
		``: {"Field Ops", "Office"}, `displayName eq "FIELD ops"`: {"Field Ops"}, `externalId eq "G1"`: {"Field Ops"}, `externalId eq "g1"`: {},
		`members.value eq "` + id(ann) + `"`: {"Field Ops"}, `members[value eq "` + id(ann) + `"]`: {"Field Ops"}, `members eq "` + id(first) + `"`: {},
		`id eq "` + id(first) + `" and members eq "` + id(ann) + `"`: {"Field Ops"}, `not (members eq "` + id(ann) + `")`: {"Office"},
	} {
		require.Equal(t, want, d.names(t, "/Groups", filter), filter)
	}
	d.do(t, http.MethodGet, "/Groups?filter="+url.QueryEscape(`userName eq "x"`), "").wantError(400, "invalidFilter", "userName")
}

func TestListsArePagedAndSorted(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	for i := range 5 {
		d.user(t, fmt.Sprintf("user%d", 4-i))
	}
	for query, want := range map[string]struct {
		start, items int
		names        string
	}{
		"":                         {1, 5, "user4 user3 user2 user1 user0"},
		"?startIndex=2&count=2":    {2, 2, "user3 user2"},
		"?startIndex=5&count=10":   {5, 1, "user0"},
		"?startIndex=6":            {6, 0, ""},
		"?startIndex=2147483647":   {2147483647, 0, ""},
		"?startIndex=0&count=1":    {1, 1, "user4"},
		"?startIndex=-3&count=1":   {1, 1, "user4"},
		"?count=0":                 {1, 0, ""},
		"?count=-1":                {1, 0, ""},
		"?count=100000":            {1, 5, "user4 user3 user2 user1 user0"},
		"?sortBy=userName&count=2": {1, 2, "user0 user1"},
		"?sortBy=userName&sortOrder=descending&count=1": {1, 1, "user4"},
		"?sortBy=emails&count=1":                        {1, 1, ""},
	} {
		list := d.do(t, http.MethodGet, "/Users"+query, "").want(200).object()
		require.Equal(t, []any{"urn:ietf:params:scim:api:messages:2.0:ListResponse"}, list["schemas"])
		require.InDelta(t, 5, list["totalResults"], 0, query)
		require.InDelta(t, want.start, list["startIndex"], 0, query)
		require.InDelta(t, want.items, list["itemsPerPage"], 0, query)
		var found []string
		for _, user := range list["Resources"].([]any) {
			found = append(found, user.(object)["userName"].(string))
		}
		if query != "?sortBy=emails&count=1" { // all have none, so the id decides
			require.Equal(t, want.names, strings.Join(found, " "), query)
		}
	}
	for query, scimType := range map[string]string{
		"?startIndex=x": "invalidValue", "?count=1.5": "invalidValue", "?count=99999999999": "invalidValue", "?sortOrder=up": "invalidValue",
		"?sortBy=shoeSize": "invalidPath", "?sortBy=userName&sortBy=id": "invalidSyntax", "?filter=%00": "invalidSyntax", "?filter=%ff": "invalidSyntax",
		"?filter=%zz": "invalidSyntax", "?attributes=id&excludedAttributes=name": "invalidValue",
	} {
		d.do(t, http.MethodGet, "/Users"+query, "").wantError(400, scimType, "")
	}

	search := d.do(t, http.MethodPost, "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
		"filter":"userName sw \"user\"","startIndex":2,"count":2,"sortBy":"userName","sortOrder":"descending","attributes":["userName"]}`)
	list := search.want(200).object()
	require.InDelta(t, 5, list["totalResults"], 0)
	require.InDelta(t, 2, list["startIndex"], 0)
	resources := list["Resources"].([]any)
	require.Len(t, resources, 2)
	require.Equal(t, "user3", resources[0].(object)["userName"])
	require.Len(t, resources[0], 3, "id and schemas beside what was asked for")
	d.do(t, http.MethodPost, "/Users/.search", `{"count":"two"}`).wantError(400, "invalidValue", "count")
	d.do(t, http.MethodPost, "/Users/.search", `{"filter":5}`).wantError(400, "invalidValue", "filter")
	require.Empty(t, d.do(t, http.MethodPost, "/Groups/.search", `{}`).want(200).object()["Resources"])
}

func TestAttributesAreShownAsAskedFor(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	user := d.create(t, "/Users", wholeUser)
	keys := func(query string) string {
		read := d.do(t, http.MethodGet, "/Users/"+id(user)+query, "").want(200).object()
		list := d.do(t, http.MethodGet, "/Users"+query, "").want(200).object()["Resources"].([]any)
		require.Equal(t, read, list[0], query)
		var names []string
		for name, value := range read {
			names = append(names, name)
			if inner, ok := value.(object); ok && name == "name" {
				for part := range inner {
					names = append(names, name+"."+part)
				}
			}
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	}
	require.Equal(t, "id schemas userName", keys("?attributes=userName"))
	require.Equal(t, "id schemas userName", keys("?attributes=urn:ietf:params:scim:schemas:core:2.0:User:USERNAME,nothing"))
	require.Equal(t, "id name name.familyName schemas", keys("?attributes=name.familyName"))
	require.Equal(t, "emails id meta name name.familyName name.formatted name.givenName schemas", keys("?attributes=name,emails,meta"))
	require.Equal(t, "active displayName emails externalId id meta name name.formatted name.givenName roles schemas userName",
		keys("?excludedAttributes=name.familyName,id,schemas"))
	require.Equal(t, "active displayName externalId id meta roles schemas userName", keys("?excludedAttributes=name,emails"))
	emails := d.do(t, http.MethodGet, "/Users/"+id(user)+"?attributes=emails.value", "").want(200).object()["emails"]
	require.Equal(t, []any{object{"value": "jane@example.com"}}, emails)
	created := d.do(t, http.MethodPost, "/Users?attributes=userName", `{"userName":"x"}`).want(201)
	require.Len(t, created.object(), 3)
	require.NotEmpty(t, created.header.Get("Location"))
}

func TestVersionsGuardWriting(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	user := d.user(t, "ann")
	group := d.create(t, "/Groups", `{"displayName":"g","members":[{"value":"`+id(user)+`"}]}`)
	for path, body := range map[string]string{"/Users/" + id(user): `{"userName":"ann"}`, "/Groups/" + id(group): `{"displayName":"g"}`} {
		tag := d.do(t, http.MethodGet, path, "").want(200).header.Get("ETag")
		unchanged := d.do(t, http.MethodGet, path, "", "If-None-Match", tag).want(304)
		require.Empty(t, unchanged.body)
		require.Equal(t, tag, unchanged.header.Get("ETag"))
		d.do(t, http.MethodGet, path, "", "If-None-Match", `W/"7", `+tag).want(304)
		d.do(t, http.MethodGet, path, "", "If-None-Match", `W/"7"`).want(200)

		change := operations(`{"op":"replace","value":{"externalId":"x"}}`)
		for _, wrong := range []string{`W/"7"`, `"7"`, `W/"7", W/"8"`, "x"} {
			d.do(t, http.MethodPatch, path, change, "If-Match", wrong).wantError(412, "", "version")
			d.do(t, http.MethodPut, path, body, "If-Match", wrong).wantError(412, "", "version")
			d.do(t, http.MethodDelete, path, "", "If-Match", wrong).wantError(412, "", "version")
		}
		d.do(t, http.MethodPatch, path, change, "If-None-Match", "*").wantError(412, "", "version")
		require.Equal(t, tag, d.do(t, http.MethodGet, path, "").header.Get("ETag"))

		changed := d.do(t, http.MethodPatch, path, change, "If-Match", tag)
		require.Less(t, changed.status, 300)
		d.do(t, http.MethodPatch, path, change, "If-Match", tag).wantError(412, "", "version")
		d.do(t, http.MethodPut, path, body, "If-Match", `W/"7", `+changed.header.Get("ETag")).want(200)
		d.do(t, http.MethodDelete, path, "", "If-Match", "*").want(204)
	}
}

// TestWhatOthersChangeShowsInTheTag: a user's answer has the names of groups, and a
// cached one must not hide that these have changed. It is no change of the user.
func TestWhatOthersChangeShowsInTheTag(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	user := d.user(t, "ann")
	path := "/Users/" + id(user)
	before := d.do(t, http.MethodGet, path, "").want(200).header.Get("ETag")
	d.create(t, "/Groups", `{"displayName":"g","members":[{"value":"`+id(user)+`"}]}`)
	after := d.do(t, http.MethodGet, path, "", "If-None-Match", before).want(200)
	require.NotEqual(t, before, after.header.Get("ETag"))
	d.do(t, http.MethodPut, path, `{"userName":"ann","externalId":"x"}`, "If-Match", before).want(200)
}

func TestOfTwoWhoReadTheSameVersionOneWrites(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	user := d.user(t, "ann")
	statuses := make(chan int)
	for i := range 2 {
		go func() {
			statuses <- d.quietly(http.MethodPut, "/Users/"+id(user), fmt.Sprintf(`{"userName":"ann%d"}`, i), "If-Match", `W/"1"`)
		}()
	}
	require.ElementsMatch(t, []int{200, 412}, []int{<-statuses, <-statuses})
}

func TestWhoMayNotIsRefusedAsSCIMRefuses(t *testing.T) {
	t.Parallel()
	wait := time.Duration(0)
	d := newDirectory(t, func(o *scim.Options) {
		o.Limit = func(*http.Request, policy.Actor) time.Duration { return wait }
		o.MaxBodyBytes = 100
	})
	paths := []string{"/Users", "/Users/" + lifecycle.NewID().String(), "/Groups", "/Groups/x", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/nothing", "/Me", ""}
	for _, path := range paths {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/scim/v2"+path, nil)
		require.NoError(t, err)
		if path != "" {
			refused := d.send(t, r)
			refused.wantError(401, "", "JWT validation failed")
			require.Equal(t, "Bearer", refused.header.Get("WWW-Authenticate"))
		}
	}
	everything := []lifecycle.Right{lifecycle.RightCreate, lifecycle.RightRead, lifecycle.RightUpdate, lifecycle.RightDelete}
	for name, actor := range map[string]policy.Actor{
		"another scope": {ClientID: "app", Rights: everything, Scopes: []string{lifecycle.ScopeAll, lifecycle.ScopeRead, lifecycle.ScopeManage}},
		"no scope":      {ClientID: "app", Rights: everything},
		"a user":        {ClientID: "pat", IdentityID: lifecycle.NewID(), Levels: []lifecycle.Level{lifecycle.LevelOrgAdmin}, Scopes: []string{lifecycle.ScopeSCIM}},
	} {
		d.actor = actor
		for _, path := range paths[:8] {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				d.do(t, method, path, "").wantError(403, "", "refuses")
				require.NotEmpty(t, name)
			}
		}
	}
	d.actor = application
	for _, path := range []string{"/nothing", "/Users/x/y", "/Schemas/x", "/ResourceTypes/x"} {
		d.do(t, http.MethodGet, path, "").wantError(404, "", "")
	}
	refused := d.do(t, http.MethodPut, "/Users", "")
	refused.wantError(405, "", "method")
	require.Contains(t, refused.header.Get("Allow"), "POST")
	d.do(t, http.MethodGet, "/Me", "").wantError(501, "", "ServiceProviderConfig")
	d.do(t, http.MethodPost, "/Bulk", "{}").wantError(501, "", "ServiceProviderConfig")
	d.do(t, http.MethodGet, "/Schemas?filter=id+pr", "").wantError(403, "", "")
	for media, status := range map[string]int{
		"": 415, "text/plain": 415, "application/xml": 415, "application/json": 201, "application/scim+json; charset=utf-8": 201,
	} {
		body := fmt.Sprintf(`{"userName":"media%d"}`, len(media))
		d.do(t, http.MethodPost, "/Users", body, "Content-Type", media).want(status)
	}
	d.do(t, http.MethodPost, "/Users", `{"userName":"x"}`, "Content-Encoding", "gzip").wantError(415, "", "Content-Encoding")
	d.do(t, http.MethodPost, "/Users", `{"userName":"`+strings.Repeat("x", 100)+`"}`).wantError(413, "", "100 bytes")
	wait = 1500 * time.Millisecond
	limited := d.do(t, http.MethodGet, "/Users", "")
	limited.wantError(429, "", "Rate limit")
	require.Equal(t, "2", limited.header.Get("Retry-After"))
}

func TestAFaultOfTheStoreIsNotTold(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	_, err := d.schema.Admin(t).ExecContext(t.Context(), "ALTER TABLE identities RENAME TO hidden")
	require.NoError(t, err)
	d.do(t, http.MethodGet, "/Users", "").wantError(500, "", "internal fault")
	require.NoError(t, d.Close())
	away := d.do(t, http.MethodGet, "/Users", "")
	require.NotEmpty(t, away.body)
	require.NotContains(t, away.body, "sql")
}

func TestAnOptionThatIsMissingStopsTheStart(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	require.NotNil(t, d)
	for _, opts := range []scim.Options{{}, {MaxBodyBytes: 1}} {
		_, err := scim.New(opts)
		require.ErrorContains(t, err, "scim: ")
	}
}
