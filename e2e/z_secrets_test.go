package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// words are texts that were seen, each once.
type words struct {
	lock sync.Mutex
	all  map[string]bool
}

func (w *words) note(word string) {
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.all == nil {
		w.all = map[string]bool{}
	}
	w.all[word] = true
}

var (
	// secretsSeen are the secrets and tokens that the tests sent or were given.
	secretsSeen words
	// errorsSeen are the bodies of all errors that were answered, without their
	// tracking ids.
	errorsSeen words
)

// leastSecret is how long a secret is; what is shorter is a test's of bad ones.
const leastSecret = 8

// secretMembers are the names under which answers hold secrets.
var secretMembers = []string{"access_token", "secret", "clientSecret", "client_secret", "token"}

// noteCall takes up the secrets of a call, and its answer if that is an error.
func noteCall(request *http.Request, body []byte, status int, answer []byte) {
	note := func(secret string) {
		if len(secret) >= leastSecret {
			secretsSeen.note(secret)
		}
	}
	if _, password, ok := request.BasicAuth(); ok {
		note(password)
	}
	// A token has three parts; the tests of what is none send other things.
	if token, ok := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer "); ok && strings.Count(token, ".") == 2 {
		note(token)
	}
	parameters := request.URL.Query()
	for _, secret := range formOf(request, body)["client_secret"] {
		note(secret)
	}
	note(parameters.Get("client_secret"))
	if status >= http.StatusBadRequest {
		errorsSeen.note(trackingID.ReplaceAllString(string(answer), ""))
		return
	}
	var object map[string]any
	if json.Unmarshal(answer, &object) != nil {
		return
	}
	for _, name := range secretMembers {
		if secret, ok := object[name].(string); ok {
			note(secret)
		}
	}
}

// formOf is what the body says as a form; nothing if it is none.
func formOf(request *http.Request, body []byte) url.Values {
	media, parameters, err := mime.ParseMediaType(request.Header.Get("Content-Type"))
	if err != nil {
		return nil
	}
	switch media {
	case "application/x-www-form-urlencoded":
		// What can be read of a form counts, whatever is wrong with the rest.
		form, _ := url.ParseQuery(string(body))
		return form
	case "multipart/form-data":
		form, err := multipart.NewReader(bytes.NewReader(body), parameters["boundary"]).ReadForm(int64(len(body)))
		if err != nil {
			return nil
		}
		defer form.RemoveAll() //nolint:errcheck // it is all in memory
		return form.Value
	}
	return nil
}

// secretsOfTheRun are those that were seen, those of the database and the keys
// that sign tokens, in the forms that they may be written in.
func secretsOfTheRun(t *testing.T) dictionary {
	t.Helper()
	d := dictionary{words: map[string]bool{}, lengths: map[string][]int{}}
	secretsSeen.lock.Lock()
	for secret := range secretsSeen.all {
		d.add(t, secret)
	}
	secretsSeen.lock.Unlock()
	require.Greater(t, len(d.words), 20, "the run used secrets")
	urls := []string{stack.Postgres.URL(), stack.Postgres.AppURL(), stack.Postgres.MigrationURL()}
	for _, address := range urls {
		u, err := url.Parse(address)
		require.NoError(t, err)
		password, ok := u.User.Password()
		require.True(t, ok)
		d.add(t, password)
	}
	keys, err := stack.rows(t).SigningKeys(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, keys)
	for _, key := range keys {
		// The last bytes of PKCS #8 are the key; what is before them names the kind.
		secret := key.PrivateKey[len(key.PrivateKey)-32:]
		for _, form := range []string{
			hex.EncodeToString(secret), string(secret),
			base64.StdEncoding.EncodeToString(key.PrivateKey), base64.RawURLEncoding.EncodeToString(secret),
			base64.RawStdEncoding.EncodeToString(secret),
		} {
			d.add(t, form)
		}
	}
	d.addAll(t, `SELECT secret_hash FROM clients`)
	return d
}

// output is what a part of the system has shown.
type output struct {
	name, text string
	// programs are ours: they log events, a line of JSON each, and nothing about
	// people.
	program bool
}

// outputs are the logs of every part, what the launcher said and what the metrics
// show.
func outputs(t *testing.T) []output {
	t.Helper()
	read := func(path string) string {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(text)
	}
	migrate := strings.Replace(stack.API[0].LogPath(), "api.log", "migrate.log", 1)
	return []output{
		{"the log of the API", stack.logs(t, stack.API), true},
		{"the log of the worker", stack.logs(t, stack.Worker), true},
		{"the log of migrate", read(migrate), false},
		{"the log of Temporal", read(stack.Temporal.LogPath()), false},
		{"the log of Postgres", read(stack.Postgres.LogPath()), false},
		{"the launcher", launcher.String(), false},
		{"the traces", traces.all(), false},
		{"the OIDC provider", providers.String(), false},
		{"the metrics of the API", stack.metrics(t, stack.API), false},
		{"the metrics of the worker", stack.metrics(t, stack.Worker), false},
	}
}

// TestZNothingShowsSecretsOrPeople reads all that the run has put out beside its
// answers: neither a secret nor, outside the database's own log, a word about a
// person is in it.
func TestZNothingShowsSecretsOrPeople(t *testing.T) {
	token := signIn(t, "admin").AccessToken
	secrets := secretsOfTheRun(t)
	rememberPeople(t, "")
	require.NotEmpty(t, secrets.find(strings.ToLower("x"+token)), "what is there is found")
	for _, o := range outputs(t) {
		// Where all went well migrate has nothing to say.
		require.True(t, o.text != "" || o.name == "the log of migrate", o.name)
		lower := strings.ToLower(o.text)
		require.Empty(t, secrets.find(lower), o.name)
		for _, word := range []string{"-secret", "eyj", "private key"} {
			require.NotContains(t, lower, word, o.name)
		}
		if o.name != "the log of Postgres" {
			// Which quotes the rows that it refuses.
			for _, word := range personal {
				require.NotContains(t, lower, word, o.name)
			}
			require.Empty(t, wordsOfPeople.find(lower), o.name)
		}
		if !o.program {
			continue
		}
		// What a library writes past the log is found by nobody, and what a client
		// sends must not make an event of its own.
		for line := range strings.Lines(o.text) {
			var event struct{ Time, Level, Msg string }
			require.NoError(t, json.Unmarshal([]byte(line), &event), "%s: no JSON: %s", o.name, line)
			require.NotEmpty(t, event.Time+event.Level+event.Msg, line)
		}
	}
}

// TestZErrorsShowNoSecrets reads every error that was answered.
func TestZErrorsShowNoSecrets(t *testing.T) {
	secrets := secretsOfTheRun(t)
	errorsSeen.lock.Lock()
	defer errorsSeen.lock.Unlock()
	require.NotEmpty(t, errorsSeen.all)
	for body := range errorsSeen.all {
		lower := strings.ToLower(body)
		require.Empty(t, secrets.find(lower), body)
		for _, word := range []string{"sqlstate", "pq:", "pgx", "goroutine", ".go:", "127.0.0.1", "select ", "temporal"} {
			require.NotContains(t, lower, word, body)
		}
	}
}

// programOutput is what programs say, from wherever.
type programOutput struct {
	lock sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *programOutput) Write(p []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.Write(p)
}

func (l *programOutput) String() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.String()
}

var (
	launcher programOutput
	// providers is what the OIDC providers of the tests say.
	providers programOutput
)
