package notice

import (
	"strconv"
	"time"

	"gatehouse/lifecycle"
)

// sampleID is a made-up id.
func sampleID(number int) lifecycle.ID {
	return lifecycle.MustParseID("00000000-0000-4000-8000-" + pad(number))
}

func pad(number int) string {
	text := strconv.Itoa(number)
	for len(text) < 12 {
		text = "0" + text
	}
	return text
}

// sampleFacts are those of each event, as they come from the outbox.
var sampleFacts = map[lifecycle.EventType]map[string]any{
	lifecycle.EventReminder:       {"number": 2.0},
	lifecycle.EventExpiring:       {"days": 7.0, "state": "EXPIRING", "to": "ACCOUNT_MANAGERS"},
	lifecycle.EventExpired:        {"state": "SUSPENDED", "action": "SUSPEND", "graceDays": 0.0, "to": "MANAGER"},
	lifecycle.EventExtended:       {"endDate": "2027-06-30T00:00:00Z", "approved": 3.0, "rejected": 1.0, "skipped": 0.0, "to": "ACCOUNT_MANAGERS"},
	lifecycle.EventEnded:          {"state": "SUSPENDED", "by": sampleID(20).String(), "to": "MANAGER"},
	lifecycle.EventImportFinished: {"import": sampleID(80).String(), "status": "ERROR", "total": 20000.0, "done": 20000.0, "created": 19000.0, "updated": 900.0, "unchanged": 90.0, "failed": 10.0},
	lifecycle.EventExportFinished: {"export": sampleID(81).String(), "schedule": sampleID(82).String(), "rows": 20000.0, "bytes": 2480000.0},
	lifecycle.EventExportFailed:   {"export": sampleID(81).String(), "schedule": sampleID(82).String()},
}

// Samples are made-up notices of an event: the first one with everything that may
// be known, the last one with nothing but what the outbox has.
func Samples(event lifecycle.EventType) []lifecycle.Notice {
	at := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	bare := lifecycle.Notice{Type: event, EventID: sampleID(1), Occurred: at, Facts: sampleFacts[event]}
	full := bare
	full.Source = lifecycle.Named{ID: sampleID(2), Name: "Contractors"}
	_, request := events[event]["request"]
	_, item := events[event]["item"]
	_, records := events[event]["records"]
	if request {
		bare.RequestID = sampleID(3)
		full.RequestID, full.Request = bare.RequestID, sampleRequest(at)
	}
	if item {
		bare.ItemID = sampleID(11)
		full.ItemID = bare.ItemID
	}
	if _, moved := events[event]["move"]; moved {
		full.Move = &lifecycle.NoticeMove{
			Type: lifecycle.ReassignedManually, From: lifecycle.Named{ID: sampleID(21), Name: "Ada Approver"},
			To: lifecycle.Named{ID: sampleID(22), Name: "Ben Approver"}, By: lifecycle.Named{ID: sampleID(20), Name: "Sue Admin"},
			Comment: "On another project now.",
		}
		full.Addressee = sampleID(22)
	}
	if _, reason := events[event]["reason"]; reason {
		full.Reason = lifecycle.ReasonTimedOut
	}
	if records {
		bare.RecordCount, full.RecordCount = 3, 3
		for i, name := range [][2]string{{"William", "Smith"}, {"Carla", "Jones"}} {
			full.Records = append(full.Records, lifecycle.NoticeRecord{
				ID: sampleID(30 + i), Source: full.Source, AccountName: name[0] + "." + name[1], FirstName: name[0], LastName: name[1],
				EndDate: at.AddDate(0, 0, 7),
			})
		}
	}
	samples := []lifecycle.Notice{full}
	if full.Move != nil {
		former := full
		former.Addressee = full.Move.From.ID
		samples = append(samples, former)
	}
	if full.Request != nil {
		extension := full
		asked := *full.Request
		asked.Extension, asked.AccountName, asked.FirstName, asked.LastName = true, "", "", ""
		asked.Records, asked.Until = 250, time.Date(2027, 6, 30, 0, 0, 0, 0, time.UTC)
		asked.Requester, asked.Manager, asked.StartDate, asked.EndDate = lifecycle.Named{}, lifecycle.Named{}, time.Time{}, time.Time{}
		extension.Request = &asked
		samples = append(samples, extension)
	}
	if event == lifecycle.EventExpired {
		for _, state := range []string{"EXPIRED", "REMOVED"} {
			other := full
			other.Facts = map[string]any{"state": state, "action": "REMOVE", "graceDays": 30.0}
			samples = append(samples, other)
		}
	}
	return append(samples, bare)
}

func sampleRequest(at time.Time) *lifecycle.NoticeRequest {
	q := &lifecycle.NoticeRequest{
		Status: lifecycle.StatusPending, Requester: lifecycle.Named{ID: sampleID(20), Name: "Sue Admin"},
		AccountName: "William.Smith", FirstName: "William", LastName: "Smith",
		Manager:   lifecycle.Named{ID: sampleID(23), Name: "Jane Doe"},
		StartDate: at.AddDate(0, 1, 0), EndDate: at.AddDate(1, 1, 0), Created: at.Add(-48 * time.Hour),
		TimesOut: time.Date(2026, 8, 1, 9, 0, 0, 0, time.UTC),
	}
	for i, approver := range []struct {
		name   string
		status lifecycle.ApprovalStatus
	}{{"Ada Approver", lifecycle.StatusApproved}, {"Ben Approver", lifecycle.StatusPending}, {"Field Operations", lifecycle.StatusNotReady}} {
		item := lifecycle.NoticeItem{
			ID: sampleID(10 + i), Approver: lifecycle.Named{ID: sampleID(21 + i), Name: approver.name},
			Type: lifecycle.ReferenceIdentity, Status: approver.status,
		}
		switch approver.status {
		case lifecycle.StatusApproved:
			item.DecidedBy, item.Comment = item.Approver, "Welcome."
		case lifecycle.StatusPending:
			item.PendingSince = at.Add(-24 * time.Hour)
		default:
			item.Type = lifecycle.ReferenceGovernanceGroup
		}
		q.Items = append(q.Items, item)
	}
	return q
}
