package activities

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"gatehouse/lifecycle"
	"gatehouse/notice"
	"gatehouse/workflows/wire"
)

// post stands for the tables of deliveries, and for who carries them.
type post struct {
	delivery  lifecycle.Delivery
	recipient lifecycle.Recipient
	endpoint  lifecycle.WebhookEndpoint
	notice    lifecycle.Notice
	calls     []string
	faults    map[string]error
	mails     []lifecycle.Mail
	postings  []lifecycle.Posting
	// sent is what whoever carries a delivery says.
	sent   error
	failed []lifecycle.DeliveryError
	// ways are what Outgoing was told, ended what came of it.
	ways  []string
	ended []error
}

func (p *post) outgoing(ctx context.Context, channel string) (context.Context, func(error)) {
	p.ways = append(p.ways, channel)
	return ctx, func(err error) { p.ended = append(p.ended, err) }
}

func (p *post) do(call string) error {
	p.calls = append(p.calls, call)
	return p.faults[call]
}

func (p *post) GetDelivery(context.Context, lifecycle.ID) (lifecycle.Delivery, error) {
	return p.delivery, p.do("GetDelivery")
}

func (p *post) LoadNotice(context.Context, lifecycle.ID) (lifecycle.Notice, error) {
	return p.notice, p.do("LoadNotice")
}

func (p *post) GetRecipient(context.Context, lifecycle.ID) (lifecycle.Recipient, error) {
	return p.recipient, p.do("GetRecipient")
}

func (p *post) GetWebhook(context.Context, lifecycle.ID) (lifecycle.WebhookEndpoint, error) {
	return p.endpoint, p.do("GetWebhook")
}

func (p *post) UpdateWebhook(_ context.Context, _ lifecycle.ID, change func(*lifecycle.WebhookEndpoint) error) (lifecycle.WebhookEndpoint, error) {
	return p.endpoint, errors.Join(p.do("UpdateWebhook"), change(&p.endpoint))
}

func (p *post) BeginAttempt(context.Context, lifecycle.ID) error { return p.do("BeginAttempt") }

func (p *post) EndDelivery(context.Context, lifecycle.ID) error { return p.do("EndDelivery") }

func (p *post) FailAttempt(_ context.Context, _ lifecycle.ID, fault lifecycle.DeliveryError) error {
	p.failed = append(p.failed, fault)
	return p.do("FailAttempt")
}

func (p *post) GiveUpDelivery(context.Context, lifecycle.ID) (bool, error) {
	return true, p.do("GiveUpDelivery")
}

func (p *post) Send(ctx context.Context, m lifecycle.Mail, begin func(context.Context) error) error {
	if err := begin(ctx); err != nil {
		return err
	}
	p.mails = append(p.mails, m)
	return p.sent
}

func (p *post) Post(ctx context.Context, m lifecycle.Posting, begin func(context.Context) error) error {
	if err := begin(ctx); err != nil {
		return err
	}
	p.postings = append(p.postings, m)
	return p.sent
}

// delivered counts attempts.
type delivered map[string]int

func (d delivered) Delivered(channel, outcome string) { d[channel+" "+outcome]++ }

func newPost(channel lifecycle.DeliveryChannel) *post {
	p := &post{
		delivery: lifecycle.Delivery{
			ID: lifecycle.NewID(), EventID: lifecycle.NewID(), Event: lifecycle.EventDecisionNeeded, Channel: channel, Status: lifecycle.DeliveryPending,
		},
		recipient: lifecycle.Recipient{ID: lifecycle.NewID(), Name: secret, Address: "walter@example.com", Language: "de"},
		endpoint:  lifecycle.WebhookEndpoint{ID: lifecycle.NewID(), URL: "https://example.com/" + secret, Secret: []byte("secret"), Enabled: true},
		notice:    notice.Samples(lifecycle.EventDecisionNeeded)[0],
		faults:    map[string]error{},
	}
	return p
}

// deliver runs the step; log is what it logged.
func (p *post) deliver(t *testing.T) (result wire.DeliveryResult, counted delivered, log string, err error) {
	t.Helper()
	words, err := notice.New(nil, "en")
	require.NoError(t, err)
	var logged bytes.Buffer
	counted = delivered{}
	a := &Activities{
		Log:        slog.New(slog.NewJSONHandler(&logged, nil)),
		Deliveries: &Deliveries{Store: p, Words: words, Mailer: p, Poster: p, Observer: counted, Outgoing: p.outgoing},
	}
	env := (&testsuite.WorkflowTestSuite{}).NewTestActivityEnvironment()
	env.RegisterActivity(a.Deliver)
	value, err := env.ExecuteActivity(a.Deliver, wire.DeliveryInput{DeliveryID: p.delivery.ID, Channel: p.delivery.Channel})
	if err == nil {
		require.NoError(t, value.Get(&result))
	}
	for _, text := range []string{logged.String(), describeError(err)} {
		require.NotContains(t, text, secret)
		require.NotContains(t, text, "walter")
	}
	return result, counted, logged.String(), err
}

