package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store/storetest"
)

// TestWhoChangesTheKeysFollowsTheOthers has many processes add a key where there
// is none: one does, and all know it.
func TestWhoChangesTheKeysFollowsTheOthers(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	none, err := s.SigningKeys(t.Context())
	require.NoError(t, err)
	require.Empty(t, none)
	const processes = 20
	answers, failed := make([][]lifecycle.SigningKey, processes), make([]error, processes)
	made := map[string]lifecycle.SigningKey{}
	begin := make(chan struct{})
	var group sync.WaitGroup
	for i := range processes {
		at := storetest.Now().Add(time.Duration(i) * time.Second)
		key := lifecycle.SigningKey{
			KeyID: fmt.Sprintf("key %d", i), PrivateKey: []byte{0, 0xff, '\'', '\\', byte(i)}, Created: at, SignsFrom: at,
		}
		made[key.KeyID] = key
		group.Go(func() {
			<-begin
			answers[i], failed[i] = s.ChangeSigningKeys(t.Context(), func(keys []lifecycle.SigningKey) (lifecycle.SigningKey, []string, error) {
				if len(keys) > 0 {
					return lifecycle.SigningKey{}, nil, nil
				}
				return key, nil, nil
			})
		})
	}
	close(begin)
	group.Wait()
	for i := range processes {
		require.NoError(t, failed[i])
		require.Len(t, answers[i], 1)
		require.Equal(t, answers[0], answers[i])
	}
	key := answers[0][0]
	require.Equal(t, made[key.KeyID], key)

	newer := lifecycle.SigningKey{KeyID: "newer", PrivateKey: []byte("newer"), Created: key.Created, SignsFrom: key.SignsFrom.Add(time.Hour)}
	both, err := s.ChangeSigningKeys(t.Context(), func(keys []lifecycle.SigningKey) (lifecycle.SigningKey, []string, error) {
		require.Equal(t, []lifecycle.SigningKey{key}, keys)
		return newer, nil, nil
	})
	require.NoError(t, err)
	require.Equal(t, []lifecycle.SigningKey{newer, key}, both, "who signs latest is first")

	refusal := errors.New("no")
	_, err = s.ChangeSigningKeys(t.Context(), func([]lifecycle.SigningKey) (lifecycle.SigningKey, []string, error) {
		return lifecycle.SigningKey{}, []string{"newer"}, refusal
	})
	require.ErrorIs(t, err, refusal)
	left, err := s.ChangeSigningKeys(t.Context(), func([]lifecycle.SigningKey) (lifecycle.SigningKey, []string, error) {
		return lifecycle.SigningKey{}, []string{key.KeyID}, nil
	})
	require.NoError(t, err)
	require.Equal(t, []lifecycle.SigningKey{newer}, left)
	stored, err := s.SigningKeys(t.Context())
	require.NoError(t, err)
	require.Equal(t, left, stored)
}
