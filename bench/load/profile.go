package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"

	"gatehouse/devstack"
)

// The load is that of an organisation on a busy day: mostly people who look; one
// call in seven asks for somebody and one decides about somebody; and every
// bulkEvery a file of bulkRows comes in and one goes out.
const (
	sources   = 10
	readable  = 500
	bulkRows  = 5_000
	bulkEvery = time.Minute
	// decidable is how long a request is left alone before it is decided: no person
	// is faster, and an Update that meets the first task of a workflow may wait 2 s
	// in Temporal.
	decidable = time.Second
)

// kind is a sort of call, and how often it comes among the others.
type kind struct {
	name   string
	weight int
	call   func(ctx context.Context, draw *rand.Rand) (status int, err error)
}

// profile is what the calls are about.
type profile struct {
	system *system
	seed   int64
	kinds  []kind
	// sources and records are there from the start, file is what comes in.
	sources, records []string
	file             []byte

	mu sync.Mutex
	// undecided are the items of requests, the oldest first.
	undecided []item
	// asked and decided are the requests and the decisions that were answered well.
	asked, decided int
}

type item struct {
	id string
	at time.Time
	// unanswered is true where a decision was sent that nobody answered.
	unanswered bool
}

func newProfile(ctx context.Context, s *system, seed int64) (*profile, error) {
	p := &profile{system: s, seed: seed}
	get := func(alias, path string) func(context.Context, *rand.Rand) (int, error) {
		return func(ctx context.Context, _ *rand.Rand) (int, error) { return s.get(ctx, alias, path) }
	}
	one := func(among *[]string, alias, path, after string) func(context.Context, *rand.Rand) (int, error) {
		return func(ctx context.Context, draw *rand.Rand) (int, error) {
			return s.get(ctx, alias, path+(*among)[draw.IntN(len(*among))]+after)
		}
	}
	of := "/non-employee-records?limit=50&filters=" + url.QueryEscape(`sourceId eq "`)
	p.kinds = []kind{
		{"record by id", 20, one(&p.records, "admin", "/non-employee-records/", "")},
		{"50 records of a source", 15, one(&p.sources, "admin", of, url.QueryEscape(`"`))},
		{"50 requests", 10, get("jane.doe", "/non-employee-requests?requested-for=me&limit=50")},
		{"50 approvals", 12, get("approver.one", "/non-employee-approvals?requested-for=me&limit=50")},
		{"summary of approvals", 8, get("approver.one", "/non-employee-approvals/summary/me")},
		{"source by id", 5, one(&p.sources, "admin", "/non-employee-sources/", "")},
		{"request", 15, p.request},
		{"decision", 15, p.decide},
	}
	for i := range sources {
		id, err := p.made(ctx, "/non-employee-sources", map[string]any{
			"name": fmt.Sprintf("Load %d", i), "description": "For the load", "owner": map[string]string{"id": s.ids["jane.doe"]},
			"approvers": []map[string]string{{"id": s.ids["approver.one"]}},
		})
		if err != nil {
			return nil, err
		}
		p.sources = append(p.sources, id)
	}
	for i := range readable {
		id, err := p.made(ctx, "/non-employee-records", person(p.sources[i%sources]))
		if err != nil {
			return nil, err
		}
		p.records = append(p.records, id)
	}
	var file bytes.Buffer
	err := devstack.WriteSample(&file, bulkRows, "john.roe", "jane.doe")
	p.file = file.Bytes()
	return p, err
}

// made makes an object that the load needs and returns its id.
func (p *profile) made(ctx context.Context, path string, body any) (string, error) {
	var object struct{ ID string }
	status, err := p.system.post(ctx, "admin", path, body, &object)
	if err != nil {
		return "", err
	}
	if status != http.StatusOK {
		return "", fmt.Errorf("POST %s is answered %d", path, status)
	}
	return object.ID, nil
}

func person(source string) map[string]any {
	account := uuid.NewString()
	return map[string]any{
		"sourceId": source, "accountName": account, "firstName": "First", "lastName": "Last",
		"email": account + "@example.com", "phone": "1", "manager": "john.roe", "startDate": "2027-01-01", "endDate": "2027-12-31",
	}
}

// request asks for somebody.
func (p *profile) request(ctx context.Context, draw *rand.Rand) (int, error) {
	var request struct {
		ApprovalItems []struct{ ID string } `json:"approvalItems"`
	}
	status, err := p.system.post(ctx, "jane.doe", "/non-employee-requests", person(p.sources[draw.IntN(sources)]), &request)
	if err != nil || status != http.StatusOK {
		return status, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	p.undecided = append(p.undecided, item{id: request.ApprovalItems[0].ID, at: time.Now()})
	return status, nil
}

// decide decides about the one who has waited longest, four times out of five for
// them. Where nobody waits, somebody is asked for.
func (p *profile) decide(ctx context.Context, draw *rand.Rand) (int, error) {
	p.mu.Lock()
	if len(p.undecided) == 0 || time.Since(p.undecided[0].at) < decidable {
		p.mu.Unlock()
		return p.request(ctx, draw)
	}
	oldest := p.undecided[0]
	p.undecided = p.undecided[1:]
	p.mu.Unlock()
	verdict, body := "approve", map[string]string{"comment": "Welcome"}
	if draw.IntN(5) == 0 {
		verdict, body = "reject", map[string]string{"comment": "Not now"}
	}
	status, err := p.system.post(ctx, "approver.one", "/non-employee-approvals/"+oldest.id+"/"+verdict, body, nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil && status == http.StatusOK:
		p.decided++
	case err == nil && status == http.StatusBadRequest && oldest.unanswered:
		// It was decided then, perhaps the other way.
		p.decided++
		return http.StatusOK, nil
	default:
		p.undecided = append(p.undecided, item{oldest.id, time.Now(), oldest.unanswered || err != nil || status >= http.StatusInternalServerError})
	}
	return status, err
}

// bulk carries a file into a source and one out of it, until ctx ends.
func (p *profile) bulk(ctx context.Context, done func(name string, began time.Time, status int, err error)) {
	tick := time.NewTicker(bulkEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		source, began := p.sources[n%sources], time.Now()
		status, err := p.upload(ctx, source)
		done(fmt.Sprintf("import of %d rows, until it is accepted", bulkRows), began, status, err)
		began = time.Now()
		status, err = p.system.get(ctx, "admin", "/non-employee-sources/"+source+"/non-employees/download")
		done("export of a source", began, status, err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (p *profile) upload(ctx context.Context, source string) (int, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("data", "people.csv")
	if err == nil {
		_, err = part.Write(p.file)
	}
	if err = errors.Join(err, form.Close()); err != nil {
		return 0, err
	}
	return p.system.send(ctx, "admin", http.MethodPost, "/v3/non-employee-sources/"+source+"/non-employee-bulk-upload",
		form.FormDataContentType(), io.Reader(&body), nil)
}

// settle waits until nobody waits for a decision and compares what clients were
// told with what there is.
func (p *profile) settle(ctx context.Context) error {
	for {
		p.mu.Lock()
		left := len(p.undecided)
		p.mu.Unlock()
		if left == 0 {
			break
		}
		if _, err := p.decide(ctx, p.draw(0)); err != nil {
			return fmt.Errorf("a decision after the load: %w", err)
		}
	}
	return nil
}
