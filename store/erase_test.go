package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// The file that people come in.
const fileHeader = "accountName, Email,manager"

// gone is what is looked for after its erasure. It is in everything that tells of
// the person, in another case now and then.
const gone = "trillian"

// eraser is the store as the role that owns the tables.
func eraser(t testing.TB, schema storetest.Schema) *store.Store {
	t.Helper()
	owner, err := store.Open(t.Context(), store.Config{URL: schema.MigrationURL, MaxConns: 4, StatementTimeout: 30 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, owner.Close()) })
	return owner
}

// erase erases whom target names and returns what was counted.
func erase(t testing.TB, owner *store.Store, target lifecycle.ErasureTarget) lifecycle.Erasure {
	t.Helper()
	person, err := owner.FindErased(t.Context(), target)
	require.NoError(t, err)
	planned, err := owner.CountErasure(t.Context(), person)
	require.NoError(t, err)
	ctx := lifecycle.WithOrigin(t.Context(), lifecycle.Origin{Channel: lifecycle.ChannelCommandLine, Operation: "admin erase"})
	id, err := owner.BeginErasure(ctx, person)
	require.NoError(t, err)
	var erased lifecycle.Erasure
	require.NoError(t, owner.FinishErasures(ctx, func(e lifecycle.Erasure) { erased = e }))
	require.Equal(t, id, erased.ID)
	planned.ID = id
	require.Equal(t, planned, erased, "as much is erased as was counted before")
	return erased
}

