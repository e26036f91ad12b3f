package store

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"gatehouse/lifecycle"
)

const attributeColumns = `a.id, a.source_id, a.type, a.technical_name, a.label, a.help_text, a.placeholder,
	a.required, a.system, a.position, a.created, a.modified`

func attributeDest(a *lifecycle.SchemaAttribute) []any {
	return []any{
		&a.ID, &a.SourceID, &a.Type, &a.TechnicalName, &a.Label, &a.HelpText, &a.Placeholder,
		&a.Required, &a.System, &a.Position, &a.Created, &a.Modified,
	}
}

func insertAttributes(ctx context.Context, tx bun.Tx, attributes []lifecycle.SchemaAttribute) error {
	if len(attributes) == 0 {
		return nil
	}
	rows := make(tuples, len(attributes))
	for i, a := range attributes {
		rows[i] = []any{
			a.ID, a.SourceID, string(a.Type), a.TechnicalName, lifecycle.Fold(a.TechnicalName), a.Label, a.HelpText,
			a.Placeholder, a.Required, a.System, a.Position, a.Created, a.Modified,
		}
	}
	return exec(ctx, tx, `INSERT INTO schema_attributes
		(id, source_id, type, technical_name, technical_name_folded, label, help_text, placeholder,
		required, system, position, created, modified) VALUES ?`, rows)
}

// ListAttributes returns the attributes of the source by position; KindNotFound
// for an unknown source.
func (s *Store) ListAttributes(ctx context.Context, source lifecycle.ID) (attributes []lifecycle.SchemaAttribute, err error) {
	defer s.done(ctx, "ListAttributes", time.Now(), &err)
	var a lifecycle.SchemaAttribute
	err = s.prepared(ctx, attributeDest(&a), strings.Replace(selectAttributes, "?", "$1", 1),
		func() error { attributes = append(attributes, inUTC(a)); return nil }, source.String())
	if err != nil || len(attributes) > 0 {
		return attributes, err
	}
	// Every source has its system attributes.
	return nil, missing()
}

// selectAttributes selects those of the source ?.
const selectAttributes = "SELECT " + attributeColumns + " FROM schema_attributes AS a WHERE a.source_id = ? ORDER BY a.position"

func listAttributes(ctx context.Context, tx bun.Tx, source lifecycle.ID) ([]lifecycle.SchemaAttribute, error) {
	var attributes []lifecycle.SchemaAttribute
	var a lifecycle.SchemaAttribute
	rows, err := tx.QueryContext(ctx, selectAttributes, source)
	err = each(rows, err, attributeDest(&a), func() error { attributes = append(attributes, inUTC(a)); return nil })
	return attributes, err
}

// inUTC is the attribute with its times in UTC.
func inUTC(a lifecycle.SchemaAttribute) lifecycle.SchemaAttribute {
	a.Created, a.Modified = a.Created.UTC(), a.Modified.UTC()
	return a
}

// GetAttribute returns one attribute of the source; KindNotFound if it has none
// with this id.
func (s *Store) GetAttribute(ctx context.Context, source, id lifecycle.ID) (attribute lifecycle.SchemaAttribute, err error) {
	defer s.done(ctx, "GetAttribute", time.Now(), &err)
	return getAttribute(ctx, s.db, source, id, "")
}

func getAttribute(ctx context.Context, db bun.IDB, source, id lifecycle.ID, lock bun.Safe) (lifecycle.SchemaAttribute, error) {
	var a lifecycle.SchemaAttribute
	found, err := row(ctx, db, attributeDest(&a), "SELECT "+attributeColumns+
		" FROM schema_attributes AS a WHERE a.id = ? AND a.source_id = ? ?", id, source, lock)
	if err != nil {
		return lifecycle.SchemaAttribute{}, err
	}
	if !found {
		return lifecycle.SchemaAttribute{}, missing()
	}
	a.Created, a.Modified = a.Created.UTC(), a.Modified.UTC()
	return a, nil
}

// CreateAttribute adds a custom attribute at the end and returns it with its
// Position. Errors: KindNotFound for an unknown source, KindLimit beyond
// MaxCustomAttributes, KindConflict for a technicalName that the source has
// without regard to case.
func (s *Store) CreateAttribute(ctx context.Context, attribute lifecycle.SchemaAttribute) (created lifecycle.SchemaAttribute, err error) {
	defer s.done(ctx, "CreateAttribute", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		if err := lockSource(ctx, tx, attribute.SourceID); err != nil {
			return err
		}
		var custom int
		if _, err := row(ctx, tx, []any{&custom, &attribute.Position},
			`SELECT count(*) FILTER (WHERE NOT system), coalesce(max(position) + 1, 0)
			FROM schema_attributes WHERE source_id = ?`, attribute.SourceID); err != nil {
			return err
		}
		if custom >= lifecycle.MaxCustomAttributes {
			return lifecycle.TooManyAttributes()
		}
		if err := insertAttributes(ctx, tx, []lifecycle.SchemaAttribute{attribute}); err != nil {
			return err
		}
		change := attributeChange(lifecycle.ActionCreate, attribute)
		change.After = auditedAttribute(attribute)
		return audit(ctx, tx, change)
	})
	if err != nil {
		return lifecycle.SchemaAttribute{}, err
	}
	return attribute, nil
}

