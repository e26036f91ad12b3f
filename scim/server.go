package scim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse/document"
	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// Path is where the handler belongs.
const Path = "/scim/v2"

const (
	mediaSCIM = "application/scim+json"
	mediaJSON = "application/json"
)

// Directory carries the calls out. Errors are lifecycle errors where the caller may
// be told of them, and what a function that it was handed returned. An id that is
// unknown is KindNotFound.
type Directory interface {
	CreateUser(ctx context.Context, a policy.Actor, in lifecycle.UserInput) (lifecycle.DirectoryUser, error)
	GetUser(ctx context.Context, a policy.Actor, id lifecycle.ID) (lifecycle.DirectoryUser, error)
	// ListUsers returns a page and how many match.
	ListUsers(ctx context.Context, a policy.Actor, q filter.Query, groups bool) ([]lifecycle.DirectoryUser, int, error)
	// UpdateUser makes the user what input says, given the user as it is under its
	// lock, without its groups.
	UpdateUser(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID,
		input func(lifecycle.DirectoryUser) (lifecycle.UserInput, error)) (lifecycle.DirectoryUser, error)
	// DeleteUser deletes the user unless check, given it under its lock, objects.
	DeleteUser(ctx context.Context, a policy.Actor, id lifecycle.ID, check func(lifecycle.DirectoryUser) error) error

	CreateGroup(ctx context.Context, a policy.Actor, in lifecycle.GroupInput) (lifecycle.DirectoryGroup, error)
	GetGroup(ctx context.Context, a policy.Actor, id lifecycle.ID, members bool) (lifecycle.DirectoryGroup, error)
	ListGroups(ctx context.Context, a policy.Actor, q filter.Query, members bool) ([]lifecycle.DirectoryGroup, int, error)
	// UpdateGroup gives input the ids of the members alone.
	UpdateGroup(ctx context.Context, op policy.Operation, a policy.Actor, id lifecycle.ID,
		input func(lifecycle.DirectoryGroup) (lifecycle.GroupInput, error)) (lifecycle.DirectoryGroup, error)
	DeleteGroup(ctx context.Context, a policy.Actor, id lifecycle.ID, check func(lifecycle.DirectoryGroup) error) error
}

// Options are the parts that the handler is made of.
type Options struct {
	// Directory carries out the calls. Required.
	Directory Directory
	// Authenticate returns who calls; KindUnauthenticated is answered 401. Required.
	Authenticate func(r *http.Request) (policy.Actor, error)
	// Limit returns how long the caller has to wait before it may go on: more than 0
	// is answered 429. nil limits nobody.
	Limit func(r *http.Request, a policy.Actor) time.Duration
	// Note is told who calls, and what for, empty where there is no such operation.
	// May be nil.
	Note func(ctx context.Context, a policy.Actor, op policy.Operation)
	// BaseURL is where clients reach the service, without a path; answers say by it
	// where resources are. Required.
	BaseURL string
	// MaxBodyBytes is the longest body, in bytes; at least 1.
	MaxBodyBytes int64
	// Log gets a line for each fault. Required.
	Log *slog.Logger
}

type server struct {
	directory    Directory
	authenticate func(*http.Request) (policy.Actor, error)
	limit        func(*http.Request, policy.Actor) time.Duration
	note         func(context.Context, policy.Actor, policy.Operation)
	base         string
	maxBody      int64
	log          *slog.Logger
}

