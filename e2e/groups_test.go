package e2e_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAWorkgroupDecides has a source whose first approver is a workgroup: any of
// its members may decide, and then the item is gone for the others.
func TestAWorkgroupDecides(t *testing.T) {
	ensurePeople(t)
	group := object{"id": groupID(t, "here.group"), "type": "GOVERNANCE_GROUP"}
	source := newSource(t, "approver.one")
	path := "/non-employee-sources/" + source.id()
	admin := as(t, "admin")

	one := object{"id": identityID(t, "approver.one"), "type": "IDENTITY"}
	patched := admin.patch(path, patchOperation{Op: "add", Path: "/approvers/0", Value: group}).want(200).object()
	require.Equal(t, []any{map[string]any(group), map[string]any(one)}, patched["approvers"])
	again := admin.patch(path,
		patchOperation{Op: "replace", Path: "/description", Value: "Another"},
		patchOperation{Op: "replace", Path: "/approvers", Value: patched["approvers"]},
	).want(200).object()
	require.Equal(t, patched["approvers"], again["approvers"], "what was read can be sent back")
	made := admin.post("/non-employee-sources", object{
		"name": unique("Source"), "description": "For a test", "owner": one, "approvers": []object{group},
	}).want(200).object()
	require.Equal(t, []any{map[string]any(group)}, made["approvers"])
	admin.delete("/non-employee-sources/" + made.id()).want(204)
	admin.patch(path, patchOperation{Op: "replace", Path: "/approvers", Value: []object{{"id": group["id"]}}}).
		wantError(400, "400.1.404 Referenced object not found", "approvers names no active identity")
	admin.patch(path, patchOperation{Op: "add", Path: "/accountManagers/-", Value: group}).
		wantError(400, "400.1.3 Illegal value", "accountManagers must be of the type IDENTITY")

	request := ask(t, source)
	item := request.items()[0]
	require.Equal(t, map[string]any(group), item["approver"])
	waits := func(alias string) bool {
		for _, pending := range as(t, alias).get("/non-employee-approvals?requested-for=me&filters=" +
			url.QueryEscape(`approvalStatus eq "PENDING"`)).want(200).list() {
			if pending.id() == item.id() {
				return true
			}
		}
		return false
	}
	require.True(t, waits("here.member"))
	require.True(t, waits("here.subadmin"))
	for _, stranger := range []string{"approver.one", "here.approver", "there.subadmin", "outsider"} {
		require.False(t, waits(stranger), stranger)
		as(t, stranger).get("/non-employee-approvals/"+item.id()).wantRefusal("as %s", stranger)
		as(t, stranger).post("/non-employee-approvals/"+item.id()+"/approve", object{}).wantRefusal("as %s", stranger)
	}

	require.Equal(t, "APPROVED", approve(t, "here.member", item).want(200).object().text("approvalStatus"))
	require.False(t, waits("here.member"))
	require.False(t, waits("here.subadmin"))
	approve(t, "here.member", item).want(200)
	approve(t, "here.subadmin", item).wantError(400, "400.1.1 Illegal update attempt", "APPROVED")

	require.Equal(t, []string{"APPROVED", "PENDING"}, readRequest(t, request.id()).itemStatuses())
	approve(t, "approver.one", request.items()[1]).want(200)
	require.Len(t, recordsOf(t, source), 1)

	second := ask(t, source)
	rejected := as(t, "here.subadmin").post("/non-employee-approvals/"+second.items()[0].id()+"/reject",
		object{"comment": "No " + marker}).want(200).object()
	require.Equal(t, "REJECTED", rejected.text("approvalStatus"))
	require.Equal(t, rejected, as(t, "here.subadmin").post("/non-employee-approvals/"+second.items()[0].id()+"/reject", object{}).
		want(200).object(), "a repeat says nothing new")
	require.False(t, waits("here.member"))
}
