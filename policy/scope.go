package policy

import "gatehouse/lifecycle"

// Me is the value of requested-for that names the caller (contract §2).
const Me = "me"

// Reach says which objects of a list the actor may see; the store turns it
// into SQL. Where several fields are set an object is seen if any admits it;
// the zero Reach sees nothing.
type Reach struct {
	// All sees every object.
	All bool
	// ManagedBy sees the sources this identity is account manager or owner of,
	// and what is in them.
	ManagedBy lifecycle.ID
	// WorkgroupOf sees the sources whose management workgroup this identity is
	// a member of.
	WorkgroupOf lifecycle.ID
	// AssignedTo sees the approval items assigned to this identity or to a
	// workgroup it is a member of.
	AssignedTo lifecycle.ID
	// OwnedBy sees the personal access tokens of this identity.
	OwnedBy lifecycle.ID
}

// ListReach returns what the actor sees in a list or summary. requestedFor is
// nil where the client did not send it, else "me" or an id; where an operation
// requires it, the caller has seen to that. Errors, in this order: bad request
// (neither an id nor "me"), forbidden (scope), bad request ("me" with an
// application token), forbidden (no right; another's id without read).
func ListReach(op Operation, a Actor, requestedFor *string) (Reach, error) {
	me := requestedFor != nil && *requestedFor == Me
	identity := a.IdentityID
	if requestedFor != nil && !me {
		// Ids are read before access is checked (contract §5).
		var err error
		if identity, err = lifecycle.ParseID(*requestedFor); err != nil {
			return Reach{}, lifecycle.FieldError(lifecycle.KindBadRequest, "requested-for",
				`requested-for must be an identity's id or "me".`)
		}
	}
	if err := Enter(op, a); err != nil {
		if me && !a.IsUser() && a.HoldsScope(Rules[op].Scope) {
			return Reach{}, errNoMe
		}
		return Reach{}, err
	}
	switch {
	case me && !a.IsUser():
		return Reach{}, errNoMe
	case me:
		return ownReach(op, identity), nil
	case requestedFor != nil:
		if !a.Holds(lifecycle.RightRead) && identity != a.IdentityID {
			return Reach{}, ErrForbidden
		}
		return ownReach(op, identity), nil
	case a.Holds(lifecycle.RightRead):
		return Reach{All: true}, nil
	}
	reach := ownReach(op, identity)
	if op == ListSources && a.IsSubadmin() {
		reach.WorkgroupOf = identity
	}
	return reach, nil
}

var errNoMe = lifecycle.FieldError(lifecycle.KindBadRequest, "requested-for",
	`requested-for "me" needs a token that belongs to an identity.`)

func ownReach(op Operation, identity lifecycle.ID) Reach {
	switch op {
	case ListApprovals, ApprovalSum:
		return Reach{AssignedTo: identity}
	default:
		return Reach{ManagedBy: identity}
	}
}

// TokenReach returns whose personal access tokens the actor sees in a list.
// owner is nil where the client did not send it, else "me" or an id. Errors as
// ListReach's.
func TokenReach(a Actor, owner *string) (Reach, error) {
	identity := a.IdentityID
	if owner != nil && *owner != Me {
		// Ids are read before access is checked (contract §5).
		var err error
		if identity, err = lifecycle.ParseID(*owner); err != nil {
			return Reach{}, lifecycle.FieldError(lifecycle.KindBadRequest, "owner-id",
				`owner-id must be an identity's id or "me".`)
		}
	}
	if err := Enter(ListTokens, a); err != nil {
		return Reach{}, err
	}
	everybody := Extensions[ListTokens].everywhere(a)
	switch {
	case owner == nil && everybody:
		return Reach{All: true}, nil
	case identity != a.IdentityID && !everybody:
		return Reach{}, ErrForbidden
	}
	return Reach{OwnedBy: identity}, nil
}

// ExtensionReach returns which extensions the actor sees in a list: those of the
// sources that the identity named by requestedFor manages and those it asked for,
// or those that it, or a workgroup it is a member of, has an item of, where
// assignedTo names it. Both are nil where the client did not send them, else "me"
// or an id; with neither, everything for holders of read and else both of the
// caller's own. Errors as ListReach's; bad request for both.
func ExtensionReach(a Actor, requestedFor, assignedTo *string) (Reach, error) {
	name, given := "requested-for", requestedFor
	if given == nil {
		name, given = "assigned-to", assignedTo
	}
	me, identity := given != nil && *given == Me, a.IdentityID
	if given != nil && !me {
		// Ids are read before access is checked (contract §5).
		var err error
		if identity, err = lifecycle.ParseID(*given); err != nil {
			return Reach{}, lifecycle.FieldError(lifecycle.KindBadRequest, name, name+` must be an identity's id or "me".`)
		}
	}
	if err := Enter(ListExtensions, a); err != nil {
		return Reach{}, err
	}
	switch {
	case requestedFor != nil && assignedTo != nil:
		return Reach{}, lifecycle.FieldError(lifecycle.KindBadRequest, "assigned-to", "assigned-to must not be given beside requested-for.")
	case me && !a.IsUser():
		return Reach{}, lifecycle.FieldError(lifecycle.KindBadRequest, name, name+` "me" needs a token that belongs to an identity.`)
	case given == nil && a.Holds(lifecycle.RightRead):
		return Reach{All: true}, nil
	case given == nil:
		return Reach{ManagedBy: identity, AssignedTo: identity}, nil
	case identity != a.IdentityID && !a.Holds(lifecycle.RightRead):
		return Reach{}, ErrForbidden
	case requestedFor != nil:
		return Reach{ManagedBy: identity}, nil
	}
	return Reach{AssignedTo: identity}, nil
}

// AbsentIdentity returns whose absences are meant by reference, "me" or an id, and
// whether the actor may do op to them. Errors, in this order: bad request (neither),
// forbidden.
func AbsentIdentity(op Operation, a Actor, reference string) (lifecycle.ID, error) {
	identity := a.IdentityID
	if reference != Me {
		var err error
		if identity, err = lifecycle.ParseID(reference); err != nil {
			return lifecycle.ID{}, lifecycle.FieldError(lifecycle.KindBadRequest, "id", `id must be a UUID or "me".`)
		}
	}
	return identity, Check(op, a, Relations{Own: a.IsUser() && identity == a.IdentityID})
}
