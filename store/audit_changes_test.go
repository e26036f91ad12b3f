package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"gatehouse/lifecycle"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// entry is an entry of the trail with its details.
type entry struct {
	number                                    int64
	channel, operation, outcome               string
	identity, client, tracking, actor, change string
	action, object, id, source                string
	facts                                     map[string]any
}

// trail reads the entries behind number, in their order.
func (w *world) trail(t *testing.T, number int64) []entry {
	t.Helper()
	rows, err := w.admin.QueryContext(t.Context(), `SELECT e.id, e.channel, e.operation, e.outcome, coalesce(e.identity_id::text, ''),
			coalesce(e.client_id, ''), coalesce(e.tracking_id, ''), coalesce(d.actor, ''), coalesce(d.change, ''),
			e.action, e.object_type, e.object_id, coalesce(e.source_id::text, ''), e.facts,
			(e.actor_digest IS NULL AND d.actor IS NULL OR e.actor_digest = sha256(d.actor_salt || convert_to(d.actor, 'UTF8')))
			AND (e.change_digest IS NULL AND d.change IS NULL OR e.change_digest = sha256(d.change_salt || convert_to(d.change, 'UTF8')))
			AND EXISTS (SELECT 1 FROM audit_tail AS t WHERE t.entry_id = e.id)
		FROM audit_entries AS e LEFT JOIN audit_details AS d ON d.entry_id = e.id WHERE e.id > $1 ORDER BY e.id`, number)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var entries []entry
	for rows.Next() {
		var e entry
		var facts string
		var sound bool
		require.NoError(t, rows.Scan(&e.number, &e.channel, &e.operation, &e.outcome, &e.identity, &e.client, &e.tracking,
			&e.actor, &e.change, &e.action, &e.object, &e.id, &e.source, &facts, &sound))
		require.NoError(t, json.Unmarshal([]byte(facts), &e.facts))
		require.True(t, sound, "digests fit and the sealer will come to it: %v", e)
		entries = append(entries, e)
	}
	require.NoError(t, rows.Err())
	return entries
}

// last is the number of the last entry.
func (w *world) last(t *testing.T) int64 {
	t.Helper()
	return int64(w.number(t, "SELECT coalesce(max(id), 0) FROM audit_entries"))
}

// told is what an entry says in short.
func (e entry) told() string { return e.action + " " + e.object + " " + e.id }

func tell(action lifecycle.AuditAction, object lifecycle.AuditObjectType, id fmt.Stringer) string {
	return string(action) + " " + string(object) + " " + id.String()
}

// marker is in everything that is said about people, and in nothing else.
const marker = "zaphod"

// text is a fmt.Stringer of a client or key.
type text string

func (s text) String() string { return string(s) }

// silent are the methods that change nothing for anybody, or nothing at all, and
// write no entry (docs/security.md). Every other method is in the table of
// TestEveryChangeIsInTheTrail.
var silent = []string{
	// Reading.
	"GetApproval", "ListApprovals", "ListReassignments", "ListAbsences", "GetAbsence", "AbsencesToWake", "SummarizeApprovals", "PendingApprovals", "ListAttributes", "GetAttribute",
	"GetUser", "ListUsers", "SearchIdentities", "FindIdentity", "GetGroup", "ListGroups", "GetWorkgroup", "ListWorkgroups",
	"ListWorkgroupMembers", "OrphanedRequests", "ImportsToWake", "ExportsToStart", "ListExportSchedules", "ExportSchedules", "ScheduleEndings", "GetClient", "GetExport",
	"ListExports", "ReadExport", "GetIdentity", "ListIdentities", "ResolveIdentities", "FindWorkgroup", "WorkgroupExists",
	"MayQueueImport", "LatestImport", "GetImport", "ListImports", "ImportHeader", "ListImportFaults", "ImportFaultsAfter",
	"NextImport", "SigningKeys", "GetRecord", "ListRecords", "GetRequest", "ListRequests", "SummarizeRequests", "LoadRequest",
	"GetExtension", "ListExtensions", "ListExtensionRecords",
	"GetSource", "ListSources", "CheckImport", "PreviewImport", "RequestsToCheck", "WorkflowEndings",
	"GetLifecyclePolicy", "DueRecords", "OldestDue", "RecordLifecycles", "IdentityByAlias", "IdentityByExternalID", "ApprovalPolicy", "RequestStanding", "Foresee", "ListPersonalTokens", "ListApplications", "Close", "Stats", "Ping", "Ready",
	"OpenRequests", "RequestsAmong", "Existing", "OpenAbsences", "PendingDeliveries", "AnyRequest", "Awaits",
	// The trail itself: it is read, and the sealer adds what others wrote.
	"ListAuditEvents", "AuditEnd", "AuditEventsAfter", "UnsealedAudit", "VerifyAudit", "SealAudit",
	"FindErased", "CountErasure",
	// What is to be erased; the erasure itself is in TestAPersonIsErasedEverywhere.
	"BeginErasure", "FinishErasures",
	// Rows of a file before it is accepted.
	"BeginImport", "StageImport", "DropImport",
	// How far workflows are, and what they have yet to do.
	"MarkSeen", "MarkChecked", "SaveNotification", "DropWorkflowEndings", "DropScheduleEndings", "AnnounceDecision",
	// How far deliveries are.
	"RelayEvents", "ClaimDeliveries", "MarkDeliveriesStarted", "GetDelivery", "BeginAttempt", "EndDelivery", "FailAttempt", "GiveUpDelivery",
	"AnnounceExtensionDecision",
	"WaitingEvents", "WaitingDeliveries", "UnfinishedImports", "LoadNotice", "GetRecipient", "DropTold", "ListWebhooks", "GetWebhook", "ListDeliveries",
	// What is counted, to the hour or for ten seconds.
	"NoteClientUse", "TakeLease", "DropRateWindows",
	// For tests.
	"Queries", "SummaryQuery", "Format", "Select", "Exec", "Spy", "ExportQuery",
}

