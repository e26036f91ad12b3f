package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"gatehouse/auth"
	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/policy"
	"gatehouse/store"
)

func begin(ctx context.Context, s *store.Store, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("init", flag.ContinueOnError)
	alias := flags.String("alias", "", "")
	name := flags.String("name", "", "")
	email := flags.String("email", "", "")
	if err := parse(flags, args); err != nil {
		return err
	}
	identity, err := newIdentity(*alias, *name, *email, []string{string(lifecycle.LevelOrgAdmin)})
	if err != nil {
		return err
	}
	client := lifecycle.Client{
		ID: newClientID(), Name: "First administrator", IdentityID: identity.ID, Scopes: []string{lifecycle.ScopeAll},
		Active: true, Created: now(),
	}
	return withSecret(client, out, func(client lifecycle.Client) error { return s.InitOrganisation(ctx, identity, client) })
}

// newClientID is an id for a client that nobody chose one for.
func newClientID() string { return strings.ReplaceAll(lifecycle.NewID().String(), "-", "") }

// withSecret gives the client a secret, and prints it once the client is kept.
func withSecret(client lifecycle.Client, out io.Writer, keep func(lifecycle.Client) error) error {
	secret, hash, err := auth.NewSecret()
	if err != nil {
		return err
	}
	client.SecretHash = hash
	if err := keep(client); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "client_id=%s\nclient_secret=%s\n", client.ID, secret)
	return err
}

func createToken(ctx context.Context, s *store.Store, args []string, out io.Writer) error {
	var scopes words
	flags := flag.NewFlagSet("token create", flag.ContinueOnError)
	id := flags.String("id", newClientID(), "")
	name := flags.String("name", "", "")
	alias := flags.String("identity", "", "")
	flags.Var(&scopes, "scope", "")
	if err := parse(flags, args); err != nil {
		return err
	}
	if *alias == "" {
		return errors.New("--identity is needed")
	}
	client, err := grant(nil, scopes)
	if err != nil {
		return err
	}
	return addClient(ctx, s, client, *id, *name, *alias, out)
}

func createClient(ctx context.Context, s *store.Store, args []string, out io.Writer) error {
	var rights, scopes words
	flags := flag.NewFlagSet("client create", flag.ContinueOnError)
	id := flags.String("id", "", "")
	name := flags.String("name", "", "")
	alias := flags.String("identity", "", "")
	flags.Var(&rights, "right", "")
	flags.Var(&scopes, "scope", "")
	if err := parse(flags, args); err != nil {
		return err
	}
	client, err := grant(rights, scopes)
	if err != nil {
		return err
	}
	directory := slices.Contains(client.Scopes, lifecycle.ScopeSCIM)
	application := len(client.Rights) > 0 || slices.Contains(client.Scopes, lifecycle.ScopeAudit)
	switch {
	case directory && (*alias != "" || len(client.Rights) > 0 || len(client.Scopes) > 1):
		return errors.New("--scope gatehouse:scim is for a client of its own, without --identity, --right and other scopes")
	case !directory && (*alias == "") == !application:
		return errors.New("either --identity or --right or --scope " + lifecycle.ScopeAudit + " is needed, and not both")
	}
	return addClient(ctx, s, client, *id, *name, *alias, out)
}

// addClient makes a personal access token of alias, or where that is empty an
// application.
func addClient(ctx context.Context, s *store.Store, client lifecycle.Client, id, name, alias string, out io.Writer) error {
	client.ID, client.Name, client.Active, client.Created = id, lifecycle.Normalize(name), true, now()
	if !lifecycle.IsClientID(client.ID) {
		return errors.New("--id must be 1 to 64 letters, digits, dots, underscores or hyphens")
	}
	if client.Name == "" {
		return errors.New("--name is needed")
	}
	if alias != "" {
		identity, err := find(ctx, s, alias)
		if err != nil {
			return err
		}
		client.IdentityID = identity.ID
	}
	return withSecret(client, out, func(client lifecycle.Client) error { return s.CreateClient(ctx, client) })
}

// grant judges what a client may do.
func grant(rights, scopes []string) (client lifecycle.Client, err error) {
	for _, right := range rights {
		if !lifecycle.IsRight(lifecycle.Right(right)) {
			return client, fmt.Errorf("--right %q: must be %s", right, lifecycle.RightNames)
		}
		client.Rights = append(client.Rights, lifecycle.Right(right))
	}
	if len(scopes) == 0 {
		scopes = []string{lifecycle.ScopeAll}
	}
	for _, scope := range scopes {
		if !lifecycle.IsScope(scope) {
			return client, fmt.Errorf("--scope %q: must be %s", scope, lifecycle.ScopeNames)
		}
		client.Scopes = append(client.Scopes, scope)
	}
	return client, nil
}

func listTokens(ctx context.Context, s *store.Store, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("token list", flag.ContinueOnError)
	alias := flags.String("identity", "", "")
	if err := parse(flags, args); err != nil {
		return err
	}
	reach := policy.Reach{All: true}
	if *alias != "" {
		identity, err := find(ctx, s, *alias)
		if err != nil {
			return err
		}
		reach = policy.Reach{OwnedBy: identity.ID}
	}
	return printClients(out, func(q filter.Query) ([]lifecycle.OwnedClient, error) {
		tokens, _, err := s.ListPersonalTokens(ctx, reach, q)
		return tokens, err
	})
}

func listClients(ctx context.Context, s *store.Store, args []string, out io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("%q is not expected", args[0])
	}
	return printClients(out, func(q filter.Query) ([]lifecycle.OwnedClient, error) {
		clients, _, err := s.ListApplications(ctx, q)
		return clients, err
	})
}

// printClients prints a line for each client of all pages.
func printClients(out io.Writer, page func(filter.Query) ([]lifecycle.OwnedClient, error)) error {
	for offset := 0; ; offset += filter.MaxLimit {
		clients, err := page(filter.Query{Limit: filter.MaxLimit, Offset: offset})
		if err != nil {
			return err
		}
		for _, c := range clients {
			state, used, holder := "active", "never", fmt.Sprint(c.Rights)
			if !c.Active {
				state = "inactive"
			}
			if !c.LastUsed.IsZero() {
				used = lifecycle.FormatTime(c.LastUsed)
			}
			if !c.Owner.ID.IsZero() {
				holder = c.Owner.Alias
			}
			_, err := fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%v\t%s\t%s\n",
				c.ID, c.Name, holder, state, c.Scopes, lifecycle.FormatTime(c.Created), used)
			if err != nil {
				return err
			}
		}
		if len(clients) < filter.MaxLimit {
			return nil
		}
	}
}

func revokeToken(ctx context.Context, s *store.Store, args []string, _ io.Writer) error {
	if len(args) != 1 {
		return errors.New("one token's id is needed")
	}
	token, _, err := s.GetClient(ctx, args[0])
	if err == nil && token.IdentityID.IsZero() {
		return fmt.Errorf("%q is an application's", args[0])
	}
	if err != nil {
		return err
	}
	return s.DeletePersonalToken(ctx, token.ID, token.IdentityID)
}

func revokeClient(ctx context.Context, s *store.Store, args []string, _ io.Writer) error {
	if len(args) != 1 {
		return errors.New("one client id is needed")
	}
	return s.SetClientActive(ctx, args[0], false)
}

func deleteClient(ctx context.Context, s *store.Store, args []string, _ io.Writer) error {
	if len(args) != 1 {
		return errors.New("one client id is needed")
	}
	return s.DeleteApplication(ctx, args[0])
}
