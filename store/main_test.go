package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/lifecycle"
	"gatehouse/service"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

var _ service.Store = (*store.Store)(nil)

func TestMain(m *testing.M) {
	code := storetest.Run(m)
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// world is a store with a few people and one source.
type world struct {
	*store.Store
	schema storetest.Schema
	admin  *sql.DB
	// owner owns source, and manages people.
	owner     lifecycle.Identity
	approvers []lifecycle.Identity
	outsider  lifecycle.Identity
	source    lifecycle.Source
}

// newWorld makes a source with this many approvers.
func newWorld(t *testing.T, approvers int) *world {
	t.Helper()
	return newWorldWith(t, approvers, store.Config{})
}

func newWorldWith(t *testing.T, approvers int, config store.Config) *world {
	t.Helper()
	w := &world{schema: storetest.NewSchema(t)}
	w.Store, w.admin = w.schema.Open(t, config), w.schema.Admin(t)
	w.owner = storetest.Identity(t, w.Store, "jane.doe")
	w.outsider = storetest.Identity(t, w.Store, "outsider")
	var ids []lifecycle.ID
	for i := range approvers {
		w.approvers = append(w.approvers, storetest.Identity(t, w.Store, fmt.Sprintf("approver.%d", i)))
		ids = append(ids, w.approvers[i].ID)
	}
	w.source = storetest.Source(t, w.Store, "Contractors", w.owner.ID, ids...)
	return w
}

const plenty = lifecycle.DefaultMaxRecordsPerSource

func (w *world) record(t *testing.T, accountName string) lifecycle.Record {
	t.Helper()
	record := w.newRecord(accountName)
	require.NoError(t, w.CreateRecord(t.Context(), record, plenty))
	return record
}

func (w *world) newRecord(accountName string) lifecycle.Record {
	now := storetest.Now()
	return lifecycle.Record{
		ID: lifecycle.NewID(), SourceID: w.source.ID, Person: storetest.Person(accountName, w.owner), Created: now, Modified: now,
	}
}

func (w *world) request(t *testing.T, accountName string) lifecycle.Request {
	t.Helper()
	request, err := w.AcceptRequest(t.Context(), w.newRequest(accountName), plenty)
	require.NoError(t, err)
	return request
}

func (w *world) newRequest(accountName string) lifecycle.Request {
	return lifecycle.Request{
		ID: lifecycle.NewID(), Source: lifecycle.SourceSummary{ID: w.source.ID}, Requester: w.owner.ID,
		Person: storetest.Person(accountName, w.owner), Created: storetest.Now(),
	}
}

// cancel cancels the request while nobody can decide it.
func (w *world) cancel(t *testing.T, request lifecycle.Request) {
	t.Helper()
	w.change(t, "UPDATE identities SET active = false")
	require.NoError(t, w.CancelRequest(t.Context(), request.ID, lifecycle.ReasonApproverGone))
	w.change(t, "UPDATE identities SET active = true WHERE deleted IS NULL")
}

// change changes rows behind the store's back.
func (w *world) change(t *testing.T, statement string, args ...any) {
	t.Helper()
	_, err := w.admin.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
}

func (w *world) number(t *testing.T, query string, args ...any) int {
	t.Helper()
	var n int
	require.NoError(t, w.admin.QueryRowContext(t.Context(), query, args...).Scan(&n))
	return n
}

// requireConsistent holds that counters and names say what is there.
func (w *world) requireConsistent(t *testing.T) {
	t.Helper()
	require.Equal(t, 0, w.number(t, `SELECT count(*) FROM source_counters AS c WHERE
		(c.records, c.pending, c.approved, c.rejected, c.cancelled, c.items) IS DISTINCT FROM (
			(SELECT count(*) FROM records AS r WHERE r.source_id = c.source_id),
			(SELECT count(*) FROM requests AS r WHERE r.source_id = c.source_id AND kind = 'CREATION' AND approval_status = 'PENDING'),
			(SELECT count(*) FROM requests AS r WHERE r.source_id = c.source_id AND kind = 'CREATION' AND approval_status = 'APPROVED'),
			(SELECT count(*) FROM requests AS r WHERE r.source_id = c.source_id AND kind = 'CREATION' AND approval_status = 'REJECTED'),
			(SELECT count(*) FROM requests AS r WHERE r.source_id = c.source_id AND kind = 'CREATION' AND approval_status = 'CANCELLED'),
			(SELECT count(*) FROM approval_items AS i JOIN requests AS r ON r.id = i.request_id WHERE r.source_id = c.source_id AND r.kind = 'CREATION'))`),
		"counters that differ from what they count")
	require.Equal(t, 0, w.number(t, `SELECT count(*) FROM account_names AS n FULL JOIN (
			SELECT source_id, account_name_folded, id FROM records
			UNION ALL SELECT source_id, account_name_folded, id FROM requests WHERE approval_status = 'PENDING' AND kind = 'CREATION'
		) AS h ON (n.source_id, n.folded, n.holder) = (h.source_id, h.account_name_folded, h.id)
		WHERE n.holder IS NULL OR h.id IS NULL`), "names without holder and holders without name")
	require.Equal(t, w.number(t, "SELECT count(*) FROM sources"), w.number(t, "SELECT sources FROM organisation"))
	require.Equal(t, 0, w.number(t, `SELECT count(*) FROM requests AS r WHERE approval_status <> 'PENDING'
		AND EXISTS (SELECT 1 FROM approval_items AS i WHERE i.request_id = r.id AND i.status IN ('PENDING', 'NOT_READY'))`),
		"final requests with open items")
	require.Equal(t, 0, w.number(t, `SELECT count(*) FROM extensions AS e JOIN requests AS r ON r.id = e.request_id WHERE
		ARRAY[e.records, e.approved, e.rejected, e.cancelled, e.skipped]::bigint[] <> (
			SELECT ARRAY[count(*), count(*) FILTER (WHERE x.status = 'APPROVED'), count(*) FILTER (WHERE x.status = 'REJECTED'),
				count(*) FILTER (WHERE x.status = 'CANCELLED'), count(*) FILTER (WHERE x.status = 'SKIPPED')]
			FROM extension_records AS x WHERE x.request_id = e.request_id)
		OR (r.approval_status <> 'PENDING' AND e.records > e.approved + e.rejected + e.cancelled + e.skipped)`),
		"extensions that count their records wrongly, or have some that wait for nobody")
	require.Equal(t, 0, w.number(t, `SELECT count(*) FROM requests AS r WHERE kind = 'CREATION' AND (pending_since IS NOT NULL) <>
		EXISTS (SELECT 1 FROM approval_items AS i WHERE i.request_id = r.id AND i.status = 'PENDING')`), "requests that wait, or don't, and say otherwise")
}

func requireKind(t *testing.T, kind lifecycle.Kind, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind.String(), lifecycle.KindOf(err).String(), err.Error())
}
