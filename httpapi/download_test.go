package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
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

// download asks a real server for the path, and returns what of the answer
// came; length is negative if it was not told.
func (a *api) download(t *testing.T, path string) (got answer, length int64, err error) {
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
	return answer{response.StatusCode, response.Header, string(body), response.Close}, response.ContentLength, readErr
}

const faultsFile = "/jobs/{id}/faults/download"

func TestAFileGoesOutPieceByPiece(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.service.bulk.pieces = []string{"accountName,", "firstName\n", strings.Repeat("a,b\n", 100_000)}
	got, length, err := a.download(t, exports+"/download")
	require.NoError(t, err)
	require.Equal(t, strings.Join(a.service.bulk.pieces, ""), got.body)
	require.Equal(t, "text/csv; charset=utf-8", got.header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="Contractors.csv"`, got.header.Get("Content-Disposition"))
	require.Equal(t, objectID.String(), got.header.Get("X-Gatehouse-Job"))
	require.Negative(t, length)
	require.Nil(t, a.service.bulk.job)
}

func TestAFinishedFileHasALength(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.service.bulk.length = int64(len(aFile))
	short := strings.ToUpper(strings.ReplaceAll(objectID.String(), "-", ""))
	got, length, err := a.download(t, exports+"/download?job="+short)
	require.NoError(t, err)
	require.Equal(t, aFile, got.body)
	require.EqualValues(t, len(aFile), length)
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
				got, _, err := a.download(t, path)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				require.Equal(t, http.StatusOK, got.status)
				require.Equal(t, strings.Join(a.service.bulk.pieces, ""), got.body)
			})
		}
	}
}

// downloadOld asks with HTTP/1.0, where the end of the connection ends a file
// without a length. err is that of a client that counts the bytes.
func (a *api) downloadOld(t *testing.T, path string) (got answer, length int64, err error) {
	t.Helper()
	conn := dial(t, a.serve(t))
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nAuthorization: Bearer token\r\n\r\n", fill(path))
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(body), response.Close}, response.ContentLength, err
}

func TestAnOldClientTakesNoPartForTheWhole(t *testing.T) {
	t.Parallel()
	broken := lifecycle.NewError(lifecycle.KindUnavailable, "The writing of the file began anew.")
	again := exports + "/download?job=" + objectID.String()
	for _, path := range []string{exports + "/download", again, uploads + faultsFile} {
		a := newAPI(t)
		a.service.bulk.pieceErr = broken
		got, length, err := a.downloadOld(t, path)
		require.NoError(t, err)
		require.Equal(t, http.StatusHTTPVersionNotSupported, got.status, path)
		require.EqualValues(t, len(got.body), length)
		require.Contains(t, got.body, "Use HTTP/1.1")
		require.Empty(t, got.header.Get("Content-Disposition"))
		apitest.ValidateResponse(t, request("GET", fill(path), ""), got.status, got.header, []byte(got.body))
		if path == exports+"/download" {
			require.Zero(t, a.service.parent, "none is made in vain")
		}
	}

	a := newAPI(t)
	a.service.bulk.length = int64(len(aFile))
	got, length, err := a.downloadOld(t, again)
	require.NoError(t, err)
	require.Equal(t, aFile, got.body)
	require.EqualValues(t, len(aFile), length)

	a = newAPI(t)
	a.service.bulk.length, a.service.bulk.pieceErr = 1000, broken
	_, length, err = a.downloadOld(t, again)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.EqualValues(t, 1000, length)
}

func TestAFileThatNeverBeginsIsAnError(t *testing.T) {
	t.Parallel()
	for _, path := range []string{exports + "/download", uploads + faultsFile} {
		a := newAPI(t)
		a.service.bulk.pieces = nil
		a.service.bulk.pieceErr = lifecycle.NewError(lifecycle.KindUnavailable, "The file can't be written.")
		got, _, err := a.download(t, path)
		require.NoError(t, err)
		require.Equal(t, http.StatusServiceUnavailable, got.status)
		require.NotEmpty(t, got.header.Get("Retry-After"))
		require.Contains(t, got.body, "The file can't be written.")
		require.Empty(t, got.header.Get("Content-Disposition"))
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
	got, _, err := a.download(t, exports+"/download")
	require.NoError(t, err)
	require.Equal(t, "abc", got.body)
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
