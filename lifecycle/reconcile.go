package lifecycle

import "time"

// RequestInRows is where the rows of a request stand.
type RequestInRows struct {
	RequestID, SourceID ID
	// Final is true once the request is decided or cancelled.
	Final bool
	// Unseen is true where the workflow is not known to stand where the rows do.
	Unseen bool
	// Settled is true where the rows have not moved for a while: a workflow that goes
	// after them has had its time.
	Settled bool
	// Version is when the rows last moved.
	Version time.Time
	// Pending is the item that waits for its decision; zero if none does.
	Pending ID
}

// RequestInEngine is where the workflow of a request stands.
type RequestInEngine struct {
	Running bool
	// Completed is true where it does not run, but came to its end well.
	Completed bool
	// AtWork is true while something has come to it that no worker has taken up.
	AtWork bool
	// Begun is false for a run that has not done anything yet: it will begin by reading
	// the rows.
	Begun bool
	// Item is the pending item that it has its approver told of, and Version that of
	// the rows it knows; both zero where it has not come that far.
	Item    ID
	Version time.Time
}

// EngineKind is a kind of workflow, or schedule, that stands for rows.
type EngineKind string

// The kinds.
const (
	EngineRequest  EngineKind = "request"
	EngineAbsence  EngineKind = "absence"
	EngineImports  EngineKind = "imports of a source"
	EngineImport   EngineKind = "import"
	EngineExport   EngineKind = "export"
	EngineDelivery EngineKind = "delivery"
	EngineSchedule EngineKind = "schedule of exports"
)

// EngineKinds lists the kinds that are workflows. The one that begins an export of a
// schedule is none of them: without its row it ends by itself, and what it began is an
// export.
func EngineKinds() []EngineKind {
	return []EngineKind{EngineRequest, EngineAbsence, EngineImports, EngineImport, EngineExport, EngineDelivery}
}
