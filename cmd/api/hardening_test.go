package main

import (
	"bufio"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"
)

// TestWhatAClientCanNotDo holds the running program against clients that mean no
// good.
func TestWhatAClientCanNotDo(t *testing.T) {
	database := &tap{}
	w := newWorld(t, func(url string) string { return database.open(t, url) })
	slow := w.slowClients(t)
	t.Run("learn what there is", func(t *testing.T) { w.requireOpaque(t, database) })
	t.Run("set what is the program's", func(t *testing.T) { w.requireReadOnly(t) })
	t.Run("put words into headers", func(t *testing.T) { w.requireSafeNames(t) })
	t.Run("send too much", func(t *testing.T) { w.requireBounds(t) })
	t.Run("break it", func(t *testing.T) {
		for i, a := range w.seeds() {
			if !t.Run("", func(t *testing.T) { w.try(t, a) }) {
				t.Logf("seed %d: %+q", i, a)
			}
		}
	})
	t.Run("take its time", func(t *testing.T) {
		for _, client := range slow {
			client.requireEnd(t)
		}
	})
}

// slowClient sends a byte now and then.
type slowClient struct {
	what string
	// limit is when the program has to have ended the connection.
	limit time.Duration
	took  chan time.Duration
}

const (
	// slowPause is between two bytes, and many how many clients send so.
	slowPause   = 100 * time.Millisecond
	slowClients = 20
	// late is for a busy machine.
	late = 30 * time.Second
)

// slowClients begin a request each, which they never end. The bounds are those of
// the server that listen makes.
func (w *world) slowClients(t *testing.T) []slowClient {
	t.Helper()
	var all []slowClient
	for range slowClients {
		all = append(all,
			w.dribble(t, "a head", 5*time.Second, "GET /v3/non-employee-sources HTTP/1.1\r\nHost: x\r\nX: "),
			w.dribble(t, "a body", 30*time.Second, "POST /v3/non-employee-records HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+w.tokens[0]+
				"\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{\"a\":\""))
	}
	return all
}

func (w *world) dribble(t *testing.T, what string, limit time.Duration, begin string) slowClient {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	c := slowClient{what: what, limit: limit, took: make(chan time.Duration, 1)}
	began := time.Now()
	go func() {
		pause := time.NewTicker(slowPause)
		defer pause.Stop()
		_, err := io.WriteString(conn, begin)
		for ; err == nil; <-pause.C {
			_, err = io.WriteString(conn, "a")
		}
		c.took <- time.Since(began)
	}()
	return c
}

// requireEnd waits until the program has had enough.
func (c slowClient) requireEnd(t *testing.T) {
	t.Helper()
	select {
	case took := <-c.took:
		require.Less(t, took, c.limit+late, c.what)
	case <-time.After(c.limit + late):
		t.Fatalf("the program waits for %s that never ends", c.what)
	}
}

// requireBounds holds that what is too long is refused, and that the program then
// still answers others.
func (w *world) requireBounds(t *testing.T) {
	t.Helper()
	post := "POST /v3/non-employee-records HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + w.tokens[0] +
		"\r\nContent-Type: application/json\r\nConnection: close\r\n"
	long := w.exchange(t, http.MethodPost, post, `{"a":"`+strings.Repeat("a", 2<<20)+`"}`)
	require.Equal(t, http.StatusRequestEntityTooLarge, long.status, "%s", long.body)

	for name, head := range map[string]string{
		"one header":   "X: " + strings.Repeat("a", 37<<10) + "\r\n",
		"many headers": strings.Repeat("X: y\r\n", 7_000),
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.address)
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n"+head+"\r\n")
		require.NoError(t, err)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err, name)
		require.NoError(t, response.Body.Close())
		require.NoError(t, conn.Close())
		require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode, name)
	}
	w.ask(t, w.tokens[0], http.MethodGet, "/v3/non-employee-records/"+w.live["$record"], "", "")
}

