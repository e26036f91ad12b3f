package lifecycle

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ApprovalPolicyInput is what a client sent of an approval policy. nil is absent,
// of a part as of the whole.
type ApprovalPolicyInput struct {
	Reminder     ReminderInput
	Escalation   EscalationInput
	Timeout      TimeoutInput
	CronTimezone CronTimezoneInput
	Fallback     *ApproverRuleInput
	SelfApproval *bool
	Calendar     *WorkCalendarInput
	// Faults is what was wrong while the input was read, to be told with the
	// rest.
	Faults Faults
}

// ReminderInput is what a client sent of a [ReminderConfig].
type ReminderInput struct {
	Enabled             *bool
	DaysUntilFirst, Max *int
	Schedule            *string
}

// EscalationInput is what a client sent of an [EscalationConfig].
type EscalationInput struct {
	Enabled        *bool
	DaysUntilFirst *int
	Schedule       *string
	Chain          []ApproverRuleInput
}

// TimeoutInput is what a client sent of a [TimeoutConfig].
type TimeoutInput struct {
	Enabled *bool
	Days    *int
	Result  *string
}

// CronTimezoneInput is what a client sent of a [CronTimezone].
type CronTimezoneInput struct{ Location, Offset *string }

// ApproverRuleInput is what a client sent of an [ApproverRule].
type ApproverRuleInput struct{ Type, ID *string }

// WorkCalendarInput is what a client sent of a [WorkCalendar].
type WorkCalendarInput struct {
	Workdays, Holidays []string
	// ICalendar is a file of holidays as text; whoever reads it adds its days to
	// Holidays.
	ICalendar *string
}

// Judge normalises and judges a policy, the organisation's or a source's, and
// returns all the faults there are: those found while reading first. A policy must
// lead every request to its end, and what is enabled in it must be able to happen:
//
//   - the time-out is enabled, after 1 to [MaxTimeoutDays] days;
//   - reminders and escalation begin before it, and so does every step of the chain
//     whose time is certain, since "@every" counts as the time-out does;
//   - a chain that is enabled is not empty;
//   - every schedule comes on some day, and there is a day that counts;
//   - a rule names somebody, or is of a type that does.
//
// What is not enabled is kept where it can be read. Whether ids name anything, and
// whether a source that approves by time-out has an owner, is for the caller to
// look up.
//
// Kinds: KindRequired; KindBadRequest for an id that is no UUID;
// KindReferenceNotFound for the nil UUID; KindLimit for a chain or holidays beyond
// their bounds; KindIllegalValue for the rest.
func (in ApprovalPolicyInput) Judge(organisation bool) (ApprovalPolicy, Faults) {
	j := newJudge(in.Faults)
	p := ApprovalPolicy{
		Reminder:     j.reminder(in.Reminder),
		Escalation:   j.escalation(in.Escalation),
		Timeout:      j.timeout(in.Timeout, organisation),
		CronTimezone: j.cronTimezone(in.CronTimezone),
		SelfApproval: in.SelfApproval != nil && *in.SelfApproval,
	}
	if in.Fallback != nil {
		fallback := j.approverRule("fallbackApprover", *in.Fallback)
		p.Fallback = &fallback
	}
	if in.Calendar != nil {
		calendar := j.workCalendar(*in.Calendar)
		p.Calendar = &calendar
	}
	if p.Timeout.Days > 0 {
		j.beforeTimeout(p)
	}
	return p, j.faults
}

// switchable says whether a part of a policy is enabled; it is not unless the
// client says so.
func switchable(enabled *bool) bool { return enabled != nil && *enabled }

func (j *judge) reminder(in ReminderInput) ReminderConfig {
	enabled := switchable(in.Enabled)
	return ReminderConfig{
		Enabled:        enabled,
		DaysUntilFirst: j.number("reminderConfig.daysUntilFirstReminder", in.DaysUntilFirst, enabled, MaxTimeoutDays),
		Schedule:       j.schedule("reminderConfig.reminderCronSchedule", in.Schedule, enabled),
		Max:            j.number("reminderConfig.maxReminders", in.Max, enabled, MaxReminders),
	}
}

