package workflows_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"gatehouse/activities"
	"gatehouse/lifecycle"
	"gatehouse/notice"
	"gatehouse/workflows"
	"gatehouse/workflows/wire"
)

// letter stands for the row of one delivery, and for who takes it.
type letter struct {
	activities.DeliveryStore
	id      lifecycle.ID
	channel lifecycle.DeliveryChannel
	status  lifecycle.DeliveryStatus
	gone    bool
	// take answers each attempt, counted from 1.
	take     func(attempt int) error
	attempts []time.Time
	gaveUp   int
	// now is the virtual time.
	now func() time.Time
	// away is how often the row can't be read, busy how often the receiver has others
	// to talk to.
	away, busy int
}

func (l *letter) GetDelivery(context.Context, lifecycle.ID) (lifecycle.Delivery, error) {
	if l.away > 0 {
		l.away--
		return lifecycle.Delivery{}, errAway
	}
	if l.gone {
		return lifecycle.Delivery{}, lifecycle.NewError(lifecycle.KindNotFound, "gone")
	}
	return lifecycle.Delivery{ID: l.id, EventID: l.id, Event: lifecycle.EventReminder, Channel: l.channel, Status: l.status, Attempts: len(l.attempts)}, nil
}

func (l *letter) LoadNotice(context.Context, lifecycle.ID) (lifecycle.Notice, error) {
	return notice.Samples(lifecycle.EventReminder)[0], nil
}

func (l *letter) GetRecipient(context.Context, lifecycle.ID) (lifecycle.Recipient, error) {
	return lifecycle.Recipient{Address: "jane.doe@example.com"}, nil
}

func (l *letter) GetWebhook(context.Context, lifecycle.ID) (lifecycle.WebhookEndpoint, error) {
	return lifecycle.WebhookEndpoint{ID: l.id, URL: "https://example.com", Enabled: true}, nil
}

func (l *letter) BeginAttempt(context.Context, lifecycle.ID) error {
	l.attempts = append(l.attempts, l.now())
	return nil
}

func (l *letter) EndDelivery(context.Context, lifecycle.ID) error {
	l.status = lifecycle.DeliveryDelivered
	return nil
}

func (l *letter) FailAttempt(_ context.Context, _ lifecycle.ID, fault lifecycle.DeliveryError) error {
	if fault.Final {
		l.status = lifecycle.DeliveryDead
	}
	return nil
}

func (l *letter) GiveUpDelivery(context.Context, lifecycle.ID) (bool, error) {
	l.gaveUp++
	l.status = lifecycle.DeliveryDead
	return true, nil
}

func (l *letter) Send(ctx context.Context, _ lifecycle.Mail, begin func(context.Context) error) error {
	if err := begin(ctx); err != nil {
		return err
	}
	return l.take(len(l.attempts))
}

func (l *letter) Post(ctx context.Context, _ lifecycle.Posting, begin func(context.Context) error) error {
	if l.busy > 0 {
		l.busy--
		return &lifecycle.DeliveryError{Code: lifecycle.FaultBusy}
	}
	return l.Send(ctx, lifecycle.Mail{}, begin)
}

func newLetter(t *testing.T, channel lifecycle.DeliveryChannel, take func(attempt int) error) (*letter, *testsuite.TestWorkflowEnvironment) {
	t.Helper()
	env := newEnvironment()
	l := &letter{id: lifecycle.NewID(), channel: channel, status: lifecycle.DeliveryPending, take: take, now: env.Now}
	words, err := notice.New(nil, "en")
	require.NoError(t, err)
	workflows.Register(env, &activities.Activities{
		Log: slog.New(slog.DiscardHandler), Deliveries: &activities.Deliveries{Store: l, Words: words, Mailer: l, Poster: l},
	})
	return l, env
}

func (l *letter) carry(t *testing.T, env *testsuite.TestWorkflowEnvironment) wire.DeliveryResult {
	t.Helper()
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: wire.DeliveryWorkflowID(l.id), TaskQueue: wire.QueueDeliveries})
	env.ExecuteWorkflow(wire.WorkflowDelivery, wire.DeliveryInput{DeliveryID: l.id, Channel: l.channel})
	require.True(t, env.IsWorkflowCompleted())
	var result wire.DeliveryResult
	if env.GetWorkflowError() == nil {
		require.NoError(t, env.GetWorkflowResult(&result))
	}
	return result
}

func TestADeliveryIsTakenAtOnce(t *testing.T) {
	t.Parallel()
	for _, channel := range []lifecycle.DeliveryChannel{lifecycle.ByMail, lifecycle.ByWebhook} {
		l, env := newLetter(t, channel, func(int) error { return nil })
		require.Equal(t, wire.DeliveryResult{Status: lifecycle.DeliveryDelivered}, l.carry(t, env))
		require.Len(t, l.attempts, 1)
		require.Zero(t, l.gaveUp)
	}
}

