package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

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