// TestEveryChangeIsInTheTrail: one entry for each object that an operation
// changed, by whom the context says, and none for what failed or changed nothing.
func TestEveryChangeIsInTheTrail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	origin := lifecycle.Origin{
		Channel: lifecycle.ChannelAPI, Operation: "op", Identity: w.owner.ID, Client: marker + "-token",
		Address: "192.0.2.7", TrackingID: strings.Repeat("0", 32),
	}
	covered := map[string]bool{}
	ctx := lifecycle.WithOrigin(t.Context(), origin)
	// step runs one operation of the store under origin and holds the trail against
	// what is wanted.
	step := func(method string, do func() error, want ...string) []entry {
		t.Helper()
		covered[method] = true
		before := w.last(t)
		require.NoError(t, do(), method)
		entries := w.trail(t, before)
		var told []string
		for _, e := range entries {
			told = append(told, e.told())
		}
		require.Equal(t, want, told, method)
		return entries
	}
	by := func(entries []entry, want lifecycle.Origin) {
		t.Helper()
		for _, e := range entries {
			require.Equal(t, []string{string(want.Channel), want.Operation, "SUCCESS"}, []string{e.channel, e.operation, e.outcome})
			client := want.Client
			if !want.Identity.IsZero() {
				require.Equal(t, want.Identity.String(), e.identity)
				client = ""
			}
			require.Equal(t, []string{client, want.TrackingID}, []string{e.client, e.tracking})
			if want.Address != "" {
				require.Contains(t, e.actor, want.Address)
			}
		}
	}

	// People.
	identity := lifecycle.Identity{
		ID: lifecycle.NewID(), Alias: marker, Name: marker, Email: marker + "@example.com", Active: true,
		Created: storetest.Now(), Modified: storetest.Now(),
	}
	by(step("CreateIdentity", func() error { return w.CreateIdentity(ctx, identity) },
		tell(lifecycle.ActionCreate, lifecycle.ObjectIdentity, identity.ID)), origin)
	step("EnsureIdentity", func() error { return w.EnsureIdentity(ctx, identity) })
	identity.Name += " the second"
	step("EnsureIdentity", func() error { return w.EnsureIdentity(ctx, identity) },
		tell(lifecycle.ActionUpdate, lifecycle.ObjectIdentity, identity.ID))
	ensured := identity
	ensured.ID, ensured.Alias = lifecycle.NewID(), marker+".two"
	step("EnsureIdentity", func() error { return w.EnsureIdentity(ctx, ensured) },
		tell(lifecycle.ActionCreate, lifecycle.ObjectIdentity, ensured.ID))
	step("SetIdentityActive", func() error { return w.SetIdentityActive(ctx, ensured.ID, false) },
		tell(lifecycle.ActionUpdate, lifecycle.ObjectIdentity, ensured.ID))
	step("SetIdentityActive", func() error { return w.SetIdentityActive(ctx, ensured.ID, false) })
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: marker, Members: []lifecycle.ID{identity.ID}, Created: storetest.Now()}
	step("CreateWorkgroup", func() error { return w.CreateWorkgroup(ctx, group) },
		tell(lifecycle.ActionCreate, lifecycle.ObjectWorkgroup, group.ID))
	step("EnsureWorkgroup", func() error { return w.EnsureWorkgroup(ctx, group) })
	group.Members = append(group.Members, w.owner.ID)
	step("EnsureWorkgroup", func() error { return w.EnsureWorkgroup(ctx, group) },
		tell(lifecycle.ActionUpdate, lifecycle.ObjectWorkgroup, group.ID))
	other := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: marker + " two", Created: storetest.Now()}
	step("EnsureWorkgroup", func() error { return w.EnsureWorkgroup(ctx, other) },
		tell(lifecycle.ActionCreate, lifecycle.ObjectWorkgroup, other.ID))
	step("AddWorkgroupMember", func() error { return w.AddWorkgroupMember(ctx, other.ID, identity.ID) },
		tell(lifecycle.ActionUpdate, lifecycle.ObjectWorkgroup, other.ID))
	step("AddWorkgroupMember", func() error { return w.AddWorkgroupMember(ctx, other.ID, identity.ID) })

	// The same by a directory.
	user := lifecycle.DirectoryUser{
		Identity: lifecycle.Identity{
			ID: lifecycle.NewID(), Alias: marker + ".three", Name: marker, Email: marker + "@example.com", Active: true,
			Created: storetest.Now(), Modified: storetest.Now(),
		},
		ExternalID: marker, Version: 1,
	}
	by(step("CreateUser", func() error { _, err := w.CreateUser(ctx, user); return err },
		tell(lifecycle.ActionCreate, lifecycle.ObjectIdentity, user.ID)), origin)
	rename := func(u *lifecycle.DirectoryUser) error { u.GivenName = marker; return nil }
	renamed := step("UpdateUser", func() error { _, err := w.UpdateUser(ctx, user.ID, rename); return err },
		tell(lifecycle.ActionUpdate, lifecycle.ObjectIdentity, user.ID))
	require.JSONEq(t, `{"before": {"givenName": ""}, "after": {"givenName": "zaphod"}}`, renamed[0].change)
	step("UpdateUser", func() error { _, err := w.UpdateUser(ctx, user.ID, rename); return err })
	team := lifecycle.DirectoryGroup{
		ID: lifecycle.NewID(), Name: marker + " three", Members: []lifecycle.GroupMember{{ID: user.ID}}, Version: 1,
		Created: storetest.Now(), Modified: storetest.Now(),
	}
	step("CreateGroup", func() error { _, err := w.CreateGroup(ctx, team); return err },
		tell(lifecycle.ActionCreate, lifecycle.ObjectWorkgroup, team.ID))
	joined := step("UpdateGroup", func() error {
		_, err := w.UpdateGroup(ctx, team.ID, func(g *lifecycle.DirectoryGroup) error {
			g.Members = append(g.Members, lifecycle.GroupMember{ID: identity.ID})
			return nil
		})
		return err
	}, tell(lifecycle.ActionUpdate, lifecycle.ObjectWorkgroup, team.ID))
	require.Equal(t, map[string]any{"membersAdded": []any{identity.ID.String()}}, joined[0].facts)
	step("RemoveWorkgroupMember", func() error { return w.RemoveWorkgroupMember(ctx, team.ID, identity.ID) },
		tell(lifecycle.ActionUpdate, lifecycle.ObjectWorkgroup, team.ID))
	step("RemoveWorkgroupMember", func() error { return w.RemoveWorkgroupMember(ctx, team.ID, identity.ID) })
	require.NoError(t, w.CreateClient(ctx, lifecycle.Client{
		ID: "their.token", Name: marker, IdentityID: user.ID, SecretHash: []byte("hash"), Created: storetest.Now(),
	}))
	step("DeleteUser", func() error { return w.DeleteUser(ctx, user.ID, func(lifecycle.DirectoryUser) error { return nil }) },
		tell(lifecycle.ActionDelete, lifecycle.ObjectIdentity, user.ID), tell(lifecycle.ActionUpdate, lifecycle.ObjectWorkgroup, team.ID),
		tell(lifecycle.ActionDelete, lifecycle.ObjectClient, text("their.token")))
	step("DeleteGroup", func() error { return w.DeleteGroup(ctx, team.ID, func(lifecycle.DirectoryGroup) error { return nil }) },
		tell(lifecycle.ActionDelete, lifecycle.ObjectWorkgroup, team.ID))

	// Sources and their schema.
	source := w.newSource(t, marker)
	source.Description, source.Approvers = "Of Earth", w.source.Approvers
	var attributes []lifecycle.SchemaAttribute
	step("CreateSource", func() error {
		attributes = lifecycle.SystemAttributes(source.ID, source.Created)
		return w.CreateSource(ctx, source, attributes, lifecycle.DefaultMaxSources)
	}, tell(lifecycle.ActionCreate, lifecycle.ObjectSource, source.ID))
	changed := step("UpdateSource", func() error {
		_, err := w.UpdateSource(ctx, source.ID, func(s *lifecycle.Source) error { s.Description = marker; return nil })
		return err
	}, tell(lifecycle.ActionUpdate, lifecycle.ObjectSource, source.ID))
	require.JSONEq(t, `{"before": {"description": "Of Earth"}, "after": {"description": "zaphod"}}`, changed[0].change)
	attribute := lifecycle.SchemaAttribute{
		ID: lifecycle.NewID(), SourceID: source.ID, Type: lifecycle.AttributeText, TechnicalName: "planet", Label: marker,
		Created: storetest.Now(), Modified: storetest.Now(),
	}
	second := attribute
	second.ID, second.TechnicalName = lifecycle.NewID(), "second"
	for _, a := range []lifecycle.SchemaAttribute{attribute, second} {
		step("CreateAttribute", func() error { _, err := w.CreateAttribute(ctx, a); return err },
			tell(lifecycle.ActionCreate, lifecycle.ObjectAttribute, a.ID))
	}
	step("UpdateAttribute", func() error {
		_, err := w.UpdateAttribute(ctx, source.ID, attribute.ID, func(a *lifecycle.SchemaAttribute) error { a.Required = true; return nil })
		return err
	}, tell(lifecycle.ActionUpdate, lifecycle.ObjectAttribute, attribute.ID))

	// Records.
	in := &world{Store: w.Store, admin: w.admin, owner: w.owner, source: source}
	person := func(name string) lifecycle.Person {
		p := storetest.Person(marker+name, w.owner)
		p.Data = map[string]string{"planet": marker + " of Betelgeuse", "second": marker}
		return p
	}
	var records []lifecycle.Record
	for i := range 4 {
		record := in.newRecord("")
		record.Person = person(fmt.Sprint(".record", i))
		step("CreateRecord", func() error { return w.CreateRecord(ctx, record, plenty) },
			tell(lifecycle.ActionCreate, lifecycle.ObjectRecord, record.ID))
		records = append(records, record)
	}
	updated := step("UpdateRecord", func() error {
		_, err := w.UpdateRecord(ctx, records[0].ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
			r.AccountName, r.EndDate = marker+".renamed", time.Date(2099, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
			return nil
		})
		return err
	}, tell(lifecycle.ActionUpdate, lifecycle.ObjectRecord, records[0].ID))
	require.JSONEq(t, `{"before": {"accountName": "zaphod.record0", "endDate": "`+lifecycle.FormatTime(records[0].EndDate)+`"},
		"after": {"accountName": "zaphod.renamed", "endDate": "2099-01-02T03:04:05.006Z"}}`, updated[0].change)
	require.Equal(t, 1, w.number(t, `SELECT count(*) FROM audit_details WHERE entry_id = $1
		AND subjects @> ARRAY['zaphod.record0', 'zaphod.renamed', 'zaphod.record0@example.org']`, updated[0].number))
	by(step("DeleteRecord", func() error { return w.DeleteRecord(ctx, records[0].ID) },
		tell(lifecycle.ActionDelete, lifecycle.ObjectRecord, records[0].ID)), origin)
	step("DeleteRecords", func() error { return w.DeleteRecords(ctx, []lifecycle.ID{records[1].ID, records[1].ID}) },
		tell(lifecycle.ActionDelete, lifecycle.ObjectRecord, records[1].ID))
	step("DeleteRecords", func() error { return w.DeleteRecords(ctx, nil) })

	// Requests and decisions.
	accept := func(name string) lifecycle.Request {
		t.Helper()
		request := in.newRequest("")
		request.Person = person(name)
		entries := step("AcceptRequest", func() (err error) { request, err = w.AcceptRequest(ctx, request, plenty); return err },
			tell(lifecycle.ActionCreate, lifecycle.ObjectRequest, request.ID))
		require.Len(t, entries[0].facts["approvalItems"], len(request.Items))
		return request
	}
	decision := func(request lifecycle.Request, item int, verdict lifecycle.Verdict, via string) lifecycle.Decision {
		approver := request.Items[item].Approver.ID
		return lifecycle.Decision{
			ID: lifecycle.DecisionID(request.Items[item].ID, approver, verdict, via), RequestID: request.ID,
			ItemID: request.Items[item].ID, Approver: approver, Verdict: verdict, Via: via,
		}
	}
	decide := func(d lifecycle.Decision, want lifecycle.DecisionOutcome) func() error {
		return func() error {
			// As the step of a workflow comes.
			ctx := lifecycle.WithOrigin(t.Context(), lifecycle.Origin{Channel: lifecycle.ChannelWorkflow, Operation: "Decide"})
			result, err := w.Decide(ctx, d)
			require.Equal(t, want, result.Outcome)
			return err
		}
	}
	request := accept(".request")
	first := decision(request, 0, lifecycle.VerdictApprove, lifecycle.ViaAPI)
	announced := lifecycle.Origin{
		Channel: lifecycle.ChannelAPI, Operation: "approveNonEmployeeRequest", Identity: first.Approver, Client: "approving",
		Address: "198.51.100.3", TrackingID: strings.Repeat("1", 32),
	}
	require.NoError(t, w.AnnounceDecision(lifecycle.WithOrigin(t.Context(), announced), first, "for "+marker))
	approved := step("Decide", decide(first, lifecycle.DecisionStored),
		tell(lifecycle.ActionApprove, lifecycle.ObjectApprovalItem, request.Items[0].ID),
		tell(lifecycle.ActionUpdate, lifecycle.ObjectRequest, request.ID))
	by(approved, announced)
	require.JSONEq(t, `{"address": "198.51.100.3", "client": "approving"}`, approved[0].actor)
	require.JSONEq(t, `{"before": {"approvalStatus": "PENDING", "comment": ""},
		"after": {"approvalStatus": "APPROVED", "comment": "for zaphod"}}`, approved[0].change)
	require.Equal(t, map[string]any{
		"decision": first.ID.String(), "request": request.ID.String(), "next": request.Items[1].ID.String(),
	}, approved[0].facts)
	step("Decide", decide(first, lifecycle.DecisionRepeated))

	// The policy by which the source's requests wait.
	waiting := lifecycle.ApprovalPolicyVersion{ID: lifecycle.NewID(), Source: source.ID, Policy: lifecycle.DefaultApprovalPolicy(), Created: storetest.Now()}
	set := func() error { _, err := w.SetApprovalPolicy(ctx, waiting); return err }
	by(step("SetApprovalPolicy", set, tell(lifecycle.ActionCreate, lifecycle.ObjectApprovalPolicy, waiting.ID)), origin)
	waiting.ID = lifecycle.NewID()
	step("SetApprovalPolicy", set)
	waiting.Policy.SelfApproval = true
	reset := step("SetApprovalPolicy", set, tell(lifecycle.ActionUpdate, lifecycle.ObjectApprovalPolicy, waiting.ID))
	require.JSONEq(t, `{"before": {"selfApproval": false}, "after": {"selfApproval": true}}`, reset[0].change)
	require.Equal(t, map[string]any{"version": 2.0}, reset[0].facts)
	reapply := func() error { _, err := w.ApplyApprovalPolicy(ctx, source.ID, 10); return err }
	reapplied := step("ApplyApprovalPolicy", reapply, tell(lifecycle.ActionUpdate, lifecycle.ObjectRequest, request.ID))
	require.Equal(t, waiting.ID.String(), reapplied[0].facts["policy"])
	step("ApplyApprovalPolicy", reapply)
	leave := func() error { return w.DropApprovalPolicy(ctx, source.ID) }
	step("DropApprovalPolicy", leave, tell(lifecycle.ActionDelete, lifecycle.ObjectApprovalPolicy, waiting.ID))
	step("DropApprovalPolicy", leave)

	// What happens about the dates of its records.
	dates := lifecycle.DefaultLifecyclePolicy()
	setDates := func() error { _, err := w.SetLifecyclePolicy(ctx, source.ID, dates); return err }
	by(step("SetLifecyclePolicy", setDates, tell(lifecycle.ActionCreate, lifecycle.ObjectLifecyclePolicy, source.ID)), origin)
	step("SetLifecyclePolicy", setDates)
	dates.End = lifecycle.EndPolicy{Action: lifecycle.EndRemove, GraceDays: 3}
	removing := step("SetLifecyclePolicy", setDates, tell(lifecycle.ActionUpdate, lifecycle.ObjectLifecyclePolicy, source.ID))
	require.JSONEq(t, `{"before": {"end": {"action": "NONE", "graceDays": 0}}, "after": {"end": {"action": "REMOVE", "graceDays": 3}}}`, removing[0].change)
	sweeping := lifecycle.Origin{Channel: lifecycle.ChannelWorkflow, Operation: "SweepLifecycle"}
	later := in.newRecord("")
	later.Person = person(".later")
	later.StartDate, later.EndDate = storetest.Now().Add(day), storetest.Now().Add(32*day)
	require.NoError(t, w.CreateRecord(ctx, later, plenty))
	at := time.Now()
	begin := func() error { _, err := w.BeginRecords(lifecycle.WithOrigin(ctx, sweeping), at, 10); return err }
	advance := func(rung int) func() error {
		return func() error {
			due := lifecycle.DueRecords{Source: source.ID, Rung: rung}
			_, err := w.AdvanceRecords(lifecycle.WithOrigin(ctx, sweeping), due, at, 10)
			return err
		}
	}
	step("BeginRecords", begin)
	step("AdvanceRecords", advance(lifecycle.RungNone))
	at = later.StartDate.Add(time.Hour)
	by(step("BeginRecords", begin, tell(lifecycle.ActionUpdate, lifecycle.ObjectRecord, later.ID)), sweeping)
	at = at.Add(day)
	warned := step("AdvanceRecords", advance(lifecycle.RungNone), tell(lifecycle.ActionUpdate, lifecycle.ObjectRecord, later.ID))
	by(warned, sweeping)
	require.Equal(t, map[string]any{"was": "ACTIVE", "lifecycleState": "EXPIRING"}, warned[0].facts)
	at = at.Add(20 * day)
	step("AdvanceRecords", advance(30))
	at = at.Add(10 * day)
	step("AdvanceRecords", advance(14), tell(lifecycle.ActionUpdate, lifecycle.ObjectRecord, later.ID))
	at = at.Add(3 * day)
	by(step("AdvanceRecords", advance(lifecycle.RungEnd), tell(lifecycle.ActionDelete, lifecycle.ObjectRecord, later.ID)), sweeping)
	dropDates := func() error { return w.DropLifecyclePolicy(ctx, source.ID) }
	step("DropLifecyclePolicy", dropDates, tell(lifecycle.ActionDelete, lifecycle.ObjectLifecyclePolicy, source.ID))
	step("DropLifecyclePolicy", dropDates)
	leaving := in.newRecord("")
	leaving.Person = person(".leaving")
	require.NoError(t, w.CreateRecord(ctx, leaving, plenty))
	end := func() error { _, err := w.EndRecord(ctx, leaving.ID, marker+" left"); return err }
	left := step("EndRecord", end, tell(lifecycle.ActionUpdate, lifecycle.ObjectRecord, leaving.ID))
	by(left, origin)
	require.Contains(t, left[0].change, `"endedReason": "zaphod left"`)
	require.Equal(t, map[string]any{"was": "ACTIVE", "lifecycleState": "SUSPENDED"}, left[0].facts)
	step("EndRecord", end)

	stolen := decision(request, 1, lifecycle.VerdictApprove, lifecycle.ViaSignal)
	stolen.Approver = w.outsider.ID
	refused := step("Decide", decide(stolen, lifecycle.DecisionForbidden),
		tell(lifecycle.ActionAttempt, lifecycle.ObjectApprovalItem, request.Items[1].ID))
	require.Equal(t, []string{"SIGNAL", "approve", "DENIED", w.outsider.ID.String()},
		[]string{refused[0].channel, refused[0].operation, refused[0].outcome, refused[0].identity})
	stolen.Via = lifecycle.ViaAPI
	step("Decide", decide(stolen, lifecycle.DecisionForbidden))

	last := decision(request, 1, lifecycle.VerdictApprove, lifecycle.ViaSignal)
	record := in.recordOf(t, request, func() {
		entries := step("Decide", decide(last, lifecycle.DecisionStored),
			tell(lifecycle.ActionApprove, lifecycle.ObjectApprovalItem, request.Items[1].ID),
			tell(lifecycle.ActionApprove, lifecycle.ObjectRequest, request.ID),
			tell(lifecycle.ActionCreate, lifecycle.ObjectRecord, store.RecordOf(request.ID)))
		by(entries, lifecycle.Origin{Channel: lifecycle.ChannelSignal, Operation: "approve", Identity: last.Approver})
		require.Equal(t, map[string]any{"request": request.ID.String()}, entries[2].facts)
		require.Equal(t, store.RecordOf(request.ID).String(), entries[0].facts["record"])
		require.Equal(t, request.Items[1].ID.String(), entries[1].facts["item"])
	})

	moving := accept(".moving")
	wandering := moving.Items[0]
	handed := lifecycle.Reassignment{
		ItemID: wandering.ID, From: wandering.Approver, To: lifecycle.IdentityReference(w.outsider.ID), Reassigner: wandering.Approver.ID, Comment: marker,
	}
	handedOn := step("ReassignApproval", func() error { _, err := w.ReassignApproval(ctx, handed); return err },
		tell(lifecycle.ActionUpdate, lifecycle.ObjectApprovalItem, wandering.ID))
	require.Equal(t, map[string]any{
		"request": moving.ID.String(), "type": "MANUAL_REASSIGNMENT", "from": handed.From.ID.String(), "to": w.outsider.ID.String(), "number": 1.0,
	}, handedOn[0].facts)
	by(handedOn, origin)
	pool := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: "Pool", Members: []lifecycle.ID{w.outsider.ID}, Created: storetest.Now()}
	require.NoError(t, w.CreateWorkgroup(t.Context(), pool))
	handed.From, handed.To = handed.To, lifecycle.Reference{ID: pool.ID, Type: lifecycle.ReferenceGovernanceGroup}
	step("ReassignApproval", func() error { _, err := w.ReassignApproval(ctx, handed); return err },
		tell(lifecycle.ActionUpdate, lifecycle.ObjectApprovalItem, wandering.ID))
	claim := func() error { _, err := w.ClaimApproval(ctx, wandering.ID, w.outsider.ID, ""); return err }
	step("ClaimApproval", claim, tell(lifecycle.ActionUpdate, lifecycle.ObjectApprovalItem, wandering.ID))
	step("ClaimApproval", claim)

	absence := lifecycle.Absence{
		ID: lifecycle.NewID(), Identity: w.outsider.ID, Deputy: w.approvers[1].ID, Start: storetest.Now().Add(-time.Minute), End: storetest.Now().Add(time.Hour),
		Creator: w.outsider.ID, Created: storetest.Now(), Modified: storetest.Now(),
	}
	create := func() error { return w.CreateAbsence(ctx, absence) }
	endAbsence := func() error { return w.EndAbsence(ctx, absence.Identity, absence.ID) }
	settle := func() error {
		_, err := w.SettleAbsence(t.Context(), lifecycle.AbsencePass{Absence: absence.ID}, 10)
		return err
	}
	made := step("CreateAbsence", create, tell(lifecycle.ActionCreate, lifecycle.ObjectAbsence, absence.ID))
	require.Equal(t, map[string]any{"identity": w.outsider.ID.String(), "deputy": w.approvers[1].ID.String()}, made[0].facts)
	delegated := step("SettleAbsence", settle, tell(lifecycle.ActionUpdate, lifecycle.ObjectApprovalItem, wandering.ID))
	require.Equal(t, map[string]any{
		"request": moving.ID.String(), "type": "DELEGATION", "from": w.outsider.ID.String(), "to": w.approvers[1].ID.String(), "number": 4.0,
		"onBehalfOf": w.outsider.ID.String(),
	}, delegated[0].facts)
	step("SettleAbsence", settle)
	step("EndAbsence", endAbsence, tell(lifecycle.ActionUpdate, lifecycle.ObjectAbsence, absence.ID))
	step("SettleAbsence", settle, tell(lifecycle.ActionUpdate, lifecycle.ObjectApprovalItem, wandering.ID))
	absence.ID, absence.Start, absence.End = lifecycle.NewID(), absence.End, absence.End.Add(time.Hour)
	require.NoError(t, create())
	step("EndAbsence", endAbsence, tell(lifecycle.ActionDelete, lifecycle.ObjectAbsence, absence.ID))

	rejected := accept(".rejected")
	step("Decide", decide(decision(rejected, 0, lifecycle.VerdictReject, lifecycle.ViaAPI), lifecycle.DecisionStored),
		tell(lifecycle.ActionReject, lifecycle.ObjectApprovalItem, rejected.Items[0].ID),
		tell(lifecycle.ActionCancel, lifecycle.ObjectApprovalItem, rejected.Items[1].ID),
		tell(lifecycle.ActionReject, lifecycle.ObjectRequest, rejected.ID))

	undecided := accept(".undecided")
	item := undecided.Items[0].ID
	fallback := to(w.outsider)
	old := world{Store: w.Store, schema: w.schema, admin: w.admin, source: source}
	old.under(t, func(p *lifecycle.ApprovalPolicy) {
		reminding(p)
		escalating(to(w.owner), to(w.outsider))(p)
		p.Escalation.DaysUntilFirst = 6
		p.Fallback = &fallback
		timingOut(lifecycle.TimeoutApproved)(p)
	})
	old.change(t, "UPDATE requests SET policy_id = (SELECT id FROM approval_policies WHERE source_id IS NOT NULL AND current)")
	fallDue := func() error { _, _, err := w.FallDue(ctx, undecided.ID); return err }
	step("FallDue", fallDue)
	old.wait(t, undecided, 3*fullDay)
	reminded := step("FallDue", fallDue, tell(lifecycle.ActionUpdate, lifecycle.ObjectApprovalItem, item))
	require.Equal(t, map[string]any{"request": undecided.ID.String(), "step": "reminder", "number": 1.0}, reminded[0].facts)
	old.wait(t, undecided, 3*fullDay)
	moved := step("FallDue", fallDue,
		tell(lifecycle.ActionUpdate, lifecycle.ObjectApprovalItem, item), tell(lifecycle.ActionUpdate, lifecycle.ObjectApprovalItem, item))
	require.Equal(t, "reminder", moved[0].facts["step"])
	require.Equal(t, "ESCALATION", moved[1].facts["type"])
	w.change(t, "UPDATE identities SET active = false WHERE id = $1", w.outsider.ID.String())
	step("FallBack", func() error { _, err := w.FallBack(ctx, undecided.ID); return err })
	w.change(t, "UPDATE identities SET active = true WHERE id = $1", w.outsider.ID.String())
	w.change(t, "UPDATE identities SET active = false WHERE id = $1", w.approvers[0].ID.String())
	old.wait(t, undecided, 5*fullDay)
	timedOut := step("FallDue", fallDue, tell(lifecycle.ActionApprove, lifecycle.ObjectApprovalItem, item),
		tell(lifecycle.ActionUpdate, lifecycle.ObjectRequest, undecided.ID))
	require.Equal(t, "timeout", timedOut[0].facts["step"])
	w.change(t, "UPDATE identities SET active = false WHERE id <> $1", w.outsider.ID.String())
	fellBack := step("FallBack", func() error { _, err := w.FallBack(ctx, undecided.ID); return err },
		tell(lifecycle.ActionUpdate, lifecycle.ObjectApprovalItem, undecided.Items[1].ID))
	require.Equal(t, "AUTO_REASSIGNMENT", fellBack[0].facts["type"])
	w.change(t, "UPDATE identities SET active = true WHERE deleted IS NULL")

	cancelled := accept(".cancelled")
	w.change(t, "UPDATE identities SET active = false")
	ended := step("CancelRequest", func() error { return w.CancelRequest(ctx, cancelled.ID, lifecycle.ReasonApproverGone) },
		tell(lifecycle.ActionCancel, lifecycle.ObjectApprovalItem, cancelled.Items[0].ID),
		tell(lifecycle.ActionCancel, lifecycle.ObjectApprovalItem, cancelled.Items[1].ID),
		tell(lifecycle.ActionCancel, lifecycle.ObjectRequest, cancelled.ID))
	require.Equal(t, map[string]any{"approvalStatus": "CANCELLED", "reason": lifecycle.ReasonApproverGone}, ended[2].facts)
	w.change(t, "UPDATE identities SET active = true WHERE deleted IS NULL")

	// Extensions.
	extended := []lifecycle.Record{in.record(t, marker+".extended0"), in.record(t, marker+".extended1")}
	until := laterEnd()
	extend := func() lifecycle.Extension {
		t.Helper()
		e := in.newExtension(until)
		entries := step("AcceptExtension", func() (err error) {
			e, err = w.AcceptExtension(ctx, e, targets(until, extended...), nil)
			return err
		}, tell(lifecycle.ActionCreate, lifecycle.ObjectRequest, e.ID))
		require.Equal(t, "EXTENSION", entries[0].facts["kind"])
		require.Len(t, entries[0].facts["approvalItems"], len(e.Items))
		return e
	}
	withdrawn := extend()
	step("CancelExtension", func() error { return w.CancelExtension(ctx, withdrawn.ID) },
		tell(lifecycle.ActionCancel, lifecycle.ObjectApprovalItem, withdrawn.Items[0].ID),
		tell(lifecycle.ActionCancel, lifecycle.ObjectApprovalItem, withdrawn.Items[1].ID),
		tell(lifecycle.ActionCancel, lifecycle.ObjectRequest, withdrawn.ID))
	extension := extend()
	partly := extensionDecision(extension, 0, lifecycle.VerdictApprove)
	require.NoError(t, w.AnnounceExtensionDecision(ctx, partly, "", []lifecycle.ID{extended[0].ID}))
	step("Decide", decide(partly, lifecycle.DecisionStored),
		tell(lifecycle.ActionApprove, lifecycle.ObjectApprovalItem, extension.Items[0].ID),
		tell(lifecycle.ActionReject, lifecycle.ObjectRecord, extended[0].ID),
		tell(lifecycle.ActionUpdate, lifecycle.ObjectRequest, extension.ID))
	applied := step("Decide", decide(extensionDecision(extension, 1, lifecycle.VerdictApprove), lifecycle.DecisionStored),
		tell(lifecycle.ActionApprove, lifecycle.ObjectApprovalItem, extension.Items[1].ID),
		tell(lifecycle.ActionApprove, lifecycle.ObjectRequest, extension.ID),
		tell(lifecycle.ActionUpdate, lifecycle.ObjectRecord, extended[1].ID))
	require.NotContains(t, applied[0].facts, "record")
	require.JSONEq(t, `{"before": {"endDate": "`+lifecycle.FormatTime(extended[1].EndDate)+`"},
		"after": {"endDate": "`+lifecycle.FormatTime(until)+`"}}`, applied[2].change)

	_, err := w.UpdateSource(t.Context(), source.ID, func(s *lifecycle.Source) error { s.Approvers = nil; return nil })
	require.NoError(t, err)
	alone := accept(".alone")
	step("CompleteRequest", func() error { return w.CompleteRequest(ctx, alone.ID) },
		tell(lifecycle.ActionApprove, lifecycle.ObjectRequest, alone.ID),
		tell(lifecycle.ActionCreate, lifecycle.ObjectRecord, store.RecordOf(alone.ID)))
	step("DeleteRequest", func() error { return w.DeleteRequest(ctx, alone.ID) },
		tell(lifecycle.ActionDelete, lifecycle.ObjectRequest, alone.ID))

	// Imports.
	job := in.begin(t, plenty, "planet")
	rows := in.rowsOf(marker+".one", marker+".two", record.AccountName)
	in.stage(t, job, rows...)
	step("SealImport", func() error { _, err := w.SealImport(ctx, job); return err },
		tell(lifecycle.ActionCreate, lifecycle.ObjectImport, job))
	step("SealImport", func() error { _, err := w.SealImport(ctx, job); return err })
	apply := func(rows int) func() error {
		return func() error {
			_, err := w.ApplyImport(lifecycle.WithOrigin(ctx, lifecycle.Origin{Channel: lifecycle.ChannelWorkflow, Operation: "ApplyImport"}), job, rows)
			return err
		}
	}
	chunk := step("ApplyImport", apply(2), tell(lifecycle.ActionApply, lifecycle.ObjectImport, job))
	by(chunk, lifecycle.Origin{Channel: lifecycle.ChannelWorkflow, Operation: "ApplyImport", Identity: w.owner.ID})
	require.JSONEq(t, `{"client": "client"}`, chunk[0].actor)
	require.Equal(t, map[string]any{
		"firstRow": 1.0, "lastRow": 2.0, "created": 2.0, "updated": 0.0, "unchanged": 0.0, "failed": 0.0,
	}, chunk[0].facts)
	over := step("ApplyImport", apply(2), tell(lifecycle.ActionApply, lifecycle.ObjectImport, job), tell(lifecycle.ActionUpdate, lifecycle.ObjectImport, job))
	require.Equal(t, "COMPLETED", over[1].facts["status"])
	step("ApplyImport", apply(2))
	stopped := in.sealed(t, in.rowsOf(marker+".three", marker+".four")...)
	step("CancelImport", func() error { _, err := w.CancelImport(ctx, source.ID, stopped); return err },
		tell(lifecycle.ActionCancel, lifecycle.ObjectImport, stopped))
	job = in.sealed(t, in.rowsOf(marker+".three", marker+".four")...)
	require.NoError(t, apply(1)())
	step("CancelImport", func() error { _, err := w.CancelImport(ctx, source.ID, job); return err },
		tell(lifecycle.ActionCancel, lifecycle.ObjectImport, job))
	over = step("ApplyImport", apply(1), tell(lifecycle.ActionUpdate, lifecycle.ObjectImport, job))
	require.Equal(t, "CANCELLED", over[0].facts["status"])

	// Webhooks.
	endpoint := lifecycle.WebhookEndpoint{
		ID: lifecycle.NewID(), URL: "https://" + marker + ".example.com", Secret: []byte(marker + "-secret"), Enabled: true,
		Created: storetest.Now(), Modified: storetest.Now(),
	}
	endpointMade := step("CreateWebhook", func() error { return w.CreateWebhook(ctx, endpoint) },
		tell(lifecycle.ActionCreate, lifecycle.ObjectWebhook, endpoint.ID))
	require.NotContains(t, endpointMade[0].change, marker+"-secret")
	switchTo := func(enabled bool) func() error {
		return func() error {
			_, err := w.UpdateWebhook(ctx, endpoint.ID, func(e *lifecycle.WebhookEndpoint) error { e.Enabled = enabled; return nil })
			return err
		}
	}
	step("UpdateWebhook", switchTo(false), tell(lifecycle.ActionUpdate, lifecycle.ObjectWebhook, endpoint.ID))
	step("UpdateWebhook", switchTo(false))
	step("UpdateWebhook", switchTo(true), tell(lifecycle.ActionUpdate, lifecycle.ObjectWebhook, endpoint.ID))
	_, err = w.RelayEvents(t.Context(), 1000, false)
	require.NoError(t, err)
	accept(".webhook")
	_, err = w.RelayEvents(t.Context(), 1000, false)
	require.NoError(t, err)
	dead, _, err := w.ListDeliveries(t.Context(), lifecycle.DeliveryQuery{Endpoint: endpoint.ID, Limit: 1})
	require.NoError(t, err)
	_, err = w.GiveUpDelivery(t.Context(), dead[0].ID)
	require.NoError(t, err)
	step("ResendDelivery", func() error { _, err := w.ResendDelivery(ctx, dead[0].ID); return err },
		tell(lifecycle.ActionUpdate, lifecycle.ObjectDelivery, dead[0].ID))
	step("ResendDeliveries", func() error { _, err := w.ResendDeliveries(ctx, endpoint.ID); return err })
	_, err = w.GiveUpDelivery(t.Context(), dead[0].ID)
	require.NoError(t, err)
	step("ResendDeliveries", func() error { _, err := w.ResendDeliveries(ctx, endpoint.ID); return err },
		tell(lifecycle.ActionUpdate, lifecycle.ObjectDelivery, text("")))
	step("DeleteWebhook", func() error { return w.DeleteWebhook(ctx, endpoint.ID) },
		tell(lifecycle.ActionDelete, lifecycle.ObjectWebhook, endpoint.ID))

	// Exports and schedules.
	export := in.newExport()
	step("BeginExport", func() error { _, err := w.BeginExport(ctx, export); return err },
		tell(lifecycle.ActionCreate, lifecycle.ObjectExport, export.ID))
	step("BeginExport", func() error { _, err := w.BeginExport(ctx, in.newExport()); return err })
	write := func(job lifecycle.ID) func() error {
		return func() error { _, err := w.WriteExport(ctx, job, keep, func(int) {}); return err }
	}
	step("WriteExport", write(export.ID), tell(lifecycle.ActionUpdate, lifecycle.ObjectExport, export.ID))
	step("WriteExport", write(export.ID))
	failing := in.beginExport(t)
	step("FailExport", func() error { return w.FailExport(ctx, failing.ID) },
		tell(lifecycle.ActionUpdate, lifecycle.ObjectExport, failing.ID))
	step("FailExport", func() error { return w.FailExport(ctx, failing.ID) })
	schedule := lifecycle.ExportSchedule{
		ID: lifecycle.NewID(), SourceID: source.ID, Cron: "0 4 * * *", Zone: "UTC", Keep: 1, Requester: w.owner.ID,
		ClientID: "client", Created: storetest.Now(), Modified: storetest.Now(),
	}
	step("CreateExportSchedule", func() error { return w.CreateExportSchedule(ctx, schedule) },
		tell(lifecycle.ActionCreate, lifecycle.ObjectExportSchedule, schedule.ID))
	runs := []lifecycle.ID{lifecycle.NewID(), lifecycle.NewID()}
	for _, run := range runs {
		step("BeginScheduledExport", func() error { _, err := w.BeginScheduledExport(ctx, schedule.ID, run); return err },
			tell(lifecycle.ActionCreate, lifecycle.ObjectExport, run))
		step("BeginScheduledExport", func() error { _, err := w.BeginScheduledExport(ctx, schedule.ID, run); return err })
		require.NoError(t, write(run)())
		w.change(t, "UPDATE export_jobs SET created = created - interval '1 hour'")
	}
	pruned := step("PruneScheduledExports", func() error { return w.PruneScheduledExports(ctx, schedule.ID) },
		tell(lifecycle.ActionDelete, lifecycle.ObjectExport, text("")))
	require.Equal(t, map[string]any{
		"reason": "pruned", "schedule": schedule.ID.String(), "count": 1.0, "ids": []any{runs[0].String()},
	}, pruned[0].facts)
	step("PruneScheduledExports", func() error { return w.PruneScheduledExports(ctx, schedule.ID) })
	step("DeleteExportSchedule", func() error { return w.DeleteExportSchedule(ctx, source.ID, schedule.ID) },
		tell(lifecycle.ActionDelete, lifecycle.ObjectExportSchedule, schedule.ID))

	// What the sweep removes.
	in.begin(t, plenty)
	w.change(t, "UPDATE import_jobs SET lease_until = now() - interval '1 hour' WHERE status = 'RECEIVING'")
	sweep := func() error { _, err := w.DropBulk(ctx, 1000, time.Hour, keep); return err }
	step("DropBulk", sweep)
	w.change(t, "UPDATE import_jobs SET finished = finished - interval '2 hours'")
	w.change(t, "UPDATE export_jobs SET finished = finished - interval '2 hours', expires = expires - interval '2 days'")
	swept := step("DropBulk", sweep, tell(lifecycle.ActionDelete, lifecycle.ObjectImport, text("")),
		tell(lifecycle.ActionDelete, lifecycle.ObjectExport, text("")), tell(lifecycle.ActionDelete, lifecycle.ObjectExport, text("")))
	require.Equal(t, []any{"ended", 3.0, "expired", "failed", 1.0}, []any{
		swept[0].facts["reason"], swept[0].facts["count"], swept[1].facts["reason"], swept[2].facts["reason"], swept[2].facts["count"],
	})
	step("DropBulk", sweep)

	// The schema and the source go, with what hangs on them.
	accept(".pending")
	stripped := step("DeleteAttribute", func() error { return w.DeleteAttribute(ctx, source.ID, attribute.ID) },
		tell(lifecycle.ActionDelete, lifecycle.ObjectAttribute, attribute.ID))
	require.EqualValues(t, w.number(t, "SELECT count(*) FROM requests WHERE jsonb_exists(data, 'second')"),
		stripped[0].facts["stripped"].(map[string]any)["requests"])
	step("DeleteAttributes", func() error { return w.DeleteAttributes(ctx, source.ID) },
		tell(lifecycle.ActionDelete, lifecycle.ObjectAttribute, second.ID))
	step("DeleteAttributes", func() error { return w.DeleteAttributes(ctx, source.ID) })
	held := map[string]any{}
	for what, table := range map[string]string{
		"requests": "requests", "records": "records", "imports": "import_jobs", "exports": "export_jobs", "exportSchedules": "export_schedules",
	} {
		held[what] = float64(w.number(t, "SELECT count(*) FROM "+table+" WHERE source_id = $1", source.ID.String()))
	}
	require.NotZero(t, held["records"])
	gone := step("DeleteSource", func() error { return w.DeleteSource(ctx, source.ID) },
		tell(lifecycle.ActionDelete, lifecycle.ObjectSource, source.ID))
	require.Equal(t, map[string]any{"removed": held}, gone[0].facts)

	// Clients and keys.
	client := lifecycle.Client{ID: "an-app", Name: marker, SecretHash: []byte("hash"), Active: true, Created: storetest.Now()}
	step("CreateClient", func() error { return w.CreateClient(ctx, client) }, tell(lifecycle.ActionCreate, lifecycle.ObjectClient, text(client.ID)))
	client.Name += " two"
	step("EnsureClient", func() error { return w.EnsureClient(ctx, client) }, tell(lifecycle.ActionUpdate, lifecycle.ObjectClient, text(client.ID)))
	step("SetClientActive", func() error { return w.SetClientActive(ctx, client.ID, false) }, tell(lifecycle.ActionUpdate, lifecycle.ObjectClient, text(client.ID)))
	step("DeleteApplication", func() error { return w.DeleteApplication(ctx, client.ID) }, tell(lifecycle.ActionDelete, lifecycle.ObjectClient, text(client.ID)))
	admin := lifecycle.Identity{
		ID: lifecycle.NewID(), Alias: marker + "-admin", Name: marker, Levels: []lifecycle.Level{lifecycle.LevelOrgAdmin}, Active: true,
		Created: storetest.Now(), Modified: storetest.Now(),
	}
	token := lifecycle.Client{ID: "a-token", Name: marker, SecretHash: []byte("hash"), IdentityID: admin.ID, Active: true, Created: storetest.Now()}
	step("InitOrganisation", func() error { return w.InitOrganisation(ctx, admin, token) },
		tell(lifecycle.ActionCreate, lifecycle.ObjectIdentity, admin.ID), tell(lifecycle.ActionCreate, lifecycle.ObjectClient, text(token.ID)))
	step("DeletePersonalToken", func() error { return w.DeletePersonalToken(ctx, token.ID, admin.ID) },
		tell(lifecycle.ActionDelete, lifecycle.ObjectClient, text(token.ID)))
	key := lifecycle.SigningKey{KeyID: "a-key", PrivateKey: []byte("private"), Created: storetest.Now(), SignsFrom: storetest.Now()}
	changeKeys := func(added lifecycle.SigningKey, removed ...string) func() error {
		return func() error {
			_, err := w.ChangeSigningKeys(ctx, func([]lifecycle.SigningKey) (lifecycle.SigningKey, []string, error) { return added, removed, nil })
			return err
		}
	}
	step("ChangeSigningKeys", changeKeys(key), tell(lifecycle.ActionCreate, lifecycle.ObjectSigningKey, text(key.KeyID)))
	step("ChangeSigningKeys", changeKeys(lifecycle.SigningKey{}))
	step("ChangeSigningKeys", changeKeys(lifecycle.SigningKey{}, key.KeyID), tell(lifecycle.ActionDelete, lifecycle.ObjectSigningKey, text(key.KeyID)))
	denied := step("SaveAttempt", func() error {
		return w.SaveAttempt(ctx, lifecycle.AuditChange{
			Action: lifecycle.ActionAttempt, Outcome: lifecycle.OutcomeDenied, Object: lifecycle.ObjectNone,
		})
	}, tell(lifecycle.ActionAttempt, lifecycle.ObjectNone, text("")))
	require.Equal(t, "DENIED", denied[0].outcome)

	// Nothing about people is where it can't be erased.
	require.Zero(t, w.number(t, "SELECT count(*) FROM audit_entries AS e WHERE lower(e::text) LIKE '%zaphod%' OR e::text LIKE '%192.0.2.7%'"))
	require.NotZero(t, w.number(t, "SELECT count(*) FROM audit_details AS d WHERE d::text LIKE '%zaphod%'"))
	require.Zero(t, w.number(t, "SELECT count(*) FROM audit_details AS d WHERE d::text LIKE '%private%' OR d::text LIKE '%hash%'"))

	// Nobody adds a method and forgets the trail.
	methods := reflect.TypeFor[*store.Store]()
	for method := range methods.Methods() {
		name := method.Name
		require.NotEqual(t, covered[name], slices.Contains(silent, name), "%s changes something and is in the table, or is among the silent", name)
	}
}

