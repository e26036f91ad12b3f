package httpapi

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

// identityAnswer tells nothing of what the person may do.
func identityAnswer(u lifecycle.DirectoryUser) Identity {
	status := INACTIVE
	if u.Active {
		status = ACTIVE
	}
	return Identity{
		ID: u.ID, Name: u.Name, Alias: u.Alias, EmailAddress: optional(u.Email), IdentityStatus: status, ManagerRef: managerOf(u),
		Created: Timestamp(u.Created), Modified: Timestamp(u.Modified),
	}
}

// managerOf is absent where nobody is known.
func managerOf(u lifecycle.DirectoryUser) *IdentityManagerRef {
	if u.Manager.IsZero() {
		return nil
	}
	return &IdentityManagerRef{Type: string(lifecycle.ReferenceIdentity), ID: u.Manager, Name: u.ManagerName}
}

// ListIdentities answers GET /identities.
func (h *handlers) ListIdentities(ctx context.Context, r ListIdentitiesRequestObject) (ListIdentitiesResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	identities, matches, err := h.service.ListIdentities(ctx, c.actor,
		filter.Params{Filters: p.Filters, Sorters: p.Sorters, Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListIdentities200JSONResponse{
		Body:    each(identities, identityAnswer),
		Headers: ListIdentities200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// GetIdentity answers GET /identities/{id}.
func (h *handlers) GetIdentity(ctx context.Context, r GetIdentityRequestObject) (GetIdentityResponseObject, error) {
	ctx, c := callOf(ctx)
	identity, err := h.service.GetIdentity(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return GetIdentity200JSONResponse(identityAnswer(identity)), nil
}
