package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// trail is a store with a trail to seal and to break.
type trail struct {
	*store.Store
	schema storetest.Schema
	admin  *sql.DB
}

func newTrail(t testing.TB) *trail {
	t.Helper()
	schema := storetest.NewSchema(t)
	return &trail{schema.Open(t, store.Config{}), schema, schema.Admin(t)}
}

// write makes this many entries, each with both parts of its details.
func (tr *trail) write(t testing.TB, entries int) {
	t.Helper()
	ctx := lifecycle.WithOrigin(t.Context(), lifecycle.Origin{
		Channel: lifecycle.ChannelAPI, Operation: "makeIdentity", Identity: lifecycle.NewID(), Client: "pat", Address: "192.0.2.7",
	})
	for range entries {
		id := lifecycle.NewID()
		require.NoError(t, tr.CreateIdentity(ctx, lifecycle.Identity{
			ID: id, Alias: "a" + id.String(), Name: "Somebody", Email: id.String() + "@example.com", Active: true,
			Created: storetest.Now(), Modified: storetest.Now(),
		}))
	}
}

// openTooLong bounds waiting for the transactions of other tests, which share the
// cluster: an entry is sealed when all have ended that are older.
const openTooLong = 10 * time.Minute

// await seals until the chain has this length, as soon as that may be.
func (tr *trail) await(t testing.TB, length int64) lifecycle.ChainHead {
	t.Helper()
	tick, late := time.NewTicker(time.Millisecond), time.After(openTooLong)
	defer tick.Stop()
	for {
		sealing, err := tr.SealAudit(t.Context(), 7)
		require.NoError(t, err)
		require.False(t, sealing.Elsewhere)
		require.LessOrEqual(t, sealing.Head.Position, length)
		if sealing.Head.Position == length {
			return sealing.Head
		}
		select {
		case <-tick.C:
		case <-late:
			require.FailNow(t, "an older transaction stays open", "%d of %d are sealed", sealing.Head.Position, length)
		}
	}
}

// seal has what waits sealed at once, as if nobody had anything open.
func (tr *trail) seal(t testing.TB, length int64) lifecycle.ChainHead {
	t.Helper()
	_, err := tr.admin.ExecContext(t.Context(), "UPDATE audit_tail SET txid = '3'")
	require.NoError(t, err)
	return tr.await(t, length)
}

func (tr *trail) tamper(t testing.TB, statement string, args ...any) {
	t.Helper()
	result, err := tr.admin.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
	n, err := result.RowsAffected()
	require.NoError(t, err)
	require.Positive(t, n, "nothing was broken by %s", statement)
}

var auditTables = []string{"audit_entries", "audit_details", "audit_tail", "audit_seals"}

// save keeps the trail as it is, restore brings it back.
func (tr *trail) save(t testing.TB) {
	t.Helper()
	for _, table := range auditTables {
		tr.tamper(t, "CREATE TABLE saved_"+table+" AS TABLE "+table)
	}
}

func (tr *trail) restore(t testing.TB) {
	t.Helper()
	for _, table := range auditTables {
		_, err := tr.admin.ExecContext(t.Context(), "TRUNCATE "+table)
		require.NoError(t, err)
		tr.tamper(t, "INSERT INTO "+table+" TABLE saved_"+table)
	}
}

// requireSettled waits until no transaction is open that is older than those of
// the entries that wait.
func (tr *trail) requireSettled(t testing.TB, which string) {
	t.Helper()
	require.Eventually(t, func() bool {
		var settled bool
		require.NoError(t, tr.admin.QueryRowContext(t.Context(),
			"SELECT bool_and(txid < pg_snapshot_xmin(pg_current_snapshot())) FROM audit_tail WHERE "+which).Scan(&settled))
		return settled
	}, openTooLong, time.Millisecond)
}

// verify returns the faults, a line each.
func (tr *trail) verify(t testing.TB, expected *lifecycle.ChainHead) (lifecycle.AuditReport, []string) {
	t.Helper()
	var faults []string
	report, err := tr.VerifyAudit(t.Context(), expected, func(f lifecycle.AuditFault) error {
		faults = append(faults, f.String())
		return nil
	})
	require.NoError(t, err)
	require.Len(t, faults, report.Faults)
	return report, faults
}

