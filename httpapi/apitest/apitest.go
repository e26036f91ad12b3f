// Package apitest holds answers of the API against its OpenAPI document. It is
// for tests, those of httpapi and those that reach a running service.
package apitest

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"

	"gatehouse/httpapi"
)

var document = sync.OnceValues(func() (*openapi3.T, error) {
	openapi3filter.RegisterBodyDecoder("application/jwk-set+json", openapi3filter.JSONBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", openapi3filter.PlainBodyDecoder)
	// A document in YAML is a text to the document that describes it.
	openapi3filter.RegisterBodyDecoder("application/yaml", openapi3filter.PlainBodyDecoder)
	return openapi3.NewLoader().LoadFromData(httpapi.Document)
})

// Document returns the API's OpenAPI document. It is shared: read it only.
func Document(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := document()
	require.NoError(t, err)
	return doc
}

// ValidateResponse fails the test unless the document has the operation that r
// asked for at any of its mounts, and lists this answer of it: status, media
// type, required headers, and a body that the schema admits, without any member
// that the schema does not name.
//
// An answer to a path or method that the document does not have must be 404 or
// 405 in the form of an error.
func ValidateResponse(t testing.TB, r *http.Request, status int, header http.Header, body []byte) {
	t.Helper()
	doc := Document(t)
	template, item := find(doc, r.Method, canonical(r.URL.EscapedPath()))
	var operation *openapi3.Operation
	if item != nil {
		operation = item.GetOperation(r.Method)
	}
	if operation == nil {
		require.Contains(t, []int{http.StatusNotFound, http.StatusMethodNotAllowed}, status,
			"%s %s is not in openapi.yaml", r.Method, r.URL.Path)
		// Any operation has this form of error.
		template = "/non-employee-records/{id}"
		item = doc.Paths.Value(template)
		operation, status = item.Get, http.StatusNotFound
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: r,
			Route: &routers.Route{
				Spec: doc, Path: template, PathItem: item, Method: r.Method, Operation: operation,
			},
		},
		Status: status, Header: header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	input.SetBodyBytes(body)
	require.NoError(t, openapi3filter.ValidateResponse(r.Context(), input),
		"%s %s answered %d: %s", r.Method, r.URL.Path, status, body)
	if response := operation.Responses.Status(status).Value; len(response.Content) == 0 {
		require.Empty(t, body, "%s %s answered %d with a body", r.Method, r.URL.Path, status)
	}
	require.Regexp(t, `^[0-9a-f]{32}$`, header.Get("X-Request-Id"))
}

// resource is what is served at every mount.
var resource = regexp.MustCompile(`^/(non-employee-|(audit-events|deliveries|identities|oauth-clients|personal-access-tokens|webhooks|workgroups)(/|$))`)

// canonical takes the mount away from a path (contract §1). A path of the
// contract that is under no mount is empty.
func canonical(path string) string {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	rest = "/" + rest
	switch {
	case slices.Contains([]string{"v3", "beta", "v2024", "v2025", "v2026"}, first):
		if !resource.MatchString(rest) {
			return ""
		}
		return rest
	case resource.MatchString("/" + first):
		if rest != "/v1" && !strings.HasPrefix(rest, "/v1/") {
			return ""
		}
		return "/" + first + strings.TrimPrefix(rest, "/v1")
	}
	return path
}

// find returns the template that a path fits. Of two the one that has the method
// wins, then the one with more literal segments: so the router has it, though
// OpenAPI looks at the segments alone.
func find(doc *openapi3.T, method, path string) (string, *openapi3.PathItem) {
	segments := strings.Split(path, "/")
	best, bestLiterals := "", -1
	for template := range doc.Paths.Map() {
		parts := strings.Split(template, "/")
		if len(parts) != len(segments) {
			continue
		}
		literals := 0
		for i, part := range parts {
			if strings.HasPrefix(part, "{") {
				continue
			}
			if part != segments[i] {
				literals = -1
				break
			}
			literals++
		}
		if literals >= 0 && doc.Paths.Value(template).GetOperation(method) != nil {
			literals += len(parts)
		}
		if literals > bestLiterals {
			best, bestLiterals = template, literals
		}
	}
	if best == "" {
		return "", nil
	}
	return best, doc.Paths.Value(best)
}
