package document

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func policyOf(t *testing.T, text string) lifecycle.ApprovalPolicyInput {
	t.Helper()
	doc, err := Parse([]byte(text))
	require.NoError(t, err)
	return doc.ApprovalPolicy()
}

func TestAnApprovalPolicyIsReadWhole(t *testing.T) {
	t.Parallel()
	in := policyOf(t, `{
		"reminderConfig": {"enabled": true, "daysUntilFirstReminder": 2, "reminderCronSchedule": "@every 24h", "maxReminders": 5},
		"escalationConfig": {"enabled": true, "daysUntilFirstEscalation": 3, "escalationCronSchedule": "@daily",
			"escalationChain": [{"identityType": "IDENTITY", "identityId": "a"}, {"identityType": "SOURCE_OWNER", "identityId": null}]},
		"timeoutConfig": {"enabled": false, "daysUntilTimeout": 30, "timeoutResult": "EXPIRED"},
		"cronTimezone": {"location": "Europe/Berlin", "offset": ""},
		"fallbackApprover": {"type": "GOVERNANCE_GROUP", "identityID": "b"},
		"selfApproval": true,
		"calendar": {"workdays": ["MONDAY"], "holidays": ["2027-01-01"], "iCalendar": "c"},
		"version": 3, "inherited": false, "created": "2027-01-01T00:00:00.000Z"
	}`)
	require.Equal(t, lifecycle.ApprovalPolicyInput{
		Reminder: lifecycle.ReminderInput{Enabled: new(true), DaysUntilFirst: new(2), Schedule: new("@every 24h"), Max: new(5)},
		Escalation: lifecycle.EscalationInput{
			Enabled: new(true), DaysUntilFirst: new(3), Schedule: new("@daily"),
			Chain: []lifecycle.ApproverRuleInput{{Type: new("IDENTITY"), ID: new("a")}, {Type: new("SOURCE_OWNER")}},
		},
		Timeout:      lifecycle.TimeoutInput{Enabled: new(false), Days: new(30), Result: new("EXPIRED")},
		CronTimezone: lifecycle.CronTimezoneInput{Location: new("Europe/Berlin"), Offset: new("")},
		Fallback:     &lifecycle.ApproverRuleInput{Type: new("GOVERNANCE_GROUP"), ID: new("b")},
		SelfApproval: new(true),
		Calendar:     &lifecycle.WorkCalendarInput{Workdays: []string{"MONDAY"}, Holidays: []string{"2027-01-01"}, ICalendar: new("c")},
	}, in)
	require.Equal(t, &lifecycle.ApproverRuleInput{Type: new("IDENTITY"), ID: new("d")},
		policyOf(t, `{"fallbackApprover": {"identityType": "IDENTITY", "identityId": "d"}}`).Fallback)
	require.Equal(t, lifecycle.ApprovalPolicyInput{}, policyOf(t, `{"calendar": null, "fallbackApprover": null, "serialChain": null}`))
}

func TestWhatIsWrongWithAnApprovalPolicyIsToldByItsPath(t *testing.T) {
	t.Parallel()
	in := policyOf(t, `{
		"zone": 1, "autoApprove": "OFF", "serialChain": [], "circumventApprovalProcess": true,
		"reminderConfig": {"enabled": "yes", "daysUntilFirstReminder": 1.5, "every": 3},
		"escalationConfig": {"escalationChain": [{"identityType": 5, "identityID": "x"}, "y"]},
		"timeoutConfig": [],
		"fallbackApprover": {"type": "IDENTITY", "identityType": "IDENTITY", "name": "z"},
		"calendar": {"workdays": "MONDAY", "holidays": [1], "days": []}
	}`)
	require.EqualError(t, in.Faults.Err(), "illegal_value: "+
		"autoApprove isn't supported for non-employees; circumventApprovalProcess isn't supported for non-employees; "+
		"serialChain isn't supported for non-employees; "+`"zone" is unknown; `+
		"reminderConfig.enabled must be true or false; reminderConfig.daysUntilFirstReminder must be a whole number; "+
		`"reminderConfig.every" is unknown; `+
		`escalationConfig.escalationChain[0].identityType must be a string; "escalationConfig.escalationChain[0].identityID" is unknown; `+
		"escalationConfig.escalationChain[1] must be an object; "+
		"timeoutConfig must be an object; "+
		"fallbackApprover.type says the same as identityType; one of them must be left out; "+`"fallbackApprover.name" is unknown; `+
		`calendar.workdays must be a list; calendar.holidays[0] must be a string; "calendar.days" is unknown;`)
	for _, fault := range in.Faults {
		require.Contains(t, fault.Message, fault.Field)
	}
	require.ErrorContains(t, policyOf(t, `[]`).Faults.Err(), "must be a JSON object")
}
