package lifecycle

import "time"

// Notice is an event with everything that is known of what it is about, at the
// moment when it is told. What is gone by then is missing: of a request that was
// deleted its id is left, of a record not even that.
type Notice struct {
	Type    EventType
	EventID ID
	// Addressee is the identity or the workgroup that the event is addressed to; zero
	// where only other systems are told.
	Addressee ID
	// Occurred is when it happened.
	Occurred time.Time
	// Source is zero where the event is of none; it has no name where it is gone.
	Source Named
	// RequestID and ItemID are zero where the event is about none.
	RequestID, ItemID ID
	// Request is nil where the event is about none, or where it is gone.
	Request *NoticeRequest
	// Move is how the item went from one to another; nil for most events.
	Move *NoticeMove
	// Records are those that are there still, by source and name.
	Records []NoticeRecord
	// RecordCount counts all of them.
	RecordCount int
	// Key, Reason and Facts are the event's own.
	Key, Reason string
	Facts       map[string]any
}

// NoticeRequest is a request as people are told of it.
type NoticeRequest struct {
	Status    ApprovalStatus
	Extension bool
	// Requester is empty where an application asked.
	Requester   Named
	AccountName string
	FirstName   string
	LastName    string
	Manager     Named
	StartDate   time.Time
	EndDate     time.Time
	Created     time.Time
	Reason      string
	// TimesOut is when the pending item times out by the policy of the request, if
	// nobody decides; zero for never.
	TimesOut time.Time
	// Records is how many records an extension gives or would give a later end, and Until their new end;
	// zero where they get ends of their own. Both are zero for any other request.
	Records int
	Until   time.Time
	// Items are in order.
	Items []NoticeItem
}

// NoticeItem is an approval item as people are told of it.
type NoticeItem struct {
	ID       ID
	Approver Named
	Type     ReferenceType
	Status   ApprovalStatus
	// DecidedBy is empty as long as nobody has.
	DecidedBy    Named
	Comment      string
	PendingSince time.Time
}

// NoticeMove is a move of an item from one approver to another.
type NoticeMove struct {
	Type     ReassignmentType
	From, To Named
	// By is empty where nobody in particular did it.
	By      Named
	Comment string
}

// NoticeRecord is a record as people are told of it.
type NoticeRecord struct {
	ID          ID
	Source      Named
	AccountName string
	FirstName   string
	LastName    string
	EndDate     time.Time
}

// Named is a person, a workgroup or a source by its name, which is empty where it
// is gone.
type Named struct {
	ID   ID
	Name string
}

// Recipient is the person whom a mail goes to.
type Recipient struct {
	ID            ID
	Name, Address string
	// Language is in the form of Accept-Language; empty where nobody said.
	Language string
}
