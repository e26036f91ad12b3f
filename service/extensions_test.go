package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// extending is a store of one extension, which remembers what was asked of it.
type extending struct {
	rows
	extension lifecycle.Extension
	targets   []lifecycle.ExtensionTarget
	where     filter.Expr
	announced map[lifecycle.ID][]lifecycle.ID
	reach     policy.Reach
	err       error
}

func (e *extending) AcceptExtension(_ context.Context, extension lifecycle.Extension, targets []lifecycle.ExtensionTarget, where filter.Expr) (lifecycle.Extension, error) {
	extension.Items = e.extension.Items
	e.extension, e.targets, e.where = extension, targets, where
	return extension, e.err
}

func (e *extending) GetExtension(context.Context, lifecycle.ID, lifecycle.ID) (lifecycle.Extension, policy.Relations, error) {
	return e.extension, e.relations, nil
}

func (e *extending) ListExtensions(_ context.Context, reach policy.Reach, _ filter.Query) ([]lifecycle.Extension, int, error) {
	e.reach = reach
	return []lifecycle.Extension{e.extension}, 1, nil
}

func (e *extending) ListExtensionRecords(_ context.Context, _ lifecycle.ID, q filter.Query) ([]lifecycle.ExtensionRecord, int, error) {
	e.where = q.Where
	return nil, 0, nil
}

func (e *extending) CancelExtension(context.Context, lifecycle.ID) error {
	e.extension.Status = lifecycle.StatusCancelled
	return e.err
}

func (e *extending) AnnounceExtensionDecision(_ context.Context, d lifecycle.Decision, comment string, rejected []lifecycle.ID) error {
	e.comments = append(e.comments, comment)
	e.announced[d.ID] = rejected
	return e.err
}

// carrier starts workflows and says when a request has come to its end.
type carrier struct {
	engine
	started map[lifecycle.ID]int
	await   func()
	nudged  int
	err     error
}

func (c *carrier) StartRequest(_ context.Context, request, _ lifecycle.ID, items int) error {
	c.started[request] = items
	return c.err
}

func (c *carrier) AwaitRequest(context.Context, lifecycle.ID) error {
	c.await()
	return nil
}

func (c *carrier) NudgeRequest(context.Context, lifecycle.ID, lifecycle.ID) error {
	c.nudged++
	return c.err
}

func newExtending() (*extending, *carrier, *Service) {
	source := lifecycle.Source{ID: lifecycle.NewID(), Name: "Contractors"}
	store := &extending{rows: rows{source: &source}, announced: map[lifecycle.ID][]lifecycle.ID{}}
	c := &carrier{started: map[lifecycle.ID]int{}, await: func() {}}
	s := newService(store, c)
	s.now = func() time.Time { return time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) }
	s.settings.StartTimeout, s.settings.AutoApprovalWait = time.Second, time.Second
	return store, c, s
}

// form is a file with texts beside it.
type form struct {
	*upload
	fields map[string]string
}

func (f form) Field(name string) *string {
	if text, given := f.fields[name]; given {
		return &text
	}
	return nil
}

func TestAnExtensionIsAskedForByIDs(t *testing.T) {
	t.Parallel()
	store, c, s := newExtending()
	store.extension.Items = make([]lifecycle.ApprovalItem, 2)
	store.relations.AccountManager = true
	a, b := lifecycle.NewID(), lifecycle.NewID()
	manager := user(lifecycle.NewID())
	in := lifecycle.ExtensionInput{
		SourceID: new(store.source.ID.String()), EndDate: new(" 2028-01-01 "), Comment: new(" why "),
		RecordIDs: []string{a.String(), strings.ToUpper(strings.ReplaceAll(b.String(), "-", "")), a.String()},
	}
	extension, err := s.CreateExtension(t.Context(), manager, in)
	require.NoError(t, err)
	end := time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)
	require.Equal(t, []lifecycle.ExtensionTarget{{RecordID: a, EndDate: end}, {RecordID: b, EndDate: end}}, store.targets)
	require.Equal(t, lifecycle.Extension{
		ID: extension.ID, Source: lifecycle.SourceSummary{ID: store.source.ID}, Requester: manager.IdentityID, EndDate: end,
		Comment: "why", Created: s.now(), Items: store.extension.Items,
	}, extension)
	require.Equal(t, map[lifecycle.ID]int{extension.ID: 2}, c.started)

	in.RecordIDs, in.Filters = nil, new(`manager eq "jane.doe"`)
	_, err = s.CreateExtension(t.Context(), app(lifecycle.RightUpdate), in)
	require.NoError(t, err)
	require.Nil(t, store.targets)
	require.Equal(t, `manager eq "jane.doe"`, store.where.String())

	store.err = lifecycle.NewError(lifecycle.KindConflict, "waits")
	_, err = s.CreateExtension(t.Context(), manager, in)
	require.Equal(t, store.err, err)
}

