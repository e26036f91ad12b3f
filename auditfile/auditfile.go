// Package auditfile writes the entries of the audit trail for its readers: one as
// JSON, many as NDJSON or CSV. It does no I/O.
package auditfile

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"gatehouse/csvfile"
	"gatehouse/lifecycle"
)

// Event is an entry as JSON shows it, in a list and in a file alike.
type Event struct {
	Number    int64                  `json:"number"`
	Occurred  string                 `json:"occurred"`
	Channel   lifecycle.Channel      `json:"channel"`
	Operation string                 `json:"operation"`
	Action    lifecycle.AuditAction  `json:"action"`
	Outcome   lifecycle.AuditOutcome `json:"outcome"`
	Actor     Actor                  `json:"actor"`
	Tracking  string                 `json:"trackingId,omitempty"`
	Object    Object                 `json:"object"`
	Source    string                 `json:"sourceId,omitempty"`
	Facts     json.RawMessage        `json:"facts"`
	Before    json.RawMessage        `json:"before,omitempty"`
	After     json.RawMessage        `json:"after,omitempty"`
	Erased    bool                   `json:"erased"`
	Sealed    *Place                 `json:"sealed,omitempty"`
}

// Actor is who did it, as far as that is known and not erased.
type Actor struct {
	Identity string `json:"identityId,omitempty"`
	Alias    string `json:"alias,omitempty"`
	Client   string `json:"clientId,omitempty"`
	Address  string `json:"address,omitempty"`
}

// Object is what it was done to.
type Object struct {
	Type lifecycle.AuditObjectType `json:"type"`
	ID   string                    `json:"id"`
}

// Place is where the entry is in the chain.
type Place struct {
	Position int64  `json:"position"`
	Hash     string `json:"hash"`
}

// NewEvent returns the entry as it is shown. Details that are no JSON, which the
// application does not write, are shown as a text.
func NewEvent(e lifecycle.AuditEvent) Event {
	event := Event{
		Number: e.Number, Occurred: lifecycle.FormatTime(e.Occurred), Channel: e.Channel, Operation: e.Operation,
		Action: e.Action, Outcome: e.Outcome, Actor: Actor{Identity: textOf(e.Identity), Alias: e.Alias, Client: e.Client},
		Tracking: e.TrackingID, Object: Object{e.Object, e.ID}, Source: textOf(e.Source),
		Facts: shown(e.Facts), Erased: e.Erased(),
	}
	var actor struct{ Client, Address string }
	if json.Unmarshal([]byte(e.Actor.Text), &actor) == nil {
		event.Actor.Address = actor.Address
		if actor.Client != "" {
			event.Actor.Client = actor.Client
		}
	}
	if e.Change.Text != "" {
		var change struct{ Before, After json.RawMessage }
		if json.Unmarshal([]byte(e.Change.Text), &change) == nil {
			event.Before, event.After = change.Before, change.After
		} else {
			event.After = shown(e.Change.Text)
		}
	}
	if e.Seal.Position > 0 {
		event.Sealed = &Place{e.Seal.Position, hex.EncodeToString(e.Seal.Hash)}
	}
	return event
}

func textOf(id lifecycle.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// shown is the text if it is JSON, else the text as JSON has it.
func shown(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	quoted, _ := json.Marshal(text) // a text always can be
	return quoted
}

// Format is a form of a file.
type Format string

// The formats.
const (
	CSV    Format = "csv"
	NDJSON Format = "ndjson"
)

// ParseFormat reads the name of a format.
func ParseFormat(text string) (Format, error) {
	switch f := Format(text); f {
	case CSV, NDJSON:
		return f, nil
	}
	return "", fmt.Errorf("a format is %s or %s", CSV, NDJSON)
}

// columns of the CSV.
var columns = []string{
	"number", "occurred", "channel", "operation", "action", "outcome", "identityId", "alias", "clientId", "address",
	"trackingId", "objectType", "objectId", "sourceId", "facts", "before", "after", "erased", "position", "hash",
}

// Header is what a file begins with.
func Header(format Format) []byte {
	if format != CSV {
		return nil
	}
	var b bytes.Buffer
	writeRecord(&b, columns)
	return b.Bytes()
}

// Rows are the entries as a part of a file. Cells of CSV that a spreadsheet would
// take for a formula are guarded as those of records are.
func Rows(format Format, events []lifecycle.AuditEvent) ([]byte, error) {
	var b bytes.Buffer
	for _, e := range events {
		event := NewEvent(e)
		if format == CSV {
			writeRecord(&b, event.cells())
			continue
		}
		line, err := json.Marshal(event)
		if err != nil {
			return nil, fmt.Errorf("auditfile: the entry %d: %w", e.Number, err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

func (e Event) cells() []string {
	place := Place{}
	position := ""
	if e.Sealed != nil {
		place = *e.Sealed
		position = strconv.FormatInt(place.Position, 10)
	}
	return []string{
		strconv.FormatInt(e.Number, 10), e.Occurred, string(e.Channel), e.Operation, string(e.Action), string(e.Outcome),
		e.Actor.Identity, e.Actor.Alias, e.Actor.Client, e.Actor.Address, e.Tracking, string(e.Object.Type), e.Object.ID,
		e.Source, string(e.Facts), string(e.Before), string(e.After), strconv.FormatBool(e.Erased), position, place.Hash,
	}
}

func writeRecord(b *bytes.Buffer, cells []string) {
	guarded := make([]string, len(cells))
	for i, cell := range cells {
		guarded[i] = csvfile.Guard(cell)
	}
	out := csv.NewWriter(b)
	// A buffer takes everything.
	_ = out.Write(guarded)
	out.Flush()
}