// recordOf runs what makes a record of the request, and returns it.
func (w *world) recordOf(t *testing.T, request lifecycle.Request, do func()) lifecycle.Record {
	t.Helper()
	do()
	record, _, err := w.GetRecord(t.Context(), store.RecordOf(request.ID), lifecycle.ID{})
	require.NoError(t, err)
	return record
}

// TestWhatFailsLeavesNoEntry, though the change it fails after was made.
func TestWhatFailsLeavesNoEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	record, request, twin := w.record(t, "one"), w.request(t, "two"), w.newSource(t, w.source.Name)
	before := w.last(t)
	errNot := errors.New("not now")
	require.ErrorIs(t, func() error {
		_, err := w.UpdateSource(t.Context(), w.source.ID, func(*lifecycle.Source) error { return errNot })
		return err
	}(), errNot)
	requireKind(t, lifecycle.KindReferenceNotFound, w.DeleteRecords(t.Context(), []lifecycle.ID{record.ID, lifecycle.NewID()}))
	requireKind(t, lifecycle.KindConflict, w.CreateRecord(t.Context(), w.newRecord("TWO"), plenty))
	_, err := w.AcceptRequest(t.Context(), w.newRequest("ONE"), plenty)
	requireKind(t, lifecycle.KindConflict, err)
	_, err = w.AcceptRequest(t.Context(), w.newRequest("three"), 2)
	requireKind(t, lifecycle.KindLimit, err)
	requireKind(t, lifecycle.KindConflict, w.CreateSource(t.Context(), twin, nil, lifecycle.DefaultMaxSources))
	requireKind(t, lifecycle.KindIllegalUpdate, w.CompleteRequest(t.Context(), request.ID))
	requireKind(t, lifecycle.KindIllegalUpdate, w.CancelRequest(t.Context(), request.ID, lifecycle.ReasonApproverGone))
	for _, missing := range []error{
		w.DeleteRecord(t.Context(), lifecycle.NewID()), w.DeleteRequest(t.Context(), lifecycle.NewID()),
		w.DeleteSource(t.Context(), lifecycle.NewID()), w.DeleteExportSchedule(t.Context(), w.source.ID, lifecycle.NewID()),
	} {
		requireKind(t, lifecycle.KindNotFound, missing)
	}
	require.Empty(t, w.trail(t, before))
}

