package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dropBulk removes all that is of no use any more, with a retention of an hour.
func (w *world) dropBulk(t *testing.T) int {
	t.Helper()
	total := 0
	for {
		dropped, err := w.DropBulk(t.Context(), 2, time.Hour)
		require.NoError(t, err)
		if total += dropped; dropped == 0 {
			return total
		}
	}
}
