package httpapi_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"gatehouse/filter"
	"gatehouse/httpapi/apitest"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// facts are what the contract says and our document must say too (see the head
// of the contract: methods, paths, query parameters, success codes, media types
// and schemas). Names of path parameters are ours.
type facts struct {
	Operations []struct {
		ID, Method, Path string
		Query            []parameterFact
		Success          int
		Answers, Answer  string
		AnswersAtMost    *uint64
		Takes, Body      string
		TakesRequired    bool
		Errors           []int
		Scopes           []string
	}
	Schemas map[string]struct {
		Fields   map[string]typeFact
		Required []string
		Enum     []string
	}
}

type parameterFact struct {
	Name, Type       string
	Required         bool
	Minimum, Maximum *float64
	Default          any
}

type typeFact struct {
	Type, Schema, Format string
	Enum                 []string
	Items                *typeFact
	MinLength, MinItems  uint64
	MaxLength, MaxItems  *uint64
}

func readFacts(t *testing.T) facts {
	t.Helper()
	text, err := os.ReadFile("testdata/contract_facts.json")
	require.NoError(t, err)
	var f facts
	require.NoError(t, json.Unmarshal(text, &f))
	return f
}

// ownTags mark what is served beside the contract's operations.
var ownTags = []string{"Tokens", "Operation"}

// isExtension tells what is marked as ours within what is the contract's.
func isExtension(extensions map[string]any) bool { return extensions["x-gatehouse-extension"] == true }

func TestTheDocumentIsValid(t *testing.T) {
	t.Parallel()
	require.NoError(t, apitest.Document(t).Validate(t.Context(), openapi3.DisableExamplesValidation()))
}

// The page at /docs shows no extensions, so what is marked says so in words.
func TestWhatIsBeyondTheContractIsToldToReaders(t *testing.T) {
	t.Parallel()
	const mark = "eyond the contract"
	for path, item := range apitest.Document(t).Paths.Map() {
		for method, operation := range item.Operations() {
			require.Equal(t, isExtension(operation.Extensions), strings.Contains(operation.Tags[0], mark), "%s %s", method, path)
			for _, parameter := range operation.Parameters {
				if isExtension(parameter.Value.Extensions) {
					require.Contains(t, parameter.Value.Description, mark, "%s %s: %s", method, path, parameter.Value.Name)
				}
			}
			for status, response := range operation.Responses.Map() {
				if isExtension(response.Value.Extensions) {
					require.Contains(t, *response.Value.Description, mark, "%s %s: %s", method, path, status)
				}
			}
		}
	}
}

func TestTheDocumentHasTheOperationsOfTheContract(t *testing.T) {
	t.Parallel()
	doc, f := apitest.Document(t), readFacts(t)
	require.Len(t, f.Operations, 32)
	ours := 0
	for _, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			if !slices.Contains(ownTags, operation.Tags[0]) && !isExtension(operation.Extensions) {
				ours++
			}
		}
	}
	require.Equal(t, len(f.Operations), ours, "operations that the contract does not have")

	for _, fact := range f.Operations {
		t.Run(fact.ID, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, policy.Rules, policy.Operation(fact.ID))
			item := doc.Paths.Value(strings.ReplaceAll(fact.Path, "{sourceId}", "{id}"))
			require.NotNil(t, item, fact.Path)
			operation := item.GetOperation(fact.Method)
			require.NotNil(t, operation, fact.Method)
			require.Equal(t, fact.ID, operation.OperationID)
			require.False(t, isExtension(operation.Extensions))
			require.Equal(t, fact.Scopes, (*operation.Security)[0]["accessToken"])
			require.Equal(t, policy.Rules[policy.Operation(fact.ID)].Scope, fact.Scopes[0])
			require.Equal(t, fact.Query, queryOf(operation))

			success := operation.Responses.Status(fact.Success)
			require.NotNil(t, success, "status %d", fact.Success)
			require.False(t, isExtension(success.Value.Extensions))
			media, schema := content(t, success.Value.Content)
			require.Equal(t, fact.Answers, media)
			if media != "text/csv" {
				require.Equal(t, fact.Answer, schemaName(schema))
			}
			if fact.AnswersAtMost != nil {
				require.Equal(t, fact.AnswersAtMost, schema.Value.MaxItems)
			}
			for status, response := range operation.Responses.Map() {
				code, err := strconv.Atoi(status)
				if err == nil && code < 300 && !isExtension(response.Value.Extensions) {
					require.Equal(t, fact.Success, code, "another success")
				}
			}
			for _, status := range fact.Errors {
				require.NotNil(t, operation.Responses.Status(status), "status %d", status)
			}

			if fact.Takes == "" {
				require.Nil(t, operation.RequestBody)
				return
			}
			require.Equal(t, fact.TakesRequired, operation.RequestBody.Value.Required)
			media, schema = content(t, operation.RequestBody.Value.Content)
			require.Equal(t, fact.Takes, media)
			require.Equal(t, fact.Body, schemaName(schema))
		})
	}
}

