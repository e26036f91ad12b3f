package lifecycle_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

const idText = "0123abcd-4567-89ef-0123-456789abcdef"

func TestParseID(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"with hyphens":               idText,
		"without hyphens":            "0123abcd456789ef0123456789abcdef",
		"in upper case":              strings.ToUpper(idText),
		"in mixed case, no hyphens":  "0123ABCD456789ef0123456789abcDEF",
		"upper case without hyphens": "0123ABCD456789EF0123456789ABCDEF",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, err := lifecycle.ParseID(text)
			require.NoError(t, err)
			require.Equal(t, idText, id.String())
		})
	}
	for name, text := range map[string]string{
		"nothing":                "",
		"too short":              idText[:35],
		"too long":               idText + "0",
		"in braces":              "{" + idText + "}",
		"a URN":                  "urn:uuid:" + idText,
		"a hyphen elsewhere":     "0123abcd4-567-89ef-0123-456789abcdef",
		"hyphens for digits":     strings.Repeat("-", 36),
		"no hex digit":           "0123abcd-4567-89ef-0123-456789abcdeg",
		"blanks around":          " 0123abcd456789ef0123456789abcde ",
		"full-width digits":      "０１２３abcd456789ef01234567",
		"a NUL among the digits": "0123abcd456789ef0123456789abcde\x00",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := lifecycle.ParseID(text)
			require.ErrorIs(t, err, lifecycle.ErrNotAnID)
		})
	}
}

func TestMustParseIDPanicsOnABadConstant(t *testing.T) {
	t.Parallel()
	require.Panics(t, func() { lifecycle.MustParseID("x") })
}

func TestDeriveID(t *testing.T) {
	t.Parallel()
	space := lifecycle.MustParseID(idText)
	id := lifecycle.DeriveID(space, "a", "b")
	require.Equal(t, id, lifecycle.DeriveID(space, "a", "b"))
	for name, other := range map[string]lifecycle.ID{
		"other parts":                lifecycle.DeriveID(space, "a", "c"),
		"another order":              lifecycle.DeriveID(space, "b", "a"),
		"the same letters, one part": lifecycle.DeriveID(space, "ab"),
		"a part more":                lifecycle.DeriveID(space, "a", "b", ""),
		"parts that look like two":   lifecycle.DeriveID(space, "a1:b"),
		"another space":              lifecycle.DeriveID(lifecycle.ID{}, "a", "b"),
	} {
		require.NotEqual(t, id, other, name)
	}
	require.Equal(t, byte('5'), id.String()[14], "version")
	require.Contains(t, "89ab", id.String()[19:20], "variant")
}

func TestNewIDsAreVersion7AndGrow(t *testing.T) {
	t.Parallel()
	seen := map[lifecycle.ID]bool{}
	last := ""
	for range 1000 {
		id := lifecycle.NewID()
		require.False(t, seen[id])
		seen[id] = true
		text := id.String()
		require.Equal(t, byte('7'), text[14], "version")
		require.Contains(t, "89ab", text[19:20], "variant")
		require.GreaterOrEqual(t, text[:13], last, "the leading milliseconds must not go back")
		last = text[:13]
	}
}

func TestIDsTravelAsText(t *testing.T) {
	t.Parallel()
	id := lifecycle.MustParseID(idText)
	text, err := json.Marshal(map[string]lifecycle.ID{"id": id})
	require.NoError(t, err)
	require.JSONEq(t, `{"id":"`+idText+`"}`, string(text))
	var back map[string]lifecycle.ID
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, id, back["id"])
	require.Error(t, json.Unmarshal([]byte(`{"id":"x"}`), &back))
}

func TestIDsTravelThroughTheDatabase(t *testing.T) {
	t.Parallel()
	id := lifecycle.MustParseID(idText)
	value, err := id.Value()
	require.NoError(t, err)
	require.Equal(t, idText, value)
	for _, src := range []any{idText, []byte(idText), id[:], [16]byte(id)} {
		var got lifecycle.ID
		require.NoError(t, got.Scan(src))
		require.Equal(t, id, got)
	}
	null, err := lifecycle.ID{}.Value()
	require.NoError(t, err)
	require.Nil(t, null)
	got := id
	require.NoError(t, got.Scan(nil))
	require.True(t, got.IsZero())
	require.Error(t, got.Scan(42))
	require.Error(t, got.Scan("x"))
}

func FuzzParseID(f *testing.F) {
	for _, seed := range []string{"", idText, strings.ReplaceAll(idText, "-", ""), strings.Repeat("-", 36)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := lifecycle.ParseID(text)
		if err != nil {
			return
		}
		require.Equal(t, strings.ToLower(strings.ReplaceAll(text, "-", "")), strings.ReplaceAll(id.String(), "-", ""))
	})
}

func TestDecisionIDs(t *testing.T) {
	t.Parallel()
	item, approver := lifecycle.NewID(), lifecycle.NewID()
	id := lifecycle.DecisionID(item, approver, lifecycle.VerdictApprove, "")
	require.Equal(t, id, lifecycle.DecisionID(item, approver, lifecycle.VerdictApprove, ""))
	require.NotEqual(t, id, lifecycle.DecisionID(item, approver, lifecycle.VerdictReject, ""))
	require.NotEqual(t, id, lifecycle.DecisionID(item, approver, lifecycle.VerdictApprove, "key"))
	require.NotEqual(t, id, lifecycle.DecisionID(approver, item, lifecycle.VerdictApprove, ""))
}
