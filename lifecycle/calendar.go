package lifecycle

import (
	"slices"
	"time"
)

// Days counts days the way a policy does.
type Days struct {
	// Length is how long a day lasts. One of 24 hours is a day of the calendar in
	// Zone; a shorter one, for demonstrations, begins at no hour, and every one counts.
	Length time.Duration
	Zone   *time.Location
	// Calendar says which days count; nil where all do.
	Calendar *WorkCalendar
}

// fullDay is the Length of days that are those of the calendar.
const fullDay = 24 * time.Hour

// After returns the moment n days after from: the same time of day on the n-th
// day after it that counts, whichever day from itself is on. Without days, which
// is n below 1, it is from. A time of day that the clocks skip is the moment they
// skip it; one that they show twice is the first of both.
func (d Days) After(from time.Time, n int) time.Time {
	if n < 1 {
		return from
	}
	if d.Length != fullDay {
		return from.Add(time.Duration(n) * d.Length)
	}
	local := from.In(d.Zone)
	day, counts := dayOf(local), d.counts()
	for n > 0 {
		if day = day.AddDate(0, 0, 1); counts(day) {
			n--
		}
	}
	return firstMoment(day.Add(clockOf(local)), d.Zone)
}

// scaled is the length of time that wait takes where a day has d.Length, in whole
// milliseconds, as exact as times are kept; at least one, so that time goes on.
func (d Days) scaled(wait time.Duration) time.Duration {
	if d.Length == fullDay {
		return wait
	}
	return max(time.Millisecond, time.Duration(float64(wait)*(float64(d.Length)/float64(fullDay))).Truncate(time.Millisecond))
}

// counts returns which days count, given as dayOf does. A calendar that leaves no
// day of the week counts as none.
func (d Days) counts() func(day time.Time) bool {
	if d.Calendar == nil || d.Length != fullDay {
		return everyDay
	}
	var works [7]bool
	for weekday := range works {
		works[weekday] = slices.Contains(d.Calendar.Workdays, weekdayNames[weekday])
	}
	if works == [7]bool{} {
		return everyDay
	}
	return func(day time.Time) bool {
		if !works[day.Weekday()] {
			return false
		}
		_, off := slices.BinarySearch(d.Calendar.Holidays, day.Format(time.DateOnly))
		return !off
	}
}

func everyDay(time.Time) bool { return true }

// weekdayNames are the days of the week as a WorkCalendar names them, by
// [time.Weekday].
var weekdayNames = [7]string{"SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"}

// IsWeekday reports whether name is that of a day of the week in a WorkCalendar.
func IsWeekday(name string) bool { return slices.Contains(weekdayNames[:], name) }

// dayOf is the day that local is on, as its midnight in UTC: a day by itself, which
// no change of clocks makes longer or shorter.
func dayOf(local time.Time) time.Time {
	year, month, day := local.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// clockOf is the time of day that the clocks show at local.
func clockOf(local time.Time) time.Duration {
	hour, minute, second := local.Clock()
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute +
		time.Duration(second)*time.Second + time.Duration(local.Nanosecond())
}

// firstMoment returns the first moment at which the clocks in zone show what wall
// shows in UTC, or anything later. So a time that they skip is the moment they
// skip it, one that they show twice the first of both, and of two times the later
// never comes first.
func firstMoment(wall time.Time, zone *time.Location) time.Time {
	// No clock is a day off, so this is before any moment in question.
	for at := wall.Add(-fullDay).In(zone); ; {
		begin, end := at.ZoneBounds()
		_, offset := at.Zone()
		moment := wall.Add(-time.Duration(offset) * time.Second)
		if moment.Before(begin) {
			moment = begin
		}
		if end.IsZero() || moment.Before(end) {
			return moment.UTC()
		}
		at = end
	}
}
