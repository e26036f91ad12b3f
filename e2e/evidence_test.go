package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/auth"
	"gatehouse/devstack"
	"gatehouse/lifecycle"
)

// adminProgram builds cmd/admin and returns what runs it, with its output and
// whether it succeeded.
func adminProgram(t *testing.T) func(args ...string) (string, error) {
	t.Helper()
	root, err := devstack.ModuleRoot()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, devstack.Build(t.Context(), root, dir, true, "admin"))
	return func(args ...string) (string, error) {
		command := exec.CommandContext(patience(t), filepath.Join(dir, "admin"), args...)
		command.Env = append(os.Environ(), "GATEHOUSE_DATABASE_URL="+stack.Postgres.AppURL(),
			"GATEHOUSE_MIGRATION_DATABASE_URL="+stack.Postgres.MigrationURL())
		var out bytes.Buffer
		command.Stdout, command.Stderr = &out, &out
		err := command.Run()
		return out.String(), err
	}
}

// newAuditor makes an application that may read the trail and nothing else.
func newAuditor(t *testing.T) caller {
	t.Helper()
	id := "auditor-" + lifecycle.NewID().String()
	hash, err := auth.HashSecret(id + "-secret")
	require.NoError(t, err)
	require.NoError(t, stack.rows(t).CreateClient(t.Context(), lifecycle.Client{
		ID: id, Name: id, SecretHash: hash, Scopes: []string{lifecycle.ScopeAudit}, Active: true, Created: time.Now(),
	}))
	status, body := askForToken(t, url.Values{"client_id": {id}, "client_secret": {id + "-secret"}})
	require.Equal(t, http.StatusOK, status, "%s", body)
	return caller{t: t, token: answer{t: t, body: body}.object().text("access_token"), mount: prefixed("/v3")}
}

// TestAccessToTheTrail: an ORG_ADMIN and an application with the scope for it, at
// every mount; everybody else is refused, whatever they ask for.
func TestAccessToTheTrail(t *testing.T) {
	ensurePeople(t)
	for _, path := range []string{"/audit-events?limit=1", "/audit-events/export?filters=" + url.QueryEscape("occurred lt 2001-01-01")} {
		for _, actor := range actors() {
			if actor == "admin" {
				continue
			}
			as(t, actor).get(path).wantRefusal("%s as %s", path, actor)
			as(t, actor).get("/audit-events?filters=nonsense").wantRefusal("nonsense as %s", actor)
		}
		auditor := newAuditor(t)
		for _, m := range mounts() {
			as(t, "admin").at(m).get(path).want(http.StatusOK)
			auditor.at(m).get(path).want(http.StatusOK)
		}
		auditor.get("/non-employee-sources").wantRefusal("the scope is for nothing else")
		anonymous(t).get("/v3" + path).want(http.StatusUnauthorized)
	}
	as(t, "admin").get("/audit-events?filters=nonsense").wantError(http.StatusBadRequest, "400.1 Bad Request Content", "position 1")
}

// TestAChangeIsInTheChainSoon: within 5 s, with who did it.
func TestAChangeIsInTheChainSoon(t *testing.T) {
	source := newSource(t, "approver.one")
	began := time.Now()
	request := ask(t, source)
	read := func() object {
		events := as(t, "admin").get("/audit-events?filters=" + url.QueryEscape(`objectId eq "`+request.id()+`" and action eq "CREATE"`)).want(200).list()
		require.Len(t, events, 1)
		return events[0]
	}
	eventually(t, "it is sealed", func() bool { return read()["sealed"] != nil })
	require.Less(t, stack.count(t, `SELECT (extract(epoch FROM s.sealed - e.occurred) * 1000)::int FROM audit_entries AS e
		JOIN audit_seals AS s ON s.entry_id = e.id WHERE e.object_id = $1 AND e.action = 'CREATE'`, request.id()), 5_000)
	event := read()
	require.Equal(t, "createNonEmployeeRequest", event.text("operation"))
	actor := object(event["actor"].(map[string]any))
	require.Equal(t, []string{identityID(t, "jane.doe"), "jane.doe", "demo-jane.doe", "127.0.0.1"},
		[]string{actor.text("identityId"), actor.text("alias"), actor.text("clientId"), actor.text("address")})
	require.Equal(t, request.text("accountName"), object(event["after"].(map[string]any)).text("accountName"))
	occurred, err := time.Parse(time.RFC3339, event.text("occurred"))
	require.NoError(t, err)
	require.WithinDuration(t, began, occurred, waitTimeout)

	// The file has the line of the list.
	line := as(t, "admin").get("/audit-events/export?format=ndjson&filters=" + url.QueryEscape(`objectId eq "`+request.id()+`" and action eq "CREATE"`)).want(200)
	require.Equal(t, "application/x-ndjson", line.header.Get("Content-Type"))
	require.Equal(t, event, line.object())
}

