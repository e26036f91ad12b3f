package scim_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// managerOf is the manager that an answer has, nil for none.
func managerOf(o object) any {
	extension, _ := o[enterprise].(object)
	return extension["manager"]
}

// TestAManagerIsReadAsItWasSent: in all forms that a body may have it in, and gone
// where a PUT leaves it out.
func TestAManagerIsReadAsItWasSent(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	boss := d.create(t, "/Users", `{"userName":"boss","displayName":"The Boss"}`)
	want := object{"value": id(boss), "$ref": base + "/scim/v2/Users/" + id(boss), "displayName": "The Boss"}
	for name, value := range map[string]string{
		"object": `{"value":"` + id(boss) + `"}`, "with.more": `{"value":"` + id(boss) + `","displayName":"Somebody","$ref":"x"}`, "text": `"` + id(boss) + `"`,
	} {
		user := d.create(t, "/Users", `{"userName":"`+name+`","schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"`+enterprise+`":{"department":"IT","MANAGER":`+value+`}}`)
		require.Equal(t, want, managerOf(user), name)
		require.Equal(t, []any{"urn:ietf:params:scim:schemas:core:2.0:User", enterprise}, user["schemas"])
		require.Equal(t, user, d.do(t, http.MethodGet, "/Users/"+id(user), "").want(200).object())
		stored, err := d.GetIdentity(t.Context(), lifecycle.MustParseID(id(user)))
		require.NoError(t, err)
		require.Equal(t, id(boss), stored.Manager.String())

		same := d.do(t, http.MethodPut, "/Users/"+id(user), `{"userName":"`+name+`","`+enterprise+`":{"manager":`+value+`}}`).want(200)
		require.Equal(t, `W/"1"`, same.header.Get("ETag"), "nothing changed")
		put := d.do(t, http.MethodPut, "/Users/"+id(user), `{"userName":"`+name+`"}`).want(200).object()
		require.NotContains(t, put, enterprise)
		require.Equal(t, []any{"urn:ietf:params:scim:schemas:core:2.0:User"}, put["schemas"])
	}
}

