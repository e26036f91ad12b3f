package lifecycle

import "time"

// DeliveryChannel is the way that an event is told by.
type DeliveryChannel string

// The delivery channels. The values stand in histories and never change.
const (
	ByMail    DeliveryChannel = "MAIL"
	ByWebhook DeliveryChannel = "WEBHOOK"
)

// DeliveryStatus is where a delivery stands.
type DeliveryStatus string

// The delivery statuses.
const (
	// DeliveryPending is being tried, or waits for that.
	DeliveryPending DeliveryStatus = "PENDING"
	// DeliveryDelivered has been taken by who it was for.
	DeliveryDelivered DeliveryStatus = "DELIVERED"
	// DeliveryDead is given up until somebody has it sent again.
	DeliveryDead DeliveryStatus = "DEAD"
)

// DeliveryPatience is how long a delivery is tried since its workflow took it up.
const DeliveryPatience = 24 * time.Hour

// DeliveryAttempt bounds one attempt.
const DeliveryAttempt = 45 * time.Second

// Delivery is an event on its way to one person or one endpoint.
type Delivery struct {
	ID ID
	// EventID is that of the event, the same for all its deliveries.
	EventID ID
	Event   EventType
	Channel DeliveryChannel
	// Recipient is the identity that a mail goes to, Endpoint where a webhook goes
	// to; the other one is zero.
	Recipient, Endpoint ID
	Status              DeliveryStatus
	// Attempts counts those that began; Doubts are those of them of which it is not
	// known whether they arrived.
	Attempts, Doubts int
	// Fault is a code, see the Fault constants; empty where nothing was wrong.
	Fault             string
	Created, Modified time.Time
	// Delivered is zero until then.
	Delivered time.Time
}

// Faults of deliveries. There are codes beside these: "status_" with an HTTP
// status, "smtp_" with a reply code.
const (
	// FaultUnreachable: no connection came about, or it broke.
	FaultUnreachable = "unreachable"
	// FaultTimeout: the other side took too long.
	FaultTimeout = "timeout"
	// FaultTLS: no safe connection came about.
	FaultTLS = "tls"
	// FaultLogin: the mail server does not take our name and password.
	FaultLogin = "login_refused"
	// FaultAddress: the mail address or the URL is none that may be sent to.
	FaultAddress = "address_refused"
	// FaultRedirect: an endpoint answered with a redirect, which is not followed.
	FaultRedirect = "redirect"
	// FaultGone: an endpoint answered that it is gone, and was disabled.
	FaultGone = "gone"
	// FaultBusy: as much is on its way to the endpoint already as may be at once. It
	// is no attempt, and is never stored.
	FaultBusy = "busy"
	// FaultDisabled: the endpoint is disabled.
	FaultDisabled = "disabled"
	// FaultRecipient: nobody active with an address is behind the recipient any more.
	FaultRecipient = "recipient_gone"
	// FaultContent: the text could not be made.
	FaultContent = "content"
	// FaultGivenUp: the time was over without a fault of its own.
	FaultGivenUp = "given_up"
)

// DeliveryError is why an attempt failed. It holds a code and nothing else, so
// that it may stand in histories and logs.
type DeliveryError struct {
	Code string
	// Final is true where another attempt would fail as well.
	Final bool
	// After is when another attempt is welcome; zero where nothing was said.
	After time.Duration
	// Doubtful is true where it may have arrived all the same.
	Doubtful bool
}

// Error implements error.
func (f *DeliveryError) Error() string { return "delivery: " + f.Code }

// Mail is a message to one person.
type Mail struct {
	// ID is the same at every attempt, and that of no other mail.
	ID ID
	// Name may be empty.
	Name, Address string
	Subject       string
	Text, HTML    string
	Event         EventType
	// Language is a BCP 47 tag.
	Language string
	Date     time.Time
}

// Posting is a message to an endpoint.
type Posting struct {
	// ID is the same at every attempt.
	ID ID
	// Endpoint is for bounding what goes to one of them at once.
	Endpoint ID
	URL      string
	Secret   []byte
	Body     []byte
}

// DeliveryQuery says which deliveries are listed; what is empty or zero stands for
// all.
type DeliveryQuery struct {
	Status   DeliveryStatus
	Event    EventType
	Channel  DeliveryChannel
	Endpoint ID
	Limit    int
	Offset   int
	// Count asks for the number of matches.
	Count bool
}
