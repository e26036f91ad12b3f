package document_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/document"
	"gatehouse/lifecycle"
)

func TestAScheduleIsRead(t *testing.T) {
	t.Parallel()
	read := func(text string) lifecycle.ScheduleInput {
		doc, err := document.Parse([]byte(text))
		require.NoError(t, err)
		return doc.Schedule()
	}
	in := read(`{"cron":"0 6 * * *","zone":null,"keep":3,"id":"ignored"}`)
	require.Equal(t, "0 6 * * *", *in.Cron)
	require.Nil(t, in.Zone)
	require.Equal(t, 3, *in.Keep)
	require.Empty(t, in.Faults)

	for _, keep := range []string{`"3"`, `1.5`, `1e2`, `99999999999999999999`, `true`, `[]`} {
		in := read(`{"keep":` + keep + `}`)
		require.Nil(t, in.Keep)
		require.EqualError(t, in.Faults.Err(), "illegal_value: keep must be a whole number;", keep)
	}
	require.Len(t, read(`{"cron":1,"zone":[]}`).Faults, 2)
	require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(read(`[]`).Faults.Err()))
}
