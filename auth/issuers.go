package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"gatehouse/lifecycle"
)

// ExternalIssuer is an OIDC issuer whose tokens are taken beside our own, as the
// file of issuers describes it; docs/security.md says what its fields mean.
type ExternalIssuer struct {
	// Issuer is the URL that stands in the claim iss, to the byte.
	Issuer string `json:"issuer"`
	// Audiences are those of which a token must name one.
	Audiences []string `json:"audiences"`
	// Algorithms are those that a token may be signed with; RS256 where there is
	// none.
	Algorithms []string `json:"algorithms"`
	// Identity finds the person of a user token, nil where there are none.
	Identity *IdentityMapping `json:"identity"`
	// Application finds the client of an application token, nil where there are
	// none.
	Application *ApplicationMapping `json:"application"`
	// Levels are the user levels of a token, nil for those of the identity's row.
	Levels *LevelMapping `json:"levels"`
	// Scopes are the scopes of a token.
	Scopes *ScopeMapping `json:"scopes"`
}

// IdentityMapping says which of our identities a user token is of.
type IdentityMapping struct {
	Claim ClaimPath `json:"claim"`
	// By is what the claim holds: ByAlias, ByID or ByExternalID.
	By string `json:"by"`
}

// What the claim of an identity may hold.
const (
	ByAlias = "alias"
	ByID    = "id"
	// ByExternalID is the name that the directory has for them (SCIM externalId).
	ByExternalID = "externalId"
)

// ApplicationMapping says which of our application clients a token is of.
type ApplicationMapping struct {
	// Claim holds the client's id.
	Claim ClaimPath `json:"claim"`
	// Marker tells an application token from a user token; where it is nil, the
	// lack of the identity's claim does.
	Marker *Marker `json:"marker"`
}

// Marker is a claim that only application tokens have.
type Marker struct {
	Claim ClaimPath `json:"claim"`
	// Value is what it holds; empty for anything.
	Value string `json:"value"`
}

// LevelMapping says which user levels a token brings. What the claim holds and
// Values does not name brings none.
type LevelMapping struct {
	Claim  ClaimPath                  `json:"claim"`
	Values map[string]lifecycle.Level `json:"values"`
}

// ScopeMapping says which scopes a token brings: Granted, and those that Values
// has for what the claim holds. Without Values the claim holds scopes of ours.
type ScopeMapping struct {
	Claim   ClaimPath         `json:"claim"`
	Values  map[string]string `json:"values"`
	Granted []string          `json:"granted"`
}

// ClaimPath leads to a claim: one name, or in JSON a list of names where the
// claim stands in an object that is a claim.
type ClaimPath []string

// UnmarshalJSON implements json.Unmarshaler.
func (p *ClaimPath) UnmarshalJSON(text []byte) error {
	var name string
	if err := json.Unmarshal(text, &name); err == nil {
		*p = ClaimPath{name}
		return nil
	}
	var names []string
	if err := json.Unmarshal(text, &names); err != nil {
		return errors.New("a claim must be a name, or a list of names")
	}
	*p = names
	return nil
}

