package scim_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// The requests of this file are those that Okta and Microsoft Entra ID document,
// with our ids in them. They are as they stand there: operations in any case, paths
// or none, booleans as strings, values alone or in a list.

const patchOp = `"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]`

func operations(list ...string) string {
	return `{` + patchOp + `,"Operations":[` + strings.Join(list, ",") + `]}`
}

func (d *directory) patch(t *testing.T, path string, list ...string) answer {
	t.Helper()
	return d.do(t, http.MethodPatch, path, operations(list...))
}

// vendorUser is a user as both send it in full.
const vendorUser = `{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
	"externalId": "0a21f0f2", "userName": "test.user@okta.local", "active": true, "displayName": "Test User", "locale": "en-US",
	"emails": [{"primary": true, "type": "work", "value": "test.user@okta.local", "display": "test.user@okta.local"}],
	"meta": {"resourceType": "User"}, "groups": [], "password": "1mz050nq",
	"name": {"formatted": "Test User", "familyName": "User", "givenName": "Test"}, "roles": []
}`

func TestPatchesOfUsersAsDirectoriesSendThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operations []string
		// want are attributes afterwards, by their paths; nil is none.
		want object
	}{
		"Okta deactivates":         {[]string{`{"op":"replace","value":{"active":false}}`}, object{"active": false}},
		"Okta sends the id along":  {[]string{`{"op":"replace","value":{"id":"abf4dd94","active":false}}`}, object{"active": false}},
		"Okta sets a password":     {[]string{`{"op":"replace","value":{"password":"new"}}`}, nil},
		"Entra disables":           {[]string{`{"op":"Replace","path":"active","value":"False"}`}, object{"active": false}},
		"Entra disables, strictly": {[]string{`{"op":"replace","path":"active","value":false}`}, object{"active": false}},
		"Entra by Add":             {[]string{`{"op":"Add","path":"active","value":"False"}`}, object{"active": false}},
		"Entra changes one value of several": {
			[]string{`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"updated@microsoft.com"}`, `{"op":"Replace","path":"name.familyName","value":"updatedFamilyName"}`},
			object{"emails.value": "updated@microsoft.com", "name.familyName": "updatedFamilyName", "name.givenName": "Test"},
		},
		"Entra changes the userName":   {[]string{`{"op":"Replace","path":"userName","value":"5b50642d"}`}, object{"userName": "5b50642d"}},
		"Entra replaces a department":  {[]string{`{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Legal"}`}, nil},
		"Entra adds to its own schema": {[]string{`{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User:tag","value":"7"}`}, nil},
		"Entra sends several without path": {
			[]string{`{"op":"Add","value":{"displayName":"A B","name.givenName":"A","emails[type eq \"work\"].value":"ab@x.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"12","title":"T"}}`},
			object{"displayName": "A B", "name.givenName": "A", "emails.value": "ab@x.com"},
		},
		"Entra adds a phone":          {[]string{`{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"+1"}`}, nil},
		"Entra replaces an address":   {[]string{`{"op":"Replace","path":"addresses[type eq \"work\"].formatted","value":"x"}`}, nil},
		"Entra gives one role":        {[]string{`{"op":"Add","path":"roles","value":[{"value":"ORG_ADMIN"}]}`}, object{"roles.value": "ORG_ADMIN"}},
		"Entra gives a primary role":  {[]string{`{"op":"Add","path":"roles[primary eq \"True\"].value","value":"SOURCE_ADMIN"}`}, object{"roles.value": "SOURCE_ADMIN"}},
		"Entra replaces the roles":    {[]string{`{"op":"replace","path":"roles","value":[{"value":"SOURCE_SUBADMIN"}]}`}, object{"roles.value": "SOURCE_SUBADMIN"}},
		"Entra removes the last name": {[]string{`{"op":"Remove","path":"name.familyName"}`}, object{"name.familyName": nil}},
		"the schema's own name before the attribute": {
			[]string{`{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:displayName","value":"N"}`, `{"op":"replace","value":{"urn:ietf:params:scim:schemas:core:2.0:User":{"userName":"n"}}}`},
			object{"displayName": "N", "userName": "n"},
		},
		"a mail address added as the primary one": {
			[]string{`{"op":"add","path":"emails","value":{"value":"other@x.com","primary":true}}`}, object{"emails.value": "other@x.com"},
		},
		"a mail address added beside": {
			[]string{`{"op":"add","path":"emails","value":[{"value":"home@x.com","type":"home"}]}`}, object{"emails.value": "test.user@okta.local"},
		},
		"the mail address removed by its value": {
			[]string{`{"op":"remove","path":"emails[value eq \"TEST.user@okta.local\"]"}`}, object{"emails": nil},
		},
		"the mail addresses removed":      {[]string{`{"op":"remove","path":"emails"}`}, object{"emails": nil}},
		"what is null is removed":         {[]string{`{"op":"replace","value":{"externalId":null,"emails":null}}`}, object{"externalId": nil, "emails": nil}},
		"names in any case":               {[]string{`{"OP":"REPLACE","PATH":"NAME.GIVENNAME","VALUE":"G"}`}, object{"name.givenName": "G"}},
		"a name replaced in part":         {[]string{`{"op":"replace","path":"name","value":{"givenName":"G","middleName":"M"}}`}, object{"name.givenName": "G", "name.familyName": "User"}},
		"removing what is not there":      {[]string{`{"op":"remove","path":"emails[type eq \"home\"]"}`, `{"op":"remove","path":"nickName"}`}, nil},
		"operations in their order":       {[]string{`{"op":"add","path":"displayName","value":"1"}`, `{"op":"replace","path":"displayName","value":"2"}`}, object{"displayName": "2"}},
		"read-only ones within a value":   {[]string{`{"op":"replace","value":{"meta":{"version":"x"},"groups":[{"value":"x"}],"displayName":"D"}}`}, object{"displayName": "D"}},
		"brackets that join and negate":   {[]string{`{"op":"replace","path":"emails[not (type eq \"home\" or value co \"nobody\")].value","value":"z@x.com"}`}, object{"emails.value": "z@x.com"}},
		"a text with escapes in brackets": {[]string{`{"op":"add","path":"emails[value eq \"a\\\"b\"].type","value":"work"}`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDirectory(t)
			user := d.create(t, "/Users", vendorUser)
			patched := d.patch(t, "/Users/"+id(user), c.operations...).want(200)
			for path, want := range c.want {
				require.Equal(t, want, at(t, patched.object(), path), path)
			}
			require.Equal(t, patched.body, d.do(t, http.MethodGet, "/Users/"+id(user), "").want(200).body)
		})
	}
}

