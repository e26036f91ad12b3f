package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// fields maps the fields of a list to SQL expressions over its table, which is
// called r everywhere. Texts map to their folded columns.
type fields map[string]string

const managerAlias = "(SELECT m.alias_folded FROM identities AS m WHERE m.id = r.manager_id)"

var (
	sourceFields = fields{
		"name": "r.name_folded", "created": "r.created", "sourceId": "r.id",
	}
	recordFields = fields{
		"id": "r.id", "sourceId": "r.source_id", "accountName": "r.account_name_folded",
		"firstName": "r.first_name_folded", "lastName": "r.last_name_folded",
		"email": "r.email_folded", "phone": `r.phone COLLATE "C"`, "manager": managerAlias,
		"startDate": "r.start_date", "endDate": "r.end_date", "created": "r.created", "modified": "r.modified",
		"lifecycleState": "r.lifecycle_state",
	}
	requestFields = fields{
		"sourceId": "r.source_id", "accountName": "r.account_name_folded",
		"firstName": "r.first_name_folded", "lastName": "r.last_name_folded",
		"email": "r.email_folded", "phone": `r.phone COLLATE "C"`, "approvalStatus": "r.approval_status",
		"startDate": "r.start_date", "endDate": "r.end_date", "created": "r.created", "pendingSince": "r.pending_since",
	}
	extensionFields = fields{
		"sourceId": "r.source_id", "approvalStatus": "r.approval_status", "created": "r.created",
	}
	extensionRecordFields = fields{"status": "r.status"}
	auditFields           = fields{
		"occurred": "r.occurred", "channel": "r.channel", "operation": "r.operation", "action": "r.action",
		"outcome": "r.outcome", "identityId": "r.identity_id", "clientId": "r.client_id", "trackingId": "r.tracking_id",
		"objectType": "r.object_type", "objectId": "r.object_id", "sourceId": "r.source_id",
	}
	approvalFields = fields{
		"approvalStatus": "r.status", "created": "r.created", "modified": "r.modified",
	}
	identityFields = fields{
		"id": "r.id", "alias": "r.alias_folded", "name": "r.name_folded", "firstname": "r.given_name_folded",
		"lastname": "r.family_name_folded", "email": "r.email_folded",
	}
	workgroupFields = fields{
		"id": "r.id", "name": "r.name_folded", "created": "r.created", "modified": "r.modified",
	}
	// Of what SCIM has several of there is one mail address, which is the work's
	// and the primary one. A field of TypeElement is a condition with the id in it.
	userFields = fields{
		"id": "r.id", "externalId": "r.external_id", "userName": "r.alias_folded", "displayName": "r.name_folded",
		"name.formatted": "r.formatted_name", "name.givenName": "r.given_name_folded", "name.familyName": "r.family_name_folded",
		"emails.value": "r.email_folded", "emails.type": "CASE WHEN r.email <> '' THEN 'work' ELSE '' END",
		"emails.primary": "nullif(r.email <> '', FALSE)", "active": "r.active",
		"roles.value":  "r.levels",
		"groups.value": "r.id IN (SELECT w.identity_id FROM workgroup_members AS w WHERE w.workgroup_id = ?)",
		"meta.created": "r.created", "meta.lastModified": "r.modified",
	}
	groupFields = fields{
		"id": "r.id", "externalId": "r.external_id", "displayName": "r.name_folded",
		"members.value": "r.id IN (SELECT w.workgroup_id FROM workgroup_members AS w WHERE w.identity_id = ?)",
		"meta.created":  "r.created", "meta.lastModified": "r.modified",
	}
)

func (f fields) column(name string) (bun.Safe, error) {
	column, ok := f[name]
	if !ok {
		return "", fmt.Errorf("store: the field %q has no column", name)
	}
	return bun.Safe(column), nil
}

// condition turns a judged expression into SQL; nil is TRUE.
func (f fields) condition(e filter.Expr) (schema.QueryAppender, error) {
	switch e := e.(type) {
	case nil:
		return bun.Safe("TRUE"), nil
	case filter.Nothing:
		return bun.Safe("FALSE"), nil
	case filter.And:
		return f.joined(e.Terms, " AND ")
	case filter.Or:
		return f.joined(e.Terms, " OR ")
	case filter.Not:
		term, err := f.condition(e.Term)
		if mayBeAbsent(e.Term) {
			// What is not there equals nothing, and so is not equal to it.
			return bun.SafeQuery("(?) IS NOT TRUE", term), err
		}
		return bun.SafeQuery("NOT (?)", term), err
	case filter.Present:
		column, err := f.column(e.Field.Name)
		switch e.Field.Type {
		case filter.TypeText, filter.TypeManager, filter.TypeExact:
			return bun.SafeQuery("? <> ''", column), err
		default: // The rest is NULL where it is absent.
		}
		return bun.SafeQuery("? IS NOT NULL", column), err
	case filter.Comparison:
		column, err := f.column(e.Field.Name)
		if err != nil {
			return nil, err
		}
		return comparison(column, e)
	}
	return nil, fmt.Errorf("store: %T is no expression", e)
}

