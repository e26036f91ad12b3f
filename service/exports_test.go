package service

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// state is what one look at an export finds.
type state struct {
	status  lifecycle.JobStatus
	attempt int
	// pieces is the whole of the attempt, so far.
	pieces []string
	bytes  int64
	err    error
}

// files is a store of one export, which moves on each time it is looked at.
type files struct {
	rows
	job    lifecycle.ExportJob
	states []state
	// looks are when it was looked at, since it was made.
	looks  []time.Duration
	made   time.Time
	starts int
	err    map[string]error

	schedule lifecycle.ExportSchedule
	told     []string
}

func newFiles(states ...state) *files {
	source := lifecycle.Source{ID: lifecycle.NewID(), Name: "Contractors"}
	return &files{
		rows: rows{source: &source}, states: states, made: time.Now(), err: map[string]error{},
		job: lifecycle.ExportJob{ID: lifecycle.NewID(), SourceID: source.ID, Status: lifecycle.JobInProgress},
	}
}

func (f *files) service() *Service {
	service := newService(f, starter{files: f})
	service.settings.StartTimeout, service.settings.ExportTimeout = time.Second, 30*time.Second
	return service
}

func (f *files) BeginExport(_ context.Context, job lifecycle.ExportJob) (lifecycle.ExportJob, error) {
	if f.job.Status != pending {
		f.job = job
	}
	return f.job, f.err["begin"]
}

func (f *files) GetExport(_ context.Context, source, job lifecycle.ID) (lifecycle.ExportJob, error) {
	if source != f.source.ID || job != f.job.ID {
		return lifecycle.ExportJob{}, lifecycle.NewError(lifecycle.KindNotFound, "no job")
	}
	return f.job, nil
}

func (f *files) ReadExport(_ context.Context, job lifecycle.ID, from, limit int) (lifecycle.ExportJob, [][]byte, error) {
	f.looks = append(f.looks, time.Since(f.made))
	if job != f.job.ID {
		return lifecycle.ExportJob{}, nil, errors.New("another job")
	}
	now := f.states[0]
	if len(f.states) > 1 {
		f.states = f.states[1:]
	}
	if now.err != nil {
		return lifecycle.ExportJob{}, nil, now.err
	}
	found := f.job
	found.Status, found.Attempt, found.Bytes = now.status, now.attempt, now.bytes
	var pieces [][]byte
	for _, piece := range now.pieces[min(from, len(now.pieces)):] {
		if len(pieces) < limit {
			pieces = append(pieces, []byte(piece))
		}
	}
	return found, pieces, nil
}

func (f *files) ListExports(context.Context, lifecycle.ID, int, int, bool) ([]lifecycle.ExportJob, int, error) {
	return []lifecycle.ExportJob{f.job}, 1, nil
}

func (f *files) CreateExportSchedule(_ context.Context, schedule lifecycle.ExportSchedule) error {
	f.schedule = schedule
	return f.err["create"]
}

func (f *files) ListExportSchedules(context.Context, lifecycle.ID) ([]lifecycle.ExportSchedule, error) {
	return []lifecycle.ExportSchedule{f.schedule}, nil
}

func (f *files) DeleteExportSchedule(_ context.Context, source, schedule lifecycle.ID) error {
	if source != f.source.ID || schedule != f.schedule.ID {
		return lifecycle.NewError(lifecycle.KindNotFound, "no schedule")
	}
	return nil
}

// starter are workflows that take note.
type starter struct {
	Workflows
	files *files
}

func (s starter) StartExport(ctx context.Context, job, source lifecycle.ID) error {
	if _, bounded := ctx.Deadline(); !bounded || job != s.files.job.ID || source != s.files.source.ID {
		return errors.New("without a bound, or of another export")
	}
	s.files.starts++
	return s.files.err["start"]
}

func (s starter) SaveExportSchedule(ctx context.Context, schedule lifecycle.ExportSchedule) error {
	return s.tell(ctx, "save "+schedule.ID.String())
}

func (s starter) DropExportSchedule(ctx context.Context, schedule lifecycle.ID) error {
	return s.tell(ctx, "drop "+schedule.String())
}

func (s starter) tell(ctx context.Context, what string) error {
	if _, bounded := ctx.Deadline(); !bounded || ctx.Err() != nil {
		return errors.New("without a bound, or too late")
	}
	s.files.told = append(s.files.told, what)
	return s.files.err["tell"]
}

const (
	pending    = lifecycle.JobPending
	inProgress = lifecycle.JobInProgress
	completed  = lifecycle.JobCompleted
	failed     = lifecycle.JobError
)