func describeError(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAMailIsMadeAndHandedOver(t *testing.T) {
	t.Parallel()
	p := newPost(lifecycle.ByMail)
	result, counted, _, err := p.deliver(t)
	require.NoError(t, err)
	require.Equal(t, wire.DeliveryResult{Status: lifecycle.DeliveryDelivered}, result)
	require.Equal(t, delivered{"mail delivered": 1}, counted)
	require.Equal(t, []string{"mail"}, p.ways)
	require.Equal(t, []error{nil}, p.ended)
	require.Equal(t, []string{"GetDelivery", "GetRecipient", "LoadNotice", "BeginAttempt", "EndDelivery"}, p.calls,
		"the attempt is noted before anything is said")
	require.Len(t, p.mails, 1)
	m := p.mails[0]
	require.Equal(t, []any{p.delivery.ID, "walter@example.com", "de", p.notice.Occurred}, []any{m.ID, m.Address, m.Language, m.Date})
	require.Contains(t, m.Subject, "Contractors")
	require.NotEmpty(t, m.Text)
	require.NotEmpty(t, m.HTML)
}

func TestAWebhookIsMadeAndHandedOver(t *testing.T) {
	t.Parallel()
	p := newPost(lifecycle.ByWebhook)
	_, counted, _, err := p.deliver(t)
	require.NoError(t, err)
	require.Equal(t, delivered{"webhook delivered": 1}, counted)
	require.Equal(t, []string{"webhook"}, p.ways)
	require.Equal(t, []string{"GetDelivery", "GetWebhook", "LoadNotice", "BeginAttempt", "EndDelivery"}, p.calls)
	require.Equal(t, p.delivery.EventID, p.postings[0].ID, "the same for every attempt, and for a sending again")
	require.Contains(t, string(p.postings[0].Body), "gatehouse.decision_needed.v1")
}

func TestWhatIsOverIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []lifecycle.DeliveryStatus{lifecycle.DeliveryDelivered, lifecycle.DeliveryDead} {
		p := newPost(lifecycle.ByMail)
		p.delivery.Status = status
		result, counted, _, err := p.deliver(t)
		require.NoError(t, err)
		require.Equal(t, status, result.Status)
		require.Empty(t, counted)
		require.Equal(t, []string{"GetDelivery"}, p.calls)
	}
	p := newPost(lifecycle.ByMail)
	p.faults["GetDelivery"] = errGone
	result, _, _, err := p.deliver(t)
	require.NoError(t, err)
	require.Equal(t, wire.DeliveryResult{}, result)
	// Somebody else has ended it between the look and the attempt.
	p = newPost(lifecycle.ByMail)
	p.faults["BeginAttempt"] = errNotNow
	_, counted, _, err := p.deliver(t)
	require.Error(t, err)
	require.Empty(t, p.mails)
	require.Empty(t, counted)
}