// mentions are the columns of any table that hold the text, in any case, or its
// bytes.
func mentions(t testing.TB, db *sql.DB, text string) (columns []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT table_name, column_name, data_type FROM information_schema.columns
		WHERE table_schema = current_schema() ORDER BY 1, 2`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	type column struct{ table, name, kind string }
	var all []column
	for rows.Next() {
		var c column
		require.NoError(t, rows.Scan(&c.table, &c.name, &c.kind))
		all = append(all, c)
	}
	require.NoError(t, rows.Err())
	for _, c := range all {
		found := fmt.Sprintf("position(lower($1) IN lower(%q::text)) > 0", c.name)
		if c.kind == "bytea" {
			found = fmt.Sprintf("position(convert_to($1, 'UTF8') IN %q) > 0", c.name)
		}
		var n int
		require.NoError(t, db.QueryRowContext(t.Context(), fmt.Sprintf("SELECT count(*) FROM %q WHERE %s", c.table, found), text).Scan(&n))
		if n > 0 {
			columns = append(columns, c.table+"."+c.name)
		}
	}
	return columns
}

// personOf makes up somebody all of whose texts have the account name in them.
func (w *world) personOf(account string) lifecycle.Person {
	p := storetest.Person(account, w.owner)
	p.Data = map[string]string{"badge": "Badge of " + account}
	return p
}

// lived is a source in which two people left traces everywhere.
type lived struct {
	*world
	owning *store.Store
	// record, pending and rejected are of each person.
	record            map[string]lifecycle.Record
	pending, rejected map[string]lifecycle.Request
	staged, faulty    lifecycle.ID
	export            lifecycle.ID
	elsewhereExport   lifecycle.ID
}

func newLived(t *testing.T) *lived {
	t.Helper()
	w := newWorld(t, 1)
	w.attribute(t, "badge")
	l := &lived{
		world: w, owning: eraser(t, w.schema), record: map[string]lifecycle.Record{},
		pending: map[string]lifecycle.Request{}, rejected: map[string]lifecycle.Request{},
	}
	ctx := lifecycle.WithOrigin(t.Context(), lifecycle.Origin{
		Channel: lifecycle.ChannelAPI, Operation: "op", Identity: w.owner.ID, Client: "janes-laptop", Address: "192.0.2.7",
	})
	ask := func(person lifecycle.Person) lifecycle.Request {
		q := w.newRequest(person.AccountName)
		q.Person = person
		accepted, err := w.AcceptRequest(ctx, q, plenty)
		require.NoError(t, err)
		return accepted
	}
	answer := func(q lifecycle.Request, verdict lifecycle.Verdict, comment string) {
		d := decision(q, 0, verdict)
		require.NoError(t, w.AnnounceDecision(ctx, d, comment))
		require.Equal(t, lifecycle.DecisionStored, w.decide(t, d))
	}
	people := []string{gone, "arthur"}
	var rows, unfit []lifecycle.ImportRow
	for i, who := range people {
		rejected := ask(w.personOf(who))
		answer(rejected, lifecycle.VerdictReject, "Not "+who)
		l.rejected[who] = w.stored(t, rejected.ID)
		approved := ask(w.personOf(who))
		answer(approved, lifecycle.VerdictApprove, "Yes to "+who)
		id := lifecycle.MustParseID(w.text(t, "SELECT id FROM records WHERE account_name = $1", who))
		record, err := w.UpdateRecord(ctx, id, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
			r.Phone = "+1 of " + who
			return nil
		})
		require.NoError(t, err)
		record, err = w.EndRecord(ctx, record.ID, "No need of "+who)
		require.NoError(t, err)
		l.record[who] = record
		// Their name is free for a request in another source alone.
		other := w.personOf(who)
		other.AccountName, other.Email = "other."+who, who+"@EXAMPLE.org"
		l.pending[who] = ask(other)
		rows = append(rows, lifecycle.ImportRow{
			Number: i + 1, Line: i + 2, RecordID: lifecycle.NewID(), Person: w.personOf(who),
			Cells: who + "," + who + "@example.org,jane.doe",
		})
		held := other
		unfit = append(unfit, lifecycle.ImportRow{
			Number: i + 1, Line: i + 2, RecordID: lifecycle.NewID(), Person: held,
			Cells: fmt.Sprintf(`"Other.%s",%s,jane.doe`, who, held.Email),
		})
	}
	rows[0].Person.Phone = "+1 555 0199"
	l.faulty = l.file(t, unfit...)
	require.Equal(t, lifecycle.JobError, w.carryOut(t, l.faulty, 10).Status)
	l.staged = l.file(t, rows...)
	l.export = w.beginExport(t).ID
	_, err := w.WriteExport(t.Context(), l.export, keep, func(int) {})
	require.NoError(t, err)
	away := w.elsewhere(t, "Elsewhere")
	l.elsewhereExport = away.beginExport(t).ID
	_, err = w.WriteExport(t.Context(), l.elsewhereExport, keep, func(int) {})
	require.NoError(t, err)
	return l
}

// file is an import of these rows that waits.
func (l *lived) file(t *testing.T, rows ...lifecycle.ImportRow) lifecycle.ID {
	t.Helper()
	job := lifecycle.ImportJob{
		ID: lifecycle.NewID(), SourceID: l.source.ID, Requester: l.owner.ID, ClientID: "janes-laptop", Created: storetest.Now(),
	}
	_, err := l.BeginImport(t.Context(), job, []string{"badge"}, fileHeader, plenty, lease)
	require.NoError(t, err)
	l.stage(t, job.ID, rows...)
	_, err = l.SealImport(t.Context(), job.ID)
	require.NoError(t, err)
	return job.ID
}

func (w *world) text(t testing.TB, query string, args ...any) string {
	t.Helper()
	var text string
	require.NoError(t, w.admin.QueryRowContext(t.Context(), query, args...).Scan(&text))
	return text
}

// requireSound holds that the trail is as it was written but for what erasures name.
func (l *lived) requireSound(t *testing.T) lifecycle.AuditReport {
	t.Helper()
	report, err := l.VerifyAudit(t.Context(), nil, func(f lifecycle.AuditFault) error {
		t.Errorf("fault: %s", f)
		return nil
	})
	require.NoError(t, err)
	return report
}

// everywhere is where the traces of a person are before they are erased.
var everywhere = []string{
	"account_names.folded", "approval_items.comment", "audit_details.change", "audit_details.subjects",
	"decision_comments.comment", "export_chunks.bytes", "import_faults.cells", "import_faults.message",
	"import_rows.account_name", "import_rows.account_name_folded", "import_rows.cells", "import_rows.data",
	"import_rows.email", "import_rows.email_folded", "import_rows.first_name", "import_rows.first_name_folded",
	"import_rows.last_name", "import_rows.last_name_folded",
	"records.account_name", "records.account_name_folded", "records.data", "records.email", "records.email_folded", "records.ended_reason",
	"records.first_name", "records.first_name_folded", "records.last_name", "records.last_name_folded", "records.phone",
	"requests.account_name", "requests.account_name_folded", "requests.data", "requests.email", "requests.email_folded",
	"requests.first_name", "requests.first_name_folded", "requests.last_name", "requests.last_name_folded",
}

// TestAPersonIsErasedEverywhere, and nobody else.
func TestAPersonIsErasedEverywhere(t *testing.T) {
	t.Parallel()
	l := newLived(t)
	require.Equal(t, everywhere, mentions(t, l.admin, gone))
	others := l.number(t, "SELECT count(*) FROM audit_details WHERE change LIKE '%arthur%'")
	stranger := mentions(t, l.admin, "arthur")
	requests := l.number(t, "SELECT count(*) FROM requests")

	erased := erase(t, l.owning, lifecycle.ErasureTarget{Email: strings.ToUpper(gone) + "@example.org"})
	require.Empty(t, mentions(t, l.admin, gone))
	l.requireConsistent(t)
	require.Equal(t, []int{1, 3, 1, 0, 0}, []int{erased.Records, erased.Requests, erased.Exports, erased.Actors, erased.Identities})
	require.Positive(t, erased.Changes)
	require.Equal(t, requests-3, l.number(t, "SELECT count(*) FROM requests"))
	require.Equal(t, 1, l.number(t, "SELECT count(*) FROM workflow_endings WHERE request_id = $1", l.pending[gone].ID.String()), "its workflow has to end")

	// What others left is where it was, but for the file that both were in.
	stranger = slices.DeleteFunc(stranger, func(column string) bool { return column == "export_chunks.bytes" })
	require.Equal(t, stranger, mentions(t, l.admin, "arthur"))
	require.Equal(t, others, l.number(t, "SELECT count(*) FROM audit_details WHERE change LIKE '%arthur%'"))
	require.Equal(t, "ERROR", l.text(t, "SELECT status FROM export_jobs WHERE id = $1", l.export.String()))
	require.Equal(t, "COMPLETED", l.text(t, "SELECT status FROM export_jobs WHERE id = $1", l.elsewhereExport.String()))

	// A fault keeps its form.
	faults, _, err := l.ListImportFaults(t.Context(), l.source.ID, l.faulty, 10, 0, true)
	require.NoError(t, err)
	require.Equal(t, []string{",,", `"Other.arthur",arthur@EXAMPLE.org,jane.doe`}, []string{faults[0].Cells, faults[1].Cells})
	require.Equal(t, lifecycle.ErasedRow, faults[0].Message)

	// The import that waited takes the other row.
	progress := l.carryOut(t, l.staged, 1)
	require.Equal(t, lifecycle.ImportCounts{Total: 2, Done: 2, Updated: 1, Failed: 1}, progress.ImportCounts)
	faults, _, err = l.ListImportFaults(t.Context(), l.source.ID, l.staged, 10, 0, true)
	require.NoError(t, err)
	require.Len(t, faults, 1)
	require.Equal(t, []string{",,", lifecycle.ErasedRow}, []string{faults[0].Cells, faults[0].Message})
	require.Empty(t, mentions(t, l.admin, gone))
	l.requireConsistent(t)

	report := l.requireSound(t)
	require.Equal(t, int64(erased.Changes), report.Erased)
	var facts string
	require.NoError(t, l.admin.QueryRowContext(t.Context(), `SELECT facts FROM audit_entries WHERE action = 'ERASE' AND object_type = 'PERSON'
		AND object_id = $1 AND channel = 'COMMAND_LINE' ORDER BY id DESC LIMIT 1`, erased.ID.String()).Scan(&facts))
	counts := lifecycle.Erasure{ID: erased.ID}
	require.NoError(t, json.Unmarshal([]byte(facts), &counts))
	require.Equal(t, erased, counts)
	require.Zero(t, l.number(t, "SELECT count(*) FROM erasures"))
	_, err = l.owning.FindErased(t.Context(), lifecycle.ErasureTarget{Email: gone + "@example.org"})
	requireKind(t, lifecycle.KindNotFound, err)
}

// TestAPersonIsFoundByAnyOfTheirTraces.
func TestAPersonIsFoundByAnyOfTheirTraces(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]func(l *lived) lifecycle.ErasureTarget{
		"the record":  func(l *lived) lifecycle.ErasureTarget { return lifecycle.ErasureTarget{Record: l.record[gone].ID} },
		"the request": func(l *lived) lifecycle.ErasureTarget { return lifecycle.ErasureTarget{Request: l.rejected[gone].ID} },
		"the account name": func(l *lived) lifecycle.ErasureTarget {
			return lifecycle.ErasureTarget{Source: l.source.ID, AccountName: strings.ToUpper(gone)}
		},
		"a record that was deleted": func(l *lived) lifecycle.ErasureTarget {
			require.NoError(t, l.DeleteRecord(t.Context(), l.record[gone].ID))
			return lifecycle.ErasureTarget{Record: l.record[gone].ID}
		},
		"a request that was deleted": func(l *lived) lifecycle.ErasureTarget {
			require.NoError(t, l.DeleteRequest(t.Context(), l.rejected[gone].ID))
			return lifecycle.ErasureTarget{Request: l.rejected[gone].ID}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLived(t)
			erase(t, l.owning, target(l))
			l.requireConsistent(t)
			l.requireSound(t)
			// By another account name they are somebody else, unless an address says so.
			erase(t, l.owning, lifecycle.ErasureTarget{Request: l.pending[gone].ID})
			require.Empty(t, mentions(t, l.admin, gone))
			l.requireConsistent(t)
			l.requireSound(t)
		})
	}
}

// TestARecordIsErasedWithTheRequestThatItBecameOf, whatever it is called by now.
func TestARecordIsErasedWithTheRequestThatItBecameOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	owner := eraser(t, w.schema)
	request := w.request(t, gone)
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(request, 0, lifecycle.VerdictApprove)))
	id := lifecycle.MustParseID(w.text(t, "SELECT id FROM records"))
	_, err := w.UpdateRecord(t.Context(), id, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
		r.Person = storetest.Person("tricia", w.owner)
		r.LastName += " " + gone
		return nil
	})
	require.NoError(t, err)
	erased := erase(t, owner, lifecycle.ErasureTarget{Request: request.ID})
	require.Equal(t, []int{1, 1}, []int{erased.Records, erased.Requests})
	require.Empty(t, mentions(t, w.admin, gone))
	require.Empty(t, mentions(t, w.admin, "tricia"))
	w.requireConsistent(t)
}

// TestAnIdentityIsErased: the row stays, for what names it, and says nothing more.
func TestAnIdentityIsErased(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	owner := eraser(t, w.schema)
	user := lifecycle.DirectoryUser{
		Identity: lifecycle.Identity{
			ID: lifecycle.NewID(), Alias: gone, Name: "The " + gone, Email: gone + "@example.com",
			Levels: []lifecycle.Level{lifecycle.LevelOrgAdmin}, Active: true, Created: storetest.Now(), Modified: storetest.Now(),
		},
		ExternalID: "ext-" + gone, GivenName: "Given " + gone, FamilyName: "Family " + gone, FormattedName: "Formatted " + gone, Version: 1,
	}
	_, err := w.CreateUser(t.Context(), user)
	require.NoError(t, err)
	identity := user.Identity
	require.NoError(t, w.CreateWorkgroup(t.Context(), lifecycle.Workgroup{
		ID: lifecycle.NewID(), Name: "Group", Members: []lifecycle.ID{identity.ID, w.owner.ID}, Created: storetest.Now(),
	}))
	require.NoError(t, w.CreateClient(t.Context(), lifecycle.Client{
		ID: "pat-1", Name: "The laptop of " + gone, SecretHash: []byte("x"), IdentityID: identity.ID, Active: true, Created: storetest.Now(),
	}))
	ctx := lifecycle.WithOrigin(t.Context(), lifecycle.Origin{
		Channel: lifecycle.ChannelAPI, Operation: "op", Identity: identity.ID, Client: gone + "-token", Address: "192.0.2.99",
	})
	l := &lived{world: w}
	managed := w.newRecord("arthur")
	managed.Manager = lifecycle.ManagerReference{ID: identity.ID, Alias: identity.Alias}
	require.NoError(t, w.CreateRecord(ctx, managed, plenty))
	row := lifecycle.ImportRow{Number: 1, Line: 2, RecordID: lifecycle.NewID(), Person: w.personOf("ford"), Cells: "ford,ford@example.org," + gone}
	row.Person.Manager = managed.Manager
	row.Person.Data = map[string]string{}
	staged := l.file(t, row)
	w.change(t, "UPDATE import_jobs SET requester_id = $1, client_id = $2", identity.ID.String(), gone+"-token")
	w.change(t, `INSERT INTO import_faults (job_id, number, line, column_name, kind, message, cells)
		VALUES ($1, 9, 10, 'manager', 'conflict', 'm', $2)`, staged.String(), "zarniwoop,z@example.org,"+strings.ToUpper(gone))
	request := w.request(t, "zarniwoop")
	d := decision(request, 0, lifecycle.VerdictApprove)
	d.Approver = identity.ID
	require.NoError(t, w.AnnounceDecision(ctx, d, "a comment"))
	export := w.beginExport(t)
	_, err = w.WriteExport(t.Context(), export.ID, keep, func(int) {})
	require.NoError(t, err)
	// The name stands where two pieces of a file meet.
	split := w.beginExport(t)
	w.change(t, "UPDATE export_jobs SET status = 'COMPLETED', attempt = 1 WHERE id = $1", split.ID.String())
	w.change(t, "INSERT INTO export_chunks (job_id, attempt, number, bytes) VALUES ($1, 1, 0, 'x,tri'), ($1, 1, 1, 'llian,y')", split.ID.String())
	without := w.elsewhere(t, "Elsewhere").beginExport(t)
	_, err = w.WriteExport(t.Context(), without.ID, keep, func(int) {})
	require.NoError(t, err)

	require.Equal(t, []string{
		"audit_details.actor", "audit_details.change", "audit_details.subjects", "clients.name",
		"decision_comments.client_id", "export_chunks.bytes", "identities.alias", "identities.alias_folded", "identities.email",
		"identities.email_folded", "identities.external_id", "identities.family_name", "identities.family_name_folded",
		"identities.formatted_name", "identities.given_name", "identities.given_name_folded", "identities.name",
		"identities.name_folded", "import_faults.cells", "import_jobs.client_id", "import_rows.cells",
	}, mentions(t, w.admin, gone))
	erased := erase(t, owner, lifecycle.ErasureTarget{Identity: identity.ID})
	require.Empty(t, mentions(t, w.admin, gone))
	require.NotContains(t, mentions(t, w.admin, "192.0.2.99"), "audit_details.actor")
	require.Equal(t, []int{1, 1, 2, 1, 1, 2}, []int{
		erased.Identities, erased.Clients, erased.Mentions, erased.StagedRows, erased.Faults, erased.Exports,
	})
	require.Positive(t, erased.Actors)
	require.Positive(t, erased.Changes)
	_, err = w.GetIdentity(t.Context(), identity.ID)
	requireKind(t, lifecycle.KindNotFound, err)
	found, err := w.ResolveIdentities(t.Context(), []string{identity.ID.String()})
	require.NoError(t, err)
	nameless := found[identity.ID.String()]
	require.Equal(t, []any{"erased-" + erased.ID.String(), "", "", false, 0}, []any{nameless.Alias, nameless.Name, nameless.Email, nameless.Active, len(nameless.Levels)})
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM workgroup_members"))
	require.Equal(t, "COMPLETED", w.text(t, "SELECT status FROM export_jobs WHERE id = $1", without.ID.String()))
	l.requireSound(t)
	w.requireConsistent(t)
	// Those they manage stay.
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM records WHERE manager_id = $1", identity.ID.String()))
	_, err = owner.FindErased(t.Context(), lifecycle.ErasureTarget{Identity: lifecycle.NewID()})
	requireKind(t, lifecycle.KindNotFound, err)
}

// TestAnIdentityThatWasDeletedIsErased, and not the one who has its alias now.
func TestAnIdentityThatWasDeletedIsErased(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	owner := eraser(t, w.schema)
	before := storetest.Identity(t, w.Store, gone)
	require.NoError(t, w.CreateClient(t.Context(), lifecycle.Client{
		ID: "pat-1", Name: "The first laptop", SecretHash: []byte("x"), IdentityID: before.ID, Active: true, Created: storetest.Now(),
	}))
	require.NoError(t, w.DeleteUser(t.Context(), before.ID, func(lifecycle.DirectoryUser) error { return nil }))
	after := storetest.Identity(t, w.Store, gone)
	told := `SELECT count(*) FROM audit_entries AS e JOIN audit_details AS d ON d.entry_id = e.id WHERE d.change IS NOT NULL AND e.object_id = $1`
	require.Equal(t, 1, w.number(t, told, after.ID.String()))
	erase(t, owner, lifecycle.ErasureTarget{Identity: before.ID})
	require.Zero(t, w.number(t, told, before.ID.String()))
	require.Zero(t, w.number(t, told, "pat-1"))
	require.Equal(t, 1, w.number(t, told, after.ID.String()))
	found, err := w.FindIdentity(t.Context(), gone)
	require.NoError(t, err)
	require.Equal(t, after.ID, found.ID)
	(&lived{world: w}).requireSound(t)
}

// TestNobodyIsErasedOfWhomNothingIsKnown.
func TestNobodyIsErasedOfWhomNothingIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	owner := eraser(t, w.schema)
	for _, target := range []lifecycle.ErasureTarget{
		{Record: lifecycle.NewID()}, {Request: lifecycle.NewID()}, {Email: "nobody@example.org"},
		{Source: w.source.ID, AccountName: "nobody"}, {Identity: lifecycle.NewID()},
	} {
		_, err := owner.FindErased(t.Context(), target)
		requireKind(t, lifecycle.KindNotFound, err)
	}
}

// TestTheApplicationErasesNobody: its role can neither note whom to erase nor look.
func TestTheApplicationErasesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	_, err := w.BeginErasure(t.Context(), lifecycle.ErasedPerson{})
	requireKind(t, lifecycle.KindForbidden, err)
	requireKind(t, lifecycle.KindForbidden, w.FinishErasures(t.Context(), func(lifecycle.Erasure) {}))
}

// TestAnErasureThatIsInterruptedGoesOn: wherever it stops, the trail is sound, and
// the next call finishes it, with all that it has removed counted.
func TestAnErasureThatIsInterruptedGoesOn(t *testing.T) {
	t.Parallel()
	l := newLived(t)
	person, err := l.owning.FindErased(t.Context(), lifecycle.ErasureTarget{Email: gone + "@example.org"})
	require.NoError(t, err)
	planned, err := l.owning.CountErasure(t.Context(), person)
	require.NoError(t, err)
	planned.ID, err = l.owning.BeginErasure(t.Context(), person)
	require.NoError(t, err)
	var erased []lifecycle.Erasure
	broken := 0
	for steps := 1; len(erased) == 0; steps++ {
		ctx, stop := context.WithCancel(t.Context())
		left := steps
		l.owning.Spy(func(query string) {
			if strings.HasPrefix(query, "UPDATE erasures") {
				if left--; left == 0 {
					stop()
				}
			}
		})
		err := l.owning.FinishErasures(ctx, func(e lifecycle.Erasure) { erased = append(erased, e) })
		stop()
		if err != nil {
			broken++
		}
		l.requireSound(t)
		l.requireConsistent(t)
	}
	require.Greater(t, broken, 3)
	require.Equal(t, []lifecycle.Erasure{planned}, erased)
	require.Empty(t, mentions(t, l.admin, gone))
	require.NoError(t, l.owning.FinishErasures(t.Context(), func(lifecycle.Erasure) { t.Error("twice") }))
}

// TestAnErasureAgainstEverybody: while an import takes the person in, a request
// about them is decided and an export is written, nothing of them is left behind.
func TestAnErasureAgainstEverybody(t *testing.T) {
	t.Parallel()
	for round := range 5 {
		l := newLived(t)
		rows := make([]lifecycle.ImportRow, 60)
		for i := range rows {
			name := fmt.Sprintf("somebody.%d", i)
			if i%20 == round {
				name = gone + fmt.Sprint(i)
			}
			p := l.personOf(name)
			if i%20 == round {
				p.Email = gone + "@example.org"
			}
			rows[i] = lifecycle.ImportRow{Number: i + 1, Line: i + 2, RecordID: lifecycle.NewID(), Person: p, Cells: name + "," + p.Email + ",jane.doe"}
		}
		long := l.file(t, rows...)
		l.carryOut(t, l.staged, 10)
		export := l.beginExport(t)
		var group errgroup.Group
		group.Go(func() error {
			for {
				progress, err := l.ApplyImport(t.Context(), long, 3)
				if err != nil || progress.Status.Ended() {
					return err
				}
			}
		})
		group.Go(func() error {
			_, err := l.Decide(t.Context(), decision(l.pending[gone], 0, lifecycle.VerdictApprove))
			return err
		})
		group.Go(func() error {
			_, err := l.WriteExport(t.Context(), export.ID, keep, func(int) {})
			if kind := lifecycle.KindOf(err); err != nil && kind != lifecycle.KindIllegalUpdate && kind != lifecycle.KindNotFound {
				return err
			}
			return nil
		})
		group.Go(func() error {
			person, err := l.owning.FindErased(t.Context(), lifecycle.ErasureTarget{Email: gone + "@example.org"})
			if err != nil {
				return err
			}
			if _, err := l.owning.BeginErasure(t.Context(), person); err != nil {
				return err
			}
			return l.owning.FinishErasures(t.Context(), func(lifecycle.Erasure) {})
		})
		require.NoError(t, group.Wait())
		require.Empty(t, mentions(t, l.admin, gone), "round %d", round)
		l.requireConsistent(t)
		l.requireSound(t)
		require.Equal(t, 57, l.number(t, "SELECT count(*) FROM records WHERE account_name LIKE 'somebody.%'"))
	}
}

// What becomes of the texts of a person when they are erased, table by table: a
// column that is in no line is one that nobody thought of.
var (
	// Of these the row goes, or what it says of the person.
	erasedTexts = map[string]string{
		"account_names": "folded", "approval_items": "comment", "approval_reassignments": "comment", "audit_details": "actor actor_salt change change_salt subjects",
		"clients": "description id name secret_hash", "decision_comments": "address client_id comment tracking_id", "erasures": "person",
		"export_chunks": "bytes", "export_jobs": "client_id", "export_schedules": "client_id", "extensions": "comment",
		"identities": "alias alias_folded email email_folded external_id family_name family_name_folded formatted_name given_name given_name_folded language name name_folded", "import_faults": "cells column_name message", "import_jobs": "client_id",
		"import_rows": "account_name account_name_folded cells data doubt doubt_column email email_folded first_name first_name_folded " +
			"last_name last_name_folded phone",
		"records":  "account_name account_name_folded data email email_folded ended_reason first_name first_name_folded last_name last_name_folded phone",
		"requests": "account_name account_name_folded data email email_folded first_name first_name_folded last_name last_name_folded phone",
	}
	// These say nothing about people: codes, names that the organisation gives its
	// things, digests, and keys of the application.
	impersonalTexts = map[string]string{
		"approval_items": "approver_type kind status", "approval_policies": "policy", "approval_reassignments": "from_type to_type type",
		"audit_entries": "action actor_digest change_digest channel client_id facts object_id object_type operation outcome tracking_id",
		"audit_seals":   "hash", "clients": "rights scopes", "decision_comments": "verdict", "erasures": "removed",
		"export_jobs": "status", "export_schedules": "cron zone", "extension_records": "reason status", "identities": "levels", "import_faults": "kind",
		"import_jobs": "columns header status", "import_rows": "doubt_kind", "lifecycle_policies": "policy", "notifications": "event facts key reason recipient_type",
		"deliveries": "channel event fault status", "rate_windows": "key", "webhook_endpoints": "events reason secret url",
		"records":                 "lifecycle_state",
		"requests":                "approval_status cancellation_reason kind",
		"schema_attributes":       "help_text label placeholder technical_name technical_name_folded type",
		"signing_keys":            "kid private_key",
		"source_account_managers": "manager_type", "source_approvers": "approver_type",
		"sources": "description name name_folded", "workgroups": "external_id name name_folded",
	}
)

// TestEveryTextIsErasedOrSaysNothingAboutPeople: whoever adds a column decides.
func TestEveryTextIsErasedOrSaysNothingAboutPeople(t *testing.T) {
	t.Parallel()
	rows, err := storetest.NewSchema(t).Admin(t).QueryContext(t.Context(), `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name <> 'gatehouse_migrations'
			AND data_type IN ('text', 'character varying', 'jsonb', 'json', 'bytea', 'ARRAY', 'USER-DEFINED') ORDER BY 1`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var there []string
	for rows.Next() {
		var column string
		require.NoError(t, rows.Scan(&column))
		there = append(there, column)
	}
	require.NoError(t, rows.Err())
	var known []string
	for _, texts := range []map[string]string{erasedTexts, impersonalTexts} {
		for table, columns := range texts {
			for column := range strings.FieldsSeq(columns) {
				known = append(known, table+"."+column)
			}
		}
	}
	require.ElementsMatch(t, known, there)
}

// begin notes the erasure and returns what carries it out.
func begin(t testing.TB, owner *store.Store, target lifecycle.ErasureTarget) func() error {
	t.Helper()
	person, err := owner.FindErased(t.Context(), target)
	require.NoError(t, err)
	_, err = owner.BeginErasure(t.Context(), person)
	require.NoError(t, err)
	return func() error { return owner.FinishErasures(t.Context(), func(lifecycle.Erasure) {}) }
}

// TestAnImportThatGoesOnBetweenTheStepsBringsNobodyBack: whenever the erasure has
// looked for something, the import takes one more row, which makes a record of the
// person or a fault.
func TestAnImportThatGoesOnBetweenTheStepsBringsNobodyBack(t *testing.T) {
	t.Parallel()
	l := newLived(t)
	l.carryOut(t, l.staged, 10)
	rows := make([]lifecycle.ImportRow, 40)
	for i := range rows {
		name := fmt.Sprintf("%s.%d", gone, i)
		p := l.personOf(name)
		p.Email = gone + "@example.org"
		rows[i] = lifecycle.ImportRow{Number: i + 1, Line: i + 2, RecordID: lifecycle.NewID(), Person: p, Cells: name + "," + p.Email + ",jane.doe"}
		if i%2 == 1 {
			rows[i].Doubt = &lifecycle.RowFault{Kind: lifecycle.KindRequired, Column: "badge", Message: "badge is required"}
		}
	}
	job := l.file(t, rows...)
	finish := begin(t, l.owning, lifecycle.ErasureTarget{Email: gone + "@example.org"})
	looked := 0
	l.owning.Spy(func(query string) {
		for _, find := range []string{"SELECT r.job_id, r.number", "SELECT id FROM unnest", "SELECT f.job_id", "SELECT id FROM export_jobs", "SELECT r.id FROM audit_details"} {
			if strings.HasPrefix(query, find) {
				looked++
				for range 2 {
					_, err := l.ApplyImport(t.Context(), job, 1)
					require.NoError(t, err)
				}
			}
		}
	})
	require.NoError(t, finish())
	require.Greater(t, looked, 4)
	require.Equal(t, lifecycle.JobError, l.carryOut(t, job, 10).Status)
	require.Empty(t, mentions(t, l.admin, gone))
	require.Zero(t, l.number(t, "SELECT count(*) FROM records WHERE id = ANY (SELECT record_id FROM import_rows WHERE job_id = $1)", job.String()))
	l.requireConsistent(t)
	l.requireSound(t)
}

// TestAnExportThatIsBeingWrittenFails: it has read the person already.
func TestAnExportThatIsBeingWrittenFails(t *testing.T) {
	t.Parallel()
	l := newLived(t)
	finish := begin(t, l.owning, lifecycle.ErasureTarget{Record: l.record[gone].ID})
	export := l.beginExport(t)
	_, err := l.WriteExport(t.Context(), export.ID, keep, func(int) { require.NoError(t, finish()) })
	requireKind(t, lifecycle.KindIllegalUpdate, err)
	require.Equal(t, "ERROR", l.text(t, "SELECT status FROM export_jobs WHERE id = $1", export.ID.String()))
	require.Zero(t, l.number(t, "SELECT count(*) FROM export_chunks WHERE job_id = $1", export.ID.String()))
	// One that waits is read after the erasure.
	fresh := l.beginExport(t)
	_, err = l.WriteExport(t.Context(), fresh.ID, keep, func(int) {})
	require.NoError(t, err)
	require.NotContains(t, mentions(t, l.admin, gone), "export_chunks.bytes")
}

// TestAnExportThatHasReadAnIdentityFails, though nothing of it is stored yet.
func TestAnExportThatHasReadAnIdentityFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	owner := eraser(t, w.schema)
	identity := storetest.Identity(t, w.Store, gone)
	managed := w.newRecord("arthur")
	managed.Manager = lifecycle.ManagerReference{ID: identity.ID, Alias: identity.Alias}
	require.NoError(t, w.CreateRecord(t.Context(), managed, plenty))
	finish := begin(t, owner, lifecycle.ErasureTarget{Identity: identity.ID})
	export := w.beginExport(t)
	held, pid := w.hold(t, "INSERT INTO export_chunks (job_id, attempt, number, bytes) VALUES ($1, 1, 0, 'x')", export.ID.String())
	var group errgroup.Group
	group.Go(func() error {
		_, err := w.WriteExport(t.Context(), export.ID, keep, func(int) {})
		// It may still be complete before it fails.
		if err != nil && lifecycle.KindOf(err) != lifecycle.KindIllegalUpdate {
			return err
		}
		return nil
	})
	writer := w.blockedBy(t, pid)
	group.Go(finish)
	w.blockedBy(t, writer)
	require.NoError(t, held.Rollback())
	require.NoError(t, group.Wait())
	require.Empty(t, mentions(t, w.admin, gone))
	require.Equal(t, "ERROR", w.text(t, "SELECT status FROM export_jobs WHERE id = $1", export.ID.String()))
}

// blockedBy waits until some backend waits for this one, and returns which.
func (w *world) blockedBy(t testing.TB, pid int) (waits int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return w.admin.QueryRowContext(t.Context(), "SELECT pid FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)) LIMIT 1", pid).Scan(&waits) == nil
	}, time.Minute, time.Millisecond)
	return waits
}

// hold runs a statement in a transaction that stays open, and returns its backend.
func (w *world) hold(t testing.TB, statement string, args ...any) (held *sql.Tx, pid int) {
	t.Helper()
	held, err := w.admin.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = held.ExecContext(t.Context(), statement, args...)
	require.NoError(t, err)
	require.NoError(t, held.QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(&pid))
	return held, pid
}

// TestAChunkThatHasReadThePersonIsWaitedFor: it has the rows as they were before
// they were blanked, and makes a record of one and a fault of the other.
func TestAChunkThatHasReadThePersonIsWaitedFor(t *testing.T) {
	t.Parallel()
	l := newLived(t)
	l.carryOut(t, l.staged, 10)
	rows := make([]lifecycle.ImportRow, 2)
	for i := range rows {
		name := fmt.Sprintf("%s.%d", gone, i)
		p := l.personOf(name)
		p.Email = gone + "@example.org"
		rows[i] = lifecycle.ImportRow{Number: i + 1, Line: i + 2, RecordID: lifecycle.NewID(), Person: p, Cells: name + "," + p.Email + ",jane.doe"}
	}
	rows[1].Doubt = &lifecycle.RowFault{Kind: lifecycle.KindRequired, Column: "badge", Message: "badge is required"}
	job := l.file(t, rows...)
	finish := begin(t, l.owning, lifecycle.ErasureTarget{Email: gone + "@example.org"})
	held, pid := l.hold(t, "INSERT INTO account_names (source_id, folded, holder) VALUES ($1, $2, $1)", l.source.ID.String(), gone+".0")
	var group errgroup.Group
	group.Go(func() error {
		_, err := l.ApplyImport(t.Context(), job, 10)
		return err
	})
	chunk := l.blockedBy(t, pid)
	group.Go(finish)
	l.blockedBy(t, chunk)
	require.NoError(t, held.Rollback())
	require.NoError(t, group.Wait())
	require.Empty(t, mentions(t, l.admin, gone))
	require.Equal(t, 1, l.number(t, "SELECT count(*) FROM import_faults WHERE job_id = $1 AND message = $2", job.String(), lifecycle.ErasedRow))
	l.requireConsistent(t)
	l.requireSound(t)
}

// TestAChangeUnderWayIsWaitedFor: its entry tells about the person.
func TestAChangeUnderWayIsWaitedFor(t *testing.T) {
	t.Parallel()
	l := newLived(t)
	finish := begin(t, l.owning, lifecycle.ErasureTarget{Email: gone + "@example.org"})
	changing, change := make(chan struct{}), make(chan struct{})
	var group errgroup.Group
	group.Go(func() error {
		_, err := l.UpdateRecord(t.Context(), l.record[gone].ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
			close(changing)
			<-change
			r.LastName = "Of " + gone
			return nil
		})
		return err
	})
	<-changing
	group.Go(finish)
	require.Eventually(t, func() bool {
		return l.number(t, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT 1 FROM source_counters%'
			AND query LIKE '%'||$1||'%'`, l.source.ID.String()) > 0
	}, time.Minute, time.Millisecond)
	close(change)
	require.NoError(t, group.Wait())
	require.Empty(t, mentions(t, l.admin, gone))
	l.requireConsistent(t)
	l.requireSound(t)
}

