package lifecycle_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func TestAUserIsJudgedAsTextsAreEverywhere(t *testing.T) {
	t.Parallel()
	user, faults := lifecycle.UserInput{
		UserName: new(" Jane.Doe\r\n"), DisplayName: new("Jane Doe"), Email: new(" jane@example.com "),
		Roles: []string{"org_admin", "ORG_ADMIN", " source_subadmin "},
	}.Judge(lifecycle.DirectoryUser{})
	require.Empty(t, faults)
	require.Equal(t, lifecycle.DirectoryUser{Identity: lifecycle.Identity{
		Alias: "Jane.Doe", Name: "Jane Doe", Email: "jane@example.com", Active: true,
		Levels: []lifecycle.Level{lifecycle.LevelOrgAdmin, lifecycle.LevelSourceSubadmin},
	}}, user)

	_, faults = lifecycle.UserInput{
		UserName: new(""), DisplayName: new("a\x00b"), GivenName: new(strings.Repeat("x", 256)), Roles: []string{"", "king"},
	}.Judge(lifecycle.DirectoryUser{})
	for _, field := range []string{"userName", "displayName", "name.givenName", "roles"} {
		require.True(t, faults.About(field), field)
	}
	_, faults = lifecycle.UserInput{UserName: new("x"), Roles: make([]string, 101)}.Judge(lifecycle.DirectoryUser{})
	require.Equal(t, lifecycle.KindLimit, lifecycle.KindOf(faults.Err()))
	_, faults = lifecycle.UserInput{
		UserName: new("x"), GivenName: new(strings.Repeat("x", 200)), FamilyName: new(strings.Repeat("y", 200)),
	}.Judge(lifecycle.DirectoryUser{})
	require.True(t, faults.About("displayName"), "what is made of good parts may be too long")
}

func TestAGroupHasSoManyMembersAtMost(t *testing.T) {
	t.Parallel()
	var in lifecycle.GroupInput
	in.DisplayName = new("Field")
	for range lifecycle.MaxWorkgroupMembers {
		in.Members = append(in.Members, lifecycle.NewID().String())
	}
	in.Members = append(in.Members, strings.ToUpper(in.Members[0]))
	group, faults := in.Judge()
	require.Empty(t, faults)
	require.Len(t, group.Members, lifecycle.MaxWorkgroupMembers, "one who is named twice counts once")
	in.Members = append(in.Members, lifecycle.NewID().String())
	_, faults = in.Judge()
	require.Equal(t, lifecycle.KindLimit, lifecycle.KindOf(faults.Err()))

	in.Members = nil
	for i := range 30 {
		in.Members = append(in.Members, fmt.Sprint("nobody", i))
	}
	_, faults = in.Judge()
	require.Len(t, faults, 10, "the rest is not told")
	require.Equal(t, lifecycle.KindReferenceNotFound, lifecycle.KindOf(faults.Err()))
}
