package mailer_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/mailer"
)

// server is a mail server whose behaviour a test chooses.
type server struct {
	t        *testing.T
	smtp     *smtp.Server
	address  string
	listener net.Listener

	mutex       sync.Mutex
	connections int
	mails       []received
	// rcpt and data, where set, answer RCPT and the end of DATA.
	rcpt func(to string) error
	data func() error
	// cut breaks the connection when the mail has come, before the reply.
	cut bool
	// conns are the connections as they were accepted.
	conns []net.Conn
}

type received struct {
	from, to string
	raw      []byte
}

func newServer(t *testing.T, options ...func(*server)) *server {
	t.Helper()
	s := &server{t: t}
	s.smtp = smtp.NewServer(s)
	s.smtp.AllowInsecureAuth = true
	for _, option := range options {
		option(s)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.address = listener.Addr().String()
	s.listener = &noting{Listener: listener, server: s}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.smtp.Serve(s.listener) })
	t.Cleanup(func() { _ = s.smtp.Close(); serving.Wait() })
	return s
}

// noting remembers connections.
type noting struct {
	net.Listener
	server *server
}

func (n *noting) Accept() (net.Conn, error) {
	conn, err := n.Listener.Accept()
	if err == nil {
		n.server.mutex.Lock()
		n.server.connections++
		n.server.conns = append(n.server.conns, conn)
		n.server.mutex.Unlock()
	}
	return conn, err
}

func (s *server) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }

func (s *server) got() []received {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.mails
}

func (s *server) count() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.connections
}

// hangUp closes all connections, as a server that restarts.
func (s *server) hangUp() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, conn := range s.conns {
		_ = conn.Close()
	}
}

type session struct {
	server *server
	mail   received
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "gatehouse" || password != "secret" {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error { s.mail.from = from; return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.to = to
	if s.server.rcpt != nil {
		return s.server.rcpt(to)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.server.data != nil {
		if err := s.server.data(); err != nil {
			return err
		}
	}
	s.mail.raw = raw
	s.server.mutex.Lock()
	s.server.mails = append(s.server.mails, s.mail)
	s.server.mutex.Unlock()
	if s.server.cut {
		s.server.hangUp()
	}
	return nil
}

func (*session) Reset()        {}
func (*session) Logout() error { return nil }

func newSender(t *testing.T, s *server, change ...func(*mailer.Options)) *mailer.Sender {
	t.Helper()
	o := mailer.Options{
		Address: s.address, Security: mailer.Plain, From: "Gatehouse <gatehouse@example.com>", Timeout: 5 * time.Second, Idle: time.Minute,
	}
	for _, c := range change {
		c(&o)
	}
	sender, err := mailer.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sender.Close()) })
	return sender
}

func aMail() lifecycle.Mail {
	return lifecycle.Mail{
		ID: lifecycle.NewID(), Name: "Jörg Müller", Address: "jorg@example.org", Subject: "Ihre Entscheidung für „Büro“", Text: "Guten Tag\n\nÄ\n",
		HTML: "<p>Guten Tag</p>\n<p>Ä</p>", Event: lifecycle.EventDecisionNeeded, Language: "de", Date: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC),
	}
}

func ready(context.Context) error { return nil }

func requireFault(t *testing.T, err error, want lifecycle.DeliveryError) {
	t.Helper()
	var fault *lifecycle.DeliveryError
	require.ErrorAs(t, err, &fault)
	require.Equal(t, want, *fault)
}

func TestAMailArrivesWithAllThatItNeeds(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	m := aMail()
	require.NoError(t, newSender(t, s).Send(t.Context(), m, ready))
	got := s.got()
	require.Len(t, got, 1)
	require.Equal(t, []string{"gatehouse@example.com", "jorg@example.org"}, []string{got[0].from, got[0].to})
	message, err := netmail.ReadMessage(bytes.NewReader(got[0].raw))
	require.NoError(t, err)
	for header, want := range map[string]string{
		"Message-Id": "<" + m.ID.String() + "@example.com>", "Auto-Submitted": "auto-generated", "X-Gatehouse-Event": "decision_needed",
		"List-Id": "Gatehouse <decision-needed.gatehouse.example.com>", "Date": "Mon, 04 May 2026 09:00:00 +0000", "Content-Language": "de",
	} {
		require.Equal(t, want, message.Header.Get(header), header)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, m.Subject, subject)
	to, err := message.Header.AddressList("To")
	require.NoError(t, err)
	require.Equal(t, []*netmail.Address{{Name: m.Name, Address: m.Address}}, to)
	kind, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts := multipart.NewReader(message.Body, parameters["boundary"])
	for _, want := range []struct{ kind, text string }{{"text/plain", m.Text}, {"text/html", m.HTML}} {
		part, err := parts.NextRawPart()
		require.NoError(t, err)
		require.Contains(t, part.Header.Get("Content-Type"), want.kind)
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(want.text), strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
	}
}

