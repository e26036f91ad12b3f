package e2e_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// grounds is one source with something in it of every kind.
type grounds struct {
	source, attribute, record, request object
	// item is the request's approval item.
	item object
}

// newGrounds makes a source whose account manager, approver and, if workgroup,
// management workgroup are the given ones.
func newGrounds(t *testing.T, manager, approver string, workgroup bool) grounds {
	t.Helper()
	admin := as(t, "admin")
	body := object{
		"name": unique("Grounds"), "description": "For the access table",
		"owner":           object{"id": identityID(t, "source.admin")},
		"accountManagers": []object{{"id": identityID(t, manager)}},
		"approvers":       []object{{"id": identityID(t, approver)}},
	}
	if workgroup {
		body["managementWorkgroup"] = stack.text(t, `SELECT id::text FROM workgroups WHERE name = 'field-ops'`)
	}
	source := admin.post("/non-employee-sources", body).want(200).object()
	g := grounds{source: source}
	g.attribute = admin.post("/non-employee-sources/"+source.id()+"/schema-attributes",
		object{"type": "TEXT", "technicalName": "extra", "label": "Extra"}).want(200).object()
	g.record = admin.post("/non-employee-records", person(source)).want(200).object()
	g.request = admin.post("/non-employee-requests", person(source)).want(200).object()
	g.item = g.request.items()[0]
	return g
}

func (g grounds) drop(t *testing.T) {
	t.Helper()
	a := as(t, "admin").delete("/non-employee-sources/" + g.source.id())
	require.Contains(t, []int{204, 404}, a.status)
}

// access is one line of contract §5 as it shows over HTTP.
type access struct {
	operation string
	call      func(c caller, g grounds) answer
	// admitted are the actors who get a success on the source whose account
	// manager is jane.doe, approver approver.one and workgroup field-ops.
	admitted []string
	// changes is true if a success uses the grounds up.
	changes bool
	// success is the status of a success.
	success int
}

// actors: sub.admin, jane.doe and approver.one belong to the first grounds,
// john.roe and approver.two to the second. The app clients hold one right each.
var actors = []string{
	"admin", "source.admin", "sub.admin", "jane.doe", "john.roe", "approver.one", "approver.two", "outsider",
	"app", "app-create", "app-read", "app-update", "app-delete",
}

var (
	admins  = []string{"admin", "source.admin"}
	readers = append(slices.Clone(admins), "app", "app-read")
)

func with(base []string, more ...string) []string { return append(slices.Clone(base), more...) }

