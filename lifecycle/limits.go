package lifecycle

// Limits of contract §4. The first two are the defaults of configuration.
const (
	// DefaultMaxSources is how many sources an organisation may have.
	DefaultMaxSources = 50
	// DefaultMaxRecordsPerSource is how many records and pending requests
	// together a source may have.
	DefaultMaxRecordsPerSource = 20_000
	// MaxCustomAttributes is how many custom schema attributes a source may have.
	MaxCustomAttributes = 10
	// MaxApprovers is how many approvers a source may name.
	MaxApprovers = 3
	// MaxAccountManagers is how many account managers a source may name.
	MaxAccountManagers = 10
	// MaxCommentLength is the longest comment, in characters (Unicode code points).
	MaxCommentLength = 4_000
	// MaxBulkDelete is how many ids one bulk-delete may name.
	MaxBulkDelete = 20_000
	// MaxPersonalTokens is how many personal access tokens an identity may have.
	MaxPersonalTokens = 10
	// MaxTextLength is the longest name, address, number or label, in characters.
	// The contract gives no bound; without one an index row could not be built.
	MaxTextLength = 255
	// MaxDataLength is the longest description and custom attribute value, in
	// characters; like MaxTextLength a bound of our own.
	MaxDataLength = 4_000
)

// Limits are the limits that configuration may move.
type Limits struct {
	// Sources is the most sources there may be; at least 1.
	Sources int
	// RecordsPerSource is the most records and pending requests together that
	// one source may hold; at least 1.
	RecordsPerSource int
}
