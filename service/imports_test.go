package service

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// staging is a store that takes one import and remembers what was done to it.
type staging struct {
	rows
	attributes []lifecycle.SchemaAttribute
	found      lifecycle.ImportFaults
	// fail makes the step of that name fail.
	fail map[string]error
	// onStage, where set, runs with each batch.
	onStage func(ctx context.Context, rows []lifecycle.ImportRow) error
	// onCheck, where set, runs with the check.
	onCheck func(ctx context.Context)
	// forget keeps no rows.
	forget bool
	// enough is how many rows the store wants at most; zero for what the limit says.
	enough int

	mu       sync.Mutex
	steps    []string
	job      lifecycle.ImportJob
	columns  []string
	header   string
	most     int
	rowCount int
	staged   []lifecycle.ImportRow
	batches  []int
	resolved [][]string
	dropCtx  error
}

func (s *staging) step(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, name)
	return s.fail[name]
}

// did lists the steps that were taken, staging once only.
func (s *staging) did() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Compact(slices.Clone(s.steps))
}

func (s *staging) ListAttributes(context.Context, lifecycle.ID) ([]lifecycle.SchemaAttribute, error) {
	return s.attributes, s.fail["attributes"]
}

func (s *staging) ResolveIdentities(ctx context.Context, references []string) (map[string]lifecycle.Identity, error) {
	s.resolved = append(s.resolved, references)
	if err := s.fail["resolve"]; err != nil {
		return nil, err
	}
	return s.rows.ResolveIdentities(ctx, references)
}

func (s *staging) MayQueueImport(_ context.Context, source lifecycle.ID) error {
	if source != s.source.ID {
		return errors.New("another source")
	}
	return s.fail["queue"]
}

func (s *staging) BeginImport(_ context.Context, job lifecycle.ImportJob, columns []string, header string, most int, lease time.Duration) (int, error) {
	s.job, s.columns, s.header, s.most = job, columns, header, most
	if lease != time.Minute {
		return 0, errors.New("another lease")
	}
	return cmp.Or(s.enough, most+1), s.step("begin")
}

func (s *staging) StageImport(ctx context.Context, job lifecycle.ID, rows []lifecycle.ImportRow, _ time.Duration) error {
	if job != s.job.ID {
		return errors.New("another job")
	}
	if s.onStage != nil {
		if err := s.onStage(ctx, rows); err != nil {
			return err
		}
	}
	s.batches = append(s.batches, len(rows))
	if !s.forget {
		s.staged = append(s.staged, rows...)
	}
	return s.step("stage")
}

func (s *staging) CheckImport(ctx context.Context, _ lifecycle.ID, rows int) (lifecycle.ImportFaults, error) {
	s.rowCount = rows
	if s.onCheck != nil {
		s.onCheck(ctx)
	}
	return s.found, s.step("check")
}

func (s *staging) PreviewImport(context.Context, lifecycle.ID) (lifecycle.ImportCounts, error) {
	return lifecycle.ImportCounts{Total: len(s.staged), Created: 1}, s.step("preview")
}

func (s *staging) SealImport(context.Context, lifecycle.ID) (lifecycle.ImportJob, error) {
	sealed := s.job
	sealed.Status = lifecycle.JobPending
	return sealed, s.step("seal")
}

func (s *staging) DropImport(ctx context.Context, job lifecycle.ID) error {
	if _, bounded := ctx.Deadline(); !bounded || job != s.job.ID {
		return errors.New("without a bound, or of another job")
	}
	s.dropCtx = ctx.Err()
	return s.step("drop")
}

// wakes are workflows that only take note.
type wakes struct {
	Workflows
	store *staging
}

func (w wakes) WakeImports(ctx context.Context, source lifecycle.ID) error {
	if _, bounded := ctx.Deadline(); !bounded || source != w.store.source.ID {
		return errors.New("without a bound, or of another source")
	}
	return w.store.step("wake")
}

// upload is a file in memory.
type upload struct {
	io.Reader
	openErr, closeErr error
	opened, closed    int
	// done ends the reading.
	done <-chan struct{}
}

func (u *upload) Open(ctx context.Context) (io.Reader, error) {
	u.opened++
	u.done = ctx.Done()
	return u.Reader, u.openErr
}

func (u *upload) Close() error {
	u.closed++
	return u.closeErr
}

func uploaded(text string) *upload { return &upload{Reader: strings.NewReader(text)} }

const fileHeader = "accountName,firstName,lastName,phone,email,manager,startDate,endDate,badge\n"

func fileRow(i int) string {
	return fmt.Sprintf("acc.%d,Will,Smith,1,acc.%d@example.com,jane,2027-01-01,2027-12-31,%d\n", i, i, i)
}

// generated is a file of so many rows that is nowhere as a whole.
type generated struct {
	rows, next int
	left       []byte
	// onRow, where set, is told of each row before it is made.
	onRow func(i int)
}