// TestEntriesOfOneObjectAreInTheOrderOfItsChanges: what one leaves, the next finds.
func TestEntriesOfOneObjectAreInTheOrderOfItsChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	record := w.record(t, "one")
	before := w.last(t)
	const changes = 40
	var group errgroup.Group
	group.SetLimit(8)
	for i := range changes {
		group.Go(func() error {
			_, err := w.UpdateRecord(t.Context(), record.ID, func(r *lifecycle.Record, _ []lifecycle.SchemaAttribute) error {
				r.Phone = fmt.Sprint(i)
				return nil
			})
			return err
		})
	}
	require.NoError(t, group.Wait())
	phone, entries := record.Phone, w.trail(t, before)
	require.Len(t, entries, changes)
	for _, e := range entries {
		var change struct{ Before, After struct{ Phone string } }
		require.NoError(t, json.Unmarshal([]byte(e.change), &change))
		require.Equal(t, phone, change.Before.Phone)
		phone = change.After.Phone
	}
}

// TestManyRecordsAreDeletedWithAnEntryEach, in one statement.
func TestManyRecordsAreDeletedWithAnEntryEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	// The database takes the tables for empty, and so would plan for a row or two:
	// with each name held against each record it would take minutes.
	w.fill(t, w.source.ID, lifecycle.MaxBulkDelete)
	for _, statement := range []string{"DELETE FROM records", "DELETE FROM account_names", "ANALYZE records", "ANALYZE account_names"} {
		w.change(t, statement)
	}
	w.change(t, "UPDATE source_counters SET records = 0")
	w.fill(t, w.source.ID, lifecycle.MaxBulkDelete)
	var ids []lifecycle.ID
	rows, err := w.admin.QueryContext(t.Context(), "SELECT id FROM records")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var id lifecycle.ID
		require.NoError(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, rows.Err())
	require.Len(t, ids, lifecycle.MaxBulkDelete)
	soon, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, w.DeleteRecords(soon, ids))
	w.requireConsistent(t)
	require.Equal(t, lifecycle.MaxBulkDelete, w.number(t, `SELECT count(DISTINCT e.object_id) FROM audit_entries AS e
		JOIN audit_details AS d ON d.entry_id = e.id AND sha256(d.change_salt || convert_to(d.change, 'UTF8')) = e.change_digest
		JOIN audit_tail AS t ON t.entry_id = e.id WHERE e.action = 'DELETE'`))
	require.Equal(t, lifecycle.MaxBulkDelete, w.number(t, "SELECT count(DISTINCT change_salt) FROM audit_details WHERE change LIKE '{\"before\"%'"),
		"every detail has a salt of its own")
}
