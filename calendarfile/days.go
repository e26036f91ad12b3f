package calendarfile

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/teambition/rrule-go"

	"gatehouse/lifecycle"
)

// Bounds of a file.
const (
	// MaxBytes is how long it may be.
	MaxBytes = 256 << 10
	// maxRules is how many of its events may come again: a rule that never comes true
	// is looked for in every year that there is.
	maxRules = 100
	// maxSpan is how many days one event may last.
	maxSpan = 366
	// firstYear is the first that an event may begin in.
	firstYear = 1900
)

// field is what faults are about.
const field = "calendar.iCalendar"

// day is how a file spells a day.
const day = "20060102"

// Days returns the days of the events of the file from the day of from on and before
// that of to, sorted and none twice; those beyond are passed over, and so are events
// that were called off. Each event must be all day; one that comes again does so
// every year.
//
// Errors: KindIllegalValue for what can't be read, or can't be kept as days;
// KindLimit for a file beyond [MaxBytes] and for more than
// [lifecycle.MaxHolidays] days.
func Days(text string, from, to time.Time) ([]string, error) {
	if len(text) > MaxBytes {
		return nil, lifecycle.FieldError(lifecycle.KindLimit, field, fmt.Sprintf("%s must not be longer than %d bytes", field, MaxBytes))
	}
	// The parser is content with a file that was cut off between two events.
	if !strings.HasSuffix(strings.TrimSpace(text), "END:VCALENDAR") {
		return nil, wrong("must be a VCALENDAR, from its BEGIN to its END")
	}
	calendar, err := ics.ParseCalendar(strings.NewReader(text))
	if err != nil {
		return nil, wrong("can't be read as iCalendar")
	}
	r := reading{from: date(from), to: date(to), found: map[string]bool{}}
	for i, event := range calendar.Events() {
		if problem := r.add(event); problem != "" {
			return nil, wrong(fmt.Sprintf("has an event, number %d, that %s", i+1, problem))
		}
		if len(r.found) > lifecycle.MaxHolidays {
			return nil, lifecycle.FieldError(lifecycle.KindLimit, field, fmt.Sprintf("%s must not have more than %d days", field, lifecycle.MaxHolidays))
		}
	}
	days := make([]string, 0, len(r.found))
	for found := range r.found {
		days = append(days, found)
	}
	slices.Sort(days)
	return days, nil
}

func wrong(what string) error {
	return lifecycle.FieldError(lifecycle.KindIllegalValue, field, field+" "+what)
}

// date is the day of t as a time in UTC.
func date(t time.Time) time.Time {
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// reading is a file that is being read.
type reading struct {
	from, to time.Time
	found    map[string]bool
	rules    int
}

// unreadable are the properties by which an event is on other days than it says.
var unreadable = []ics.ComponentProperty{
	ics.ComponentPropertyRecurrenceId, ics.ComponentPropertyRdate, ics.ComponentPropertyExrule,
}

// add finds the days of an event, or says what is wrong with it.
func (r *reading) add(event *ics.VEvent) (problem string) {
	if value(event, ics.ComponentPropertyStatus) == string(ics.ObjectStatusCancelled) {
		return ""
	}
	for _, property := range unreadable {
		if event.HasProperty(property) {
			return "has " + string(property) + ", which is not supported"
		}
	}
	start, err := time.Parse(day, value(event, ics.ComponentPropertyDtStart))
	if err != nil || start.Year() < firstYear {
		return "is not all day: its DTSTART must be a day"
	}
	span, problem := spanOf(event, start)
	if problem != "" {
		return problem
	}
	starts := []time.Time{start}
	if rule := value(event, ics.ComponentPropertyRrule); rule != "" {
		if starts, problem = r.recurrences(rule, start, span); problem != "" {
			return problem
		}
	}
	except := map[string]bool{}
	for _, property := range event.GetProperties(ics.ComponentPropertyExdate) {
		for excluded := range strings.SplitSeq(property.Value, ",") {
			if _, err := time.Parse(day, excluded); err != nil {
				return "has an EXDATE that is no day"
			}
			except[excluded] = true
		}
	}
	for _, start := range starts {
		if except[start.Format(day)] {
			continue
		}
		for i := range span {
			if at := start.AddDate(0, 0, i); !at.Before(r.from) && at.Before(r.to) {
				r.found[at.Format(time.DateOnly)] = true
			}
		}
	}
	return ""
}

// recurrences are the days on which the event begins, those within the bounds.
func (r *reading) recurrences(text string, start time.Time, span int) (starts []time.Time, problem string) {
	if r.rules++; r.rules > maxRules {
		return nil, fmt.Sprintf("is one of more than %d with an RRULE", maxRules)
	}
	option, err := rrule.StrToROption(text)
	if err != nil {
		return nil, "has an RRULE that can't be read"
	}
	if option.Freq != rrule.YEARLY || len(option.Byhour)+len(option.Byminute)+len(option.Bysecond) > 0 {
		return nil, "has an RRULE that is not by the year: FREQ must be YEARLY, without times of day"
	}
	option.Dtstart = start
	rule, err := rrule.NewRRule(*option)
	if err != nil {
		return nil, "has an RRULE that can't be read"
	}
	return rule.Between(r.from.AddDate(0, 0, -span), r.to, true), ""
}

var duration = regexp.MustCompile(`^P(\d{1,3})([DW])$`)

// spanOf is how many days the event lasts.
func spanOf(event *ics.VEvent, start time.Time) (days int, problem string) {
	days = 1
	switch end, lasts := value(event, ics.ComponentPropertyDtEnd), value(event, ics.ComponentPropertyDuration); {
	case end != "":
		// The day behind its last.
		at, err := time.Parse(day, end)
		if err != nil {
			return 0, "is not all day: its DTEND must be a day"
		}
		days = int(at.Sub(start) / (24 * time.Hour))
	case lasts != "":
		parts := duration.FindStringSubmatch(lasts)
		if parts == nil {
			return 0, "is not all day: its DURATION must be of days or weeks"
		}
		days, _ = strconv.Atoi(parts[1])
		if parts[2] == "W" {
			days *= 7
		}
	}
	if days < 1 || days > maxSpan {
		return 0, fmt.Sprintf("must last from 1 to %d days", maxSpan)
	}
	return days, ""
}

// value is that of a property of the event, empty where there is none.
func value(event *ics.VEvent, property ics.ComponentProperty) string {
	if p := event.GetProperty(property); p != nil {
		return strings.TrimSpace(p.Value)
	}
	return ""
}
