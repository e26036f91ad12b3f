package service

import (
	"context"
	"maps"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// ListRecords returns a page of the records within the actor's reach and,
// where p.Count, how many there are.
func (s *Service) ListRecords(ctx context.Context, a policy.Actor, p filter.Params) ([]lifecycle.Record, int, error) {
	reach, err := policy.ListReach(policy.ListRecords, a, nil)
	if err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(filter.Records)
	if err != nil {
		return nil, 0, err
	}
	return s.store.ListRecords(ctx, reach, q)
}

// GetRecord returns one record.
func (s *Service) GetRecord(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Record, error) {
	return s.record(ctx, policy.GetRecord, a, id)
}

// CreateRecord makes a record at once, without a request.
func (s *Service) CreateRecord(ctx context.Context, a policy.Actor, in lifecycle.PersonInput) (lifecycle.Record, error) {
	into, err := s.bodySource(ctx, policy.CreateRecord, a, &in)
	if err != nil {
		return lifecycle.Record{}, err
	}
	person, err := s.newPerson(ctx, in, into)
	if err != nil {
		return lifecycle.Record{}, err
	}
	now := s.now()
	record := lifecycle.Record{ID: lifecycle.NewID(), SourceID: into.source.ID, Person: person, Created: now, Modified: now}
	if err := s.store.CreateRecord(ctx, record, s.settings.Limits.RecordsPerSource); err != nil {
		return lifecycle.Record{}, err
	}
	return record, nil
}

// newPerson judges a person who is to be put into a source, all faults at once.
func (s *Service) newPerson(ctx context.Context, in lifecycle.PersonInput, into target) (lifecycle.Person, error) {
	if into.source.ID.IsZero() {
		// Without its source nothing can be said of custom attributes.
		in.Data = nil
		into.attributes = lifecycle.SystemAttributes(lifecycle.ID{}, s.now())
	}
	person, faults := in.Judge(into.attributes)
	refs := newReferences()
	err := refs.attempt(ctx, s.store, func() error { return refs.resolveManager(&person, &faults) })
	if err != nil {
		return lifecycle.Person{}, err
	}
	return person, faults.Err()
}

// PutRecord replaces a record's fields. Who is bound to endDate (contract §4)
// may send the whole record with nothing else changed.
func (s *Service) PutRecord(ctx context.Context, a policy.Actor, id lifecycle.ID, in lifecycle.PersonInput) (lifecycle.Record, error) {
	if _, err := s.record(ctx, policy.PutRecord, a, id); err != nil {
		return lifecycle.Record{}, err
	}
	endDateOnly := policy.MayChangeOnlyEndDate(a)
	return s.updateRecord(ctx, policy.PutRecord, a, id, func(record *lifecycle.Record, attributes []lifecycle.SchemaAttribute, refs *references) error {
		if err := sameObject(in, *record, endDateOnly); err != nil {
			return err
		}
		if endDateOnly {
			if err := onlyEndDateDiffers(in, *record); err != nil {
				return err
			}
			if !in.HasData {
				in.HasData, in.Data = true, record.Data
			}
		}
		return changePerson(record, in, attributes, refs, endDateOnly)
	})
}

// PatchRecord applies a JSON Patch to a record, under the rules of PutRecord.
func (s *Service) PatchRecord(ctx context.Context, a policy.Actor, id lifecycle.ID, patch Patch) (lifecycle.Record, error) {
	if _, err := s.record(ctx, policy.PatchRecord, a, id); err != nil {
		return lifecycle.Record{}, err
	}
	endDateOnly := policy.MayChangeOnlyEndDate(a)
	allowed, refuse := []string{
		"accountName", "firstName", "lastName", "phone", "email", "manager", "startDate", "endDate", "data",
	}, illegalUpdate
	if endDateOnly {
		allowed, refuse = []string{"endDate"}, forbiddenUpdate
	}
	return s.updateRecord(ctx, policy.PatchRecord, a, id, func(record *lifecycle.Record, attributes []lifecycle.SchemaAttribute, refs *references) error {
		doc, err := applyPatch(recordDocument(*record), patch, refuse, allowed...)
		if err != nil {
			return err
		}
		return changePerson(record, doc.Person(), attributes, refs, endDateOnly)
	})
}

func (s *Service) updateRecord(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID,
	change func(*lifecycle.Record, []lifecycle.SchemaAttribute, *references) error,
) (lifecycle.Record, error) {
	var updated lifecycle.Record
	refs := newReferences()
	err := refs.attempt(ctx, s.store, func() error {
		var err error
		updated, err = s.store.UpdateRecord(ctx, id, func(record *lifecycle.Record, attributes []lifecycle.SchemaAttribute) error {
			if err := change(record, attributes, refs); err != nil {
				return err
			}
			record.Modified = s.now()
			return nil
		})
		return err
	})
	return updated, goneSince(op, a, err)
}

// changePerson judges in as the whole of the record's person. For who is bound
// to endDate only the dates are judged, so that an attribute that became
// required meanwhile does not bar them.
func changePerson(record *lifecycle.Record, in lifecycle.PersonInput, attributes []lifecycle.SchemaAttribute, refs *references, endDateOnly bool) error {
	if endDateOnly {
		attributes = systemOnly(attributes)
		in.Data = nil
	}
	person, faults := in.Judge(attributes)
	if namesSame(person.Manager.Alias, record.Manager) {
		person.Manager = record.Manager
	} else if err := refs.resolveManager(&person, &faults); err != nil {
		return err
	}
	if err := faults.Err(); err != nil {
		return err
	}
	if endDateOnly {
		record.EndDate = person.EndDate
		return nil
	}
	record.Person = person
	return nil
}

func systemOnly(attributes []lifecycle.SchemaAttribute) []lifecycle.SchemaAttribute {
	var system []lifecycle.SchemaAttribute
	for _, attribute := range attributes {
		if attribute.System {
			system = append(system, attribute)
		}
	}
	return system
}

// namesSame reports whether the reference, an alias or an id, names the manager.
func namesSame(reference string, manager lifecycle.ManagerReference) bool {
	if lifecycle.Fold(reference) == lifecycle.Fold(manager.Alias) {
		return true
	}
	id, err := lifecycle.ParseID(reference)
	return err == nil && id == manager.ID
}

// sameObject refuses a body whose id or sourceId is another object's: with
// KindIllegalUpdate, or as forbidden to who is bound to endDate.
func sameObject(in lifecycle.PersonInput, record lifecycle.Record, endDateOnly bool) error {
	for _, claim := range []struct {
		field string
		text  *string
		want  lifecycle.ID
	}{{"id", in.ID, record.ID}, {"sourceId", in.SourceID, record.SourceID}} {
		if claim.text == nil {
			continue
		}
		if id, err := lifecycle.ParseID(*claim.text); err != nil || id != claim.want {
			if endDateOnly {
				return policy.ErrForbidden
			}
			return illegalUpdate(claim.field)
		}
	}
	return nil
}

// onlyEndDateDiffers answers forbidden if the body holds any other value than
// the stored one in a field beside endDate (contract §4).
func onlyEndDateDiffers(in lifecycle.PersonInput, record lifecycle.Record) error {
	for _, field := range []struct {
		text *string
		want string
	}{
		{in.AccountName, record.AccountName}, {in.FirstName, record.FirstName}, {in.LastName, record.LastName},
		{in.Phone, record.Phone}, {in.Email, record.Email},
	} {
		if field.text != nil && lifecycle.Normalize(*field.text) != field.want {
			return policy.ErrForbidden
		}
	}
	if in.Manager != nil && !namesSame(lifecycle.Normalize(*in.Manager), record.Manager) {
		return policy.ErrForbidden
	}
	if in.StartDate != nil {
		start, err := lifecycle.ParseDate(lifecycle.Normalize(*in.StartDate))
		if err != nil || !start.Equal(record.StartDate) {
			return policy.ErrForbidden
		}
	}
	if in.HasData {
		data := make(map[string]string, len(in.Data))
		for name, value := range in.Data {
			data[name] = lifecycle.Normalize(value)
		}
		if !maps.Equal(data, record.Data) {
			return policy.ErrForbidden
		}
	}
	return nil
}

// DeleteRecord removes a record and frees its account name.
func (s *Service) DeleteRecord(ctx context.Context, a policy.Actor, id lifecycle.ID) error {
	if _, err := s.record(ctx, policy.DeleteRecord, a, id); err != nil {
		return err
	}
	return goneSince(policy.DeleteRecord, a, s.store.DeleteRecord(ctx, id))
}

// DeleteRecords removes all the records that ids name, or none (contract §4).
func (s *Service) DeleteRecords(ctx context.Context, a policy.Actor, ids []string, faults lifecycle.Faults) error {
	if err := policy.Enter(policy.BulkDelete, a); err != nil {
		return err
	}
	if len(ids) == 0 && len(faults) == 0 {
		faults.Add(lifecycle.KindRequired, "ids", "ids is required")
	}
	if len(ids) > lifecycle.MaxBulkDelete {
		return lifecycle.TooManyIDs()
	}
	parsed := make([]lifecycle.ID, 0, len(ids))
	for _, text := range ids {
		id, err := lifecycle.ParseID(text)
		if err != nil {
			faults.Add(lifecycle.KindBadRequest, "ids", "ids must hold UUIDs")
			break
		}
		parsed = append(parsed, id)
	}
	if err := faults.Err(); err != nil {
		return err
	}
	return s.store.DeleteRecords(ctx, parsed)
}
