// Command queries prints the queries of the dashboard on standard input as rules of
// Prometheus, so that promtool can read them; Grafana's own variables are filled in.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
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

func run(in io.Reader, out io.Writer) error {
	var board dashboard
	if err := json.NewDecoder(in).Decode(&board); err != nil {
		return fmt.Errorf("reading the dashboard: %w", err)
	}
	var rules strings.Builder
	rules.WriteString("groups:\n  - name: dashboard\n    rules:\n")
	count := 0
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			count++
			fmt.Fprintf(&rules, "      - record: dashboard:query_%d\n        expr: %q\n",
				count, strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"))
		}
	}
	if count == 0 {
		return errors.New("no panel has a query")
	}
	_, err := io.WriteString(out, rules.String())
	return err
}
