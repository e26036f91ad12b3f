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
	anAbsence = lifecycle.Absence{
		ID: objectID, Identity: person, Deputy: sourceID, Start: now, End: now.AddDate(0, 0, 14), Creator: person, Created: now, Modified: now,
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

func (f *fake) ListAbsences(ctx context.Context, a policy.Actor, of string, p filter.Params) ([]lifecycle.Absence, int, error) {
	f.requestedFor, f.params = &of, p
	return page(f, anAbsence, f.asked(ctx, a))
}

func (f *fake) CreateAbsence(ctx context.Context, a policy.Actor, of string, in lifecycle.AbsenceInput) (lifecycle.Absence, error) {
	f.requestedFor, f.absence = &of, in
	return anAbsence, f.asked(ctx, a)
}

func (f *fake) GetAbsence(ctx context.Context, a policy.Actor, of string, id lifecycle.ID) (lifecycle.Absence, error) {
	f.requestedFor, f.id = &of, id
	return anAbsence, f.asked(ctx, a)
}

func (f *fake) DeleteAbsence(ctx context.Context, a policy.Actor, of string, id lifecycle.ID) error {
	f.requestedFor, f.id = &of, id
	return f.asked(ctx, a)
}
