package lifecycle_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// chain is a chain of so many steps.
func chain(steps int) []lifecycle.ApproverRule {
	return make([]lifecycle.ApproverRule, steps)
}

// remindingPolicy has every kind of step: reminders on day 2, 3 and 4 after it was
// assigned, escalations on day 3 and 5 and the time-out on day 7 after it became
// PENDING.
func remindingPolicy() lifecycle.ApprovalPolicy {
	return lifecycle.ApprovalPolicy{
		Reminder:   lifecycle.ReminderConfig{Enabled: true, DaysUntilFirst: 2, Schedule: "@every 24h", Max: 3},
		Escalation: lifecycle.EscalationConfig{Enabled: true, DaysUntilFirst: 3, Schedule: "@every 48h", Chain: chain(2)},
		Timeout:    lifecycle.TimeoutConfig{Enabled: true, Days: 7, Result: lifecycle.TimeoutExpired},
	}
}

func TestTheNextStepIsTheEarliest(t *testing.T) {
	t.Parallel()
	since := moment(t, "2026-06-01T09:00:00Z")
	for name, c := range map[string]struct {
		change func(*lifecycle.ApprovalPolicy)
		// assigned is when, in days, the one who has it got it.
		assigned, reminders, escalations int
		want                             string
	}{
		"a reminder":                             {want: "reminder 2"},
		"the escalation before a reminder":       {reminders: 1, want: "escalation 3"},
		"a reminder of the next one":             {assigned: 3, escalations: 1, want: "escalation 5"},
		"a reminder again":                       {assigned: 3, escalations: 2, want: "reminder 5"},
		"the time-out before a reminder":         {assigned: 5, escalations: 2, want: "timeout 7"},
		"the time-out at last":                   {reminders: 3, escalations: 2, want: "timeout 7"},
		"no reminders":                           {change: func(p *lifecycle.ApprovalPolicy) { p.Reminder.Enabled = false }, want: "escalation 3"},
		"no reminder, enabled or not":            {change: func(p *lifecycle.ApprovalPolicy) { p.Reminder.Max = 0 }, want: "escalation 3"},
		"no escalations":                         {change: func(p *lifecycle.ApprovalPolicy) { p.Escalation.Enabled = false }, reminders: 3, want: "timeout 7"},
		"nobody to escalate to":                  {change: func(p *lifecycle.ApprovalPolicy) { p.Escalation.Chain = nil }, reminders: 3, want: "timeout 7"},
		"no time-out":                            {change: func(p *lifecycle.ApprovalPolicy) { p.Timeout.Enabled = false }, reminders: 3, escalations: 2, want: " 0"},
		"nothing":                                {change: func(p *lifecycle.ApprovalPolicy) { *p = lifecycle.ApprovalPolicy{} }, want: " 0"},
		"at once":                                {change: func(p *lifecycle.ApprovalPolicy) { p.Escalation.DaysUntilFirst = 0 }, want: "escalation 0"},
		"a schedule that can't be read":          {change: func(p *lifecycle.ApprovalPolicy) { p.Escalation.Schedule = "soon" }, assigned: 3, escalations: 1, want: "reminder 5"},
		"a zone that can't be read":              {change: func(p *lifecycle.ApprovalPolicy) { p.CronTimezone.Location = "Middle/Earth" }, want: "reminder 2"},
		"more reminders than there may be":       {change: func(p *lifecycle.ApprovalPolicy) { p.Reminder.Max = 1000 }, reminders: lifecycle.MaxReminders, escalations: 2, want: "timeout 7"},
		"a cron":                                 {change: func(p *lifecycle.ApprovalPolicy) { p.Reminder.Schedule = "0 9 * * *" }, reminders: 1, escalations: 2, want: "reminder 3"},
		"a shorthand":                            {change: func(p *lifecycle.ApprovalPolicy) { p.Reminder.Schedule = "@monthly" }, reminders: 1, escalations: 2, want: "timeout 7"},
		"the time-out and a reminder at once":    {change: func(p *lifecycle.ApprovalPolicy) { p.Timeout.Days = 2 }, want: "timeout 2"},
		"the escalation and a reminder at once":  {change: func(p *lifecycle.ApprovalPolicy) { p.Escalation.DaysUntilFirst = 2 }, want: "escalation 2"},
		"the time-out and an escalation at once": {change: func(p *lifecycle.ApprovalPolicy) { p.Timeout.Days = 3 }, reminders: 1, want: "timeout 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy := remindingPolicy()
			if c.change != nil {
				c.change(&policy)
			}
			w := lifecycle.Waiting{
				PendingSince: since, AssignedSince: since.Add(time.Duration(c.assigned) * day),
				Reminders: c.reminders, Escalations: c.escalations,
			}
			next := policy.Next(w, day)
			at := 0.0
			if next.Step != "" {
				at = next.At.Sub(since).Hours() / 24
				require.Equal(t, 1, next.Count)
				require.Zero(t, policy.Due(w, day, next.At.Add(-time.Millisecond)).Step, "not before its time")
				require.Equal(t, next.Step, policy.Due(w, day, next.At).Step, "but in its time")
			}
			require.Equal(t, c.want, fmt.Sprint(next.Step, " ", at))
		})
	}
}

