package document

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func datesOf(t *testing.T, text string) lifecycle.LifecyclePolicyInput {
	t.Helper()
	doc, err := Parse([]byte(text))
	require.NoError(t, err)
	return doc.LifecyclePolicy()
}

func TestALifecyclePolicyIsReadWhole(t *testing.T) {
	t.Parallel()
	require.Equal(t, lifecycle.LifecyclePolicyInput{
		Warnings: []lifecycle.WarningInput{{Days: new(30), To: []string{"MANAGER"}}, {}},
		Action:   new("SUSPEND"), GraceDays: new(3), Approval: new("NONE"),
	}, datesOf(t, `{"warnings": [{"days": 30, "to": ["MANAGER"]}, {}], "end": {"action": "SUSPEND", "graceDays": 3},
		"extension": {"approval": "NONE"}, "inherited": true, "endSince": "2027-01-01T00:00:00.000Z"}`))
	require.Equal(t, lifecycle.LifecyclePolicyInput{}, datesOf(t, `{"warnings": null, "end": null}`))
	require.NotNil(t, datesOf(t, `{"warnings": []}`).Warnings)
}

func TestWhatIsWrongWithALifecyclePolicyIsToldByItsPath(t *testing.T) {
	t.Parallel()
	in := datesOf(t, `{"warnings": [{"days": "x", "to": [5], "more": 1}, 7], "end": [], "extension": {"approvals": "NONE"}, "grace": 1}`)
	for _, field := range []string{
		"grace", "warnings[0].days", "warnings[0].to", "warnings[0].more", "warnings[1]", "end", "extension.approvals",
	} {
		require.True(t, in.Faults.About(field), field)
	}
	require.Len(t, in.Faults, 7)
	many := datesOf(t, `{"warnings": [`+strings.Repeat(`{"days": "x"},`, 500)+`{}]}`)
	require.Len(t, many.Warnings, 501)
	require.Len(t, many.Faults, lifecycle.MaxWarnings)
	require.True(t, datesOf(t, `{"warnings": {}}`).Faults.About("warnings"))
}
