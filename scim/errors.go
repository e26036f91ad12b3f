package scim

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"gatehouse/lifecycle"
)

// Values of scimType (RFC 7644 §3.12).
const (
	invalidFilter = "invalidFilter"
	uniqueness    = "uniqueness"
	mutability    = "mutability"
	invalidSyntax = "invalidSyntax"
	invalidPath   = "invalidPath"
	noTarget      = "noTarget"
	invalidValue  = "invalidValue"
)

// fault is a refusal that has no kind in lifecycle. Its detail is for the client
// to read.
type fault struct {
	status   int
	scimType string
	detail   string
}

// Error implements error.
func (f *fault) Error() string { return f.scimType + ": " + f.detail }

func bad(scimType, detail string) error {
	return &fault{http.StatusBadRequest, scimType, detail}
}

var (
	errNoRoute  = &fault{http.StatusNotFound, "", "There is no such resource."}
	errMethod   = &fault{http.StatusMethodNotAllowed, "", "The resource does not have this method."}
	errUnbuilt  = &fault{http.StatusNotImplemented, "", "The service does not offer this; see ServiceProviderConfig."}
	errMatch    = &fault{http.StatusPreconditionFailed, "", "The resource has another version; read it again."}
	errTooMany  = &fault{http.StatusTooManyRequests, "", "Rate limit exceeded."}
	errInternal = &fault{http.StatusInternalServerError, "", "An internal fault occurred."}
)

// answers maps kinds to statuses and scimTypes, as httpapi does for the contract.
var answers = map[lifecycle.Kind]fault{
	lifecycle.KindInternal:          {status: http.StatusInternalServerError},
	lifecycle.KindBadRequest:        {http.StatusBadRequest, invalidSyntax, ""},
	lifecycle.KindRequired:          {http.StatusBadRequest, invalidValue, ""},
	lifecycle.KindIllegalUpdate:     {http.StatusBadRequest, mutability, ""},
	lifecycle.KindIllegalValue:      {http.StatusBadRequest, invalidValue, ""},
	lifecycle.KindLimit:             {http.StatusBadRequest, invalidValue, ""},
	lifecycle.KindReferenceNotFound: {http.StatusBadRequest, invalidValue, ""},
	lifecycle.KindConflict:          {http.StatusConflict, uniqueness, ""},
	lifecycle.KindInUse:             {status: http.StatusConflict},
	lifecycle.KindUnauthenticated:   {status: http.StatusUnauthorized},
	lifecycle.KindForbidden:         {status: http.StatusForbidden},
	lifecycle.KindNotFound:          {status: http.StatusNotFound},
	lifecycle.KindTooLarge:          {status: http.StatusRequestEntityTooLarge},
	lifecycle.KindUnsupportedMedia:  {status: http.StatusUnsupportedMediaType},
	lifecycle.KindUnavailable:       {status: http.StatusServiceUnavailable},
}

// faultOf is what err becomes. What is no refusal is an internal fault, of which
// nothing is told.
func faultOf(err error) fault {
	if f, ok := errors.AsType[*fault](err); ok {
		return *f
	}
	known, ok := errors.AsType[*lifecycle.Error](err)
	if !ok || known.Kind == lifecycle.KindInternal {
		return *errInternal
	}
	f := answers[known.Kind]
	if known.Kind == lifecycle.KindBadRequest && known.Field == "filter" {
		f.scimType = invalidFilter
	}
	f.detail = known.Message
	return f
}

// errorBody is RFC 7644 §3.12.
type errorBody struct {
	Schemas  []string `json:"schemas"`
	Status   string   `json:"status"`
	ScimType string   `json:"scimType,omitempty"`
	Detail   string   `json:"detail"`
}

// retryAfter is what a 503 says: a passing fault of the store is over by then more
// often than not.
const retryAfter = 2 * time.Second

// fail answers an error.
func (s *server) fail(ctx context.Context, w http.ResponseWriter, err error) {
	f := faultOf(err)
	switch f.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", seconds(retryAfter))
		s.log.WarnContext(ctx, "a directory's call could not be served", "error", cause(err))
	case http.StatusInternalServerError:
		s.log.ErrorContext(ctx, "a directory's call could not be served", "error", cause(err))
	}
	writeJSON(w, f.status, errorBody{
		Schemas: []string{messageError}, Status: strconv.Itoa(f.status), ScimType: f.scimType, Detail: f.detail,
	})
}

// cause is the error with what it wraps; neither holds personal data.
func cause(err error) slog.Value {
	if known, ok := errors.AsType[*lifecycle.Error](err); ok && known.Unwrap() != nil {
		return slog.StringValue(known.Error() + ": " + known.Unwrap().Error())
	}
	return slog.StringValue(err.Error())
}

// seconds rounds up: a client that comes back a moment early is refused again.
func seconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}
