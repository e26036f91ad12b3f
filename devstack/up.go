package devstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Where things listen unless variables say otherwise, and where state lies.
const (
	defaultDir           = ".devstack"
	defaultAPI           = Loopback + ":8080"
	defaultAPIMetrics    = Loopback + ":9464"
	defaultWorkerMetrics = Loopback + ":9465"
	defaultTemporalPort  = 7233
	defaultUIPort        = 8233
	defaultPostgresPort  = 5433
	defaultMailPort      = 2525
	defaultMailUIPort    = 8025
)

// OptionsFromEnv reads the options of `make run` from the environment; see
// docs/development.md for the variables. All bad values are named at once.
func OptionsFromEnv(log io.Writer) (Options, error) {
	var faults []error
	port := func(variable string, standard int) int {
		text := os.Getenv(variable)
		if text == "" {
			return standard
		}
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || number > 65535 {
			faults = append(faults, fmt.Errorf("%s: %q is not a port between 1 and 65535", variable, text))
		}
		return number
	}
	o := Options{
		Dir:                  stateDir(),
		APIAddress:           envOr(variableAPI, defaultAPI),
		APIMetricsAddress:    envOr(variableAPIMetrics, defaultAPIMetrics),
		WorkerMetricsAddress: envOr(variableWorkerMetrics, defaultWorkerMetrics),
		PostgresPort:         port(variablePostgresPort, defaultPostgresPort),
		TemporalPort:         port(variableTemporalPort, defaultTemporalPort),
		TemporalUIPort:       port(variableUIPort, defaultUIPort),
		MailPort:             port(variableMailPort, defaultMailPort),
		MailUIPort:           port(variableMailUIPort, defaultMailUIPort),
		MailAddress:          os.Getenv(variableMail),
		DatabaseURL:          os.Getenv(variableDatabase),
		MigrationURL:         os.Getenv(variableMigration),
		TemporalAddress:      os.Getenv(variableTemporal),
		Namespace:            os.Getenv(variableNamespace),
		Durable:              true,
		WebUI:                true,
		Demo:                 true,
		Log:                  log,
		Echo:                 true,
	}
	return o, errors.Join(faults...)
}

func envOr(variable, standard string) string {
	if value := os.Getenv(variable); value != "" {
		return value
	}
	return standard
}

// stateDir is the directory of `make run`; a relative one is below the module's
// root, wherever the command is run.
func stateDir() string {
	dir := envOr(variableDir, defaultDir)
	if filepath.IsAbs(dir) {
		return dir
	}
	root, err := ModuleRoot()
	if err != nil {
		return dir
	}
	return filepath.Join(root, dir)
}

// Up runs the stack until ctx ends and then stops it in order. The end of hurry
// kills what is still running. Everything that the person at the terminal
// should know is written to out.
func Up(ctx, hurry context.Context, out io.Writer) error {
	o, err := OptionsFromEnv(out)
	if err != nil {
		return err
	}
	say := sayTo(out)
	s, err := Start(ctx, o)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		say("stopped before all was up")
		return nil
	}
	if err != nil {
		return err
	}
	envFile := filepath.Join(s.Dir(), "env")
	if err := s.writeEnv(envFile); err != nil {
		return errors.Join(err, s.Stop(hurry))
	}
	if _, err := io.WriteString(out, s.table(envFile)); err != nil {
		say("the table can't be written: %v", err)
	}
	<-ctx.Done()
	say("stopping; the state stays in %s", shown(s.Dir()))
	err = s.Stop(hurry)
	say("stopped")
	return err
}

