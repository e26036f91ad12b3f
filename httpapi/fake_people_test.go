package httpapi_test

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

var (
	anIdentity = lifecycle.DirectoryUser{
		Identity: lifecycle.Identity{
			ID: person, Alias: "jane.doe", Name: "Jane Doe", Email: "jane.doe@example.com", Active: true,
			Levels: []lifecycle.Level{lifecycle.LevelOrgAdmin}, Manager: objectID, Created: now, Modified: now,
		},
		ManagerName: "Sol Source", ExternalID: "0815", GivenName: "Jane", FamilyName: "Doe", Version: 3,
	}
	aWorkgroup = lifecycle.WorkgroupSummary{ID: objectID, Name: "Field operations", Members: 4, Created: now, Modified: now}
)

func (f *fake) ListIdentities(ctx context.Context, a policy.Actor, p filter.Params) ([]lifecycle.DirectoryUser, int, error) {
	f.params = p
	return page(f, anIdentity, f.asked(ctx, a))
}

func (f *fake) GetIdentity(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.DirectoryUser, error) {
	f.id = id
	return anIdentity, f.asked(ctx, a)
}

func (f *fake) ListWorkgroups(ctx context.Context, a policy.Actor, p filter.Params) ([]lifecycle.WorkgroupSummary, int, error) {
	f.params = p
	return page(f, aWorkgroup, f.asked(ctx, a))
}

func (f *fake) GetWorkgroup(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.WorkgroupSummary, error) {
	f.id = id
	return aWorkgroup, f.asked(ctx, a)
}

func (f *fake) ListWorkgroupMembers(ctx context.Context, a policy.Actor, id lifecycle.ID, p filter.Params) ([]lifecycle.DirectoryUser, int, error) {
	f.id, f.params = id, p
	return page(f, anIdentity, f.asked(ctx, a))
}