func (j *judge) escalation(in EscalationInput) EscalationConfig {
	const chain = "escalationConfig.escalationChain"
	enabled := switchable(in.Enabled)
	config := EscalationConfig{
		Enabled:        enabled,
		DaysUntilFirst: j.number("escalationConfig.daysUntilFirstEscalation", in.DaysUntilFirst, enabled, MaxTimeoutDays),
		Schedule:       j.schedule("escalationConfig.escalationCronSchedule", in.Schedule, enabled),
		Chain:          []ApproverRule{},
	}
	switch {
	case len(in.Chain) > MaxEscalations:
		j.faults.Add(KindLimit, chain, fmt.Sprintf("%s must not have more than %d elements", chain, MaxEscalations))
		return config
	case enabled && len(in.Chain) == 0:
		j.missing(chain)
	}
	for i, rule := range in.Chain {
		config.Chain = append(config.Chain, j.approverRule(fmt.Sprintf("%s[%d]", chain, i), rule))
	}
	return config
}

func (j *judge) timeout(in TimeoutInput, organisation bool) TimeoutConfig {
	const enabled, result = "timeoutConfig.enabled", "timeoutConfig.timeoutResult"
	config := TimeoutConfig{
		Enabled: switchable(in.Enabled),
		Days:    j.number("timeoutConfig.daysUntilTimeout", in.Days, true, MaxTimeoutDays),
		Result:  TimeoutResult(j.text(result, in.Result, textRule{max: MaxTextLength, optional: true})),
	}
	if !config.Enabled && !j.faults.About(enabled) {
		j.faults.Add(KindIllegalValue, enabled, enabled+" must be true: a request that nobody decides must come to an end")
	}
	switch config.Result {
	case "":
		config.Result = TimeoutExpired
	case TimeoutExpired:
	case TimeoutApproved:
		if organisation {
			j.faults.Add(KindIllegalValue, result, result+" must be EXPIRED: APPROVED is for the policy of a source, whose owner answers for it")
		}
	default:
		j.faults.Add(KindIllegalValue, result, result+" must be EXPIRED or APPROVED")
	}
	return config
}

// number reads a whole number from 1 to most. Where it is not required, it may be
// absent or zero.
func (j *judge) number(field string, given *int, required bool, most int) int {
	switch {
	case given == nil && required:
		j.missing(field)
	case given == nil:
	case *given >= 1 && *given <= most, *given == 0 && !required:
		return *given
	default:
		j.faults.Add(KindIllegalValue, field, fmt.Sprintf("%s must be from 1 to %d", field, most))
	}
	return 0
}

// renamed is a fault about what is called name, as one about field.
func renamed(err error, name, field string) error {
	fault, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	return FieldError(fault.Kind, field, field+strings.TrimPrefix(fault.Message, name))
}

// schedule reads a schedule, as it was spelled.
func (j *judge) schedule(field string, given *string, required bool) string {
	text := j.text(field, given, textRule{max: MaxTextLength, optional: !required})
	if text == "" {
		return ""
	}
	if _, err := ParsePolicySchedule(text); err != nil {
		j.note(renamed(err, "cron", field))
		return ""
	}
	return strings.Join(strings.Fields(text), " ")
}

func (j *judge) cronTimezone(in CronTimezoneInput) CronTimezone {
	const location, offset = "cronTimezone.location", "cronTimezone.offset"
	optional := textRule{max: MaxTextLength, optional: true}
	zone := CronTimezone{Location: j.text(location, in.Location, optional), Offset: j.text(offset, in.Offset, optional)}
	if zone.Location != "" && zone.Offset != "" {
		if !alwaysAt(zone.Location, zone.Offset) {
			j.faults.Add(KindIllegalValue, offset, offset+" must be left out beside a location, which has another one or changes it")
		}
		zone.Offset = ""
	}
	_, err := zone.Zone()
	j.note(err)
	return zone
}

// alwaysAt reports whether the place is at that offset the whole year round.
func alwaysAt(location, offset string) bool {
	zone, err := time.LoadLocation(location)
	for month := time.January; month <= time.December; month++ {
		if err != nil || time.Date(2027, month, 1, 0, 0, 0, 0, zone).Format("-07:00") != offset {
			return false
		}
	}
	return true
}

// approverTypes are all of them, for errors.
const approverTypes = "IDENTITY, GOVERNANCE_GROUP, MANAGER_OF, MANAGER_OF_REQUESTER or SOURCE_OWNER"

