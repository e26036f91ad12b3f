package store_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/store/storetest"
)

// awkward are texts as they are stored, that quoting, patterns or case may trip
// over. Some differ in case alone, some in a character that is a wildcard.
var awkward = []string{
	`plain`, `PLAIN`, `O'Brien`, `o'brien''s`, `back\slash`, `back\\slash`, `\`, `ends with \`, `\'; DROP TABLE records; --`,
	`100%`, `100x`, `%`, `under_score`, `underXscore`, `_`, `\%`, `\_`, `"quoted"`, `Müller`, `MÜLLER`, `muller`, `straße`, `STRASSE`,
	`日本語`, `日本`, `ΣΊΣΥΦΟΣ`, `σίσυφος`, `İstanbul`, `istanbul`, `?`, `?0 ?1 ?`, `$1`, `{}`, `null`, `NULL`, `a b`, `ab`, `Ꮳ`, `ꮳ`, `🙂🙃`,
	`a` + "\t" + `tab`, `two` + "\n" + `lines`, `-1`, `1e9`, `true`, strings.Repeat("long%", 51), strings.Repeat("LONG%", 50) + "long_",
}

// shelf is a list of a kind, with its rows known by other means than the list.
type shelf struct {
	schema filter.Schema
	rows   []shelved
	list   func(ctx context.Context, reach policy.Reach, q filter.Query) ([]lifecycle.ID, int, error)
	// reaches, each with what it sees.
	reaches map[string]glance
}

type glance struct {
	reach policy.Reach
	sees  func(shelved) bool
}

// shelved is a row: its values by field, of the types lifecycle.ID, time.Time,
// lifecycle.ManagerReference, lifecycle.ApprovalStatus, and string for text; none
// for what is absent.
type shelved struct {
	id     lifecycle.ID
	values map[string]any
	source lifecycle.ID
	// approver is who an approval item waits for.
	approver lifecycle.Reference
}

// library is a store with rows of every kind.
type library struct {
	*world
	shelves  map[string]*shelf
	managers []lifecycle.Identity
}

