package service

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/auditfile"
	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// tape is a store of a trail whose entries are found a few numbers at a time.
type tape struct {
	Store
	query filter.Query
	where filter.Expr
	// found has the numbers there are, step is how many are looked through at once.
	found []int64
	step  int64
	end   int64
	err   error
	asked bool
}

func (s *tape) ListAuditEvents(_ context.Context, q filter.Query) ([]lifecycle.AuditEvent, int, error) {
	s.query, s.asked = q, true
	return nil, 3, s.err
}

func (s *tape) AuditEnd(context.Context) (int64, error) {
	s.asked = true
	return s.end, s.err
}

func (s *tape) AuditEventsAfter(_ context.Context, where filter.Expr, after, end int64) ([]lifecycle.AuditEvent, int64, error) {
	s.where = where
	var events []lifecycle.AuditEvent
	looked := min(after+s.step, end)
	for _, n := range s.found {
		if n > after && n <= looked {
			events = append(events, lifecycle.AuditEvent{AuditEntry: lifecycle.AuditEntry{Number: n, Facts: "{}"}})
		}
	}
	return events, looked, s.err
}

var auditor = policy.Actor{ClientID: "auditor", Scopes: []string{lifecycle.ScopeAudit}}

func TestTheTrailIsNewestFirstUnlessAskedOtherwise(t *testing.T) {
	t.Parallel()
	store := &tape{}
	s := newService(store, nil)
	_, matches, err := s.ListAuditEvents(t.Context(), auditor, filter.Params{})
	require.NoError(t, err)
	require.Equal(t, 3, matches)
	require.Equal(t, filter.Query{Limit: 250, Sort: []filter.Order{{Field: "occurred", Descending: true}}}, store.query)
	_, _, err = s.ListAuditEvents(t.Context(), auditor, filter.Params{Sorters: new("occurred")})
	require.NoError(t, err)
	require.Equal(t, []filter.Order{{Field: "occurred"}}, store.query.Sort)
	_, _, err = s.ListAuditEvents(t.Context(), auditor, filter.Params{Sorters: new("number")})
	require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err))
}

// TestWhoMayNotReadTheTrailLearnsNothingOfIt, not even what is wrong with the
// question.
func TestWhoMayNotReadTheTrailLearnsNothingOfIt(t *testing.T) {
	t.Parallel()
	for name, actor := range map[string]policy.Actor{
		"outsider": outsider, "subadmin": subadmin, "an application with every right": app(lifecycle.RightCreate, lifecycle.RightRead, lifecycle.RightUpdate, lifecycle.RightDelete),
		"source admin": {IdentityID: outsider.IdentityID, Levels: []lifecycle.Level{lifecycle.LevelSourceAdmin}, Scopes: []string{lifecycle.ScopeAll}},
	} {
		store := &tape{}
		s := newService(store, nil)
		bad := filter.Params{Filters: new("nonsense")}
		_, _, err := s.ListAuditEvents(t.Context(), actor, bad)
		require.Equal(t, policy.ErrForbidden, err, name)
		_, err = s.ExportAuditEvents(t.Context(), actor, auditfile.CSV, bad)
		require.Equal(t, policy.ErrForbidden, err, name)
		require.False(t, store.asked, name)
	}
}

func drain(t *testing.T, f AuditFile) (pieces []string) {
	t.Helper()
	for {
		piece, err := f.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return pieces
		}
		require.NoError(t, err)
		require.NotEmpty(t, piece)
		pieces = append(pieces, string(piece))
	}
}

func TestAFileOfTheTrailIsMadePageByPage(t *testing.T) {
	t.Parallel()
	store := &tape{found: []int64{2, 3, 42, 43}, step: 10, end: 100}
	s := newService(store, nil)
	file, err := s.ExportAuditEvents(t.Context(), auditor, auditfile.NDJSON, filter.Params{Filters: new(`action eq "ERASE"`)})
	require.NoError(t, err)
	pieces := drain(t, file)
	require.Len(t, pieces, 2, "parts without any entry make no piece")
	require.Equal(t, 2, strings.Count(pieces[0], "\n"))
	require.Contains(t, pieces[1], `"number":43`)
	require.Equal(t, `action eq "ERASE"`, store.where.String())

	file, err = s.ExportAuditEvents(t.Context(), auditor, auditfile.CSV, filter.Params{})
	require.NoError(t, err)
	pieces = drain(t, file)
	require.Len(t, pieces, 3)
	require.True(t, strings.HasPrefix(pieces[0], "number,occurred,"))

	store.end = 0
	file, err = s.ExportAuditEvents(t.Context(), auditor, auditfile.CSV, filter.Params{})
	require.NoError(t, err)
	require.Len(t, drain(t, file), 1, "an empty trail is a header")
	_, err = s.ExportAuditEvents(t.Context(), auditor, auditfile.CSV, filter.Params{Filters: new("nonsense")})
	require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err))
}

func TestAFileOfTheTrailThatBreaksOffSaysSo(t *testing.T) {
	t.Parallel()
	store := &tape{found: []int64{2}, step: 10, end: 100}
	s := newService(store, nil)
	file, err := s.ExportAuditEvents(t.Context(), auditor, auditfile.NDJSON, filter.Params{})
	require.NoError(t, err)
	store.err = errors.New("away")
	_, err = file.Next(t.Context())
	require.ErrorIs(t, err, store.err)
	_, err = s.ExportAuditEvents(t.Context(), auditor, auditfile.NDJSON, filter.Params{})
	require.ErrorIs(t, err, store.err)
}