func table() []access {
	source := func(g grounds) string { return "/non-employee-sources/" + g.source.id() }
	record := func(g grounds) string { return "/non-employee-records/" + g.record.id() }
	request := func(g grounds) string { return "/non-employee-requests/" + g.request.id() }
	item := func(g grounds) string { return "/non-employee-approvals/" + g.item.id() }
	describe := patchOperation{Op: "replace", Path: "/description", Value: "Patched"}
	return []access{
		{"getNonEmployeeSource", func(c caller, g grounds) answer { return c.get(source(g)) }, with(readers, "sub.admin", "jane.doe"), false, 200},
		{"patchNonEmployeeSource", func(c caller, g grounds) answer { return c.patch(source(g), describe) }, with(admins, "sub.admin", "app", "app-update"), false, 200},
		{"deleteNonEmployeeSource", func(c caller, g grounds) answer { return c.delete(source(g)) }, with(admins, "sub.admin", "app", "app-delete"), true, 204},
		{"getNonEmployeeSourceSchemaAttributes", func(c caller, g grounds) answer { return c.get(source(g) + "/schema-attributes") }, with(readers, "sub.admin", "jane.doe"), false, 200},
		{"createNonEmployeeSourceSchemaAttributes", func(c caller, g grounds) answer {
			return c.post(source(g)+"/schema-attributes", object{"type": "TEXT", "technicalName": strings.ReplaceAll(unique("t"), ".", "_"), "label": "L"})
		}, with(admins, "sub.admin", "app", "app-create"), false, 200},
		{"deleteNonEmployeeSourceSchemaAttributes", func(c caller, g grounds) answer { return c.delete(source(g) + "/schema-attributes") }, with(admins, "sub.admin", "app", "app-delete"), true, 204},
		{"getNonEmployeeSchemaAttribute", func(c caller, g grounds) answer { return c.get(source(g) + "/schema-attributes/" + g.attribute.id()) }, with(readers, "sub.admin", "jane.doe"), false, 200},
		{"patchNonEmployeeSchemaAttribute", func(c caller, g grounds) answer {
			return c.patch(source(g)+"/schema-attributes/"+g.attribute.id(), patchOperation{Op: "replace", Path: "/label", Value: "M"})
		}, with(admins, "sub.admin", "app", "app-update"), false, 200},
		{"deleteNonEmployeeSchemaAttribute", func(c caller, g grounds) answer {
			return c.delete(source(g) + "/schema-attributes/" + g.attribute.id())
		}, with(admins, "sub.admin", "app", "app-delete"), true, 204},
		{"exportNonEmployeeSourceSchemaTemplate", func(c caller, g grounds) answer {
			return c.get(source(g) + "/schema-attributes-template/download")
		}, with(readers, "sub.admin"), false, 200},
		{"createNonEmployeeRecord", func(c caller, g grounds) answer { return c.post("/non-employee-records", person(g.source)) }, with(admins, "app", "app-create"), false, 200},
		{"getNonEmployeeRecord", func(c caller, g grounds) answer { return c.get(record(g)) }, with(readers, "jane.doe"), false, 200},
		{"patchNonEmployeeRecord", func(c caller, g grounds) answer {
			return c.patch(record(g), patchOperation{Op: "replace", Path: "/endDate", Value: "2029-01-01"})
		}, with(admins, "jane.doe"), false, 200},
		{"updateNonEmployeeRecord", func(c caller, g grounds) answer {
			body := person(g.source)
			for _, field := range []string{"accountName", "email"} {
				body[field] = g.record[field]
			}
			return c.send(http.MethodPut, record(g), body)
		}, with(admins, "jane.doe"), false, 200},
		{"deleteNonEmployeeRecord", func(c caller, g grounds) answer { return c.delete(record(g)) }, with(admins, "app", "app-delete"), true, 204},
		{"createNonEmployeeRequest", func(c caller, g grounds) answer { return c.post("/non-employee-requests", person(g.source)) }, with(admins, "app", "app-create", "jane.doe"), false, 200},
		{"getNonEmployeeRequest", func(c caller, g grounds) answer { return c.get(request(g)) }, with(readers, "jane.doe"), false, 200},
		{"deleteNonEmployeeRequest", func(c caller, g grounds) answer { return c.delete(request(g)) }, with(admins, "app", "app-delete"), true, 204},
		{"getNonEmployeeApproval", func(c caller, g grounds) answer { return c.get(item(g)) }, with(admins, "approver.one"), false, 200},
		{"approveNonEmployeeRequest", func(c caller, g grounds) answer { return c.post(item(g)+"/approve", object{}) }, []string{"approver.one"}, true, 200},
		{"rejectNonEmployeeRequest", func(c caller, g grounds) answer { return c.post(item(g)+"/reject", object{"comment": "No"}) }, []string{"approver.one"}, true, 200},
	}
}

// counterpart maps an actor of the first grounds to the one with the same
// relation to the second.
var counterpart = map[string]string{"jane.doe": "john.roe", "approver.one": "approver.two", "sub.admin": ""}

var trackingID = regexp.MustCompile(`"trackingId":"[0-9a-f]{32}"`)

// TestAccessTable walks every operation on one object, for every actor, on a
// source they have to do with and one they have not.
func TestAccessTable(t *testing.T) {
	ensureApps(t)
	sides := []struct {
		name string
		make func(t *testing.T) grounds
		own  bool
	}{
		{"own source", func(t *testing.T) grounds { return newGrounds(t, "jane.doe", "approver.one", true) }, true},
		{"foreign source", func(t *testing.T) grounds { return newGrounds(t, "john.roe", "approver.two", false) }, false},
	}
	unknown := grounds{
		source: object{"id": "11111111-1111-4111-8111-111111111111"}, attribute: object{"id": "21111111-1111-4111-8111-111111111111"},
		record:  object{"id": "31111111-1111-4111-8111-111111111111", "accountName": "x", "email": "x@example.com"},
		request: object{"id": "41111111-1111-4111-8111-111111111111"}, item: object{"id": "51111111-1111-4111-8111-111111111111"},
	}
	for _, side := range sides {
		t.Run(side.name, func(t *testing.T) {
			for _, line := range table() {
				shared := side.make(t)
				for _, actor := range actors {
					admitted := slices.Contains(line.admitted, actor)
					if !side.own {
						admitted = false
						for _, one := range line.admitted {
							other, moved := counterpart[one]
							if moved {
								one = other
							}
							admitted = admitted || one == actor
						}
					}
					g := shared
					if admitted && line.changes {
						g = side.make(t)
					}
					got := line.call(as(t, actor), g)
					if admitted {
						require.Equal(t, line.success, got.status, "%s as %s on %s: %s", line.operation, actor, side.name, got.body)
					} else {
						require.Equal(t, http.StatusForbidden, got.status, "%s as %s on %s: %s", line.operation, actor, side.name, got.body)
						missing := line.call(as(t, actor), unknown)
						if missing.status == http.StatusForbidden {
							require.Equal(t, trackingID.ReplaceAllString(string(got.body), ""), trackingID.ReplaceAllString(string(missing.body), ""),
								"%s as %s", line.operation, actor)
						} else {
							require.Contains(t, []string{"admin", "source.admin", "app", "app-read"}, actor, "%s as %s learns what exists", line.operation, actor)
						}
					}
					if admitted && line.changes {
						g.drop(t)
					}
				}
				caller{t: t, mount: prefixed("/v3")}.tryUnauthorized(line, shared)
				shared.drop(t)
			}
		})
	}
}

