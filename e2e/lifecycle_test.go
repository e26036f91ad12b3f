package e2e_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

// sweepRecords has the sweep of records run now and not within the minute.
func sweepRecords(t *testing.T) {
	t.Helper()
	handle := stack.temporal.ScheduleClient().GetHandle(patience(t), "gatehouse-lifecycle")
	require.NoError(t, handle.Trigger(patience(t), client.ScheduleTriggerOptions{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE}))
}

// TestTheDatesOfARecordHaveConsequences goes through the life of one: warned of,
// extended, ended by its date, suspended, ended by hand.
func TestTheDatesOfARecordHaveConsequences(t *testing.T) {
	source, admin, jane := newSource(t), as(t, "admin"), as(t, "jane.doe")
	config := "/non-employee-sources/" + source.id() + "/lifecycle-config"
	inherited := jane.get(config).want(200).object()
	require.Equal(t, true, inherited["inherited"])
	inherited["end"] = object{"action": "SUSPEND"}
	own := admin.send("PUT", config, inherited).want(200).object()
	require.Equal(t, false, own["inherited"])
	require.Equal(t, inherited["warnings"], own["warnings"])
	jane.send("PUT", config, inherited).wantRefusal()

	body := person(source)
	body["startDate"], body["endDate"] = time.Now().AddDate(0, 0, -1), time.Now().AddDate(0, 0, 5)
	record := admin.post("/non-employee-records", body).want(200).object()
	path := "/non-employee-records/" + record.id()
	life := func() object {
		t.Helper()
		return jane.get(path + "?detail-level=LIFECYCLE").want(200).object()
	}
	told := func(event string) int {
		t.Helper()
		return stack.count(t, `SELECT count(DISTINCT n.batch_id) FROM notifications AS n JOIN notification_records AS b ON b.batch_id = n.batch_id
			WHERE n.event = $1 AND b.record_id = $2 AND n.recipient_id = $3`, event, record.id(), identityID(t, "jane.doe"))
	}
	stands := func(state string) {
		t.Helper()
		sweepRecords(t)
		eventually(t, "it is "+state, func() bool { return life().text("lifecycleState") == state })
	}
	stands("EXPIRING")
	require.Equal(t, 1, told("expiring"), "of four rungs one is told")
	require.NotContains(t, jane.get(path).want(200).object(), "lifecycleState")

	jane.patch(path, patchOperation{"replace", "/endDate", time.Now().AddDate(1, 0, 0)}).want(200)
	require.Equal(t, "ACTIVE", life().text("lifecycleState"))
	end := time.Now().Add(1500 * time.Millisecond)
	jane.patch(path, patchOperation{"replace", "/endDate", end}).want(200)
	require.Equal(t, "ACTIVE", life().text("lifecycleState"))
	eventually(t, "its end comes", func() bool { return time.Now().After(end) })
	stands("SUSPENDED")
	require.Equal(t, 1, told("expired"))

	jane.patch(path, patchOperation{"replace", "/endDate", time.Now().AddDate(1, 0, 0)}).want(200)
	jane.post(path+"/end", object{"reason": " "}).wantError(400, "400.1.0 Required Data Missing Or Empty", "reason")
	as(t, "outsider").post(path+"/end", object{"reason": "x"}).wantRefusal()
	ended := jane.post(path+"/end", object{"reason": "Left " + marker}).want(200).object()
	require.Equal(t, ended, jane.post(path+"/end", object{"reason": "Again"}).want(200).object())
	require.Equal(t, 1, told("ended"))
	require.Equal(t, "Left "+marker, life().text("endedReason"))
	require.Equal(t, "SUSPENDED", life().text("lifecycleState"))
	filtered := jane.get("/non-employee-records?" + url.Values{"filters": {
		`sourceId eq "` + source.id() + `" and lifecycleState in ("SUSPENDED","EXPIRED")`,
	}}.Encode()).want(200).list()
	require.Len(t, filtered, 1)
	require.Equal(t, ended, filtered[0])
	jane.get(path+"?detail-level=ALL").wantError(400, "400.1 Bad Request Content", "detail-level")
}
