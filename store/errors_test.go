package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// secret stands in errors of Postgres for what they quote.
const secret = "s3cr3t-value"

// raise has Postgres fail as it is told, with the secret wherever text can be.
func (w *world) raise(t *testing.T, state, constraint string) error {
	t.Helper()
	err := w.Exec(t.Context(), `DO $$ BEGIN
		RAISE EXCEPTION USING ERRCODE = '`+state+`', CONSTRAINT = '`+constraint+`', MESSAGE = 'message `+secret+`',
			DETAIL = 'detail `+secret+`', HINT = 'hint `+secret+`', COLUMN = 'column `+secret+`', DATATYPE = 'type `+secret+`';
	END $$`)
	var raised *pgconn.PgError
	require.ErrorAs(t, err, &raised)
	require.Equal(t, state, raised.Code)
	require.Contains(t, raised.Message+raised.Detail, secret)
	return err
}

// requireSilent holds that no error in the chain repeats the secret, and that
// Postgres's own is not among them.
func requireSilent(t *testing.T, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		require.NotContains(t, e.Error(), secret)
		require.NotContains(t, fmt.Sprintf("%+v %#v", e, e), secret)
	}
	var pg *pgconn.PgError
	require.NotErrorAs(t, err, &pg)
}

func TestEverySQLSTATEBecomesItsKind(t *testing.T) {
	t.Parallel()
	kinds := map[string]lifecycle.Kind{
		"08": lifecycle.KindUnavailable, "53": lifecycle.KindUnavailable, "58": lifecycle.KindUnavailable,
		"57P01": lifecycle.KindUnavailable, "57P02": lifecycle.KindUnavailable, "57P03": lifecycle.KindUnavailable,
		"57P05": lifecycle.KindUnavailable, "25006": lifecycle.KindUnavailable, "57014": lifecycle.KindUnavailable,
		"40": lifecycle.KindUnavailable, "55P03": lifecycle.KindUnavailable,
		"22021": lifecycle.KindIllegalValue, "22P05": lifecycle.KindIllegalValue, "22007": lifecycle.KindIllegalValue,
		"22008": lifecycle.KindIllegalValue, "54000": lifecycle.KindIllegalValue,
	}
	mapped := store.MappedStates()
	for state := range kinds {
		require.Contains(t, mapped, state)
	}
	require.Len(t, mapped, len(kinds), "a state without a line here")
	// What is not foreseen, whether or not its class has states that are.
	for _, state := range []string{"22012", "23505", "23503", "25P02", "42P01", "42501", "42601", "54001", "57P04", "XX000", "P0001"} {
		kinds[state] = lifecycle.KindInternal
	}
	w := newWorld(t, 0)
	for state, kind := range kinds {
		states := []string{state}
		if len(state) == 2 {
			states = []string{state + "000", state + "001", state + "P01", state + "ZZZ"}
		}
		for _, state := range states {
			err := store.Translate(w.raise(t, state, "no_such_constraint"))
			requireKind(t, kind, err)
			requireSilent(t, err)
			require.ErrorContains(t, errors.Unwrap(err), state, "the log must tell the state")
			wrapped := store.Translate(fmt.Errorf("in passing: %w", w.raise(t, state, "")))
			requireKind(t, kind, wrapped)
			requireSilent(t, wrapped)
		}
	}
}

