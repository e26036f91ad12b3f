package lifecycle

import "fmt"

// onlyGrant is the one way to get a token that a client has.
const onlyGrant = "CLIENT_CREDENTIALS"

// maxGrants bounds the lists of what a client may do.
const maxGrants = 20

// TokenInput is what a client sent of a personal access token. nil is absent.
type TokenInput struct {
	Name *string
	// Scopes is nil where the client did not say.
	Scopes []string
	// Faults is what was wrong while the input was read, to be told with the
	// rest.
	Faults Faults
}

// Judge normalises and judges a personal access token and returns all the faults
// there are: those found while reading first. name is required; without scopes
// it gets held, those of the token that asks, and it may have no others.
//
// Kinds: KindRequired, and KindIllegalValue for the rest.
func (in TokenInput) Judge(holds func(scope string) bool, held []string) (Client, Faults) {
	j := newJudge(in.Faults)
	client := Client{Name: j.text("name", in.Name, nameRule), Scopes: j.scopes(in.Scopes, holds, held)}
	return client, j.faults
}

// ClientInput is what a client sent of an application client. nil is absent.
type ClientInput struct {
	Name, Description          *string
	Scopes, Rights, GrantTypes []string
	Enabled                    *bool
	// Faults is what was wrong while the input was read, to be told with the
	// rest.
	Faults Faults
}

// Judge normalises and judges an application client and returns all the faults
// there are: those found while reading first. name is required; scopes are as
// those of a [TokenInput]; rights are those of contract §5, none where they are
// absent; an absent enabled is true.
//
// Kinds: KindRequired, and KindIllegalValue for the rest.
func (in ClientInput) Judge(holds func(scope string) bool, held []string) (Client, Faults) {
	j := newJudge(in.Faults)
	client := Client{
		Name:        j.text("name", in.Name, nameRule),
		Description: j.text("description", in.Description, textRule{max: MaxDataLength, optional: true, breaks: true}),
		Scopes:      j.scopes(in.Scopes, holds, held),
		Active:      in.Enabled == nil || *in.Enabled,
	}
	for i, right := range j.grants("rights", in.Rights) {
		if !IsRight(Right(right)) {
			j.faults.Add(KindIllegalValue, "rights", fmt.Sprintf("rights[%d] must be %s", i, RightNames))
		}
		client.Rights = append(client.Rights, Right(right))
	}
	for i, grant := range j.grants("grantTypes", in.GrantTypes) {
		if grant != onlyGrant {
			j.faults.Add(KindIllegalValue, "grantTypes", fmt.Sprintf("grantTypes[%d] must be %s", i, onlyGrant))
		}
	}
	return client, j.faults
}

func (j *judge) scopes(given []string, holds func(scope string) bool, held []string) []string {
	if given == nil {
		return held
	}
	if len(given) == 0 {
		j.missing("scope")
	}
	for i, scope := range j.grants("scope", given) {
		switch {
		case !IsScope(scope):
			j.faults.Add(KindIllegalValue, "scope", fmt.Sprintf("scope[%d] must be %s", i, ScopeNames))
		case !holds(scope):
			j.faults.Add(KindIllegalValue, "scope", fmt.Sprintf("scope[%d] goes beyond the token that asks", i))
		}
	}
	return given
}

// grants judges how long a list is, and returns it as far as it will be looked
// at.
func (j *judge) grants(field string, given []string) []string {
	if len(given) > maxGrants {
		j.faults.Add(KindIllegalValue, field, fmt.Sprintf("%s must not have more than %d elements", field, maxGrants))
		return nil
	}
	return given
}
