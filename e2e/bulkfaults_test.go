package e2e_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rowsOfFaults is the size of the files that faults happen to: large enough for
// many chunks, and the most that a source may hold.
const rowsOfFaults = 20_000

// during uploads a file, does harm once some rows are in, at a moment of chance,
// and checks that the import comes out as if nothing had happened.
func during(t *testing.T, harm func(t *testing.T)) {
	t.Helper()
	source := newSource(t)
	accepted := as(t, "admin").upload(source, "", sample(t, rowsOfFaults)).want(http.StatusAccepted).object()
	moment := rand.IntN(rowsOfFaults / 2) //nolint:gosec // any moment will do
	t.Logf("harm is done once more than %d rows are in", moment)
	eventually(t, "so many rows are in", func() bool {
		return stack.count(t, `SELECT done FROM import_jobs WHERE id = $1`, accepted.id()) > moment
	})
	harm(t)
	wantCounts(t, awaitJob(t, source, accepted.id(), "COMPLETED"), rowsOfFaults, 0, 0, 0)
	wantRows(t, source, rowsOfFaults)
	wantNothingStaged(t)
}

func TestWorkerKilledDuringAnImport(t *testing.T) {
	for range 3 {
		during(t, func(t *testing.T) {
			t.Helper()
			stack.killWorker(t)
			stack.startWorker(t)
		})
	}
}

func TestPostgresAwayDuringAnImport(t *testing.T) {
	for range 2 {
		during(t, func(t *testing.T) {
			t.Helper()
			stack.stopPostgres(t)
			stack.startPostgres(t)
		})
	}
}

func TestTemporalAwayDuringAnImport(t *testing.T) {
	for range 2 {
		during(t, func(t *testing.T) {
			t.Helper()
			stack.stopTemporal(t)
			stack.startTemporal(t)
		})
	}
}

func TestTheWorkflowsOfAnImportAreTerminatedByHand(t *testing.T) {
	during(t, func(t *testing.T) {
		t.Helper()
		source := stack.text(t, `SELECT source_id::text FROM import_jobs WHERE status = 'IN_PROGRESS'`)
		require.NoError(t, stack.temporal.TerminateWorkflow(patience(t), "imports/"+source, "", "a test"))
	})
}

// TestAPIKilledDuringAnUpload: nothing of the file is left behind.
func TestAPIKilledDuringAnUpload(t *testing.T) {
	for range 2 {
		source := newSource(t)
		body, pipe := io.Pipe()
		form := multipart.NewWriter(pipe)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, stack.apiURL+"/v3"+bulkPath(source, ""), body)
		require.NoError(t, err)
		request.Header.Set("Content-Type", form.FormDataContentType())
		request.Header.Set("Authorization", "Bearer "+as(t, "admin").token)
		answered := make(chan error, 1)
		go func() {
			response, err := (&http.Client{}).Do(request)
			if err == nil {
				err = errors.New(response.Status)
				_ = response.Body.Close()
			}
			answered <- err
		}()
		part, err := form.CreateFormFile("data", "data.csv")
		require.NoError(t, err)
		_, err = io.Copy(part, strings.NewReader(sample(t, 10_000)))
		require.NoError(t, err)
		eventually(t, "some rows are staged", func() bool { return stack.count(t, `SELECT count(*) FROM import_rows`) > 0 })
		stack.killAPI(t)
		_ = pipe.CloseWithError(io.ErrUnexpectedEOF)
		require.Error(t, <-answered)
		stack.startAPI(t)
		// As if the lease had run out: the test does not wait for a minute.
		stack.execute(t, `UPDATE import_jobs SET lease_until = now() - interval '1 second' WHERE status = 'RECEIVING'`)
		wantNothingStaged(t)
		require.Empty(t, as(t, "admin").get(bulkPath(source, "/jobs")).want(200).list())
		wantRows(t, source, 0)
	}
}

// TestAPIKilledBeforeTheImportStarts: the job is sealed, Temporal has not heard
// of it, and the sweep starts it.
func TestAPIKilledBeforeTheImportStarts(t *testing.T) {
	source := newSource(t)
	stack.pauseTemporal(t)
	accepted := as(t, "admin").upload(source, "", sample(t, 500)).want(http.StatusAccepted).object()
	stack.killAPI(t)
	stack.resumeTemporal(t)
	stack.startAPI(t)
	wantCounts(t, awaitJob(t, source, accepted.id(), "COMPLETED"), 500, 0, 0, 0)
	wantRows(t, source, 500)
}

// TestWorkerKilledDuringAnExport: a client sees a file that breaks off, never
// one that looks whole; the next one is whole.
func TestWorkerKilledDuringAnExport(t *testing.T) {
	source := newSource(t)
	admin := as(t, "admin")
	accepted := admin.upload(source, "", sample(t, rowsOfFaults)).want(http.StatusAccepted).object()
	awaitJob(t, source, accepted.id(), "COMPLETED")
	for range 3 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, stack.apiURL+"/v3"+exportPath(source, "/download"), nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+admin.token)
		type read struct {
			status int
			text   []byte
			err    error
		}
		done := make(chan read, 1)
		go func() {
			response, err := (&http.Client{}).Do(request)
			if err != nil {
				done <- read{err: err}
				return
			}
			text, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			done <- read{response.StatusCode, text, err}
		}()
		moment := rand.IntN(1000) //nolint:gosec // any moment will do
		eventually(t, "the export is under way", func() bool {
			return stack.count(t, `SELECT count(*) FROM export_jobs WHERE source_id = $1 AND status <> 'COMPLETED' AND rows > $2`,
				source.id(), moment) > 0 || len(done) > 0
		})
		stack.killWorker(t)
		stack.startWorker(t)
		got := <-done
		if got.err == nil && got.status == http.StatusOK {
			require.Equal(t, rowsOfFaults+1, strings.Count(string(got.text), "\n"), "what looks whole is whole")
		}
		eventually(t, "the export is finished nevertheless", func() bool {
			return stack.count(t, `SELECT count(*) FROM export_jobs WHERE source_id = $1 AND status <> 'COMPLETED'`, source.id()) == 0
		})
	}
	whole := admin.get(exportPath(source, "/download")).want(200)
	require.Equal(t, rowsOfFaults+1, strings.Count(string(whole.body), "\n"))
}

// TestAClientThatLeavesStopsNothing: the export it asked for is finished.
func TestAClientThatLeavesStopsNothing(t *testing.T) {
	source := newSource(t)
	admin := as(t, "admin")
	accepted := admin.upload(source, "", sample(t, rowsOfFaults)).want(http.StatusAccepted).object()
	awaitJob(t, source, accepted.id(), "COMPLETED")
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, stack.apiURL+"/v3"+exportPath(source, "/download"), nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+admin.token)
	response, err := (&http.Client{}).Do(request)
	require.NoError(t, err)
	_, err = io.ReadFull(response.Body, make([]byte, 100))
	require.NoError(t, err)
	cancel()
	_ = response.Body.Close()
	eventually(t, "the export is finished", func() bool {
		return stack.count(t, `SELECT count(*) FROM export_jobs WHERE source_id = $1 AND status = 'COMPLETED'`, source.id()) == 1
	})
}
