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
		if me && !a.IsUser() && a.hasScope(Rules[op].Scope) {
			return Reach{}, errNoMe
		}
		return Reach{}, err
	}
	switch {
	case me && !a.IsUser():
		return Reach{}, errNoMe
	case me:
		return own(op, identity), nil
	case requestedFor != nil:
		if !a.Holds(lifecycle.RightRead) && identity != a.IdentityID {
			return Reach{}, ErrForbidden
		}
		return own(op, identity), nil
	case a.Holds(lifecycle.RightRead):
		return Reach{All: true}, nil
	}
	reach := own(op, identity)
	if op == ListSources && a.IsSubadmin() {
		reach.WorkgroupOf = identity
	}
	return reach, nil
}

var errNoMe = lifecycle.FieldError(lifecycle.KindBadRequest, "requested-for",
	`requested-for "me" needs a token that belongs to an identity.`)

func own(op Operation, identity lifecycle.ID) Reach {
	switch op {
	case ListApprovals, ApprovalSum:
		return Reach{AssignedTo: identity}
	default:
		return Reach{ManagedBy: identity}
	}
}
