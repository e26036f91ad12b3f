package httpapi_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/document"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/service"
)

// bodies are those that can't be read, each with what is said of it.
var bodies = map[string]struct {
	media, body string
	kind        lifecycle.Kind
	text        string
}{
	"no body":                {"application/json", "", lifecycle.KindRequired, "missing"},
	"no media type":          {"", "{}", lifecycle.KindUnsupportedMedia, "must be application/json"},
	"another media type":     {"text/plain", "{}", lifecycle.KindUnsupportedMedia, "must be application/json"},
	"a form":                 {"application/x-www-form-urlencoded", "a=b", lifecycle.KindUnsupportedMedia, "must be application/json"},
	"a type that is no type": {"/;", "{}", lifecycle.KindUnsupportedMedia, "must be application/json"},
	"too long":               {"application/json", `{"a":"` + strings.Repeat("x", maxBodyBytes) + `"}`, lifecycle.KindTooLarge, "longer than 4096 bytes"},
	"not JSON":               {"application/json", "<a/>", lifecycle.KindBadRequest, "not valid JSON"},
	"two values":             {"application/json", "{} {}", lifecycle.KindBadRequest, "not valid JSON"},
	"cut off":                {"application/json", `{"a":`, lifecycle.KindBadRequest, "not valid JSON"},
	"not UTF-8":              {"application/json", "{\"a\":\"\xff\"}", lifecycle.KindBadRequest, "UTF-8"},
	"a key twice":            {"application/json", `{"a":1,"\u0061":2}`, lifecycle.KindBadRequest, `the key "a" twice`},
	"a key twice, inside":    {"application/json", `{"x":[{"b":1,"b":1}]}`, lifecycle.KindBadRequest, `the key "b" twice`},
	"a NUL":                  {"application/json", `{"a":"\u0000"}`, lifecycle.KindBadRequest, "NUL"},
	"a NUL in a key":         {"application/json", `{"\u0000":1}`, lifecycle.KindBadRequest, "NUL"},
	"nested without an end":  {"application/json", strings.Repeat("[", 200) + strings.Repeat("]", 200), lifecycle.KindBadRequest, "deeper"},
	"no object":              {"application/json", `["a"]`, lifecycle.KindBadRequest, "must be a JSON object"},
}

func TestABodyThatCannotBeReadReachesTheServiceAsAFault(t *testing.T) {
	t.Parallel()
	for name, c := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for op, read := range map[policy.Operation]func(*fake) lifecycle.Faults{
				policy.CreateSource:  func(f *fake) lifecycle.Faults { return f.source.Faults },
				policy.CreateSchema:  func(f *fake) lifecycle.Faults { return f.attribute.Faults },
				policy.CreateRecord:  func(f *fake) lifecycle.Faults { return f.person.Faults },
				policy.PutRecord:     func(f *fake) lifecycle.Faults { return f.person.Faults },
				policy.CreateRequest: func(f *fake) lifecycle.Faults { return f.person.Faults },
				policy.BulkDelete:    func(f *fake) lifecycle.Faults { return f.faults },
				policy.Approve:       func(f *fake) lifecycle.Faults { return f.decision.Faults },
				policy.Reject:        func(f *fake) lifecycle.Faults { return f.decision.Faults },
			} {
				call := served[op]
				a := newAPI(t)
				r := request(call.method, fill(call.path), c.body)
				r.Header.Set("Content-Type", c.media)
				// The service answers as if access had been refused: a caller
				// without access learns nothing of the body.
				a.service.err = policy.ErrForbidden
				require.Equal(t, http.StatusForbidden, a.do(t, r).Code, op)
				faults := read(a.service)
				require.Len(t, faults, 1, op)
				require.Equal(t, c.kind, faults[0].Kind, op)
				require.Empty(t, faults[0].Field, "the fault is about the whole body")
				require.Contains(t, faults[0].Message, c.text, op)
			}
		})
	}
}

func TestAFaultOfTheWholeBodyIsToldAlone(t *testing.T) {
	t.Parallel()
	faults := lifecycle.Faults{lifecycle.NewError(lifecycle.KindTooLarge, "The body is longer.")}
	faults.Add(lifecycle.KindRequired, "firstName", "firstName is required")
	require.Equal(t, lifecycle.KindTooLarge, lifecycle.KindOf(faults.Err()))
	require.EqualError(t, faults.Err(), "too_large: The body is longer.")
}

