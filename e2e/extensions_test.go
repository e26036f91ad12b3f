package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestARecordIsTakenOutOfAnExtension: the approver is asked once for three, and
// extends two of them.
func TestARecordIsTakenOutOfAnExtension(t *testing.T) {
	t.Parallel()
	g := newGrounds(t, here)
	defer g.drop(t)
	records := []object{g.record}
	for range 2 {
		records = append(records, as(t, "admin").post("/non-employee-records", person(g.source)).want(200).object())
	}
	extension := as(t, "here.manager").post("/non-employee-extensions", extensionOf(g.source, records...)).want(200).object()
	require.Len(t, extension.items(), 1)
	path := "/non-employee-extensions/" + extension.id()
	as(t, "here.manager").post("/non-employee-extensions", extensionOf(g.source, records[2])).wantError(400, "400.1.409 Reference conflict", "")

	approver := as(t, "here.approver")
	mine := approver.get("/non-employee-extensions?assigned-to=me&filters=sourceId+eq+%22" + g.source.id() + "%22").want(200).list()
	require.Len(t, mine, 1)
	item := extension.items()[0].id()
	approver.post("/non-employee-approvals/"+item+"/approve", object{}).wantRefusal("the contract's operation knows no such item")
	decide := "/non-employee-extension-approvals/" + item
	part := object{"comment": "She leaves", "rejectedRecords": []string{records[1].id()}}
	decided := approver.post(decide+"/approve", part).want(200).object()
	require.Equal(t, "APPROVED", decided.text("approvalStatus"))
	again := approver.post(decide+"/approve", part).want(200).object()
	require.Equal(t, decided, again)
	approver.post(decide+"/reject", object{"comment": "No"}).wantError(400, "400.1.1 Illegal update attempt", "")

	parts := as(t, "here.manager").get(path + "/records").want(200).list()
	for i, want := range []string{"APPROVED", "REJECTED", "APPROVED"} {
		require.Equal(t, want, parts[i].text("status"))
		end := as(t, "here.manager").get("/non-employee-records/" + records[i].id()).want(200).object().text("endDate")
		require.Equal(t, want == "APPROVED", end == "2099-12-31T00:00:00.000Z", end)
	}
	as(t, "here.manager").post(path+"/cancel", nil).wantError(400, "400.1.1 Illegal update attempt", "")
}
