package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"gatehouse/lifecycle"
	"gatehouse/store"
)

// ownerVariable names the database as the role that owns the tables: the
// application's may not remove details of the audit trail.
const ownerVariable = "GATEHOUSE_MIGRATION_DATABASE_URL"

// outOfReach is what no erasure reaches, for whoever has to care for it.
const outOfReach = `Out of reach are files that were downloaded, backups, copies and logs of the database and what
it has not vacuumed yet; free texts that name the person without being about them, such as the
description of a source or the comment on somebody else's request; and the ids of objects, in the
audit trail too, among them that of a client if it was named after the person. Temporal has ids alone.
`

// erase carries out "erase" with these arguments on the database that url names.
func erase(ctx context.Context, args []string, url string, out io.Writer) (err error) {
	target, alias, dryRun, err := eraseTarget(args)
	if err != nil {
		return err
	}
	if url == "" {
		return errors.New(ownerVariable + " is not set: only the role that owns the tables may remove what the audit trail tells about people")
	}
	s, err := store.Open(ctx, store.Config{URL: url, MaxConns: 2, StatementTimeout: 10 * time.Minute})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	ctx = lifecycle.WithOrigin(ctx, lifecycle.Origin{Channel: lifecycle.ChannelCommandLine, Operation: "admin erase"})
	if alias != "" {
		// One that was deleted is found too, which has its name still.
		found, err := s.ResolveIdentities(ctx, []string{alias})
		if err != nil {
			return err
		}
		identity, ok := found[alias]
		if !ok {
			return fmt.Errorf("there is no identity %q", alias)
		}
		target.Identity = identity.ID
	}
	if !dryRun {
		// One that was interrupted is finished first: it knows what it has removed.
		if err := s.FinishErasures(ctx, func(e lifecycle.Erasure) { printErasure(out, "an interrupted one, erased", e) }); err != nil {
			return err
		}
	}
	person, err := s.FindErased(ctx, target)
	if err != nil {
		return err
	}
	if dryRun {
		counts, err := s.CountErasure(ctx, person)
		if err != nil {
			return err
		}
		printErasure(out, "would erase", counts)
		return nil
	}
	if _, err := s.BeginErasure(ctx, person); err != nil {
		return err
	}
	if err := s.FinishErasures(ctx, func(e lifecycle.Erasure) { printErasure(out, "erased", e) }); err != nil {
		return fmt.Errorf("%w (what is done is done; the next call of erase finishes it)", err)
	}
	_, err = io.WriteString(out, outOfReach)
	return err
}

// eraseTarget reads whom to erase; of an identity it is the alias.
func eraseTarget(args []string) (target lifecycle.ErasureTarget, alias string, dryRun bool, err error) {
	flags := flag.NewFlagSet("erase", flag.ContinueOnError)
	flags.TextVar(&target.Record, "record", lifecycle.ID{}, "")
	flags.TextVar(&target.Request, "request", lifecycle.ID{}, "")
	flags.TextVar(&target.Source, "source", lifecycle.ID{}, "")
	flags.StringVar(&target.AccountName, "account-name", "", "")
	flags.StringVar(&target.Email, "email", "", "")
	flags.StringVar(&alias, "identity", "", "")
	flags.BoolVar(&dryRun, "dry-run", false, "")
	if err := parse(flags, args); err != nil {
		return target, "", false, err
	}
	target.AccountName, target.Email = lifecycle.Normalize(target.AccountName), lifecycle.Normalize(target.Email)
	ways := 0
	for _, given := range []bool{
		!target.Record.IsZero(), !target.Request.IsZero(), target.AccountName != "", target.Email != "", alias != "",
	} {
		if given {
			ways++
		}
	}
	switch {
	case ways != 1:
		return target, "", false, errors.New("one of --record, --request, --account-name, --email and --identity is needed")
	case (target.AccountName != "") != !target.Source.IsZero():
		return target, "", false, errors.New("--account-name and --source go together")
	}
	return target, alias, dryRun, nil
}

// printErasure tells what is removed, and nothing about whom.
func printErasure(out io.Writer, what string, e lifecycle.Erasure) {
	if e.ID.IsZero() {
		fmt.Fprintf(out, "%s:\n", what)
	} else {
		fmt.Fprintf(out, "%s, as %s:\n", what, e.ID)
	}
	for _, line := range []struct {
		count int
		what  string
	}{
		{e.Records, "records"},
		{e.Requests, "requests, with their approval items and comments"},
		{e.Extensions, "parts of extensions, with what was said of these"},
		{e.StagedRows, "rows of files that wait"},
		{e.Faults, "rows of files that could not be taken"},
		{e.Exports, "files of exports"},
		{e.Changes, "audit entries: what was changed"},
		{e.Actors, "audit entries: client and address of who did it"},
		{e.Identities, "identities, of which the row stays"},
		{e.Clients, "clients"},
		{e.Mentions, "jobs, schedules and decisions that named a client"},
	} {
		fmt.Fprintf(out, "  %d\t%s\n", line.count, line.what)
	}
}
