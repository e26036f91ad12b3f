package lifecycle_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

var somebody = lifecycle.NewID()

// goodPolicy is a policy with everything in it, for a source.
func goodPolicy() lifecycle.ApprovalPolicyInput {
	return lifecycle.ApprovalPolicyInput{
		Reminder: lifecycle.ReminderInput{Enabled: new(true), DaysUntilFirst: new(2), Schedule: new("0 9 * * mon-fri"), Max: new(5)},
		Escalation: lifecycle.EscalationInput{
			Enabled: new(true), DaysUntilFirst: new(7), Schedule: new("@every  72h"),
			Chain: []lifecycle.ApproverRuleInput{
				{Type: new("MANAGER_OF")}, {Type: new("MANAGER_OF"), ID: new(somebody.String())}, {Type: new("IDENTITY"), ID: new(somebody.String())},
				{Type: new("GOVERNANCE_GROUP"), ID: new(somebody.String())}, {Type: new("MANAGER_OF_REQUESTER")}, {Type: new("SOURCE_OWNER")},
			},
		},
		Timeout:      lifecycle.TimeoutInput{Enabled: new(true), Days: new(30), Result: new("APPROVED")},
		CronTimezone: lifecycle.CronTimezoneInput{Location: new("Europe/Berlin")},
		Fallback:     &lifecycle.ApproverRuleInput{Type: new("SOURCE_OWNER"), ID: new(" ")},
		SelfApproval: new(true),
		Calendar: &lifecycle.WorkCalendarInput{
			Workdays: []string{"SUNDAY", "MONDAY", "MONDAY"}, Holidays: []string{"2027-12-25", "2027-01-01", "2027-12-25"},
		},
	}
}

func TestAPolicyIsJudgedAndNormalised(t *testing.T) {
	t.Parallel()
	policy, faults := goodPolicy().Judge(false)
	require.NoError(t, faults.Err())
	require.Equal(t, lifecycle.ApprovalPolicy{
		Reminder: lifecycle.ReminderConfig{Enabled: true, DaysUntilFirst: 2, Schedule: "0 9 * * mon-fri", Max: 5},
		Escalation: lifecycle.EscalationConfig{
			Enabled: true, DaysUntilFirst: 7, Schedule: "@every 72h",
			Chain: []lifecycle.ApproverRule{
				{Type: lifecycle.ApproverManagerOf}, {Type: lifecycle.ApproverManagerOf, ID: somebody}, {Type: lifecycle.ApproverIdentity, ID: somebody},
				{Type: lifecycle.ApproverGovernanceGroup, ID: somebody}, {Type: lifecycle.ApproverManagerOfRequester}, {Type: lifecycle.ApproverSourceOwner},
			},
		},
		Timeout:      lifecycle.TimeoutConfig{Enabled: true, Days: 30, Result: lifecycle.TimeoutApproved},
		CronTimezone: lifecycle.CronTimezone{Location: "Europe/Berlin"},
		Fallback:     &lifecycle.ApproverRule{Type: lifecycle.ApproverSourceOwner},
		SelfApproval: true,
		Calendar:     &lifecycle.WorkCalendar{Workdays: []string{"MONDAY", "SUNDAY"}, Holidays: []string{"2027-01-01", "2027-12-25"}},
	}, policy)
	fields := []string{}
	for _, reference := range policy.References() {
		fields = append(fields, fmt.Sprint(reference.Field, " ", reference.Type))
	}
	require.Equal(t, []string{
		"escalationConfig.escalationChain[1].identityId IDENTITY", "escalationConfig.escalationChain[2].identityId IDENTITY",
		"escalationConfig.escalationChain[3].identityId GOVERNANCE_GROUP",
	}, fields)

	policy, faults = lifecycle.ApprovalPolicyInput{Timeout: lifecycle.TimeoutInput{Enabled: new(true), Days: new(90)}}.Judge(true)
	require.NoError(t, faults.Err())
	require.Equal(t, lifecycle.ApprovalPolicy{
		Escalation: lifecycle.EscalationConfig{Chain: []lifecycle.ApproverRule{}},
		Timeout:    lifecycle.TimeoutConfig{Enabled: true, Days: 90, Result: lifecycle.TimeoutExpired},
	}, policy, "what is left out is not enabled")
}

