package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"gatehouse/cmd/internal/serve"
	"gatehouse/config"
	"gatehouse/lifecycle"
	"gatehouse/reconcile"
	"gatehouse/store"
	"gatehouse/telemetry"
	"gatehouse/workflowclient"
)

const (
	// settled is how long rows must have stood before their workflow is found to be
	// elsewhere; whatever is under way takes less, also while Temporal comes back from a
	// fault.
	settled = time.Minute
	// reconcileConcurrency is how many workflows are reached at once.
	reconcileConcurrency = 16
)

// reconcileAll brings Temporal in line with the database that environ names, and
// prints what it did. Whatever could not be brought in line is an error, and with
// --dry-run whatever is out of line.
func reconcileAll(ctx context.Context, args, environ []string, out io.Writer) error {
	flags := flag.NewFlagSet("reconcile", flag.ContinueOnError)
	dryRun := flags.Bool("dry-run", false, "")
	force := flags.Bool("force", false, "")
	format := flags.String("format", "text", "")
	if err := parse(flags, args); err != nil {
		return err
	}
	if *format != "text" && *format != "json" {
		return fmt.Errorf("--format %q: must be text or json", *format)
	}
	cfg, err := config.LoadReconcile(environ)
	if err != nil {
		return err
	}
	log := telemetry.NewLogger(os.Stderr, cfg.LogLevel, cfg.LogFormat, nil)
	rows, err := store.Open(ctx, store.Config{URL: string(cfg.Database.URL), MaxConns: 2, StatementTimeout: 5 * time.Minute})
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	if err := rows.Ready(ctx); err != nil {
		return err
	}
	dial := serve.DialOptions(cfg.Temporal)
	dial.Logger = log
	temporal, err := workflowclient.Dial(ctx, dial)
	if err != nil {
		return err
	}
	defer temporal.Close()
	reach := workflowclient.New(temporal, workflowclient.Options{Log: log})
	defer func() { _ = reach.Close(context.WithoutCancel(ctx)) }()

	report, err := reconcile.Run(ctx, rows, reach, reconcile.Options{
		DryRun: *dryRun, Force: *force, Settled: settled, Concurrency: reconcileConcurrency,
	})
	if errors.Is(err, reconcile.ErrStrange) {
		return fmt.Errorf("%w: look at it with --dry-run, and if it is right say so with --force", err)
	}
	// What was done before a fault is worth knowing.
	printFaults(os.Stderr, report)
	return errors.Join(printReport(out, report, *format), err, inLine(report))
}

// printFaults tells what could not be brought in line, with the cause.
func printFaults(out io.Writer, report reconcile.Report) {
	for _, fault := range report.Faults {
		_, _ = fmt.Fprintf(out, "%s %s: %s\n", fault.Kind, fault.ID, fault.Cause)
	}
}

// inLine is an error where something is out of line still.
func inLine(report reconcile.Report) error {
	switch {
	case len(report.Faults) > 0:
		return fmt.Errorf("%d could not be brought in line: try again", len(report.Faults))
	case report.DryRun && len(report.Deeds) > 0:
		return fmt.Errorf("%d are out of line", len(report.Deeds))
	}
	return nil
}

func printReport(out io.Writer, report reconcile.Report, format string) error {
	if format == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	kinds := append(lifecycle.EngineKinds(), lifecycle.EngineSchedule)
	for _, kind := range kinds {
		if n := report.Looked[kind]; n > 0 {
			fmt.Fprintf(out, "looked at\t%s\t%d\n", kind, n)
		}
	}
	type sort struct {
		kind     lifecycle.EngineKind
		did, why string
	}
	counts := map[sort]int{}
	var sorts []sort
	for _, deed := range report.Deeds {
		s := sort{deed.Kind, deed.Did, deed.Why}
		if counts[s]++; counts[s] == 1 {
			sorts = append(sorts, s)
		}
	}
	slices.SortFunc(sorts, func(a, b sort) int {
		return slices.Compare([]string{string(a.kind), a.did, a.why}, []string{string(b.kind), b.did, b.why})
	})
	doing := ""
	if report.DryRun {
		doing = "to be "
	}
	for _, s := range sorts {
		fmt.Fprintf(out, "%s%s\t%s\t%d\t%s\n", doing, s.did, s.kind, counts[s], s.why)
	}
	// What is ended is named, since nothing else names it any more, and what somebody has
	// to decide again.
	for _, deed := range report.Deeds {
		if deed.Did == reconcile.DidEnd || deed.Why == reconcile.WhyLost || deed.Why == reconcile.WhyAhead {
			fmt.Fprintf(out, "%s%s\t%s\t%s\t%s\n", doing, deed.Did, deed.Kind, deed.ID, deed.Why)
		}
	}
	if report.Moving > 0 {
		fmt.Fprintf(out, "moved just now, run it again in a minute\t%d\n", report.Moving)
	}
	for _, fault := range report.Faults {
		fmt.Fprintf(out, "fault\t%s\t%s\t%s\n", fault.Kind, fault.ID, fault.Fault)
	}
	if len(report.Deeds) == 0 && len(report.Faults) == 0 && report.Moving == 0 {
		fmt.Fprintln(out, "everything is in line")
	}
	return nil
}