func TestMembersOfTheWrongTypeAreFaultsTogether(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.do(t, request("POST", "/v3/non-employee-records",
		`{"firstName":1,"lastName":{},"phone":null,"email":"e","data":{"b":2,"a":true,"c":"x","d":null},"modified":7}`))
	in := a.service.person
	var messages []string
	for _, fault := range in.Faults {
		messages = append(messages, fault.Message)
	}
	require.Equal(t, []string{
		"firstName must be a string", "lastName must be a string", `data."a" must be a string`, `data."b" must be a string`,
	}, messages)
	require.Nil(t, in.Phone)
	require.Equal(t, "e", *in.Email)
	require.Equal(t, map[string]string{"c": "x"}, in.Data)
	require.True(t, in.HasData)
}

func TestReferencesAreIdsOrObjectsWithAnID(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.do(t, request("POST", "/v3/non-employee-sources",
		`{"name":"A","owner":{"id":"o","type":"IDENTITY"},"approvers":["x",{"id":"y"}],"accountManagers":[],"managementWorkgroup":"w"}`))
	in := a.service.source
	require.Empty(t, in.Faults)
	require.Equal(t, "o", *in.Owner)
	require.Equal(t, "w", *in.ManagementWorkgroup)
	require.Equal(t, []lifecycle.ReferenceInput{{ID: new("x")}, {ID: new("y")}}, in.Approvers)
	require.NotNil(t, in.AccountManagers)
	require.Empty(t, in.AccountManagers)

	a.do(t, request("POST", "/v3/non-employee-sources", `{"owner":7,"approvers":"x","accountManagers":[{}, 3]}`))
	require.Len(t, a.service.source.Faults, 4)
}

