package lifecycle

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// JobStatus is where an import or an export stands. PENDING, IN_PROGRESS,
// COMPLETED and ERROR are the contract's words (§7, NonEmployeeBulkUploadJob);
// the others are ours and shown by our own operations alone.
type JobStatus string

// The statuses of jobs.
const (
	// JobReceiving is an import whose file is still arriving. It is shown nowhere.
	JobReceiving JobStatus = "RECEIVING"
	// JobPending waits for its turn.
	JobPending JobStatus = "PENDING"
	// JobInProgress is being carried out.
	JobInProgress JobStatus = "IN_PROGRESS"
	// JobCompleted is done: of an import every row is in, of an export every row out.
	JobCompleted JobStatus = "COMPLETED"
	// JobError has ended with rows that could not be taken, or not at all.
	JobError JobStatus = "ERROR"
	// JobCancelled was stopped by somebody; rows that were in stay in.
	JobCancelled JobStatus = "CANCELLED"
)

// Ended reports whether the status is a last one.
func (s JobStatus) Ended() bool {
	return s == JobCompleted || s == JobError || s == JobCancelled
}

// ImportCounts are the rows of an import. Created, Updated, Unchanged and
// Failed add up to Done.
type ImportCounts struct {
	Total, Done                         int
	Created, Updated, Unchanged, Failed int
}

// ImportJob is one file on its way into a source.
type ImportJob struct {
	ID, SourceID ID
	// Requester is the identity that sent the file; zero for an application.
	Requester ID
	// ClientID is the client that the token was issued to.
	ClientID string
	Status   JobStatus
	ImportCounts
	// Waiting is the number of jobs of the source that came before this one and
	// have not ended.
	Waiting int
	// CancelRequested is true once somebody asked for it to be stopped.
	CancelRequested bool
	// Created is when the file began to arrive.
	Created, Modified time.Time
	// Started and Finished are zero until then.
	Started, Finished time.Time
}

// ImportRow is one row of a file, judged.
type ImportRow struct {
	// Number counts the rows below the header from 1, Line the lines of the file
	// from 1, to where the row begins.
	Number, Line int
	// RecordID is the id of the record that the row makes, if it makes one.
	RecordID ID
	// Person holds what was good of the row; Manager.ID is resolved.
	Person Person
	// Faulty rows have a fault that nothing can heal. They are staged only so
	// that their account names are compared with the others.
	Faulty bool
	// Doubt is what is wrong with the row unless it equals the stored record
	// (contract §7: such a row passes before required attributes and references
	// are looked at); nil if nothing is.
	Doubt *RowFault
	// Cells is the row as it came, as one record of RFC 4180 without the line
	// end behind it; formulas are guarded, since people will look at it.
	Cells string
}

// RowFault is one thing that is wrong with a file.
type RowFault struct {
	// Row is the [ImportRow.Number], 0 for the header or the whole file.
	Row int
	// Line is the line of the file, from 1; 0 if the fault is about no line.
	Line int
	// Column is the name of the column as the schema has it, empty if the fault
	// is about the whole row or file.
	Column string
	// Kind decides the detail code (contract §3).
	Kind Kind
	// Message says what is wrong, without line and column, for the caller to see.
	Message string
	// Cells is the [ImportRow.Cells] of the row; only set for the faults of a
	// job that was carried out.
	Cells string
}

// String is the fault as a line of the answer to an upload (contract §7).
func (f RowFault) String() string {
	var where []string
	if f.Line > 0 {
		where = append(where, "line "+strconv.Itoa(f.Line))
	}
	if f.Column != "" {
		where = append(where, "column "+f.Column)
	}
	if len(where) == 0 {
		return f.Message
	}
	return strings.Join(where, ", ") + ": " + f.Message
}

// MaxListedFaults is how many faults of one file are told; the rest are counted.
const MaxListedFaults = 1_000

// ImportFaults are the faults of one file: the first of them, by line, at most
// [MaxListedFaults], and how many there are. Faults of one line are in the order
// they were added. The zero value is empty and usable.
type ImportFaults struct {
	Listed []RowFault
	Total  int
}

// Add notes faults, which may come in any order.
func (f *ImportFaults) Add(faults ...RowFault) {
	f.Total += len(faults)
	for _, fault := range faults {
		// Most come by line, and so at the end.
		at := len(f.Listed)
		for at > 0 && f.Listed[at-1].Line > fault.Line {
			at--
		}
		if at == MaxListedFaults {
			continue
		}
		f.Listed = slices.Insert(f.Listed[:min(len(f.Listed), MaxListedFaults-1)], at, fault)
	}
}

// Merge adds the faults of other, which need not be by line.
func (f *ImportFaults) Merge(other ImportFaults) {
	f.Add(other.Listed...)
	f.Total += other.Total - len(other.Listed)
}

// Err returns nil for no faults, else one Error whose text has a line for each
// fault (contract §7). Its kind is that of the listed ones where all agree, else
// KindBadRequest.
func (f *ImportFaults) Err() error {
	if f.Total == 0 {
		return nil
	}
	kind, lines := KindBadRequest, make([]string, 0, len(f.Listed)+1)
	for i, fault := range f.Listed {
		if i == 0 {
			kind = fault.Kind
		} else if fault.Kind != kind {
			kind = KindBadRequest
		}
		lines = append(lines, fault.String())
	}
	switch more := f.Total - len(f.Listed); {
	case more == 1:
		lines = append(lines, "and 1 more fault")
	case more > 1:
		lines = append(lines, fmt.Sprintf("and %d more faults", more))
	}
	return NewError(kind, strings.Join(lines, "\n"))
}

// ImportProgress is what the workflow of an import needs to know of its rows.
type ImportProgress struct {
	// Found is false once the job's source was deleted.
	Found  bool
	Status JobStatus
	ImportCounts
	// Behind is the number of jobs of the same source that wait for this one.
	Behind int
}

// ExportJob is one file on its way out of a source.
type ExportJob struct {
	ID, SourceID ID
	// ScheduleID is the schedule that made the job; zero if a client asked.
	ScheduleID ID
	// Requester is the identity that asked; zero for an application or a schedule.
	Requester ID
	ClientID  string
	// Status is JobPending, JobInProgress, JobCompleted or JobError.
	Status JobStatus
	// Attempt counts how often writing the file was begun. The chunks of an
	// attempt that was given up are never mixed with those of another.
	Attempt int
	// Rows and Bytes are the size of the file once it is complete; Rows grows
	// while it is written.
	Rows  int
	Bytes int64
	// Created is when it was asked for.
	Created, Modified time.Time
	// Finished is zero until the file is complete; Expires is when it will be
	// removed, zero until it is complete and as long as a schedule keeps it.
	Finished, Expires time.Time
}

// ExportSchedule has a source exported again and again.
type ExportSchedule struct {
	ID, SourceID ID
	// Cron is what [ParseCron] reads, such as "30 6 * * mon-fri" or @daily.
	Cron string
	// Zone is an IANA time zone, such as Europe/Berlin.
	Zone string
	// Keep is how many finished exports of this schedule are kept; 1 to [MaxKeptExports].
	Keep              int
	Requester         ID
	ClientID          string
	Created, Modified time.Time
}

// Bounds of bulk work.
const (
	// MaxWaitingImports is how many imports may wait on one source (contract §7).
	MaxWaitingImports = 100
	// MaxKeptExports bounds ExportSchedule.Keep.
	MaxKeptExports = 100
	// MaxExportSchedules is how many schedules one source may have.
	MaxExportSchedules = 10
)
