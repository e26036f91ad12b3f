// Command bench measures Gatehouse against baselines that run in the same run
// on the same Postgres and the same Temporal server, and prints the ratios. It
// starts the real programs through the launcher and stops them again.
//
//	go run ./bench [-out FILE] [-only approvals,reads,bulk,audit,lifecycle,cost,growth] [-requests N] [-reads N] [-rows N]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// result is one line of the report.
type result struct {
	Name string `json:"name"`
	// Baseline and Ours are in the unit that Unit names.
	Baseline float64 `json:"baseline"`
	Ours     float64 `json:"ours"`
	Unit     string  `json:"unit"`
	// Ratio is Ours over Baseline.
	Ratio float64 `json:"ratio"`
	// Bar says what is asked for; Met whether it was.
	Bar string `json:"bar"`
	Met bool   `json:"met"`
}

func main() {
	out := flag.String("out", "bench/results/latest.json", "where the figures go, as JSON")
	requests := flag.Int("requests", 240, "requests in one measurement of the approval")
	reads := flag.Int("reads", 400, "calls in one measurement of a read")
	rows := flag.Int("rows", 1_000_000, "rows of the large file of the bulk measurements, and records of those of the lifecycle")
	only := flag.String("only", "approvals,reads,bulk,audit,lifecycle,cost,growth", "what is measured, separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	results, err := run(ctx, strings.Split(*only, ","), *requests, *reads, *rows)
	stop()
	// What was measured before something failed is worth its time.
	err = errors.Join(err, report(*out, results))
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only []string, requests, reads, rows int) ([]result, error) {
	rig, err := newRig(ctx, rows, "")
	if err != nil {
		return nil, err
	}
	defer rig.close()
	var results []result
	for _, part := range only {
		var measured []result
		switch part {
		case "approvals":
			measured, err = rig.approvals(ctx, requests)
		case "reads":
			measured, err = rig.reads(ctx, reads)
		case "bulk":
			measured, err = rig.bulk(ctx, rows)
		case "audit":
			measured, err = rig.audit(ctx, requests)
		case "lifecycle":
			measured, err = rig.lifecycle(ctx, rows)
		case "cost":
			measured, err = rig.cost(ctx)
		case "growth":
			measured, err = rig.growth(ctx, reads/4)
		default:
			err = fmt.Errorf("there is nothing called %q to measure", part)
		}
		results = append(results, measured...)
		if err != nil {
			return results, fmt.Errorf("%s: %w", part, err)
		}
	}
	return results, nil
}

func report(path string, results []result) error {
	fmt.Printf("%-84s %12s %12s %8s  %s\n", "what", "baseline", "ours", "ratio", "bar")
	for _, r := range results {
		verdict := "met"
		if !r.Met {
			verdict = "MISSED"
		}
		fmt.Printf("%-84s %8.2f %-3s %8.2f %-3s %7.2fx  %s: %s\n", r.Name, r.Baseline, r.Unit, r.Ours, r.Unit, r.Ratio, r.Bar, verdict)
	}
	text, err := json.MarshalIndent(map[string]any{"at": time.Now().UTC().Format(time.RFC3339), "results": results}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll("bench/results", 0o750); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}

// percentile returns the p-th percentile of the durations in milliseconds.
func percentile(durations []time.Duration, p float64) float64 {
	sorted := slices.Sorted(slices.Values(durations))
	if len(sorted) == 0 {
		return 0
	}
	i := min(int(p*float64(len(sorted))), len(sorted)-1)
	return float64(sorted[i]) / float64(time.Millisecond)
}
