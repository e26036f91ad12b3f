package lifecycle_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

const day = 24 * time.Hour

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	found, err := time.LoadLocation(name)
	require.NoError(t, err)
	return found
}

// moment reads a time with its offset.
func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	require.NoError(t, err)
	return at
}

var workweek = []string{"MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"}

func TestDaysAreThoseOfTheCalendarInTheirZone(t *testing.T) {
	t.Parallel()
	const berlin, newYork, lordHowe, kathmandu, apia = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"
	for name, c := range map[string]struct {
		zone, from string
		n          int
		want       string
	}{
		"no day":                             {berlin, "2026-03-28T09:00:00+01:00", 0, "2026-03-28T09:00:00+01:00"},
		"an ordinary day":                    {berlin, "2026-06-01T09:00:00.123+02:00", 3, "2026-06-04T09:00:00.123+02:00"},
		"a day of 23 hours":                  {berlin, "2026-03-28T09:00:00+01:00", 1, "2026-03-29T09:00:00+02:00"},
		"a day of 25 hours":                  {berlin, "2026-10-24T09:00:00+02:00", 1, "2026-10-25T09:00:00+01:00"},
		"a time that is skipped":             {berlin, "2026-03-28T02:30:00+01:00", 1, "2026-03-29T03:00:00+02:00"},
		"and the day behind it":              {berlin, "2026-03-28T02:30:00+01:00", 2, "2026-03-30T02:30:00+02:00"},
		"a time that comes twice":            {berlin, "2026-10-24T02:30:00+02:00", 1, "2026-10-25T02:30:00+02:00"},
		"from the second of both":            {berlin, "2026-10-25T02:30:00+01:00", 1, "2026-10-26T02:30:00+01:00"},
		"skipped in the west":                {newYork, "2026-03-07T02:30:00-05:00", 1, "2026-03-08T03:00:00-04:00"},
		"twice in the west":                  {newYork, "2026-10-31T01:30:00-04:00", 1, "2026-11-01T01:30:00-04:00"},
		"weeks over a change":                {newYork, "2026-02-20T17:00:00-05:00", 30, "2026-03-22T17:00:00-04:00"},
		"half an hour skipped":               {lordHowe, "2026-10-03T02:15:00+10:30", 1, "2026-10-04T02:30:00+11:00"},
		"half an hour twice":                 {lordHowe, "2026-04-04T01:45:00+11:00", 1, "2026-04-05T01:45:00+11:00"},
		"half an hour behind it":             {lordHowe, "2026-04-04T02:15:00+11:00", 1, "2026-04-05T02:15:00+10:30"},
		"no changes at all":                  {kathmandu, "2026-03-28T00:00:00+05:45", 90, "2026-06-26T00:00:00+05:45"},
		"into 29 February":                   {berlin, "2028-02-28T12:00:00+01:00", 1, "2028-02-29T12:00:00+01:00"},
		"over 29 February":                   {newYork, "2028-02-28T12:00:00-05:00", 2, "2028-03-01T12:00:00-05:00"},
		"no 29 February":                     {kathmandu, "2026-02-28T12:00:00+05:45", 1, "2026-03-01T12:00:00+05:45"},
		"nor in 2100":                        {lordHowe, "2100-02-28T12:00:00+11:00", 1, "2100-03-01T12:00:00+11:00"},
		"over the end of a year":             {berlin, "2026-12-31T23:59:59.999+01:00", 1, "2027-01-01T23:59:59.999+01:00"},
		"over it where it is another in UTC": {newYork, "2026-12-30T21:00:00-05:00", 1, "2026-12-31T21:00:00-05:00"},
		"over it in the east":                {kathmandu, "2026-12-31T02:00:00+05:45", 1, "2027-01-01T02:00:00+05:45"},
		"a day that is skipped":              {apia, "2011-12-29T09:00:00-10:00", 1, "2011-12-31T00:00:00+14:00"},
		"and the one behind it":              {apia, "2011-12-29T09:00:00-10:00", 2, "2011-12-31T09:00:00+14:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			days := lifecycle.Days{Length: day, Zone: zone(t, c.zone)}
			got := days.After(moment(t, c.from), c.n)
			require.True(t, moment(t, c.want).Equal(got), "%s, not %s", got.In(days.Zone), c.want)
		})
	}
}

