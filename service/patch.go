package service

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"gatehouse/document"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// illegalUpdate refuses a change of a field that can't be changed.
func illegalUpdate(field string) error {
	return lifecycle.FieldError(lifecycle.KindIllegalUpdate, field, field+" can't be changed.")
}

// forbiddenUpdate refuses it to an actor who may change other fields only.
func forbiddenUpdate(string) error { return policy.ErrForbidden }

// applyPatch applies patch to the object as it is answered and returns the
// document that came of it. A field outside allowed that differs afterwards,
// added and removed ones included, is answered by refuse.
func applyPatch(before map[string]any, patch Patch, refuse func(field string) error, allowed ...string) (document.Document, error) {
	text, err := json.Marshal(before)
	if err != nil {
		return document.Document{}, fmt.Errorf("service: encode the object to patch: %w", err)
	}
	patched, err := patch(text)
	if err != nil {
		return document.Document{}, err
	}
	doc, err := document.Parse(patched)
	if err != nil {
		return document.Document{}, err
	}
	var old, changed map[string]any
	if err := json.Unmarshal(text, &old); err != nil {
		return document.Document{}, fmt.Errorf("service: decode the object to patch: %w", err)
	}
	if err := json.Unmarshal(patched, &changed); err != nil {
		return document.Document{}, lifecycle.NewError(lifecycle.KindBadRequest, "The patch must leave a JSON object.").WithCause(err)
	}
	if changed == nil {
		return document.Document{}, lifecycle.NewError(lifecycle.KindBadRequest, "The patch must leave a JSON object.")
	}
	fields := make([]string, 0, len(old)+len(changed))
	for field := range old {
		fields = append(fields, field)
	}
	for field := range changed {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	for _, field := range slices.Compact(fields) {
		if !slices.Contains(allowed, field) && !reflect.DeepEqual(old[field], changed[field]) {
			return document.Document{}, refuse(field)
		}
	}
	return doc, nil
}

// sourceDocument is the source as it is answered.
func sourceDocument(source lifecycle.Source) map[string]any {
	return map[string]any{
		"id":              source.ID,
		"sourceId":        source.ID,
		"name":            source.Name,
		"description":     source.Description,
		"owner":           map[string]any{"id": source.Owner},
		"approvers":       referenceDocuments(source.Approvers),
		"accountManagers": referenceDocuments(source.AccountManagers),
		"created":         lifecycle.FormatTime(source.Created),
		"modified":        lifecycle.FormatTime(source.Modified),
	}
}

func referenceDocuments(references []lifecycle.Reference) []map[string]any {
	documents := make([]map[string]any, len(references))
	for i, reference := range references {
		documents[i] = map[string]any{"id": reference.ID, "type": reference.Type}
	}
	return documents
}

// attributeDocument is the schema attribute as it is answered.
func attributeDocument(attribute lifecycle.SchemaAttribute) map[string]any {
	return map[string]any{
		"id":            attribute.ID,
		"type":          attribute.Type,
		"technicalName": attribute.TechnicalName,
		"label":         attribute.Label,
		"helpText":      attribute.HelpText,
		"placeholder":   attribute.Placeholder,
		"required":      attribute.Required,
		"system":        attribute.System,
		"created":       lifecycle.FormatTime(attribute.Created),
		"modified":      lifecycle.FormatTime(attribute.Modified),
	}
}

// recordDocument is the record as it is answered.
func recordDocument(record lifecycle.Record) map[string]any {
	data := record.Data
	if data == nil {
		data = map[string]string{}
	}
	return map[string]any{
		"id":          record.ID,
		"sourceId":    record.SourceID,
		"accountName": record.AccountName,
		"firstName":   record.FirstName,
		"lastName":    record.LastName,
		"phone":       record.Phone,
		"email":       record.Email,
		"manager":     record.Manager.Alias,
		"startDate":   lifecycle.FormatTime(record.StartDate),
		"endDate":     lifecycle.FormatTime(record.EndDate),
		"data":        data,
		"created":     lifecycle.FormatTime(record.Created),
		"modified":    lifecycle.FormatTime(record.Modified),
	}
}
