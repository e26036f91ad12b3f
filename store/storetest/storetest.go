// Package storetest gives tests a store on a real Postgres: each test gets a
// migrated schema of its own, and a store whose role has no DDL. The schemas are
// migrated once: each is in a copy of one database, which costs a tenth.
//
// A package that uses it calls [Main] from its TestMain. The server is the one
// that GATEHOUSE_TEST_DATABASE_URL names, as a superuser, or else a private one
// that is started with the first schema and stopped by Main.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"

	"gatehouse/devstack"
	"gatehouse/lifecycle"
	"gatehouse/store"
)

// DatabaseURL is the variable that names a server to use instead of a private
// one. Its role must be a superuser.
const DatabaseURL = "GATEHOUSE_TEST_DATABASE_URL"

// The roles that own and use the schemas, made where they are missing. They are
// for tests alone, so their password is no secret.
const (
	ownerRole = "gatehouse_test_owner"
	appRole   = "gatehouse_test_app"
	password  = "gatehouse-test"
)

// statementTimeout is that of stores whose test does not care.
const statementTimeout = 30 * time.Second

const (
	startTimeout = 2 * time.Minute
	stopTimeout  = time.Minute
)

// server is the one server of this process.
var server struct {
	sync.Mutex
	// owned is true between the begin and the end of Main.
	owned    bool
	admin    *sql.DB
	url      string
	postgres *devstack.Postgres
	// template is the database that is copied; empty before it is made.
	template string
	pooler   *pooler
}

// copied is the name of the schema in the databases that are copies.
const copied = "gatehouse_test"

// Main runs the tests of a package and stops the server, if they started one.
// It does not return.
func Main(m *testing.M) {
	os.Exit(Run(m))
}

// Run is Main for a TestMain that has more to do, before or afterwards; it
// returns the exit code. m is a *testing.M or runs one.
func Run(m interface{ Run() int }) int {
	server.Lock()
	server.owned = true
	server.Unlock()
	code := m.Run()
	server.Lock()
	defer server.Unlock()
	server.owned = false
	if server.pooler != nil {
		server.pooler.stop()
		server.pooler = nil
	}
	if server.admin != nil {
		if server.template != "" {
			ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
			defer cancel()
			if _, err := server.admin.ExecContext(ctx, "DROP DATABASE "+server.template); err != nil {
				fmt.Fprintln(os.Stderr, "storetest: dropping the database that is copied:", err)
				code = max(code, 1)
			}
		}
		_ = server.admin.Close()
	}
	if server.postgres != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err := server.postgres.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "storetest: stopping Postgres:", err)
			code = max(code, 1)
		}
	}
	server.admin, server.postgres, server.template = nil, nil, ""
	return code
}

// connect returns a superuser's handle on the server, and its URL.
func connect(t testing.TB) (*sql.DB, string) {
	t.Helper()
	server.Lock()
	defer server.Unlock()
	require.True(t, server.owned, "TestMain must call storetest.Main")
	if server.admin != nil {
		return server.admin, server.url
	}
	server.url = os.Getenv(DatabaseURL)
	if server.url == "" {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		postgres, err := devstack.StartPostgres(ctx, devstack.PostgresOptions{Log: os.Stderr})
		require.NoError(t, err, "starting Postgres")
		server.postgres, server.url = postgres, postgres.URL()
	}
	admin, err := sql.Open("pgx", server.url)
	require.NoError(t, err)
	for _, role := range []string{ownerRole, appRole} {
		// Another process may make it at the same moment.
		_, err = admin.ExecContext(t.Context(), fmt.Sprintf(`DO $$ BEGIN
			CREATE ROLE %s LOGIN PASSWORD '%s';
			EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`, role, password))
		require.NoError(t, err)
	}
	grantConnect(t, admin)
	server.admin = admin
	return admin, server.url
}

// grantConnect lets the roles into the database, which may be closed to all but
// its own. Where they are in already nothing is written, since two processes
// that write the same catalogue row at once fail.
func grantConnect(t testing.TB, admin *sql.DB) {
	t.Helper()
	_, err := admin.ExecContext(t.Context(), `DO $$ BEGIN
		PERFORM pg_advisory_xact_lock(hashtextextended('gatehouse/storetest', 0));
		IF NOT (has_database_privilege('`+ownerRole+`', current_database(), 'CONNECT')
			AND has_database_privilege('`+appRole+`', current_database(), 'CONNECT')) THEN
			EXECUTE format('GRANT CONNECT ON DATABASE %I TO `+ownerRole+`, `+appRole+`', current_database());
		END IF;
	END $$`)
	require.NoError(t, err)
}

// Schema is a schema of one test.
type Schema struct {
	Name string
	// MigrationURL connects as the owner of the schema.
	MigrationURL string
	// AppURL connects as the application's role, which has no DDL.
	AppURL string
	// AppRole is the role in AppURL.
	AppRole string
	// AdminURL connects as a superuser, for what a test wants to break or to see.
	AdminURL string
}

// EmptySchema makes a schema without tables and drops it when the test ends.
func EmptySchema(t testing.TB) Schema {
	t.Helper()
	admin, base := connect(t)
	if os.Getenv(Pooled) != "" {
		return emptyDatabase(t, admin, base)
	}
	name := newName()
	_, err := admin.ExecContext(t.Context(), "CREATE SCHEMA "+name+" AUTHORIZATION "+ownerRole)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		_, err := admin.ExecContext(ctx, "DROP SCHEMA "+name+" CASCADE")
		require.NoError(t, err)
	})
	return schemaIn(t, base, "", name)
}