func TestWhatFellDueMeanwhileIsOneStep(t *testing.T) {
	t.Parallel()
	since := moment(t, "2026-06-01T09:00:00Z")
	w := lifecycle.Waiting{PendingSince: since, AssignedSince: since}
	due := func(days float64) string {
		step := remindingPolicy().Due(w, day, since.Add(time.Duration(days*float64(day))))
		return fmt.Sprint(step.Step, " ", step.Count)
	}
	require.Equal(t, " 0", due(1.99))
	require.Equal(t, "reminder 1", due(2.5))
	require.Equal(t, "reminder 2", due(3), "the earlier one first, with all that were missed")
	require.Equal(t, "reminder 3", due(6.9))
	require.Equal(t, "timeout 1", due(7))
	require.Equal(t, "timeout 1", due(700))
	w.Reminders = 3
	require.Equal(t, "escalation 1", due(4))
	require.Equal(t, "escalation 2", due(5))
	w.Escalations = 1
	require.Equal(t, "escalation 1", due(6))
	require.Equal(t, since.Add(7*day), remindingPolicy().TimesOutAt(since, day))
	require.Zero(t, lifecycle.ApprovalPolicy{}.TimesOutAt(since, day))
}

func TestTheScheduleOfAPolicyIsRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"@every 1h": time.Hour, "@every 72h": 72 * time.Hour, " @every  1h30m ": 90 * time.Minute, "@every 2160h": 90 * day,
	} {
		got, err := lifecycle.ParsePolicySchedule(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got.Every, text)
	}
	for _, text := range []string{"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", "0 9 * * mon-fri", " 5 4 * * * "} {
		got, err := lifecycle.ParsePolicySchedule(text)
		require.NoError(t, err, text)
		require.Zero(t, got.Every, text)
		require.NotZero(t, got.Cron.Next(moment(t, "2026-06-01T09:00:00Z"), time.UTC), text)
	}
	for _, text := range []string{
		"", "@every", "@every ", "@every 59m", "@every 2161h", "@every -24h", "@every 24", "@every day", "@every 61m1s", "@every 1h0m0.5s",
		"@fortnightly", "0 9 * *", "0 0 31 2 *", "@every 999999999h",
	} {
		_, err := lifecycle.ParsePolicySchedule(text)
		require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err), text)
	}
}

