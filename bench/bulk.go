package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"gatehouse/devstack"
)

// small and the flag -rows are the sizes of the files that bulk work is measured
// with.
const small = 20_000

// bulkRounds is how often baseline and ours take turns with small files.
const bulkRounds = 3

// memoryBar is how much API and worker may each have, while the large file goes in
// and while it comes out, beyond what they had before any work, in MiB.
const memoryBar = 96

// approvalBar bounds how much slower an approval may be beside an import.
const approvalBar = 3.0

// file is a sample on disk.
type file struct {
	path string
	rows int
}

func (r *rig) sample(name string, rows int) (file, error) {
	f := file{path: filepath.Join(r.dir, name), rows: rows}
	out, err := os.Create(f.path)
	if err != nil {
		return f, err
	}
	return f, errors.Join(devstack.WriteSample(out, rows, "john.roe", "jane.doe"), out.Close())
}

// bulk measures files on their way in and out.
func (r *rig) bulk(ctx context.Context, large int) ([]result, error) {
	if err := r.bulkTables(ctx); err != nil {
		return nil, err
	}
	few, err := r.sample("small.csv", small)
	if err != nil {
		return nil, err
	}
	results, err := r.smallFiles(ctx, few)
	if err != nil {
		return results, err
	}
	faulty, err := r.faultyFile(ctx)
	if err != nil {
		return results, err
	}
	results = append(results, faulty)
	many, err := r.sample("large.csv", large)
	if err != nil {
		return results, err
	}
	more, err := r.largeFile(ctx, many)
	return append(results, more...), err
}

// smallFiles takes turns of the baseline and ours, each into tables or a source
// that is empty.
func (r *rig) smallFiles(ctx context.Context, f file) ([]result, error) {
	var base, baseOut, oursOut time.Duration
	var ours imported
	for round := range bulkRounds {
		source, err := r.source(ctx, fmt.Sprintf("Small %d", round))
		if err != nil {
			return nil, err
		}
		took, err := r.copyIn(ctx, f, source)
		if err != nil {
			return nil, fmt.Errorf("the baseline: %w", err)
		}
		base += took
		job, err := r.upload(ctx, source, f.path)
		if err != nil {
			return nil, err
		}
		ours.accepted += job.accepted / bulkRounds
		ours.done += job.done / bulkRounds
		if took, err = r.copyOut(ctx, source); err != nil {
			return nil, err
		}
		baseOut += took
		if took, err = r.download(ctx, source, f.rows); err != nil {
			return nil, err
		}
		oursOut += took
	}
	return append(importResults(fmt.Sprintf("import of %d new rows", f.rows), base/bulkRounds, ours, 3),
		atMost(fmt.Sprintf("export of %d rows", f.rows), baseOut/bulkRounds, oursOut/bulkRounds, 4)), nil
}

// faultyFile compares the refusal of a file with two faults in every row with
// the acceptance of a clean one: from the first byte sent to the answer.
func (r *rig) faultyFile(ctx context.Context) (result, error) {
	var clean, faulty bytes.Buffer
	if err := devstack.WriteSample(&clean, small, "john.roe"); err != nil {
		return result{}, err
	}
	header, rows, _ := bytes.Cut(clean.Bytes(), []byte("\n"))
	faulty.Write(header)
	faulty.WriteByte('\n')
	faulty.Write(bytes.ReplaceAll(bytes.ReplaceAll(rows, []byte("@example.com"), []byte(" at example.com")), []byte(",2028-"), []byte(",1999-")))
	path := filepath.Join(r.dir, "faulty.csv")
	if err := os.WriteFile(path, faulty.Bytes(), 0o600); err != nil {
		return result{}, err
	}
	good := filepath.Join(r.dir, "clean.csv")
	if err := os.WriteFile(good, clean.Bytes(), 0o600); err != nil {
		return result{}, err
	}
	var base, ours time.Duration
	for round := range bulkRounds {
		source, err := r.source(ctx, fmt.Sprintf("Faulty %d", round))
		if err != nil {
			return result{}, err
		}
		begin := time.Now()
		status, text, err := r.send(ctx, source, path)
		if err != nil {
			return result{}, err
		}
		ours += time.Since(begin)
		if status != http.StatusBadRequest {
			return result{}, fmt.Errorf("a file of faults was answered %d %.200s", status, text)
		}
		job, err := r.upload(ctx, source, good)
		if err != nil {
			return result{}, err
		}
		base += job.accepted
	}
	return atMost(fmt.Sprintf("refusal of %d rows with two faults each (baseline: 202 of a clean file)", small), base/bulkRounds, ours/bulkRounds, 1), nil
}

