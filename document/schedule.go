package document

import (
	"encoding/json"
	"strconv"

	"gatehouse/lifecycle"
)

// Names of the members of a schedule of exports.
const (
	Cron = "cron"
	Zone = "zone"
	Keep = "keep"
)

// Schedule reads the fields of a schedule of exports.
func (d Document) Schedule() lifecycle.ScheduleInput {
	r := d.reader()
	in := lifecycle.ScheduleInput{Cron: r.text(Cron), Zone: r.text(Zone), Keep: r.integer(Keep)}
	in.Faults = r.faults
	return in
}

func (r *reader) integer(name string) *int {
	switch v := r.object[name].(type) {
	case nil:
		return nil
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return &n
		}
	}
	r.fault(name, name+" must be a whole number")
	return nil
}
