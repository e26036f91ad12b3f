package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/httpapi/apitest"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// download asks a real server for the path, and returns what of the file came.
func (a *api) download(t *testing.T, path string) (*http.Response, string, error) {
	t.Helper()
	server := a.serve(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+fill(path), nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer token")
	response, err := server.Client().Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, readErr := io.ReadAll(response.Body)
	if readErr == nil {
		apitest.ValidateResponse(t, r, response.StatusCode, response.Header, body)
	}
	return response, string(body), readErr
}

const faultsFile = "/jobs/{id}/faults/download"

func TestAFileGoesOutPieceByPiece(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.service.bulk.pieces = []string{"accountName,", "firstName\n", strings.Repeat("a,b\n", 100_000)}
	response, body, err := a.download(t, exports+"/download")
	require.NoError(t, err)
	require.Equal(t, strings.Join(a.service.bulk.pieces, ""), body)
	require.Equal(t, "text/csv; charset=utf-8", response.Header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="Contractors.csv"`, response.Header.Get("Content-Disposition"))
	require.Equal(t, objectID.String(), response.Header.Get("X-Gatehouse-Job"))
	require.Negative(t, response.ContentLength)
	require.Nil(t, a.service.bulk.job)
}

func TestAFinishedFileHasALength(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.service.bulk.length = int64(len(aFile))
	short := strings.ToUpper(strings.ReplaceAll(objectID.String(), "-", ""))
	response, body, err := a.download(t, exports+"/download?job="+short)
	require.NoError(t, err)
	require.Equal(t, aFile, body)
	require.EqualValues(t, len(aFile), response.ContentLength)
	require.Equal(t, objectID, *a.service.bulk.job)
}

func TestAFileThatIsCutOffIsNotTakenForWhole(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*fake){
		"by an error":                   func(*fake) {},
		"by an error at a known length": func(f *fake) { f.bulk.length = 1000 },
		"by the end of a context":       func(f *fake) { f.bulk.pieceErr = context.Canceled },
		"after much of it": func(f *fake) {
			f.bulk.pieces = append(f.bulk.pieces, strings.Repeat("more\n", 100_000))
		},
	} {
		for _, path := range []string{exports + "/download", uploads + faultsFile} {
			t.Run(name+" "+path, func(t *testing.T) {
				t.Parallel()
				a := newAPI(t)
				a.service.bulk.pieceErr = lifecycle.NewError(lifecycle.KindUnavailable, "The writing of the file began anew.")
				change(a.service)
				response, body, err := a.download(t, path)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				require.Equal(t, http.StatusOK, response.StatusCode)
				require.Equal(t, strings.Join(a.service.bulk.pieces, ""), body)
			})
		}
	}
}

func TestAFileThatNeverBeginsIsAnError(t *testing.T) {
	t.Parallel()
	for _, path := range []string{exports + "/download", uploads + faultsFile} {
		a := newAPI(t)
		a.service.bulk.pieces = nil
		a.service.bulk.pieceErr = lifecycle.NewError(lifecycle.KindUnavailable, "The file can't be written.")
		response, body, err := a.download(t, path)
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
		require.NotEmpty(t, response.Header.Get("Retry-After"))
		require.Contains(t, body, "The file can't be written.")
		require.Empty(t, response.Header.Get("Content-Disposition"))
	}
}

func TestAFileMayTakeItsTime(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.service.bulk.pieces = []string{"a", "b", "c"}
	var contexts []error
	a.service.bulk.onPiece = func(ctx context.Context) {
		select {
		case <-ctx.Done():
		case <-time.After(2 * hurry):
		}
		contexts = append(contexts, ctx.Err())
	}
	_, body, err := a.download(t, exports+"/download")
	require.NoError(t, err)
	require.Equal(t, "abc", body)
	require.Equal(t, []error{nil, nil, nil, nil}, contexts, "the client is not taken to have left")
}

func TestTheStatusHasTheWordsOfTheContract(t *testing.T) {
	t.Parallel()
	status := func(a *api) string {
		return strings.TrimSpace(a.do(t, request("GET", fill(uploads)+"/status", "")).Body.String())
	}
	a := newAPI(t)
	for stored, shown := range map[lifecycle.JobStatus]string{
		lifecycle.JobPending: "PENDING", lifecycle.JobInProgress: "IN_PROGRESS",
		lifecycle.JobCompleted: "COMPLETED", lifecycle.JobError: "ERROR", lifecycle.JobCancelled: "ERROR",
	} {
		a.service.bulk.status = stored
		require.Equal(t, `{"status":"`+shown+`"}`, status(a))
	}
	a.service.empty = true
	require.Equal(t, `{}`, status(a))
}

func TestAJobIsNamedByBothItsIds(t *testing.T) {
	t.Parallel()
	for _, op := range []policy.Operation{
		policy.GetImport, policy.ListImportFaults, policy.DownloadImportFaults, policy.CancelImport, policy.DeleteExportSchedule,
	} {
		a := newAPI(t)
		a.do(t, request(served[op].method, fill(served[op].path), ""))
		require.Equal(t, sourceID, a.service.parent, op)
		require.Equal(t, objectID, a.service.id, op)
	}
}

func TestAScheduleIsReadFromItsBody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.do(t, request("POST", fill(schedules), `{"cron":"0 6 * * *","zone":"UTC","keep":2,"id":"x"}`))
	in := a.service.bulk.schedule
	require.Equal(t, "0 6 * * *", *in.Cron)
	require.Equal(t, "UTC", *in.Zone)
	require.Equal(t, 2, *in.Keep)
	require.Empty(t, in.Faults)

	a.do(t, request("POST", fill(schedules), `{"cron":`))
	require.Len(t, a.service.bulk.schedule.Faults, 1)
	a.do(t, request("POST", fill(schedules), ""))
	require.Len(t, a.service.bulk.schedule.Faults, 1)
}
