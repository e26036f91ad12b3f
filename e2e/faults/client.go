package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"
)

const (
	// answerLimit bounds one call. It is short, so that clients give up often.
	answerLimit = 8 * time.Second
	// firstPause and lastPause are how long a client waits before it repeats a call.
	firstPause = 100 * time.Millisecond
	lastPause  = 2 * time.Second
)

// outcome is what a client knows of a call.
type outcome string

const (
	// told: it was carried out.
	told outcome = "told"
	// refused: it changed nothing.
	refused outcome = "refused"
	// unknown: there was no answer, or one that promises nothing.
	unknown outcome = "unanswered"
)

// answer is what came of one call.
type answer struct {
	outcome outcome
	status  int
	header  http.Header
	body    []byte
}

func (a answer) decode(into any) bool { return json.Unmarshal(a.body, into) == nil }

// detail is the code of a refusal.
func (a answer) detail() string {
	var refusal struct {
		DetailCode string `json:"detailCode"`
	}
	a.decode(&refusal)
	return refusal.DetailCode
}

// taken is whether the call was refused because a name or reference is taken.
func (a answer) taken() bool { return strings.HasPrefix(a.detail(), "400.1.409") }

// caller calls the API as somebody.
type caller struct {
	http  *http.Client
	base  string
	token string
	tally *tally
}

// call is one call of an operation under /v3.
type call struct {
	// kind is what the tally counts it as.
	kind         string
	method, path string
	// body is sent as JSON, unless it is a file.
	body any
	key  string
}

// file is a body of an upload.
type file string

// once makes the call and notes what came of it.
func (c caller) once(ctx context.Context, what call) answer {
	began := time.Now()
	a := c.send(ctx, what)
	if ctx.Err() == nil || a.outcome != unknown {
		c.tally.note(what.kind, a.outcome, time.Since(began))
	}
	return a
}

func (c caller) send(ctx context.Context, what call) answer {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	body, contentType, err := encode(what.body)
	if err != nil {
		return answer{outcome: unknown}
	}
	request, err := http.NewRequestWithContext(ctx, what.method, c.base+"/v3"+what.path, body)
	if err != nil {
		return answer{outcome: unknown}
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if what.body != nil {
		request.Header.Set("Content-Type", contentType)
	}
	if what.key != "" {
		request.Header.Set("Idempotency-Key", what.key)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{outcome: unknown}
	}
	defer func() { _ = response.Body.Close() }()
	a := answer{outcome: unknown, status: response.StatusCode, header: response.Header}
	// Half an answer is none: what it says may be cut.
	if a.body, err = io.ReadAll(response.Body); err != nil {
		return a
	}
	switch {
	case a.status >= 200 && a.status < 300:
		a.outcome = told
	case a.status >= 400 && a.status < 500 && a.status != http.StatusTooManyRequests && a.status != http.StatusRequestTimeout:
		a.outcome = refused
	}
	return a
}

func encode(body any) (io.Reader, string, error) {
	switch content := body.(type) {
	case nil:
		return http.NoBody, "", nil
	case file:
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		part, err := w.CreateFormFile("data", "data.csv")
		if err == nil {
			_, err = io.WriteString(part, string(content))
		}
		if err == nil {
			err = w.Close()
		}
		return &form, w.FormDataContentType(), err
	default:
		encoded, err := json.Marshal(body)
		return bytes.NewReader(encoded), "application/json", err
	}
}

// insist repeats the call until it is answered or ctx ends. open is how many
// attempts had no answer: each of them may yet be carried out.
func (c caller) insist(ctx context.Context, what call) (a answer, open int) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		a = c.once(ctx, what)
		if a.outcome != unknown {
			return a, open
		}
		open++
		if !wait(ctx, pause) {
			return a, open
		}
	}
}

// wait waits, and reports whether ctx goes on.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
