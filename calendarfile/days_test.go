package calendarfile

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// file is a calendar with these events, each of properties separated by blanks.
func file(events ...string) string {
	lines := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN"}
	for _, event := range events {
		lines = append(lines, "BEGIN:VEVENT")
		lines = append(lines, strings.Fields(event)...)
		lines = append(lines, "END:VEVENT")
	}
	return strings.Join(append(lines, "END:VCALENDAR", ""), "\r\n")
}

var (
	from = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	to   = time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC)
)

func TestDaysOfAFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		events []string
		want   []string
	}{
		"none":                 {nil, []string{}},
		"one day":              {[]string{"DTSTART;VALUE=DATE:20271225"}, []string{"2027-12-25"}},
		"the end is behind it": {[]string{"DTSTART;VALUE=DATE:20271225 DTEND;VALUE=DATE:20271227"}, []string{"2027-12-25", "2027-12-26"}},
		"over the year's end":  {[]string{"DTSTART;VALUE=DATE:20271231 DURATION:P2D"}, []string{"2027-12-31", "2028-01-01"}},
		"a week":               {[]string{"DTSTART;VALUE=DATE:20280226 DURATION:P1W"}, []string{"2028-02-26", "2028-02-27", "2028-02-28", "2028-02-29", "2028-03-01", "2028-03-02", "2028-03-03"}},
		"every year":           {[]string{"DTSTART;VALUE=DATE:19980501 RRULE:FREQ=YEARLY"}, []string{"2026-05-01", "2027-05-01", "2028-05-01"}},
		"until":                {[]string{"DTSTART;VALUE=DATE:19980501 RRULE:FREQ=YEARLY;UNTIL=20270601"}, []string{"2026-05-01", "2027-05-01"}},
		"a leap day":           {[]string{"DTSTART;VALUE=DATE:20000229 RRULE:FREQ=YEARLY"}, []string{"2028-02-29"}},
		"the fourth Thursday":  {[]string{"DTSTART;VALUE=DATE:20001123 RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"}, []string{"2026-11-26", "2027-11-25", "2028-11-23"}},
		"but for one":          {[]string{"DTSTART;VALUE=DATE:20200501 RRULE:FREQ=YEARLY EXDATE;VALUE=DATE:20270501"}, []string{"2026-05-01", "2028-05-01"}},
		"reaching into it":     {[]string{"DTSTART;VALUE=DATE:20001231 DTEND;VALUE=DATE:20010102 RRULE:FREQ=YEARLY;COUNT=26"}, []string{"2026-01-01"}},
		"before and behind":    {[]string{"DTSTART;VALUE=DATE:20251231", "DTSTART;VALUE=DATE:20290101", "DTSTART;VALUE=DATE:20280101"}, []string{"2028-01-01"}},
		"called off":           {[]string{"DTSTART;VALUE=DATE:20271225 STATUS:CANCELLED", "DTSTART:20271226"}, []string{"2027-12-26"}},
		"twice":                {[]string{"DTSTART;VALUE=DATE:20271225", "DTSTART;VALUE=DATE:20271225"}, []string{"2027-12-25"}},
	} {
		days, err := Days(file(c.events...), from, to)
		require.NoError(t, err, name)
		require.Equal(t, c.want, days, name)
	}
	days, err := Days(strings.ReplaceAll(file("DTSTART;VALUE=DATE:20271225"), "\r\n", "\n"), from, to)
	require.NoError(t, err)
	require.Equal(t, []string{"2027-12-25"}, days, "lines may end in LF")
	days, err = Days(strings.Replace(file("DTSTART;VALUE=DATE:20271225"), "DATE:2027", "DATE:20\r\n 27", 1), from, to)
	require.NoError(t, err)
	require.Equal(t, []string{"2027-12-25"}, days, "lines may be folded")
}

