package lifecycle

import "time"

// Standing is where a request stands, for people to read.
type Standing struct {
	RequestID, SourceID ID
	// Requester is zero where an application client asked.
	Requester ID
	Status    ApprovalStatus
	// Stages is the number of approval items, Stage the place of the one that waits,
	// from 1. It is 0 where none does, and then all that follows is zero.
	Stages, Stage int
	Item          ID
	// Holder has the item. HolderGone says that nobody is left there who can decide.
	Holder     NamedReference
	HolderGone bool
	Waiting    Waiting
	// Policy is what the request goes by; nil where it is from before there were
	// any: then nothing falls due.
	Policy *ApprovalPolicyVersion
	// Owned says that the source has an active owner.
	Owned bool
	// Coming is what happens if nobody acts.
	Coming []ComingStep
}

// NamedReference is a reference with the name of what it names.
type NamedReference struct {
	Reference
	Name string
}

// ComingStep is something that will happen to a waiting item if nobody acts.
type ComingStep struct {
	Step Step
	At   time.Time
	// To gets the item, or is reminded; zero where nobody does.
	To NamedReference
	// Result is what comes of the item, empty where it goes on waiting.
	Result ComingResult
}

// ComingResult is what a step makes of an item.
type ComingResult string

// The results.
const (
	ComingExpired  = ComingResult(TimeoutExpired)
	ComingApproved = ComingResult(TimeoutApproved)
	// ComingCancelled: nobody is left who could decide.
	ComingCancelled ComingResult = "CANCELLED"
)

// Foresee returns what happens to the item that waits if nobody acts, in its order
// and to the end of its waiting, as far as it can be told at this moment. find
// returns whom a rule means for an item that holder has; the zero Reference for
// nobody who can decide. day is how long a day of the policy lasts. An error of find
// is returned as it is.
func (s Standing) Foresee(day time.Duration, now time.Time, find func(rule ApproverRule, holder Reference) (Reference, error)) ([]ComingStep, error) {
	if s.Policy == nil || s.Stage == 0 {
		return nil, nil
	}
	f := foresight{policy: s.Policy.Policy, waiting: s.Waiting, holder: s.Holder.Reference, find: find}
	if s.HolderGone {
		if moved, err := f.fallBack(now); err != nil || !moved {
			return f.coming, err
		}
	}
	for {
		next := f.policy.Next(f.waiting, day)
		var err error
		switch next.Step {
		case StepReminder:
			f.waiting.Reminders++
			f.note(next, f.holder, "")
		case StepEscalation:
			err = f.escalate(next)
		case StepTimeout:
			result := ComingResult(f.policy.Timeout.Result)
			if !s.Owned {
				result = ComingExpired
			}
			f.note(next, Reference{}, result)
			return f.coming, nil
		default:
			return f.coming, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// foresight is an item on its way through what is to come.
type foresight struct {
	policy  ApprovalPolicy
	waiting Waiting
	holder  Reference
	find    func(rule ApproverRule, holder Reference) (Reference, error)
	coming  []ComingStep
}

func (f *foresight) note(due DueStep, to Reference, result ComingResult) {
	f.coming = append(f.coming, ComingStep{Step: due.Step, At: due.At, To: NamedReference{Reference: to}, Result: result})
}

// escalate has the item go the next step of the chain, or where that is nobody the
// first behind it that is somebody.
func (f *foresight) escalate(due DueStep) error {
	chain, reached := f.policy.Escalation.Chain, f.waiting.Escalations+1
	for position := reached - 1; position < len(chain); position++ {
		moved, err := f.move(due, chain[position])
		if err != nil {
			return err
		}
		if moved {
			f.waiting.Escalations = position + 1
			return nil
		}
	}
	f.waiting.Escalations = reached
	f.note(due, Reference{}, "")
	return nil
}

// move gives the item to whom the rule means; false where that is nobody who can
// decide.
func (f *foresight) move(due DueStep, rule ApproverRule) (bool, error) {
	to, err := f.find(rule, f.holder)
	if err != nil || to.ID.IsZero() {
		return false, err
	}
	f.holder = to
	f.waiting.AssignedSince, f.waiting.Reminders = due.At, 0
	f.note(due, to, "")
	return true, nil
}

// fallBack has the item leave somebody who is gone: for the fallback approver, or
// else the rest of the chain. false where there is nobody: then the request ends.
func (f *foresight) fallBack(now time.Time) (bool, error) {
	due := DueStep{Step: StepFallback, At: now}
	if f.policy.Fallback != nil {
		if moved, err := f.move(due, *f.policy.Fallback); err != nil || moved {
			return moved, err
		}
	}
	if f.policy.Escalation.Enabled {
		for position := f.waiting.Escalations; position < len(f.policy.Escalation.Chain); position++ {
			moved, err := f.move(due, f.policy.Escalation.Chain[position])
			if err != nil {
				return false, err
			}
			if moved {
				f.waiting.Escalations = position + 1
				return true, nil
			}
		}
	}
	f.note(due, Reference{}, ComingCancelled)
	return false, nil
}