// in returns the claim, nil if there is none.
func (p ClaimPath) in(claims map[string]any) any {
	var value any = claims
	for _, name := range p {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

// text returns the claim if it is a text that is not empty.
func (p ClaimPath) text(claims map[string]any) string {
	text, _ := p.in(claims).(string)
	return text
}

// texts returns the texts that the claim holds: the elements of a list, or the
// words of a text.
func (p ClaimPath) texts(claims map[string]any) []string {
	switch value := p.in(claims).(type) {
	case string:
		return strings.Fields(value)
	case []any:
		var texts []string
		for _, element := range value {
			if text, ok := element.(string); ok {
				texts = append(texts, text)
			}
		}
		return texts
	}
	return nil
}

// asymmetric are the algorithms that a token of an external issuer may be
// signed with.
var asymmetric = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// ParseIssuers reads the file of issuers. own is the URL of our own issuer,
// which none of them may have. The error names the fields that are wrong, all
// at once where the file can be read at all.
func ParseIssuers(file []byte, own string) ([]ExternalIssuer, error) {
	var read struct {
		Issuers []ExternalIssuer `json:"issuers"`
	}
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&read); err != nil {
		return nil, readingFault(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something behind the object")
	}
	if len(read.Issuers) == 0 {
		return nil, errors.New("issuers names none")
	}
	var faults []error
	seen := map[string]bool{own: true}
	for i := range read.Issuers {
		issuer := &read.Issuers[i]
		for _, fault := range issuer.judge() {
			faults = append(faults, fmt.Errorf("issuers[%d].%s", i, fault))
		}
		if seen[issuer.Issuer] {
			faults = append(faults, fmt.Errorf("issuers[%d].issuer is another's, or our own", i))
		}
		seen[issuer.Issuer] = true
	}
	return read.Issuers, errors.Join(faults...)
}

func readingFault(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s must not be a JSON %s", wrong.Field, wrong.Value)
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

// judge fills in what the file leaves out and returns what is wrong with it.
func (e *ExternalIssuer) judge() (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	claim := func(name string, path ClaimPath) {
		if len(path) == 0 || slices.Contains(path, "") {
			fault("%s must name a claim", name)
		}
	}
	if !isProviderURL(e.Issuer) {
		fault("issuer must be an https URL, or an http URL of a loopback address, without query or fragment")
	}
	if len(e.Audiences) == 0 || slices.Contains(e.Audiences, "") {
		fault("audiences must name at least one, and none that is empty")
	}
	if len(e.Algorithms) == 0 {
		e.Algorithms = []string{"RS256"}
	}
	for i, name := range e.Algorithms {
		if !slices.Contains(asymmetric, name) {
			fault("algorithms[%d] must be one of %s", i, strings.Join(asymmetric, ", "))
		}
	}
	if e.Identity == nil && e.Application == nil {
		fault("identity or application must be there")
	}
	if e.Identity != nil {
		claim("identity.claim", e.Identity.Claim)
		if !slices.Contains([]string{ByAlias, ByID, ByExternalID}, e.Identity.By) {
			fault("identity.by must be %s, %s or %s", ByAlias, ByID, ByExternalID)
		}
	}
	if e.Application != nil {
		claim("application.claim", e.Application.Claim)
		if e.Application.Marker != nil {
			claim("application.marker.claim", e.Application.Marker.Claim)
		}
	}
	if e.Levels != nil {
		claim("levels.claim", e.Levels.Claim)
		for _, name := range slices.Sorted(maps.Keys(e.Levels.Values)) {
			if !lifecycle.IsLevel(e.Levels.Values[name]) {
				fault("levels.values[%q] must be %s", name, lifecycle.LevelNames)
			}
		}
		if len(e.Levels.Values) == 0 {
			fault("levels.values must name at least one")
		}
	}
	return append(faults, e.judgeScopes()...)
}

func (e *ExternalIssuer) judgeScopes() (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	s := e.Scopes
	if s == nil {
		return []string{"scopes must be there"}
	}
	if len(s.Claim) == 0 && len(s.Granted) == 0 || slices.Contains(s.Claim, "") {
		fault("scopes must have a claim or granted")
	}
	if len(s.Claim) == 0 && len(s.Values) > 0 {
		fault("scopes.values needs scopes.claim")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Values)) {
		if !lifecycle.IsScope(s.Values[name]) {
			fault("scopes.values[%q] must be %s", name, lifecycle.ScopeNames)
		}
	}
	for i, scope := range s.Granted {
		if !lifecycle.IsScope(scope) {
			fault("scopes.granted[%d] must be %s", i, lifecycle.ScopeNames)
		}
	}
	return faults
}

// isProviderURL reports whether a provider may be asked under this URL: nobody
// on the way may change what it says of its keys.
func isProviderURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.Unmap().IsLoopback())
}

