package devstack

import (
	"encoding/json"
	"io"
	"net/http"
	"net/smtp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheCatcherShowsWhatItGot(t *testing.T) {
	t.Parallel()
	m, err := StartMail(t.Context(), 0, 0)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Stop(t.Context())) })
	body := strings.ReplaceAll(`From: gatehouse@localhost
To: jane.doe@example.com
Subject: =?utf-8?q?B=C3=BCro?=
Message-ID: <1@localhost>
X-Gatehouse-Event: reminder
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=x

--x
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

B=C3=BCro <b>
--x
Content-Type: text/html; charset=utf-8

<p>Hello <script>alert(1)</script></p>
--x--
`, "\n", "\r\n")
	for _, to := range []string{"jane.doe@example.com", "john.roe@example.com"} {
		require.NoError(t, smtp.SendMail(m.Address(), nil, "gatehouse@localhost", []string{to}, []byte(body)))
	}
	get := func(path string) string {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.URL()+path, nil)
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return string(text)
	}
	var found []CaughtMail
	require.NoError(t, json.Unmarshal([]byte(get("/messages?to=jane.doe@example.com&event=reminder")), &found))
	require.Len(t, found, 1)
	mail := found[0]
	require.Equal(t, []string{"Büro", "Büro <b>", "<1@localhost>", "reminder"}, []string{mail.Subject, strings.TrimSpace(mail.Text), mail.MessageID, mail.Event})
	require.Contains(t, mail.HTML, "<p>Hello")
	require.JSONEq(t, "[]", get("/messages?to=nobody@example.com"))
	list := get("/")
	require.Contains(t, list, `<a href="/messages/1">Büro</a>`)
	require.Contains(t, list, `<a href="/messages/2">Büro</a>`)
	page := get("/messages/1")
	require.Contains(t, page, "Büro &lt;b&gt;")
	require.NotContains(t, page, "<script>", "what a mail holds does nothing in the page")
	require.Contains(t, get("/messages/1/raw"), "boundary=x")
	require.Contains(t, get("/messages/3"), "not found")
}

func TestTheCatcherKeepsTheLastMails(t *testing.T) {
	t.Parallel()
	m := &Mail{}
	for range keepMails + 10 {
		m.keep(CaughtMail{})
	}
	mails := m.Mails()
	require.Len(t, mails, keepMails)
	require.Equal(t, keepMails+10, mails[0].Number)
	require.Equal(t, 11, mails[keepMails-1].Number)
}
