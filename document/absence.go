package document

import "gatehouse/lifecycle"

// Deputy is the member that says who decides during an absence.
const Deputy = "deputy"

// Absence reads the fields of an absence. The deputy may be an id or an object
// with an id.
func (d Document) Absence() lifecycle.AbsenceInput {
	r := d.reader()
	in := lifecycle.AbsenceInput{Deputy: r.reference(Deputy), Start: r.text(StartDate), End: r.text(EndDate)}
	in.Faults = r.faults
	return in
}