// New returns the handler of everything under [Path]. It sets the Pattern of the
// requests that it is handed. An error names the option that is missing or wrong.
func New(opts Options) (http.Handler, error) {
	switch {
	case opts.Directory == nil:
		return nil, errors.New("scim: Directory is missing")
	case opts.Authenticate == nil:
		return nil, errors.New("scim: Authenticate is missing")
	case opts.BaseURL == "":
		return nil, errors.New("scim: BaseURL is missing")
	case opts.MaxBodyBytes < 1:
		return nil, errors.New("scim: MaxBodyBytes must be at least 1")
	case opts.Log == nil:
		return nil, errors.New("scim: Log is missing")
	}
	s := &server{
		directory: opts.Directory, authenticate: opts.Authenticate, limit: opts.Limit, note: opts.Note,
		base: strings.TrimSuffix(opts.BaseURL, "/") + Path, maxBody: opts.MaxBodyBytes, log: opts.Log,
	}
	mux := http.NewServeMux()
	for path, methods := range s.routes() {
		mux.Handle(Path+path, s.handle(methods))
	}
	mux.Handle(Path+"/", s.handle(nil))
	return mux, nil
}

// operation is what a method of a route does.
type operation struct {
	op    policy.Operation
	serve func(*call) error
}

func (s *server) routes() map[string]map[string]operation {
	get, post := http.MethodGet, http.MethodPost
	put, patch, remove := http.MethodPut, http.MethodPatch, http.MethodDelete
	unbuilt := operation{policy.ScimDiscover, func(*call) error { return errUnbuilt }}
	none := map[string]operation{get: unbuilt, post: unbuilt, put: unbuilt, patch: unbuilt, remove: unbuilt}
	return map[string]map[string]operation{
		"/ServiceProviderConfig": {get: {policy.ScimDiscover, s.getConfig}},
		"/ResourceTypes":         {get: {policy.ScimDiscover, s.listTypes}},
		"/ResourceTypes/{id}":    {get: {policy.ScimDiscover, s.getType}},
		"/Schemas":               {get: {policy.ScimDiscover, s.listSchemas}},
		"/Schemas/{id}":          {get: {policy.ScimDiscover, s.getSchema}},

		"/Users":         {get: {policy.ScimListUsers, s.listUsers}, post: {policy.ScimCreateUser, s.createUser}},
		"/Users/.search": {post: {policy.ScimListUsers, s.listUsers}},
		"/Users/{id}": {
			get: {policy.ScimGetUser, s.getUser}, put: {policy.ScimReplaceUser, s.replaceUser},
			patch: {policy.ScimPatchUser, s.patchUser}, remove: {policy.ScimDeleteUser, s.deleteUser},
		},
		"/Groups":         {get: {policy.ScimListGroups, s.listGroups}, post: {policy.ScimCreateGroup, s.createGroup}},
		"/Groups/.search": {post: {policy.ScimListGroups, s.listGroups}},
		"/Groups/{id}": {
			get: {policy.ScimGetGroup, s.getGroup}, put: {policy.ScimReplaceGroup, s.replaceGroup},
			patch: {policy.ScimPatchGroup, s.patchGroup}, remove: {policy.ScimDeleteGroup, s.deleteGroup},
		},
		// RFC 7644 §3.11 and §3.7 have it so where there is none.
		"/Me": none, "/Bulk": none,
	}
}

// call is one request on its way.
type call struct {
	ctx   context.Context //nolint:containedctx // it lives as long as the request
	w     http.ResponseWriter
	r     *http.Request
	actor policy.Actor
	op    policy.Operation
	query url.Values
}

// handle admits who may call, in the order of the contract: token, route, access.
// Bodies are read afterwards.
func (s *server) handle(methods map[string]operation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{ctx: r.Context(), w: w, r: r}
		if err := s.serve(c, methods); err != nil {
			s.fail(c.ctx, w, err)
		}
	})
}

