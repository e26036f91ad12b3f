package lifecycle

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"
)

// WebhookEndpoint is where another system wants to be told of events.
type WebhookEndpoint struct {
	ID  ID
	URL string
	// Secret is what messages are signed with; it is shown once, when it is made.
	Secret []byte
	// Events are those that it wants; empty for all.
	Events  []EventType
	Enabled bool
	// Reason is why it was disabled, [FaultGone]; empty where it is enabled, or a
	// person disabled it.
	Reason            string
	Created, Modified time.Time
}

// Bounds of webhook endpoints.
const (
	// MaxWebhookEndpoints is how many there may be.
	MaxWebhookEndpoints = 100
	// MaxWebhookURL is the most bytes of a URL.
	MaxWebhookURL = 2048
	// WebhookSecretBytes is the length of a secret.
	WebhookSecretBytes = 32
)

// WebhookSecret is a secret as it is shown.
func WebhookSecret(secret []byte) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(secret)
}

// CheckWebhookURL returns what is wrong with the URL of an endpoint: it is https,
// or http where that is allowed, names a host, and holds neither a user nor a
// fragment. Where the host leads to is looked at when something is posted.
func CheckWebhookURL(raw string, allowHTTP bool) error {
	refuse := func(text string) error { return FieldError(KindIllegalValue, "url", text) }
	if len(raw) > MaxWebhookURL {
		return refuse("url is too long.")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil, u.Host == "", u.Hostname() == "", strings.ContainsFunc(raw, func(c rune) bool { return c <= ' ' || c == 0x7f }):
		return refuse("url must be a URL like https://example.com/events.")
	case u.Scheme != "https" && (u.Scheme != "http" || !allowHTTP):
		return refuse("url must begin with https://.")
	case u.User != nil:
		return refuse("url must hold no user and no password.")
	case u.Fragment != "":
		return refuse("url must have no fragment.")
	}
	return nil
}

// WebhookEvents judges the events that an endpoint wants and returns them sorted
// and each once; none stands for all.
func WebhookEvents(names []string) ([]EventType, error) {
	known := EventTypes()
	var events []EventType
	for _, name := range names {
		if !slices.Contains(known, EventType(name)) {
			return nil, FieldError(KindIllegalValue, "events", "events holds a name that is no event's.")
		}
		events = append(events, EventType(name))
	}
	slices.Sort(events)
	return slices.Compact(events), nil
}