// requireSafeNames holds that the name of a source names a file and nothing else.
func (w *world) requireSafeNames(t *testing.T) {
	t.Helper()
	for i, name := range []string{
		`a\"; filename=\"b.exe`, `../../etc/passwd`, `C:\\x; x=y`, `\u202egnp.exe`, `\u00fcber, 100% \ud83d\ude00`, `a%0d%0aSet-Cookie: x=y`, `%00`, strings.Repeat(`\u0416`, 200),
	} {
		source := w.send(t, http.MethodPost, "/v3/non-employee-sources", w.fill(fmt.Sprintf(
			`{"name":"%s %d","description":"d","owner":{"id":"$person"}}`, name, i)))
		path := "/v3/non-employee-sources/" + text(t, source, "id")
		got := w.exchange(t, http.MethodGet, "GET "+path+"/non-employees/download HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+w.tokens[0]+
			"\r\nConnection: close\r\n", "")
		require.Equal(t, http.StatusOK, got.status, "%s: %s", name, got.body)
		for header := range got.header {
			require.Contains(t, headerNames, header, name)
		}
		kind, parameters, err := mime.ParseMediaType(got.header.Get("Content-Disposition"))
		require.NoError(t, err, name)
		require.Equal(t, "attachment", kind)
		require.Len(t, parameters, 1, name)
		require.True(t, strings.HasSuffix(parameters["filename"], ".csv"), name)
		for _, r := range parameters["filename"] {
			require.True(t, unicode.IsPrint(r) && !strings.ContainsRune(`/\:*?"<>|`, r), "%s: %q", name, r)
		}
		w.ask(t, w.tokens[0], http.MethodDelete, path, "", "")
	}
	for _, name := range []string{`a\r\nSet-Cookie: x=y`, `a\u0000`, `a\u0085b`, `a\u001b[31m`} {
		w.requireRefused(t, http.MethodPost, "/v3/non-employee-sources", "application/json",
			w.fill(`{"name":"`+name+`","description":"d","owner":{"id":"$person"}}`), "400.1")
	}
}

// requireReadOnly holds that what a body says of the program's own fields counts
// for nothing, and that a change of them is refused.
func (w *world) requireReadOnly(t *testing.T) {
	t.Helper()
	const own = `"id":"` + unknownID + `","created":"2001-01-01T00:00:00Z","modified":"2001-01-01T00:00:00Z","approvalStatus":"APPROVED",` +
		`"approvalItems":[],"completionDate":"2001-01-01T00:00:00Z","system":true,"approverSummary":null,"requester":{"id":"` + unknownID + `"},`
	for path, body := range map[string]string{
		"/v3/non-employee-records":                                        personBody("mass.record"),
		"/v3/non-employee-requests":                                       personBody("mass.request"),
		"/v3/non-employee-sources/$source/schema-attributes":              goodBodies["createNonEmployeeSourceSchemaAttributes"],
		"/v3/non-employee-sources/$source/non-employees/export-schedules": goodBodies["createNonEmployeeExportSchedule"],
	} {
		made := w.send(t, http.MethodPost, w.fill(path), w.fill("{"+own+strings.TrimPrefix(body, "{")))
		require.NotEqual(t, unknownID, made["id"], path)
		require.NotContains(t, fmt.Sprint(made), "2001", path)
		require.NotContains(t, fmt.Sprint(made), unknownID, path)
		require.NotEqual(t, true, made["system"], path)
		if status, ok := made["approvalStatus"]; ok {
			require.Equal(t, "PENDING", status, path)
			require.Len(t, made["approvalItems"], 1, path)
		}
	}
	record := w.fill("/v3/non-employee-records/$record")
	before := w.ask(t, w.tokens[0], http.MethodGet, record, "", "")
	for _, field := range []string{"id", "sourceId", "created", "modified", "none"} {
		for _, op := range []string{
			`{"op":"replace","path":"/` + field + `","value":"` + unknownID + `"}`, `{"op":"add","path":"/` + field + `","value":1}`,
			`{"op":"remove","path":"/` + field + `"}`, `{"op":"move","from":"/` + field + `","path":"/phone"}`,
		} {
			w.requireRefused(t, http.MethodPatch, record, "application/json-patch+json", "["+op+"]", "400.1.1 Illegal update attempt")
		}
	}
	for _, field := range []string{"id", "sourceId"} {
		w.requireRefused(t, http.MethodPut, record, "application/json",
			w.fill(`{"`+field+`":"`+unknownID+`",`+strings.TrimPrefix(strings.Replace(personBody("a.record"), `"sourceId":"$source",`, "", 1), "{")),
			"400.1.1 Illegal update attempt")
	}
	require.Equal(t, before, w.ask(t, w.tokens[0], http.MethodGet, record, "", ""))
}

// requireRefused holds that the call is refused with this code.
func (w *world) requireRefused(t *testing.T, method, path, media, body, code string) {
	t.Helper()
	head := method + " " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + w.tokens[0] +
		"\r\nContent-Type: " + media + "\r\nConnection: close\r\n"
	got := w.exchange(t, method, head, body)
	require.Equal(t, http.StatusBadRequest, got.status, "%s: %s", body, got.body)
	require.Contains(t, string(got.body), code, body)
}