// TestNothingIsLeftOfWhoWasErased: a person is asked for, let in, exported and
// imported anew; after the erasure no place in the database has their name, and
// the trail verifies.
func TestNothingIsLeftOfWhoWasErased(t *testing.T) {
	const gone = "slartibartfast"
	admin := adminProgram(t)
	source := newSource(t, "approver.one", "approver.two")
	body := person(source)
	for field, value := range map[string]string{
		"accountName": gone, "firstName": "First " + gone, "lastName": "Last " + gone, "email": gone + "@example.com",
	} {
		body[field] = value
	}
	request := as(t, "jane.doe").post("/non-employee-requests", body).want(200).object()
	for i, alias := range []string{"approver.one", "approver.two"} {
		as(t, alias).post("/non-employee-approvals/"+request.items()[i].id()+"/approve", object{"comment": "Fine, " + gone}).want(200)
	}
	awaitEnd(t, request.id())
	record := recordsOf(t, source)[0]
	as(t, "admin").get(exportPath(source, "/download")).want(200)
	accepted := as(t, "admin").upload(source, "", csvHeader+csvRow(gone)+csvRow("somebody."+marker)).want(http.StatusAccepted).object()
	awaitJob(t, source, accepted.id(), "COMPLETED")
	// A second request, which waits, and an import with a fault about it.
	again := person(source)
	again["accountName"], again["email"] = gone+".again", gone+"@example.com"
	waiting := as(t, "jane.doe").post("/non-employee-requests", again).want(200).object()
	require.NotEmpty(t, stack.mentions(t, gone))

	out, err := admin("erase", "--email", strings.ToUpper(gone)+"@example.com", "--dry-run")
	require.NoError(t, err, out)
	require.NotEmpty(t, recordsOf(t, source))
	for _, args := range [][]string{{"--record", record.id()}, {"--request", waiting.id()}} {
		out, err = admin(append([]string{"erase"}, args...)...)
		require.NoError(t, err, out)
		require.NotContains(t, out, gone)
	}
	// What the sweep removes of bulk work that has ended is gone by then too.
	eventually(t, "nothing is left", func() bool { return len(stack.mentions(t, gone)) == 0 })
	as(t, "admin").get("/non-employee-records/" + record.id()).want(404)
	require.Len(t, recordsOf(t, source), 1)
	awaitEnd(t, waiting.id())

	out, err = admin("audit", "verify")
	require.NoError(t, err, out)
	require.Contains(t, out, "faults\t0\n")
	head := stack.text(t, "SELECT position || ':' || encode(hash, 'hex') FROM audit_seals ORDER BY position DESC LIMIT 1")
	out, err = admin("audit", "verify", "--expect", head)
	require.NoError(t, err, out)
	event := as(t, "admin").get("/audit-events?filters=" + url.QueryEscape(`objectId eq "`+record.id()+`" and action eq "CREATE"`)).want(200).list()[0]
	require.Equal(t, true, event["erased"])
	require.NotContains(t, event, "after")
}

// mentions are the columns of any table that hold the text, in any case, or its
// bytes.
func (s *system) mentions(t *testing.T, text string) (columns []string) {
	t.Helper()
	rows, err := s.db.QueryContext(patience(t), `SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
		WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var questions [][2]string
	for rows.Next() {
		var schema, table, name, kind string
		require.NoError(t, rows.Scan(&schema, &table, &name, &kind))
		found := fmt.Sprintf("position(lower($1) IN lower(%q::text)) > 0", name)
		if kind == "bytea" {
			found = fmt.Sprintf("position(convert_to($1, 'UTF8') IN %q) > 0", name)
		}
		questions = append(questions, [2]string{table + "." + name, fmt.Sprintf("SELECT count(*) FROM %q.%q WHERE %s", schema, table, found)})
	}
	require.NoError(t, rows.Err())
	for _, question := range questions {
		if s.count(t, question[1], text) > 0 {
			columns = append(columns, question[0])
		}
	}
	return columns
}