func (g *generated) Read(p []byte) (int, error) {
	for len(g.left) == 0 {
		if g.next > g.rows {
			return 0, io.EOF
		}
		if g.next == 0 {
			g.left = []byte(fileHeader)
		} else {
			if g.onRow != nil {
				g.onRow(g.next)
			}
			g.left = []byte(fileRow(g.next))
		}
		g.next++
	}
	n := copy(p, g.left)
	g.left = g.left[n:]
	return n, nil
}

var (
	jane = lifecycle.Identity{ID: lifecycle.NewID(), Alias: "jane.doe", Active: true}
	gone = lifecycle.Identity{ID: lifecycle.NewID(), Alias: "gone"}
)

// newStaging is a store with a source that has one custom attribute, badge,
// which is required.
func newStaging() *staging {
	source := lifecycle.Source{ID: lifecycle.NewID(), Name: "Contractors"}
	badge := lifecycle.SchemaAttribute{TechnicalName: "badge", Type: lifecycle.AttributeText, Required: true, Position: 8}
	return &staging{
		rows: rows{source: &source, identities: map[string]lifecycle.Identity{
			"jane": jane, "JANE": jane, "jane.doe": jane, gone.ID.String(): gone,
		}},
		attributes: append(lifecycle.SystemAttributes(source.ID, time.Now()), badge),
		fail:       map[string]error{},
	}
}

func (s *staging) service() *Service {
	service := newService(s, wakes{store: s})
	service.settings.StartTimeout = time.Second
	return service
}

func (s *staging) take(ctx context.Context, file *upload) (ImportResult, error) {
	return s.service().ImportRecords(ctx, admin, s.source.ID, false, file)
}

var (
	admin    = user(lifecycle.NewID(), lifecycle.LevelOrgAdmin)
	subadmin = user(lifecycle.NewID(), lifecycle.LevelSourceSubadmin)
	outsider = user(lifecycle.NewID())
)

// app is an application token with these rights.
func app(rights ...lifecycle.Right) policy.Actor {
	return policy.Actor{ClientID: "app", Rights: rights, Scopes: []string{lifecycle.ScopeAll}}
}

func TestAFileIsTakenIn(t *testing.T) {
	t.Parallel()
	s := newStaging()
	file := uploaded("Badge, ACCOUNTNAME ,firstName,lastName,phone,email,manager,startDate,endDate\n" +
		"7, will ,Will,Smith,'=1,will@example.com,JANE,2027-01-01,2027-12-31T00:00:00Z\n")
	result, err := s.take(t.Context(), file)
	require.NoError(t, err)
	require.Equal(t, []string{"begin", "stage", "check", "seal", "wake"}, s.did())
	require.Equal(t, 1, file.closed)

	require.Equal(t, s.job.ID, result.Job.ID)
	require.Equal(t, lifecycle.JobPending, result.Job.Status)
	require.Equal(t, lifecycle.JobReceiving, s.job.Status)
	require.Equal(t, s.source.ID, s.job.SourceID)
	require.Equal(t, admin.IdentityID, s.job.Requester)
	require.Equal(t, s.job.Created, s.job.Modified)
	require.Equal(t, []string{"badge"}, s.columns)
	require.Equal(t, "Badge, ACCOUNTNAME ,firstName,lastName,phone,email,manager,startDate,endDate", s.header)
	require.Equal(t, 20_000, s.most)

	require.Len(t, s.staged, 1)
	row := s.staged[0]
	require.False(t, row.RecordID.IsZero())
	require.Equal(t, lifecycle.ImportRow{
		Number: 1, Line: 2, RecordID: row.RecordID, Cells: row.Cells,
		Person: lifecycle.Person{
			AccountName: "will", FirstName: "Will", LastName: "Smith", Phone: "=1", Email: "will@example.com",
			Manager:   lifecycle.ManagerReference{ID: jane.ID, Alias: "jane.doe"},
			StartDate: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), EndDate: time.Date(2027, 12, 31, 0, 0, 0, 0, time.UTC),
			Data: map[string]string{"badge": "7"},
		},
	}, row)
}

func TestNothingIsAskedOfAFileBeforeAccess(t *testing.T) {
	t.Parallel()
	s := newStaging()
	service := s.service()
	for _, actor := range []policy.Actor{outsider, subadmin, app(lifecycle.RightRead), {IdentityID: admin.IdentityID, Levels: admin.Levels}} {
		for _, source := range []lifecycle.ID{s.source.ID, lifecycle.NewID()} {
			file := &upload{openErr: errors.New("nobody may see this")}
			_, err := service.ImportRecords(t.Context(), actor, source, false, file)
			require.Equal(t, policy.ErrForbidden, err)
			require.Zero(t, file.opened)
		}
	}
	require.Zero(t, s.asked)
	file := uploaded("")
	_, err := service.ImportRecords(t.Context(), admin, lifecycle.NewID(), false, file)
	require.Equal(t, policy.ErrNotFound, err)
	require.Zero(t, file.opened)
	require.Empty(t, s.did())

	_, err = service.ImportRecords(t.Context(), app(lifecycle.RightCreate), s.source.ID, false, uploaded(fileHeader+fileRow(1)))
	require.NoError(t, err)
	require.True(t, s.job.Requester.IsZero())
	require.Equal(t, "app", s.job.ClientID)
}