// tryUnauthorized calls without a token, which is 401 whatever the object.
func (c caller) tryUnauthorized(line access, g grounds) {
	c.t.Helper()
	require.Equal(c.t, http.StatusUnauthorized, line.call(c, g).status, line.operation)
}

// ensureApps makes the application clients that hold one right each.
func ensureApps(t *testing.T) {
	t.Helper()
	for _, right := range []string{"create", "read", "update", "delete"} {
		stack.ensureApp(t, "demo-app-"+right, "idn:nesr:"+right)
	}
}

// TestAccessToLists checks whom a list or summary shows what.
func TestAccessToLists(t *testing.T) {
	ensureApps(t)
	mine := newGrounds(t, "jane.doe", "approver.one", true)
	other := newGrounds(t, "john.roe", "approver.two", false)
	defer mine.drop(t)
	defer other.drop(t)
	sees := func(alias, path string) (bool, bool) {
		t.Helper()
		body := string(as(t, alias).get(path).want(200).body)
		pick := func(g grounds) bool {
			return strings.Contains(body, g.source.id()) || strings.Contains(body, g.record.id()) || strings.Contains(body, g.item.id())
		}
		return pick(mine), pick(other)
	}
	newest := "?sorters=-created&limit=250"
	jane := identityID(t, "jane.doe")
	for _, c := range []struct {
		alias, path string
		mine, other bool
	}{
		{"admin", "/non-employee-sources" + newest, true, true},
		{"app-read", "/non-employee-sources" + newest, true, true},
		{"sub.admin", "/non-employee-sources" + newest, true, false},
		{"jane.doe", "/non-employee-sources" + newest, true, false},
		{"jane.doe", "/non-employee-sources" + newest + "&requested-for=me", true, false},
		{"john.roe", "/non-employee-sources" + newest, false, true},
		{"outsider", "/non-employee-sources" + newest, false, false},
		{"admin", "/non-employee-sources" + newest + "&requested-for=" + jane, true, false},
		{"admin", "/non-employee-records" + newest, true, true},
		{"jane.doe", "/non-employee-records" + newest, true, false},
		{"sub.admin", "/non-employee-records" + newest, false, false},
		{"outsider", "/non-employee-records" + newest, false, false},
		{"jane.doe", "/non-employee-requests" + newest + "&requested-for=me", true, false},
		{"admin", "/non-employee-requests" + newest + "&requested-for=" + jane, true, false},
		{"admin", "/non-employee-approvals" + newest, true, true},
		{"approver.one", "/non-employee-approvals" + newest, true, false},
		{"approver.two", "/non-employee-approvals" + newest + "&requested-for=me", false, true},
		{"outsider", "/non-employee-approvals" + newest, false, false},
	} {
		gotMine, gotOther := sees(c.alias, c.path)
		require.Equal(t, []bool{c.mine, c.other}, []bool{gotMine, gotOther}, "%s as %s", c.path, c.alias)
	}
	as(t, "jane.doe").get("/non-employee-requests?requested-for="+identityID(t, "john.roe")).wantError(403, "403 Forbidden", "")
	as(t, "outsider").get("/non-employee-approvals?requested-for="+jane).wantError(403, "403 Forbidden", "")
	as(t, "admin").get("/non-employee-requests").wantError(400, "400.1.0 Required Data Missing Or Empty", "requested-for")
	as(t, "app-create").get("/non-employee-records").wantError(403, "403 Forbidden", "")

	for _, actor := range actors {
		got := as(t, actor).post("/non-employee-sources", object{
			"name": unique("Made"), "description": "d", "owner": object{"id": jane},
		})
		if slices.Contains([]string{"admin", "source.admin", "app", "app-create"}, actor) {
			as(t, "admin").delete("/non-employee-sources/" + got.want(200).object().id()).want(204)
		} else {
			got.wantError(403, "403 Forbidden", "")
		}
		deleted := as(t, actor).post("/non-employee-records/bulk-delete", object{"ids": []string{jane}})
		if slices.Contains([]string{"admin", "source.admin", "app", "app-delete"}, actor) {
			deleted.wantError(400, "400.1.404 Referenced object not found", jane)
		} else {
			deleted.wantError(403, "403 Forbidden", "")
		}
	}
	require.Positive(t, as(t, "jane.doe").get("/non-employee-requests/summary/me").want(200).object()["pending"])
	as(t, "outsider").get("/non-employee-requests/summary/"+jane).wantError(403, "403 Forbidden", "")
	require.Positive(t, as(t, "admin").get("/non-employee-approvals/summary/" + identityID(t, "approver.one")).want(200).object()["pending"])
}
