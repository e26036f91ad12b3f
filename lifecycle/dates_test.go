package lifecycle_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func TestParseDate(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2020-03-24":                          "2020-03-24T00:00:00.000Z",
		"2020-03-24T00:00:00Z":                "2020-03-24T00:00:00.000Z",
		"2020-03-24T11:11:41.139-05:00":       "2020-03-24T16:11:41.139Z",
		"2020-03-24T00:00:00+02:00":           "2020-03-23T22:00:00.000Z",
		"2019-08-23T18:40:35.772999999Z":      "2019-08-23T18:40:35.772Z",
		"2024-02-29":                          "2024-02-29T00:00:00.000Z",
		"9999-12-31T23:59:59.999Z":            "9999-12-31T23:59:59.999Z",
		"0001-01-02":                          "0001-01-02T00:00:00.000Z",
		"2020-03-24T00:00:00.000000000+00:00": "2020-03-24T00:00:00.000Z",
		"2020-03-24t11:11:41z":                "2020-03-24T11:11:41.000Z",
		"1990-12-31T23:59:60Z":                "1991-01-01T00:00:00.000Z",
		"1990-12-31T15:59:60.25-08:00":        "1991-01-01T00:00:00.250Z",
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			got, err := lifecycle.ParseDate(in)
			require.NoError(t, err)
			require.Equal(t, time.UTC, got.Location())
			require.Equal(t, want, lifecycle.FormatTime(got))
			again, err := lifecycle.ParseDate(lifecycle.FormatTime(got))
			require.NoError(t, err)
			require.Equal(t, got, again)
		})
	}
	for _, in := range []string{
		"", "today", "2020-13-01", "2020-02-30", "2023-02-29", "20200324", "24.03.2020", "2020-3-4",
		"2020-03-24 00:00:00Z", "2020-03-24T00:00:00", "2020-03-24T24:00:00Z", "2020-03-24T0:00:00Z",
		"2020-03-24T00:00:00,5Z", "2020-03-24T00:00:00+24:00", "1585008000", " 2020-03-24",
		"0000-01-01", "0001-01-01", "0001-01-01T00:00:00.0004Z", "10000-01-01", "-0001-01-01",
		"2020-03-24T23:59:60Z", "1990-12-31T23:59:60-08:00", "1990-12-31T23:58:60Z", "1990-12-31T23:59:61Z",
		"9999-12-31T23:59:60Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2020-03-24\x00",
	} {
		t.Run("refuses "+in, func(t *testing.T) {
			t.Parallel()
			_, err := lifecycle.ParseDate(in)
			require.ErrorIs(t, err, lifecycle.ErrNotADate)
		})
	}
}

func TestParseInstantIsExact(t *testing.T) {
	t.Parallel()
	got, err := lifecycle.ParseInstant("2019-08-23T20:40:35.772000001+02:00")
	require.NoError(t, err)
	require.Equal(t, time.Date(2019, 8, 23, 18, 40, 35, 772000001, time.UTC), got)
}

func TestFormats(t *testing.T) {
	t.Parallel()
	at := time.Date(2020, 3, 24, 23, 11, 41, 5e6, time.FixedZone("", -5*3600))
	require.Equal(t, "2020-03-25T04:11:41.005Z", lifecycle.FormatTime(at))
	require.Equal(t, "2020-03-25", lifecycle.FormatDate(at))
	require.Equal(t, "at 2020-03-25T04:11:41.005Z", string(lifecycle.AppendTime([]byte("at "), at)))
}

func FuzzFormatTime(f *testing.F) {
	f.Add(int64(0), int64(0))
	f.Add(int64(1585109501), int64(999_999_999))
	f.Add(int64(-62135596800), int64(1_000_000))
	f.Add(int64(253402300799), int64(999_000_000))
	f.Add(int64(253402300800), int64(0))
	f.Add(int64(-62167219201), int64(0))
	f.Fuzz(func(t *testing.T, seconds, nanoseconds int64) {
		at := time.Unix(seconds, nanoseconds)
		require.Equal(t, at.UTC().Format("2006-01-02T15:04:05.000Z"), lifecycle.FormatTime(at))
	})
}

// dateTime is the shape of RFC 3339.
var dateTime = regexp.MustCompile(
	`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{
		"", "2020-03-24", "2020-03-24T11:11:41.139-05:00", "0001-01-01T00:00:00Z", "2020-03-24T11:11:41",
		"2020-03-24T11:11:41.Z", "2020-03-24T11:11:41.5", "2020-03-24T11:11:41+24:00", "2020-03-24T11:11:41-23:59",
		"2020-03-24T11:11:41+10:60", "2020-03-24T11:11:41+1:000", "2020-03-24T11:11:41Zx", "2020-03-24T11:11:60Z",
		"1990-12-31t23:59:60.5z", "1990-12-31T15:59:60-08:00", "2020-03-24T1:11:41,5Z", "2020-03-24d11:11:41Z", "2020-03-24T11:11:41.0000000001+00:00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		layout, upper, leap := time.DateOnly, strings.ToUpper(text), time.Duration(0)
		if dateTime.MatchString(upper) {
			layout = time.RFC3339
			if upper[17:19] == "60" {
				upper, leap = upper[:17]+"59"+upper[19:], time.Second
			}
		}
		want, err := time.Parse(layout, upper)
		if want = want.UTC().Add(leap); leap > 0 && want.Format("02 15:04:05") != "01 00:00:00" {
			err = lifecycle.ErrNotADate
		}
		instant, notADate := lifecycle.ParseInstant(text)
		require.Equal(t, err == nil && !want.IsZero() && want.Year() >= 1 && want.Year() <= 9999, notADate == nil)
		if notADate == nil {
			require.Equal(t, want, instant)
		}
		got, err := lifecycle.ParseDate(text)
		if err != nil {
			require.ErrorIs(t, err, lifecycle.ErrNotADate)
			return
		}
		again, err := lifecycle.ParseDate(lifecycle.FormatTime(got))
		require.NoError(t, err)
		require.Equal(t, got, again)
		require.False(t, got.IsZero())
	})
}
