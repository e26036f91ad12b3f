package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/auditfile"
	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/service"
)

var anEvent = lifecycle.AuditEvent{
	AuditEntry: lifecycle.AuditEntry{
		Number: 7, Occurred: now, Channel: lifecycle.ChannelAPI, Operation: "updateNonEmployeeRecord",
		Outcome: lifecycle.OutcomeSuccess, Identity: person, TrackingID: "0123456789abcdef0123456789abcdef",
		Action: lifecycle.ActionUpdate, Object: lifecycle.ObjectRecord, ID: objectID.String(), Source: sourceID,
		Facts: "{}", ActorDigest: make([]byte, 32), ChangeDigest: make([]byte, 32),
		Actor:  lifecycle.AuditDetail{Text: `{"address":"192.0.2.7","client":"laptop"}`},
		Change: lifecycle.AuditDetail{Text: `{"after":{"firstName":"B"},"before":{"firstName":"A"}}`},
	},
	Alias: "jane.doe", Seal: lifecycle.ChainHead{Position: 5, Hash: make([]byte, 32)},
}

func (f *fake) ListAuditEvents(ctx context.Context, a policy.Actor, p filter.Params) ([]lifecycle.AuditEvent, int, error) {
	f.params = p
	return page(f, anEvent, f.asked(ctx, a))
}

func (f *fake) ExportAuditEvents(ctx context.Context, a policy.Actor, format auditfile.Format, p filter.Params) (service.AuditFile, error) {
	f.params, f.format = p, format
	pieces := []string{"first piece\n", "second piece\n"}
	return service.AuditFile{Next: func(context.Context) ([]byte, error) {
		if len(pieces) == 0 {
			return nil, io.EOF
		}
		piece := pieces[0]
		pieces = pieces[1:]
		return []byte(piece), nil
	}}, f.asked(ctx, a)
}

func TestTheFormOfTheTrailIsChosen(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		query, accept string
		format        auditfile.Format
		media, name   string
	}{
		{"", "", auditfile.CSV, "text/csv; charset=utf-8", "audit.csv"},
		{"", "*/*", auditfile.CSV, "text/csv; charset=utf-8", "audit.csv"},
		{"", "Application/X-NDJSON, text/csv;q=0.5", auditfile.NDJSON, "application/x-ndjson", "audit.ndjson"},
		{"?format=csv", "application/x-ndjson", auditfile.CSV, "text/csv; charset=utf-8", "audit.csv"},
		{"?format=ndjson", "text/csv", auditfile.NDJSON, "application/x-ndjson", "audit.ndjson"},
	} {
		a := newAPI(t)
		r := request("GET", "/v3/audit-events/export"+tt.query, "")
		r.Header.Set("Accept", tt.accept)
		w := a.do(t, r)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		require.Equal(t, tt.format, a.service.format)
		require.Equal(t, tt.media, w.Header().Get("Content-Type"))
		require.Equal(t, `attachment; filename="`+tt.name+`"`, w.Header().Get("Content-Disposition"))
		require.NotContains(t, w.Header(), "X-Gatehouse-Job")
		require.Equal(t, "first piece\nsecond piece\n", w.Body.String())
	}
	a := newAPI(t)
	w := a.do(t, request("GET", "/v3/audit-events/export?format=xml", ""))
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "format must be csv or ndjson.")
}

func TestTheTrailIsFilteredAndSorted(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	w := a.do(t, request("GET", "/v3/audit-events?filters=action+eq+%22ERASE%22&sorters=-occurred&limit=3&offset=2&count=true", ""))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "7", w.Header().Get("X-Total-Count"))
	p := a.service.params
	require.Equal(t, []any{`action eq "ERASE"`, "-occurred", 3, 2, true}, []any{*p.Filters, *p.Sorters, *p.Limit, *p.Offset, *p.Count})
	a.do(t, request("GET", "/v3/audit-events/export?filters=action+eq+%22ERASE%22", ""))
	require.Equal(t, `action eq "ERASE"`, *a.service.params.Filters)
}
