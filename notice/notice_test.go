package notice_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/notice"
)

var update = flag.Bool("update", false, "write the schemas into docs/events")

const schemasDir = "../docs/events"

func newRenderer(t *testing.T) *notice.Renderer {
	t.Helper()
	r, err := notice.New(nil, "en")
	require.NoError(t, err)
	return r
}

func TestEveryEventIsPutIntoWordsInEveryLanguage(t *testing.T) {
	t.Parallel()
	r := newRenderer(t)
	for _, event := range lifecycle.EventTypes() {
		for _, lang := range []string{"en", "de"} {
			for i, sample := range notice.Samples(event) {
				m, err := r.Mail(sample, lifecycle.Recipient{Name: "Jörg <Jones>", Language: lang})
				require.NoError(t, err)
				name := string(event) + "." + lang
				require.Equal(t, lang, m.Language)
				require.NotEmpty(t, m.Subject, name)
				require.NotContains(t, m.Subject, "\n", name)
				for _, text := range []string{m.Subject, m.Text, m.HTML} {
					require.NotContains(t, text, "<no value>", "%s, sample %d", name, i)
					require.NotContains(t, text, "<nil>", "%s, sample %d", name, i)
					require.NotContains(t, text, "0001-01-01", "%s, sample %d", name, i)
					require.NotContains(t, text, "01.01.0001", "%s, sample %d", name, i)
				}
				require.Contains(t, m.Text, "Jörg <Jones>")
				require.Contains(t, m.HTML, "Jörg &lt;Jones&gt;")
				require.Contains(t, m.HTML, `<html lang="`+lang+`">`)
				for _, person := range []string{"William", "Smith", "Carla", "Jones", "Ada", "Ben ", "Sue"} {
					require.NotContains(t, m.Subject, person, "subjects name nobody: %s", name)
				}
			}
		}
	}
}

func TestWhatMailsSay(t *testing.T) {
	t.Parallel()
	r := newRenderer(t)
	for event, says := range map[lifecycle.EventType][]string{
		lifecycle.EventRequestMade:      {"in this order", "Ada Approver", "Ben Approver", "Field Operations", "William Smith (William.Smith)"},
		lifecycle.EventDecisionNeeded:   {"asked for by Sue Admin", "Ada Approver: approved - \"Welcome.\"", "1 more will have to decide after you", "Field Operations", "Contractors"},
		lifecycle.EventRequestDecided:   {"Ada Approver: approved"},
		lifecycle.EventRequestCancelled: {"nobody decided it in time"},
		lifecycle.EventReminder:         {"since 2026-05-03 09:30 UTC", "number 2", "times out at 2026-08-01 09:00 UTC"},
		lifecycle.EventEscalated:        {"now yours to decide", "Before, it was for Ada Approver", "in the time that the policy"},
		lifecycle.EventDelegated:        {"absence"},
		lifecycle.EventReassigned:       {"reassigned by Sue Admin", "On another project now."},
		lifecycle.EventExpiring:         {"in 7 days or less", "William Smith (William.Smith), until 2026-05-11", "Carla Jones", "1 of them are no longer there"},
		lifecycle.EventExpired:          {"suspended from now on", "William Smith"},
		lifecycle.EventExtended:         {"new end date: 2027-06-30", "William Smith"},
		lifecycle.EventEnded:            {"ended at once", "William Smith"},
		lifecycle.EventImportFinished:   {"20000, of which 20000 are done: 19000 created, 900 updated, 90 unchanged, 10 failed"},
		lifecycle.EventExportFinished:   {"20000 rows"},
		lifecycle.EventExportFailed:     {"could not be written"},
	} {
		m, err := r.Mail(notice.Samples(event)[0], lifecycle.Recipient{Language: "en-GB"})
		require.NoError(t, err)
		flat := strings.Join(strings.Fields(m.Text), " ")
		plain := strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m.HTML, " ")), " ")
		for _, part := range says {
			require.Contains(t, flat, part, string(event))
			// In HTML other marks stand between the words.
			for word := range strings.FieldsSeq(part) {
				require.Contains(t, plain, strings.Trim(word, `-".,:()`), string(event))
			}
		}
	}
	for i, says := range map[int]string{1: "will be removed 30 days after that", 2: "records were removed"} {
		m, err := r.Mail(notice.Samples(lifecycle.EventExpired)[i], lifecycle.Recipient{})
		require.NoError(t, err)
		require.Contains(t, m.Text, says)
	}
	extension := notice.Samples(lifecycle.EventDecisionNeeded)[1]
	require.True(t, extension.Request.Extension)
	m, err := r.Mail(extension, lifecycle.Recipient{})
	require.NoError(t, err)
	require.Contains(t, m.Text, "An extension of 250 records until 2027-06-30")
	former := notice.Samples(lifecycle.EventEscalated)[1]
	m, err = r.Mail(former, lifecycle.Recipient{})
	require.NoError(t, err)
	require.Contains(t, m.Subject, "has passed on from you")
	require.Contains(t, m.Text, "now for Ben Approver to decide")
	gone := notice.Samples(lifecycle.EventDecisionNeeded)
	m, err = r.Mail(gone[len(gone)-1], lifecycle.Recipient{})
	require.NoError(t, err)
	require.Contains(t, m.Text, "(no longer there)")
	require.Contains(t, m.Text, "00000000-0000-4000-8000-000000000003", "the outbox knows the request")
}