func TestABodyThatEndsEarlyIsAFault(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := request("POST", "/v3/non-employee-records", "{}")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"a":`), brokenReader{}))
	a.do(t, r)
	require.Len(t, a.service.person.Faults, 1)
	require.Equal(t, "The body could not be read to its end.", a.service.person.Faults[0].Message)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestACompressedBodyIsNotTaken(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := request("POST", "/v3/non-employee-records", "{}")
	r.Header.Set("Content-Encoding", "gzip")
	a.do(t, r)
	require.Equal(t, lifecycle.KindUnsupportedMedia, a.service.person.Faults[0].Kind)
}

func TestMediaTypesHaveParametersAndCase(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"application/json; charset=utf-8", "Application/JSON", "application/json;;"} {
		a := newAPI(t)
		r := request("POST", "/v3/non-employee-records", "{}")
		r.Header.Set("Content-Type", media)
		a.do(t, r)
		require.Empty(t, a.service.person.Faults, media)
	}
}

// patched sends the patch and applies what the service was given.
func patched(t testing.TB, media, patch, doc string) (string, error) {
	t.Helper()
	a := newAPI(t)
	r := request("PATCH", aRecordPath, patch)
	r.Header.Set("Content-Type", media)
	a.handler.ServeHTTP(httptest.NewRecorder(), r)
	require.NotNil(t, a.service.patch.Apply)
	out, err := a.service.patch.Apply([]byte(doc))
	return string(out), err
}

func TestAPatchChangesTheDocument(t *testing.T) {
	t.Parallel()
	const doc = `{"name":"A","tags":["x","y"],"data":{"a/b":"1"}}`
	for patch, want := range map[string]string{
		`[]`: doc,
		`[{"op":"replace","path":"/name","value":"B"}]`:                                           `{"name":"B","tags":["x","y"],"data":{"a/b":"1"}}`,
		`[{"op":"add","path":"/tags/-","value":{"id":"z"}}]`:                                      `{"name":"A","tags":["x","y",{"id":"z"}],"data":{"a/b":"1"}}`,
		`[{"op":"add","path":"/tags/0","value":7}]`:                                               `{"name":"A","tags":[7,"x","y"],"data":{"a/b":"1"}}`,
		`[{"op":"remove","path":"/data/a~1b"}]`:                                                   `{"name":"A","tags":["x","y"],"data":{}}`,
		`[{"op":"copy","from":"/name","path":"/other"},{"op":"remove","path":"/name"}]`:           `{"other":"A","tags":["x","y"],"data":{"a/b":"1"}}`,
		`[{"op":"move","from":"/tags/0","path":"/tags/1"}]`:                                       `{"name":"A","tags":["y","x"],"data":{"a/b":"1"}}`,
		`[{"op":"test","path":"/name","value":"A"},{"op":"replace","path":"/name","value":true}]`: `{"name":true,"tags":["x","y"],"data":{"a/b":"1"}}`,
		`[{"op":"add","path":"/name","value":null}]`:                                              `{"name":null,"tags":["x","y"],"data":{"a/b":"1"}}`,
	} {
		for _, media := range []string{"application/json-patch+json", "application/json"} {
			got, err := patched(t, media, patch, doc)
			require.NoError(t, err, patch)
			require.JSONEq(t, want, got, patch)
		}
	}
}

func TestAPatchSaysWhichMembersItTouches(t *testing.T) {
	t.Parallel()
	for patch, want := range map[string][]string{
		`[]`: nil,
		`[{"op":"replace","path":"/name","value":1},{"op":"add","path":"/tags/-","value":1}]`:       {"name", "tags"},
		`[{"op":"test","path":"/id","value":1},{"op":"remove","path":"/data/x"}]`:                   {"data"},
		`[{"op":"copy","from":"/id","path":"/name"},{"op":"move","from":"/data/a","path":"/tags"}]`: {"name", "tags", "data"},
		`[{"op":"remove","path":"/a~1b~01/c"},{"op":"remove","path":"/"}]`:                          {"a/b~1", ""},
	} {
		a := newAPI(t)
		a.do(t, request("PATCH", aRecordPath, patch))
		require.Equal(t, want, a.service.patch.Members, patch)
	}
}

func TestAPatchThatIsWrongSaysWhere(t *testing.T) {
	t.Parallel()
	const doc = `{"name":"A","tags":["x"]}`
	copies := strings.Repeat(`{"op":"copy","from":"/tags","path":"/tags/-"},`, 25)
	for patch, want := range map[string]struct {
		kind lifecycle.Kind
		text string
	}{
		`{}`:   {lifecycle.KindBadRequest, "must be a list of JSON Patch operations"},
		`null`: {lifecycle.KindBadRequest, "must be a list of JSON Patch operations"},
		`[1]`:  {lifecycle.KindBadRequest, "operation 0: op must be"},
		`[{}]`: {lifecycle.KindBadRequest, "operation 0: op must be"},
		`[{"op":"replace","path":"/name","value":1},{"op":"nudge","path":"/"},{"op":"add","path":"/a"}]`: {
			lifecycle.KindBadRequest, "operation 1: op must be add, remove, replace, move, copy or test; operation 2: add needs a value;",
		},
		`[{"op":"remove"}]`:                               {lifecycle.KindBadRequest, "operation 0: path must be a JSON Pointer"},
		`[{"op":"remove","path":"name"}]`:                 {lifecycle.KindBadRequest, "operation 0: path must be a JSON Pointer"},
		`[{"op":"remove","path":"/~2"}]`:                  {lifecycle.KindBadRequest, "operation 0: path must be a JSON Pointer"},
		`[{"op":"move","path":"/a"}]`:                     {lifecycle.KindBadRequest, "operation 0: from must be a JSON Pointer"},
		`[{"op":"move","from":"/tags","path":"/tags/0"}]`: {lifecycle.KindBadRequest, "can't be moved into itself"},
		`[{"op":"replace","path":"","value":{}}]`:         {lifecycle.KindBadRequest, "can't be done to the whole object"},
		`[{"op":"remove","path":""}]`:                     {lifecycle.KindBadRequest, "can't be done to the whole object"},
		`[{"op":"remove","path":"/nothing"}]`:             {lifecycle.KindBadRequest, `operation 0 (remove "/nothing")`},
		`[{"op":"replace","path":"/nothing","value":1}]`:  {lifecycle.KindBadRequest, `operation 0 (replace "/nothing")`},
		`[{"op":"add","path":"/a/b","value":1}]`:          {lifecycle.KindBadRequest, `operation 0 (add "/a/b")`},
		`[{"op":"add","path":"/tags/9","value":1}]`:       {lifecycle.KindBadRequest, `operation 0 (add "/tags/9")`},
		`[{"op":"add","path":"/tags/-1","value":1}]`:      {lifecycle.KindBadRequest, `operation 0 (add "/tags/-1")`},
		`[{"op":"remove","path":"/tags/-"}]`:              {lifecycle.KindBadRequest, `operation 0 (remove "/tags/-")`},
		`[{"op":"add","path":"/n","value":1},{"op":"remove","path":"/tags"},{"op":"remove","path":"/tags"}]`: {
			lifecycle.KindBadRequest, `operation 2 (remove "/tags")`,
		},
		`[{"op":"test","path":"/name","value":"B"}]`:     {lifecycle.KindIllegalValue, `operation 0 (test "/name"): the value is another one;`},
		`[{"op":"test","path":"/nothing","value":"B"}]`:  {lifecycle.KindIllegalValue, `operation 0 (test "/nothing")`},
		`[{"op":"remove","op":"add","path":"/name"}]`:    {lifecycle.KindBadRequest, `the key "op" twice`},
		`[` + copies + `{"op":"remove","path":"/tags"}]`: {lifecycle.KindIllegalValue, "the copies become too large"},
	} {
		_, err := patched(t, "application/json-patch+json", patch, doc)
		require.Error(t, err, patch)
		require.Equal(t, want.kind, lifecycle.KindOf(err), patch)
		require.ErrorContains(t, err, want.text, patch)
	}
	_, err := patched(t, "text/json", `[]`, doc)
	require.Equal(t, lifecycle.KindUnsupportedMedia, lifecycle.KindOf(err))
	_, err = patched(t, "application/json-patch+json", "", doc)
	require.Equal(t, lifecycle.KindRequired, lifecycle.KindOf(err))
}

// FuzzPatch holds that no patch makes anything but a document or a lifecycle
// error.
func FuzzPatch(f *testing.F) {
	for _, patch := range []string{
		`[{"op":"replace","path":"/name","value":"B"}]`, `[{"op":"copy","from":"","path":"/c"}]`, `[{"op":"test","path":"","value":null}]`,
		`[{"op":"move","from":"/tags/0","path":"/data/x"}]`, `[{"op":"remove","path":"/tags/0"},{"op":"add","path":"/tags/-","value":[{}]}]`,
		`[{"op":"add","path":"/","value":1}]`, `[{"op":"add","path":"/nothing/-","value":1}]`, `[{"op":"test","path":"/name/0","value":1}]`,
		`[{"op":"replace","path":"/tags","value":null},{"op":"add","path":"/tags/-","value":1}]`, `[{"op":"copy","from":"/name","path":"/tags/1"}]`,
		`[{"op":"add","path":"/tags/18446744073709551616","value":0}]`,
	} {
		f.Add(patch)
	}
	a := newAPI(f)
	f.Fuzz(func(t *testing.T, patch string) {
		a.service.patch = service.Patch{}
		a.handler.ServeHTTP(httptest.NewRecorder(), request("PATCH", aRecordPath, patch))
		if a.service.patch.Apply == nil {
			t.Fatal("the service was not asked")
		}
		out, err := a.service.patch.Apply([]byte(`{"name":"A","tags":["x","y"],"data":{"a":"1"},"owner":{"id":"o"},"none":null}`))
		var known *lifecycle.Error
		if err != nil && !errors.As(err, &known) {
			t.Fatalf("%T: %v", err, err)
		}
		if err == nil {
			if _, err := document.Parse(out); err != nil {
				t.Fatalf("%s: %v", out, err)
			}
		}
	})
}

// FuzzBody holds that no body is answered before the service was asked, nor
// makes a fault that is not the caller's.
func FuzzBody(f *testing.F) {
	f.Add([]byte(aBody))
	f.Add([]byte(`{"data":{"a":1},"approvers":[{"id":{}}],"ids":[null],"comment":[]}`))
	f.Add([]byte(`[[[`))
	a := newAPI(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, op := range []policy.Operation{policy.CreateRecord, policy.CreateSource, policy.CreateSchema, policy.BulkDelete, policy.Approve} {
			a.service.actor = policy.Actor{}
			r := request("POST", fill(served[op].path), "{}")
			r.Body = io.NopCloser(bytes.NewReader(body))
			w := httptest.NewRecorder()
			a.handler.ServeHTTP(w, r)
			if a.service.actor.ClientID == "" || w.Code != served[op].status {
				t.Fatalf("%s answered %d", op, w.Code)
			}
		}
	})
}