// TestABusyReceiverStretchesNoPause: having waited for its turn is not having failed.
func TestABusyReceiverStretchesNoPause(t *testing.T) {
	t.Parallel()
	l, env := newLetter(t, lifecycle.ByWebhook, func(attempt int) error {
		if attempt > 2 {
			return nil
		}
		return &lifecycle.DeliveryError{Code: "status_503"}
	})
	l.busy = 12
	require.Equal(t, wire.DeliveryResult{Status: lifecycle.DeliveryDelivered}, l.carry(t, env))
	require.Len(t, l.attempts, 3)
	require.Equal(t, 5*time.Second, l.attempts[1].Sub(l.attempts[0]))
	require.Equal(t, 10*time.Second, l.attempts[2].Sub(l.attempts[1]))
}

func TestADeliveryIsTriedForADayAndThenGivenUp(t *testing.T) {
	t.Parallel()
	l, env := newLetter(t, lifecycle.ByWebhook, func(int) error { return &lifecycle.DeliveryError{Code: "status_500"} })
	began := env.Now()
	require.Equal(t, wire.DeliveryResult{Status: lifecycle.DeliveryDead, Fault: "status_500"}, l.carry(t, env))
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, lifecycle.DeliveryDead, l.status)
	require.Equal(t, 1, l.gaveUp)
	require.Equal(t, began, l.attempts[0])
	last := l.attempts[len(l.attempts)-1].Sub(began)
	require.Greater(t, last, 22*time.Hour)
	require.LessOrEqual(t, last, lifecycle.DeliveryPatience)
	require.Less(t, len(l.attempts), 60, "it is not pestered")
	for i := range l.attempts[1:] {
		require.LessOrEqual(t, l.attempts[i+1].Sub(l.attempts[i]), time.Hour+time.Minute)
	}
	require.LessOrEqual(t, l.attempts[1].Sub(began), 5*time.Second, "a restart of the receiver is got over soon")
}

func TestAReceiverThatComesBackIsTold(t *testing.T) {
	t.Parallel()
	l, env := newLetter(t, lifecycle.ByMail, func(attempt int) error {
		if attempt < 20 {
			return &lifecycle.DeliveryError{Code: lifecycle.FaultUnreachable}
		}
		return nil
	})
	require.Equal(t, wire.DeliveryResult{Status: lifecycle.DeliveryDelivered}, l.carry(t, env))
	require.Len(t, l.attempts, 20)
}

func TestAFinalFaultEndsADeliveryAtOnce(t *testing.T) {
	t.Parallel()
	l, env := newLetter(t, lifecycle.ByMail, func(int) error { return &lifecycle.DeliveryError{Code: "smtp_550", Final: true} })
	require.Equal(t, wire.DeliveryResult{Status: lifecycle.DeliveryDead, Fault: "smtp_550"}, l.carry(t, env))
	require.Len(t, l.attempts, 1)
	require.Equal(t, lifecycle.DeliveryDead, l.status)
	require.Zero(t, l.gaveUp)
}

func TestTheReceiverSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	l, env := newLetter(t, lifecycle.ByWebhook, func(attempt int) error {
		if attempt == 1 {
			return &lifecycle.DeliveryError{Code: "status_429", After: 40 * time.Minute}
		}
		return nil
	})
	require.Equal(t, lifecycle.DeliveryDelivered, l.carry(t, env).Status)
	require.Equal(t, 40*time.Minute, l.attempts[1].Sub(l.attempts[0]))
}

func TestADatabaseThatIsAwayLosesNothing(t *testing.T) {
	t.Parallel()
	l, env := newLetter(t, lifecycle.ByMail, func(int) error { return nil })
	l.away = 10
	require.Equal(t, lifecycle.DeliveryDelivered, l.carry(t, env).Status)
	require.Len(t, l.attempts, 1)
}

func TestADeliveryThatIsGoneEndsItsWorkflow(t *testing.T) {
	t.Parallel()
	l, env := newLetter(t, lifecycle.ByMail, nil)
	l.gone = true
	require.Equal(t, wire.DeliveryResult{}, l.carry(t, env))
	require.Empty(t, l.attempts)
}

func TestADeliveryWhoseWorkflowIsCancelledStaysPending(t *testing.T) {
	t.Parallel()
	l, env := newLetter(t, lifecycle.ByMail, func(int) error { return &lifecycle.DeliveryError{Code: lifecycle.FaultUnreachable} })
	env.RegisterDelayedCallback(env.CancelWorkflow, time.Minute)
	l.carry(t, env)
	var cancelled *temporal.CanceledError
	require.ErrorAs(t, env.GetWorkflowError(), &cancelled)
	require.Equal(t, lifecycle.DeliveryPending, l.status)
	require.Zero(t, l.gaveUp)
}

func TestADeliveryUnderAnothersIDIsRefused(t *testing.T) {
	t.Parallel()
	l, env := newLetter(t, lifecycle.ByMail, nil)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "delivery/another", TaskQueue: wire.QueueDeliveries})
	env.ExecuteWorkflow(wire.WorkflowDelivery, wire.DeliveryInput{DeliveryID: l.id, Channel: l.channel})
	require.Error(t, env.GetWorkflowError())
	require.Empty(t, l.attempts)
}
