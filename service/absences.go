package service

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// AbsenceStore keeps absences. Every method answers an unknown identity, and an
// absence that is none of it, with KindNotFound.
type AbsenceStore interface {
	// CreateAbsence: KindReferenceNotFound for a deputy who is not active,
	// KindConflict for a time that overlaps with another absence's, KindLimit.
	CreateAbsence(ctx context.Context, absence lifecycle.Absence) error
	// ListAbsences returns a page, the latest beginning first.
	ListAbsences(ctx context.Context, identity lifecycle.ID, q filter.Query) ([]lifecycle.Absence, int, error)
	GetAbsence(ctx context.Context, identity, id lifecycle.ID) (lifecycle.Absence, error)
	// EndAbsence ends one that has begun, and removes one that has not;
	// KindIllegalUpdate for one that is over.
	EndAbsence(ctx context.Context, identity, id lifecycle.ID) error
}

// ListAbsences returns a page of the absences of an identity, named by its id or
// "me", and where p.Count, how many there are. p has no filters and no sorters.
func (s *Service) ListAbsences(ctx context.Context, a policy.Actor, of string, p filter.Params) ([]lifecycle.Absence, int, error) {
	identity, err := policy.AbsentIdentity(policy.ListAbsences, a, of)
	if err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(pages)
	if err != nil {
		return nil, 0, err
	}
	return s.store.ListAbsences(ctx, identity, q)
}

// CreateAbsence has a deputy decide for an identity for a time.
func (s *Service) CreateAbsence(ctx context.Context, a policy.Actor, of string, in lifecycle.AbsenceInput) (lifecycle.Absence, error) {
	identity, err := policy.AbsentIdentity(policy.CreateAbsence, a, of)
	if err != nil {
		return lifecycle.Absence{}, err
	}
	now := s.now()
	absence, faults := in.Judge(identity, now)
	if err := faults.Err(); err != nil {
		return lifecycle.Absence{}, err
	}
	absence.ID, absence.Creator, absence.Created, absence.Modified = lifecycle.NewID(), a.IdentityID, now, now
	if err := s.store.CreateAbsence(ctx, absence); err != nil {
		return lifecycle.Absence{}, err
	}
	s.wakeAbsence(ctx, absence.ID)
	return absence, nil
}

// GetAbsence returns one absence of an identity.
func (s *Service) GetAbsence(ctx context.Context, a policy.Actor, of string, id lifecycle.ID) (lifecycle.Absence, error) {
	identity, err := policy.AbsentIdentity(policy.GetAbsence, a, of)
	if err != nil {
		return lifecycle.Absence{}, err
	}
	return s.store.GetAbsence(ctx, identity, id)
}

// DeleteAbsence ends an absence now: what was not decided comes back. One that has
// not begun is gone.
func (s *Service) DeleteAbsence(ctx context.Context, a policy.Actor, of string, id lifecycle.ID) error {
	identity, err := policy.AbsentIdentity(policy.DeleteAbsence, a, of)
	if err != nil {
		return err
	}
	if err := s.store.EndAbsence(ctx, identity, id); err != nil {
		return err
	}
	s.wakeAbsence(ctx, id)
	return nil
}

// wakeAbsence tells the workflow of an absence that was stored or changed,
// whatever becomes of the call that did so.
func (s *Service) wakeAbsence(ctx context.Context, id lifecycle.ID) {
	wakeCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.settings.StartTimeout)
	defer cancel()
	if err := s.workflows.WakeAbsence(wakeCtx, id); err != nil {
		s.log.WarnContext(ctx, "the absence is stored, its workflow is left to the sweep", "absence_id", id.String(), "error", err)
	}
}
