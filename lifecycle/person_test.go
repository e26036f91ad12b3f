package lifecycle_test

import (
	"fmt"
	"net/mail"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// schema is the eight system attributes with a required and an optional custom
// one.
func schema() []lifecycle.SchemaAttribute {
	attributes := lifecycle.SystemAttributes(lifecycle.ID{}, time.Time{})
	return append(attributes,
		lifecycle.SchemaAttribute{Type: lifecycle.AttributeText, TechnicalName: "badge", Required: true, Position: 8},
		lifecycle.SchemaAttribute{Type: lifecycle.AttributeText, TechnicalName: "note", Position: 9})
}

func person() lifecycle.PersonInput {
	return lifecycle.PersonInput{
		AccountName: ptr("william.smith"), FirstName: ptr("William"), LastName: ptr("Smith"),
		Phone: ptr("5125555555"), Email: ptr("william.smith@example.com"), Manager: ptr("jane.doe"),
		StartDate: ptr("2020-03-24"), EndDate: ptr("2021-03-25T00:00:00-05:00"),
		Data: map[string]string{"badge": "B-1"}, HasData: true,
	}
}

func TestPersonJudgeNormalises(t *testing.T) {
	t.Parallel()
	in := person()
	in.AccountName = ptr("  Abby.Smith\t")
	in.FirstName = ptr("Zoe\u0308")
	in.LastName = ptr("de la\r\nCruz")
	in.Manager = ptr(" Jane.Doe ")
	in.StartDate = ptr(" 2020-03-24T01:00:00.1234+01:00 ")
	in.Data = map[string]string{"badge": " a\r\rb ", "note": " \r\n"}
	got, faults := in.Judge(schema())
	require.NoError(t, faults.Err())
	require.Equal(t, lifecycle.Person{
		AccountName: "Abby.Smith", FirstName: "Zoë", LastName: "de la\nCruz",
		Phone: "5125555555", Email: "william.smith@example.com",
		Manager:   lifecycle.ManagerReference{Alias: "Jane.Doe"},
		StartDate: time.Date(2020, 3, 24, 0, 0, 0, 123e6, time.UTC),
		EndDate:   time.Date(2021, 3, 25, 5, 0, 0, 0, time.UTC),
		Data:      map[string]string{"badge": "a\n\nb"},
	}, got)
}

func TestPersonJudgeFindsEveryFault(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*lifecycle.PersonInput)
		kind   lifecycle.Kind
		want   string
	}{
		{
			"everything is missing", func(in *lifecycle.PersonInput) { *in = lifecycle.PersonInput{} },
			lifecycle.KindRequired,
			"accountName is required; firstName is required; lastName is required; phone is required; " +
				"email is required; manager is required; startDate is required; endDate is required; data.badge is required;",
		},
		{
			"what is blank is missing",
			func(in *lifecycle.PersonInput) {
				in.FirstName, in.StartDate, in.Data["badge"] = ptr(" "), ptr("\t"), "\r\n"
			},
			lifecycle.KindRequired, "firstName is required; startDate is required; data.badge is required;",
		},
		{
			"kinds that differ are a bad request",
			func(in *lifecycle.PersonInput) { in.FirstName, in.Email = nil, ptr("none") },
			lifecycle.KindBadRequest,
			"firstName is required; email must be an e-mail address such as jane.doe@example.com;",
		},
		{
			"faults of reading come first and are not told twice",
			func(in *lifecycle.PersonInput) {
				in.FirstName, in.LastName = nil, nil
				in.Faults.Add(lifecycle.KindIllegalValue, "lastName", "lastName must be a string")
			},
			lifecycle.KindBadRequest, "lastName must be a string; firstName is required;",
		},
		{
			"endDate equals startDate",
			func(in *lifecycle.PersonInput) { in.EndDate = ptr("2020-03-23T22:00:00.0009-02:00") },
			lifecycle.KindIllegalValue, "endDate must be after startDate;",
		},
		{
			"endDate is before startDate", func(in *lifecycle.PersonInput) { in.EndDate = ptr("2020-03-23") },
			lifecycle.KindIllegalValue, "endDate must be after startDate;",
		},
		{
			"dates that are none",
			func(in *lifecycle.PersonInput) { in.StartDate, in.EndDate = ptr("soon"), ptr("2020-02-30") },
			lifecycle.KindIllegalValue,
			"startDate must be a date such as 2025-03-24 or 2025-03-24T00:00:00Z; " +
				"endDate must be a date such as 2025-03-24 or 2025-03-24T00:00:00Z;",
		},
		{
			"text with a NUL", func(in *lifecycle.PersonInput) { in.FirstName = ptr("a\x00b") },
			lifecycle.KindIllegalValue, "firstName must not hold the control character U+0000;",
		},
		{
			"text with an escape", func(in *lifecycle.PersonInput) { in.Data["note"] = "a\x1b[0m" },
			lifecycle.KindIllegalValue, "data.note must not hold the control character U+001B;",
		},
		{
			"text that is no UTF-8", func(in *lifecycle.PersonInput) { in.LastName = ptr("Sm\xefth") },
			lifecycle.KindIllegalValue, "lastName must be UTF-8;",
		},
		{
			"an account name on two lines", func(in *lifecycle.PersonInput) { in.AccountName = ptr("a\r\nb") },
			lifecycle.KindIllegalValue, "accountName must be on one line and have no tabs;",
		},
		{
			"a name that is too long", func(in *lifecycle.PersonInput) { in.FirstName = ptr(strings.Repeat("x", 256)) },
			lifecycle.KindIllegalValue, "firstName must not be longer than 255 characters;",
		},
		{
			"an attribute value that is too long",
			func(in *lifecycle.PersonInput) { in.Data["note"] = strings.Repeat("x", 4001) },
			lifecycle.KindIllegalValue, "data.note must not be longer than 4000 characters;",
		},
		{
			"unknown attributes, be they empty, in another case or the system's",
			func(in *lifecycle.PersonInput) {
				in.Data["zone"], in.Data["Note"], in.Data["firstName"] = "", "x", "Bill"
			},
			lifecycle.KindIllegalValue,
			`data has "Note", which is no custom attribute of the source; ` +
				`data has "firstName", which is no custom attribute of the source; ` +
				`data has "zone", which is no custom attribute of the source;`,
		},
		{
			"an attribute that is named twice",
			func(in *lifecycle.PersonInput) { in.Data["badge "] = "B-2" },
			lifecycle.KindIllegalValue, `data names "badge" twice;`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := person()
			tt.change(&in)
			before := len(in.Faults)
			_, faults := in.Judge(schema())
			requireFault(t, faults.Err(), tt.kind, tt.want)
			require.Len(t, in.Faults, before, "judging must not change its input")
		})
	}
}

