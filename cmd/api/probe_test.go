package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/auth"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// tap stands between the program and Postgres, and notes the statements that go by.
type tap struct {
	server string
	lock   sync.Mutex
	seen   []string
}

// open listens until the test ends, and returns the URL that leads through the tap.
func (p *tap) open(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	p.server = u.Host
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.pass(t, client)
		}
	}()
	u.Host = listener.Addr().String()
	query := u.Query()
	query.Set("sslmode", "disable")
	u.RawQuery = query.Encode()
	return u.String()
}

// pass carries one connection until either side ends it.
func (p *tap) pass(t *testing.T, client net.Conn) {
	t.Helper()
	defer func() { _ = client.Close() }()
	server, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.server)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	p.listen(bufio.NewReader(client), server)
}

// listen passes the messages of a client on: the first has no type, each other
// one a byte for it; then comes the length, itself included.
func (p *tap) listen(from *bufio.Reader, to io.Writer) {
	prepared := map[string]string{}
	for first := true; ; first = false {
		head := make([]byte, 5)
		if first {
			head = head[1:]
		}
		if _, err := io.ReadFull(from, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[len(head)-4:])-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return
		}
		if !first {
			p.note(head[0], bytes.Split(body, []byte{0}), prepared)
		}
		if _, err := to.Write(slices.Concat(head, body)); err != nil {
			return
		}
	}
}

// background are the statements that are of no call, or follow its answer: whether a
// connection lives is asked now and then, the keys are read again, figures are taken
// for the metrics, and what was refused is written down.
var background = regexp.MustCompile(`^-- ping$|\bFROM signing_keys\b|\bFROM audit_tail\b|\bINSERT INTO audit_entries\b|` +
	`^SELECT count\(\*\), min\(pending_since\) FROM approval_items WHERE status = \?$`)

// callers are in the statements that ask, now and then, whose token it is and whether
// that still lives. The probes name other clients.
var callers = regexp.MustCompile(`\b(` + strings.Join(slices.Concat(actors, strangers), "|") + `)\b`)

var literal = regexp.MustCompile(`'(?:[^']|'')*'|\b\d+\b`)

// note keeps the text of a statement when it is carried out, without its values.
// One that was prepared under a name is sent once a connection.
func (p *tap) note(kind byte, texts [][]byte, prepared map[string]string) {
	text := ""
	switch {
	case kind == 'Q':
		text = string(texts[0])
	case kind == 'P' && len(texts[0]) == 0:
		text = string(texts[1])
	case kind == 'P':
		prepared[string(texts[0])] = string(texts[1])
	case kind == 'B':
		text = prepared[string(texts[1])]
	}
	whose := strings.Contains(text, "clients") && (callers.MatchString(text) || kind == 'B' && callers.Match(bytes.Join(texts[2:], nil)))
	if text = literal.ReplaceAllString(text, "?"); text != "" && !whose && !background.MatchString(text) {
		p.lock.Lock()
		defer p.lock.Unlock()
		p.seen = append(p.seen, text)
	}
}

// take returns the statements since the last time.
func (p *tap) take() []string {
	p.lock.Lock()
	defer p.lock.Unlock()
	seen := p.seen
	p.seen = nil
	return seen
}

const unknownID = "7d9f1b7e-0000-4000-8000-000000000000"

// probes are what a stranger may try of an operation: what is there, what is not,
// and what is not below what is there; nothing where there is no object.
func (w *world) probes(i int, op operation) []attempt {
	there := attempt{operation: uint8(i), body: goodBodies[op.id]} //nolint:gosec // there are fewer
	there.path = strings.Join(slices.Collect(func(yield func(string) bool) {
		for _, name := range parameter.FindAllString(op.template, -1) {
			word := liveParameter(op.template, name)
			if word == "me" {
				word = "$person"
			}
			if !yield(word) {
				return
			}
		}
	}), "|")
	if slices.Contains(askedFor, op.id) {
		there.query = "requested-for=$person"
	}
	if op.id == "listPersonalAccessTokens" {
		there.query = "owner-id=$person"
	}
	absent := there
	live := regexp.MustCompile(`\$(source|record|request|item|attribute|job|schedule|extension|part|person|token|client|webhook|delivery|user|absence)`)
	absent.path = live.ReplaceAllString(there.path, unknownID)
	absent.query = live.ReplaceAllString(there.query, unknownID)
	absent.body = strings.NewReplacer("$source", unknownID, "$record", unknownID).Replace(there.body)
	if absent.path == there.path && absent.query == there.query && absent.body == there.body {
		return nil
	}
	all := []attempt{there, absent}
	if parent, _, deeper := strings.Cut(there.path, "|"); deeper {
		half := there
		half.path = parent + "|" + unknownID
		all = append(all, half)
	}
	return all
}

