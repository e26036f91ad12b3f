package e2e_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// listing is one list or summary of the contract and what each actor gets of
// it, by whom they ask for. One letter for each way to ask, in the order
// absent, me, their own id, another's id, an id that nobody has:
//
//   - 200, both grounds
//     h  200, the grounds here alone
//     t  200, those there alone
//     .  200, neither
//     3  403
//     4  400
//   - there is no such way
type listing struct {
	operation string
	// path has {for} where the summaries have the identity; the lists take it
	// as a parameter.
	path string
	rows map[string]string
}

// another is whose id "another's" is: the account manager or approver here, who
// asks for the one there.
func (l listing) another(actor string) string {
	who := "manager"
	if strings.Contains(l.path, "approvals") {
		who = "approver"
	}
	if actor == "here."+who {
		return "there." + who
	}
	return "here." + who
}

// listings is contract §2 and §5, written out.
func listings() []listing {
	return []listing{
		{"listNonEmployeeSources", "/non-employee-sources", map[string]string{
			"admin": "* . . h .", "source.admin": "* . . h .", "outsider": ". . . 3 3",
			"app": "* 4 - h .", "app-read": "* 4 - h .", "app-none": "3 4 - 3 3",
			"app-create": "3 4 - 3 3", "app-update": "3 4 - 3 3", "app-delete": "3 4 - 3 3",
			"here.owner": "h h h 3 3", "here.manager": "h h h 3 3", "here.submanager": "h h h 3 3",
			"here.subadmin": "h . . 3 3", "here.member": ". . . 3 3",
			"here.approver": ". . . 3 3", "here.requester": ". . . 3 3",
			"there.manager": "t t t 3 3", "there.subadmin": "t . . 3 3",
			"there.approver": ". . . 3 3", "there.requester": ". . . 3 3",
		}},
		// Nobody asks for an identity's records.
		{"listNonEmployeeRecords", "/non-employee-records", map[string]string{
			"admin": "* - - - -", "source.admin": "* - - - -", "outsider": ". - - - -",
			"app": "* - - - -", "app-read": "* - - - -", "app-none": "3 - - - -",
			"app-create": "3 - - - -", "app-update": "3 - - - -", "app-delete": "3 - - - -",
			"here.owner": "h - - - -", "here.manager": "h - - - -", "here.submanager": "h - - - -",
			"here.subadmin": ". - - - -", "here.member": ". - - - -",
			"here.approver": ". - - - -", "here.requester": ". - - - -",
			"there.manager": "t - - - -", "there.subadmin": ". - - - -",
			"there.approver": ". - - - -", "there.requester": ". - - - -",
		}},
		// requested-for is required.
		{"listNonEmployeeRequests", "/non-employee-requests", map[string]string{
			"admin": "4 . . h .", "source.admin": "4 . . h .", "outsider": "4 . . 3 3",
			"app": "4 4 - h .", "app-read": "4 4 - h .", "app-none": "4 4 - 3 3",
			"app-create": "4 4 - 3 3", "app-update": "4 4 - 3 3", "app-delete": "4 4 - 3 3",
			"here.owner": "4 h h 3 3", "here.manager": "4 h h 3 3", "here.submanager": "4 h h 3 3",
			"here.subadmin": "4 . . 3 3", "here.member": "4 . . 3 3",
			"here.approver": "4 . . 3 3", "here.requester": "4 . . 3 3",
			"there.manager": "4 t t 3 3", "there.subadmin": "4 . . 3 3",
			"there.approver": "4 . . 3 3", "there.requester": "4 . . 3 3",
		}},
		{"getNonEmployeeRequestSummary", "/non-employee-requests/summary/{for}", map[string]string{
			"admin": "- . . h .", "source.admin": "- . . h .", "outsider": "- . . 3 3",
			"app": "- 4 - h .", "app-read": "- 4 - h .", "app-none": "- 4 - 3 3",
			"app-create": "- 4 - 3 3", "app-update": "- 4 - 3 3", "app-delete": "- 4 - 3 3",
			"here.owner": "- h h 3 3", "here.manager": "- h h 3 3", "here.submanager": "- h h 3 3",
			"here.subadmin": "- . . 3 3", "here.member": "- . . 3 3",
			"here.approver": "- . . 3 3", "here.requester": "- . . 3 3",
			"there.manager": "- t t 3 3", "there.subadmin": "- . . 3 3",
			"there.approver": "- . . 3 3", "there.requester": "- . . 3 3",
		}},
		{"listNonEmployeeApprovals", "/non-employee-approvals", map[string]string{
			"admin": "* . . h .", "source.admin": "* . . h .", "outsider": ". . . 3 3",
			"app": "* 4 - h .", "app-read": "* 4 - h .", "app-none": "3 4 - 3 3",
			"app-create": "3 4 - 3 3", "app-update": "3 4 - 3 3", "app-delete": "3 4 - 3 3",
			"here.owner": ". . . 3 3", "here.manager": ". . . 3 3", "here.submanager": ". . . 3 3",
			"here.subadmin": ". . . 3 3", "here.member": ". . . 3 3",
			"here.approver": "h h h 3 3", "here.requester": ". . . 3 3",
			"there.manager": ". . . 3 3", "there.subadmin": ". . . 3 3",
			"there.approver": "t t t 3 3", "there.requester": ". . . 3 3",
		}},
		{"getNonEmployeeApprovalSummary", "/non-employee-approvals/summary/{for}", map[string]string{
			"admin": "- . . h .", "source.admin": "- . . h .", "outsider": "- . . 3 3",
			"app": "- 4 - h .", "app-read": "- 4 - h .", "app-none": "- 4 - 3 3",
			"app-create": "- 4 - 3 3", "app-update": "- 4 - 3 3", "app-delete": "- 4 - 3 3",
			"here.owner": "- . . 3 3", "here.manager": "- . . 3 3", "here.submanager": "- . . 3 3",
			"here.subadmin": "- . . 3 3", "here.member": "- . . 3 3",
			"here.approver": "- h h 3 3", "here.requester": "- . . 3 3",
			"there.manager": "- . . 3 3", "there.subadmin": "- . . 3 3",
			"there.approver": "- t t 3 3", "there.requester": "- . . 3 3",
		}},
	}
}

