package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store/storetest"
)

// relay makes the deliveries of everything that waits.
func (w *world) relay(t *testing.T) {
	t.Helper()
	for {
		n, err := w.RelayEvents(t.Context(), 100, true)
		require.NoError(t, err)
		if n == 0 {
			return
		}
	}
}

// mails are the deliveries by mail of an event, by the alias of who gets them.
func (w *world) mails(t *testing.T, event lifecycle.EventType) []string {
	t.Helper()
	return w.aliases(t, `SELECT a.alias FROM deliveries AS d JOIN identities AS a ON a.id = d.recipient_id
		WHERE d.event = $1 AND d.channel = 'MAIL' ORDER BY a.alias`, string(event))
}

func (w *world) aliases(t *testing.T, query string, args ...any) []string {
	t.Helper()
	rows, err := w.admin.QueryContext(t.Context(), query, args...)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var all []string
	for rows.Next() {
		var one string
		require.NoError(t, rows.Scan(&one))
		all = append(all, one)
	}
	require.NoError(t, rows.Err())
	return all
}

func TestAnEventIsMailedOnceToEachWhomItReaches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	gone := storetest.Identity(t, w.Store, "gone")
	require.NoError(t, w.SetIdentityActive(t.Context(), gone.ID, false))
	mute := storetest.Identity(t, w.Store, "mute")
	w.change(t, "UPDATE identities SET email = '' WHERE id = $1", mute.ID.String())
	group := lifecycle.Workgroup{
		ID: lifecycle.NewID(), Name: "deciders", Created: storetest.Now(),
		Members: []lifecycle.ID{w.owner.ID, w.approvers[0].ID, gone.ID, mute.ID},
	}
	require.NoError(t, w.CreateWorkgroup(t.Context(), group))
	_, err := w.UpdateSource(t.Context(), w.source.ID, func(s *lifecycle.Source) error {
		s.Approvers = []lifecycle.Reference{{ID: group.ID, Type: lifecycle.ReferenceGovernanceGroup}}
		return nil
	})
	require.NoError(t, err)
	request := w.request(t, "walter")
	_, _, err = w.SaveNotification(t.Context(), "decision_needed", request.ID, request.Items[0].ID, time.Time{})
	require.NoError(t, err)
	w.relay(t)
	require.Equal(t, []string{"approver.0", "jane.doe"}, w.mails(t, lifecycle.EventDecisionNeeded))
	require.Equal(t, []string{"jane.doe"}, w.mails(t, lifecycle.EventRequestMade))

	// A row of the same event to somebody whom the group reached already.
	w.change(t, `INSERT INTO notifications (id, event_id, event, request_id, item_id, recipient_id, recipient_type, reason, created)
		SELECT gen_random_uuid(), event_id, event, request_id, item_id, $1, 'IDENTITY', '', now() FROM notifications WHERE event = 'decision_needed'`,
		w.owner.ID.String())
	w.relay(t)
	require.Equal(t, []string{"approver.0", "jane.doe"}, w.mails(t, lifecycle.EventDecisionNeeded))
}

func TestWithoutMailNobodyIsMailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.request(t, "walter")
	n, err := w.RelayEvents(t.Context(), 100, false)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Zero(t, w.number(t, "SELECT count(*) FROM deliveries"))
	n, err = w.RelayEvents(t.Context(), 100, true)
	require.NoError(t, err)
	require.Zero(t, n, "mail that is switched on later does not tell what is past")
}

func TestManyRelaysAtOnceMakeEachDeliveryOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	for range 40 {
		w.request(t, lifecycle.NewID().String())
	}
	var claimed sync.Map
	atOnce(func(int) {
		for {
			n, err := w.RelayEvents(context.WithoutCancel(t.Context()), 3, true)
			if err == nil && n == 0 {
				break
			}
		}
		for {
			deliveries, err := w.ClaimDeliveries(context.WithoutCancel(t.Context()), 3)
			if err == nil && len(deliveries) == 0 {
				break
			}
			for _, d := range deliveries {
				if _, twice := claimed.LoadOrStore(d.ID, true); twice {
					t.Errorf("the delivery %s was claimed twice", d.ID)
				}
			}
		}
	})
	count := 0
	claimed.Range(func(any, any) bool { count++; return true })
	require.Equal(t, 40, count)
	require.Equal(t, 40, w.number(t, "SELECT count(*) FROM deliveries"))
}

