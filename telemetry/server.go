package telemetry

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// readyTimeout bounds the question whether the program is ready.
const readyTimeout = 5 * time.Second

// ReadyFunc returns what is missing for the program to do its work, in words
// for an operator and without addresses or secrets; nothing if it is ready. It
// heeds ctx.
type ReadyFunc func(ctx context.Context) []string

// NewServer returns the server of the metrics listener at address: /metrics,
// /healthz and /readyz. It is for operators and asks for no token, so the
// address should not be open to clients.
func NewServer(address string, m *Metrics, ready ReadyFunc, log *slog.Logger) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError),
		// A fault of one metric must not hide the others.
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 4,
		// Which has exemplars; it is served to who asks for it.
		EnableOpenMetrics: true,
		Timeout:           10 * time.Second,
	}))
	mux.Handle("GET /healthz", Health())
	mux.Handle("GET /readyz", Readiness(ready))
	return &http.Server{
		Addr: address, Handler: mux,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// status is the answer of the health and readiness endpoints.
type status struct {
	Status  string   `json:"status"`
	Missing []string `json:"missing,omitempty"`
}

// Health answers that the process runs: 200 {"status":"ok"}, whatever else is
// wrong. It is what a supervisor restarts by.
func Health() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeStatus(w, http.StatusOK, status{Status: "ok"})
	})
}

// Readiness answers whether the program can do its work: 200 {"status":"ok"},
// or 503 {"status":"unavailable","missing":[…]}. Alerts and rollouts go by it, balancers
// by Health: a program that can't do all of its work may be of use.
func Readiness(ready ReadyFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		missing := ready(ctx)
		if len(missing) == 0 {
			writeStatus(w, http.StatusOK, status{Status: "ok"})
			return
		}
		w.Header().Set("Retry-After", "5")
		writeStatus(w, http.StatusServiceUnavailable, status{"unavailable", slices.Sorted(slices.Values(missing))})
	})
}

func writeStatus(w http.ResponseWriter, code int, body status) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	// A client that has gone is no concern of ours.
	_ = json.NewEncoder(w).Encode(body)
}
