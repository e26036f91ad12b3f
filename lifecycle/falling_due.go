package lifecycle

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

// Step names what a policy has happen to an item that nobody decides. The values
// stand in histories and metrics and never change.
type Step string

// The steps.
const (
	// StepReminder tells the approver once more.
	StepReminder Step = "reminder"
	// StepEscalation moves the item on along the chain.
	StepEscalation Step = "escalation"
	// StepFallback moves an item that nobody is left to decide. It falls due when
	// its approver is gone, and at no time before.
	StepFallback Step = "fallback"
	// StepTimeout ends the waiting.
	StepTimeout Step = "timeout"
)

// Waiting is a pending approval item as its policy sees it.
type Waiting struct {
	// PendingSince is when the item became PENDING, AssignedSince when the one who
	// has it now got it.
	PendingSince, AssignedSince time.Time
	// Reminders is how many fell due for the one who has it now, Escalations how
	// many steps of the chain the item has gone.
	Reminders, Escalations int
}

// DueStep is a step with its time.
type DueStep struct {
	// Step is empty where nothing falls due.
	Step Step
	// At is when it falls due; of several when the first one does.
	At time.Time
	// Count is how many of the kind fall due together and are taken as one; 0
	// where nothing does.
	Count int
}

// Next returns what happens to the item next if nobody acts. day is how long a
// day of the policy lasts. Of two steps at the same moment it is the one that
// leaves no use for the other: the time-out, then the escalation.
func (p ApprovalPolicy) Next(w Waiting, day time.Duration) DueStep {
	return p.times(w, day).next()
}

// Due returns what is to be done about the item now; an empty Step for nothing.
// What fell due of a kind since is one step with their Count. The time-out is all
// there is to do once it has come; else the earliest goes first, and what it
// leaves is asked for again.
func (p ApprovalPolicy) Due(w Waiting, day time.Duration, now time.Time) DueStep {
	times := p.times(w, day)
	if timeout := times.timeout; !timeout.IsZero() && !timeout.After(now) {
		return DueStep{Step: StepTimeout, At: timeout, Count: 1}
	}
	due := times.next()
	if due.Step == "" || due.At.After(now) {
		return DueStep{}
	}
	of := times.reminders
	if due.Step == StepEscalation {
		of = times.escalations
	}
	due.Count = 0
	for at := range of {
		if at.After(now) {
			break
		}
		due.Count++
	}
	return due
}

// TimesOutAt returns when an item that is PENDING since then times out; zero for
// never.
func (p ApprovalPolicy) TimesOutAt(pendingSince time.Time, day time.Duration) time.Time {
	return p.times(Waiting{PendingSince: pendingSince}, day).timeout
}

// dueTimes are the times of the steps that are left, in their order.
type dueTimes struct {
	reminders, escalations iter.Seq[time.Time]
	// timeout is zero for never.
	timeout time.Time
}

// next is the first of all, and of two at the same moment the one that comes first
// here.
func (t dueTimes) next() DueStep {
	var next DueStep
	first := func(step Step, times iter.Seq[time.Time]) {
		for at := range times {
			if next.Step == "" || at.Before(next.At) {
				next = DueStep{Step: step, At: at, Count: 1}
			}
			return
		}
	}
	if !t.timeout.IsZero() {
		next = DueStep{Step: StepTimeout, At: t.timeout, Count: 1}
	}
	first(StepEscalation, t.escalations)
	first(StepReminder, t.reminders)
	return next
}

func (p ApprovalPolicy) times(w Waiting, day time.Duration) dueTimes {
	days := p.days(day)
	t := dueTimes{reminders: never, escalations: never}
	if p.Timeout.Enabled {
		t.timeout = days.After(w.PendingSince, p.Timeout.Days)
	}
	if r := p.Reminder; r.Enabled {
		t.reminders = days.series(w.AssignedSince, r.DaysUntilFirst, r.Schedule, min(r.Max, MaxReminders), w.Reminders)
	}
	if e := p.Escalation; e.Enabled {
		t.escalations = days.series(w.PendingSince, e.DaysUntilFirst, e.Schedule, min(len(e.Chain), MaxEscalations), w.Escalations)
	}
	return t
}

// days are those of the policy. A zone that can't be read, which none is that was
// stored, is UTC: whatever else the policy says still comes.
func (p ApprovalPolicy) days(length time.Duration) Days {
	zone, err := p.CronTimezone.Zone()
	if err != nil {
		zone = time.UTC
	}
	return Days{Length: length, Zone: zone, Calendar: p.Calendar}
}

func never(func(time.Time) bool) {}

