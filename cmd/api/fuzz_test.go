package main

import (
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/httpapi/apitest"
	"gatehouse/policy"
	"gatehouse/scim"
)

// attempt is a request to be made of anything.
type attempt struct {
	// operation is an index into the document's, from rawTarget on none.
	operation uint8
	// actor is an index into actors, beyond it nobody.
	actor, mount uint8
	// method stands in the place of the operation's unless it is empty.
	method string
	// path has the path parameters, parted by "|"; where one is empty it is that
	// of an object that is there. From rawTarget on it is the whole target.
	path, query string
	// headers are further lines.
	headers string
	body    string
}

// rawTarget is the first value of operation that stands for none.
const rawTarget = 200

// mountPrefixes are those of contract §1; the empty one has the version after the
// first segment.
var mountPrefixes = []string{"/v3", "", "/beta", "/v2024", "/v2025", "/v2026"}

// fuzzSeeds is how many of the seeds the fuzzer begins with: each is run once
// before the first one is changed.
const fuzzSeeds = 250

// FuzzAPI holds that nothing that a client may send makes the program fail,
// answer what its document does not say, or write into its log what is no event
// of its own; nor hang.
func FuzzAPI(f *testing.F) {
	if flag.Lookup("test.fuzz").Value.String() == "" {
		f.Skip("TestWhatAClientCanNotDo sends all seeds")
	}
	w := newWorld(f)
	seeds := w.seeds()
	for i := 0; i < len(seeds); i += len(seeds) / fuzzSeeds {
		a := seeds[i]
		f.Add(a.operation, a.actor, a.mount, a.method, a.path, a.query, a.headers, []byte(a.body))
	}
	f.Fuzz(func(t *testing.T, operation, actor, mount uint8, method, path, query, headers string, body []byte) {
		w.try(t, attempt{operation, actor, mount, method, path, query, headers, string(body)})
	})
}

// try makes the request, judges the answer, and makes the objects anew where it
// did away with them.
func (w *world) try(t *testing.T, a attempt) {
	t.Helper()
	op := operation{method: http.MethodGet}
	if a.operation < rawTarget {
		op = w.operations[int(a.operation)%len(w.operations)]
	}
	method, target := op.method, w.target(a, op)
	if a.method != "" {
		method = oneLine.Replace(a.method)
	}
	body := w.fill(a.body)
	got := w.exchange(t, method, w.head(a, op, method, target, body != ""), body)
	shown := fmt.Sprintf("%.100q %.300q as %d answered %d in %s: %.600s", method, target, a.actor, got.status, got.took, got.body)
	if bad := w.log.take(); len(bad) > 0 {
		t.Fatalf("%s\nlogged: %.4000s", shown, strings.Join(bad, "\n"))
	}
	if got.took > answerTime {
		t.Fatal(shown)
	}
	if got.header.Get("X-Request-Id") == "" {
		// net/http refused what is no HTTP.
		require.Contains(t, []int{400, 417, 431, 501, 505}, got.status, shown)
		return
	}
	asked, err := parseTarget(method, target)
	require.NoError(t, err, shown)
	if got.status >= 500 && (got.status != http.StatusServiceUnavailable || !slices.Contains(waiting, op.id)) && !isUnbuilt(asked, got.status) {
		t.Fatal(shown)
	}
	if got.status != http.StatusNotFound {
		// A path may be escaped without need.
		asked.RawPath = ""
	}
	switch {
	case isSCIM(method, asked):
		requireSCIM(t, method, got, shown)
	case !strings.HasPrefix(asked.Path, docsAssets):
		apitest.ValidateResponse(t, &http.Request{Method: method, URL: asked}, got.status, got.header, got.body)
		for name := range got.header {
			require.Contains(t, headerNames, name, shown)
		}
	}
	if method != http.MethodGet && got.status < 300 {
		w.mend(t, op, method)
	}
}

// parseTarget reads the target as net/http does: that of CONNECT may be a host alone.
func parseTarget(method, target string) (*url.URL, error) {
	if method == http.MethodConnect && !strings.HasPrefix(target, "/") {
		target = "http://" + target
	}
	return url.ParseRequestURI(target)
}

// docsAssets are files that the document does not list.
const docsAssets = "/docs/"

// waiting are the operations that wait for a workflow; a busy machine may keep
// them waiting too long.
var waiting = []string{
	"approveNonEmployeeRequest", "rejectNonEmployeeRequest", "approveNonEmployeeExtension", "rejectNonEmployeeExtension", "exportNonEmployeeRecords",
}

// headerNames are all that answers have.
var headerNames = []string{
	"Allow", "Cache-Control", "Connection", "Content-Disposition", "Content-Length", "Content-Security-Policy",
	"Content-Type", "Cross-Origin-Resource-Policy", "Date", "Pragma", "Referrer-Policy", "Retry-After",
	"Www-Authenticate", "X-Content-Type-Options", "X-Frame-Options", "X-Gatehouse-Job", "X-On-Behalf-Of", "X-Request-Id", "X-Total-Count",
}