// aDelivery is a pending one.
func (w *world) aDelivery(t *testing.T) lifecycle.ID {
	t.Helper()
	w.request(t, lifecycle.NewID().String())
	w.relay(t)
	deliveries, err := w.ClaimDeliveries(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, deliveries, 1)
	return deliveries[0].ID
}

func TestADeliveryRemembersWhatItCameThrough(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	id := w.aDelivery(t)
	get := func() lifecycle.Delivery {
		t.Helper()
		d, err := w.GetDelivery(t.Context(), id)
		require.NoError(t, err)
		return d
	}
	require.Equal(t, lifecycle.DeliveryPending, get().Status)
	require.NoError(t, w.BeginAttempt(t.Context(), id))
	require.NoError(t, w.FailAttempt(t.Context(), id, lifecycle.DeliveryError{Code: lifecycle.FaultTimeout}))
	require.NoError(t, w.BeginAttempt(t.Context(), id))
	d := get()
	require.Equal(t, []any{2, 0, lifecycle.FaultTimeout}, []any{d.Attempts, d.Doubts, d.Fault})
	// The worker dies; the next attempt is one after a doubtful one.
	require.NoError(t, w.BeginAttempt(t.Context(), id))
	require.Equal(t, 1, get().Doubts)
	require.NoError(t, w.FailAttempt(t.Context(), id, lifecycle.DeliveryError{Code: lifecycle.FaultTimeout, Doubtful: true}))
	require.NoError(t, w.BeginAttempt(t.Context(), id))
	require.Equal(t, 2, get().Doubts)
	require.NoError(t, w.EndDelivery(t.Context(), id))
	d = get()
	require.Equal(t, lifecycle.DeliveryDelivered, d.Status)
	require.Equal(t, []any{4, 2, ""}, []any{d.Attempts, d.Doubts, d.Fault})
	require.False(t, d.Delivered.IsZero())

	for _, late := range []error{
		w.BeginAttempt(t.Context(), id), w.EndDelivery(t.Context(), id),
		w.FailAttempt(t.Context(), id, lifecycle.DeliveryError{Code: lifecycle.FaultTimeout, Final: true}),
	} {
		require.Equal(t, lifecycle.KindIllegalUpdate, lifecycle.KindOf(late), "what is over stays so")
	}
	gaveUp, err := w.GiveUpDelivery(t.Context(), id)
	require.NoError(t, err)
	require.False(t, gaveUp)
	require.Equal(t, lifecycle.KindNotFound, lifecycle.KindOf(w.BeginAttempt(t.Context(), lifecycle.NewID())))

	second := w.aDelivery(t)
	gaveUp, err = w.GiveUpDelivery(t.Context(), second)
	require.NoError(t, err)
	require.True(t, gaveUp)
	d, err = w.GetDelivery(t.Context(), second)
	require.NoError(t, err)
	require.Equal(t, []any{lifecycle.DeliveryDead, lifecycle.FaultGivenUp}, []any{d.Status, d.Fault})
}

func TestADeliveryWhoseWorkflowGotLostIsFoundAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	id := w.aDelivery(t)
	none, err := w.ClaimDeliveries(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, none, "it is another's to start")
	// Who claimed it has died.
	w.change(t, "UPDATE deliveries SET due = due - interval '31 seconds'")
	again, err := w.ClaimDeliveries(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, again, 1)
	require.NoError(t, w.MarkDeliveriesStarted(t.Context(), []lifecycle.ID{id}))
	w.change(t, "UPDATE deliveries SET due = due - interval '9 minutes'")
	none, err = w.ClaimDeliveries(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, none)
	w.change(t, "UPDATE deliveries SET due = due - interval '1 minute'")
	again, err = w.ClaimDeliveries(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, again, 1)
	require.NoError(t, w.EndDelivery(t.Context(), id))
	w.change(t, "UPDATE deliveries SET due = due - interval '1 hour'")
	none, err = w.ClaimDeliveries(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestWhatWaitsToBeToldIsCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	count, oldest, err := w.WaitingEvents(t.Context())
	require.NoError(t, err)
	require.Zero(t, count)
	require.True(t, oldest.IsZero())
	w.request(t, "walter")
	count, oldest, err = w.WaitingEvents(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, count)
	require.WithinDuration(t, time.Now(), oldest, time.Minute)
	w.relay(t)
	count, _, err = w.WaitingEvents(t.Context())
	require.NoError(t, err)
	require.Zero(t, count)
	count, _, err = w.WaitingDeliveries(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, count)
}