func newLibrary(t *testing.T) *library {
	t.Helper()
	l := &library{world: newWorld(t, 2)}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same at every run
	member := storetest.Identity(t, l.Store, "member")
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: "Field", Members: []lifecycle.ID{member.ID, l.approvers[0].ID}, Created: storetest.Now()}
	require.NoError(t, l.CreateWorkgroup(t.Context(), group))
	for _, alias := range []string{`o'neil`, `100%`, `Under_Score`, `back\slash`, `Straße`, `"x"`, `日本`, `σίσυφος`} {
		l.managers = append(l.managers, storetest.Identity(t, l.Store, alias))
	}
	// Somebody's alias is the id of another.
	l.managers = append(l.managers, storetest.Identity(t, l.Store, l.managers[0].ID.String()))

	sources := []lifecycle.Source{l.source}
	for i, name := range []string{`other'S "\%_`, `Émile`, `emile`, `Z`, `a`, `_`, `%`} {
		owner := []lifecycle.ID{l.owner.ID, l.outsider.ID}[i%2]
		source := storetest.Source(t, l.Store, name, owner)
		source, err := l.UpdateSource(t.Context(), source.ID, func(s *lifecycle.Source) error {
			if i%3 == 0 {
				s.AccountManagers = []lifecycle.Reference{lifecycle.IdentityReference(member.ID)}
			}
			if i%2 == 0 {
				s.ManagementWorkgroup = group.ID
			}
			if i == 0 {
				s.Approvers = []lifecycle.Reference{
					{ID: group.ID, Type: lifecycle.ReferenceGovernanceGroup}, lifecycle.IdentityReference(l.approvers[1].ID),
				}
			}
			return nil
		})
		require.NoError(t, err)
		sources = append(sources, source)
	}
	l.shelves = map[string]*shelf{
		"sources": l.sourceShelf(sources), "records": l.recordShelf(t, random, sources[:4]),
		"requests": nil, "approvals": nil,
	}
	l.shelves["requests"], l.shelves["approvals"] = l.requestShelves(t, random, sources[:3])

	bySource := func(reach policy.Reach, sees func(lifecycle.Source) bool) glance {
		return glance{reach, func(row shelved) bool {
			return slices.ContainsFunc(sources, func(s lifecycle.Source) bool { return s.ID == row.source && sees(s) })
		}}
	}
	manages := func(id lifecycle.ID) func(lifecycle.Source) bool {
		return func(s lifecycle.Source) bool {
			return s.Owner == id || slices.Contains(s.AccountManagers, lifecycle.IdentityReference(id))
		}
	}
	grouped := func(s lifecycle.Source) bool { return s.ManagementWorkgroup == group.ID }
	everything := glance{policy.Reach{All: true}, func(shelved) bool { return true }}
	nothing := glance{policy.Reach{}, func(shelved) bool { return false }}
	for _, kind := range []string{"sources", "records", "requests"} {
		l.shelves[kind].reaches = map[string]glance{
			"all": everything, "nobody": nothing,
			"owner":          bySource(policy.Reach{ManagedBy: l.owner.ID}, manages(l.owner.ID)),
			"accountmanager": bySource(policy.Reach{ManagedBy: member.ID}, manages(member.ID)),
			"workgroup":      bySource(policy.Reach{WorkgroupOf: member.ID}, grouped),
			"either": bySource(policy.Reach{ManagedBy: l.outsider.ID, WorkgroupOf: member.ID}, func(s lifecycle.Source) bool {
				return manages(l.outsider.ID)(s) || grouped(s)
			}),
			"outsider": bySource(policy.Reach{ManagedBy: lifecycle.NewID(), WorkgroupOf: l.outsider.ID}, func(lifecycle.Source) bool { return false }),
		}
	}
	assigned := func(id lifecycle.ID, groups ...lifecycle.ID) glance {
		return glance{policy.Reach{AssignedTo: id}, func(row shelved) bool {
			return row.approver == lifecycle.IdentityReference(id) ||
				row.approver.Type == lifecycle.ReferenceGovernanceGroup && slices.Contains(groups, row.approver.ID)
		}}
	}
	l.shelves["approvals"].reaches = map[string]glance{
		"all": everything, "nobody": nothing, "approver": assigned(l.approvers[1].ID),
		"approver in a workgroup": assigned(l.approvers[0].ID, group.ID), "member": assigned(member.ID, group.ID),
		"outsider": assigned(l.outsider.ID),
	}
	return l
}

func (l *library) sourceShelf(sources []lifecycle.Source) *shelf {
	shelf := &shelf{schema: filter.Sources}
	for _, s := range sources {
		shelf.rows = append(shelf.rows, shelved{id: s.ID, source: s.ID, values: map[string]any{
			"name": s.Name, "created": s.Created, "sourceId": s.ID,
		}})
	}
	shelf.list = func(ctx context.Context, reach policy.Reach, q filter.Query) (ids []lifecycle.ID, count int, err error) {
		list, count, err := l.ListSources(ctx, reach, q, true)
		for _, s := range list {
			ids = append(ids, s.ID)
		}
		return ids, count, err
	}
	return shelf
}

// person makes somebody up from awkward texts and dates that few have alone.
func (l *library) person(random *rand.Rand, accountName string) lifecycle.Person {
	text := func() string { return awkward[random.IntN(len(awkward))] }
	person := storetest.Person(accountName, l.managers[random.IntN(len(l.managers))])
	person.FirstName, person.LastName, person.Phone, person.Email = text(), text(), text(), text()
	base := time.Date(2026, 1, 1, 0, 0, 0, 7e6, time.UTC)
	person.StartDate = base.Add(time.Duration(random.IntN(5)) * time.Millisecond)
	person.EndDate = base.AddDate(1, random.IntN(4), 0)
	return person
}

func personFields(p lifecycle.Person) map[string]any {
	return map[string]any{
		"accountName": p.AccountName, "firstName": p.FirstName, "lastName": p.LastName, "email": p.Email, "phone": p.Phone,
		"manager": p.Manager, "startDate": p.StartDate, "endDate": p.EndDate,
	}
}

// someTime is one of a few, so that many rows have the same.
func someTime(random *rand.Rand) time.Time {
	return time.Date(2026, 5, 1, 12, 0, 0, random.IntN(6)*int(time.Millisecond), time.UTC)
}