// series gives the times of what comes first so many days after since, and then
// by the schedule, at most limit times, without those that were done. By a
// schedule that can't be read nothing comes.
func (d Days) series(since time.Time, first int, schedule string, limit, done int) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		then, err := ParsePolicySchedule(schedule)
		at := d.After(since, first)
		for n := range limit {
			if n > 0 {
				if err != nil {
					return
				}
				if at = then.next(at, d); at.IsZero() {
					return
				}
			}
			if n >= done && !yield(at) {
				return
			}
		}
	}
}

// PolicySchedule says when what a policy has done once is done again. Either Every
// is set or Cron.
type PolicySchedule struct {
	Every time.Duration
	Cron  Cron
}

// Bounds of PolicySchedule.Every.
const (
	MinPolicyInterval = time.Hour
	MaxPolicyInterval = MaxTimeoutDays * fullDay
)

// everyPrefix begins a schedule that is an interval.
const everyPrefix = "@every "

// policyShorthands stand for five fields, beside those of ParseCron.
var policyShorthands = map[string]string{
	"@hourly": "0 * * * *", "@midnight": "0 0 * * *", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}

// ParsePolicySchedule reads "@every" with a duration of whole minutes within the
// bounds, such as "@every 72h", or a cron, as ParseCron does, with @hourly,
// @midnight, @monthly and @yearly beside. Anything else is KindIllegalValue.
func ParsePolicySchedule(text string) (PolicySchedule, error) {
	text = strings.TrimSpace(text)
	if interval, ok := strings.CutPrefix(text, everyPrefix); ok {
		every, err := time.ParseDuration(strings.TrimSpace(interval))
		if err != nil || every < MinPolicyInterval || every > MaxPolicyInterval || every%time.Minute != 0 {
			return PolicySchedule{}, cronFault(fmt.Sprintf("must have a duration of whole minutes from 1h to %dh behind @every",
				int(MaxPolicyInterval.Hours())))
		}
		return PolicySchedule{Every: every}, nil
	}
	if full, ok := policyShorthands[text]; ok {
		text = full
	}
	cron, err := ParseCron(text)
	return PolicySchedule{Cron: cron}, err
}

// next returns when it is time again after it last was; zero for never. An
// interval of whole days counts days as d does. A cron that comes on a day that
// does not count comes on the next that does, at the same time of day; where
// another comes then as well, the two are one.
func (s PolicySchedule) next(last time.Time, d Days) time.Time {
	if s.Every > 0 {
		if n := s.Every / fullDay; s.Every%fullDay == 0 && n > 0 {
			return d.After(last, int(n))
		}
		return last.Add(d.scaled(s.Every))
	}
	counts := d.counts()
	moment := s.Cron.next(last, d.Zone, func(day time.Time) bool {
		if !counts(day) {
			return false
		}
		for !s.Cron.comes(day) {
			if day = day.AddDate(0, 0, -1); counts(day) {
				return false
			}
		}
		return true
	})
	if moment.IsZero() {
		return moment
	}
	return last.Add(d.scaled(moment.Sub(last)))
}

// maxOffset bounds CronTimezone.Offset; no place on earth is further from UTC.
const maxOffset = 14 * time.Hour

// Zone is where the days of the policy begin. KindIllegalValue where both fields
// are set, or where the one that is can't be read.
func (z CronTimezone) Zone() (*time.Location, error) {
	switch {
	case z.Location != "" && z.Offset != "":
		return nil, FieldError(KindIllegalValue, "cronTimezone", "cronTimezone must have a location or an offset, not both")
	case z.Location != "":
		zone, err := loadZone(z.Location)
		if err != nil {
			return nil, FieldError(KindIllegalValue, "cronTimezone.location",
				"cronTimezone.location must be an IANA time zone such as Europe/Berlin")
		}
		return zone, nil
	case z.Offset != "":
		return z.fixed()
	}
	return time.UTC, nil
}

func (z CronTimezone) fixed() (*time.Location, error) {
	fault := FieldError(KindIllegalValue, "cronTimezone.offset", "cronTimezone.offset must be +HH:MM or -HH:MM, at most 14:00")
	if len(z.Offset) != len("+dd:dd") || !hasShape(z.Offset[1:], "dd:dd") {
		return nil, fault
	}
	hours, _ := strconv.Atoi(z.Offset[1:3])
	minutes, _ := strconv.Atoi(z.Offset[4:])
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if minutes > 59 || offset > maxOffset {
		return nil, fault
	}
	switch z.Offset[0] {
	case '+':
	case '-':
		offset = -offset
	default:
		return nil, fault
	}
	return time.FixedZone(z.Offset, int(offset/time.Second)), nil
}
