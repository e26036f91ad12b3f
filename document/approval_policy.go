package document

import (
	"maps"
	"slices"
	"strconv"

	"gatehouse/lifecycle"
)

// answered are the members of the answer that say what is known of an approval
// policy: what was read can be sent back changed.
var answered = []string{"version", "inherited", "created"}

// generic are the members of SailPoint's generic approval configuration that mean
// nothing for non-employees.
var generic = []string{
	"autoApprove", "circumventApprovalProcess", "machineIdentityManagerAssignment", "requiresComment", "serialChain",
}

// ApprovalPolicy reads the fields of an approval policy. Unlike elsewhere a member
// that nobody knows is a fault: who sets a policy must not take for set what was
// ignored.
func (d Document) ApprovalPolicy() lifecycle.ApprovalPolicyInput {
	var in lifecycle.ApprovalPolicyInput
	r := d.reader()
	in.SelfApproval = r.boolean("selfApproval")
	for _, name := range generic {
		if r.object[name] != nil {
			r.fault(name, name+" isn't supported for non-employees")
		}
	}
	r.only(slices.Concat(answered, generic, []string{
		"reminderConfig", "escalationConfig", "timeoutConfig", "cronTimezone", "fallbackApprover", "selfApproval", "calendar",
	})...)
	r.part("reminderConfig", func(r *reader) {
		in.Reminder = lifecycle.ReminderInput{
			Enabled: r.boolean("enabled"), DaysUntilFirst: r.integer("daysUntilFirstReminder"),
			Schedule: r.text("reminderCronSchedule"), Max: r.integer("maxReminders"),
		}
		r.only("enabled", "daysUntilFirstReminder", "reminderCronSchedule", "maxReminders")
	})
	r.part("escalationConfig", func(r *reader) {
		in.Escalation = lifecycle.EscalationInput{
			Enabled: r.boolean("enabled"), DaysUntilFirst: r.integer("daysUntilFirstEscalation"),
			Schedule: r.text("escalationCronSchedule"), Chain: r.chain("escalationChain"),
		}
		r.only("enabled", "daysUntilFirstEscalation", "escalationCronSchedule", "escalationChain")
	})
	r.part("timeoutConfig", func(r *reader) {
		in.Timeout = lifecycle.TimeoutInput{
			Enabled: r.boolean("enabled"), Days: r.integer("daysUntilTimeout"), Result: r.text("timeoutResult"),
		}
		r.only("enabled", "daysUntilTimeout", "timeoutResult")
	})
	r.part("cronTimezone", func(r *reader) {
		in.CronTimezone = lifecycle.CronTimezoneInput{Location: r.text("location"), Offset: r.text("offset")}
		r.only("location", "offset")
	})
	r.part("fallbackApprover", func(r *reader) {
		// The generic configuration spells these two otherwise here than in its chain.
		r.alias("identityType", "type")
		r.alias("identityId", "identityID")
		rule := r.approverRule()
		in.Fallback = &rule
	})
	r.part("calendar", func(r *reader) {
		in.Calendar = &lifecycle.WorkCalendarInput{
			Workdays: r.texts("workdays"), Holidays: r.texts("holidays"), ICalendar: r.text("iCalendar"),
		}
		r.only("workdays", "holidays", "iCalendar")
	})
	in.Faults = r.faults
	return in
}

// part reads a member that is an object, unless it is absent.
func (r *reader) part(name string, read func(*reader)) {
	if r.object[name] == nil {
		return
	}
	r.within(name, r.object[name], read)
}

// within reads value, which stands under name, as an object.
func (r *reader) within(name string, value any, read func(*reader)) {
	object, ok := value.(map[string]any)
	if !ok {
		r.fault(name, name+" must be an object")
		return
	}
	inner := &reader{object: object, path: r.path + name + "."}
	read(inner)
	r.faults = append(r.faults, inner.faults...)
}

// only notes the members that have none of these names.
func (r *reader) only(names ...string) {
	unknown := slices.DeleteFunc(slices.Sorted(maps.Keys(r.object)), func(name string) bool { return slices.Contains(names, name) })
	for _, name := range unknown[:min(len(unknown), maxFaults)] {
		r.faults.Add(lifecycle.KindIllegalValue, r.path+name, Quote(r.path+name)+" is unknown")
	}
}

// alias has the member be found under name that came as other. The object stays as
// it is.
func (r *reader) alias(name, other string) {
	value, has := r.object[other]
	if !has {
		return
	}
	if r.object[name] != nil {
		r.fault(other, other+" says the same as "+name+"; one of them must be left out")
	}
	r.object = maps.Clone(r.object)
	delete(r.object, other)
	r.object[name] = value
}

// chain reads a list of approver rules.
func (r *reader) chain(name string) []lifecycle.ApproverRuleInput {
	var rules []lifecycle.ApproverRuleInput
	for i, value := range list(r, name, "", func(value any) (any, bool) { return value, true }) {
		rules = append(rules, lifecycle.ApproverRuleInput{})
		// What is too long is told by its length.
		if i < lifecycle.MaxEscalations {
			r.within(name+"["+strconv.Itoa(i)+"]", value, func(r *reader) { rules[i] = r.approverRule() })
		}
	}
	return rules
}

func (r *reader) approverRule() lifecycle.ApproverRuleInput {
	rule := lifecycle.ApproverRuleInput{Type: r.text("identityType"), ID: r.text("identityId")}
	r.only("identityType", "identityId")
	return rule
}
