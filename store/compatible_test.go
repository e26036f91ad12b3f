package store_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/store"
	"gatehouse/store/storetest"
)

const (
	releasedDir   = "testdata/released"
	migrationsDir = "migrations"
)

// releases lists the released versions, the newest last, by their folders.
func releases(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(releasedDir, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, found)
	number := func(folder string) (major, minor int) {
		_, err := fmt.Sscanf(filepath.Base(folder), "%d.%d", &major, &minor)
		require.NoError(t, err, folder)
		return major, minor
	}
	slices.SortFunc(found, func(a, b string) int {
		majorA, minorA := number(a)
		majorB, minorB := number(b)
		return slices.Compare([]int{majorA, minorA}, []int{majorB, minorB})
	})
	return found
}

// sums are the migrations that a version was released with, each with its sum.
func sums(t *testing.T, release string) map[string]string {
	t.Helper()
	return sumsIn(t, filepath.Join(release, "migrations.sha256"))
}

// sumsIn reads what sha256sum writes.
func sumsIn(t *testing.T, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, file, _ := strings.Cut(strings.TrimSpace(line), "  ")
		all[file] = sum
	}
	return all
}

// TestReleasedMigrationsStayAsTheyAre: a database that has one is not migrated by it
// again.
func TestReleasedMigrationsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	newest := ""
	for _, release := range releases(t) {
		for file, sum := range sums(t, release) {
			text, err := os.ReadFile(filepath.Join(migrationsDir, file))
			require.NoError(t, err, "%s was released", file)
			is := sha256.Sum256(text)
			require.Equal(t, sum, hex.EncodeToString(is[:]), "%s was released, and may not be changed: write another migration", file)
			newest = max(newest, file)
		}
	}
	for _, file := range unreleased(t) {
		require.Greater(t, file, newest, "a migration comes after those that were released")
	}
}

// TestReleasedDumpsStayAsTheyAre: what a version left behind is not what a later one
// would like it to be.
func TestReleasedDumpsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, release := range releases(t) {
		text, err := os.ReadFile(filepath.Join(release, "dump.sql"))
		require.NoError(t, err)
		is := sha256.Sum256(text)
		require.Equal(t, map[string]string{"dump.sql": hex.EncodeToString(is[:])}, sumsIn(t, filepath.Join(release, "dump.sha256")))
	}
}

// unreleased are the migrations that are newer than the last release.
func unreleased(t *testing.T) []string {
	t.Helper()
	all := releases(t)
	released := sums(t, all[len(all)-1])
	found, err := filepath.Glob(filepath.Join(migrationsDir, "*.sql"))
	require.NoError(t, err)
	var files []string
	for _, path := range found {
		if _, ok := released[filepath.Base(path)]; !ok {
			files = append(files, filepath.Base(path))
		}
	}
	return files
}

// atLastRelease makes a schema of the last of all releases.
func atLastRelease(t *testing.T) (all []string, schema storetest.Schema, db *sql.DB) {
	t.Helper()
	all, schema = releases(t), storetest.EmptySchema(t)
	require.NoError(t, store.MigrateTo(t.Context(), schema.MigrationURL, schema.AppRole, int64(len(sums(t, all[len(all)-1])))))
	return all, schema, schema.Admin(t)
}

// TestMigrationsKeepWhatTheLastReleaseUses runs what is newer than the last release
// over its schema: the programs of that release run beside it while it is rolled
// out, and after it is rolled back. docs/operations.md says what is refused, and
// how a step that has waited for a release is marked.
func TestMigrationsKeepWhatTheLastReleaseUses(t *testing.T) {
	t.Parallel()
	all, schema, db := atLastRelease(t)
	before := readCatalogue(t, db)
	require.NoError(t, store.Migrate(t.Context(), schema.MigrationURL, schema.AppRole))
	var text strings.Builder
	for _, file := range unreleased(t) {
		content, err := os.ReadFile(filepath.Join(migrationsDir, file))
		require.NoError(t, err)
		text.Write(content)
	}
	require.Empty(t, refusals(before, readCatalogue(t, db), text.String(), names(all)))
}