// TestWhatOutlivedItsJobIsErased: rows and files of a source that was deleted are
// there until the sweep is done with them.
func TestWhatOutlivedItsJobIsErased(t *testing.T) {
	t.Parallel()
	l := newLived(t)
	require.NoError(t, l.DeleteSource(t.Context(), l.source.ID))
	for _, column := range []string{"export_chunks.bytes", "import_faults.cells", "import_rows.cells"} {
		require.Contains(t, mentions(t, l.admin, gone), column)
	}
	// The sweep is half-way through a job: it is waited for.
	held, pid := l.hold(t, "SELECT job_id FROM bulk_garbage WHERE job_id = $1 FOR UPDATE", l.faulty.String())
	finish := begin(t, l.owning, lifecycle.ErasureTarget{Email: gone + "@example.org"})
	var group errgroup.Group
	group.Go(finish)
	l.blockedBy(t, pid)
	require.NoError(t, held.Rollback())
	require.NoError(t, group.Wait())
	require.Empty(t, mentions(t, l.admin, gone))
	l.requireSound(t)
}

// TestWhoIsKnownToWhatOutlivedItsJobAloneIsFound, and nobody else.
func TestWhoIsKnownToWhatOutlivedItsJobAloneIsFound(t *testing.T) {
	t.Parallel()
	address := gone + "@example.org"
	for name, left := range map[string]func(w *world, job string){
		"a staged row": func(w *world, job string) {
			w.change(t, `INSERT INTO import_rows (job_id, number, line, record_id, faulty, account_name, account_name_folded, first_name,
				first_name_folded, last_name, last_name_folded, phone, email, email_folded, data, cells)
				VALUES ($1, 1, 2, $1, false, 'x', 'x', '', '', '', '', '', $2, $2, '{}', '')`, job, address)
		},
		"a fault": func(w *world, job string) {
			w.change(t, "INSERT INTO import_faults (job_id, number, line, column_name, kind, message, cells) VALUES ($1, 1, 2, '', 'conflict', '', $2)",
				job, "x,"+strings.ToUpper(address))
		},
		"a file": func(w *world, job string) {
			w.change(t, "INSERT INTO export_chunks (job_id, attempt, number, bytes) VALUES ($1, 1, 0, convert_to($2, 'UTF8'))",
				job, "x,"+strings.ToUpper(address))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 0)
			owner := eraser(t, w.schema)
			job := lifecycle.NewID().String()
			w.change(t, "INSERT INTO bulk_garbage (job_id, created) VALUES ($1, now())", job)
			left(w, job)
			_, err := owner.FindErased(t.Context(), lifecycle.ErasureTarget{Email: "arthur@example.org"})
			requireKind(t, lifecycle.KindNotFound, err)
			erase(t, owner, lifecycle.ErasureTarget{Email: address})
			require.Empty(t, mentions(t, w.admin, gone))
			_, err = owner.FindErased(t.Context(), lifecycle.ErasureTarget{Email: address})
			requireKind(t, lifecycle.KindNotFound, err)
		})
	}
}

