// Command admin makes and changes the identities, workgroups, clients and signing
// keys of an organisation, verifies and exports its audit trail, erases people and
// brings Temporal in line, straight in the database. It reads GATEHOUSE_DATABASE_URL,
// GATEHOUSE_MIGRATION_DATABASE_URL for erasing, and where Temporal is for that.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/store"
)

const usage = `admin makes and changes identities, workgroups, tokens, clients and keys.

  admin init --alias A --name N [--email E]
  admin identity create --alias A --name N [--email E] [--level L]... [--manager ALIAS]
  admin identity list
  admin identity activate|deactivate ALIAS
  admin workgroup create --name N [--member ALIAS]...
  admin workgroup list
  admin workgroup add|remove NAME-OR-ID ALIAS
  admin token create --identity ALIAS --name N [--id ID] [--scope S]...
  admin token list [--identity ALIAS]
  admin token revoke ID
  admin client create --id ID --name N --identity ALIAS [--scope S]...
  admin client create --id ID --name N --right R... [--scope S]...
  admin client create --id ID --name N --scope gatehouse:scim
  admin client create --id ID --name N --scope gatehouse:audit
  admin client list
  admin client revoke ID
  admin client delete ID
  admin key list
  admin key rotate [--now]
  admin key remove KID
  admin audit verify [--expect POSITION:HASH]
  admin audit export [--format csv|ndjson] [--filters F]
  admin notifications preview EVENT [--lang L] [--format text|html|webhook]
  admin erase --record ID | --request ID | --account-name N --source ID |
              --email E | --identity ALIAS  [--dry-run]
  admin reconcile [--dry-run] [--force] [--format text|json]

init begins an organisation: it makes the first ORG_ADMIN with a personal access
token, and refuses where an ORG_ADMIN has one.

Levels: ORG_ADMIN, SOURCE_ADMIN, SOURCE_SUBADMIN.
Rights: idn:nesr:create, idn:nesr:read, idn:nesr:update, idn:nesr:delete.
Scopes: idn:nelm:read, idn:nelm:manage, sp:scopes:all (the default), and for an
application gatehouse:audit, which reads the audit trail, or gatehouse:scim, by
which a directory keeps people and groups, and which goes with nothing else.
A client with an identity is a personal access token, one with rights or one of
these scopes an application. A secret is printed once and kept only as a hash.
What is revoked or removed is refused by every API process within 10 seconds.

A new key signs in ten minutes, when everybody knows it, or at once with --now;
the one before it is removed when its last token is gone. To remove a key is to
end its tokens.

notifications preview shows what people and other systems are told of an event,
with made-up data, by the templates that GATEHOUSE_TEMPLATES_DIR replaces. It needs
no database.

audit verify ends with 1 if anything about the audit trail is wrong.
erase removes a person's data: the one whom a record or request is about, who
has an account name in a source or an address of their own, or an identity.

reconcile brings the workflows in Temporal in line with the database, after one of
the two was restored to an earlier moment or lost. It may run beside everything else.
It ends with 1 if something could not be brought in line, and with --dry-run, which
changes nothing, if anything is out of line. What has moved within the last minute it
leaves alone. It refuses a database without a request, or without rows for most of
what runs; --force says that it is the right one.

GATEHOUSE_DATABASE_URL names the database, for erase
GATEHOUSE_MIGRATION_DATABASE_URL as the role that owns the tables; for reconcile
the GATEHOUSE_TEMPORAL_ settings say where Temporal is.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	switch args := os.Args[1:]; {
	case len(args) > 0 && args[0] == "erase":
		err = erase(ctx, args[1:], os.Getenv(ownerVariable), os.Stdout)
	case len(args) > 0 && args[0] == "reconcile":
		err = reconcileAll(ctx, args[1:], os.Environ(), os.Stdout)
	case len(args) > 1 && args[0] == "notifications" && args[1] == "preview":
		err = preview(args[2:], os.Getenv(templatesVariable), os.Stdout)
	default:
		err = run(ctx, args, os.Getenv("GATEHOUSE_DATABASE_URL"), os.Stdout)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "admin:", err)
		os.Exit(1)
	}
}

// commands are keyed by their first two words, or the one that init is.
var commands = map[string]func(ctx context.Context, s *store.Store, args []string, out io.Writer) error{
	"identity create":     createIdentity,
	"identity list":       listIdentities,
	"identity activate":   setActive(true),
	"identity deactivate": setActive(false),
	"workgroup create":    createWorkgroup,
	"workgroup list":      listWorkgroups,
	"workgroup add":       changeMember((*store.Store).AddWorkgroupMember),
	"workgroup remove":    changeMember((*store.Store).RemoveWorkgroupMember),
	"token create":        createToken,
	"token list":          listTokens,
	"token revoke":        revokeToken,
	"client create":       createClient,
	"client list":         listClients,
	"client revoke":       revokeClient,
	"client delete":       deleteClient,
	"key list":            listKeys,
	"key rotate":          rotateKey,
	"key remove":          removeKey,
	"audit verify":        verifyAudit,
	"audit export":        exportAudit,
	"init":                begin,
}

// run carries out one command line; its errors are for people to read.
func run(ctx context.Context, args []string, databaseURL string, out io.Writer) error {
	named := min(2, len(args))
	if named > 0 && args[0] == "init" {
		named = 1
	}
	name := strings.Join(args[:named], " ")
	command, ok := commands[name]
	if !ok {
		_, _ = io.WriteString(out, usage)
		if named == 0 {
			return errors.New("a command is needed")
		}
		return fmt.Errorf("there is no command %q", name)
	}
	if databaseURL == "" {
		return errors.New("GATEHOUSE_DATABASE_URL is not set")
	}
	s, err := store.Open(ctx, store.Config{URL: databaseURL, MaxConns: 2, StatementTimeout: 30 * time.Second})
	if err != nil {
		return err
	}
	ctx = lifecycle.WithOrigin(ctx, lifecycle.Origin{
		Channel: lifecycle.ChannelCommandLine, Operation: "admin " + name,
	})
	err = command(ctx, s, args[named:], out)
	return errors.Join(err, s.Close())
}

// words is a flag that may be given several times.
type words []string

func (w *words) String() string     { return strings.Join(*w, ",") }
func (w *words) Set(s string) error { *w = append(*w, s); return nil }

func parse(flags *flag.FlagSet, args []string) error {
	flags.SetOutput(io.Discard)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not expected", flags.Arg(0))
	}
	return nil
}

func createIdentity(ctx context.Context, s *store.Store, args []string, out io.Writer) error {
	var levels words
	flags := flag.NewFlagSet("identity create", flag.ContinueOnError)
	alias := flags.String("alias", "", "")
	name := flags.String("name", "", "")
	email := flags.String("email", "", "")
	manager := flags.String("manager", "", "")
	flags.Var(&levels, "level", "")
	if err := parse(flags, args); err != nil {
		return err
	}
	identity, err := newIdentity(*alias, *name, *email, levels)
	if err != nil {
		return err
	}
	if *manager != "" {
		found, err := find(ctx, s, *manager)
		if err != nil {
			return err
		}
		identity.Manager = found.ID
	}
	if err := s.CreateIdentity(ctx, identity); err != nil {
		return err
	}
	fmt.Fprintln(out, identity.ID)
	return nil
}

// newIdentity judges what was given of an identity.
func newIdentity(alias, name, email string, levels []string) (lifecycle.Identity, error) {
	identity := lifecycle.Identity{
		ID: lifecycle.NewID(), Alias: lifecycle.Normalize(alias), Name: lifecycle.Normalize(name),
		Email: lifecycle.Normalize(email), Active: true, Created: now(), Modified: now(),
	}
	if identity.Alias == "" || identity.Name == "" {
		return lifecycle.Identity{}, errors.New("--alias and --name are needed")
	}
	for _, level := range levels {
		if !lifecycle.IsLevel(lifecycle.Level(level)) {
			return lifecycle.Identity{}, fmt.Errorf("--level %q: must be %s", level, lifecycle.LevelNames)
		}
		identity.Levels = append(identity.Levels, lifecycle.Level(level))
	}
	return identity, nil
}

func listIdentities(ctx context.Context, s *store.Store, args []string, out io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("%q is not expected", args[0])
	}
	identities, err := s.ListIdentities(ctx)
	if err != nil {
		return err
	}
	for _, identity := range identities {
		state := "active"
		if !identity.Active {
			state = "inactive"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%v\n", identity.ID, identity.Alias, state, identity.Levels)
	}
	return nil
}

func setActive(active bool) func(context.Context, *store.Store, []string, io.Writer) error {
	return func(ctx context.Context, s *store.Store, args []string, _ io.Writer) error {
		if len(args) != 1 {
			return errors.New("one alias is needed")
		}
		identity, err := find(ctx, s, args[0])
		if err != nil {
			return err
		}
		return s.SetIdentityActive(ctx, identity.ID, active)
	}
}

func createWorkgroup(ctx context.Context, s *store.Store, args []string, out io.Writer) error {
	var members words
	flags := flag.NewFlagSet("workgroup create", flag.ContinueOnError)
	name := flags.String("name", "", "")
	flags.Var(&members, "member", "")
	if err := parse(flags, args); err != nil {
		return err
	}
	group := lifecycle.Workgroup{ID: lifecycle.NewID(), Name: lifecycle.Normalize(*name), Created: now()}
	if group.Name == "" {
		return errors.New("--name is needed")
	}
	for _, alias := range members {
		identity, err := find(ctx, s, alias)
		if err != nil {
			return err
		}
		group.Members = append(group.Members, identity.ID)
	}
	if err := s.CreateWorkgroup(ctx, group); err != nil {
		return err
	}
	fmt.Fprintln(out, group.ID)
	return nil
}

func listWorkgroups(ctx context.Context, s *store.Store, args []string, out io.Writer) error {
	if len(args) > 0 {
		return fmt.Errorf("%q is not expected", args[0])
	}
	for offset := 0; ; offset += filter.MaxLimit {
		groups, _, err := s.ListWorkgroups(ctx, filter.Query{
			Sort: []filter.Order{{Field: "name"}}, Limit: filter.MaxLimit, Offset: offset,
		})
		if err != nil {
			return err
		}
		for _, group := range groups {
			fmt.Fprintf(out, "%s\t%s\t%d\n", group.ID, group.Name, group.Members)
		}
		if len(groups) < filter.MaxLimit {
			return nil
		}
	}
}

func changeMember(change func(s *store.Store, ctx context.Context, group, identity lifecycle.ID) error) func(context.Context, *store.Store, []string, io.Writer) error {
	return func(ctx context.Context, s *store.Store, args []string, _ io.Writer) error {
		if len(args) != 2 {
			return errors.New("a workgroup and an alias are needed")
		}
		group, err := s.FindWorkgroup(ctx, args[0])
		if err != nil {
			return err
		}
		identity, err := find(ctx, s, args[1])
		if err != nil {
			return err
		}
		return change(s, ctx, group.ID, identity.ID)
	}
}

func find(ctx context.Context, s *store.Store, alias string) (lifecycle.Identity, error) {
	identity, err := s.FindIdentity(ctx, alias)
	if err != nil && lifecycle.KindOf(err) == lifecycle.KindNotFound {
		return lifecycle.Identity{}, fmt.Errorf("there is no identity %q", alias)
	}
	return identity, err
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