// accountNames are those of awkward that one source can hold together.
func accountNames() []string {
	var names []string
	folded := map[string]bool{}
	for _, text := range awkward {
		if !folded[lifecycle.Fold(text)] {
			folded[lifecycle.Fold(text)] = true
			names = append(names, text)
		}
	}
	return names
}

func (l *library) recordShelf(t *testing.T, random *rand.Rand, sources []lifecycle.Source) *shelf {
	t.Helper()
	shelf := &shelf{schema: filter.Records}
	for _, source := range sources {
		for _, name := range accountNames() {
			if random.IntN(3) > 0 {
				continue
			}
			r := lifecycle.Record{ID: lifecycle.NewID(), SourceID: source.ID, Person: l.person(random, name), Created: someTime(random)}
			r.Modified = someTime(random).Add(time.Hour)
			require.NoError(t, l.CreateRecord(t.Context(), r, plenty))
			shelf.addRecord(r)
		}
	}
	require.Greater(t, len(shelf.rows), 30)
	shelf.list = func(ctx context.Context, reach policy.Reach, q filter.Query) (ids []lifecycle.ID, count int, err error) {
		list, count, err := l.ListRecords(ctx, reach, q)
		for _, r := range list {
			ids = append(ids, r.ID)
		}
		return ids, count, err
	}
	return shelf
}

// stateMade is the state of a record that was just made.
func stateMade(r lifecycle.Record) lifecycle.LifecycleState {
	switch now := time.Now(); {
	case r.StartDate.After(now):
		return lifecycle.StatePlanned
	case !r.EndDate.After(now):
		return lifecycle.StateExpired
	}
	return lifecycle.StateActive
}

func (s *shelf) addRecord(r lifecycle.Record) {
	row := shelved{id: r.ID, source: r.SourceID, values: personFields(r.Person)}
	row.values["id"], row.values["sourceId"] = r.ID, r.SourceID
	row.values["created"], row.values["modified"] = r.Created, r.Modified
	row.values["lifecycleState"] = stateMade(r)
	s.rows = append(s.rows, row)
}

func (l *library) requestShelves(t *testing.T, random *rand.Rand, sources []lifecycle.Source) (requests, approvals *shelf) {
	t.Helper()
	requests, approvals = &shelf{schema: filter.Requests}, &shelf{schema: filter.Approvals}
	for _, source := range sources {
		for i := range 12 {
			q := lifecycle.Request{
				ID: lifecycle.NewID(), Source: lifecycle.SourceSummary{ID: source.ID}, Requester: l.owner.ID,
				Person: l.person(random, fmt.Sprintf("%s %d", awkward[random.IntN(20)], i)), Created: someTime(random),
			}
			q, err := l.AcceptRequest(t.Context(), q, plenty)
			require.NoError(t, err)
			l.move(t, q, i)
			q = l.stored(t, q.ID)
			row := shelved{id: q.ID, source: source.ID, values: personFields(q.Person)}
			delete(row.values, "manager")
			row.values["sourceId"], row.values["created"], row.values["approvalStatus"] = source.ID, q.Created, q.Status
			for _, item := range q.Items {
				if item.Status == lifecycle.StatusPending {
					// It was not changed since.
					row.values["pendingSince"] = item.Modified
				}
			}
			requests.rows = append(requests.rows, row)
			if q.Status == lifecycle.StatusApproved {
				l.shelves["records"].addRecord(l.recordOf(t, q))
			}
			for _, item := range q.Items {
				approvals.rows = append(approvals.rows, shelved{id: item.ID, source: source.ID, approver: item.Approver, values: map[string]any{
					"approvalStatus": item.Status, "created": item.Created, "modified": item.Modified,
				}})
			}
		}
	}
	requests.list = func(ctx context.Context, reach policy.Reach, q filter.Query) (ids []lifecycle.ID, count int, err error) {
		list, count, err := l.ListRequests(ctx, reach, q)
		for _, r := range list {
			ids = append(ids, r.ID)
		}
		return ids, count, err
	}
	approvals.list = func(ctx context.Context, reach policy.Reach, q filter.Query) (ids []lifecycle.ID, count int, err error) {
		list, count, err := l.ListApprovals(ctx, reach, q)
		for _, i := range list {
			ids = append(ids, i.ID)
		}
		return ids, count, err
	}
	return requests, approvals
}

