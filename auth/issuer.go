package auth

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/crypto/bcrypt"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// Where the handlers of this package belong.
const (
	TokenPath = "/oauth/token" //nolint:gosec // a path, no credential
	InfoPath  = "/oauth/info"
	JWKSPath  = "/oauth/jwks"
)

// Clients looks clients up.
type Clients interface {
	// GetClient returns the client and its identity, active or not; the
	// Identity is zero for an application client. An unknown client is
	// KindNotFound.
	GetClient(ctx context.Context, clientID string) (lifecycle.Client, lifecycle.Identity, error)
	// NoteClientUse keeps when the client was used, unless that is known to
	// lifecycle.ClientUseGrain already.
	NoteClientUse(ctx context.Context, clientID string, at time.Time) error
}

// Issuer answers POST /oauth/token (contract §6). Safe for concurrent use.
type Issuer struct {
	ring     *KeyRing
	clients  Clients
	settings Settings
	log      *slog.Logger
	now      func() time.Time
	compare  func(hash, secret []byte) error
	refused  func(ctx context.Context, clientID string)
	// places bounds how many secrets are compared at once, since bcrypt takes
	// a processor for long, and everybody may ask.
	places chan struct{}
}

// NewIssuer returns an Issuer that signs with ring's key. refused is told of every
// request with a wrong client or secret: the client, empty where there is none, so
// that a secret in the place of an id goes no further.
func NewIssuer(ring *KeyRing, clients Clients, settings Settings, refused func(ctx context.Context, clientID string), log *slog.Logger) *Issuer {
	return &Issuer{
		refused: refused, ring: ring, clients: clients, settings: settings, log: log, now: time.Now,
		compare: bcrypt.CompareHashAndPassword,
		places:  make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
}

// tokenAnswer is the answer to a good token request.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	// ExpiresIn is in seconds.
	ExpiresIn  int64  `json:"expires_in"`
	Scope      string `json:"scope"`
	TenantID   string `json:"tenant_id"`
	Org        string `json:"org"`
	IdentityID string `json:"identity_id,omitempty"`
	UserName   string `json:"user_name,omitempty"`
	JTI        string `json:"jti"`
}