func TestANoticeHasWhatIsKnownWhenItIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	request := w.request(t, "walter")
	w.decide(t, decision(request, 0, lifecycle.VerdictApprove))
	_, _, err := w.SaveNotification(t.Context(), "decision_needed", request.ID, request.Items[1].ID, time.Time{})
	require.NoError(t, err)
	w.relay(t)
	load := func() lifecycle.Notice {
		t.Helper()
		var id lifecycle.ID
		require.NoError(t, w.admin.QueryRowContext(t.Context(), "SELECT id FROM deliveries WHERE event = 'decision_needed'").Scan(&id))
		notice, err := w.LoadNotice(t.Context(), id)
		require.NoError(t, err)
		return notice
	}
	n := load()
	require.Equal(t, lifecycle.EventDecisionNeeded, n.Type)
	require.Equal(t, lifecycle.EventID(n.Type, request.ID, request.Items[1].ID, ""), n.EventID)
	require.Equal(t, lifecycle.Named{ID: w.source.ID, Name: "Contractors"}, n.Source)
	q := n.Request
	require.Equal(t, []string{"The person jane.doe", "walter", "First walter", "Last walter", "The person jane.doe"},
		[]string{q.Requester.Name, q.AccountName, q.FirstName, q.LastName, q.Manager.Name})
	require.Equal(t, request.EndDate, q.EndDate)
	require.Len(t, q.Items, 2)
	require.Equal(t, []any{"The person approver.0", lifecycle.StatusApproved, "The person approver.0"},
		[]any{q.Items[0].Approver.Name, q.Items[0].Status, q.Items[0].DecidedBy.Name})
	require.Equal(t, []any{"The person approver.1", lifecycle.StatusPending, ""},
		[]any{q.Items[1].Approver.Name, q.Items[1].Status, q.Items[1].DecidedBy.Name})
	require.False(t, q.Items[1].PendingSince.IsZero())

	require.NoError(t, w.DeleteRequest(t.Context(), request.ID))
	n = load()
	require.Nil(t, n.Request)
	require.Equal(t, request.ID, n.RequestID)
	require.Equal(t, "Contractors", n.Source.Name)
	_, err = w.LoadNotice(t.Context(), lifecycle.NewID())
	require.Equal(t, lifecycle.KindNotFound, lifecycle.KindOf(err))
}

func TestWhoIsGoneIsNoRecipient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.change(t, "UPDATE identities SET language = 'de' WHERE id = $1", w.owner.ID.String())
	found, err := w.GetRecipient(t.Context(), w.owner.ID)
	require.NoError(t, err)
	require.Equal(t, lifecycle.Recipient{ID: w.owner.ID, Name: w.owner.Name, Address: w.owner.Email, Language: "de"}, found)
	require.NoError(t, w.SetIdentityActive(t.Context(), w.owner.ID, false))
	_, err = w.GetRecipient(t.Context(), w.owner.ID)
	require.Equal(t, lifecycle.KindNotFound, lifecycle.KindOf(err))
}

func TestTheEndOfAnImportIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	job := w.sealed(t, w.rowsOf("one", "two")...)
	for range 2 {
		_, err := w.ApplyImport(t.Context(), job, 1)
		require.NoError(t, err)
	}
	stopped := w.sealed(t, w.rowsOf("three")...)
	_, err := w.CancelImport(t.Context(), w.source.ID, stopped)
	require.NoError(t, err)
	for id, facts := range map[lifecycle.ID]string{
		job:     `{"status": "COMPLETED", "total": 2, "done": 2, "created": 2, "updated": 0, "unchanged": 0, "failed": 0}`,
		stopped: `{"status": "CANCELLED", "total": 1, "done": 0, "created": 0, "updated": 0, "unchanged": 0, "failed": 0}`,
	} {
		require.Equal(t, 1, w.number(t, `SELECT count(*) FROM notifications WHERE event = 'import_finished' AND key = $1
			AND recipient_id = $2 AND source_id = $3 AND facts - 'import' = $4::jsonb`, id.String(), w.owner.ID.String(), w.source.ID.String(), facts))
	}
}

