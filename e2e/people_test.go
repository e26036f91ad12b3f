package e2e_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/auth"
	"gatehouse/lifecycle"
	"gatehouse/store"
)

// The people of the access tests, beside admin, source.admin and outsider of the
// demo organisation. Each has one relation to the first of two grounds, "here",
// or to the second, "there"; see [newGrounds].
var people = []struct {
	alias string
	level lifecycle.Level
	group string
}{
	{"here.owner", "", ""},
	{"here.manager", "", ""},
	{"here.approver", "", ""},
	{"here.requester", "", ""},
	{"here.subadmin", lifecycle.LevelSourceSubadmin, "here.group"},
	{"here.member", "", "here.group"},
	{"here.submanager", lifecycle.LevelSourceSubadmin, ""},
	{"there.manager", "", ""},
	{"there.approver", "", ""},
	{"there.requester", "", ""},
	{"there.subadmin", lifecycle.LevelSourceSubadmin, "there.group"},
}

// actors are all who call in the access tests: every user level, every relation,
// and applications with all rights, with each right alone and with none.
func actors() []string {
	all := []string{
		"admin", "source.admin", "outsider",
		"app", "app-create", "app-read", "app-update", "app-delete", "app-none",
	}
	for _, person := range people {
		all = append(all, person.alias)
	}
	return all
}

// isApp tells applications from users.
func isApp(actor string) bool {
	return slices.Contains([]string{"app", "app-create", "app-read", "app-update", "app-delete", "app-none"}, actor)
}

// users are the actors that are people.
func users() []string { return slices.DeleteFunc(actors(), isApp) }

var peopleAreThere bool

// ensurePeople makes the people with their personal access tokens, the
// workgroups and the applications, as an administrator would with cmd/admin.
func ensurePeople(t *testing.T) {
	t.Helper()
	if peopleAreThere {
		return
	}
	rows := stack.rows(t)
	now := time.Now().UTC().Truncate(time.Millisecond)
	groups := map[string]*lifecycle.Workgroup{}
	for _, person := range people {
		identity := lifecycle.Identity{
			ID: lifecycle.NewID(), Alias: person.alias, Name: person.alias, Email: person.alias + "@example.com",
			Active: true, Created: now, Modified: now,
		}
		if person.level != "" {
			identity.Levels = []lifecycle.Level{person.level}
		}
		require.NoError(t, rows.CreateIdentity(t.Context(), identity))
		newClient(t, rows, lifecycle.Client{ID: "demo-" + person.alias, IdentityID: identity.ID})
		if person.group == "" {
			continue
		}
		if groups[person.group] == nil {
			groups[person.group] = &lifecycle.Workgroup{ID: lifecycle.NewID(), Name: person.group, Created: now}
		}
		groups[person.group].Members = append(groups[person.group].Members, identity.ID)
	}
	for _, group := range groups {
		require.NoError(t, rows.CreateWorkgroup(t.Context(), *group))
	}
	for _, right := range []lifecycle.Right{lifecycle.RightCreate, lifecycle.RightRead, lifecycle.RightUpdate, lifecycle.RightDelete} {
		newClient(t, rows, lifecycle.Client{ID: "demo-app-" + string(right[len("idn:nesr:"):]), Rights: []lifecycle.Right{right}})
	}
	newClient(t, rows, lifecycle.Client{ID: "demo-app-none"})
	peopleAreThere = true
}

// newClient makes an active client with all scopes and the secret "ID-secret".
func newClient(t *testing.T, rows *store.Store, client lifecycle.Client) {
	t.Helper()
	secretsSeen.note(client.ID + "-secret")
	hash, err := auth.HashSecret(client.ID + "-secret")
	require.NoError(t, err)
	client.Name, client.SecretHash, client.Scopes = client.ID, hash, []string{lifecycle.ScopeAll}
	client.Active, client.Created = true, time.Now()
	require.NoError(t, rows.CreateClient(t.Context(), client))
}

func groupID(t *testing.T, name string) string {
	t.Helper()
	return stack.text(t, `SELECT id::text FROM workgroups WHERE name = $1`, name)
}