// TestAnIdentityIsErasedByTheAliasesItHadBefore, from files that are as old.
func TestAnIdentityIsErasedByTheAliasesItHadBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	owner := eraser(t, w.schema)
	l := &lived{world: w}
	identity := storetest.Identity(t, w.Store, gone)
	managed := w.newRecord("arthur")
	managed.Manager = lifecycle.ManagerReference{ID: identity.ID, Alias: identity.Alias}
	require.NoError(t, w.CreateRecord(t.Context(), managed, plenty))
	export := w.beginExport(t)
	_, err := w.WriteExport(t.Context(), export.ID, keep, func(int) {})
	require.NoError(t, err)
	row := lifecycle.ImportRow{
		Number: 1, Line: 2, RecordID: lifecycle.NewID(), Person: w.personOf("ford"), Cells: "ford,ford@example.org," + strings.ToUpper(gone),
		Faulty: true, Doubt: &lifecycle.RowFault{Kind: lifecycle.KindReferenceNotFound, Column: "manager", Message: "no " + gone},
	}
	row.Person.Manager, row.Person.Data = lifecycle.ManagerReference{}, map[string]string{}
	staged := l.file(t, row)
	w.change(t, `INSERT INTO import_faults (job_id, number, line, column_name, kind, message, cells)
		VALUES ($1, 9, 10, 'manager', 'conflict', 'm', $2), ($1, 10, 11, 'manager', 'conflict', 'm', 'x,x@example.org,jane.doe')`,
		staged.String(), "zarniwoop,z@example.org,"+gone)
	for _, alias := range []string{"tricia", "mcmillan"} {
		identity.Alias, identity.Name, identity.Email, identity.Modified = alias, alias, alias+"@example.org", storetest.Now()
		require.NoError(t, w.EnsureIdentity(t.Context(), identity))
	}
	require.Equal(t, []string{
		"audit_details.change", "audit_details.subjects", "export_chunks.bytes", "import_faults.cells", "import_rows.cells", "import_rows.doubt",
	}, mentions(t, w.admin, gone))
	erased := erase(t, owner, lifecycle.ErasureTarget{Identity: identity.ID})
	require.Equal(t, []int{1, 1, 1}, []int{erased.StagedRows, erased.Faults, erased.Exports})
	for _, alias := range []string{gone, "tricia", "mcmillan"} {
		require.Empty(t, mentions(t, w.admin, alias))
	}
	l.requireSound(t)
}

