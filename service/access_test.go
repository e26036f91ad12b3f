package service

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// strangers is a store whose objects, all of one id, are tied to nobody. It
// notes what it is asked.
type strangers struct {
	Store
	id    lifecycle.ID
	calls []string
}

func (s *strangers) ask(call string, id lifecycle.ID) error {
	s.calls = append(s.calls, call)
	if id != s.id {
		return policy.ErrNotFound
	}
	return nil
}

func (s *strangers) GetSource(_ context.Context, id, _ lifecycle.ID) (lifecycle.Source, policy.Relations, error) {
	return lifecycle.Source{ID: s.id}, policy.Relations{}, s.ask("GetSource", id)
}

func (s *strangers) ListAttributes(_ context.Context, source lifecycle.ID) ([]lifecycle.SchemaAttribute, error) {
	return nil, s.ask("ListAttributes", source)
}

func (s *strangers) GetAttribute(_ context.Context, source, _ lifecycle.ID) (lifecycle.SchemaAttribute, error) {
	return lifecycle.SchemaAttribute{}, s.ask("GetAttribute", source)
}

func (s *strangers) GetRecord(_ context.Context, id, _ lifecycle.ID) (lifecycle.Record, policy.Relations, error) {
	return lifecycle.Record{ID: s.id}, policy.Relations{}, s.ask("GetRecord", id)
}

func (s *strangers) GetRequest(_ context.Context, id, _ lifecycle.ID) (lifecycle.Request, policy.Relations, error) {
	return lifecycle.Request{ID: s.id}, policy.Relations{}, s.ask("GetRequest", id)
}

func (s *strangers) GetApproval(_ context.Context, id, _ lifecycle.ID) (lifecycle.ApprovalItem, policy.Relations, error) {
	return lifecycle.ApprovalItem{ID: s.id}, policy.Relations{}, s.ask("GetApproval", id)
}

func (s *strangers) GetExtension(_ context.Context, id, _ lifecycle.ID) (lifecycle.Extension, policy.Relations, error) {
	return lifecycle.Extension{ID: s.id}, policy.Relations{}, s.ask("GetExtension", id)
}

func (s *strangers) RequestStanding(_ context.Context, id, _ lifecycle.ID) (lifecycle.Standing, policy.Relations, error) {
	return lifecycle.Standing{RequestID: s.id}, policy.Relations{}, s.ask("RequestStanding", id)
}