// notRunInto are the constraints that no caller can violate, and why. Their
// violation is a fault of the program, KindInternal.
var notRunInto = map[string]string{
	"organisation_pkey":                   "one row, made by the migration",
	"organisation_one":                    "one row, made by the migration",
	"organisation_sources":                "counts under its lock",
	"workgroup_members_pkey":              "ON CONFLICT DO NOTHING",
	"workgroup_members_workgroup_fkey":    "the workgroup is locked",
	"workgroup_members_identity_fkey":     "the identity is locked",
	"identities_deleted":                  "written together",
	"signing_keys_pkey":                   "the key is new",
	"rate_windows_pkey":                   "ON CONFLICT DO UPDATE",
	"sources_pkey":                        "the id is new",
	"source_approvers_pkey":               "the source is locked",
	"source_approvers_source_fkey":        "the source is locked",
	"source_account_managers_pkey":        "the source is locked",
	"source_account_managers_source_fkey": "the source is locked",
	"source_counters_pkey":                "the source is new",
	"source_counters_source_fkey":         "the source is new",
	"source_counters_not_negative":        "counts under its lock",
	"schema_attributes_pkey":              "the id is new",
	"schema_attributes_source_fkey":       "the source is locked",
	"schema_attributes_position_key":      "the source is locked",
	"records_pkey":                        "the id is new, or a request's, which becomes a record once",
	"records_lifecycle_state":             "the store writes the state",
	"records_lifecycle_rung":              "the store writes the rung",
	"lifecycle_policies_source_fkey":      "the source is locked",
	"lifecycle_policies_source_key":       "ON CONFLICT DO UPDATE",
	"lifecycle_policies_default":          "the organisation's is never removed",
	"requests_pkey":                       "the id is new",
	"requests_status":                     "the store writes the status",
	"approval_items_pkey":                 "the id is new",
	"approval_items_request_fkey":         "written with its request",
	"approval_items_position_key":         "written with its request",
	"approval_items_status":               "the store writes the status",
	"approval_items_decided":              "written together",
	"approval_items_one_pending":          "the request is locked",
	"audit_entries_pkey":                  "the number is new",
	"audit_entries_digests":               "the store makes the digests",
	"audit_details_pkey":                  "the number is new",
	"audit_tail_pkey":                     "the number is new",
	"audit_seals_pkey":                    "one sealer at a time",
	"audit_seals_entry_key":               "one sealer at a time",
	"audit_seals_hash":                    "the store makes the hashes",
	"erasures_pkey":                       "the id is new",
	"decision_comments_pkey":              "ON CONFLICT DO NOTHING",
	"notifications_pkey":                  "the id is new",
	"notifications_once":                  "ON CONFLICT DO NOTHING",
	"notification_records_pkey":           "ON CONFLICT DO NOTHING",
	"webhook_endpoints_pkey":              "the id is new",
	"deliveries_pkey":                     "the id is new",
	"deliveries_notification_fkey":        "the row is locked",
	"deliveries_endpoint_fkey":            "tried again by the relay",
	"deliveries_status":                   "the store writes no other",
	"deliveries_target":                   "the store writes no other",
	"deliveries_delivered":                "written together",
	"deliveries_mail_key":                 "ON CONFLICT DO NOTHING",
	"deliveries_webhook_key":              "ON CONFLICT DO NOTHING",
	"approval_policies_pkey":              "the id is new",
	"approval_policies_source_fkey":       "the source is locked",
	"approval_policies_version_key":       "versions are given under a lock",
	"approval_policies_current_key":       "versions are given under a lock",
	"requests_policy_fkey":                "policies are never removed before their source",
	"requests_kind":                       "constants",
	"requests_person":                     "the store writes the kind with what goes with it",
	"approval_items_kind":                 "constants",
	"extensions_pkey":                     "the request is new",
	"extensions_request_fkey":             "written with its request",
	"extensions_counts":                   "counts under the lock of the request",
	"extension_records_pkey":              "numbered by one writer",
	"extension_records_request_fkey":      "written with its request",
	"extension_records_status":            "constants",
	"extension_records_one_pending":       "ON CONFLICT DO NOTHING",
	"decision_rejections_pkey":            "each once, with a decision that is new",
	"decision_rejections_decision_fkey":   "written with its decision",
	"approval_reassignments_pkey":         "the id is new",
	"approval_reassignments_item_fkey":    "the item is locked",
	"approval_reassignments_number_key":   "the request is locked",
	"approval_reassignments_type":         "constants",
	"absences_pkey":                       "the id is new",
	"absences_identity_fkey":              "the identity is locked",
	"absences_deputy_fkey":                "identities are never removed",
	"absences_span":                       "judged before it comes here",
	"absences_somebody_else":              "judged before it comes here",
	"identities_manager_fkey":             "the manager is looked up under a lock, and identities are never removed",
	"workflow_endings_pkey":               "ON CONFLICT DO NOTHING",
	"import_jobs_pkey":                    "the id is new",
	"import_jobs_source_fkey":             "whoever begins an import answers for it",
	"import_jobs_status":                  "the store writes the status",
	"import_jobs_sequenced":               "written together",
	"import_jobs_sequence_key":            "counts under the lock of the source's counters",
	"import_jobs_counts":                  "a chunk counts its rows before it writes",
	"import_rows_pkey":                    "one process receives a file and numbers its rows",
	"import_faults_pkey":                  "a row is done once, under the job's lock",
	"export_schedules_pkey":               "the id is new",
	"export_schedules_source_fkey":        "the source is locked",
	"export_schedules_keep":               "judged before it comes here",
	"export_jobs_pkey":                    "the id is new, or ON CONFLICT DO NOTHING",
	"export_jobs_source_fkey":             "whoever begins an export answers for it",
	"export_jobs_status":                  "the store writes the status",
	"export_chunks_pkey":                  "the attempt is the newest, and one process numbers its chunks",
	"bulk_garbage_pkey":                   "ON CONFLICT DO UPDATE",
	"schedule_endings_pkey":               "ON CONFLICT DO NOTHING",
}

