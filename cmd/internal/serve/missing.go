package serve

import (
	"context"
	"errors"

	"go.temporal.io/sdk/client"

	"gatehouse/lifecycle"
	"gatehouse/workflowclient"
)

// Database says whether the rows can be worked with.
type Database interface {
	Ready(ctx context.Context) error
}

// Missing says what a program lacks to do its work, in words for an operator
// that hold nothing internal; nothing if it lacks nothing.
func Missing(ctx context.Context, database Database, temporal client.Client, namespace string) []string {
	var lacks []string
	if err := database.Ready(ctx); err != nil {
		lacks = append(lacks, "database: "+readable(err))
	}
	attributes, err := workflowclient.MissingSearchAttributes(ctx, temporal, namespace)
	if err != nil {
		lacks = append(lacks, "temporal: it does not answer")
	}
	for _, name := range attributes {
		lacks = append(lacks, "temporal: the search attribute "+name+" is not registered")
	}
	return lacks
}

func readable(err error) string {
	if known, ok := errors.AsType[*lifecycle.Error](err); ok {
		return known.Message
	}
	return "it does not answer"
}
