package service

import (
	"encoding/json"
	"fmt"
	"maps"
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

// patchRules say what a patch may do to the members of an object.
type patchRules struct {
	// change are those that may become something else.
	change []string
	// restate are those that may be spelled otherwise, but not be taken away.
	// Whether they still mean the same is for the caller to say.
	restate []string
	// refuse is the answer about all others.
	refuse func(field string) error
}

// applyPatch applies patch to the document that stands for an object and returns
// the one that came of it. A member that the object does not have is refused
// before the patch is applied, which would only miss it.
func applyPatch(before map[string]any, patch Patch, rules patchRules) (document.Document, error) {
	for _, member := range patch.Members {
		if _, has := before[member]; !has {
			return document.Document{}, rules.refuse(document.Quote(member))
		}
	}
	text, err := json.Marshal(before)
	if err != nil {
		return document.Document{}, fmt.Errorf("service: encode the object to patch: %w", err)
	}
	patched, err := patch.Apply(text)
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
	for _, field := range slices.Sorted(maps.Keys(old)) {
		switch {
		case slices.Contains(rules.change, field), sameValue(old[field], changed[field]):
		case slices.Contains(rules.restate, field) && changed[field] != nil:
		default:
			return document.Document{}, rules.refuse(field)
		}
	}
	return doc, nil
}

// sameValue reports whether given means what is stored: an id may come in either
// form (contract §1).
func sameValue(stored, given any) bool {
	if reflect.DeepEqual(stored, given) {
		return true
	}
	was, _ := stored.(string)
	text, isText := given.(string)
	id, err := lifecycle.ParseID(was)
	return isText && err == nil && namesID(text, id)
}

// namesID reports whether the text is that id, in either form.
func namesID(text string, id lifecycle.ID) bool {
	given, err := lifecycle.ParseID(lifecycle.Normalize(text))
	return err == nil && given == id
}

// sourceDocument is the source for a patch to work on: what answers show of it,
// and the owner.
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

// attributeDocument is the schema attribute for a patch to work on. Unlike in
// answers, an empty helpText or placeholder is there, so that it can be replaced.
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

// recordDocument is the record for a patch to work on, as answers show it.
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