// ask makes the call for this identity, empty for none.
func (l listing) ask(c caller, identity string) answer {
	c.t.Helper()
	if strings.Contains(l.path, "{for}") {
		return c.get(strings.Replace(l.path, "{for}", url.PathEscape(identity), 1))
	}
	query := url.Values{"sorters": {"-created"}, "limit": {"250"}}
	if identity != "" {
		query.Set("requested-for", identity)
	}
	return c.get(l.path + "?" + query.Encode())
}

// TestAccessToLists asks every list and summary in every way, as every actor.
func TestAccessToLists(t *testing.T) {
	mine, other := newGrounds(t, here), newGrounds(t, there)
	defer mine.drop(t)
	defer other.drop(t)
	for _, actor := range actors() {
		signIn(t, actor)
	}
	for _, l := range listings() {
		t.Run(l.operation, func(t *testing.T) {
			require.Len(t, l.rows, len(actors()))
			for _, m := range mounts() {
				t.Run(m.name, func(t *testing.T) {
					t.Parallel()
					l.requireRows(t, m, mine, other)
				})
			}
		})
	}
}

// requireRows asks in every way at one mount.
func (l listing) requireRows(t *testing.T, m mount, mine, other grounds) {
	t.Helper()
	for _, actor := range actors() {
		letters := strings.Fields(l.rows[actor])
		require.Len(t, letters, len(ways), actor)
		for i, way := range ways {
			if letters[i] != "-" {
				l.requireAnswer(t, letters[i], actor, l.ask(as(t, actor).at(m), way(t, l, actor)), mine, other)
			}
		}
		if letters[1] != "-" {
			l.ask(as(t, actor).at(m), "nonsense").wantError(http.StatusBadRequest, "400.1 Bad Request Content", "requested-for")
		}
	}
}

// ways are whose rows are asked for, in the order of the letters.
var ways = []func(t *testing.T, l listing, actor string) string{
	func(*testing.T, listing, string) string { return "" },
	func(*testing.T, listing, string) string { return "me" },
	func(t *testing.T, _ listing, actor string) string {
		t.Helper()
		if isApp(actor) {
			return ""
		}
		return identityID(t, actor)
	},
	func(t *testing.T, l listing, actor string) string { t.Helper(); return identityID(t, l.another(actor)) },
	func(*testing.T, listing, string) string { return lifecycle.NewID().String() },
}

