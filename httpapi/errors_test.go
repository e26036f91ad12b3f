package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/httpapi"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

const aRecordPath = "/v3/non-employee-records/2c918085-7d7e-4f0e-8d0c-5a1f3b6c9e01"

func TestEveryKindHasItsStatusAndDetailCode(t *testing.T) {
	t.Parallel()
	want := map[lifecycle.Kind]struct {
		status int
		code   string
	}{
		lifecycle.KindInternal:          {500, "500.0 Internal Fault"},
		lifecycle.KindBadRequest:        {400, "400.1 Bad Request Content"},
		lifecycle.KindRequired:          {400, "400.1.0 Required Data Missing Or Empty"},
		lifecycle.KindIllegalUpdate:     {400, "400.1.1 Illegal update attempt"},
		lifecycle.KindIllegalValue:      {400, "400.1.3 Illegal value"},
		lifecycle.KindLimit:             {400, "400.1.4 Limit violation"},
		lifecycle.KindReferenceNotFound: {400, "400.1.404 Referenced object not found"},
		lifecycle.KindConflict:          {400, "400.1.409 Reference conflict"},
		lifecycle.KindInUse:             {400, "400.2.1.0 Object in use by another"},
		lifecycle.KindUnauthenticated:   {401, ""},
		lifecycle.KindForbidden:         {403, "403 Forbidden"},
		lifecycle.KindNotFound:          {404, "404 Not found"},
		lifecycle.KindTooLarge:          {413, "400.1 Bad Request Content"},
		lifecycle.KindUnsupportedMedia:  {415, "400.1 Bad Request Content"},
		lifecycle.KindUnavailable:       {503, "500.0 Internal Fault"},
	}
	for _, kind := range lifecycle.Kinds() {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			require.Contains(t, want, kind, "the table of this test is complete")
			a := newAPI(t)
			a.service.err = fmt.Errorf("wrapped: %w",
				lifecycle.NewError(kind, "What the caller may know.").WithCause(errors.New("SELECT secrets")))
			// PATCH has every status of the contract.
			w := a.do(t, request("PATCH", aRecordPath, `[]`))
			require.Equal(t, want[kind].status, w.Code)
			require.NotContains(t, w.Body.String(), "SELECT")
			require.NotContains(t, w.Body.String(), "wrapped")
			switch kind {
			case lifecycle.KindUnauthenticated:
				require.JSONEq(t, `{"error":"What the caller may know."}`, w.Body.String())
				return
			case lifecycle.KindInternal:
				require.Contains(t, w.Body.String(), "An internal fault occurred.")
			default:
				require.Contains(t, w.Body.String(), "What the caller may know.")
			}
			require.Contains(t, w.Body.String(), `"detailCode":"`+want[kind].code+`"`)
			require.Contains(t, w.Body.String(), `"trackingId":"`+w.Header().Get("X-Request-Id")+`"`)
			require.Contains(t, w.Body.String(), `"causes":[]`)
			require.Equal(t, kind == lifecycle.KindUnavailable, w.Header().Get("Retry-After") != "")
			// What operators must look into is logged with its cause, the rest is not.
			require.Equal(t, want[kind].status >= 500, strings.Contains(a.log.String(), "SELECT secrets"))
		})
	}
}

func TestAnUnknownErrorIsInternalAndToldToNobody(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.service.err = errors.New("pq: relation does not exist")
	w := a.do(t, request("GET", aRecordPath, ""))
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.Contains(t, w.Body.String(), "An internal fault occurred.")
	require.NotContains(t, w.Body.String(), "relation")
	require.Contains(t, a.log.String(), "pq: relation does not exist")
	require.Contains(t, a.log.String(), w.Header().Get("X-Request-Id"))
}

func TestEveryLineOfACallCarriesItsTrackingIDOnce(t *testing.T) {
	t.Parallel()
	var log *slog.Logger
	a := newAPI(t, func(o *httpapi.Options) { log = o.Log })
	a.service.err = errors.New("the store is broken")
	a.service.onCall = func(ctx context.Context) { log.WarnContext(ctx, "what the service has to say") }
	w := a.do(t, request("GET", aRecordPath, ""))
	lines := strings.Split(strings.TrimSpace(a.log.String()), "\n")
	require.Len(t, lines, 3, "the service's, the fault's and the call's own")
	for _, line := range lines {
		require.Equal(t, 1, strings.Count(line, `"tracking_id":"`+w.Header().Get("X-Request-Id")+`"`), line)
	}
}

