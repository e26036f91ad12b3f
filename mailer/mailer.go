// Package mailer hands mails to a mail server. It keeps one connection as long
// as mails come, and tells of every fault whether another attempt is worth it and
// whether the mail may have arrived all the same.
package mailer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"gatehouse/lifecycle"
)

// Security is how a connection is made safe.
type Security string

// The securities.
const (
	// StartTLS begins in clear and does not go on without TLS.
	StartTLS Security = "starttls"
	// ImplicitTLS is TLS from the first byte on.
	ImplicitTLS Security = "tls"
	// Plain is no TLS at all.
	Plain Security = "none"
)

// Options say where the mail server is.
type Options struct {
	// Address is host:port.
	Address  string
	Security Security
	// User and Password log in; an empty User does not.
	User, Password string
	// From is the sender, a mailbox such as "Gatehouse <gatehouse@example.com>".
	From string
	// Timeout bounds the making of a connection, and each mail; 0 is 15 s.
	Timeout time.Duration
	// Idle is how long a connection is kept without a mail; 0 is 30 s.
	Idle time.Duration
	// Roots are the authorities that the server's certificate may be of; nil for the
	// system's.
	Roots *x509.CertPool
}

const (
	defaultTimeout = 15 * time.Second
	defaultIdle    = 30 * time.Second
)

// Sender hands mails over, one after another. It is safe for concurrent use.
type Sender struct {
	options Options
	from    *netmail.Address
	client  *mail.Client

	// turn is held by whoever uses the connection.
	turn chan struct{}
	// conn and raw are the connection, nil where there is none.
	conn *smtp.Client
	raw  net.Conn
	// idle closes the connection that nobody needs.
	idle   *time.Timer
	closed bool
}

// New returns a Sender; it makes no connection yet. The error is one of the options.
func New(o Options) (*Sender, error) {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Idle == 0 {
		o.Idle = defaultIdle
	}
	from, err := netmail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("the sender of mails: %w", err)
	}
	host, text, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, fmt.Errorf("the mail server: %w", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("the mail server: %w", err)
	}
	s := &Sender{options: o, from: from, turn: make(chan struct{}, 1)}
	safe := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: o.Roots}
	settings := []mail.Option{
		mail.WithPort(port), mail.WithTimeout(o.Timeout), mail.WithTLSConfig(safe), mail.WithoutNoop(),
		mail.WithDialContextFunc(s.dial(safe)),
	}
	switch o.Security {
	case StartTLS:
		settings = append(settings, mail.WithTLSPolicy(mail.TLSMandatory))
	case ImplicitTLS:
		settings = append(settings, mail.WithSSL(), mail.WithTLSPolicy(mail.NoTLS))
	case Plain:
		settings = append(settings, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, fmt.Errorf("%q is no security of mail servers", string(o.Security))
	}
	if o.User != "" {
		settings = append(settings, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(o.User), mail.WithPassword(o.Password))
	}
	if s.client, err = mail.NewClient(host, settings...); err != nil {
		return nil, fmt.Errorf("the mail server: %w", err)
	}
	return s, nil
}

// dial keeps hold of the connection below, so that what goes wrong on the way to
// a usable one closes it.
func (s *Sender) dial(safe *tls.Config) mail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		var dialer interface {
			DialContext(ctx context.Context, network, address string) (net.Conn, error)
		} = &net.Dialer{}
		if s.options.Security == ImplicitTLS {
			dialer = &tls.Dialer{Config: safe}
		}
		conn, err := dialer.DialContext(ctx, network, address)
		s.raw = conn
		return conn, err
	}
}

// Send hands a mail over. begin is called once a connection stands and before
// anything of the mail is said; an error of it is returned as it is and the mail
// is not sent. Any other error is a [lifecycle.DeliveryError].
func (s *Sender) Send(ctx context.Context, m lifecycle.Mail, begin func(context.Context) error) error {
	message, err := s.message(m)
	if err != nil {
		return &lifecycle.DeliveryError{Code: lifecycle.FaultAddress, Final: true}
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return &lifecycle.DeliveryError{Code: lifecycle.FaultTimeout}
	}
	defer func() { <-s.turn }()
	if err := s.connect(ctx); err != nil {
		return dialFault(err)
	}
	if err := begin(ctx); err != nil {
		s.rest()
		return err
	}
	// Whatever hangs ends with ctx.
	raw := s.raw
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	err = s.client.SendWithSMTPClient(s.conn, message)
	stop()
	switch {
	case err == nil:
		s.rest()
		return nil
	case message.IsDelivered():
		s.hangUp()
		return nil
	}
	fault := sendFault(err)
	// After a refusal the connection would do, but what is left of it is not worth
	// finding out.
	s.hangUp()
	return fault
}

