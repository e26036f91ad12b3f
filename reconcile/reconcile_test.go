package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/reconcile"
)

// world is both sides, in memory.
type world struct {
	requests                     []lifecycle.RequestInRows
	absences, imports, schedules []lifecycle.ID
	deliveries                   []lifecycle.Delivery
	exports                      []lifecycle.ExportJob
	running, completed           map[lifecycle.EngineKind][]lifecycle.ID
	stands                       map[lifecycle.ID]lifecycle.RequestInEngine
	planned, moving              []lifecycle.ID
	broken                       lifecycle.ID
	away                         error
	changes                      int
	// passed runs once a stand or a run was told.
	passed func()
}

func newWorld() *world {
	return &world{
		running: map[lifecycle.EngineKind][]lifecycle.ID{}, completed: map[lifecycle.EngineKind][]lifecycle.ID{},
		stands: map[lifecycle.ID]lifecycle.RequestInEngine{},
	}
}

func (w *world) OpenRequests(_ context.Context, after lifecycle.ID, limit int, _ time.Duration) ([]lifecycle.RequestInRows, error) {
	var open []lifecycle.RequestInRows
	for _, q := range w.requests {
		if (!q.Final || q.Unseen) && q.RequestID.String() > after.String() && len(open) < limit {
			open = append(open, q)
		}
	}
	return open, w.away
}

func (w *world) RequestsAmong(_ context.Context, ids []lifecycle.ID, _ time.Duration) ([]lifecycle.RequestInRows, error) {
	return slices.DeleteFunc(slices.Clone(w.requests), func(q lifecycle.RequestInRows) bool { return !slices.Contains(ids, q.RequestID) }), nil
}

func (w *world) AnyRequest(context.Context) (bool, error) { return len(w.requests) > 0, w.away }

func (w *world) Awaits(_ context.Context, kind lifecycle.EngineKind, id lifecycle.ID, _ time.Duration) (bool, error) {
	if slices.Contains(w.moving, id) {
		return false, nil
	}
	there, err := w.Existing(context.Background(), kind, []lifecycle.ID{id})
	return len(there) > 0, err
}

func (w *world) Existing(_ context.Context, kind lifecycle.EngineKind, ids []lifecycle.ID) ([]lifecycle.ID, error) {
	there := map[lifecycle.EngineKind][]lifecycle.ID{
		lifecycle.EngineAbsence: w.absences, lifecycle.EngineImports: w.imports, lifecycle.EngineSchedule: w.schedules,
	}[kind]
	for _, q := range w.requests {
		there = append(there, q.RequestID)
	}
	for _, d := range w.deliveries {
		there = append(there, d.ID)
	}
	for _, j := range w.exports {
		there = append(there, j.ID)
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id lifecycle.ID) bool { return !slices.Contains(there, id) }), w.away
}

func (w *world) OpenAbsences(_ context.Context, after lifecycle.ID, _ int) ([]lifecycle.ID, error) {
	return slices.DeleteFunc(slices.Clone(w.absences), func(id lifecycle.ID) bool { return id.String() <= after.String() }), nil
}

func (w *world) PendingDeliveries(_ context.Context, after lifecycle.ID, _ int) ([]lifecycle.Delivery, error) {
	return slices.DeleteFunc(slices.Clone(w.deliveries), func(d lifecycle.Delivery) bool { return d.ID.String() <= after.String() }), nil
}

func (w *world) ImportsToWake(context.Context, int, time.Duration) ([]lifecycle.ID, error) {
	return w.imports, nil
}

func (w *world) ExportsToStart(context.Context, int, time.Duration) ([]lifecycle.ExportJob, error) {
	return w.exports, nil
}

// rowsOf and engineOf are the two sides; both list schedules.
type rowsOf struct{ *world }

func (w rowsOf) ExportSchedules(_ context.Context, _ lifecycle.ID, _ int) (schedules []lifecycle.ExportSchedule, err error) {
	for _, id := range w.schedules {
		schedules = append(schedules, lifecycle.ExportSchedule{ID: id})
	}
	return schedules, nil
}