// auditedAttribute is an attribute as the audit trail shows it.
func auditedAttribute(a lifecycle.SchemaAttribute) map[string]any {
	return map[string]any{
		"type": a.Type, "technicalName": a.TechnicalName, "label": a.Label, "helpText": a.HelpText,
		"placeholder": a.Placeholder, "required": a.Required,
	}
}

func attributeChange(action lifecycle.AuditAction, a lifecycle.SchemaAttribute) lifecycle.AuditChange {
	return lifecycle.AuditChange{Action: action, Object: lifecycle.ObjectAttribute, ID: a.ID.String(), Source: a.SourceID}
}

// UpdateAttribute applies change while the attribute is locked and keeps what
// it did to label, helpText, placeholder, required and modified. An error of
// change is returned as it is; KindNotFound as GetAttribute.
func (s *Store) UpdateAttribute(ctx context.Context, source, id lifecycle.ID, change func(*lifecycle.SchemaAttribute) error) (attribute lifecycle.SchemaAttribute, err error) {
	defer s.done(ctx, "UpdateAttribute", time.Now(), &err)
	err = s.inTx(ctx, func(tx bun.Tx) error {
		before, err := getAttribute(ctx, tx, source, id, "FOR UPDATE")
		if err != nil {
			return err
		}
		changed := before
		if err := change(&changed); err != nil {
			return err
		}
		attribute = before
		attribute.Label, attribute.HelpText = changed.Label, changed.HelpText
		attribute.Placeholder, attribute.Required = changed.Placeholder, changed.Required
		if attribute.Modified = changed.Modified; !attribute.Modified.After(before.Modified) {
			attribute.Modified = later(now(), before.Modified)
		}
		if err := exec(ctx, tx, `UPDATE schema_attributes
			SET label = ?, help_text = ?, placeholder = ?, required = ?, modified = ? WHERE id = ?`,
			attribute.Label, attribute.HelpText, attribute.Placeholder, attribute.Required, attribute.Modified, id); err != nil {
			return err
		}
		told := attributeChange(lifecycle.ActionUpdate, before)
		told.Before, told.After = auditedAttribute(before), auditedAttribute(attribute)
		return audit(ctx, tx, told)
	})
	if err != nil {
		return lifecycle.SchemaAttribute{}, err
	}
	return attribute, nil
}

// DeleteAttribute removes a custom attribute and strips its values from the
// source's records and requests. A system attribute is KindIllegalUpdate, an
// unknown one KindNotFound.
func (s *Store) DeleteAttribute(ctx context.Context, source, id lifecycle.ID) (err error) {
	defer s.done(ctx, "DeleteAttribute", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		if err := lockSource(ctx, tx, source); err != nil {
			return err
		}
		attribute, err := getAttribute(ctx, tx, source, id, "")
		if err != nil {
			return err
		}
		if attribute.System {
			return lifecycle.NewError(lifecycle.KindIllegalUpdate, "A system attribute can't be deleted.")
		}
		return removeAttributes(ctx, tx, source, []lifecycle.SchemaAttribute{attribute})
	})
}

// DeleteAttributes does so with every custom attribute of the source; none is
// no error. KindNotFound for an unknown source.
func (s *Store) DeleteAttributes(ctx context.Context, source lifecycle.ID) (err error) {
	defer s.done(ctx, "DeleteAttributes", time.Now(), &err)
	return s.inTx(ctx, func(tx bun.Tx) error {
		if err := lockSource(ctx, tx, source); err != nil {
			return err
		}
		all, err := listAttributes(ctx, tx, source)
		if err != nil {
			return err
		}
		var custom []lifecycle.SchemaAttribute
		for _, attribute := range all {
			if !attribute.System {
				custom = append(custom, attribute)
			}
		}
		return removeAttributes(ctx, tx, source, custom)
	})
}

// removeAttributes needs the source locked. Locking its counters too keeps
// everybody from writing a value under the old schema while values are stripped,
// for which there is as much time as for a statement over a file: there may be as
// many records.
func removeAttributes(ctx context.Context, tx bun.Tx, source lifecycle.ID, attributes []lifecycle.SchemaAttribute) error {
	if len(attributes) == 0 {
		return nil
	}
	if _, err := lockCounters(ctx, tx, source, forRemoving); err != nil {
		return err
	}
	ids, names := make(idList, len(attributes)), make(texts, len(attributes))
	for i, attribute := range attributes {
		ids[i], names[i] = attribute.ID, attribute.TechnicalName
	}
	if err := exec(ctx, tx, "DELETE FROM schema_attributes WHERE id = ANY (?)", ids); err != nil {
		return err
	}
	if err := tune(ctx, tx, bulk(nil)...); err != nil {
		return err
	}
	stripped := map[string]any{}
	for _, table := range []bun.Safe{"requests", "records"} {
		n, err := affected(ctx, tx, "UPDATE ?0 SET data = data - ?1 WHERE source_id = ?2 AND jsonb_exists_any(data, ?1)",
			table, names, source)
		if err != nil {
			return err
		}
		stripped[string(table)] = n
	}
	changes := make([]lifecycle.AuditChange, len(attributes))
	for i, attribute := range attributes {
		changes[i] = attributeChange(lifecycle.ActionDelete, attribute)
		changes[i].Before = auditedAttribute(attribute)
		changes[i].Facts = map[string]any{"stripped": stripped, "together": len(attributes)}
	}
	return audit(ctx, tx, changes...)
}
