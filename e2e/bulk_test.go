package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"gatehouse/devstack"
	"gatehouse/httpapi/apitest"
	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// csvHeader is the header of a source without custom attributes.
const csvHeader = "accountName,firstName,lastName,phone,email,manager,startDate,endDate\n"

// csvRow is a good row for the account.
func csvRow(account string) string {
	return account + ",First-" + marker + ",Last-" + marker + ",+1 512 555 0000," + account + "@example.com,john.roe,2027-01-01,2027-12-31\n"
}

// sample is a file of n people.
func sample(t *testing.T, n int) string {
	t.Helper()
	var text strings.Builder
	require.NoError(t, devstack.WriteSample(&text, n, "john.roe", "jane.doe"))
	return text.String()
}

func bulkPath(source object, rest string) string {
	return "/non-employee-sources/" + source.id() + "/non-employee-bulk-upload" + rest
}

// form is a multipart body with these parts, "name=content" each.
func form(t *testing.T, parts ...string) (body *bytes.Buffer, contentType string) {
	t.Helper()
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for _, part := range parts {
		name, content, _ := strings.Cut(part, "=")
		field, err := w.CreateFormFile(name, name+".csv")
		require.NoError(t, err)
		_, err = io.WriteString(field, content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return body, w.FormDataContentType()
}

// upload sends a file and holds the answer against the OpenAPI document.
func (c caller) upload(source object, query, file string) answer {
	c.t.Helper()
	body, contentType := form(c.t, "data="+file)
	return c.sendForm(source, query, body, contentType)
}

func (c caller) sendForm(source object, query string, body io.Reader, contentType string) answer {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, stack.apiURL+c.mount.path(bulkPath(source, "")+query), body)
	require.NoError(c.t, err)
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := (&http.Client{}).Do(request)
	require.NoError(c.t, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	apitest.ValidateResponse(c.t, request, response.StatusCode, response.Header, content)
	return answer{t: c.t, status: response.StatusCode, header: response.Header, body: content}
}

// job reads an import as our own operation tells it.
func job(t *testing.T, source object, id string) object {
	t.Helper()
	return as(t, "admin").get(bulkPath(source, "/jobs/"+id)).want(http.StatusOK).object()
}

// awaitJob waits until the import has ended, and checks how.
func awaitJob(t *testing.T, source object, id, status string) object {
	t.Helper()
	var ended object
	require.Eventually(t, func() bool {
		// Postgres may be away just now.
		a, err := as(t, "admin").try(http.MethodGet, bulkPath(source, "/jobs/"+id), nil)
		if err != nil || a.status != http.StatusOK {
			return false
		}
		ended = a.object()
		return ended.text("finished") != ""
	}, 2*waitTimeout, 100*time.Millisecond, "the import ends")
	require.Equal(t, status, ended.text("status"), "%v", ended)
	return ended
}

// wantCounts checks the figures of a job: created, updated, unchanged, failed.
func wantCounts(t *testing.T, job object, created, updated, unchanged, failed int) {
	t.Helper()
	rows, _ := job["rows"].(map[string]any)
	for field, want := range map[string]int{
		"created": created, "updated": updated, "unchanged": unchanged, "failed": failed,
		"done": created + updated + unchanged + failed, "total": created + updated + unchanged + failed,
	} {
		require.EqualValues(t, want, rows[field], "%s of %v", field, job)
	}
}

// done is how many rows of a job are done.
func done(job object) int {
	rows, _ := job["rows"].(map[string]any)
	number, _ := rows["done"].(float64)
	return int(number)
}

// wantRows checks that the source has these rows, each once, and that its
// counters and names say the same.
func wantRows(t *testing.T, source object, n int) {
	t.Helper()
	require.Equal(t, n, stack.count(t, `SELECT count(*) FROM records WHERE source_id = $1`, source.id()))
	require.Equal(t, n, stack.count(t, `SELECT count(DISTINCT account_name_folded) FROM records WHERE source_id = $1`, source.id()))
	require.Equal(t, n, stack.count(t, `SELECT records FROM source_counters WHERE source_id = $1`, source.id()))
	require.Equal(t, n, stack.count(t, `SELECT count(*) FROM account_names AS n JOIN records AS r ON r.id = n.holder
		WHERE n.source_id = $1 AND r.account_name_folded = n.folded`, source.id()))
}

// wantFile checks that the records of the source are the rows of a sample, each
// once, every value included.
func wantFile(t *testing.T, source object, file string) {
	t.Helper()
	_, rows, _ := strings.Cut(file, "\n")
	wantRows(t, source, strings.Count(rows, "\n"))
	stored := stack.text(t, `SELECT string_agg(concat_ws(',', r.account_name, r.first_name, r.last_name, r.phone, r.email,
			m.alias, (r.start_date AT TIME ZONE 'UTC')::date, (r.end_date AT TIME ZONE 'UTC')::date) || chr(10),
			'' ORDER BY r.account_name COLLATE "C")
		FROM records AS r JOIN identities AS m ON m.id = r.manager_id WHERE r.source_id = $1`, source.id())
	// The sums, since what differs among so many rows would take minutes to show.
	require.Equal(t, sha256.Sum256([]byte(rows)), sha256.Sum256([]byte(stored)), "the records are the rows of the file")
}

func TestAFileGoesInAtEveryMount(t *testing.T) {
	source := newSource(t)
	for i, m := range mounts() {
		c := as(t, "admin").at(m)
		file := csvHeader + csvRow(fmt.Sprintf("mount.%s.%d", marker, i))
		accepted := c.upload(source, "", file).want(http.StatusAccepted).object()
		require.Equal(t, source.id(), accepted.text("sourceId"))
		awaitJob(t, source, accepted.id(), "COMPLETED")
		require.Equal(t, "COMPLETED", c.get(bulkPath(source, "/status")).want(200).object().text("status"))
		require.Len(t, c.get(bulkPath(source, "/jobs")).want(200).list(), i+1)
	}
	wantRows(t, source, len(mounts()))
}

func TestASourceThatNeverHadAnImportHasNoStatus(t *testing.T) {
	require.JSONEq(t, `{}`, string(as(t, "admin").get(bulkPath(newSource(t), "/status")).want(200).body))
}

func TestAnUploadIsAnUpsert(t *testing.T) {
	source := newSource(t)
	admin := as(t, "admin")
	stays, changes := "stays."+marker, "changes."+marker
	first := admin.upload(source, "", csvHeader+csvRow(stays)+csvRow(changes)).want(http.StatusAccepted).object()
	wantCounts(t, awaitJob(t, source, first.id(), "COMPLETED"), 2, 0, 0, 0)
	file := csvHeader + csvRow(stays) + strings.Replace(csvRow(changes), "2027-12-31", "2028-12-31", 1) + csvRow("comes."+marker)
	preview := admin.upload(source, "?dry-run=true", file).want(http.StatusOK).object()
	require.EqualValues(t, 1, preview["created"])
	require.EqualValues(t, 1, preview["updated"])
	require.EqualValues(t, 1, preview["unchanged"])
	wantRows(t, source, 2)
	second := admin.upload(source, "", file).want(http.StatusAccepted).object()
	wantCounts(t, awaitJob(t, source, second.id(), "COMPLETED"), 1, 1, 1, 0)
	wantRows(t, source, 3)
	jobs := admin.get(bulkPath(source, "/jobs?count=true")).want(200)
	require.Equal(t, "2", jobs.header.Get("X-Total-Count"))
	require.Equal(t, second.id(), jobs.list()[0].id(), "the newest comes first")
}

func TestAFileWithFaultsChangesNothing(t *testing.T) {
	source := newSource(t, "approver.one")
	admin := as(t, "admin")
	pending := ask(t, source)
	held := pending.text("accountName")
	good := csvRow("good." + marker)
	for name, c := range map[string]struct {
		file, code, text string
	}{
		"an address":      {csvHeader + good + strings.Replace(csvRow("b."+marker), "@example", " at ", 1), "400.1.3 Illegal value", "line 3, column email: email must be an e-mail address"},
		"a manager":       {csvHeader + strings.Replace(good, "john.roe", "nobody.home", 1), "", "line 2, column manager: "},
		"twice":           {csvHeader + csvRow("Twice."+marker) + good + csvRow("tWICE."+marker), "400.1.409 Reference conflict", "line 4, column accountName: "},
		"a held name":     {csvHeader + good + csvRow(strings.ToUpper(held)), "400.1.409 Reference conflict", "is already being used."},
		"dates":           {csvHeader + strings.Replace(good, "2027-12-31", "2026-12-31", 1), "400.1.3 Illegal value", "line 2, column endDate: endDate must be after startDate"},
		"no leap year":    {csvHeader + strings.Replace(good, "2027-12-31", "2027-02-29", 1), "400.1.3 Illegal value", "line 2, column endDate: "},
		"unknown column":  {strings.Replace(csvHeader, "phone", "fax", 1) + good, "", "fax"},
		"an open quote":   {csvHeader + good + `"open,` + good, "400.1 Bad Request Content", "line 3"},
		"gzip":            {"\x1f\x8b\x08\x00" + csvHeader, "400.1 Bad Request Content", "gzip"},
		"too many":        {sample(t, 20_001), "400.1.4 Limit violation", "20000"},
		"nothing":         {"", "", "empty"},
		"the header only": {csvHeader, "", "no rows"},
		"Latin-1":         {csvHeader + strings.Replace(good, "First", "Fr\xe9d\xe9ric", 1), "400.1 Bad Request Content", "line 2, column firstName: "},
	} {
		a := admin.upload(source, "", c.file).want(http.StatusBadRequest)
		require.Contains(t, a.errorText(), c.text, name)
		if c.code != "" {
			require.Equal(t, c.code, a.object().text("detailCode"), name)
		}
	}
	require.Empty(t, admin.get(bulkPath(source, "/jobs")).want(200).list())
	wantNothingStaged(t)
	require.Equal(t, 0, stack.count(t, `SELECT count(*) FROM records WHERE source_id = $1`, source.id()))
}

// wantNothingStaged waits until no upload is under way and the sweep has removed
// what is of no use any more.
func wantNothingStaged(t *testing.T) {
	t.Helper()
	bySweep(t, "staged rows are removed", func() bool {
		return stack.count(t, `SELECT count(*) FROM import_jobs WHERE status = 'RECEIVING'`) == 0 &&
			stack.count(t, `SELECT count(*) FROM import_rows`) == 0
	})
}

func TestFormsThatAreNone(t *testing.T) {
	source := newSource(t)
	admin := as(t, "admin")
	file := csvHeader + csvRow("form."+marker)
	body, contentType := form(t, "other=x", "note=y")
	admin.sendForm(source, "", body, contentType).want(400).wantError(400, "400.1.0 Required Data Missing Or Empty", "data")
	body, contentType = form(t, "data="+file, "data="+file)
	admin.sendForm(source, "", body, contentType).want(400)
	body, contentType = form(t, "data="+file)
	cut := bytes.NewReader(body.Bytes()[:body.Len()-20])
	admin.sendForm(source, "", cut, contentType).want(400)
	body, contentType = form(t, "note=y", "data="+file, "more=z")
	accepted := admin.sendForm(source, "", body, contentType).want(http.StatusAccepted).object()
	awaitJob(t, source, accepted.id(), "COMPLETED")
	wantRows(t, source, 1)
}

// TestARowThatOnlyTheDatabaseCanRefuse: a request takes a name while the file
// waits; the other rows go in, and the row can be mended and sent again.
func TestARowThatOnlyTheDatabaseCanRefuse(t *testing.T) {
	source := newSource(t, "approver.one")
	admin := as(t, "admin")
	stack.killWorker(t)
	taken := person(source)
	name := taken["accountName"].(string)
	accepted := admin.upload(source, "", csvHeader+csvRow("one."+marker)+csvRow(name)+csvRow("two."+marker)).want(http.StatusAccepted).object()
	require.Equal(t, "PENDING", accepted.text("status"))
	as(t, "jane.doe").post("/non-employee-requests", taken).want(200)
	stack.startWorker(t)
	wantCounts(t, awaitJob(t, source, accepted.id(), "ERROR"), 2, 0, 0, 1)
	require.Equal(t, "ERROR", admin.get(bulkPath(source, "/status")).want(200).object().text("status"))
	faults := admin.get(bulkPath(source, "/jobs/"+accepted.id()+"/faults")).want(200).list()
	require.Len(t, faults, 1)
	require.EqualValues(t, 3, faults[0]["line"])
	csv := string(admin.get(bulkPath(source, "/jobs/"+accepted.id()+"/faults/download")).want(200).body)
	require.True(t, strings.HasPrefix(csv, strings.TrimSuffix(csvHeader, "\n")+",#fault\n"+strings.TrimSuffix(csvRow(name), "\n")+","), csv)
	again := admin.upload(source, "", strings.Replace(csv, name, "mended."+marker, 1)).want(http.StatusAccepted).object()
	wantCounts(t, awaitJob(t, source, again.id(), "COMPLETED"), 1, 0, 0, 0)
}

func TestImportsOfOneSourceFollowOneAnother(t *testing.T) {
	source := newSource(t)
	admin := as(t, "admin")
	var ids []string
	for i := range 4 {
		file := csvHeader
		for n := range 50 {
			file += strings.Replace(csvRow(fmt.Sprintf("row.%s.%d", marker, n)), "2027-12-31", fmt.Sprintf("2028-01-%02d", i+1), 1)
		}
		ids = append(ids, admin.upload(source, "", file).want(http.StatusAccepted).object().id())
	}
	for i, id := range ids {
		ended := awaitJob(t, source, id, "COMPLETED")
		if i == 0 {
			wantCounts(t, ended, 50, 0, 0, 0)
		} else {
			wantCounts(t, ended, 0, 50, 0, 0)
		}
	}
	wantRows(t, source, 50)
	require.Equal(t, 50, stack.count(t, `SELECT count(*) FROM records WHERE source_id = $1 AND end_date = '2028-01-04'`, source.id()))
}

func TestACancelledImportStops(t *testing.T) {
	source := newSource(t)
	admin := as(t, "admin")
	stack.killWorker(t)
	waiting := admin.upload(source, "", csvHeader+csvRow("never."+marker)).want(http.StatusAccepted).object()
	require.Equal(t, "CANCELLED", admin.post(bulkPath(source, "/jobs/"+waiting.id()+"/cancel"), nil).want(200).object().text("status"))
	stack.startWorker(t)
	held := stack.holdRow(t, source, 5_000)
	long := admin.upload(source, "", sample(t, 20_000)).want(http.StatusAccepted).object()
	held.await(t)
	asked := make(chan int, 1)
	go func() {
		a, err := admin.try(http.MethodPost, bulkPath(source, "/jobs/"+long.id()+"/cancel"), nil)
		assert.NoError(t, err)
		asked <- a.status
	}()
	eventually(t, "the chunk waits, and the cancelling for the chunk", func() bool { return stack.blockedTransactions(t) > 1 })
	held.release()
	require.Equal(t, http.StatusOK, <-asked)
	ended := awaitJob(t, source, long.id(), "CANCELLED")
	require.Positive(t, done(ended), "it had begun")
	require.Less(t, done(ended), 20_000, "it stopped before the end")
	wantRows(t, source, done(ended))
	require.Equal(t, "ERROR", admin.get(bulkPath(source, "/status")).want(200).object().text("status"), "the contract has no word for it")
	admin.post(bulkPath(source, "/jobs/"+long.id()+"/cancel"), nil).wantError(400, "400.1.1 Illegal update attempt", "")
}

// TestWhatOperatorsSeeOfAnImport: one line in the Web UI, with figures and
// without names.
func TestWhatOperatorsSeeOfAnImport(t *testing.T) {
	source := newSource(t)
	accepted := as(t, "admin").upload(source, "", sample(t, 200)).want(http.StatusAccepted).object()
	awaitJob(t, source, accepted.id(), "COMPLETED")
	wantShown(t, source, accepted.id(), 200)
}

// wantShown checks what Temporal shows of an import that made n records: search
// attributes, details and the answer to a query.
func wantShown(t *testing.T, source object, job string, n int) {
	t.Helper()
	eventually(t, "the workflow has ended", func() bool {
		return stack.countWorkflows(t, `WorkflowId = "import/`+job+`" AND GatehouseSource = "`+source.id()+
			`" AND GatehouseKind = "import" AND GatehouseStatus = "COMPLETED" AND GatehouseStage = "ended"`) == 1
	})
	require.Contains(t, stack.detailsOf(t, "import/"+job),
		fmt.Sprintf(": %d of %d rows done, %d created, 0 updated, 0 unchanged, 0 failed; ", n, n, n))
	answer, err := stack.temporal.QueryWorkflow(patience(t), "import/"+job, "", wire.QueryProgress)
	require.NoError(t, err)
	var progress wire.ImportProgress
	require.NoError(t, answer.Get(&progress))
	require.Equal(t, wire.ImportProgress{Found: true, Status: lifecycle.JobCompleted, Total: n, Done: n, Created: n}, progress)
}

func exportPath(source object, rest string) string {
	return "/non-employee-sources/" + source.id() + "/non-employees" + rest
}

// TestAnExportGoesBackInUnchanged, with every kind of value that makes trouble
// in spreadsheets.
func TestAnExportGoesBackInUnchanged(t *testing.T) {
	source := newSource(t)
	admin := as(t, "admin")
	admin.post("/non-employee-sources/"+source.id()+"/schema-attributes", object{
		"type": "TEXT", "technicalName": "note", "label": "Note", "required": false,
	}).want(200)
	for _, value := range []string{
		"=1+1", "'=quoted", "''@x", "-5", "+49 (0) 1.2", "+x", `say "no"`, "two\nlines", "a,b", "'", `"`, "é\u0301\U0001F600", "tab\tin", "",
	} {
		body := person(source)
		body["data"] = object{"note": value}
		body["firstName"] = value + "x"
		body["phone"] = "+1 512"
		admin.post("/non-employee-records", body).want(200)
	}
	file := admin.get(exportPath(source, "/download")).want(200)
	require.Contains(t, file.header.Get("Content-Type"), "text/csv")
	require.Contains(t, file.header.Get("Content-Disposition"), "attachment")
	again := admin.upload(source, "", string(file.body)).want(http.StatusAccepted).object()
	wantCounts(t, awaitJob(t, source, again.id(), "COMPLETED"), 0, 0, 14, 0)
	exported := file.header.Get("X-Gatehouse-Job")
	same := admin.get(exportPath(source, "/download?job="+exported)).want(200)
	require.Equal(t, file.body, same.body)
	require.Equal(t, fmt.Sprint(len(file.body)), same.header.Get("Content-Length"))
	jobs := admin.get(exportPath(source, "/exports")).want(200).list()
	require.Equal(t, exported, jobs[0].id())
	require.Equal(t, "COMPLETED", jobs[0].text("status"))
}

// TestScheduledExports run by a Temporal Schedule, and only so many are kept.
func TestScheduledExports(t *testing.T) {
	source := newSource(t)
	admin := as(t, "admin")
	path := exportPath(source, "/export-schedules")
	admin.post(path, object{"cron": "61 * * * *", "zone": "Europe/Berlin", "keep": 2}).want(400)
	schedule := admin.post(path, object{"cron": "30 4 * * 1", "zone": "Europe/Berlin", "keep": 2}).want(200).object()
	require.Len(t, admin.get(path).want(200).list(), 1)
	handle := stack.temporal.ScheduleClient().GetHandle(patience(t), "export-schedule/"+schedule.id())
	for range 3 {
		newest := stack.text(t, `SELECT coalesce(max(created)::text, '') FROM export_jobs WHERE source_id = $1`, source.id())
		eventually(t, "an export is made", func() bool {
			// A run that has not ended has the next one skipped.
			require.NoError(t, handle.Trigger(patience(t), client.ScheduleTriggerOptions{}))
			return stack.text(t, `SELECT coalesce(max(created)::text, '') FROM export_jobs WHERE source_id = $1 AND status = 'COMPLETED'`, source.id()) > newest
		})
	}
	eventually(t, "two are kept", func() bool {
		return stack.count(t, `SELECT count(*) FROM export_jobs WHERE source_id = $1`, source.id()) == 2
	})
	admin.delete(path + "/" + schedule.id()).want(204)
	eventually(t, "Temporal forgets it", func() bool {
		_, err := handle.Describe(patience(t))
		return err != nil
	})
}
