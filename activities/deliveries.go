package activities

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"gatehouse/lifecycle"
	"gatehouse/notice"
	"gatehouse/workflows/wire"
)

// DeliveryStore keeps deliveries and what they tell.
type DeliveryStore interface {
	// GetDelivery returns the delivery; KindNotFound if there is none.
	GetDelivery(ctx context.Context, id lifecycle.ID) (lifecycle.Delivery, error)
	// LoadNotice returns what the delivery tells, as it is known at this moment.
	LoadNotice(ctx context.Context, delivery lifecycle.ID) (lifecycle.Notice, error)
	// GetRecipient returns the person whom a mail goes to. KindNotFound where
	// nobody active with an address is there any more.
	GetRecipient(ctx context.Context, id lifecycle.ID) (lifecycle.Recipient, error)
	// GetWebhook returns the endpoint; KindNotFound if there is none.
	GetWebhook(ctx context.Context, id lifecycle.ID) (lifecycle.WebhookEndpoint, error)
	// UpdateWebhook has change change the endpoint.
	UpdateWebhook(ctx context.Context, id lifecycle.ID, change func(*lifecycle.WebhookEndpoint) error) (lifecycle.WebhookEndpoint, error)
	// BeginAttempt notes that a delivery is about to be handed over; one before that
	// has not come to an end counts as doubtful. KindIllegalUpdate if it is not
	// PENDING any more.
	BeginAttempt(ctx context.Context, id lifecycle.ID) error
	// EndDelivery notes that it was taken. Errors as BeginAttempt's.
	EndDelivery(ctx context.Context, id lifecycle.ID) error
	// FailAttempt notes what was wrong with an attempt; a final fault makes the
	// delivery DEAD. Errors as BeginAttempt's.
	FailAttempt(ctx context.Context, id lifecycle.ID, fault lifecycle.DeliveryError) error
	// GiveUpDelivery makes a PENDING delivery DEAD; any other is left as it is.
	GiveUpDelivery(ctx context.Context, id lifecycle.ID) (gaveUp bool, err error)
}

// Mailer hands mails to a mail server.
type Mailer interface {
	// Send hands a mail over. begin is called before anything of it is said; an
	// error of begin is returned as it is, any other is a lifecycle.DeliveryError.
	Send(ctx context.Context, mail lifecycle.Mail, begin func(context.Context) error) error
}

// Poster posts to the endpoints of webhooks.
type Poster interface {
	// Post hands a message over, as Mailer.Send does.
	Post(ctx context.Context, posting lifecycle.Posting, begin func(context.Context) error) error
}

// DeliveryObserver counts what becomes of attempts, as [Observer] does the rest.
type DeliveryObserver interface {
	// Delivered notes an attempt; channel is MAIL or WEBHOOK in lower case, outcome
	// one of the Delivery constants.
	Delivered(channel, outcome string)
}

// What becomes of an attempt.
const (
	// DeliveryDone: it was taken.
	DeliveryDone = "delivered"
	// DeliveryFailed: it will be tried again.
	DeliveryFailed = "failed"
	// DeliveryDoubtful: it may have arrived, and will be tried again.
	DeliveryDoubtful = "doubtful"
	// DeliveryGivenUp: the delivery is dead.
	DeliveryGivenUp = "dead"
)

// Deliveries is what the steps of deliveries need.
type Deliveries struct {
	Store DeliveryStore
	Words *notice.Renderer
	// Mailer is nil where there is no mail.
	Mailer Mailer
	Poster Poster
	// Observer may be nil.
	Observer DeliveryObserver
	// Outgoing is told when something is about to go out by mail or webhook, for
	// instance to trace it; end gets what came of it. May be nil.
	Outgoing func(ctx context.Context, channel string) (_ context.Context, end func(error))
}

func (d *Deliveries) observer() DeliveryObserver {
	if d.Observer == nil {
		return blind{}
	}
	return d.Observer
}

func (blind) Delivered(string, string) {}

const (
	// commitPause is how long the end of a delivery that can't be stored is waited
	// for before it is tried again.
	commitPause = 500 * time.Millisecond
	// Those whose endpoint is busy come again after pauses that grow from the
	// first of these to the last, each at another time.
	shortestWait = time.Second
	longestWait  = 2 * time.Minute
)

