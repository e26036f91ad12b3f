package lifecycle_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func TestAMoveIsJudged(t *testing.T) {
	t.Parallel()
	id := lifecycle.NewID()
	owner := func(kind *string) *lifecycle.ReferenceInput {
		return &lifecycle.ReferenceInput{ID: new(id.String()), Type: kind}
	}
	to, comment, faults := lifecycle.ReassignInput{NewOwner: owner(nil), Comment: new(" why\r\n")}.Judge()
	require.Empty(t, faults)
	require.Equal(t, lifecycle.IdentityReference(id), to)
	require.Equal(t, "why", comment)
	to, _, faults = lifecycle.ReassignInput{NewOwner: owner(new("GOVERNANCE_GROUP")), Comment: new("c")}.Judge()
	require.Empty(t, faults)
	require.Equal(t, lifecycle.Reference{ID: id, Type: lifecycle.ReferenceGovernanceGroup}, to)

	for want, in := range map[string]lifecycle.ReassignInput{
		"required: newOwner is required; comment is required;":               {},
		"bad_request: newOwner must be a UUID;":                              {NewOwner: &lifecycle.ReferenceInput{ID: new("x")}, Comment: new("c")},
		"illegal_value: newOwner.type must be IDENTITY or GOVERNANCE_GROUP;": {NewOwner: owner(new("ROLE")), Comment: new("c")},
		"limit: comment is longer than the limit of 4000 characters;":        {NewOwner: owner(nil), Comment: new(strings.Repeat("a", 4001))},
		"required: comment is required;":                                     {NewOwner: owner(nil), Comment: new("  ")},
	} {
		_, _, faults := in.Judge()
		require.EqualError(t, faults.Err(), want)
	}
}