type engineOf struct{ *world }

func (w engineOf) ExportSchedules(context.Context) ([]lifecycle.ID, error) { return w.planned, nil }

func (w *world) RequestStand(_ context.Context, request lifecycle.ID) (lifecycle.RequestInEngine, error) {
	if request == w.broken {
		return lifecycle.RequestInEngine{}, lifecycle.NewError(lifecycle.KindUnavailable, "away")
	}
	stand := w.stands[request]
	w.pass()
	return stand, nil
}

func (w *world) pass() {
	if w.passed != nil {
		w.passed()
	}
}

func (w *world) begin(kind lifecycle.EngineKind, id lifecycle.ID) {
	w.changes++
	if !slices.Contains(w.running[kind], id) {
		w.running[kind] = append(w.running[kind], id)
	}
}

func (w *world) StartRequest(_ context.Context, request, _ lifecycle.ID, _ int) error {
	w.begin(lifecycle.EngineRequest, request)
	w.stands[request] = lifecycle.RequestInEngine{Running: true}
	return nil
}

func (w *world) RestartRequest(ctx context.Context, request, source lifecycle.ID) error {
	return w.StartRequest(ctx, request, source, 0)
}

func (w *world) Running(_ context.Context, kind lifecycle.EngineKind, id lifecycle.ID) (running, completed bool, err error) {
	running = slices.Contains(w.running[kind], id)
	defer w.pass()
	return running, !running && slices.Contains(w.completed[kind], id), nil
}

func (w *world) EnsureImports(_ context.Context, source lifecycle.ID) (bool, error) {
	w.begin(lifecycle.EngineImports, source)
	return true, nil
}

func (w *world) EnsureExport(_ context.Context, job, _ lifecycle.ID) (bool, error) {
	w.begin(lifecycle.EngineExport, job)
	return true, nil
}

func (w *world) EnsureAbsence(_ context.Context, absence lifecycle.ID) (bool, error) {
	w.begin(lifecycle.EngineAbsence, absence)
	return true, nil
}

func (w *world) EnsureDelivery(_ context.Context, delivery lifecycle.ID, _ lifecycle.DeliveryChannel) (bool, error) {
	w.begin(lifecycle.EngineDelivery, delivery)
	return true, nil
}

func (w *world) EachRunning(_ context.Context, kind lifecycle.EngineKind, visit func([]lifecycle.ID) error) error {
	return visit(slices.Clone(w.running[kind]))
}

func (w *world) End(_ context.Context, kind lifecycle.EngineKind, id lifecycle.ID) error {
	w.changes++
	w.running[kind] = slices.DeleteFunc(w.running[kind], func(other lifecycle.ID) bool { return other == id })
	return nil
}

func (w *world) SaveExportSchedule(_ context.Context, schedule lifecycle.ExportSchedule) error {
	w.changes++
	w.planned = append(w.planned, schedule.ID)
	return nil
}

func (w *world) DropExportSchedule(_ context.Context, schedule lifecycle.ID) error {
	w.changes++
	w.planned = slices.DeleteFunc(w.planned, func(other lifecycle.ID) bool { return other == schedule })
	return nil
}

func (w *world) run(t *testing.T, o reconcile.Options) reconcile.Report {
	t.Helper()
	o.Concurrency = 1
	report, err := reconcile.Run(t.Context(), rowsOf{w}, engineOf{w}, o)
	require.NoError(t, err)
	return report
}

// stand is the workflow of a request at its rows.
func stand(q lifecycle.RequestInRows) lifecycle.RequestInEngine {
	return lifecycle.RequestInEngine{Running: true, Begun: true, Item: q.Pending, Version: q.Version}
}