// Deliver makes one attempt at a delivery. Whether another one is worth it, and
// when, is in the error.
func (a *Activities) Deliver(ctx context.Context, in wire.DeliveryInput) (result wire.DeliveryResult, err error) {
	defer a.seal(ctx, wire.ActivityDeliver, in.DeliveryID, &err)
	if a.Deliveries == nil {
		return result, lifecycle.NewError(lifecycle.KindInternal, "This worker makes no deliveries.")
	}
	d := a.Deliveries
	delivery, err := d.Store.GetDelivery(ctx, in.DeliveryID)
	switch {
	case lifecycle.KindOf(err) == lifecycle.KindNotFound && err != nil:
		return result, nil
	case err != nil:
		return result, err
	case delivery.Status != lifecycle.DeliveryPending:
		return wire.DeliveryResult{Status: delivery.Status, Fault: delivery.Fault}, nil
	}
	limited, cancel := context.WithTimeout(ctx, lifecycle.DeliveryAttempt)
	defer cancel()
	stop := beat(ctx)
	err = d.attempt(limited, delivery)
	stop()
	var fault *lifecycle.DeliveryError
	switch {
	case err == nil:
		d.observer().Delivered(channelLabel(delivery), DeliveryDone)
		a.logDelivery(ctx, slog.LevelInfo, "delivered", delivery, "")
		return wire.DeliveryResult{Status: lifecycle.DeliveryDelivered}, nil
	case errors.As(err, &fault):
		return a.failed(ctx, delivery, *fault)
	case lifecycle.KindOf(err) == lifecycle.KindIllegalUpdate, lifecycle.KindOf(err) == lifecycle.KindNotFound:
		// It was ended, or removed, behind our back; the next look tells how.
		return result, temporal.NewApplicationErrorWithOptions("the delivery moved", lifecycle.KindUnavailable.String(),
			temporal.ApplicationErrorOptions{NextRetryDelay: shortestWait})
	}
	return result, err
}

// beatEvery is how often a step that waits for others says that it lives.
const beatEvery = 2 * time.Second

// beat tells Temporal that the step lives until stop is called.
func beat(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var beating sync.WaitGroup
	beating.Go(func() {
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	})
	return func() { cancel(); beating.Wait() }
}

// attempt hands the delivery over and stores that it was taken.
func (d *Deliveries) attempt(ctx context.Context, delivery lifecycle.Delivery) error {
	begin := func(ctx context.Context) error { return d.Store.BeginAttempt(ctx, delivery.ID) }
	send := d.mail
	if delivery.Channel == lifecycle.ByWebhook {
		send = d.post
	}
	sending, end := ctx, func(error) {}
	if d.Outgoing != nil {
		sending, end = d.Outgoing(ctx, channelLabel(delivery))
	}
	err := send(sending, delivery, begin)
	end(err)
	if err != nil {
		return err
	}
	// It has arrived. Not knowing so would have it sent again.
	for {
		err := d.Store.EndDelivery(ctx, delivery.ID)
		if err == nil || hopeless(err) || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(commitPause):
		}
	}
}

func (d *Deliveries) mail(ctx context.Context, delivery lifecycle.Delivery, begin func(context.Context) error) error {
	if d.Mailer == nil {
		return &lifecycle.DeliveryError{Code: lifecycle.FaultDisabled, Final: true}
	}
	to, err := d.Store.GetRecipient(ctx, delivery.Recipient)
	if err != nil {
		return gone(err, lifecycle.FaultRecipient)
	}
	told, err := d.Store.LoadNotice(ctx, delivery.ID)
	if err != nil {
		return err
	}
	message, err := d.Words.Mail(told, to)
	if err != nil {
		return &lifecycle.DeliveryError{Code: lifecycle.FaultContent}
	}
	return d.Mailer.Send(ctx, lifecycle.Mail{
		ID: delivery.ID, Name: to.Name, Address: to.Address, Subject: message.Subject, Text: message.Text, HTML: message.HTML,
		Event: told.Type, Language: message.Language, Date: told.Occurred,
	}, begin)
}

func (d *Deliveries) post(ctx context.Context, delivery lifecycle.Delivery, begin func(context.Context) error) error {
	endpoint, err := d.Store.GetWebhook(ctx, delivery.Endpoint)
	if err != nil {
		return gone(err, lifecycle.FaultGone)
	}
	if !endpoint.Enabled {
		return &lifecycle.DeliveryError{Code: lifecycle.FaultDisabled, Final: true}
	}
	told, err := d.Store.LoadNotice(ctx, delivery.ID)
	if err != nil {
		return err
	}
	body, err := notice.Event(told)
	if err != nil {
		return &lifecycle.DeliveryError{Code: lifecycle.FaultContent}
	}
	err = d.Poster.Post(ctx, lifecycle.Posting{
		ID: delivery.EventID, Endpoint: endpoint.ID, URL: endpoint.URL, Secret: endpoint.Secret, Body: body,
	}, begin)
	if fault, ok := errors.AsType[*lifecycle.DeliveryError](err); ok && fault.Code == lifecycle.FaultGone {
		keep, cancel := keeping(ctx)
		defer cancel()
		_, disabled := d.Store.UpdateWebhook(keep, endpoint.ID, func(e *lifecycle.WebhookEndpoint) error {
			// One that was moved meanwhile is not where it is gone.
			if e.URL == endpoint.URL {
				e.Enabled, e.Reason = false, lifecycle.FaultGone
			}
			return nil
		})
		if disabled != nil && lifecycle.KindOf(disabled) != lifecycle.KindNotFound {
			// Its other deliveries will find it gone, one after another.
			return err
		}
	}
	return err
}

