package document

import (
	"strconv"

	"gatehouse/lifecycle"
)

// Reason is a field of the call that ends a record.
const Reason = "reason"

// LifecyclePolicy reads the fields of a lifecycle policy. As with
// [Document.ApprovalPolicy] a member that nobody knows is a fault.
func (d Document) LifecyclePolicy() lifecycle.LifecyclePolicyInput {
	var in lifecycle.LifecyclePolicyInput
	r := d.reader()
	// What was read can be sent back changed.
	r.only("warnings", "end", "extension", "inherited", "endSince")
	in.Warnings = r.warnings("warnings")
	r.part("end", func(r *reader) {
		in.Action, in.GraceDays = r.text("action"), r.integer("graceDays")
		r.only("action", "graceDays")
	})
	r.part("extension", func(r *reader) {
		in.Approval = r.text("approval")
		r.only("approval")
	})
	in.Faults = r.faults
	return in
}

func (r *reader) warnings(name string) []lifecycle.WarningInput {
	values := list(r, name, "", func(value any) (any, bool) { return value, true })
	if values == nil {
		return nil
	}
	warnings := make([]lifecycle.WarningInput, len(values))
	// What is too long is told by its length.
	for i, value := range values[:min(len(values), lifecycle.MaxWarnings)] {
		r.within(name+"["+strconv.Itoa(i)+"]", value, func(r *reader) {
			warnings[i] = lifecycle.WarningInput{Days: r.integer("days"), To: r.texts("to")}
			r.only("days", "to")
		})
	}
	return warnings
}

// EndReason reads the body of the call that ends a record.
func (d Document) EndReason() (*string, lifecycle.Faults) {
	r := d.reader()
	return r.text(Reason), r.faults
}