func names(folders []string) (names []string) {
	for _, folder := range folders {
		names = append(names, filepath.Base(folder))
	}
	return names
}

// TestWhatAMigrationMayNotDo proves that the check can fail, and what it lets pass.
func TestWhatAMigrationMayNotDo(t *testing.T) {
	t.Parallel()
	all, _, db := atLastRelease(t)
	// None has been granted yet.
	_, err := db.ExecContext(t.Context(), "GRANT UPDATE (sources) ON organisation TO gatehouse_test_app")
	require.NoError(t, err)
	before := readCatalogue(t, db)
	for migration, want := range map[string]string{
		// Expanding.
		"CREATE TABLE more (id uuid PRIMARY KEY, request_id uuid NOT NULL REFERENCES requests)":     "",
		"ALTER TABLE records ADD COLUMN more text NOT NULL DEFAULT ''":                              "",
		"ALTER TABLE records ADD COLUMN more integer CONSTRAINT records_more CHECK (more > 0)":      "",
		"ALTER TABLE records ALTER COLUMN phone DROP NOT NULL":                                      "",
		"ALTER TABLE requests DROP CONSTRAINT requests_person":                                      "",
		"CREATE FUNCTION more() RETURNS integer LANGUAGE sql RETURN 1":                              "",
		"GRANT DELETE ON approval_items TO gatehouse_test_app":                                      "",
		"DROP INDEX records_planned":                                                                "",
		"ALTER TABLE records ADD COLUMN more text; CREATE INDEX records_more ON records (more)":     "index records_more",
		"CREATE INDEX records_phone ON records (phone); -- CREATE INDEX CONCURRENTLY records_other": "index records_phone",
		// Contracting.
		"DROP TABLE decision_comments CASCADE":                                                                                  "table decision_comments",
		"ALTER TABLE decision_comments RENAME TO comments":                                                                      "table decision_comments",
		"ALTER TABLE records DROP COLUMN phone":                                                                                 "column records.phone",
		"ALTER TABLE records RENAME COLUMN phone TO telephone":                                                                  "column records.phone",
		"ALTER TABLE records ALTER COLUMN phone TYPE varchar(20)":                                                               "column records.phone",
		"ALTER TABLE requests ALTER COLUMN manager_id SET NOT NULL":                                                             "column requests.manager_id",
		"ALTER TABLE records ADD COLUMN more text NOT NULL":                                                                     "column records.more",
		"ALTER TABLE source_counters ALTER COLUMN records DROP DEFAULT":                                                         "column source_counters.records",
		"ALTER TABLE records ADD CONSTRAINT records_phone CHECK (phone <> '')":                                                  "constraint records.records_phone",
		"ALTER TABLE records ADD CONSTRAINT records_phone CHECK (phone <> '') NOT VALID":                                        "constraint records.records_phone",
		"ALTER TABLE records ADD CONSTRAINT records_phone UNIQUE (phone)":                                                       "constraint records.records_phone",
		"ALTER TABLE records ADD CONSTRAINT records_own FOREIGN KEY (id) REFERENCES sources":                                    "constraint records.records_own",
		"ALTER TABLE sources DROP CONSTRAINT sources_name_key":                                                                  "constraint sources.sources_name_key",
		"DROP INDEX deliveries_mail_key":                                                                                        "index deliveries_mail_key",
		"CREATE UNIQUE INDEX CONCURRENTLY_ ON records (phone)":                                                                  "index concurrently_",
		"ALTER TABLE deliveries DROP CONSTRAINT deliveries_status, ADD CONSTRAINT deliveries_status CHECK (status = 'PENDING')": "constraint deliveries.deliveries_status",
		"DROP TRIGGER records_moved ON records":                                                                                 "trigger records.records_moved",
		"CREATE TRIGGER more BEFORE UPDATE ON records FOR EACH ROW EXECUTE FUNCTION records_follow_dates()":                     "trigger records.more",
		"CREATE OR REPLACE FUNCTION records_follow_dates() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'":        "function records_follow_dates()",
		"DROP FUNCTION records_follow_dates() CASCADE":                                                                          "function records_follow_dates()",
		"ALTER TABLE records DISABLE TRIGGER records_moved":                                                                     "trigger records.records_moved",
		"ALTER TABLE deliveries DROP CONSTRAINT deliveries_endpoint_fkey":                                                       "constraint deliveries.deliveries_endpoint_fkey",
		"ALTER TABLE records ADD CONSTRAINT requests_person CHECK (phone <> '')":                                                "constraint records.requests_person",
		"ALTER TABLE deliveries ALTER COLUMN attempts SET DEFAULT 1":                                                            "column deliveries.attempts",
		"ALTER TABLE deliveries ALTER COLUMN recipient_id SET DEFAULT gen_random_uuid()":                                        "column deliveries.recipient_id",
		"ALTER TABLE records ALTER COLUMN phone TYPE text COLLATE \"POSIX\"":                                                    "column records.phone",
		"ALTER TABLE records ENABLE ROW LEVEL SECURITY":                                                                         "table records",
		"DO $$ BEGIN EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM gatehouse_test_app', current_schema()); END $$":             "privilege USAGE on the schema",
		"REVOKE EXECUTE ON FUNCTION records_follow_dates() FROM PUBLIC, gatehouse_test_app":                                     "privilege EXECUTE on records_follow_dates()",
		"REVOKE UPDATE (sources) ON organisation FROM gatehouse_test_app":                                                       "privilege UPDATE on organisation.sources",
		"REVOKE INSERT ON records FROM gatehouse_test_app":                                                                      "privilege INSERT on records",
		// Marked.
		"ALTER TABLE records DROP COLUMN phone;\n-- contract column records.phone since 0.5: nobody reads it": "",
		"ALTER TABLE records DROP COLUMN phone;\n-- contract column records.phone since 9.9: nobody reads it": "since 9.9",
		"ALTER TABLE records DROP COLUMN phone;\n-- contract column records.phone since 0.5:":                 "column records.phone",
		"SELECT 1;\n-- contract column records.phone since 0.5: nobody reads it":                              "marks nothing",
	} {
		t.Run(migration, func(t *testing.T) {
			tx, err := db.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			defer func() { require.NoError(t, tx.Rollback()) }()
			_, err = tx.ExecContext(t.Context(), migration)
			require.NoError(t, err)
			refused := refusals(before, readCatalogue(t, tx), migration, names(all))
			if want == "" {
				require.Empty(t, refused)
				return
			}
			require.Contains(t, strings.Join(refused, "\n"), want)
		})
	}
}

