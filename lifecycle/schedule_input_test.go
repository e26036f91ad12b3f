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
	require.EqualError(t, faults.Err(), "illegal_value: cron names a day that none of its months has; "+
		"zone must be a time zone such as Europe/Berlin; keep must be from 1 to 100;")

	_, faults = lifecycle.ScheduleInput{}.Judge()
	require.EqualError(t, faults.Err(), "required: cron is required;")
}

func TestAScheduleHasDefaults(t *testing.T) {
	t.Parallel()
	cron, empty := " 30  6 * * mon-fri ", " "
	schedule, faults := lifecycle.ScheduleInput{Cron: &cron, Zone: &empty}.Judge()
	require.Empty(t, faults)
	require.Equal(t, lifecycle.ExportSchedule{Cron: "30 6 * * mon-fri", Zone: "UTC", Keep: lifecycle.DefaultKeptExports}, schedule)
}

func TestCronExpressions(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"* * * * *", "0 6 * * 1", "0,30 0-23/2 1-31 1-12 0-7", "*/15 * * * *", "5/20 * * JAN,jul *", "0 0 29 2 *",
		"0 0 31 4,5 *", "59 23 31 12 7", "0 0 * * SUN-SAT",
	} {
		_, faults := lifecycle.ScheduleInput{Cron: &good}.Judge()
		require.Empty(t, faults, good)
	}
	for _, bad := range []string{
		"* * * *", "* * * * * *", "@daily", "@every 1m", "TZ=UTC * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *",
		"* * 32 * *", "* * * 0 *", "* * * 13 *", "* * * * 8", "-1 * * * *", "+1 * * * *", "1- * * * *", "5-1 * * * *",
		"*/0 * * * *", "*/ * * * *", "*/60 * * * *", "1//2 * * * *", "1,,2 * * * *", ", * * * *", "? * * * *", "* * L * *",
		"* * * * MONDAY", "JAN * * * *", "0 0 31 4,6 *", "0 0 30 FEB *", "1.5 * * * *", "99999999999999999999 * * * *",
	} {
		_, faults := lifecycle.ScheduleInput{Cron: &bad}.Judge()
		require.Len(t, faults, 1, bad)
		require.Equal(t, "cron", faults[0].Field)
	}
}

func TestAZoneIsOneThatEveryMachineKnows(t *testing.T) {
	t.Parallel()
	cron := "* * * * *"
	for zone, good := range map[string]bool{
		"UTC": true, "Europe/Berlin": true, "America/Argentina/Buenos_Aires": true,
		"Local": false, "../etc/passwd": false, "CEST": false, "+02:00": false, "Europe": false,
	} {
		_, faults := lifecycle.ScheduleInput{Cron: &cron, Zone: &zone}.Judge()
		require.Equal(t, good, len(faults) == 0, zone)
	}
}