func TestWhatIsDoneAboutARequest(t *testing.T) {
	t.Parallel()
	pending := lifecycle.RequestInRows{
		RequestID: lifecycle.NewID(), SourceID: lifecycle.NewID(), Settled: true, Pending: lifecycle.NewID(), Version: time.Unix(1_000, 0).UTC(),
	}
	for name, c := range map[string]struct {
		rows   func(*lifecycle.RequestInRows)
		engine func(*lifecycle.RequestInEngine)
		did    string
		why    string
	}{
		"it stands where the rows do": {},
		"it does not run": {
			engine: func(s *lifecycle.RequestInEngine) { *s = lifecycle.RequestInEngine{} }, did: reconcile.DidStart, why: reconcile.WhyMissing,
		},
		"its end was not told": {
			rows:   func(q *lifecycle.RequestInRows) { q.Final, q.Unseen = true, true },
			engine: func(s *lifecycle.RequestInEngine) { *s = lifecycle.RequestInEngine{} }, did: reconcile.DidStart, why: reconcile.WhyMissing,
		},
		"it knows later rows": {
			engine: func(s *lifecycle.RequestInEngine) { s.Version = s.Version.Add(time.Minute) }, did: reconcile.DidRestart, why: reconcile.WhyAhead,
		},
		"it was decided, which the rows don't know": {
			engine: func(s *lifecycle.RequestInEngine) { *s = lifecycle.RequestInEngine{Completed: true} }, did: reconcile.DidStart, why: reconcile.WhyLost,
		},
		"it is about to be started": {
			rows:   func(q *lifecycle.RequestInRows) { q.Unseen, q.Settled = true, false },
			engine: func(s *lifecycle.RequestInEngine) { *s = lifecycle.RequestInEngine{} },
		},
		"it has been told, and no worker has taken it up": {
			rows: func(q *lifecycle.RequestInRows) { q.Unseen = true }, engine: func(s *lifecycle.RequestInEngine) { s.AtWork = true },
		},
		"it waits for another item": {
			engine: func(s *lifecycle.RequestInEngine) { s.Item = lifecycle.NewID() }, did: reconcile.DidRestart, why: reconcile.WhyAhead,
		},
		"it is of before there were versions": {engine: func(s *lifecycle.RequestInEngine) { s.Version = time.Time{} }},
		"it does not come after its rows": {
			rows: func(q *lifecycle.RequestInRows) { q.Unseen = true }, did: reconcile.DidRestart, why: reconcile.WhyUnseen,
		},
		"it is about to come after its rows": {rows: func(q *lifecycle.RequestInRows) { q.Unseen, q.Settled = true, false }},
		"it has not begun": {
			rows: func(q *lifecycle.RequestInRows) { q.Unseen = true }, engine: func(s *lifecycle.RequestInEngine) { s.Begun = false },
		},
		"it waits although the rows are decided": {
			rows: func(q *lifecycle.RequestInRows) { q.Final = true }, did: reconcile.DidRestart, why: reconcile.WhyDecided,
		},
		"it is about to end": {rows: func(q *lifecycle.RequestInRows) { q.Final, q.Settled = true, false }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, q, s := newWorld(), pending, stand(pending)
			if c.rows != nil {
				c.rows(&q)
			}
			if c.engine != nil {
				c.engine(&s)
			}
			w.requests, w.stands[q.RequestID] = []lifecycle.RequestInRows{q}, s
			if s.Running {
				w.running[lifecycle.EngineRequest] = []lifecycle.ID{q.RequestID}
			}
			var want []reconcile.Deed
			if c.did != "" {
				want = []reconcile.Deed{{Kind: lifecycle.EngineRequest, ID: q.RequestID, Did: c.did, Why: c.why}}
			}
			require.ElementsMatch(t, want, w.run(t, reconcile.Options{DryRun: true}).Deeds)
			require.Zero(t, w.changes, "a dry run changes nothing")
			require.ElementsMatch(t, want, w.run(t, reconcile.Options{}).Deeds)
			require.Len(t, want, w.changes)
			require.Empty(t, w.run(t, reconcile.Options{}).Deeds, "a second run finds nothing to do")
			require.Len(t, want, w.changes)
		})
	}
}