func TestAnExtensionThatNobodyDecidesIsWaitedFor(t *testing.T) {
	t.Parallel()
	store, c, s := newExtending()
	c.await = func() { store.extension.Status = lifecycle.StatusApproved }
	in := lifecycle.ExtensionInput{
		SourceID: new(store.source.ID.String()), EndDate: new("2028-01-01"), RecordIDs: []string{lifecycle.NewID().String()},
	}
	extension, err := s.CreateExtension(t.Context(), admin, in)
	require.NoError(t, err)
	require.Equal(t, lifecycle.StatusApproved, extension.Status)
	c.err = lifecycle.NewError(lifecycle.KindUnavailable, "no Temporal")
	extension, err = s.CreateExtension(t.Context(), admin, in)
	require.NoError(t, err, "it is accepted all the same")
	require.Empty(t, extension.Status)
}

func TestAllThatIsWrongWithAnExtensionIsToldAtOnce(t *testing.T) {
	t.Parallel()
	store, _, s := newExtending()
	many := make([]string, lifecycle.MaxExtensionRecords+1)
	for name, c := range map[string]struct {
		in   lifecycle.ExtensionInput
		want string
	}{
		"nothing": {lifecycle.ExtensionInput{}, "required: sourceId is required; endDate is required; recordIds or filters is required;"},
		"nothing right": {lifecycle.ExtensionInput{
			SourceID: new("x"), EndDate: new("2027-01-01"), RecordIDs: []string{"y"}, Comment: new("\x00"),
		}, "bad_request: sourceId must be a UUID; endDate must be in the future; " +
			"comment must not hold the control character U+0000; recordIds must hold UUIDs;"},
		"both": {lifecycle.ExtensionInput{
			SourceID: new(lifecycle.NewID().String()), EndDate: new("x"), RecordIDs: []string{}, Filters: new("nonsense eq 1"),
		}, "bad_request: sourceId names no source; endDate must be a date such as 2025-03-24 or 2025-03-24T00:00:00Z; " +
			"filters must not be given beside recordIds; filters, position 1: "},
		"too many": {lifecycle.ExtensionInput{
			SourceID: new(store.source.ID.String()), EndDate: new("2028-01-01"), RecordIDs: many,
		}, "limit: recordIds names more than 20000 records, which is the limit;"},
		"none": {lifecycle.ExtensionInput{
			SourceID: new(store.source.ID.String()), EndDate: new("2028-01-01"), RecordIDs: []string{},
		}, "required: recordIds or filters is required;"},
	} {
		_, err := s.CreateExtension(t.Context(), admin, c.in)
		require.Error(t, err, name)
		require.Contains(t, err.Error(), c.want, name)
	}
	require.Zero(t, store.extension)
}

func TestAFileNamesTheRecordsOfAnExtension(t *testing.T) {
	t.Parallel()
	store, _, s := newExtending()
	own, all := time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)
	file := form{uploaded("accountName,endDate\n WILL ,2029-01-01\n\nann,\n"), map[string]string{"endDate": "2028-01-01", "comment": "why"}}
	extension, err := s.ImportExtension(t.Context(), admin, store.source.ID, file)
	require.NoError(t, err)
	require.Equal(t, []lifecycle.ExtensionTarget{
		{Row: 1, Line: 2, AccountName: "will", EndDate: own}, {Row: 2, Line: 4, AccountName: "ann", EndDate: all},
	}, store.targets)
	require.Zero(t, extension.EndDate, "there is not one for all")
	require.Equal(t, "why", extension.Comment)
	require.Equal(t, 1, file.closed)

	id := lifecycle.NewID()
	file = form{uploaded("id\n" + id.String() + "\n"), map[string]string{"endDate": "2028-01-01"}}
	extension, err = s.ImportExtension(t.Context(), admin, store.source.ID, file)
	require.NoError(t, err)
	require.Equal(t, []lifecycle.ExtensionTarget{{Row: 1, Line: 2, RecordID: id, EndDate: all}}, store.targets)
	require.Equal(t, all, extension.EndDate)
}

