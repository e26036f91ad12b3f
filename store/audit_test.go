package store_test

import (
	"database/sql"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// TestAChangeIsInTheTrailWithWhoMadeIt: the entry has the ids, the details what
// is known of people, behind digests that fit.
func TestAChangeIsInTheTrailWithWhoMadeIt(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	s, db := schema.Open(t, store.Config{}), schema.Admin(t)
	identity, caller := awkwardIdentity(), lifecycle.NewID()
	ctx := lifecycle.WithOrigin(t.Context(), lifecycle.Origin{
		Channel: lifecycle.ChannelAPI, Operation: "makeIdentity", Identity: caller, Client: "their-token",
		Address: "192.0.2.7", TrackingID: "0123456789abcdef0123456789abcdef",
	})
	require.NoError(t, s.CreateIdentity(ctx, identity))
	require.NoError(t, s.SetIdentityActive(ctx, identity.ID, true), "it is, so nothing changes")
	require.NoError(t, s.SetIdentityActive(ctx, identity.ID, false))

	rows, err := db.QueryContext(t.Context(), `SELECT e.channel, e.operation, e.outcome, e.identity_id, e.client_id, e.tracking_id,
			e.action, e.object_type, e.object_id, e.facts, e.actor_digest, e.change_digest, d.actor, d.actor_salt, d.change, d.change_salt,
			EXISTS (SELECT 1 FROM audit_tail AS t WHERE t.entry_id = e.id)
		FROM audit_entries AS e JOIN audit_details AS d ON d.entry_id = e.id ORDER BY e.id`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var actions []string
	var changes []map[string]map[string]any
	for rows.Next() {
		var channel, operation, outcome, by, tracking, action, object, id, facts, actor, change string
		var client sql.NullString
		var actorDigest, changeDigest, actorSalt, changeSalt []byte
		var waits bool
		require.NoError(t, rows.Scan(&channel, &operation, &outcome, &by, &client, &tracking, &action, &object, &id, &facts,
			&actorDigest, &changeDigest, &actor, &actorSalt, &change, &changeSalt, &waits))
		require.Equal(t, []string{"API", "makeIdentity", "SUCCESS", caller.String(), "0123456789abcdef0123456789abcdef", "IDENTITY", identity.ID.String(), "{}"},
			[]string{channel, operation, outcome, by, tracking, object, id, facts})
		require.False(t, client.Valid, "a person's client is a detail")
		require.JSONEq(t, `{"address":"192.0.2.7","client":"their-token"}`, actor)
		require.Equal(t, lifecycle.DetailDigest(actorSalt, actor), actorDigest)
		require.Equal(t, lifecycle.DetailDigest(changeSalt, change), changeDigest)
		require.NotEqual(t, actorSalt, changeSalt)
		require.True(t, waits)
		actions = append(actions, action)
		var told map[string]map[string]any
		require.NoError(t, json.Unmarshal([]byte(change), &told))
		changes = append(changes, told)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []string{"CREATE", "UPDATE"}, actions)
	require.Equal(t, map[string]map[string]any{"after": {
		"alias": identity.Alias, "name": identity.Name, "email": identity.Email, "active": true,
		"levels": []any{"ORG_ADMIN", "SOURCE_SUBADMIN"},
	}}, changes[0])
	require.Equal(t, map[string]map[string]any{"before": {"active": true}, "after": {"active": false}}, changes[1])
}

// TestNoEntryWithoutItsChange: what fails leaves no entry.
func TestNoEntryWithoutItsChange(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	s, db := schema.Open(t, store.Config{}), schema.Admin(t)
	storetest.Identity(t, s, "one")
	twin := lifecycle.Identity{ID: lifecycle.NewID(), Alias: "ONE", Created: storetest.Now(), Modified: storetest.Now()}
	requireKind(t, lifecycle.KindConflict, s.CreateIdentity(t.Context(), twin))
	requireKind(t, lifecycle.KindNotFound, s.SetIdentityActive(t.Context(), lifecycle.NewID(), true))
	var n int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM audit_entries").Scan(&n))
	require.Equal(t, 1, n)
}

// TestTheApplicationCanNotRewriteTheTrail: its role adds and reads.
func TestTheApplicationCanNotRewriteTheTrail(t *testing.T) {
	t.Parallel()
	schema := storetest.NewSchema(t)
	s := schema.Open(t, store.Config{})
	storetest.Identity(t, s, "one")
	app, err := sql.Open("pgx", schema.AppURL)
	require.NoError(t, err)
	defer func() { require.NoError(t, app.Close()) }()
	for _, statement := range []string{
		"UPDATE audit_entries SET operation = 'x'", "DELETE FROM audit_entries", "TRUNCATE audit_entries",
		"UPDATE audit_details SET change = NULL", "DELETE FROM audit_details", "TRUNCATE audit_details",
		"UPDATE audit_seals SET hash = hash", "DELETE FROM audit_seals", "TRUNCATE audit_seals",
		"UPDATE audit_tail SET txid = txid", "TRUNCATE audit_tail", "DROP TABLE audit_entries",
		"SELECT setval('audit_numbers', 1)",
	} {
		_, err := app.ExecContext(t.Context(), statement)
		require.ErrorContains(t, err, "SQLSTATE 42501", statement)
	}
}
