package e2e_test

import (
	"net/http"
	"net/url"
	"slices"
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
