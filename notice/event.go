package notice

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"gatehouse/lifecycle"
)

// Version is that of the schemas of all events. A field that is added is none; one
// that changes its meaning or goes is a new one.
const Version = 1

// eventSource is the "source" of every CloudEvent.
const eventSource = "urn:gatehouse"

// MaxRecords bounds the ids of records in an event. Where there are more,
// recordCount tells.
const MaxRecords = 1000

// Type is the CloudEvents type of an event.
func Type(event lifecycle.EventType) string { return fmt.Sprintf("gatehouse.%s.v%d", event, Version) }

// SchemaID is the URI of the schema of an event's data.
func SchemaID(event lifecycle.EventType) string {
	return fmt.Sprintf("urn:gatehouse:schema:%s:v%d", event, Version)
}

// cloudEvent is a CloudEvent 1.0 in the JSON format.
type cloudEvent struct {
	SpecVersion     string         `json:"specversion"`
	ID              lifecycle.ID   `json:"id"`
	Source          string         `json:"source"`
	Type            string         `json:"type"`
	Subject         string         `json:"subject,omitempty"`
	Time            string         `json:"time"`
	DataContentType string         `json:"datacontenttype"`
	DataSchema      string         `json:"dataschema"`
	Data            map[string]any `json:"data"`
}

// Event is the event as a CloudEvent 1.0 in JSON. Its data are those that the
// event's schema names and no others: ids, codes, counts and dates.
func Event(n lifecycle.Notice) ([]byte, error) {
	fields, ok := events[n.Type]
	if !ok {
		return nil, fmt.Errorf("%q is no event", string(n.Type))
	}
	data := map[string]any{}
	for name, f := range fields {
		value, err := f.kind.value(f.from(n, name))
		if err != nil {
			return nil, fmt.Errorf("the field %s of %s: %w", name, n.Type, err)
		}
		switch {
		case value != nil:
			data[name] = value
		case f.required:
			return nil, fmt.Errorf("the field %s of %s is missing", name, n.Type)
		}
	}
	e := cloudEvent{
		SpecVersion: "1.0", ID: n.EventID, Source: eventSource, Type: Type(n.Type), Time: n.Occurred.UTC().Format(time.RFC3339Nano),
		DataContentType: "application/json", DataSchema: SchemaID(n.Type), Data: data,
	}
	if !n.RequestID.IsZero() {
		e.Subject = n.RequestID.String()
	}
	return json.Marshal(e)
}

// kind is what a field holds: its JSON schema, and how a value of it is written,
// nil for none.
type kind struct {
	schema map[string]any
	value  func(any) (any, error)
}

// field is a field of an event's data.
type field struct {
	kind     kind
	required bool
	doc      string
	from     func(n lifecycle.Notice, name string) any
}

func must(f field) field {
	f.required = true
	return f
}