func TestDaysOffDoNotCount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		zone, from string
		n          int
		holidays   []string
		want       string
	}{
		"within a week":               {"Europe/Berlin", "2026-06-01T09:00:00+02:00", 3, nil, "2026-06-04T09:00:00+02:00"},
		"over a weekend":              {"Europe/Berlin", "2026-06-05T09:00:00+02:00", 3, nil, "2026-06-10T09:00:00+02:00"},
		"from a weekend":              {"Europe/Berlin", "2026-06-06T09:00:00+02:00", 1, nil, "2026-06-08T09:00:00+02:00"},
		"a weekend and a change":      {"Europe/Berlin", "2026-03-27T09:00:00+01:00", 1, nil, "2026-03-30T09:00:00+02:00"},
		"a holiday":                   {"America/New_York", "2026-11-25T17:00:00-05:00", 1, []string{"2026-11-26", "2026-12-25"}, "2026-11-27T17:00:00-05:00"},
		"a holiday on a weekend":      {"America/New_York", "2026-07-02T17:00:00-04:00", 2, []string{"2026-07-04"}, "2026-07-06T17:00:00-04:00"},
		"the end of a year":           {"Europe/Berlin", "2026-12-23T12:00:00+01:00", 2, []string{"2026-12-24", "2026-12-25", "2026-12-31", "2027-01-01"}, "2026-12-29T12:00:00+01:00"},
		"into the next":               {"Europe/Berlin", "2026-12-30T12:00:00+01:00", 1, []string{"2026-12-31", "2027-01-01"}, "2027-01-04T12:00:00+01:00"},
		"29 February":                 {"Asia/Kathmandu", "2028-02-28T10:00:00+05:45", 1, nil, "2028-02-29T10:00:00+05:45"},
		"29 February off":             {"Asia/Kathmandu", "2028-02-28T10:00:00+05:45", 1, []string{"2028-02-29"}, "2028-03-01T10:00:00+05:45"},
		"the day is that of the zone": {"America/New_York", "2026-06-05T23:00:00-04:00", 1, nil, "2026-06-08T23:00:00-04:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			days := lifecycle.Days{
				Length: day, Zone: zone(t, c.zone), Calendar: &lifecycle.WorkCalendar{Workdays: workweek, Holidays: c.holidays},
			}
			got := days.After(moment(t, c.from), c.n)
			require.True(t, moment(t, c.want).Equal(got), "%s, not %s", got.In(days.Zone), c.want)
		})
	}
}

func TestShortDaysBeginAtNoHour(t *testing.T) {
	t.Parallel()
	days := lifecycle.Days{
		Length: 10 * time.Second, Zone: zone(t, "Europe/Berlin"), Calendar: &lifecycle.WorkCalendar{Workdays: []string{"SUNDAY"}},
	}
	from := moment(t, "2026-06-01T09:00:00Z")
	require.Equal(t, from.Add(30*time.Second), days.After(from, 3))
	require.Equal(t, from, days.After(from, 0))
}

func TestACalendarWithoutAWorkdayIsNone(t *testing.T) {
	t.Parallel()
	days := lifecycle.Days{Length: day, Zone: time.UTC, Calendar: &lifecycle.WorkCalendar{Workdays: []string{"Monday"}}}
	from := moment(t, "2026-06-05T09:00:00Z")
	require.Equal(t, from.Add(2*day), days.After(from, 2))
}

// TestDaysNeverGoBack holds, in places with every sort of change, that a day more
// is later, that who starts later does not come before, and that a day is about
// as long as a day.
func TestDaysNeverGoBack(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same numbers each time
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana", "Africa/Cairo", "UTC"} {
		days := lifecycle.Days{Length: day, Zone: zone(t, name)}
		for range 500 {
			from := moment(t, "2026-01-01T00:00:00Z").Add(time.Duration(random.Int64N(int64(4 * 365 * day))))
			n := 1 + random.IntN(90)
			at, next := days.After(from, n), days.After(from, n+1)
			require.True(t, at.After(from) && next.After(at), "%s: %s and %d days", name, from, n)
			require.InDelta(t, float64(n), at.Sub(from).Hours()/24, 1.0/12, "%s: %s and %d days", name, from, n)
			later := from.Add(time.Duration(random.Int64N(int64(2 * time.Hour))))
			if dayAndClock(later.In(days.Zone)) >= dayAndClock(from.In(days.Zone)) {
				require.False(t, days.After(later, n).Before(at), "%s: %s and %s", name, from, later)
			}
		}
	}
}

// dayAndClock is what clocks and calendars show, in the order of time.
func dayAndClock(local time.Time) string { return local.Format("2006-01-02T15:04:05.000000000") }

