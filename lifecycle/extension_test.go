package lifecycle_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// TestAnEmptyFilterIsNone: it would let every record of the source through.
func TestAnEmptyFilterIsNone(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for _, filters := range []string{"", " \t"} {
		_, targets, faults := lifecycle.ExtensionInput{EndDate: new("2027-01-01"), Filters: &filters}.Judge(at)
		require.EqualError(t, faults.Err(), "required: recordIds or filters is required;")
		require.Empty(t, targets)
	}
}