func TestNoHeaderCanBePutIn(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	sender := newSender(t, s)
	for _, evil := range []string{"a\r\nBcc: evil@example.com", "a\nBcc: evil@example.com\n\nbody", "a\x00\u2028b", "\"<evil@example.com>, x\" <y>"} {
		m := aMail()
		m.Name, m.Subject, m.Language = evil, evil, evil
		require.NoError(t, sender.Send(t.Context(), m, ready))
		got := s.got()
		message, err := netmail.ReadMessage(bytes.NewReader(got[len(got)-1].raw))
		require.NoError(t, err)
		require.Empty(t, message.Header.Get("Bcc"))
		to, err := message.Header.AddressList("To")
		require.NoError(t, err)
		require.Len(t, to, 1)
		require.Equal(t, m.Address, to[0].Address)
	}
	for _, address := range []string{"a@example.com\r\nRCPT TO:<evil@example.com>", "a@example.com, evil@example.com", "Evil <evil@example.com>", "nobody", ""} {
		m := aMail()
		m.Address = address
		requireFault(t, sender.Send(t.Context(), m, ready), lifecycle.DeliveryError{Code: lifecycle.FaultAddress, Final: true})
	}
}

func TestOneConnectionServesManyMails(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	sender := newSender(t, s)
	var sending sync.WaitGroup
	for range 20 {
		sending.Go(func() {
			if err := sender.Send(t.Context(), aMail(), ready); err != nil {
				t.Error(err)
			}
		})
	}
	sending.Wait()
	require.Len(t, s.got(), 20)
	require.Equal(t, 1, s.count())

	// The server has hung up; the next mail finds it out and goes by another.
	s.hangUp()
	require.NoError(t, sender.Send(t.Context(), aMail(), ready))
	require.Len(t, s.got(), 21)
	require.Equal(t, 2, s.count())
}

func TestAnIdleConnectionIsClosed(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	sender := newSender(t, s, func(o *mailer.Options) { o.Idle = time.Millisecond })
	require.Eventually(t, func() bool {
		require.NoError(t, sender.Send(t.Context(), aMail(), ready))
		return s.count() > 1
	}, 10*time.Second, 20*time.Millisecond)
}

func TestWhatAServerRefuses(t *testing.T) {
	t.Parallel()
	refusal := func(code int) error { return &smtp.SMTPError{Code: code, Message: "no jorg@example.org here"} }
	for name, c := range map[string]struct {
		rcpt, data int
		want       lifecycle.DeliveryError
	}{
		"the recipient for good": {rcpt: 550, want: lifecycle.DeliveryError{Code: "smtp_550", Final: true}},
		"the recipient for now":  {rcpt: 451, want: lifecycle.DeliveryError{Code: "smtp_451"}},
		"the content for good":   {data: 554, want: lifecycle.DeliveryError{Code: "smtp_554", Final: true}},
		"the content for now":    {data: 452, want: lifecycle.DeliveryError{Code: "smtp_452"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			if c.rcpt != 0 {
				s.rcpt = func(string) error { return refusal(c.rcpt) }
			}
			if c.data != 0 {
				s.data = func() error { return refusal(c.data) }
			}
			sender := newSender(t, s)
			err := sender.Send(t.Context(), aMail(), ready)
			requireFault(t, err, c.want)
			require.NotContains(t, err.Error(), "jorg")
			s.rcpt, s.data = nil, nil
			require.NoError(t, sender.Send(t.Context(), aMail(), ready), "the next mail goes")
		})
	}
}

