package httpapi

import (
	"bytes"
	"context"

	"github.com/gin-gonic/gin"

	"gatehouse/csvfile"
	"gatehouse/filter"
	"gatehouse/lifecycle"
)

func attributeAnswer(a lifecycle.SchemaAttribute) NonEmployeeSchemaAttribute {
	return NonEmployeeSchemaAttribute{
		ID: a.ID, Type: a.Type, TechnicalName: a.TechnicalName, Label: a.Label,
		HelpText: optional(a.HelpText), Placeholder: optional(a.Placeholder),
		Required: a.Required, System: a.System,
		Created: Timestamp(a.Created), Modified: Timestamp(a.Modified),
	}
}

// GetNonEmployeeSourceSchemaAttributes answers GET /non-employee-sources/{id}/schema-attributes.
func (h *handlers) GetNonEmployeeSourceSchemaAttributes(ctx context.Context, r GetNonEmployeeSourceSchemaAttributesRequestObject) (GetNonEmployeeSourceSchemaAttributesResponseObject, error) {
	var page filter.Params
	if g, ok := ctx.(*gin.Context); ok {
		if _, c := callOf(ctx); c.at.beta {
			var err error
			if page, err = betaPage(g.Request); err != nil {
				return nil, err
			}
		}
	}
	ctx, c := callOf(ctx)
	attributes, err := h.service.ListAttributes(ctx, c.actor, r.ID, page)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeSourceSchemaAttributes200JSONResponse(each(attributes, attributeAnswer)), nil
}

// CreateNonEmployeeSourceSchemaAttributes answers POST /non-employee-sources/{id}/schema-attributes.
func (h *handlers) CreateNonEmployeeSourceSchemaAttributes(ctx context.Context, r CreateNonEmployeeSourceSchemaAttributesRequestObject) (CreateNonEmployeeSourceSchemaAttributesResponseObject, error) {
	ctx, c := callOf(ctx)
	attribute, err := h.service.CreateAttribute(ctx, c.actor, r.ID, c.body.attribute())
	if err != nil {
		return nil, err
	}
	return CreateNonEmployeeSourceSchemaAttributes200JSONResponse(attributeAnswer(attribute)), nil
}

// DeleteNonEmployeeSourceSchemaAttributes answers DELETE /non-employee-sources/{id}/schema-attributes.
func (h *handlers) DeleteNonEmployeeSourceSchemaAttributes(ctx context.Context, r DeleteNonEmployeeSourceSchemaAttributesRequestObject) (DeleteNonEmployeeSourceSchemaAttributesResponseObject, error) {
	ctx, c := callOf(ctx)
	if err := h.service.DeleteAttributes(ctx, c.actor, r.ID); err != nil {
		return nil, err
	}
	return DeleteNonEmployeeSourceSchemaAttributes204Response{}, nil
}

// GetNonEmployeeSchemaAttribute answers GET /non-employee-sources/{id}/schema-attributes/{attributeId}.
func (h *handlers) GetNonEmployeeSchemaAttribute(ctx context.Context, r GetNonEmployeeSchemaAttributeRequestObject) (GetNonEmployeeSchemaAttributeResponseObject, error) {
	ctx, c := callOf(ctx)
	attribute, err := h.service.GetAttribute(ctx, c.actor, r.ID, r.AttributeID)
	if err != nil {
		return nil, err
	}
	return GetNonEmployeeSchemaAttribute200JSONResponse(attributeAnswer(attribute)), nil
}

// PatchNonEmployeeSchemaAttribute answers PATCH /non-employee-sources/{id}/schema-attributes/{attributeId}.
func (h *handlers) PatchNonEmployeeSchemaAttribute(ctx context.Context, r PatchNonEmployeeSchemaAttributeRequestObject) (PatchNonEmployeeSchemaAttributeResponseObject, error) {
	ctx, c := callOf(ctx)
	attribute, err := h.service.PatchAttribute(ctx, c.actor, r.ID, r.AttributeID, c.body.patch())
	if err != nil {
		return nil, err
	}
	return PatchNonEmployeeSchemaAttribute200JSONResponse(attributeAnswer(attribute)), nil
}

// DeleteNonEmployeeSchemaAttribute answers DELETE /non-employee-sources/{id}/schema-attributes/{attributeId}.
func (h *handlers) DeleteNonEmployeeSchemaAttribute(ctx context.Context, r DeleteNonEmployeeSchemaAttributeRequestObject) (DeleteNonEmployeeSchemaAttributeResponseObject, error) {
	ctx, c := callOf(ctx)
	if err := h.service.DeleteAttribute(ctx, c.actor, r.ID, r.AttributeID); err != nil {
		return nil, err
	}
	return DeleteNonEmployeeSchemaAttribute204Response{}, nil
}

// ExportNonEmployeeSourceSchemaTemplate answers GET /non-employee-sources/{id}/schema-attributes-template/download.
func (h *handlers) ExportNonEmployeeSourceSchemaTemplate(ctx context.Context, r ExportNonEmployeeSourceSchemaTemplateRequestObject) (ExportNonEmployeeSourceSchemaTemplateResponseObject, error) {
	ctx, c := callOf(ctx)
	attributes, err := h.service.Template(ctx, c.actor, r.ID)
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	if err := csvfile.WriteTemplate(&file, attributes); err != nil {
		return nil, err
	}
	return ExportNonEmployeeSourceSchemaTemplate200TextCsvResponse{
		Body: &file, ContentLength: int64(file.Len()),
		Headers: ExportNonEmployeeSourceSchemaTemplate200ResponseHeaders{
			// The id is hex digits and hyphens, which need no quoting.
			ContentDisposition: `attachment; filename="template-` + r.ID.String() + `.csv"`,
		},
	}, nil
}
