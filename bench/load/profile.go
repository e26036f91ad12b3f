package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

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
	// lookEvery is how often a client asks how far its import is.
	lookEvery = 200 * time.Millisecond
	// settleLimit bounds the decisions after the load.
	settleLimit = 20 * time.Minute
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
	// asked and decided are the requests and the decisions that were answered well;
	// doubtful are requests that were not, and may be there.
	asked, decided, doubtful int
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
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || status != http.StatusOK {
		p.doubtful++
		return status, err
	}
	p.asked++
	p.undecided = append(p.undecided, item{id: request.ApprovalItems[0].ID, at: time.Now()})
	return status, nil
}

// decide decides about the one who has waited longest. Where nobody waits, somebody
// is asked for.
func (p *profile) decide(ctx context.Context, draw *rand.Rand) (int, error) {
	oldest, ok := p.next()
	if !ok || time.Since(oldest.at) < decidable {
		if ok {
			p.putBack(oldest)
		}
		return p.request(ctx, draw)
	}
	return p.verdict(ctx, oldest, draw)
}

// next takes the item that has waited longest.
func (p *profile) next() (oldest item, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.undecided) == 0 {
		return item{}, false
	}
	oldest, p.undecided = p.undecided[0], p.undecided[1:]
	return oldest, true
}

func (p *profile) putBack(i item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.undecided = append(p.undecided, i)
}

// verdict decides about an item, four times out of five for the person.
func (p *profile) verdict(ctx context.Context, i item, draw *rand.Rand) (int, error) {
	verdict, body := "approve", map[string]string{"comment": "Welcome"}
	if draw.IntN(5) == 0 {
		verdict, body = "reject", map[string]string{"comment": "Not now"}
	}
	status, err := p.system.post(ctx, "approver.one", "/non-employee-approvals/"+i.id+"/"+verdict, body, nil)
	decided := err == nil && status == http.StatusOK
	if err == nil && status == http.StatusBadRequest && i.unanswered {
		// It was decided then, perhaps the other way.
		decided, status = true, http.StatusOK
	}
	if !decided {
		i.at, i.unanswered = time.Now(), i.unanswered || err != nil || status >= http.StatusInternalServerError
		p.putBack(i)
		return status, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decided++
	return status, nil
}

// bulk has a file go into a source and one out of it every bulkEvery, until ctx ends;
// those that are under way then are broken off.
func (p *profile) bulk(ctx context.Context, group *sync.WaitGroup, made *calls) {
	for n, due := 0, time.Now(); until(ctx, due); n, due = n+1, due.Add(bulkEvery) {
		source := p.sources[n%sources]
		group.Go(func() {
			status, err := p.load(ctx, source)
			made.add(ctx, fmt.Sprintf("import of %d rows", bulkRows), due, status, err)
		})
		group.Go(func() {
			status, err := p.system.get(ctx, "admin", "/non-employee-sources/"+source+"/non-employees/download")
			made.add(ctx, "export of a source", due, status, err)
		})
	}
}

// load uploads the file and waits until its rows are records.
func (p *profile) load(ctx context.Context, source string) (int, error) {
	path := "/v3/non-employee-sources/" + source + "/non-employee-bulk-upload"
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("data", "people.csv")
	if err == nil {
		_, err = part.Write(p.file)
	}
	if err = errors.Join(err, form.Close()); err != nil {
		return 0, err
	}
	var job struct{ ID, Status string }
	status, err := p.system.send(ctx, "admin", http.MethodPost, path, form.FormDataContentType(), &body, &job)
	for err == nil && status < http.StatusMultipleChoices && job.Status != "COMPLETED" {
		if job.Status == "ERROR" || job.Status == "CANCELLED" {
			return status, fmt.Errorf("the import ended as %s", job.Status)
		}
		if !until(ctx, time.Now().Add(lookEvery)) {
			return 0, context.Cause(ctx)
		}
		status, err = p.system.send(ctx, "admin", http.MethodGet, path+"/jobs/"+job.ID, "", nil, &job)
	}
	return status, err
}

// settle has whoever is left decided about, and compares what clients were told with
// what is there.
func (p *profile) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, settleLimit, errors.New("the decisions after the load take too long"))
	defer cancel()
	draw := p.draw(0)
	for {
		oldest, ok := p.next()
		if !ok {
			break
		}
		if _, err := p.verdict(ctx, oldest, draw); err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
	}
	rows, err := pgx.Connect(ctx, p.system.stack.Postgres.AppURL())
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close(ctx) }()
	var all, pending int
	if err := rows.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE approval_status = 'PENDING') FROM requests`).Scan(&all, &pending); err != nil {
		return err
	}
	fmt.Printf("%d requests are there and %d of them undecided; %d were accepted, %d had no answer or a 503, and %d were decided\n",
		all, pending, p.asked, p.doubtful, p.decided)
	if all < p.asked || all > p.asked+p.doubtful || all-pending != p.decided {
		return errors.New("what clients were told is not what is there")
	}
	return nil
}
