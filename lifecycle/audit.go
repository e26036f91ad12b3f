package lifecycle

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"time"
)

// Channel is the entrance that a change came by.
type Channel string

// The channels.
const (
	ChannelAPI         Channel = "API"
	ChannelSCIM        Channel = "SCIM"
	ChannelSignal      Channel = "SIGNAL"
	ChannelWorkflow    Channel = "WORKFLOW"
	ChannelCommandLine Channel = "COMMAND_LINE"
	// ChannelUnknown is that of a change whose entrance did not say who it was.
	ChannelUnknown Channel = "UNKNOWN"
)

// Origin says who causes a change, and by which way. The entrance puts it into
// the context, the store writes it down with each change.
type Origin struct {
	Channel Channel
	// Operation is the entrance's own name of what was called: the operationId of
	// the API, the name of a signal, a step or a command.
	Operation string
	// Identity is zero where no person is behind it.
	Identity ID
	// Client is the client whose token was used; empty where there was none.
	Client string
	// Address is the caller's IP address, empty where there was none.
	Address string
	// TrackingID is that of the call, empty where there was none.
	TrackingID string
}

type originKey struct{}

// WithOrigin returns a context for what origin causes.
func WithOrigin(ctx context.Context, origin Origin) context.Context {
	return context.WithValue(ctx, originKey{}, origin)
}

// OriginOf returns what WithOrigin put in; without it the channel is
// ChannelUnknown.
func OriginOf(ctx context.Context) Origin {
	if origin, ok := ctx.Value(originKey{}).(Origin); ok {
		return origin
	}
	return Origin{Channel: ChannelUnknown}
}

// AuditAction is what was done to an object.
type AuditAction string

// The actions.
const (
	ActionCreate  AuditAction = "CREATE"
	ActionUpdate  AuditAction = "UPDATE"
	ActionDelete  AuditAction = "DELETE"
	ActionApprove AuditAction = "APPROVE"
	ActionReject  AuditAction = "REJECT"
	ActionCancel  AuditAction = "CANCEL"
	// ActionApply is a set of rows that an import took into its source.
	ActionApply AuditAction = "APPLY"
	// ActionErase is the removal of a person's data.
	ActionErase AuditAction = "ERASE"
	// ActionAttempt is a change that was refused before anything was looked at
	// that could tell which.
	ActionAttempt AuditAction = "ATTEMPT"
)

// AuditOutcome is how it ended.
type AuditOutcome string

// The outcomes.
const (
	OutcomeSuccess AuditOutcome = "SUCCESS"
	// OutcomeDenied is that of an attempt by somebody who may not.
	OutcomeDenied AuditOutcome = "DENIED"
)

// AuditObjectType says what kind of object an entry is about.
type AuditObjectType string

// The object types.
const (
	ObjectSource         AuditObjectType = "SOURCE"
	ObjectAttribute      AuditObjectType = "SCHEMA_ATTRIBUTE"
	ObjectRecord         AuditObjectType = "RECORD"
	ObjectRequest        AuditObjectType = "REQUEST"
	ObjectApprovalItem   AuditObjectType = "APPROVAL_ITEM"
	ObjectImport         AuditObjectType = "IMPORT"
	ObjectExport         AuditObjectType = "EXPORT"
	ObjectExportSchedule AuditObjectType = "EXPORT_SCHEDULE"
	ObjectApprovalPolicy AuditObjectType = "APPROVAL_POLICY"
	// ObjectLifecyclePolicy has the id of its source, or the nil UUID.
	ObjectLifecyclePolicy AuditObjectType = "LIFECYCLE_POLICY"
	ObjectIdentity        AuditObjectType = "IDENTITY"
	ObjectWorkgroup       AuditObjectType = "WORKGROUP"
	ObjectClient          AuditObjectType = "CLIENT"
	ObjectSigningKey      AuditObjectType = "SIGNING_KEY"
	ObjectWebhook         AuditObjectType = "WEBHOOK_ENDPOINT"
	ObjectDelivery        AuditObjectType = "DELIVERY"
	ObjectAbsence         AuditObjectType = "ABSENCE"
	// ObjectPerson is a person whose data was erased.
	ObjectPerson AuditObjectType = "PERSON"
	// ObjectNone is that of an attempt that named no object.
	ObjectNone AuditObjectType = "NONE"
)

// AuditChange is a change as its writer tells of it.
type AuditChange struct {
	Action AuditAction
	Object AuditObjectType
	// ID is the object's: a UUID, or a client or key id.
	ID string
	// Source is the source that the object is of, zero where it is of none.
	Source ID
	// Before and After are the object as JSON would show it, keyed by field; nil
	// where it was not, or is no more. Fields that are alike in both are not kept.
	Before, After map[string]any
	// Facts are counts, codes and ids; never anything about a person.
	Facts map[string]any
	// Subjects are the names and mail addresses of the people whom Before and
	// After tell about.
	Subjects []string
	// Outcome is OutcomeSuccess where it is empty.
	Outcome AuditOutcome
}

// AuditEntry is an entry of the trail, which never changes, with what is left
// of its details.
type AuditEntry struct {
	// Number is the entry's; later changes of one object have greater numbers.
	Number     int64
	Occurred   time.Time
	Channel    Channel
	Operation  string
	Outcome    AuditOutcome
	Identity   ID
	Client     string
	TrackingID string
	Action     AuditAction
	Object     AuditObjectType
	ID         string
	Source     ID
	// Facts is JSON, as it was written.
	Facts string
	// ActorDigest and ChangeDigest are SHA-256 sums, see [DetailDigest]; nil where
	// there were no details.
	ActorDigest, ChangeDigest []byte
	// Actor and Change are the details.
	Actor, Change AuditDetail
}

// AuditDetail is a part of an entry that can be erased.
type AuditDetail struct {
	// Text is JSON, as it was written; empty if there is none or it was erased.
	Text string
	Salt []byte
}

// AuditEvent is an entry as its readers see it.
type AuditEvent struct {
	AuditEntry
	// Alias is that of the identity behind it; empty where there is none.
	Alias string
	// Seal is its place in the chain; Position is 0 while it is not there yet.
	Seal ChainHead
}

// Erased reports whether a part of the details is gone that was there once.
func (e AuditEntry) Erased() bool {
	_, gone := e.FaultyDetails()
	return len(gone) > 0
}

// DetailDigest is what an entry holds of a detail. The salt is erased with the
// text, so that nobody can try what the text may have been.
func DetailDigest(salt []byte, text string) []byte {
	sum := sha256.Sum256(append(slices.Clone(salt), text...))
	return sum[:]
}

// chainVersion begins what is hashed, so that another way of hashing can be told
// from this one.
const chainVersion = "gatehouse audit 1"

// Hash is that of the entry at its place in the chain: SHA-256 over the hash
// before it, all zeros for the first, and every field but the details, each
// with its length before it.
func (e AuditEntry) Hash(before []byte) []byte {
	h := sha256.New()
	write := func(field []byte) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(field)))
		h.Write(length[:])
		h.Write(field)
	}
	write([]byte(chainVersion))
	write(before)
	for _, field := range []string{
		strconv.FormatInt(e.Number, 10), strconv.FormatInt(e.Occurred.UnixMilli(), 10),
		string(e.Channel), e.Operation, string(e.Outcome), e.Identity.String(), e.Client, e.TrackingID,
		string(e.Action), string(e.Object), e.ID, e.Source.String(), e.Facts,
	} {
		write([]byte(field))
	}
	write(e.ActorDigest)
	write(e.ChangeDigest)
	return h.Sum(nil)
}
