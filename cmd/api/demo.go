package main

import (
	"context"
	"fmt"
	"time"

	"gatehouse/auth"
	"gatehouse/lifecycle"
	"gatehouse/store"
)

// demoSpace is the name space of the demo organisation's ids, which are the
// same at every start.
var demoSpace = lifecycle.MustParseID("0d3a0c7e-42f1-5d6b-9a51-7c1e6f2b8d90")

// demoIdentities are the people of the demo organisation, managers before those who
// answer to them.
var demoIdentities = []struct {
	alias, name string
	level       lifecycle.Level
	manager     string
}{
	{"admin", "Ada Admin", lifecycle.LevelOrgAdmin, ""},
	{"source.admin", "Sol Source", lifecycle.LevelSourceAdmin, "admin"},
	{"sub.admin", "Sue Sub", lifecycle.LevelSourceSubadmin, "source.admin"},
	{"jane.doe", "Jane Doe", "", "source.admin"},
	{"john.roe", "John Roe", "", "jane.doe"},
	{"approver.three", "Cleo Three", "", "source.admin"},
	{"approver.one", "Ann One", "", "approver.three"},
	{"approver.two", "Ben Two", "", "approver.three"},
	{"outsider", "Otto Outsider", "", ""},
}

func demoIdentity(alias string) lifecycle.ID { return lifecycle.DeriveID(demoSpace, "identity", alias) }

const demoWorkgroup = "field-ops"

// seedDemo makes the demo organisation. Each identity has a personal access token
// "demo-ALIAS" with the secret "demo-ALIAS-secret"; "demo-app" is an application
// client with all four rights. What is there already is restored: the identities
// with their names, levels, managers and being active, and the workgroup with its member;
// further members stay, and so do clients as they are.
func seedDemo(ctx context.Context, s *store.Store) error {
	now := time.Now().UTC().Truncate(time.Millisecond)
	for _, person := range demoIdentities {
		identity := lifecycle.Identity{
			ID:    demoIdentity(person.alias),
			Alias: person.alias, Name: person.name, Email: person.alias + "@example.com",
			Active: true, Created: now, Modified: now,
		}
		if person.level != "" {
			identity.Levels = []lifecycle.Level{person.level}
		}
		if person.manager != "" {
			identity.Manager = demoIdentity(person.manager)
		}
		if err := s.EnsureIdentity(ctx, identity); err != nil {
			return fmt.Errorf("demo identity %s: %w", person.alias, err)
		}
		client := lifecycle.Client{ID: "demo-" + person.alias, Name: person.name, IdentityID: identity.ID}
		if err := ensureDemoClient(ctx, s, client, now); err != nil {
			return err
		}
	}
	group := lifecycle.Workgroup{
		ID: lifecycle.DeriveID(demoSpace, "workgroup", demoWorkgroup), Name: demoWorkgroup,
		Members: []lifecycle.ID{demoIdentity("sub.admin")}, Created: now,
	}
	if err := s.EnsureWorkgroup(ctx, group); err != nil {
		return fmt.Errorf("demo workgroup: %w", err)
	}
	return ensureDemoClient(ctx, s, lifecycle.Client{
		ID: "demo-app", Name: "Demo application",
		Rights: []lifecycle.Right{lifecycle.RightCreate, lifecycle.RightRead, lifecycle.RightUpdate, lifecycle.RightDelete},
	}, now)
}

func ensureDemoClient(ctx context.Context, s *store.Store, client lifecycle.Client, now time.Time) error {
	if _, _, err := s.GetClient(ctx, client.ID); err == nil {
		return nil
	} else if lifecycle.KindOf(err) != lifecycle.KindNotFound {
		return err
	}
	hash, err := auth.HashSecret(client.ID + "-secret")
	if err != nil {
		return err
	}
	client.SecretHash, client.Scopes = hash, []string{lifecycle.ScopeAll}
	client.Active, client.Created = true, now
	if err := s.EnsureClient(ctx, client); err != nil {
		return fmt.Errorf("demo client %s: %w", client.ID, err)
	}
	return nil
}