// gone makes a final fault of what is not there any more.
func gone(err error, code string) error {
	if lifecycle.KindOf(err) == lifecycle.KindNotFound {
		return &lifecycle.DeliveryError{Code: code, Final: true}
	}
	return err
}

// failed stores what was wrong with an attempt.
func (a *Activities) failed(ctx context.Context, delivery lifecycle.Delivery, fault lifecycle.DeliveryError) (wire.DeliveryResult, error) {
	if fault.Code == lifecycle.FaultBusy {
		return wire.DeliveryResult{}, again(fault.Code, jitter(activity.GetInfo(ctx).Attempt))
	}
	keep, cancel := keeping(ctx)
	defer cancel()
	if err := a.Deliveries.Store.FailAttempt(keep, delivery.ID, fault); err != nil && !illegalOrGone(err) {
		return wire.DeliveryResult{}, err
	}
	outcome := DeliveryFailed
	switch {
	case fault.Final:
		outcome = DeliveryGivenUp
	case fault.Doubtful:
		outcome = DeliveryDoubtful
	}
	a.Deliveries.observer().Delivered(channelLabel(delivery), outcome)
	a.logDelivery(ctx, slog.LevelWarn, "delivery failed", delivery, fault.Code)
	if fault.Final {
		return wire.DeliveryResult{Status: lifecycle.DeliveryDead, Fault: fault.Code}, nil
	}
	return wire.DeliveryResult{}, again(fault.Code, cmp.Or(fault.After, backoff(delivery.Attempts)))
}

// Pauses between attempts that failed.
const (
	firstPause = 5 * time.Second
	lastPause  = time.Hour
)

// backoff is the pause after so many attempts that began before this one. The
// policy's own counts those as well that found the receiver busy.
func backoff(attempts int) time.Duration { return min(lastPause, firstPause<<min(attempts, 10)) }

// again asks for another attempt, after a pause of the policy where after is zero.
func again(code string, after time.Duration) error {
	return temporal.NewApplicationErrorWithOptions("delivery: "+code, code, temporal.ApplicationErrorOptions{NextRetryDelay: after})
}

// jitter is a pause after so many attempts.
func jitter(attempt int32) time.Duration {
	longest := min(longestWait, shortestWait<<min(attempt, 10))
	return shortestWait + rand.N(longest) //nolint:gosec // it need not be secret
}

func channelLabel(delivery lifecycle.Delivery) string {
	if delivery.Channel == lifecycle.ByWebhook {
		return "webhook"
	}
	return "mail"
}

func (a *Activities) logDelivery(ctx context.Context, level slog.Level, text string, delivery lifecycle.Delivery, fault string) {
	attrs := []slog.Attr{
		slog.String("delivery", delivery.ID.String()), slog.String("event", string(delivery.Event)),
		slog.String("event_id", delivery.EventID.String()), slog.String("channel", channelLabel(delivery)),
	}
	if fault != "" {
		attrs = append(attrs, slog.String("fault", fault))
	}
	a.Log.LogAttrs(ctx, level, text, attrs...)
}

// GiveUpDelivery ends a delivery that was tried for long enough.
func (a *Activities) GiveUpDelivery(ctx context.Context, in wire.DeliveryInput) (err error) {
	defer a.seal(ctx, wire.ActivityGiveUpDelivery, in.DeliveryID, &err)
	if a.Deliveries == nil {
		return lifecycle.NewError(lifecycle.KindInternal, "This worker makes no deliveries.")
	}
	gaveUp, err := a.Deliveries.Store.GiveUpDelivery(ctx, in.DeliveryID)
	if gaveUp {
		a.Deliveries.observer().Delivered(channelLabel(lifecycle.Delivery{Channel: in.Channel}), DeliveryGivenUp)
	}
	return err
}