func TestLengthsCountCharacters(t *testing.T) {
	t.Parallel()
	in := person()
	in.FirstName = ptr(strings.Repeat("é", 255))
	in.LastName = ptr(strings.Repeat("e\u0301", 255))
	in.Data["note"] = strings.Repeat("日", 4000)
	_, faults := in.Judge(schema())
	require.NoError(t, faults.Err())
}

func TestManyUnknownAttributesAreCounted(t *testing.T) {
	t.Parallel()
	in := person()
	for i := range 1000 {
		in.Data[fmt.Sprintf("unknown%04d%s", i, strings.Repeat("x", 1000))] = "x"
	}
	_, faults := in.Judge(schema())
	require.Len(t, faults, 21)
	require.Contains(t, faults[0].Message, "unknown0000")
	require.Contains(t, faults[20].Message, "980 more")
	require.Less(t, len(faults.Err().Error()), 5000)
}

func TestAJudgeTwiceTellsTheSame(t *testing.T) {
	t.Parallel()
	in := person()
	in.FirstName = nil
	in.Faults = make(lifecycle.Faults, 0, 8)
	in.Faults.Add(lifecycle.KindIllegalValue, "phone", "phone must be a string")
	_, first := in.Judge(schema())
	in.FirstName, in.LastName = ptr("x"), nil
	_, second := in.Judge(schema())
	require.Equal(t, "firstName is required", first[1].Message)
	require.Equal(t, "lastName is required", second[1].Message)
}

func TestEmailAddresses(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"a@b.c":                        true,
		"first.last+tag@example.co.uk": true,
		"zoë@exämple.com":              true,
		"root@localhost":               true,
		"Jane <jane@example.com>":      false,
		"<jane@example.com>":           false,
		"jane@example.com (Jane)":      false,
		"jane@example.com, j@x.y":      false,
		`"a b"@example.com`:            false,
		"jane":                         false,
		"@example.com":                 false,
		"jane@":                        false,
		"jane doe@example.com":         false,
		"jane@example..com":            false,
		"jane\n@example.com":           false,
	} {
		in := person()
		in.Email = &text
		_, faults := in.Judge(schema())
		require.Equal(t, good, len(faults) == 0, "%s: %v", text, faults)
		require.LessOrEqual(t, len(faults), 1, text)
	}
}

