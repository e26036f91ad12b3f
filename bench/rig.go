package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"

	"gatehouse/devstack"
)

// rig is the running system, with what the measurements need of it.
type rig struct {
	stack    *devstack.Stack
	dir      string
	temporal client.Client
	// rows connects the application's role, owner that of the tables.
	rows, owner *pgx.Conn
	outbox      *outbox
	http        *http.Client
	// long is for calls that last as long as their file.
	long     *http.Client
	stopBase func()
	// tokens by alias.
	tokens map[string]string
	ids    map[string]string
	// idle is the memory of the programs before they had any work.
	idle usage
}

// newRig starts the system, with room for so many rows. bin has its programs ready
// built; empty has them built.
func newRig(ctx context.Context, rows int, bin string) (_ *rig, err error) {
	r := &rig{
		tokens: map[string]string{}, ids: map[string]string{},
		http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		long: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}},
	}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.dir, err = os.MkdirTemp("", "gatehouse-bench-"); err != nil {
		return nil, err
	}
	if r.stack, err = devstack.Start(ctx, devstack.Options{Dir: r.dir, BinDir: bin, Demo: true, Durable: true, Env: map[string]string{
		"GATEHOUSE_LOG_LEVEL":  "warn",
		"GATEHOUSE_RATE_LIMIT": "0",
		// Parts of the benchmarks make fifty sources each.
		"GATEHOUSE_MAX_SOURCES": "1000",
		// Beside the large file there is room for what else the benchmarks make.
		"GATEHOUSE_MAX_RECORDS_PER_SOURCE": strconv.Itoa(rows + 100_000),
		"GATEHOUSE_UPLOAD_MAX_BYTES":       "1073741824",
	}}); err != nil {
		return nil, err
	}
	if r.idle, err = r.memory(); err != nil {
		return nil, err
	}
	r.temporal, err = client.DialContext(ctx, client.Options{
		HostPort: r.stack.Temporal.Address(), Namespace: r.stack.Temporal.Namespace(), Logger: quiet{},
	})
	if err != nil {
		return nil, err
	}
	if r.rows, err = pgx.Connect(ctx, r.stack.Postgres.AppURL()); err != nil {
		return nil, err
	}
	if r.outbox, err = openOutbox(ctx, r.stack.Postgres.AppURL()); err != nil {
		return nil, err
	}
	if r.owner, err = pgx.Connect(ctx, r.stack.Postgres.MigrationURL()); err != nil {
		return nil, err
	}
	if r.stopBase, err = startBaseline(r.temporal); err != nil {
		return nil, err
	}
	for _, alias := range []string{"admin", "jane.doe", "john.roe", "approver.one"} {
		if err := r.login(ctx, alias); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// close takes down what stands.
func (r *rig) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if r.stopBase != nil {
		r.stopBase()
	}
	for _, conn := range []*pgx.Conn{r.rows, r.owner} {
		if conn != nil {
			_ = conn.Close(ctx)
		}
	}
	if r.outbox != nil {
		r.outbox.close(ctx)
	}
	if r.temporal != nil {
		r.temporal.Close()
	}
	if r.stack != nil {
		if err := r.stack.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "bench: stopping:", err)
		}
	}
	_ = os.RemoveAll(r.dir)
}

func (r *rig) login(ctx context.Context, alias string) error {
	login, err := devstack.LogIn(ctx, r.http, r.stack.APIURL(), alias)
	r.tokens[alias], r.ids[alias] = login.AccessToken, login.IdentityID
	return err
}

// post makes one call under /v3 and decodes the answer into result, unless nil.
func (r *rig) post(ctx context.Context, alias, path string, body, result any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.stack.APIURL()+"/v3"+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+r.tokens[alias])
	request.Header.Set("Content-Type", "application/json")
	response, err := r.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("POST %s: %d %s", path, response.StatusCode, text)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(text, result)
}

// source makes a source with these approvers and returns its id.
func (r *rig) source(ctx context.Context, name string, approvers ...string) (string, error) {
	references := []map[string]string{}
	for _, alias := range approvers {
		references = append(references, map[string]string{"id": r.ids[alias]})
	}
	var source struct{ ID string }
	err := r.post(ctx, "admin", "/non-employee-sources", map[string]any{
		"name": name, "description": "For the benchmark", "owner": map[string]string{"id": r.ids["jane.doe"]},
		"approvers": references,
	}, &source)
	if err == nil && source.ID == "" {
		err = errors.New("the source has no id")
	}
	return source.ID, err
}

// quiet is a logger of the SDK that says nothing.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
