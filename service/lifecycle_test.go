package service

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// lives is a store of one source and one record that keeps what it is told of their
// dates.
type lives struct {
	rows
	set     map[lifecycle.ID]lifecycle.LifecyclePolicy
	dropped []lifecycle.ID
	ended   map[lifecycle.ID]string
	life    map[lifecycle.ID]lifecycle.RecordLifecycle
	asked   int
	// gone has the record or source gone when it is changed.
	gone bool
}

func newLives() *lives {
	return &lives{
		rows: rows{source: &lifecycle.Source{ID: lifecycle.NewID()}, record: storedRecord()},
		set:  map[lifecycle.ID]lifecycle.LifecyclePolicy{}, ended: map[lifecycle.ID]string{}, life: map[lifecycle.ID]lifecycle.RecordLifecycle{},
	}
}

func (l *lives) left() error {
	if l.gone {
		return policy.ErrNotFound
	}
	return nil
}

func (l *lives) GetLifecyclePolicy(_ context.Context, source lifecycle.ID) (lifecycle.PolicyInForce, error) {
	p, own := l.set[source]
	return lifecycle.PolicyInForce{LifecyclePolicy: p, Own: own}, nil
}

func (l *lives) SetLifecyclePolicy(ctx context.Context, source lifecycle.ID, p lifecycle.LifecyclePolicy) (lifecycle.PolicyInForce, error) {
	l.set[source] = p
	set, _ := l.GetLifecyclePolicy(ctx, source)
	return set, l.left()
}

func (l *lives) DropLifecyclePolicy(_ context.Context, source lifecycle.ID) error {
	l.dropped = append(l.dropped, source)
	return l.left()
}

func (l *lives) EndRecord(_ context.Context, id lifecycle.ID, reason string) (lifecycle.Record, error) {
	l.ended[id] = reason
	return *l.record, l.left()
}

func (l *lives) RecordLifecycles(_ context.Context, ids []lifecycle.ID, _ time.Time) (map[lifecycle.ID]lifecycle.RecordLifecycle, error) {
	l.asked++
	found := map[lifecycle.ID]lifecycle.RecordLifecycle{}
	for _, id := range ids {
		if life, ok := l.life[id]; ok {
			found[id] = life
		}
	}
	return found, nil
}

func (l *lives) ListRecords(context.Context, policy.Reach, filter.Query) ([]lifecycle.Record, int, error) {
	other := *l.record
	other.ID = lifecycle.NewID()
	return []lifecycle.Record{*l.record, other}, 2, nil
}

func TestALifecyclePolicyIsSetForASourceAndForTheOrganisation(t *testing.T) {
	t.Parallel()
	l := newLives()
	s := newService(l, nil)
	id := l.source.ID
	good := lifecycle.LifecyclePolicyInput{Warnings: []lifecycle.WarningInput{}}
	for source, put := range map[lifecycle.ID]func(lifecycle.LifecyclePolicyInput) (lifecycle.PolicyInForce, error){
		id: func(in lifecycle.LifecyclePolicyInput) (lifecycle.PolicyInForce, error) {
			return s.PutSourceLifecycle(t.Context(), admin, id, in)
		},
		{}: func(in lifecycle.LifecyclePolicyInput) (lifecycle.PolicyInForce, error) {
			return s.PutDefaultLifecycle(t.Context(), admin, in)
		},
	} {
		_, err := put(lifecycle.LifecyclePolicyInput{Action: new("EXPLODE")})
		require.ErrorContains(t, err, "warnings is required")
		require.ErrorContains(t, err, "end.action must be NONE, SUSPEND or REMOVE")
		require.NotContains(t, l.set, source)
		set, err := put(good)
		require.NoError(t, err)
		require.Equal(t, lifecycle.LifecyclePolicy{
			Warnings: []lifecycle.Warning{}, End: lifecycle.EndPolicy{Action: lifecycle.EndNone},
			Extension: lifecycle.ExtensionPolicy{Approval: lifecycle.ExtensionApprovalRequired},
		}, set.LifecyclePolicy)
	}
	read, err := s.GetSourceLifecycle(t.Context(), admin, id)
	require.NoError(t, err)
	require.True(t, read.Own)
	_, err = s.GetDefaultLifecycle(t.Context(), outsider)
	require.NoError(t, err, "every user may")
	_, err = s.PutDefaultLifecycle(t.Context(), outsider, good)
	require.Equal(t, policy.ErrForbidden, err)
	require.NoError(t, s.DeleteSourceLifecycle(t.Context(), admin, id))
	require.Equal(t, []lifecycle.ID{id}, l.dropped)
	l.gone = true
	_, err = s.PutSourceLifecycle(t.Context(), admin, id, good)
	require.Equal(t, policy.ErrNotFound, err)
	require.Equal(t, policy.ErrNotFound, s.DeleteSourceLifecycle(t.Context(), admin, id))
}