// narrowings are parameters that make a list shorter or order it otherwise, with
// all that a filter may name of what is not the caller's.
func narrowings(path string, mine, other grounds) []url.Values {
	var all []url.Values
	filter := func(expressions ...string) {
		for _, expression := range expressions {
			all = append(all, url.Values{"filters": {expression}})
		}
	}
	sort := func(sorters ...string) {
		for _, sorter := range sorters {
			all = append(all, url.Values{"sorters": {sorter}})
		}
	}
	ofSources := []string{
		`sourceId eq "` + mine.source.id() + `"`, `sourceId eq "` + other.source.id() + `"`,
		`not (sourceId eq "` + mine.source.id() + `")`, `sourceId eq "` + mine.source.id() + `" or sourceId eq "` + other.source.id() + `"`,
		`not (accountName eq "x") and created gt 2001-01-01T00:00:00Z`,
	}
	account := func(g grounds) string {
		if path == "/non-employee-records" {
			return g.record.text("accountName")
		}
		return g.request.text("accountName")
	}
	switch path {
	case "/non-employee-sources":
		sort("name", "-name", "created", "-created")
	case "/non-employee-records":
		filter(ofSources...)
		filter(`accountName in ("`+account(mine)+`","`+account(other)+`")`, `manager eq "john.roe"`, `email co "@"`, `accountName co "%"`)
		sort("accountName", "-lastName,firstName", "startDate")
	case "/non-employee-requests":
		filter(ofSources...)
		filter(`approvalStatus eq "PENDING"`, `not (approvalStatus eq "APPROVED")`, `accountName in ("`+account(mine)+`","`+account(other)+`")`)
		sort("created", "-created", "approvalStatus")
	case "/non-employee-approvals":
		filter(`approvalStatus eq "PENDING"`, `not (approvalStatus eq "REJECTED")`, `approvalStatus eq "PENDING" or approvalStatus eq "APPROVED"`)
		sort("created", "-modified")
	}
	return all
}

// page asks for a page of a list and its number of matches.
func (l listing) page(c caller, identity, limit string, more url.Values) (ids []string, total int) {
	c.t.Helper()
	query := url.Values{"limit": {limit}, "count": {"true"}}
	maps.Copy(query, more)
	if identity != "" {
		query.Set("requested-for", identity)
	}
	got := c.get(l.path + "?" + query.Encode()).want(http.StatusOK)
	for _, element := range got.list() {
		ids = append(ids, element.id())
	}
	slices.Sort(ids)
	total, err := strconv.Atoi(got.header.Get("X-Total-Count"))
	require.NoError(c.t, err)
	return ids, total
}

// TestListsNeverLeak: whatever a list is narrowed down to and however it is
// ordered, it shows and counts nothing that the plain list does not show.
func TestListsNeverLeak(t *testing.T) {
	mine, other := newGrounds(t, here), newGrounds(t, there)
	defer mine.drop(t)
	defer other.drop(t)
	for n, l := range listings() {
		if strings.Contains(l.path, "{for}") {
			continue
		}
		for i, actor := range actors() {
			c := as(t, actor).at(mounts()[(n+i)%len(mounts())])
			letters := strings.Fields(l.rows[actor])
			for j, way := range ways {
				if slices.Contains([]string{"3", "4", "-"}, letters[j]) {
					continue
				}
				what := l.operation + " as " + actor
				identity := way(t, l, actor)
				visible, total := l.page(c, identity, "250", nil)
				if total <= 250 {
					require.Len(t, visible, total, what)
				}
				none, counted := l.page(c, identity, "0", nil)
				require.Empty(t, none, what)
				require.Equal(t, total, counted, what)
				for _, more := range narrowings(l.path, mine, other) {
					ids, matches := l.page(c, identity, "250", more)
					if total > 250 {
						// More than one page, of which every part is the caller's.
						require.LessOrEqual(t, matches, total, "%s: %s", what, more)
						continue
					}
					require.Len(t, ids, matches, "%s: %s", what, more)
					require.Subset(t, visible, ids, "%s: %s", what, more)
					if more.Has("sorters") {
						require.Equal(t, visible, ids, "%s: %s", what, more)
					}
				}
			}
		}
	}
}