// largeFile measures one file in, the same file again, and out, and meanwhile
// the memory of the programs and what approvals elsewhere have to wait.
func (r *rig) largeFile(ctx context.Context, f file) ([]result, error) {
	source, err := r.source(ctx, "Large")
	if err != nil {
		return nil, err
	}
	base, err := r.copyIn(ctx, f, source)
	if err != nil {
		return nil, fmt.Errorf("the baseline: %w", err)
	}
	watch := r.watchMemory()
	first, err := r.upload(ctx, source, f.path)
	in := watch()
	if err != nil {
		return nil, err
	}
	again, err := r.upload(ctx, source, f.path)
	if err != nil {
		return nil, err
	}
	if again.Rows.Unchanged != f.rows {
		return nil, fmt.Errorf("of %d rows sent again %d were unchanged", f.rows, again.Rows.Unchanged)
	}
	if _, err := r.rows.Exec(ctx, `ANALYZE records`); err != nil {
		return nil, err
	}
	baseOut, err := r.copyOut(ctx, source)
	if err != nil {
		return nil, err
	}
	watch = r.watchMemory()
	oursOut, err := r.download(ctx, source, f.rows)
	out := watch()
	if err != nil {
		return nil, err
	}
	results := importResults(fmt.Sprintf("import of %d new rows", f.rows), base, first, 1.6)
	results = append(results,
		importResults(fmt.Sprintf("the same %d rows again (baseline: the first time)", f.rows), first.total(), again, 1)...)
	results = append(results,
		atMost(fmt.Sprintf("export of %d rows", f.rows), baseOut, oursOut, 3),
		memory("API during the large import", r.idle.api, in.api), memory("worker during the large import", r.idle.worker, in.worker),
		memory("API during the large export", r.idle.api, out.api), memory("worker during the large export", r.idle.worker, out.worker),
	)
	beside, err := r.approvalsBeside(ctx, f)
	return append(results, beside...), err
}

// approvalsBeside measures approvals without and with an import of the file into
// another source, and into their own.
func (r *rig) approvalsBeside(ctx context.Context, f file) ([]result, error) {
	source, err := r.source(ctx, "Beside", "approver.one")
	if err != nil {
		return nil, err
	}
	one := func(ctx context.Context) (time.Duration, error) { return r.approval(ctx, source) }
	if _, err := drive(ctx, 2, 8, one); err != nil {
		return nil, err
	}
	alone, err := drive(ctx, 1, 100, one)
	if err != nil {
		return nil, err
	}
	var results []result
	for _, where := range []string{"another source", "the same source"} {
		into := source
		if where == "another source" {
			if into, err = r.source(ctx, "Busy"); err != nil {
				return nil, err
			}
		}
		var group sync.WaitGroup
		var failed error
		importing, done := context.WithCancel(ctx)
		group.Go(func() {
			defer done()
			_, failed = r.upload(ctx, into, f.path)
		})
		var beside flow
		for importing.Err() == nil {
			took, err := one(ctx)
			if err != nil {
				group.Wait()
				return nil, errors.Join(err, failed)
			}
			beside.approve = append(beside.approve, took)
		}
		group.Wait()
		if failed != nil {
			return nil, failed
		}
		bp, op := percentile(alone.approve, 0.5), percentile(beside.approve, 0.5)
		results = append(results, result{
			Name: "approve, p50, beside an import into " + where, Unit: "ms", Baseline: bp, Ours: op, Ratio: op / bp,
			Bar: fmt.Sprintf("at most %gx", approvalBar), Met: op <= approvalBar*bp,
		})
	}
	return results, nil
}

func atMost(name string, base, ours time.Duration, bar float64) result {
	ratio := ours.Seconds() / base.Seconds()
	return result{
		Name: name, Unit: "s", Baseline: base.Seconds(), Ours: ours.Seconds(), Ratio: ratio,
		Bar: fmt.Sprintf("at most %gx", bar), Met: ratio <= bar,
	}
}

