package lifecycle

import (
	"errors"
	"regexp"
	"time"
)

// ErrNotADate is what [ParseDate] and [ParseInstant] return for text that is
// neither form of date, or a date outside the years 1 to 9999.
var ErrNotADate = errors.New("not a date")

// dateTime is the shape of RFC 3339. The parser of package time lets more
// through: hours of one digit, a comma for the point, offsets beyond a day.
var dateTime = regexp.MustCompile(
	`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// ParseDate reads RFC 3339 with an offset, or YYYY-MM-DD as the start of that
// day in UTC (contract §4). The result is in UTC and cut to the millisecond,
// which is as exact as times are kept. The only error is [ErrNotADate].
func ParseDate(s string) (time.Time, error) {
	t, err := ParseInstant(s)
	if err != nil {
		return time.Time{}, err
	}
	if t = t.Truncate(time.Millisecond); t.IsZero() {
		return time.Time{}, ErrNotADate
	}
	return t, nil
}

// ParseInstant is [ParseDate] without the cut, for times that are compared and
// not kept.
func ParseInstant(s string) (time.Time, error) {
	layout := time.DateOnly
	if dateTime.MatchString(s) {
		layout = time.RFC3339
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return time.Time{}, ErrNotADate
	}
	// The zero time stands for none at all.
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 || t.IsZero() {
		return time.Time{}, ErrNotADate
	}
	return t, nil
}

// FormatTime writes t as RFC 3339 in UTC with exactly three decimals, such as
// 2019-08-23T18:40:35.772Z (contract §4).
func FormatTime(t time.Time) string { return string(AppendTime(nil, t)) }

// AppendTime appends to b what [FormatTime] writes.
func AppendTime(b []byte, t time.Time) []byte {
	// Package time is quick about this layout alone; a page holds a thousand times.
	b = t.UTC().AppendFormat(b, time.RFC3339)
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(b[:len(b)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// FormatDate writes the day of t in UTC as YYYY-MM-DD, the form that
// NonEmployeeRequestWithoutApprovalItem has (contract §4).
func FormatDate(t time.Time) string { return t.UTC().Format(time.DateOnly) }