// grounds is one source with something in it of every kind.
type grounds struct {
	source, attribute, record, request object
	// item is the request's approval item.
	item object
	// job is an import and schedule one of exports, where the test needs them, and so
	// is extension, with part, its approval item.
	job, schedule   object
	extension, part object
	// owner is the id of the source's.
	owner string
}

// side is where grounds stand.
type side struct {
	name string
	// managers are the account managers; owner has their rights (contract §5).
	owner    string
	managers []string
	approver string
	// requester made the request as an account manager and is none any more.
	requester string
	workgroup string
}

var (
	here = side{
		name: "here", owner: "here.owner", managers: []string{"here.manager", "here.submanager"},
		approver: "here.approver", requester: "here.requester", workgroup: "here.group",
	}
	there = side{
		name: "there", owner: "there.manager", managers: []string{"there.manager"},
		approver: "there.approver", requester: "there.requester", workgroup: "there.group",
	}
)

// newGrounds makes a source for the people of a side, with what more adds while
// the requester is an account manager.
func newGrounds(t *testing.T, s side, more ...func(*grounds, *testing.T, side)) grounds {
	t.Helper()
	ensurePeople(t)
	managers := func(aliases ...string) []object {
		list := make([]object, len(aliases))
		for i, alias := range aliases {
			list[i] = object{"id": identityID(t, alias)}
		}
		return list
	}
	admin := as(t, "admin")
	g := grounds{owner: identityID(t, s.owner)}
	g.source = admin.post("/non-employee-sources", object{
		"name": unique("Grounds"), "description": "For the access table",
		"owner":               object{"id": g.owner},
		"accountManagers":     managers(s.requester),
		"approvers":           []object{{"id": identityID(t, s.approver)}},
		"managementWorkgroup": groupID(t, s.workgroup),
	}).want(200).object()
	path := "/non-employee-sources/" + g.source.id()
	g.attribute = admin.post(path+"/schema-attributes",
		object{"type": "TEXT", "technicalName": "extra", "label": "Extra"}).want(200).object()
	g.record = admin.post("/non-employee-records", person(g.source)).want(200).object()
	g.request = as(t, s.requester).post("/non-employee-requests", person(g.source)).want(200).object()
	g.item = g.request.items()[0]
	for _, add := range more {
		add(&g, t, s)
	}
	admin.patch(path, patchOperation{Op: "replace", Path: "/accountManagers", Value: managers(s.managers...)}).want(200)
	return g
}

// addExtension asks for a later end of somebody, who is none of the others.
func (g *grounds) addExtension(t *testing.T, s side) {
	t.Helper()
	record := as(t, "admin").post("/non-employee-records", person(g.source)).want(200).object()
	g.extension = as(t, s.requester).post("/non-employee-extensions", extensionOf(g.source, record)).want(200).object()
	g.part = g.extension.items()[0]
}

// extensionOf asks for an end that nobody here has.
func extensionOf(source object, records ...object) object {
	ids := make([]string, len(records))
	for i, record := range records {
		ids[i] = record.id()
	}
	return object{"sourceId": source.id(), "endDate": "2099-12-31", "recordIds": ids}
}

// addJob makes an import, without waiting for its end.
func (g *grounds) addJob(t *testing.T) {
	t.Helper()
	g.job = as(t, "admin").upload(g.source, "", csvHeader+csvRow(unique("acc"))).want(http.StatusAccepted).object()
}

func (g *grounds) addSchedule(t *testing.T) {
	t.Helper()
	g.schedule = as(t, "admin").post(exportPath(g.source, "/export-schedules"), weekly).want(http.StatusOK).object()
}

// noGrounds are ids that nothing has.
func noGrounds() grounds {
	unknown := func() object { return object{"id": lifecycle.NewID().String()} }
	return grounds{
		source: unknown(), attribute: unknown(), record: unknown(), request: unknown(), item: unknown(),
		job: unknown(), schedule: unknown(), extension: unknown(), part: unknown(),
	}
}

// drop removes the grounds, unless a test has.
func (g grounds) drop(t *testing.T) {
	t.Helper()
	require.Contains(t, []int{204, 404}, as(t, "admin").delete("/non-employee-sources/"+g.source.id()).status)
}

// ids are all ids of the grounds.
func (g grounds) ids() []string {
	return []string{g.source.id(), g.attribute.id(), g.record.id(), g.request.id(), g.item.id()}
}