func TestWhatThereIsNoRowForEndsAndWhatIsMissingIsStarted(t *testing.T) {
	t.Parallel()
	w := newWorld()
	id := lifecycle.NewID
	q := lifecycle.RequestInRows{RequestID: id(), Settled: true, Pending: id(), Version: time.Unix(1_000, 0).UTC()}
	w.requests, w.stands[q.RequestID], w.running[lifecycle.EngineRequest] = []lifecycle.RequestInRows{q}, stand(q), []lifecycle.ID{q.RequestID}
	w.absences, w.imports, w.schedules = []lifecycle.ID{id()}, []lifecycle.ID{id()}, []lifecycle.ID{id()}
	w.exports = []lifecycle.ExportJob{{ID: id(), SourceID: id()}}
	fresh, told := lifecycle.Delivery{ID: id()}, lifecycle.Delivery{ID: id()}
	if fresh.ID.String() > told.ID.String() {
		fresh, told = told, fresh
	}
	w.deliveries, w.completed[lifecycle.EngineDelivery] = []lifecycle.Delivery{fresh, told}, []lifecycle.ID{told.ID}
	var want []reconcile.Deed
	deed := func(kind lifecycle.EngineKind, of lifecycle.ID, did, why string) {
		want = append(want, reconcile.Deed{Kind: kind, ID: of, Did: did, Why: why})
	}
	deed(lifecycle.EngineAbsence, w.absences[0], reconcile.DidStart, reconcile.WhyMissing)
	deed(lifecycle.EngineImports, w.imports[0], reconcile.DidStart, reconcile.WhyMissing)
	deed(lifecycle.EngineSchedule, w.schedules[0], reconcile.DidStart, reconcile.WhyMissing)
	deed(lifecycle.EngineExport, w.exports[0].ID, reconcile.DidStart, reconcile.WhyMissing)
	deed(lifecycle.EngineDelivery, fresh.ID, reconcile.DidStart, reconcile.WhyMissing)
	deed(lifecycle.EngineDelivery, told.ID, reconcile.DidStart, reconcile.WhyToldTwice)
	for _, kind := range lifecycle.EngineKinds() {
		orphan := id()
		w.running[kind] = append(w.running[kind], orphan)
		w.stands[orphan] = lifecycle.RequestInEngine{Running: true, Begun: true}
		deed(kind, orphan, reconcile.DidEnd, reconcile.WhyNoRow)
	}
	w.planned = []lifecycle.ID{id()}
	deed(lifecycle.EngineSchedule, w.planned[0], reconcile.DidEnd, reconcile.WhyNoRow)

	require.ElementsMatch(t, want, w.run(t, reconcile.Options{DryRun: true}).Deeds)
	require.Zero(t, w.changes)
	require.ElementsMatch(t, want, w.run(t, reconcile.Options{}).Deeds)
	require.Len(t, want, w.changes)
	require.Empty(t, w.run(t, reconcile.Options{}).Deeds)
}

func TestWhatFailsKeepsNothingElseFromItsTurn(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for range 3 {
		w.requests = append(w.requests, lifecycle.RequestInRows{RequestID: lifecycle.NewID(), SourceID: lifecycle.NewID(), Settled: true})
	}
	slices.SortFunc(w.requests, func(a, b lifecycle.RequestInRows) int {
		return slices.Compare([]string{a.RequestID.String()}, []string{b.RequestID.String()})
	})
	w.broken = w.requests[1].RequestID
	report := w.run(t, reconcile.Options{})
	require.Len(t, report.Deeds, 2)
	require.Len(t, report.Faults, 1)
	require.ErrorContains(t, report.Faults[0].Cause, "away")
	report.Faults[0].Cause = nil
	require.Equal(t, []reconcile.Fault{{Kind: lifecycle.EngineRequest, ID: w.broken, Fault: lifecycle.KindUnavailable.String()}}, report.Faults)
	require.Equal(t, 3, report.Looked[lifecycle.EngineRequest])
}

