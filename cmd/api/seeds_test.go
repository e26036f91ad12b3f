package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// aForm is the media type of formOf.
const aForm = "multipart/form-data; boundary=x"

const aFile = "accountName,firstName,lastName,phone,email,manager,startDate,endDate,extra\n" +
	"from.a.file,F,L,1,f@example.com,jane.doe,2027-01-01,2027-12-31,x\n"

// formOf is a form with this file.
func formOf(file string) string {
	return "--x\r\nContent-Disposition: form-data; name=\"data\"; filename=\"f.csv\"\r\n\r\n" + file + "\r\n--x--\r\n"
}

// personBody is a body that makes somebody in the source that is there.
func personBody(account string) string {
	return `{"sourceId":"$source","accountName":"` + account + `","firstName":"F","lastName":"L","email":"a@example.com",` +
		`"phone":"1","manager":"jane.doe","startDate":"2027-01-01","endDate":"2027-12-31","data":{"extra":"x"}}`
}

// aPolicy is an approval policy with everything in it.
const aPolicy = `{"reminderConfig":{"enabled":true,"daysUntilFirstReminder":1,"reminderCronSchedule":"0 9 * * mon-fri","maxReminders":3},` +
	`"escalationConfig":{"enabled":true,"daysUntilFirstEscalation":2,"escalationCronSchedule":"@every 24h","escalationChain":[` +
	`{"identityType":"IDENTITY","identityId":"$person"},{"identityType":"MANAGER_OF"}]},` +
	`"timeoutConfig":{"enabled":true,"daysUntilTimeout":30,"timeoutResult":"EXPIRED"},"cronTimezone":{"location":"Europe/Berlin"},` +
	`"fallbackApprover":{"identityType":"SOURCE_OWNER"},"calendar":{"workdays":["MONDAY"],"holidays":["2027-01-01"],` +
	`"iCalendar":"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20000501\nRRULE:FREQ=YEARLY\nEND:VEVENT\nEND:VCALENDAR"}}`

// datePolicy is a lifecycle policy with everything in it.
const datePolicy = `{"warnings":[{"days":30,"to":["ACCOUNT_MANAGERS","MANAGER"]},{"days":7,"to":["OWNER"]}],` +
	`"end":{"action":"SUSPEND","graceDays":14},"extension":{"approval":"NONE"}}`

// goodBodies are those that the operations take.
var goodBodies = map[string]string{
	"createNonEmployeeSource":                 `{"name":"New","description":"d","owner":{"id":"$person"},"approvers":["$approver"],"accountManagers":[{"id":"$person"}]}`,
	"patchNonEmployeeSource":                  `[{"op":"replace","path":"/description","value":"new"}]`,
	"createNonEmployeeSourceSchemaAttributes": `{"type":"TEXT","technicalName":"more","label":"More","helpText":"h","placeholder":"p","required":false}`,
	"patchNonEmployeeSchemaAttribute":         `[{"op":"replace","path":"/label","value":"new"}]`,
	"createWebhook":                           `{"url":"https://hooks.example.com/gatehouse","events":["reminder"]}`,
	"updateWebhook":                           `{"url":"https://hooks.example.com/gatehouse","events":[],"enabled":false}`,
	"createNonEmployeeExportSchedule":         `{"cron":"@daily","zone":"Europe/Berlin","keep":2}`,
	"putNonEmployeeSourceApprovalConfig":      aPolicy,
	"putNonEmployeeApprovalConfig":            aPolicy,
	"putNonEmployeeSourceLifecycleConfig":     datePolicy,
	"putNonEmployeeLifecycleConfig":           datePolicy,
	"endNonEmployeeRecord":                    `{"reason":"Left early"}`,
	"importNonEmployeeRecordsInBulk":          formOf(aFile),
	"createNonEmployeeRecord":                 personBody("new.record"),
	"updateNonEmployeeRecord":                 personBody("a.record"),
	"patchNonEmployeeRecord":                  `[{"op":"replace","path":"/endDate","value":"2029-01-01"}]`,
	"deleteNonEmployeeRecordsInBulk":          `{"ids":["$record"]}`,
	"createNonEmployeeRequest":                personBody("new.request"),
	"approveNonEmployeeRequest":               `{"comment":"Yes"}`,
	"rejectNonEmployeeRequest":                `{"comment":"No"}`,
	"createNonEmployeeExtension":              `{"sourceId":"$source","endDate":"2029-12-31","recordIds":["$record"],"comment":"c"}`,
	"importNonEmployeeExtension":              formOf("accountName,endDate\na.record,2029-12-31\n"),
	"approveNonEmployeeExtension":             `{"comment":"Yes","rejectedRecords":["$record"]}`,
	"rejectNonEmployeeExtension":              `{"comment":"No"}`,
	"reassignNonEmployeeApproval":             `{"newOwner":{"id":"$person","type":"IDENTITY"},"comment":"c"}`,
	"claimNonEmployeeApproval":                `{"comment":"c"}`,
	"createIdentityAbsence":                   `{"deputy":{"id":"$approver"},"endDate":"` + inAMonth(-10) + `"}`,
	"createToken":                             `grant_type=password&client_id=nobody&client_secret=nothing`, // what is refused before a secret is compared, which takes its time
}

