package workflows

import (
	"encoding/json"
	"errors"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"gatehouse/lifecycle"
	"gatehouse/workflows/wire"
)

// maxSignalBytes bounds the payload of a signal; three ids are far shorter.
const maxSignalBytes = 4096

var errMalformed = errors.New("the signal's payload is not a decision")

// readSignal makes a decision of a signal's payload. Anybody may have sent it,
// so it is read here and not by the data converter, which would drop it unseen.
// An absent decision id is derived from the rest. It depends on the payload
// alone; the checker doubts the reflection in the JSON decoder.
//
//workflowcheck:ignore
func readSignal(request lifecycle.ID, verdict lifecycle.Verdict, payload *commonpb.Payload) (wire.Decision, error) {
	data := payload.GetData()
	if string(payload.GetMetadata()[converter.MetadataEncoding]) != converter.MetadataEncodingJSON || len(data) > maxSignalBytes {
		return wire.Decision{}, errMalformed
	}
	var s wire.SignalDecision
	if err := json.Unmarshal(data, &s); err != nil {
		return wire.Decision{}, errMalformed
	}
	item, err := lifecycle.ParseID(s.ItemID)
	if err != nil {
		return wire.Decision{}, errMalformed
	}
	approver, err := lifecycle.ParseID(s.ApproverID)
	if err != nil {
		return wire.Decision{}, errMalformed
	}
	decision := wire.DecisionID(item, approver, verdict, "")
	if s.DecisionID != "" {
		if decision, err = lifecycle.ParseID(s.DecisionID); err != nil {
			return wire.Decision{}, errMalformed
		}
	}
	return wire.Decision{
		RequestID: request, ItemID: item, ApproverID: approver, DecisionID: decision,
		Verdict: verdict, Via: wire.ViaSignal,
	}, nil
}
