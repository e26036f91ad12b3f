package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"gatehouse/workflows/wire"
)

// stageEnded is the stage of a request that has come to its end.
const stageEnded = "ended"

// leaveDelay is how long a run waits for a workflow task without an Update; see
// leaveUpdateBehind.
const leaveDelay = 100 * time.Millisecond

// tryDelay is how long a run waits at least before it looks again at what was not
// due when it looked before.
const tryDelay = time.Second

var (
	attributeKind   = temporal.NewSearchAttributeKeyKeyword(wire.AttributeKind)
	attributeSource = temporal.NewSearchAttributeKeyKeyword(wire.AttributeSource)
	attributeStatus = temporal.NewSearchAttributeKeyKeyword(wire.AttributeStatus)
	attributeStage  = temporal.NewSearchAttributeKeyKeyword(wire.AttributeStage)
)

// shownAttributes are the search attributes of a request workflow.
type shownAttributes struct {
	kind, source, status, stage string
}

// currentAttributes are those that the run before left.
func currentAttributes(ctx workflow.Context) shownAttributes {
	all := workflow.GetTypedSearchAttributes(ctx)
	value := func(key temporal.SearchAttributeKeyKeyword) string {
		text, _ := all.GetKeyword(key)
		return text
	}
	return shownAttributes{
		kind: value(attributeKind), source: value(attributeSource),
		status: value(attributeStatus), stage: value(attributeStage),
	}
}

// since returns the changes that lead from before to a.
func (a shownAttributes) since(before shownAttributes) []temporal.SearchAttributeUpdate {
	var updates []temporal.SearchAttributeUpdate
	set := func(key temporal.SearchAttributeKeyKeyword, now, was string) {
		if now != was {
			updates = append(updates, key.ValueSet(now))
		}
	}
	set(attributeKind, a.kind, before.kind)
	set(attributeSource, a.source, before.source)
	set(attributeStatus, a.status, before.status)
	set(attributeStage, a.stage, before.stage)
	return updates
}