func TestARecordIsEndedForAReason(t *testing.T) {
	t.Parallel()
	l := newLives()
	s := newService(l, nil)
	id := l.record.ID
	end := func(reason *string, faults lifecycle.Faults) error {
		_, err := s.EndRecord(t.Context(), admin, id, reason, faults)
		return err
	}
	var read lifecycle.Faults
	read.Add(lifecycle.KindIllegalValue, "reason", "reason must be a string")
	for name, err := range map[string]error{
		"reason is required.": end(nil, nil),
		"reason is required":  end(new(" \n"), nil),
		"reason is longer than the limit of 4000 characters": end(new(strings.Repeat("x", 4001)), nil),
		"reason must be a string":                            end(nil, read),
	} {
		require.ErrorContains(t, err, name)
	}
	require.Empty(t, l.ended)
	require.NoError(t, end(new(" Left\r\nearly "), nil))
	require.Equal(t, map[lifecycle.ID]string{id: "Left\nearly"}, l.ended)
	l.relations = policy.Relations{AccountManager: true}
	_, err := s.EndRecord(t.Context(), outsider, id, new("x"), nil)
	require.NoError(t, err, "account managers may")
	l.gone = true
	require.Equal(t, policy.ErrNotFound, end(new("x"), nil))
}

func TestDetailIsAddedWhereItIsAskedFor(t *testing.T) {
	t.Parallel()
	l := newLives()
	s := newService(l, nil)
	id := l.record.ID
	l.life[id] = lifecycle.RecordLifecycle{State: lifecycle.StateActive}
	record, err := s.GetRecord(t.Context(), admin, id, nil)
	require.NoError(t, err)
	require.Nil(t, record.Lifecycle)
	require.Zero(t, l.asked)
	for _, level := range []string{"", "lifecycle", "FULL"} {
		_, err = s.GetRecord(t.Context(), admin, id, &level)
		require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err), level)
		_, _, err = s.ListRecords(t.Context(), admin, filter.Params{}, &level)
		require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err), level)
	}
	_, err = s.GetRecord(t.Context(), outsider, id, new("nonsense"))
	require.Equal(t, policy.ErrForbidden, err, "access comes first")
	record, err = s.GetRecord(t.Context(), admin, id, new(lifecycle.DetailLifecycle))
	require.NoError(t, err)
	require.Equal(t, lifecycle.StateActive, record.Lifecycle.State)
	records, count, err := s.ListRecords(t.Context(), admin, filter.Params{}, new(lifecycle.DetailLifecycle))
	require.NoError(t, err)
	require.Equal(t, 2, count)
	require.Equal(t, lifecycle.StateActive, records[0].Lifecycle.State)
	require.Nil(t, records[1].Lifecycle, "it went meanwhile")
	delete(l.life, id)
	_, err = s.GetRecord(t.Context(), admin, id, new(lifecycle.DetailLifecycle))
	require.Equal(t, policy.ErrNotFound, err)
}
