package auditfile_test

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/auditfile"
	"gatehouse/lifecycle"
)

var (
	someone = lifecycle.MustParseID("11111111-1111-4111-8111-111111111111")
	source  = lifecycle.MustParseID("22222222-2222-4222-8222-222222222222")
)

// full is an event with everything, and something of a formula in it.
func full() lifecycle.AuditEvent {
	return lifecycle.AuditEvent{
		AuditEntry: lifecycle.AuditEntry{
			Number: 7, Occurred: time.Date(2026, 3, 2, 8, 0, 0, 120_000_000, time.UTC), Channel: lifecycle.ChannelAPI,
			Operation: "=updateNonEmployeeRecord", Outcome: lifecycle.OutcomeSuccess, Identity: someone,
			TrackingID: "0123456789abcdef0123456789abcdef", Action: lifecycle.ActionUpdate, Object: lifecycle.ObjectRecord,
			ID: "@x", Source: source, Facts: `{"n":1}`, ActorDigest: []byte("a"), ChangeDigest: []byte("c"),
			Actor:  lifecycle.AuditDetail{Text: `{"address":"192.0.2.7","client":"jane's \"laptop\""}`},
			Change: lifecycle.AuditDetail{Text: `{"after":{"firstName":"B, \"C\""},"before":{"firstName":"A"}}`},
		},
		Alias: "jane.doe", Seal: lifecycle.ChainHead{Position: 5, Hash: []byte{0xab, 1}},
	}
}

func TestAnEventHasWhatIsKnown(t *testing.T) {
	t.Parallel()
	text, err := auditfile.Rows(auditfile.NDJSON, []lifecycle.AuditEvent{full()})
	require.NoError(t, err)
	require.JSONEq(t, `{"number":7,"occurred":"2026-03-02T08:00:00.120Z","channel":"API","operation":"=updateNonEmployeeRecord",
		"action":"UPDATE","outcome":"SUCCESS",
		"actor":{"identityId":"11111111-1111-4111-8111-111111111111","alias":"jane.doe","clientId":"jane's \"laptop\"","address":"192.0.2.7"},
		"trackingId":"0123456789abcdef0123456789abcdef","object":{"type":"RECORD","id":"@x"},
		"sourceId":"22222222-2222-4222-8222-222222222222","facts":{"n":1},"before":{"firstName":"A"},
		"after":{"firstName":"B, \"C\""},"erased":false,"sealed":{"position":5,"hash":"ab01"}}`, string(text))
	require.Equal(t, 1, strings.Count(string(text), "\n"))
	require.Empty(t, auditfile.Header(auditfile.NDJSON))
}

func TestWhatIsNotKnownIsLeftOut(t *testing.T) {
	t.Parallel()
	e := full()
	e.Identity, e.Source, e.Alias, e.TrackingID, e.Seal, e.Client = lifecycle.ID{}, lifecycle.ID{}, "", "", lifecycle.ChainHead{}, "an-app"
	e.Actor, e.Change = lifecycle.AuditDetail{}, lifecycle.AuditDetail{}
	text, err := auditfile.Rows(auditfile.NDJSON, []lifecycle.AuditEvent{e})
	require.NoError(t, err)
	require.JSONEq(t, `{"number":7,"occurred":"2026-03-02T08:00:00.120Z","channel":"API","operation":"=updateNonEmployeeRecord",
		"action":"UPDATE","outcome":"SUCCESS","actor":{"clientId":"an-app"},"object":{"type":"RECORD","id":"@x"},
		"facts":{"n":1},"erased":true}`, string(text))
}

// TestATrailThatWasTamperedWithCanBeRead: what is no JSON is shown as a text.
func TestATrailThatWasTamperedWithCanBeRead(t *testing.T) {
	t.Parallel()
	e := full()
	e.Facts, e.Actor.Text, e.Change.Text = "{", "[", "x"
	text, err := auditfile.Rows(auditfile.NDJSON, []lifecycle.AuditEvent{e})
	require.NoError(t, err)
	var shown auditfile.Event
	require.NoError(t, json.Unmarshal(text, &shown))
	require.Equal(t, []string{`"{"`, "", `"x"`}, []string{string(shown.Facts), string(shown.Before), string(shown.After)})
}

func TestTheCellsOfAFileAreGuarded(t *testing.T) {
	t.Parallel()
	rows, err := auditfile.Rows(auditfile.CSV, []lifecycle.AuditEvent{full(), full()})
	require.NoError(t, err)
	records, err := csv.NewReader(strings.NewReader(string(auditfile.Header(auditfile.CSV)) + string(rows))).ReadAll()
	require.NoError(t, err)
	require.Len(t, records, 3)
	cells := map[string]string{}
	for i, name := range records[0] {
		cells[name] = records[1][i]
	}
	require.Equal(t, map[string]string{
		"number": "7", "occurred": "2026-03-02T08:00:00.120Z", "channel": "API", "operation": "'=updateNonEmployeeRecord",
		"action": "UPDATE", "outcome": "SUCCESS", "identityId": someone.String(), "alias": "jane.doe", "clientId": `jane's "laptop"`,
		"address": "192.0.2.7", "trackingId": "0123456789abcdef0123456789abcdef", "objectType": "RECORD", "objectId": "'@x",
		"sourceId": source.String(), "facts": `{"n":1}`, "before": `{"firstName":"A"}`, "after": `{"firstName":"B, \"C\""}`,
		"erased": "false", "position": "5", "hash": "ab01",
	}, cells)
}

func TestFormatsHaveNames(t *testing.T) {
	t.Parallel()
	for _, f := range []auditfile.Format{auditfile.CSV, auditfile.NDJSON} {
		parsed, err := auditfile.ParseFormat(string(f))
		require.NoError(t, err)
		require.Equal(t, f, parsed)
	}
	_, err := auditfile.ParseFormat("xml")
	require.EqualError(t, err, "a format is csv or ndjson")
}