// evil are texts that have meant something else to somebody: to JSON as they stand
// here, in quotes.
var evil = []string{
	`\u0000`, "\x00", "\xff", "\xc0\xaf", "\xed\xa0\x80", `\ud800`, `\udc00\ud800`, `\ud83d\ude00`, `\uffff\ufeff`, `\u202e`, `\u0085`,
	`'; DROP TABLE records; --`, `' OR '1'='1`, `%`, `_`, `\\`, `\"`, `$1`, `?`, `%s%n`, `{{.}}`, `=1+1`, `\r\nSet-Cookie: x=y`,
	`\u001b[31m`, `{\"level\":\"ERROR\"}\n`, `../../etc/passwd`, `\u00df\u0130\u01c5\ufb03`, `e\u0301`, ` `, ``,
	strings.Repeat("a", 5_000), strings.Repeat(`\u0149`, 300), strings.Repeat("\U0001F600", 300), `infinity`, `-infinity`, `epoch`, `NaN`, `1e400`,
}

// dates are at the ends of what somebody can tell.
var dates = []string{
	"0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "-0001-01-01", "294277-01-01", "2027-02-30", "2027-01-01T24:00:00Z",
	"2027-01-01T00:00:60Z", "0000-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999999Z", "2027-01-01T00:00:00+99:99",
}

