package lifecycle_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// span lists the numbers from first to last.
func span(first, last int) []int {
	var all []int
	for i := first; i <= last; i++ {
		all = append(all, i)
	}
	return all
}

func TestACronIsReadAsCrontabReadsIt(t *testing.T) {
	t.Parallel()
	every := lifecycle.Cron{
		Minutes: span(0, 59), Hours: span(0, 23), Days: span(1, 31), Months: span(1, 12), Weekdays: span(0, 6),
	}
	with := func(change func(*lifecycle.Cron)) lifecycle.Cron {
		c := every
		change(&c)
		return c
	}
	for text, want := range map[string]lifecycle.Cron{
		"* * * * *":         every,
		"  *\t* *   * *":    every,
		"0-59 0-23 * */1 *": every,
		"* * * * 0-7":       every,
		"5 * * * *":         with(func(c *lifecycle.Cron) { c.Minutes = []int{5} }),
		"05 * * * *":        with(func(c *lifecycle.Cron) { c.Minutes = []int{5} }),
		"*/20 * * * *":      with(func(c *lifecycle.Cron) { c.Minutes = []int{0, 20, 40} }),
		"*/99 * * * *":      with(func(c *lifecycle.Cron) { c.Minutes = []int{0} }),
		"5/20 * * * *":      with(func(c *lifecycle.Cron) { c.Minutes = []int{5, 25, 45} }),
		"5-30/10 * * * *":   with(func(c *lifecycle.Cron) { c.Minutes = []int{5, 15, 25} }),
		"7,3,3-5,7 * * * *": with(func(c *lifecycle.Cron) { c.Minutes = []int{3, 4, 5, 7} }),
		"* 22-23 * * *":     with(func(c *lifecycle.Cron) { c.Hours = []int{22, 23} }),
		"* * * feb,OCT-dec *": with(func(c *lifecycle.Cron) {
			c.Months = []int{2, 10, 11, 12}
		}),
		"@daily": with(func(c *lifecycle.Cron) { c.Minutes, c.Hours = []int{0}, []int{0} }),
		" @weekly\t": with(func(c *lifecycle.Cron) {
			c.Minutes, c.Hours, c.Weekdays = []int{0}, []int{0}, []int{0}
		}),
		"* * * * mon-FRI": with(func(c *lifecycle.Cron) { c.Weekdays = span(1, 5) }),
		"* * * * 7":       with(func(c *lifecycle.Cron) { c.Weekdays = []int{0} }),
		"* * * * 0,7":     with(func(c *lifecycle.Cron) { c.Weekdays = []int{0} }),
		"* * * * 5-7":     with(func(c *lifecycle.Cron) { c.Weekdays = []int{0, 5, 6} }),
		"* * 29 2 *":      with(func(c *lifecycle.Cron) { c.Days, c.Months = []int{29}, []int{2} }),
		"* * 31 2,3 *":    with(func(c *lifecycle.Cron) { c.Days, c.Months = []int{31}, []int{2, 3} }),
		"* * 13 * 5":      with(func(c *lifecycle.Cron) { c.Days, c.Weekdays, c.EitherDay = []int{13}, []int{5}, true }),
		"* * 31 2 5": with(func(c *lifecycle.Cron) {
			c.Days, c.Months, c.Weekdays, c.EitherDay = []int{31}, []int{2}, []int{5}, true
		}),
		"* * */15 * 5": with(func(c *lifecycle.Cron) { c.Days, c.Weekdays = []int{1, 16, 31}, []int{5} }),
		"* * 13 * */6": with(func(c *lifecycle.Cron) { c.Days, c.Weekdays = []int{13}, []int{0, 6} }),
	} {
		got, err := lifecycle.ParseCron(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestWhatIsNoCronIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "* * * *", "* * * * * *", "@", "@Daily", "@daily @weekly", "@ daily", "@daily * * * *", "@monthly", "@every 1h", "TZ=UTC * * * * *", "CRON_TZ=UTC * * * *", "* * * * * # night",
		"60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *", "* * * 13 *", "* * * * 8",
		"-1 * * * *", "+1 * * * *", "1.5 * * * *", "a * * * *", "? * * * *", "001 * * * *", "٣ * * * *",
		", * * * *", "1, * * * *", ",1 * * * *", "1,,2 * * * *", "1- * * * *", "-5 * * * *", "*-5 * * * *", "1-2-3 * * * *",
		"5-1 * * * *", "1-60 * * * *", "*/0 * * * *", "*/ * * * *", "*/x * * * *", "*/-1 * * * *", "*/1/2 * * * *", "/5 * * * *",
		"jan * * * *", "* * * monday *", "* * * * january", "* * * * mo", "* * * * fri-mon",
		"* * 31 2 *", "* * 30,31 feb */2", "* * 31 4,6,9,11 *",
		"0," + strings.Repeat("0,", 200) + "0 * * * *",
	} {
		_, err := lifecycle.ParseCron(text)
		require.Error(t, err, text)
		require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err), text)
		var fault *lifecycle.Error
		require.ErrorAs(t, err, &fault)
		require.Equal(t, "cron", fault.Field, text)
	}
}

func FuzzParseCron(f *testing.F) {
	for _, text := range []string{"* * * * *", "*/15 2 1-7 jan,feb 0-7/2", "0 0 31 2 *", "x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := lifecycle.ParseCron(text)
		if err != nil {
			return
		}
		for _, list := range []struct {
			values   []int
			min, max int
		}{{c.Minutes, 0, 59}, {c.Hours, 0, 23}, {c.Days, 1, 31}, {c.Months, 1, 12}, {c.Weekdays, 0, 6}} {
			require.NotEmpty(t, list.values)
			require.True(t, slices.IsSorted(list.values))
			require.Len(t, slices.Compact(slices.Clone(list.values)), len(list.values))
			require.GreaterOrEqual(t, list.values[0], list.min)
			require.LessOrEqual(t, list.values[len(list.values)-1], list.max)
		}
	})
}

func TestATimeZoneHasAName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "EST5EDT", "W-SU", "America/Port-au-Prince"} {
		require.NoError(t, lifecycle.CheckZone(name), name)
	}
	for _, name := range []string{"", "Local", "Europe/Atlantis", "+02:00", "../UTC", "/etc/localtime", "CEST", "Europe/Berlin ",
		"localtime", "posixrules", "posix/UTC", "right/Europe/Berlin", "europe/berlin", "Europe//Berlin"} {
		err := lifecycle.CheckZone(name)
		require.Error(t, err, name)
		require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err), name)
	}
}
