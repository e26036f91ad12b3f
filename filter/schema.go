package filter

import "slices"

// Type says how the values of a field are read and compared.
type Type uint8

// The types.
const (
	// TypeText compares without regard to case.
	TypeText Type = iota
	// TypeID is a UUID in either form of contract §1.
	TypeID
	// TypeTime compares by instant. A value is RFC 3339, or YYYY-MM-DD for the
	// start of that day in UTC.
	TypeTime
	// TypeStatus is an approval status.
	TypeStatus
	// TypeState is a lifecycle state of a record.
	TypeState
	// TypeManager is an identity, named by its alias or its id.
	TypeManager
	// TypeExact compares to the byte.
	TypeExact
	// TypeBool is true or false.
	TypeBool
	// TypeElement is an id among several: equal is to be one of them.
	TypeElement
	// TypeLevel is a user level among several, as with TypeElement.
	TypeLevel
	// TypeClient is a client, named by its id to the byte.
	TypeClient
)

// Op is an operator of a filter expression.
type Op string

// The operators of contract §2.
const (
	Equal        Op = "eq"
	NotEqual     Op = "ne"
	Greater      Op = "gt"
	GreaterEqual Op = "ge"
	Less         Op = "lt"
	LessEqual    Op = "le"
	Contains     Op = "co"
	StartsWith   Op = "sw"
	In           Op = "in"
	// EndsWith is SCIM's; contract §2 does not have it.
	EndsWith Op = "ew"
	// Presence stands before its field and makes a [Present], not a
	// [Comparison].
	Presence Op = "pr"
)

// Field is one field of a list.
type Field struct {
	Name string
	Type Type
	// Ops are the operators the field may be filtered with; none if it can't be.
	Ops []Op
	// Sortable fields may stand in sorters.
	Sortable bool
}

// Schema is what one list may be filtered and sorted by. Field names are
// compared exactly.
type Schema []Field

// MayBeAbsent reports whether objects need not have the field.
func (f Field) MayBeAbsent() bool { return slices.Contains(f.Ops, Presence) }