func TestWhatIsNoHolidayIsToldByItsNumber(t *testing.T) {
	t.Parallel()
	const good = "DTSTART;VALUE=DATE:20271225"
	for event, want := range map[string]string{
		"SUMMARY:X":                          "number 2, that is not all day: its DTSTART must be a day",
		"DTSTART:20271225T090000Z":           "its DTSTART must be a day",
		"DTSTART:18991231":                   "its DTSTART must be a day",
		good + " DTEND:20271225T180000":      "its DTEND must be a day",
		good + " DTEND;VALUE=DATE:20271225":  "must last from 1 to 366 days",
		good + " DURATION:PT8H":              "its DURATION must be of days or weeks",
		good + " DURATION:P999W":             "must last from 1 to 366 days",
		good + " RRULE:FREQ=WEEKLY":          "FREQ must be YEARLY",
		good + " RRULE:FREQ=YEARLY;BYHOUR=9": "without times of day",
		good + " RRULE:FREQ=SOMETIMES":       "RRULE that can't be read",
		good + " RDATE;VALUE=DATE:20281225":  "has RDATE, which is not supported",
		good + " RECURRENCE-ID:20271225":     "has RECURRENCE-ID, which is not supported",
		good + " EXDATE:nonsense":            "has an EXDATE that is no day",
	} {
		days, err := Days(file(good, event), from, to)
		require.ErrorContains(t, err, want, event)
		require.ErrorContains(t, err, "calendar.iCalendar has an event", event)
		require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err), event)
		require.Nil(t, days)
	}
	for _, text := range []string{
		"", "x", "BEGIN:VCALENDAR", strings.TrimSuffix(file(good), "END:VCALENDAR\r\n"), "END:VCALENDAR",
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR", "BEGIN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR", file(good) + file(good),
	} {
		_, err := Days(text, from, to)
		require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err), "%q", text)
	}
}

func TestAFileIsBounded(t *testing.T) {
	t.Parallel()
	_, err := Days(file(strings.Repeat("X", MaxBytes)), from, to)
	require.Equal(t, lifecycle.KindLimit, lifecycle.KindOf(err))
	_, err = Days(file("DTSTART:20260101 DURATION:P366D", "DTSTART:20270102 DURATION:P366D"), from, to)
	require.Equal(t, lifecycle.KindLimit, lifecycle.KindOf(err), "more than 500 days")
	_, err = Days(file(slices.Repeat([]string{"DTSTART:20000501 RRULE:FREQ=YEARLY"}, maxRules+1)...), from, to)
	require.ErrorContains(t, err, "is one of more than 100 with an RRULE")
}

// FuzzDays: whatever the file, there are days within the bounds or a fault that
// names the field.
func FuzzDays(f *testing.F) {
	for _, events := range []string{
		"", "DTSTART;VALUE=DATE:20271225", "DTSTART:20000229 RRULE:FREQ=YEARLY;INTERVAL=2;COUNT=9 DURATION:P1W",
		"DTSTART:20010101 RRULE:FREQ=YEARLY;BYDAY=-1MO;BYMONTH=5;WKST=SU EXDATE:20270531,20280529",
		"DTSTART:20010101 RRULE:FREQ=YEARLY;BYEASTER=-2;BYSETPOS=1;BYWEEKNO=1;BYYEARDAY=-1",
		`DTSTART;X="a;b:c",d;VALUE=DATE:20271225 BEGIN:VALARM TRIGGER:-P1D END:VALARM`,
	} {
		f.Add(file(events))
	}
	f.Add("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;=:\nEND:VCALENDAR")
	f.Fuzz(func(t *testing.T, text string) {
		days, err := Days(text, from, to)
		if err != nil {
			require.ErrorContains(t, err, field)
			require.NotEqual(t, lifecycle.KindInternal, lifecycle.KindOf(err))
			return
		}
		require.True(t, slices.IsSorted(days))
		require.LessOrEqual(t, len(days), lifecycle.MaxHolidays)
		for _, day := range days {
			require.True(t, day >= "2026-01-01" && day < "2029-01-01", day)
		}
	})
}
