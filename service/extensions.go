package service

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"gatehouse/csvfile"
	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// ExtensionStore keeps extensions.
type ExtensionStore interface {
	// AcceptExtension is the accepting transaction: the request, its items for the
	// approvers that the source names at this moment, and its records, those of
	// targets or, where that is nil, those of the source that where lets through.
	// extension carries ID, Source.ID, Requester, EndDate, Comment and Created; the
	// rest is filled in by the store. All that is wrong with the records is one
	// error, see [lifecycle.ImportFaults.Err].
	AcceptExtension(ctx context.Context, extension lifecycle.Extension, targets []lifecycle.ExtensionTarget, where filter.Expr) (lifecycle.Extension, error)
	GetExtension(ctx context.Context, id, viewer lifecycle.ID) (lifecycle.Extension, policy.Relations, error)
	ListExtensions(ctx context.Context, reach policy.Reach, q filter.Query) ([]lifecycle.Extension, int, error)
	ListExtensionRecords(ctx context.Context, extension lifecycle.ID, q filter.Query) ([]lifecycle.ExtensionRecord, int, error)
	// CancelExtension withdraws a pending one; KindIllegalUpdate for any other.
	CancelExtension(ctx context.Context, id lifecycle.ID) error
	// AnnounceExtensionDecision is AnnounceDecision for an approval that takes
	// records out. Errors: KindIllegalUpdate for an item that another decision has
	// decided or closed, KindReferenceNotFound for a record that is not in the
	// extension, KindIllegalValue where none would be left.
	AnnounceExtensionDecision(ctx context.Context, decision lifecycle.Decision, comment string, rejected []lifecycle.ID) error
}

// FormUpload is a file that arrives with a few texts beside it.
type FormUpload interface {
	Upload
	// Field is the text of the part of that name, nil if there was none. It can be
	// asked for after Close.
	Field(name string) *string
}

// CreateExtension asks for a later end of many records, which are named by their
// ids or by a filter of the list of records. Once it is stored it is accepted; one
// that needs no approval is waited for, as a request is.
func (s *Service) CreateExtension(ctx context.Context, a policy.Actor, in lifecycle.ExtensionInput) (lifecycle.Extension, error) {
	body := lifecycle.PersonInput{SourceID: in.SourceID, Faults: in.Faults}
	into, err := s.bodySource(ctx, policy.CreateExtension, a, &body)
	if err != nil {
		return lifecycle.Extension{}, err
	}
	in.Faults = body.Faults
	extension, targets, faults := in.Judge(s.now())
	q, err := filter.Params{Filters: in.Filters}.Judge(filter.Records)
	if err := faults.With(err).Err(); err != nil {
		return lifecycle.Extension{}, err
	}
	extension.Source.ID = into.source.ID
	return s.acceptExtension(ctx, a, extension, targets, q.Where)
}

func (s *Service) acceptExtension(ctx context.Context, a policy.Actor, extension lifecycle.Extension, targets []lifecycle.ExtensionTarget, where filter.Expr) (lifecycle.Extension, error) {
	extension.ID, extension.Requester, extension.Created = lifecycle.NewID(), a.IdentityID, s.now()
	accepted, err := s.store.AcceptExtension(ctx, extension, targets, where)
	if err != nil {
		return lifecycle.Extension{}, err
	}
	ctx = context.WithoutCancel(ctx)
	if !s.start(ctx, accepted.ID, accepted.Source.ID, len(accepted.Items)) {
		return accepted, nil
	}
	stored, _, err := s.store.GetExtension(ctx, accepted.ID, accepted.Requester)
	if err != nil {
		return accepted, nil //nolint:nilerr // it is accepted, whatever became of it since
	}
	return stored, nil
}

// ImportExtension is CreateExtension for the records that a file names (see
// [csvfile.NewExtensionDecoder]). The field "endDate" is the end of those that the
// file gives none, and "comment" says why. All that is wrong with the file is told
// at once, and nothing is asked for then.
func (s *Service) ImportExtension(ctx context.Context, a policy.Actor, source lifecycle.ID, upload FormUpload) (lifecycle.Extension, error) {
	if _, err := s.source(ctx, policy.ImportExtension, a, source); err != nil {
		return lifecycle.Extension{}, err
	}
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return lifecycle.Extension{}, errTooManyUploads
	}
	file, err := upload.Open(ctx)
	if err != nil {
		return lifecycle.Extension{}, err
	}
	named := namedRecords{now: s.now()}
	if err := named.read(csvfile.NewExtensionDecoder(file)); err != nil {
		return lifecycle.Extension{}, err
	}
	if err := upload.Close(); err != nil {
		return lifecycle.Extension{}, err
	}
	extension, err := named.judge(upload.Field("endDate"), upload.Field("comment"))
	if err != nil {
		return lifecycle.Extension{}, err
	}
	extension.Source.ID = source
	extension, err = s.acceptExtension(ctx, a, extension, named.targets, nil)
	return extension, goneSince(policy.ImportExtension, a, err)
}

