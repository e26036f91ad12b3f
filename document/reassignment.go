package document

import "gatehouse/lifecycle"

// NewOwner is the member that says to whom an approval item goes.
const NewOwner = "newOwner"

// Reassignment reads to whom an approval item is to go, and why.
func (d Document) Reassignment() lifecycle.ReassignInput {
	r := d.reader()
	in := lifecycle.ReassignInput{NewOwner: r.typedReference(NewOwner), Comment: r.text(Comment)}
	in.Faults = r.faults
	return in
}

// typedReference is an id, bare or in an object with a type; nil where it is absent.
func (r *reader) typedReference(name string) *lifecycle.ReferenceInput {
	if r.object[name] == nil {
		return nil
	}
	reference, ok := referenceOf(r.object[name])
	if !ok {
		r.fault(name, name+" must be an id or an object with an id")
	}
	return &reference
}