func TestWhatTheContractDoesNotHaveIsMarked(t *testing.T) {
	t.Parallel()
	doc := apitest.Document(t)
	var marked []policy.Operation
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if !isExtension(operation.Extensions) {
				continue
			}
			op := policy.Operation(operation.OperationID)
			marked = append(marked, op)
			require.Equal(t, []string{policy.Extensions[op].Scope}, (*operation.Security)[0]["accessToken"], op)
			require.Equal(t, method == http.MethodGet, policy.Extensions[op].Scope == lifecycle.ScopeRead, op)
			statuses := []int{400, 401, 403, 429, 500, 503}
			if strings.Contains(path, "{") {
				statuses = append(statuses, 404)
			}
			for _, status := range statuses {
				require.NotNil(t, operation.Responses.Status(status), "%s: status %d", op, status)
			}
			require.Regexp(t, "^/(non-employee-extension|non-employee-approvals/{id}/|non-employee-sources/{id}/(non-employee|approval-config|lifecycle-config)|non-employee-(approval|lifecycle)-config|non-employee-(records/{id}/end|requests/{id}/progress)|audit-events|identities|workgroups|personal-access-tokens|oauth-clients|webhooks|deliveries)", path)
		}
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(policy.Extensions)), marked)
}

func TestTheDocumentHasTheSchemasOfTheContract(t *testing.T) {
	t.Parallel()
	doc := apitest.Document(t)
	for name, fact := range readFacts(t).Schemas {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ref := doc.Components.Schemas[name]
			require.NotNil(t, ref)
			if len(fact.Enum) > 0 {
				require.Equal(t, fact.Enum, enumOf(ref.Value))
				return
			}
			ours := map[string]typeFact{}
			for field, schema := range ref.Value.Properties {
				if isExtension(schema.Value.Extensions) {
					require.Contains(t, schema.Value.Description, "eyond the contract", field)
					require.NotContains(t, ref.Value.Required, field, "it is answered where it is asked for")
					continue
				}
				ours[field] = typeOf(schema)
			}
			if name == "JsonPatchOperation" {
				// The contract lists move and copy, but not what they need.
				delete(ours, "from")
			}
			require.ElementsMatch(t, slices.Collect(maps.Keys(fact.Fields)), slices.Collect(maps.Keys(ours)))
			for field, want := range fact.Fields {
				got := ours[field]
				if want.Format == "" {
					got.Format = "" // ours may be stricter
				}
				require.Equal(t, want, got, field)
			}
			if isAnswer(name) {
				for _, field := range fact.Required {
					require.Contains(t, ref.Value.Required, field)
				}
				require.NotNil(t, ref.Value.AdditionalProperties.Has)
				require.False(t, *ref.Value.AdditionalProperties.Has, "the schema of an answer is closed")
				return
			}
			require.ElementsMatch(t, fact.Required, ref.Value.Required)
		})
	}
}