func TestASourceThatGoesMeanwhileIsNotFound(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"attributes", "begin"} {
		s := newStaging()
		s.fail[step] = lifecycle.NewError(lifecycle.KindNotFound, "no source")
		_, err := s.take(t.Context(), uploaded(fileHeader+fileRow(1)))
		require.Equal(t, policy.ErrNotFound, err)
	}
}

func TestOnlySoManyFilesAreReceivedAtOnce(t *testing.T) {
	t.Parallel()
	s := newStaging()
	service := s.service()
	read, write := io.Pipe()
	first := make(chan error)
	go func() {
		_, err := service.ImportRecords(context.Background(), admin, s.source.ID, false, &upload{Reader: read})
		first <- err
	}()
	_, err := io.WriteString(write, fileHeader)
	require.NoError(t, err)

	second := uploaded(fileHeader + fileRow(1))
	_, err = service.ImportRecords(t.Context(), admin, s.source.ID, false, second)
	require.Equal(t, errTooManyUploads, err)
	require.Equal(t, lifecycle.KindUnavailable, lifecycle.KindOf(err))
	require.Zero(t, second.opened)
	_, err = service.ImportRecords(t.Context(), outsider, s.source.ID, false, second)
	require.Equal(t, policy.ErrForbidden, err, "who may not upload is not told how busy we are")

	_, err = io.WriteString(write, fileRow(1))
	require.NoError(t, err)
	require.NoError(t, write.Close())
	require.NoError(t, <-first)
	_, err = service.ImportRecords(t.Context(), admin, s.source.ID, false, second)
	require.NoError(t, err)
}

func TestFaultsOfTheHeaderAloneAreToldAndBeginNothing(t *testing.T) {
	t.Parallel()
	s := newStaging()
	file := uploaded("accountName,firstName,lastName,phone,email,manager,startDate,colour\nx\n")
	_, err := s.take(t.Context(), file)
	require.EqualError(t, err, "bad_request: "+
		"line 1, column colour: the source has no such column\n"+
		"line 1, column endDate: the column is missing\n"+
		"line 1, column badge: the column is missing")
	require.Empty(t, s.did())
}

func TestAllFaultsOfAFileAreToldByLine(t *testing.T) {
	t.Parallel()
	s := newStaging()
	s.found.Add(lifecycle.RowFault{Line: 4, Column: "accountName", Kind: lifecycle.KindConflict, Message: "will is on line 2 as well"})
	file := uploaded(fileHeader +
		"will,,Smith,1,nobody,jane,2027-01-01,2027-12-31,7\n" +
		"bill,Bill,Smith,1,bill@example.com,jane\n" +
		"will,Will,Smith,1,will@example.com,jane,2027-01-01,2027-12-31,7\n" +
		"jill,Jill,Smith,1,jill@example.com,nobody,2027-12-31,2027-01-01,\n" +
		",Phil,Smith,1,phil@example.com,jane,2027-01-01,2027-12-31,7\n")
	_, err := s.take(t.Context(), file)
	require.EqualError(t, err, "bad_request: "+strings.Join([]string{
		"line 2, column firstName: firstName is required",
		"line 2, column email: email must be an e-mail address such as jane.doe@example.com",
		"line 3: the row has 6 cells, the header has 9 columns",
		"line 4, column accountName: will is on line 2 as well",
		"line 5, column endDate: endDate must be after startDate",
		"line 5, column manager: manager names no active identity",
		"line 5, column badge: badge is required",
		"line 6, column accountName: accountName is required",
	}, "\n"))
	require.Equal(t, []string{"begin", "stage", "check", "drop"}, s.did())
	// Rows that can be compared by name are staged, be they faulty.
	var staged []string
	for _, row := range s.staged {
		staged = append(staged, fmt.Sprintln(row.Number, row.Person.AccountName, row.Faulty, row.Doubt != nil))
	}
	require.Equal(t, []string{"1 will true false\n", "3 will false false\n", "4 jill true false\n"}, staged)
}

