package service

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// rows is a store of a handful of objects; what a test does not give it, it
// has not got.
type rows struct {
	Store
	source     *lifecycle.Source
	relations  policy.Relations
	record     *lifecycle.Record
	item       *lifecycle.ApprovalItem
	identities map[string]lifecycle.Identity
	groups     []lifecycle.ID
	comments   []string
	asked      int
	// optional makes the custom attribute of every record optional.
	optional bool
	// beforeUpdate, where set, is what others do to the objects just before one
	// is changed.
	beforeUpdate func()
	// changes is what the changes of objects came to.
	changes []error
}

func (r *rows) GetSource(_ context.Context, id, _ lifecycle.ID) (lifecycle.Source, policy.Relations, error) {
	r.asked++
	if r.source == nil || r.source.ID != id {
		return lifecycle.Source{}, policy.Relations{}, policy.ErrNotFound
	}
	return *r.source, r.relations, nil
}

func (r *rows) ListAttributes(_ context.Context, source lifecycle.ID) ([]lifecycle.SchemaAttribute, error) {
	return lifecycle.SystemAttributes(source, time.Now()), nil
}

func (r *rows) ResolveIdentities(_ context.Context, references []string) (map[string]lifecycle.Identity, error) {
	found := map[string]lifecycle.Identity{}
	for _, reference := range references {
		if identity, ok := r.identities[reference]; ok {
			found[reference] = identity
		}
	}
	return found, nil
}

func (r *rows) GetRecord(_ context.Context, id, _ lifecycle.ID) (lifecycle.Record, policy.Relations, error) {
	if r.record == nil || r.record.ID != id {
		return lifecycle.Record{}, policy.Relations{}, policy.ErrNotFound
	}
	return *r.record, r.relations, nil
}

func (r *rows) UpdateRecord(_ context.Context, _ lifecycle.ID, change func(*lifecycle.Record, []lifecycle.SchemaAttribute) error) (lifecycle.Record, error) {
	copied := *r.updated().record
	attributes := lifecycle.SystemAttributes(r.record.SourceID, time.Now())
	attributes = append(attributes, lifecycle.SchemaAttribute{TechnicalName: "badge", Type: lifecycle.AttributeText, Required: !r.optional})
	err := change(&copied, attributes)
	if r.changes = append(r.changes, err); err != nil {
		return lifecycle.Record{}, err
	}
	r.record = &copied
	return copied, nil
}

func (r *rows) UpdateSource(_ context.Context, _ lifecycle.ID, change func(*lifecycle.Source) error) (lifecycle.Source, error) {
	copied := *r.updated().source
	err := change(&copied)
	if r.changes = append(r.changes, err); err != nil {
		return lifecycle.Source{}, err
	}
	r.source = &copied
	return copied, nil
}

func (r *rows) updated() *rows {
	if r.beforeUpdate != nil {
		r.beforeUpdate()
	}
	return r
}

func (r *rows) CreateSource(_ context.Context, source lifecycle.Source, _ []lifecycle.SchemaAttribute, _ int) error {
	r.source = &source
	return nil
}

func (r *rows) WorkgroupExists(_ context.Context, id lifecycle.ID) (bool, error) {
	return slices.Contains(r.groups, id), nil
}

func (r *rows) GetApproval(context.Context, lifecycle.ID, lifecycle.ID) (lifecycle.ApprovalItem, policy.Relations, error) {
	if r.item == nil {
		return lifecycle.ApprovalItem{}, policy.Relations{}, policy.ErrNotFound
	}
	return *r.item, r.relations, nil
}

func (r *rows) AnnounceDecision(_ context.Context, _ lifecycle.Decision, comment string) error {
	r.comments = append(r.comments, comment)
	return nil
}

// engine answers decisions as the test says.
type engine struct {
	Workflows
	decide func(lifecycle.Decision) (lifecycle.DecisionResult, error)
}

func (e engine) Decide(_ context.Context, d lifecycle.Decision) (lifecycle.DecisionResult, error) {
	return e.decide(d)
}

func newService(store Store, workflows Workflows) *Service {
	return New(store, workflows, Settings{
		Limits:          lifecycle.Limits{Sources: 50, RecordsPerSource: 20_000},
		DecisionTimeout: time.Second,
	}, slog.New(slog.DiscardHandler))
}

func user(id lifecycle.ID, levels ...lifecycle.Level) policy.Actor {
	return policy.Actor{IdentityID: id, Levels: levels, Scopes: []string{lifecycle.ScopeAll}}
}