func TestTheZoneOfAPolicyIsRead(t *testing.T) {
	t.Parallel()
	at := moment(t, "2026-06-01T09:00:00Z")
	for zone, want := range map[lifecycle.CronTimezone]string{
		{}:                             "09:00",
		{Location: "America/New_York"}: "05:00",
		{Location: "Asia/Kathmandu"}:   "14:45",
		{Offset: "+05:45"}:             "14:45",
		{Offset: "-03:30"}:             "05:30",
		{Offset: "+14:00"}:             "23:00",
		{Offset: "-00:00"}:             "09:00",
	} {
		got, err := zone.Zone()
		require.NoError(t, err, zone)
		require.Equal(t, want, at.In(got).Format("15:04"), zone)
	}
	for _, zone := range []lifecycle.CronTimezone{
		{Location: "UTC", Offset: "+00:00"}, {Location: "Local"}, {Location: "localtime"}, {Location: "Middle/Earth"},
		{Offset: "Z"}, {Offset: "+1:00"}, {Offset: "01:00"}, {Offset: "+0100"}, {Offset: "+14:01"}, {Offset: "+01:60"}, {Offset: "+aa:bb"},
		{Offset: "*01:00"},
	} {
		_, err := zone.Zone()
		require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err), "%+v", zone)
	}
}

func TestACronOnADayOffComesOnTheNextThatCounts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schedule string
		holidays []string
		want     []string
	}{
		"every day": {schedule: "0 9 * * *", want: []string{"2026-06-04T09:00", "2026-06-05T09:00", "2026-06-08T09:00", "2026-06-09T09:00"}},
		"saturdays": {schedule: "0 9 * * sat", want: []string{"2026-06-08T09:00", "2026-06-15T09:00"}},
		"two hours on a weekend, one of each day": {schedule: "0 8,17 * * sat,mon",
			want: []string{"2026-06-08T08:00", "2026-06-08T17:00", "2026-06-15T08:00"}},
		"over a holiday": {schedule: "0 9 * * sun", holidays: []string{"2026-06-08", "2026-06-09"},
			want: []string{"2026-06-10T09:00", "2026-06-15T09:00"}},
		"days of work":        {schedule: "@every 24h", holidays: []string{"2026-06-08"}, want: []string{"2026-06-05T08:00", "2026-06-09T08:00"}},
		"hours pass any day":  {schedule: "@every 36h", want: []string{"2026-06-05T20:00", "2026-06-07T08:00"}},
		"not one day of work": {schedule: "@every 23h", want: []string{"2026-06-05T07:00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy := lifecycle.ApprovalPolicy{
				Reminder:     lifecycle.ReminderConfig{Enabled: true, Schedule: c.schedule, Max: 1 + len(c.want)},
				CronTimezone: lifecycle.CronTimezone{Location: "Europe/Berlin"},
				Calendar:     &lifecycle.WorkCalendar{Workdays: workweek, Holidays: c.holidays},
			}
			// A Thursday.
			since := moment(t, "2026-06-04T08:00:00+02:00")
			for i, want := range c.want {
				next := policy.Next(lifecycle.Waiting{PendingSince: since, AssignedSince: since, Reminders: 1 + i}, day)
				require.Equal(t, want, next.At.In(zone(t, "Europe/Berlin")).Format("2006-01-02T15:04"), "number %d", i)
			}
		})
	}
}

func TestShortDaysShortenEverySchedule(t *testing.T) {
	t.Parallel()
	since := moment(t, "2026-06-04T08:00:00Z")
	for schedule, want := range map[string]time.Duration{
		"@every 24h": 12 * time.Second, "@every 72h": 36 * time.Second, "@every 1h": 500 * time.Millisecond,
		// From 8 to 20 o'clock it is half a day.
		"0 20 * * *": 6 * time.Second,
	} {
		policy := lifecycle.ApprovalPolicy{Reminder: lifecycle.ReminderConfig{Enabled: true, Schedule: schedule, Max: 2}}
		next := policy.Next(lifecycle.Waiting{PendingSince: since, AssignedSince: since, Reminders: 1}, 12*time.Second)
		require.Equal(t, want, next.At.Sub(since), schedule)
	}
}

