package lifecycle_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func TestSystemAttributesAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	source, now := lifecycle.NewID(), time.Now()
	want := []struct {
		name string
		kind lifecycle.AttributeType
	}{
		{"accountName", "TEXT"},
		{"firstName", "TEXT"},
		{"lastName", "TEXT"},
		{"phone", "TEXT"},
		{"email", "TEXT"},
		{"manager", "IDENTITY"},
		{"startDate", "DATE"},
		{"endDate", "DATE"},
	}
	attributes := lifecycle.SystemAttributes(source, now)
	require.Len(t, attributes, len(want))
	require.Len(t, lifecycle.PersonFields(), len(want))
	ids := map[lifecycle.ID]bool{}
	for i, a := range attributes {
		require.Equal(t, want[i].name, a.TechnicalName)
		require.Equal(t, want[i].name, lifecycle.PersonFields()[i])
		require.Equal(t, want[i].kind, a.Type)
		require.True(t, a.Required)
		require.True(t, a.System)
		require.Equal(t, i, a.Position)
		require.Equal(t, source, a.SourceID)
		require.NotEmpty(t, a.Label)
		ids[a.ID] = true
	}
	require.Len(t, ids, len(want))
}

func TestSourceJudge(t *testing.T) {
	t.Parallel()
	const owner, workgroup = "0123abcd456789ef0123456789abcdef", "1123ABCD-4567-89EF-0123-456789ABCDEF"
	const nobody = "00000000-0000-0000-0000-000000000000"
	ids := make([]string, 12)
	for i := range ids {
		ids[i] = lifecycle.NewID().String()
	}
	named := func(texts ...string) []lifecycle.ReferenceInput {
		all := []lifecycle.ReferenceInput{}
		for _, text := range texts {
			all = append(all, lifecycle.ReferenceInput{ID: &text})
		}
		return all
	}
	good := func() lifecycle.SourceInput {
		return lifecycle.SourceInput{
			Name: new(" Retail\u00a0"), Description: new("a\r\nb"), Owner: new(owner),
			ManagementWorkgroup: new(workgroup),
			Approvers:           named(ids[0], ids[1], ids[0]),
			AccountManagers:     named(ids[2], " "+ids[3], ids[2]),
		}
	}
	references := func(texts ...string) []lifecycle.Reference {
		all := []lifecycle.Reference{}
		for _, text := range texts {
			all = append(all, lifecycle.IdentityReference(lifecycle.MustParseID(text)))
		}
		return all
	}

	t.Run("a good source is normalised", func(t *testing.T) {
		t.Parallel()
		source, faults := good().Judge()
		require.NoError(t, faults.Err())
		require.Equal(t, lifecycle.Source{
			Name: "Retail", Description: "a\nb",
			Owner:               lifecycle.MustParseID(owner),
			ManagementWorkgroup: lifecycle.MustParseID(workgroup),
			Approvers:           references(ids[0], ids[1], ids[0]),
			AccountManagers:     references(ids[2], ids[3]),
		}, source)
	})
	t.Run("what is optional may be absent", func(t *testing.T) {
		t.Parallel()
		in := lifecycle.SourceInput{Name: new("n"), Description: new("d"), Owner: new(owner), ManagementWorkgroup: new(" ")}
		source, faults := in.Judge()
		require.NoError(t, faults.Err())
		require.True(t, source.ManagementWorkgroup.IsZero())
		require.Equal(t, references(), source.Approvers)
		require.Equal(t, references(), source.AccountManagers)
	})
	t.Run("a group and an identity of one id are two references", func(t *testing.T) {
		t.Parallel()
		in := good()
		in.AccountManagers = named(ids[2], ids[2], ids[2])
		in.AccountManagers[1].Type, in.AccountManagers[2].Type = new("GOVERNANCE_GROUP"), new("IDENTITY")
		source, faults := in.Judge()
		require.NoError(t, faults.Err())
		group := lifecycle.Reference{ID: lifecycle.MustParseID(ids[2]), Type: lifecycle.ReferenceGovernanceGroup}
		require.Equal(t, append(references(ids[2]), group), source.AccountManagers)
	})
	t.Run("account managers up to the limit, doubles not counted", func(t *testing.T) {
		t.Parallel()
		in := good()
		in.AccountManagers = named(slices.Concat(ids[:10], ids[:1], ids[9:10])...)
		source, faults := in.Judge()
		require.NoError(t, faults.Err())
		require.Equal(t, references(ids[:10]...), source.AccountManagers)
	})

	tests := []struct {
		name   string
		change func(*lifecycle.SourceInput)
		kind   lifecycle.Kind
		want   string
	}{
		{
			"everything required is missing",
			func(in *lifecycle.SourceInput) { *in = lifecycle.SourceInput{} },
			lifecycle.KindRequired, "name is required; description is required; owner is required;",
		},
		{"an empty name", func(in *lifecycle.SourceInput) { in.Name = new(" \t") }, lifecycle.KindRequired, "name is required;"},
		{
			"a name on two lines", func(in *lifecycle.SourceInput) { in.Name = new("a\nb") },
			lifecycle.KindIllegalValue, "name must be on one line and have no tabs;",
		},
		{
			"a name that is too long", func(in *lifecycle.SourceInput) { in.Name = new(strings.Repeat("é", 256)) },
			lifecycle.KindIllegalValue, "name must not be longer than 255 characters;",
		},
		{
			"an owner that is no id", func(in *lifecycle.SourceInput) { in.Owner = new("jane.doe") },
			lifecycle.KindBadRequest, "owner must be a UUID;",
		},
		{
			"a workgroup that is no id", func(in *lifecycle.SourceInput) { in.ManagementWorkgroup = new("123299") },
			lifecycle.KindBadRequest, "managementWorkgroup must be a UUID;",
		},
		{
			"an owner that nothing can be", func(in *lifecycle.SourceInput) { in.Owner = new(nobody) },
			lifecycle.KindReferenceNotFound, "owner names nothing: " + nobody + ";",
		},
		{
			"a workgroup that nothing can be", func(in *lifecycle.SourceInput) { in.ManagementWorkgroup = new(nobody) },
			lifecycle.KindReferenceNotFound, "managementWorkgroup names nothing: " + nobody + ";",
		},
		{
			"a type that there is not",
			func(in *lifecycle.SourceInput) { in.Approvers[1].Type = new("ROBOT") },
			lifecycle.KindIllegalValue, "approvers[1].type must be IDENTITY or GOVERNANCE_GROUP;",
		},
		{
			"a fourth approver", func(in *lifecycle.SourceInput) { in.Approvers = named(ids[:4]...) },
			lifecycle.KindLimit, "approvers names more than 3 identities, which is the limit;",
		},
		{
			"an eleventh account manager", func(in *lifecycle.SourceInput) { in.AccountManagers = named(ids[:11]...) },
			lifecycle.KindLimit, "accountManagers names more than 10 identities, which is the limit;",
		},
		{
			"an approver that is no id", func(in *lifecycle.SourceInput) { in.Approvers = named(ids[0], "x", "") },
			lifecycle.KindBadRequest, "approvers[1] must be a UUID; approvers[2] must be a UUID;",
		},
		{
			"a long list without ids is told of a few times only",
			func(in *lifecycle.SourceInput) {
				in.Approvers = named(strings.Split(strings.Repeat("x,", 1000), ",")...)
			},
			lifecycle.KindBadRequest, "approvers[0] must be a UUID; approvers[1] must be a UUID; approvers[2] must be a UUID;",
		},
		{
			"faults of reading come first and are not told twice",
			func(in *lifecycle.SourceInput) {
				in.Name, in.Owner = nil, nil
				in.Faults.Add(lifecycle.KindIllegalValue, "name", "name must be a string")
			},
			lifecycle.KindBadRequest, "name must be a string; owner is required;",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := good()
			tt.change(&in)
			_, faults := in.Judge()
			requireFault(t, faults.Err(), tt.kind, tt.want)
		})
	}
}

