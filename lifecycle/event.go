package lifecycle

// EventType names what people and other systems are told of. The values stand in
// the outbox and in histories and never change.
type EventType string

// The events.
const (
	// EventRequestMade goes to the requester: who will have to decide.
	EventRequestMade EventType = "request_made"
	// EventDecisionNeeded goes to the approver of an item that has become PENDING.
	EventDecisionNeeded EventType = "decision_needed"
	// EventRequestDecided and EventRequestCancelled go to the requester; the latter
	// carries the reason.
	EventRequestDecided   EventType = "request_decided"
	EventRequestCancelled EventType = "request_cancelled"
	// EventReminder goes to the approver who has not decided yet.
	EventReminder EventType = "reminder"
	// EventEscalated, EventDelegated and EventReassigned go to whoever has an item
	// now and to whoever had it: by the policy's chain or its fallback, by an
	// absence, by a person.
	EventEscalated  EventType = "escalated"
	EventDelegated  EventType = "delegated"
	EventReassigned EventType = "reassigned"
	// EventExpiring, EventExpired, EventExtended and EventEnded are about records and
	// go to account managers and managers: a rung of the warning ladder, the end and
	// what the source does at it, a new end date, an end before its time. Their fact
	// "state" is the LifecycleState of the records now, and "to" the WarnedRole by
	// which the recipients are told: a manager's event has their records alone.
	//
	// EventExpiring has "days", those of the rung, and like EventExpired "action" and
	// "graceDays", the EndPolicy. EventExpired is told at the end (EXPIRED), and again
	// when that is done (SUSPENDED, or REMOVED, when its Records are gone already); where
	// nobody looked meanwhile it is told once.
	EventExpiring EventType = "expiring"
	EventExpired  EventType = "expired"
	EventExtended EventType = "extended"
	// EventEnded has "by", the identity that ended the record, if one did. The reason is
	// the record's.
	EventEnded EventType = "ended"
	// EventImportFinished goes to who uploaded the file; EventExportFinished and
	// EventExportFailed, of scheduled exports, to the owner of the source.
	EventImportFinished EventType = "import_finished"
	EventExportFinished EventType = "export_finished"
	EventExportFailed   EventType = "export_failed"
)

// Event is something that people and other systems are to be told. It holds ids,
// codes, counts and dates alone; names are looked up when it is told.
type Event struct {
	Type EventType
	// Source is that of the object; zero for none.
	Source ID
	// Request and Item are zero where the event is about none.
	Request, Item ID
	// Key tells two events of a type about the same request and item apart, such as
	// the number of a reminder. Together they name the event: telling it again
	// is telling it once.
	Key string
	// Recipients are identities and workgroups; there may be none, or zero ones,
	// where only other systems are told. A person whom the event reaches more than
	// once, as a member of a group for example, is told once.
	Recipients []Reference
	// Records are those that it is about. Events with records are told apart by
	// their telling: two that have the same key and other recipients are two.
	Records []ID
	// Reason is a code; empty for most events.
	Reason string
	// Facts are further ids, codes, counts and dates.
	Facts map[string]any
}

// EventTypes lists all events.
func EventTypes() []EventType {
	return []EventType{
		EventRequestMade, EventDecisionNeeded, EventRequestDecided, EventRequestCancelled, EventReminder,
		EventEscalated, EventDelegated, EventReassigned, EventExpiring, EventExpired, EventExtended, EventEnded,
		EventImportFinished, EventExportFinished, EventExportFailed,
	}
}

// eventSpace is the name space of the ids of events.
var eventSpace = MustParseID("0f5a4c1e-7c1d-5b0c-9a55-6f0f5b7d2c90")

// EventID is the id of an event about a request, an item of it, or something that
// its key names.
func EventID(event EventType, request, item ID, key string) ID {
	return DeriveID(eventSpace, string(event), request.String(), item.String(), key)
}
