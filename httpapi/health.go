package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// health is the answer of both probes.
type health struct {
	// Status is "ok" or "unavailable".
	Status string `json:"status"`
	// Missing is what an unready process waits for.
	Missing []string `json:"missing,omitempty"`
}

func (s *server) getHealth(g *gin.Context) {
	s.writeJSON(g.Writer, g.Request, http.StatusOK, health{Status: "ok"})
}

func (s *server) getReadiness(g *gin.Context) {
	var missing []string
	if s.ready != nil {
		missing = s.ready(g.Request.Context())
	}
	if len(missing) == 0 {
		s.writeJSON(g.Writer, g.Request, http.StatusOK, health{Status: "ok"})
		return
	}
	g.Header("Retry-After", seconds(retryAfter))
	s.writeJSON(g.Writer, g.Request, http.StatusServiceUnavailable, health{Status: "unavailable", Missing: missing})
}
