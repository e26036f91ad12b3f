package lifecycle

import (
	"fmt"
	"strings"
)

// DefaultKeptExports is ExportSchedule.Keep where the client does not say.
const DefaultKeptExports = 7

// DefaultZone is ExportSchedule.Zone where the client does not say.
const DefaultZone = "UTC"

// ScheduleInput is what a client sent of a schedule of exports. nil is absent.
type ScheduleInput struct {
	Cron, Zone *string
	Keep       *int
	// Faults is what was wrong while the input was read, to be told with the
	// rest.
	Faults Faults
}

// Judge normalises and judges a schedule and returns all the faults there are:
// those found while reading first. cron is required; it is what [ParseCron]
// reads, zone what [CheckZone] knows.
//
// Kinds: KindRequired, and KindIllegalValue for the rest.
func (in ScheduleInput) Judge() (ExportSchedule, Faults) {
	j := newJudge(in.Faults)
	schedule := ExportSchedule{
		Cron: j.text("cron", in.Cron, nameRule),
		Zone: j.text("zone", in.Zone, textRule{max: MaxTextLength, optional: true}),
		Keep: DefaultKeptExports,
	}
	if schedule.Cron != "" {
		_, err := ParseCron(schedule.Cron)
		j.note(err)
		schedule.Cron = strings.Join(strings.Fields(schedule.Cron), " ")
	}
	if schedule.Zone == "" {
		schedule.Zone = DefaultZone
	}
	j.note(CheckZone(schedule.Zone))
	if in.Keep != nil {
		schedule.Keep = *in.Keep
	}
	if schedule.Keep < 1 || schedule.Keep > MaxKeptExports {
		j.faults.Add(KindIllegalValue, "keep", fmt.Sprintf("keep must be from 1 to %d", MaxKeptExports))
	}
	return schedule, j.faults
}

// note adds a fault that was found elsewhere; nil is none.
func (j *judge) note(err error) { j.faults = j.faults.With(err) }
