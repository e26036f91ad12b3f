package lifecycle

import (
	"fmt"
	"slices"
	"strings"
)

// LifecyclePolicyInput is what a client sent of a lifecycle policy. nil is absent.
type LifecyclePolicyInput struct {
	Warnings  []WarningInput
	Action    *string
	GraceDays *int
	Approval  *string
	// Faults is what was wrong while the input was read, to be told with the rest.
	Faults Faults
}

// WarningInput is what a client sent of a [Warning].
type WarningInput struct {
	Days *int
	To   []string
}

// warnedRoles and the others are the values there are, in the order they are kept.
var (
	warnedRoles        = []WarnedRole{WarnAccountManagers, WarnManager, WarnOwner}
	endActions         = []EndAction{EndNone, EndSuspend, EndRemove}
	extensionApprovals = []ExtensionApproval{ExtensionApprovalRequired, ExtensionApprovalNone}
)

// Judge normalises and judges a policy and returns all the faults there are: those
// found while reading first. The warnings must be there, if only as an empty list;
// what else is left out is as in [DefaultLifecyclePolicy]. They come in any order.
//
// Kinds: KindRequired; KindLimit for more than [MaxWarnings]; KindIllegalValue for
// the rest.
func (in LifecyclePolicyInput) Judge() (LifecyclePolicy, Faults) {
	const warnings, grace = "warnings", "end.graceDays"
	j := newJudge(in.Faults)
	p := LifecyclePolicy{
		Warnings:  []Warning{},
		End:       EndPolicy{Action: oneOf(j, "end.action", in.Action, endActions)},
		Extension: ExtensionPolicy{Approval: oneOf(j, "extension.approval", in.Approval, extensionApprovals)},
	}
	switch {
	case in.Warnings == nil:
		j.missing(warnings)
	case len(in.Warnings) > MaxWarnings:
		j.faults.Add(KindLimit, warnings, fmt.Sprintf("%s must not have more than %d elements", warnings, MaxWarnings))
	default:
		for i, warning := range in.Warnings {
			p.Warnings = append(p.Warnings, j.warning(fmt.Sprintf("%s[%d]", warnings, i), warning, p.Warnings))
		}
	}
	slices.SortFunc(p.Warnings, func(a, b Warning) int { return b.Days - a.Days })
	if in.GraceDays != nil {
		p.End.GraceDays = *in.GraceDays
	}
	least := 0
	if p.End.Action == EndRemove {
		least = 1
	}
	if (p.End.GraceDays < least || p.End.GraceDays > MaxLifecycleDays) && !j.faults.About(grace) {
		j.faults.Add(KindIllegalValue, grace, fmt.Sprintf("%s must be from %d to %d", grace, least, MaxLifecycleDays))
	}
	return p, j.faults
}

// warning judges a rung that stands beside others.
func (j *judge) warning(field string, in WarningInput, others []Warning) Warning {
	days, to := field+".days", field+".to"
	warning := Warning{Days: j.number(days, in.Days, true, MaxLifecycleDays), To: []WarnedRole{}}
	if warning.Days > 0 && slices.ContainsFunc(others, func(other Warning) bool { return other.Days == warning.Days }) {
		j.faults.Add(KindIllegalValue, days, fmt.Sprintf("%s is %d, as that of another warning", days, warning.Days))
	}
	if len(in.To) == 0 {
		j.missing(to)
	}
	for _, role := range warnedRoles {
		if slices.Contains(in.To, string(role)) {
			warning.To = append(warning.To, role)
		}
	}
	for i, role := range in.To {
		if !slices.Contains(warnedRoles, WarnedRole(role)) {
			j.faults.Add(KindIllegalValue, to, fmt.Sprintf("%s[%d] must be %s; not %s", to, i, listed(warnedRoles), shown(role)))
			break
		}
	}
	return warning
}

// oneOf reads one of the values; the first stands for one that is left out.
func oneOf[T ~string](j *judge, field string, given *string, values []T) T {
	text := j.text(field, given, textRule{max: MaxTextLength, optional: true})
	if text != "" && !slices.Contains(values, T(text)) {
		j.faults.Add(KindIllegalValue, field, field+" must be "+listed(values)+"; not "+shown(text))
	}
	if text == "" {
		return values[0]
	}
	return T(text)
}

// listed is "A, B or C".
func listed[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = string(value)
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " or " + texts[last]
}

// JudgeEndReason returns why a record is ended, normalised. Errors are those of
// [JudgeComment] that is required.
func JudgeEndReason(reason *string) (string, error) { return judgeFreeText("reason", reason, true) }

// DetailLifecycle is the level of detail at which records are answered with where
// they stand.
const DetailLifecycle = "LIFECYCLE"

// ParseRecordDetail reports whether level, nil where none was given, asks for where
// records stand; KindBadRequest for a level that there is not.
func ParseRecordDetail(level *string) (bool, error) {
	if level == nil {
		return false, nil
	}
	if *level != DetailLifecycle {
		return false, FieldError(KindBadRequest, "detail-level", "detail-level must be "+DetailLifecycle+", or be left out.")
	}
	return true, nil
}