// TestEveryConstraintHasItsMeaning compares the map with the migrated schema: a
// constraint that a migration adds must be mapped or listed here.
func TestEveryConstraintHasItsMeaning(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	// What guards a unique index has the index's name, also where it is partial
	// and so no constraint.
	rows, err := w.admin.QueryContext(t.Context(), `SELECT conname FROM pg_constraint
			WHERE connamespace = current_schema()::regnamespace AND contype IN ('p', 'u', 'f', 'c', 'x')
				AND conrelid <> 'gatehouse_migrations'::regclass
		UNION SELECT c.relname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
			WHERE c.relnamespace = current_schema()::regnamespace AND i.indisunique
				AND i.indrelid <> 'gatehouse_migrations'::regclass`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var present []string
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		present = append(present, name)
	}
	require.NoError(t, rows.Err())
	mapped := store.MappedConstraints()
	for _, name := range present {
		_, listed := notRunInto[name]
		require.NotEqual(t, slices.Contains(mapped, name), listed, "%s is mapped, or else listed as what nobody runs into", name)
	}
	for _, name := range mapped {
		require.Contains(t, present, name, "a mapped constraint that the schema has not")
	}
	for name := range notRunInto {
		require.Contains(t, present, name, "a listed constraint that the schema has not")
		err := store.Translate(w.raise(t, "23514", name))
		requireKind(t, lifecycle.KindInternal, err)
		requireSilent(t, err)
	}
}