func TestFaultsOfOneKindHaveItsCode(t *testing.T) {
	t.Parallel()
	s := newStaging()
	_, err := s.take(t.Context(), uploaded(fileHeader+"will,,,1,will@example.com,jane,2027-01-01,2027-12-31,7\n"))
	require.Equal(t, lifecycle.KindRequired, lifecycle.KindOf(err))
	s = newStaging()
	_, err = s.take(t.Context(), uploaded(fileHeader))
	require.EqualError(t, err, "required: the file has no rows")
	require.Empty(t, s.staged)
}

func TestAFaultThatAStoredRecordMayHealIsADoubt(t *testing.T) {
	t.Parallel()
	s := newStaging()
	rest := ",Will,Smith,1,will@example.com,"
	_, err := s.take(t.Context(), uploaded(fileHeader+
		"a"+rest+"jane,2027-01-01,2027-12-31,\n"+
		"b"+rest+gone.ID.String()+",2027-01-01,2027-12-31,7\n"+
		"c"+rest+gone.ID.String()+",2027-01-01,2027-12-31,\n"+
		"d"+rest+"jane,2027-01-01,2027-12-31,7\n"))
	require.NoError(t, err)
	doubt := func(i int) lifecycle.RowFault {
		require.False(t, s.staged[i].Faulty)
		return *s.staged[i].Doubt
	}
	require.Equal(t, lifecycle.RowFault{
		Row: 1, Line: 2, Column: "badge", Kind: lifecycle.KindRequired, Message: "badge is required",
	}, doubt(0))
	require.Equal(t, lifecycle.RowFault{
		Row: 2, Line: 3, Column: "manager", Kind: lifecycle.KindReferenceNotFound, Message: "manager names no active identity",
	}, doubt(1))
	require.Equal(t, gone.ID, s.staged[1].Person.Manager.ID, "the stored record may have this manager")
	require.Equal(t, lifecycle.RowFault{
		Row: 3, Line: 4, Kind: lifecycle.KindBadRequest, Message: "badge is required; manager names no active identity",
	}, doubt(2))
	require.Nil(t, s.staged[3].Doubt)
}

func TestAManagerIsLookedUpOnce(t *testing.T) {
	t.Parallel()
	s := newStaging()
	_, err := s.take(t.Context(), &upload{Reader: &generated{rows: 3*batchRows + 1}})
	require.NoError(t, err)
	require.Equal(t, [][]string{{"jane"}}, s.resolved)
	require.Equal(t, []int{batchRows, batchRows, batchRows, 1}, s.batches)
	for i, row := range s.staged {
		require.Equal(t, i+1, row.Number)
		require.Equal(t, jane.ID, row.Person.Manager.ID)
	}
}

func TestManagersAreForgottenBeforeTheyBecomeMany(t *testing.T) {
	t.Parallel()
	s := newStaging()
	r := receiver{service: s.service(), managers: map[string]manager{}}
	batch := make([]judged, batchRows)
	for range 3 * maxManagers / batchRows {
		for i := range batch {
			batch[i].Person.Manager.Alias = lifecycle.NewID().String()
		}
		batch[7].Person.Manager.Alias = "jane"
		require.NoError(t, r.findManagers(t.Context(), batch))
		require.LessOrEqual(t, len(r.managers), maxManagers)
		for i := range batch {
			_, known := r.managers[batch[i].Person.Manager.Alias]
			require.True(t, known)
		}
		r.resolveManager(&batch[7])
		require.Equal(t, jane.ID, batch[7].Person.Manager.ID)
	}
}

func TestLongRowsMakeShortBatches(t *testing.T) {
	t.Parallel()
	s := newStaging()
	var file strings.Builder
	file.WriteString(fileHeader)
	for i := range 20 {
		// Far too long, but for the service to say so.
		fmt.Fprintf(&file, "acc.%d,%s,Smith,1,a@example.com,jane,2027-01-01,2027-12-31,7\n", i, strings.Repeat("x", 900_000))
	}
	_, err := s.take(t.Context(), uploaded(file.String()))
	require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err))
	require.Equal(t, []int{5, 5, 5, 5}, s.batches)
}