// mayBeAbsent reports whether the expression looks at a field that need not be
// there.
func mayBeAbsent(e filter.Expr) bool {
	switch e := e.(type) {
	case filter.And:
		return slices.ContainsFunc(e.Terms, mayBeAbsent)
	case filter.Or:
		return slices.ContainsFunc(e.Terms, mayBeAbsent)
	case filter.Not:
		return mayBeAbsent(e.Term)
	case filter.Comparison:
		return e.Field.MayBeAbsent()
	}
	return false
}

func (f fields) joined(terms []filter.Expr, word string) (schema.QueryAppender, error) {
	args := make([]any, len(terms))
	for i, term := range terms {
		condition, err := f.condition(term)
		if err != nil {
			return nil, err
		}
		args[i] = condition
	}
	return bun.SafeQuery("("+strings.Repeat("?"+word, len(terms)-1)+"?)", args...), nil
}

// comparison holds where it does for one of the values.
func comparison(column bun.Safe, c filter.Comparison) (schema.QueryAppender, error) {
	compare := func(v filter.Value) (schema.QueryAppender, error) { return compareText(column, c.Op, v.Text) }
	switch c.Field.Type {
	case filter.TypeText, filter.TypeStatus, filter.TypeState, filter.TypeExact:
		if c.Op == filter.In {
			return bun.SafeQuery("? = ANY (?)", column, textsOf(c.Values)), nil
		}
	case filter.TypeID:
		compare = func(v filter.Value) (schema.QueryAppender, error) { return compareID(column, c.Op, v.ID) }
	case filter.TypeTime:
		compare = func(v filter.Value) (schema.QueryAppender, error) { return compareTime(column, c.Op, v.Time) }
	case filter.TypeManager:
		return compareManager(c)
	case filter.TypeClient:
		compare = func(v filter.Value) (schema.QueryAppender, error) { return compareClient(column, v.Text), nil }
	case filter.TypeBool:
		compare = func(v filter.Value) (schema.QueryAppender, error) { return compareBool(column, c.Op, v.Bool) }
	case filter.TypeElement:
		compare = func(v filter.Value) (schema.QueryAppender, error) {
			return bun.SafeQuery(string(column), uuidOf(v.ID)), nil
		}
	case filter.TypeLevel:
		compare = func(v filter.Value) (schema.QueryAppender, error) {
			return bun.SafeQuery("? = ANY (?)", v.Text, column), nil
		}
	}
	conditions := make([]any, len(c.Values))
	for i, value := range c.Values {
		condition, err := compare(value)
		if err != nil {
			return nil, err
		}
		conditions[i] = condition
	}
	if len(conditions) == 0 {
		return bun.Safe("FALSE"), nil
	}
	return bun.SafeQuery("("+strings.Repeat("? OR ", len(conditions)-1)+"?)", conditions...), nil
}

func textsOf(values []filter.Value) texts {
	list := make(texts, len(values))
	for i, value := range values {
		list[i] = value.Text
	}
	return list
}

// likeEscaper makes the wildcards of LIKE literal.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func compareText(column bun.Safe, op filter.Op, text string) (schema.QueryAppender, error) {
	switch op {
	case filter.Contains:
		return bun.SafeQuery("strpos(?, ?) > 0", column, text), nil
	case filter.StartsWith:
		return bun.SafeQuery("? LIKE ?", column, likeEscaper.Replace(text)+"%"), nil
	case filter.EndsWith:
		return bun.SafeQuery("? LIKE ?", column, "%"+likeEscaper.Replace(text)), nil
	case filter.Less, filter.LessEqual:
		// What is absent comes before nothing.
		return bun.SafeQuery("(? <> '' AND ? ? ?)", column, column, sqlOperators[op], text), nil
	default:
		return compareValue(column, op, text)
	}
}

func compareID(column bun.Safe, op filter.Op, id lifecycle.ID) (schema.QueryAppender, error) {
	if op == filter.In {
		op = filter.Equal
	}
	// The nil UUID is a value here; elsewhere it is NULL.
	return compareValue(column, op, bun.SafeQuery("?::uuid", id.String()))
}

