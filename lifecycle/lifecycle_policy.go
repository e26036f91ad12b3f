package lifecycle

// LifecyclePolicy says what happens about the dates of the records of a source.
// Its JSON is what is stored and what the API takes and answers. A change holds at
// once for every record.
type LifecyclePolicy struct {
	// Warnings are the rungs of the ladder, the farthest from the end first; at most
	// MaxWarnings, and none for no warnings.
	Warnings  []Warning       `json:"warnings"`
	End       EndPolicy       `json:"end"`
	Extension ExtensionPolicy `json:"extension"`
}

// MaxWarnings bounds LifecyclePolicy.Warnings.
const MaxWarnings = 10

// MaxLifecycleDays bounds Warning.Days and EndPolicy.GraceDays.
const MaxLifecycleDays = 365

// Warning is a rung of the ladder: so many days before the end of a record, these
// are told.
type Warning struct {
	// Days are 1 to MaxLifecycleDays, and no two rungs have the same.
	Days int `json:"days"`
	// To is not empty and names nobody twice.
	To []WarnedRole `json:"to"`
}

// WarnedRole says who is told, by what they are to the record.
type WarnedRole string

// The roles. The owner of a source counts as an account manager of it.
const (
	WarnAccountManagers WarnedRole = "ACCOUNT_MANAGERS"
	// WarnManager is the manager of the record.
	WarnManager WarnedRole = "MANAGER"
	WarnOwner   WarnedRole = "OWNER"
	// ToldRequester is who asked for an extension; no policy names them.
	ToldRequester WarnedRole = "REQUESTER"
)

// EndPolicy says what is done to a record that has ended.
type EndPolicy struct {
	Action EndAction `json:"action"`
	// GraceDays is how long after its end that is done, and at the earliest so long
	// after the policy began to say so; 0 to MaxLifecycleDays, and at least 1 for
	// REMOVE, so that people are told while the record can still be named.
	GraceDays int `json:"graceDays"`
}

// EndAction is what is done to a record that has ended.
type EndAction string

// The end actions.
const (
	// EndNone leaves the record EXPIRED.
	EndNone EndAction = "NONE"
	// EndSuspend makes it SUSPENDED, EndRemove deletes it.
	EndSuspend EndAction = "SUSPEND"
	EndRemove  EndAction = "REMOVE"
)

// ExtensionPolicy says how the end of a record may be moved by who manages it.
type ExtensionPolicy struct {
	Approval ExtensionApproval `json:"approval"`
}

// ExtensionApproval says whether the approvers of the source decide on an
// extension.
type ExtensionApproval string

// The extension approvals.
const (
	ExtensionApprovalRequired ExtensionApproval = "REQUIRED"
	ExtensionApprovalNone     ExtensionApproval = "NONE"
)

// DefaultLifecyclePolicy is the organisation's until it sets one: warnings 30, 14,
// 7 and 1 days before the end, nothing done at it, and extensions that are decided.
func DefaultLifecyclePolicy() LifecyclePolicy {
	to := []WarnedRole{WarnAccountManagers, WarnManager}
	return LifecyclePolicy{
		Warnings:  []Warning{{Days: 30, To: to}, {Days: 14, To: to}, {Days: 7, To: to}, {Days: 1, To: to}},
		End:       EndPolicy{Action: EndNone},
		Extension: ExtensionPolicy{Approval: ExtensionApprovalRequired},
	}
}

// LifecycleState is where a record stands between its dates.
type LifecycleState string

// The lifecycle states.
const (
	// StatePlanned: its start lies in the future.
	StatePlanned LifecycleState = "PLANNED"
	StateActive  LifecycleState = "ACTIVE"
	// StateExpiring: its end is near, and people were warned of it.
	StateExpiring LifecycleState = "EXPIRING"
	// StateExpired: its end has come.
	StateExpired LifecycleState = "EXPIRED"
	// StateSuspended: the policy suspended it after its end, or somebody ended it.
	StateSuspended LifecycleState = "SUSPENDED"
	// StateRemoved is told of records that are gone; none has it.
	StateRemoved LifecycleState = "REMOVED"
)

// LifecycleStates are those that a record may have, in the order a record goes through them.
func LifecycleStates() []LifecycleState {
	return []LifecycleState{StatePlanned, StateActive, StateExpiring, StateExpired, StateSuspended}
}
