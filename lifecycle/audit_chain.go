package lifecycle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ChainHead is a place in the chain of the audit trail: a position, counted from
// 1, and the hash there. Known outside of the database it holds everybody to all
// that was sealed up to it.
type ChainHead struct {
	Position int64
	// Hash has 32 bytes.
	Hash []byte
}

// ChainStart is the head of a chain that has no seal yet.
func ChainStart() ChainHead { return ChainHead{Hash: make([]byte, sha256.Size)} }

// String is POSITION:HASH, the hash in hexadecimal digits.
func (h ChainHead) String() string {
	return strconv.FormatInt(h.Position, 10) + ":" + hex.EncodeToString(h.Hash)
}

// Equal reports whether both are the same place with the same hash.
func (h ChainHead) Equal(other ChainHead) bool {
	return h.Position == other.Position && bytes.Equal(h.Hash, other.Hash)
}

// ParseChainHead reads what String writes. The position is 1 or more.
func ParseChainHead(text string) (ChainHead, error) {
	number, digits, found := strings.Cut(text, ":")
	position, err := strconv.ParseInt(number, 10, 64)
	if !found || err != nil || position < 1 {
		return ChainHead{}, errors.New("a head of the chain is a position, a colon and a hash")
	}
	hash, err := hex.DecodeString(digits)
	if err != nil || len(hash) != sha256.Size {
		return ChainHead{}, fmt.Errorf("the hash of a head of the chain has %d hexadecimal digits", 2*sha256.Size)
	}
	return ChainHead{Position: position, Hash: hash}, nil
}

// Seal is a place in the chain with the entry that is there.
type Seal struct {
	ChainHead
	Number int64
}

// Sealing is what one step of the sealer did.
type Sealing struct {
	// Elsewhere is true where another sealer was at work; then nothing else is set.
	Elsewhere bool
	// Sealed is how many entries came into the chain.
	Sealed int
	// Head is the end of the chain now.
	Head ChainHead
}

// AuditPart is a part of an entry's details that can be erased by itself.
type AuditPart string

// The parts.
const (
	PartActor  AuditPart = "actor"
	PartChange AuditPart = "change"
)

// ErasedDetails are the facts of an entry with [ActionErase]: the numbers of the
// entries whose details were removed with it, by part.
type ErasedDetails struct {
	Actors  []int64 `json:"actors,omitempty"`
	Changes []int64 `json:"changes,omitempty"`
}

// ParseErasedDetails reads the facts of an entry; facts of another kind name no
// numbers.
func ParseErasedDetails(facts string) ErasedDetails {
	var e ErasedDetails
	if err := json.Unmarshal([]byte(facts), &e); err != nil {
		return ErasedDetails{}
	}
	return e
}

// Facts are e as the facts of a change.
func (e ErasedDetails) Facts() map[string]any {
	facts := map[string]any{}
	if len(e.Actors) > 0 {
		facts["actors"] = e.Actors
	}
	if len(e.Changes) > 0 {
		facts["changes"] = e.Changes
	}
	return facts
}

// AuditFault is something in the trail that is not as the application leaves it.
type AuditFault struct {
	// Position is that of the seal, 0 where it is about none.
	Position int64
	// Number is that of the entry, 0 where it is about none.
	Number int64
	// What is wrong, in words.
	What string
}

// String is a line for people.
func (f AuditFault) String() string {
	var where []string
	if f.Position > 0 {
		where = append(where, "position "+strconv.FormatInt(f.Position, 10))
	}
	if f.Number > 0 {
		where = append(where, "entry "+strconv.FormatInt(f.Number, 10))
	}
	if len(where) == 0 {
		return f.What
	}
	return strings.Join(where, ", ") + ": " + f.What
}

// AuditReport is what verifying the trail found.
type AuditReport struct {
	// Sealed is how many seals the chain has, Head its end.
	Sealed int64
	Head   ChainHead
	// Erased is how many parts of details are gone and covered by an erasure.
	Erased int64
	// Unsealed is how many entries wait for the sealer, and Oldest when the first
	// of them occurred; zero if none waits.
	Unsealed int64
	Oldest   time.Time
	Faults   int
}

// FaultyDetails says what is wrong with the details of the entry as they are,
// nothing if nothing is; gone are the parts that were there once, for which an
// erasure has to account.
func (e AuditEntry) FaultyDetails() (faults []string, gone []AuditPart) {
	for _, part := range []struct {
		name   AuditPart
		digest []byte
		detail AuditDetail
	}{{PartActor, e.ActorDigest, e.Actor}, {PartChange, e.ChangeDigest, e.Change}} {
		switch {
		case part.detail.Text == "" && part.digest == nil:
		case part.detail.Text == "":
			gone = append(gone, part.name)
		case part.digest == nil:
			faults = append(faults, "it has a detail \""+string(part.name)+"\" that it was not written with")
		case !bytes.Equal(part.digest, DetailDigest(part.detail.Salt, part.detail.Text)):
			faults = append(faults, "its detail \""+string(part.name)+"\" was changed")
		}
	}
	return faults, gone
}