// bodies are no good for anything.
var bodies = []string{
	``, ` `, `null`, `true`, `0`, `""`, `[]`, `{}`, `[[]]`, `[null]`, `[{}]`, `{"":""}`, `{"a":1e400}`, `-1e-400`, `1E+9999999999`, `99999999999999999999`,
	`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"x":{"a":1,"a":2}}`, `{"a":`, `{"a":1}}`, `{"a":1}{"b":2}`, "\xef\xbb\xbf{}", "{\"a\":\"\xff\"}",
	`{"a":"\u0000"}`, `{"a":"\ud800"}`, `{'a':1}`, `{"a":01}`, `{"a":NaN}`, `{"a":+1}`, `// {}`, `{"a":1,}`, `<?xml version="1.0"?><a/>`,
	strings.Repeat("[", 10_000), strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000),
	`{"data":` + strings.Repeat(`{"a":`, 60) + `1` + strings.Repeat("}", 60) + `}`,
	`{"id":"x","sourceId":5,"created":"x","modified":[],"approvalStatus":"APPROVED","approvalItems":[{}],"completionDate":1,"__proto__":{"admin":true}}`,
	`{"ids":[]}`, `{"ids":["x"]}`, `{"ids":[null,1,{}]}`, `{"ids":"$record"}`, `{"ids":["$record","$record"]}`, `{"ids":["00000000-0000-0000-0000-000000000000"]}`,
	`{"comment":5}`, `{"comment":null}`, `{"cron":"* * * * *","zone":"../etc/passwd","keep":-1}`, `{"cron":"@every 1ns","zone":"Local","keep":1e3}`,
	`{"keep":9223372036854775808,"cron":"99 99 99 99 99","zone":"\u0000"}`, `{"approvers":["$person","$person","$approver","$source"]}`,
	`{"name":"N","description":"d","owner":{"id":"$source","type":"GOVERNANCE_GROUP"},"managementWorkgroup":"$person"}`,
	`{"timeoutConfig":{"enabled":true,"daysUntilTimeout":1e9},"cronTimezone":{"location":"../etc/passwd","offset":"+99:99"},"calendar":{"workdays":[1],"holidays":["0000-00-00"]}}`,
	`{"timeoutConfig":{"enabled":true,"daysUntilTimeout":9},"calendar":{"workdays":["MONDAY"],"iCalendar":"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20000101\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;INTERVAL=0;COUNT=99999999999\nEND:VEVENT\nEND:VCALENDAR"}}`,
	`{"escalationConfig":{"enabled":true,"escalationChain":[{"identityType":"\u0000","identityId":"$source"},[],{"a":{"a":1}}]},"fallbackApprover":{"type":"IDENTITY","identityID":"$source"}}`,
	`{"warnings":[{"days":1e9,"to":["NOBODY",5]},{"days":-1,"to":[]},[],{"a":{"a":1}}],"end":{"action":"\u0000","graceDays":366},"extension":{"approval":""}}`, `{"reason":"\u0000"}`,
	`{"sourceId":"$source","endDate":"2029-12-31","filters":"accountName co \"%\""}`, `{"sourceId":"$source","endDate":"9999-12-31","recordIds":["$record","x"],"filters":1}`,
	`{"type":"DATE","technicalName":"accountName","label":"L"}`, `{"type":"TEXT","technicalName":"a b","label":"\n"}`,
}

// patches are operations of RFC 6902 that do harm, or nothing.
var patches = []string{
	`[{"op":"test","path":"","value":null}]`, `[{"op":"test","path":"/name","value":{"a":[1e400]}}]`, `[{"op":"replace","path":"","value":{}}]`,
	`[{"op":"remove","path":"/name"}]`, `[{"op":"remove","path":"/endDate"}]`, `[{"op":"remove","path":"/id"}]`, `[{"op":"replace","path":"/id","value":"x"}]`,
	`[{"op":"move","from":"","path":"/a"}]`, `[{"op":"move","from":"/approvers","path":"/approvers/0"}]`, `[{"op":"copy","from":"","path":"/description"}]`,
	`[{"op":"add","path":"/approvers/-","value":"$person"}]`, `[{"op":"add","path":"/approvers/1e0","value":"$person"}]`, `[{"op":"add","path":"/approvers/-1","value":1}]`,
	`[{"op":"add","path":"/approvers/18446744073709551616","value":1}]`, `[{"op":"add","path":"/approvers/00","value":1}]`, `[{"op":"replace","path":"/approvers","value":{}}]`,
	`[{"op":"replace","path":"/approvers","value":[` + strings.Repeat(`"$person",`, 999) + `"$person"]}]`,
	`[{"op":"add","path":"/data/a~1b~0c","value":"x"}]`, `[{"op":"add","path":"/data/~2","value":"x"}]`, `[{"op":"add","path":"/~","value":"x"}]`, `[{"op":"add","path":"/data/","value":""}]`,
	`[{"op":"replace","path":"/description","value":"\u0000"}]`, `[{"op":"replace","path":"/description","value":"\ud800"}]`, `[{"op":"replace","path":"/description","value":{"a":{"a":1,"a":2}}}]`,
	`[{"op":"replace","path":"/name","value":5}]`, `[{"op":"replace","path":"/required","value":"yes"}]`, `[{"op":"replace","path":"/data","value":null}]`, `[{"op":"replace","path":"/data","value":[1]}]`,
	`[` + strings.Repeat(`{"op":"copy","from":"/data","path":"/data/a"},`, 30) + `{"op":"test","path":"/id","value":1}]`,
	`[` + strings.Repeat(`{"op":"copy","from":"/approvers","path":"/approvers/-"},`, 30) + `{"op":"test","path":"/id","value":1}]`,
	`[` + strings.Repeat(`{"op":"test","path":"/id","value":"x"},`, 1_000) + `{"op":"test","path":"/id","value":1}]`,
	`[{"op":"add","path":"/startDate","value":"9999-12-31"},{"op":"replace","path":"/endDate","value":"0001-01-01"}]`, `[{"op":"replace","path":"/manager","value":"nobody"}]`,
}