func FuzzEmailAddresses(f *testing.F) {
	for _, seed := range []string{
		"a@b.c", "first.last+tag@example.co.uk", ".a@b", "a.@b", "a@.b", "a@b.", "a..b@c", "a@b..c", "a@b@c", "@", "a", "a@",
		"A_1-+@Z", "-@-", "a@[1.2.3.4]", "a!b@c", "a b@c",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in := person()
		in.Email = &text
		got, faults := in.Judge(schema())
		normal := lifecycle.Normalize(text)
		if strings.ContainsFunc(normal, unicode.IsControl) || !utf8.ValidString(normal) ||
			utf8.RuneCountInString(normal) > lifecycle.MaxTextLength {
			require.NotEmpty(t, faults)
			return
		}
		address, err := mail.ParseAddress(normal)
		require.Equal(t, err == nil && address.Address == normal, len(faults) == 0)
		if len(faults) == 0 {
			require.Equal(t, normal, got.Email)
		}
	})
}

func TestJudgeComment(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		comment  *string
		required bool
		want     string
		kind     lifecycle.Kind
	}{
		{name: "absent and not required"},
		{name: "blank and not required", comment: ptr(" \n")},
		{name: "absent and required", required: true, kind: lifecycle.KindRequired},
		{name: "blank and required", comment: ptr(" \r\n"), required: true, kind: lifecycle.KindRequired},
		{name: "normalised", comment: ptr(" a\r\nZoe\u0308 "), required: true, want: "a\nZoë"},
		{name: "as long as it may be", comment: ptr(" " + strings.Repeat("é", 4000)), want: strings.Repeat("é", 4000)},
		{name: "too long", comment: ptr(strings.Repeat("é", 4001)), kind: lifecycle.KindLimit},
		{name: "a NUL", comment: ptr("a\x00"), kind: lifecycle.KindIllegalValue},
		{name: "no UTF-8", comment: ptr("\xff"), kind: lifecycle.KindIllegalValue},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := lifecycle.JudgeComment(tt.comment, tt.required)
			require.Equal(t, tt.want, got)
			if tt.kind == 0 {
				require.NoError(t, err)
				return
			}
			var e *lifecycle.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, tt.kind, e.Kind)
			require.Equal(t, "comment", e.Field)
		})
	}
}

func FuzzPersonJudge(f *testing.F) {
	f.Add("william.smith", "William", "Smith", "5125555555", "w@example.com", "jane.doe", "2020-03-24", "2021-03-25", "badge", "B-1", "n")
	f.Add(" a ", "e\u0301", "x\r\ny", "+1 (2)", "ä@b.c", "0123abcd456789ef0123456789abcdef", "2020-03-24T00:00:00.0001Z", "2020-03-24T00:00:00.001Z", "note", " ", "")
	f.Add("\x00", "\xff", "\u0085", "", "a@b, c@d", "\t", "0001-01-01", "9999-12-31", "badge ", "=1", "\u2028")
	f.Fuzz(func(t *testing.T, account, first, last, phone, email, manager, start, end, key, value, badge string) {
		in := lifecycle.PersonInput{
			AccountName: &account, FirstName: &first, LastName: &last, Phone: &phone, Email: &email,
			Manager: &manager, StartDate: &start, EndDate: &end,
			Data: map[string]string{key: value, "badge": badge}, HasData: true,
		}
		got, faults := in.Judge(schema())
		require.NotNil(t, got.Data)
		if len(faults) > 0 {
			for _, fault := range faults {
				require.NotEmpty(t, fault.Message)
			}
			return
		}
		require.True(t, got.EndDate.After(got.StartDate))
		startAgain, endAgain := lifecycle.FormatTime(got.StartDate), lifecycle.FormatTime(got.EndDate)
		again, faults := lifecycle.PersonInput{
			AccountName: &got.AccountName, FirstName: &got.FirstName, LastName: &got.LastName,
			Phone: &got.Phone, Email: &got.Email, Manager: &got.Manager.Alias,
			StartDate: &startAgain, EndDate: &endAgain, Data: got.Data, HasData: true,
		}.Judge(schema())
		require.Empty(t, faults)
		require.Equal(t, got, again)
	})
}
