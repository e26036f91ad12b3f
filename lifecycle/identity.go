package lifecycle

import (
	"regexp"
	"time"
)

// Level is a user level: a bundle of rights that an identity holds (contract §5).
type Level string

// The user levels. SOURCE_SUBADMIN is bound to the sources whose management
// workgroup the identity is a member of.
const (
	LevelOrgAdmin       Level = "ORG_ADMIN"
	LevelSourceAdmin    Level = "SOURCE_ADMIN"
	LevelSourceSubadmin Level = "SOURCE_SUBADMIN"
)

// LevelNames is all of them, for errors.
const LevelNames = "ORG_ADMIN, SOURCE_ADMIN or SOURCE_SUBADMIN"

// IsLevel reports whether it is one of the user levels.
func IsLevel(level Level) bool {
	switch level {
	case LevelOrgAdmin, LevelSourceAdmin, LevelSourceSubadmin:
		return true
	}
	return false
}

// Right is a permission that a level brings, or that an application client was
// given (contract §5).
type Right string

// The four rights.
const (
	RightCreate Right = "idn:nesr:create"
	RightRead   Right = "idn:nesr:read"
	RightUpdate Right = "idn:nesr:update"
	RightDelete Right = "idn:nesr:delete"
)

// RightNames is all of them, for errors.
const RightNames = "idn:nesr:create, idn:nesr:read, idn:nesr:update or idn:nesr:delete"

// IsRight reports whether it is one of the four rights.
func IsRight(right Right) bool {
	switch right {
	case RightCreate, RightRead, RightUpdate, RightDelete:
		return true
	}
	return false
}

// Scopes of a token (contract §5).
const (
	// ScopeRead is what every GET needs.
	ScopeRead = "idn:nelm:read"
	// ScopeManage is what everything else needs.
	ScopeManage = "idn:nelm:manage"
	// ScopeAll holds both.
	ScopeAll = "sp:scopes:all"
	// ScopeSCIM is what a directory needs. It opens SCIM and nothing else, and
	// ScopeAll does not hold it.
	ScopeSCIM = "gatehouse:scim"
	// ScopeAudit lets an application read the audit trail. It is ours, and no other
	// scope holds it.
	ScopeAudit = "gatehouse:audit"
)

// ScopeNames is all of them, for errors.
const ScopeNames = "idn:nelm:read, idn:nelm:manage, sp:scopes:all, gatehouse:audit or gatehouse:scim"

// IsScope reports whether it is one of the scopes.
func IsScope(scope string) bool {
	switch scope {
	case ScopeRead, ScopeManage, ScopeAll, ScopeAudit, ScopeSCIM:
		return true
	}
	return false
}

// Identity is a person of the organisation: somebody who can sponsor, approve,
// own or manage. Non-employees are records, not identities.
type Identity struct {
	ID ID
	// Alias is the short name, "jane.doe"; unique without regard to case.
	Alias string
	// Name is the full name for people to read.
	Name  string
	Email string
	// Levels are the user levels; none for a plain identity.
	Levels []Level
	// Manager is whom the identity answers to; zero where nobody is known, or who it
	// was is deleted. Circles there may be.
	Manager ID
	// Active is false for somebody who can't log in or be named any more.
	Active   bool
	Created  time.Time
	Modified time.Time
}

// Workgroup is a governance group: identities under one name. A source names
// one as its management workgroup.
type Workgroup struct {
	ID      ID
	Name    string
	Members []ID
	Created time.Time
}

// Client is a pair of client id and secret that can get a token. With an
// identity it is a personal access token, without one an application client.
type Client struct {
	// ID is the client_id, 1 to 64 characters of [A-Za-z0-9._-].
	ID   string
	Name string
	// Description is for people to read; empty for a personal access token.
	Description string
	// SecretHash is the bcrypt hash of the secret.
	SecretHash []byte
	// IdentityID is zero for an application client.
	IdentityID ID
	// Rights are those of an application client; a personal token's come from
	// its identity's levels.
	Rights  []Right
	Scopes  []string
	Active  bool
	Created time.Time
	// LastUsed is when it last got a token or called, at most
	// [ClientUseGrain] out of date; zero if it never did.
	LastUsed time.Time
}

// ClientUseGrain is how coarse [Client].LastUsed is, so that not every call
// writes.
const ClientUseGrain = time.Hour

// OwnedClient is a client with the person it belongs to.
type OwnedClient struct {
	Client
	// Owner is zero for an application client.
	Owner Identity
}

var clientID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// IsClientID reports whether text has the form of a [Client]'s ID.
func IsClientID(text string) bool { return clientID.MatchString(text) }

// SigningKey is a key that access tokens are signed with. All API processes
// share the keys; tokens name theirs by KeyID.
type SigningKey struct {
	// KeyID is the key's thumbprint, the "kid" of tokens and of the key set.
	KeyID string
	// PrivateKey is the Ed25519 private key, PKCS #8 in DER.
	PrivateKey []byte
	Created    time.Time
	// SignsFrom is when the key takes over from the one before it. It is
	// published before, so that who verifies tokens knows it by then.
	SignsFrom time.Time
}

// ReferenceType says what a [Reference] names.
type ReferenceType string

// The reference types of the contract (NonEmployeeIdentityDtoType).
const (
	ReferenceIdentity        ReferenceType = "IDENTITY"
	ReferenceGovernanceGroup ReferenceType = "GOVERNANCE_GROUP"
)

// Reference names an identity or a governance group.
type Reference struct {
	ID   ID
	Type ReferenceType
}

// IdentityReference makes a Reference to an identity.
func IdentityReference(id ID) Reference { return Reference{ID: id, Type: ReferenceIdentity} }