// external is an external issuer at work.
type external struct {
	ExternalIssuer
	cache  *keyCache
	parser *jwt.Parser
	// host names the issuer where a client of its own is named.
	host string
}

func (e *external) keys() *keyCache { return e.cache }

// omitsNames implements source: a provider that has one key need not name it
// (OpenID Connect Core §10.1).
func (e *external) omitsNames() bool { return true }

// parse implements source.
func (e *external) parse(token string, keyOf jwt.Keyfunc) (*verified, error) {
	said := jwt.MapClaims{}
	if _, err := e.parser.ParseWithClaims(token, said, keyOf); err != nil {
		return nil, err
	}
	expires, err := said.GetExpirationTime()
	if err != nil || expires == nil {
		return nil, errClaims
	}
	found := &verified{expires: expires.Time, scopes: e.scopesOf(said)}
	if issued, err := said.GetIssuedAt(); err == nil && issued != nil {
		found.issued = issued.Time
	}
	if from, err := said.GetNotBefore(); err == nil && from != nil {
		found.notBefore = from.Time
	}
	if err := e.nameHolder(found, said); err != nil {
		return nil, err
	}
	if e.Levels != nil && found.holder.kind != byClient {
		found.levels = []lifecycle.Level{}
		for _, text := range e.Levels.Claim.texts(said) {
			if level, ok := e.Levels.Values[text]; ok && !slices.Contains(found.levels, level) {
				found.levels = append(found.levels, level)
			}
		}
	}
	return found, nil
}

// nameHolder says whose token it is.
func (e *external) nameHolder(found *verified, said jwt.MapClaims) error {
	identity := ""
	if e.Identity != nil {
		identity = e.Identity.Claim.text(said)
	}
	if e.Application != nil && e.Application.marks(said, identity) {
		found.clientID = e.Application.Claim.text(said)
		if !lifecycle.IsClientID(found.clientID) {
			return errClaims
		}
		found.holder = holder{byClient, found.clientID}
		return nil
	}
	if identity == "" {
		return errClaims
	}
	found.clientID = e.clientOf(said)
	switch e.Identity.By {
	case ByAlias:
		found.holder = holder{byAlias, foldASCII(identity)}
		return nil
	case ByExternalID:
		found.holder = holder{byExternalID, identity}
		return nil
	}
	id, err := lifecycle.ParseID(identity)
	if err != nil {
		return errClaims
	}
	found.holder = holder{byID, id.String()}
	return nil
}

// foldASCII maps what differs in the case of ASCII letters alone to one form. The
// folding that aliases are found by does more, so that somebody could take a name
// at the provider which is another's here.
func foldASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, s)
}

// marks reports whether a token is an application's.
func (m *ApplicationMapping) marks(said jwt.MapClaims, identity string) bool {
	if m.Marker == nil {
		return identity == ""
	}
	if m.Marker.Value == "" {
		return m.Marker.Claim.in(said) != nil
	}
	return m.Marker.Claim.text(said) == m.Marker.Value
}

// clientOf names the issuer's own client that got a user token, in a form that
// no client of ours has.
func (e *external) clientOf(said jwt.MapClaims) string {
	for _, claim := range []ClaimPath{{"azp"}, {"client_id"}} {
		if client := claim.text(said); lifecycle.IsClientID(client) {
			return client + "@" + e.host
		}
	}
	return "@" + e.host
}

func (e *external) scopesOf(said jwt.MapClaims) []string {
	scopes := slices.Clone(e.Scopes.Granted)
	if len(e.Scopes.Claim) == 0 {
		return scopes
	}
	for _, text := range e.Scopes.Claim.texts(said) {
		if len(e.Scopes.Values) > 0 {
			text = e.Scopes.Values[text]
		}
		if lifecycle.IsScope(text) && !slices.Contains(scopes, text) {
			scopes = append(scopes, text)
		}
	}
	return scopes
}