// queries are for lists.
var queries = []string{
	"limit=-1", "limit=251", "limit=0&count=true", "limit=1e1", "limit=%2B1", "limit=99999999999999999999", "limit=1&limit=2", "limit=", "offset=9223372036854775807",
	"offset=9223372036854775808", "offset=-0", "count=TRUE", "count=1", "sorters=-created,name,-id", "sorters=,", "sorters=name;drop", "sorters=--name", "sorters=%00",
	"sorters=created,created", "requested-for=me", "requested-for=$person", "assigned-to=me", "assigned-to=$person", "assigned-to=%27", "requested-for=ME", "requested-for=", "requested-for=%27", "requested-for=me&limit=250&count=true&sorters=-created",
	"requested-for=me&filters=", "filters=x", "filters=%00", "filters=%ff", "filters=%ED%A0%80", "filters=%", "a=b;c=d", "%zz=1", "=&=&&", "dry-run=maybe", "dry-run=true", "job=$job", "job=x",
	"include-detail=false", "detail-level=LIFECYCLE", "detail-level=lifecycle", "detail-level=", "detail-level=LIFECYCLE&count=true", "non-employee-count=true",
}

// filters are expressions.
var filters = []string{
	`sourceId eq "$source"`, `accountName co "%"`, `accountName sw "_"`, `accountName eq "\\"`, `accountName eq "\""`, `accountName co "'; DROP TABLE records; --"`, `firstName in ("a","b","'")`,
	`accountName eq "a" or 1=1 --`, `accountName eq "` + strings.Repeat("a", 5_000) + `"`, `not (not (accountName eq "a"))`, strings.Repeat("(", 5_000), strings.Repeat("not ", 5_000) + `accountName eq "a"`,
	strings.Repeat(`accountName eq "a" and `, 500) + `accountName eq "a"`, `accountName in (` + strings.Repeat(`"a",`, 2_000) + `"a")`, `startDate gt 0000-01-01T00:00:00Z`, `startDate lt "9999-12-31T23:59:59.999999999-14:00"`,
	`created ge 294277-01-01T00:00:00Z`, `created gt 2020-01-01`, `approvalStatus eq "PENDING"`, `approvalStatus eq "nonsense"`, `approvalStatus in ("APPROVED","x")`, `lifecycleState in ("EXPIRED","planned")`, `not lifecycleState eq "ACTIVE"`, `lifecycleState eq "REMOVED"`, `pr accountName`, `accountName pr`, `manager eq "jane.doe"`,
	`manager sw ""`, `accountName eq 1e400`, `accountName eq true`, `accountName EQ "a"`, `constructor eq "a"`, `data.extra eq "x"`, "accountName eq \"\x00\"", "accountName eq \"\xff\"", `accountName co "\u0000"`, `modified lt infinity`,
	`operation eq "createNonEmployeeRecord" and outcome eq "SUCCESS"`, `occurred gt 2020-01-01`, `objectId eq "$record"`, `identityId eq "$person"`, `action in ("CREATE","'")`,
	`accountName co "` + strings.Repeat("%", 1_000) + `"`, `accountName co "` + strings.Repeat(`\\`, 1_000) + `"`, `sourceId eq "x"`, `sourceId in ("$source","00000000-0000-0000-0000-000000000000")`,
}

// filtered are the lists that take filters.
var filtered = []string{"/non-employee-sources", "/non-employee-records", "/non-employee-requests", "/non-employee-approvals", "/non-employee-extensions", "/audit-events", "/audit-events/export"}

