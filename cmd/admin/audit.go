package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"gatehouse/auditfile"
	"gatehouse/filter"
	"gatehouse/lifecycle"
	"gatehouse/service"
	"gatehouse/store"
)

// verifyAudit prints what is wrong with the audit trail, a line each, and how far
// it is in the chain. Any fault is an error.
func verifyAudit(ctx context.Context, s *store.Store, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("audit verify", flag.ContinueOnError)
	text := flags.String("expect", "", "")
	if err := parse(flags, args); err != nil {
		return err
	}
	var expected *lifecycle.ChainHead
	if *text != "" {
		head, err := lifecycle.ParseChainHead(*text)
		if err != nil {
			return fmt.Errorf("--expect: %w", err)
		}
		expected = &head
	}
	report, err := s.VerifyAudit(ctx, expected, func(fault lifecycle.AuditFault) error {
		_, err := fmt.Fprintln(out, "fault:", fault)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "sealed\t%d\nhead\t%s\nerased details\t%d\nnot sealed yet\t%d", report.Sealed, report.Head, report.Erased, report.Unsealed)
	if report.Unsealed > 0 {
		fmt.Fprintf(out, "\tthe oldest since %s", report.Oldest.Format(time.RFC3339))
	}
	fmt.Fprintf(out, "\nfaults\t%d\n", report.Faults)
	if report.Faults > 0 {
		return errors.New("the audit trail is not as it was written")
	}
	return nil
}

// exportAudit prints the audit trail.
func exportAudit(ctx context.Context, s *store.Store, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("audit export", flag.ContinueOnError)
	name := flags.String("format", string(auditfile.CSV), "")
	filters := flags.String("filters", "", "")
	if err := parse(flags, args); err != nil {
		return err
	}
	format, err := auditfile.ParseFormat(*name)
	if err != nil {
		return fmt.Errorf("--format: %w", err)
	}
	where, err := filter.Parse(*filters, filter.AuditEvents)
	if err != nil {
		return err
	}
	file, err := service.NewAuditFile(ctx, s, format, where)
	if err != nil {
		return err
	}
	for {
		piece, err := file.Next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if _, err := out.Write(piece); err != nil {
			return err
		}
	}
}