func TestWhatAFaultLeadsTo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		channel lifecycle.DeliveryChannel
		change  func(*post)
		fault   lifecycle.DeliveryError
		counted string
		after   time.Duration
	}{
		"passing":   {channel: lifecycle.ByMail, change: func(p *post) { p.sent = &lifecycle.DeliveryError{Code: "smtp_451"} }, fault: lifecycle.DeliveryError{Code: "smtp_451"}, counted: "mail failed"},
		"again":     {channel: lifecycle.ByMail, change: func(p *post) { p.delivery.Attempts, p.sent = 3, &lifecycle.DeliveryError{Code: "smtp_451"} }, fault: lifecycle.DeliveryError{Code: "smtp_451"}, counted: "mail failed", after: 40 * time.Second},
		"for long":  {channel: lifecycle.ByMail, change: func(p *post) { p.delivery.Attempts, p.sent = 90, &lifecycle.DeliveryError{Code: "smtp_451"} }, fault: lifecycle.DeliveryError{Code: "smtp_451"}, counted: "mail failed", after: time.Hour},
		"doubtful":  {channel: lifecycle.ByMail, change: func(p *post) { p.sent = &lifecycle.DeliveryError{Code: lifecycle.FaultTimeout, Doubtful: true} }, fault: lifecycle.DeliveryError{Code: lifecycle.FaultTimeout, Doubtful: true}, counted: "mail doubtful"},
		"for good":  {channel: lifecycle.ByMail, change: func(p *post) { p.sent = &lifecycle.DeliveryError{Code: "smtp_550", Final: true} }, fault: lifecycle.DeliveryError{Code: "smtp_550", Final: true}, counted: "mail dead"},
		"not yet":   {channel: lifecycle.ByWebhook, change: func(p *post) { p.sent = &lifecycle.DeliveryError{Code: "status_503", After: time.Minute} }, fault: lifecycle.DeliveryError{Code: "status_503", After: time.Minute}, counted: "webhook failed", after: time.Minute},
		"nobody":    {channel: lifecycle.ByMail, change: func(p *post) { p.faults["GetRecipient"] = errGone }, fault: lifecycle.DeliveryError{Code: lifecycle.FaultRecipient, Final: true}, counted: "mail dead"},
		"disabled":  {channel: lifecycle.ByWebhook, change: func(p *post) { p.endpoint.Enabled = false }, fault: lifecycle.DeliveryError{Code: lifecycle.FaultDisabled, Final: true}, counted: "webhook dead"},
		"no words":  {channel: lifecycle.ByMail, change: func(p *post) { p.notice.Type = "party" }, fault: lifecycle.DeliveryError{Code: lifecycle.FaultContent}, counted: "mail failed"},
		"no schema": {channel: lifecycle.ByWebhook, change: func(p *post) { p.notice.Type = "party" }, fault: lifecycle.DeliveryError{Code: lifecycle.FaultContent}, counted: "webhook failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPost(c.channel)
			c.change(p)
			result, counted, log, err := p.deliver(t)
			require.Equal(t, []lifecycle.DeliveryError{c.fault}, p.failed)
			require.Equal(t, delivered{c.counted: 1}, counted)
			require.Contains(t, log, `"fault":"`+c.fault.Code+`"`)
			if c.fault.Final {
				require.NoError(t, err, "there is nothing to try again")
				require.Equal(t, wire.DeliveryResult{Status: lifecycle.DeliveryDead, Fault: c.fault.Code}, result)
				return
			}
			var failure *temporal.ApplicationError
			require.ErrorAs(t, err, &failure)
			require.Equal(t, c.fault.Code, failure.Type())
			require.False(t, failure.NonRetryable())
			require.Equal(t, cmp.Or(c.after, 5*time.Second), failure.NextRetryDelay())
		})
	}
}

func TestAnEndpointThatIsBusyIsComeBackTo(t *testing.T) {
	t.Parallel()
	p := newPost(lifecycle.ByWebhook)
	p.sent = &lifecycle.DeliveryError{Code: lifecycle.FaultBusy}
	_, counted, _, err := p.deliver(t)
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	require.GreaterOrEqual(t, failure.NextRetryDelay(), shortestWait)
	require.Empty(t, counted, "it is no attempt")
	require.Empty(t, p.failed)
	for attempt := range int32(40) {
		require.LessOrEqual(t, jitter(attempt), longestWait+shortestWait)
	}
}

func TestAnEndpointThatIsGoneIsDisabled(t *testing.T) {
	t.Parallel()
	p := newPost(lifecycle.ByWebhook)
	p.sent = &lifecycle.DeliveryError{Code: lifecycle.FaultGone, Final: true}
	result, _, _, err := p.deliver(t)
	require.NoError(t, err)
	require.Equal(t, lifecycle.DeliveryDead, result.Status)
	require.Equal(t, []any{false, lifecycle.FaultGone}, []any{p.endpoint.Enabled, p.endpoint.Reason})
}

func TestWhatHasArrivedIsNotedHoweverLongThatTakes(t *testing.T) {
	t.Parallel()
	p := newPost(lifecycle.ByMail)
	tries := 0
	ending := &endingLate{post: p, tries: &tries}
	words, err := notice.New(nil, "en")
	require.NoError(t, err)
	d := &Deliveries{Store: ending, Words: words, Mailer: p, Poster: p}
	require.NoError(t, d.attempt(t.Context(), p.delivery))
	require.Equal(t, 3, tries)
	require.Len(t, p.mails, 1, "it was not sent again for that")
}

// endingLate stores the end of a delivery at the third try.
type endingLate struct {
	*post
	tries *int
}

func (e *endingLate) EndDelivery(context.Context, lifecycle.ID) error {
	if *e.tries++; *e.tries < 3 {
		return errAway
	}
	return nil
}