// numbers are the entries in the order of the chain.
func (tr *trail) numbers(t testing.TB) (numbers []int64) {
	t.Helper()
	rows, err := tr.admin.QueryContext(t.Context(), "SELECT entry_id FROM audit_seals ORDER BY position")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var n int64
		require.NoError(t, rows.Scan(&n))
		numbers = append(numbers, n)
	}
	require.NoError(t, rows.Err())
	return numbers
}

func TestEntriesAreSealedInTheirOrder(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	require.Equal(t, lifecycle.ChainStart(), tr.seal(t, 0))
	tr.write(t, 20)
	count, oldest, err := tr.UnsealedAudit(t.Context())
	require.NoError(t, err)
	require.Equal(t, 20, count)
	require.WithinDuration(t, time.Now(), oldest, time.Minute)

	first := tr.seal(t, 20)
	tr.write(t, 3)
	head := tr.seal(t, 23)
	numbers := tr.numbers(t)
	require.IsIncreasing(t, numbers)
	require.Len(t, numbers, 23)
	count, oldest, err = tr.UnsealedAudit(t.Context())
	require.NoError(t, err)
	require.Zero(t, count)
	require.Zero(t, oldest)

	report, faults := tr.verify(t, &first)
	require.Empty(t, faults)
	require.Equal(t, lifecycle.AuditReport{Sealed: 23, Head: head}, report)
}

// TestNothingIsSealedBeforeAnOlderTransactionEnds: one that is open may yet bring
// an entry that belongs before.
func TestNothingIsSealedBeforeAnOlderTransactionEnds(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	open := func() *sql.Tx {
		tx, err := tr.admin.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = tx.ExecContext(t.Context(), "SELECT pg_current_xact_id()")
		require.NoError(t, err)
		return tx
	}
	tr.write(t, 2)
	before := open()
	tr.write(t, 2)
	after := open()
	tr.write(t, 2)
	sealed := func(want int64) {
		t.Helper()
		tr.await(t, want)
		_, faults := tr.verify(t, nil)
		require.Empty(t, faults)
	}
	sealed(2)
	require.NoError(t, after.Rollback())
	sealed(2)
	require.NoError(t, before.Rollback())
	sealed(6)
	require.IsIncreasing(t, tr.numbers(t))
}

// TestAnEntryWaitsForThoseBeforeIt: its own transaction is settled, that of an
// entry with a smaller number is not.
func TestAnEntryWaitsForThoseBeforeIt(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	tr.write(t, 3)
	// The first entry is of a transaction that is no older than one still open.
	tx, err := tr.admin.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "SELECT pg_current_xact_id()")
	require.NoError(t, err)
	tr.tamper(t, "UPDATE audit_tail SET txid = pg_current_xact_id() WHERE entry_id = (SELECT min(entry_id) FROM audit_tail)")
	tr.requireSettled(t, "entry_id > (SELECT min(entry_id) FROM audit_tail)")
	tr.await(t, 0)
	require.NoError(t, tx.Rollback())
	tr.await(t, 3)
}

// TestEntriesOfAnotherClusterAreSealed: a dump that was restored brings
// transactions that this cluster has not reached yet.
func TestEntriesOfAnotherClusterAreSealed(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	tr.write(t, 2)
	tr.tamper(t, "UPDATE audit_tail SET txid = '9000000000000000'")
	tr.await(t, 2)
}

