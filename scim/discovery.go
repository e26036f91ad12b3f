package scim

import (
	"net/http"

	"gatehouse/policy"
)

// resources are the types that there are, schemas what their attributes are declared
// by.
var (
	resources = []resource{users, groups}
	schemas   = []resource{users, groups, enterprise}
)

// getConfig answers RFC 7643 §5.
func (s *server) getConfig(c *call) error {
	supported := func(is bool) map[string]any { return map[string]any{"supported": is} }
	writeJSON(c.w, http.StatusOK, map[string]any{
		"schemas":        []string{schemaConfig},
		"patch":          supported(true),
		"bulk":           map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter":         map[string]any{"supported": true, "maxResults": maxCount},
		"changePassword": supported(false),
		"sort":           supported(true),
		"etag":           supported(true),
		"authenticationSchemes": []any{map[string]any{
			"type": "oauthbearertoken", "name": "OAuth bearer token",
			"description": "An access token of an application client that has the scope gatehouse:scim",
			"specUri":     "https://www.rfc-editor.org/info/rfc6750", "primary": true,
		}},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": s.base + "/ServiceProviderConfig"},
	})
	return nil
}

func (s *server) showType(r resource) map[string]any {
	extensions := make([]map[string]any, len(r.extensions))
	for i, extension := range r.extensions {
		extensions[i] = map[string]any{"schema": extension.schema, "required": false}
	}
	return map[string]any{
		"schemas": []string{schemaType}, "id": r.name, "name": r.name, "endpoint": r.endpoint,
		"description": r.description, "schema": r.schema, "schemaExtensions": extensions,
		"meta": map[string]any{"resourceType": "ResourceType", "location": s.base + "/ResourceTypes/" + r.name},
	}
}

func (s *server) showSchema(r resource) map[string]any {
	return map[string]any{
		"schemas": []string{schemaSchema}, "id": r.schema, "name": r.name, "description": r.description,
		"attributes": r.attributes,
		"meta":       map[string]any{"resourceType": "Schema", "location": s.base + "/Schemas/" + r.schema},
	}
}

func (s *server) listTypes(c *call) error { return listAll(c, resources, s.showType) }

func (s *server) listSchemas(c *call) error { return listAll(c, schemas, s.showSchema) }

// listAll answers a list that can be neither filtered nor paged (RFC 7644 §4).
func listAll(c *call, all []resource, show func(resource) map[string]any) error {
	if c.query.Has("filter") {
		return policy.ErrForbidden
	}
	shown := make([]map[string]any, len(all))
	for i, r := range all {
		shown[i] = show(r)
	}
	writeJSON(c.w, http.StatusOK, listResponse{
		Schemas: []string{messageList}, TotalResults: len(shown), StartIndex: 1, ItemsPerPage: len(shown), Resources: shown,
	})
	return nil
}

func (s *server) getType(c *call) error {
	return getOne(c, resources, func(r resource) string { return r.name }, s.showType)
}

func (s *server) getSchema(c *call) error {
	return getOne(c, schemas, func(r resource) string { return r.schema }, s.showSchema)
}

func getOne(c *call, all []resource, id func(resource) string, show func(resource) map[string]any) error {
	for _, r := range all {
		if id(r) == c.r.PathValue("id") {
			writeJSON(c.w, http.StatusOK, show(r))
			return nil
		}
	}
	return policy.ErrNotFound
}
