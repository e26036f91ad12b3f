package service

import (
	"context"
	"io"

	"gatehouse/auditfile"
	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
)

// AuditStore reads the audit trail.
type AuditStore interface {
	// ListAuditEvents returns a page, in the order of q.Sort, and where q.Count,
	// the number of matches.
	ListAuditEvents(ctx context.Context, q filter.Query) ([]lifecycle.AuditEvent, int, error)
	// AuditEnd returns the number of the newest entry; 0 if there is none.
	AuditEnd(ctx context.Context) (int64, error)
	// AuditEventsAfter returns entries by number, from behind the number after up
	// to end, and up to which number it has looked; there may be none among these.
	AuditEventsAfter(ctx context.Context, where filter.Expr, after, end int64) (events []lifecycle.AuditEvent, looked int64, err error)
}

// AuditFile is the audit trail, or a part of it, as a file.
type AuditFile struct {
	// Next is that of [Export].
	Next func(ctx context.Context) ([]byte, error)
}

// ListAuditEvents returns a page of the audit trail, newest first unless p says
// otherwise, and where p.Count, how many entries match.
func (s *Service) ListAuditEvents(ctx context.Context, a policy.Actor, p filter.Params) ([]lifecycle.AuditEvent, int, error) {
	if err := policy.Enter(policy.ListAuditEvents, a); err != nil {
		return nil, 0, err
	}
	q, err := p.Judge(filter.AuditEvents)
	if err != nil {
		return nil, 0, err
	}
	if len(q.Sort) == 0 {
		q.Sort = []filter.Order{{Field: "occurred", Descending: true}}
	}
	return s.store.ListAuditEvents(ctx, q)
}

// ExportAuditEvents returns the entries that p.Filters lets through as a file, by
// number: those that there are when it begins.
func (s *Service) ExportAuditEvents(ctx context.Context, a policy.Actor, format auditfile.Format, p filter.Params) (AuditFile, error) {
	if err := policy.Enter(policy.ExportAuditEvents, a); err != nil {
		return AuditFile{}, err
	}
	q, err := filter.Params{Filters: p.Filters}.Judge(filter.AuditEvents)
	if err != nil {
		return AuditFile{}, err
	}
	return NewAuditFile(ctx, s.store, format, q.Where)
}

// NewAuditFile is what ExportAuditEvents returns, for whoever needs no leave. It
// holds one page at a time, and no transaction between two.
func NewAuditFile(ctx context.Context, store AuditStore, format auditfile.Format, where filter.Expr) (AuditFile, error) {
	end, err := store.AuditEnd(ctx)
	if err != nil {
		return AuditFile{}, err
	}
	looked := int64(0)
	piece := auditfile.Header(format)
	return AuditFile{Next: func(ctx context.Context) ([]byte, error) {
		for len(piece) == 0 && looked < end {
			var events []lifecycle.AuditEvent
			if events, looked, err = store.AuditEventsAfter(ctx, where, looked, end); err != nil {
				return nil, err
			}
			if piece, err = auditfile.Rows(format, events); err != nil {
				return nil, err
			}
		}
		if len(piece) == 0 {
			return nil, io.EOF
		}
		out := piece
		piece = nil
		return out, nil
	}}, nil
}