// recordOf is the record that the request has become.
func (l *library) recordOf(t *testing.T, q lifecycle.Request) lifecycle.Record {
	t.Helper()
	var id lifecycle.ID
	require.NoError(t, l.admin.QueryRowContext(t.Context(), "SELECT id FROM records WHERE source_id = $1 AND account_name = $2",
		q.Source.ID.String(), q.AccountName).Scan(&id))
	record, _, err := l.GetRecord(t.Context(), id, lifecycle.ID{})
	require.NoError(t, err)
	return record
}

// move takes the request to one of the states that requests come to.
func (l *library) move(t *testing.T, q lifecycle.Request, turn int) {
	t.Helper()
	switch {
	case len(q.Items) == 0:
		require.NoError(t, l.CompleteRequest(t.Context(), q.ID))
	case turn%5 == 4:
		l.cancel(t, q)
	case turn%5 > 0:
		verdicts := [][]lifecycle.Verdict{
			{lifecycle.VerdictApprove}, {lifecycle.VerdictReject}, {lifecycle.VerdictApprove, lifecycle.VerdictApprove},
		}[turn%5-1]
		for i, verdict := range verdicts {
			approver := q.Items[i].Approver.ID
			if q.Items[i].Approver.Type == lifecycle.ReferenceGovernanceGroup {
				approver = l.approvers[0].ID
			}
			require.Equal(t, lifecycle.DecisionStored, l.decide(t, lifecycle.Decision{
				ID: lifecycle.NewID(), RequestID: q.ID, ItemID: q.Items[i].ID, Approver: approver, Verdict: verdict, Via: lifecycle.ViaAPI,
			}))
		}
	}
}

// holds says by itself what "field op values" means, values as a client sent them.
func holds(t *testing.T, row shelved, field string, op filter.Op, values []string) bool {
	t.Helper()
	if op == filter.In {
		return slices.ContainsFunc(values, func(v string) bool { return holds(t, row, field, filter.Equal, []string{v}) })
	}
	if op == filter.Presence {
		return row.values[field] != nil
	}
	value := values[0]
	switch have := row.values[field].(type) {
	case nil:
		return false
	case string:
		return textHolds(t, have, op, value)
	case lifecycle.ManagerReference:
		if op == filter.Equal {
			if id, err := lifecycle.ParseID(value); err == nil && id == have.ID {
				return true
			}
		}
		return textHolds(t, have.Alias, op, value)
	case lifecycle.ID:
		require.Equal(t, filter.Equal, op)
		return strings.EqualFold(strings.ReplaceAll(value, "-", ""), strings.ReplaceAll(have.String(), "-", ""))
	case lifecycle.ApprovalStatus:
		require.Equal(t, filter.Equal, op)
		return strings.EqualFold(value, string(have))
	case lifecycle.LifecycleState:
		require.Equal(t, filter.Equal, op)
		return strings.EqualFold(value, string(have))
	case time.Time:
		layout := time.RFC3339Nano
		if len(value) == len(time.DateOnly) {
			layout = time.DateOnly
		}
		at, err := time.Parse(layout, value)
		require.NoError(t, err)
		switch order := have.Compare(at); op { //nolint:exhaustive // the rest has no meaning for times
		case filter.Equal:
			return order == 0
		case filter.Greater:
			return order > 0
		case filter.GreaterEqual:
			return order >= 0
		case filter.Less:
			return order < 0
		case filter.LessEqual:
			return order <= 0
		}
	}
	require.FailNow(t, "no meaning", "%s %s of %T", field, op, row.values[field])
	return false
}

func textHolds(t *testing.T, have string, op filter.Op, value string) bool {
	t.Helper()
	have = lifecycle.Fold(have)
	part := lifecycle.Fold(lifecycle.NormalizePart(value))
	switch op { //nolint:exhaustive // the rest has no meaning for texts
	case filter.Equal:
		return have == lifecycle.Fold(lifecycle.Normalize(value))
	case filter.Contains:
		return strings.Contains(have, part)
	case filter.StartsWith:
		return strings.HasPrefix(have, part)
	}
	require.FailNow(t, "no meaning", op)
	return false
}

