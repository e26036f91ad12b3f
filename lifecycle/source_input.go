package lifecycle

// SourceInput is what a client sent of a source. nil is absent.
type SourceInput struct {
	Name, Description *string
	// Owner and ManagementWorkgroup are ids.
	Owner               *string
	ManagementWorkgroup *string
	Approvers           []ReferenceInput
	AccountManagers     []ReferenceInput
	// Faults is what was wrong while the input was read, to be told with the
	// rest.
	Faults Faults
}

// ReferenceInput is what a client sent of one reference in a list.
type ReferenceInput struct {
	// ID is nil where no id could be read, which Faults of the input tell; the
	// place in the list is kept, since faults name it.
	ID *string
	// Type is that of a [Reference]; nil is an identity.
	Type *string
}

// Judge normalises and judges the source and returns all the faults there are:
// those found while reading first. name, description and owner are required.
// The same approver may stand in the order twice; an account manager who is
// named again counts once. Whether the ids name anything is for the caller to
// look up. The lists are never nil.
//
// Kinds: KindRequired; KindIllegalValue for a text that is too long, no UTF-8,
// or has control characters, and for a type of reference that there is not;
// KindBadRequest for an id that is no UUID; KindReferenceNotFound for the nil
// UUID; KindLimit for more than [MaxApprovers] or [MaxAccountManagers].
func (in SourceInput) Judge() (Source, Faults) {
	j := newJudge(in.Faults)
	s := Source{
		Name:                j.text("name", in.Name, nameRule),
		Description:         j.text("description", in.Description, textRule{max: MaxDataLength, breaks: true}),
		Owner:               j.id("owner", in.Owner, false),
		ManagementWorkgroup: j.id("managementWorkgroup", in.ManagementWorkgroup, true),
		Approvers:           j.references("approvers", in.Approvers, false, MaxApprovers, TooManyApprovers),
		AccountManagers: j.references("accountManagers", in.AccountManagers, true,
			MaxAccountManagers, TooManyAccountManagers),
	}
	return s, j.faults
}