func TestEveryFaultOfAPolicyIsNamed(t *testing.T) {
	t.Parallel()
	chain := func(rules ...lifecycle.ApproverRuleInput) func(*lifecycle.ApprovalPolicyInput) {
		return func(in *lifecycle.ApprovalPolicyInput) { in.Escalation.Chain = rules }
	}
	for name, c := range map[string]struct {
		change func(*lifecycle.ApprovalPolicyInput)
		want   string
		kind   lifecycle.Kind
	}{
		"no time-out": {func(in *lifecycle.ApprovalPolicyInput) { in.Timeout = lifecycle.TimeoutInput{} },
			"timeoutConfig.daysUntilTimeout is required; timeoutConfig.enabled must be true: a request that nobody decides must come to an end;", lifecycle.KindBadRequest},
		"time-out off":          {func(in *lifecycle.ApprovalPolicyInput) { in.Timeout.Enabled = new(false) }, "timeoutConfig.enabled must be true", lifecycle.KindIllegalValue},
		"time-out at once":      {func(in *lifecycle.ApprovalPolicyInput) { in.Timeout.Days = new(0) }, "timeoutConfig.daysUntilTimeout must be from 1 to 90;", lifecycle.KindIllegalValue},
		"time-out too late":     {func(in *lifecycle.ApprovalPolicyInput) { in.Timeout.Days = new(91) }, "timeoutConfig.daysUntilTimeout must be from 1 to 90;", lifecycle.KindIllegalValue},
		"another result":        {func(in *lifecycle.ApprovalPolicyInput) { in.Timeout.Result = new("REJECTED") }, "timeoutConfig.timeoutResult must be EXPIRED or APPROVED;", lifecycle.KindIllegalValue},
		"no first reminder":     {func(in *lifecycle.ApprovalPolicyInput) { in.Reminder.DaysUntilFirst = nil }, "reminderConfig.daysUntilFirstReminder is required;", lifecycle.KindRequired},
		"a reminder at once":    {func(in *lifecycle.ApprovalPolicyInput) { in.Reminder.DaysUntilFirst = new(0) }, "reminderConfig.daysUntilFirstReminder must be from 1 to 90;", lifecycle.KindIllegalValue},
		"a reminder at the end": {func(in *lifecycle.ApprovalPolicyInput) { in.Reminder.DaysUntilFirst = new(30) }, "reminderConfig.daysUntilFirstReminder must be less than timeoutConfig.daysUntilTimeout, 30;", lifecycle.KindIllegalValue},
		"too many reminders":    {func(in *lifecycle.ApprovalPolicyInput) { in.Reminder.Max = new(21) }, "reminderConfig.maxReminders must be from 1 to 20;", lifecycle.KindIllegalValue},
		"no schedule":           {func(in *lifecycle.ApprovalPolicyInput) { in.Reminder.Schedule = new(" ") }, "reminderConfig.reminderCronSchedule is required;", lifecycle.KindRequired},
		"too often":             {func(in *lifecycle.ApprovalPolicyInput) { in.Reminder.Schedule = new("@every 59m59s") }, "reminderConfig.reminderCronSchedule must have a duration of whole minutes from 1h to 2160h behind @every;", lifecycle.KindIllegalValue},
		"no cron":               {func(in *lifecycle.ApprovalPolicyInput) { in.Reminder.Schedule = new("0 9 * *") }, "reminderConfig.reminderCronSchedule must be @daily, @weekly or five fields", lifecycle.KindIllegalValue},
		"never": {func(in *lifecycle.ApprovalPolicyInput) { in.Escalation.Schedule = new("0 9 30 2 *") },
			"escalationConfig.escalationCronSchedule names a day that no month has;", lifecycle.KindIllegalValue},
		"an escalation at the end": {func(in *lifecycle.ApprovalPolicyInput) { in.Escalation.DaysUntilFirst = new(31) }, "escalationConfig.daysUntilFirstEscalation must be less than timeoutConfig.daysUntilTimeout, 30;", lifecycle.KindIllegalValue},
		"an empty chain":           {chain(), "escalationConfig.escalationChain is required;", lifecycle.KindRequired},
		"a long chain":             {chain(slices.Repeat([]lifecycle.ApproverRuleInput{{Type: new("MANAGER_OF")}}, 11)...), "escalationConfig.escalationChain must not have more than 10 elements;", lifecycle.KindLimit},
		"a generic type": {chain(lifecycle.ApproverRuleInput{Type: new("MACHINE_ACCOUNT_OWNER")}),
			"escalationConfig.escalationChain[0].identityType must be IDENTITY, GOVERNANCE_GROUP, MANAGER_OF, MANAGER_OF_REQUESTER or SOURCE_OWNER, which are those that there are for non-employees; not \"MACHINE_ACCOUNT_OWNER\";", lifecycle.KindIllegalValue},
		"no type":           {chain(lifecycle.ApproverRuleInput{}), "escalationConfig.escalationChain[0].identityType is required;", lifecycle.KindRequired},
		"nobody":            {chain(lifecycle.ApproverRuleInput{Type: new("IDENTITY")}), "escalationConfig.escalationChain[0].identityId is required;", lifecycle.KindRequired},
		"no id":             {chain(lifecycle.ApproverRuleInput{Type: new("GOVERNANCE_GROUP"), ID: new("x")}), "escalationConfig.escalationChain[0].identityId must be a UUID;", lifecycle.KindBadRequest},
		"the nil id":        {chain(lifecycle.ApproverRuleInput{Type: new("MANAGER_OF"), ID: new(lifecycle.ID{}.String())}), "escalationConfig.escalationChain[0].identityId names nothing", lifecycle.KindReferenceNotFound},
		"somebody too much": {chain(lifecycle.ApproverRuleInput{Type: new("MANAGER_OF_REQUESTER"), ID: new(somebody.String())}), "escalationConfig.escalationChain[0].identityId must be left out: MANAGER_OF_REQUESTER says who is meant;", lifecycle.KindIllegalValue},
		"a fallback nobody": {func(in *lifecycle.ApprovalPolicyInput) {
			in.Fallback = &lifecycle.ApproverRuleInput{Type: new("IDENTITY")}
		}, "fallbackApprover.identityId is required;", lifecycle.KindRequired},
		"an empty fallback": {func(in *lifecycle.ApprovalPolicyInput) { in.Fallback = &lifecycle.ApproverRuleInput{} }, "fallbackApprover.identityType is required;", lifecycle.KindRequired},
		"nowhere":           {func(in *lifecycle.ApprovalPolicyInput) { in.CronTimezone.Location = new("Local") }, "cronTimezone.location must be an IANA time zone such as Europe/Berlin;", lifecycle.KindIllegalValue},
		"no offset": {func(in *lifecycle.ApprovalPolicyInput) {
			in.CronTimezone = lifecycle.CronTimezoneInput{Offset: new("1")}
		}, "cronTimezone.offset must be +HH:MM or -HH:MM, at most 14:00;", lifecycle.KindIllegalValue},
		"too far": {func(in *lifecycle.ApprovalPolicyInput) {
			in.CronTimezone = lifecycle.CronTimezoneInput{Offset: new("+14:01")}
		}, "cronTimezone.offset must be", lifecycle.KindIllegalValue},
		"two places":         {func(in *lifecycle.ApprovalPolicyInput) { in.CronTimezone.Offset = new("+01:00") }, "cronTimezone.offset must be left out beside a location", lifecycle.KindIllegalValue},
		"no working day":     {func(in *lifecycle.ApprovalPolicyInput) { in.Calendar.Workdays = nil }, "calendar.workdays is required;", lifecycle.KindRequired},
		"no day of the week": {func(in *lifecycle.ApprovalPolicyInput) { in.Calendar.Workdays = []string{"MONDAY", "monday"} }, "calendar.workdays[1] must be a day of the week, MONDAY to SUNDAY;", lifecycle.KindIllegalValue},
		"no such day":        {func(in *lifecycle.ApprovalPolicyInput) { in.Calendar.Holidays = []string{"2027-02-29"} }, "calendar.holidays[0] must be a day, YYYY-MM-DD;", lifecycle.KindIllegalValue},
		"too many holidays": {func(in *lifecycle.ApprovalPolicyInput) {
			for i := range lifecycle.MaxHolidays + 1 {
				in.Calendar.Holidays = append(in.Calendar.Holidays, time.Date(2027, 1, i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
			}
		}, "calendar.holidays must not have more than 500 days", lifecycle.KindLimit},
		"a step that is never reached": {func(in *lifecycle.ApprovalPolicyInput) {
			in.Calendar, in.Escalation.Schedule = nil, new("@every 111h")
		}, "escalationConfig.escalationChain[5] would never be reached: timeoutConfig.daysUntilTimeout is 30;", lifecycle.KindIllegalValue},
		"a step that no working day is left for": {func(in *lifecycle.ApprovalPolicyInput) {
			in.Escalation.Schedule = new("@every 120h")
		}, "escalationConfig.escalationChain[5] would never be reached: timeoutConfig.daysUntilTimeout is 30;", lifecycle.KindIllegalValue},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := goodPolicy()
			c.change(&in)
			_, faults := in.Judge(false)
			require.ErrorContains(t, faults.Err(), c.want)
			require.Equal(t, c.kind, lifecycle.KindOf(faults.Err()))
		})
	}
	_, faults := goodPolicy().Judge(true)
	require.ErrorContains(t, faults.Err(), "timeoutConfig.timeoutResult must be EXPIRED: APPROVED is for the policy of a source")
}

