package httpapi

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

func absenceAnswer(a lifecycle.Absence) Absence {
	of := func(id lifecycle.ID) NonEmployeeIdentityReferenceWithID {
		return reference(lifecycle.IdentityReference(id))
	}
	return Absence{
		ID: a.ID, Identity: of(a.Identity), Deputy: of(a.Deputy), StartDate: Timestamp(a.Start), EndDate: Timestamp(a.End),
		Creator: of(a.Creator), Created: Timestamp(a.Created), Modified: Timestamp(a.Modified),
	}
}

// ListIdentityAbsences answers GET /identities/{id}/absences.
func (h *handlers) ListIdentityAbsences(ctx context.Context, r ListIdentityAbsencesRequestObject) (ListIdentityAbsencesResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	absences, matches, err := h.service.ListAbsences(ctx, c.actor, r.ID, filter.Params{Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListIdentityAbsences200JSONResponse{
		Body:    each(absences, absenceAnswer),
		Headers: ListIdentityAbsences200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// CreateIdentityAbsence answers POST /identities/{id}/absences.
func (h *handlers) CreateIdentityAbsence(ctx context.Context, r CreateIdentityAbsenceRequestObject) (CreateIdentityAbsenceResponseObject, error) {
	ctx, c := callOf(ctx)
	absence, err := h.service.CreateAbsence(ctx, c.actor, r.ID, c.body.absence())
	if err != nil {
		return nil, err
	}
	return CreateIdentityAbsence200JSONResponse(absenceAnswer(absence)), nil
}

// GetIdentityAbsence answers GET /identities/{id}/absences/{absenceId}.
func (h *handlers) GetIdentityAbsence(ctx context.Context, r GetIdentityAbsenceRequestObject) (GetIdentityAbsenceResponseObject, error) {
	ctx, c := callOf(ctx)
	absence, err := h.service.GetAbsence(ctx, c.actor, r.ID, r.AbsenceID)
	if err != nil {
		return nil, err
	}
	return GetIdentityAbsence200JSONResponse(absenceAnswer(absence)), nil
}

// DeleteIdentityAbsence answers DELETE /identities/{id}/absences/{absenceId}.
func (h *handlers) DeleteIdentityAbsence(ctx context.Context, r DeleteIdentityAbsenceRequestObject) (DeleteIdentityAbsenceResponseObject, error) {
	ctx, c := callOf(ctx)
	if err := h.service.DeleteAbsence(ctx, c.actor, r.ID, r.AbsenceID); err != nil {
		return nil, err
	}
	return DeleteIdentityAbsence204Response{}, nil
}
