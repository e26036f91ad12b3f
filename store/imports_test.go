package store_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"gatehouse/activities"
	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/service"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

var (
	_ service.ImportStore  = (*store.Store)(nil)
	_ service.ExportStore  = (*store.Store)(nil)
	_ activities.BulkStore = (*store.Store)(nil)
)

const lease = time.Minute

// begin makes a job of w.source that receives a file with these custom columns.
func (w *world) begin(t *testing.T, maxPerSource int, columns ...string) lifecycle.ID {
	t.Helper()
	job := lifecycle.ImportJob{
		ID: lifecycle.NewID(), SourceID: w.source.ID, Requester: w.owner.ID, ClientID: "client", Created: storetest.Now(),
	}
	_, err := w.BeginImport(t.Context(), job, columns, "the,header", maxPerSource, lease)
	require.NoError(t, err)
	return job.ID
}

// rowsOf makes up one row for each name.
func (w *world) rowsOf(names ...string) []lifecycle.ImportRow {
	rows := make([]lifecycle.ImportRow, len(names))
	for i, name := range names {
		rows[i] = lifecycle.ImportRow{
			Number: i + 1, Line: 2*i + 2, RecordID: lifecycle.NewID(), Person: storetest.Person(name, w.owner),
			Cells: name + ",as it came",
		}
	}
	return rows
}

func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s%d", prefix, i+1)
	}
	return names
}

func (w *world) stage(t *testing.T, job lifecycle.ID, rows ...lifecycle.ImportRow) {
	t.Helper()
	require.NoError(t, w.StageImport(t.Context(), job, rows, lease))
}

// sealed makes a job of these rows that waits for its turn.
func (w *world) sealed(t *testing.T, rows ...lifecycle.ImportRow) lifecycle.ID {
	t.Helper()
	job := w.begin(t, plenty)
	w.stage(t, job, rows...)
	_, err := w.SealImport(t.Context(), job)
	require.NoError(t, err)
	return job
}

func (w *world) check(t *testing.T, job lifecycle.ID) lifecycle.ImportFaults {
	t.Helper()
	rows := w.number(t, "SELECT count(*) FROM import_rows WHERE job_id = $1", job.String())
	faults, err := w.CheckImport(t.Context(), job, rows)
	require.NoError(t, err)
	return faults
}

// carryOut applies chunks until the job has ended.
func (w *world) carryOut(t *testing.T, job lifecycle.ID, chunk int) lifecycle.ImportProgress {
	t.Helper()
	for {
		progress, err := w.ApplyImport(t.Context(), job, chunk)
		require.NoError(t, err)
		require.True(t, progress.Found)
		if progress.Status.Ended() {
			return progress
		}
	}
}

// records returns those of w.source by account name.
func (w *world) records(t *testing.T) map[string]lifecycle.Record {
	t.Helper()
	page, _, err := w.ListRecords(t.Context(), policy.Reach{All: true}, filter.Query{Limit: 250})
	require.NoError(t, err)
	records := map[string]lifecycle.Record{}
	for _, record := range page {
		records[record.AccountName] = record
	}
	return records
}

func (w *world) getImport(t *testing.T, job lifecycle.ID) lifecycle.ImportJob {
	t.Helper()
	got, err := w.GetImport(t.Context(), w.source.ID, job)
	require.NoError(t, err)
	return got
}

// TestPendingRequestsGetShortChunks: who decides one waits for a chunk.
func TestPendingRequestsGetShortChunks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	job := w.sealed(t, w.rowsOf(numbered("name", 700)...)...)
	request := w.request(t, "asked.for")
	progress, err := w.ApplyImport(t.Context(), job, 600)
	require.NoError(t, err)
	require.Equal(t, 250, progress.Done)
	require.NoError(t, w.DeleteRequest(t.Context(), request.ID))
	progress, err = w.ApplyImport(t.Context(), job, 600)
	require.NoError(t, err)
	require.Equal(t, lifecycle.JobCompleted, progress.Status)
	require.Equal(t, 700, progress.Created)
}

func TestAFileBecomesRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.attribute(t, "badge")
	rows := w.rowsOf("Müller", `o'"hara\`, "new\tline?0")
	rows[1].Person.Data = map[string]string{"badge": "a \"b\\c\"\n\x01 日本 ?"}
	rows[2].Person.Manager = lifecycle.ManagerReference{ID: w.outsider.ID, Alias: w.outsider.Alias}
	job := w.begin(t, plenty, "badge")
	require.NoError(t, w.StageImport(t.Context(), job, nil, lease))
	w.stage(t, job, rows[:1]...)
	w.stage(t, job, rows[1:]...)
	require.Zero(t, w.check(t, job))
	preview, err := w.PreviewImport(t.Context(), job)
	require.NoError(t, err)
	require.Equal(t, lifecycle.ImportCounts{Total: 3, Created: 3}, preview)

	before := storetest.Now()
	sealed, err := w.SealImport(t.Context(), job)
	require.NoError(t, err)
	again, err := w.SealImport(t.Context(), job)
	require.NoError(t, err)
	require.Equal(t, sealed, again)
	require.Equal(t, lifecycle.ImportJob{
		ID: job, SourceID: w.source.ID, Requester: w.owner.ID, ClientID: "client", Status: lifecycle.JobPending,
		ImportCounts: lifecycle.ImportCounts{Total: 3}, Created: sealed.Created, Modified: sealed.Modified,
	}, sealed)
	require.NoError(t, w.DropImport(t.Context(), job), "one that is sealed stays")

	progress, err := w.ApplyImport(t.Context(), job, 2)
	require.NoError(t, err)
	require.Equal(t, lifecycle.ImportProgress{
		Found: true, Status: lifecycle.JobInProgress, ImportCounts: lifecycle.ImportCounts{Total: 3, Done: 2, Created: 2},
	}, progress)
	half := w.getImport(t, job)
	require.Equal(t, progress.ImportCounts, half.ImportCounts)
	require.False(t, half.Started.Before(before))
	require.Zero(t, half.Finished)
	w.requireConsistent(t)

	progress = w.carryOut(t, job, 2)
	counts := lifecycle.ImportCounts{Total: 3, Done: 3, Created: 3}
	require.Equal(t, lifecycle.ImportProgress{Found: true, Status: lifecycle.JobCompleted, ImportCounts: counts}, progress)
	w.requireConsistent(t)
	ended := w.getImport(t, job)
	require.Equal(t, half.Started, ended.Started)
	require.False(t, ended.Finished.Before(half.Modified))
	again2, err := w.ApplyImport(t.Context(), job, 2)
	require.NoError(t, err)
	require.Equal(t, progress, again2, "a job that has ended stays as it is")

	records := w.records(t)
	require.Len(t, records, 3)
	for _, row := range rows {
		record := records[row.Person.AccountName]
		if row.Person.Data == nil {
			row.Person.Data = map[string]string{}
		}
		require.Equal(t, lifecycle.Record{
			ID: row.RecordID, SourceID: w.source.ID, Person: row.Person, Created: record.Created, Modified: record.Created,
		}, record)
		require.False(t, record.Created.Before(before))
	}
}

func TestAFileUpdatesWhatItDiffersFrom(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for _, name := range []string{"badge", "room", "gone"} {
		w.attribute(t, name)
	}
	data := map[string]string{"badge": "7", "room": "12", "gone": "x"}
	for _, name := range []string{"same", "Cased", "moved", "cleared"} {
		record := w.newRecord(name)
		record.Data = maps.Clone(data)
		require.NoError(t, w.CreateRecord(t.Context(), record, plenty))
	}
	before := w.records(t)

	// The file has no column room, and gone is deleted while it waits.
	rows := w.rowsOf("same", "CASED", "moved", "cleared", "fresh")
	for i := range rows {
		rows[i].Person.Data = map[string]string{"badge": "7", "gone": "x"}
	}
	rows[2].Person.EndDate = rows[2].Person.EndDate.Add(time.Millisecond)
	delete(rows[3].Person.Data, "badge")
	job := w.begin(t, plenty, "badge", "gone")
	w.stage(t, job, rows...)
	preview, err := w.PreviewImport(t.Context(), job)
	require.NoError(t, err)
	counts := lifecycle.ImportCounts{Total: 5, Created: 1, Updated: 3, Unchanged: 1}
	require.Equal(t, counts, preview)
	_, err = w.SealImport(t.Context(), job)
	require.NoError(t, err)
	gone := w.number(t, "SELECT position FROM schema_attributes WHERE technical_name = 'gone'")
	attributes, err := w.ListAttributes(t.Context(), w.source.ID)
	require.NoError(t, err)
	require.NoError(t, w.DeleteAttribute(t.Context(), w.source.ID, attributes[gone].ID))

	progress := w.carryOut(t, job, 2)
	counts.Done = 5
	require.Equal(t, lifecycle.ImportProgress{Found: true, Status: lifecycle.JobCompleted, ImportCounts: counts}, progress)
	w.requireConsistent(t)
	after := w.records(t)
	require.Len(t, after, 5)
	require.Equal(t, before["same"].Modified, after["same"].Modified)
	for name, want := range map[string]map[string]string{
		"same": {"badge": "7", "room": "12"}, "CASED": {"badge": "7", "room": "12"}, "moved": {"badge": "7", "room": "12"},
		"cleared": {"room": "12"}, "fresh": {"badge": "7"},
	} {
		require.Equal(t, want, after[name].Data, name)
	}
	require.Equal(t, before["Cased"].ID, after["CASED"].ID, "the record stays the same one")
	require.Equal(t, rows[2].Person.EndDate, after["moved"].EndDate)
	for _, name := range []string{"moved", "cleared"} {
		require.True(t, after[name].Modified.After(before[name].Modified), name)
		require.Equal(t, before[name].Created, after[name].Created)
	}
}

func TestAnUpdateIsAlwaysLaterThanWhatWasThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	record := w.newRecord("ahead")
	record.Modified = storetest.Now().Add(time.Hour)
	require.NoError(t, w.CreateRecord(t.Context(), record, plenty))
	rows := w.rowsOf("ahead")
	rows[0].Person.Phone = "another"
	w.carryOut(t, w.sealed(t, rows...), 1)
	require.Equal(t, record.Modified.Add(time.Millisecond), w.records(t)["ahead"].Modified)
}

func TestNamesTwiceInAFileAreFaultsOfTheLaterLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	rows := w.rowsOf("one", "STRASSE", "two", "straße", "Straße", "", "")
	for _, nameless := range []int{5, 6} {
		rows[nameless].Faulty = true
		rows[nameless].Person = lifecycle.Person{}
	}
	rows[0].Faulty = true
	job := w.begin(t, plenty)
	w.stage(t, job, rows...)
	fault := func(i int) lifecycle.RowFault {
		return lifecycle.RowFault{
			Row: i + 1, Line: rows[i].Line, Column: "accountName", Kind: lifecycle.KindConflict,
			Message: `accountName "` + rows[i].Person.AccountName + `" is in line 4 already`,
		}
	}
	require.Equal(t, lifecycle.ImportFaults{Listed: []lifecycle.RowFault{fault(3), fault(4)}, Total: 2}, w.check(t, job))

	t.Run("of which a thousand are listed and all are counted", func(t *testing.T) {
		const n = lifecycle.MaxListedFaults + 500
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprint("same", i%2)
		}
		rows := w.rowsOf(names...)
		job := w.begin(t, plenty)
		slices.Reverse(rows)
		w.stage(t, job, rows...)
		faults := w.check(t, job)
		require.Equal(t, n-2, faults.Total)
		require.Len(t, faults.Listed, lifecycle.MaxListedFaults)
		require.Equal(t, 3, faults.Listed[0].Row)
		require.Equal(t, lifecycle.MaxListedFaults+2, faults.Listed[lifecycle.MaxListedFaults-1].Row)
	})
}

func TestANameOfAPendingRequestIsAFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.request(t, "Asked.For")
	done := w.request(t, "decided")
	w.cancel(t, done)
	w.record(t, "there")
	rows := w.rowsOf("there", "decided", "asked.for", "free")
	job := w.begin(t, plenty)
	w.stage(t, job, rows...)
	held := lifecycle.RowFault{
		Row: 3, Line: rows[2].Line, Column: "accountName", Kind: lifecycle.KindConflict,
		Message: `Unable to create Non-Employee because the accountName "asked.for" is already being used.`,
	}
	require.Equal(t, lifecycle.ImportFaults{Listed: []lifecycle.RowFault{held}, Total: 1}, w.check(t, job))
	preview, err := w.PreviewImport(t.Context(), job)
	require.NoError(t, err)
	require.Equal(t, lifecycle.ImportCounts{Total: 4, Created: 2, Unchanged: 1, Failed: 1}, preview)

	t.Run("also one that is made while the import waits", func(t *testing.T) {
		_, err := w.SealImport(t.Context(), job)
		require.NoError(t, err)
		w.request(t, "free")
		progress := w.carryOut(t, job, 3)
		require.Equal(t, lifecycle.ImportProgress{
			Found: true, Status: lifecycle.JobError,
			ImportCounts: lifecycle.ImportCounts{Total: 4, Done: 4, Created: 1, Unchanged: 1, Failed: 2},
		}, progress)
		w.requireConsistent(t)
		faults, total, err := w.ListImportFaults(t.Context(), w.source.ID, job, 250, 0, true)
		require.NoError(t, err)
		held.Cells = rows[2].Cells
		free := held
		free.Row, free.Line, free.Cells = 4, rows[3].Line, rows[3].Cells
		free.Message = strings.ReplaceAll(held.Message, "asked.for", "free")
		require.Equal(t, []lifecycle.RowFault{held, free}, faults)
		require.Equal(t, 2, total)
		page, total, err := w.ListImportFaults(t.Context(), w.source.ID, job, 1, 1, false)
		require.NoError(t, err)
		require.Equal(t, []lifecycle.RowFault{free}, page)
		require.Zero(t, total)
		for after, want := range map[int][]lifecycle.RowFault{0: {held}, 2: {held}, 3: {free}, 4: nil} {
			page, err := w.ImportFaultsAfter(t.Context(), w.source.ID, job, after, 1)
			require.NoError(t, err)
			require.Equal(t, want, page, after)
		}
		header, err := w.ImportHeader(t.Context(), w.source.ID, job)
		require.NoError(t, err)
		require.Equal(t, "the,header", header)
		_, _, err = w.ListImportFaults(t.Context(), lifecycle.NewID(), job, 1, 1, false)
		requireKind(t, lifecycle.KindNotFound, err)
		_, err = w.ImportFaultsAfter(t.Context(), lifecycle.NewID(), job, 0, 1)
		requireKind(t, lifecycle.KindNotFound, err)
		_, err = w.ImportHeader(t.Context(), lifecycle.NewID(), job)
		requireKind(t, lifecycle.KindNotFound, err)
	})
}

func TestARowInDoubtIsGoodIfItEqualsItsRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.attribute(t, "badge")
	w.record(t, "same")
	w.record(t, "differs")
	rows := w.rowsOf("same", "differs", "unknown", "SAME.too")
	doubt := lifecycle.RowFault{Column: "badge", Kind: lifecycle.KindRequired, Message: "badge is required"}
	for i := range rows {
		rows[i].Doubt = &doubt
	}
	rows[1].Person.Phone = "another"
	rows[1].Person.Manager = lifecycle.ManagerReference{}
	rows[2].Person.StartDate = time.Time{}
	rows[3].Faulty = true
	job := w.begin(t, plenty, "badge")
	w.stage(t, job, rows...)
	faultOf := func(i int) lifecycle.RowFault {
		fault := doubt
		fault.Row, fault.Line = i+1, rows[i].Line
		return fault
	}
	require.Equal(t, lifecycle.ImportFaults{Listed: []lifecycle.RowFault{faultOf(1), faultOf(2)}, Total: 2}, w.check(t, job))
	preview, err := w.PreviewImport(t.Context(), job)
	require.NoError(t, err)
	require.Equal(t, lifecycle.ImportCounts{Total: 4, Unchanged: 1, Failed: 3}, preview)

	t.Run("also when its turn comes", func(t *testing.T) {
		rows := w.rowsOf("same", "differs")
		rows[0].Doubt, rows[1].Doubt = &doubt, &doubt
		job := w.begin(t, plenty)
		w.stage(t, job, rows...)
		require.Zero(t, w.check(t, job))
		_, err := w.SealImport(t.Context(), job)
		require.NoError(t, err)
		_, err = w.UpdateRecord(t.Context(), w.records(t)["differs"].ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
			r.Phone = "moved on"
			return nil
		})
		require.NoError(t, err)
		progress := w.carryOut(t, job, 10)
		require.Equal(t, lifecycle.JobError, progress.Status)
		require.Equal(t, lifecycle.ImportCounts{Total: 2, Done: 2, Unchanged: 1, Failed: 1}, progress.ImportCounts)
		faults, _, err := w.ListImportFaults(t.Context(), w.source.ID, job, 250, 0, false)
		require.NoError(t, err)
		want := faultOf(1)
		want.Cells = rows[1].Cells
		require.Equal(t, []lifecycle.RowFault{want}, faults)
		require.Equal(t, "moved on", w.records(t)["differs"].Phone)
	})
}

func TestARowOfAManagerWhoWasMadeInactiveIsGoodIfItEqualsItsRecord(t *testing.T) {
	t.Parallel()
	for _, chunk := range []int{1, 2, 100} {
		t.Run(fmt.Sprint("in chunks of ", chunk), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			for _, name := range []string{"same", "differs", "moves"} {
				w.record(t, name)
			}
			rows := w.rowsOf("same", "differs", "fresh", "free", "held", "moves")
			rows[1].Person.Phone = "another"
			for _, i := range []int{3, 5} {
				rows[i].Person.Manager = lifecycle.ManagerReference{ID: w.outsider.ID, Alias: w.outsider.Alias}
			}
			job := w.begin(t, plenty)
			w.stage(t, job, rows...)
			require.Zero(t, w.check(t, job))
			_, err := w.SealImport(t.Context(), job)
			require.NoError(t, err)
			w.request(t, "held")
			require.NoError(t, w.SetIdentityActive(t.Context(), w.owner.ID, false))

			progress := w.carryOut(t, job, chunk)
			require.Equal(t, lifecycle.JobError, progress.Status)
			require.Equal(t, lifecycle.ImportCounts{
				Total: 6, Done: 6, Created: 1, Updated: 1, Unchanged: 1, Failed: 3,
			}, progress.ImportCounts)
			w.requireConsistent(t)
			faults, _, err := w.ListImportFaults(t.Context(), w.source.ID, job, 250, 0, false)
			require.NoError(t, err)
			var want []lifecycle.RowFault
			for _, i := range []int{1, 2, 4} {
				want = append(want, lifecycle.RowFault{
					Row: i + 1, Line: rows[i].Line, Column: "manager", Kind: lifecycle.KindReferenceNotFound,
					Message: "manager names no active identity", Cells: rows[i].Cells,
				})
			}
			require.Equal(t, want, faults)
			records := w.records(t)
			require.NotContains(t, records, "fresh")
			require.Equal(t, "+1 555 0100", records["differs"].Phone)
			require.Equal(t, w.outsider.ID, records["moves"].Manager.ID)
		})
	}
}

func TestAFileIsHeldAgainstTheLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.record(t, "there")
	w.request(t, "asked.for")
	rows := w.rowsOf("a", "there", "b", "c", "d")
	for most, tooMany := range map[int]int{plenty: 0, 6: 0, 5: 1, 2: 4, 1: 4} {
		job := w.begin(t, most)
		w.stage(t, job, rows...)
		faults := w.check(t, job)
		if tooMany == 0 {
			require.Zero(t, faults)
			continue
		}
		require.Equal(t, lifecycle.ImportFaults{Total: 1, Listed: []lifecycle.RowFault{{
			Kind: lifecycle.KindLimit,
			Message: fmt.Sprintf("The limit of %d records and pending requests in a source is reached."+
				" The file adds 4 records; that is %d too many.", most, tooMany),
		}}}, faults, most)
		preview, err := w.PreviewImport(t.Context(), job)
		require.NoError(t, err)
		require.Equal(t, lifecycle.ImportCounts{Total: 5, Unchanged: 1, Created: 4 - tooMany, Failed: tooMany}, preview)
	}
}

func TestAFileIsStagedNoFurtherThanTheLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	begin := func(most int) (job lifecycle.ID, enough int) {
		job = lifecycle.NewID()
		enough, err := w.BeginImport(t.Context(), lifecycle.ImportJob{ID: job, SourceID: w.source.ID, Created: storetest.Now()},
			nil, "", most, lease)
		require.NoError(t, err)
		return job, enough
	}
	w.record(t, "a")
	w.record(t, "b")
	w.request(t, "asked.for")
	for most, want := range map[int]int{plenty: plenty + 1, 4: 5, 1: 3} {
		_, enough := begin(most)
		require.Equal(t, want, enough, most)
	}
	job, enough := begin(4)
	w.stage(t, job, w.rowsOf("a", "b", "c", "d", "B")[:enough]...)
	faults, err := w.CheckImport(t.Context(), job, 1_000_000)
	require.NoError(t, err)
	require.Equal(t, lifecycle.ImportFaults{Total: 2, Listed: []lifecycle.RowFault{
		{
			Kind:    lifecycle.KindLimit,
			Message: "The limit of 4 records and pending requests in a source is reached. The file has 1000000 rows.",
		},
		{
			Row: 5, Line: 10, Column: "accountName", Kind: lifecycle.KindConflict,
			Message: `accountName "B" is in line 4 already`,
		},
	}}, faults)

	// What came in under a higher limit goes back in.
	job, enough = begin(1)
	w.stage(t, job, w.rowsOf("a", "b")...)
	require.Greater(t, enough, 2)
	require.Zero(t, w.check(t, job))
}

func TestTheRowsTakeTheLastPlacesInTheirOrder(t *testing.T) {
	t.Parallel()
	for _, chunk := range []int{1, 2, 3, 100} {
		t.Run(fmt.Sprint("in chunks of ", chunk), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			w.record(t, "there")
			rows := w.rowsOf("z", "y", "there", "x", "w", "asked.for", "v")
			job := w.begin(t, 7)
			w.stage(t, job, rows...)
			require.Zero(t, w.check(t, job))
			_, err := w.SealImport(t.Context(), job)
			require.NoError(t, err)
			w.request(t, "asked.for")
			for _, taken := range []string{"p", "q"} {
				w.record(t, taken)
			}
			progress := w.carryOut(t, job, chunk)
			require.Equal(t, lifecycle.ImportProgress{
				Found: true, Status: lifecycle.JobError,
				ImportCounts: lifecycle.ImportCounts{Total: 7, Done: 7, Created: 3, Unchanged: 1, Failed: 3},
			}, progress)
			w.requireConsistent(t)
			records := w.records(t)
			for _, name := range []string{"z", "y", "x"} {
				require.Contains(t, records, name)
			}
			faults, total, err := w.ListImportFaults(t.Context(), w.source.ID, job, 250, 0, true)
			require.NoError(t, err)
			require.Equal(t, 3, total)
			full := func(i int) lifecycle.RowFault {
				return lifecycle.RowFault{
					Row: i + 1, Line: rows[i].Line, Kind: lifecycle.KindLimit, Cells: rows[i].Cells,
					Message: "The limit of 7 records and pending requests in a source is reached.",
				}
			}
			require.Equal(t, []lifecycle.RowFault{full(4), full(6)}, []lifecycle.RowFault{faults[0], faults[2]})
			require.Equal(t, lifecycle.KindConflict, faults[1].Kind)
		})
	}
}

func TestImportsOfASourceWaitForEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	_, found, err := w.LatestImport(t.Context(), w.source.ID)
	require.NoError(t, err)
	require.False(t, found)
	_, found, err = w.NextImport(t.Context(), w.source.ID)
	require.NoError(t, err)
	require.False(t, found)

	// Which came first is decided when they are sealed.
	late := w.begin(t, plenty)
	w.stage(t, late, w.rowsOf("a", "b")...)
	first := w.sealed(t, w.rowsOf("a", "c")...)
	_, err = w.SealImport(t.Context(), late)
	require.NoError(t, err)
	third := w.sealed(t, w.rowsOf("d")...)
	receiving := w.begin(t, plenty)
	elsewhere := storetest.Source(t, w.Store, "Interns", w.owner.ID)

	jobs, total, err := w.ListImports(t.Context(), w.source.ID, 2, 0, true)
	require.NoError(t, err)
	require.Equal(t, 3, total)
	require.Equal(t, []lifecycle.ImportJob{w.getImport(t, third), w.getImport(t, late)}, jobs)
	require.Equal(t, []int{2, 1}, []int{jobs[0].Waiting, jobs[1].Waiting})
	jobs, total, err = w.ListImports(t.Context(), w.source.ID, 2, 2, false)
	require.NoError(t, err)
	require.Zero(t, total)
	require.Equal(t, []lifecycle.ImportJob{w.getImport(t, first)}, jobs)
	_, err = w.GetImport(t.Context(), w.source.ID, receiving)
	requireKind(t, lifecycle.KindNotFound, err)
	_, err = w.GetImport(t.Context(), elsewhere.ID, first)
	requireKind(t, lifecycle.KindNotFound, err)
	latest, found, err := w.LatestImport(t.Context(), w.source.ID)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, w.getImport(t, third), latest)

	for i, job := range []lifecycle.ID{first, late, third} {
		next, found, err := w.NextImport(t.Context(), w.source.ID)
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, job, next)
		progress, err := w.ApplyImport(t.Context(), job, 1)
		require.NoError(t, err)
		require.Equal(t, 2-i, progress.Behind)
		next, _, err = w.NextImport(t.Context(), w.source.ID)
		require.NoError(t, err)
		if !progress.Status.Ended() {
			require.Equal(t, job, next)
		}
		w.carryOut(t, job, 1)
		require.Zero(t, w.getImport(t, job).Waiting)
	}
	require.Equal(t, 1, w.getImport(t, late).Unchanged)
	_, found, err = w.NextImport(t.Context(), w.source.ID)
	require.NoError(t, err)
	require.False(t, found)
	progress, err := w.ApplyImport(t.Context(), receiving, 1)
	require.NoError(t, err)
	require.Zero(t, progress, "what was never sealed is not carried out")
	w.requireConsistent(t)
}

func TestAHundredImportsWaitOnASource(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	jobs := make([]lifecycle.ID, lifecycle.MaxWaitingImports+1)
	for i := range jobs {
		jobs[i] = w.begin(t, plenty)
	}
	// All are sealed at once, and one is too many.
	var refused []error
	var mutex sync.Mutex
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(6)
	for _, job := range jobs {
		group.Go(func() error {
			_, err := w.SealImport(ctx, job)
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil {
				refused = append(refused, err)
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.Len(t, refused, 1)
	requireKind(t, lifecycle.KindLimit, refused[0])
	require.Contains(t, refused[0].Error(), "100 imports")
	requireKind(t, lifecycle.KindLimit, w.MayQueueImport(t.Context(), w.source.ID))
	preview, err := w.PreviewImport(t.Context(), w.begin(t, plenty))
	require.NoError(t, err, "what is not to be queued need not wait")
	require.Zero(t, preview)

	next, _, err := w.NextImport(t.Context(), w.source.ID)
	require.NoError(t, err)
	require.Equal(t, lifecycle.JobCompleted, w.carryOut(t, next, 1).Status, "a file without rows is done at once")
	require.NoError(t, w.MayQueueImport(t.Context(), w.source.ID))
}

func TestAnUploadNeedsItsSourceAndItsJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	nowhere := lifecycle.ImportJob{ID: lifecycle.NewID(), SourceID: lifecycle.NewID(), Created: storetest.Now()}
	_, err := w.BeginImport(t.Context(), nowhere, nil, "", plenty, lease)
	requireKind(t, lifecycle.KindNotFound, err)

	requireGone := func(job lifecycle.ID) {
		requireKind(t, lifecycle.KindUnavailable, w.StageImport(t.Context(), job, w.rowsOf("a"), lease))
		_, err := w.CheckImport(t.Context(), job, 1)
		requireKind(t, lifecycle.KindUnavailable, err)
		_, err = w.PreviewImport(t.Context(), job)
		requireKind(t, lifecycle.KindUnavailable, err)
		_, err = w.SealImport(t.Context(), job)
		requireKind(t, lifecycle.KindUnavailable, err)
	}
	requireGone(nowhere.ID)
	dropped := w.begin(t, plenty)
	w.stage(t, dropped, w.rowsOf("a")...)
	require.NoError(t, w.DropImport(t.Context(), dropped))
	require.NoError(t, w.DropImport(t.Context(), dropped))
	requireGone(dropped)
	require.NoError(t, w.DropImport(t.Context(), nowhere.ID))
	require.Equal(t, 1, w.number(t, "SELECT count(*) FROM import_rows"))
	w.dropBulk(t)
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM import_rows"))

	sealed := w.sealed(t, w.rowsOf("a")...)
	requireKind(t, lifecycle.KindUnavailable, w.StageImport(t.Context(), sealed, w.rowsOf("b"), lease))
	withNUL := w.rowsOf("a\x00b")
	requireKind(t, lifecycle.KindIllegalValue, w.StageImport(t.Context(), w.begin(t, plenty), withNUL, lease))
}

func TestAnImportIsCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	running, waiting := w.sealed(t, w.rowsOf("a", "b", "c")...), w.sealed(t, w.rowsOf("d")...)
	_, err := w.ApplyImport(t.Context(), running, 2)
	require.NoError(t, err)

	job, err := w.CancelImport(t.Context(), w.source.ID, waiting)
	require.NoError(t, err)
	require.Equal(t, lifecycle.JobCancelled, job.Status)
	require.NotZero(t, job.Finished)
	require.Zero(t, job.Started)
	for range 2 {
		job, err = w.CancelImport(t.Context(), w.source.ID, running)
		require.NoError(t, err)
		require.Equal(t, lifecycle.JobInProgress, job.Status)
		require.True(t, job.CancelRequested)
	}
	progress, err := w.ApplyImport(t.Context(), running, 2)
	require.NoError(t, err)
	require.Equal(t, lifecycle.ImportProgress{
		Found: true, Status: lifecycle.JobCancelled, ImportCounts: lifecycle.ImportCounts{Total: 3, Done: 2, Created: 2},
	}, progress)
	require.NotZero(t, w.getImport(t, running).Finished)
	require.ElementsMatch(t, []string{"a", "b"}, slices.Collect(maps.Keys(w.records(t))), "what was in stays in")
	for _, ended := range []lifecycle.ID{running, waiting} {
		_, err := w.CancelImport(t.Context(), w.source.ID, ended)
		requireKind(t, lifecycle.KindIllegalUpdate, err)
	}
	_, err = w.CancelImport(t.Context(), lifecycle.NewID(), running)
	requireKind(t, lifecycle.KindNotFound, err)
	_, err = w.CancelImport(t.Context(), w.source.ID, w.begin(t, plenty))
	requireKind(t, lifecycle.KindNotFound, err)
	w.requireConsistent(t)
	w.dropBulk(t)
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM import_rows"))
}

func TestASourceIsDeletedInTheMiddleOfItsImports(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	running := w.sealed(t, w.rowsOf(numbered("a", 30)...)...)
	waiting, receiving := w.sealed(t, w.rowsOf("b")...), w.begin(t, plenty)
	w.stage(t, receiving, w.rowsOf("c")...)
	_, err := w.ApplyImport(t.Context(), running, 10)
	require.NoError(t, err)
	group, ctx := errgroup.WithContext(t.Context())
	group.Go(func() error {
		for {
			progress, err := w.ApplyImport(ctx, running, 1)
			if err != nil || !progress.Found || progress.Status.Ended() {
				return err
			}
		}
	})
	require.NoError(t, w.DeleteSource(t.Context(), w.source.ID))
	require.NoError(t, group.Wait())
	for _, job := range []lifecycle.ID{running, waiting} {
		progress, err := w.ApplyImport(t.Context(), job, 10)
		require.NoError(t, err)
		require.Zero(t, progress)
	}
	requireKind(t, lifecycle.KindUnavailable, w.StageImport(t.Context(), receiving, w.rowsOf("d"), lease))
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM records"))
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM import_jobs"))
	w.requireConsistent(t)
	w.dropBulk(t)
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM import_rows"))
}

func TestAChunkThatFailsHalfwayIsTakenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.record(t, "there")
	rows := w.rowsOf("there", "a", "b")
	rows[0].Person.Phone = "another"
	job := w.sealed(t, rows...)
	before := w.getImport(t, job)
	// After the records and the names were written, when the progress is.
	_, err := w.admin.ExecContext(t.Context(), `CREATE FUNCTION crash() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION USING ERRCODE = '57P01'; END $$;
		CREATE TRIGGER crash BEFORE UPDATE ON import_jobs FOR EACH ROW EXECUTE FUNCTION crash()`)
	require.NoError(t, err)
	_, err = w.ApplyImport(t.Context(), job, 10)
	requireKind(t, lifecycle.KindUnavailable, err)
	require.Equal(t, before, w.getImport(t, job))
	require.Equal(t, "+1 555 0100", w.records(t)["there"].Phone)
	w.requireConsistent(t)
	_, err = w.admin.ExecContext(t.Context(), "DROP TRIGGER crash ON import_jobs")
	require.NoError(t, err)
	require.Equal(t, lifecycle.ImportCounts{Total: 3, Done: 3, Created: 2, Updated: 1}, w.carryOut(t, job, 10).ImportCounts)
	w.requireConsistent(t)
}

func TestTwoAppliersTakeEveryRowOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.record(t, "a7")
	const n = 200
	rows := w.rowsOf(numbered("A", n)...)
	job := w.sealed(t, rows...)
	group, ctx := errgroup.WithContext(t.Context())
	for range 4 {
		group.Go(func() error {
			for done := 0; ; {
				progress, err := w.ApplyImport(ctx, job, 7)
				if err != nil || progress.Status.Ended() {
					return err
				}
				if progress.Done <= done {
					return fmt.Errorf("%d rows were done and then %d", done, progress.Done)
				}
				done = progress.Done
			}
		})
	}
	require.NoError(t, group.Wait())
	got := w.getImport(t, job)
	require.Equal(t, lifecycle.JobCompleted, got.Status)
	require.Equal(t, lifecycle.ImportCounts{Total: n, Done: n, Created: n - 1, Updated: 1}, got.ImportCounts)
	require.Equal(t, n, w.number(t, "SELECT count(*) FROM records"))
	w.requireConsistent(t)
}

// TestAnImportAndFiftyClientsDoNotDisturbEachOther has clients make, rename,
// change and delete records and requests under the names that an import brings.
func TestAnImportAndFiftyClientsDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, 1, store.Config{MaxConns: 20})
	const (
		clients = 50
		n       = 400
		rounds  = 6
	)
	names := numbered("name", n)
	var jobs []lifecycle.ID
	for i := range 3 {
		rows := w.rowsOf(names...)
		for k := range rows {
			rows[k].Person.Phone = fmt.Sprint(i)
		}
		slices.Reverse(rows[:n/2])
		for k := range rows {
			rows[k].Number = k + 1
		}
		jobs = append(jobs, w.sealed(t, rows...))
	}
	// What the rules forbid is no fault, and what others hold may pass.
	allowed := func(err error) error {
		switch {
		case err == nil:
			return nil
		case slices.Contains([]lifecycle.Kind{
			lifecycle.KindConflict, lifecycle.KindNotFound, lifecycle.KindReferenceNotFound,
		}, lifecycle.KindOf(err)):
			return nil
		}
		return err
	}
	group, ctx := errgroup.WithContext(t.Context())
	for client := range clients {
		group.Go(func() error {
			var own []lifecycle.ID
			for round := range rounds {
				name := names[(client*37+round*101)%n]
				record, request := w.newRecord(name), w.newRequest(strings.ToUpper(names[(client*53+round*11)%n]))
				if err := w.CreateRecord(ctx, record, plenty); err == nil {
					own = append(own, record.ID)
				} else if allowed(err) != nil {
					return err
				}
				accepted, err := w.AcceptRequest(ctx, request, plenty)
				if allowed(err) != nil {
					return err
				}
				if err == nil {
					verdict := lifecycle.VerdictApprove
					if client%2 > 0 {
						verdict = lifecycle.VerdictReject
					}
					result, err := w.Decide(ctx, decision(accepted, 0, verdict))
					if err != nil || result.Outcome != lifecycle.DecisionStored {
						return fmt.Errorf("deciding: %v, %w", result, err)
					}
				}
				for i, id := range own {
					if i%2 == 0 {
						_, err := w.UpdateRecord(ctx, id, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
							r.AccountName = names[(client*71+round*13+i)%n]
							return nil
						})
						if err := allowed(err); err != nil {
							return err
						}
						continue
					}
					if err := allowed(w.DeleteRecords(ctx, []lifecycle.ID{id})); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		for _, job := range jobs {
			for ended := false; !ended; {
				progress, err := w.ApplyImport(ctx, job, 23)
				if err != nil {
					return err
				}
				ended = progress.Status.Ended()
			}
		}
		return nil
	})
	require.NoError(t, group.Wait())
	w.requireConsistent(t)
	for _, job := range jobs {
		got := w.getImport(t, job)
		require.Equal(t, n, got.Done)
		require.Equal(t, got.Failed, w.number(t, "SELECT count(*) FROM import_faults WHERE job_id = $1", job.String()))
	}
	require.Equal(t, 0, w.number(t, `SELECT count(*) FROM import_faults WHERE kind <> 'conflict'`))
}

// TestARecordIsRenamedUnderAChunk renames a record that a chunk waits for: the
// row finds its name free and makes a record of its own.
func TestARecordIsRenamedUnderAChunk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	record := w.record(t, "before")
	w.record(t, "same")
	rows := w.rowsOf("same", "before")
	rows[1].Person.Phone = "another"
	job := w.sealed(t, rows...)
	applied := make(chan lifecycle.ImportProgress, 1)
	_, err := w.UpdateRecord(t.Context(), record.ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
		go func() {
			progress, err := w.ApplyImport(t.Context(), job, 10)
			if err != nil {
				t.Error(err)
			}
			applied <- progress
		}()
		require.Eventually(t, func() bool {
			return w.number(t, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
				AND query LIKE '%UPDATE records%' AND query LIKE '%' || $1 || '%'`, job.String()) == 1
		}, time.Minute, time.Millisecond)
		r.AccountName = "after"
		return nil
	})
	require.NoError(t, err)
	progress := <-applied
	require.Equal(t, lifecycle.JobCompleted, progress.Status)
	require.Equal(t, lifecycle.ImportCounts{Total: 2, Done: 2, Created: 1, Unchanged: 1}, progress.ImportCounts)
	records := w.records(t)
	require.Equal(t, rows[1].RecordID, records["before"].ID)
	require.Equal(t, "another", records["before"].Phone)
	require.Equal(t, record.Phone, records["after"].Phone)
	w.requireConsistent(t)
}