func TestTheLastApproverIsToldSo(t *testing.T) {
	t.Parallel()
	n := notice.Samples(lifecycle.EventDecisionNeeded)[0]
	n.ItemID = n.Request.Items[2].ID
	m, err := newRenderer(t).Mail(n, lifecycle.Recipient{})
	require.NoError(t, err)
	require.Contains(t, m.Text, "Yours is the last decision.")
}

func TestAllNamesAreToldBySource(t *testing.T) {
	t.Parallel()
	n := notice.Samples(lifecycle.EventExpiring)[0]
	n.Records, n.RecordCount = nil, 5000
	for i := range 5000 {
		source := lifecycle.Named{ID: lifecycle.DeriveID(n.EventID, string(rune('a'+i/2500))), Name: "Source " + string(rune('A'+i/2500))}
		n.Records = append(n.Records, lifecycle.NoticeRecord{ID: lifecycle.NewID(), Source: source, FirstName: "First", LastName: "Last", AccountName: lifecycle.NewID().String(), EndDate: n.Occurred})
	}
	m, err := newRenderer(t).Mail(n, lifecycle.Recipient{})
	require.NoError(t, err)
	for _, record := range n.Records {
		require.Contains(t, m.Text, record.AccountName)
		require.Contains(t, m.HTML, record.AccountName)
	}
	require.Equal(t, 1, strings.Count(m.Text, "Source A:\n"))
	require.Equal(t, 1, strings.Count(m.Text, "Source B:\n"))
	body, err := notice.Event(n)
	require.NoError(t, err)
	var e struct {
		Data struct {
			Records     []string
			RecordCount int
		}
	}
	require.NoError(t, json.Unmarshal(body, &e))
	require.Len(t, e.Data.Records, notice.MaxRecords)
	require.Equal(t, 5000, e.Data.RecordCount)
}

func TestANameCanNotBreakAHeaderOrAPage(t *testing.T) {
	t.Parallel()
	n := notice.Samples(lifecycle.EventDecisionNeeded)[0]
	n.Source.Name = "Con\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script>\x00"
	n.Request.FirstName = "<img src=x onerror=alert(1)>"
	m, err := newRenderer(t).Mail(n, lifecycle.Recipient{})
	require.NoError(t, err)
	require.NotRegexp(t, `[\x00-\x1f\x7f]`, m.Subject)
	require.NotContains(t, m.HTML, "<script>")
	require.NotContains(t, m.HTML, "<img")
}

func TestTheLanguageIsTheRecipientsWhereThereIsATemplate(t *testing.T) {
	t.Parallel()
	german, err := notice.New(nil, "de")
	require.NoError(t, err)
	for said, want := range map[string][2]string{
		"": {"en", "de"}, "de": {"de", "de"}, "de-AT": {"de", "de"}, "en-US": {"en", "en"}, "fr": {"en", "de"}, "no language": {"en", "de"},
	} {
		for i, r := range []*notice.Renderer{newRenderer(t), german} {
			m, err := r.Mail(notice.Samples(lifecycle.EventReminder)[0], lifecycle.Recipient{Language: said})
			require.NoError(t, err)
			require.Equal(t, want[i], m.Language, "said %q", said)
		}
	}
}

func TestAFolderReplacesTemplatesAndBringsLanguages(t *testing.T) {
	t.Parallel()
	r, err := notice.New(fstest.MapFS{
		"reminder.en.txt":  {Data: []byte(`{{define "subject"}}Ours{{end}}{{define "body"}}Our words{{end}}`)},
		"words.fr.txt":     {Data: []byte(strings.ReplaceAll(words(t), "Hello", "Bonjour"))},
		"reminder.fr.txt":  {Data: []byte(`{{define "subject"}}Rappel{{end}}{{define "body"}}Décidez{{end}}`)},
		"reminder.fr.html": {Data: []byte(`{{define "body"}}<p>Décidez</p>{{end}}`)},
		"README.md":        {Data: []byte("no template")},
	}, "en")
	require.NoError(t, err)
	reminder := notice.Samples(lifecycle.EventReminder)[0]
	m, err := r.Mail(reminder, lifecycle.Recipient{})
	require.NoError(t, err)
	require.Equal(t, "Ours", m.Subject)
	require.Contains(t, m.Text, "Our words")
	m, err = r.Mail(reminder, lifecycle.Recipient{Language: "fr-CA"})
	require.NoError(t, err)
	require.Equal(t, "Rappel", m.Subject)
	require.Contains(t, m.Text, "Bonjour")
	m, err = r.Mail(notice.Samples(lifecycle.EventExpired)[0], lifecycle.Recipient{Language: "fr"})
	require.NoError(t, err)
	require.Equal(t, "en", m.Language, "there is none for this event")
}