// asked is a condition as a client writes it, with its meaning.
type asked struct {
	text  string
	holds func(shelved) bool
}

func ask(t *testing.T, field filter.Field, op filter.Op, values ...string) asked {
	t.Helper()
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
	}
	if op == filter.Presence {
		return asked{"pr " + field.Name, func(row shelved) bool { return holds(t, row, field.Name, op, nil) }}
	}
	list := strings.Join(quoted, ",")
	if op == filter.In {
		list = "(" + list + ")"
	}
	return asked{field.Name + " " + string(op) + " " + list, func(row shelved) bool { return holds(t, row, field.Name, op, values) }}
}

// values are what the field is asked for: what rows have, in several spellings,
// parts of it, and what none has.
func (s *shelf) values(field filter.Field) []string {
	var values []string
	for _, row := range s.rows {
		switch have := row.values[field.Name].(type) {
		case lifecycle.ID:
			values = append(values, have.String(), strings.ToUpper(have.String()), strings.ReplaceAll(have.String(), "-", ""))
		case lifecycle.ManagerReference:
			values = append(values, have.Alias, have.ID.String())
		case time.Time:
			values = append(values, have.Format(time.RFC3339Nano), have.In(time.FixedZone("", 5400)).Format(time.RFC3339Nano),
				have.Add(1).Format(time.RFC3339Nano), have.Add(-1).Format(time.RFC3339Nano),
				have.Add(999_999).Format(time.RFC3339Nano), have.Format(time.DateOnly))
		}
	}
	switch field.Type { //nolint:exhaustive // the rest is of SCIM, which has tests of its own
	case filter.TypeID:
		values = append(values, lifecycle.NewID().String(), lifecycle.ID{}.String())
	case filter.TypeTime:
		values = append(values, "0001-01-02", "9999-12-31T23:59:59.999999999Z")
	case filter.TypeState:
		values = append(values, "PLANNED", "active", "Expiring", "EXPIRED", "SUSPENDED")
	case filter.TypeStatus:
		values = append(values, "PENDING", "approved", "Rejected", "CANCELLED", "NOT_READY")
	case filter.TypeText, filter.TypeManager, filter.TypeExact, filter.TypeClient:
		for _, text := range awkward {
			runes := []rune(text)
			values = append(values, text, strings.ToUpper(text), strings.ToLower(text), norm.NFD.String(text), "  "+text+"\t",
				string(runes[:(len(runes)+1)/2]), string(runes[len(runes)/2:]))
		}
		values = append(values, "", " ", "''", "no such", strings.Repeat("x", 7000), strings.Repeat("%", 3000), strings.Repeat(`_`, 3000))
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// check asks the list for a condition and compares with what it means.
func (s *shelf) check(t *testing.T, g glance, a asked) {
	t.Helper()
	count := true
	q, err := filter.Params{Filters: &a.text, Count: &count}.Judge(s.schema)
	require.NoError(t, err, a.text)
	got, n, err := s.list(t.Context(), g.reach, q)
	require.NoError(t, err, a.text)
	want := map[lifecycle.ID]bool{}
	for _, row := range s.rows {
		if g.sees(row) && a.holds(row) {
			want[row.id] = true
		}
	}
	require.Len(t, got, len(want), a.text)
	require.Equal(t, len(want), n, a.text)
	for _, id := range got {
		require.True(t, want[id], a.text)
		delete(want, id)
	}
}

// TestFiltersMeanWhatTheySay asks every list for every field and operator of its
// schema, and compares with what Go finds.
func TestFiltersMeanWhatTheySay(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	for kind, s := range l.shelves {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(3, uint64(len(kind)))) //nolint:gosec // the same at every run
			var single []asked
			for _, field := range s.schema {
				values := s.values(field)
				for _, op := range field.Ops {
					if op == filter.In {
						for range 10 {
							some := make([]string, 1+random.IntN(4))
							for i := range some {
								some[i] = values[random.IntN(len(values))]
							}
							if total(some) < 7000 {
								single = append(single, ask(t, field, op, some...))
							}
						}
						many := []string{"nobody", awkward[0]}
						if field.Type == filter.TypeState {
							many = []string{"PLANNED", "expired"}
						}
						single = append(single, ask(t, field, op, slices.Repeat(many, filter.MaxListLength/2)...))
						continue
					}
					random.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
					for _, value := range values[:min(len(values), 60)] {
						single = append(single, ask(t, field, op, value))
					}
				}
			}
			for _, a := range single {
				s.check(t, s.reaches["all"], a)
			}
			require.Equal(t, kind == "sources", len(single) == 0, "sources have no filter, the others have")
			for _, g := range s.reaches {
				s.check(t, g, asked{"", func(shelved) bool { return true }})
				for range min(len(single), 30) {
					a := combine(random, single, 3)
					if len(a.text) <= filter.MaxExpressionLength {
						s.check(t, g, a)
					}
				}
			}
		})
	}
}

