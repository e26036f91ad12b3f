package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/text/language"

	"gatehouse/lifecycle"
)

// answer is what a kind of error becomes.
type answer struct {
	status     int
	detailCode string
}

// answers is contract §3: the one map from kinds to statuses and detail codes.
// KindUnauthenticated has a body of its own and no detail code.
var answers = map[lifecycle.Kind]answer{
	lifecycle.KindInternal:          {http.StatusInternalServerError, "500.0 Internal Fault"},
	lifecycle.KindBadRequest:        {http.StatusBadRequest, "400.1 Bad Request Content"},
	lifecycle.KindRequired:          {http.StatusBadRequest, "400.1.0 Required Data Missing Or Empty"},
	lifecycle.KindIllegalUpdate:     {http.StatusBadRequest, "400.1.1 Illegal update attempt"},
	lifecycle.KindIllegalValue:      {http.StatusBadRequest, "400.1.3 Illegal value"},
	lifecycle.KindLimit:             {http.StatusBadRequest, "400.1.4 Limit violation"},
	lifecycle.KindReferenceNotFound: {http.StatusBadRequest, "400.1.404 Referenced object not found"},
	lifecycle.KindConflict:          {http.StatusBadRequest, "400.1.409 Reference conflict"},
	lifecycle.KindInUse:             {http.StatusBadRequest, "400.2.1.0 Object in use by another"},
	lifecycle.KindUnauthenticated:   {http.StatusUnauthorized, ""},
	lifecycle.KindForbidden:         {http.StatusForbidden, "403 Forbidden"},
	lifecycle.KindNotFound:          {http.StatusNotFound, "404 Not found"},
	lifecycle.KindTooLarge:          {http.StatusRequestEntityTooLarge, "400.1 Bad Request Content"},
	lifecycle.KindUnsupportedMedia:  {http.StatusUnsupportedMediaType, "400.1 Bad Request Content"},
	lifecycle.KindUnavailable:       {http.StatusServiceUnavailable, "500.0 Internal Fault"},
}

const (
	textInternal    = "An internal fault occurred."
	textUnavailable = "The service is not available at the moment."
	// retryAfter is what Retry-After says with a 503: a passing fault of the
	// database or of Temporal seldom passes sooner.
	retryAfter = 5 * time.Second
)

// plainError is an answer that no lifecycle kind stands for.
type plainError struct {
	answer
	text string
}

func (e *plainError) Error() string { return e.text }

var (
	errNoRoute = lifecycle.NewError(lifecycle.KindNotFound,
		"The server did not find a current representation for the target resource.")
	errMethod = &plainError{
		answer{http.StatusMethodNotAllowed, "400.1 Bad Request Content"},
		"The resource does not have this method.",
	}
)

// judgeError turns an error into its answer and the text that the caller may
// see. Whatever is no lifecycle error is internal, and its text stays here.
func judgeError(err error) (answer, string, string) {
	if plain, ok := errors.AsType[*plainError](err); ok {
		return plain.answer, plain.text, http.StatusText(plain.status)
	}
	kind, text := lifecycle.KindInternal, textInternal
	var known *lifecycle.Error
	switch {
	case errors.As(err, &known):
		kind, text = known.Kind, known.Message
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		kind, text = lifecycle.KindUnavailable, textUnavailable
	}
	a, ok := answers[kind]
	if !ok || kind == lifecycle.KindInternal {
		kind, text = lifecycle.KindInternal, textInternal
		a = answers[kind]
	}
	return a, text, kind.String()
}

// fail answers an error. It must be called before anything was written.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	ctx, c := callOf(r.Context())
	a, text, kind := judgeError(err)
	c.failure = kind
	if a.status >= http.StatusInternalServerError {
		// A client that left cancels what was done for it. That is no fault.
		c.gone = errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled)
		if !c.gone {
			s.logFault(ctx, c, a, err)
		}
	}
	header := w.Header()
	switch a.status {
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", "Bearer")
		s.writeJSON(w, r, a.status, Unauthenticated{Error: text})
		return
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", seconds(retryAfter))
	}
	s.answerError(w, r, a, text)
}

// answerError writes the body that all errors of contract §3 have.
func (s *server) answerError(w http.ResponseWriter, r *http.Request, a answer, text string) {
	_, c := callOf(r.Context())
	s.writeJSON(w, r, a.status, ErrorResponseDto{
		DetailCode: a.detailCode,
		TrackingID: c.trackingID,
		Messages: []ErrorMessageDto{{
			Locale: locale.String(), LocaleOrigin: localeOrigin(r.Header.Get("Accept-Language")), Text: text,
		}},
		Causes: []ErrorMessageDto{},
	})
}

// tooMany answers that the token was used too often (contract §3).
func (s *server) tooMany(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	_, c := callOf(r.Context())
	c.failure = "rate_limited"
	w.Header().Set("Retry-After", seconds(wait))
	s.writeJSON(w, r, http.StatusTooManyRequests, RateLimited{Message: " Rate Limit Exceeded "})
}

// seconds rounds up: a client that comes back a moment early is refused again.
func seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}

func (s *server) logFault(ctx context.Context, c *call, a answer, err error) {
	level := slog.LevelWarn
	if a.status == http.StatusInternalServerError {
		level = slog.LevelError
	}
	s.logError(ctx, c, level, "a request could not be served", err)
}

// logError logs an error with its cause. Neither may hold personal data: store,
// service and workflow client leave it out of their errors.
func (s *server) logError(ctx context.Context, c *call, level slog.Level, message string, err error) {
	attrs := []slog.Attr{
		slog.String("route", c.route), slog.String("error", err.Error()),
	}
	if known, ok := errors.AsType[*lifecycle.Error](err); ok {
		if cause := known.Unwrap(); cause != nil {
			attrs = append(attrs, slog.String("cause", cause.Error()))
		}
	}
	s.log.LogAttrs(ctx, level, message, attrs...)
}

func (s *server) writeJSON(w http.ResponseWriter, r *http.Request, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		s.log.LogAttrs(r.Context(), slog.LevelError, "an answer could not be encoded", slog.String("error", err.Error()))
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if _, c := callOf(r.Context()); c.upload != nil {
		c.upload.answering()
	}
	text = append(text, '\n')
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	// A client that has gone is no concern of ours.
	_, _ = w.Write(text)
}

// locale is the only one that there are texts for.
var (
	locale  = language.AmericanEnglish
	locales = language.NewMatcher([]language.Tag{locale})
)

// localeOrigin says whether an Accept-Language header chose the locale, or
// nothing in it could be met.
func localeOrigin(acceptLanguage string) LocaleOrigin {
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(tags) == 0 {
		return DEFAULT
	}
	if _, _, confidence := locales.Match(tags...); confidence == language.No {
		return DEFAULT
	}
	return REQUEST
}