// TestAPersonIsErasedByTheNamesTheyHadBefore, from the rows of files that are as
// old; who has such a name now stays.
func TestAPersonIsErasedByTheNamesTheyHadBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	owner := eraser(t, w.schema)
	l := &lived{world: w}
	record := w.newRecord(gone)
	require.NoError(t, w.CreateRecord(t.Context(), record, plenty))
	for _, name := range []string{"tricia", "mcmillan"} {
		_, err := w.UpdateRecord(t.Context(), record.ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
			r.Person = storetest.Person(name, w.owner)
			return nil
		})
		require.NoError(t, err)
	}
	other := w.newRecord("tricia")
	require.NoError(t, w.CreateRecord(t.Context(), other, plenty))
	rows := []lifecycle.ImportRow{
		{Number: 1, Line: 2, RecordID: lifecycle.NewID(), Person: w.personOf(gone), Cells: gone + ",x@example.org,jane.doe"},
		{Number: 2, Line: 3, RecordID: lifecycle.NewID(), Person: w.personOf("ford"), Cells: "ford,ford@example.org,jane.doe"},
		// Its name could not be made out.
		{
			Number: 3, Line: 4, RecordID: lifecycle.NewID(), Faulty: true, Cells: gone + ",,",
			Doubt: &lifecycle.RowFault{Kind: lifecycle.KindIllegalValue, Column: "accountName", Message: "not " + gone},
		},
	}
	for i := range rows {
		rows[i].Person.Data = map[string]string{}
	}
	staged := l.file(t, rows...)
	w.change(t, `INSERT INTO import_faults (job_id, number, line, column_name, kind, message, cells)
		VALUES ($1, 9, 10, 'manager', 'conflict', 'm', $2), ($1, 10, 11, 'manager', 'conflict', 'm', 'x,x@example.org,jane.doe')`,
		staged.String(), strings.ToUpper(gone)+",m@example.org,x")
	require.Subset(t, mentions(t, w.admin, gone), []string{"import_faults.cells", "import_rows.account_name", "import_rows.cells", "import_rows.doubt"})
	erased := erase(t, owner, lifecycle.ErasureTarget{Record: record.ID})
	require.Equal(t, []int{1, 2, 1}, []int{erased.Records, erased.StagedRows, erased.Faults})
	require.Empty(t, mentions(t, w.admin, gone))
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM records WHERE id = $1", other.ID.String()))
	l.requireSound(t)
	w.requireConsistent(t)
}

