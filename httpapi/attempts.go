package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/lifecycle"
)

const (
	// Attempts are kept for as long as the audit trail is, and everybody may make
	// some: so many of one caller, and so many of all, are written down in a minute
	// by one process. The access log has every one.
	attemptsPerCaller = 20
	attemptsPerMinute = 200
	// attemptTimeout bounds the writing down of one; its answer is out by then.
	attemptTimeout = 5 * time.Second
)

// loginOperation is the operation of a token request.
const loginOperation = "createToken"

// attemptObjects are what ids in paths are of: one named "id" by the first
// segment of the route, any other by its name.
var attemptObjects = map[string]lifecycle.AuditObjectType{
	"non-employee-extension-approvals": lifecycle.ObjectApprovalItem,
	"non-employee-extensions":          lifecycle.ObjectRequest,
	"non-employee-sources":             lifecycle.ObjectSource,
	"non-employee-records":             lifecycle.ObjectRecord,
	"non-employee-requests":            lifecycle.ObjectRequest,
	"non-employee-approvals":           lifecycle.ObjectApprovalItem,
	"oauth-clients":                    lifecycle.ObjectClient,
	"personal-access-tokens":           lifecycle.ObjectClient,
	"attributeId":                      lifecycle.ObjectAttribute,
	"scheduleId":                       lifecycle.ObjectExportSchedule,
	"jobId":                            lifecycle.ObjectImport,
	"webhooks":                         lifecycle.ObjectWebhook,
	"deliveries":                       lifecycle.ObjectDelivery,
	"identities":                       lifecycle.ObjectIdentity,
	"absenceId":                        lifecycle.ObjectAbsence,
}

// attemptOn is the attempt at the object that the path names last. Whether there
// is such an object must not be looked up.
func attemptOn(g *gin.Context) *lifecycle.AuditChange {
	change := &lifecycle.AuditChange{
		Action: lifecycle.ActionAttempt, Outcome: lifecycle.OutcomeDenied, Object: lifecycle.ObjectNone,
	}
	if len(g.Params) == 0 {
		return change
	}
	named := g.Params[len(g.Params)-1]
	key := named.Key
	if key == "id" {
		key, _, _ = strings.Cut(strings.TrimPrefix(g.FullPath(), "/"), "/")
	}
	object, known := attemptObjects[key]
	id, err := lifecycle.ParseID(named.Value)
	switch {
	case !known || err != nil:
		// Entries are never removed: what somebody put into a path, a name perhaps,
		// does not belong there.
	case object == lifecycle.ObjectClient:
		change.Object, change.ID = object, named.Value
	default:
		change.Object, change.ID = object, id.String()
	}
	return change
}

// attemptByDirectory is attemptOn for a request of SCIM that was routed.
func attemptByDirectory(r *http.Request) *lifecycle.AuditChange {
	change := &lifecycle.AuditChange{
		Action: lifecycle.ActionAttempt, Outcome: lifecycle.OutcomeDenied, Object: lifecycle.ObjectNone,
	}
	id, err := lifecycle.ParseID(r.PathValue("id"))
	switch {
	case err != nil:
	case strings.Contains(r.Pattern, "/Users/"):
		change.Object, change.ID = lifecycle.ObjectIdentity, id.String()
	case strings.Contains(r.Pattern, "/Groups/"):
		change.Object, change.ID = lifecycle.ObjectWorkgroup, id.String()
	}
	return change
}

// NoteRefusedLogin tells, of the call that ctx belongs to, that somebody asked for
// a token without the secret of a client; clientID is empty where there is no such
// client.
func NoteRefusedLogin(ctx context.Context, clientID string) {
	_, c := callOf(ctx)
	c.origin = lifecycle.Origin{
		Channel: lifecycle.ChannelAPI, Operation: loginOperation, Address: c.addressText(), TrackingID: c.trackingID,
	}
	c.attempt = &lifecycle.AuditChange{
		Action: lifecycle.ActionAttempt, Outcome: lifecycle.OutcomeDenied, Object: lifecycle.ObjectNone,
	}
	if clientID != "" {
		c.attempt.Object, c.attempt.ID = lifecycle.ObjectClient, clientID
	}
}

// noteAttempt writes a change down that was refused. The answer goes out before,
// so that it is the same, and takes the same time, whether that works or not.
func (s *server) noteAttempt(w *recorder, r *http.Request, c *call) {
	if c.attempt == nil {
		return
	}
	w.Flush()
	caller := c.origin.Client
	if caller == "" {
		caller = c.origin.Address
	}
	unrecorded, ok := s.attempts.take(caller, time.Now())
	if !ok {
		return
	}
	if unrecorded > 0 {
		c.attempt.Facts = map[string]any{"unrecorded": unrecorded}
	}
	ctx, cancel := context.WithTimeout(lifecycle.WithOrigin(context.WithoutCancel(r.Context()), c.origin), attemptTimeout)
	defer cancel()
	if err := s.attempted(ctx, *c.attempt); err != nil {
		s.logError(ctx, c, slog.LevelError, "an attempt could not be written down", err)
	}
}

// attemptBudget is what may be written down of attempts in a minute. The zero
// value is ready; safe for concurrent use.
type attemptBudget struct {
	mu     sync.Mutex
	minute int64
	all    int
	// of has the callers of this minute that something was written down of.
	of map[string]int
	// unrecorded are those since the last one that was written down.
	unrecorded int
}

// take reports whether an attempt of the caller may be written down, and if so,
// how many of anybody's were not since the last one that was.
func (b *attemptBudget) take(caller string, now time.Time) (unrecorded int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if minute := now.Unix() / 60; minute != b.minute {
		b.minute, b.all, b.of = minute, 0, map[string]int{}
	}
	if b.all >= attemptsPerMinute || b.of[caller] >= attemptsPerCaller {
		b.unrecorded++
		return 0, false
	}
	b.all++
	b.of[caller]++
	unrecorded, b.unrecorded = b.unrecorded, 0
	return unrecorded, true
}

// isChange reports whether the method is one of operations that change something.
func isChange(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}
