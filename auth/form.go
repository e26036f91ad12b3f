package auth

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// maxForm is the longest body of a token request, in bytes.
const maxForm = 16 << 10

// tokenRequest is what a token request asks for.
type tokenRequest struct {
	grantType    string
	clientID     string
	clientSecret string
	scope        string
	// basic is true where the credentials came by HTTP Basic.
	basic bool
}

// readTokenRequest takes the parameters from the body, be it multipart or
// urlencoded, and from the query string; together, since published clients use
// each (contract §6).
func readTokenRequest(w http.ResponseWriter, r *http.Request) (tokenRequest, *tokenError) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return tokenRequest{}, invalidRequest("The query string can't be read.")
	}
	body, fault := readForm(w, r)
	if fault != nil {
		return tokenRequest{}, fault
	}
	var request tokenRequest
	for _, parameter := range []struct {
		name  string
		value *string
	}{
		{"grant_type", &request.grantType},
		{"client_id", &request.clientID},
		{"client_secret", &request.clientSecret},
		{"scope", &request.scope},
	} {
		for _, value := range append(body[parameter.name], query[parameter.name]...) {
			// A parameter without a value counts as left out (RFC 6749 §3.2),
			// and the same value in two places is no contradiction.
			if value == "" || value == *parameter.value {
				continue
			}
			if *parameter.value != "" {
				return tokenRequest{}, invalidRequest("The parameter " + parameter.name + " is there more than once.")
			}
			*parameter.value = value
		}
	}
	if fault := addBasic(&request, r.Header.Values("Authorization")); fault != nil {
		return tokenRequest{}, fault
	}
	return request, nil
}

func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *tokenError) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return nil, &tokenError{status: http.StatusRequestEntityTooLarge, Code: "invalid_request", Description: "The body is too long."}
	}
	if err != nil {
		return nil, invalidRequest("The body can't be read.")
	}
	if len(body) == 0 {
		return nil, nil
	}
	values, err := parseForm(r.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, invalidRequest("The body must be a form, application/x-www-form-urlencoded or multipart/form-data.")
	}
	return values, nil
}

var errNotAForm = errors.New("not a form")

func parseForm(contentType string, body []byte) (url.Values, error) {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, errNotAForm
	}
	switch media {
	case "application/x-www-form-urlencoded":
		return url.ParseQuery(string(body))
	case "multipart/form-data":
		// The body is bounded already, so that no part goes to a file.
		form, err := multipart.NewReader(bytes.NewReader(body), parameters["boundary"]).ReadForm(maxForm)
		if err != nil {
			return nil, errNotAForm
		}
		defer form.RemoveAll() //nolint:errcheck // there are no files
		return form.Value, nil
	}
	return nil, errNotAForm
}

// addBasic takes the credentials from HTTP Basic. Another scheme is no
// authentication of a client and stands for nothing here.
func addBasic(request *tokenRequest, headers []string) *tokenError {
	if len(headers) > 1 {
		return invalidRequest("There is more than one Authorization header.")
	}
	if len(headers) == 0 {
		return nil
	}
	scheme, encoded, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Basic") {
		return nil
	}
	request.basic = true
	id, secret, ok := parseBasic(strings.TrimSpace(encoded))
	if !ok {
		return invalidClient(true)
	}
	if request.clientSecret != "" || request.clientID != "" && request.clientID != id {
		return invalidRequest("The client authenticates in more than one way.")
	}
	request.clientID, request.clientSecret = id, secret
	return nil
}

// parseBasic reads the credentials of HTTP Basic, each of which is form-encoded
// within (RFC 6749 §2.3.1).
func parseBasic(encoded string) (id, secret string, ok bool) {
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	id, secret, ok = strings.Cut(string(decoded), ":")
	if !ok {
		return "", "", false
	}
	id, idErr := url.QueryUnescape(id)
	secret, secretErr := url.QueryUnescape(secret)
	return id, secret, idErr == nil && secretErr == nil
}