func TestABodyIsJudgedOnlyAfterAccess(t *testing.T) {
	t.Parallel()
	source := lifecycle.Source{ID: lifecycle.NewID()}
	faulty := lifecycle.PersonInput{}
	faulty.Faults.Add(lifecycle.KindBadRequest, "", "the body is not JSON")
	known, unknown, nonsense := source.ID.String(), lifecycle.NewID().String(), "nonsense"

	s := newService(&rows{source: &source}, nil)
	outsider, admin := user(lifecycle.NewID()), user(lifecycle.NewID(), lifecycle.LevelOrgAdmin)
	for _, id := range []*string{&known, &unknown, &nonsense, nil} {
		in := faulty
		in.SourceID = id
		_, err := s.CreateRequest(t.Context(), outsider, in)
		require.Equal(t, policy.ErrForbidden, err)
		_, err = s.CreateRequest(t.Context(), admin, in)
		require.ErrorContains(t, err, "the body is not JSON")
	}
}

func TestARightHolderIsToldWhatIsWrongWithTheSource(t *testing.T) {
	t.Parallel()
	s := newService(&rows{}, nil)
	admin := user(lifecycle.NewID(), lifecycle.LevelOrgAdmin)
	id := lifecycle.NewID().String()
	_, err := s.CreateRecord(t.Context(), admin, lifecycle.PersonInput{SourceID: &id})
	require.ErrorContains(t, err, "sourceId names no source;")
	require.ErrorContains(t, err, "accountName is required;")
}

func storedRecord() *lifecycle.Record {
	start := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	return &lifecycle.Record{
		ID: lifecycle.NewID(), SourceID: lifecycle.NewID(), Created: start, Modified: start,
		Person: lifecycle.Person{
			AccountName: "will", FirstName: "Will", LastName: "Smith", Phone: "1", Email: "will@example.com",
			Manager:   lifecycle.ManagerReference{ID: lifecycle.NewID(), Alias: "jane.doe"},
			StartDate: start, EndDate: start.AddDate(1, 0, 0), Data: map[string]string{},
		},
	}
}

// becoming is a patch that leaves this document.
func becoming(document string) Patch {
	return Patch{Apply: func([]byte) ([]byte, error) { return []byte(document), nil }}
}

func TestAnAccountManagerIsNotBarredByAnAttributeThatBecameRequired(t *testing.T) {
	t.Parallel()
	store := &rows{record: storedRecord(), relations: policy.Relations{AccountManager: true}}
	s := newService(store, nil)
	end := "2028-06-30"
	name, first, last, phone, mail, manager, start := "will", "Will", "Smith", "1", "will@example.com", "JANE.DOE", "2027-01-01"
	in := lifecycle.PersonInput{
		AccountName: &name, FirstName: &first, LastName: &last, Phone: &phone, Email: &mail,
		Manager: &manager, StartDate: &start, EndDate: &end,
	}
	record, err := s.PutRecord(t.Context(), user(lifecycle.NewID()), store.record.ID, in)
	require.NoError(t, err)
	require.Equal(t, time.Date(2028, 6, 30, 0, 0, 0, 0, time.UTC), record.EndDate)

	_, err = s.PutRecord(t.Context(), user(lifecycle.NewID(), lifecycle.LevelOrgAdmin), store.record.ID, in)
	require.ErrorContains(t, err, "badge", "who may change everything is held to the whole schema")

	for _, change := range []func(*lifecycle.PersonInput){
		func(in *lifecycle.PersonInput) { other := "Bill"; in.FirstName = &other },
		func(in *lifecycle.PersonInput) { other := "john.roe"; in.Manager = &other },
		func(in *lifecycle.PersonInput) { other := "2027-01-02"; in.StartDate = &other },
		func(in *lifecycle.PersonInput) { other := lifecycle.NewID().String(); in.ID = &other },
		func(in *lifecycle.PersonInput) { in.HasData, in.Data = true, map[string]string{"badge": "x"} },
	} {
		changed := in
		change(&changed)
		_, err := s.PutRecord(t.Context(), user(lifecycle.NewID()), store.record.ID, changed)
		require.Equal(t, policy.ErrForbidden, err)
	}
}