// ListExtensions returns a page of the extensions within the actor's reach and,
// where p.Count, how many there are.
func (s *Service) ListExtensions(ctx context.Context, a policy.Actor, requestedFor, assignedTo *string, p filter.Params) ([]lifecycle.Extension, int, error) {
	reach, err := policy.ExtensionReach(a, requestedFor, assignedTo)
	if err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(filter.Extensions)
	if err != nil {
		return nil, 0, err
	}
	return s.store.ListExtensions(ctx, reach, q)
}

// GetExtension returns one extension with its approval items.
func (s *Service) GetExtension(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Extension, error) {
	return s.extension(ctx, policy.GetExtension, a, id)
}

// ListExtensionRecords returns a page of the records of an extension and, where
// p.Count, how many there are.
func (s *Service) ListExtensionRecords(ctx context.Context, a policy.Actor, id lifecycle.ID, p filter.Params) ([]lifecycle.ExtensionRecord, int, error) {
	if _, err := s.extension(ctx, policy.ListExtensionRecords, a, id); err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(filter.ExtensionRecords)
	if err != nil {
		return nil, 0, err
	}
	return s.store.ListExtensionRecords(ctx, id, q)
}

// CancelExtension withdraws an extension that is not decided. Its workflow follows
// at once, or by the sweep.
func (s *Service) CancelExtension(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.Extension, error) {
	extension, err := s.extension(ctx, policy.CancelExtension, a, id)
	if err != nil {
		return lifecycle.Extension{}, err
	}
	if err := s.store.CancelExtension(ctx, id); err != nil {
		return lifecycle.Extension{}, goneSince(policy.CancelExtension, a, err)
	}
	nudgeCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.settings.StartTimeout)
	defer cancel()
	if err := s.workflows.NudgeRequest(nudgeCtx, id, extension.Source.ID); err != nil {
		s.log.WarnContext(ctx, "the extension is withdrawn, its workflow is left to the sweep",
			"request_id", id.String(), "error", err)
	}
	extension, _, err = s.store.GetExtension(ctx, id, a.IdentityID)
	return extension, goneSince(policy.CancelExtension, a, err)
}

// ApproveExtension approves, by an approval item of an extension, all of its
// records but those that in.Rejected names, which are out. The comment is optional
// where it names none.
func (s *Service) ApproveExtension(ctx context.Context, a policy.Actor, item lifecycle.ID, in DecisionInput) (lifecycle.Extension, error) {
	return s.decideExtension(ctx, policy.ApproveExtension, a, item, lifecycle.VerdictApprove, in)
}

// RejectExtension rejects an extension as a whole. The comment is required.
func (s *Service) RejectExtension(ctx context.Context, a policy.Actor, item lifecycle.ID, in DecisionInput) (lifecycle.Extension, error) {
	in.Rejected = nil
	return s.decideExtension(ctx, policy.RejectExtension, a, item, lifecycle.VerdictReject, in)
}

func (s *Service) decideExtension(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID, verdict lifecycle.Verdict, in DecisionInput) (lifecycle.Extension, error) {
	item, err := s.decide(ctx, op, a, id, verdict, in)
	if err != nil {
		return lifecycle.Extension{}, err
	}
	extension, _, err := s.store.GetExtension(ctx, item.RequestID, a.IdentityID)
	return extension, goneSince(op, a, err)
}

// rejected are the ids of the records that are taken out.
func (in DecisionInput) rejected() ([]lifecycle.ID, error) {
	const field = "rejectedRecords"
	if len(in.Rejected) > lifecycle.MaxExtensionRecords {
		return nil, lifecycle.TooManyExtended(field)
	}
	ids := make([]lifecycle.ID, len(in.Rejected))
	for i, text := range in.Rejected {
		var err error
		if ids[i], err = lifecycle.ParseID(lifecycle.Normalize(text)); err != nil {
			return nil, lifecycle.FieldError(lifecycle.KindBadRequest, field, field+" must hold UUIDs;")
		}
	}
	return ids, nil
}

// decisionKey tells a decision that takes out these records from one that takes
// out others, where the client does not say which is which.
func decisionKey(key string, rejected []lifecycle.ID) string {
	if key != "" || len(rejected) == 0 {
		return key
	}
	rejected = slices.Clone(rejected)
	slices.SortFunc(rejected, func(a, b lifecycle.ID) int { return slices.Compare(a[:], b[:]) })
	sum := sha256.New()
	for _, id := range slices.Compact(rejected) {
		sum.Write(id[:])
	}
	return hex.EncodeToString(sum.Sum(nil))
}
