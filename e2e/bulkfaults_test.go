package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	// rowsOfFaults is the size of the files that faults happen to: large enough
	// for many chunks, and the most that a source may hold.
	rowsOfFaults = 20_000
	// rowsAtOnce are more than are staged at once.
	rowsAtOnce = 3_000
)

// seedVariable has the moments of a run that failed chosen again.
const seedVariable = "GATEHOUSE_TEST_SEED"

// moments chooses when harm is done. The log says by which seed.
func moments(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64() //nolint:gosec // any moment will do
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, seedVariable)
	}
	t.Logf("%s=%d", seedVariable, seed)
	return rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // any moment will do
}

// harm is what a test does to an import under way, and how that is made good.
type harm struct {
	do, undo func(t *testing.T, source object)
}

// during does harm to imports, each time in the middle of another chunk, and
// checks that they come out as if nothing had happened. The chunk goes on, if it
// still can, once the harm is done and before it is undone.
func during(t *testing.T, rounds int, h harm) {
	t.Helper()
	chosen := moments(t)
	file := sample(t, rowsOfFaults)
	for range rounds {
		source := newSource(t)
		number := 1 + chosen.IntN(rowsOfFaults)
		t.Logf("harm is done while row %d goes in", number)
		held := stack.holdRow(t, source, number)
		accepted := as(t, "admin").upload(source, "", file).want(http.StatusAccepted).object()
		held.await(t)
		unfinished := job(t, source, accepted.id())
		require.Less(t, done(unfinished), number)
		require.Empty(t, unfinished.text("finished"))
		h.do(t, source)
		held.release()
		h.undo(t, source)
		wantCounts(t, awaitJob(t, source, accepted.id(), "COMPLETED"), rowsOfFaults, 0, 0, 0)
		wantFile(t, source, file)
		wantShown(t, source, accepted.id(), rowsOfFaults)
		wantNothingStaged(t)
	}
}

func TestWorkerKilledDuringAnImport(t *testing.T) {
	during(t, 3, harm{
		do:   func(t *testing.T, _ object) { t.Helper(); stack.killWorker(t) },
		undo: func(t *testing.T, _ object) { t.Helper(); stack.startWorker(t) },
	})
}

func TestPostgresAwayDuringAnImport(t *testing.T) {
	during(t, 3, harm{
		do:   func(t *testing.T, _ object) { t.Helper(); stack.stopPostgres(t) },
		undo: func(t *testing.T, _ object) { t.Helper(); stack.startPostgres(t) },
	})
}

func TestTemporalAwayDuringAnImport(t *testing.T) {
	during(t, 3, harm{
		do:   func(t *testing.T, _ object) { t.Helper(); stack.stopTemporal(t) },
		undo: func(t *testing.T, _ object) { t.Helper(); stack.startTemporal(t) },
	})
}

// TestTheWorkflowsOfAnImportAreTerminatedByHand: the sweep starts them again. The
// chunk is held until then, or it would be the last step of what was terminated
// that finishes the import.
func TestTheWorkflowsOfAnImportAreTerminatedByHand(t *testing.T) {
	during(t, 1, harm{
		do: func(t *testing.T, source object) {
			t.Helper()
			id := "imports/" + source.id()
			require.NoError(t, stack.temporal.TerminateWorkflow(patience(t), id, "", "a test"))
			bySweep(t, "they are started again", func() bool { return runs(t, id) })
		},
		undo: func(*testing.T, object) {},
	})
}

// sending sends an upload that the API may die of; what comes out of it is nil
// for one that was accepted.
func sending(t *testing.T, source object, body io.Reader, contentType string) <-chan error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, stack.apiURL+"/v3"+bulkPath(source, ""), body)
	require.NoError(t, err)
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Authorization", "Bearer "+as(t, "admin").token)
	answered := make(chan error, 1)
	go func() {
		response, err := (&http.Client{}).Do(request)
		if err == nil {
			if response.StatusCode != http.StatusAccepted {
				err = errors.New(response.Status)
			}
			_ = response.Body.Close()
		}
		answered <- err
	}()
	return answered
}