// TestAViolatedConstraintSaysWhatIsWrong violates every mapped constraint with a
// statement of its own.
func TestAViolatedConstraintSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.record(t, secret)
	nobody := lifecycle.NewID()
	require.NoError(t, w.Exec(t.Context(), "INSERT INTO identities VALUES (?, 'a', ?, '', '', '{}', true, now(), now())", lifecycle.NewID(), secret))
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: secret, Created: storetest.Now()}
	require.NoError(t, w.CreateWorkgroup(t.Context(), group))
	require.NoError(t, w.CreateClient(t.Context(), lifecycle.Client{ID: secret, SecretHash: []byte("hash"), Created: storetest.Now()}))
	const (
		record = `INSERT INTO records SELECT gen_random_uuid(), ?, account_name, account_name_folded, first_name, first_name_folded,
			last_name, last_name_folded, phone, email, email_folded, ?, start_date, ?, data, created, modified FROM records`
		request = `INSERT INTO requests (id, source_id, account_name, account_name_folded, first_name, first_name_folded,
				last_name, last_name_folded, phone, email, email_folded, manager_id, start_date, end_date, data, approval_status, created, modified)
			SELECT gen_random_uuid(), ?, account_name, account_name_folded, first_name, first_name_folded,
			last_name, last_name_folded, phone, email, email_folded, ?, start_date, ?, data, 'PENDING', created, modified FROM records`
	)
	late, early := time.Now().AddDate(100, 0, 0), time.Now().AddDate(-100, 0, 0)
	cases := map[string]struct {
		kind  lifecycle.Kind
		field string
		query string
		args  []any
	}{
		"account_names_pkey": {lifecycle.KindConflict, "accountName",
			"INSERT INTO account_names SELECT source_id, folded, gen_random_uuid() FROM account_names", nil},
		"sources_name_key": {lifecycle.KindConflict, "name",
			"INSERT INTO sources SELECT gen_random_uuid(), name, name_folded, description, owner_id, NULL, created, modified FROM sources", nil},
		"schema_attributes_name_key": {lifecycle.KindConflict, "technicalName",
			"UPDATE schema_attributes SET technical_name_folded = ?", []any{secret}},
		"identities_alias_key": {lifecycle.KindConflict, "alias",
			"UPDATE identities SET alias_folded = ?", []any{secret}},
		"identities_pkey": {lifecycle.KindConflict, "id", "UPDATE identities SET id = ?", []any{nobody}},
		"workgroups_name_key": {lifecycle.KindConflict, "name",
			"INSERT INTO workgroups SELECT gen_random_uuid(), name, name_folded, created FROM workgroups", nil},
		"workgroups_pkey": {lifecycle.KindConflict, "id",
			"INSERT INTO workgroups SELECT id, 'other', 'other', created FROM workgroups", nil},
		"clients_pkey":       {lifecycle.KindConflict, "id", "INSERT INTO clients SELECT * FROM clients", nil},
		"sources_owner_fkey": {lifecycle.KindReferenceNotFound, "owner", "UPDATE sources SET owner_id = ?", []any{nobody}},
		"sources_workgroup_fkey": {lifecycle.KindReferenceNotFound, "managementWorkgroup",
			"UPDATE sources SET management_workgroup = ?", []any{nobody}},
		"records_source_fkey":   {lifecycle.KindReferenceNotFound, "sourceId", record, []any{nobody, w.owner.ID, late}},
		"requests_source_fkey":  {lifecycle.KindReferenceNotFound, "sourceId", request, []any{nobody, w.owner.ID, late}},
		"records_manager_fkey":  {lifecycle.KindReferenceNotFound, "manager", record, []any{w.source.ID, nobody, late}},
		"requests_manager_fkey": {lifecycle.KindReferenceNotFound, "manager", request, []any{w.source.ID, nobody, late}},
		"records_dates":         {lifecycle.KindIllegalValue, "endDate", record, []any{w.source.ID, w.owner.ID, early}},
		"requests_dates":        {lifecycle.KindIllegalValue, "endDate", request, []any{w.source.ID, w.owner.ID, early}},
		"clients_identity_fkey": {lifecycle.KindReferenceNotFound, "identity", "UPDATE clients SET identity_id = ?", []any{nobody}},
		"decision_comments_item_fkey": {lifecycle.KindNotFound, "",
			"INSERT INTO decision_comments VALUES (?, ?, ?, 'APPROVE', ?, now())", []any{nobody, nobody, w.owner.ID, secret}},
	}
	for _, name := range store.MappedConstraints() {
		c, ok := cases[name]
		require.True(t, ok, "%s is mapped and has no statement here", name)
		raw := w.Exec(t.Context(), c.query, c.args...)
		var pg *pgconn.PgError
		require.ErrorAs(t, raw, &pg, name)
		require.Equal(t, name, pg.ConstraintName)
		err := store.Translate(raw)
		requireKind(t, c.kind, err)
		requireSilent(t, err)
		var known *lifecycle.Error
		require.ErrorAs(t, err, &known)
		require.Equal(t, c.field, known.Field, name)
		require.NotContains(t, known.Message, nobody.String(), name)
		require.ErrorContains(t, errors.Unwrap(err), name, "the log must tell the constraint")
	}
	require.Len(t, cases, len(store.MappedConstraints()))
}

func TestWhatDoesNotComeFromPostgresIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	require.NoError(t, store.Translate(nil))
	own := errors.New("own")
	require.Same(t, own, store.Translate(own))
	known := lifecycle.NewError(lifecycle.KindLimit, "enough")
	wrapped := fmt.Errorf("about it: %w", known)
	require.Same(t, wrapped, store.Translate(wrapped))
}

// operations are some that read and write, in all the ways that the store asks
// Postgres.
func (w *world) operations() map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"Ping": w.Ping,
		"GetRecord": func(ctx context.Context) error {
			_, _, err := w.GetRecord(ctx, lifecycle.NewID(), w.owner.ID)
			if err != nil && lifecycle.KindOf(err) == lifecycle.KindNotFound {
				return nil
			}
			return err
		},
		"ListRecords": func(ctx context.Context) error {
			_, _, err := w.ListRecords(ctx, policy.Reach{All: true}, filter.Query{Limit: 1, Count: true})
			return err
		},
		"ListIdentities": func(ctx context.Context) error {
			_, err := w.ListIdentities(ctx)
			return err
		},
		"CreateRecord": func(ctx context.Context) error {
			return w.CreateRecord(ctx, w.newRecord(lifecycle.NewID().String()), plenty)
		},
		"SetIdentityActive": func(ctx context.Context) error { return w.SetIdentityActive(ctx, w.owner.ID, true) },
	}
}

func TestADatabaseOutOfReachIsUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := taken.Addr().String()
	require.NoError(t, taken.Close())
	for name, change := range map[string]func(*url.URL){
		"nobody listens":       func(u *url.URL) { u.Host = closed },
		"the host is unknown":  func(u *url.URL) { u.Host = "nowhere.invalid:5432" },
		"the password is gone": func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), secret) },
		"the database is gone": func(u *url.URL) { u.Path = "/" + secret },
	} {
		u, err := url.Parse(w.schema.AppURL)
		require.NoError(t, err)
		change(u)
		rows, err := store.Open(t.Context(), store.Config{URL: u.String(), MaxConns: 1})
		require.NoError(t, err, "a process may start before its database")
		away := &world{Store: rows, owner: w.owner, source: w.source}
		for operation, do := range away.operations() {
			err := do(t.Context())
			require.Error(t, err, "%s: %s", name, operation)
			require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(err), "%s: %s: %v", name, operation, err)
			require.NotContains(t, err.Error(), secret)
		}
		require.NoError(t, rows.Close())
	}
}

func TestWhoeverGivesUpIsToldThatTheStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, 0, store.Config{MaxConns: 2})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for operation, do := range w.operations() {
		err := do(gone)
		require.Error(t, err, operation)
		require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(err), "%s: %v", operation, err)
		require.NoError(t, do(t.Context()), operation)
	}
	t.Run("while it waits for a lock", func(t *testing.T) {
		tx, err := w.admin.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		defer func() { require.NoError(t, tx.Rollback()) }()
		_, err = tx.ExecContext(t.Context(), "LOCK TABLE records, identities IN ACCESS EXCLUSIVE MODE")
		require.NoError(t, err)
		for operation, do := range w.operations() {
			if operation == "Ping" {
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			err := do(ctx)
			cancel()
			require.Error(t, err, operation)
			require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(err), "%s: %v", operation, err)
		}
	})
	for operation, do := range w.operations() {
		require.NoError(t, do(t.Context()), operation)
	}
}