func TestTheOwnerIsToldHowScheduledExportsEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	schedule := lifecycle.ExportSchedule{
		ID: lifecycle.NewID(), SourceID: w.source.ID, Cron: "0 4 * * *", Zone: "UTC", Keep: 1, Created: storetest.Now(), Modified: storetest.Now(),
	}
	require.NoError(t, w.CreateExportSchedule(t.Context(), schedule))
	written, failed := lifecycle.NewID(), lifecycle.NewID()
	for _, job := range []lifecycle.ID{written, failed} {
		_, err := w.BeginScheduledExport(t.Context(), schedule.ID, job)
		require.NoError(t, err)
	}
	for range 2 {
		_, err := w.WriteExport(t.Context(), written, keep, func(int) {})
		require.NoError(t, err)
		require.NoError(t, w.FailExport(t.Context(), failed))
	}
	asked := w.newExport()
	_, err := w.BeginExport(t.Context(), asked)
	require.NoError(t, err)
	_, err = w.WriteExport(t.Context(), asked.ID, keep, func(int) {})
	require.NoError(t, err)
	require.Equal(t, []string{"export_failed " + failed.String(), "export_finished " + written.String()},
		w.aliases(t, `SELECT event || ' ' || key FROM notifications WHERE event LIKE 'export%' AND recipient_id = $1 ORDER BY event`, w.owner.ID.String()))
	require.Equal(t, 2, w.number(t, "SELECT count(*) FROM notifications WHERE event LIKE 'export%'"))
}

// anEndpoint is one that wants these events.
func (w *world) anEndpoint(t *testing.T, events ...lifecycle.EventType) lifecycle.WebhookEndpoint {
	t.Helper()
	endpoint := lifecycle.WebhookEndpoint{
		ID: lifecycle.NewID(), URL: "https://hooks.example.com/gatehouse", Secret: []byte("secret"), Events: events, Enabled: true,
		Created: storetest.Now(), Modified: storetest.Now(),
	}
	require.NoError(t, w.CreateWebhook(t.Context(), endpoint))
	return endpoint
}

func (w *world) deliveries(t *testing.T, q lifecycle.DeliveryQuery) []lifecycle.Delivery {
	t.Helper()
	q.Limit, q.Count = 250, true
	deliveries, count, err := w.ListDeliveries(t.Context(), q)
	require.NoError(t, err)
	require.Len(t, deliveries, count)
	return deliveries
}