// writeEnv writes what is needed to start a program by hand. It holds the
// passwords of the database, so nobody else may read it.
func (s *Stack) writeEnv(path string) error {
	environ := s.Environ()
	// The Temporal CLI reads these two.
	environ["TEMPORAL_ADDRESS"] = s.TemporalAddress()
	environ["TEMPORAL_NAMESPACE"] = s.Namespace()
	var text strings.Builder
	// The worker of the stack has the address of its metrics already.
	fmt.Fprintf(&text, "# To start another worker: (. %s; %s=%s %s/worker)\n", shown(path), variableWorkerMetrics, hostPort(0), shown(s.bin))
	for _, variable := range slices.Sorted(maps.Keys(environ)) {
		fmt.Fprintf(&text, "export %s=%s\n", variable, shellQuote(environ[variable]))
	}
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(fresh, []byte(text.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

func shellQuote(value string) string {
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// shown shortens a path below the working directory.
func shown(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	relative, err := filepath.Rel(here, path)
	if err != nil || strings.HasPrefix(relative, "..") {
		return path
	}
	return relative
}

// table is what `make run` prints when all is up.
func (s *Stack) table(envFile string) string {
	var text strings.Builder
	text.WriteString("\nGatehouse is up. Ctrl-C stops it; its state stays in " + shown(s.Dir()) + ".\n\n")
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { _, _ = fmt.Fprintln(w, "  "+strings.Join(cells, "\t")) }
	row("API", s.APIURL(), "documentation at "+s.APIURL()+"/docs")
	row("API metrics", s.APIMetricsURL()+"/metrics", "also /healthz and /readyz")
	row("worker metrics", s.WorkerMetricsURL()+"/metrics", "also /healthz and /readyz")
	if s.Temporal != nil {
		row("Temporal", s.Temporal.Address(), "namespace "+s.Namespace()+", CLI "+shown(s.Temporal.Binary()))
		row("Temporal Web UI", s.Temporal.UIURL(), "")
	} else {
		row("Temporal", s.TemporalAddress(), "yours; namespace "+s.Namespace())
	}
	if s.Mail != nil {
		row("mails", s.Mail.URL(), "what people are told; SMTP at "+s.Mail.Address())
	} else {
		row("mails", "yours", "see "+variableMail)
	}
	if s.Postgres != nil {
		row("Postgres", hostPort(s.Postgres.Port()), "database "+Database+", URLs in "+shown(envFile))
	} else {
		row("Postgres", "yours", "see "+variableDatabase)
	}
	row("logs", shown(filepath.Join(s.Dir(), "log")), "")
	_ = w.Flush()
	text.WriteString(`
Demo clients: id demo-NAME, secret demo-NAME-secret.
`)
	for _, client := range []struct{ name, what string }{
		{"app", "application with all four rights, no identity"},
		{"admin", "ORG_ADMIN"},
		{"source.admin", "SOURCE_ADMIN"},
		{"sub.admin", "SOURCE_SUBADMIN, member of the workgroup field-ops"},
		{"jane.doe, john.roe", "account managers to be"},
		{"approver.one, approver.two, approver.three", "approvers"},
		{"outsider", "nobody's approver or manager"},
	} {
		row(client.name, client.what)
	}
	_ = w.Flush()
	fmt.Fprintf(&text, `
Try next: a token, and with it the sources

  token=$(curl -s %[1]s/oauth/token -d grant_type=client_credentials -d client_id=demo-admin -d client_secret=demo-admin-secret | sed 's/.*"access_token": *"\([^"]*\)".*/\1/')
  curl -s -H "Authorization: Bearer $token" %[1]s/v3/non-employee-sources

The whole walk is in README.md.

`, s.APIURL())
	return trailingBlanks.ReplaceAllString(text.String(), "")
}

var trailingBlanks = regexp.MustCompile(`(?m) +$`)

// Clean removes the state of `make run`. A stack that runs there is an error.
func Clean(ctx context.Context, out io.Writer) error {
	say := sayTo(out)
	dir, err := filepath.Abs(stateDir())
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return removeFallback(dir)
	}
	if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
		return fmt.Errorf("%s was not made by devstack and is left alone", dir)
	}
	lock, err := tryLock(filepath.Join(dir, "lock"))
	if err != nil {
		return fmt.Errorf("a stack runs in %s, stop it first: %w", dir, err)
	}
	defer lock.release()
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := endLeftovers(limited, dir, say); err != nil {
		return err
	}
	if err := errors.Join(removeFallback(dir), os.RemoveAll(dir)); err != nil {
		return err
	}
	say("removed %s", dir)
	return nil
}

// removeFallback removes the data that lies outside of the state's directory.
func removeFallback(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	err := os.RemoveAll(postgresFallback(postgresDir(dir)))
	_ = os.Remove(fallbackRoot) // that of other checkouts keeps it
	return err
}
