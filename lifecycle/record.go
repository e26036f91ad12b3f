package lifecycle

import "time"

// Person is what a source keeps of one non-employee, judged and normalised.
type Person struct {
	// AccountName is unique within a source without regard to case, across
	// records and pending requests together (contract §4).
	AccountName string
	FirstName   string
	LastName    string
	Phone       string
	Email       string
	// Manager is the identity that answers for this person.
	Manager ManagerReference
	// StartDate and EndDate are UTC, to the millisecond; EndDate is later.
	StartDate time.Time
	EndDate   time.Time
	// Data holds custom attributes by technicalName; never nil once judged.
	Data map[string]string
}

// ManagerReference is a manager: kept as the id, answered as the alias.
type ManagerReference struct {
	ID    ID
	Alias string
}

// Record is a non-employee in a source.
type Record struct {
	ID       ID
	SourceID ID
	Person
	Created  time.Time
	Modified time.Time
	// Lifecycle is where it stands; nil where nobody asked.
	Lifecycle *RecordLifecycle
}
