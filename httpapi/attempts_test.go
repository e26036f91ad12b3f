package httpapi_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"gatehouse/httpapi"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// mutations are the operations of the document that change something, by
// operationId.
func mutations(t *testing.T) map[string]struct{ method, path string } {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(httpapi.Document)
	require.NoError(t, err)
	found := map[string]struct{ method, path string }{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if method != http.MethodGet && !strings.HasPrefix(path, "/oauth/") {
				found[operation.OperationID] = struct{ method, path string }{method, path}
			}
		}
	}
	return found
}

// TestARefusedChangeIsToldOfOnce: with who and what, and nothing of the body.
func TestARefusedChangeIsToldOfOnce(t *testing.T) {
	t.Parallel()
	objects := map[string]int{}
	for id, operation := range mutations(t) {
		a := newAPI(t)
		a.service.err = policy.ErrForbidden
		path, named := operation.path, ""
		for strings.Contains(path, "{") {
			from, to := strings.Index(path, "{"), strings.Index(path, "}")
			// A form that has to be made the one form first.
			named = lifecycle.NewID().String()
			sent := strings.ToUpper(strings.ReplaceAll(named, "-", ""))
			path = path[:from] + sent + path[to+1:]
			if id == string(policy.DeleteToken) || id == string(policy.DeleteClient) {
				named = sent // those of clients have one form
			}
		}
		body := `{"comment": "hidden"}`
		if operation.method == http.MethodPatch {
			body = `[]`
		}
		r := request(operation.method, "/v3"+path, body)
		if id == string(policy.BulkUpload) || id == string(policy.ImportExtension) {
			r = request(operation.method, "/v3"+path, "--x\r\n")
		} else if operation.method == http.MethodPatch {
			r.Header.Set("Content-Type", "application/json-patch+json")
		}
		r.RemoteAddr = "192.0.2.7:1234"
		w := a.do(t, r)
		require.Equal(t, http.StatusForbidden, w.Code, id)
		require.Len(t, a.attempts, 1, id)
		got := a.attempts[0]
		require.Equal(t, lifecycle.Origin{
			Channel: lifecycle.ChannelAPI, Operation: id, Identity: person, Client: "test", Address: "192.0.2.7",
			TrackingID: w.Header().Get("X-Request-Id"),
		}, got.Origin)
		require.Equal(t, lifecycle.AuditChange{
			Action: lifecycle.ActionAttempt, Outcome: lifecycle.OutcomeDenied, Object: got.Object, ID: named,
		}, got.AuditChange, id)
		require.Equal(t, named == "", got.Object == lifecycle.ObjectNone, id)
		objects[string(got.Object)+" "+id]++
	}
	for _, want := range []string{
		"SOURCE deleteNonEmployeeSource", "SOURCE importNonEmployeeRecordsInBulk", "SCHEMA_ATTRIBUTE patchNonEmployeeSchemaAttribute",
		"RECORD updateNonEmployeeRecord", "REQUEST deleteNonEmployeeRequest", "APPROVAL_ITEM approveNonEmployeeRequest",
		"IMPORT cancelNonEmployeeBulkUploadJob", "EXPORT_SCHEDULE deleteNonEmployeeExportSchedule",
		"IDENTITY createIdentityAbsence", "ABSENCE deleteIdentityAbsence", "APPROVAL_ITEM reassignNonEmployeeApproval",
		"NONE deleteNonEmployeeRecordsInBulk", "NONE createNonEmployeeRequest",
	} {
		require.Equal(t, 1, objects[want], want)
	}
}

// TestAnAttemptKeepsNoWordsOfTheCaller: the entry stays for ever, and the path
// may have a name.
func TestAnAttemptKeepsNoWordsOfTheCaller(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.service.err = policy.ErrForbidden
	for _, path := range []string{"/v3/oauth-clients/jane.doe", "/v3/personal-access-tokens/jane_doe"} {
		require.Equal(t, http.StatusForbidden, a.do(t, request(http.MethodDelete, path, "")).Code, path)
	}
	require.Len(t, a.attempts, 2)
	for _, attempt := range a.attempts {
		require.Equal(t, lifecycle.ObjectNone, attempt.Object)
		require.Empty(t, attempt.ID)
	}
}

func TestOnlyARefusedChangeIsAnAttempt(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	do := func(method, path string, err error, code int) {
		a.service.err = err
		require.Equal(t, code, a.do(t, request(method, path, "")).Code)
	}
	record := "/v3/non-employee-records/" + objectID.String()
	do(http.MethodGet, record, policy.ErrForbidden, http.StatusForbidden)
	do(http.MethodDelete, record, policy.ErrNotFound, http.StatusNotFound)
	do(http.MethodDelete, record, nil, http.StatusNoContent)
	r := request(http.MethodDelete, record, "")
	r.Header.Del("Authorization")
	require.Equal(t, http.StatusUnauthorized, a.do(t, r).Code)
	require.Empty(t, a.attempts)
}

// TestAnAttemptThatCanNotBeWrittenChangesNoAnswer: the log has it.
func TestAnAttemptThatCanNotBeWrittenChangesNoAnswer(t *testing.T) {
	t.Parallel()
	answers := make([]*httptest.ResponseRecorder, 2)
	for i, unwritten := range []error{nil, errors.New("no database")} {
		a := newAPI(t)
		a.service.err, a.unwritten = policy.ErrForbidden, unwritten
		answers[i] = a.do(t, request(http.MethodDelete, "/v3/non-employee-records/"+objectID.String(), ""))
		require.Equal(t, unwritten != nil, strings.Contains(a.log.String(), "an attempt could not be written down"))
	}
	tracked := func(w *httptest.ResponseRecorder) string {
		return strings.ReplaceAll(w.Body.String(), w.Header().Get("X-Request-Id"), "tracked")
	}
	require.Equal(t, answers[0].Code, answers[1].Code)
	require.Equal(t, tracked(answers[0]), tracked(answers[1]))
}

func TestARefusedLoginIsAnAttempt(t *testing.T) {
	t.Parallel()
	for clientID, object := range map[string]lifecycle.AuditObjectType{"their-token": lifecycle.ObjectClient, "": lifecycle.ObjectNone} {
		a := newAPI(t, func(o *httpapi.Options) {
			o.Token = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				httpapi.NoteRefusedLogin(r.Context(), clientID)
				w.WriteHeader(http.StatusUnauthorized)
			})
		})
		r := httptest.NewRequest(http.MethodPost, "/oauth/token", http.NoBody)
		r.RemoteAddr = "192.0.2.7:1234"
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		require.Equal(t, []attempted{{
			lifecycle.Origin{
				Channel: lifecycle.ChannelAPI, Operation: "createToken", Address: "192.0.2.7", TrackingID: w.Header().Get("X-Request-Id"),
			},
			lifecycle.AuditChange{
				Action: lifecycle.ActionAttempt, Outcome: lifecycle.OutcomeDenied, Object: object, ID: clientID,
			},
		}}, a.attempts)
	}
}

// TestAttemptsAreBounded: who goes on trying fills the log, not the trail.
func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.service.err = policy.ErrForbidden
	for range 100 {
		require.Equal(t, http.StatusForbidden, a.do(t, request(http.MethodDelete, "/v3/non-employee-records/"+objectID.String(), "")).Code)
	}
	// The minute may have changed once.
	require.Contains(t, []int{20, 40}, len(a.attempts))
}
