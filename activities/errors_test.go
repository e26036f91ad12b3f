package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"gatehouse/lifecycle"
)

func TestEveryKindIsSaidToBeWorthTryingAgainOrNot(t *testing.T) {
	t.Parallel()
	again := []lifecycle.Kind{lifecycle.KindInternal, lifecycle.KindUnavailable}
	require.Len(t, retryable, len(lifecycle.Kinds()))
	for _, kind := range lifecycle.Kinds() {
		said, ok := retryable[kind]
		require.True(t, ok, "%s is not in the table", kind)
		require.Equal(t, slices.Contains(again, kind), said, kind.String())
	}
}

func TestAFailureHoldsKindAndIDOnly(t *testing.T) {
	t.Parallel()
	subject := lifecycle.NewID()
	cause := errors.New("duplicate key: " + secret)
	for _, kind := range lifecycle.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			for _, err := range []error{
				lifecycle.NewError(kind, "the name "+secret),
				lifecycle.FieldError(kind, secret, secret).WithCause(cause),
				fmt.Errorf("reading %s: %w", secret, lifecycle.NewError(kind, secret).WithCause(cause)),
			} {
				requireFailure(t, Failure(err, "Step", subject), "Step", kind, subject)
				require.NotErrorIs(t, Failure(err, "Step", subject), cause)
			}
			requireFailure(t, Failure(lifecycle.NewError(kind, secret), "Step", lifecycle.ID{}), "Step", kind, lifecycle.ID{})
		})
	}
}

func TestWhatFailsWithoutAKindIsInternalAndWhatRanOutOfTimeIsUnavailable(t *testing.T) {
	t.Parallel()
	subject := lifecycle.NewID()
	for name, c := range map[string]struct {
		err  error
		kind lifecycle.Kind
	}{
		"a plain error":              {errors.New(secret), lifecycle.KindInternal},
		"a kind that does not exist": {lifecycle.NewError(lifecycle.Kind(200), secret), lifecycle.KindInternal},
		"a deadline":                 {fmt.Errorf("%s: %w", secret, context.DeadlineExceeded), lifecycle.KindUnavailable},
		"an end":                     {fmt.Errorf("%s: %w", secret, context.Canceled), lifecycle.KindUnavailable},
		"an end behind a kind": {
			lifecycle.NewError(lifecycle.KindConflict, secret).WithCause(context.Canceled), lifecycle.KindUnavailable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireFailure(t, Failure(c.err, "Step", subject), "Step", c.kind, subject)
		})
	}
}

// sqlError is an error with a state, as a database's driver has it.
type sqlError struct{}

func (sqlError) Error() string    { return "relation of " + secret }
func (sqlError) SQLState() string { return "42P01" }

func TestAFailureIsLoggedByItsKindStateAndType(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := lifecycle.NewID()
	b.store.load = func(lifecycle.ID) (lifecycle.Progress, error) {
		return lifecycle.Progress{}, fmt.Errorf("%s: %w", secret, lifecycle.NewError(lifecycle.KindInternal, secret).WithCause(sqlError{}))
	}
	_, err := run[any](t.Context(), b, b.LoadRequest, id)
	requireFailure(t, err, "LoadRequest", lifecycle.KindInternal, id)
	for _, told := range []string{"LoadRequest", id.String(), "internal", "42P01", "activities.sqlError"} {
		require.Contains(t, b.log.String(), told)
	}
}

func TestAFailureThatIsOnePassesAsItIs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	inner := Failure(errGone, "Inner", lifecycle.NewID())
	err := func() (err error) {
		defer b.seal(t.Context(), "Outer", lifecycle.NewID(), &err)
		return inner
	}()
	require.Same(t, inner.(*temporal.ApplicationError), err)
	require.Empty(t, b.log.String())
}

func TestAPanicIsAnInternalFailureThatSaysNothing(t *testing.T) {
	t.Parallel()
	for name, reason := range map[string]any{
		"a text":    secret,
		"an error":  errors.New(secret),
		"a value":   struct{ Name string }{secret},
		"a failure": lifecycle.NewError(lifecycle.KindConflict, secret),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			id := lifecycle.NewID()
			b.store.load = func(lifecycle.ID) (lifecycle.Progress, error) { panic(reason) }
			_, err := run[any](t.Context(), b, b.LoadRequest, id)
			requireFailure(t, err, "LoadRequest", lifecycle.KindInternal, id)
			require.Contains(t, b.log.String(), fmt.Sprintf("%T", reason))
			require.Contains(t, b.log.String(), "fake_test.go", "the log has the stack")
		})
	}
}
