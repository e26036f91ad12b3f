package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/netip"

	"github.com/gin-gonic/gin"

	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// call is what is known of one HTTP request beyond net/http. It is filled in on
// the way in, by one goroutine, and read on the way out.
type call struct {
	// trackingID is 32 hex digits (contract §3).
	trackingID string
	// address is the caller's IP address; it may be invalid.
	address netip.Addr
	at      location
	// route is the template of the route, empty until one was found.
	route string
	actor policy.Actor
	body  body
	// upload is the body of an operation that takes no JSON.
	upload *upload
	// failure is the kind of the error that was answered, empty if none was.
	failure string
	// origin is who causes what the operation changes, and attempt a change that
	// was refused, nil if none was.
	origin  lifecycle.Origin
	attempt *lifecycle.AuditChange
	// gone is true once the client has left without its answer.
	gone bool
}

// addressText is empty for an address that is not known.
func (c *call) addressText() string {
	if !c.address.IsValid() {
		return ""
	}
	return c.address.String()
}

type callKey struct{}

func newCall() *call {
	var id [16]byte
	// Read never fails: the process ends first.
	_, _ = rand.Read(id[:])
	return &call{trackingID: hex.EncodeToString(id[:])}
}

func withCall(ctx context.Context, c *call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// TrackingID returns the tracking id of the call that ctx belongs to, nothing
// where it belongs to none. It is for log lines (contract §3).
func TrackingID(ctx context.Context) string {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c.trackingID
	}
	return ""
}

// NoteCaller says who makes the call that ctx belongs to, and of which operation, for
// its log line and for the audit trail. It is for handlers that find that out
// themselves.
func NoteCaller(ctx context.Context, a policy.Actor, op policy.Operation) {
	_, c := callOf(ctx)
	c.actor = a
	c.origin.Operation, c.origin.Identity, c.origin.Client = string(op), a.IdentityID, a.ClientID
}

// callOf returns the call, and the context of the HTTP request in the place of
// Gin's, which is used again once the request is over.
func callOf(ctx context.Context) (context.Context, *call) {
	if g, ok := ctx.(*gin.Context); ok {
		ctx = g.Request.Context()
	}
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		c = newCall()
	}
	return ctx, c
}