// catalogue is what a program can see of a schema, each thing by its name with what
// it is.
type catalogue struct {
	tables, columns, defaults, constraints, indexes, functions, triggers, privileges map[string]string
}

// Marks in what a catalogue says of a thing.
const (
	markMandatory = " mandatory" // a row can't be written without a value
	markNotNull   = " not null"  // the value may be none
	markUnique    = "unique "    // of an index, or a constraint that is one
	markColumns   = "\tcolumns:" // what follows are its columns
	markTable     = "\ttable:"   // what follows is the table
)

func readCatalogue(t *testing.T, db interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}) catalogue {
	t.Helper()
	read := func(query string) map[string]string {
		all := map[string]string{}
		rows, err := db.QueryContext(t.Context(), query)
		require.NoError(t, err)
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var name, what string
			require.NoError(t, rows.Scan(&name, &what))
			all[name] = what
		}
		require.NoError(t, rows.Err())
		return all
	}
	const ours = ` WHERE c.relnamespace = current_schema()::regnamespace AND c.relname <> 'gatehouse_migrations'`
	const columnsOf = `(SELECT coalesce(string_agg(a.attname, ' '), '') FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum = ANY (%s))`
	return catalogue{
		tables: read(`SELECT c.relname, c.relkind::text || CASE WHEN c.relrowsecurity THEN ' with row security' ELSE '' END FROM pg_class AS c` + ours + ` AND c.relkind IN ('r', 'p', 'v', 'm', 'S')`),
		columns: read(`SELECT c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || coalesce(' COLLATE ' || nullif(a.attcollation, 0)::regcollation, '')
				|| CASE WHEN a.attnotnull THEN '` + markNotNull + `' ELSE '' END
				|| CASE WHEN a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' THEN '` + markMandatory + `' ELSE '' END
			FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped` + ours + ` AND c.relkind IN ('r', 'p', 'v')`),
		defaults: read(`SELECT c.relname || '.' || a.attname, a.attidentity::text || a.attgenerated::text || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
			FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			LEFT JOIN pg_attrdef AS d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)` + ours + ` AND c.relkind IN ('r', 'p', 'v')`),
		constraints: read(`SELECT c.relname || '.' || o.conname, CASE WHEN o.contype IN ('u', 'p') THEN '` + markUnique + `' ELSE '' END || pg_get_constraintdef(o.oid)
				|| '` + markTable + `' || c.relname || '` + markColumns + `' || ` + fmt.Sprintf(columnsOf, "o.conkey") + `
			FROM pg_class AS c JOIN pg_constraint AS o ON o.conrelid = c.oid` + ours),
		indexes: read(`SELECT c2.relname, CASE WHEN x.indisunique THEN '` + markUnique + `' ELSE '' END || pg_get_indexdef(x.indexrelid)
				|| '` + markTable + `' || c.relname || '` + markColumns + `' || ` + fmt.Sprintf(columnsOf, "x.indkey") + `
			FROM pg_class AS c JOIN pg_index AS x ON x.indrelid = c.oid JOIN pg_class AS c2 ON c2.oid = x.indexrelid` + ours + `
				AND NOT EXISTS (SELECT 1 FROM pg_constraint AS o WHERE o.conindid = x.indexrelid AND o.conrelid = c.oid)`),
		functions: read(`SELECT p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', pg_get_functiondef(p.oid)
			FROM pg_proc AS p WHERE p.pronamespace = current_schema()::regnamespace`),
		triggers: read(`SELECT c.relname || '.' || g.tgname, pg_get_triggerdef(g.oid) || ' enabled ' || g.tgenabled::text || '` + markTable + `' || c.relname
			FROM pg_class AS c JOIN pg_trigger AS g ON g.tgrelid = c.oid AND NOT g.tgisinternal` + ours),
		privileges: read(`SELECT x.privilege_type || ' on ' || c.relname, '' FROM pg_class AS c, aclexplode(c.relacl) AS x
			JOIN pg_roles AS r ON r.oid = x.grantee` + ours + ` AND r.rolname = 'gatehouse_test_app'
			UNION ALL SELECT x.privilege_type || ' on ' || c.relname || '.' || a.attname, '' FROM pg_class AS c
			JOIN pg_attribute AS a ON a.attrelid = c.oid, aclexplode(a.attacl) AS x JOIN pg_roles AS r ON r.oid = x.grantee` + ours + `
				AND r.rolname = 'gatehouse_test_app'
			UNION ALL SELECT 'EXECUTE on ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', '' FROM pg_proc AS p
			WHERE p.pronamespace = current_schema()::regnamespace AND has_function_privilege('gatehouse_test_app', p.oid, 'EXECUTE')
			UNION ALL SELECT 'USAGE on the schema', '' WHERE has_schema_privilege('gatehouse_test_app', current_schema(), 'USAGE')`),
	}
}

