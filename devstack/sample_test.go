package devstack

import (
	"bytes"
	"encoding/csv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheSampleIsAFileOfDifferentPeople(t *testing.T) {
	t.Parallel()
	var file, again bytes.Buffer
	require.NoError(t, WriteSample(&file, 1_000, "jane.doe", "john.roe"))
	require.NoError(t, WriteSample(&again, 1_000, "jane.doe", "john.roe"))
	require.Equal(t, file.String(), again.String())
	rows, err := csv.NewReader(&file).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1_001)
	require.Equal(t, []string{"accountName", "firstName", "lastName", "phone", "email", "manager", "startDate", "endDate"}, rows[0])
	names := map[string]bool{}
	for _, row := range rows[1:] {
		require.NotContains(t, names, row[0])
		names[row[0]] = true
		require.Contains(t, []string{"jane.doe", "john.roe"}, row[5])
		require.Less(t, row[6], row[7])
	}
}
