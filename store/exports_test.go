package store_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

const keep = 24 * time.Hour

// newExport is an export of w.source that is asked for.
func (w *world) newExport() lifecycle.ExportJob {
	job := lifecycle.ExportJob{
		ID: lifecycle.NewID(), SourceID: w.source.ID, Requester: w.owner.ID, ClientID: "client",
		Created: storetest.Now(), Status: lifecycle.JobPending,
	}
	job.Modified = job.Created
	return job
}

// beginExport makes an export of w.source that waits; none does so yet.
func (w *world) beginExport(t *testing.T) lifecycle.ExportJob {
	t.Helper()
	job := w.newExport()
	begun, err := w.BeginExport(t.Context(), job)
	require.NoError(t, err)
	require.Equal(t, job, begun)
	return job
}

// elsewhere is w with another source.
func (w *world) elsewhere(t *testing.T, name string) *world {
	t.Helper()
	return &world{Store: w.Store, admin: w.admin, owner: w.owner, source: storetest.Source(t, w.Store, name, w.owner.ID)}
}

// file reads the export's chunks, two at a time, and returns the job as it stands.
func (w *world) file(t *testing.T, job lifecycle.ID) (lifecycle.ExportJob, []byte) {
	t.Helper()
	var file []byte
	for n := 0; ; {
		got, chunks, err := w.ReadExport(t.Context(), job, n, 2)
		require.NoError(t, err)
		if len(chunks) == 0 {
			return got, file
		}
		for _, chunk := range chunks {
			file = append(file, chunk...)
		}
		n += len(chunks)
	}
}

func ignore(int) {}

func TestAnExportIsASnapshotInTheOrderOfMaking(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.attribute(t, "b.badge")
	w.attribute(t, "room 'no'?")
	elsewhere := storetest.Source(t, w.Store, "Interns", w.owner.ID)
	other := w.newRecord("elsewhere")
	other.SourceID = elsewhere.ID
	require.NoError(t, w.CreateRecord(t.Context(), other, plenty))
	later, first := w.newRecord("plain"), w.newRecord(`=quo"ted, Ü`+"\nline")
	first.Created = first.Created.Add(-time.Hour)
	first.StartDate = time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)
	first.EndDate = time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)
	first.Data = map[string]string{"room 'no'?": "-12"}
	for _, record := range []lifecycle.Record{later, first} {
		require.NoError(t, w.CreateRecord(t.Context(), record, plenty))
	}
	job := w.beginExport(t)
	got, err := w.GetExport(t.Context(), w.source.ID, job.ID)
	require.NoError(t, err)
	require.Equal(t, job, got)

	var progress []int
	written, err := w.WriteExport(t.Context(), job.ID, keep, func(rows int) { progress = append(progress, rows) })
	require.NoError(t, err)
	require.Equal(t, []int{2}, progress)
	got, file := w.file(t, job.ID)
	require.Equal(t, written, got)
	require.False(t, got.Finished.Before(job.Created))
	require.Equal(t, got.Finished.Add(keep), got.Expires)
	job.Status, job.Attempt, job.Rows, job.Bytes = lifecycle.JobCompleted, 1, 2, int64(len(file))
	job.Modified, job.Finished, job.Expires = got.Modified, got.Finished, got.Expires
	require.Equal(t, job, got)

	require.Equal(t, "accountName,firstName,lastName,phone,email,manager,startDate,endDate,b.badge,room 'no'?\n"+
		"\"'=quo\"\"ted, Ü\nline\",\"First =quo\"\"ted, Ü\nline\",\"Last =quo\"\"ted, Ü\nline\",+1 555 0100,"+
		"\"'=quo\"\"ted, Ü\nline@example.org\",jane.doe,0001-01-02T00:00:00.000Z,9999-12-31T23:59:59.999Z,,'-12\n"+
		"plain,First plain,Last plain,+1 555 0100,plain@example.org,jane.doe,"+
		lifecycle.FormatTime(later.StartDate)+","+lifecycle.FormatTime(later.EndDate)+",,\n", string(file))

	again, err := w.WriteExport(t.Context(), job.ID, keep, func(int) { t.Error("a complete export is not written again") })
	require.NoError(t, err)
	require.Equal(t, written, again)
}

func TestAnExportThatWaitsIsJoined(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	schedule := w.schedule(t, 1)
	scheduled := lifecycle.NewID()
	_, err := w.BeginScheduledExport(t.Context(), schedule.ID, scheduled)
	require.NoError(t, err)
	w.elsewhere(t, "Interns").beginExport(t)
	first := w.beginExport(t)
	for range 3 {
		later := w.newExport()
		later.Requester, later.ClientID = lifecycle.ID{}, "another"
		joined, err := w.BeginExport(t.Context(), later)
		require.NoError(t, err)
		require.Equal(t, first, joined)
	}
	require.Equal(t, 3, w.number(t, "SELECT count(*) FROM export_jobs"))

	_, err = w.WriteExport(t.Context(), first.ID, keep, func(int) {
		second := w.beginExport(t)
		require.NotEqual(t, first.ID, second.ID, "its snapshot has been taken")
	})
	require.NoError(t, err)
}