// life is how an item lives under a policy while nobody decides, looked after at
// the moments that look gives. It returns what happened.
func life(t testing.TB, p lifecycle.ApprovalPolicy, since time.Time, length time.Duration, look func(next time.Time) time.Time) []lifecycle.DueStep {
	t.Helper()
	w := lifecycle.Waiting{PendingSince: since, AssignedSince: since}
	var happened []lifecycle.DueStep
	now := since
	for range 10 * (lifecycle.MaxReminders + 1) * (lifecycle.MaxEscalations + 1) {
		next := p.Next(w, length)
		if next.Step == "" {
			return happened
		}
		if at := look(next.At); at.After(now) {
			now = at
		}
		due := p.Due(w, length, now)
		if due.Step == "" {
			require.True(t, next.At.After(now), "what was said to be next at %s falls due then, and it is %s", next.At, now)
			now = now.Add(time.Millisecond)
			continue
		}
		require.False(t, due.At.After(now), "nothing before its time")
		require.False(t, due.Step != lifecycle.StepTimeout && due.At.Before(next.At), "nothing that was not said to be next")
		require.Positive(t, due.Count)
		happened = append(happened, due)
		switch due.Step {
		case lifecycle.StepReminder:
			w.Reminders += due.Count
		case lifecycle.StepEscalation:
			w.Escalations += due.Count
			w.AssignedSince, w.Reminders = now, 0
		default:
			return happened
		}
	}
	t.Fatal("it does not end")
	return nil
}

// requireLife holds what must be true of every life: in the order of time, no more
// of a kind than there may be, the chain gone through once, the time-out the end.
func requireLife(t testing.TB, p lifecycle.ApprovalPolicy, since time.Time, length time.Duration, happened []lifecycle.DueStep) {
	t.Helper()
	escalations, reminders := 0, 0
	for i, step := range happened {
		if i > 0 && step.Step != lifecycle.StepTimeout {
			require.False(t, step.At.Before(happened[i-1].At), "%v", happened)
		}
		switch step.Step {
		case lifecycle.StepReminder:
			reminders += step.Count
			require.LessOrEqual(t, reminders, min(p.Reminder.Max, lifecycle.MaxReminders))
		case lifecycle.StepEscalation:
			escalations += step.Count
			reminders = 0
			require.LessOrEqual(t, escalations, min(len(p.Escalation.Chain), lifecycle.MaxEscalations))
		default:
			require.Equal(t, len(happened)-1, i, "nothing after the time-out")
		}
	}
	if p.Timeout.Enabled {
		require.NotEmpty(t, happened)
		last := happened[len(happened)-1]
		require.Equal(t, lifecycle.StepTimeout, last.Step)
		require.Equal(t, p.TimesOutAt(since, length), last.At)
	}
}

// anyPolicy is a policy that some numbers make.
func anyPolicy(n func(int) int) lifecycle.ApprovalPolicy {
	schedules := []string{"@every 24h", "@every 72h", "@every 1h", "@every 7h", "0 9 * * *", "30 2 * * sun", "@hourly", "0 0 29 2 *", "never", ""}
	zones := []lifecycle.CronTimezone{
		{}, {Location: "Europe/Berlin"}, {Location: "America/New_York"}, {Location: "Australia/Lord_Howe"}, {Offset: "+05:45"}, {Location: "nowhere"},
	}
	p := lifecycle.ApprovalPolicy{
		Reminder: lifecycle.ReminderConfig{
			Enabled: n(4) > 0, DaysUntilFirst: n(5), Schedule: schedules[n(len(schedules))], Max: n(lifecycle.MaxReminders + 3),
		},
		Escalation: lifecycle.EscalationConfig{
			Enabled: n(4) > 0, DaysUntilFirst: n(7), Schedule: schedules[n(len(schedules))], Chain: chain(n(lifecycle.MaxEscalations + 1)),
		},
		Timeout:      lifecycle.TimeoutConfig{Enabled: n(4) > 0, Days: 1 + n(lifecycle.MaxTimeoutDays), Result: lifecycle.TimeoutExpired},
		CronTimezone: zones[n(len(zones))],
	}
	if n(2) > 0 {
		p.Calendar = &lifecycle.WorkCalendar{Workdays: workweek[:n(6)], Holidays: []string{"2026-12-25", "2027-01-01", "2028-02-29"}}
	}
	return p
}