func TestAllThatIsWrongWithTheFileOfAnExtensionIsTold(t *testing.T) {
	t.Parallel()
	store, _, s := newExtending()
	take := func(text string, fields map[string]string) error {
		_, err := s.ImportExtension(t.Context(), admin, store.source.ID, form{uploaded(text), fields})
		return err
	}
	for name, c := range map[string]struct {
		text   string
		fields map[string]string
		want   []string
	}{
		"rows": {"id,endDate\nx,2028-01-01\n,x\n" + lifecycle.NewID().String() + ",2026-01-01\n\"a\n", nil, []string{
			"line 2, column id: id must be a UUID", "line 3, column id: id is required",
			"line 3, column endDate: endDate must be a date such as 2025-03-24 or 2025-03-24T00:00:00Z",
			"line 4, column endDate: endDate must be in the future", "line 5",
		}},
		"no end": {"accountName\na\n \n", map[string]string{"endDate": " "}, []string{
			"line 2, column endDate: endDate is required where none is given for all", "line 3, column accountName: accountName is required",
			"line 3, column endDate: endDate is required where none is given for all",
		}},
		"what is beside it": {"accountName\na\n", map[string]string{"endDate": "x", "comment": "\x00"}, []string{
			"endDate must be a date such as", "comment must not hold",
		}},
		"header": {"a;b\n", nil, []string{"line 1: the columns must be separated by commas"}},
		"limit":  {"accountName\n" + strings.Repeat("a\n", lifecycle.MaxExtensionRecords+1), nil, []string{"data names more than 20000"}},
	} {
		err := take(c.text, c.fields)
		require.Error(t, err, name)
		lines := strings.Split(err.Error(), "\n")
		require.Len(t, lines, len(c.want), "%s: %v", name, lines)
		for i, want := range c.want {
			require.Contains(t, lines[i], want, name)
		}
	}
	broken := errors.New("broken off")
	_, err := s.ImportExtension(t.Context(), admin, store.source.ID, form{&upload{openErr: broken}, nil})
	require.Equal(t, broken, err)
	_, err = s.ImportExtension(t.Context(), admin, store.source.ID,
		form{&upload{Reader: strings.NewReader("id\n" + lifecycle.NewID().String()), closeErr: broken}, map[string]string{"endDate": "2028-01-01"}})
	require.Equal(t, broken, err)
	require.Zero(t, store.extension, "nothing is asked for")
}

// TestAPartOfAnExtensionIsApproved: the records that are out are announced under
// an id of their own, with a comment.
func TestAPartOfAnExtensionIsApproved(t *testing.T) {
	t.Parallel()
	store, c, s := newExtending()
	approver := user(lifecycle.NewID())
	store.item = &lifecycle.ApprovalItem{ID: lifecycle.NewID(), RequestID: lifecycle.NewID(), Status: lifecycle.StatusPending, Extension: true}
	store.relations.Approver = true
	var sent []lifecycle.ID
	c.decide = func(d lifecycle.Decision) (lifecycle.DecisionResult, error) {
		sent = append(sent, d.ID)
		store.item.Status, store.item.DecidedBy = d.Verdict.Status(), d.Approver
		return lifecycle.DecisionResult{}, nil
	}
	a, b := lifecycle.NewID(), lifecycle.NewID()
	approve := func(in DecisionInput) error {
		store.item.Status, store.item.DecidedBy = lifecycle.StatusPending, lifecycle.ID{}
		_, err := s.ApproveExtension(t.Context(), approver, store.item.ID, in)
		return err
	}
	require.ErrorContains(t, approve(DecisionInput{Rejected: []string{a.String()}}), "comment is required")
	require.ErrorContains(t, approve(DecisionInput{Comment: new("c"), Rejected: []string{"x"}}), "rejectedRecords must hold UUIDs")
	require.ErrorContains(t, approve(DecisionInput{Comment: new("c"), Rejected: make([]string, lifecycle.MaxExtensionRecords+1)}), "20000")
	require.Empty(t, sent)
	require.NoError(t, approve(DecisionInput{}))
	require.NoError(t, approve(DecisionInput{Comment: new("c"), Rejected: []string{a.String(), b.String()}}))
	require.NoError(t, approve(DecisionInput{Comment: new("c"), Rejected: []string{b.String(), a.String(), a.String()}}))
	require.NoError(t, approve(DecisionInput{Comment: new("c"), Rejected: []string{b.String()}}))
	require.NoError(t, approve(DecisionInput{Comment: new("c"), Key: "k", Rejected: []string{b.String()}}))
	require.Equal(t, sent[1], sent[2], "the same records are the same decision")
	require.Len(t, map[lifecycle.ID]bool{sent[0]: true, sent[1]: true, sent[3]: true, sent[4]: true}, 4)
	require.Equal(t, []lifecycle.ID{b}, store.announced[sent[3]])
	require.NotContains(t, store.announced, sent[0])

	// One that was decided is asked of the store once more, which knows by what.
	_, err := s.ApproveExtension(t.Context(), approver, store.item.ID, DecisionInput{})
	require.NoError(t, err)
	store.err = lifecycle.NotDecidable(lifecycle.StatusApproved)
	_, err = s.ApproveExtension(t.Context(), approver, store.item.ID, DecisionInput{Comment: new("c"), Rejected: []string{a.String()}})
	require.Equal(t, store.err, err)
	_, err = s.RejectExtension(t.Context(), approver, store.item.ID, DecisionInput{Comment: new("c")})
	require.ErrorContains(t, err, "APPROVED")
}

