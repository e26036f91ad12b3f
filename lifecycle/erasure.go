package lifecycle

// ErasureTarget says whose data is to be removed, in one of these ways.
type ErasureTarget struct {
	// Record or Request is an object that is about the person, there or deleted.
	Record, Request ID
	// Source and AccountName together name the person as the source does.
	Source      ID
	AccountName string
	// Email is an address that belongs to the person alone.
	Email string
	// Identity is an identity's own.
	Identity ID
}

// SourceName is a person as a source knows them: a folded account name.
type SourceName struct {
	Source ID     `json:"source"`
	Name   string `json:"name"`
}

// ErasedPerson is what a person's data is found by. It is kept only until that
// data is removed.
type ErasedPerson struct {
	Names []SourceName `json:"names,omitempty"`
	// FormerNames are those of before, by which files alone know the person: an
	// object that has such a name now is somebody else's.
	FormerNames []SourceName `json:"formerNames,omitempty"`
	// Emails are folded.
	Emails []string `json:"emails,omitempty"`
	// Objects are records, requests and approval items that are about the person.
	Objects []ID `json:"objects,omitempty"`
	// Sources are those that know, or knew, the person.
	Sources []ID `json:"sources,omitempty"`

	// Identity is zero where the person is none; the rest goes with it.
	Identity ID `json:"identity,omitzero"`
	// Alias is as it is spelt, and so are FormerAliases, by which they went before;
	// Managers are the ways in which a file names them as somebody's manager, folded.
	// Clients are those they have or had.
	Alias         string   `json:"alias,omitempty"`
	FormerAliases []string `json:"formerAliases,omitempty"`
	Managers      []string `json:"managers,omitempty"`
	Clients       []string `json:"clients,omitempty"`
}

// Erasure counts what an erasure removes.
type Erasure struct {
	ID ID `json:"-"`
	// Records and Requests are removed, pending requests among them.
	Records  int `json:"records"`
	Requests int `json:"requests"`
	// Extensions are parts of extensions, of which the records are taken out.
	Extensions int `json:"extensions"`
	// StagedRows and Faults are rows of files on their way in, and such that could
	// not be taken, whose cells are removed.
	StagedRows int `json:"stagedRows"`
	Faults     int `json:"faults"`
	// Exports are files that have, or may have, the person in them.
	Exports int `json:"exports"`
	// Actors and Changes are parts of details of audit entries.
	Actors  int `json:"actorDetails"`
	Changes int `json:"changeDetails"`
	// Identities is 1 where the identity is made nameless; Clients are removed.
	Identities int `json:"identities"`
	Clients    int `json:"clients"`
	// Mentions are calls, jobs and schedules that a client of theirs was named in.
	Mentions int `json:"mentions"`
}

// ErasedRow is what is told of a row of a file in the place of what was in it.
const ErasedRow = "The row was erased."
