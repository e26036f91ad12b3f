package store_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// lookups are the reads of one object each, by name.
func (w *world) lookups(t *testing.T) map[string]func(viewer lifecycle.ID) (policy.Relations, error) {
	t.Helper()
	record, request := w.record(t, "looked.up"), w.request(t, "asked.for")
	return map[string]func(lifecycle.ID) (policy.Relations, error){
		"record": func(viewer lifecycle.ID) (policy.Relations, error) {
			_, rel, err := w.GetRecord(t.Context(), record.ID, viewer)
			return rel, err
		},
		"request": func(viewer lifecycle.ID) (policy.Relations, error) {
			_, rel, err := w.GetRequest(t.Context(), request.ID, viewer)
			return rel, err
		},
		"source": func(viewer lifecycle.ID) (policy.Relations, error) {
			_, rel, err := w.GetSource(t.Context(), w.source.ID, viewer)
			return rel, err
		},
		"approval": func(viewer lifecycle.ID) (policy.Relations, error) {
			_, rel, err := w.GetApproval(t.Context(), request.Items[0].ID, viewer)
			return rel, err
		},
	}
}

// prepared counts the statements that the one connection of the store keeps.
func (w *world) prepared(t *testing.T) string {
	t.Helper()
	n, err := w.Select(t.Context(), "SELECT count(*)::text FROM pg_prepared_statements")
	require.NoError(t, err)
	return n
}

func TestLookupsTellWhatTiesTheViewer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	member := storetest.Identity(t, w.Store, "member")
	group := lifecycle.Workgroup{
		ID: lifecycle.NewID(), Name: "Field", Members: []lifecycle.ID{member.ID}, Created: storetest.Now(),
	}
	require.NoError(t, w.CreateWorkgroup(t.Context(), group))
	_, err := w.UpdateSource(t.Context(), w.source.ID, func(s *lifecycle.Source) error {
		s.ManagementWorkgroup = group.ID
		s.AccountManagers = []lifecycle.Reference{lifecycle.IdentityReference(w.outsider.ID)}
		return nil
	})
	require.NoError(t, err)
	lookups := w.lookups(t)
	for name, want := range map[string]map[lifecycle.ID]policy.Relations{
		"record":  {w.approvers[0].ID: {}},
		"source":  {w.approvers[0].ID: {}},
		"request": {w.owner.ID: {AccountManager: true, Requester: true}, w.approvers[0].ID: {}},
		"approval": {
			w.owner.ID: {AccountManager: true, Requester: true}, w.approvers[0].ID: {Approver: true},
		},
	} {
		for viewer, rel := range map[lifecycle.ID]policy.Relations{
			{}: {}, lifecycle.NewID(): {}, w.owner.ID: {AccountManager: true}, w.outsider.ID: {AccountManager: true},
			member.ID: {Workgroup: true},
		} {
			if _, ok := want[viewer]; !ok {
				want[viewer] = rel
			}
		}
		for viewer, rel := range want {
			got, err := lookups[name](viewer)
			require.NoError(t, err, "%s %s", name, viewer)
			require.Equal(t, rel, got, "%s %s", name, viewer)
		}
	}
}

// TestLookupsWorkWhereStatementsGetLost does to the session what a pooler in
// transaction mode that does not follow prepared statements, or a migration,
// does to it.
func TestLookupsWorkWhereStatementsGetLost(t *testing.T) {
	t.Parallel()
	const forget = "DEALLOCATE ALL"
	for name, lose := range map[string]func(*testing.T, *world){
		"the session is another's, without the statement": func(t *testing.T, w *world) {
			t.Helper()
			require.NoError(t, w.Exec(t.Context(), forget))
		},
		"the type of a column has changed": func(t *testing.T, w *world) {
			t.Helper()
			for _, statement := range []string{
				"ALTER TABLE records ALTER first_name TYPE varchar", "ALTER TABLE requests ALTER first_name TYPE varchar",
				"ALTER TABLE sources ALTER name TYPE varchar", "ALTER TABLE approval_items ALTER comment TYPE varchar",
			} {
				_, err := w.admin.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, 1, store.Config{MaxConns: 1})
			lookups := w.lookups(t)
			for range 2 {
				for name, look := range lookups {
					_, err := look(w.owner.ID)
					require.NoError(t, err, name)
				}
			}
			require.Equal(t, "4", w.prepared(t))
			lose(t, w)
			for name, look := range lookups {
				rel, err := look(w.owner.ID)
				require.NoError(t, err, name)
				require.True(t, rel.AccountManager, name)
			}
			require.NoError(t, w.Exec(t.Context(), forget))
			for name, look := range lookups {
				_, err := look(lifecycle.ID{})
				require.NoError(t, err, name)
			}
			require.Equal(t, "0", w.prepared(t), "what is lost once is not prepared again")
		})
	}
	t.Run("the session is another's, who has the statement", func(t *testing.T) {
		t.Parallel()
		w := newWorldWith(t, 1, store.Config{MaxConns: 1})
		lookups := w.lookups(t)
		for name, look := range lookups {
			_, err := look(lifecycle.ID{})
			require.NoError(t, err, name)
		}
		names, err := w.Select(t.Context(), "SELECT string_agg(name, ',') FROM pg_prepared_statements")
		require.NoError(t, err)
		other := w.schema.Open(t, store.Config{MaxConns: 1})
		for name := range strings.SplitSeq(names, ",") {
			require.NoError(t, other.Exec(t.Context(), "PREPARE "+name+" AS SELECT 1"))
		}
		w.Store = other
		for name, look := range lookups {
			_, err := look(lifecycle.ID{})
			require.NoError(t, err, name)
		}
	})
}

func TestALookupOfWhatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for _, id := range []lifecycle.ID{{}, lifecycle.NewID()} {
		for _, viewer := range []lifecycle.ID{{}, w.owner.ID} {
			_, rel, err := w.GetRecord(t.Context(), id, viewer)
			requireKind(t, lifecycle.KindNotFound, err)
			require.Zero(t, rel)
			_, rel, err = w.GetRequest(t.Context(), id, viewer)
			requireKind(t, lifecycle.KindNotFound, err)
			require.Zero(t, rel)
			_, rel, err = w.GetSource(t.Context(), id, viewer)
			requireKind(t, lifecycle.KindNotFound, err)
			require.Zero(t, rel)
			_, rel, err = w.GetApproval(t.Context(), id, viewer)
			requireKind(t, lifecycle.KindNotFound, err)
			require.Zero(t, rel)
		}
	}
}
