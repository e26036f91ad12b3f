package auth

import (
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// algorithm is the only one that tokens are signed with.
const algorithm = "EdDSA"

// claims are what a token says (contract §6).
type claims struct {
	TenantID string `json:"tenant_id"`
	Org      string `json:"org"`
	// IdentityID, UserName and Authorities are those of the identity; absent
	// from an application token.
	IdentityID  string            `json:"identity_id,omitempty"`
	UserName    string            `json:"user_name,omitempty"`
	Authorities []lifecycle.Level `json:"authorities,omitempty"`
	ClientID    string            `json:"client_id"`
	Scope       []string          `json:"scope"`
	jwt.RegisteredClaims
}

// Settings are what configuration gives issuer and verifier. Both need the
// same.
type Settings struct {
	// Issuer is the URL under which clients reach the API, without a slash at
	// its end: issuer and audience of tokens.
	Issuer string
	// Tenant is the organisation's name.
	Tenant string
	// Lifetime is how long a token is good for; whole seconds count.
	Lifetime time.Duration
}

// tenantSpace is the name space of tenant ids.
var tenantSpace = lifecycle.MustParseID("0c5b3f1e-7d0a-4d0b-9a52-5a1d9f6c8e34")

func (s Settings) tenantID() string { return lifecycle.DeriveID(tenantSpace, s.Tenant).String() }

// common returns the scopes that both a token and its client hold.
func common(token, client []string) []string {
	if slices.Equal(token, client) {
		return slices.Clip(client)
	}
	var both []string
	add := func(from, in []string) {
		for _, scope := range from {
			if policy.HoldsScope(in, scope) && !slices.Contains(both, scope) {
				both = append(both, scope)
			}
		}
	}
	add(token, client)
	add(client, token)
	return both
}