// importResults are the time that an import took and where it went.
func importResults(name string, base time.Duration, job imported, bar float64) []result {
	part := func(name string, took time.Duration) result {
		r := atMost("… of which "+name, base, took, bar)
		r.Bar, r.Met = "reported", true
		return r
	}
	return []result{
		atMost(name, base, job.total(), bar),
		part("receiving and staging, until the 202", job.accepted), part("applying", job.done),
	}
}

func memory(what string, idle, peak float64) result {
	return result{
		Name: "memory of the " + what + " (baseline: idle)", Unit: "MiB",
		Baseline: idle, Ours: peak, Ratio: peak / idle,
		Bar: fmt.Sprintf("at most %d MiB more", memoryBar), Met: peak-idle <= memoryBar,
	}
}

// imported is a job that was carried out.
type imported struct {
	ID, Status string
	Rows       struct{ Created, Unchanged, Failed int }
	// accepted is the time from the first byte sent to the 202, done from there
	// to COMPLETED.
	accepted, done time.Duration
}

func (i imported) total() time.Duration { return i.accepted + i.done }

// upload sends the file and waits for its job to be COMPLETED.
func (r *rig) upload(ctx context.Context, source, path string) (imported, error) {
	var job imported
	begin := time.Now()
	status, text, err := r.send(ctx, source, path)
	if err != nil {
		return job, err
	}
	if status != http.StatusAccepted {
		return job, fmt.Errorf("an upload was answered %d %.400s", status, text)
	}
	accepted := time.Now()
	if err := json.Unmarshal(text, &job); err != nil {
		return job, err
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := r.read(ctx, "/non-employee-sources/"+source+"/non-employee-bulk-upload/jobs/"+job.ID, &job); err != nil {
			return job, err
		}
		switch job.Status {
		case "COMPLETED":
			job.accepted, job.done = accepted.Sub(begin), time.Since(accepted)
			return job, nil
		case "ERROR", "CANCELLED":
			return job, fmt.Errorf("an import ended %s: %+v", job.Status, job)
		}
		select {
		case <-ctx.Done():
			return job, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// read decodes the answer to a GET into result.
func (r *rig) read(ctx context.Context, path string, result any) error {
	response, err := r.open(ctx, path)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	return json.NewDecoder(response.Body).Decode(result)
}

// open makes a GET and returns its answer, which is 200.
func (r *rig) open(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.stack.APIURL()+"/v3"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+r.tokens["admin"])
	response, err := r.long.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		err = fmt.Errorf("GET %s: %d", path, response.StatusCode)
	}
	return response, err
}

// send uploads the file as it is read and returns the answer.
func (r *rig) send(ctx context.Context, source, path string) (int, []byte, error) {
	in, err := os.Open(path) //nolint:gosec // one of the files made above
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = in.Close() }()
	body, pipe := io.Pipe()
	form := multipart.NewWriter(pipe)
	go func() {
		part, err := form.CreateFormFile("data", filepath.Base(path))
		if err == nil {
			_, err = io.Copy(part, in)
		}
		_ = pipe.CloseWithError(errors.Join(err, form.Close()))
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost,
		r.stack.APIURL()+"/v3/non-employee-sources/"+source+"/non-employee-bulk-upload", body)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+r.tokens["admin"])
	request.Header.Set("Content-Type", form.FormDataContentType())
	response, err := r.long.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, text, err
}

// download reads the whole export of the source and checks how many lines it has.
func (r *rig) download(ctx context.Context, source string, rows int) (time.Duration, error) {
	begin := time.Now()
	response, err := r.open(ctx, "/non-employee-sources/"+source+"/non-employees/download")
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	var lines lineCounter
	if _, err := io.Copy(&lines, response.Body); err != nil {
		return 0, err
	}
	took := time.Since(begin)
	if int(lines) != rows+1 {
		return 0, fmt.Errorf("an export has %d lines, not %d", int(lines), rows+1)
	}
	return took, nil
}

type lineCounter int

func (c *lineCounter) Write(p []byte) (int, error) {
	*c += lineCounter(bytes.Count(p, []byte{'\n'}))
	return len(p), nil
}