// TestARenamedRecordKeepsAChunkFromGuessing renames records to and fro while
// files with their names are taken in: each row finds its record.
func TestARenamedRecordKeepsAChunkFromGuessing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	var ids []lifecycle.ID
	for _, name := range numbered("n", 10) {
		ids = append(ids, w.record(t, name).ID)
	}
	var jobs []lifecycle.ID
	for i := range 8 {
		rows := w.rowsOf(numbered("n", 20)...)
		for k := range rows {
			rows[k].Person.Phone = fmt.Sprint(i)
		}
		jobs = append(jobs, w.sealed(t, rows...))
	}
	ctx, stop := context.WithCancel(t.Context())
	var group errgroup.Group
	for _, id := range ids {
		group.Go(func() error {
			for round := 0; ctx.Err() == nil; round++ {
				_, err := w.UpdateRecord(t.Context(), id, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
					r.AccountName = fmt.Sprint("n", 1+(round*7+int(id[15]))%30)
					return nil
				})
				if err != nil && lifecycle.KindOf(err) != lifecycle.KindConflict {
					return err
				}
			}
			return nil
		})
	}
	for _, job := range jobs {
		for {
			progress, err := w.ApplyImport(t.Context(), job, 5)
			if err != nil {
				requireKind(t, lifecycle.KindUnavailable, err)
				continue
			}
			if progress.Status.Ended() {
				require.Equal(t, lifecycle.JobCompleted, progress.Status)
				break
			}
		}
	}
	stop()
	require.NoError(t, group.Wait())
	w.requireConsistent(t)
}