// connect sees to it that there is a connection; the caller holds the turn.
func (s *Sender) connect(ctx context.Context) error {
	if s.closed {
		return net.ErrClosed
	}
	if s.idle != nil {
		s.idle.Stop()
	}
	if s.conn != nil {
		if s.conn.UpdateDeadline(s.options.Timeout) == nil && s.conn.Noop() == nil {
			return nil
		}
		s.hangUp()
	}
	conn, err := s.client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		if s.raw != nil {
			_ = s.raw.Close()
		}
		s.raw = nil
		return err
	}
	s.conn = conn
	return nil
}

// rest keeps the connection for a while.
func (s *Sender) rest() {
	s.idle = time.AfterFunc(s.options.Idle, func() {
		s.turn <- struct{}{}
		defer func() { <-s.turn }()
		s.hangUp()
	})
}

func (s *Sender) hangUp() {
	if s.idle != nil {
		s.idle.Stop()
		s.idle = nil
	}
	if s.conn == nil {
		return
	}
	// Saying goodbye is a courtesy that nobody waits for.
	_ = s.raw.SetDeadline(time.Now().Add(time.Second))
	_ = s.conn.Quit()
	_ = s.raw.Close()
	s.conn, s.raw = nil, nil
}

// Close ends the connection once the mail under way is handed over. A Send
// afterwards fails.
func (s *Sender) Close() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.closed = true
	s.hangUp()
	return nil
}

// message writes the mail down. Names and subjects can't break out of their
// headers: control characters are taken out, and the rest is encoded.
func (s *Sender) message(m lifecycle.Mail) (*mail.Msg, error) {
	address, err := netmail.ParseAddress(m.Address)
	if err != nil || address.Address != strings.TrimSpace(m.Address) {
		return nil, errors.New("it is no address")
	}
	_, domain, _ := strings.Cut(s.from.Address, "@")
	message := mail.NewMsg(mail.WithNoDefaultUserAgent())
	message.FromMailAddress(s.from)
	message.ToMailAddress(&netmail.Address{Name: clean(m.Name), Address: address.Address})
	message.Subject(clean(m.Subject))
	message.SetMessageIDWithValue(m.ID.String() + "@" + domain)
	message.SetDateWithValue(m.Date)
	for header, value := range map[string]string{
		// Nobody's absence is to be answered to a program.
		"Auto-Submitted":           "auto-generated",
		"X-Auto-Response-Suppress": "All",
		"List-Id":                  "Gatehouse <" + strings.ReplaceAll(string(m.Event), "_", "-") + ".gatehouse." + domain + ">",
		"X-Gatehouse-Event":        string(m.Event),
		"Content-Language":         clean(m.Language),
	} {
		message.SetGenHeader(mail.Header(header), value)
	}
	message.SetBodyString(mail.TypeTextPlain, m.Text)
	message.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	return message, nil
}

func clean(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 {
			return -1
		}
		return c
	}, text)
}

// dialFault tells why no connection came about.
func dialFault(err error) *lifecycle.DeliveryError {
	var (
		network     net.Error
		reply       *textproto.Error
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
	)
	switch {
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert), strings.Contains(err.Error(), "STARTTLS"):
		return &lifecycle.DeliveryError{Code: lifecycle.FaultTLS}
	case errors.As(err, &reply) && (reply.Code == 535 || reply.Code == 530 || reply.Code == 534):
		return &lifecycle.DeliveryError{Code: lifecycle.FaultLogin}
	case errors.As(err, &reply):
		return &lifecycle.DeliveryError{Code: "smtp_" + strconv.Itoa(reply.Code)}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return &lifecycle.DeliveryError{Code: lifecycle.FaultTimeout}
	case strings.Contains(err.Error(), "AUTH"):
		return &lifecycle.DeliveryError{Code: lifecycle.FaultLogin}
	}
	return &lifecycle.DeliveryError{Code: lifecycle.FaultUnreachable}
}

// sendFault tells what came of a mail that was not taken. A refusal for good of
// the recipient or of the content is final; one of the sender is not, since the
// server may be mended. The mail may have arrived only where its end was sent
// and no reply came.
func sendFault(err error) *lifecycle.DeliveryError {
	refused, ok := errors.AsType[*mail.SendError](err)
	if !ok {
		return &lifecycle.DeliveryError{Code: lifecycle.FaultUnreachable}
	}
	code := refused.ErrorCode()
	if code == 0 {
		fault := &lifecycle.DeliveryError{Code: lifecycle.FaultUnreachable, Doubtful: refused.Reason == mail.ErrSMTPDataClose}
		if strings.Contains(err.Error(), "i/o timeout") {
			fault.Code = lifecycle.FaultTimeout
		}
		return fault
	}
	final := code >= 500 && (refused.Reason == mail.ErrSMTPRcptTo || refused.Reason == mail.ErrSMTPDataClose)
	return &lifecycle.DeliveryError{Code: "smtp_" + strconv.Itoa(code), Final: final}
}
