package activities

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"go.temporal.io/sdk/temporal"

	"gatehouse/lifecycle"
)

// retryable is the only table of what is worth trying again. A kind that tells
// about the request itself comes out the same at every attempt. Anything
// unforeseen is tried on: a mended database or the next release may heal it,
// and giving up would leave a request behind.
var retryable = map[lifecycle.Kind]bool{
	lifecycle.KindInternal:          true,
	lifecycle.KindBadRequest:        false,
	lifecycle.KindRequired:          false,
	lifecycle.KindIllegalUpdate:     false,
	lifecycle.KindIllegalValue:      false,
	lifecycle.KindLimit:             false,
	lifecycle.KindReferenceNotFound: false,
	lifecycle.KindConflict:          false,
	lifecycle.KindInUse:             false,
	lifecycle.KindUnauthenticated:   false,
	lifecycle.KindForbidden:         false,
	lifecycle.KindNotFound:          false,
	lifecycle.KindTooLarge:          false,
	lifecycle.KindUnsupportedMedia:  false,
	lifecycle.KindUnavailable:       true,
}

// Failure turns err into what a history may hold: the kind as its type, the
// kind and the id as its text. The text of err stays behind, for it may quote
// a name, and so does its chain.
func Failure(err error, step string, subject lifecycle.ID) error {
	kind := kindOf(err)
	text := fmt.Sprintf("%s: %s", step, kind)
	if !subject.IsZero() {
		text += ": " + subject.String()
	}
	return temporal.NewApplicationErrorWithOptions(text, kind.String(),
		temporal.ApplicationErrorOptions{NonRetryable: hopeless(err)})
}

// kindOf is the kind that err travels under.
func kindOf(err error) lifecycle.Kind {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return lifecycle.KindUnavailable
	}
	return lifecycle.KindOf(err)
}

// hopeless reports whether err would come out the same at every attempt.
func hopeless(err error) bool {
	again, known := retryable[kindOf(err)]
	return known && !again
}

// seal is deferred by every activity, and by what one runs in a goroutine of its
// own, where a panic would end the process. It logs what went wrong, as far as a log
// may hold it, and leaves a [Failure] in its place; a panic, whose text would
// enter the history as well, is KindInternal.
func (a *Activities) seal(ctx context.Context, step string, subject lifecycle.ID, err *error) {
	if reason := recover(); reason != nil {
		a.Log.LogAttrs(ctx, slog.LevelError, "an activity panicked",
			slog.String("activity", step), slog.String("subject", subject.String()),
			slog.String("panic", fmt.Sprintf("%T", reason)), slog.String("stack", string(debug.Stack())))
		*err = Failure(lifecycle.NewError(lifecycle.KindInternal, ""), step, subject)
		return
	}
	if *err == nil {
		return
	}
	if _, ok := errors.AsType[*temporal.ApplicationError](*err); ok {
		return
	}
	a.Log.LogAttrs(ctx, slog.LevelWarn, "an activity failed",
		slog.String("activity", step), slog.String("subject", subject.String()), slog.Any("fault", describe(*err)))
	*err = Failure(*err, step, subject)
}

// describe tells what sort of error err is without its text: kind, types and
// SQLSTATE.
func describe(err error) slog.Value {
	attrs := []slog.Attr{slog.String("kind", lifecycle.KindOf(err).String())}
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		attrs = append(attrs, slog.String("sqlstate", state.SQLState()))
	}
	innermost := err
	for next := errors.Unwrap(innermost); next != nil; next = errors.Unwrap(innermost) {
		innermost = next
	}
	attrs = append(attrs, slog.String("type", fmt.Sprintf("%T", innermost)))
	return slog.GroupValue(attrs...)
}

// illegalOrGone reports whether err says that the rows had moved on: no fault,
// reading them again shows how.
func illegalOrGone(err error) bool {
	if err == nil {
		return false
	}
	kind := lifecycle.KindOf(err)
	return kind == lifecycle.KindIllegalUpdate || kind == lifecycle.KindNotFound
}