// TestAnImportThatDoesNotGetOnShows: since when, as one that waits for its turn is
// no fault.
func TestAnImportThatDoesNotGetOnShows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	unfinished := func(count int, age time.Duration) {
		t.Helper()
		found, oldest, err := w.UnfinishedImports(t.Context())
		require.NoError(t, err)
		require.Equal(t, count, found)
		if count == 0 {
			require.True(t, oldest.IsZero())
			return
		}
		require.WithinDuration(t, time.Now().Add(-age), oldest, time.Minute)
	}
	unfinished(0, 0)
	first, second := w.sealed(t, w.rowsOf(numbered("a", 4)...)...), w.sealed(t, w.rowsOf("b1")...)
	w.begin(t, 100)
	unfinished(2, 0)
	w.change(t, "UPDATE import_jobs SET modified = modified - interval '1 hour'")
	unfinished(2, time.Hour)
	_, err := w.ApplyImport(t.Context(), first, 1)
	require.NoError(t, err)
	unfinished(2, 0)
	w.carryOut(t, first, 10)
	unfinished(1, 0)
	w.change(t, "UPDATE import_jobs SET finished = finished - interval '2 hours'")
	unfinished(1, time.Hour)
	w.carryOut(t, second, 10)
	unfinished(0, 0)
}