// TestTheRoleThatEntraSendsTakesThePlaceOfWhatWasThere: Entra ID asks for the
// primary role, and which of several that is we don't keep.
func TestTheRoleThatEntraSendsTakesThePlaceOfWhatWasThere(t *testing.T) {
	t.Parallel()
	const primary = `"path":"roles[primary eq \"True\"].value"`
	change := func(op, role string) string { return `{"op":"` + op + `",` + primary + `,"value":"` + role + `"}` }
	for name, c := range map[string]struct {
		// before are the roles that there are, in JSON.
		before     string
		operations []string
		want       []any
	}{
		"Add to none":        {`[]`, []string{change("Add", "SOURCE_ADMIN")}, []any{"SOURCE_ADMIN"}},
		"Add to one":         {`["ORG_ADMIN"]`, []string{change("Add", "SOURCE_ADMIN")}, []any{"SOURCE_ADMIN"}},
		"Add to two":         {`["ORG_ADMIN","SOURCE_SUBADMIN"]`, []string{change("Add", "SOURCE_ADMIN")}, []any{"SOURCE_ADMIN"}},
		"Replace of none":    {`[]`, []string{change("Replace", "SOURCE_ADMIN")}, []any{"SOURCE_ADMIN"}},
		"Replace of one":     {`["ORG_ADMIN"]`, []string{change("Replace", "SOURCE_ADMIN")}, []any{"SOURCE_ADMIN"}},
		"Replace of two":     {`["ORG_ADMIN","SOURCE_SUBADMIN"]`, []string{change("Replace", "SOURCE_ADMIN")}, []any{"SOURCE_ADMIN"}},
		"Replace by the own": {`["ORG_ADMIN","SOURCE_ADMIN"]`, []string{change("Replace", "SOURCE_ADMIN")}, []any{"SOURCE_ADMIN"}},
		"one after another": {
			`["ORG_ADMIN","SOURCE_SUBADMIN"]`, []string{change("Add", "SOURCE_ADMIN"), change("Replace", "SOURCE_SUBADMIN")}, []any{"SOURCE_SUBADMIN"},
		},
		"as a boolean": {
			`["ORG_ADMIN","SOURCE_SUBADMIN"]`, []string{`{"op":"add","path":"roles[primary eq true].value","value":"SOURCE_ADMIN"}`}, []any{"SOURCE_ADMIN"},
		},
		"without a path": {
			`["ORG_ADMIN"]`, []string{`{"op":"Add","value":{"roles[primary eq \"True\"].value":"SOURCE_ADMIN"}}`}, []any{"SOURCE_ADMIN"},
		},
		"the whole of it": {
			`["ORG_ADMIN","SOURCE_SUBADMIN"]`, []string{`{"op":"replace","path":"roles[primary eq true]","value":{"value":"SOURCE_ADMIN"}}`}, []any{"SOURCE_ADMIN"},
		},
		"one that is marked": {
			`["ORG_ADMIN"]`, []string{`{"op":"add","path":"roles","value":{"value":"SOURCE_SUBADMIN","primary":true}}`, change("Replace", "SOURCE_ADMIN")},
			[]any{"ORG_ADMIN", "SOURCE_ADMIN"},
		},
		"Remove of none": {`[]`, []string{`{"op":"Remove",` + primary + `}`}, nil},
		"Remove of one":  {`["ORG_ADMIN"]`, []string{`{"op":"Remove",` + primary + `}`}, nil},
		"Remove of two":  {`["ORG_ADMIN","SOURCE_ADMIN"]`, []string{`{"op":"remove","path":"roles[primary eq true]"}`}, nil},
		"one that is not the primary one": {
			`["ORG_ADMIN"]`, []string{`{"op":"remove","path":"roles[primary eq false]"}`}, []any{"ORG_ADMIN"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDirectory(t)
			user := d.create(t, "/Users", `{"userName":"ann","roles":`+c.before+`}`)
			patched := d.patch(t, "/Users/"+id(user), c.operations...).want(200).object()
			roles, _ := patched["roles"].([]any)
			var got []any
			for _, role := range roles {
				got = append(got, role.(object)["value"])
				require.Equal(t, len(roles) == 1, role.(object)["primary"] == true, "a sole role is the primary one")
			}
			require.Equal(t, c.want, got)
		})
	}
}