func TestTheNextBatchIsReadWhileOneIsStaged(t *testing.T) {
	t.Parallel()
	s := newStaging()
	readOn := make(chan struct{})
	file := &generated{rows: 2*batchRows + 1, onRow: func(i int) {
		if i == 2*batchRows {
			close(readOn)
		}
	}}
	s.onStage = func(ctx context.Context, rows []lifecycle.ImportRow) error {
		if rows[0].Number > 1 {
			return nil
		}
		select {
		case <-readOn:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err := s.take(ctx, &upload{Reader: file})
	require.NoError(t, err)
}

func TestADryRunLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newStaging()
	result, err := s.service().ImportRecords(t.Context(), admin, s.source.ID, true, uploaded(fileHeader+fileRow(1)))
	require.NoError(t, err)
	require.Equal(t, ImportResult{Preview: lifecycle.ImportCounts{Total: 1, Created: 1}}, result)
	require.Equal(t, []string{"begin", "stage", "check", "preview", "drop"}, s.did())
}

func TestAWorkflowThatCannotBeWokenIsLeftToTheSweep(t *testing.T) {
	t.Parallel()
	s := newStaging()
	s.fail["wake"] = lifecycle.NewError(lifecycle.KindUnavailable, "Temporal is away")
	var log bytes.Buffer
	service := s.service()
	service.log = slog.New(slog.NewTextHandler(&log, nil))
	_, err := service.ImportRecords(t.Context(), admin, s.source.ID, false, uploaded(fileHeader+fileRow(1)))
	require.NoError(t, err)
	require.Contains(t, log.String(), "left to the sweep")
	require.NotContains(t, s.did(), "drop")
}

func TestAJobIsDroppedWhateverGoesWrong(t *testing.T) {
	t.Parallel()
	passing := lifecycle.NewError(lifecycle.KindUnavailable, "not now")
	cut := lifecycle.NewError(lifecycle.KindBadRequest, "The body could not be read to its end.")
	whole := fileHeader + fileRow(1)
	for name, c := range map[string]struct {
		file    *upload
		fail    string
		dryRun  bool
		want    error
		dropped bool
	}{
		"no such part":          {&upload{openErr: cut}, "", false, cut, false},
		"cut in the header":     {&upload{Reader: io.MultiReader(strings.NewReader("acc"), broken{cut})}, "", false, cut, false},
		"cut in a row":          {&upload{Reader: io.MultiReader(strings.NewReader(whole+"x"), broken{cut})}, "", false, cut, true},
		"a second file":         {&upload{Reader: strings.NewReader(whole), closeErr: cut}, "", false, cut, true},
		"no attributes":         {uploaded(whole), "attributes", false, passing, false},
		"not begun":             {uploaded(whole), "begin", false, passing, true},
		"no managers":           {uploaded(whole), "resolve", false, passing, true},
		"not staged":            {uploaded(whole), "stage", false, passing, true},
		"not checked":           {uploaded(whole), "check", false, passing, true},
		"not sealed":            {uploaded(whole), "seal", false, passing, true},
		"not previewed":         {uploaded(whole), "preview", true, passing, true},
		"a fault, in a dry run": {uploaded(fileHeader + fileRow(1) + "x\n"), "", true, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStaging()
			if c.fail != "" {
				s.fail[c.fail] = passing
			}
			service := s.service()
			result, err := service.ImportRecords(t.Context(), admin, s.source.ID, c.dryRun, c.file)
			require.Error(t, err)
			if c.want != nil {
				require.Equal(t, c.want, err)
			}
			require.Zero(t, result)
			require.Equal(t, c.dropped, slices.Contains(s.did(), "drop"), s.did())
			require.Empty(t, service.uploads, "its place is free again")
		})
	}
}

// broken is a reader that fails.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

func TestAJobIsDroppedAfterTheClientHasLeft(t *testing.T) {
	t.Parallel()
	s := newStaging()
	ctx, cancel := context.WithCancel(t.Context())
	s.onStage = func(inner context.Context, _ []lifecycle.ImportRow) error {
		cancel()
		<-inner.Done()
		return inner.Err()
	}
	_, err := s.take(ctx, uploaded(fileHeader+fileRow(1)))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"begin", "drop"}, s.did())
	require.NoError(t, s.dropCtx)
}

func TestAReaderThatFailsIsTheReasonEvenIfItsContextEndsToo(t *testing.T) {
	t.Parallel()
	s := newStaging()
	slow := errors.New("too slow")
	ctx, cancel := context.WithCancel(t.Context())
	staging := make(chan struct{})
	s.onStage = func(inner context.Context, _ []lifecycle.ImportRow) error {
		close(staging)
		<-inner.Done()
		return inner.Err()
	}
	// net/http ends the context of a request whose body can't be read.
	file := &upload{Reader: io.MultiReader(&generated{rows: batchRows}, reader(func() error {
		<-staging
		cancel()
		return slow
	}))}
	_, err := s.take(ctx, file)
	require.Equal(t, slow, err)
}

type reader func() error

func (r reader) Read([]byte) (int, error) { return 0, r() }

func TestAStagingThatFailsEndsTheReadingOfASilentClient(t *testing.T) {
	t.Parallel()
	s := newStaging()
	gone := lifecycle.NewError(lifecycle.KindUnavailable, "the lease ran out")
	s.onStage = func(context.Context, []lifecycle.ImportRow) error { return gone }
	file := &upload{}
	file.Reader = io.MultiReader(&generated{rows: batchRows}, reader(func() error {
		<-file.done
		return context.Canceled
	}))
	_, err := s.take(t.Context(), file)
	require.Equal(t, gone, err)
}

