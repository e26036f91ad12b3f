// Package service holds the use cases: for each operation the order of steps
// that contract §5 asks for (parse ids, check access, judge the body, act). It
// knows neither HTTP nor SQL nor Temporal; it declares the interfaces it needs
// and is handed their implementations.
package service

import (
	"context"
	"log/slog"
	"time"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// SourceStore keeps sources and their schema attributes. Every method answers
// an unknown id with KindNotFound.
type SourceStore interface {
	// CreateSource writes the source, its counter and its schema attributes in
	// one transaction. Errors: KindLimit beyond maxSources, KindConflict for a
	// name that is taken without regard to case, KindReferenceNotFound for an
	// owner, approver, account manager or workgroup that does not exist.
	CreateSource(ctx context.Context, source lifecycle.Source, attributes []lifecycle.SchemaAttribute, maxSources int) error
	// GetSource returns the source and what ties viewer to it; viewer may be zero.
	GetSource(ctx context.Context, id, viewer lifecycle.ID) (lifecycle.Source, policy.Relations, error)
	// ListSources returns a page and, where q.Count, the number of matches.
	ListSources(ctx context.Context, reach policy.Reach, q filter.Query, withRecords bool) ([]lifecycle.CountedSource, int, error)
	// UpdateSource applies change to the source while its row is locked, so that
	// changes of one object follow one another and none is lost. An error of
	// change ends the transaction and is returned as it is.
	UpdateSource(ctx context.Context, id lifecycle.ID, change func(*lifecycle.Source) error) (lifecycle.Source, error)
	// DeleteSource removes the source and everything under it in one
	// transaction and notes the workflows that must end.
	DeleteSource(ctx context.Context, id lifecycle.ID) error

	// ListAttributes returns the attributes of the source by position.
	ListAttributes(ctx context.Context, source lifecycle.ID) ([]lifecycle.SchemaAttribute, error)
	GetAttribute(ctx context.Context, source, id lifecycle.ID) (lifecycle.SchemaAttribute, error)
	// CreateAttribute adds a custom attribute at the end and sets its Position.
	// Errors: KindLimit, KindConflict (technicalName without regard to case).
	CreateAttribute(ctx context.Context, attribute lifecycle.SchemaAttribute) (lifecycle.SchemaAttribute, error)
	UpdateAttribute(ctx context.Context, source, id lifecycle.ID, change func(*lifecycle.SchemaAttribute) error) (lifecycle.SchemaAttribute, error)
	// DeleteAttribute removes a custom attribute and strips its values from the
	// source's records and requests. A system attribute is KindIllegalUpdate.
	DeleteAttribute(ctx context.Context, source, id lifecycle.ID) error
	// DeleteAttributes does so with every custom attribute of the source.
	DeleteAttributes(ctx context.Context, source lifecycle.ID) error
}

// RecordStore keeps records.
type RecordStore interface {
	// CreateRecord writes name, counter and record in one transaction. Errors:
	// KindConflict for an account name that is taken (with the contract's
	// text), KindLimit beyond maxPerSource, KindReferenceNotFound for a source
	// or manager that does not exist.
	CreateRecord(ctx context.Context, record lifecycle.Record, maxPerSource int) error
	GetRecord(ctx context.Context, id, viewer lifecycle.ID) (lifecycle.Record, policy.Relations, error)
	ListRecords(ctx context.Context, reach policy.Reach, q filter.Query) ([]lifecycle.Record, int, error)
	// UpdateRecord applies change while the record is locked. attributes are
	// the schema of its source. A changed account name moves its reservation.
	UpdateRecord(ctx context.Context, id lifecycle.ID, change func(record *lifecycle.Record, attributes []lifecycle.SchemaAttribute) error) (lifecycle.Record, error)
	DeleteRecord(ctx context.Context, id lifecycle.ID) error
	// DeleteRecords removes all ids or none; an unknown one is
	// KindReferenceNotFound naming it. Doubled ids count once.
	DeleteRecords(ctx context.Context, ids []lifecycle.ID) error
	// RecordLifecycles returns where the records stand and what comes next for them
	// as of at; those that there are not are left out.
	RecordLifecycles(ctx context.Context, ids []lifecycle.ID, at time.Time) (map[lifecycle.ID]lifecycle.RecordLifecycle, error)
	// EndRecord ends the record now, for a reason, and tells of it. One that was
	// ended so is left as it is.
	EndRecord(ctx context.Context, id lifecycle.ID, reason string) (lifecycle.Record, error)
}

// RequestStore keeps requests and their approval items.
type RequestStore interface {
	// AcceptRequest is the accepting transaction: the request, its items for
	// the approvers that the source names at this moment, the account name and
	// the counter. request carries ID, Source.ID, Requester, Person, Created;
	// the rest is filled in by the store. Errors as CreateRecord's.
	AcceptRequest(ctx context.Context, request lifecycle.Request, maxPerSource int) (lifecycle.Request, error)
	GetRequest(ctx context.Context, id, viewer lifecycle.ID) (lifecycle.Request, policy.Relations, error)
	ListRequests(ctx context.Context, reach policy.Reach, q filter.Query) ([]lifecycle.Request, int, error)
	SummarizeRequests(ctx context.Context, reach policy.Reach) (lifecycle.RequestSummary, error)
	// RequestStanding returns where the request stands, without names and without what
	// is coming, and what ties viewer to it.
	RequestStanding(ctx context.Context, id, viewer lifecycle.ID) (lifecycle.Standing, policy.Relations, error)
	// Foresee fills these in.
	Foresee(ctx context.Context, standing lifecycle.Standing) (lifecycle.Standing, error)
	// DeleteRequest removes the request; a pending one frees its account name
	// and its place in the counter, and its workflow is noted to end.
	DeleteRequest(ctx context.Context, id lifecycle.ID) error

	GetApproval(ctx context.Context, id, viewer lifecycle.ID) (lifecycle.ApprovalItem, policy.Relations, error)
	ListApprovals(ctx context.Context, reach policy.Reach, q filter.Query) ([]lifecycle.ApprovalItem, int, error)
	SummarizeApprovals(ctx context.Context, reach policy.Reach) (lifecycle.ApprovalSummary, error)
	// AnnounceDecision keeps what of a decision that is about to be sent does not
	// travel with it: the comment, which may be empty, and who ctx says is sending
	// it. A second one under the same id changes nothing.
	AnnounceDecision(ctx context.Context, decision lifecycle.Decision, comment string) error
	// ReassignApproval hands an undecided item on from move.From to move.To.
	// Errors: KindIllegalUpdate for an item that is decided or no more with
	// move.From, and where move.To can't get it; KindReferenceNotFound for one that
	// is not there.
	ReassignApproval(ctx context.Context, move lifecycle.Reassignment) (source lifecycle.ID, err error)
	// ClaimApproval makes a pending item of a group that of a member. Errors:
	// KindForbidden for somebody else, KindIllegalUpdate for an item that somebody
	// has.
	ClaimApproval(ctx context.Context, item, identity lifecycle.ID, comment string) (source lifecycle.ID, err error)
	// ListReassignments returns how an item went from one to another, oldest first.
	ListReassignments(ctx context.Context, item lifecycle.ID) ([]lifecycle.Reassignment, error)
}

// IdentityStore looks people and groups up.
type IdentityStore interface {
	// ResolveIdentities finds identities by alias (without regard to case) or
	// id; what is not found is absent from the answer, which is keyed by the
	// references as given. Inactive identities are found too.
	ResolveIdentities(ctx context.Context, references []string) (map[string]lifecycle.Identity, error)
	// WorkgroupExists reports whether there is a workgroup with this id.
	WorkgroupExists(ctx context.Context, id lifecycle.ID) (bool, error)
}

// Store is everything that the use cases keep.
type Store interface {
	SourceStore
	RecordStore
	RequestStore
	ApprovalPolicyStore
	LifecyclePolicyStore
	ExtensionStore
	IdentityStore
	DirectoryStore
	AbsenceStore
	ImportStore
	WebhookStore
	ExportStore
	AuditStore
	ClientStore
}

// Workflows starts and reaches workflows.
type Workflows interface {
	BulkWorkflows
	// StartRequest starts the workflow of a request that was just accepted with so
	// many approval items, and is content with one that runs already. It returns
	// when Temporal has it.
	StartRequest(ctx context.Context, request, source lifecycle.ID, items int) error
	// AwaitRequest returns once the workflow of the request has ended, or with
	// ctx's error.
	AwaitRequest(ctx context.Context, request lifecycle.ID) error
	// Decide carries the decision to the workflow, starting it if need be, and
	// returns what the workflow stored. KindUnavailable says that no answer
	// came in time; the decision may still go through.
	Decide(ctx context.Context, decision lifecycle.Decision) (lifecycle.DecisionResult, error)
	// NudgeRequest makes the workflow of a request read its rows again, starting it
	// if need be.
	NudgeRequest(ctx context.Context, request, source lifecycle.ID) error
	// WakeAbsence has the workflow of an absence look at its rows, starting it if
	// need be. It returns when Temporal has it.
	WakeAbsence(ctx context.Context, absence lifecycle.ID) error
	// EndWorkflows asks for the noted workflows to be ended soon; it does not wait.
	EndWorkflows()
}

// Settings are what configuration gives the use cases.
type Settings struct {
	Limits lifecycle.Limits
	// AutoApprovalWait bounds how long the POST of a request without approvers
	// waits for its record (contract §4: 2 s).
	AutoApprovalWait time.Duration
	// StartTimeout bounds how long an operation tries to start a workflow, or to
	// make a schedule, before it leaves that to the sweep.
	StartTimeout time.Duration
	// DecisionTimeout bounds how long approve and reject wait for the workflow.
	DecisionTimeout time.Duration
	// Uploads is how many files are received at once; at least 1.
	Uploads int
	// ExportTimeout bounds how long an export may take to begin.
	ExportTimeout time.Duration
	// WebhookHTTP lets endpoints of webhooks be without TLS.
	WebhookHTTP bool
	// NewSecret makes the secret of a client, and the hash that is kept of it.
	NewSecret func() (secret string, hash []byte, err error)
}

// Service carries out the operations of the contract.
type Service struct {
	store     Store
	workflows Workflows
	settings  Settings
	log       *slog.Logger
	now       func() time.Time
	// uploads has an element for each file that is being received.
	uploads chan struct{}
}

// New returns a Service over its parts.
func New(store Store, workflows Workflows, settings Settings, log *slog.Logger) *Service {
	return &Service{
		store: store, workflows: workflows, settings: settings, log: log,
		now:     func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) },
		uploads: make(chan struct{}, max(1, settings.Uploads)),
	}
}

// Patch changes a JSON document; httpapi makes it from the operations of a JSON
// Patch (RFC 6902).
type Patch struct {
	// Members are the names of the document's members that the operations touch
	// otherwise than to look at them.
	Members []string
	// Apply carries the operations out. Its errors are lifecycle errors.
	Apply func(document []byte) ([]byte, error)
}
