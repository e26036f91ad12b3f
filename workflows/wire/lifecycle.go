package wire

// WorkflowLifecycleSweep takes records on in their life.
const WorkflowLifecycleSweep = "LifecycleSweepWorkflow"

// ActivitySweepLifecycle is its one step.
const ActivitySweepLifecycle = "SweepLifecycle"

// ScheduleLifecycle is the id of the schedule that starts it; LifecycleSweepID is
// the prefix of the ids of the runs it starts.
const (
	ScheduleLifecycle = "gatehouse-lifecycle"
	LifecycleSweepID  = "lifecycle-sweep"
)

// KindLifecycleSweep is its value of AttributeKind.
const KindLifecycleSweep = "lifecycle_sweep"

// LifecycleResult counts the records that one step took on.
type LifecycleResult struct {
	Begun     int `json:"begun"`
	Warned    int `json:"warned"`
	Expired   int `json:"expired"`
	Suspended int `json:"suspended"`
	Removed   int `json:"removed"`
	// More is true where the step ended for its time and not for want of records.
	More bool `json:"more,omitempty"`
}
