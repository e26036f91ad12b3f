package devstack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	netmail "net/mail"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Bounds of the mail catcher: it keeps the last mails, in memory.
const (
	keepMails    = 1000
	longestMail  = 16 << 20
	mailDeadline = 30 * time.Second
)

// Mail is a mail server that delivers nothing and shows what it got: a page for
// people at its URL, and for programs
//
//	GET /messages?to=ADDRESS&event=EVENT  the mails as JSON, the newest first
//	GET /messages/NUMBER                  one of them as a page
//	GET /messages/NUMBER/raw              as it came
type Mail struct {
	server  *smtp.Server
	pages   *http.Server
	address string
	url     string
	serving sync.WaitGroup

	mutex sync.Mutex
	// last is the number of the newest mail, counted from 1.
	last  int
	mails []CaughtMail
	// held is not nil while mails are taken and not answered.
	held chan struct{}
}

// CaughtMail is a mail as the catcher shows it.
type CaughtMail struct {
	Number    int       `json:"number"`
	MessageID string    `json:"messageId"`
	Event     string    `json:"event"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Subject   string    `json:"subject"`
	Received  time.Time `json:"received"`
	Text      string    `json:"text"`
	HTML      string    `json:"html"`

	raw []byte
}

// StartMail starts a catcher on these ports of loopback; 0 stands for a free one.
func StartMail(ctx context.Context, port, pagePort int) (*Mail, error) {
	m := &Mail{}
	listener, err := listenLoopback(ctx, port)
	if err != nil {
		return nil, fmt.Errorf("the mail catcher: %w", err)
	}
	pages, err := listenLoopback(ctx, pagePort)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the page of the mail catcher: %w", err), listener.Close())
	}
	m.address, m.url = listener.Addr().String(), "http://"+pages.Addr().String()
	m.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &catching{mail: m}, nil }))
	m.server.Domain, m.server.MaxMessageBytes = "localhost", longestMail
	m.server.ReadTimeout, m.server.WriteTimeout = mailDeadline, mailDeadline
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", m.list)
	mux.HandleFunc("GET /messages", m.messages)
	mux.HandleFunc("GET /messages/{number}", m.message)
	mux.HandleFunc("GET /messages/{number}/raw", m.original)
	m.pages = &http.Server{Handler: mux, ReadHeaderTimeout: mailDeadline}
	m.serving.Go(func() { _ = m.server.Serve(listener) })
	m.serving.Go(func() { _ = m.pages.Serve(pages) })
	return m, nil
}

func listenLoopback(ctx context.Context, port int) (net.Listener, error) {
	if port == 0 {
		var err error
		if port, err = FreePort(); err != nil {
			return nil, err
		}
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", hostPort(port))
}

// Address is host:port of the mail server.
func (m *Mail) Address() string { return m.address }

// URL is the page's, without a slash at the end.
func (m *Mail) URL() string { return m.url }

// Stop stops both servers.
func (m *Mail) Stop(context.Context) error {
	err := errors.Join(m.server.Close(), m.pages.Close())
	m.serving.Wait()
	return err
}

// Mails are those that were caught, the newest first.
func (m *Mail) Mails() []CaughtMail {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	mails := slices.Clone(m.mails)
	slices.Reverse(mails)
	return mails
}

// catching is one connection of a client.
type catching struct {
	mail     *Mail
	from, to string
}

// Mail implements smtp.Session.
func (c *catching) Mail(from string, _ *smtp.MailOptions) error { c.from, c.to = from, ""; return nil }

// Rcpt implements smtp.Session.
func (c *catching) Rcpt(to string, _ *smtp.RcptOptions) error {
	if c.to != "" {
		to = c.to + ", " + to
	}
	c.to = to
	return nil
}

// Data implements smtp.Session.
func (c *catching) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	caught := readMail(raw)
	caught.From, caught.To, caught.Received = c.from, c.to, time.Now().UTC()
	if held := c.mail.keep(caught); held != nil {
		<-held
	}
	return nil
}

// Reset implements smtp.Session.
func (c *catching) Reset() { c.from, c.to = "", "" }

// Logout implements smtp.Session.
func (*catching) Logout() error { return nil }

// Hold has mails taken and their senders left without an answer until release is
// called, as by a server that hangs. It is for tests.
func (m *Mail) Hold() (release func()) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	held := make(chan struct{})
	m.held = held
	return sync.OnceFunc(func() {
		m.mutex.Lock()
		defer m.mutex.Unlock()
		m.held = nil
		close(held)
	})
}

// keep keeps the mail, and returns what its answer has to wait for; nil for nothing.
func (m *Mail) keep(mail CaughtMail) (held chan struct{}) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.last++
	mail.Number = m.last
	m.mails = append(m.mails, mail)
	if len(m.mails) > keepMails {
		m.mails = slices.Delete(m.mails, 0, len(m.mails)-keepMails)
	}
	return m.held
}

// readMail reads what can be read of a mail.
func readMail(raw []byte) CaughtMail {
	mail := CaughtMail{raw: raw}
	message, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return mail
	}
	mail.MessageID, mail.Event = message.Header.Get("Message-Id"), message.Header.Get("X-Gatehouse-Event")
	if mail.Subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		mail.Subject = message.Header.Get("Subject")
	}
	kind, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		text, _ := io.ReadAll(message.Body)
		mail.Text = string(text)
		return mail
	}
	parts := multipart.NewReader(message.Body, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return mail
		}
		var content io.Reader = part
		if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
			content = quotedprintable.NewReader(part)
		}
		text, _ := io.ReadAll(content)
		body := strings.ReplaceAll(string(text), "\r\n", "\n")
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			mail.HTML = body
		} else {
			mail.Text = body
		}
	}
}

var mailPages = template.Must(template.New("list").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>Mails</title>
<style>body{font-family:sans-serif;margin:2em}td,th{text-align:left;padding:.2em 1em .2em 0;border-bottom:1px solid #ddd}</style></head>
<body><h1>Mails</h1><p>Caught by the development stack, the newest first; nothing is delivered to anybody.</p>
<table><tr><th>Received</th><th>To</th><th>Event</th><th>Subject</th></tr>
{{range .}}<tr><td>{{.Received.Format "15:04:05"}}</td><td>{{.To}}</td><td>{{.Event}}</td><td><a href="/messages/{{.Number}}">{{.Subject}}</a></td></tr>
{{else}}<tr><td colspan="4">There is none yet.</td></tr>{{end}}</table></body></html>
{{define "mail"}}<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Subject}}</title>
<style>body{font-family:sans-serif;margin:2em}pre{background:#f4f4f4;padding:1em;white-space:pre-wrap}iframe{width:100%;height:40em;border:1px solid #ddd}</style></head>
<body><p><a href="/">All mails</a> · <a href="/messages/{{.Number}}/raw">as it came</a></p><h1>{{.Subject}}</h1>
<p>From {{.From}} to {{.To}}, {{.Received.Format "2006-01-02 15:04:05"}} UTC</p>
<iframe sandbox srcdoc="{{.HTML}}"></iframe><h2>As text</h2><pre>{{.Text}}</pre></body></html>{{end}}`))

func (m *Mail) list(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = mailPages.Execute(w, m.Mails())
}

func (m *Mail) messages(w http.ResponseWriter, r *http.Request) {
	to, event := r.URL.Query().Get("to"), r.URL.Query().Get("event")
	mails := slices.DeleteFunc(m.Mails(), func(mail CaughtMail) bool {
		return to != "" && !strings.EqualFold(mail.To, to) || event != "" && mail.Event != event
	})
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(append([]CaughtMail{}, mails...))
}

func (m *Mail) find(w http.ResponseWriter, r *http.Request) (CaughtMail, bool) {
	number, _ := strconv.Atoi(r.PathValue("number"))
	for _, mail := range m.Mails() {
		if mail.Number == number {
			return mail, true
		}
	}
	http.NotFound(w, r)
	return CaughtMail{}, false
}

func (m *Mail) message(w http.ResponseWriter, r *http.Request) {
	if mail, ok := m.find(w, r); ok {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = mailPages.ExecuteTemplate(w, "mail", mail)
	}
}

func (m *Mail) original(w http.ResponseWriter, r *http.Request) {
	if mail, ok := m.find(w, r); ok {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(mail.raw)
	}
}
