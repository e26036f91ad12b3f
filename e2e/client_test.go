package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/httpapi/apitest"
)

// marker stands in every personal value that these tests send, so that one
// search finds any of them where it must not be.
const marker = "pii7"

// answerTimeout bounds one call; waitTimeout bounds waiting for a condition, and
// sweepTimeout for one that the sweep brings about: a sweep that was cut off is
// tried again only when it is known to be lost.
const (
	answerTimeout = 30 * time.Second
	waitTimeout   = 2 * time.Minute
	sweepTimeout  = 5 * time.Minute
)

var httpClient = &http.Client{Timeout: answerTimeout}

// login is the answer of the token endpoint.
type login struct {
	AccessToken string `json:"access_token"`
	IdentityID  string `json:"identity_id"`
}

var (
	logins sync.Map // alias → login
	// signingIn is held by whoever asks the stack's API for a token.
	signingIn sync.Mutex
)

func signIn(t *testing.T, alias string) login {
	t.Helper()
	if known, ok := logins.Load(alias); ok {
		return known.(login)
	}
	status, body := askForToken(t, url.Values{
		"client_id": {"demo-" + alias}, "client_secret": {"demo-" + alias + "-secret"},
	})
	require.Equal(t, http.StatusOK, status, "%s", body)
	var l login
	require.NoError(t, json.Unmarshal(body, &l))
	logins.Store(alias, l)
	return l
}

// askForToken asks for a token by these parameters beside the grant_type.
func askForToken(t *testing.T, parameters url.Values) (status int, body []byte) {
	t.Helper()
	parameters.Set("grant_type", "client_credentials")
	// To judge a secret costs a core for a while, and an API that has no time for
	// it says so.
	signingIn.Lock()
	defer signingIn.Unlock()
	a := anonymous(t).post("/oauth/token", parameters.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	return a.status, a.body
}

// anonymous calls without a token, at the paths as they are.
func anonymous(t *testing.T) caller {
	t.Helper()
	return caller{t: t, mount: prefixed("")}
}

func identityID(t *testing.T, alias string) string {
	t.Helper()
	id := signIn(t, alias).IdentityID
	require.NotEmpty(t, id)
	return id
}

// caller calls the API as somebody, under one mount.
type caller struct {
	t     *testing.T
	token string
	mount mount
	// api is the base URL of another API than the stack's.
	api string
}

func as(t *testing.T, alias string) caller {
	t.Helper()
	return caller{t: t, token: signIn(t, alias).AccessToken, mount: prefixed("/v3")}
}

func (c caller) at(m mount) caller { c.mount = m; return c }

// mount turns the canonical path of an operation into that of a mount.
type mount struct {
	name string
	path func(string) string
}

func prefixed(prefix string) mount {
	return mount{name: prefix, path: func(p string) string { return prefix + p }}
}

// mounts are those of contract §1.
func mounts() []mount {
	all := []mount{{name: "segment v1", path: func(p string) string {
		first, rest, found := strings.Cut(strings.TrimPrefix(p, "/"), "/")
		if !found {
			name, query, hasQuery := strings.Cut(first, "?")
			if hasQuery {
				return "/" + name + "/v1?" + query
			}
			return "/" + first + "/v1"
		}
		return "/" + first + "/v1/" + rest
	}}}
	for _, prefix := range []string{"/v3", "/beta", "/v2024", "/v2025", "/v2026"} {
		all = append(all, prefixed(prefix))
	}
	return all
}

// answer is a response, read whole.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// send makes one call and holds the answer against the OpenAPI document.
func (c caller) send(method, path string, body any, headers ...string) answer {
	c.t.Helper()
	a, err := c.try(method, path, body, headers...)
	require.NoError(c.t, err)
	return a
}

// try is send for calls that may find nobody at home.
func (c caller) try(method, path string, body any, headers ...string) (answer, error) {
	c.t.Helper()
	var encoded []byte
	var reader io.Reader
	contentType := "application/json"
	if body != nil {
		switch b := body.(type) {
		case string:
			encoded = []byte(b)
		case []patchOperation:
			contentType = "application/json-patch+json"
			encoded = marshal(c.t, b)
		default:
			encoded = marshal(c.t, b)
		}
		reader = bytes.NewReader(encoded)
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), answerTimeout)
	defer cancel()
	api := c.api
	if api == "" {
		api = stack.apiURL
	}
	request, err := http.NewRequestWithContext(ctx, method, api+c.mount.path(path), reader)
	require.NoError(c.t, err)
	if reader != nil {
		request.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := httpClient.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	noteCall(request, encoded, response.StatusCode, content)
	apitest.ValidateResponse(c.t, request, response.StatusCode, response.Header, content)
	return answer{t: c.t, status: response.StatusCode, header: response.Header, body: content}, nil
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	encoded, err := json.Marshal(value)
	require.NoError(t, err)
	return encoded
}

type patchOperation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

func (c caller) get(path string) answer { c.t.Helper(); return c.send(http.MethodGet, path, nil) }
func (c caller) post(path string, body any, headers ...string) answer {
	c.t.Helper()
	return c.send(http.MethodPost, path, body, headers...)
}
func (c caller) patch(path string, operations ...patchOperation) answer {
	c.t.Helper()
	return c.send(http.MethodPatch, path, operations)
}
func (c caller) delete(path string) answer {
	c.t.Helper()
	return c.send(http.MethodDelete, path, nil)
}

// want fails the test unless the answer has this status.
func (a answer) want(status int) answer {
	a.t.Helper()
	require.Equal(a.t, status, a.status, "%s", a.body)
	return a
}

// wantError fails the test unless the answer is this error of contract §3.
func (a answer) wantError(status int, detailCode, text string) answer {
	a.t.Helper()
	a.want(status)
	require.Equal(a.t, detailCode, a.object()["detailCode"], "%s", a.body)
	require.Contains(a.t, a.errorText(), text)
	return a
}

func (a answer) errorText() string {
	a.t.Helper()
	var e struct {
		Messages []struct {
			Text string `json:"text"`
		} `json:"messages"`
	}
	require.NoError(a.t, json.Unmarshal(a.body, &e))
	require.NotEmpty(a.t, e.Messages, "%s", a.body)
	return e.Messages[0].Text
}

type object map[string]any

func (a answer) object() object {
	a.t.Helper()
	var o object
	require.NoError(a.t, json.Unmarshal(a.body, &o), "%s", a.body)
	return o
}

func (a answer) list() []object {
	a.t.Helper()
	var l []object
	require.NoError(a.t, json.Unmarshal(a.body, &l), "%s", a.body)
	return l
}

func (o object) id() string { return o.text("id") }

func (o object) text(field string) string {
	s, _ := o[field].(string)
	return s
}

func (o object) items() []object {
	raw, _ := o["approvalItems"].([]any)
	items := make([]object, len(raw))
	for i, item := range raw {
		items[i] = item.(map[string]any)
	}
	return items
}

func (o object) itemStatuses() []string {
	var statuses []string
	for _, item := range o.items() {
		statuses = append(statuses, item.text("approvalStatus"))
	}
	return statuses
}

// eventually waits until condition holds, asking again every 50 ms.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, waitTimeout, 50*time.Millisecond, what)
}