func (s *server) serve(c *call, methods map[string]operation) error {
	var err error
	if c.actor, err = s.authenticate(c.r); err != nil {
		return err
	}
	chosen, ok := methods[c.r.Method]
	if s.note != nil {
		s.note(c.ctx, c.actor, chosen.op)
	}
	if s.limit != nil {
		if wait := s.limit(c.r, c.actor); wait > 0 {
			c.w.Header().Set("Retry-After", seconds(wait))
			return errTooMany
		}
	}
	if err := policy.Enter(policy.ScimDiscover, c.actor); err != nil {
		return err
	}
	switch {
	case methods == nil:
		return errNoRoute
	case !ok:
		allowed := make([]string, 0, len(methods))
		for method := range methods {
			allowed = append(allowed, method)
		}
		c.w.Header().Set("Allow", strings.Join(allowed, ", "))
		return errMethod
	}
	if c.query, err = readQuery(c.r.URL.RawQuery); err != nil {
		return err
	}
	c.op = chosen.op
	origin := lifecycle.OriginOf(c.ctx)
	origin.Channel, origin.Operation = lifecycle.ChannelSCIM, string(chosen.op)
	origin.Identity, origin.Client = c.actor.IdentityID, c.actor.ClientID
	c.ctx = lifecycle.WithOrigin(c.ctx, origin)
	return chosen.serve(c)
}

// readQuery refuses what net/http would silently drop or pick from.
func readQuery(raw string) (url.Values, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, bad(invalidSyntax, "The query string can't be read.")
	}
	for name, all := range values {
		if len(all) > 1 {
			return nil, bad(invalidSyntax, "The query string has "+document.Quote(name)+" more than once.")
		}
		for _, part := range []string{name, all[0]} {
			if !utf8.ValidString(part) || strings.Contains(part, "\x00") {
				return nil, bad(invalidSyntax, "The query string must be UTF-8 without NUL characters.")
			}
		}
	}
	return values, nil
}

// id is that of the path. One that is none names nothing.
func (c *call) id() (lifecycle.ID, error) {
	id, err := lifecycle.ParseID(c.r.PathValue("id"))
	if err != nil {
		return lifecycle.ID{}, policy.ErrNotFound
	}
	return id, nil
}

// body reads the JSON object that was sent. schema is the one that it must say it
// has, where it says so at all.
func (s *server) body(c *call, schema string) (map[string]any, error) {
	if c.r.Header.Get("Content-Encoding") != "" {
		return nil, lifecycle.NewError(lifecycle.KindUnsupportedMedia, "The body must not have a Content-Encoding.")
	}
	media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || media != mediaSCIM && media != mediaJSON {
		return nil, lifecycle.NewError(lifecycle.KindUnsupportedMedia, "The body must be "+mediaSCIM+".")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, s.maxBody))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return nil, lifecycle.NewError(lifecycle.KindTooLarge, fmt.Sprintf("The body is longer than %d bytes.", s.maxBody))
	}
	if err != nil {
		return nil, bad(invalidSyntax, "The body could not be read to its end.")
	}
	parsed, err := document.Parse(raw)
	if err != nil {
		return nil, err
	}
	object, ok := parsed.Object()
	if !ok {
		return nil, bad(invalidSyntax, "The body must be a JSON object.")
	}
	object, err = foldKeys(object)
	if err != nil {
		return nil, err
	}
	return object, checkSchemas(object["schemas"], schema)
}

// foldKeys puts the names of members into lower case: SCIM compares them without
// regard to it.
func foldKeys(object map[string]any) (map[string]any, error) {
	folded := make(map[string]any, len(object))
	for name, value := range object {
		name = strings.ToLower(name)
		if _, twice := folded[name]; twice {
			return nil, bad(invalidSyntax, "The body has the attribute "+document.Quote(name)+" twice.")
		}
		folded[name] = value
	}
	return folded, nil
}

func checkSchemas(value any, schema string) error {
	if value == nil {
		return nil
	}
	list, _ := value.([]any)
	for _, urn := range list {
		if urn, ok := urn.(string); ok && strings.EqualFold(urn, schema) {
			return nil
		}
	}
	return bad(invalidSyntax, "schemas must have "+schema+".")
}

// writeJSON answers with a body of SCIM.
func writeJSON(w http.ResponseWriter, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		// Nothing that is answered can fail to encode.
		panic(err)
	}
	text = append(text, '\n')
	w.Header().Set("Content-Type", mediaSCIM)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	// A client that has gone is no concern of ours.
	_, _ = w.Write(text)
}
