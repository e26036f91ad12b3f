package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"gatehouse/devstack"
)

// mails are those that the catcher has for an address, the newest first.
func (s *system) mails(t *testing.T, to, event string) []devstack.CaughtMail {
	t.Helper()
	request, err := http.NewRequestWithContext(patience(t), http.MethodGet,
		s.Mail.URL()+"/messages?"+url.Values{"to": {to}, "event": {event}}.Encode(), nil)
	require.NoError(t, err)
	answer, err := httpClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	var mails []devstack.CaughtMail
	require.NoError(t, json.Unmarshal(body, &mails))
	return mails
}

// TestPeopleAreMailedTo: the requester and the approver of a request are told what
// they need to know, each once.
func TestPeopleAreMailedTo(t *testing.T) {
	source := newSource(t, "approver.one")
	request := ask(t, source)
	requester, approver := "jane.doe@example.com", "approver.one@example.com"
	about := func(to, event string) (about []devstack.CaughtMail) {
		for _, mail := range stack.mails(t, to, event) {
			if strings.Contains(mail.Text, request.id()) {
				about = append(about, mail)
			}
		}
		return about
	}
	eventually(t, "both are told", func() bool {
		return len(about(requester, "request_made")) == 1 && len(about(approver, "decision_needed")) == 1
	})
	mail := about(approver, "decision_needed")[0]
	require.Contains(t, mail.Text, request.text("accountName"))
	require.NotContains(t, mail.Subject, request.text("accountName"))
	require.Contains(t, mail.HTML, "Yours is the last decision.")
	approve(t, "approver.one", request.items()[0]).want(200)
	eventually(t, "the requester is told how it ended", func() bool { return len(about(requester, "request_decided")) == 1 })
	require.Contains(t, about(requester, "request_decided")[0].Subject, "approved")
	require.Len(t, about(requester, "request_made"), 1)
	require.Len(t, about(approver, "decision_needed"), 1)
}

// TestEventsArePostedAndWhatIsDeadIsSentAgain: a receiver that fails gets the event
// again, one that hangs delays nobody else, and what is given up can be sent again.
func TestEventsArePostedAndWhatIsDeadIsSentAgain(t *testing.T) {
	var (
		mutex    sync.Mutex
		verifier *standardwebhooks.Webhook
		posted   = map[string]map[string]any{}
		failures atomic.Int32
		status   atomic.Int32
		release  = make(chan struct{})
	)
	good := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mutex.Lock()
		defer mutex.Unlock()
		if err != nil || verifier == nil || verifier.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if failures.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var event map[string]any
		if json.Unmarshal(body, &event) == nil {
			posted[r.Header.Get("Webhook-Id")] = event
		}
	}))
	t.Cleanup(good.Close)
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
	}))
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(release) })
	gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) }))
	t.Cleanup(gone.Close)
	status.Store(http.StatusGone)

	admin := as(t, "admin")
	endpoint := func(url string) object {
		made := admin.post("/webhooks", object{"url": url, "events": []string{"request_made"}}).want(200).object()
		t.Cleanup(func() { stack.execute(t, `DELETE FROM webhook_endpoints WHERE id = $1`, made.id()) })
		return made
	}
	endpoint(hanging.URL)
	dead := endpoint(gone.URL)
	fine := endpoint(good.URL)
	mutex.Lock()
	made, err := standardwebhooks.NewWebhook(fine.text("secret"))
	verifier = made
	mutex.Unlock()
	require.NoError(t, err)
	require.NotContains(t, admin.get("/webhooks/"+fine.id()).want(200).object(), "secret")

	request := ask(t, newSource(t, "approver.one"))
	find := func() map[string]any {
		mutex.Lock()
		defer mutex.Unlock()
		for id, event := range posted {
			if event["subject"] == request.id() && event["id"] == id {
				return event
			}
		}
		return nil
	}
	eventually(t, "the event is posted", func() bool { return find() != nil })
	require.Equal(t, "gatehouse.request_made.v1", find()["type"])
	require.NotContains(t, fmt.Sprint(find()), marker, "there is nothing about people in it")

	deliveries := func() []object {
		return admin.get("/deliveries?count=true&status=DEAD&webhook=" + dead.id()).want(200).list()
	}
	eventually(t, "what is gone is dead", func() bool { return len(deliveries()) > 0 })
	require.Equal(t, "gone", deliveries()[0].text("fault"))
	disabled := admin.get("/webhooks/" + dead.id()).want(200).object()
	require.Equal(t, []any{false, "gone"}, []any{disabled["enabled"], disabled["reason"]})
	admin.post("/deliveries/"+deliveries()[0].id()+"/resend", nil).wantError(400, "400.1.1 Illegal update attempt", "disabled")
	status.Store(http.StatusNoContent)
	admin.send(http.MethodPut, "/webhooks/"+dead.id(), object{"url": gone.URL, "events": []string{"request_made"}}).want(200)
	id := deliveries()[0].id()
	admin.post("/webhooks/"+dead.id()+"/resend", nil).want(200)
	eventually(t, "it has arrived", func() bool {
		return stack.text(t, `SELECT status FROM deliveries WHERE id = $1`, id) == "DELIVERED"
	})
}

// TestAMailInTheHandsOfAWorkerThatDies: it may have arrived, so it is sent again
// under the same Message-ID, and that is known.
func TestAMailInTheHandsOfAWorkerThatDies(t *testing.T) {
	source := newSource(t, "approver.one")
	release := stack.Mail.Hold()
	t.Cleanup(release)
	request := ask(t, source)
	of := func(event string) (ids []string) {
		for _, mail := range stack.Mail.Mails() {
			if mail.Event == event && strings.Contains(mail.Text, request.id()) {
				ids = append(ids, mail.MessageID)
			}
		}
		return ids
	}
	told := []string{"request_made", "decision_needed"}
	eventually(t, "a mail is on its way", func() bool { return len(of(told[0]))+len(of(told[1])) > 0 })
	stack.killWorker(t)
	release()
	stack.startWorker(t)
	const delivered = `SELECT count(*) FROM deliveries AS d JOIN notifications AS n ON n.id = d.notification_id
		WHERE n.request_id = $1 AND d.channel = 'MAIL' AND d.status = 'DELIVERED' AND d.doubts >= $2`
	eventually(t, "everything is told", func() bool { return stack.count(t, delivered, request.id(), 0) == len(told) })
	doubtful := 0
	for _, event := range told {
		ids := of(event)
		require.NotEmpty(t, ids, event)
		require.Equal(t, slices.Repeat(ids[:1], len(ids)), ids, "one mail has one id, however often it was sent")
		doubtful += len(ids) - 1
	}
	require.GreaterOrEqual(t, doubtful, 1)
	require.Equal(t, doubtful, stack.count(t, delivered, request.id(), 1), "it is known which may have come twice")
}
