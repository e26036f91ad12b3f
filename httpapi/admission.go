package httpapi

import (
	"context"
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
)

const textBusy = "The service has too much to do just now; please try again later."

// isLong is true for calls that last as long as their files. Their number is
// bounded elsewhere, that of uploads by the service and that of downloads by the
// exports that workers write, and they would take the turns of those that end soon.
func isLong(route string) bool {
	_, upload := uploadFields[route]
	return upload || route == "/non-employee-sources/:id/non-employees/download"
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
	g.Next()
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