func total(values []string) int {
	n := 0
	for _, value := range values {
		n += len(value)
	}
	return n
}

// combine makes a tree of conditions by chance.
func combine(random *rand.Rand, single []asked, depth int) asked {
	choice := random.IntN(4)
	if depth == 0 || choice == 0 {
		return single[random.IntN(len(single))]
	}
	a := combine(random, single, depth-1)
	if choice == 1 {
		return asked{"not (" + a.text + ")", func(row shelved) bool { return !a.holds(row) }}
	}
	b := combine(random, single, depth-1)
	if choice == 2 {
		return asked{"(" + a.text + ") and (" + b.text + ")", func(row shelved) bool { return a.holds(row) && b.holds(row) }}
	}
	return asked{"(" + a.text + ") or (" + b.text + ")", func(row shelved) bool { return a.holds(row) || b.holds(row) }}
}

// TestSortersOrderEveryRow sorts every list by every field and reads it in pages.
func TestSortersOrderEveryRow(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	for kind, s := range l.shelves {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(4, uint64(len(kind)))) //nolint:gosec // the same at every run
			var names []string
			for _, field := range s.schema {
				if field.Sortable {
					names = append(names, field.Name)
				}
			}
			sorters := []string{""}
			for _, name := range names {
				sorters = append(sorters, name, "-"+name)
			}
			for range 20 {
				random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
				some := slices.Clone(names[:1+random.IntN(len(names))])
				for i := range some {
					some[i] = []string{"", "-"}[random.IntN(2)] + some[i]
				}
				sorters = append(sorters, strings.Join(some, ","))
			}
			for _, sorter := range sorters {
				for name, g := range s.reaches {
					want := s.sorted(t, g, sorter)
					require.Equal(t, want, s.paged(t, g, sorter, filter.MaxLimit), "%s by %q", name, sorter)
					require.Equal(t, want, s.paged(t, g, sorter, 1+random.IntN(9)), "%s by %q in pages", name, sorter)
				}
			}
		})
	}
}

// sorted is the order that the sorters ask for.
func (s *shelf) sorted(t *testing.T, g glance, sorters string) []lifecycle.ID {
	t.Helper()
	fields := strings.Split(sorters, ",")
	if sorters == "" {
		fields = []string{"created"}
	}
	var rows []shelved
	for _, row := range s.rows {
		if g.sees(row) {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b shelved) int {
		sign := 1
		for _, field := range fields {
			name, descending := strings.CutPrefix(field, "-")
			if sign = 1; descending {
				sign = -1
			}
			if order := compareValues(t, name, a.values[name], b.values[name]); order != 0 {
				return sign * order
			}
		}
		return sign * bytes.Compare(a.id[:], b.id[:])
	})
	ids := make([]lifecycle.ID, len(rows))
	for i, row := range rows {
		ids[i] = row.id
	}
	return ids
}