// TestAServerThatEndsTheSessionIsUnavailable ends it while a statement runs.
func TestAServerThatEndsTheSessionIsUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, 0, store.Config{MaxConns: 1})
	var pid int
	text, err := w.Select(t.Context(), "SELECT pg_backend_pid()::text")
	require.NoError(t, err)
	_, err = fmt.Sscan(text, &pid)
	require.NoError(t, err)
	tx, err := w.admin.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	_, err = tx.ExecContext(t.Context(), "LOCK TABLE records IN ACCESS EXCLUSIVE MODE")
	require.NoError(t, err)

	failed := make(chan error, 1)
	go func() {
		_, _, err := w.ListRecords(t.Context(), policy.Reach{All: true}, filter.Query{Limit: 1})
		failed <- err
	}()
	require.Eventually(t, func() bool {
		return w.number(t, "SELECT count(*) FROM pg_locks WHERE pid = $1 AND NOT granted", pid) > 0
	}, 30*time.Second, 5*time.Millisecond)
	w.number(t, "SELECT pg_terminate_backend($1)::int", pid)
	err = <-failed
	requireKind(t, lifecycle.KindUnavailable, err)
	require.NoError(t, w.Ping(t.Context()), "the next one gets a new connection")
}

// cutter passes bytes on to the server until it is told to cut every connection.
type cutter struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	group sync.WaitGroup
}

func newCutter(t *testing.T, server string) *cutter {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{Listener: listener}
	c.group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			behind, err := new(net.Dialer).DialContext(t.Context(), "tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			c.mu.Lock()
			c.conns = append(c.conns, client, behind)
			c.mu.Unlock()
			pass := func(to, from net.Conn) {
				_, _ = io.Copy(to, from)
				_, _ = to.Close(), from.Close()
			}
			c.group.Go(func() { pass(behind, client) })
			c.group.Go(func() { pass(client, behind) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.cut()
		c.group.Wait()
	})
	return c
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

// TestALineThatIsCutIsUnavailableOnceAtMost cuts the connections that are idle
// and expects that the store finds new ones.
func TestALineThatIsCutIsUnavailableOnceAtMost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	u, err := url.Parse(w.schema.AppURL)
	require.NoError(t, err)
	line := newCutter(t, u.Host)
	u.Host = line.Addr().String()
	rows, err := store.Open(t.Context(), store.Config{URL: u.String(), MaxConns: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rows.Close()) })
	w.Store = rows
	for operation, do := range w.operations() {
		require.NoError(t, do(t.Context()), operation)
		line.cut()
		if err := do(t.Context()); err != nil {
			require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(err), "%s: %v", operation, err)
		}
		require.NoError(t, do(t.Context()), operation)
	}
}

func TestTextsThatCantBeStoredAreIllegal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for name, alias := range map[string]string{
		"NUL": secret + "\x00", "no UTF-8": secret + "\xff", "longer than an index takes": secret + random(t, 9000),
	} {
		identity := lifecycle.Identity{ID: lifecycle.NewID(), Alias: alias, Created: storetest.Now(), Modified: storetest.Now()}
		err := w.CreateIdentity(t.Context(), identity)
		require.Error(t, err, name)
		require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err), "%s: %v", name, err)
		requireSilent(t, err)
	}
	far := w.newRecord("far")
	far.EndDate = time.Date(300_000, 1, 1, 0, 0, 0, 0, time.UTC)
	err := w.CreateRecord(t.Context(), far, plenty)
	requireKind(t, lifecycle.KindIllegalValue, err)
	requireSilent(t, err)
	w.requireConsistent(t)
}

// random is text of n letters that can't be made shorter by compressing.
func random(t *testing.T, n int) string {
	t.Helper()
	var text strings.Builder
	for text.Len() < n {
		text.WriteString(lifecycle.NewID().String())
	}
	return text.String()[:n]
}