// tokenError is a refusal as RFC 6749 §5.2 has it.
type tokenError struct {
	status int
	// basic asks for the challenge that answers HTTP Basic.
	basic       bool
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

func invalidRequest(description string) *tokenError {
	return &tokenError{status: http.StatusBadRequest, Code: "invalid_request", Description: description}
}

// invalidClient is the same for every reason, so that client ids can't be probed.
func invalidClient(basic bool) *tokenError {
	return &tokenError{
		status: http.StatusUnauthorized, basic: basic,
		Code: "invalid_client", Description: "The client is unknown or its secret is wrong.",
	}
}

var errBusy = &tokenError{
	status: http.StatusServiceUnavailable, Code: "temporarily_unavailable",
	Description: "The service can't answer at the moment.",
}

// ServeHTTP answers a token request. The secret may stand in the query string,
// so whoever logs requests must leave that out.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	answer, fault := i.answer(w, r)
	if fault == nil {
		writeJSON(w, http.StatusOK, answer)
		return
	}
	switch {
	case fault.basic:
		w.Header().Set("WWW-Authenticate", `Basic realm="gatehouse", charset="UTF-8"`)
	case fault.status == http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case fault.status == http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
	writeJSON(w, fault.status, fault)
}

func (i *Issuer) answer(w http.ResponseWriter, r *http.Request) (*tokenAnswer, *tokenError) {
	if r.Method != http.MethodPost {
		return nil, &tokenError{status: http.StatusMethodNotAllowed, Code: "invalid_request", Description: "Tokens are asked for by POST."}
	}
	request, fault := readTokenRequest(w, r)
	switch {
	case fault != nil:
		return nil, fault
	case request.grantType == "":
		return nil, invalidRequest("The parameter grant_type is missing.")
	case request.grantType != "client_credentials":
		return nil, &tokenError{
			status: http.StatusBadRequest, Code: "unsupported_grant_type",
			Description: "The only grant_type is client_credentials.",
		}
	}
	client, identity, fault := i.authenticate(r.Context(), request)
	if fault != nil {
		return nil, fault
	}
	scopes, ok := narrow(client.Scopes, request.scope)
	if !ok {
		return nil, &tokenError{
			status: http.StatusBadRequest, Code: "invalid_scope",
			Description: "The scope goes beyond what the client was given.",
		}
	}
	answer, err := i.issue(client, identity, scopes)
	if err != nil {
		i.log.ErrorContext(r.Context(), "a token could not be signed", "error", err)
		return nil, errBusy
	}
	noteUse(r.Context(), i.clients, client, i.now(), i.log)
	return answer, nil
}

// authenticate returns the client that the credentials belong to. Whatever is
// wrong with them, the refusal costs one bcrypt computation.
func (i *Issuer) authenticate(ctx context.Context, request tokenRequest) (lifecycle.Client, lifecycle.Identity, *tokenError) {
	if request.clientID == "" || request.clientSecret == "" {
		fault := invalidClient(request.basic)
		fault.Description = "client_id and client_secret are needed."
		return lifecycle.Client{}, lifecycle.Identity{}, fault
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	var client lifecycle.Client
	var identity lifecycle.Identity
	if lifecycle.IsClientID(request.clientID) {
		var err error
		client, identity, err = i.clients.GetClient(ctx, request.clientID)
		if err != nil && lifecycle.KindOf(err) != lifecycle.KindNotFound {
			i.log.ErrorContext(ctx, "a client could not be looked up", "error", err)
			return lifecycle.Client{}, lifecycle.Identity{}, errBusy
		}
		if err != nil {
			client = lifecycle.Client{}
		}
	}
	select {
	case i.places <- struct{}{}:
	case <-ctx.Done():
		return lifecycle.Client{}, lifecycle.Identity{}, errBusy
	}
	matched := matches(client.SecretHash, request.clientSecret, i.compare)
	<-i.places
	if !matched || !usable(client, identity) {
		i.refused(ctx, client.ID)
		return lifecycle.Client{}, lifecycle.Identity{}, invalidClient(request.basic)
	}
	return client, identity, nil
}

// usable reports whether the client may act: it is active, and so is the
// identity that it acts for.
func usable(client lifecycle.Client, identity lifecycle.Identity) bool {
	if !client.Active {
		return false
	}
	return client.IdentityID.IsZero() || identity.ID == client.IdentityID && identity.Active
}

// narrow returns the scopes asked for, all that were granted if asked is empty;
// ok is false where asked goes beyond.
func narrow(granted []string, asked string) (scopes []string, ok bool) {
	fields := strings.Fields(asked)
	if len(fields) == 0 {
		return granted, true
	}
	for _, scope := range fields {
		if !policy.HoldsScope(granted, scope) {
			return nil, false
		}
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes, true
}

func (i *Issuer) issue(client lifecycle.Client, identity lifecycle.Identity, scopes []string) (*tokenAnswer, error) {
	now := i.now().Truncate(time.Second)
	// A clock that is behind the one by which the client was made must not have
	// its tokens taken for those of a client before it.
	issued := now
	if made := client.Created.Truncate(time.Second); issued.Before(made) {
		issued = made
	}
	said := claims{
		TenantID: i.settings.tenantID(), Org: i.settings.Tenant,
		ClientID: client.ID, Scope: append([]string{}, scopes...), // [] rather than null
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: i.settings.Issuer, Audience: jwt.ClaimStrings{i.settings.Issuer}, Subject: client.ID,
			IssuedAt: jwt.NewNumericDate(issued), NotBefore: jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(i.settings.Lifetime)), ID: lifecycle.NewID().String(),
		},
	}
	if !client.IdentityID.IsZero() {
		said.IdentityID, said.UserName, said.Authorities = identity.ID.String(), identity.Alias, identity.Levels
		said.Subject = said.IdentityID
	}
	key, name := i.ring.signingKey()
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, said)
	token.Header["kid"] = name
	signed, err := token.SignedString(key)
	if err != nil {
		return nil, err
	}
	return &tokenAnswer{
		AccessToken: signed, TokenType: "bearer",
		ExpiresIn: int64(i.settings.Lifetime / time.Second), Scope: strings.Join(scopes, " "),
		TenantID: said.TenantID, Org: said.Org, IdentityID: said.IdentityID, UserName: said.UserName, JTI: said.ID,
	}, nil
}

// InfoHandler answers GET /oauth/info: the tenant and where its endpoints are
// (contract §6). It needs no token.
func InfoHandler(settings Settings) http.Handler {
	info := struct {
		TenantID string `json:"tenantId"`
		Tenant   string `json:"tenantName"`
		Org      string `json:"org"`
		Issuer   string `json:"issuer"`
		API      string `json:"apiEndpoint"`
		Token    string `json:"tokenEndpoint"`
		JWKS     string `json:"jwksEndpoint"`
	}{
		settings.tenantID(), settings.Tenant, settings.Tenant, settings.Issuer,
		settings.Issuer, settings.Issuer + TokenPath, settings.Issuer + JWKSPath,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if onlyGet(w, r) {
			writeJSON(w, http.StatusOK, info)
		}
	})
}

// onlyGet refuses other methods and reports whether the request may go on.
func onlyGet(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet {
		return true
	}
	w.Header().Set("Allow", "GET")
	w.WriteHeader(http.StatusMethodNotAllowed)
	return false
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	// A client that has gone is no concern of ours.
	_, _ = w.Write(text)
}
