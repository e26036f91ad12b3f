package httpapi

import (
	"time"

	"gatehouse/lifecycle"
)

// Timestamp is an instant as answers spell it: RFC 3339 in UTC with
// milliseconds (contract §4).
type Timestamp time.Time

// MarshalText writes it as [lifecycle.FormatTime] does; it never fails.
func (t Timestamp) MarshalText() ([]byte, error) {
	return lifecycle.AppendTime(make([]byte, 0, len(time.RFC3339Nano)), time.Time(t)), nil
}

// Date is a day as NonEmployeeRequestWithoutApprovalItem spells it: YYYY-MM-DD
// in UTC (contract §4).
type Date time.Time

// MarshalText writes it as [lifecycle.FormatDate] does; it never fails.
func (d Date) MarshalText() ([]byte, error) { return []byte(lifecycle.FormatDate(time.Time(d))), nil }

// optional is nil for the zero value: an absent optional is left out, never
// sent as null (contract §3).
func optional[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}

// valueOr returns what p points to, or fallback for nil.
func valueOr[T any](p *T, fallback T) T {
	if p == nil {
		return fallback
	}
	return *p
}

// each never returns nil, so that no page or list in it is null in JSON.
func each[From, To any](from []From, convert func(From) To) []To {
	to := make([]To, len(from))
	for i, element := range from {
		to[i] = convert(element)
	}
	return to
}

// attributesOf is never null in JSON.
func attributesOf(data map[string]string) map[string]string {
	if data == nil {
		return map[string]string{}
	}
	return data
}

func reference(r lifecycle.Reference) NonEmployeeIdentityReferenceWithID {
	return NonEmployeeIdentityReferenceWithID{ID: r.ID, Type: r.Type}
}

// requester is absent where an application asked.
func requester(id lifecycle.ID) *NonEmployeeIdentityReferenceWithID {
	if id.IsZero() {
		return nil
	}
	r := reference(lifecycle.IdentityReference(id))
	return &r
}