func TestTheLeaseIsRenewedWhileAClientIsSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStaging()
		read, write := io.Pipe()
		done := make(chan error)
		go func() {
			_, err := s.take(t.Context(), &upload{Reader: read})
			done <- err
		}()
		_, err := io.WriteString(write, fileHeader)
		require.NoError(t, err)
		for i := range 5 {
			<-time.After(30 * time.Second)
			_, err = io.WriteString(write, fileRow(i))
			require.NoError(t, err)
		}
		require.NoError(t, write.Close())
		require.NoError(t, <-done)
		require.Equal(t, []int{0, 0, 0, 0, 0, 0, 0, 5}, s.batches, "every third of a lease, with nothing")
	})
}

func TestTheLeaseIsRenewedUntilTheJobIsSealed(t *testing.T) {
	t.Parallel()
	for _, dryRun := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, renewed := newStaging(), 0
			s.onStage = func(_ context.Context, rows []lifecycle.ImportRow) error {
				if len(rows) > 0 {
					return nil
				}
				// That is not the end: it may have come too late, for a job just sealed.
				renewed++
				return errors.New("not renewed")
			}
			s.onCheck = func(context.Context) { <-time.After(5*time.Minute + time.Second) }
			_, err := s.service().ImportRecords(t.Context(), admin, s.source.ID, dryRun, uploaded(fileHeader+fileRow(1)))
			require.NoError(t, err)
			require.Equal(t, 15, renewed, "every third of a lease")
			<-time.After(time.Hour)
			require.Equal(t, 15, renewed, "and no longer")
		})
	}
}

func TestTheCheckEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStaging()
		ctx, cancel := context.WithCancel(t.Context())
		s.onCheck = func(inner context.Context) {
			cancel()
			<-inner.Done()
			s.fail["check"] = inner.Err()
		}
		_, err := s.take(ctx, uploaded(fileHeader+fileRow(1)))
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, []string{"begin", "stage", "check", "drop"}, s.did())
	})
}

func TestAFileIsStagedNoFurtherThanIsEnough(t *testing.T) {
	t.Parallel()
	const rows, enough = 3*batchRows + 10, batchRows + 5
	s := newStaging()
	s.enough = enough
	s.found.Add(lifecycle.RowFault{Kind: lifecycle.KindLimit, Message: "too many"})
	var file strings.Builder
	_, err := io.Copy(&file, &generated{rows: rows})
	require.NoError(t, err)
	// The first and the last of what is not staged are judged like the others.
	for _, i := range []int{enough + 1, rows} {
		whole := fileRow(i)
		text := strings.Replace(file.String(), whole, strings.Replace(whole, "@", " at ", 1), 1)
		file.Reset()
		file.WriteString(text)
	}
	_, err = s.take(t.Context(), uploaded(file.String()))
	const address = "column email: email must be an e-mail address such as jane.doe@example.com"
	require.EqualError(t, err, fmt.Sprintf("bad_request: too many\nline %d, %s\nline %d, %s", enough+2, address, rows+1, address))
	require.Equal(t, []int{batchRows, 5}, s.batches)
	require.Len(t, s.staged, enough)
	require.Equal(t, rows, s.rowCount)
	require.Equal(t, []string{"begin", "stage", "check", "drop"}, s.did())
}

func TestADryRunQueuesNothing(t *testing.T) {
	t.Parallel()
	s := newStaging()
	full := lifecycle.NewError(lifecycle.KindLimit, "a hundred wait")
	s.fail["queue"] = full
	_, err := s.take(t.Context(), uploaded(fileHeader+fileRow(1)))
	require.Equal(t, full, err)
	require.Empty(t, s.did(), "before anything is staged")
	_, err = s.service().ImportRecords(t.Context(), admin, s.source.ID, true, uploaded(fileHeader+fileRow(1)))
	require.NoError(t, err)
}

func TestDatesAreJudgedByLineAndColumn(t *testing.T) {
	t.Parallel()
	const (
		badStart = "line 3, column startDate: startDate must be a date such as 2025-03-24 or 2025-03-24T00:00:00Z"
		badEnd   = "line 3, column endDate: endDate must be a date such as 2025-03-24 or 2025-03-24T00:00:00Z"
		before   = "line 3, column endDate: endDate must be after startDate"
	)
	for dates, want := range map[string]string{
		"2027-01-01,2027-12-31":                             "",
		"2028-02-29, 2028-03-01 ":                           "",
		"2027-01-01T10:00:00+02:00,2027-01-01T08:00:00.01Z": "",
		"soon,2027-12-31":                                   badStart,
		"2027-13-01,2027-12-32":                             badStart + "\n" + badEnd,
		"2027-01-01,2027-02-29":                             badEnd,
		"2027-02-29,2027-12-31":                             badStart,
		"2027/01/01,31.12.2027":                             badStart + "\n" + badEnd,
		"2027-1-1,12-31-2027":                               badStart + "\n" + badEnd,
		"20270101,2027-12-31 00:00:00":                      badStart + "\n" + badEnd,
		"2027-01-01,2027-12-31T00:00:00":                    badEnd,
		"2027-12-31,2027-01-01":                             before,
		"2027-01-01,2027-01-01T00:00:00Z":                   before,
	} {
		t.Run(dates, func(t *testing.T) {
			t.Parallel()
			row := strings.Replace(fileRow(2), "2027-01-01,2027-12-31", dates, 1)
			_, err := newStaging().take(t.Context(), uploaded(fileHeader+fileRow(1)+row+fileRow(3)))
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, "illegal_value: "+want)
		})
	}
}

