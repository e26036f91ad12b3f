package scim

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/document"
	"gatehouse/filter"
)

// requireRefusal holds that an error is one that a client is told, and its fault.
func requireRefusal(t *testing.T, err error) {
	t.Helper()
	f := faultOf(err)
	require.GreaterOrEqual(t, f.status, http.StatusBadRequest)
	require.Less(t, f.status, http.StatusInternalServerError, err)
	require.NotEmpty(t, f.detail)
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`userName eq "x"`, `not (emails[type eq "work" and value co "\u00e9"])`, `active ne "True" or meta.created gt "2020-01-01T00:00:00Z"`,
		`urn:ietf:params:scim:schemas:core:2.0:User:name.givenName pr`, `members.value eq "x"`, `id ne null and externalId lt 5.5e3`, `((`, `[`, `"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		begun := time.Now()
		for r, schema := range map[string]filter.Schema{users.name: filter.Users, groups.name: filter.Groups} {
			resource := users
			if r == groups.name {
				resource = groups
			}
			e, err := resource.parseFilter(expression, schema)
			if err != nil {
				requireRefusal(t, err)
			} else if e != nil {
				require.NotEmpty(t, e.String())
			}
		}
		require.Less(t, time.Since(begun), 5*time.Second, "reading it is bounded")
	})
}

func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`{"Operations":[{"op":"add","path":"emails[type eq \"work\"].value","value":"x"}]}`,
		`{"Operations":[{"op":"replace","value":{"name.givenName":"x","emails":["x",{"primary":"True"}],"active":"False"}}]}`,
		`{"Operations":[{"op":"remove","path":"members","value":[{"value":"x"}]},{"op":"remove","path":"name"}]}`,
		`{"Operations":[{"op":"add","path":"roles[primary eq true].value","value":{"a":[null]}},{"op":"add","path":"roles","value":"ORG_ADMIN"}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := document.Parse([]byte(text))
		if err != nil {
			return
		}
		body, ok := parsed.Object()
		if !ok {
			return
		}
		if body, err = foldKeys(body); err != nil {
			requireRefusal(t, err)
			return
		}
		ofUser, err := users.readPatch(body)
		if err != nil {
			requireRefusal(t, err)
			return
		}
		ofGroup, err := groups.readPatch(body)
		if err != nil {
			requireRefusal(t, err)
			return
		}
		user := map[string]any{
			"username": "jane", "name": map[string]any{"givenname": "Jane"},
			"emails": []any{map[string]any{"value": "x@example.com", "type": "work", "primary": true}},
		}
		group := map[string]any{"displayname": "g", "members": []any{map[string]any{"value": "x", "type": "User"}}}
		begun := time.Now()
		defer func() { require.Less(t, time.Since(begun), 5*time.Second, "carrying it out is bounded") }()
		if err := users.patch(user, ofUser); err != nil {
			requireRefusal(t, err)
		} else {
			readUser(user)
		}
		if err := groups.patch(group, ofGroup); err != nil {
			requireRefusal(t, err)
		} else {
			readGroup(group)
		}
	})
}
