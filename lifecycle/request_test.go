package lifecycle_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func TestNewApprovalItems(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 3, 24, 11, 11, 41, 139e6, time.UTC)
	request := lifecycle.Request{ID: lifecycle.NewID(), Requester: lifecycle.NewID(), Created: now}
	request.AccountName = "william.smith"
	approvers := []lifecycle.Reference{
		lifecycle.IdentityReference(lifecycle.NewID()),
		{ID: lifecycle.NewID(), Type: lifecycle.ReferenceGovernanceGroup},
		lifecycle.IdentityReference(lifecycle.NewID()),
	}
	items := lifecycle.NewApprovalItems(request, approvers)
	require.Len(t, items, 3)
	for i, item := range items {
		require.False(t, item.ID.IsZero())
		require.Equal(t, request.ID, item.RequestID)
		require.Equal(t, i, item.Order)
		require.Equal(t, approvers[i], item.Approver)
		require.Equal(t, "william.smith", item.AccountName)
		require.Equal(t, request.Requester, item.Requester)
		require.Equal(t, now, item.Created)
		require.Equal(t, now, item.Modified)
		want := lifecycle.StatusNotReady
		if i == 0 {
			want = lifecycle.StatusPending
		}
		require.Equal(t, want, item.Status)
	}
	require.NotEqual(t, items[0].ID, items[1].ID)
	require.Empty(t, lifecycle.NewApprovalItems(request, nil))
}

func TestDecide(t *testing.T) {
	t.Parallel()
	const (
		approved  = lifecycle.StatusApproved
		rejected  = lifecycle.StatusRejected
		pending   = lifecycle.StatusPending
		notReady  = lifecycle.StatusNotReady
		cancelled = lifecycle.StatusCancelled
		approve   = lifecycle.VerdictApprove
		reject    = lifecycle.VerdictReject
	)
	type statuses = []lifecycle.ApprovalStatus
	tests := []struct {
		name    string
		request lifecycle.ApprovalStatus
		items   statuses
		at      int
		verdict lifecycle.Verdict
		want    lifecycle.Effect
		refused lifecycle.ApprovalStatus
	}{
		{"the only approver approves", pending, statuses{pending}, 0, approve, lifecycle.Effect{Next: -1, Request: approved}, ""},
		{"the only approver rejects", pending, statuses{pending}, 0, reject, lifecycle.Effect{Next: -1, Request: rejected}, ""},
		{"the first of three approves", pending, statuses{pending, notReady, notReady}, 0, approve, lifecycle.Effect{Next: 1, Request: pending}, ""},
		{"the second of three approves", pending, statuses{approved, pending, notReady}, 1, approve, lifecycle.Effect{Next: 2, Request: pending}, ""},
		{"the last of three approves", pending, statuses{approved, approved, pending}, 2, approve, lifecycle.Effect{Next: -1, Request: approved}, ""},
		{"the first of three rejects", pending, statuses{pending, notReady, notReady}, 0, reject, lifecycle.Effect{Next: -1, Request: rejected}, ""},
		{"the last of three rejects", pending, statuses{approved, approved, pending}, 2, reject, lifecycle.Effect{Next: -1, Request: rejected}, ""},
		{"an item that is not ready", pending, statuses{pending, notReady}, 1, approve, lifecycle.Effect{}, notReady},
		{"an item that is approved", pending, statuses{approved, pending}, 0, reject, lifecycle.Effect{}, approved},
		{"an item that is rejected", rejected, statuses{rejected, cancelled}, 0, approve, lifecycle.Effect{}, rejected},
		{"an item that is cancelled", rejected, statuses{rejected, cancelled}, 1, approve, lifecycle.Effect{}, cancelled},
		{"a pending item of a cancelled request", cancelled, statuses{pending}, 0, approve, lifecycle.Effect{}, pending},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			request := lifecycle.Request{Status: tt.request}
			for i, status := range tt.items {
				request.Items = append(request.Items, lifecycle.ApprovalItem{Order: i, Status: status})
			}
			effect, err := request.Decide(tt.at, tt.verdict)
			require.Equal(t, tt.want, effect)
			if tt.refused == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, lifecycle.KindIllegalUpdate, lifecycle.KindOf(err))
			require.ErrorContains(t, err, string(tt.refused))
		})
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	for status, final := range map[lifecycle.ApprovalStatus]bool{
		lifecycle.StatusApproved: true, lifecycle.StatusRejected: true, lifecycle.StatusCancelled: true,
		lifecycle.StatusPending: false, lifecycle.StatusNotReady: false,
	} {
		require.Equal(t, final, status.Final(), status)
	}
	require.Equal(t, lifecycle.StatusApproved, lifecycle.VerdictApprove.Status())
	require.Equal(t, lifecycle.StatusRejected, lifecycle.VerdictReject.Status())
}
