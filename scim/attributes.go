package scim

import "strings"

// URNs of schemas and messages.
const (
	schemaUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	schemaEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	schemaGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	schemaSchema     = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	schemaType       = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	schemaConfig     = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	messageError     = "urn:ietf:params:scim:api:messages:2.0:Error"
	messageList      = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	messagePatch     = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	messageSearch    = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	urnPrefix        = "urn:"
	commonAttributes = "schemas id externalId meta"
)

// kind is the type of an attribute (RFC 7643 §2.3).
type kind string

const (
	kindString    kind = "string"
	kindBoolean   kind = "boolean"
	kindComplex   kind = "complex"
	kindReference kind = "reference"
)

// Characteristics of attributes (RFC 7643 §7).
const (
	readOnly  = "readOnly"
	readWrite = "readWrite"
	immutable = "immutable"
	global    = "global"
)

// attribute declares one attribute. As it is marshalled it is published.
type attribute struct {
	Name            string      `json:"name"`
	Type            kind        `json:"type"`
	SubAttributes   []attribute `json:"subAttributes,omitempty"`
	MultiValued     bool        `json:"multiValued"`
	Description     string      `json:"description"`
	Required        bool        `json:"required"`
	CanonicalValues []string    `json:"canonicalValues,omitempty"`
	CaseExact       bool        `json:"caseExact"`
	Mutability      string      `json:"mutability"`
	Returned        string      `json:"returned"`
	Uniqueness      string      `json:"uniqueness"`
	ReferenceTypes  []string    `json:"referenceTypes,omitempty"`
}

func text(name, description string) attribute {
	return attribute{
		Name: name, Type: kindString, Description: description,
		Mutability: readWrite, Returned: "default", Uniqueness: "none",
	}
}

func (a attribute) with(change func(*attribute)) attribute {
	change(&a)
	return a
}

func complexOf(name, description string, sub ...attribute) attribute {
	return text(name, description).with(func(a *attribute) { a.Type, a.SubAttributes = kindComplex, sub })
}

func listOf(name, description string, sub ...attribute) attribute {
	return complexOf(name, description, sub...).with(func(a *attribute) { a.MultiValued = true })
}

func flag(name, description string) attribute {
	return text(name, description).with(func(a *attribute) { a.Type = kindBoolean })
}

func fixed(a attribute) attribute {
	return a.with(func(a *attribute) { a.Mutability = readOnly })
}

func reference(name, description string, types ...string) attribute {
	return text(name, description).with(func(a *attribute) { a.Type, a.CaseExact, a.ReferenceTypes = kindReference, true, types })
}

// resource declares a type of resource.
type resource struct {
	name, schema, endpoint, description string
	attributes                          []attribute
	// extensions are further schemas of it, whose attributes stand under the schema's
	// name. They are no resources of their own and have no endpoint.
	extensions []resource
	// unkept are further attributes that RFC 7643 gives it. Directories send them,
	// and mean no harm by it: they are let go without a word.
	unkept string
}

var common = []attribute{
	text("externalId", "The directory's own name of the resource").with(func(a *attribute) { a.CaseExact = true }),
	fixed(text("id", "The id that the service gave the resource").with(func(a *attribute) {
		a.CaseExact, a.Returned, a.Uniqueness = true, "always", global
	})),
	fixed(complexOf("meta", "What the service says about the resource")),
}

var users = resource{
	name: "User", schema: schemaUser, endpoint: "/Users", description: "A person of the organisation",
	attributes: []attribute{
		text("userName", "The short name, by which others name the person; unique without regard to case").with(func(a *attribute) {
			a.Required, a.Uniqueness = true, "server"
		}),
		complexOf("name", "The parts of the person's name",
			text("formatted", "The full name, as it is spelled"),
			text("familyName", "The family name"),
			text("givenName", "The given name"),
		),
		text("displayName", "The full name, for people to read; made of the parts of the name where it is left out"),
		text("preferredLanguage", "What the person is written to in, as in Accept-Language"),
		flag("active", "Whether the person may log in and be named"),
		listOf("emails", "Mail addresses, of which the primary one is kept",
			text("value", "The address"),
			text("type", "What the address is for; the one that is kept is the work's").with(func(a *attribute) {
				a.CanonicalValues = []string{emailType}
			}),
			flag("primary", "Whether it is the one to use"),
		),
		listOf("roles", "User levels",
			text("value", "The user level").with(func(a *attribute) {
				a.CanonicalValues = []string{"ORG_ADMIN", "SOURCE_ADMIN", "SOURCE_SUBADMIN"}
			}),
			flag("primary", "Whether it is the only one, which is not kept but answered"),
		),
		fixed(listOf("groups", "The groups that the person is a member of",
			fixed(text("value", "The id of the group")),
			fixed(reference("$ref", "Where the group is", "Group")),
			fixed(text("display", "The name of the group")),
			fixed(text("type", "How the person is a member").with(func(a *attribute) { a.CanonicalValues = []string{"direct"} })),
		)),
	},
	extensions: []resource{enterprise},
	unkept: "nickName profileUrl title userType locale timezone password " +
		"phoneNumbers ims photos addresses entitlements x509Certificates",
}

var enterprise = resource{
	name: "EnterpriseUser", schema: schemaEnterprise, description: "What a person is in the organisation",
	attributes: []attribute{
		complexOf("manager", "Whom the person answers to",
			text("value", "The id of the manager"),
			fixed(reference("$ref", "Where the manager is", "User")),
			fixed(text("displayName", "The name of the manager")),
		),
	},
	unkept: "employeeNumber costCenter organization division department",
}

var groups = resource{
	name: "Group", schema: schemaGroup, endpoint: "/Groups", description: "A workgroup",
	attributes: []attribute{
		text("displayName", "The name; unique without regard to case").with(func(a *attribute) {
			a.Required, a.Uniqueness = true, "server"
		}),
		listOf("members", "The members, who are users",
			text("value", "The id of the user").with(func(a *attribute) { a.Mutability = immutable }),
			reference("$ref", "Where the user is", "User").with(func(a *attribute) { a.Mutability = immutable }),
			text("type", "What the member is").with(func(a *attribute) {
				a.CanonicalValues, a.Mutability = []string{memberType}, immutable
			}),
			fixed(text("display", "The name of the user")),
		),
	},
}

// find returns the attribute of that name, which is compared without regard to
// case.
func find(attributes []attribute, name string) (attribute, bool) {
	for _, a := range attributes {
		if strings.EqualFold(a.Name, name) {
			return a, true
		}
	}
	return attribute{}, false
}

// attribute finds one of the resource, the common ones among them.
func (r resource) attribute(name string) (attribute, bool) {
	if a, ok := find(r.attributes, name); ok {
		return a, true
	}
	return find(common, name)
}

// isUnkept: RFC 7643 has an attribute of that name, and the service lets it go.
func (r resource) isUnkept(name string) bool {
	for known := range strings.FieldsSeq(r.unkept) {
		if strings.EqualFold(known, name) {
			return true
		}
	}
	return strings.EqualFold(name, "schemas")
}

// local takes the URN of the resource's own schema from a name. foreign is true
// for a name under any other URN, whose attributes are let go.
func (r resource) local(name string) (rest string, foreign bool) {
	if len(name) < len(urnPrefix) || !strings.EqualFold(name[:len(urnPrefix)], urnPrefix) {
		return name, false
	}
	if len(name) >= len(r.schema) && strings.EqualFold(name[:len(r.schema)], r.schema) {
		if rest := name[len(r.schema):]; rest == "" || rest[0] == ':' {
			return strings.TrimPrefix(rest, ":"), false
		}
	}
	return "", true
}

// extension finds the extension that a name is of, and the name within it, empty
// for the extension as a whole.
func (r resource) extension(name string) (of resource, rest string, ok bool) {
	for _, extension := range r.extensions {
		if !strings.EqualFold(name[:min(len(name), len(extension.schema))], extension.schema) {
			continue
		}
		if rest, foreign := extension.local(name); !foreign {
			return extension, rest, true
		}
	}
	return resource{}, "", false
}
