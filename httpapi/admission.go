package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"
)

const (
	// admissionPatience is how long a call waits for its turn. One that waits longer
	// would be answered late, and has others wait behind it.
	admissionPatience = time.Second
	// busyAfter is what Retry-After says to a call that did not get its turn.
	busyAfter = time.Second
	// bodyPatience is how long the body of a call that has its turn may take to
	// arrive. Whoever sends slowly would keep the turn from others, without even
	// having a token.
	bodyPatience = 5 * time.Second
)

const textBusy = "The service has too much to do just now; please try again later."

// isLong is true for calls that last as long as their files: they would take the
// turns of those that end soon. The number of uploads and of exports is bounded by
// those who carry them out, and the others are for few.
func isLong(route string) bool {
	_, upload := uploadFields[route]
	return upload || longDownloads[route]
}

var longDownloads = map[string]bool{
	"/audit-events/export": true,
	"/non-employee-sources/:id/non-employee-bulk-upload/jobs/:jobId/faults/download": true,
	"/non-employee-sources/:id/non-employees/download":                               true,
}

// newAdmission bounds how many calls are worked on at once; nil for 0, which is no
// bound.
func newAdmission(calls int) *semaphore.Weighted {
	if calls == 0 {
		return nil
	}
	return semaphore.NewWeighted(int64(calls))
}

// admit has a call wait for its turn, and refuses it where that does not come
// soon: under more load than the process can bear most calls are served as always,
// and the others know at once.
func (s *server) admit(g *gin.Context) {
	if s.admission == nil || isLong(g.FullPath()) {
		g.Next()
		return
	}
	if !s.admission.TryAcquire(1) {
		ctx, cancel := context.WithTimeout(g.Request.Context(), admissionPatience)
		err := s.admission.Acquire(ctx, 1)
		cancel()
		if err != nil {
			g.Abort()
			s.tooBusy(g.Writer, g.Request)
			return
		}
	}
	defer s.admission.Release(1)
	if g.Request.Body != nil && g.Request.Body != http.NoBody {
		g.Request.Body = newPromptBody(g.Writer, g.Request.Body)
	}
	g.Next()
}

// promptBody is a body that has to arrive soon. The deadline is that of the
// connection, on which the server looks for the client's leaving once the body is
// there; so it is taken away then.
type promptBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func newPromptBody(w http.ResponseWriter, body io.ReadCloser) *promptBody {
	b := &promptBody{ReadCloser: body, control: http.NewResponseController(w)}
	// A writer without deadlines is none of net/http's.
	_ = b.control.SetReadDeadline(time.Now().Add(bodyPatience))
	return b
}

// Read implements io.Reader.
func (b *promptBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// tooBusy answers a call that did not get its turn. Its line in the access log is
// all that the log gets: under load there are many.
func (s *server) tooBusy(w http.ResponseWriter, r *http.Request) {
	ctx, c := callOf(r.Context())
	c.failure = "too_busy"
	c.gone = ctx.Err() != nil
	w.Header().Set("Retry-After", seconds(busyAfter))
	s.answerError(w, r, answer{http.StatusServiceUnavailable, "500.0 Internal Fault"}, textBusy)
}