// TestARowIsErasedWhoseManagerWas: it is about the person though its cells are
// gone already.
func TestARowIsErasedWhoseManagerWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	owner := eraser(t, w.schema)
	l := &lived{world: w}
	row := lifecycle.ImportRow{Number: 1, Line: 2, RecordID: lifecycle.NewID(), Person: w.personOf(gone), Cells: gone + ",x@example.org,jane.doe"}
	row.Person.Data = map[string]string{}
	l.file(t, row)
	erase(t, owner, lifecycle.ErasureTarget{Identity: w.owner.ID})
	require.NotContains(t, mentions(t, w.admin, gone), "import_rows.cells")
	erase(t, owner, lifecycle.ErasureTarget{Source: w.source.ID, AccountName: gone})
	require.Empty(t, mentions(t, w.admin, gone))
}

// TestWhoWasRefusedATokenIsErased: the entry has the address of whoever tried the
// person's client, and no identity. Those of others keep theirs.
func TestWhoWasRefusedATokenIsErased(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	owner := eraser(t, w.schema)
	identity := storetest.Identity(t, w.Store, gone)
	for id, of := range map[string]lifecycle.ID{"pat-1": identity.ID, "pat-2": w.owner.ID} {
		require.NoError(t, w.CreateClient(t.Context(), lifecycle.Client{
			ID: id, Name: "A laptop", SecretHash: []byte("x"), IdentityID: of, Active: true, Created: storetest.Now(),
		}))
	}
	refused := func(ctx context.Context, client string) {
		require.NoError(t, w.SaveAttempt(ctx, lifecycle.AuditChange{
			Action: lifecycle.ActionAttempt, Outcome: lifecycle.OutcomeDenied, Object: lifecycle.ObjectClient, ID: client,
		}))
	}
	login := lifecycle.Origin{Channel: lifecycle.ChannelAPI, Operation: "createToken", Address: "192.0.2.99"}
	refused(lifecycle.WithOrigin(t.Context(), login), "pat-1")
	login.Address = "192.0.2.100"
	refused(lifecycle.WithOrigin(t.Context(), login), "pat-2")
	// Somebody else who would have changed the client.
	login.Identity, login.Address = w.owner.ID, "192.0.2.101"
	refused(lifecycle.WithOrigin(t.Context(), login), "pat-1")
	erased := erase(t, owner, lifecycle.ErasureTarget{Identity: identity.ID})
	require.Equal(t, 1, erased.Actors)
	require.Empty(t, mentions(t, w.admin, "192.0.2.99"))
	for _, kept := range []string{"192.0.2.100", "192.0.2.101"} {
		require.Equal(t, []string{"audit_details.actor"}, mentions(t, w.admin, kept))
	}
	(&lived{world: w}).requireSound(t)
}

