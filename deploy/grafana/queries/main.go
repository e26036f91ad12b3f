// Command queries prints the queries of the dashboard that it is given as rules of
// Prometheus, so that promtool can read them; Grafana's own variables are filled in.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "queries:", err)
		os.Exit(1)
	}
}

// dashboard is what of a dashboard queries stand in.
type dashboard struct {
	Panels []struct {
		Targets []struct {
			Expr string `json:"expr"`
		} `json:"targets"`
	} `json:"panels"`
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give the file of one dashboard, not %d", len(args))
	}
	raw, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var board dashboard
	if err := json.Unmarshal(raw, &board); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	fmt.Println("groups:\n  - name: dashboard\n    rules:")
	count := 0
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			count++
			fmt.Printf("      - record: dashboard:query_%d\n        expr: %q\n",
				count, strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"))
		}
	}
	if count == 0 {
		return fmt.Errorf("%s: no panel has a query", args[0])
	}
	return nil
}
