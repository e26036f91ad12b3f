package lifecycle

// decisionSpace is the name space of decision ids. It must never change: a
// repeated decision is known by its id.
var decisionSpace = MustParseID("6f2c1e0a-5b7d-4a55-9c3e-8d0a7f5b1c42")

// MaxIdempotencyKeyLength is the longest Idempotency-Key, in bytes.
const MaxIdempotencyKeyLength = 255

// DecisionID is the id of a decision: the same item, approver, verdict and key
// give the same id (contract §3). key is the client's Idempotency-Key, empty
// where it sent none.
func DecisionID(item, approver ID, verdict Verdict, key string) ID {
	parts := []string{item.String(), approver.String(), string(verdict)}
	if key != "" {
		parts = append(parts, key)
	}
	return DeriveID(decisionSpace, parts...)
}