func (j *judge) approverRule(field string, in ApproverRuleInput) ApproverRule {
	kind, id := field+".identityType", field+".identityId"
	rule := ApproverRule{Type: ApproverType(j.text(kind, in.Type, nameRule))}
	switch rule.Type {
	case "":
	case ApproverIdentity, ApproverGovernanceGroup:
		rule.ID = j.id(id, in.ID, false)
	case ApproverManagerOf:
		rule.ID = j.id(id, in.ID, true)
	case ApproverManagerOfRequester, ApproverSourceOwner:
		if in.ID != nil && Normalize(*in.ID) != "" {
			j.faults.Add(KindIllegalValue, id, id+" must be left out: "+string(rule.Type)+" says who is meant")
		}
	default:
		j.faults.Add(KindIllegalValue, kind, kind+" must be "+approverTypes+", which are those that there are for non-employees; not "+shown(string(rule.Type)))
	}
	return rule
}

func (j *judge) workCalendar(in WorkCalendarInput) WorkCalendar {
	const workdays, holidays = "calendar.workdays", "calendar.holidays"
	calendar := WorkCalendar{Workdays: []string{}, Holidays: []string{}}
	// From Monday on.
	for i := range weekdayNames {
		if name := weekdayNames[(i+1)%len(weekdayNames)]; slices.Contains(in.Workdays, name) {
			calendar.Workdays = append(calendar.Workdays, name)
		}
	}
	for i, name := range in.Workdays {
		if !IsWeekday(name) {
			j.faults.Add(KindIllegalValue, workdays, fmt.Sprintf("%s[%d] must be a day of the week, MONDAY to SUNDAY", workdays, i))
			break
		}
	}
	if len(in.Workdays) == 0 {
		j.missing(workdays)
	}
	for i, day := range in.Holidays {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			j.faults.Add(KindIllegalValue, holidays, fmt.Sprintf("%s[%d] must be a day, YYYY-MM-DD", holidays, i))
			return calendar
		}
	}
	calendar.Holidays = append(calendar.Holidays, in.Holidays...)
	slices.Sort(calendar.Holidays)
	calendar.Holidays = slices.Compact(calendar.Holidays)
	if len(calendar.Holidays) > MaxHolidays {
		j.faults.Add(KindLimit, holidays, fmt.Sprintf("%s must not have more than %d days, those of iCalendar among them", holidays, MaxHolidays))
	}
	return calendar
}

// beforeTimeout holds that nothing that is enabled waits for the time-out, after
// which nothing happens any more. Both count the same days. Where the time of a step
// hangs on when the item came, by a cron or by hours among working days, it is not
// judged.
func (j *judge) beforeTimeout(p ApprovalPolicy) {
	before := func(field string, days int) bool {
		late := days >= p.Timeout.Days
		if late {
			j.faults.Add(KindIllegalValue, field, fmt.Sprintf("%s must be less than timeoutConfig.daysUntilTimeout, %d", field, p.Timeout.Days))
		}
		return !late
	}
	if p.Reminder.Enabled {
		before("reminderConfig.daysUntilFirstReminder", p.Reminder.DaysUntilFirst)
	}
	if !p.Escalation.Enabled || !before("escalationConfig.daysUntilFirstEscalation", p.Escalation.DaysUntilFirst) {
		return
	}
	schedule, err := ParsePolicySchedule(p.Escalation.Schedule)
	if err != nil || schedule.Every == 0 || p.Calendar != nil && schedule.Every%fullDay != 0 {
		return
	}
	left := time.Duration(p.Timeout.Days-p.Escalation.DaysUntilFirst) * fullDay
	for i := range p.Escalation.Chain {
		if time.Duration(i)*schedule.Every >= left {
			field := fmt.Sprintf("escalationConfig.escalationChain[%d]", i)
			j.faults.Add(KindIllegalValue, field, fmt.Sprintf("%s would never be reached: timeoutConfig.daysUntilTimeout is %d", field, p.Timeout.Days))
			return
		}
	}
}

// PolicyReference is somebody whom a policy names.
type PolicyReference struct {
	// Field is where it does.
	Field string
	Reference
}

// References are all whom the policy names by id.
func (p ApprovalPolicy) References() []PolicyReference {
	var references []PolicyReference
	add := func(field string, rule ApproverRule) {
		if rule.ID.IsZero() {
			return
		}
		reference := IdentityReference(rule.ID)
		if rule.Type == ApproverGovernanceGroup {
			reference.Type = ReferenceGovernanceGroup
		}
		references = append(references, PolicyReference{Field: field + ".identityId", Reference: reference})
	}
	for i, rule := range p.Escalation.Chain {
		add(fmt.Sprintf("escalationConfig.escalationChain[%d]", i), rule)
	}
	if p.Fallback != nil {
		add("fallbackApprover", *p.Fallback)
	}
	return references
}
