package lifecycle

import "time"

// Source is a named pool of non-employees with an owner, approvers, account
// managers and a schema.
type Source struct {
	// ID is at once the contract's id and sourceId (contract §1).
	ID          ID
	Name        string
	Description string
	// Owner counts as an account manager everywhere (contract §5).
	Owner ID
	// ManagementWorkgroup is zero if none was named.
	ManagementWorkgroup ID
	// Approvers decide one after another, in this order; at most MaxApprovers.
	Approvers []Reference
	// AccountManagers are in the order they were given; at most MaxAccountManagers.
	AccountManagers []Reference
	Created         time.Time
	Modified        time.Time
}

// AttributeType is the type of a schema attribute.
type AttributeType string

// The attribute types. Custom attributes are TEXT only (contract §4).
const (
	AttributeText     AttributeType = "TEXT"
	AttributeDate     AttributeType = "DATE"
	AttributeIdentity AttributeType = "IDENTITY"
)

// SchemaAttribute describes one field of a source's records.
type SchemaAttribute struct {
	ID       ID
	SourceID ID
	Type     AttributeType
	// TechnicalName is unique within the source without regard to case, the
	// system ones included.
	TechnicalName string
	Label         string
	HelpText      string
	Placeholder   string
	Required      bool
	// System is true for the eight attributes every source has.
	System bool
	// Position orders the attributes: the system ones 0 to 7, then the custom
	// ones as they were made.
	Position int
	Created  time.Time
	Modified time.Time
}

// SystemAttributes returns the eight attributes that a new source gets, in the
// order of contract §4, with fresh ids.
func SystemAttributes(source ID, now time.Time) []SchemaAttribute {
	table := []struct {
		name, label string
		kind        AttributeType
	}{
		{"accountName", "Account Name", AttributeText},
		{"firstName", "First Name", AttributeText},
		{"lastName", "Last Name", AttributeText},
		{"phone", "Phone", AttributeText},
		{"email", "Email", AttributeText},
		{"manager", "Manager", AttributeIdentity},
		{"startDate", "Start Date", AttributeDate},
		{"endDate", "End Date", AttributeDate},
	}
	attrs := make([]SchemaAttribute, len(table))
	for i, row := range table {
		attrs[i] = SchemaAttribute{
			ID: NewID(), SourceID: source, Type: row.kind, TechnicalName: row.name,
			Label: row.label, Required: true, System: true, Position: i,
			Created: now, Modified: now,
		}
	}
	return attrs
}

// CountedSource is a source with the number of its records.
type CountedSource struct {
	Source
	// Records is nil where the count was not asked for.
	Records *int
}