// bySweep is eventually for what the sweep does.
func bySweep(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, sweepTimeout, 100*time.Millisecond, what)
}

var serial atomic.Int64

// unique returns a name that nobody used before in this run.
func unique(prefix string) string {
	return fmt.Sprintf("%s.%s.%d", prefix, marker, serial.Add(1))
}

// newSource makes a source with these approvers, managed by jane.doe; it goes
// with the test, since there may be 50 only.
func newSource(t *testing.T, approvers ...string) object {
	t.Helper()
	references := []object{}
	for _, alias := range approvers {
		references = append(references, object{"id": identityID(t, alias)})
	}
	admin := as(t, "admin")
	source := admin.post("/non-employee-sources", object{
		"name": unique("Source"), "description": "For a test",
		"owner":           object{"id": identityID(t, "source.admin")},
		"accountManagers": []object{{"id": identityID(t, "jane.doe")}},
		"approvers":       references,
	}).want(http.StatusOK).object()
	t.Cleanup(func() {
		rememberPeople(t, source.id())
		// The test may have removed it, or be one that leaves the API down.
		_, _ = admin.withoutTest().try(http.MethodDelete, "/non-employee-sources/"+source.id(), nil)
	})
	return source
}

// withoutTest lets a call be made when the context of its test has ended.
func (c caller) withoutTest() quietCaller { return quietCaller{c.token, c.mount} }

type quietCaller struct {
	token string
	mount mount
}

func (q quietCaller) try(method, path string, body io.Reader) (int, error) {
	request, err := http.NewRequestWithContext(context.Background(), method, stack.apiURL+q.mount.path(path), body)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+q.token)
	response, err := httpClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// person is a body for a record or a request.
func person(source object) object {
	account := unique("acc")
	return object{
		"sourceId": source.id(), "accountName": account, "firstName": "First-" + marker, "lastName": "Last-" + marker,
		"email": account + "@example.com", "phone": "+1 512 " + marker, "manager": "john.roe",
		"startDate": "2027-01-01T00:00:00Z", "endDate": "2027-12-31",
	}
}

// ask makes a request as jane.doe.
func ask(t *testing.T, source object) object {
	t.Helper()
	return as(t, "jane.doe").post("/non-employee-requests", person(source)).want(http.StatusOK).object()
}

// readRequest returns the request as the administrator sees it.
func readRequest(t *testing.T, id string) object {
	t.Helper()
	return as(t, "admin").get("/non-employee-requests/" + id).want(http.StatusOK).object()
}

// approve has the approver approve the item.
func approve(t *testing.T, alias string, item object) answer {
	t.Helper()
	return as(t, alias).post("/non-employee-approvals/"+item.id()+"/approve", object{"comment": "Fine " + marker})
}

// recordsOf returns the records of a source.
func recordsOf(t *testing.T, source object) []object {
	t.Helper()
	return as(t, "admin").get("/non-employee-records?filters=" + url.QueryEscape(`sourceId eq "`+source.id()+`"`)).
		want(http.StatusOK).list()
}