func pieces(all ...string) []string { return all }

func TestAnExportGoesOutWhileItIsWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles(
			state{status: pending},
			state{status: inProgress, attempt: 1},
			state{status: inProgress, attempt: 1, pieces: pieces("a", "b")},
			state{status: inProgress, attempt: 1, pieces: pieces("a", "b")},
			state{status: inProgress, attempt: 1, pieces: pieces("a", "b", "c", "d", "e", "f", "g")},
			state{status: completed, attempt: 1, pieces: pieces("a", "b", "c", "d", "e", "f", "g", "h"), bytes: 8},
		)
		f.states[4].attempt = 1
		export, err := f.service().Export(t.Context(), admin, f.source.ID, nil)
		require.NoError(t, err)
		require.Equal(t, f.job, export.Job)
		require.Equal(t, admin.IdentityID, export.Job.Requester)
		require.Equal(t, pending, export.Job.Status)
		require.Equal(t, "Contractors.csv", export.FileName)
		require.Negative(t, export.Length)
		require.Equal(t, 1, f.starts)
		text, err := readFile(t, export.Next)
		require.NoError(t, err)
		require.Equal(t, "abcdefgh", text)
	})
}

func TestAnExportThatWaitsIsJoined(t *testing.T) {
	t.Parallel()
	f := newFiles(state{status: completed, attempt: 1, pieces: pieces("a"), bytes: 1})
	f.job.Status, f.job.ClientID = pending, "another"
	waiting := f.job
	export, err := f.service().Export(t.Context(), admin, f.source.ID, nil)
	require.NoError(t, err)
	require.Equal(t, waiting, export.Job)
	require.Equal(t, 1, f.starts, "it may be one whose workflow was never started")
	text, err := readFile(t, export.Next)
	require.NoError(t, err)
	require.Equal(t, "a", text)
}

func TestPausesGrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles(state{status: pending})
		export, err := f.service().Export(t.Context(), admin, f.source.ID, nil)
		require.NoError(t, err)
		_, err = export.Next(t.Context())
		require.Equal(t, errExportSlow, err)
		require.Equal(t, 30*time.Second, time.Since(f.made), "which is as long as an export may take to begin")
		want := []int{0, 2, 6, 14, 30, 62, 126, 226, 326}
		for i, at := range want {
			require.Equal(t, time.Duration(at)*time.Millisecond, f.looks[i])
		}
		require.Len(t, f.looks, 306)
	})
}

func TestAnExportThatStandsStillIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles(
			state{status: inProgress, attempt: 1, pieces: pieces("a")},
			state{status: inProgress, attempt: 1, pieces: pieces("a")},
		)
		export, err := f.service().Export(t.Context(), admin, f.source.ID, nil)
		require.NoError(t, err)
		text, err := readFile(t, export.Next)
		require.Equal(t, errExportSlow, err)
		require.Equal(t, "a", text)
		require.Equal(t, time.Minute, time.Since(f.made))
	})
}

func TestOnlyAnExportThatHasNotBegunBeginsAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles(
			state{status: inProgress, attempt: 1},
			state{status: inProgress, attempt: 2},
			state{status: completed, attempt: 3, pieces: pieces("a", "b"), bytes: 2},
		)
		export, err := f.service().Export(t.Context(), admin, f.source.ID, nil)
		require.NoError(t, err)
		text, err := readFile(t, export.Next)
		require.NoError(t, err)
		require.Equal(t, "ab", text)

		f = newFiles(
			state{status: inProgress, attempt: 1, pieces: pieces("a")},
			state{status: inProgress, attempt: 2},
			state{status: completed, attempt: 2, pieces: pieces("a", "b"), bytes: 2},
		)
		export, err = f.service().Export(t.Context(), admin, f.source.ID, nil)
		require.NoError(t, err)
		text, err = readFile(t, export.Next)
		require.Equal(t, errExportAnew, err)
		require.Equal(t, "a", text)
	})
}

func TestAFileThatIsNotWholeIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := lifecycle.NewError(lifecycle.KindUnavailable, "the database is away")
		broken := errors.New("a column is missing")
		begun := state{status: inProgress, attempt: 1, pieces: pieces("a")}
		whole := state{status: completed, attempt: 1, pieces: pieces("a", "b"), bytes: 2}
		for name, c := range map[string]struct {
			states []state
			text   string
			want   error
		}{
			"a piece is missing":      {[]state{begun, {status: completed, attempt: 1, pieces: pieces("a"), bytes: 2}}, "a", errExportCut},
			"it fails":                {[]state{begun, {status: failed, attempt: 1, pieces: pieces("a")}}, "a", errExportFails},
			"it fails at once":        {[]state{{status: failed}}, "", errExportFails},
			"the source is gone":      {[]state{begun, {err: lifecycle.NewError(lifecycle.KindNotFound, "no job")}}, "a", policy.ErrNotFound},
			"away at first":           {[]state{{err: away}, whole}, "", away},
			"away in the middle":      {[]state{begun, {err: away}, {err: away}, whole}, "ab", nil},
			"broken in the middle":    {[]state{begun, {err: broken}, whole}, "a", broken},
			"nothing but its end":     {[]state{{status: completed, attempt: 1}}, "", nil},
			"whole at the first look": {[]state{whole}, "ab", nil},
		} {
			f := newFiles(c.states...)
			export, err := f.service().Export(t.Context(), admin, f.source.ID, nil)
			require.NoError(t, err, name)
			text, err := readFile(t, export.Next)
			require.Equal(t, c.want, err, name)
			require.Equal(t, c.text, text, name)
		}
	})
}

func TestAWaitForAFileEndsWithItsClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFiles(state{status: pending})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		export, err := f.service().Export(ctx, admin, f.source.ID, nil)
		require.NoError(t, err)
		_, err = export.Next(ctx)
		require.Equal(t, context.DeadlineExceeded, err)
		require.Equal(t, 3*time.Second, time.Since(f.made))
	})
}

func TestAnExportThatCannotBeMadeIsAnError(t *testing.T) {
	t.Parallel()
	away := lifecycle.NewError(lifecycle.KindUnavailable, "Temporal is away")
	f := newFiles(state{})
	f.err["start"] = away
	_, err := f.service().Export(t.Context(), admin, f.source.ID, nil)
	require.Equal(t, away, err)
	f.err["begin"] = lifecycle.NewError(lifecycle.KindNotFound, "no source")
	_, err = f.service().Export(t.Context(), admin, f.source.ID, nil)
	require.Equal(t, policy.ErrNotFound, err)
}

func TestAnExportCanBeHadAgain(t *testing.T) {
	t.Parallel()
	f := newFiles(state{status: completed, attempt: 4, pieces: pieces("a", "b"), bytes: 2})
	f.job.Status, f.job.Bytes = completed, 2
	for range 2 {
		export, err := f.service().Export(t.Context(), admin, f.source.ID, &f.job.ID)
		require.NoError(t, err)
		require.EqualValues(t, 2, export.Length)
		text, err := readFile(t, export.Next)
		require.NoError(t, err)
		require.Equal(t, "ab", text)
	}
	require.Zero(t, f.starts)

	for status, starts := range map[lifecycle.JobStatus]int{inProgress: 0, pending: 1} {
		f.starts, f.job.Status = 0, status
		export, err := f.service().Export(t.Context(), admin, f.source.ID, &f.job.ID)
		require.NoError(t, err)
		require.Negative(t, export.Length)
		require.Equal(t, starts, f.starts)
		text, err := readFile(t, export.Next)
		require.NoError(t, err)
		require.Equal(t, "ab", text)
	}
	f.job.Status = failed
	_, err := f.service().Export(t.Context(), admin, f.source.ID, &f.job.ID)
	require.Equal(t, lifecycle.KindIllegalUpdate, lifecycle.KindOf(err))
	other := lifecycle.NewID()
	_, err = f.service().Export(t.Context(), admin, f.source.ID, &other)
	require.Equal(t, policy.ErrNotFound, err)
}