// at is the attribute at a path; of several values there must be one.
func at(t *testing.T, resource object, path string) any {
	t.Helper()
	var found any = resource
	for name := range strings.SplitSeq(path, ".") {
		if list, ok := found.([]any); ok {
			require.Len(t, list, 1, path)
			found = list[0]
		}
		found = found.(object)[name]
	}
	return found
}

func TestPatchesOfGroupsAsDirectoriesSendThem(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	ann, bob, cleo := id(d.user(t, "ann")), id(d.user(t, "bob")), id(d.user(t, "cleo"))
	fill := strings.NewReplacer("{ann}", ann, "{bob}", bob, "{cleo}", cleo)
	for name, c := range map[string]struct {
		operations []string
		// display and members are those afterwards, of a group "Before" with ann
		// and bob in it.
		display string
		members []string
	}{
		"Okta renames": {[]string{`{"op":"replace","value":{"id":"abf4dd94","displayName":"After"}}`}, "After", []string{ann, bob}},
		"Okta adds and removes": {
			[]string{`{"op":"remove","path":"members[value eq \"{ann}\"]"}`, `{"op":"add","path":"members","value":[{"value":"{cleo}","display":"cleo@example.com"}]}`},
			"Before", []string{bob, cleo},
		},
		"Okta replaces the members":   {[]string{`{"op":"replace","path":"members","value":[{"value":"{cleo}","display":"x"}]}`}, "Before", []string{cleo}},
		"Entra renames":               {[]string{`{"op":"Replace","path":"displayName","value":"1879db59"}`}, "1879db59", []string{ann, bob}},
		"Entra adds":                  {[]string{`{"op":"Add","path":"members","value":[{"$ref":null,"value":"{cleo}"}]}`}, "Before", []string{ann, bob, cleo}},
		"Entra removes":               {[]string{`{"op":"Remove","path":"members","value":[{"$ref":null,"value":"{ann}"}]}`}, "Before", []string{bob}},
		"Entra removes several":       {[]string{`{"op":"Remove","path":"members","value":[{"value":"{ann}"},{"value":"{bob}"},{"value":"{cleo}"}]}`}, "Before", nil},
		"a member who is one already": {[]string{`{"op":"add","path":"members","value":[{"value":"{ann}"}]}`}, "Before", []string{ann, bob}},
		"a member alone":              {[]string{`{"op":"add","path":"members","value":{"value":"{cleo}"}}`}, "Before", []string{ann, bob, cleo}},
		"a bare id":                   {[]string{`{"op":"add","path":"members","value":"{cleo}"}`}, "Before", []string{ann, bob, cleo}},
		"without a path":              {[]string{`{"op":"add","value":{"members":[{"value":"{cleo}"}],"externalId":"x"}}`}, "Before", []string{ann, bob, cleo}},
		"all of them":                 {[]string{`{"op":"remove","path":"members"}`}, "Before", nil},
		"one who is no member":        {[]string{`{"op":"remove","path":"members[value eq \"{cleo}\"]"}`}, "Before", []string{ann, bob}},
		"two who are chosen":          {[]string{`{"op":"remove","path":"members[value eq \"{ann}\" or value eq \"{bob}\"]"}`}, "Before", nil},
		"the schema's name before":    {[]string{`{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:Group:displayName","value":"U"}`}, "U", []string{ann, bob}},
	} {
		group := d.create(t, "/Groups", fill.Replace(`{"displayName":"Before","members":[{"value":"{ann}"},{"value":"{bob}"}]}`))
		for i := range c.operations {
			c.operations[i] = fill.Replace(c.operations[i])
		}
		patched := d.patch(t, "/Groups/"+id(group), c.operations...).want(204)
		require.Empty(t, patched.body)
		read := d.do(t, http.MethodGet, "/Groups/"+id(group)+"?excludedAttributes=members", "").want(200).object()
		require.NotContains(t, read, "members")
		require.Equal(t, c.display, read["displayName"], name)
		read = d.do(t, http.MethodGet, "/Groups/"+id(group), "").want(200).object()
		var members []string
		list, _ := read["members"].([]any)
		for _, member := range list {
			members = append(members, member.(object)["value"].(string))
		}
		require.ElementsMatch(t, c.members, members, name)
		require.Equal(t, read["meta"].(object)["version"], patched.header.Get("ETag"), name)
		d.do(t, http.MethodDelete, "/Groups/"+id(group), "").want(204)
	}
	group := d.create(t, "/Groups", `{"displayName":"g"}`)
	shown := d.do(t, http.MethodPatch, "/Groups/"+id(group)+"?attributes=displayName", operations(`{"op":"replace","path":"displayName","value":"h"}`))
	require.Equal(t, object{"schemas": group["schemas"], "id": group["id"], "displayName": "h"}, shown.want(200).object())
}