var (
	idKind = kind{map[string]any{"type": "string", "format": "uuid"}, func(v any) (any, error) {
		switch id := v.(type) {
		case lifecycle.ID:
			if id.IsZero() {
				return nil, nil //nolint:nilnil // no value
			}
			return id.String(), nil
		case string:
			parsed, err := lifecycle.ParseID(id)
			return parsed.String(), err
		}
		return none(v)
	}}
	countKind = kind{map[string]any{"type": "integer", "minimum": 0}, func(v any) (any, error) {
		switch n := v.(type) {
		case int:
			return n, nil
		case float64:
			if n < 0 || n != float64(int64(n)) {
				return nil, fmt.Errorf("%v is no count", n)
			}
			return int64(n), nil
		}
		return none(v)
	}}
	timeKind = kind{map[string]any{"type": "string", "format": "date-time"}, func(v any) (any, error) {
		text, ok := v.(string)
		if !ok {
			return none(v)
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		return at.UTC().Format(time.RFC3339Nano), err
	}}
	codeKind = kind{map[string]any{"type": "string", "pattern": "^[A-Za-z0-9_]{1,64}$"}, func(v any) (any, error) {
		var text string
		switch c := v.(type) {
		case string:
			text = c
		case lifecycle.ApprovalStatus:
			text = string(c)
		case lifecycle.ReassignmentType:
			text = string(c)
		default:
			return none(v)
		}
		if text == "" {
			return nil, nil //nolint:nilnil // no value
		}
		if !isCode(text) {
			return nil, fmt.Errorf("it is no code")
		}
		return text, nil
	}}
	flagKind = kind{map[string]any{"type": "boolean"}, func(v any) (any, error) {
		if flag, ok := v.(bool); ok {
			return flag, nil
		}
		return none(v)
	}}
	idsKind = kind{map[string]any{"type": "array", "maxItems": MaxRecords, "items": idKind.schema}, func(v any) (any, error) {
		if ids, ok := v.([]string); ok {
			return ids, nil
		}
		return none(v)
	}}
	approverKind = kind{map[string]any{
		"type": "object", "additionalProperties": false, "required": []string{"id", "type"},
		"properties": map[string]any{
			"id":   idKind.schema,
			"type": map[string]any{"type": "string", "enum": []string{"IDENTITY", "GOVERNANCE_GROUP"}},
		},
	}, func(v any) (any, error) {
		if approver, ok := v.(map[string]any); ok {
			return approver, nil
		}
		return none(v)
	}}
	approversKind = kind{map[string]any{"type": "array", "items": approverKind.schema}, func(v any) (any, error) {
		if approvers, ok := v.([]map[string]any); ok {
			return approvers, nil
		}
		return none(v)
	}}
)

// none is for a value that is not there; any other is of the wrong kind.
func none(v any) (any, error) {
	if v == nil {
		return nil, nil //nolint:nilnil // no value
	}
	return nil, fmt.Errorf("it can't be a %T", v)
}

func isCode(text string) bool {
	for _, c := range text {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return len(text) <= 64
}

// fact is a field that the event carries itself.
func fact(k kind, doc string) field {
	return field{kind: k, doc: doc, from: func(n lifecycle.Notice, name string) any { return n.Facts[name] }}
}

// known is a field that is looked up, missing where its object is gone.
func known(k kind, doc string, from func(v *View) any) field {
	return field{kind: k, doc: doc, from: func(n lifecycle.Notice, _ string) any {
		return from(newView(n, lifecycle.Recipient{}, ""))
	}}
}

func approver(item lifecycle.NoticeItem) map[string]any {
	return map[string]any{"id": item.Approver.ID.String(), "type": string(item.Type)}
}

func ofItem(get func(v *View) any) func(v *View) any {
	return func(v *View) any {
		if v.Item == nil {
			return nil
		}
		return get(v)
	}
}

func ofRequest(get func(q *lifecycle.NoticeRequest) any) func(v *View) any {
	return func(v *View) any {
		if v.Request == nil {
			return nil
		}
		return get(v.Request)
	}
}

func ofMove(get func(m *lifecycle.NoticeMove) any) func(v *View) any {
	return func(v *View) any {
		if v.Move == nil {
			return nil
		}
		return get(v.Move)
	}
}

var (
	sourceField  = known(idKind, "The source.", func(v *View) any { return v.Source.ID })
	requestField = known(idKind, "The request.", func(v *View) any { return v.RequestID })
	itemField    = known(idKind, "The approval item.", func(v *View) any { return v.ItemID })
	countField   = known(countKind, "How many records an extension is about.", ofRequest(func(q *lifecycle.NoticeRequest) any {
		if !q.Extension {
			return nil
		}
		return q.Records
	}))
	kindField = known(codeKind, "What is asked for: CREATION or EXTENSION.", ofRequest(func(q *lifecycle.NoticeRequest) any {
		if q.Extension {
			return "EXTENSION"
		}
		return "CREATION"
	}))
	requesterField = known(idKind, "The identity that asked; missing where an application did.",
		ofRequest(func(q *lifecycle.NoticeRequest) any { return q.Requester.ID }))
	reasonField    = known(codeKind, "Why, a code.", func(v *View) any { return v.Reason })
	approverField  = known(approverKind, "Who has the item.", ofItem(func(v *View) any { return approver(*v.Item) }))
	positionField  = known(countKind, "The position of the item in the order of approvers, counted from 1.", ofItem(func(v *View) any { return v.Position }))
	approvalsField = known(countKind, "How many items the request has.", ofItem(func(v *View) any { return v.Of }))
	lastField      = known(flagKind, "Whether it is the last one.", ofItem(func(v *View) any { return v.Last }))
	recordsField   = known(idsKind, fmt.Sprintf("The records that are there still, at most %d.", MaxRecords), func(v *View) any {
		ids := []string{}
		for _, record := range v.Records[:min(len(v.Records), MaxRecords)] {
			ids = append(ids, record.ID.String())
		}
		return ids
	})
	stateField       = fact(codeKind, "The state that the records are in now, REMOVED for those that are gone.")
	toField          = fact(codeKind, "Whom this event is for: ACCOUNT_MANAGERS, OWNER, REQUESTER, or MANAGER for one manager and their records.")
	recordCountField = known(countKind, "How many records it is about, all of them.", func(v *View) any { return v.RecordCount })
)

// about puts the fields of a request's event before others.
func about(more map[string]field) map[string]field {
	fields := map[string]field{"request": must(requestField), "source": sourceField, "kind": kindField, "requester": requesterField, "recordCount": countField}
	maps.Copy(fields, more)
	return fields
}

func aboutItem(more map[string]field) map[string]field {
	fields := map[string]field{
		"item": must(itemField), "approver": approverField, "position": positionField, "approvals": approvalsField, "last": lastField,
		"timesOut": known(timeKind, "When the item times out if nobody decides; missing where it does not.", ofRequest(func(q *lifecycle.NoticeRequest) any {
			if q.TimesOut.IsZero() {
				return nil
			}
			return q.TimesOut.UTC().Format(time.RFC3339Nano)
		})),
	}
	maps.Copy(fields, more)
	return about(fields)
}

func aboutRecords(more map[string]field) map[string]field {
	fields := map[string]field{"source": sourceField, "records": must(recordsField), "recordCount": must(recordCountField)}
	maps.Copy(fields, more)
	return fields
}

func moved() map[string]field {
	return aboutItem(map[string]field{
		"move": known(codeKind, "The kind of the move, as in the item's history.", ofMove(func(m *lifecycle.NoticeMove) any { return m.Type })),
		"from": known(idKind, "Who had the item.", ofMove(func(m *lifecycle.NoticeMove) any { return m.From.ID })),
		"to":   known(idKind, "Who has it now.", ofMove(func(m *lifecycle.NoticeMove) any { return m.To.ID })),
	})
}

// events are the data of each event.
var events = map[lifecycle.EventType]map[string]field{
	lifecycle.EventRequestMade: about(map[string]field{
		"approvers": known(approversKind, "Who will have to decide, in order.", ofRequest(func(q *lifecycle.NoticeRequest) any {
			approvers := []map[string]any{}
			for _, item := range q.Items {
				approvers = append(approvers, approver(item))
			}
			return approvers
		})),
	}),
	lifecycle.EventDecisionNeeded: aboutItem(nil),
	lifecycle.EventRequestDecided: about(map[string]field{
		"status": known(codeKind, "APPROVED or REJECTED.", ofRequest(func(q *lifecycle.NoticeRequest) any { return q.Status })),
	}),
	lifecycle.EventRequestCancelled: about(map[string]field{"reason": reasonField}),
	lifecycle.EventReminder: aboutItem(map[string]field{
		"number": fact(countKind, "The number of the reminder to this approver."),
	}),
	lifecycle.EventEscalated:  moved(),
	lifecycle.EventDelegated:  moved(),
	lifecycle.EventReassigned: moved(),
	lifecycle.EventExpiring: aboutRecords(map[string]field{
		"days": fact(countKind, "The rung of the warning ladder: so many days before the end."), "state": stateField, "to": toField,
	}),
	lifecycle.EventExpired: aboutRecords(map[string]field{
		"state": stateField, "to": toField, "action": fact(codeKind, "What the source does to records at their end: NONE, SUSPEND or REMOVE."),
		"graceDays": fact(countKind, "How many days after the end it does so."),
	}),
	lifecycle.EventExtended: aboutRecords(map[string]field{
		"endDate": fact(timeKind, "The new end date, where it is one for all."), "to": toField,
		"extension": known(idKind, "The extension.", func(v *View) any { return v.RequestID }),
		"approved":  fact(countKind, "How many records it changed."), "rejected": fact(countKind, "How many were taken out of it."),
		"skipped": fact(countKind, "How many it could not change."),
	}),
	lifecycle.EventEnded: aboutRecords(map[string]field{
		"reason": reasonField, "state": stateField, "to": toField, "by": fact(idKind, "The identity that ended it; missing where an application did."),
	}),
	lifecycle.EventImportFinished: {
		"source": sourceField, "import": must(fact(idKind, "The import.")),
		"status": must(fact(codeKind, "COMPLETED, ERROR or CANCELLED.")),
		"total":  must(fact(countKind, "All rows.")), "done": must(fact(countKind, "Rows that were gone through.")),
		"created": must(fact(countKind, "Records that were made.")), "updated": must(fact(countKind, "Records that were changed.")),
		"unchanged": must(fact(countKind, "Rows that changed nothing.")), "failed": must(fact(countKind, "Rows that could not be taken.")),
	},
	lifecycle.EventExportFinished: {
		"source": sourceField, "export": must(fact(idKind, "The export.")), "schedule": must(fact(idKind, "The schedule that made it.")),
		"rows": must(fact(countKind, "Rows in the file.")), "bytes": must(fact(countKind, "The length of the file.")),
	},
	lifecycle.EventExportFailed: {
		"source": sourceField, "export": must(fact(idKind, "The export.")), "schedule": must(fact(idKind, "The schedule that made it.")),
	},
}

// Schema is the JSON Schema (2020-12) of the data of an event.
func Schema(event lifecycle.EventType) ([]byte, error) {
	properties, required := map[string]any{}, []string{}
	for name, f := range events[event] {
		property := map[string]any{"description": f.doc}
		maps.Copy(property, f.kind.schema)
		properties[name] = property
		if f.required {
			required = append(required, name)
		}
	}
	slices.Sort(required)
	text, err := json.MarshalIndent(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SchemaID(event), "title": Type(event),
		"type": "object", "properties": properties, "required": required,
	}, "", "  ")
	return append(text, '\n'), err
}
