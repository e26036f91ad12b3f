package filter

// Bounds of contract §2.
const (
	// DefaultLimit is the page size where the client names none.
	DefaultLimit = 250
	// MaxLimit is the largest page; 0 is the smallest.
	MaxLimit = 250
)

// Params are the collection parameters as a client sent them; nil is absent.
type Params struct {
	Filters *string
	Sorters *string
	Limit   *int
	Offset  *int
	Count   *bool
}

// Query is a judged set of collection parameters.
type Query struct {
	// Where is nil for no filter.
	Where Expr
	// Sort is empty for the default order, created then id. The store makes
	// every order total with id.
	Sort []Order
	// Limit is 0 to MaxLimit.
	Limit  int
	Offset int
	// Count asks for the number of matches whatever Limit and Offset.
	Count bool
}

// Order is one field of a sort order.
type Order struct {
	Field      string
	Descending bool
}