// TestWhatMovesMeanwhileIsLeftAlone has the rows move on, and their workflows with
// them, between the reading of a page and that of the workflow.
func TestWhatMovesMeanwhileIsLeftAlone(t *testing.T) {
	t.Parallel()
	request := lifecycle.RequestInRows{
		RequestID: lifecycle.NewID(), SourceID: lifecycle.NewID(), Settled: true, Pending: lifecycle.NewID(), Version: time.Unix(1_000, 0).UTC(),
	}
	decided := request
	decided.Version, decided.Pending = request.Version.Add(time.Hour), lifecycle.NewID()
	for name, c := range map[string]struct {
		stand  lifecycle.RequestInEngine
		after  []lifecycle.RequestInRows
		moving int
	}{
		"an approver decides":       {stand: stand(decided), after: []lifecycle.RequestInRows{decided}},
		"an approver just decides":  {stand: lifecycle.RequestInEngine{}, after: []lifecycle.RequestInRows{{RequestID: request.RequestID}}, moving: 1},
		"the last approver decides": {stand: lifecycle.RequestInEngine{Completed: true}, after: []lifecycle.RequestInRows{{RequestID: request.RequestID, Final: true}}},
		"it is deleted":             {stand: lifecycle.RequestInEngine{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.requests, w.stands[request.RequestID] = []lifecycle.RequestInRows{request}, c.stand
			w.passed = func() { w.requests = c.after }
			report := w.run(t, reconcile.Options{})
			require.Empty(t, report.Deeds)
			require.Equal(t, c.moving, report.Moving)
			require.Zero(t, w.changes)
		})
	}
	t.Run("a delivery arrives, and the others come to their ends", func(t *testing.T) {
		t.Parallel()
		w := newWorld()
		w.requests, w.stands[request.RequestID] = []lifecycle.RequestInRows{request}, stand(request)
		delivery, absence, source, export := lifecycle.NewID(), lifecycle.NewID(), lifecycle.NewID(), lifecycle.NewID()
		w.deliveries, w.completed[lifecycle.EngineDelivery] = []lifecycle.Delivery{{ID: delivery}}, []lifecycle.ID{delivery}
		w.absences, w.imports, w.exports = []lifecycle.ID{absence}, []lifecycle.ID{source}, []lifecycle.ExportJob{{ID: export}}
		w.passed = func() { w.moving = []lifecycle.ID{delivery, absence, source, export} }
		require.Empty(t, w.run(t, reconcile.Options{}).Deeds)
		require.Zero(t, w.changes)
	})
}

// TestAnotherDeploymentsRowsAreRefused holds that a run with the wrong database ends
// nothing.
func TestAnotherDeploymentsRowsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld()
	refused := func() {
		t.Helper()
		_, err := reconcile.Run(t.Context(), rowsOf{w}, engineOf{w}, reconcile.Options{})
		require.ErrorIs(t, err, reconcile.ErrStrange)
		require.Zero(t, w.changes)
	}
	refused()
	begin := func(there bool) {
		q := lifecycle.RequestInRows{RequestID: lifecycle.NewID(), Settled: true, Pending: lifecycle.NewID()}
		w.stands[q.RequestID], w.running[lifecycle.EngineRequest] = stand(q), append(w.running[lifecycle.EngineRequest], q.RequestID)
		if there {
			w.requests = append(w.requests, q)
		}
	}
	for range 20 {
		begin(true)
		begin(false)
	}
	begin(false)
	refused()
	require.Len(t, w.run(t, reconcile.Options{DryRun: true}).Deeds, 21)
	require.Len(t, w.run(t, reconcile.Options{Force: true}).Deeds, 21)
	for range 20 {
		begin(false)
	}
	w.changes = 0
	require.Len(t, w.run(t, reconcile.Options{}).Deeds, 20, "so few may well be of the time since the backup")
}

func TestRowsThatCantBeReadEndTheRun(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.away = errors.New("away")
	_, err := reconcile.Run(t.Context(), rowsOf{w}, engineOf{w}, reconcile.Options{})
	require.ErrorIs(t, err, w.away)
	require.Zero(t, w.changes)
}