func TestACronComesByTheClocksOfItsZone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cron, zone, after string
		want              []string
	}{
		"every day":          {"0 9 * * *", "Europe/Berlin", "2026-06-01T08:00:00+02:00", []string{"2026-06-01T09:00:00+02:00", "2026-06-02T09:00:00+02:00"}},
		"not the same twice": {"0 9 * * *", "Europe/Berlin", "2026-06-01T09:00:00+02:00", []string{"2026-06-02T09:00:00+02:00"}},
		"over a short day":   {"0 9 * * *", "Europe/Berlin", "2026-03-28T10:00:00+01:00", []string{"2026-03-29T09:00:00+02:00"}},
		"skipped": {"30 2 * * *", "Europe/Berlin", "2026-03-28T02:30:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		"two that meet": {"0,30 2,3 * * *", "Europe/Berlin", "2026-03-29T01:59:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00", "2026-03-30T02:00:00+02:00"}},
		"twice": {"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		"hours on a long day": {"30 * * * *", "America/New_York", "2026-11-01T00:30:00-04:00",
			[]string{"2026-11-01T01:30:00-04:00", "2026-11-01T02:30:00-05:00"}},
		"half an hour twice":     {"45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00+11:00", []string{"2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"}},
		"weekdays of the zone":   {"0 1 * * mon", "Asia/Kathmandu", "2026-05-31T00:00:00Z", []string{"2026-06-01T01:00:00+05:45", "2026-06-08T01:00:00+05:45"}},
		"either day":             {"0 0 13 * 5", "UTC", "2026-02-12T00:00:00Z", []string{"2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z"}},
		"both":                   {"0 0 */31 * 5", "UTC", "2026-01-01T00:00:00Z", []string{"2026-05-01T00:00:00Z"}},
		"29 February":            {"0 0 29 2 *", "America/New_York", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00-05:00", "2032-02-29T00:00:00-05:00"}},
		"29 February after 2096": {"0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", []string{"2104-02-29T00:00:00Z"}},
		"the turn of the year":   {"59 23 31 12 *", "Europe/Berlin", "2026-12-31T22:59:00Z", []string{"2027-12-31T22:59:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cron, err := lifecycle.ParseCron(c.cron)
			require.NoError(t, err)
			at := moment(t, c.after)
			for _, want := range c.want {
				at = cron.Next(at, zone(t, c.zone))
				require.True(t, moment(t, want).Equal(at), "%s, not %s", at.In(zone(t, c.zone)), want)
			}
		})
	}
}

func TestACronThatNeverComesSaysSo(t *testing.T) {
	t.Parallel()
	require.Zero(t, lifecycle.Cron{Minutes: []int{0}, Hours: []int{0}, Days: []int{30}, Months: []int{2}, Weekdays: span(0, 6)}.
		Next(moment(t, "2026-01-01T00:00:00Z"), time.UTC))
}

// TestACronComesAsOftenAsItsMinutes holds Next against what the clocks show,
// minute by minute, over the changes of a year.
func TestACronComesAsOftenAsItsMinutes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"} {
		for _, text := range []string{"*/15 1-3 * * *", "0 2 * * sun", "30 2 * 3,4,10,11 *", "5 0 1 * 1"} {
			t.Run(fmt.Sprint(name, text), func(t *testing.T) {
				t.Parallel()
				where := zone(t, name)
				cron, err := lifecycle.ParseCron(text)
				require.NoError(t, err)
				requireByTheMinute(t, cron, where, moment(t, "2028-02-25T00:00:00Z"), moment(t, "2028-04-05T00:00:00Z"))
				requireByTheMinute(t, cron, where, moment(t, "2028-09-25T00:00:00Z"), moment(t, "2028-11-08T00:00:00Z"))
			})
		}
	}
}

func requireByTheMinute(t *testing.T, cron lifecycle.Cron, where *time.Location, from, until time.Time) {
	t.Helper()
	// shown is the latest that the clocks have shown: what they show again
	// does not count, what they skip counts as soon as they have.
	shown := dayAndClock(from.In(where))
	wall := from.In(where)
	next := cron.Next(from, where)
	for at := from.Add(time.Minute); at.Before(until); at = at.Add(time.Minute) {
		local := at.In(where)
		if dayAndClock(local) <= shown {
			require.False(t, next.Equal(at), "a time that was shown before: %s", local)
			continue
		}
		due := false
		for wall = nextMinute(wall); ; wall = nextMinute(wall) {
			due = due || comes(cron, wall)
			if dayAndClock(wall) >= dayAndClock(local) {
				break
			}
		}
		shown = dayAndClock(local)
		require.Equal(t, due, next.Equal(at), "at %s, next is %s", local, next.In(where))
		if due {
			next = cron.Next(at, where)
		}
	}
}

// nextMinute is a minute later on clocks that nobody changes.
func nextMinute(wall time.Time) time.Time {
	return time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, time.UTC).Add(time.Minute)
}

// comes reports whether a cron comes when the clocks show wall.
func comes(c lifecycle.Cron, wall time.Time) bool {
	in := slices.Contains[[]int]
	ofMonth, ofWeek := in(c.Days, wall.Day()), in(c.Weekdays, int(wall.Weekday()))
	return in(c.Minutes, wall.Minute()) && in(c.Hours, wall.Hour()) && in(c.Months, int(wall.Month())) &&
		(ofMonth && ofWeek || c.EitherDay && (ofMonth || ofWeek))
}