// parameters are values for the place of an id in a path.
var parameters = []string{
	"x", "0", "00000000-0000-0000-0000-000000000000", "ffffffffffffffffffffffffffffffff", "%00", "%ff", "%c0%ae%c0%ae", "..", "%2e%2e", "%252e%252e", ".", "%2f", "%5c", "a;b", "%0d%0aSet-Cookie:%20x", "$source%00",
	"{$source}", "$source/", "%20$source", "+", "me", "%F0%9F%98%80", "%ED%A0%80", strings.Repeat("a", 8_000), "'%20OR%201=1--", "$source;v=1", "*", "?", "#", "%", "bulk-delete", "summary",
}

// targets are whole ones.
var targets = []string{
	"/", "//", "/v3", "/v3/", "//v3/non-employee-sources", "/v3//non-employee-sources", "/V3/non-employee-sources", "/v3/Non-Employee-Sources", "/v3/non-employee-sources/", "/v3/./non-employee-sources", "/v3/x/../non-employee-sources",
	"/v3%2fnon-employee-sources", "/v3/non-employee-sources%00", "/v3/non-employee-sources;x", "/v3\\non-employee-sources", "/%76%33/non-employee-sources", "/v3/v3/non-employee-sources", "/non-employee-sources", "/non-employee-sources/v2",
	"/non-employee-sources/v1/", "/beta/oauth/token", "/docs/", "/docs/..%2f..%2fetc/passwd", "/docs/%2e%2e/x", "/docs/index.html", "/docs/swagger-ui.css", "/docs/x\x00y", "/docs/embed.go", "*", "http://elsewhere.example/v3/non-employee-sources", "elsewhere.example:443", "x", "",
	"/healthz?x", "/metrics", "/debug/pprof/", "/.well-known/", "/.well-known/jwks.json/x", "/oauth/token?grant_type=client_credentials", "/oauth/authorize", "/" + strings.Repeat("a/", 4_000), "/%C0%AF", "/%e0%80%af", "/\xff",
}

// headerLines are further ones.
var headerLines = []string{
	"Authorization: Bearer ", "Authorization: Bearer a.b.c", "Authorization: Basic %%%", "Authorization: Basic AAAA", "Authorization: bearer \x00", "Authorization: Bearer " + strings.Repeat("a", 9_000),
	"Authorization: Bearer eyJhbGciOiJub25lIn0.e30.", "Content-Type: text/plain", "Content-Type: application/json; charset=utf-16", "Content-Type: multipart/form-data", "Content-Type: multipart/form-data; boundary=\"\xff\"",
	"Content-Type: application/x-www-form-urlencoded", "Content-Type: ;;;", "Content-Type: a/b; a*0=b; a*1*=c", "Content-Encoding: gzip", "Accept: text/html", "Accept-Language: " + strings.Repeat("a-", 1_000), "Accept-Language: en-US;q=9, \xff",
	"Idempotency-Key: a", "Idempotency-Key: a\nIdempotency-Key: b", "Idempotency-Key: \xff\xfe", "Idempotency-Key: " + strings.Repeat("k", 5_000), "Idempotency-Key: \x1b[31m", "X-Request-Id: forged", "X-Forwarded-For: 1.2.3.4\nX-Forwarded-Proto: https",
	"X-HTTP-Method-Override: DELETE", "Origin: https://elsewhere.example\nAccess-Control-Request-Method: DELETE", "Range: bytes=0-0,-1", "If-None-Match: *", "Cookie: a=b", "X: " + strings.Repeat("a", 40_000), "no colon", ": no name", " leading: blank", "Na\x00me: x", "Name: a\rb",
	strings.Repeat("X: y\n", 2_000),
}

// some are every third of the texts: with others at the next operation, so that
// all have their turn without taking all their time at each.
func some(texts []string, turn int) []string {
	var taken []string
	for i := turn % 3; i < len(texts); i += 3 {
		taken = append(taken, texts[i])
	}
	return taken
}

// nobody is the actor without a token.
const nobody = 255