// TestAPIKilledDuringAnUpload: nothing of the file is left behind.
func TestAPIKilledDuringAnUpload(t *testing.T) {
	chosen := moments(t)
	file := strings.SplitAfter(sample(t, rowsOfFaults), "\n")
	for range 3 {
		source := newSource(t)
		body, pipe := io.Pipe()
		form := multipart.NewWriter(pipe)
		answered := sending(t, source, body, form.FormDataContentType())
		rows := rowsAtOnce + chosen.IntN(rowsOfFaults-rowsAtOnce)
		t.Logf("the API is killed once %d rows were sent", rows)
		part, err := form.CreateFormFile("data", "data.csv")
		require.NoError(t, err)
		_, err = io.WriteString(part, strings.Join(file[:1+rows], ""))
		require.NoError(t, err)
		eventually(t, "some rows are staged, of an upload that goes on", func() bool {
			return stack.count(t, `SELECT count(*) FROM import_rows AS r JOIN import_jobs AS j ON j.id = r.job_id
				WHERE j.source_id = $1 AND j.status = 'RECEIVING'`, source.id()) > 0
		})
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
// of it, and the sweep starts it while the API is still dead. It is killed once
// while it tries to reach Temporal and once after it gave that up.
func TestAPIKilledBeforeTheImportStarts(t *testing.T) {
	file := sample(t, 500)
	for _, waits := range []bool{false, true} {
		source := newSource(t)
		stack.stopTemporal(t)
		body, contentType := form(t, "data="+file)
		answered := sending(t, source, body, contentType)
		if waits {
			require.NoError(t, <-answered)
		}
		var id string
		eventually(t, "the job is sealed", func() bool {
			id = stack.text(t, `SELECT coalesce(max(id::text), '') FROM import_jobs WHERE source_id = $1 AND status = 'PENDING'`, source.id())
			return id != ""
		})
		stack.killAPI(t)
		stack.startTemporal(t)
		bySweep(t, "the import is carried out", func() bool {
			return stack.text(t, `SELECT status FROM import_jobs WHERE id = $1`, id) == "COMPLETED"
		})
		stack.startAPI(t)
		wantCounts(t, awaitJob(t, source, id, "COMPLETED"), 500, 0, 0, 0)
		wantFile(t, source, file)
		wantShown(t, source, id, 500)
	}
}

// download is what a client gets of a new export that stands still.
type download struct {
	export string
	// number is that of the chunk that is held.
	number int
	held   *hold
	// begun is true once the client has a part of the file; the rest is to be read
	// when done is closed. err is how the connection broke off.
	begun  atomic.Bool
	done   chan struct{}
	status int
	body   []byte
	err    error
}

// heldDownload downloads the records of a source, which stands still before the
// chunk of this number is written.
func heldDownload(ctx context.Context, t *testing.T, source object, number int) *download {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, stack.apiURL+"/v3"+exportPath(source, "/download"), nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+as(t, "admin").token)
	// Nothing is to be written before it is known what is to be held.
	stack.pauseWorker(t)
	d := &download{number: number, done: make(chan struct{})}
	go d.receive(request)
	eventually(t, "the export is made", func() bool {
		d.export = stack.text(t, `SELECT coalesce(max(id::text), '') FROM export_jobs WHERE source_id = $1 AND status = 'PENDING'`, source.id())
		return d.export != ""
	})
	d.held = stack.holdChunk(t, d.export, number)
	stack.resumeWorker(t)
	d.held.await(t)
	if number > 0 {
		eventually(t, "the client has the beginning", d.begun.Load)
	}
	require.Equal(t, "IN_PROGRESS", statusOfExport(t, d.export))
	return d
}

func (d *download) receive(request *http.Request) {
	defer close(d.done)
	response, err := (&http.Client{}).Do(request)
	if err != nil {
		d.err = err
		return
	}
	d.begun.Store(true)
	d.status = response.StatusCode
	d.body, d.err = io.ReadAll(response.Body)
	_ = response.Body.Close()
}

func statusOfExport(t *testing.T, export string) string {
	t.Helper()
	return stack.text(t, `SELECT status FROM export_jobs WHERE id = $1`, export)
}

func attemptOfExport(t *testing.T, export string) int {
	t.Helper()
	return stack.count(t, `SELECT attempt FROM export_jobs WHERE id = $1`, export)
}

// exported makes a source with so many records and returns the file that they
// make, and the number of chunks that it has.
func exported(t *testing.T, rows int) (source object, file []byte, chunks int) {
	t.Helper()
	source = newSource(t)
	admin := as(t, "admin")
	accepted := admin.upload(source, "", sample(t, rows)).want(http.StatusAccepted).object()
	awaitJob(t, source, accepted.id(), "COMPLETED")
	answer := admin.get(exportPath(source, "/download")).want(200)
	require.Equal(t, rows+1, bytes.Count(answer.body, []byte("\n")))
	preview := admin.upload(source, "?dry-run=true", string(answer.body)).want(http.StatusOK).object()
	require.EqualValues(t, rows, preview["unchanged"])
	return source, answer.body, stack.count(t, `SELECT count(*) FROM export_chunks WHERE job_id = $1`, answer.header.Get("X-Gatehouse-Job"))
}

// wantExport waits until the export has ended and checks that it has this file,
// and that Temporal shows so.
func wantExport(t *testing.T, source object, export string, file []byte) {
	t.Helper()
	eventually(t, "the export is finished", func() bool { return statusOfExport(t, export) == "COMPLETED" })
	again := as(t, "admin").get(exportPath(source, "/download?job="+export)).want(200)
	require.Equal(t, sha256.Sum256(file), sha256.Sum256(again.body), "the file is that of the records")
	eventually(t, "the workflow has ended", func() bool {
		return stack.countWorkflows(t, `WorkflowId = "export/`+export+`" AND GatehouseStatus = "COMPLETED" AND GatehouseStage = "ended"`) == 1
	})
	require.Contains(t, stack.detailsOf(t, "export/"+export), fmt.Sprintf(": %d rows, %d bytes", bytes.Count(file, []byte("\n"))-1, len(file)))
}

// TestWorkerKilledDuringAnExport: a client that has a part of the file sees it
// break off, never a file that looks whole; one that has nothing may get the
// whole of the next attempt. Two exports are hit at once, at moments of their
// own: it takes long until Temporal misses a worker.
func TestWorkerKilledDuringAnExport(t *testing.T) {
	chosen := moments(t)
	source, file, chunks := exported(t, rowsOfFaults)
	for range 2 {
		var hit []*download
		attempts := map[*download]int{}
		for range 2 {
			hit = append(hit, heldDownload(t.Context(), t, source, chosen.IntN(chunks)))
		}
		for _, d := range hit {
			t.Logf("the worker is killed while chunk %d of %d is written", d.number, chunks)
			attempts[d] = attemptOfExport(t, d.export)
			require.Equal(t, "IN_PROGRESS", statusOfExport(t, d.export))
		}
		stack.killWorker(t)
		for _, d := range hit {
			d.held.release()
		}
		stack.startWorker(t)
		for _, d := range hit {
			<-d.done
			if d.number > 0 {
				require.Error(t, d.err, "a part of %d bytes does not look whole", len(d.body))
			} else if d.err == nil && d.status == http.StatusOK {
				require.Equal(t, sha256.Sum256(file), sha256.Sum256(d.body), "what looks whole is whole")
			}
			wantExport(t, source, d.export, file)
			require.Greater(t, attemptOfExport(t, d.export), attempts[d], "it was begun anew")
		}
	}
}

// TestAClientThatLeavesStopsNothing: the export it asked for is finished.
func TestAClientThatLeavesStopsNothing(t *testing.T) {
	chosen := moments(t)
	source, file, chunks := exported(t, rowsOfFaults/4)
	number := 1 + chosen.IntN(chunks-1)
	t.Logf("the client leaves while chunk %d of %d is written", number, chunks)
	ctx, leave := context.WithCancel(t.Context())
	d := heldDownload(ctx, t, source, number)
	leave()
	<-d.done
	require.ErrorIs(t, d.err, context.Canceled)
	d.held.release()
	wantExport(t, source, d.export, file)
}
