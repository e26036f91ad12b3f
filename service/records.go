package service

import (
	"context"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// ListRecords returns a page of the records within the actor's reach, with where
// they stand if detail asks for it, and, where p.Count, how many there are.
func (s *Service) ListRecords(ctx context.Context, a policy.Actor, p filter.Params, detail *string) ([]lifecycle.Record, int, error) {
	reach, err := policy.ListReach(policy.ListRecords, a, nil)
	if err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(filter.Records)
	if err != nil {
		return nil, 0, err
	}
	lives, err := lifecycle.ParseRecordDetail(detail)
	if err != nil {
		return nil, 0, err
	}
	records, count, err := s.store.ListRecords(ctx, reach, q)
	if err == nil && lives {
		err = s.addLifecycles(ctx, records)
	}
	return records, count, err
}

// GetRecord returns one record, with where it stands if detail asks for it.
func (s *Service) GetRecord(ctx context.Context, a policy.Actor, id lifecycle.ID, detail *string) (lifecycle.Record, error) {
	record, err := s.record(ctx, policy.GetRecord, a, id)
	if err != nil {
		return lifecycle.Record{}, err
	}
	lives, err := lifecycle.ParseRecordDetail(detail)
	if err != nil || !lives {
		return record, err
	}
	records := []lifecycle.Record{record}
	err = s.addLifecycles(ctx, records)
	if err == nil && records[0].Lifecycle == nil {
		err = policy.Missing(policy.GetRecord, a)
	}
	return records[0], err
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
	return s.updateRecord(ctx, policy.PutRecord, a, id, func(record lifecycle.Record) (lifecycle.PersonInput, error) {
		return in, sameObject(in, record, refusal(a))
	})
}

// PatchRecord applies a JSON Patch to a record, under the rules of PutRecord.
func (s *Service) PatchRecord(ctx context.Context, a policy.Actor, id lifecycle.ID, patch Patch) (lifecycle.Record, error) {
	rules := patchRules{change: append(lifecycle.PersonFields(), "data"), refuse: refusal(a)}
	if policy.MayChangeOnlyEndDate(a) {
		rules.change, rules.restate = []string{"endDate"}, rules.change
	}
	return s.updateRecord(ctx, policy.PatchRecord, a, id, func(record lifecycle.Record) (lifecycle.PersonInput, error) {
		doc, err := applyPatch(recordDocument(record), patch, rules)
		return doc.Person(), err
	})
}

// refusal answers a change of a field that the actor can't change.
func refusal(a policy.Actor) func(field string) error {
	if policy.MayChangeOnlyEndDate(a) {
		return forbiddenUpdate
	}
	return illegalUpdate
}

// updateRecord makes the record what input says, given the record as it is.
func (s *Service) updateRecord(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID,
	input func(lifecycle.Record) (lifecycle.PersonInput, error),
) (lifecycle.Record, error) {
	record, err := s.record(ctx, op, a, id)
	if err != nil {
		return lifecycle.Record{}, err
	}
	endDateOnly := policy.MayChangeOnlyEndDate(a)
	admitted := func(record lifecycle.Record) (lifecycle.PersonInput, error) {
		in, err := input(record)
		if err == nil && endDateOnly {
			err = onlyEndDateDiffers(in, record)
		}
		return in, err
	}
	in, err := admitted(record)
	if err != nil {
		return lifecycle.Record{}, err
	}
	refs := newReferences()
	// Another manager is looked up before the record is locked.
	if in.Manager != nil && !namesSame(lifecycle.Normalize(*in.Manager), record.Manager) {
		refs.want(lifecycle.Normalize(*in.Manager))
	}
	err = refs.attempt(ctx, s.store, func() error {
		var err error
		record, err = s.store.UpdateRecord(ctx, id, func(record *lifecycle.Record, attributes []lifecycle.SchemaAttribute) error {
			in, err := admitted(*record)
			if err != nil {
				return err
			}
			if err := changePerson(record, in, attributes, refs, endDateOnly); err != nil {
				return err
			}
			record.Modified = s.now()
			return nil
		})
		return err
	})
	return record, goneSince(op, a, err)
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
	return lifecycle.Fold(reference) == lifecycle.Fold(manager.Alias) || namesID(reference, manager.ID)
}

// sameObject refuses a body whose id or sourceId is another object's.
func sameObject(in lifecycle.PersonInput, record lifecycle.Record, refuse func(field string) error) error {
	switch {
	case in.ID != nil && !namesID(*in.ID, record.ID):
		return refuse("id")
	case in.SourceID != nil && !namesID(*in.SourceID, record.SourceID), in.Faults.About("sourceId"):
		return refuse("sourceId")
	}
	return nil
}

// onlyEndDateDiffers answers forbidden if the body holds any other value than
// the stored one in a field beside endDate (contract §4); one of the wrong JSON
// type is another one.
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
	for _, fault := range in.Faults {
		if fault.Field != "" && fault.Field != "endDate" {
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
	if in.HasData && !sameData(in.Data, record.Data) {
		return policy.ErrForbidden
	}
	return nil
}

// sameData reports whether the attributes are the stored ones. An empty value is
// none.
func sameData(given, stored map[string]string) bool {
	named := make(map[string]bool, len(given))
	for name, value := range given {
		name = lifecycle.Normalize(name)
		if lifecycle.Normalize(value) != stored[name] {
			return false
		}
		named[name] = true
	}
	for name := range stored {
		if !named[name] {
			return false
		}
	}
	return true
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
	if err := faults.Err(); err != nil {
		return err
	}
	parsed := make([]lifecycle.ID, len(ids))
	for i, text := range ids {
		var err error
		if parsed[i], err = lifecycle.ParseID(lifecycle.Normalize(text)); err != nil {
			return lifecycle.FieldError(lifecycle.KindBadRequest, "ids", "ids must hold UUIDs;")
		}
	}
	return s.store.DeleteRecords(ctx, parsed)
}