func TestAFileOfAnyLengthTakesTheSameMemory(t *testing.T) {
	const long = 200_000
	s := newStaging()
	s.forget, s.enough = true, long
	heap := map[int]uint64{}
	file := &upload{Reader: &generated{rows: long, onRow: func(i int) {
		if i == 20_000 || i == long {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			heap[i] = m.HeapAlloc
		}
	}}}
	_, err := s.take(t.Context(), file)
	require.NoError(t, err)
	require.Len(t, s.batches, long/batchRows)
	require.Less(t, heap[long], heap[20_000]+4<<20, "in bytes")
}

// jobs is a store with one import that was accepted.
type jobs struct {
	rows
	job    lifecycle.ImportJob
	faults []lifecycle.RowFault
	pages  [][2]int
	err    error
	// after are the rows behind which faults were asked for.
	after []int
}

func (s *jobs) LatestImport(context.Context, lifecycle.ID) (lifecycle.ImportJob, bool, error) {
	return s.job, true, s.err
}

func (s *jobs) GetImport(_ context.Context, source, job lifecycle.ID) (lifecycle.ImportJob, error) {
	if source != s.source.ID || job != s.job.ID {
		return lifecycle.ImportJob{}, lifecycle.NewError(lifecycle.KindNotFound, "no job")
	}
	return s.job, s.err
}

func (s *jobs) ListImports(_ context.Context, _ lifecycle.ID, limit, offset int, count bool) ([]lifecycle.ImportJob, int, error) {
	s.pages = append(s.pages, [2]int{limit, offset})
	if !count {
		return nil, 0, s.err
	}
	return []lifecycle.ImportJob{s.job}, 1, s.err
}

func (s *jobs) ListImportFaults(ctx context.Context, source, job lifecycle.ID, limit, offset int, _ bool) ([]lifecycle.RowFault, int, error) {
	s.pages = append(s.pages, [2]int{limit, offset})
	_, err := s.GetImport(ctx, source, job)
	return s.faults, len(s.faults), err
}

func (s *jobs) ImportHeader(ctx context.Context, source, job lifecycle.ID) (string, error) {
	_, err := s.GetImport(ctx, source, job)
	return `accountName,"first Name"`, err
}

func (s *jobs) ImportFaultsAfter(ctx context.Context, source, job lifecycle.ID, number, limit int) ([]lifecycle.RowFault, error) {
	s.after = append(s.after, number)
	from := slices.IndexFunc(s.faults, func(f lifecycle.RowFault) bool { return f.Row > number })
	if from < 0 {
		from = len(s.faults)
	}
	_, err := s.GetImport(ctx, source, job)
	return s.faults[from:min(from+limit, len(s.faults))], err
}

func (s *jobs) CancelImport(ctx context.Context, source, job lifecycle.ID) (lifecycle.ImportJob, error) {
	cancelled, err := s.GetImport(ctx, source, job)
	cancelled.CancelRequested = true
	return cancelled, err
}

func newJobs() *jobs {
	source := lifecycle.Source{ID: lifecycle.NewID(), Name: "Contractors"}
	return &jobs{
		rows: rows{source: &source},
		job:  lifecycle.ImportJob{ID: lifecycle.NewID(), SourceID: source.ID, Status: lifecycle.JobInProgress},
	}
}

