package lifecycle

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// PolicySchedule says when something of an approval policy is done again and again.
type PolicySchedule struct {
	// Every is the time from one to the next; zero where Cron says it.
	Every time.Duration
	Cron  Cron
}

// Bounds of PolicySchedule.Every.
const (
	minEvery = time.Hour
	maxEvery = MaxTimeoutDays * 24 * time.Hour
)

const everyPrefix = "@every "

// ParseSchedule reads "@every" with a duration of Go, such as 36h or 1h30m, from
// one hour to [MaxTimeoutDays] days, or what [ParseCron] reads. Anything else is
// KindIllegalValue about the field "schedule".
func ParseSchedule(text string) (PolicySchedule, error) {
	const field = "schedule"
	text = strings.Join(strings.Fields(text), " ")
	if duration, ok := strings.CutPrefix(text, everyPrefix); ok {
		every, err := time.ParseDuration(duration)
		if err != nil || every < minEvery || every > maxEvery || every%time.Second != 0 {
			return PolicySchedule{}, FieldError(KindIllegalValue, field,
				fmt.Sprintf("%s must have a duration from 1h to %dh behind @every", field, int(maxEvery.Hours())))
		}
		return PolicySchedule{Every: every}, nil
	}
	cron, err := ParseCron(text)
	if err != nil {
		return PolicySchedule{}, renamed(err, "cron", field)
	}
	return PolicySchedule{Cron: cron}, nil
}

// renamed is a fault about what is called name, as one about field.
func renamed(err error, name, field string) error {
	fault, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	return FieldError(fault.Kind, field, field+strings.TrimPrefix(fault.Message, name))
}
