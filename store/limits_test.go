package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/store/storetest"
)

// TestLeasesAreNeverMoreThanTheLimit has many processes take from one window
// until nothing is left: together they get the limit, to the last request.
func TestLeasesAreNeverMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	at := window()
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
					granted, slot, err := s.TakeLease(t.Context(), key, at, 12, limit)
					got[i] += granted
					if failed[i] = err; err != nil || granted == 0 || slot != at {
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
	at := window()
	granted, of := take(at, 100)
	require.Equal(t, 5, granted, "a quarter of what is left at most")
	require.Equal(t, at, of)
	granted, _ = take(at, 2)
	require.Equal(t, 2, granted)
	granted, _ = take(at, 100)
	require.Equal(t, 3, granted, "a quarter of thirteen")
	granted, of = take(at+1, 100)
	require.Equal(t, 5, granted)
	require.Equal(t, at+1, of)
	granted, of = take(at, 100)
	require.Equal(t, 3, granted, "whose clock is late takes from the window that has begun")
	require.Equal(t, at+1, of)
}

// TestAWrongClockIsNobodyElsesTrouble: an hour ahead or behind, it takes from the
// windows of the others and removes none of them.
func TestAWrongClockIsNobodyElsesTrouble(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	at := window()
	for _, wrong := range []int64{-360, 360} {
		key := fmt.Appendf(nil, "%d", wrong)
		granted, of, err := s.TakeLease(t.Context(), key, at+wrong, 100, 20)
		require.NoError(t, err)
		require.Equal(t, 5, granted)
		require.InDelta(t, at, of, 2)
		_, of, err = s.TakeLease(t.Context(), key, at+1, 100, 20)
		require.NoError(t, err)
		require.InDelta(t, at, of, 2)
		require.NoError(t, s.DropRateWindows(t.Context(), at+360))
		granted, of, err = s.TakeLease(t.Context(), key, at+wrong, 100, 20)
		require.NoError(t, err)
		require.InDelta(t, at, of, 2)
		require.Less(t, granted, 5, "it is there still")
	}
}

func window() int64 { return time.Now().Unix() / 10 }