// TestAnEntryThatTellsNothingIsNotCounted: it has the person's names beside an
// actor that somebody else was, and loses those alone.
func TestAnEntryThatTellsNothingIsNotCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	owner := eraser(t, w.schema)
	record := w.newRecord(gone)
	require.NoError(t, w.CreateRecord(t.Context(), record, plenty))
	ctx := lifecycle.WithOrigin(t.Context(), lifecycle.Origin{Channel: lifecycle.ChannelAPI, Operation: "op", Identity: w.owner.ID, Address: "192.0.2.7"})
	require.NoError(t, w.SaveAttempt(ctx, lifecycle.AuditChange{
		Action: lifecycle.ActionAttempt, Outcome: lifecycle.OutcomeDenied, Object: lifecycle.ObjectRecord, ID: record.ID.String(), Subjects: []string{gone},
	}))
	require.Equal(t, 1, erase(t, owner, lifecycle.ErasureTarget{Record: record.ID}).Changes)
	require.Empty(t, mentions(t, w.admin, gone))
	require.Equal(t, []string{"audit_details.actor"}, mentions(t, w.admin, "192.0.2.7"))
	(&lived{world: w}).requireSound(t)
}

// ofErasure are the entries that the erasure left beside those of its own, as
// "ACTION OBJECT id".
func (w *world) ofErasure(t testing.TB, id lifecycle.ID) (entries []string) {
	t.Helper()
	rows, err := w.admin.QueryContext(t.Context(), `SELECT action || ' ' || object_type || ' ' || object_id FROM audit_entries
		WHERE facts::jsonb ->> 'erasure' = $1 AND change_digest IS NULL ORDER BY 1`, id.String())
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var entry string
		require.NoError(t, rows.Scan(&entry))
		entries = append(entries, entry)
	}
	require.NoError(t, rows.Err())
	return entries
}

