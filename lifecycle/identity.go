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