// The id of a personal token's client names its person as a rule.
func TestTheLogNamesACallerByOneID(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		actor      policy.Actor
		want, lack string
	}{
		"a person":       {policy.Actor{ClientID: "jane-laptop", IdentityID: person}, `"identity_id":"` + person.String() + `"`, "jane"},
		"an application": {policy.Actor{ClientID: "payroll"}, `"client_id":"payroll"`, "identity_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, func(o *httpapi.Options) {
				o.Authenticate = func(*http.Request) (policy.Actor, error) { return test.actor, nil }
			})
			a.do(t, request("GET", aRecordPath, ""))
			require.Contains(t, a.log.String(), test.want)
			require.NotContains(t, a.log.String(), test.lack)
		})
	}
}

func TestADeadlineIsAPassingFault(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.service.err = fmt.Errorf("store: %w", context.DeadlineExceeded)
	w := a.do(t, request("GET", aRecordPath, ""))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, w.Body.String(), "The service is not available at the moment.")
}

func TestAClientThatLeftIsNoFault(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ctx, cancel := context.WithCancel(t.Context())
	a.service.onCall = func(inner context.Context) {
		cancel()
		<-inner.Done()
		a.service.err = inner.Err()
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, request("GET", aRecordPath, "").WithContext(ctx))
	require.NotContains(t, a.log.String(), "ERROR")
	require.NotContains(t, a.log.String(), "WARN")
	require.Contains(t, a.log.String(), `"status":499`)
}

func TestAPanicIsAnInternalFault(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.service.onCall = func(context.Context) { panic("a bug in the service") }
	w := a.do(t, request("GET", aRecordPath, ""))
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.NotContains(t, w.Body.String(), "bug")
	require.Contains(t, a.log.String(), `"msg":"a handler panicked","route":"/non-employee-records/:id","panic":"string","stack":"goroutine`)
	require.NotContains(t, a.log.String(), "a bug in the service", "it may tell of people")
	require.Contains(t, a.log.String(), w.Header().Get("X-Request-Id"))
	require.Equal(t, []string{"GET /non-employee-records/:id Internal Server Error"}, a.routes)
}

func TestAnAbortedHandlerIsThrownOn(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.service.onCall = func(context.Context) { panic(http.ErrAbortHandler) }
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		a.handler.ServeHTTP(httptest.NewRecorder(), request("GET", aRecordPath, ""))
	})
	require.Len(t, a.routes, 1)
}

func TestAPanicInTheMiddleOfAnAnswerBreaksTheConnection(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(o *httpapi.Options) {
		o.TokenInfo = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half"))
			panic("oops")
		})
	})
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		a.handler.ServeHTTP(httptest.NewRecorder(), request("GET", "/oauth/info", ""))
	})
	require.Contains(t, a.log.String(), "a handler panicked")
}

func TestTheLocaleIsTheRequestsWhereItAskedForEnglish(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"":                           "DEFAULT",
		"en-US":                      "REQUEST",
		"en":                         "REQUEST",
		"en-GB;q=0.4, de":            "REQUEST",
		"de-DE, fr;q=0.5":            "DEFAULT",
		"nonsense nonsense":          "DEFAULT",
		";;;":                        "DEFAULT",
		strings.Repeat("a-", 10_000): "DEFAULT",
	} {
		r := request("GET", "/v3/nothing", "")
		r.Header.Set("Accept-Language", header)
		w := newAPI(t).do(t, r)
		require.Contains(t, w.Body.String(), `"localeOrigin":"`+want+`"`, header)
		require.Contains(t, w.Body.String(), `"locale":"en-US"`)
	}
}

func TestATokenThatCannotBeJudgedIsAPassingFault(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(o *httpapi.Options) {
		o.Authenticate = func(*http.Request) (policy.Actor, error) {
			return policy.Actor{}, lifecycle.NewError(lifecycle.KindUnavailable, "Later.")
		}
	})
	w := a.do(t, request("GET", aRecordPath, ""))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
}

func TestACallerOverItsLimitHasToWait(t *testing.T) {
	t.Parallel()
	a := newAPI(t, func(o *httpapi.Options) {
		o.Limit = func(_ *http.Request, a policy.Actor) time.Duration {
			require.Equal(t, "test", a.ClientID)
			return 1500 * time.Millisecond
		}
	})
	w := a.do(t, request("GET", aRecordPath, ""))
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.JSONEq(t, `{"message":" Rate Limit Exceeded "}`, w.Body.String())
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	require.True(t, a.service.id.IsZero(), "the service was not asked")
}

func TestTheTrackingIDIsNotTheClients(t *testing.T) {
	t.Parallel()
	r := request("GET", aRecordPath, "")
	r.Header.Set("X-Request-Id", "8f14e45fceea167a5a36dedd4bea2543")
	w := newAPI(t).do(t, r)
	require.NotEqual(t, "8f14e45fceea167a5a36dedd4bea2543", w.Header().Get("X-Request-Id"))
}