func TestAttributeJudge(t *testing.T) {
	t.Parallel()
	good := func() lifecycle.AttributeInput {
		return lifecycle.AttributeInput{Type: new("TEXT"), TechnicalName: new("badge"), Label: new("Badge")}
	}
	t.Run("a good attribute is normalised", func(t *testing.T) {
		t.Parallel()
		required := true
		in := lifecycle.AttributeInput{
			Type: new(" TEXT "), TechnicalName: new(" cost.Center_1-b c "), Label: new("Zoe\u0308"),
			HelpText: new("a\r\nb"), Placeholder: new(" "), Required: &required,
		}
		attribute, faults := in.Judge()
		require.NoError(t, faults.Err())
		require.Equal(t, lifecycle.SchemaAttribute{
			Type: lifecycle.AttributeText, TechnicalName: "cost.Center_1-b c", Label: "Zoë", HelpText: "a\nb", Required: true,
		}, attribute)
	})
	t.Run("required is false unless said", func(t *testing.T) {
		t.Parallel()
		attribute, faults := good().Judge()
		require.NoError(t, faults.Err())
		require.False(t, attribute.Required)
	})
	for _, name := range []string{"a", "_x", "9lives", "Größe", "नाम", "a.b-c_d e"} {
		in := good()
		in.TechnicalName = &name
		attribute, faults := in.Judge()
		require.NoError(t, faults.Err(), name)
		require.Equal(t, name, attribute.TechnicalName)
	}
	for _, name := range []string{"=a", "+a", "-a", "@a", ".a", "'a", `a"b`, "a,b", "a;b", "a/b", "a~b", "a\u00a0b", "a\u200bb", "a'b"} {
		in := good()
		in.TechnicalName = &name
		_, faults := in.Judge()
		require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(faults.Err()), name)
		require.Len(t, faults, 1, name)
	}
	tests := []struct {
		name   string
		change func(*lifecycle.AttributeInput)
		kind   lifecycle.Kind
		want   string
	}{
		{
			"everything required is missing", func(in *lifecycle.AttributeInput) { *in = lifecycle.AttributeInput{} },
			lifecycle.KindRequired, "type is required; technicalName is required; label is required;",
		},
		{
			"a type that custom attributes can't have", func(in *lifecycle.AttributeInput) { in.Type = new("DATE") },
			lifecycle.KindIllegalValue, "type must be TEXT;",
		},
		{
			"a type in lower case", func(in *lifecycle.AttributeInput) { in.Type = new("text") },
			lifecycle.KindIllegalValue, "type must be TEXT;",
		},
		{
			"a name on two lines", func(in *lifecycle.AttributeInput) { in.TechnicalName = new("a\nb") },
			lifecycle.KindIllegalValue, "technicalName must be on one line and have no tabs;",
		},
		{
			"a help text that is too long",
			func(in *lifecycle.AttributeInput) { in.HelpText = new(strings.Repeat("x", 4001)) },
			lifecycle.KindIllegalValue, "helpText must not be longer than 4000 characters;",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := good()
			tt.change(&in)
			_, faults := in.Judge()
			requireFault(t, faults.Err(), tt.kind, tt.want)
		})
	}
}

func requireFault(t *testing.T, err error, kind lifecycle.Kind, message string) {
	t.Helper()
	var e *lifecycle.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, message, e.Message)
	require.Equal(t, kind, e.Kind)
}
