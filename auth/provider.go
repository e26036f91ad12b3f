package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"
)

const (
	// providerInterval is how often the keys of a provider are read without a
	// token that asks for it.
	providerInterval = 10 * time.Minute
	// Bounds of what a provider may answer.
	maxProviderAnswer = 256 << 10
	maxProviderKeys   = 64
	minRSABits        = 2048
	maxRSABits        = 8192
	// maxProviderFault bounds how much of a provider's own words is logged.
	maxProviderFault = 300
)

// provider reads the keys of an OIDC provider: where they are by discovery, at
// each reading, so that a provider may move them.
type provider struct {
	issuer string
	client *http.Client
}

// newProviderClient returns a client for a few calls to providers.
func newProviderClient() *http.Client {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true,
		TLSHandshakeTimeout: lookupTimeout, ResponseHeaderTimeout: lookupTimeout, MaxResponseHeaderBytes: 64 << 10,
	}
	return &http.Client{
		Transport: bounded{transport}, Timeout: lookupTimeout,
		// Where the keys are is for the provider's document to say, whose URLs are
		// judged.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded cuts answers that are too long.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, maxProviderAnswer), response.Body}
	return response, nil
}

// load reads the keys there are. Its errors are for the log.
func (p *provider) load(ctx context.Context) (map[string]publicKey, error) {
	keys, err := p.read(ctx)
	if err == nil {
		return keys, nil
	}
	text := err.Error()
	return nil, fmt.Errorf("reading the keys of %s: %s", p.issuer, text[:min(len(text), maxProviderFault)])
}

func (p *provider) read(ctx context.Context) (map[string]publicKey, error) {
	discovered, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.issuer)
	if err != nil {
		return nil, err
	}
	var document struct {
		KeysURL string `json:"jwks_uri"`
	}
	if err := discovered.Claims(&document); err != nil {
		return nil, err
	}
	if !p.mayHaveKeysAt(document.KeysURL) {
		return nil, errors.New("its jwks_uri is no https URL")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, document.KeysURL, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("its keys are answered with %s", response.Status)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return parseKeys(text)
}

// mayHaveKeysAt reports whether the keys may be read from this URL: a provider
// elsewhere must not send us to what listens on this machine without TLS.
func (p *provider) mayHaveKeysAt(keys string) bool {
	u, err := url.Parse(keys)
	issuer, fault := url.Parse(p.issuer)
	return err == nil && fault == nil && isProviderURL(keys) && (u.Scheme == "https" || issuer.Scheme == "http")
}

// parseKeys takes from a key set the keys that can verify a token. Others are
// passed over, since a provider may have them for whatever else it does; but a
// set without any is an error. A key without a name gets its thumbprint for one.
func parseKeys(text []byte) (map[string]publicKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, errors.New("its keys are no key set")
	}
	if len(set.Keys) > maxProviderKeys {
		return nil, fmt.Errorf("it has more than %d keys", maxProviderKeys)
	}
	keys := map[string]publicKey{}
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) != nil || key.Use != "" && key.Use != "sig" || !verifies(key.Key) {
			continue
		}
		if key.KeyID == "" {
			sum, err := key.Thumbprint(crypto.SHA256)
			if err != nil {
				continue
			}
			key.KeyID = base64.RawURLEncoding.EncodeToString(sum)
		}
		if _, twice := keys[key.KeyID]; twice {
			return nil, errors.New("it has two keys of one name")
		}
		keys[key.KeyID] = publicKey{key.Key, key.Algorithm}
	}
	if len(keys) == 0 {
		return nil, errors.New("it has no key that could verify a token")
	}
	return keys, nil
}

// verifies reports whether it is a public key of a kind and size that will do.
// In particular it is never a secret that signs as well.
func verifies(key any) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return minRSABits <= key.N.BitLen() && key.N.BitLen() <= maxRSABits
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}

// FollowProviders reads the keys of all external issuers at once and then every
// 10 minutes, until ctx ends. A provider that is away keeps the keys that are
// known of it.
func (v *Verifier) FollowProviders(ctx context.Context, log *slog.Logger) {
	read := func(ctx context.Context) {
		for _, e := range v.externals {
			if err := e.cache.reload(ctx); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "a provider's keys could not be read", "issuer", e.Issuer, "error", err)
			}
		}
	}
	if len(v.externals) == 0 {
		return
	}
	read(ctx)
	every(ctx, providerInterval, read)
}