// forgeries are clients whose names would say something else in a log.
var forgeries = []string{
	"x\n{\"time\":\"2027-01-01T00:00:00Z\",\"level\":\"ERROR\",\"msg\":\"forged\"}", "x\",\"level\":\"ERROR\",\"a\":\"", "\x1b[2J\x1b[31m", "a\rb", "\x00", "\xff\xfe", "\u2028\u0085",
}

// seeds are where the fuzzer begins.
func (w *world) seeds() []attempt {
	var all []attempt
	for i, op := range w.operations {
		if op.id == scimID {
			continue
		}
		at := func(a attempt) { a.operation = uint8(i); a.mount = uint8(len(all)); all = append(all, a) } //nolint:gosec // there are fewer, and any will do
		for actor := range len(actors) + 1 {
			at(attempt{actor: uint8(actor), body: goodBodies[op.id]})
		}
		if strings.Contains(op.template, "{") {
			for _, value := range some(parameters, i) {
				at(attempt{path: value, body: goodBodies[op.id]})
			}
		}
		if op.method == http.MethodGet {
			for _, query := range some(queries, i) {
				at(attempt{query: query})
			}
			if slices.Contains(filtered, op.template) {
				for _, filter := range filters {
					at(attempt{query: "requested-for=me&count=true&filters=" + url.QueryEscape(filter)})
				}
			}
			continue
		}
		w.seedBodies(op, i, at)
	}
	token := uint8(slices.IndexFunc(w.operations, func(op operation) bool { return op.id == "createToken" })) //nolint:gosec // it is there
	for _, client := range forgeries {
		all = append(all, attempt{operation: token, actor: nobody, body: "grant_type=client_credentials&client_secret=x&client_id=" + url.QueryEscape(client)})
	}
	for _, target := range targets {
		all = append(all, attempt{operation: rawTarget, path: target})
	}
	for _, method := range []string{"HEAD", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PRI", "get", "G\x00T", "GET\t", "", strings.Repeat("A", 5_000)} {
		all = append(all, attempt{operation: rawTarget, path: "/v3/non-employee-sources", method: method}, attempt{operation: rawTarget, path: "*", method: method})
	}
	return append(all, w.scimSeeds()...)
}

// takeFiles are the operations whose body is a form with a file.
var takeFiles = []string{"importNonEmployeeRecordsInBulk", "importNonEmployeeExtension"}

// seedBodies adds what a body can hold.
func (w *world) seedBodies(op operation, turn int, at func(attempt)) {
	good := goodBodies[op.id]
	if good == "" {
		return
	}
	all := bodies
	if op.method == http.MethodPatch {
		all = slices.Concat(patches, bodies[:20])
	}
	for _, body := range all {
		at(attempt{body: body})
	}
	for _, line := range some(headerLines, turn) {
		at(attempt{headers: line, body: good})
	}
	if slices.Contains(takeFiles, op.id) {
		for _, text := range dates {
			at(attempt{body: strings.NewReplacer("2027-12-31", text, "2029-12-31", text).Replace(good)})
		}
		for _, text := range evil {
			at(attempt{body: strings.NewReplacer("from.a.file", text, "a.record", text).Replace(good)})
			at(attempt{body: strings.ReplaceAll(good, "extra", text)})
			at(attempt{body: strings.ReplaceAll(good, `"data"`, `"`+text+`"`)})
			at(attempt{body: strings.ReplaceAll(good, `"f.csv"`, `"`+text+`"`)})
		}
		return
	}
	for _, text := range evil {
		for _, word := range []string{"a.record", "new", "More", `"F"`, "a@example.com", "jane.doe", "x", "Yes", "No", "d", "$person", "Europe/Berlin", "password"} {
			if strings.Contains(good, word) {
				at(attempt{body: strings.Replace(good, strings.Trim(word, `"`), text, 1)})
			}
		}
	}
	for _, date := range dates {
		if strings.Contains(good, "2027-12-31") {
			at(attempt{body: strings.ReplaceAll(good, "2027-12-31", date)})
			at(attempt{body: strings.ReplaceAll(good, "2027-01-01", date)})
		}
	}
}
