package httpapi

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/oapi-codegen/runtime"

	"gatehouse/filter"
	"gatehouse/lifecycle"
)

// shapes says what a parameter must be, for the error when it is not. A
// parameter that may hold any text can be wrong only by being there twice.
var shapes = map[string]string{
	"id":                 "a UUID",
	"attributeId":        "a UUID",
	"jobId":              "a UUID",
	"scheduleId":         "a UUID",
	"absenceId":          "a UUID",
	"job":                "a UUID",
	"dry-run":            "true or false",
	"limit":              "a whole number from 0 to 250",
	"offset":             "a whole number, 0 or more",
	"count":              "true or false",
	"non-employee-count": "true or false",
	"include-detail":     "true or false",
	"format":             "csv or ndjson",
}

// parameterName finds the name in the errors of the generated code, which has
// it in a text and nowhere else.
var parameterName = regexp.MustCompile(`(?:parameter|one value for|Query argument) '?([A-Za-z-]+)`)

// failParameter answers a parameter that could not be bound.
func (s *server) failParameter(g *gin.Context, err error, _ int) {
	name := "parameter"
	if found := parameterName.FindStringSubmatch(err.Error()); found != nil {
		name = found[1]
	}
	if missing, ok := errors.AsType[*runtime.RequiredParameterError](err); ok {
		s.fail(g.Writer, g.Request, lifecycle.FieldError(lifecycle.KindRequired, missing.ParamName, missing.ParamName+" is required;"))
		return
	}
	shape, ok := shapes[name]
	if !ok {
		shape = "given once"
	}
	s.fail(g.Writer, g.Request, lifecycle.FieldError(lifecycle.KindBadRequest, name, name+" must be "+shape+".").WithCause(err))
}

// checkQuery refuses a query string of which net/http would silently drop a
// part, and text that no field can hold.
func (s *server) checkQuery(g *gin.Context) {
	values, err := url.ParseQuery(g.Request.URL.RawQuery)
	if err != nil {
		g.Abort()
		s.fail(g.Writer, g.Request, lifecycle.NewError(lifecycle.KindBadRequest, "The query string can't be read.").WithCause(err))
		return
	}
	for name, all := range values {
		for _, value := range all {
			if !isText(name) || !isText(value) {
				g.Abort()
				s.fail(g.Writer, g.Request, lifecycle.NewError(lifecycle.KindBadRequest, "The query string must be UTF-8 without NUL characters."))
				return
			}
		}
	}
	g.Next()
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// betaPage reads limit and offset where the contract has them at the beta mount
// alone (contract §1).
func betaPage(r *http.Request) (p filter.Params, err error) {
	query := r.URL.Query()
	for name, into := range map[string]**int{"limit": &p.Limit, "offset": &p.Offset} {
		bound := runtime.BindQueryParameterWithOptions("form", true, false, name, query, into,
			runtime.BindQueryParameterOptions{Type: "integer"})
		if bound != nil {
			err = lifecycle.FieldError(lifecycle.KindBadRequest, name, name+" must be "+shapes[name]+".").WithCause(bound)
		}
	}
	return p, err
}

// total is the value of X-Total-Count, nil where it was not asked for.
func total(count *bool, matches int) *int {
	if !valueOr(count, false) {
		return nil
	}
	return &matches
}