// objectless are the operations that are about no object.
var objectless = []string{
	"createNonEmployeeSource", "createOauthClient", "createPersonalAccessToken", "createWebhook", "exportAuditEvents", "listAuditEvents",
	"listDeliveries", "listNonEmployeeRecords", "listOauthClients", "listWebhooks", "putNonEmployeeApprovalConfig",
	"putNonEmployeeLifecycleConfig",
}

// askedFor are the lists of an identity's objects.
var askedFor = []string{"listNonEmployeeSources", "listNonEmployeeRequests", "listNonEmployeeApprovals", "listNonEmployeeExtensions"}

// requireOpaque has strangers try every operation of the access tables on what is
// there and on what is not. What they are told is the same to the byte but for the
// tracking id, and so is what the database was asked for it (contract §5).
func (w *world) requireOpaque(t *testing.T, database *tap) {
	t.Helper()
	w.addStrangers(t)
	looked := 0
	var free []string
	for i, op := range w.operations {
		// What every user may see needs no hiding.
		if rule, ok := policy.RuleOf(policy.Operation(op.id)); !ok || rule.AnyUser {
			continue
		}
		attempts := w.probes(i, op)
		if attempts == nil {
			free = append(free, op.id)
			continue
		}
		for actor := len(actors); actor < len(w.tokens); actor++ {
			for mount := range mountPrefixes {
				if actor > len(actors) && mount != i%len(mountPrefixes) {
					// One of them is enough for the mounts.
					continue
				}
				for j := range attempts {
					attempts[j].actor, attempts[j].mount = uint8(actor), uint8(mount) //nolint:gosec // there are few
				}
				if w.requireAlike(t, database, op, attempts) != "" {
					looked++
				}
			}
		}
	}
	require.Equal(t, objectless, free)
	require.Greater(t, looked, 50, "for some of them the database has to be asked")
}

// strangers are clients that have nothing to do with the objects.
var strangers = []string{"stranger", "stranger.subadmin", "stranger.app"}

func (w *world) addStrangers(t *testing.T) {
	t.Helper()
	rows := w.schema.Open(t, store.Config{MaxConns: 2})
	for _, name := range strangers {
		hash, err := auth.HashSecret(name + "-secret")
		require.NoError(t, err)
		client := lifecycle.Client{
			ID: name, Name: name, SecretHash: hash, Scopes: []string{lifecycle.ScopeAll}, Active: true, Created: storetest.Now(),
		}
		switch name {
		case "stranger":
			client.IdentityID = storetest.Identity(t, rows, name).ID
		case "stranger.subadmin":
			client.IdentityID = storetest.Identity(t, rows, name, lifecycle.LevelSourceSubadmin).ID
		}
		require.NoError(t, rows.CreateClient(t.Context(), client))
		w.tokens = append(w.tokens, w.signIn(t, name))
	}
}

var tracking = regexp.MustCompile(`"trackingId":"[0-9a-f]{32}"`)

// requireAlike holds that the attempts are all refused, and in the same way, the
// first time that they are made: nothing is asked less for being known already. It
// returns what the database was asked for each.
func (w *world) requireAlike(t *testing.T, database *tap, op operation, attempts []attempt) string {
	t.Helper()
	told, asked := "", ""
	for i, a := range attempts {
		database.take()
		got := w.exchange(t, op.method, w.head(a, op, op.method, w.target(a, op), a.body != ""), w.fill(a.body))
		statements := strings.Join(database.take(), ";\n")
		require.Equal(t, http.StatusForbidden, got.status, "%s %s: %s", op.method, w.target(a, op), got.body)
		if i == 0 {
			told, asked = shown(t, got), statements
		}
		require.Equal(t, told, shown(t, got), w.target(a, op))
		require.Equal(t, asked, statements, "%s %s as %d", op.method, w.target(a, op), a.actor)
	}
	return asked
}

// shown is an answer as a client sees it, but for what each has of its own.
func shown(t *testing.T, a answer) string {
	t.Helper()
	header := a.header.Clone()
	for _, own := range []string{"Date", "X-Request-Id"} {
		header.Del(own)
	}
	var text strings.Builder
	require.NoError(t, header.Write(&text))
	return text.String() + tracking.ReplaceAllString(string(a.body), "")
}