func TestJobsAreSeenByWhoMayReadThem(t *testing.T) {
	t.Parallel()
	s := newJobs()
	service := newService(s, nil)
	calls := func(actor policy.Actor, source, job lifecycle.ID) map[string]error {
		ctx, none := t.Context(), filter.Params{}
		results := map[string]error{}
		_, _, results["status"] = service.ImportStatus(ctx, actor, source)
		_, _, results["list"] = service.ListImports(ctx, actor, source, none)
		_, results["get"] = service.GetImport(ctx, actor, source, job)
		_, _, results["faults"] = service.ListImportFaults(ctx, actor, source, job, none)
		_, results["download"] = service.DownloadImportFaults(ctx, actor, source, job)
		_, results["cancel"] = service.CancelImport(ctx, actor, source, job)
		return results
	}
	for call, err := range calls(admin, s.source.ID, s.job.ID) {
		require.NoError(t, err, call)
	}
	for call, err := range calls(admin, lifecycle.NewID(), s.job.ID) {
		require.Equal(t, policy.ErrNotFound, err, call)
	}
	for call, err := range calls(admin, s.source.ID, lifecycle.NewID()) {
		if call == "status" || call == "list" {
			require.NoError(t, err, call)
		} else {
			require.Equal(t, policy.ErrNotFound, err, call)
		}
	}
	for call, err := range calls(app(lifecycle.RightRead), s.source.ID, s.job.ID) {
		require.Equal(t, call == "cancel", err != nil, call)
	}
	for call, err := range calls(app(lifecycle.RightCreate), s.source.ID, s.job.ID) {
		require.Equal(t, call == "cancel", err == nil, call)
	}
	s.asked = 0
	for _, actor := range []policy.Actor{outsider, subadmin, app(lifecycle.RightUpdate, lifecycle.RightDelete)} {
		for _, source := range []lifecycle.ID{s.source.ID, lifecycle.NewID()} {
			for call, err := range calls(actor, source, s.job.ID) {
				require.Equal(t, policy.ErrForbidden, err, call)
			}
		}
	}
	require.Zero(t, s.asked)
}

func TestPagesOfJobsAreBounded(t *testing.T) {
	t.Parallel()
	s := newJobs()
	service := newService(s, nil)
	limit, offset, count, many := 10, 20, true, 251
	list, total, err := service.ListImports(t.Context(), admin, s.source.ID, filter.Params{Limit: &limit, Offset: &offset, Count: &count})
	require.NoError(t, err)
	require.Len(t, list, total)
	_, _, err = service.ListImportFaults(t.Context(), admin, s.source.ID, s.job.ID, filter.Params{})
	require.NoError(t, err)
	require.Equal(t, [][2]int{{10, 20}, {250, 0}}, s.pages)
	_, _, err = service.ListImports(t.Context(), admin, s.source.ID, filter.Params{Limit: &many})
	require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err))
	_, _, err = service.ListImportFaults(t.Context(), admin, s.source.ID, s.job.ID, filter.Params{Limit: &many})
	require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err))
}

func TestFaultsAreAFileThatSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newJobs()
	for i := range faultsPage + 1 {
		s.faults = append(s.faults, lifecycle.RowFault{
			Row: 3 * (i + 1), Line: i + 2, Column: "accountName", Kind: lifecycle.KindConflict,
			Message: `the name "a, b" is taken`, Cells: fmt.Sprintf(`acc.%d,"Will ""B"""`, i),
		})
	}
	s.faults[1] = lifecycle.RowFault{Row: 4, Message: "=no line\nat all, \"but\" two", Cells: "a,b"}
	file, err := newService(s, nil).DownloadImportFaults(t.Context(), admin, s.source.ID, s.job.ID)
	require.NoError(t, err)
	require.Equal(t, "Contractors faults.csv", file.FileName)
	text, err := readFile(t, file.Next)
	require.NoError(t, err)
	lines := strings.SplitAfter(text, "\n")
	require.Len(t, lines, faultsPage+4)
	require.Equal(t, []int{0, 3 * faultsPage}, s.after)
	require.Equal(t, "accountName,\"first Name\",#fault\n", lines[0])
	require.Equal(t, `acc.0,"Will ""B""","line 2, column accountName: the name ""a, b"" is taken"`+"\n", lines[1])
	require.Equal(t, "a,b,\"'=no line\nat all, \"\"but\"\" two\"\n", lines[2]+lines[3], "what we add is no formula, and stays a cell")
	require.Equal(t, fmt.Sprintf(`acc.%d,"Will ""B""","line %d, column accountName: the name ""a, b"" is taken"`+"\n", faultsPage, faultsPage+2), lines[faultsPage+2])
	require.Empty(t, lines[faultsPage+3])

	s.faults = nil
	file, err = newService(s, nil).DownloadImportFaults(t.Context(), admin, s.source.ID, s.job.ID)
	require.NoError(t, err)
	text, err = readFile(t, file.Next)
	require.NoError(t, err)
	require.Equal(t, "accountName,\"first Name\",#fault\n", text)

	s.err = lifecycle.NewError(lifecycle.KindUnavailable, "not now")
	_, err = readFile(t, file.Next)
	require.NoError(t, err, "the file is at its end")
}

// readFile reads a file to its end.
func readFile(t *testing.T, next func(context.Context) ([]byte, error)) (string, error) {
	t.Helper()
	var text strings.Builder
	for {
		piece, err := next(t.Context())
		if errors.Is(err, io.EOF) {
			return text.String(), nil
		}
		if err != nil {
			return text.String(), err
		}
		text.Write(piece)
	}
}
