package lifecycle

import (
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // What is a time zone does not hang on the files of the host.
)

// Cron says when something is done again and again, in the terms of crontab.
// Each list is sorted, holds nothing twice and is not empty.
type Cron struct {
	// Minutes are 0 to 59, Hours 0 to 23, Days (of the month) 1 to 31, Months 1
	// to 12 and Weekdays 0, which is Sunday, to 6.
	Minutes, Hours, Days, Months, Weekdays []int
	// EitherDay is true where both Days and Weekdays are restricted. A day then
	// needs to be in one of them; else it needs to be in both.
	EitherDay bool
}

// MaxCronLength is the longest text of a cron, in bytes; it is what Temporal
// takes beside a schedule.
const MaxCronLength = 200

// cronField is one of the five fields.
type cronField struct {
	name     string
	min, max int
	// names stand for the numbers from min on.
	names []string
}

var cronFields = [5]cronField{
	{name: "minute", min: 0, max: 59},
	{name: "hour", min: 0, max: 23},
	{name: "day of month", min: 1, max: 31},
	{name: "month", min: 1, max: 12, names: []string{
		"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
	}},
	{name: "day of week", min: 0, max: 7, names: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// cronShorthands stand for five fields.
var cronShorthands = map[string]string{"@daily": "0 0 * * *", "@weekly": "0 0 * * sun"}

// ParseCron reads five fields, separated by blanks: minute, hour, day of month,
// month, day of week. A field is *, a number, a range such as 1-5, each of the
// three with a step such as */15, or a list of these with commas. Months and
// days of the week have names of three letters as well; Sunday is 0 and 7. @daily
// is every midnight, @weekly that in which Sunday begins. Anything else, and what
// comes on no day at all, is KindIllegalValue.
func ParseCron(text string) (Cron, error) {
	fields := strings.Fields(text)
	if full, ok := cronShorthands[strings.Join(fields, " ")]; ok {
		fields = strings.Fields(full)
	}
	if len(text) > MaxCronLength || len(fields) != len(cronFields) {
		return Cron{}, cronFault("must be @daily, @weekly or five fields: minute, hour, day of month, month, day of week")
	}
	var values [len(cronFields)][]int
	for i, field := range cronFields {
		var ok bool
		if values[i], ok = field.parse(fields[i]); !ok {
			return Cron{}, cronFault("has a " + field.name + " that can't be read")
		}
	}
	c := Cron{Minutes: values[0], Hours: values[1], Days: values[2], Months: values[3]}
	for _, day := range values[4] {
		c.Weekdays = append(c.Weekdays, day%7)
	}
	slices.Sort(c.Weekdays)
	c.Weekdays = slices.Compact(c.Weekdays)
	c.EitherDay = !strings.HasPrefix(fields[2], "*") && !strings.HasPrefix(fields[4], "*")
	if !c.EitherDay && !slices.ContainsFunc(c.Months, func(month int) bool { return c.Days[0] <= longest(month) }) {
		return Cron{}, cronFault("names a day that no month has")
	}
	return c, nil
}

// Next returns the first moment behind after at which the cron comes, in the
// clocks of zone; zero where it never does. A time that they skip is the moment
// they skip it, one that they show twice the first of both.
func (c Cron) Next(after time.Time, zone *time.Location) time.Time {
	return c.next(after, zone, c.comes)
}

// cronHorizon is how many days a cron is looked for: 29 February of a given day of
// the week comes after 40 years at the latest.
const cronHorizon = 41 * 366

// next is Next on the days that on says, given as dayOf does.
func (c Cron) next(after time.Time, zone *time.Location, on func(day time.Time) bool) time.Time {
	day := dayOf(after.In(zone))
	for range cronHorizon {
		if on(day) {
			if moment := c.within(day, after, zone); !moment.IsZero() {
				return moment
			}
		}
		day = day.AddDate(0, 0, 1)
	}
	return time.Time{}
}

// within returns the first moment behind after of those on the day; zero where
// there is none.
func (c Cron) within(day, after time.Time, zone *time.Location) time.Time {
	for _, hour := range c.Hours {
		for _, minute := range c.Minutes {
			wall := day.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
			if moment := firstMoment(wall, zone); moment.After(after) {
				return moment
			}
		}
	}
	return time.Time{}
}

// comes reports whether the cron comes on the day, given as dayOf does.
func (c Cron) comes(day time.Time) bool {
	if !slices.Contains(c.Months, int(day.Month())) {
		return false
	}
	ofMonth, ofWeek := slices.Contains(c.Days, day.Day()), slices.Contains(c.Weekdays, int(day.Weekday()))
	if c.EitherDay {
		return ofMonth || ofWeek
	}
	return ofMonth && ofWeek
}

func cronFault(what string) *Error { return FieldError(KindIllegalValue, "cron", "cron "+what) }

// longest is the number of days that the month has in a leap year.
func longest(month int) int {
	return time.Date(2000, time.Month(month+1), 0, 0, 0, 0, 0, time.UTC).Day()
}

// parse returns the values of a field, sorted.
func (f cronField) parse(text string) ([]int, bool) {
	var values []int
	for part := range strings.SplitSeq(text, ",") {
		reach, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			var ok bool
			if step, ok = cronNumber(stepText); !ok || step == 0 {
				return nil, false
			}
		}
		first, last := f.min, f.max
		if reach != "*" {
			from, to, ranged := strings.Cut(reach, "-")
			var ok bool
			if first, ok = f.value(from); !ok {
				return nil, false
			}
			switch {
			case ranged:
				if last, ok = f.value(to); !ok || last < first {
					return nil, false
				}
			case !stepped:
				last = first
			}
		}
		for value := first; value <= last; value += step {
			values = append(values, value)
		}
	}
	slices.Sort(values)
	return slices.Compact(values), true
}

// value reads a number or a name.
func (f cronField) value(text string) (int, bool) {
	if position := slices.Index(f.names, strings.ToLower(text)); position >= 0 {
		return f.min + position, true
	}
	value, ok := cronNumber(text)
	return value, ok && f.min <= value && value <= f.max
}

// cronNumber reads one or two digits.
func cronNumber(text string) (int, bool) {
	value, err := strconv.ParseUint(text, 10, 8)
	return int(value), err == nil && len(text) <= 2
}

// CheckZone returns nil for the name of an IANA time zone, such as
// Europe/Berlin, and KindIllegalValue for anything else.
func CheckZone(name string) error {
	_, err := loadZone(name)
	return err
}

// loadZone returns what CheckZone lets pass.
func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == time.Local.String() || !capitalized(name) {
		return nil, FieldError(KindIllegalValue, "zone", "zone must be an IANA time zone such as Europe/Berlin")
	}
	return zone, nil
}

// capitalized tells the names of IANA from what else lies among the files of a
// host, such as localtime or right/UTC: the host of Temporal need not have that.
func capitalized(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] < 'A' || part[0] > 'Z' {
			return false
		}
	}
	return true
}