func TestWhatIsFineAtTheEdge(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*lifecycle.ApprovalPolicyInput){
		"a step just before the end": func(in *lifecycle.ApprovalPolicyInput) { in.Calendar, in.Escalation.Schedule = nil, new("@every 110h") },
		"working days take longer":   func(in *lifecycle.ApprovalPolicyInput) { in.Escalation.Schedule = new("@every 2159h") },
		"a fixed offset": func(in *lifecycle.ApprovalPolicyInput) {
			in.CronTimezone = lifecycle.CronTimezoneInput{Offset: new("-14:00")}
		},
		"the same said twice": func(in *lifecycle.ApprovalPolicyInput) {
			in.CronTimezone = lifecycle.CronTimezoneInput{Location: new("Asia/Tokyo"), Offset: new("+09:00")}
		},
		"off, with nothing else": func(in *lifecycle.ApprovalPolicyInput) {
			in.Reminder = lifecycle.ReminderInput{Enabled: new(false), DaysUntilFirst: new(0)}
		},
		"off, with what may come": func(in *lifecycle.ApprovalPolicyInput) {
			in.Escalation.Enabled, in.Escalation.DaysUntilFirst = nil, new(90)
		},
	} {
		in := goodPolicy()
		change(&in)
		policy, faults := in.Judge(false)
		require.NoError(t, faults.Err(), name)
		require.False(t, policy.CronTimezone.Location != "" && policy.CronTimezone.Offset != "", name)
	}
}

