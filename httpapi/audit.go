package httpapi

import (
	"context"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/auditfile"
	"gatehouse/filter"
	"gatehouse/lifecycle"
)

// ListAuditEvents answers GET /audit-events.
func (h *handlers) ListAuditEvents(ctx context.Context, r ListAuditEventsRequestObject) (ListAuditEventsResponseObject, error) {
	ctx, c := callOf(ctx)
	p := r.Params
	events, matches, err := h.service.ListAuditEvents(ctx, c.actor,
		filter.Params{Filters: p.Filters, Sorters: p.Sorters, Limit: p.Limit, Offset: p.Offset, Count: p.Count})
	if err != nil {
		return nil, err
	}
	return ListAuditEvents200JSONResponse{
		Body:    each(events, auditfile.NewEvent),
		Headers: ListAuditEvents200ResponseHeaders{XTotalCount: total(p.Count, matches)},
	}, nil
}

// ExportAuditEvents answers GET /audit-events/export.
func (h *handlers) ExportAuditEvents(ctx context.Context, r ExportAuditEventsRequestObject) (ExportAuditEventsResponseObject, error) {
	unhurried(ctx)
	of, c := callOf(ctx)
	format, err := auditFormat(ctx, r.Params.Format)
	if err != nil {
		return nil, err
	}
	export, err := h.service.ExportAuditEvents(of, c.actor, format, filter.Params{Filters: r.Params.Filters})
	if err != nil {
		return nil, err
	}
	media := mediaCSV
	if format == auditfile.NDJSON {
		media = mediaNDJSON
	}
	return file{name: "audit." + string(format), media: media, length: -1, next: export.Next}.send(ctx)
}

// auditFormat is the format that a client asked for, or would rather have.
func auditFormat(ctx context.Context, asked *auditfile.Format) (auditfile.Format, error) {
	if asked != nil {
		format, err := auditfile.ParseFormat(string(*asked))
		if err != nil {
			return "", lifecycle.FieldError(lifecycle.KindBadRequest, "format", "format must be "+shapes["format"]+".").WithCause(err)
		}
		return format, nil
	}
	if g, ok := ctx.(*gin.Context); ok && strings.Contains(strings.ToLower(g.GetHeader("Accept")), mediaNDJSON) {
		return auditfile.NDJSON, nil
	}
	return auditfile.CSV, nil
}
