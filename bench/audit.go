package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/devstack"
)

// auditBar bounds what the audit trail may cost.
const auditBar = 1.1

// auditFiles is how many files each of the programs with and without the trail
// takes in and removes again.
const auditFiles = 6

// withoutAudit is how sources differ in programs that write no audit trail. There
// is no such switch in the product, so they are built from other sources than the
// product's: nothing is inserted, no query asks for what an entry would say, and
// no decision without a comment is announced.
var withoutAudit = []struct{ path, text, instead string }{
	{
		"store/audit.go", "audit(ctx context.Context, tx bun.Tx, changes ...lifecycle.AuditChange) error {\n",
		"audit(ctx context.Context, tx bun.Tx, changes ...lifecycle.AuditChange) error {\n\tif true {\n\t\treturn nil\n\t}\n",
	},
	{
		"store/audit.go", "auditRows(ctx context.Context, rows schema.QueryAppender) (schema.QueryAppender, error) {\n",
		"auditRows(ctx context.Context, rows schema.QueryAppender) (schema.QueryAppender, error) {\n" +
			"\tif true {\n\t\treturn bun.Safe(\"audit_none AS (SELECT)\"), nil\n\t}\n",
	},
	{
		"service/approvals.go", "\tif err := s.store.AnnounceDecision(",
		"\tif comment == \"\" {\n\t\treturn s.sendDecision(ctx, op, a, decision)\n\t}\n\tif err := s.store.AnnounceDecision(",
	},
}

// buildWithoutAudit builds the programs without the trail into a directory below
// dir and returns that.
func buildWithoutAudit(ctx context.Context, dir string) (string, error) {
	root, err := devstack.ModuleRoot()
	if err != nil {
		return "", err
	}
	changed := map[string]string{}
	for _, change := range withoutAudit {
		path := filepath.Join(root, change.path)
		text, ok := changed[path]
		if !ok {
			source, err := os.ReadFile(path) //nolint:gosec // a source of ours
			if err != nil {
				return "", err
			}
			text = string(source)
		}
		if strings.Count(text, change.text) != 1 {
			return "", fmt.Errorf("%s has changed: it must have %q once", change.path, change.text)
		}
		changed[path] = strings.Replace(text, change.text, change.instead, 1)
	}
	replace := map[string]string{}
	for path, text := range changed {
		replace[path] = filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		if err := os.WriteFile(replace[path], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list, bin := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "without-audit")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-overlay", list, "-o", bin+string(filepath.Separator), //nolint:gosec // paths of ours
		"./cmd/api", "./cmd/worker", "./cmd/migrate")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the programs without the audit trail: %w\n%s", err, out)
	}
	return bin, nil
}

// audit measures what the audit trail costs: the same work by the programs as they
// are and by programs without it, in turn, each on a Postgres and a Temporal of
// its own.
func (r *rig) audit(ctx context.Context, requests int) (results []result, err error) {
	bin, err := buildWithoutAudit(ctx, r.dir)
	if err != nil {
		return nil, err
	}
	without, err := newRig(ctx, small, bin)
	if err != nil {
		return nil, err
	}
	defer without.close()
	work, err := newAuditWork(ctx, without, r)
	if err != nil {
		return nil, err
	}
	// They take turns with every request and every file, and with who begins: what
	// else the machine does falls on both.
	for i := range requests {
		for turn := range work {
			if err := work[(i+turn)%len(work)].request(ctx); err != nil {
				return nil, err
			}
		}
	}
	for i := range auditFiles {
		for turn := range work {
			if err := work[(i+turn)%len(work)].takeFile(ctx, i); err != nil {
				return nil, err
			}
		}
	}
	bare, full := work[0], work[1]
	var entries int
	if err := without.owner.QueryRow(ctx, "SELECT count(*) FROM audit_entries").Scan(&entries); err != nil {
		return nil, err
	}
	if entries > 0 {
		return nil, fmt.Errorf("programs without the audit trail wrote %d entries", entries)
	}
	share := func(name string, bare, full float64, bar string, met bool) result {
		return result{Name: "with the audit trail (baseline: without): " + name, Unit: "ms", Baseline: bare, Ours: full,
			Ratio: full / bare, Bar: bar, Met: met}
	}
	bar := fmt.Sprintf("at most %gx", auditBar)
	barred := func(name string, bare, full float64) result {
		return share(name, bare, full, bar, full <= auditBar*bare)
	}
	return []result{
		barred("a request and its approval, p50", percentile(bare.requests, 0.5), percentile(full.requests, 0.5)),
		// Of a few long runs the fastest is the one that least else happened beside.
		barred(fmt.Sprintf("import of %d new rows, fastest of %d", small, auditFiles), percentile(bare.imports, 0), percentile(full.imports, 0)),
		share(fmt.Sprintf("bulk delete of %d records, fastest of %d", small, auditFiles), percentile(bare.deletions, 0), percentile(full.deletions, 0), "reported", true),
	}, nil
}

// auditWork is one side of the comparison, with what it took.
type auditWork struct {
	*rig
	approvals                    string
	few                          file
	requests, imports, deletions []time.Duration
}

func newAuditWork(ctx context.Context, rigs ...*rig) ([]*auditWork, error) {
	sides := make([]*auditWork, len(rigs))
	for i, r := range rigs {
		w := &auditWork{rig: r}
		var err error
		if w.approvals, err = r.source(ctx, "Audited", "approver.one"); err != nil {
			return nil, err
		}
		if w.few, err = r.sample("audited.csv", small); err != nil {
			return nil, err
		}
		// Once before it counts.
		for range 10 {
			if _, err := r.acceptAndApprove(ctx, w.approvals); err != nil {
				return nil, err
			}
		}
		sides[i] = w
	}
	return sides, nil
}

// request makes a request and approves it.
func (w *auditWork) request(ctx context.Context) error {
	took, err := w.acceptAndApprove(ctx, w.approvals)
	w.requests = append(w.requests, took)
	return err
}

// takeFile takes a file into a source of its own and removes all of it.
func (w *auditWork) takeFile(ctx context.Context, number int) error {
	source, err := w.source(ctx, fmt.Sprintf("Audited %d", number))
	if err != nil {
		return err
	}
	job, err := w.upload(ctx, source, w.few.path)
	if err != nil {
		return err
	}
	w.imports = append(w.imports, job.total())
	took, err := w.deleteAll(ctx, source)
	w.deletions = append(w.deletions, took)
	return err
}

// acceptAndApprove returns how long the two calls took, without the time until the
// approver is told.
func (r *rig) acceptAndApprove(ctx context.Context, source string) (time.Duration, error) {
	begin := time.Now()
	item, err := r.accept(ctx, source, uuid.NewString())
	took := time.Since(begin)
	if err != nil {
		return 0, err
	}
	if err := r.outbox.await(ctx, item); err != nil {
		return 0, err
	}
	approving, err := r.approve(ctx, item)
	return took + approving, err
}

// deleteAll removes the records of the source by one call.
func (r *rig) deleteAll(ctx context.Context, source string) (time.Duration, error) {
	var ids []string
	if err := r.owner.QueryRow(ctx, "SELECT array_agg(id::text) FROM records WHERE source_id = $1", uuid.MustParse(source)).Scan(&ids); err != nil {
		return 0, err
	}
	begin := time.Now()
	err := r.post(ctx, "admin", "/non-employee-records/bulk-delete", map[string]any{"ids": ids}, nil)
	return time.Since(begin), err
}