// compareTime compares with a column that holds milliseconds. A finer value
// lies between two of them: none equals it, and what is after the one before it
// is after the value.
func compareTime(column bun.Safe, op filter.Op, at time.Time) (schema.QueryAppender, error) {
	floor := at.Truncate(time.Millisecond)
	if !floor.Equal(at) {
		switch op {
		case filter.Equal, filter.In:
			return bun.Safe("FALSE"), nil
		case filter.NotEqual:
			return bun.Safe("TRUE"), nil
		case filter.GreaterEqual:
			op = filter.Greater
		case filter.Less:
			op = filter.LessEqual
		default: // Greater and LessEqual fit the value before as they are.
		}
	}
	if op == filter.In {
		op = filter.Equal
	}
	return compareValue(column, op, floor)
}

// compareBool takes what is absent for neither.
func compareBool(column bun.Safe, op filter.Op, value bool) (schema.QueryAppender, error) {
	switch op {
	case filter.Equal:
		return bun.SafeQuery("(?) IS NOT DISTINCT FROM ?", column, value), nil
	case filter.NotEqual:
		return bun.SafeQuery("(?) IS DISTINCT FROM ?", column, value), nil
	default:
		return nil, fmt.Errorf("store: the operator %q is not for this field", op)
	}
}

var sqlOperators = map[filter.Op]bun.Safe{
	filter.Equal: "=", filter.NotEqual: "<>", filter.Greater: ">", filter.GreaterEqual: ">=",
	filter.Less: "<", filter.LessEqual: "<=",
}

func compareValue(column bun.Safe, op filter.Op, value any) (schema.QueryAppender, error) {
	operator, ok := sqlOperators[op]
	if !ok {
		return nil, fmt.Errorf("store: the operator %q is not for this field", op)
	}
	return bun.SafeQuery("? ? ?", column, operator, value), nil
}

// compareManager finds the identities first, so that the index on the
// reference to them serves.
func compareManager(c filter.Comparison) (schema.QueryAppender, error) {
	const alias = bun.Safe("m.alias_folded")
	conditions := make([]any, 0, len(c.Values))
	for _, value := range c.Values {
		op := c.Op
		if op == filter.In || op == filter.NotEqual {
			op = filter.Equal
		}
		condition, err := compareText(alias, op, value.Text)
		if err != nil {
			return nil, err
		}
		if op == filter.Equal && !value.ID.IsZero() {
			condition = bun.SafeQuery("(? OR m.id = ?)", condition, value.ID)
		}
		conditions = append(conditions, condition)
	}
	if len(conditions) == 0 {
		return bun.Safe("FALSE"), nil
	}
	found := bun.SafeQuery("r.manager_id = ANY (ARRAY(SELECT m.id FROM identities AS m WHERE "+
		strings.Repeat("? OR ", len(conditions)-1)+"?))", conditions...)
	if c.Op == filter.NotEqual {
		return bun.SafeQuery("NOT ?", found), nil
	}
	return found, nil
}

// compareClient finds what a client did. Of one that belongs to a person that
// stands with the details; then the entries are those of the person.
func compareClient(column bun.Safe, client string) schema.QueryAppender {
	return bun.SafeQuery(`(coalesce(?0 = ?1, FALSE) OR coalesce(
		r.identity_id = (SELECT c.identity_id FROM clients AS c WHERE c.id = ?1) AND EXISTS (SELECT 1 FROM audit_details AS d
			WHERE d.entry_id = r.id AND d.actor::jsonb ->> 'client' = ?1), FALSE))`, column, client)
}

// pinnedSource is the source that the expression asks for and nothing else.
func pinnedSource(e filter.Expr) (lifecycle.ID, bool) {
	c, ok := e.(filter.Comparison)
	if !ok || c.Field.Name != "sourceId" || c.Op != filter.Equal {
		return lifecycle.ID{}, false
	}
	return c.Values[0].ID, true
}

// order makes the sort order total: by id last, in the direction of the field
// before it, so that one index serves both directions.
func (f fields) order(orders []filter.Order) ([]string, error) {
	if len(orders) == 0 {
		return []string{"r.created", "r.id"}, nil
	}
	terms := make([]string, 0, len(orders)+1)
	direction := ""
	for _, o := range orders {
		column, err := f.column(o.Field)
		if err != nil {
			return nil, err
		}
		direction = ""
		if o.Descending {
			direction = " DESC"
		}
		terms = append(terms, string(column)+direction)
		if column == "r.id" {
			return terms, nil
		}
	}
	return append(terms, "r.id"+direction), nil
}

