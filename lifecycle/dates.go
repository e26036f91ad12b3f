package lifecycle

import (
	"errors"
	"strings"
	"time"
)

// ErrNotADate is what [ParseDate] and [ParseInstant] return for text that is
// neither form of date, or a date outside the years 1 to 9999.
var ErrNotADate = errors.New("not a date")

// timeLayout is RFC 3339 with exactly three decimals, for times in UTC.
const timeLayout = "2006-01-02T15:04:05.000Z"

// isDateTime reports whether s, in upper case, has the shape of RFC 3339:
//
//	^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$
//
// The parser of package time lets more through: hours of one digit, a comma for
// the point, offsets beyond a day.
func isDateTime(s string) bool {
	const begin, offset = "dddd-dd-ddTdd:dd:dd", "+dd:dd"
	if len(s) <= len(begin) || !hasShape(s[:len(begin)], begin) {
		return false
	}
	if s = s[len(begin):]; s[0] == '.' {
		digits := 1
		for digits < len(s) && isDigit(s[digits]) {
			digits++
		}
		if digits == 1 {
			return false
		}
		s = s[digits:]
	}
	return s == "Z" || len(s) == len(offset) && (s[0] == '+' || s[0] == '-') && hasShape(s[1:], offset[1:]) &&
		s[1:3] <= "23" && s[4:] <= "59"
}

// hasShape reports whether s, which is as long as shape, is that with a digit in
// the place of each d.
func hasShape(s, shape string) bool {
	for i := range len(shape) {
		if shape[i] == 'd' && !isDigit(s[i]) || shape[i] != 'd' && shape[i] != s[i] {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// ParseDate reads RFC 3339 with an offset, or YYYY-MM-DD as the start of that
// day in UTC (contract §4). T and Z may be in lower case; a leap second, which
// can only end a month, is the second after it. The result is in UTC and cut to
// the millisecond, which is as exact as times are kept. The only error is
// [ErrNotADate].
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
	layout, leap := time.DateOnly, false
	if s = strings.ToUpper(s); isDateTime(s) {
		layout = time.RFC3339
		if leap = s[secondAt:secondAt+2] == "60"; leap {
			s = s[:secondAt] + "59" + s[secondAt+2:]
		}
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return time.Time{}, ErrNotADate
	}
	t = t.UTC()
	if leap {
		if t = t.Add(time.Second); t.Day() != 1 || !t.Truncate(time.Second).Equal(t.Truncate(24*time.Hour)) {
			return time.Time{}, ErrNotADate
		}
	}
	// The zero time stands for none at all.
	if t.Year() < 1 || t.Year() > 9999 || t.IsZero() {
		return time.Time{}, ErrNotADate
	}
	return t, nil
}

// secondAt is where the seconds stand in a date with a time.
const secondAt = len("dddd-dd-ddTdd:dd:")

// FormatTime writes t as RFC 3339 in UTC with exactly three decimals, such as
// 2019-08-23T18:40:35.772Z (contract §4).
func FormatTime(t time.Time) string { return string(AppendTime(make([]byte, 0, len(timeLayout)), t)) }

// AppendTime appends to b what [FormatTime] returns.
func AppendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, timeLayout)
	}
	// The formatter of package time takes four times as long, and an export has
	// two dates in a row.
	hour, minute, second := t.Clock()
	b = append2(append2(b, year/100), year%100)
	b = append2(append(b, '-'), int(month))
	b = append2(append(b, '-'), day)
	b = append2(append(b, 'T'), hour)
	b = append2(append(b, ':'), minute)
	b = append2(append(b, ':'), second)
	milli := t.Nanosecond() / 1e6
	b = append2(append(b, '.', byte('0'+milli/100)), milli%100) //nolint:gosec // one digit
	return append(b, 'Z')
}

// append2 appends n, which is below 100, as two digits.
func append2(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) } //nolint:gosec // two digits

// FormatDate writes the day of t in UTC as YYYY-MM-DD, the form that
// NonEmployeeRequestWithoutApprovalItem has (contract §4).
func FormatDate(t time.Time) string { return t.UTC().Format(time.DateOnly) }