func (s Schema) find(name string) (Field, bool) {
	i := slices.IndexFunc(s, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return s[i], true
}

func (s Schema) filterable() []string {
	var names []string
	for _, f := range s {
		if len(f.Ops) > 0 {
			names = append(names, f.Name)
		}
	}
	return names
}

func (s Schema) sortable() []string {
	var names []string
	for _, f := range s {
		if f.Sortable {
			names = append(names, f.Name)
		}
	}
	return names
}

var (
	onlyEqual = []Op{Equal}
	exactOps  = []Op{Equal, In}
	absentOps = []Op{Equal, In, Presence}
	textOps   = []Op{Equal, Contains, StartsWith, In}
	timeOps   = []Op{Equal, Greater, GreaterEqual, Less, LessEqual}
	sinceOps  = []Op{Equal, Greater, GreaterEqual, Less, LessEqual, Presence}
)

// The schemas of the lists (contract §2). [Presence] is offered where a field may
// be absent, which none of the contract's that can be filtered is. They must not be
// changed.
var (
	Sources = Schema{
		{Name: "name", Type: TypeText, Sortable: true},
		{Name: "created", Type: TypeTime, Sortable: true},
		{Name: "sourceId", Type: TypeID, Sortable: true},
	}

	Records = Schema{
		{Name: "id", Type: TypeID, Sortable: true},
		{Name: "accountName", Type: TypeText, Ops: textOps, Sortable: true},
		{Name: "sourceId", Type: TypeID, Ops: onlyEqual, Sortable: true},
		{Name: "manager", Type: TypeManager, Ops: textOps, Sortable: true},
		{Name: "firstName", Type: TypeText, Ops: textOps, Sortable: true},
		{Name: "lastName", Type: TypeText, Ops: textOps, Sortable: true},
		{Name: "email", Type: TypeText, Ops: textOps, Sortable: true},
		{Name: "phone", Type: TypeText, Sortable: true},
		{Name: "startDate", Type: TypeTime, Ops: timeOps, Sortable: true},
		{Name: "endDate", Type: TypeTime, Ops: timeOps, Sortable: true},
		{Name: "lifecycleState", Type: TypeState, Ops: exactOps},
		{Name: "created", Type: TypeTime, Ops: timeOps, Sortable: true},
		{Name: "modified", Type: TypeTime, Ops: timeOps, Sortable: true},
	}

	Requests = Schema{
		{Name: "sourceId", Type: TypeID, Ops: onlyEqual},
		{Name: "created", Type: TypeTime, Ops: timeOps, Sortable: true},
		{Name: "approvalStatus", Type: TypeStatus, Ops: onlyEqual, Sortable: true},
		{Name: "firstName", Type: TypeText, Sortable: true},
		{Name: "lastName", Type: TypeText, Sortable: true},
		{Name: "email", Type: TypeText, Sortable: true},
		{Name: "phone", Type: TypeText, Sortable: true},
		{Name: "accountName", Type: TypeText, Ops: textOps, Sortable: true},
		{Name: "startDate", Type: TypeTime, Sortable: true},
		{Name: "endDate", Type: TypeTime, Sortable: true},
		// Ours, and absent where nothing waits for a decision.
		{Name: "pendingSince", Type: TypeTime, Ops: sinceOps, Sortable: true},
	}

	Approvals = Schema{
		{Name: "approvalStatus", Type: TypeStatus, Ops: onlyEqual},
		{Name: "created", Type: TypeTime, Sortable: true},
		{Name: "modified", Type: TypeTime, Sortable: true},
	}

	// Extensions are requests for later end dates.
	Extensions = Schema{
		{Name: "sourceId", Type: TypeID, Ops: onlyEqual},
		{Name: "approvalStatus", Type: TypeStatus, Ops: onlyEqual, Sortable: true},
		{Name: "created", Type: TypeTime, Ops: timeOps, Sortable: true},
	}

	// ExtensionRecords can't be sorted.
	ExtensionRecords = Schema{
		{Name: "status", Type: TypeExact, Ops: exactOps},
	}

	AuditEvents = Schema{
		{Name: "occurred", Type: TypeTime, Ops: timeOps, Sortable: true},
		{Name: "channel", Type: TypeExact, Ops: exactOps},
		{Name: "operation", Type: TypeExact, Ops: exactOps},
		{Name: "action", Type: TypeExact, Ops: exactOps},
		{Name: "outcome", Type: TypeExact, Ops: exactOps},
		{Name: "identityId", Type: TypeID, Ops: absentOps},
		{Name: "clientId", Type: TypeClient, Ops: onlyEqual},
		{Name: "trackingId", Type: TypeExact, Ops: absentOps},
		{Name: "objectType", Type: TypeExact, Ops: exactOps},
		{Name: "objectId", Type: TypeExact, Ops: exactOps},
		{Name: "sourceId", Type: TypeID, Ops: absentOps},
	}

	// Attributes can be neither filtered nor sorted.
	Attributes = Schema{}

	Identities = Schema{
		{Name: "id", Type: TypeID, Ops: exactOps},
		{Name: "alias", Type: TypeText, Ops: textOps, Sortable: true},
		{Name: "name", Type: TypeText, Ops: textOps, Sortable: true},
		{Name: "firstname", Type: TypeText, Ops: textOps},
		{Name: "lastname", Type: TypeText, Ops: textOps},
		{Name: "email", Type: TypeText, Ops: textOps},
	}

	Workgroups = Schema{
		{Name: "id", Type: TypeID, Ops: exactOps},
		{Name: "name", Type: TypeText, Ops: textOps, Sortable: true},
		{Name: "created", Type: TypeTime, Ops: timeOps, Sortable: true},
		{Name: "modified", Type: TypeTime, Ops: timeOps, Sortable: true},
	}

	// WorkgroupMembers are identities.
	WorkgroupMembers = Schema{
		{Name: "alias", Type: TypeText, Sortable: true},
		{Name: "name", Type: TypeText, Sortable: true},
	}
)