// TestPatchesOfManagersAsDirectoriesSendThem: those that Okta and Entra ID document.
func TestPatchesOfManagersAsDirectoriesSendThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation string
		// has is whether there is a manager afterwards, who was the other before.
		has bool
	}{
		"Entra adds one":               {`{"op":"Add","path":"` + enterprise + `:manager","value":"{boss}"}`, true},
		"Entra replaces one":           {`{"op":"Replace","path":"` + enterprise + `:manager","value":{"value":"{boss}"}}`, true},
		"Entra sends a list of one":    {`{"op":"Add","path":"` + enterprise + `:manager","value":[{"$ref":"http://x/Users/1","value":"{boss}"}]}`, true},
		"by its value":                 {`{"op":"replace","path":"` + enterprise + `:manager.value","value":"{boss}"}`, true},
		"Okta sends the extension":     {`{"op":"replace","value":{"` + enterprise + `":{"manager":{"value":"{boss}","displayName":"x"},"department":"IT"}}}`, true},
		"the extension by its path":    {`{"op":"add","path":"` + enterprise + `","value":{"manager":{"value":"{boss}"}}}`, true},
		"Entra sends it without path":  {`{"op":"Add","value":{"` + enterprise + `:manager":"{boss}","` + enterprise + `:department":"IT"}}`, true},
		"in any case":                  {`{"op":"ADD","path":"URN:IETF:params:scim:schemas:extension:enterprise:2.0:USER:MANAGER","value":"{boss}"}`, true},
		"Entra removes it":             {`{"op":"Remove","path":"` + enterprise + `:manager"}`, false},
		"its value removed":            {`{"op":"remove","path":"` + enterprise + `:manager.value"}`, false},
		"Entra replaces it by nothing": {`{"op":"Replace","path":"` + enterprise + `:manager","value":""}`, false},
		"null":                         {`{"op":"replace","path":"` + enterprise + `:manager","value":null}`, false},
		"null within the extension":    {`{"op":"replace","value":{"` + enterprise + `":{"manager":null}}}`, false},
		"the extension removed":        {`{"op":"remove","path":"` + enterprise + `"}`, false},
		"the extension is null":        {`{"op":"replace","value":{"` + enterprise + `":null}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDirectory(t)
			one, other := d.user(t, "boss"), d.user(t, "other")
			user := d.create(t, "/Users", `{"userName":"user","`+enterprise+`":{"manager":"`+id(other)+`"}}`)
			patched := d.patch(t, "/Users/"+id(user), strings.ReplaceAll(c.operation, "{boss}", id(one))).want(200).object()
			if !c.has {
				require.Nil(t, managerOf(patched))
			} else {
				require.Equal(t, id(one), managerOf(patched).(object)["value"])
			}
			require.Equal(t, patched, d.do(t, http.MethodGet, "/Users/"+id(user), "").want(200).object())
		})
	}
	d := newDirectory(t)
	other := d.user(t, "other")
	user := d.create(t, "/Users", `{"userName":"user","`+enterprise+`":{"manager":"`+id(other)+`"}}`)
	for _, operation := range []string{
		`{"op":"Replace","path":"` + enterprise + `:department","value":"Legal"}`, `{"op":"replace","path":"` + enterprise + `:costCenter","value":7}`,
		`{"op":"Replace","path":"` + enterprise + `:manager.displayName","value":"x"}`, `{"op":"Add","path":"` + enterprise + `:shoeSize","value":9}`,
		`{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:Users:manager","value":null}`,
	} {
		patched := d.patch(t, "/Users/"+id(user), operation).want(200)
		require.Equal(t, `W/"1"`, patched.header.Get("ETag"), "let go: %s", operation)
	}
}

func TestAManagerIsSomebody(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	gone, user := d.user(t, "gone"), d.user(t, "user")
	off := d.create(t, "/Users", `{"userName":"off","active":false}`)
	d.do(t, http.MethodDelete, "/Users/"+id(gone), "").want(204)
	for _, manager := range []string{id(gone), lifecycle.NewID().String(), lifecycle.ID{}.String(), "26118915"} {
		body := `"` + enterprise + `":{"manager":{"value":"` + manager + `"}}`
		d.do(t, http.MethodPost, "/Users", `{"userName":"new",`+body+`}`).wantError(400, "invalidValue", "manager names no user")
		d.do(t, http.MethodPut, "/Users/"+id(user), `{"userName":"user",`+body+`}`).wantError(400, "invalidValue", "manager names no user")
		d.patch(t, "/Users/"+id(user), `{"op":"add","path":"`+enterprise+`:manager","value":"`+manager+`"}`).wantError(400, "invalidValue", "manager names no user")
	}
	d.patch(t, "/Users/"+id(user), `{"op":"add","path":"`+enterprise+`:manager","value":5}`).wantError(400, "invalidValue", "manager must be an object")
	d.patch(t, "/Users/"+id(user), `{"op":"add","path":"`+enterprise+`:manager[value eq \"x\"]","value":"x"}`).wantError(400, "invalidPath", "manager has one value")
	d.do(t, http.MethodPost, "/Users", `{"userName":"new","`+enterprise+`":"x"}`).wantError(400, "invalidValue", "must be an object")
	require.Equal(t, []string{"user", "off"}, d.names(t, "/Users", `userName pr`))

	// Who is switched off may be named, and circles there may be.
	manage := func(user, manager object) answer {
		return d.patch(t, "/Users/"+id(user), `{"op":"add","path":"`+enterprise+`:manager","value":"`+id(manager)+`"}`).want(200)
	}
	manage(user, off)
	manage(off, user)
	manage(off, off)
	manage(off, user)

	// Who is deleted is nobody's manager.
	d.do(t, http.MethodDelete, "/Users/"+id(off), "").want(204)
	after := d.do(t, http.MethodGet, "/Users/"+id(user), "").want(200).object()
	require.NotContains(t, after, enterprise)
	stored, err := d.GetIdentity(t.Context(), lifecycle.MustParseID(id(user)))
	require.NoError(t, err)
	require.Zero(t, stored.Manager)
	d.patch(t, "/Users/"+id(user), `{"op":"replace","path":"displayName","value":"U"}`).want(200)
}

func TestTheExtensionIsShownAsAskedFor(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	boss := d.user(t, "boss")
	user := d.create(t, "/Users", `{"userName":"user","`+enterprise+`":{"manager":"`+id(boss)+`"}}`)
	show := func(query string) object {
		return d.do(t, http.MethodGet, "/Users/"+id(user)+query, "").want(200).object()
	}
	for _, name := range []string{enterprise, enterprise + ":manager", enterprise + ":MANAGER.value"} {
		only := show("?attributes=" + name)
		require.Len(t, only, 3, name)
		require.Equal(t, id(boss), managerOf(only).(object)["value"], name)
		require.Nil(t, managerOf(show("?excludedAttributes="+name)), name)
	}
	require.NotContains(t, show("?attributes=userName,"+enterprise+":department"), "displayName")
	require.Nil(t, managerOf(show("?attributes=userName")))
	require.Equal(t, id(boss), managerOf(show("?excludedAttributes=userName")).(object)["value"])

	types := d.do(t, http.MethodGet, "/ResourceTypes/User", "").want(200).object()
	require.Equal(t, []any{object{"schema": enterprise, "required": false}}, types["schemaExtensions"])
	require.Equal(t, []any{}, d.do(t, http.MethodGet, "/ResourceTypes/Group", "").want(200).object()["schemaExtensions"])
	require.InDelta(t, 3, d.do(t, http.MethodGet, "/Schemas", "").want(200).object()["totalResults"], 0)
	require.Equal(t, "EnterpriseUser", d.do(t, http.MethodGet, "/Schemas/"+enterprise, "").want(200).object()["name"])
}
