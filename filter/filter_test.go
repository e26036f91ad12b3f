package filter

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func TestParseGroupsAsTheContractSays(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		`accountName eq "x"`:                                                 `accountName eq "x"`,
		`accountName eq "X"`:                                                 `accountName eq "x"`,
		`accountName eq "a\"b\\c"`:                                           `accountName eq "a\"b\\c"`,
		`accountName in ("a","B")`:                                           `accountName in ("a","b")`,
		`accountName eq "a" or firstName eq "b" and email eq "c"`:            `accountName eq "a" or (firstName eq "b" and email eq "c")`,
		`not accountName eq "a" and firstName eq "b"`:                        `(not accountName eq "a") and firstName eq "b"`,
		`(accountName eq "a" or firstName eq "b") and email eq "c"`:          `(accountName eq "a" or firstName eq "b") and email eq "c"`,
		`not (accountName eq "a" or firstName eq "b")`:                       `not (accountName eq "a" or firstName eq "b")`,
		`  created   ge   2026-01-02T03:04:05Z  `:                            `created ge "2026-01-02T03:04:05Z"`,
		`sourceId eq "2C91808568C529C60168CCA6F90C1313"`:                     `sourceId eq "2c918085-68c5-29c6-0168-cca6f90c1313"`,
		`startDate lt "2026-02-28" and endDate gt 2026-02-28T00:00:00+01:00`: `startDate lt "2026-02-28" and endDate gt "2026-02-27T23:00:00Z"`,
	} {
		parsed, err := Parse(expression, Records)
		require.NoError(t, err, expression)
		reference, err := Parse(want, Records)
		require.NoError(t, err, want)
		require.Equal(t, reference, parsed, expression)
	}
	none, err := Parse("", Records)
	require.NoError(t, err)
	require.Nil(t, none)
}

func TestParseNamesThePlaceOfAMistake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expression, place string }{
		{`accountName`, "12"},
		{`accountName eq`, "15"},
		{`accountName EQ "x"`, "13"},
		{`accountName eq "x`, "16"},
		{`unknown eq "x"`, "1"},
		{`accountName gt "x"`, "13"},
		{`accountName eq "x" and`, "23"},
		{`(accountName eq "x"`, "20"},
		{`accountName in ()`, "17"},
		{`accountName eq "x" "y"`, "20"},
		{`created gt "yesterday"`, "12"},
		{`sourceId eq "x"`, "13"},
		{`accountName eq ';drop`, "16"},
	} {
		_, err := Parse(c.expression, Records)
		var fault *lifecycle.Error
		require.ErrorAs(t, err, &fault, c.expression)
		require.Equal(t, lifecycle.KindBadRequest, fault.Kind)
		require.Equal(t, "filters", fault.Field)
		require.Contains(t, fault.Message, c.place, c.expression)
	}
}

func TestParseIsBounded(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		strings.Repeat("(", 5_000) + `accountName eq "x"` + strings.Repeat(")", 5_000),
		strings.Repeat("not ", 5_000) + `accountName eq "x"`,
		`accountName eq "` + strings.Repeat("x", 1<<20) + `"`,
		`accountName in (` + strings.Repeat(`"x",`, 100_000) + `"x")`,
	} {
		_, err := Parse(expression, Records)
		require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err))
	}
}

func TestEachListHasItsFields(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		schema          Schema
		filters, refuse string
		sorters         string
	}{
		{"sources", Sources, "", `name eq "x"`, "name,created,sourceId"},
		{"records", Records, `manager eq "jane.doe"`, `phone eq "1"`, "id,accountName,sourceId,manager,firstName,lastName,email,phone,startDate,endDate,created,modified"},
		{"requests", Requests, `approvalStatus eq "PENDING"`, `firstName eq "x"`, "created,approvalStatus,firstName,lastName,email,phone,accountName,startDate,endDate"},
		{"approvals", Approvals, `approvalStatus eq "PENDING"`, `sourceId eq "x"`, "created,modified"},
	} {
		if c.filters != "" {
			_, err := Parse(c.filters, c.schema)
			require.NoError(t, err, c.name)
		}
		_, err := Parse(c.refuse, c.schema)
		require.Error(t, err, c.name)
		for field := range strings.SplitSeq(c.sorters, ",") {
			orders, err := ParseSorters("-"+field, c.schema)
			require.NoError(t, err, "%s by %s", c.name, field)
			require.Equal(t, []Order{{Field: field, Descending: true}}, orders)
		}
	}
	for _, sorters := range []string{"data", ",", "created,", "+created", "-"} {
		_, err := ParseSorters(sorters, Records)
		require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err), sorters)
	}
}

func TestJudgeHoldsTheBounds(t *testing.T) {
	t.Parallel()
	q, err := Params{}.Judge(Records)
	require.NoError(t, err)
	require.Equal(t, Query{Limit: 250}, q)
	for _, n := range []int{-1, 251} {
		_, err := Params{Limit: &n}.Judge(Records)
		require.ErrorContains(t, err, "limit")
	}
	negative := -1
	_, err = Params{Offset: &negative}.Judge(Records)
	require.ErrorContains(t, err, "offset")
}

// sameValues compares trees by what they print, whose times have no zone.
func sameValues(t *testing.T, want, got Expr) {
	t.Helper()
	require.Equal(t, want.(interface{ String() string }).String(), got.(interface{ String() string }).String())
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`accountName eq "x"`, `not (a eq 1 or b pr)`, `pr accountName`, `accountName in ("a", "b")`, `created gt 2026-01-01T00:00:00Z`,
		`((((`, `"`, `accountName eq "\"\\"`, "accountName eq \"\x00\"", `sourceId eq "2c91808568c529c60168cca6f90c1313"`, `manager co "É"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		parsed, err := Parse(expression, Records)
		if err != nil {
			require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err))
			return
		}
		if parsed == nil {
			return
		}
		printed := parsed.(interface{ String() string }).String()
		again, err := Parse(printed, Records)
		if err != nil {
			// What is printed may be longer than what is accepted.
			require.Greater(t, len(printed), len(expression), "%q prints as %q: %v", expression, printed, err)
			return
		}
		sameValues(t, parsed, again)
	})
}

func FuzzParseSorters(f *testing.F) {
	for _, seed := range []string{"", "created", "-created,id", ",", "--id", " id ", "id,id"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sorters string) {
		orders, err := ParseSorters(sorters, Records)
		if err != nil {
			require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err))
		}
		for _, order := range orders {
			_, known := Records.find(order.Field)
			require.True(t, known)
		}
	})
}

func TestTimesCompareByInstant(t *testing.T) {
	t.Parallel()
	parsed, err := Parse(`created gt 2026-01-01T01:00:00+01:00`, Records)
	require.NoError(t, err)
	require.True(t, parsed.(Comparison).Values[0].Time.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
}