// The baseline of bulk work: what a skilled administrator does with psql. The
// tables have the columns, indexes and checks of the real ones; foreign keys are
// left out, as whoever loads in bulk leaves them out.
func (r *rig) bulkTables(ctx context.Context) error {
	for _, statement := range []string{
		`CREATE TABLE base_records (LIKE records INCLUDING ALL)`,
		`CREATE TABLE base_account_names (LIKE account_names INCLUDING ALL)`,
		`CREATE TABLE base_counters (LIKE source_counters INCLUDING ALL)`,
		`CREATE TABLE base_staging (number serial, id uuid DEFAULT gen_random_uuid(), account_name text, first_name text,
			last_name text, phone text, email text, manager text, start_date timestamptz, end_date timestamptz)`,
	} {
		if _, err := r.owner.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// copyIn takes the file into the baseline's tables, for the source, in one
// transaction.
func (r *rig) copyIn(ctx context.Context, f file, source string) (time.Duration, error) {
	in, err := os.Open(f.path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }()
	if _, err := r.owner.Exec(ctx, `TRUNCATE base_staging RESTART IDENTITY`); err != nil {
		return 0, err
	}
	if _, err := r.owner.Exec(ctx, `INSERT INTO base_counters (source_id) VALUES ($1)`, uuid.MustParse(source)); err != nil {
		return 0, err
	}
	begin := time.Now()
	tx, err := r.owner.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, in, `COPY base_staging (account_name, first_name, last_name, phone, email,
		manager, start_date, end_date) FROM STDIN (FORMAT csv, HEADER)`); err != nil {
		return 0, err
	}
	// Autovacuum does not see a table before its transaction ends, so that whoever
	// joins it right away analyses it; the time for that counts.
	if _, err := tx.Exec(ctx, `ANALYZE base_staging`); err != nil {
		return 0, err
	}
	id := uuid.MustParse(source)
	for _, statement := range []string{
		`UPDATE base_records AS r SET first_name = s.first_name, last_name = s.last_name, phone = s.phone, email = s.email,
				start_date = s.start_date, end_date = s.end_date, modified = now()
			FROM base_staging AS s
			WHERE r.source_id = $1 AND r.account_name_folded = lower(s.account_name)
				AND (r.first_name, r.last_name, r.phone, r.email, r.start_date, r.end_date) IS DISTINCT FROM
					(s.first_name, s.last_name, s.phone, s.email, s.start_date, s.end_date)`,
		`WITH named AS (
			INSERT INTO base_account_names (source_id, folded, holder)
			SELECT $1, lower(s.account_name), s.id FROM base_staging AS s ON CONFLICT DO NOTHING RETURNING holder
		), made AS (
			INSERT INTO base_records (id, source_id, account_name, account_name_folded, first_name, first_name_folded,
				last_name, last_name_folded, phone, email, email_folded, manager_id, start_date, end_date, data, created, modified)
			SELECT s.id, $1, s.account_name, lower(s.account_name), s.first_name, lower(s.first_name), s.last_name,
				lower(s.last_name), s.phone, s.email, lower(s.email), m.id, s.start_date, s.end_date, '{}', now(), now()
			FROM base_staging AS s JOIN named AS n ON n.holder = s.id JOIN identities AS m ON m.alias_folded = lower(s.manager)
			RETURNING 1
		)
		UPDATE base_counters SET records = records + (SELECT count(*) FROM made) WHERE source_id = $1`,
	} {
		if _, err := tx.Exec(ctx, statement, id); err != nil {
			return 0, err
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return 0, err
	}
	took := time.Since(begin)
	var rows int
	err = r.owner.QueryRow(ctx, `SELECT records FROM base_counters WHERE source_id = $1`, id).Scan(&rows)
	if err == nil && rows != f.rows {
		err = fmt.Errorf("%d of %d rows are in", rows, f.rows)
	}
	return took, err
}

// copyOut has Postgres write the source's records as CSV, in any order.
func (r *rig) copyOut(ctx context.Context, source string) (time.Duration, error) {
	begin := time.Now()
	_, err := r.owner.PgConn().CopyTo(ctx, io.Discard, fmt.Sprintf(`COPY (
		SELECT r.account_name, r.first_name, r.last_name, r.phone, r.email, m.alias, r.start_date, r.end_date
		FROM records AS r JOIN identities AS m ON m.id = r.manager_id WHERE r.source_id = '%s') TO STDOUT (FORMAT csv, HEADER)`, uuid.MustParse(source)))
	return time.Since(begin), err
}