func words(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("templates/words.en.txt")
	require.NoError(t, err)
	return string(text)
}

func TestABadTemplateIsNamedByFileAndLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, text, says string }{
		"syntax":           {"reminder.en.txt", "\n\n{{if}}", "reminder.en.txt:3"},
		"syntax in HTML":   {"expired.de.html", "{{define \"body\"}}\n{{end", "expired.de.html:2"},
		"an unknown field": {"reminder.en.txt", "{{define \"subject\"}}x{{end}}{{define \"body\"}}\n{{.Nonsense}}{{end}}", "reminder.en.txt:2"},
		"an unknown block": {"words.en.txt", "{{define \"greeting\"}}{{end}}", "not defined"},
		"an unknown event": {"remainder.en.txt", "x", "remainder.en.txt is the template of no event"},
		"no language":      {"reminder.txt", "x", "reminder.txt is the template of no event"},
		"half a pair":      {"reminder.fr.txt", "x", "words.fr.txt is missing"},
		"unsafe HTML":      {"reminder.en.html", "{{define \"body\"}}<a href=\n{{if .To}}'{{end}}x>{{end}}", "reminder.en.html"},
	} {
		_, err := notice.New(fstest.MapFS{c.file: {Data: []byte(c.text)}}, "en")
		require.ErrorContains(t, err, c.says, name)
	}
	_, err := notice.New(nil, "fr")
	require.ErrorContains(t, err, "request_made.fr.txt is missing")
}

func TestEverySchemaIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	if *update {
		require.NoError(t, os.MkdirAll(schemasDir, 0o750))
	}
	for _, event := range lifecycle.EventTypes() {
		text, err := notice.Schema(event)
		require.NoError(t, err)
		path := filepath.Join(schemasDir, string(event)+".v1.json")
		if *update {
			require.NoError(t, os.WriteFile(path, text, 0o600))
		}
		documented, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(documented), string(text), "go test ./notice -update writes it")
	}
	found, err := filepath.Glob(filepath.Join(schemasDir, "*.json"))
	require.NoError(t, err)
	require.Len(t, found, len(lifecycle.EventTypes()))
}

// required are the attributes of a CloudEvent 1.0, https://github.com/cloudevents/spec.
func TestEveryEventIsACloudEventThatFitsItsSchema(t *testing.T) {
	t.Parallel()
	for _, event := range lifecycle.EventTypes() {
		compiler := jsonschema.NewCompiler()
		compiler.AssertFormat()
		schema, err := compiler.Compile(filepath.Join(schemasDir, string(event)+".v1.json"))
		require.NoError(t, err)
		for i, sample := range notice.Samples(event) {
			body, err := notice.Event(sample)
			require.NoError(t, err)
			var e map[string]any
			require.NoError(t, json.Unmarshal(body, &e))
			require.Equal(t, "1.0", e["specversion"])
			require.Equal(t, sample.EventID.String(), e["id"])
			require.Equal(t, "gatehouse."+string(event)+".v1", e["type"])
			require.Equal(t, "urn:gatehouse", e["source"])
			require.Equal(t, "application/json", e["datacontenttype"])
			require.Equal(t, "urn:gatehouse:schema:"+string(event)+":v1", e["dataschema"])
			_, err = time.Parse(time.RFC3339, e["time"].(string))
			require.NoError(t, err)
			for name := range e {
				require.Regexp(t, `^[a-z0-9]{1,20}$`, name, "names of attributes")
			}
			require.NoError(t, schema.Validate(e["data"]), "%s, sample %d", event, i)
			for _, person := range []string{"William", "Smith", "Carla", "Ada", "Sue", "Welcome", "project"} {
				require.NotContains(t, string(body), person)
			}
		}
	}
}

func TestWhatIsNoCodeIsNotTold(t *testing.T) {
	t.Parallel()
	n := notice.Samples(lifecycle.EventExpired)[0]
	n.Facts = map[string]any{"action": "Walter White left", "state": "SUSPENDED"}
	_, err := notice.Event(n)
	require.ErrorContains(t, err, "the field action of expired")
	require.NotContains(t, err.Error(), "Walter")
	n.Facts = map[string]any{"person": "Walter White"}
	body, err := notice.Event(n)
	require.NoError(t, err)
	require.NotContains(t, string(body), "Walter")
}
