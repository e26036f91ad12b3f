package document

import "gatehouse/lifecycle"

// Names of the members of an extension, and of a decision about one.
const (
	RecordIDs       = "recordIds"
	Filters         = "filters"
	RejectedRecords = "rejectedRecords"
)

// Extension reads the fields of an extension.
func (d Document) Extension() lifecycle.ExtensionInput {
	r := d.reader()
	in := lifecycle.ExtensionInput{
		SourceID: r.text(SourceID), EndDate: r.text(EndDate), RecordIDs: r.texts(RecordIDs),
		Filters: r.text(Filters), Comment: r.text(Comment),
	}
	in.Faults = r.faults
	return in
}

// RejectedRecords reads the records that a decision takes out of an extension; nil
// if there are none. What is no string is the empty one.
func (d Document) RejectedRecords() ([]string, lifecycle.Faults) {
	r := d.reader()
	return r.texts(RejectedRecords), r.faults
}
