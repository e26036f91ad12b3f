package lifecycle

import "time"

// ApprovalPolicy says what happens to a request while nobody decides. Its JSON is
// what is stored and, with the names of SailPoint's generic approval
// configuration, what the API takes and answers.
type ApprovalPolicy struct {
	Reminder     ReminderConfig   `json:"reminderConfig"`
	Escalation   EscalationConfig `json:"escalationConfig"`
	Timeout      TimeoutConfig    `json:"timeoutConfig"`
	CronTimezone CronTimezone     `json:"cronTimezone"`
	// Fallback gets an item that nobody is left to decide; nil for none.
	Fallback *ApproverRule `json:"fallbackApprover,omitempty"`
	// SelfApproval lets who made a request decide it.
	SelfApproval bool `json:"selfApproval"`
	// Calendar says which days count; nil where all do.
	Calendar *WorkCalendar `json:"calendar,omitempty"`
}

// ReminderConfig says when the approver of a pending item is reminded.
type ReminderConfig struct {
	Enabled bool `json:"enabled"`
	// DaysUntilFirst counts from when the approver got the item.
	DaysUntilFirst int `json:"daysUntilFirstReminder"`
	// Schedule gives the reminders after the first: "@every 24h" or a cron.
	Schedule string `json:"reminderCronSchedule"`
	// Max is the most reminders one approver gets about an item; 1 to MaxReminders.
	Max int `json:"maxReminders"`
}

// MaxReminders bounds ReminderConfig.Max.
const MaxReminders = 20

// EscalationConfig says to whom a pending item moves, and when.
type EscalationConfig struct {
	Enabled bool `json:"enabled"`
	// DaysUntilFirst counts from when the item became PENDING.
	DaysUntilFirst int `json:"daysUntilFirstEscalation"`
	// Schedule gives the escalations after the first: "@every 72h" or a cron.
	Schedule string `json:"escalationCronSchedule"`
	// Chain is gone through once, from its first to its last.
	Chain []ApproverRule `json:"escalationChain"`
}

// MaxEscalations bounds the length of EscalationConfig.Chain.
const MaxEscalations = 10

// TimeoutConfig says what becomes of an item that nobody decides at all.
type TimeoutConfig struct {
	Enabled bool `json:"enabled"`
	// Days counts from when the item became PENDING; 1 to MaxTimeoutDays.
	Days   int           `json:"daysUntilTimeout"`
	Result TimeoutResult `json:"timeoutResult"`
}

// MaxTimeoutDays bounds TimeoutConfig.Days.
const MaxTimeoutDays = 90

// TimeoutResult is what a time-out does.
type TimeoutResult string

// The results of a time-out.
const (
	// TimeoutExpired cancels the request, for ReasonTimedOut.
	TimeoutExpired TimeoutResult = "EXPIRED"
	// TimeoutApproved approves the item.
	TimeoutApproved TimeoutResult = "APPROVED"
)

// Reasons of cancelled requests beside ReasonApproverGone. The values stand in
// histories and never change.
const (
	// ReasonTimedOut: nobody decided in time.
	ReasonTimedOut = "timed_out"
	// ReasonOnlyRequester: nobody but the requester is left who could decide.
	ReasonOnlyRequester = "only_requester"
)

// CronTimezone is where the days of a policy begin.
type CronTimezone struct {
	// Location is the name of an IANA time zone; empty where Offset says it, or for UTC.
	Location string `json:"location"`
	// Offset is +HH:MM or -HH:MM; empty where Location says it.
	Offset string `json:"offset"`
}

// ApproverType says whom an ApproverRule means.
type ApproverType string

// The approver types.
const (
	ApproverIdentity           ApproverType = "IDENTITY"
	ApproverGovernanceGroup    ApproverType = "GOVERNANCE_GROUP"
	ApproverManagerOf          ApproverType = "MANAGER_OF"
	ApproverManagerOfRequester ApproverType = "MANAGER_OF_REQUESTER"
	ApproverSourceOwner        ApproverType = "SOURCE_OWNER"
)

// ApproverRule names an approver, by id or by what they are to the request.
type ApproverRule struct {
	Type ApproverType `json:"identityType"`
	// ID is an identity's for IDENTITY and MANAGER_OF (whose manager is meant), a
	// workgroup's for GOVERNANCE_GROUP, and zero for the others. For MANAGER_OF it
	// may be zero: then the manager of whoever has the item is meant.
	ID ID `json:"identityId,omitzero"`
}

// WorkCalendar says which days count where a policy counts days.
type WorkCalendar struct {
	// Workdays are days of the week, "MONDAY" to "SUNDAY"; not empty.
	Workdays []string `json:"workdays"`
	// Holidays are days that don't count, YYYY-MM-DD, sorted; at most MaxHolidays.
	Holidays []string `json:"holidays"`
}

// MaxHolidays bounds WorkCalendar.Holidays: some twenty years of them.
const MaxHolidays = 500

// DefaultApprovalPolicy is the organisation's until it sets one: reminders every
// third day, and the end after MaxTimeoutDays.
func DefaultApprovalPolicy() ApprovalPolicy {
	return ApprovalPolicy{
		Reminder:   ReminderConfig{Enabled: true, DaysUntilFirst: 3, Schedule: "@every 72h", Max: MaxReminders},
		Escalation: EscalationConfig{Chain: []ApproverRule{}},
		Timeout:    TimeoutConfig{Enabled: true, Days: MaxTimeoutDays, Result: TimeoutExpired},
	}
}

// ApprovalPolicyVersion is a stored policy. It never changes: what changes a policy
// makes another version, and a request keeps that which it was made under.
type ApprovalPolicyVersion struct {
	ID ID
	// Source is zero for the organisation's policy.
	Source ID
	// Version counts those of the source, or of the organisation, from 1.
	Version int
	Policy  ApprovalPolicy
	Created time.Time
}
