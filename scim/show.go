package scim

import (
	"slices"
	"strings"

	"gatehouse/lifecycle"
)

// userObject is a user as answers show it, without what is common to all
// resources.
func (s *server) userObject(u lifecycle.DirectoryUser) map[string]any {
	object := map[string]any{"userName": u.Alias, "displayName": u.Name, "active": u.Active}
	put(object, "externalId", u.ExternalID)
	put(object, "preferredLanguage", u.Language)
	name := map[string]any{}
	put(name, "formatted", u.FormattedName)
	put(name, "givenName", u.GivenName)
	put(name, "familyName", u.FamilyName)
	if len(name) > 0 {
		object["name"] = name
	}
	if u.Email != "" {
		object["emails"] = []any{map[string]any{"value": u.Email, "type": emailType, "primary": true}}
	}
	if len(u.Levels) > 0 {
		roles := make([]any, len(u.Levels))
		for i, level := range u.Levels {
			role := map[string]any{"value": string(level)}
			// Which of several is the primary one is not kept.
			if len(u.Levels) == 1 {
				role["primary"] = true
			}
			roles[i] = role
		}
		object["roles"] = roles
	}
	if len(u.Groups) > 0 {
		list := make([]any, len(u.Groups))
		for i, group := range u.Groups {
			list[i] = map[string]any{
				"value": group.ID.String(), "$ref": s.location(groups, group.ID), "display": group.Name, "type": "direct",
			}
		}
		object["groups"] = list
	}
	if !u.Manager.IsZero() {
		object[schemaEnterprise] = map[string]any{"manager": map[string]any{
			"value": u.Manager.String(), "$ref": s.location(users, u.Manager), "displayName": u.ManagerName,
		}}
	}
	return object
}

func put(object map[string]any, name, text string) {
	if text != "" {
		object[name] = text
	}
}

// showUser is the whole of a user's answer.
func (s *server) showUser(u lifecycle.DirectoryUser) map[string]any {
	object := s.userObject(u)
	object["schemas"], object["id"] = []string{schemaUser}, u.ID.String()
	if _, has := object[schemaEnterprise]; has {
		object["schemas"] = []string{schemaUser, schemaEnterprise}
	}
	object["meta"] = map[string]any{
		"resourceType": users.name, "location": s.location(users, u.ID), "version": userVersion(u),
		"created": lifecycle.FormatTime(u.Created), "lastModified": lifecycle.FormatTime(u.Modified),
	}
	return object
}

// groupObject is a group as answers show it, without what is common to all
// resources.
func (s *server) groupObject(g lifecycle.DirectoryGroup) map[string]any {
	object := map[string]any{"displayName": g.Name}
	put(object, "externalId", g.ExternalID)
	if len(g.Members) > 0 {
		members := make([]any, len(g.Members))
		for i, member := range g.Members {
			shown := map[string]any{
				"value": member.ID.String(), "$ref": s.location(users, member.ID), "type": memberType,
			}
			put(shown, "display", member.Name)
			members[i] = shown
		}
		object["members"] = members
	}
	return object
}

// showGroup is the whole of a group's answer.
func (s *server) showGroup(g lifecycle.DirectoryGroup) map[string]any {
	object := s.groupObject(g)
	object["schemas"], object["id"] = []string{schemaGroup}, g.ID.String()
	object["meta"] = map[string]any{
		"resourceType": groups.name, "location": s.location(groups, g.ID), "version": groupVersion(g),
		"created": lifecycle.FormatTime(g.Created), "lastModified": lifecycle.FormatTime(g.Modified),
	}
	return object
}

func (s *server) location(r resource, id lifecycle.ID) string {
	return s.base + r.endpoint + "/" + id.String()
}

// selection is which attributes an answer shows (RFC 7644 §3.9).
type selection struct {
	// only shows nothing but the named; else all but the named.
	only  bool
	names []string
}

// selectAttributes reads the parameters attributes and excludedAttributes, of which
// there may be one. Names that there are not select nothing.
func (r resource) selectAttributes(attributes, excluded []string) (selection, error) {
	if len(attributes) > 0 && len(excluded) > 0 {
		return selection{}, bad(invalidValue, "There may be attributes or excludedAttributes, not both.")
	}
	chosen := selection{only: len(attributes) > 0}
	for _, name := range append(attributes, excluded...) {
		name = strings.TrimSpace(name)
		if extension, rest, ok := r.extension(name); ok {
			// A part of one is shown with the rest of its attribute.
			rest, _, _ = strings.Cut(rest, ".")
			name = strings.TrimSuffix(extension.schema+"."+rest, ".")
		} else if rest, foreign := r.local(name); !foreign {
			name = rest
		} else {
			continue
		}
		chosen.names = append(chosen.names, strings.ToLower(name))
	}
	return chosen, nil
}

// names splits a list that came as one parameter.
func names(parameter string) []string {
	if strings.TrimSpace(parameter) == "" {
		return nil
	}
	return strings.Split(parameter, ",")
}

// shows reports whether anything of the attribute is shown.
func (s selection) shows(attribute string) bool {
	attribute = strings.ToLower(attribute)
	if !s.only {
		return !s.has(attribute)
	}
	for _, name := range s.names {
		if name == attribute || strings.HasPrefix(name, attribute+".") {
			return true
		}
	}
	return false
}

func (s selection) has(name string) bool { return slices.Contains(s.names, name) }

// apply takes out of the object what is not shown. The id always is, and so are the
// schemas, by which the rest is understood.
func (s selection) apply(object map[string]any) map[string]any {
	if len(s.names) == 0 && !s.only {
		return object
	}
	for name, value := range object {
		folded := strings.ToLower(name)
		switch {
		case name == "id" || name == "schemas":
		case !s.shows(name):
			delete(object, name)
		case s.only && s.has(folded): // the whole of it
		default:
			s.applyWithin(folded+".", value)
		}
	}
	return object
}

func (s selection) applyWithin(prefix string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			if s.has(prefix+strings.ToLower(name)) != s.only {
				delete(v, name)
			}
		}
	case []any:
		for _, element := range v {
			s.applyWithin(prefix, element)
		}
	}
}