// newName is one that nobody else has.
func newName() string {
	random := make([]byte, 8)
	_, _ = rand.Read(random)
	return "test_" + hex.EncodeToString(random)
}

// schemaIn describes the schema in the database; empty stands for that of base.
func schemaIn(t testing.TB, base, database, name string) Schema {
	t.Helper()
	as := func(user *url.Userinfo) string {
		u, err := url.Parse(base)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(u.Scheme, "postgres"), DatabaseURL+" must be a postgres:// URL")
		if user != nil {
			u.User = user
		}
		if database != "" {
			u.Path = "/" + database
		}
		query := u.Query()
		query.Set("search_path", name)
		u.RawQuery = query.Encode()
		return u.String()
	}
	return Schema{
		Name: name, AppRole: appRole,
		AdminURL:     as(nil),
		MigrationURL: as(url.UserPassword(ownerRole, password)),
		AppURL:       as(url.UserPassword(appRole, password)),
	}
}

// NewSchema makes a schema with all migrations, in a database of its own, and drops
// it when the test ends.
func NewSchema(t testing.TB) Schema {
	t.Helper()
	if os.Getenv(Pooled) != "" {
		schema := EmptySchema(t)
		require.NoError(t, store.Migrate(t.Context(), schema.MigrationURL, schema.AppRole))
		return schema
	}
	admin, base := connect(t)
	name := newName()
	_, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name+" TEMPLATE "+template(t, admin, base))
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		// Whoever a test left behind must not keep the database.
		_, err := admin.ExecContext(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		require.NoError(t, err)
	})
	return schemaIn(t, base, name, copied)
}

// template returns the name of the database that is copied, which the first test
// that asks makes.
func template(t testing.TB, admin *sql.DB, base string) string {
	t.Helper()
	server.Lock()
	defer server.Unlock()
	if server.template != "" {
		return server.template
	}
	name := newName()
	_, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	schema := schemaIn(t, base, name, copied)
	inside, err := sql.Open("pgx", schema.AdminURL)
	require.NoError(t, err)
	_, err = inside.ExecContext(t.Context(), "CREATE SCHEMA "+copied+" AUTHORIZATION "+ownerRole)
	require.NoError(t, errors.Join(err, inside.Close()))
	require.NoError(t, store.Migrate(t.Context(), schema.MigrationURL, schema.AppRole))
	// A database that somebody is connected to can't be copied.
	_, err = admin.ExecContext(t.Context(), "ALTER DATABASE "+name+" WITH ALLOW_CONNECTIONS false")
	require.NoError(t, err)
	server.template = name
	return name
}

// Open returns a store on the schema, closed when the test ends. Where config
// leaves them out, MaxConns is 8 and StatementTimeout 30 seconds; its URL
// is that of the application's role.
func (s Schema) Open(t testing.TB, config store.Config) *store.Store {
	t.Helper()
	config.URL = s.AppURL
	if config.MaxConns == 0 {
		config.MaxConns = 8
	}
	if config.StatementTimeout == 0 {
		config.StatementTimeout = statementTimeout
	}
	opened, err := store.Open(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	return opened
}

// Admin returns a superuser's handle on the schema, closed when the test ends,
// for looking at rows and for breaking them.
func (s Schema) Admin(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", s.AdminURL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// New returns a store on a migrated schema of the test's own.
func New(t testing.TB) *store.Store {
	t.Helper()
	return NewSchema(t).Open(t, store.Config{})
}

// Identity makes an active identity with this alias and levels.
func Identity(t testing.TB, s *store.Store, alias string, levels ...lifecycle.Level) lifecycle.Identity {
	t.Helper()
	identity := lifecycle.Identity{
		ID: lifecycle.NewID(), Alias: alias, Name: "The person " + alias, Email: alias + "@example.com",
		Levels: levels, Active: true, Created: Now(), Modified: Now(),
	}
	require.NoError(t, s.CreateIdentity(t.Context(), identity))
	return identity
}

// Source makes a source that owner owns and approvers decide for.
func Source(t testing.TB, s *store.Store, name string, owner lifecycle.ID, approvers ...lifecycle.ID) lifecycle.Source {
	t.Helper()
	source := lifecycle.Source{
		ID: lifecycle.NewID(), Name: name, Description: "The source " + name, Owner: owner, Created: Now(), Modified: Now(),
	}
	for _, approver := range approvers {
		source.Approvers = append(source.Approvers, lifecycle.IdentityReference(approver))
	}
	require.NoError(t, s.CreateSource(t.Context(), source, lifecycle.SystemAttributes(source.ID, source.Created), lifecycle.DefaultMaxSources))
	return source
}

// Person makes up somebody with this account name, who starts today and stays
// for 90 days.
func Person(accountName string, manager lifecycle.Identity) lifecycle.Person {
	start := Now().Truncate(24 * time.Hour)
	return lifecycle.Person{
		AccountName: accountName, FirstName: "First " + accountName, LastName: "Last " + accountName,
		Phone: "+1 555 0100", Email: accountName + "@example.org",
		Manager:   lifecycle.ManagerReference{ID: manager.ID, Alias: manager.Alias},
		StartDate: start, EndDate: start.AddDate(0, 0, 90), Data: map[string]string{},
	}
}

// Now is the time as rows keep it.
func Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