func TestAPatchChangesNothingOutsideItsFields(t *testing.T) {
	t.Parallel()
	store := &rows{record: storedRecord()}
	s := newService(store, nil)
	admin := user(lifecycle.NewID(), lifecycle.LevelOrgAdmin)
	for _, document := range []string{`{}`, `{"id":"x"}`, `{"more":1}`} {
		_, err := s.PatchRecord(t.Context(), admin, store.record.ID, becoming(document))
		require.Equal(t, lifecycle.KindIllegalUpdate, lifecycle.KindOf(err), document)
	}
	for _, document := range []string{`[]`, `null`, `"x"`, `{"a":1,"a":2}`} {
		_, err := s.PatchRecord(t.Context(), admin, store.record.ID, becoming(document))
		require.Equal(t, lifecycle.KindBadRequest, lifecycle.KindOf(err), document)
	}
}

func TestADecisionIsAnsweredByTheRows(t *testing.T) {
	t.Parallel()
	approver := lifecycle.NewID()
	pending := lifecycle.ApprovalItem{ID: lifecycle.NewID(), RequestID: lifecycle.NewID(), Status: lifecycle.StatusPending, Approver: lifecycle.IdentityReference(approver)}
	approved := pending
	approved.Status, approved.DecidedBy = lifecycle.StatusApproved, approver
	rejected := approved
	rejected.Status = lifecycle.StatusRejected
	late := lifecycle.NewError(lifecycle.KindUnavailable, "no answer in time")

	for _, c := range []struct {
		name          string
		before, after lifecycle.ApprovalItem
		result        lifecycle.DecisionOutcome
		sendErr       error
		want          lifecycle.Kind
		ok            bool
	}{
		{"stored", pending, approved, lifecycle.DecisionStored, nil, 0, true},
		{"no answer, but the row has it", pending, approved, 0, late, 0, true},
		{"no answer, and the row waits", pending, pending, 0, late, lifecycle.KindUnavailable, false},
		{"no answer, and another verdict won", pending, rejected, 0, late, lifecycle.KindIllegalUpdate, false},
		{"another verdict won", pending, rejected, lifecycle.DecisionNotDecidable, nil, lifecycle.KindIllegalUpdate, false},
		{"reassigned meanwhile", pending, pending, lifecycle.DecisionForbidden, nil, lifecycle.KindForbidden, false},
		{"repeated", approved, approved, 0, errors.New("must not be sent"), 0, true},
		{"late", rejected, rejected, 0, errors.New("must not be sent"), lifecycle.KindIllegalUpdate, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := &rows{item: &c.before, relations: policy.Relations{Approver: true}}
			s := newService(store, engine{decide: func(lifecycle.Decision) (lifecycle.DecisionResult, error) {
				store.item = &c.after
				return lifecycle.DecisionResult{Outcome: c.result}, c.sendErr
			}})
			item, err := s.Approve(t.Context(), user(approver), pending.ID, DecisionInput{})
			if c.ok {
				require.NoError(t, err)
				require.Equal(t, c.after, item)
				return
			}
			require.Equal(t, c.want, lifecycle.KindOf(err), "%v", err)
		})
	}
}

func TestARejectionNeedsAComment(t *testing.T) {
	t.Parallel()
	approver := lifecycle.NewID()
	store := &rows{
		item:      &lifecycle.ApprovalItem{ID: lifecycle.NewID(), Status: lifecycle.StatusPending},
		relations: policy.Relations{Approver: true},
	}
	_, err := newService(store, nil).Reject(t.Context(), user(approver), store.item.ID, DecisionInput{})
	require.Equal(t, lifecycle.KindRequired, lifecycle.KindOf(err))
	require.Empty(t, store.comments)
}

func TestARepeatedRejectionNeedsNoComment(t *testing.T) {
	t.Parallel()
	approver := lifecycle.NewID()
	item := lifecycle.ApprovalItem{ID: lifecycle.NewID(), Status: lifecycle.StatusRejected, DecidedBy: approver, Comment: "No"}
	s := newService(&rows{item: &item, relations: policy.Relations{Approver: true}}, nil)
	repeated, err := s.Reject(t.Context(), user(approver), item.ID, DecisionInput{})
	require.NoError(t, err)
	require.Equal(t, item, repeated)

	_, err = s.Approve(t.Context(), user(approver), item.ID, DecisionInput{})
	require.Equal(t, lifecycle.NotDecidable(lifecycle.StatusRejected), err)
	_, err = s.Reject(t.Context(), user(lifecycle.NewID()), item.ID, DecisionInput{})
	require.Equal(t, lifecycle.NotDecidable(lifecycle.StatusRejected), err)
	var faults lifecycle.Faults
	faults.Add(lifecycle.KindBadRequest, "", "the body is not JSON")
	_, err = s.Reject(t.Context(), user(approver), item.ID, DecisionInput{Faults: faults})
	require.ErrorContains(t, err, "the body is not JSON")
}
