package auth

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/bcrypt"

	"gatehouse/lifecycle"
)

const (
	// MaxSecretLength is the longest client secret, in bytes. bcrypt reads no
	// further, so a longer secret would be good with any end.
	MaxSecretLength = 72

	secretCost = 10
	// secretBytes is the entropy of a made secret.
	secretBytes = 32
)

// NewSecret makes a client secret of 256 random bits, in characters that need
// no encoding in a form, and its hash. The secret can't be got from the hash:
// show it once.
func NewSecret() (secret string, hash []byte, err error) {
	var random [secretBytes]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", nil, fmt.Errorf("making a secret: %w", err)
	}
	secret = base64.RawURLEncoding.EncodeToString(random[:])
	hash, err = HashSecret(secret)
	return secret, hash, err
}

// HashSecret returns the bcrypt hash of a client secret, for
// [lifecycle.Client].SecretHash. An empty secret or one longer than
// [MaxSecretLength] is KindIllegalValue.
func HashSecret(secret string) ([]byte, error) {
	if secret == "" || len(secret) > MaxSecretLength {
		return nil, lifecycle.FieldError(lifecycle.KindIllegalValue, "secret",
			fmt.Sprintf("The secret must have 1 to %d bytes.", MaxSecretLength))
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(secret), secretCost)
	if err != nil {
		return nil, fmt.Errorf("hashing a secret: %w", err)
	}
	return hash, nil
}

// unknownHash stands in for the hash of a client that does not exist, so that
// its refusal takes as long as that of a wrong secret. Nobody has its secret:
// it is a hash of the right cost with salt and sum of zeros.
var unknownHash = []byte("$2a$10$......................" + "...............................")

// matches reports whether secret has the hash. It always takes one bcrypt
// computation, whatever is wrong; compare is bcrypt's.
func matches(hash []byte, secret string, compare func(hash, secret []byte) error) bool {
	possible := len(secret) <= MaxSecretLength
	if !possible {
		secret = secret[:MaxSecretLength]
	}
	if _, err := bcrypt.Cost(hash); err != nil {
		hash, possible = unknownHash, false
	}
	return compare(hash, []byte(secret)) == nil && possible
}
