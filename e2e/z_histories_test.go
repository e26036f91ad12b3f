package e2e_test

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// personal are the words that stand in every personal value that this run
// sent; all values of these tests hold the marker, the rest are the README's
// and the demo organisation's.
var personal = []string{
	marker, "william", "smith", "walter", "@example.com", "512 555", "welcome", "not this year", "ada admin", "worker.0", "andersson", "nobody.home",
	"jane.doe", "john.roe", "approver.one", "source.admin", "here.manager",
}

var base64Text = regexp.MustCompile(`"[A-Za-z0-9+/]{8,}={0,2}"`)

// decodePayloads puts what payloads hold beside their encoded form.
func decodePayloads(text string) string {
	return base64Text.ReplaceAllStringFunc(text, func(quoted string) string {
		decoded, err := base64.StdEncoding.DecodeString(strings.Trim(quoted, `"`))
		if err != nil {
			return quoted
		}
		return quoted + " " + string(decoded)
	})
}

// shortest is the least length of a word that means anything: shorter ones stand
// in ids and in the words of protocols as well.
const shortest = 6

// dictionary finds any of many words in a text; it keeps them in lower case.
type dictionary struct {
	words map[string]bool
	// lengths are those of the words with a beginning of shortest bytes.
	lengths map[string][]int
}

// add takes up a word as it is and as JSON writes it.
func (d dictionary) add(t *testing.T, word string) {
	t.Helper()
	quoted, err := json.Marshal(word)
	require.NoError(t, err)
	for _, form := range []string{word, strings.Trim(string(quoted), `"`)} {
		form = strings.ToLower(strings.TrimSpace(form))
		if len(form) < shortest {
			continue
		}
		d.words[form] = true
		if start := form[:shortest]; !slices.Contains(d.lengths[start], len(form)) {
			d.lengths[start] = append(d.lengths[start], len(form))
		}
	}
}

// addAll takes up what a query selects.
func (d dictionary) addAll(t *testing.T, query string, args ...any) {
	t.Helper()
	rows, err := stack.db.QueryContext(patience(t), query, args...)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var word string
		require.NoError(t, rows.Scan(&word))
		d.add(t, word)
	}
	require.NoError(t, rows.Err())
}

// find returns a word that the text, in lower case, holds; empty if it holds none.
func (d dictionary) find(text string) string {
	for i := range len(text) - shortest + 1 {
		for _, length := range d.lengths[text[i:i+shortest]] {
			if i+length <= len(text) && d.words[text[i:i+length]] {
				return text[i : i+length]
			}
		}
	}
	return ""
}

// wordsOfPeople are the words about people that were in the rows.
var wordsOfPeople = dictionary{words: map[string]bool{}, lengths: map[string][]int{}}

// rememberPeople takes the words about people from the rows under a source, which
// are about to go, or from all rows where source is empty.
func rememberPeople(t *testing.T, source string) {
	t.Helper()
	const (
		person = "SELECT unnest(ARRAY[account_name, first_name, last_name, phone, email] || array(SELECT value FROM jsonb_each_text(data))) FROM "
		within = " WHERE $1 IN ('', source_id::text)"
	)
	for _, query := range []string{
		"SELECT unnest(ARRAY[alias, name, email]) FROM identities WHERE $1 = ''",
		"SELECT name FROM workgroups WHERE $1 = ''",
		person + "records" + within,
		person + "requests" + within,
		"SELECT i.comment FROM approval_items AS i JOIN requests AS r ON r.id = i.request_id" + within,
		"SELECT c.comment FROM decision_comments AS c JOIN approval_items AS i ON i.id = c.item_id JOIN requests AS r ON r.id = i.request_id" + within,
	} {
		wordsOfPeople.addAll(t, query, source)
	}
}

// TestZHistoriesHoldNoPersonalDataAndNoSecrets reads every history of the whole run,
// failures, memos, what is pending and the schedules included. It runs last, as
// its file sorts last.
func TestZHistoriesHoldNoPersonalDataAndNoSecrets(t *testing.T) {
	rememberPeople(t, "")
	require.Greater(t, len(wordsOfPeople.words), 100, "the run left words to look for")
	require.Equal(t, "john.roe", wordsOfPeople.find(`{"manager":"john.roe"}`), "what is there is found")
	secrets := secretsOfTheRun(t)
	histories := stack.histories(t)
	require.Greater(t, len(histories), 50, "the run left histories to read")
	decoded := false
	t.Logf("%d words in %d histories", len(wordsOfPeople.words), len(histories))
	for id, text := range histories {
		decoded = decoded || strings.Contains(text, `"requestId":"`)
		lower := strings.ToLower(text)
		for _, word := range personal {
			require.NotContains(t, lower, word, id)
		}
		require.Empty(t, wordsOfPeople.find(lower), id)
		require.Empty(t, secrets.find(lower), id)
	}
	require.True(t, decoded, "payloads are read in clear")
}