// list is what a page of a table is made of. Inside it the table is called r.
type list struct {
	table  string
	fields fields
	// only is a condition on r that holds for all of the list; nil is TRUE.
	only schema.QueryAppender
	// reach lists what may be seen, one id a row, called reach; nil is everything.
	reach *bun.SelectQuery
	// within compares r with reach.id.
	within string
}

// condition turns a judged expression into SQL for the list.
func (l list) condition(e filter.Expr) (schema.QueryAppender, error) {
	where, err := l.fields.condition(e)
	if err != nil || l.only == nil {
		return where, err
	}
	return bun.SafeQuery("? AND (?)", l.only, where), nil
}

// page selects the rows of a page in order. Where only some may be seen, each
// part is read by its own index and in order, so that somebody who sees little
// does not read past everybody's rows.
func (s *Store) page(l list, q filter.Query) (*bun.SelectQuery, error) {
	where, err := l.condition(q.Where)
	if err != nil {
		return nil, err
	}
	order, err := l.fields.order(q.Sort)
	if err != nil {
		return nil, err
	}
	ordered := func(query *bun.SelectQuery) *bun.SelectQuery {
		for _, term := range order {
			query = query.OrderExpr(term)
		}
		return query
	}
	rows := ordered(s.db.NewSelect().ColumnExpr("r.*").TableExpr("? AS r", bun.Safe(l.table)).Where("?", where))
	if l.reach == nil {
		return rows.Limit(int64(q.Limit)).Offset(int64(q.Offset)), nil
	}
	rows = rows.Where(l.within).Limit(int64(q.Limit) + int64(q.Offset))
	return ordered(s.db.NewSelect().ColumnExpr("r.*").
		TableExpr("(?) AS reach CROSS JOIN LATERAL (?) AS r", l.reach, rows)).
		Limit(int64(q.Limit)).Offset(int64(q.Offset)), nil
}

// matches counts the rows of the list that the filter lets through.
func (s *Store) matches(l list, where filter.Expr) (*bun.SelectQuery, error) {
	condition, err := l.condition(where)
	if err != nil {
		return nil, err
	}
	query := s.db.NewSelect().ColumnExpr("count(*)")
	if l.reach == nil {
		return query.TableExpr("? AS r", bun.Safe(l.table)).Where("?", condition), nil
	}
	return query.TableExpr("(?) AS reach", l.reach).
		Join("JOIN ? AS r ON ?", bun.Safe(l.table), bun.Safe(l.within)).Where("?", condition), nil
}

// reachSources selects the ids of the sources that reach sees; nil is all.
func (s *Store) reachSources(reach policy.Reach) *bun.SelectQuery {
	if reach.All {
		return nil
	}
	return s.db.NewSelect().ColumnExpr("s.id").TableExpr("sources AS s").Where("?", sourceInReach(reach))
}

// sourceInReach is the condition on s, a source, for the reaches that name
// sources.
func sourceInReach(reach policy.Reach) schema.QueryAppender {
	return bun.SafeQuery("(? OR ?)", managedBy(reach.ManagedBy), workgroupOf(reach.WorkgroupOf))
}

const (
	// managedByIdentity: the identity ?0 is account manager or owner of the source s.
	managedByIdentity = `(coalesce(s.owner_id = ?0, FALSE) OR EXISTS (SELECT 1 FROM source_account_managers AS a
		WHERE a.source_id = s.id AND a.manager_id = ?0 AND a.manager_type = 'IDENTITY'))`
	// workgroupOfIdentity: it is a member of the management workgroup of s.
	workgroupOfIdentity = `EXISTS (SELECT 1 FROM workgroup_members AS w
		WHERE w.workgroup_id = s.management_workgroup AND w.identity_id = ?0)`
)

func managedBy(identity lifecycle.ID) schema.QueryAppender {
	if identity.IsZero() {
		return bun.Safe("FALSE")
	}
	return bun.SafeQuery(managedByIdentity, uuidOf(identity))
}

func workgroupOf(identity lifecycle.ID) schema.QueryAppender {
	if identity.IsZero() {
		return bun.Safe("FALSE")
	}
	return bun.SafeQuery(workgroupOfIdentity, uuidOf(identity))
}

// uuidOf is the id with its type, so that NULL has one too.
func uuidOf(id lifecycle.ID) schema.QueryAppender { return bun.SafeQuery("?::uuid", id) }