func TestTheDefaultPolicyIsOneThatCouldBeSet(t *testing.T) {
	t.Parallel()
	d := lifecycle.DefaultApprovalPolicy()
	judged, faults := lifecycle.ApprovalPolicyInput{
		Reminder: lifecycle.ReminderInput{Enabled: &d.Reminder.Enabled, DaysUntilFirst: &d.Reminder.DaysUntilFirst, Schedule: &d.Reminder.Schedule, Max: &d.Reminder.Max},
		Timeout:  lifecycle.TimeoutInput{Enabled: &d.Timeout.Enabled, Days: &d.Timeout.Days, Result: new(string(d.Timeout.Result))},
	}.Judge(true)
	require.NoError(t, faults.Err())
	require.Equal(t, d, judged)
}

// TestWhateverIsSentIsJudged: of parts put together by chance, what passes keeps
// every bound, survives being stored and can be sent again as it was answered.
func TestWhateverIsSentIsJudged(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // the seed is told, so that a failure can be had again
	number := func() *int {
		return pick(random, nil, new(-1), new(0), new(1), new(2), new(7), new(20), new(21), new(89), new(90), new(91))
	}
	flag := func() *bool { return pick(random, nil, new(true), new(true), new(false)) }
	schedule := func() *string {
		return pick(random, nil, new(""), new("@every 1h"), new("@every 48h"), new("@every 2161h"), new("@daily"), new("0 9 * * mon"), new("0 9 31 2 *"), new("x"))
	}
	rule := func() lifecycle.ApproverRuleInput {
		return lifecycle.ApproverRuleInput{
			Type: pick(random, nil, new("IDENTITY"), new("GOVERNANCE_GROUP"), new("MANAGER_OF"), new("SOURCE_OWNER"), new("ROLE_OWNER")),
			ID:   pick(random, nil, nil, new(somebody.String()), new("x")),
		}
	}
	passed := 0
	for range 20_000 {
		in := lifecycle.ApprovalPolicyInput{
			Reminder:     lifecycle.ReminderInput{Enabled: flag(), DaysUntilFirst: number(), Schedule: schedule(), Max: number()},
			Escalation:   lifecycle.EscalationInput{Enabled: flag(), DaysUntilFirst: number(), Schedule: schedule()},
			Timeout:      lifecycle.TimeoutInput{Enabled: new(true), Days: pick(random, number(), new(30), new(90)), Result: pick(random, nil, new("EXPIRED"), new("APPROVED"))},
			CronTimezone: lifecycle.CronTimezoneInput{Location: pick(random, nil, new("Asia/Tokyo")), Offset: pick(random, nil, new("+09:00"))},
		}
		for range random.IntN(3) {
			in.Escalation.Chain = append(in.Escalation.Chain, rule())
		}
		if random.IntN(3) == 0 {
			in.Calendar = &lifecycle.WorkCalendarInput{Workdays: pick(random, workweek, []string{"SUNDAY"}, nil), Holidays: pick(random, nil, []string{"2027-01-01"})}
		}
		policy, faults := in.Judge(random.IntN(2) == 0)
		if faults.Err() != nil {
			for _, fault := range faults {
				require.True(t, strings.HasPrefix(fault.Message, fault.Field), fault.Message)
			}
			continue
		}
		passed++
		require.True(t, policy.Timeout.Enabled && policy.Timeout.Days >= 1 && policy.Timeout.Days <= lifecycle.MaxTimeoutDays)
		if policy.Reminder.Enabled {
			require.True(t, policy.Reminder.DaysUntilFirst >= 1 && policy.Reminder.DaysUntilFirst < policy.Timeout.Days)
			require.True(t, policy.Reminder.Max >= 1 && policy.Reminder.Max <= lifecycle.MaxReminders)
			_, err := lifecycle.ParsePolicySchedule(policy.Reminder.Schedule)
			require.NoError(t, err)
		}
		if policy.Escalation.Enabled {
			require.True(t, policy.Escalation.DaysUntilFirst >= 1 && policy.Escalation.DaysUntilFirst < policy.Timeout.Days)
			require.NotEmpty(t, policy.Escalation.Chain)
		}
		text, err := json.Marshal(policy)
		require.NoError(t, err)
		var stored lifecycle.ApprovalPolicy
		require.NoError(t, json.Unmarshal(text, &stored))
		require.Equal(t, policy, stored)
	}
	require.Greater(t, passed, 100)
}

func pick[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }
