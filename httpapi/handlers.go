package httpapi

import "time"

// handlers implements the generated StrictServerInterface, a file for each
// feature: bind, call, answer, and nothing else.
type handlers struct {
	service       Service
	tokenLifetime time.Duration
}

var _ StrictServerInterface = (*handlers)(nil)
