package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

type noService struct{ Service }

func options() Options {
	return Options{
		Service:      noService{},
		Authenticate: func(*http.Request) (policy.Actor, error) { return policy.Actor{}, nil },
		Token:        http.NotFoundHandler(), TokenInfo: http.NotFoundHandler(), JWKS: http.NotFoundHandler(),
		SCIM:   http.NotFoundHandler(),
		Health: http.NotFoundHandler(), Readiness: http.NotFoundHandler(),
		Attempted:    func(context.Context, lifecycle.AuditChange) error { return nil },
		MaxBodyBytes: 1, MaxUploadBytes: 1, UploadPatience: 1, Log: slog.New(slog.DiscardHandler),
	}
}

func TestTheRouterHasWhatTheDocumentHas(t *testing.T) {
	t.Parallel()
	s := newServer(options())
	doc, err := openapi3.NewLoader().LoadFromData(Document)
	require.NoError(t, err)

	var documented, routed []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			documented = append(documented, method+" "+regexp.MustCompile(`\{([^}]+)\}`).ReplaceAllString(path, ":$1"))
		}
	}
	for _, route := range append(s.contract.Routes(), s.service.Routes()...) {
		// The page's own files are no operations, and SCIM describes itself.
		if route.Path != "/docs/*asset" && route.Path != "/scim/v2/*resource" {
			routed = append(routed, route.Method+" "+route.Path)
		}
	}
	require.ElementsMatch(t, documented, routed)
	for route := range uploadFields {
		require.Contains(t, routed, "POST "+route)
	}
}

func TestAnOptionThatIsMissingStopsTheStart(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Options){
		"Service":        func(o *Options) { o.Service = nil },
		"Authenticate":   func(o *Options) { o.Authenticate = nil },
		"Attempted":      func(o *Options) { o.Attempted = nil },
		"SCIM":           func(o *Options) { o.SCIM = nil },
		"JWKS":           func(o *Options) { o.JWKS = nil },
		"MaxBodyBytes":   func(o *Options) { o.MaxBodyBytes = 0 },
		"MaxUploadBytes": func(o *Options) { o.MaxUploadBytes = 0 },
		"MinUploadRate":  func(o *Options) { o.MinUploadRate = -1 },
		"UploadPatience": func(o *Options) { o.UploadPatience = 0 },
		"Log":            func(o *Options) { o.Log = nil },
		"Readiness":      func(o *Options) { o.Readiness = nil },
	} {
		opts := options()
		spoil(&opts)
		_, err := New(opts)
		require.ErrorContains(t, err, name)
	}
}

func TestTheDocumentationNeedsNothingFromOutside(t *testing.T) {
	t.Parallel()
	s := newServer(options())
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, http.StatusOK, w.Code, path)
		return w
	}
	require.Equal(t, Document, get("/openapi.yaml").Body.Bytes())
	page := get("/docs")
	policy := page.Header().Get("Content-Security-Policy")
	require.True(t, strings.HasPrefix(policy, "default-src 'none'; "), policy)
	// The page's own scripts run, and they alone.
	_, scripts, _ := strings.Cut(policy, "script-src ")
	scripts, _, _ = strings.Cut(scripts, ";")
	want := []string{"'self'"}
	for _, script := range regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(page.Body.String(), -1) {
		digest := sha256.Sum256([]byte(script[1]))
		want = append(want, "'sha256-"+base64.StdEncoding.EncodeToString(digest[:])+"'")
	}
	require.Len(t, want, 3)
	require.Equal(t, want, strings.Fields(scripts))
	require.Equal(t, policy, get("/docs/swagger-ui.css").Header().Get("Content-Security-Policy"))
	// Every address on the page is one of ours.
	addresses := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	require.NotEmpty(t, addresses)
	for _, address := range addresses {
		require.True(t, strings.HasPrefix(address[1], "/docs/"), address[1])
		require.NotZero(t, get(address[1]).Body.Len(), address[1])
	}
}

func TestALineOfTheLogHoldsNothingPersonal(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	opts := options()
	opts.Log = slog.New(slog.NewJSONHandler(&log, nil))
	s := newServer(opts)
	r := httptest.NewRequest(http.MethodPost, "/oauth/token?client_secret=hidden", strings.NewReader("client_secret=hidden"))
	r.RemoteAddr = "192.0.2.7:1234"
	s.ServeHTTP(httptest.NewRecorder(), r)
	r = httptest.NewRequest("SMUGGLE", "/v3/jane.doe", nil)
	s.ServeHTTP(httptest.NewRecorder(), r)
	for _, secret := range []string{"hidden", "192.0.2.7", "jane.doe", "SMUGGLE"} {
		require.NotContains(t, log.String(), secret)
	}
	require.Contains(t, log.String(), `"route":"/oauth/token"`)
	require.Contains(t, log.String(), `"method":"OTHER","route":"unmatched"`)
}
