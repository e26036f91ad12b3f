package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// redacted stands in a log line for a value that must not be there.
const redacted = "[redacted]"

// NewLogger returns a logger that writes lines of at least this level to w, as
// text where format is "text", else as JSON. Times are in UTC. trackingID
// returns the tracking id of the call that a context belongs to, the one its
// error body would show (contract §3), and nothing for any other: lines logged
// with that context carry it. nil for a program that answers no calls.
//
// The value of an attribute that by its name is a secret or personal data is
// replaced. That is a net under the rule that such things are not logged, not
// the rule: a value in a message or under another name goes through.
func NewLogger(w io.Writer, level slog.Leveler, format string, trackingID func(context.Context) string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: replace}
	var handler slog.Handler = slog.NewJSONHandler(w, options)
	if format == "text" {
		handler = slog.NewTextHandler(w, options)
	}
	if trackingID != nil {
		handler = tracking{handler, trackingID}
	}
	return slog.New(handler)
}

// hidden are names of attributes in lower case without separators.
var hidden = map[string]bool{
	"token": true, "accesstoken": true, "authorization": true, "cookie": true, "setcookie": true,
	"databaseurl": true, "dsn": true, "query": true, "rawquery": true, "body": true,
	"accountname": true, "firstname": true, "lastname": true, "fullname": true, "email": true,
	"phone": true, "comment": true, "alias": true, "username": true,
}

var separators = strings.NewReplacer("_", "", "-", "", ".", "", " ", "")

func replace(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime {
		return slog.Time(a.Key, a.Value.Time().UTC())
	}
	name := separators.Replace(strings.ToLower(a.Key))
	if hidden[name] || strings.Contains(name, "secret") || strings.Contains(name, "password") || strings.Contains(name, "privatekey") {
		return slog.String(a.Key, redacted)
	}
	return a
}

// trackingIDKey and traceIDKey are the names of the tracking id and of the id of the
// trace in log lines.
const (
	trackingIDKey = "tracking_id"
	traceIDKey    = "trace_id"
)

// tracking adds the tracking id to what is logged, and the id of a trace that is
// kept.
type tracking struct {
	slog.Handler
	idOf func(context.Context) string
}

// Handle implements slog.Handler.
func (t tracking) Handle(ctx context.Context, record slog.Record) error {
	if id := t.idOf(ctx); id != "" {
		record.AddAttrs(slog.String(trackingIDKey, id))
	}
	if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
		record.AddAttrs(slog.String(traceIDKey, span.TraceID().String()))
	}
	return t.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (t tracking) WithAttrs(attrs []slog.Attr) slog.Handler {
	return tracking{t.Handler.WithAttrs(attrs), t.idOf}
}

// WithGroup implements slog.Handler.
func (t tracking) WithGroup(name string) slog.Handler {
	return tracking{t.Handler.WithGroup(name), t.idOf}
}