// manyWrites is after how many changes the objects are made anew.
const manyWrites = 100

// mend restores what a success may have changed.
func (w *world) mend(t *testing.T, op operation, method string) {
	t.Helper()
	w.writes++
	switch {
	case op.id == scimID && w.writes <= manyWrites:
		if method == http.MethodDelete {
			w.makeDirectory(t)
		}
	case method == http.MethodDelete, w.writes > manyWrites, slices.Contains([]string{
		"approveNonEmployeeRequest", "rejectNonEmployeeRequest", "deleteNonEmployeeRecordsInBulk",
		"approveNonEmployeeExtension", "rejectNonEmployeeExtension", "cancelNonEmployeeExtension",
	}, op.id):
		w.make(t)
	}
}

// oneLine keeps a value within its line.
var oneLine = strings.NewReplacer("\r", "", "\n", "")

var parameter = regexp.MustCompile(`\{[^}]+\}`)

// target is what stands in the first line of the request.
func (w *world) target(a attempt, op operation) string {
	target := a.path
	if op.id != "" {
		given := strings.Split(a.path, "|")
		target = parameter.ReplaceAllStringFunc(op.template, func(name string) string {
			value := ""
			if len(given) > 0 {
				value, given = given[0], given[1:]
			}
			if value == "" {
				value = liveParameter(op.template, name)
			}
			return value
		})
		if _, mounted := policy.RuleOf(policy.Operation(op.id)); mounted {
			target = mountAt(mountPrefixes[int(a.mount)%len(mountPrefixes)], target)
		}
	}
	if a.query != "" {
		target += "?" + a.query
	}
	if strings.HasPrefix(target, scim.Path) {
		// The directory may change everybody, and the others have to stay who they are.
		target = strings.NewReplacer("$person", "$user", "$approver", "$user").Replace(target)
	}
	return oneLine.Replace(w.fill(target))
}

// liveParameter is the word for the object that a parameter stands for.
func liveParameter(template, name string) string {
	switch name {
	case "{attributeId}":
		return "$attribute"
	case "{jobId}":
		return "$job"
	case "{scheduleId}":
		return "$schedule"
	case "{absenceId}":
		return "$absence"
	case "{requested-for}":
		return "me"
	}
	for prefix, word := range map[string]string{
		"/non-employee-sources": "$source", "/non-employee-records": "$record",
		"/non-employee-requests": "$request", "/non-employee-approvals": "$item",
		"/non-employee-extensions/{": "$extension", "/non-employee-extension-approvals": "$part",
		"/personal-access-tokens": "$token", "/oauth-clients": "$client", "/webhooks": "$webhook", "/deliveries": "$delivery",
		"/identities/{id}/absences": "$user",
		scim.Path + "/Users":        "$user", scim.Path + "/Groups": "$group", scim.Path + "/Schemas": urnSchemas + "User",
		scim.Path + "/ResourceTypes": "User",
	} {
		if strings.HasPrefix(template, prefix) {
			return word
		}
	}
	return "x"
}

func mountAt(prefix, path string) string {
	if prefix != "" {
		return prefix + path
	}
	first, rest, deeper := strings.Cut(path[1:], "/")
	if deeper {
		rest = "/" + rest
	}
	return "/" + first + "/v1" + rest
}

// ours are headers that the length of a request, or the number of answers to it,
// depends on.
var ours = []string{"content-length", "transfer-encoding", "expect", "connection", "trailer", "upgrade", "host"}

// head is what is sent ahead of a body, without its length.
func (w *world) head(a attempt, op operation, method, target string, hasBody bool) string {
	lines := []string{method + " " + target + " HTTP/1.1", "Host: " + w.address}
	media := true
	for line := range strings.SplitSeq(a.headers, "\n") {
		name, _, _ := strings.Cut(line, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if line == "" || slices.Contains(ours, name) {
			continue
		}
		media = media && name != "content-type"
		lines = append(lines, oneLine.Replace(w.fill(line)))
	}
	if int(a.actor) < len(w.tokens) {
		lines = append(lines, "Authorization: Bearer "+w.tokens[a.actor])
	}
	if media && hasBody {
		lines = append(lines, "Content-Type: "+mediaOf(op))
	}
	return strings.Join(append(lines, "Connection: close", ""), "\r\n")
}

func mediaOf(op operation) string {
	switch {
	case op.id == scimID:
		return "application/scim+json"
	case op.id == "createToken":
		return "application/x-www-form-urlencoded"
	case slices.Contains(takeFiles, op.id):
		return aForm
	case op.method == http.MethodPatch:
		return "application/json-patch+json"
	}
	return "application/json"
}
