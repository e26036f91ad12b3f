package httpapi

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

func workgroupAnswer(g lifecycle.WorkgroupSummary) Workgroup {
	return Workgroup{
		ID: g.ID, Name: g.Name, MemberCount: g.Members, Created: Timestamp(g.Created), Modified: Timestamp(g.Modified),
	}
}

// ListWorkgroups answers GET /workgroups.
func (h *handlers) ListWorkgroups(ctx context.Context, r ListWorkgroupsRequestObject) (ListWorkgroupsResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	groups, matches, err := h.service.ListWorkgroups(ctx, c.actor,
		filter.Params{Filters: p.Filters, Sorters: p.Sorters, Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListWorkgroups200JSONResponse{
		Body:    each(groups, workgroupAnswer),
		Headers: ListWorkgroups200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// GetWorkgroup answers GET /workgroups/{id}.
func (h *handlers) GetWorkgroup(ctx context.Context, r GetWorkgroupRequestObject) (GetWorkgroupResponseObject, error) {
	ctx, c := callOf(ctx)
	group, err := h.service.GetWorkgroup(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	return GetWorkgroup200JSONResponse(workgroupAnswer(group)), nil
}

// ListWorkgroupMembers answers GET /workgroups/{id}/members.
func (h *handlers) ListWorkgroupMembers(ctx context.Context, r ListWorkgroupMembersRequestObject) (ListWorkgroupMembersResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	members, matches, err := h.service.ListWorkgroupMembers(ctx, c.actor, r.ID,
		filter.Params{Sorters: p.Sorters, Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListWorkgroupMembers200JSONResponse{
		Body:    each(members, identityAnswer),
		Headers: ListWorkgroupMembers200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}
