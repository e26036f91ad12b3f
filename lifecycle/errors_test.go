package lifecycle_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func TestKindNamesAreStable(t *testing.T) {
	t.Parallel()
	// Histories hold these names; a line may be added and none changed.
	names := []string{
		"internal", "bad_request", "required", "illegal_update", "illegal_value", "limit",
		"reference_not_found", "conflict", "in_use", "unauthenticated", "forbidden", "not_found",
		"too_large", "unsupported_media", "unavailable",
	}
	kinds := lifecycle.Kinds()
	require.Len(t, kinds, len(names))
	for i, kind := range kinds {
		require.Equal(t, names[i], kind.String())
	}
}

func TestAnUnknownKindIsInternal(t *testing.T) {
	t.Parallel()
	require.Equal(t, "internal", lifecycle.Kind(200).String())
}

func TestTheCauseIsForLogsOnly(t *testing.T) {
	t.Parallel()
	plain := lifecycle.FieldError(lifecycle.KindUnavailable, "f", "Try again.")
	e := plain.WithCause(io.ErrUnexpectedEOF)
	require.ErrorIs(t, e, io.ErrUnexpectedEOF)
	require.NotContains(t, e.Error(), io.ErrUnexpectedEOF.Error())
	require.Equal(t, "unavailable: Try again.", e.Error())
	require.NoError(t, plain.Unwrap(), "WithCause must not change the error it copies")
}

func TestKindOfLooksThroughWrapping(t *testing.T) {
	t.Parallel()
	inner := lifecycle.NewError(lifecycle.KindConflict, "Taken.")
	require.Equal(t, lifecycle.KindConflict, lifecycle.KindOf(fmt.Errorf("store: %w", inner)))
	require.Equal(t, lifecycle.KindLimit,
		lifecycle.KindOf(lifecycle.NewError(lifecycle.KindLimit, "Full.").WithCause(inner)))
	require.Equal(t, lifecycle.KindInternal, lifecycle.KindOf(errors.New("boom")))
}

func TestFaultsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	type fault struct {
		kind           lifecycle.Kind
		field, message string
	}
	tests := []struct {
		name   string
		faults []fault
		want   *lifecycle.Error
	}{
		{name: "no fault is no error"},
		{
			name:   "one fault keeps its field",
			faults: []fault{{lifecycle.KindRequired, "firstName", "firstName is required"}},
			want:   lifecycle.FieldError(lifecycle.KindRequired, "firstName", "firstName is required;"),
		},
		{
			name: "faults of one kind keep the kind",
			faults: []fault{
				{lifecycle.KindRequired, "firstName", "firstName is required"},
				{lifecycle.KindRequired, "accountName", "accountName is required"},
			},
			want: lifecycle.NewError(lifecycle.KindRequired, "firstName is required; accountName is required;"),
		},
		{
			name: "faults of several kinds are a bad request",
			faults: []fault{
				{lifecycle.KindRequired, "firstName", "firstName is required;"},
				{lifecycle.KindIllegalValue, "email", "email is none"},
			},
			want: lifecycle.NewError(lifecycle.KindBadRequest, "firstName is required; email is none;"),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var faults lifecycle.Faults
			for _, f := range tt.faults {
				faults.Add(f.kind, f.field, f.message)
			}
			if tt.want == nil {
				require.NoError(t, faults.Err())
				return
			}
			require.Equal(t, tt.want, faults.Err())
		})
	}
}

func TestRefusalsNameTheirLimit(t *testing.T) {
	t.Parallel()
	require.Equal(t, lifecycle.FieldError(lifecycle.KindConflict, "accountName",
		`Unable to create Non-Employee because the accountName "x" is already being used.`),
		lifecycle.AccountNameTaken("x"))
	for _, tt := range []struct {
		refusal *lifecycle.Error
		kind    lifecycle.Kind
		names   string
	}{
		{lifecycle.TooManySources(50), lifecycle.KindLimit, "50 sources"},
		{lifecycle.TooManyRecords(20_000), lifecycle.KindLimit, "20000 records"},
		{lifecycle.TooManyAttributes(), lifecycle.KindLimit, "10 custom attributes"},
		{lifecycle.TooManyApprovers(), lifecycle.KindLimit, "3 identities"},
		{lifecycle.TooManyAccountManagers(), lifecycle.KindLimit, "10 identities"},
		{lifecycle.TooManyIDs(), lifecycle.KindLimit, "20000 records"},
	} {
		require.Equal(t, tt.kind, tt.refusal.Kind)
		require.Contains(t, tt.refusal.Message, tt.names)
	}
}