// TestSealersAndWritersAtOnce: what many write at once, some of it slowly and
// some of it in vain, is in the chain once, and in the order of its objects.
func TestSealersAndWritersAtOnce(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	const writers, changes = 6, 25
	var identities []lifecycle.Identity
	for i := range 3 {
		identities = append(identities, storetest.Identity(t, tr.Store, fmt.Sprint("shared.", i)))
	}
	done := make(chan struct{})
	var sealers sync.WaitGroup
	for range 2 {
		sealers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := tr.SealAudit(t.Context(), 5); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var group errgroup.Group
	for w := range writers {
		group.Go(func() error {
			for i := range changes {
				// Somebody holds a transaction open meanwhile, older than the change.
				tx, err := tr.admin.BeginTx(t.Context(), nil)
				if err != nil {
					return err
				}
				if _, err := tx.ExecContext(t.Context(), "SELECT pg_current_xact_id()"); err != nil {
					return err
				}
				identity := identities[(w+i)%len(identities)]
				if err := tr.SetIdentityActive(t.Context(), identity.ID, (w+i)%2 == 0); err != nil {
					return err
				}
				twin := identity
				twin.ID = lifecycle.NewID()
				if tr.CreateIdentity(t.Context(), twin) == nil {
					return fmt.Errorf("the alias of %s was not taken", identity.ID)
				}
				if err := tx.Rollback(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	close(done)
	sealers.Wait()
	var entries, sealed int64
	require.NoError(t, tr.admin.QueryRowContext(t.Context(), "SELECT count(*) FROM audit_entries").Scan(&entries))
	tr.await(t, entries)
	require.NoError(t, tr.admin.QueryRowContext(t.Context(), "SELECT count(DISTINCT entry_id) FROM audit_seals").Scan(&sealed))
	require.Equal(t, entries, sealed)
	require.Greater(t, entries, int64(len(identities)))
	var astray int
	require.NoError(t, tr.admin.QueryRowContext(t.Context(), `SELECT count(*) FROM (
			SELECT e.id, lag(e.id) OVER (PARTITION BY e.object_id ORDER BY s.position) AS before
			FROM audit_seals AS s JOIN audit_entries AS e ON e.id = s.entry_id
		) AS o WHERE o.before > o.id`).Scan(&astray))
	require.Zero(t, astray, "entries before an earlier one of their object")
	report, faults := tr.verify(t, nil)
	require.Empty(t, faults)
	require.Equal(t, entries, report.Sealed)
	require.Zero(t, report.Unsealed)
}

// TestASealerThatIsKilledLeavesNothingHalfDone, and while it works no other does.
// TestATransactionThatIsLeftOpenEndsByItself: one whose process has stopped would
// keep everything from being sealed.
func TestATransactionThatIsLeftOpenEndsByItself(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	s := schema.Open(t, store.Config{})
	limit, err := s.Select(t.Context(), "SELECT current_setting('idle_in_transaction_session_timeout')")
	require.NoError(t, err)
	require.Equal(t, "1min", limit)
	var sealer []string
	s.Spy(func(query string) { sealer = append(sealer, query) })
	_, err = s.SealAudit(t.Context(), 10)
	require.NoError(t, err)
	require.Contains(t, strings.Join(sealer, "\n"), "set_config('idle_in_transaction_session_timeout', '3s', true)")
}

func TestASealerThatIsKilledLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	tr.write(t, 5)
	tr.requireSettled(t, "true")
	// It has written its seals when it comes to this row.
	holder, err := tr.admin.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = holder.ExecContext(t.Context(), "SELECT 1 FROM audit_tail WHERE entry_id = (SELECT max(entry_id) FROM audit_tail) FOR UPDATE")
	require.NoError(t, err)
	failed := make(chan error, 1)
	go func() {
		_, err := tr.SealAudit(context.WithoutCancel(t.Context()), 100)
		failed <- err
	}()
	var pid int
	require.Eventually(t, func() bool {
		return tr.admin.QueryRowContext(t.Context(), `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'
			AND query LIKE 'DELETE FROM audit_tail%' AND pid IN (SELECT pid FROM pg_locks WHERE relation = $1::regclass)`,
			tr.schema.Name+".audit_tail").Scan(&pid) == nil
	}, time.Minute, time.Millisecond)
	sealing, err := tr.SealAudit(t.Context(), 100)
	require.NoError(t, err)
	require.Equal(t, lifecycle.Sealing{Elsewhere: true}, sealing)
	_, err = tr.admin.ExecContext(t.Context(), "SELECT pg_terminate_backend($1)", pid)
	require.NoError(t, err)
	requireKind(t, lifecycle.KindUnavailable, <-failed)
	require.NoError(t, holder.Rollback())

	count, _, err := tr.UnsealedAudit(t.Context())
	require.NoError(t, err)
	require.Equal(t, 5, count)
	require.Empty(t, tr.numbers(t))
	tr.await(t, 5)
	_, faults := tr.verify(t, nil)
	require.Empty(t, faults)
}

// TestWhatWasDoneToTheTrailIsNamed: every way to touch it behind the application's
// back is found, at its place. The entries have the numbers of their positions.
func TestWhatWasDoneToTheTrailIsNamed(t *testing.T) {
	t.Parallel()
	const forged = `INSERT INTO audit_entries (id, occurred, channel, operation, outcome, action, object_type, object_id, facts)
		VALUES (1000, now(), 'API', 'x', 'SUCCESS', 'UPDATE', 'RECORD', 'x', '{}')`
	hash := "the entry, its place or its seal was changed: the hash does not fit"
	removedSeal := "entry 5: the entry is neither in the chain nor waiting for it: it was inserted, or its seal was removed"
	tr := newTrail(t)
	tr.write(t, 9)
	expected := tr.seal(t, 9)
	tr.write(t, 1)
	tr.seal(t, 10)
	tr.write(t, 1)
	tr.save(t)
	for _, tt := range []struct {
		name    string
		tampers []string
		want    []string
	}{
		{"a changed operation", []string{"UPDATE audit_entries SET operation = 'x' WHERE id = 5"}, []string{"position 5, entry 5: " + hash}},
		{"a changed time", []string{"UPDATE audit_entries SET occurred = occurred + interval '1 millisecond' WHERE id = 5"}, []string{"position 5, entry 5: " + hash}},
		{"a changed outcome", []string{"UPDATE audit_entries SET outcome = 'DENIED' WHERE id = 5"}, []string{"position 5, entry 5: " + hash}},
		{"a changed actor", []string{"UPDATE audit_entries SET identity_id = NULL WHERE id = 5"}, []string{"position 5, entry 5: " + hash}},
		{"a changed client", []string{"UPDATE audit_entries SET client_id = 'x' WHERE id = 5"}, []string{"position 5, entry 5: " + hash}},
		{"a changed tracking id", []string{"UPDATE audit_entries SET tracking_id = 'x' WHERE id = 5"}, []string{"position 5, entry 5: " + hash}},
		{"a changed channel", []string{"UPDATE audit_entries SET channel = 'SCIM' WHERE id = 5"}, []string{"position 5, entry 5: " + hash}},
		{"a changed action", []string{"UPDATE audit_entries SET action = 'DELETE' WHERE id = 5"}, []string{"position 5, entry 5: " + hash}},
		{"a changed type", []string{"UPDATE audit_entries SET object_type = 'RECORD' WHERE id = 5"}, []string{"position 5, entry 5: " + hash}},
		{"a changed object", []string{"UPDATE audit_entries SET object_id = 'x' WHERE id = 5"}, []string{"position 5, entry 5: " + hash}},
		{"a changed source", []string{"UPDATE audit_entries SET source_id = '00000000-0000-4000-8000-000000000001' WHERE id = 5"}, []string{"position 5, entry 5: " + hash}},
		{"changed facts", []string{"UPDATE audit_entries SET facts = '{ }' WHERE id = 5"}, []string{"position 5, entry 5: " + hash}},
		{"a changed digest", []string{"UPDATE audit_entries SET change_digest = sha256('x') WHERE id = 5"}, []string{
			"position 5, entry 5: " + hash, `position 5, entry 5: its detail "change" was changed`,
		}},
		{"a removed entry", []string{"DELETE FROM audit_entries WHERE id = 5"}, []string{"position 5, entry 5: the entry was removed"}},
		{"the first one removed", []string{"DELETE FROM audit_entries WHERE id = 1", "DELETE FROM audit_seals WHERE entry_id = 1", "DELETE FROM audit_details WHERE entry_id = 1"}, []string{
			"position 1: the seal is not there; 1 are missing up to position 1",
		}},
		{"an inserted entry", []string{forged}, []string{
			"entry 1000: the entry is neither in the chain nor waiting for it: it was inserted, or its seal was removed",
		}},
		{"a removed seal", []string{"DELETE FROM audit_seals WHERE position = 5"}, []string{
			"position 5: the seal is not there; 1 are missing up to position 5", removedSeal,
		}},
		{"removed seals", []string{"DELETE FROM audit_seals WHERE position IN (4, 5)", "DELETE FROM audit_entries WHERE id IN (4, 5)", "DELETE FROM audit_details WHERE entry_id IN (4, 5)"}, []string{
			"position 4: the seal is not there; 2 are missing up to position 5",
		}},
		{"a seal closed up", []string{
			"DELETE FROM audit_seals WHERE position = 5", "UPDATE audit_seals SET position = 5 WHERE position = 6",
		}, []string{
			"position 5, entry 6: " + hash, "position 6: the seal is not there; 1 are missing up to position 6", removedSeal,
		}},
		{"swapped entries in their seals", []string{`UPDATE audit_seals SET entry_id = -entry_id WHERE entry_id IN (4, 5)`,
			"UPDATE audit_seals SET entry_id = 9 + entry_id WHERE entry_id < 0"}, []string{
			"position 4, entry 5: " + hash, "position 5, entry 4: " + hash,
		}},
		{"a changed hash", []string{"UPDATE audit_seals SET hash = sha256('x') WHERE position = 5"}, []string{
			"position 5, entry 5: " + hash, "position 6, entry 6: " + hash,
		}},
		{"a changed detail", []string{"UPDATE audit_details SET change = '{}' WHERE entry_id = 5"}, []string{`position 5, entry 5: its detail "change" was changed`}},
		{"a changed salt", []string{"UPDATE audit_details SET actor_salt = 'x' WHERE entry_id = 5"}, []string{`position 5, entry 5: its detail "actor" was changed`}},
		{"a removed part", []string{"UPDATE audit_details SET actor = NULL, actor_salt = NULL WHERE entry_id = 5"}, []string{
			`position 5, entry 5: its detail "actor" was removed, and no erasure names it`,
		}},
		{"removed details", []string{"DELETE FROM audit_details WHERE entry_id = 5"}, []string{
			`position 5, entry 5: its detail "actor" was removed, and no erasure names it`,
			`position 5, entry 5: its detail "change" was removed, and no erasure names it`,
		}},
		{"details of nothing", []string{"INSERT INTO audit_details (entry_id, change) VALUES (1000, '{}')"}, []string{
			"entry 1000: there are details of it, but the entry was removed",
		}},
		{"an entry that waits and was removed", []string{"DELETE FROM audit_entries WHERE id = 11", "DELETE FROM audit_details WHERE entry_id = 11"}, []string{
			"entry 11: it waits for the chain, but the entry was removed",
		}},
		{"an entry that waits no more", []string{"DELETE FROM audit_tail WHERE entry_id = 11"}, []string{
			"entry 11: the entry is neither in the chain nor waiting for it: it was inserted, or its seal was removed",
		}},
		{"a changed detail of one that waits", []string{"UPDATE audit_details SET change = '{}' WHERE entry_id = 11"}, []string{`entry 11: its detail "change" was changed`}},
		{"an entry that is sealed and waits", []string{"INSERT INTO audit_tail (entry_id, txid) VALUES (5, '3')"}, []string{
			"entry 5: it waits for the chain and is in it already",
		}},
		{"the end cut off", []string{"DELETE FROM audit_seals WHERE position > 8", "DELETE FROM audit_entries WHERE id > 8", "DELETE FROM audit_details WHERE entry_id > 8", "DELETE FROM audit_tail"}, []string{
			"position 8: the chain ends here, but it had a position 9: its end was cut off",
		}},
		{"the end written anew", []string{
			"UPDATE audit_seals SET hash = sha256('x') WHERE position = 9", "DELETE FROM audit_seals WHERE position > 9",
			"DELETE FROM audit_entries WHERE id > 9", "DELETE FROM audit_details WHERE entry_id > 9", "DELETE FROM audit_tail",
		}, []string{
			"position 9, entry 9: its hash is not the expected one", "position 9, entry 9: " + hash,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr.restore(t)
			_, faults := tr.verify(t, &expected)
			require.Empty(t, faults)
			for _, statement := range tt.tampers {
				tr.tamper(t, statement)
			}
			_, faults = tr.verify(t, &expected)
			require.Equal(t, tt.want, faults)
		})
	}
}

// TestTheSealerPassesOverWhatItCanNotSeal, so that it is not held up for ever; it
// stays there to be found.
func TestTheSealerPassesOverWhatItCanNotSeal(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	tr.write(t, 3)
	tr.seal(t, 3)
	tr.write(t, 2)
	tr.tamper(t, "INSERT INTO audit_tail (entry_id, txid) VALUES (1, '3'), (1000, '3')")
	tr.tamper(t, "DELETE FROM audit_entries WHERE id = 4")
	tr.seal(t, 4)
	_, faults := tr.verify(t, nil)
	require.Equal(t, []string{
		"entry 1: it waits for the chain and is in it already",
		"entry 4: it waits for the chain, but the entry was removed",
		"entry 1000: it waits for the chain, but the entry was removed",
		"entry 4: there are details of it, but the entry was removed",
	}, faults)
}

// TestAnErasureAccountsForDetailsThatWereThereBefore, and for no others.
func TestAnErasureAccountsForDetailsThatWereThereBefore(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	tr.write(t, 4)
	erased := func(facts string) {
		t.Helper()
		tr.tamper(t, `WITH e AS (INSERT INTO audit_entries (id, occurred, channel, operation, outcome, action, object_type, object_id, facts)
				VALUES (nextval('audit_numbers'), now(), 'COMMAND_LINE', 'x', 'SUCCESS', 'ERASE', 'PERSON', 'x', $1) RETURNING id)
			INSERT INTO audit_tail SELECT id, pg_current_xact_id() FROM e`, facts)
	}
	erased(`{"actors":[2,6],"changes":[2,3]}`)
	erased("no JSON")
	tr.write(t, 1)
	tr.tamper(t, "UPDATE audit_details SET actor = NULL, actor_salt = NULL, change = NULL, change_salt = NULL, subjects = NULL WHERE entry_id IN (2, 3)")
	tr.tamper(t, "UPDATE audit_details SET actor = NULL, actor_salt = NULL WHERE entry_id = 7")
	tr.seal(t, 7)
	report, faults := tr.verify(t, nil)
	require.Equal(t, []string{
		`position 3, entry 3: its detail "actor" was removed, and no erasure names it`,
		`position 7, entry 7: its detail "actor" was removed, and no erasure names it`,
	}, faults)
	require.Equal(t, int64(3), report.Erased)
}

// TestVerifyingEndsWhereItsFaultsCanNotBeTold.
func TestVerifyingEndsWhereItsFaultsCanNotBeTold(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	tr.write(t, 1)
	tr.tamper(t, "DELETE FROM audit_tail")
	_, err := tr.VerifyAudit(t.Context(), nil, func(lifecycle.AuditFault) error { return context.Canceled })
	require.ErrorIs(t, err, context.Canceled)
}

func TestAHeadOfTheChainIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	head := lifecycle.ChainHead{Position: 12, Hash: []byte(strings.Repeat("\xab", 32))}
	parsed, err := lifecycle.ParseChainHead(head.String())
	require.NoError(t, err)
	require.True(t, head.Equal(parsed))
	for _, text := range []string{"", "12", "12:", ":" + strings.Repeat("ab", 32), "0:" + strings.Repeat("ab", 32), "x:ab", "12:abcd", "-1:" + strings.Repeat("ab", 32), "12:" + strings.Repeat("zz", 32)} {
		_, err := lifecycle.ParseChainHead(text)
		require.Error(t, err, text)
	}
}