// TestTheDocumentNamesWhatListsAreFilteredAndSortedBy reads the lists of fields in
// the descriptions: "**a, b**: *eq, co*" for filters, "**a, b**" for sorters.
func TestTheDocumentNamesWhatListsAreFilteredAndSortedBy(t *testing.T) {
	t.Parallel()
	filterable := regexp.MustCompile(`\*\*([^*]+)\*\*: \*([^*]+)\*`)
	sortable := regexp.MustCompile(`\*\*([^*]+)\*\*`)
	doc, schemas := apitest.Document(t), map[string]filter.Schema{
		string(policy.ListSources): filter.Sources, string(policy.ListRecords): filter.Records,
		string(policy.ListRequests): filter.Requests, string(policy.ListApprovals): filter.Approvals,
		string(policy.ListIdentities): filter.Identities, string(policy.ListWorkgroups): filter.Workgroups,
		string(policy.ListWorkgroupMembers): filter.WorkgroupMembers,
		string(policy.ListExtensions):       filter.Extensions, string(policy.ListExtensionRecords): filter.ExtensionRecords,
		string(policy.ListAuditEvents): filter.AuditEvents, string(policy.ExportAuditEvents): slices.Clone(filter.AuditEvents),
	}
	for i := range schemas[string(policy.ExportAuditEvents)] {
		// A file has one order.
		schemas[string(policy.ExportAuditEvents)][i].Sortable = false
	}
	for _, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			// Of no list but these anything is filtered or sorted.
			schema := schemas[operation.OperationID]
			filters, sorters := map[string][]filter.Op{}, []string{}
			for _, field := range schema {
				if len(field.Ops) > 0 {
					filters[field.Name] = field.Ops
				}
				if field.Sortable {
					sorters = append(sorters, field.Name)
				}
			}
			documented, order := map[string][]filter.Op{}, []string{}
			for _, parameter := range operation.Parameters {
				text := parameter.Value.Description
				switch parameter.Value.Name {
				case "filters":
					for _, match := range filterable.FindAllStringSubmatch(text, -1) {
						for field := range strings.SplitSeq(match[1], ", ") {
							for op := range strings.SplitSeq(match[2], ", ") {
								documented[field] = append(documented[field], filter.Op(op))
							}
						}
					}
				case "sorters":
					for field := range strings.SplitSeq(sortable.FindStringSubmatch(text)[1], ", ") {
						order = append(order, field)
					}
				}
			}
			require.Equal(t, filters, documented, operation.OperationID)
			require.ElementsMatch(t, sorters, order, operation.OperationID)
		}
	}
}

// isAnswer tells the schemas of answers from those of bodies, in which unknown
// members are ignored.
func isAnswer(name string) bool {
	return !slices.Contains([]string{
		"JsonPatchOperation", "NonEmployeeApprovalDecision", "NonEmployeeIdnUserRequest", "NonEmployeeRejectApprovalDecision",
		"NonEmployeeRequestBody", "NonEmployeeSchemaAttributeBody", "NonEmployeeSourceRequestBody",
	}, name)
}

func queryOf(operation *openapi3.Operation) []parameterFact {
	query := []parameterFact{}
	for _, parameter := range operation.Parameters {
		if parameter.Value.In != "query" || isExtension(parameter.Value.Extensions) {
			continue
		}
		schema := parameter.Value.Schema.Value
		query = append(query, parameterFact{
			Name: parameter.Value.Name, Type: schema.Type.Slice()[0], Required: parameter.Value.Required,
			Minimum: schema.Min, Maximum: schema.Max, Default: schema.Default,
		})
	}
	slices.SortFunc(query, func(a, b parameterFact) int { return strings.Compare(a.Name, b.Name) })
	for i, fact := range query {
		// The contract states no default for it but in words.
		if fact.Name == "include-detail" {
			query[i].Default = nil
		}
	}
	return query
}

func content(t *testing.T, content openapi3.Content) (string, *openapi3.SchemaRef) {
	t.Helper()
	require.LessOrEqual(t, len(content), 1)
	for media, value := range content {
		return media, value.Schema
	}
	return "", nil
}

// schemaName is the name of a schema of its own, in brackets for a list of it.
func schemaName(schema *openapi3.SchemaRef) string {
	if schema == nil {
		return ""
	}
	if schema.Ref != "" {
		return schema.Ref[strings.LastIndex(schema.Ref, "/")+1:]
	}
	if schema.Value.Items != nil {
		return "[" + schemaName(schema.Value.Items) + "]"
	}
	return ""
}

func typeOf(schema *openapi3.SchemaRef) typeFact {
	v := schema.Value
	fact := typeFact{
		Type: "any", Format: strings.ToLower(v.Format), Enum: enumOf(v),
		MinLength: v.MinLength, MaxLength: v.MaxLength, MinItems: v.MinItems, MaxItems: v.MaxItems,
	}
	if !slices.Contains([]string{"date", "date-time", "int32", "float"}, fact.Format) {
		fact.Format = ""
	}
	if v.Type != nil {
		fact.Type = v.Type.Slice()[0]
	}
	if fact.Type == "object" {
		fact.Schema = schemaName(schema)
	}
	if v.Items != nil {
		items := typeOf(v.Items)
		fact.Items = &items
	}
	return fact
}

func enumOf(schema *openapi3.Schema) []string {
	var enum []string
	for _, value := range schema.Enum {
		if text, ok := value.(string); ok {
			enum = append(enum, text)
		}
	}
	slices.Sort(enum)
	return enum
}
