package lifecycle

import (
	"errors"
	"slices"
	"strings"
)

// Kind says what sort of failure an [Error] is. Every seam of the program maps
// kinds, never texts: SQLSTATE to kind in store, kind to retryability in
// activities, kind to status and detail code in httpapi.
//
// Kinds travel through Temporal histories by their [Kind.String], so the names
// are append-only.
type Kind uint8

// The kinds, each with the detail code of contract §3 that it becomes.
const (
	// KindInternal is anything unforeseen: 500.0 Internal Fault.
	KindInternal Kind = iota
	// KindBadRequest is a request that can't be read: 400.1 Bad Request Content.
	KindBadRequest
	// KindRequired is required data that is missing or empty: 400.1.0.
	KindRequired
	// KindIllegalUpdate is a change the object's state does not allow: 400.1.1.
	KindIllegalUpdate
	// KindIllegalValue is a value outside its domain: 400.1.3.
	KindIllegalValue
	// KindLimit is a configured or contractual limit that would be passed: 400.1.4.
	KindLimit
	// KindReferenceNotFound is an id in a body that names nothing: 400.1.404.
	KindReferenceNotFound
	// KindConflict is a name or reference that is taken: 400.1.409.
	KindConflict
	// KindInUse is an object that another one still needs: 400.2.1.0. The contract
	// lists the code, but no rule of it asks for one: what is deleted takes with it
	// what hangs on it.
	KindInUse
	// KindUnauthenticated is a missing or unusable token: 401.
	KindUnauthenticated
	// KindForbidden is a caller who may not do or see this: 403.
	KindForbidden
	// KindNotFound is an id in a path that names nothing: 404.
	KindNotFound
	// KindTooLarge is a body over its limit: 413.
	KindTooLarge
	// KindUnsupportedMedia is a body of the wrong media type: 415.
	KindUnsupportedMedia
	// KindUnavailable is a passing fault; the same call may succeed later: 503.
	KindUnavailable

	kindCount
)

var kindNames = [kindCount]string{
	KindInternal:          "internal",
	KindBadRequest:        "bad_request",
	KindRequired:          "required",
	KindIllegalUpdate:     "illegal_update",
	KindIllegalValue:      "illegal_value",
	KindLimit:             "limit",
	KindReferenceNotFound: "reference_not_found",
	KindConflict:          "conflict",
	KindInUse:             "in_use",
	KindUnauthenticated:   "unauthenticated",
	KindForbidden:         "forbidden",
	KindNotFound:          "not_found",
	KindTooLarge:          "too_large",
	KindUnsupportedMedia:  "unsupported_media",
	KindUnavailable:       "unavailable",
}

// Kinds lists every kind, for tests that hold a mapping complete.
func Kinds() []Kind {
	all := make([]Kind, 0, kindCount)
	for k := range kindCount {
		all = append(all, k)
	}
	return all
}

// String returns the stable name of the kind, or "internal" for a value that
// is no kind.
func (k Kind) String() string {
	if k >= kindCount {
		return kindNames[KindInternal]
	}
	return kindNames[k]
}

// ParseKind is the inverse of [Kind.String]; an unknown name is KindInternal.
func ParseKind(name string) Kind {
	for k, n := range kindNames {
		if n == name {
			return Kind(k)
		}
	}
	return KindInternal
}

// Error is a failure that may be shown to the caller: Message holds no
// internal text. Field names the offending field or parameter and may be
// empty. An internal cause may be wrapped; it is for logs only.
type Error struct {
	Kind    Kind
	Field   string
	Message string
	cause   error
}

// NewError makes an Error about no field in particular.
func NewError(kind Kind, message string) *Error {
	return &Error{Kind: kind, Message: message}
}

// FieldError makes an Error about one field or parameter.
func FieldError(kind Kind, field, message string) *Error {
	return &Error{Kind: kind, Field: field, Message: message}
}

// WithCause returns a copy of e that wraps an internal cause.
func (e *Error) WithCause(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Error returns the kind and the public message, not the cause.
func (e *Error) Error() string { return e.Kind.String() + ": " + e.Message }

// Unwrap returns the internal cause, nil if there is none.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns the kind of the first Error in err's chain, KindInternal if
// there is none. It must not be asked about nil.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}

// Faults collects everything that is wrong with one body or row, so that all
// of it is told at once (contract §3). The zero value is empty and usable.
type Faults []*Error

// Add notes one fault.
func (f *Faults) Add(kind Kind, field, message string) {
	*f = append(*f, FieldError(kind, field, message))
}

// With returns the faults with what is wrong by err, which is no fault where it is
// nil. A text that was made to be told alone loses its period.
func (f Faults) With(err error) Faults {
	if fault, ok := errors.AsType[*Error](err); ok {
		return append(slices.Clone(f), FieldError(fault.Kind, fault.Field, strings.TrimSuffix(fault.Message, ".")))
	}
	return f
}

// About reports whether one of the faults is about the field.
func (f Faults) About(field string) bool {
	return slices.ContainsFunc(f, func(fault *Error) bool { return fault.Field == field })
}

// Err returns nil for no faults, else one Error: its text is every fault's
// text, each ended by ";". Its kind is that of the faults where all agree,
// else KindBadRequest. A fault about no field is about the whole body: nothing
// could be read, so it is returned alone, as it is.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	for _, fault := range f {
		if fault.Field == "" {
			return fault
		}
	}
	kind, text := f[0].Kind, make([]string, len(f))
	for i, fault := range f {
		if fault.Kind != kind {
			kind = KindBadRequest
		}
		text[i] = strings.TrimSuffix(fault.Message, ";") + ";"
	}
	field := ""
	if len(f) == 1 {
		field = f[0].Field
	}
	return &Error{Kind: kind, Field: field, Message: strings.Join(text, " ")}
}
