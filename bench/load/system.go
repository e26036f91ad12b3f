package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"gatehouse/devstack"
)

// system is the running system that bears the load.
type system struct {
	stack *devstack.Stack
	dir   string
	http  *http.Client
	// tokens and ids by alias.
	tokens, ids map[string]string
}

// callTimeout is how long a client waits. What takes longer counts as failed.
const callTimeout = 60 * time.Second

func start(ctx context.Context, copies int) (_ *system, err error) {
	s := &system{
		tokens: map[string]string{}, ids: map[string]string{},
		http: &http.Client{Timeout: callTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
	}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "gatehouse-load-"); err != nil {
		return nil, err
	}
	s.stack, err = devstack.Start(ctx, devstack.Options{Dir: s.dir, Demo: true, Durable: true, Copies: copies, Env: map[string]string{
		"GATEHOUSE_LOG_LEVEL": "warn",
		// A few people stand for very many.
		"GATEHOUSE_RATE_LIMIT":             "0",
		"GATEHOUSE_MAX_RECORDS_PER_SOURCE": "1000000",
	}})
	if err != nil {
		return nil, err
	}
	for _, alias := range []string{"admin", "jane.doe", "approver.one"} {
		login, err := devstack.LogIn(ctx, s.http, s.stack.APIURL(), alias)
		if err != nil {
			return nil, err
		}
		s.tokens[alias], s.ids[alias] = login.AccessToken, login.IdentityID
	}
	return s, nil
}

func (s *system) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if s.stack != nil {
		if err := s.stack.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "load: stopping:", err)
		}
	}
	_ = os.RemoveAll(s.dir)
}

// post sends a JSON body under /v3.
func (s *system) post(ctx context.Context, alias, path string, body, answer any) (status int, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	return s.send(ctx, alias, http.MethodPost, "/v3"+path, "application/json", bytes.NewReader(text), answer)
}

// get reads what is under /v3 and drops it.
func (s *system) get(ctx context.Context, alias, path string) (status int, err error) {
	return s.send(ctx, alias, http.MethodGet, "/v3"+path, "", nil, nil)
}

// send makes a call and decodes a good answer, unless nil. The error is one of the
// way there and back; a refusal is a status.
func (s *system) send(ctx context.Context, alias, method, path, contentType string, body io.Reader, answer any) (int, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.stack.APIURL()+path, body)
	if err != nil {
		return 0, err
	}
	if alias != "" {
		request.Header.Set("Authorization", "Bearer "+s.tokens[alias])
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := s.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if answer != nil && response.StatusCode < http.StatusMultipleChoices {
		return response.StatusCode, json.NewDecoder(response.Body).Decode(answer)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// memory is the resident memory of all copies of each program, in MiB.
type memory struct {
	API    float64 `json:"api"`
	Worker float64 `json:"worker"`
}

// or has the larger of both.
func (m memory) or(n memory) memory {
	return memory{max(m.API, n.API), max(m.Worker, n.Worker)}
}

func (s *system) memory() memory {
	return memory{resident(s.stack.API), resident(s.stack.Worker)}
}

// resident is the memory of all copies; one that does not tell counts as nothing.
func resident(copies devstack.Copies) (all float64) {
	for _, p := range copies {
		one, _ := p.Resident()
		all += one
	}
	return all
}