func TestAMailWhoseReplyGotLostIsDoubtful(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.cut = true
	sender := newSender(t, s)
	requireFault(t, sender.Send(t.Context(), aMail(), ready), lifecycle.DeliveryError{Code: lifecycle.FaultUnreachable, Doubtful: true})
	require.Len(t, s.got(), 1, "it has arrived")
}

func TestAServerThatHangsHoldsNobodyForLong(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	release := make(chan struct{})
	defer close(release)
	s.data = func() error { <-release; return nil }
	sender := newSender(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	requireFault(t, sender.Send(ctx, aMail(), ready), lifecycle.DeliveryError{Code: lifecycle.FaultTimeout, Doubtful: true})
	// It listens and says nothing.
	mute, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, mute.Close()) }()
	toMute := newSender(t, &server{address: mute.Addr().String()}, func(o *mailer.Options) { o.Timeout = 200 * time.Millisecond })
	requireFault(t, toMute.Send(t.Context(), aMail(), ready), lifecycle.DeliveryError{Code: lifecycle.FaultTimeout})
}

func TestAServerThatIsAway(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	sender := newSender(t, &server{address: listener.Addr().String()})
	began := false
	err = sender.Send(t.Context(), aMail(), func(context.Context) error { began = true; return nil })
	requireFault(t, err, lifecycle.DeliveryError{Code: lifecycle.FaultUnreachable})
	require.False(t, began, "nothing can have arrived")
}

func TestAMailThatMayNotBeginIsNotSent(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	sender := newSender(t, s)
	refused := errors.New("somebody else has sent it")
	require.Equal(t, refused, sender.Send(t.Context(), aMail(), func(context.Context) error { return refused }))
	require.Empty(t, s.got())
	require.NoError(t, sender.Send(t.Context(), aMail(), ready))
	require.Equal(t, 1, s.count())
}

func TestLoggingIn(t *testing.T) {
	t.Parallel()
	certificate, roots := selfSigned(t)
	s := newServer(t, func(s *server) {
		s.smtp.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	})
	login := func(password string) func(*mailer.Options) {
		return func(o *mailer.Options) {
			o.Security, o.Roots, o.User, o.Password = mailer.StartTLS, roots, "gatehouse", password
		}
	}
	require.NoError(t, newSender(t, s, login("secret")).Send(t.Context(), aMail(), ready))
	requireFault(t, newSender(t, s, login("wrong")).Send(t.Context(), aMail(), ready), lifecycle.DeliveryError{Code: lifecycle.FaultLogin})
	unknown := newSender(t, s, login("secret"), func(o *mailer.Options) { o.Roots = x509.NewCertPool() })
	requireFault(t, unknown.Send(t.Context(), aMail(), ready), lifecycle.DeliveryError{Code: lifecycle.FaultTLS})
	// Without STARTTLS nothing is sent in clear.
	bare := newServer(t)
	requireFault(t, newSender(t, bare, login("secret")).Send(t.Context(), aMail(), ready), lifecycle.DeliveryError{Code: lifecycle.FaultTLS})
	require.Empty(t, bare.got())
}

func TestTLSFromTheFirstByte(t *testing.T) {
	t.Parallel()
	certificate, roots := selfSigned(t)
	s := newServer(t)
	secured, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.smtp.Serve(secured) })
	t.Cleanup(func() { _ = s.smtp.Close(); serving.Wait() })
	s.address = secured.Addr().String()
	safe := newSender(t, s, func(o *mailer.Options) { o.Security, o.Roots = mailer.ImplicitTLS, roots })
	require.NoError(t, safe.Send(t.Context(), aMail(), ready))
	require.Len(t, s.got(), 1)
}

func TestBadOptionsAreRefused(t *testing.T) {
	t.Parallel()
	good := mailer.Options{Address: "mail.example.com:587", Security: mailer.StartTLS, From: "gatehouse@example.com"}
	for _, spoil := range []func(*mailer.Options){
		func(o *mailer.Options) { o.Address = "mail.example.com" },
		func(o *mailer.Options) { o.Address = "mail.example.com:smtp" },
		func(o *mailer.Options) { o.From = "nobody" },
		func(o *mailer.Options) { o.Security = "some" },
	} {
		bad := good
		spoil(&bad)
		_, err := mailer.New(bad)
		require.Error(t, err)
	}
	_, err := mailer.New(good)
	require.NoError(t, err)
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(raw)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, roots
}