// TestWhateverThePolicyItEnds looks after items in time, late, and after outages.
// Looked after in time, each step comes by itself; however late, no kind of step
// comes more often than it fell due, and none is lost that is of use still.
func TestWhateverThePolicyItEnds(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same numbers each time
	begin := moment(t, "2026-01-01T00:00:00Z")
	for range 60 {
		p := anyPolicy(random.IntN)
		since := begin.Add(time.Duration(random.Int64N(int64(3 * 365 * day)))).Truncate(time.Millisecond)
		length := []time.Duration{day, day, 10 * time.Second}[random.IntN(3)]
		inTime := life(t, p, since, length, func(next time.Time) time.Time { return next })
		requireLife(t, p, since, length, inTime)
		late := life(t, p, since, length, func(next time.Time) time.Time {
			return next.Add(time.Duration(random.Int64N(int64(length))))
		})
		requireLife(t, p, since, length, late)
		outage := since.Add(time.Duration(random.IntN(40)) * length)
		after := life(t, p, since, length, func(next time.Time) time.Time {
			if next.Before(outage) {
				return outage
			}
			return next
		})
		requireLife(t, p, since, length, after)
		require.LessOrEqual(t, len(after), len(inTime)+len(p.Escalation.Chain)*lifecycle.MaxReminders)
		timeout := p.TimesOutAt(since, length)
		for _, step := range inTime {
			if step.Step == lifecycle.StepEscalation {
				require.True(t, timeout.IsZero() || step.At.Before(timeout))
				require.True(t, len(after) == 1 && after[0].Step == lifecycle.StepTimeout || countOf(after, lifecycle.StepEscalation) > 0 ||
					!timeout.After(outage), "none is lost")
			}
		}
		require.True(t, countOf(after, lifecycle.StepEscalation) == countOf(inTime, lifecycle.StepEscalation) || !timeout.IsZero() && !timeout.After(outage),
			"as many steps along the chain: %v, %v", inTime, after)
	}
}

// countOf is how many steps of a kind there were.
func countOf(steps []lifecycle.DueStep, kind lifecycle.Step) (n int) {
	for _, step := range steps {
		if step.Step == kind {
			n += step.Count
		}
	}
	return n
}

// FuzzFallingDue: no policy, however odd, makes an item come to no end or a step
// come before its time.
func FuzzFallingDue(f *testing.F) {
	f.Add([]byte("\x01\x02\x03\x04\x05\x06\x07\x08\x09"), int64(1_780_000_000_000), uint8(0), "0 9 * * *")
	f.Add([]byte("\xff\xfe\xfd\xfc\xfb"), int64(1_900_000_000_000), uint8(3), "@every 25h")
	f.Fuzz(func(t *testing.T, bytes []byte, since int64, lateness uint8, schedule string) {
		if since < 0 || since > 4_000_000_000_000 {
			return
		}
		p := anyPolicy(func(below int) int {
			if len(bytes) == 0 {
				return 0
			}
			n := int(bytes[0]) % below
			bytes = bytes[1:]
			return n
		})
		p.Reminder.Schedule = schedule
		at := time.UnixMilli(since).UTC()
		happened := life(t, p, at, day, func(next time.Time) time.Time { return next.Add(time.Duration(lateness) * time.Hour) })
		requireLife(t, p, at, day, happened)
	})
}
