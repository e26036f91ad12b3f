package document

import "gatehouse/lifecycle"

// Names of the members of personal access tokens and clients.
const (
	Scope      = "scope"
	Rights     = "rights"
	GrantTypes = "grantTypes"
	Enabled    = "enabled"
	URL        = "url"
	Events     = "events"
)

// Token reads the fields of a personal access token.
func (d Document) Token() lifecycle.TokenInput {
	r := d.reader()
	in := lifecycle.TokenInput{Name: r.text(Name), Scopes: r.texts(Scope)}
	in.Faults = r.faults
	return in
}

// Client reads the fields of an application client.
func (d Document) Client() lifecycle.ClientInput {
	r := d.reader()
	in := lifecycle.ClientInput{
		Name:        r.text(Name),
		Description: r.text(Description),
		Scopes:      r.texts(Scope),
		Rights:      r.texts(Rights),
		GrantTypes:  r.texts(GrantTypes),
		Enabled:     r.boolean(Enabled),
	}
	in.Faults = r.faults
	return in
}

// Webhook reads the fields of an endpoint of webhooks.
func (d Document) Webhook() lifecycle.WebhookInput {
	r := d.reader()
	in := lifecycle.WebhookInput{URL: r.text(URL), Events: r.texts(Events), Enabled: r.boolean(Enabled)}
	in.Faults = r.faults
	return in
}

func (r *reader) texts(name string) []string {
	return list(r, name, "a string", func(value any) (string, bool) {
		text, ok := value.(string)
		return text, ok
	})
}
