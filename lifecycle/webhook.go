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
	if fault := checkWebhookURL(raw, allowHTTP); fault != nil {
		return fault
	}
	return nil
}

func checkWebhookURL(raw string, allowHTTP bool) *Error {
	refuse := func(text string) *Error { return FieldError(KindIllegalValue, "url", text) }
	if len(raw) > MaxWebhookURL {
		return refuse("url is too long")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil, u.Host == "", u.Hostname() == "", strings.ContainsFunc(raw, func(c rune) bool { return c <= ' ' || c == 0x7f }):
		return refuse("url must be a URL like https://example.com/events")
	case u.Scheme != "https" && (u.Scheme != "http" || !allowHTTP):
		return refuse("url must begin with https://")
	case u.User != nil:
		return refuse("url must hold no user and no password")
	case u.Fragment != "":
		return refuse("url must have no fragment")
	}
	return nil
}

// WebhookInput is an endpoint as a client sent it; nil is absent.
type WebhookInput struct {
	URL     *string
	Events  []string
	Enabled *bool
	// Faults are what could not be read.
	Faults Faults
}

// Judge returns the endpoint that the input asks for, enabled unless it says
// otherwise, and everything that is wrong with it.
func (in WebhookInput) Judge(allowHTTP bool) (WebhookEndpoint, Faults) {
	faults := in.Faults
	endpoint := WebhookEndpoint{Enabled: in.Enabled == nil || *in.Enabled}
	switch {
	case in.URL == nil || *in.URL == "":
		if len(in.Faults) == 0 {
			faults.Add(KindRequired, "url", "url is required")
		}
	default:
		endpoint.URL = *in.URL
		if fault := checkWebhookURL(*in.URL, allowHTTP); fault != nil {
			faults = append(faults, fault)
		}
	}
	known := EventTypes()
	for _, name := range in.Events {
		if !slices.Contains(known, EventType(name)) {
			faults.Add(KindIllegalValue, "events", "events holds a name that is no event's")
			break
		}
		endpoint.Events = append(endpoint.Events, EventType(name))
	}
	slices.Sort(endpoint.Events)
	endpoint.Events = slices.Compact(endpoint.Events)
	return endpoint, faults
}
