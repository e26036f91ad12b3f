package lifecycle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DefaultKeptExports is ExportSchedule.Keep where the client does not say.
const DefaultKeptExports = 7

// DefaultZone is ExportSchedule.Zone where the client does not say.
const DefaultZone = "UTC"

// ScheduleInput is what a client sent of a schedule of exports. nil is absent.
type ScheduleInput struct {
	Cron, Zone *string
	Keep       *int
	// Faults is what was wrong while the input was read, to be told with the
	// rest.
	Faults Faults
}

// Judge normalises and judges a schedule and returns all the faults there are:
// those found while reading first. cron is required.
//
// cron is five fields, separated by blanks: minute, hour, day of month, month,
// day of week. A field is "*", a number, a range a-b, each with a step /n if
// need be, or several of these with commas between them; months and days of the
// week may be named by their first three letters, Sunday is 0 or 7. A time fits
// if all five fields fit, also where both kinds of day are given. A schedule
// that no day of any year fits is refused.
//
// Kinds: KindRequired, and KindIllegalValue for the rest.
func (in ScheduleInput) Judge() (ExportSchedule, Faults) {
	j := newJudge(in.Faults)
	schedule := ExportSchedule{
		Cron: j.text("cron", in.Cron, nameRule),
		Zone: j.text("zone", in.Zone, textRule{max: MaxTextLength, optional: true}),
		Keep: DefaultKeptExports,
	}
	if schedule.Cron != "" {
		if problem := cronProblem(schedule.Cron); problem != "" {
			j.faults.Add(KindIllegalValue, "cron", "cron "+problem)
		}
		schedule.Cron = strings.Join(strings.Fields(schedule.Cron), " ")
	}
	if schedule.Zone == "" {
		schedule.Zone = DefaultZone
	}
	// "Local" would be the zone of whichever machine reads it.
	if _, err := time.LoadLocation(schedule.Zone); err != nil || schedule.Zone == "Local" {
		j.faults.Add(KindIllegalValue, "zone", "zone must be a time zone such as Europe/Berlin")
	}
	if in.Keep != nil {
		schedule.Keep = *in.Keep
	}
	if schedule.Keep < 1 || schedule.Keep > MaxKeptExports {
		j.faults.Add(KindIllegalValue, "keep", fmt.Sprintf("keep must be from 1 to %d", MaxKeptExports))
	}
	return schedule, j.faults
}

// cronField is one field of a cron expression.
type cronField struct {
	name     string
	min, max int
	// names stand for the numbers from min on.
	names []string
}

// Places of the fields.
const (
	cronDayOfMonth = 2
	cronMonth      = 3
)

var cronFields = [...]cronField{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day of month", 1, 31, nil},
	{"month", 1, 12, []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
	{"day of week", 0, 7, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
}

// longestMonths are the days of each month in the year that has most of them.
var longestMonths = [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// cronProblem says what is wrong with a cron expression, nothing if nothing is.
func cronProblem(expression string) string {
	parts := strings.Fields(expression)
	if len(parts) != len(cronFields) {
		return "must have five fields: minute, hour, day of month, month, day of week"
	}
	var values [len(cronFields)][]int
	for i, field := range cronFields {
		var ok bool
		if values[i], ok = field.parse(parts[i]); !ok {
			return fmt.Sprintf(`has %s for the %s, which must be "*", numbers from %d to %d, ranges or steps`,
				shown(parts[i]), field.name, field.min, field.max)
		}
	}
	for _, month := range values[cronMonth] {
		if slices.Min(values[cronDayOfMonth]) <= longestMonths[month-1] {
			return ""
		}
	}
	return "names a day that none of its months has"
}

// parse returns the values that the field names; ok is false for what is no
// such field.
func (f cronField) parse(text string) (values []int, ok bool) {
	for part := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(part, "/")
		step := 1
		if stepped {
			if step, ok = decimal(stepText); !ok || step < 1 || step > f.max {
				return nil, false
			}
		}
		first, last := f.min, f.max
		if span != "*" {
			from, to, ranged := strings.Cut(span, "-")
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
	return values, true
}

func (f cronField) value(text string) (int, bool) {
	if i := slices.Index(f.names, strings.ToUpper(text)); i >= 0 {
		return f.min + i, true
	}
	value, ok := decimal(text)
	return value, ok && value >= f.min && value <= f.max
}

// decimal reads digits alone, without the sign that strconv would take.
func decimal(text string) (int, bool) {
	value, err := strconv.ParseUint(text, 10, 16)
	return int(value), err == nil
}