func TestAnExportOfAnEmptySourceIsItsHeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	job := w.beginExport(t)
	written, err := w.WriteExport(t.Context(), job.ID, keep, ignore)
	require.NoError(t, err)
	got, file := w.file(t, job.ID)
	require.Equal(t, written, got)
	require.Equal(t, "accountName,firstName,lastName,phone,email,manager,startDate,endDate\n", string(file))
	require.EqualValues(t, len(file), got.Bytes)
	require.Zero(t, got.Rows)
}

func TestABigExportComesInPiecesWhileItIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	const n = 12_000
	w.fill(t, w.source.ID, n)
	job := w.beginExport(t)
	chunks := 0
	var partly []byte
	written, err := w.WriteExport(t.Context(), job.ID, keep, func(rows int) {
		got, read, err := w.ReadExport(t.Context(), job.ID, chunks, 10)
		require.NoError(t, err)
		require.Len(t, read, 1, "each is there when it is told")
		require.Equal(t, lifecycle.JobInProgress, got.Status)
		require.Equal(t, rows, got.Rows)
		partly = append(partly, read[0]...)
		require.Equal(t, rows, bytes.Count(partly, []byte("\n"))-1, "chunks end with a row")
		if chunks == 0 {
			require.Less(t, len(partly), 20<<10, "the first one is small")
		} else {
			require.Less(t, len(read[0]), 257<<10)
		}
		chunks++
	})
	require.NoError(t, err)
	require.Greater(t, chunks, 4)
	require.Equal(t, n, written.Rows)
	_, file := w.file(t, job.ID)
	require.Equal(t, partly, file)
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, n+1)
	for i, row := range rows[1:] {
		require.Equal(t, fmt.Sprint("user.", i+1), row[0])
	}
}

// TestAnExportSeesOneMoment moves amounts between records while they are
// exported: their sum never changes, and is the same in every file.
func TestAnExportSeesOneMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	const n, total = 3_000, 3_000 * 100
	w.fill(t, w.source.ID, n)
	_, err := w.admin.ExecContext(t.Context(), "UPDATE records SET phone = '100'")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	var group errgroup.Group
	var moved atomic.Int64
	for worker := range 3 {
		group.Go(func() error {
			for round := worker; ctx.Err() == nil; round += 7 {
				_, err := w.admin.ExecContext(t.Context(), `WITH pair AS (
						SELECT id, row_number() OVER () AS side FROM (SELECT id FROM records
							WHERE account_name IN ('user.' || $1::int, 'user.' || $2::int) ORDER BY id FOR UPDATE) AS r
					)
					UPDATE records AS r SET phone = (r.phone::int + CASE pair.side WHEN 1 THEN 1 ELSE -1 END)::text
					FROM pair WHERE r.id = pair.id AND (SELECT count(*) FROM pair) = 2`, 1+round*31%n, 1+round*57%n)
				if err != nil {
					return err
				}
				moved.Add(1)
			}
			return nil
		})
	}
	for range 3 {
		seen := moved.Load()
		require.Eventually(t, func() bool { return moved.Load() > seen }, time.Minute, time.Millisecond)
		job := w.beginExport(t)
		_, err := w.WriteExport(t.Context(), job.ID, keep, func(int) {
			seen := moved.Load()
			require.Eventually(t, func() bool { return moved.Load() > seen }, time.Minute, time.Millisecond)
		})
		require.NoError(t, err)
		_, file := w.file(t, job.ID)
		rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
		require.NoError(t, err)
		sum := 0
		for _, row := range rows[1:] {
			amount, err := strconv.Atoi(strings.TrimPrefix(row[3], "'"))
			require.NoError(t, err)
			sum += amount
		}
		require.Equal(t, total, sum)
	}
	stop()
	require.NoError(t, group.Wait())
}

func TestANewerAttemptTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.fill(t, w.source.ID, 12_000)
	job := w.beginExport(t)
	var once sync.Once
	var second lifecycle.ExportJob
	_, err := w.WriteExport(t.Context(), job.ID, keep, func(int) {
		once.Do(func() {
			var err error
			second, err = w.WriteExport(t.Context(), job.ID, keep, ignore)
			require.NoError(t, err)
		})
	})
	requireKind(t, lifecycle.KindIllegalUpdate, err)
	require.Equal(t, 2, second.Attempt)
	got, file := w.file(t, job.ID)
	require.Equal(t, second, got)
	require.Len(t, file, int(got.Bytes))
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM export_chunks WHERE attempt = 1"))
}