// TestWhatIsErasedIsToldByItsIDs, and by nothing else.
func TestWhatIsErasedIsToldByItsIDs(t *testing.T) {
	t.Parallel()
	l := newLived(t)
	want := []string{"DELETE RECORD " + l.record[gone].ID.String(), "DELETE REQUEST " + l.pending[gone].ID.String(), "DELETE REQUEST " + l.rejected[gone].ID.String()}
	approved := l.text(t, `SELECT id FROM requests WHERE account_name = $1 AND approval_status = 'APPROVED'`, gone)
	want = append(want, "DELETE REQUEST "+approved)
	erased := erase(t, l.owning, lifecycle.ErasureTarget{Email: gone + "@example.org"})
	require.ElementsMatch(t, want, l.ofErasure(t, erased.ID))
	require.Equal(t, 4, l.number(t, "SELECT count(*) FROM audit_entries WHERE facts::jsonb ->> 'erasure' = $1 AND source_id = $2",
		erased.ID.String(), l.source.ID.String()))
	for fact, job := range map[string]lifecycle.ID{"blankedRows": l.staged, "blankedFaults": l.faulty} {
		require.Equal(t, "[1]", l.text(t, "SELECT facts::jsonb -> $1 ->> $2 FROM audit_entries WHERE object_id = $3 AND facts::jsonb ? $1",
			fact, job.String(), erased.ID.String()))
	}

	identity := storetest.Identity(t, l.Store, gone)
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: "Group", Members: []lifecycle.ID{identity.ID, l.owner.ID}, Created: storetest.Now()}
	require.NoError(t, l.CreateWorkgroup(t.Context(), group))
	require.NoError(t, l.CreateClient(t.Context(), lifecycle.Client{
		ID: "pat-1", Name: "A laptop", SecretHash: []byte("x"), IdentityID: identity.ID, Active: true, Created: storetest.Now(),
	}))
	erased = erase(t, l.owning, lifecycle.ErasureTarget{Identity: identity.ID})
	require.Equal(t, []string{"DELETE CLIENT pat-1", "UPDATE WORKGROUP " + group.ID.String()}, l.ofErasure(t, erased.ID))
	require.Equal(t, fmt.Sprintf("[%q]", identity.ID), l.text(t, "SELECT facts::jsonb ->> 'membersRemoved' FROM audit_entries WHERE facts::jsonb ->> 'erasure' = $1 AND object_type = 'WORKGROUP'",
		erased.ID.String()))
	l.requireSound(t)
}

// TestWhoIsErasedLeavesTheirExtensions, and what was said of these with them. The
// others in them stay.
func TestWhoIsErasedLeavesTheirExtensions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	owner := eraser(t, w.schema)
	end := laterEnd()
	erased, other, deleted := w.record(t, gone), w.record(t, "arthur"), w.record(t, gone+".deleted")
	decided := w.newExtension(end)
	decided.Comment = "for " + gone
	decided, err := w.AcceptExtension(t.Context(), decided, targets(end, erased, other, deleted), nil)
	require.NoError(t, err)
	d := extensionDecision(decided, 0, lifecycle.VerdictApprove)
	require.NoError(t, w.AnnounceExtensionDecision(t.Context(), d, "but not "+gone, []lifecycle.ID{erased.ID}))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, d))
	pending := w.extend(t, end.AddDate(0, 0, 1), erased, other)
	require.NoError(t, w.DeleteRecord(t.Context(), deleted.ID))
	_, err = owner.FindErased(t.Context(), lifecycle.ErasureTarget{Request: pending.ID})
	requireKind(t, lifecycle.KindNotFound, err)

	counted, err := owner.FindErased(t.Context(), lifecycle.ErasureTarget{Record: erased.ID})
	require.NoError(t, err)
	counts, err := owner.CountErasure(t.Context(), counted)
	require.NoError(t, err)
	require.Equal(t, 2, counts.Extensions)
	require.Equal(t, 2, erase(t, owner, lifecycle.ErasureTarget{Record: erased.ID}).Extensions)
	require.Equal(t, 1, erase(t, owner, lifecycle.ErasureTarget{Record: deleted.ID}).Extensions)
	require.Empty(t, mentions(t, w.admin, gone))
	require.Equal(t, []string{"APPROVED"}, w.parts(t, decided.ID))
	require.Equal(t, []string{"PENDING"}, w.parts(t, pending.ID))
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, extensionDecision(pending, 0, lifecycle.VerdictApprove)))
	require.Equal(t, end.AddDate(0, 0, 1), w.end(t, other))
	w.requireConsistent(t)
}
