package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/store/storetest"
)

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	badge := w.attribute(t, "badge")
	record := w.newRecord(`Müller'); DROP TABLE records; -- ?0 \ "x" %_`)
	record.Data[badge.TechnicalName] = `it's "5\6" ? 日本`
	require.NoError(t, w.CreateRecord(t.Context(), record, plenty))

	got, rel, err := w.GetRecord(t.Context(), record.ID, w.owner.ID)
	require.NoError(t, err)
	require.Equal(t, record, got)
	require.Equal(t, policy.Relations{AccountManager: true}, rel)

	page, _, err := w.ListRecords(t.Context(), policy.Reach{All: true}, filter.Query{Limit: 250})
	require.NoError(t, err)
	require.Equal(t, []lifecycle.Record{record}, page)
	w.requireConsistent(t)
}

// attribute adds a custom attribute to the source.
func (w *world) attribute(t *testing.T, name string) lifecycle.SchemaAttribute {
	t.Helper()
	now := storetest.Now()
	attribute, err := w.CreateAttribute(t.Context(), lifecycle.SchemaAttribute{
		ID: lifecycle.NewID(), SourceID: w.source.ID, Type: lifecycle.AttributeText, TechnicalName: name,
		Label: name, HelpText: "help", Placeholder: "…", Created: now, Modified: now,
	})
	require.NoError(t, err)
	return attribute
}

func TestAnAccountNameIsTakenOnceInASource(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.record(t, "straße")
	w.request(t, "Ω.mega")
	other := storetest.Source(t, w.Store, "Interns", w.owner.ID)
	for name, accountName := range map[string]string{
		"the same name":                    "straße",
		"another case":                     "Straße",
		"what folds alike":                 "STRASSE",
		"a pending request's, other case":  "ω.MEGA",
		"a pending request's, Kelvin-like": "\u2126.mega",
	} {
		t.Run(name, func(t *testing.T) {
			err := w.CreateRecord(t.Context(), w.newRecord(accountName), plenty)
			requireKind(t, lifecycle.KindConflict, err)
			require.Contains(t, err.Error(),
				`Unable to create Non-Employee because the accountName "`+accountName+`" is already being used.`)
			_, err = w.AcceptRequest(t.Context(), w.newRequest(accountName), plenty)
			requireKind(t, lifecycle.KindConflict, err)
		})
	}
	elsewhere := w.newRecord("straße")
	elsewhere.SourceID = other.ID
	require.NoError(t, w.CreateRecord(t.Context(), elsewhere, plenty))
	w.requireConsistent(t)
}

func TestCreatingARecordNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	noSource := w.newRecord("a")
	noSource.SourceID = lifecycle.NewID()
	noManager := w.newRecord("b")
	noManager.Manager.ID = lifecycle.NewID()
	for field, record := range map[string]lifecycle.Record{"sourceId": noSource, "manager": noManager} {
		err := w.CreateRecord(t.Context(), record, plenty)
		requireKind(t, lifecycle.KindReferenceNotFound, err)
		var e *lifecycle.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, field, e.Field)
	}
	backwards := w.newRecord("c")
	backwards.EndDate = backwards.StartDate
	requireKind(t, lifecycle.KindIllegalValue, w.CreateRecord(t.Context(), backwards, plenty))
	withNUL := w.newRecord("d")
	withNUL.FirstName = "a\x00b"
	requireKind(t, lifecycle.KindIllegalValue, w.CreateRecord(t.Context(), withNUL, plenty))
	badge := w.attribute(t, "badge")
	dataNUL := w.newRecord("e")
	dataNUL.Data[badge.TechnicalName] = "a\x00b"
	requireKind(t, lifecycle.KindIllegalValue, w.CreateRecord(t.Context(), dataNUL, plenty))
	w.requireConsistent(t)
}

func TestASourceHoldsNoMoreThanItsLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.record(t, "a")
	w.request(t, "b")
	err := w.CreateRecord(t.Context(), w.newRecord("c"), 2)
	requireKind(t, lifecycle.KindLimit, err)
	require.Contains(t, err.Error(), "2 records")
	_, err = w.AcceptRequest(t.Context(), w.newRequest("c"), 2)
	requireKind(t, lifecycle.KindLimit, err)
	w.requireConsistent(t)
}

func TestARecordIsChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.attribute(t, "badge")
	record, other := w.record(t, "before"), w.record(t, "other")

	changed, err := w.UpdateRecord(t.Context(), record.ID, func(r *lifecycle.Record, attributes []lifecycle.SchemaAttribute) error {
		require.Equal(t, record, *r)
		require.Len(t, attributes, 9)
		r.AccountName, r.FirstName, r.Data["badge"] = "After", "Éva", "7"
		r.EndDate = r.EndDate.Add(time.Hour)
		r.Manager = lifecycle.ManagerReference{ID: w.outsider.ID, Alias: w.outsider.Alias}
		return nil
	})
	require.NoError(t, err)
	require.True(t, changed.Modified.After(record.Modified))
	got, _, err := w.GetRecord(t.Context(), record.ID, lifecycle.ID{})
	require.NoError(t, err)
	require.Equal(t, changed, got)
	require.Equal(t, "outsider", got.Manager.Alias)
	w.requireConsistent(t)

	t.Run("to another case of its own name", func(t *testing.T) {
		_, err := w.UpdateRecord(t.Context(), record.ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
			r.AccountName = "AFTER"
			return nil
		})
		require.NoError(t, err)
	})
	t.Run("to another's name is a conflict", func(t *testing.T) {
		_, err := w.UpdateRecord(t.Context(), record.ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
			r.AccountName = other.AccountName
			return nil
		})
		requireKind(t, lifecycle.KindConflict, err)
	})
	t.Run("an error of the change comes back as it is", func(t *testing.T) {
		own := errors.New("no")
		_, err := w.UpdateRecord(t.Context(), record.ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
			r.FirstName = "never"
			return own
		})
		require.Same(t, own, err)
		got, _, err := w.GetRecord(t.Context(), record.ID, lifecycle.ID{})
		require.NoError(t, err)
		require.Equal(t, "Éva", got.FirstName)
	})
	t.Run("an unknown one is not found", func(t *testing.T) {
		_, err := w.UpdateRecord(t.Context(), lifecycle.NewID(), func(*lifecycle.Record, []lifecycle.SchemaAttribute) error {
			return errors.New("never called")
		})
		requireKind(t, lifecycle.KindNotFound, err)
	})
	w.record(t, "before")
	w.requireConsistent(t)
}

func TestADeletedRecordFreesItsNameAndPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	record := w.record(t, "name")
	require.NoError(t, w.DeleteRecord(t.Context(), record.ID))
	requireKind(t, lifecycle.KindNotFound, w.DeleteRecord(t.Context(), record.ID))
	_, rel, err := w.GetRecord(t.Context(), record.ID, w.owner.ID)
	requireKind(t, lifecycle.KindNotFound, err)
	require.Zero(t, rel)
	w.requireConsistent(t)
	require.NoError(t, w.CreateRecord(t.Context(), w.newRecord("NAME"), 1))
}

func TestRecordsAreDeletedAllOrNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	elsewhere := storetest.Source(t, w.Store, "Interns", w.owner.ID)
	other := w.newRecord("c")
	other.SourceID = elsewhere.ID
	require.NoError(t, w.CreateRecord(t.Context(), other, plenty))
	ids := []lifecycle.ID{w.record(t, "a").ID, other.ID, w.record(t, "b").ID}
	w.record(t, "stays")

	unknown := lifecycle.NewID()
	err := w.DeleteRecords(t.Context(), append([]lifecycle.ID{ids[0], unknown, lifecycle.NewID()}, ids...))
	requireKind(t, lifecycle.KindReferenceNotFound, err)
	require.Contains(t, err.Error(), unknown.String())
	require.Equal(t, 4, w.number(t, "SELECT count(*) FROM records"))
	w.requireConsistent(t)

	require.NoError(t, w.DeleteRecords(t.Context(), append(ids, ids...)))
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM records"))
	w.requireConsistent(t)
	require.NoError(t, w.DeleteRecords(t.Context(), nil))
}

func TestTwentyThousandRecordsAreDeletedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.fill(t, w.source.ID, lifecycle.MaxBulkDelete)
	var ids []lifecycle.ID
	rows, err := w.admin.QueryContext(t.Context(), "SELECT id FROM records ORDER BY random()")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var id lifecycle.ID
		require.NoError(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, rows.Err())
	require.Len(t, ids, lifecycle.MaxBulkDelete)
	require.NoError(t, w.DeleteRecords(t.Context(), ids))
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM records"))
	w.requireConsistent(t)
}

// fill puts n records into the source, whose dates, names and managers differ.
func (w *world) fill(t *testing.T, source lifecycle.ID, n int) {
	t.Helper()
	_, err := w.admin.ExecContext(t.Context(), `WITH made AS (
			INSERT INTO records (id, source_id, account_name, account_name_folded, first_name, first_name_folded,
				last_name, last_name_folded, phone, email, email_folded, manager_id, start_date, end_date, data, created, modified)
			SELECT gen_random_uuid(), $1, 'user.' || n, 'user.' || n, 'First ' || n % 5000, 'first ' || n % 5000,
				'Last ' || n % 7000, 'last ' || n % 7000, '+1 555 ' || n, 'user' || n || '@example.org', 'user' || n || '@example.org',
				m.id, timestamptz '2026-01-01' + n * interval '1 hour', timestamptz '2030-01-01' + n * interval '1 hour',
				'{}', timestamptz '2026-01-01' + n * interval '1 second', timestamptz '2026-02-01' + random() * 8640000 * interval '1 second'
			FROM generate_series(1, $2::int) AS n
			JOIN (SELECT id, row_number() OVER (ORDER BY alias_folded) - 1 AS k, count(*) OVER () AS c FROM identities) AS m ON m.k = n % m.c
			RETURNING id, source_id, account_name_folded
		), named AS (
			INSERT INTO account_names (source_id, folded, holder) SELECT source_id, account_name_folded, id FROM made
		)
		UPDATE source_counters SET records = records + $2::int WHERE source_id = $1`, source.String(), n)
	require.NoError(t, err)
}