func compareValues(t *testing.T, field string, a, b any) int {
	t.Helper()
	if a == nil || b == nil {
		// What is absent comes last.
		return cmp.Compare(btoi(a == nil), btoi(b == nil))
	}
	switch a := a.(type) {
	case string:
		if b, ok := b.(string); ok && field == "phone" {
			return cmp.Compare(a, b)
		} else if ok {
			return cmp.Compare(lifecycle.Fold(a), lifecycle.Fold(b))
		}
	case lifecycle.ManagerReference:
		if b, ok := b.(lifecycle.ManagerReference); ok {
			return cmp.Compare(lifecycle.Fold(a.Alias), lifecycle.Fold(b.Alias))
		}
	case lifecycle.ApprovalStatus:
		if b, ok := b.(lifecycle.ApprovalStatus); ok {
			return cmp.Compare(a, b)
		}
	case lifecycle.ID:
		if b, ok := b.(lifecycle.ID); ok {
			return bytes.Compare(a[:], b[:])
		}
	case time.Time:
		if b, ok := b.(time.Time); ok {
			return a.Compare(b)
		}
	}
	require.FailNow(t, "no order", "%s: %T and %T", field, a, b)
	return 0
}

func btoi(is bool) int {
	if is {
		return 1
	}
	return 0
}

// paged reads the whole list, limit rows at a time.
func (s *shelf) paged(t *testing.T, g glance, sorters string, limit int) []lifecycle.ID {
	t.Helper()
	ids, count := []lifecycle.ID{}, true
	for {
		offset := len(ids)
		q, err := filter.Params{Sorters: &sorters, Limit: &limit, Offset: &offset, Count: &count}.Judge(s.schema)
		require.NoError(t, err)
		page, n, err := s.list(t.Context(), g.reach, q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), limit)
		ids = append(ids, page...)
		if len(page) < limit {
			require.Len(t, ids, n)
			return ids
		}
	}
}

func TestABoundaryOfAPageIsNoError(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	for kind, s := range l.shelves {
		all := s.reaches["all"].reach
		page, n, err := s.list(t.Context(), all, filter.Query{Limit: 0, Count: true})
		require.NoError(t, err, kind)
		require.Empty(t, page, kind)
		require.Equal(t, len(s.rows), n, kind)
		for name, g := range s.reaches {
			page, _, err = s.list(t.Context(), g.reach, filter.Query{Limit: filter.MaxLimit, Offset: filter.MaxOffset})
			require.NoError(t, err, "%s %s", kind, name)
			require.Empty(t, page, "%s %s", kind, name)
		}
	}
}

// TestATextThatCantBeStoredIsNoFilter goes past the parser, which refuses it.
func TestATextThatCantBeStoredIsNoFilter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.record(t, "a")
	for _, text := range []string{"a\x00", "a\xff"} {
		for _, op := range []filter.Op{filter.Equal, filter.Contains, filter.StartsWith, filter.In} {
			for _, field := range filter.Records {
				if !slices.Contains(field.Ops, filter.Contains) {
					continue
				}
				expr := field.Name + " " + string(op) + ` "` + text + `"`
				_, err := filter.Parse(expr, filter.Records)
				requireKind(t, lifecycle.KindBadRequest, err)
				where := filter.Comparison{Field: field, Op: op, Values: []filter.Value{{Text: text}}}
				_, _, err = w.ListRecords(t.Context(), policy.Reach{All: true}, filter.Query{Where: where, Limit: 1, Count: true})
				requireKind(t, lifecycle.KindIllegalValue, err)
			}
		}
	}
}

// TestAFieldWithoutAColumnIsRefused, since it would else be put into the text.
func TestAFieldWithoutAColumnIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	odd := filter.Field{Name: "id; DROP TABLE records", Type: filter.TypeText}
	email := filter.Field{Name: "email", Type: filter.TypeText}
	for _, q := range []filter.Query{
		{Limit: 1, Sort: []filter.Order{{Field: odd.Name}}},
		{Limit: 1, Where: filter.Present{Field: odd}},
		{Limit: 1, Where: filter.Not{Term: filter.Present{Field: odd}}},
		{Limit: 1, Where: filter.Comparison{Field: odd, Op: filter.Equal, Values: []filter.Value{{Text: "x"}}}},
		{Limit: 1, Where: filter.Comparison{Field: email, Op: "= '' OR 1", Values: []filter.Value{{Text: "x"}}}},
	} {
		_, _, err := w.ListRecords(t.Context(), policy.Reach{All: true}, q)
		requireKind(t, lifecycle.KindInternal, err)
	}
	require.Equal(t, 0, w.number(t, "SELECT count(*) FROM records"))
}
