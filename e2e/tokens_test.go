package e2e_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// TestATokenIsAskedForInEveryWay asks as the published clients do (contract §6),
// and verifies each token with the keys that are served.
func TestATokenIsAskedForInEveryWay(t *testing.T) {
	c := anonymous(t)
	info := c.get("/oauth/info").want(200).object()
	key := servedKeys(t)
	parameters := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"demo-jane.doe"}, "client_secret": {"demo-jane.doe-secret"},
	}
	form := &bytes.Buffer{}
	writer := multipart.NewWriter(form)
	for name, values := range parameters {
		require.NoError(t, writer.WriteField(name, values[0]))
	}
	require.NoError(t, writer.Close())
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("demo-jane.doe:demo-jane.doe-secret"))

	for way, a := range map[string]answer{
		"a urlencoded form": c.post("/oauth/token", parameters.Encode(), "Content-Type", "application/x-www-form-urlencoded"),
		"a multipart form":  c.post("/oauth/token", form.String(), "Content-Type", writer.FormDataContentType()),
		"the query string":  c.post("/oauth/token?"+parameters.Encode(), nil),
		"HTTP Basic": c.post("/oauth/token", "grant_type=client_credentials",
			"Content-Type", "application/x-www-form-urlencoded", "Authorization", basic),
	} {
		t.Run(way, func(t *testing.T) {
			answered := a.want(200).object()
			require.Equal(t, "bearer", answered.text("token_type"))
			require.Equal(t, identityID(t, "jane.doe"), answered.text("identity_id"))
			require.Equal(t, info.text("tenantId"), answered.text("tenant_id"))

			claims := jwt.MapClaims{}
			token, err := jwt.ParseWithClaims(answered.text("access_token"), claims, func(token *jwt.Token) (any, error) {
				return key[token.Header["kid"].(string)], nil
			}, jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithExpirationRequired())
			require.NoError(t, err)
			require.True(t, token.Valid)
			require.Equal(t, answered.text("jti"), claims["jti"])
			require.Equal(t, "demo-jane.doe", claims["client_id"])
			require.Equal(t, "jane.doe", claims["user_name"])
			require.Equal(t, []any{lifecycle.ScopeAll}, claims["scope"])

			caller{t: t, token: answered.text("access_token"), mount: prefixed("/v3")}.
				get("/non-employee-sources?requested-for=me").want(200)
		})
	}
	refused := c.post("/oauth/token", nil, "Authorization", basic).want(http.StatusBadRequest).object()
	require.Equal(t, "invalid_request", refused.text("error"))
	refused = c.post("/oauth/token?grant_type=client_credentials&client_id=demo-jane.doe&client_secret=x", nil).
		want(http.StatusUnauthorized).object()
	require.Equal(t, "invalid_client", refused.text("error"))
}

// servedKeys are the public keys by their ids; both places serve the same.
func servedKeys(t *testing.T) map[string]ed25519.PublicKey {
	t.Helper()
	served := anonymous(t).get("/oauth/jwks").want(200)
	require.JSONEq(t, string(served.body), string(anonymous(t).get("/.well-known/jwks.json").want(200).body))
	var set struct {
		Keys []struct{ Kty, Crv, Kid, X string }
	}
	require.NoError(t, json.Unmarshal(served.body, &set))
	require.NotEmpty(t, set.Keys)
	keys := map[string]ed25519.PublicKey{}
	for _, key := range set.Keys {
		require.Equal(t, "OKP Ed25519", key.Kty+" "+key.Crv)
		x, err := base64.RawURLEncoding.DecodeString(key.X)
		require.NoError(t, err)
		keys[key.Kid] = x
	}
	return keys
}