func TestExportsAreForWhoMayReadEverything(t *testing.T) {
	t.Parallel()
	f := newFiles(state{})
	service := f.service()
	cron := "0 6 * * *"
	calls := func(actor policy.Actor, source lifecycle.ID) map[string]error {
		ctx := t.Context()
		results := map[string]error{}
		_, results["export"] = service.Export(ctx, actor, source, nil)
		_, results["again"] = service.Export(ctx, actor, source, &f.job.ID)
		_, _, results["list"] = service.ListExports(ctx, actor, source, filter.Params{})
		_, results["create"] = service.CreateExportSchedule(ctx, actor, source, lifecycle.ScheduleInput{Cron: &cron})
		_, results["schedules"] = service.ListExportSchedules(ctx, actor, source)
		results["delete"] = service.DeleteExportSchedule(ctx, actor, source, f.schedule.ID)
		return results
	}
	for _, actor := range []policy.Actor{admin, app(lifecycle.RightRead)} {
		for call, err := range calls(actor, f.source.ID) {
			require.NoError(t, err, call)
		}
		for call, err := range calls(actor, lifecycle.NewID()) {
			require.Equal(t, policy.ErrNotFound, err, call)
		}
	}
	f.asked = 0
	readOnly, manageOnly := admin, admin
	readOnly.Scopes, manageOnly.Scopes = []string{lifecycle.ScopeRead}, []string{lifecycle.ScopeManage}
	for call, err := range calls(readOnly, f.source.ID) {
		require.Equal(t, call == "create" || call == "delete", err != nil, call)
	}
	for call, err := range calls(manageOnly, f.source.ID) {
		require.Equal(t, call == "create" || call == "delete", err == nil, call)
	}
	f.asked = 0
	for _, actor := range []policy.Actor{outsider, subadmin, app(lifecycle.RightCreate, lifecycle.RightUpdate, lifecycle.RightDelete)} {
		for _, source := range []lifecycle.ID{f.source.ID, lifecycle.NewID()} {
			for call, err := range calls(actor, source) {
				require.Equal(t, policy.ErrForbidden, err, call)
			}
		}
	}
	require.Zero(t, f.asked)
	many := 251
	_, _, err := service.ListExports(t.Context(), admin, f.source.ID, filter.Params{Limit: &many})
	require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err))
}

func TestAScheduleIsKeptAndTold(t *testing.T) {
	t.Parallel()
	f := newFiles()
	service := f.service()
	cron, zone, keep := "30 6 * * mon-fri", "Europe/Berlin", 3
	// The client has left by the time that Temporal is told.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	schedule, err := service.CreateExportSchedule(ctx, admin, f.source.ID, lifecycle.ScheduleInput{Cron: &cron, Zone: &zone, Keep: &keep})
	require.NoError(t, err)
	require.Equal(t, lifecycle.ExportSchedule{
		ID: schedule.ID, SourceID: f.source.ID, Cron: cron, Zone: zone, Keep: 3, Requester: admin.IdentityID,
		Created: schedule.Created, Modified: schedule.Created,
	}, schedule)
	require.Equal(t, schedule, f.schedule)
	require.False(t, schedule.ID.IsZero())
	require.NoError(t, service.DeleteExportSchedule(ctx, admin, f.source.ID, schedule.ID))
	require.Equal(t, []string{"save " + schedule.ID.String(), "drop " + schedule.ID.String()}, f.told)
	require.Equal(t, policy.ErrNotFound, service.DeleteExportSchedule(ctx, admin, f.source.ID, lifecycle.NewID()))

	wrong := "soon"
	_, err = service.CreateExportSchedule(t.Context(), admin, f.source.ID, lifecycle.ScheduleInput{Cron: &wrong})
	require.Equal(t, lifecycle.KindIllegalValue, lifecycle.KindOf(err))
	f.err["create"] = lifecycle.NewError(lifecycle.KindLimit, "too many")
	_, err = service.CreateExportSchedule(t.Context(), admin, f.source.ID, lifecycle.ScheduleInput{Cron: &cron})
	require.Equal(t, lifecycle.KindLimit, lifecycle.KindOf(err))
	require.Len(t, f.told, 2)
}

func TestAScheduleThatTemporalWasNotToldOfIsLeftToTheSweep(t *testing.T) {
	t.Parallel()
	f := newFiles()
	f.err["tell"] = lifecycle.NewError(lifecycle.KindUnavailable, "Temporal is away")
	service := f.service()
	var log bytes.Buffer
	service.log = slog.New(slog.NewTextHandler(&log, nil))
	cron := "0 6 * * *"
	schedule, err := service.CreateExportSchedule(t.Context(), admin, f.source.ID, lifecycle.ScheduleInput{Cron: &cron})
	require.NoError(t, err)
	require.NoError(t, service.DeleteExportSchedule(t.Context(), admin, f.source.ID, schedule.ID))
	require.Equal(t, 2, strings.Count(log.String(), "left to the sweep"))
}

func TestAFileEndsOnce(t *testing.T) {
	t.Parallel()
	f := newFiles(state{status: completed, attempt: 1, pieces: pieces("a"), bytes: 1})
	export, err := f.service().Export(t.Context(), admin, f.source.ID, nil)
	require.NoError(t, err)
	_, err = export.Next(t.Context())
	require.NoError(t, err)
	for range 2 {
		_, err = export.Next(t.Context())
		require.ErrorIs(t, err, io.EOF)
	}
}
