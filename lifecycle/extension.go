package lifecycle

import (
	"fmt"
	"time"
)

// RequestKind says what a request asks for. The values are stored.
type RequestKind string

// The kinds of requests.
const (
	// RequestCreation asks for one person to be let into a source; the contract
	// knows no other.
	RequestCreation RequestKind = "CREATION"
	// RequestExtension asks for later end dates of records that are there.
	RequestExtension RequestKind = "EXTENSION"
)

// MaxExtensionRecords is how many records one extension may name.
const MaxExtensionRecords = 20_000

// ReasonWithdrawn is why an extension is cancelled that nobody wants any more.
// The value is stored and never changes.
const ReasonWithdrawn = "withdrawn"

// Extension asks for later end dates of records of one source, which are decided
// together: one approval item an approver, however many records there are.
type Extension struct {
	ID     ID
	Source SourceSummary
	// Requester is zero where an application client asked.
	Requester ID
	// EndDate is the date asked for; zero where records were given dates of their own.
	EndDate time.Time
	// Comment is why; at most MaxCommentLength characters, and may be empty.
	Comment string
	Status  ApprovalStatus
	// Reason is why it was cancelled, a code; empty where it was not.
	Reason string
	// Completed is when the last approval came; zero until then and on any other
	// outcome.
	Completed time.Time
	Created   time.Time
	Modified  time.Time
	ExtensionCounts
	// Items are the approval items in their order; empty if nobody had to approve.
	Items []ApprovalItem
}

// ExtensionCounts counts the records of an extension by their status.
type ExtensionCounts struct {
	// Records is how many there are in all.
	Records                                int
	Approved, Rejected, Cancelled, Skipped int
}

// Pending is how many records wait for a decision.
func (c ExtensionCounts) Pending() int {
	return c.Records - c.Approved - c.Rejected - c.Cancelled - c.Skipped
}

// StatusSkipped is that of a record in an extension that could not be extended,
// beside those that an [ApprovalStatus] may have but NOT_READY.
const StatusSkipped ApprovalStatus = "SKIPPED"

// Why records are skipped. The values are stored and never change.
const (
	// SkippedDeleted: the record is not there any more.
	SkippedDeleted = "deleted"
	// SkippedNotLater: the record ends then, or later, without the extension.
	SkippedNotLater = "not_later"
	// SkippedNotStarted: the record begins then, or later, by now.
	SkippedNotStarted = "not_started"
	// SkippedEnded: somebody ended the record before its time. To take that back is
	// for who may change the record.
	SkippedEnded = "ended"
)

// ExtensionRecord is one record's part in an extension.
type ExtensionRecord struct {
	// Number counts from 1 in the order in which the records were named.
	Number   int
	RecordID ID
	// AccountName, FirstName, LastName and Manager are the record's; empty once it
	// is deleted.
	AccountName         string
	FirstName, LastName string
	Manager             string
	// EndDateBefore is the record's end before it was extended, or when that was
	// asked for; EndDate is the one asked for.
	EndDateBefore, EndDate time.Time
	Status                 ApprovalStatus
	// Reason is why it was skipped, a code; empty where it was not.
	Reason string
	// RejectedBy is the approver who took it out; zero where nobody did.
	RejectedBy ID
}

// ExtensionTarget names one record to be extended, by its id or its account name.
type ExtensionTarget struct {
	// Row and Line are where it stands in a file; 0 where there is none.
	Row, Line int
	// RecordID is zero where AccountName names the record, which is folded.
	RecordID    ID
	AccountName string
	EndDate     time.Time
}

// TooManyExtended refuses more than [MaxExtensionRecords].
func TooManyExtended(field string) *Error {
	return FieldError(KindLimit, field,
		fmt.Sprintf("%s names more than %d records, which is the limit", field, MaxExtensionRecords))
}

// NothingExtended refuses an extension of no record.
func NothingExtended() *Error {
	return NewError(KindIllegalValue, "There is no record that the extension would give a later end.")
}

// ExtensionInput is what a client sent of an extension. nil is absent.
type ExtensionInput struct {
	SourceID *string
	EndDate  *string
	// RecordIDs is nil where the member is absent, and not nil where it is empty.
	RecordIDs []string
	// Filters is an expression of the list of records.
	Filters *string
	Comment *string
	// Faults is what was wrong while the input was read, to be told with the
	// rest.
	Faults Faults
}

// Judge normalises and judges what was sent but for the source and Filters, and
// returns all the faults there are: those found while reading first. The
// extension has EndDate and Comment; the targets are those of RecordIDs, each
// once, nil where Filters names the records. endDate is required and after at.
//
// Kinds: KindRequired for what is absent or empty, KindLimit for too many ids and
// a comment that is too long, KindBadRequest for an id that is none, and
// KindIllegalValue for the rest.
func (in ExtensionInput) Judge(at time.Time) (extension Extension, targets []ExtensionTarget, faults Faults) {
	j := newJudge(in.Faults)
	extension.EndDate = j.end(in.EndDate, at)
	var err error
	extension.Comment, err = JudgeComment(in.Comment, false)
	j.faults = j.faults.With(err)
	// An empty filter would let every record through, which nobody means by it.
	filtered := in.Filters != nil && Normalize(*in.Filters) != ""
	switch {
	case in.RecordIDs != nil && filtered:
		j.faults.Add(KindIllegalValue, "filters", "filters must not be given beside recordIds")
	case filtered:
	case len(in.RecordIDs) > MaxExtensionRecords:
		j.note(TooManyExtended("recordIds"))
	case len(in.RecordIDs) > 0:
		targets = j.targets(in.RecordIDs, extension.EndDate)
	case !in.Faults.About("recordIds") && !in.Faults.About("filters"):
		j.faults.Add(KindRequired, "recordIds", "recordIds or filters is required")
	}
	return extension, targets, j.faults
}

// targets are the records that ids name, each once.
func (j *judge) targets(ids []string, end time.Time) []ExtensionTarget {
	targets, seen := make([]ExtensionTarget, 0, len(ids)), make(map[ID]bool, len(ids))
	for _, text := range ids {
		id, err := ParseID(Normalize(text))
		if err != nil {
			j.faults.Add(KindBadRequest, "recordIds", "recordIds must hold UUIDs")
			return nil
		}
		if !seen[id] {
			seen[id] = true
			targets = append(targets, ExtensionTarget{RecordID: id, EndDate: end})
		}
	}
	return targets
}

// JudgeEnd reads an end that is asked for: it is required, and after at. The faults
// are those of [ExtensionInput.Judge].
func JudgeEnd(given *string, at time.Time) (time.Time, Faults) {
	j := newJudge(nil)
	return j.end(given, at), j.faults
}

func (j *judge) end(given *string, at time.Time) time.Time {
	end := j.date("endDate", given)
	if !end.IsZero() && !end.After(at) {
		j.faults.Add(KindIllegalValue, "endDate", "endDate must be in the future")
	}
	return end
}