func TestAPatchThatCanNotBeIsRefusedWhole(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	user, taken := d.create(t, "/Users", vendorUser), d.user(t, "taken")
	group := d.create(t, "/Groups", `{"displayName":"g","members":[{"value":"`+id(user)+`"}]}`)
	many := make([]string, 1001)
	for i := range many {
		many[i] = `{"op":"replace","path":"displayName","value":"x"}`
	}
	good := `{"op":"replace","path":"displayName","value":"changed"}`
	userPath, groupPath := "/Users/"+id(user), "/Groups/"+id(group)
	for i, c := range []struct {
		path, body       string
		status           int
		scimType, detail string
	}{
		{userPath, `{}`, 400, "invalidSyntax", "Operations"},
		{userPath, `{"Operations":[]}`, 400, "invalidSyntax", "Operations"},
		{userPath, `{"Operations":{}}`, 400, "invalidSyntax", "Operations"},
		{userPath, `{"Operations":[5]}`, 400, "invalidSyntax", "Operations[0]"},
		{userPath, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"Operations":[` + good + `]}`, 400, "invalidSyntax", "schemas"},
		{userPath, operations(many...), 400, "invalidValue", "1000"},
		{userPath, operations(good, `{"op":"move","path":"displayName","value":"x"}`), 400, "invalidSyntax", "Operations[1].op"},
		{userPath, operations(good, `{"path":"displayName","value":"x"}`), 400, "invalidSyntax", "Operations[1].op"},
		{userPath, operations(good, `{"op":"add","path":"displayName"}`), 400, "invalidValue", "value"},
		{userPath, operations(good, `{"op":"replace","path":"displayName"}`), 400, "invalidValue", "value"},
		{userPath, operations(good, `{"op":"remove"}`), 400, "noTarget", "path"},
		{userPath, operations(good, `{"op":"replace","value":"x"}`), 400, "invalidValue", "object"},
		{userPath, operations(good, `{"op":"replace","path":5,"value":"x"}`), 400, "invalidPath", "path"},
		{userPath, operations(good, `{"op":"replace","path":"emails[","value":"x"}`), 400, "invalidPath", "emails["},
		{userPath, operations(good, `{"op":"replace","path":"`+strings.Repeat("(", 20)+`","value":"x"}`), 400, "invalidPath", "parentheses"},
		{userPath, operations(good, `{"op":"replace","path":"shoeSize","value":"x"}`), 400, "invalidPath", "shoeSize"},
		{userPath, operations(good, `{"op":"replace","path":"name.shoeSize","value":"x"}`), 400, "invalidPath", "shoeSize"},
		{userPath, operations(good, `{"op":"replace","path":"userName[value eq \"x\"]","value":"x"}`), 400, "invalidPath", "brackets"},
		{userPath, operations(good, `{"op":"replace","path":"emails[shoe eq \"x\"].value","value":"x"}`), 400, "invalidFilter", "shoe"},
		{userPath, operations(good, `{"op":"replace","path":"emails[value gt \"x\"].value","value":"x"}`), 400, "invalidFilter", "gt"},
		{userPath, operations(good, `{"op":"replace","path":"emails[type eq \"home\"].value","value":"x"}`), 400, "noTarget", "emails"},
		{userPath, operations(good, `{"op":"add","path":"emails[type ne \"work\"].value","value":"x"}`), 400, "noTarget", "emails"},
		{userPath, operations(good, `{"op":"replace","path":"id","value":"x"}`), 400, "mutability", "id"},
		{userPath, operations(good, `{"op":"replace","path":"meta.version","value":"x"}`), 400, "mutability", "meta"},
		{userPath, operations(good, `{"op":"add","path":"groups","value":[{"value":"x"}]}`), 400, "mutability", "groups"},
		{userPath, operations(good, `{"op":"remove","path":"userName"}`), 400, "mutability", "userName"},
		{userPath, operations(good, `{"op":"replace","path":"userName","value":"TAKEN"}`), 409, "uniqueness", "exists"},
		{userPath, operations(good, `{"op":"replace","path":"userName","value":["x"]}`), 400, "invalidValue", "userName must be a string"},
		{userPath, operations(good, `{"op":"replace","path":"active","value":"yes"}`), 400, "invalidValue", "active"},
		{userPath, operations(good, `{"op":"replace","path":"name","value":"x"}`), 400, "invalidValue", "name"},
		{userPath, operations(good, `{"op":"add","path":"emails","value":[5]}`), 400, "invalidValue", "emails[0]"},
		{userPath, operations(good, `{"op":"add","path":"roles","value":"KING"}`), 400, "invalidValue", "roles[0]"},
		{groupPath, operations(good, `{"op":"add","path":"members","value":[{"value":"`+lifecycle.NewID().String()+`"}]}`), 400, "invalidValue", "names no user"},
		{groupPath, operations(good, `{"op":"replace","path":"members[value eq \"`+id(user)+`\"].value","value":"`+id(taken)+`"}`), 400, "mutability", "members.value"},
		{groupPath, operations(good, `{"op":"replace","path":"members[value eq \"`+id(user)+`\"].display","value":"x"}`), 400, "mutability", "display"},
	} {
		t.Run(fmt.Sprintf("%d %s", i, c.detail), func(t *testing.T) {
			d.do(t, http.MethodPatch, c.path, c.body).wantError(c.status, c.scimType, c.detail)
		})
	}
	d.patch(t, "/Users/"+lifecycle.NewID().String(), `{"op":"replace","path":"emails[","value":"x"}`).wantError(400, "invalidPath", "emails[")
	require.Equal(t, user, without(d.do(t, http.MethodGet, userPath, "").want(200).object(), "groups"))
	require.Equal(t, group, d.do(t, http.MethodGet, groupPath, "").want(200).object())
}

// without is the user without an attribute, with the version that it has without it.
func without(user object, name string) object {
	delete(user, name)
	meta := user["meta"].(object)
	version, _, _ := strings.Cut(meta["version"].(string), "-")
	meta["version"] = strings.TrimSuffix(version, `"`) + `"`
	return user
}

// TestPatchesAtOnceAreAllKept: each adds a member, and none is lost.
func TestPatchesAtOnceAreAllKept(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	group := d.create(t, "/Groups", `{"displayName":"g"}`)
	members := make([]string, 8)
	for i := range members {
		members[i] = id(d.user(t, fmt.Sprintf("user%d", i)))
	}
	statuses := make([]int, len(members))
	var all sync.WaitGroup
	for i, member := range members {
		all.Go(func() {
			statuses[i] = d.quietly(http.MethodPatch, "/Groups/"+id(group), operations(`{"op":"add","path":"members","value":[{"value":"`+member+`"}]}`))
		})
	}
	all.Wait()
	for _, status := range statuses {
		require.Equal(t, http.StatusNoContent, status)
	}
	read := d.do(t, http.MethodGet, "/Groups/"+id(group), "").want(200).object()
	require.Len(t, read["members"], len(members))
	require.Regexp(t, `^W/"9-`, read["meta"].(object)["version"])
}