func TestAnExportThatIsCutOffIsWrittenAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.fill(t, w.source.ID, 12_000)
	job := w.beginExport(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := w.WriteExport(ctx, job.ID, keep, func(int) { cancel() })
	requireKind(t, lifecycle.KindUnavailable, err)
	got, file := w.file(t, job.ID)
	require.Equal(t, lifecycle.JobInProgress, got.Status)
	require.NotEmpty(t, file)
	written, err := w.WriteExport(t.Context(), job.ID, keep, ignore)
	require.NoError(t, err)
	require.Equal(t, 2, written.Attempt)
	require.Equal(t, 12_000, written.Rows)
	got, file = w.file(t, job.ID)
	require.Equal(t, written, got)
	require.Len(t, file, int(written.Bytes))
}

func TestAnExportFailsOrGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.fill(t, w.source.ID, 1_000)
	failed := w.beginExport(t)
	_, err := w.WriteExport(t.Context(), failed.ID, keep, func(int) {
		require.NoError(t, w.FailExport(t.Context(), failed.ID))
	})
	requireKind(t, lifecycle.KindIllegalUpdate, err)
	got, err := w.GetExport(t.Context(), w.source.ID, failed.ID)
	require.NoError(t, err)
	require.Equal(t, lifecycle.JobError, got.Status)
	require.NotZero(t, got.Finished)
	require.Zero(t, got.Expires)
	_, err = w.WriteExport(t.Context(), failed.ID, keep, ignore)
	requireKind(t, lifecycle.KindIllegalUpdate, err)
	w.dropBulk(t)
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM export_chunks"))

	complete := w.beginExport(t)
	written, err := w.WriteExport(t.Context(), complete.ID, keep, ignore)
	require.NoError(t, err)
	require.NoError(t, w.FailExport(t.Context(), complete.ID), "what has ended stays")
	got, err = w.GetExport(t.Context(), w.source.ID, complete.ID)
	require.NoError(t, err)
	require.Equal(t, written, got)

	jobs, total, err := w.ListExports(t.Context(), w.source.ID, 1, 0, true)
	require.NoError(t, err)
	require.Equal(t, 2, total)
	require.Equal(t, []lifecycle.ExportJob{written}, jobs)
	_, err = w.GetExport(t.Context(), lifecycle.NewID(), complete.ID)
	requireKind(t, lifecycle.KindNotFound, err)

	running := w.beginExport(t)
	_, err = w.WriteExport(t.Context(), running.ID, keep, func(int) {
		require.NoError(t, w.DeleteSource(t.Context(), w.source.ID))
	})
	requireKind(t, lifecycle.KindNotFound, err)
	for _, gone := range []lifecycle.ID{running.ID, lifecycle.NewID()} {
		_, err = w.WriteExport(t.Context(), gone, keep, ignore)
		requireKind(t, lifecycle.KindNotFound, err)
		_, _, err = w.ReadExport(t.Context(), gone, 0, 1)
		requireKind(t, lifecycle.KindNotFound, err)
		require.NoError(t, w.FailExport(t.Context(), gone))
	}
	_, err = w.BeginExport(t.Context(), running)
	requireKind(t, lifecycle.KindNotFound, err)
	w.dropBulk(t)
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM export_chunks"))
}

// TestExportsShareFewConnections has more exports than there are connections:
// each needs two, and none may keep the last one from another.
func TestExportsShareFewConnections(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, 0, store.Config{MaxConns: 1})
	var group errgroup.Group
	for i := range 5 {
		other := w.elsewhere(t, fmt.Sprint("Source ", i))
		w.fill(t, other.source.ID, 1_000)
		job := other.beginExport(t)
		group.Go(func() error {
			_, err := w.WriteExport(t.Context(), job.ID, keep, ignore)
			return err
		})
	}
	require.NoError(t, group.Wait())
}

// TestAnExportOutlastsTheStatementTimeout holds the reader up for longer than a
// statement may take elsewhere.
func TestAnExportOutlastsTheStatementTimeout(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, 0, store.Config{StatementTimeout: 200 * time.Millisecond})
	w.fill(t, w.source.ID, 20_000)
	job := w.beginExport(t)
	began := time.Now()
	written, err := w.WriteExport(t.Context(), job.ID, keep, func(int) {
		require.Eventually(t, func() bool { return time.Since(began) > 300*time.Millisecond }, time.Minute, 10*time.Millisecond)
	})
	require.NoError(t, err)
	require.Equal(t, 20_000, written.Rows)
}