// TestWhatIsUnderAnotherSourceIsNotThere: lists beneath a source count what is in
// it alone, and nothing of another is reached by way of it.
func TestWhatIsUnderAnotherSourceIsNotThere(t *testing.T) {
	mine, other := newGrounds(t, here), newGrounds(t, there)
	defer mine.drop(t)
	defer other.drop(t)
	for _, g := range []*grounds{&mine, &other} {
		g.addJob(t)
		g.addSchedule(t)
	}
	reader, admin := as(t, "app-read"), as(t, "admin")
	for _, rest := range []string{"/jobs", "/jobs/" + mine.job.id() + "/faults"} {
		got := reader.get(bulkPath(mine.source, rest) + "?limit=0&count=true").want(http.StatusOK)
		require.Empty(t, got.list())
		want := "1"
		if rest != "/jobs" {
			want = "0"
		}
		require.Equal(t, want, got.header.Get("X-Total-Count"), rest)
	}
	require.Equal(t, "0", reader.get(exportPath(mine.source, "/exports")+"?limit=0&count=true").want(http.StatusOK).header.Get("X-Total-Count"))
	require.Len(t, reader.get(exportPath(mine.source, "/export-schedules")).want(http.StatusOK).list(), 1)

	mixed := mine
	mixed.attribute, mixed.job, mixed.schedule = other.attribute, other.job, other.schedule
	unknown := mine
	unknown.attribute, unknown.job, unknown.schedule = noGrounds().attribute, noGrounds().job, noGrounds().schedule
	tried := 0
	for _, line := range table() {
		if !strings.Contains(line.path, "{source}/") || strings.Count(line.path, "{") != 2 {
			continue
		}
		tried++
		for _, actor := range []string{"admin", "app", "here.subadmin", "here.manager", "there.subadmin", "outsider"} {
			got, want := line.call(as(t, actor), mixed), line.call(as(t, actor), unknown)
			require.Contains(t, []int{http.StatusForbidden, http.StatusNotFound}, got.status, "%s as %s", line.operation, actor)
			require.Equal(t, want.status, got.status, "%s as %s", line.operation, actor)
			require.Equal(t, trackingID.ReplaceAllString(string(want.body), ""), trackingID.ReplaceAllString(string(got.body), ""))
		}
	}
	require.Equal(t, 8, tried)
	admin.get("/non-employee-sources/" + other.source.id() + "/schema-attributes/" + other.attribute.id()).want(http.StatusOK)
	require.Len(t, admin.get(exportPath(other.source, "/export-schedules")).want(http.StatusOK).list(), 1)
}

func (l listing) requireAnswer(t *testing.T, letter, actor string, got answer, mine, other grounds) {
	t.Helper()
	switch letter {
	case "3":
		got.wantRefusal("%s as %s", l.operation, actor)
		return
	case "4":
		got.want(http.StatusBadRequest)
		require.Contains(t, got.errorText(), "requested-for", "%s as %s", l.operation, actor)
		return
	}
	got.want(http.StatusOK)
	if strings.Contains(l.path, "{for}") {
		l.requireSummary(t, letter, actor, got)
		return
	}
	sees := func(g grounds) bool {
		return slices.ContainsFunc(g.ids(), func(id string) bool { return strings.Contains(string(got.body), id) })
	}
	want := map[string][2]bool{"*": {true, true}, "h": {true, false}, "t": {false, true}, ".": {}}[letter]
	require.Equal(t, want, [2]bool{sees(mine), sees(other)}, "%s as %s", l.operation, actor)
}

// requireSummary holds the counts, which are those of one pending request and
// one record for whoever has to do with either grounds, and of nothing else.
func (l listing) requireSummary(t *testing.T, letter, actor string, got answer) {
	t.Helper()
	counts := 0.0
	if letter != "." {
		counts = 1
	}
	want := object{"approved": 0.0, "rejected": 0.0, "pending": counts}
	if l.operation == "getNonEmployeeRequestSummary" {
		want["nonEmployeeCount"] = counts
	}
	if letter == "." && slices.Contains(admins, actor) {
		// They own the sources of other tests.
		return
	}
	require.Equal(t, want, got.object(), "%s as %s", l.operation, actor)
}