// TestItemsAreDecidedByTheOperationsOfTheirKind: those of the contract don't know
// items of extensions, and the other way round.
func TestItemsAreDecidedByTheOperationsOfTheirKind(t *testing.T) {
	t.Parallel()
	store, _, s := newExtending()
	store.relations.Approver = true
	approver := user(lifecycle.NewID())
	for _, extension := range []bool{false, true} {
		store.item = &lifecycle.ApprovalItem{ID: lifecycle.NewID(), Status: lifecycle.StatusRejected, Extension: extension}
		errs := map[string]error{}
		_, errs["get"] = s.GetApproval(t.Context(), approver, store.item.ID, false)
		_, errs["approve"] = s.Approve(t.Context(), approver, store.item.ID, DecisionInput{})
		_, errs["reject"] = s.Reject(t.Context(), approver, store.item.ID, DecisionInput{})
		ours := map[string]error{}
		_, ours["approve"] = s.ApproveExtension(t.Context(), approver, store.item.ID, DecisionInput{})
		_, ours["reject"] = s.RejectExtension(t.Context(), approver, store.item.ID, DecisionInput{})
		if extension {
			errs, ours = ours, errs
		}
		for name, err := range ours {
			require.Equal(t, policy.ErrForbidden, err, fmt.Sprint(extension, " ", name))
		}
		for name, err := range errs {
			require.NotEqual(t, policy.ErrForbidden, err, fmt.Sprint(extension, " ", name))
		}
	}
}

func TestAnExtensionIsWithdrawn(t *testing.T) {
	t.Parallel()
	store, c, s := newExtending()
	store.relations.Requester = true
	extension, err := s.CancelExtension(t.Context(), user(lifecycle.NewID()), lifecycle.NewID())
	require.NoError(t, err)
	require.Equal(t, lifecycle.StatusCancelled, extension.Status)
	require.Equal(t, 1, c.nudged)
	c.err = lifecycle.NewError(lifecycle.KindUnavailable, "no Temporal")
	_, err = s.CancelExtension(t.Context(), admin, lifecycle.NewID())
	require.NoError(t, err, "the sweep has the workflow follow")
	store.err = lifecycle.NewError(lifecycle.KindIllegalUpdate, "final")
	_, err = s.CancelExtension(t.Context(), admin, lifecycle.NewID())
	require.Equal(t, store.err, err)
}

func TestListsOfExtensions(t *testing.T) {
	t.Parallel()
	store, _, s := newExtending()
	me := user(lifecycle.NewID())
	_, _, err := s.ListExtensions(t.Context(), me, nil, new("me"), filter.Params{Filters: new(`approvalStatus eq "PENDING"`)})
	require.NoError(t, err)
	require.Equal(t, policy.Reach{AssignedTo: me.IdentityID}, store.reach)
	_, _, err = s.ListExtensions(t.Context(), me, nil, nil, filter.Params{Filters: new(`accountName eq "a"`)})
	require.ErrorContains(t, err, "filters")
	_, _, err = s.ListExtensions(t.Context(), me, new("x"), nil, filter.Params{})
	require.ErrorContains(t, err, "requested-for")
	store.relations.Approver = true
	_, _, err = s.ListExtensionRecords(t.Context(), me, lifecycle.NewID(), filter.Params{Filters: new(`status in ("REJECTED","SKIPPED")`)})
	require.NoError(t, err)
	require.NotNil(t, store.where)
	_, _, err = s.ListExtensionRecords(t.Context(), me, lifecycle.NewID(), filter.Params{Sorters: new("status")})
	require.ErrorContains(t, err, "sorters")
	extension, err := s.GetExtension(t.Context(), me, lifecycle.NewID())
	require.NoError(t, err)
	require.Equal(t, store.extension, extension)
}
