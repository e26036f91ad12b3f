package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// recordRow is a record as the baseline marshals it.
type recordRow struct {
	ID          string            `json:"id"`
	SourceID    string            `json:"sourceId"`
	AccountName string            `json:"accountName"`
	FirstName   string            `json:"firstName"`
	LastName    string            `json:"lastName"`
	Phone       string            `json:"phone"`
	Email       string            `json:"email"`
	Manager     string            `json:"manager"`
	StartDate   time.Time         `json:"startDate"`
	EndDate     time.Time         `json:"endDate"`
	Data        map[string]string `json:"data"`
	Created     time.Time         `json:"created"`
	Modified    time.Time         `json:"modified"`
}

const recordColumns = `SELECT r.id::text, r.source_id::text, r.account_name, r.first_name, r.last_name, r.phone, r.email,
	i.alias, r.start_date, r.end_date, r.data, r.created, r.modified
	FROM records r JOIN identities i ON i.id = r.manager_id `

// listSize is the page that the list benchmark reads: the largest there is.
const listSize = 250

// reads measures the list and the single record over HTTP against the same
// rows read by the bare driver, its statements prepared, and marshalled.
func (r *rig) reads(ctx context.Context, n int) ([]result, error) {
	source, err := r.source(ctx, "Reads")
	if err != nil {
		return nil, err
	}
	if err := r.fill(ctx, source); err != nil {
		return nil, err
	}
	var id string
	if err := r.rows.QueryRow(ctx, `SELECT id::text FROM records WHERE source_id = $1 LIMIT 1`, source).Scan(&id); err != nil {
		return nil, err
	}
	where := url.QueryEscape(`sourceId eq "` + source + `"`)
	list, err := r.compare(ctx, "list of 250 records, p50", n, true,
		func(ctx context.Context) (int, error) {
			return r.bare(ctx, recordColumns+`WHERE r.source_id = $1 ORDER BY r.created, r.id LIMIT 250`, source)
		},
		func(ctx context.Context) (int, error) {
			return r.get(ctx, "/v3/non-employee-records?limit=250&filters="+where)
		})
	if err != nil {
		return nil, err
	}
	single, err := r.compare(ctx, "record by id, p50", 2*n, true,
		func(ctx context.Context) (int, error) { return r.bare(ctx, recordColumns+`WHERE r.id = $1`, id) },
		func(ctx context.Context) (int, error) { return r.get(ctx, "/v3/non-employee-records/"+id) })
	if err != nil {
		return nil, err
	}
	// What a call over HTTP takes before it has read anything.
	empty, err := r.compare(ctx, "a call that reads nothing (GET /healthz), p50, beside the same row", 2*n, false,
		func(ctx context.Context) (int, error) { return r.bare(ctx, recordColumns+`WHERE r.id = $1`, id) },
		func(ctx context.Context) (int, error) { return r.get(ctx, "/healthz") })
	empty.Bar, empty.Met = "reported", true
	return []result{list, single, empty}, err
}

// fill makes the records of the read benchmarks, as the API would.
func (r *rig) fill(ctx context.Context, source string) error {
	for i := range listSize {
		account := fmt.Sprintf("reader.%d", i)
		err := r.post(ctx, "admin", "/non-employee-records", map[string]any{
			"sourceId": source, "accountName": account, "firstName": "First", "lastName": "Last",
			"email": account + "@example.com", "phone": "+1 512 555 5555", "manager": "john.roe",
			"startDate": "2027-01-01", "endDate": "2027-12-31",
		}, nil)
		if err != nil {
			return err
		}
	}
	_, err := r.rows.Exec(ctx, `ANALYZE records`)
	return err
}

// compare times both in turn, n times each after a warm-up. Where they are alike
// they answer about as much.
func (r *rig) compare(ctx context.Context, name string, n int, alike bool, bare, ours func(context.Context) (int, error)) (result, error) {
	var b, o []time.Duration
	for i := range n + n/10 {
		begin := time.Now()
		small, err := bare(ctx)
		middle := time.Now()
		if err != nil {
			return result{}, err
		}
		large, err := ours(ctx)
		end := time.Now()
		if err != nil {
			return result{}, err
		}
		if alike && (2*small < large || 2*large < small) {
			return result{}, fmt.Errorf("%s: %d bytes against %d", name, small, large)
		}
		if i >= n/10 {
			b, o = append(b, middle.Sub(begin)), append(o, end.Sub(middle))
		}
	}
	bp, op := percentile(b, 0.5), percentile(o, 0.5)
	return result{Name: name, Unit: "ms", Baseline: bp, Ours: op, Ratio: op / bp, Bar: "at most 2x", Met: op <= 2*bp}, nil
}

// bare reads the rows by the driver and marshals them; it returns how many
// bytes came of it.
func (r *rig) bare(ctx context.Context, query string, args ...any) (int, error) {
	rows, err := r.rows.Query(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var found []recordRow
	for rows.Next() {
		var row recordRow
		if err := rows.Scan(&row.ID, &row.SourceID, &row.AccountName, &row.FirstName, &row.LastName, &row.Phone, &row.Email,
			&row.Manager, &row.StartDate, &row.EndDate, &row.Data, &row.Created, &row.Modified); err != nil {
			return 0, err
		}
		found = append(found, row)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	text, err := json.Marshal(found)
	return len(text), err
}

func (r *rig) get(ctx context.Context, path string) (int, error) { return r.getAs(ctx, "admin", path) }

// getAs reads an answer and returns how many bytes it has.
func (r *rig) getAs(ctx context.Context, alias, path string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.stack.APIURL()+path, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+r.tokens[alias])
	response, err := r.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %d", path, response.StatusCode)
	}
	return int(n), err
}