// narrowings says what of the one catalogue the other lacks or holds more narrowly,
// by the thing that it is about.
func narrowings(before, after catalogue, migration string) map[string]string {
	found := map[string]string{}
	old := func(what string) bool {
		_, rest, _ := strings.Cut(what, markTable)
		table, columns, _ := strings.Cut(rest, markColumns)
		_, there := before.tables[table]
		return there && (columns == "" || slices.ContainsFunc(strings.Fields(columns), func(column string) bool {
			_, there := before.columns[table+"."+column]
			return there
		}))
	}
	for name, was := range before.tables {
		is, there := after.tables[name]
		switch {
		case !there:
			found["table "+name] = "is gone"
		case is != was:
			found["table "+name] = "was " + was + " and is " + is
		}
	}
	for name, was := range before.columns {
		table, _, _ := strings.Cut(name, ".")
		is, there := after.columns[name]
		_, kept := after.tables[table]
		typeOf := func(what string) string {
			return strings.TrimSuffix(strings.TrimSuffix(what, markMandatory), markNotNull)
		}
		switch {
		case !kept: // said of the table
		case !there:
			found["column "+name] = "is gone"
		case typeOf(was) != typeOf(is):
			found["column "+name] = "was " + was + " and is " + is
		case strings.Contains(is, markNotNull) && !strings.Contains(was, markNotNull):
			found["column "+name] = "must not be NULL any more"
		case strings.Contains(is, markMandatory) && !strings.Contains(was, markMandatory):
			found["column "+name] = "has lost its default"
		case before.defaults[name] != after.defaults[name]:
			found["column "+name] = "has another default"
		}
	}
	for name, is := range after.columns {
		table, _, _ := strings.Cut(name, ".")
		_, there := before.tables[table]
		if _, ok := before.columns[name]; !ok && there && strings.Contains(is, markMandatory) {
			found["column "+name] = "is new, must not be NULL and has no default"
		}
	}
	compare := func(kind string, before, after map[string]string, droppable func(string) bool, welcome func(name, is string) bool) {
		for name, was := range before {
			is, there := after[name]
			switch {
			case !there && !droppable(was):
				found[kind+" "+name] = "is gone"
			case there && is != was:
				found[kind+" "+name] = "is another: what it refuses, or does, can't be told"
			}
		}
		for name, is := range after {
			if _, ok := before[name]; !ok && !welcome(name, is) {
				found[kind+" "+name] = "is new on what there was"
			}
		}
	}
	notUnique := func(was string) bool { return !strings.HasPrefix(was, markUnique) }
	// What goes with a row that is deleted is not left behind by who relies on it.
	looser := func(was string) bool { return notUnique(was) && !strings.Contains(was, " ON DELETE ") }
	never := func(string) bool { return false }
	compare("constraint", before.constraints, after.constraints, looser, func(_, is string) bool { return !old(is) })
	compare("index", before.indexes, after.indexes, notUnique, func(name, is string) bool {
		_, rest, _ := strings.Cut(is, markTable)
		table, _, _ := strings.Cut(rest, markColumns)
		_, there := before.tables[table]
		// Writers must not wait for it.
		concurrently := regexp.MustCompile(`(?mi)^\s*CREATE\s+(UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(IF\s+NOT\s+EXISTS\s+)?` + regexp.QuoteMeta(name) + `\b`)
		return !there || concurrently.MatchString(migration) && (notUnique(is) || !old(is))
	})
	compare("function", before.functions, after.functions, never, func(string, string) bool { return true })
	compare("trigger", before.triggers, after.triggers, never, func(_, is string) bool { return !old(is) })
	compare("privilege", before.privileges, after.privileges, never, func(string, string) bool { return true })
	return found
}

// contractMark is what a migration says of a step that has waited for a release which
// does without: what it is about, since which release nothing uses it, and why.
var contractMark = regexp.MustCompile(`(?m)^-- contract (.+) since (\S+): +(\S.*)$`)

// refusals are the narrowings that are not marked, and the marks that are wrong.
func refusals(before, after catalogue, migration string, released []string) (refused []string) {
	found := narrowings(before, after, migration)
	for _, mark := range contractMark.FindAllStringSubmatch(migration, -1) {
		subject, since := mark[1], mark[2]
		switch _, ok := found[subject]; {
		case !ok:
			refused = append(refused, "the mark of "+subject+" marks nothing")
		case !slices.Contains(released, since):
			refused = append(refused, subject+": unused since "+since+", which is no release")
		default:
			delete(found, subject)
		}
	}
	for _, subject := range slices.Sorted(maps.Keys(found)) {
		refused = append(refused, subject+" "+found[subject])
	}
	return refused
}
