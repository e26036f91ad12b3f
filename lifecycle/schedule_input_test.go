package lifecycle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func TestAScheduleIsJudgedAllAtOnce(t *testing.T) {
	t.Parallel()
	cron, zone, keep := "0 0 30 2 *", "Middle/Earth", 101
	_, faults := lifecycle.ScheduleInput{Cron: &cron, Zone: &zone, Keep: &keep}.Judge()
	require.Len(t, faults, 3)
	require.EqualError(t, faults.Err(), "illegal_value: cron names a day that no month has; "+
		"zone must be an IANA time zone such as Europe/Berlin; keep must be from 1 to 100;")

	_, faults = lifecycle.ScheduleInput{}.Judge()
	require.EqualError(t, faults.Err(), "required: cron is required;")
}

func TestAScheduleHasDefaults(t *testing.T) {
	t.Parallel()
	cron, empty := " 30  6 * * mon-fri ", " "
	schedule, faults := lifecycle.ScheduleInput{Cron: &cron, Zone: &empty}.Judge()
	require.Empty(t, faults)
	require.Equal(t, lifecycle.ExportSchedule{Cron: "30 6 * * mon-fri", Zone: "UTC", Keep: lifecycle.DefaultKeptExports}, schedule)

	cron = " @weekly"
	schedule, faults = lifecycle.ScheduleInput{Cron: &cron}.Judge()
	require.Empty(t, faults)
	require.Equal(t, "@weekly", schedule.Cron, "it is answered as it was given")
}
