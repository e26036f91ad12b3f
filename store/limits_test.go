package store_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/store/storetest"
)

// TestLeasesAreNeverMoreThanTheLimit has many processes take from one window
// until nothing is left: together they get the limit, to the last request.
func TestLeasesAreNeverMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for _, limit := range []int{1, 2, 7, 100} {
		key := fmt.Appendf(nil, "%d\x00\xff'", limit)
		const processes = 8
		got, failed := make([]int, processes), make([]error, processes)
		begin := make(chan struct{})
		var group sync.WaitGroup
		for i := range processes {
			group.Go(func() {
				<-begin
				for {
					granted, slot, err := s.TakeLease(t.Context(), key, 5, 12, limit)
					got[i] += granted
					if failed[i] = err; err != nil || granted == 0 || slot != 5 {
						return
					}
				}
			})
		}
		close(begin)
		group.Wait()
		sum := 0
		for i := range processes {
			require.NoError(t, failed[i])
			sum += got[i]
		}
		require.Equal(t, limit, sum)
	}
}

func TestAWindowBeginsAnew(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	key := []byte("k")
	take := func(slot int64, want int) (granted int, of int64) {
		granted, of, err := s.TakeLease(t.Context(), key, slot, want, 20)
		require.NoError(t, err)
		return granted, of
	}
	granted, of := take(5, 100)
	require.Equal(t, 5, granted, "a quarter of what is left at most")
	require.EqualValues(t, 5, of)
	granted, _ = take(5, 2)
	require.Equal(t, 2, granted)
	granted, _ = take(5, 100)
	require.Equal(t, 3, granted, "a quarter of thirteen")
	granted, of = take(6, 100)
	require.Equal(t, 5, granted)
	require.EqualValues(t, 6, of)
	granted, of = take(5, 100)
	require.Equal(t, 3, granted, "whose clock is late takes from the window that has begun")
	require.EqualValues(t, 6, of)

	require.NoError(t, s.DropRateWindows(t.Context(), 6))
	granted, _ = take(6, 100)
	require.Equal(t, 3, granted, "it is there still: 12 were left")
	require.NoError(t, s.DropRateWindows(t.Context(), 7))
	granted, _ = take(6, 100)
	require.Equal(t, 5, granted)
}
