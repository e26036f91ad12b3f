package e2e_test

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// away has the deputy decide for the one who is away, from now on for an hour.
func away(t *testing.T, who, deputy string) object {
	t.Helper()
	return as(t, who).post("/identities/me/absences", object{
		"deputy": object{"id": identityID(t, deputy)}, "endDate": time.Now().Add(time.Hour).Format(time.RFC3339),
	}).want(200).object()
}

// waitsFor reports whether the item is among those that somebody has to decide.
func waitsFor(t *testing.T, who string, item object) bool {
	t.Helper()
	for _, pending := range as(t, who).get("/non-employee-approvals?requested-for=me&filters=" +
		url.QueryEscape(`approvalStatus eq "PENDING"`)).want(200).list() {
		if pending.id() == item.id() {
			return true
		}
	}
	return false
}

// TestAnAbsenceMovesItemsAndBringsThemBack: an open item goes to the deputy, a new
// one does at once, and at the end what was not decided comes back.
func TestAnAbsenceMovesItemsAndBringsThemBack(t *testing.T) {
	ensurePeople(t)
	source := newSource(t, "here.approver")
	open := ask(t, source).items()[0]
	absence := away(t, "here.approver", "outsider")
	path := "/identities/me/absences/" + absence.id()
	defer func() { as(t, "here.approver").delete(path) }()
	eventually(t, "the deputy has the open item", func() bool { return waitsFor(t, "outsider", open) })
	require.False(t, waitsFor(t, "here.approver", open))

	fresh := ask(t, source).items()[0]
	require.Equal(t, identityID(t, "outsider"), fresh["approver"].(map[string]any)["id"], "the answer shows who has it")
	decided := approve(t, "outsider", fresh).want(200)
	require.Equal(t, identityID(t, "here.approver"), decided.header.Get("X-On-Behalf-Of"))
	approve(t, "here.approver", fresh).wantRefusal("they are away")

	as(t, "here.approver").post("/identities/me/absences", object{"deputy": identityID(t, "outsider"), "endDate": "2099-01-01"}).
		wantError(400, "400.1.3 Illegal value", "at most 1 year")
	as(t, "admin").get("/identities/" + identityID(t, "here.approver") + "/absences/" + absence.id()).want(200)
	as(t, "outsider").get("/identities/" + identityID(t, "here.approver") + "/absences").wantRefusal()

	as(t, "here.approver").delete(path).want(204)
	eventually(t, "the open item is back", func() bool { return waitsFor(t, "here.approver", open) })
	var moves []string
	for _, move := range as(t, "outsider").get("/non-employee-approvals/" + open.id() + "/reassignment-history").want(200).list() {
		moves = append(moves, move.text("reassignmentType"))
	}
	require.Equal(t, []string{"DELEGATION", "DELEGATION"}, moves, "who had it may read where it went")
	as(t, "here.approver").delete(path).wantError(400, "400.1.1 Illegal update attempt", "over")
	approve(t, "here.approver", open).want(200)
}

// TestRecordHistoriesOfAbsences is TestRecordHistories for absences, which are
// looked after for a minute after their end.
func TestRecordHistoriesOfAbsences(t *testing.T) {
	dir := os.Getenv(recordVariable)
	if dir == "" {
		t.Skip(recordVariable + " is not set")
	}
	ensurePeople(t)
	record := func(name string, absence object) {
		t.Helper()
		id := "absence/" + absence.id()
		require.Eventually(t, func() bool { return !runs(t, id) }, 5*time.Minute, time.Second, "%s has ended", id)
		writeHistory(t, filepath.Join(dir, name+".json"), id, "")
	}
	absent := func(who string, from, to time.Duration) object {
		t.Helper()
		return as(t, who).post("/identities/me/absences", object{
			"deputy": identityID(t, "outsider"), "startDate": time.Now().Add(from).Format(time.RFC3339Nano),
			"endDate": time.Now().Add(to).Format(time.RFC3339Nano),
		}).want(200).object()
	}
	source := newSource(t, "here.approver", "there.approver")
	request := ask(t, source)
	ended := absent("here.approver", 2*time.Second, 30*time.Second)
	deleted := absent("there.approver", 0, time.Hour)
	taken := absent("here.requester", time.Hour, 2*time.Hour)
	eventually(t, "the item is with the deputy", func() bool { return waitsFor(t, "outsider", request.items()[0]) })
	eventually(t, "the item is back", func() bool { return waitsFor(t, "here.approver", request.items()[0]) })
	approve(t, "here.approver", request.items()[0]).want(200)
	require.True(t, waitsFor(t, "outsider", request.items()[1]))
	as(t, "there.approver").delete("/identities/me/absences/" + deleted.id()).want(204)
	eventually(t, "the other item is back", func() bool { return waitsFor(t, "there.approver", request.items()[1]) })
	as(t, "here.requester").delete("/identities/me/absences/" + taken.id()).want(204)
	record("absence-taken-back", taken)
	record("absence-began-and-ended", ended)
	record("absence-deleted-early", deleted)
}
