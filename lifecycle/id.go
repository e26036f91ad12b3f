package lifecycle

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 9562 defines version 5 over SHA-1; nothing secret hangs on it.
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"
)

// ID identifies an object. It is a UUID; answers carry it in lower case with
// hyphens, and 32 hex digits without hyphens are accepted as well (contract §1).
// The zero ID names nothing.
type ID [16]byte

// ErrNotAnID is what ParseID returns for text that is no UUID in either form.
var ErrNotAnID = errors.New("not a UUID")

// NewID returns a new random ID that sorts after those made in earlier
// milliseconds (UUID version 7), which keeps indexes dense.
func NewID() ID {
	var id ID
	if _, err := io.ReadFull(rand.Reader, id[6:]); err != nil {
		panic("lifecycle: the system's random source failed: " + err.Error())
	}
	ms := uint64(time.Now().UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i)) //nolint:gosec // one byte of the number at a time
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// DeriveID returns the UUID version 5 of the parts within space: the same
// parts give the same ID always, and no two lists of parts give the same text.
func DeriveID(space ID, parts ...string) ID {
	h := sha1.New() //nolint:gosec // see the import
	h.Write(space[:])
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	var id ID
	copy(id[:], h.Sum(nil))
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}

// ParseID reads 8-4-4-4-12 or 32 hex digits in either case; anything else is
// [ErrNotAnID].
func ParseID(s string) (ID, error) {
	var id ID
	var digits [32]byte
	switch len(s) {
	case 32:
		copy(digits[:], s)
	case 36:
		if s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
			return ID{}, ErrNotAnID
		}
		n := copy(digits[:], s[:8])
		n += copy(digits[n:], s[9:13])
		n += copy(digits[n:], s[14:18])
		n += copy(digits[n:], s[19:23])
		copy(digits[n:], s[24:])
	default:
		return ID{}, ErrNotAnID
	}
	if _, err := hex.Decode(id[:], digits[:]); err != nil {
		return ID{}, ErrNotAnID
	}
	return id, nil
}

// MustParseID is ParseID for constants; it panics on text that is no UUID.
func MustParseID(s string) ID {
	id, err := ParseID(s)
	if err != nil {
		panic("lifecycle: " + s + ": " + err.Error())
	}
	return id
}

// IsZero reports whether id names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// String returns the lower-case 8-4-4-4-12 form.
func (id ID) String() string {
	text, _ := id.AppendText(make([]byte, 0, 36))
	return string(text)
}

// AppendText appends the lower-case 8-4-4-4-12 form to b; it never fails.
func (id ID) AppendText(b []byte) ([]byte, error) {
	b = hex.AppendEncode(b, id[0:4])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[4:6])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[6:8])
	b = append(b, '-')
	b = hex.AppendEncode(b, id[8:10])
	b = append(b, '-')
	return hex.AppendEncode(b, id[10:16]), nil
}

// MarshalText implements encoding.TextMarshaler.
func (id ID) MarshalText() ([]byte, error) { return id.AppendText(make([]byte, 0, 36)) }

// UnmarshalText implements encoding.TextUnmarshaler as [ParseID] does.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := ParseID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// Value implements driver.Valuer; the zero ID is NULL.
func (id ID) Value() (driver.Value, error) {
	if id.IsZero() {
		return nil, nil //nolint:nilnil // nil is how a driver.Valuer says NULL
	}
	return id.String(), nil
}

// Scan implements sql.Scanner; NULL is the zero ID.
func (id *ID) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*id = ID{}
		return nil
	case string:
		return id.UnmarshalText([]byte(v))
	case []byte:
		if len(v) == 16 {
			copy(id[:], v)
			return nil
		}
		return id.UnmarshalText(v)
	case [16]byte:
		*id = v
		return nil
	}
	return fmt.Errorf("lifecycle: an ID can't be scanned from %T", src)
}