// byID are the operations on an object that is named in the path or the body.
// Those of files are in the tests of imports and exports.
var byID = map[policy.Operation]func(context.Context, *Service, policy.Actor, lifecycle.ID) error{
	policy.GetSource: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.GetSource(ctx, a, id)
		return err
	},
	policy.PatchSource: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.PatchSource(ctx, a, id, Patch{})
		return err
	},
	policy.DeleteSource: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		return s.DeleteSource(ctx, a, id)
	},
	policy.ListSchema: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.ListAttributes(ctx, a, id, filter.Params{})
		return err
	},
	policy.Template: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.Template(ctx, a, id)
		return err
	},
	policy.CreateSchema: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.CreateAttribute(ctx, a, id, lifecycle.AttributeInput{})
		return err
	},
	policy.DeleteSchema: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		return s.DeleteAttributes(ctx, a, id)
	},
	policy.GetAttribute: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.GetAttribute(ctx, a, id, id)
		return err
	},
	policy.PatchAttr: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.PatchAttribute(ctx, a, id, id, Patch{})
		return err
	},
	policy.DeleteAttr: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		return s.DeleteAttribute(ctx, a, id, id)
	},
	policy.GetRecord: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.GetRecord(ctx, a, id, nil)
		return err
	},
	policy.CreateRecord: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.CreateRecord(ctx, a, lifecycle.PersonInput{SourceID: new(id.String())})
		return err
	},
	policy.PutRecord: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.PutRecord(ctx, a, id, lifecycle.PersonInput{})
		return err
	},
	policy.PatchRecord: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.PatchRecord(ctx, a, id, Patch{})
		return err
	},
	policy.DeleteRecord: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		return s.DeleteRecord(ctx, a, id)
	},
	policy.BulkDelete: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		return s.DeleteRecords(ctx, a, []string{id.String()}, nil)
	},
	policy.GetRequest: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.GetRequest(ctx, a, id)
		return err
	},
	policy.CreateRequest: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.CreateRequest(ctx, a, lifecycle.PersonInput{SourceID: new(id.String())})
		return err
	},
	policy.DeleteRequest: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		return s.DeleteRequest(ctx, a, id)
	},
	policy.CreateExtension: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.CreateExtension(ctx, a, lifecycle.ExtensionInput{SourceID: new(id.String())})
		return err
	},
	policy.ImportExtension: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.ImportExtension(ctx, a, id, nil)
		return err
	},
	policy.GetExtension: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.GetExtension(ctx, a, id)
		return err
	},
	policy.ListExtensionRecords: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, _, err := s.ListExtensionRecords(ctx, a, id, filter.Params{})
		return err
	},
	policy.CancelExtension: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.CancelExtension(ctx, a, id)
		return err
	},
	policy.ApproveExtension: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.ApproveExtension(ctx, a, id, DecisionInput{})
		return err
	},
	policy.RejectExtension: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.RejectExtension(ctx, a, id, DecisionInput{})
		return err
	},
	policy.GetApproval: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.GetApproval(ctx, a, id, true)
		return err
	},
	policy.Approve: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.Approve(ctx, a, id, DecisionInput{})
		return err
	},
	policy.Reject: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.Reject(ctx, a, id, DecisionInput{})
		return err
	},
	policy.GetSourceLifecycle: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.GetSourceLifecycle(ctx, a, id)
		return err
	},
	policy.PutSourceLifecycle: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.PutSourceLifecycle(ctx, a, id, lifecycle.LifecyclePolicyInput{})
		return err
	},
	policy.DeleteSourceLifecycle: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		return s.DeleteSourceLifecycle(ctx, a, id)
	},
	policy.EndRecord: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.EndRecord(ctx, a, id, nil, nil)
		return err
	},
	policy.GetRequestProgress: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.GetRequestProgress(ctx, a, id)
		return err
	},
	policy.GetSourcePolicy: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.GetSourcePolicy(ctx, a, id)
		return err
	},
	policy.PutSourcePolicy: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.PutSourcePolicy(ctx, a, id, lifecycle.ApprovalPolicyInput{})
		return err
	},
	policy.DeleteSourcePolicy: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		return s.DeleteSourcePolicy(ctx, a, id)
	},
	policy.ApplySourcePolicy: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.ApplySourcePolicy(ctx, a, id)
		return err
	},
	policy.Reassign: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.Reassign(ctx, a, id, lifecycle.ReassignInput{})
		return err
	},
	policy.Claim: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.Claim(ctx, a, id, DecisionInput{})
		return err
	},
	policy.ReassignmentHistory: func(ctx context.Context, s *Service, a policy.Actor, id lifecycle.ID) error {
		_, err := s.ListReassignments(ctx, a, id)
		return err
	},
}

// TestWhatIsAnothersIsAnsweredAfterTheSameQueriesAsWhatThereIsNot holds contract
// §5: neither the answer nor what is done for it tells whether an object exists.
func TestWhatIsAnothersIsAnsweredAfterTheSameQueriesAsWhatThereIsNot(t *testing.T) {
	t.Parallel()
	for op := range policy.Rules {
		switch op {
		case policy.ListSources, policy.ListRecords, policy.ListRequests, policy.ListApprovals,
			policy.RequestSum, policy.ApprovalSum, policy.CreateSource:
		case policy.Export, policy.BulkUpload, policy.BulkStatus:
		default:
			require.Contains(t, byID, op)
		}
	}
	asked := map[string]bool{}
	for op, call := range byID {
		for name, actor := range map[string]policy.Actor{
			"outsider": outsider, "subadmin": subadmin, "an application without rights": app(),
		} {
			store := &strangers{id: lifecycle.NewID()}
			s := newService(store, nil)
			require.Equal(t, policy.ErrForbidden, call(t.Context(), s, actor, store.id), "%s: %s", op, name)
			foreign := store.calls
			store.calls = nil
			require.Equal(t, policy.ErrForbidden, call(t.Context(), s, actor, lifecycle.NewID()), "%s: %s", op, name)
			require.Equal(t, foreign, store.calls, "%s: %s", op, name)
			for _, call := range foreign {
				asked[call] = true
			}
		}
	}
	require.Len(t, asked, 6, "every kind of object is looked up: %v", asked)
}