func TestAnEndpointGetsTheEventsThatItWantsOnceEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	all, some := w.anEndpoint(t), w.anEndpoint(t, lifecycle.EventDecisionNeeded)
	off := w.anEndpoint(t)
	disable := func(e *lifecycle.WebhookEndpoint) error { e.Enabled = false; return nil }
	_, err := w.UpdateWebhook(t.Context(), off.ID, disable)
	require.NoError(t, err)
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: "deciders", Created: storetest.Now(), Members: []lifecycle.ID{w.owner.ID, w.outsider.ID}}
	require.NoError(t, w.CreateWorkgroup(t.Context(), group))
	asked := w.newRequest("by an application")
	asked.Requester = lifecycle.ID{}
	request, err := w.AcceptRequest(t.Context(), asked, plenty)
	require.NoError(t, err)
	_, _, err = w.SaveNotification(t.Context(), "decision_needed", request.ID, request.Items[0].ID, time.Time{})
	require.NoError(t, err)
	w.relay(t)
	events := func(endpoint lifecycle.ID) (names []lifecycle.EventType) {
		for _, d := range w.deliveries(t, lifecycle.DeliveryQuery{Endpoint: endpoint}) {
			require.Equal(t, lifecycle.ByWebhook, d.Channel)
			names = append(names, d.Event)
		}
		return names
	}
	require.ElementsMatch(t, []lifecycle.EventType{lifecycle.EventRequestMade, lifecycle.EventDecisionNeeded}, events(all.ID),
		"also what concerns no person")
	require.Equal(t, []lifecycle.EventType{lifecycle.EventDecisionNeeded}, events(some.ID))
	require.Empty(t, events(off.ID))
	require.Equal(t, []string{"approver.0"}, w.mails(t, lifecycle.EventDecisionNeeded))
	require.Empty(t, w.mails(t, lifecycle.EventRequestMade))
	require.Len(t, w.deliveries(t, lifecycle.DeliveryQuery{Channel: lifecycle.ByMail}), 1)
	require.Len(t, w.deliveries(t, lifecycle.DeliveryQuery{Event: lifecycle.EventDecisionNeeded}), 3)
	require.Empty(t, w.deliveries(t, lifecycle.DeliveryQuery{Status: lifecycle.DeliveryDead}))

	listed, err := w.ListWebhooks(t.Context())
	require.NoError(t, err)
	require.Len(t, listed, 3)
	found, err := w.GetWebhook(t.Context(), some.ID)
	require.NoError(t, err)
	require.Equal(t, some, found)
	require.NoError(t, w.DeleteWebhook(t.Context(), some.ID))
	require.Empty(t, events(some.ID), "its deliveries go with it")
	for _, missing := range []error{
		w.DeleteWebhook(t.Context(), some.ID),
		func() error { _, err := w.GetWebhook(t.Context(), some.ID); return err }(),
		func() error { _, err := w.UpdateWebhook(t.Context(), some.ID, disable); return err }(),
		func() error { _, err := w.ResendDeliveries(t.Context(), some.ID); return err }(),
		func() error { _, err := w.ResendDelivery(t.Context(), some.ID); return err }(),
	} {
		requireKind(t, lifecycle.KindNotFound, missing)
	}
}

func TestThereAreOnlySoManyEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.change(t, `INSERT INTO webhook_endpoints (id, url, secret, events, enabled, created, modified)
		SELECT gen_random_uuid(), 'https://example.com', '', '{}', true, now(), now() FROM generate_series(1, $1)`, lifecycle.MaxWebhookEndpoints-1)
	faults := make(chan error, clients)
	atOnce(func(int) {
		faults <- w.CreateWebhook(context.WithoutCancel(t.Context()), lifecycle.WebhookEndpoint{
			ID: lifecycle.NewID(), Secret: []byte("secret"), Created: storetest.Now(), Modified: storetest.Now(),
		})
	})
	made := 0
	for range clients {
		if err := <-faults; err == nil {
			made++
		} else {
			requireKind(t, lifecycle.KindLimit, err)
		}
	}
	require.Equal(t, 1, made)
}

func TestWhatIsDeadCanBeSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	endpoint := w.anEndpoint(t)
	for range 3 {
		w.request(t, lifecycle.NewID().String())
	}
	w.relay(t)
	posted := w.deliveries(t, lifecycle.DeliveryQuery{Channel: lifecycle.ByWebhook})
	require.Len(t, posted, 3)
	_, err := w.ResendDelivery(t.Context(), posted[0].ID)
	requireKind(t, lifecycle.KindIllegalUpdate, err)
	for _, d := range w.deliveries(t, lifecycle.DeliveryQuery{}) {
		require.NoError(t, w.BeginAttempt(t.Context(), d.ID))
		require.NoError(t, w.FailAttempt(t.Context(), d.ID, lifecycle.DeliveryError{Code: "status_500", Final: true}))
	}
	require.Len(t, w.deliveries(t, lifecycle.DeliveryQuery{Status: lifecycle.DeliveryDead}), 6)
	w.change(t, "UPDATE deliveries SET due = now() + interval '1 hour'")
	again, err := w.ResendDelivery(t.Context(), posted[0].ID)
	require.NoError(t, err)
	require.Equal(t, lifecycle.DeliveryPending, again.Status)
	require.Equal(t, posted[0].EventID, again.EventID)
	count, err := w.ResendDeliveries(t.Context(), endpoint.ID)
	require.NoError(t, err)
	require.Equal(t, 2, count)
	claimed, err := w.ClaimDeliveries(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, claimed, 3, "they are started at once")
	require.Len(t, w.deliveries(t, lifecycle.DeliveryQuery{Status: lifecycle.DeliveryDead}), 3, "the mails are left as they are")

	// What goes to an endpoint that is disabled would be dead again at once.
	require.NoError(t, w.FailAttempt(t.Context(), posted[0].ID, lifecycle.DeliveryError{Code: lifecycle.FaultGone, Final: true}))
	_, err = w.UpdateWebhook(t.Context(), endpoint.ID, func(e *lifecycle.WebhookEndpoint) error { e.Enabled = false; return nil })
	require.NoError(t, err)
	_, err = w.ResendDelivery(t.Context(), posted[0].ID)
	requireKind(t, lifecycle.KindIllegalUpdate, err)
	_, err = w.ResendDeliveries(t.Context(), endpoint.ID)
	requireKind(t, lifecycle.KindIllegalUpdate, err)
}

func TestWhatWasToldLongAgoIsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	done, open, fresh := w.request(t, "done"), w.request(t, "open"), w.request(t, "fresh")
	// That it was told is known by its row alone, as long as somebody may ask.
	waiting := w.request(t, "waiting")
	require.Equal(t, lifecycle.DecisionStored, w.decide(t, decision(done, 0, lifecycle.VerdictReject)))
	w.change(t, "UPDATE requests SET workflow_seen_at = modified WHERE id = $1", done.ID.String())
	record := w.record(t, "somebody")
	w.change(t, `INSERT INTO notifications (id, event_id, event, request_id, item_id, recipient_id, recipient_type, reason, created, key, batch_id)
		VALUES ($1, $1, 'expiring', $2, $2, $3, 'IDENTITY', '', now(), 'k', $1)`, record.ID.String(), lifecycle.ID{}.String(), w.owner.ID.String())
	for range 5 {
		w.change(t, `INSERT INTO notification_records (batch_id, record_id) VALUES ($1, gen_random_uuid())`, record.ID.String())
	}
	w.relay(t)
	for _, d := range w.deliveries(t, lifecycle.DeliveryQuery{}) {
		if notice, err := w.LoadNotice(t.Context(), d.ID); notice.RequestID != open.ID {
			require.NoError(t, err)
			require.NoError(t, w.EndDelivery(t.Context(), d.ID))
		}
	}
	w.change(t, "UPDATE notifications SET relayed = relayed - interval '31 days' WHERE request_id <> $1", fresh.ID.String())
	w.change(t, `UPDATE deliveries AS d SET modified = modified - interval '31 days' FROM notifications AS n
		WHERE n.id = d.notification_id AND n.request_id <> $1`, fresh.ID.String())
	dropped := 0
	for {
		n, err := w.DropTold(t.Context(), 2, 30*24*time.Hour)
		require.NoError(t, err)
		require.LessOrEqual(t, n, 2, "in bounded batches")
		if n == 0 {
			break
		}
		dropped += n
	}
	require.Equal(t, 7, dropped, "two rows and five records")
	require.ElementsMatch(t, []string{open.ID.String(), fresh.ID.String(), waiting.ID.String()},
		w.aliases(t, "SELECT request_id::text FROM notifications"))
	require.Len(t, w.deliveries(t, lifecycle.DeliveryQuery{}), 3)
	require.Zero(t, w.number(t, "SELECT count(*) FROM notification_records"))
	require.NotEqual(t, done.ID, open.ID)
}

func TestANoticeOfAnExtensionCountsItsRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	records := w.people(t, 3)
	until := records[0].EndDate.AddDate(0, 3, 0)
	e := w.extend(t, until, records...)
	w.relay(t)
	made := w.deliveries(t, lifecycle.DeliveryQuery{Event: lifecycle.EventRequestMade})
	require.Len(t, made, 1)
	n, err := w.LoadNotice(t.Context(), made[0].ID)
	require.NoError(t, err)
	require.Equal(t, e.ID, n.RequestID)
	require.Equal(t, []any{true, 3, until}, []any{n.Request.Extension, n.Request.Records, n.Request.Until})
	require.Len(t, n.Request.Items, 1)
	require.False(t, n.Request.TimesOut.IsZero(), "by the organisation's policy")
}
