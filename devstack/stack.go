package devstack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The variables that the programs read and the stack sets.
const (
	variableDatabase      = "GATEHOUSE_DATABASE_URL"
	variableMigration     = "GATEHOUSE_MIGRATION_DATABASE_URL"
	variableTemporal      = "GATEHOUSE_TEMPORAL_ADDRESS"
	variableNamespace     = "GATEHOUSE_TEMPORAL_NAMESPACE"
	variableAPI           = "GATEHOUSE_API_ADDRESS"
	variableAPIMetrics    = "GATEHOUSE_API_METRICS_ADDRESS"
	variableWorkerMetrics = "GATEHOUSE_WORKER_METRICS_ADDRESS"
	variableIssuer        = "GATEHOUSE_ISSUER"
	variableDemo          = "GATEHOUSE_DEMO"
	variableMail          = "GATEHOUSE_SMTP_ADDRESS"
	variableMailSecurity  = "GATEHOUSE_SMTP_SECURITY"
	variableHookHTTP      = "GATEHOUSE_WEBHOOK_ALLOW_HTTP"
	variableHookNetworks  = "GATEHOUSE_WEBHOOK_ALLOWED_NETWORKS"
)

// The variables that only the stack reads.
const (
	variableDir          = "GATEHOUSE_DEV_DIR"
	variablePostgresPort = "GATEHOUSE_DEV_POSTGRES_PORT"
	variableTemporalPort = "GATEHOUSE_DEV_TEMPORAL_PORT"
	variableUIPort       = "GATEHOUSE_DEV_TEMPORAL_UI_PORT"
	variableMailPort     = "GATEHOUSE_DEV_MAIL_PORT"
	variableMailUIPort   = "GATEHOUSE_DEV_MAIL_UI_PORT"
)

// Options say how a Stack is run. The zero value of everything but Dir is right
// for tests: free ports, nothing durable, no Web UI.
type Options struct {
	// Dir takes all state and the logs. It must be empty, not exist, or have
	// been a stack's before. Only one stack at a time runs in it.
	Dir string

	// APIAddress, APIMetricsAddress and WorkerMetricsAddress are host:port on
	// loopback; empty stands for a free port.
	APIAddress, APIMetricsAddress, WorkerMetricsAddress string
	// PostgresPort, TemporalPort, TemporalUIPort and those of the mail catcher and
	// its page are on loopback; 0 stands for a free one.
	PostgresPort, TemporalPort, TemporalUIPort, MailPort, MailUIPort int

	// DatabaseURL and MigrationURL lead to a Postgres of the caller's, as the
	// application's role and as the owner of the tables; the stack then runs
	// none. An empty MigrationURL stands for DatabaseURL.
	DatabaseURL, MigrationURL string
	// TemporalAddress leads to a Temporal of the caller's; the stack then runs none.
	TemporalAddress string
	// Namespace of Temporal; empty stands for DefaultNamespace.
	Namespace string

	// Copies is how many processes of api and of worker run, 0 standing for one of
	// each. Where there are more, APIAddress is that of a balancer in front of them.
	Copies int
	// Links puts a [Link] between the programs, what they need, and their clients.
	Links bool

	// MailAddress leads to a mail server of the caller's; the stack then runs no catcher.
	MailAddress string

	// Durable keeps what is committed, whatever happens; see [PostgresOptions].
	// Temporal keeps its state in a file either way.
	Durable bool
	// WebUI runs Temporal with its Web UI.
	WebUI bool
	// Demo makes the demo organisation.
	Demo bool
	// Env are further variables of api, worker and migrate; they win over the
	// stack's own and over the caller's environment.
	Env map[string]string

	// BinDir holds api, worker and migrate ready built; empty has them built
	// into Dir, with the race detector if Race.
	BinDir string
	Race   bool

	// Log is told what goes on, a line each; nil for silence.
	Log io.Writer
	// Echo tells Log also the lines of api and worker that are not mere
	// information.
	Echo bool
}

// Stack is a running Gatehouse with all it needs. Each part may be stopped,
// killed and started again on its own; a restarted part comes back on the same
// ports and data.
type Stack struct {
	// Postgres, Temporal and Mail are nil where the caller has its own.
	Postgres *Postgres
	Temporal *Temporal
	Mail     *Mail
	API      Copies
	Worker   Copies
	Links    Links

	options Options
	// apis and workers are where the copies listen.
	apis, workers []listening
	bin           string
	say           sayFunc
	lock          *fileLock
	// running are the ends of what was started, in the order it was started.
	running []func(context.Context) error
}

const (
	startProgramTimeout = 90 * time.Second
	stopProgramGrace    = 30 * time.Second
	migrateTimeout      = 5 * time.Minute
	// marker says that a directory is a stack's and may be removed whole.
	marker = ".gatehouse-devstack"
)

// Start starts a stack in order: Postgres, the migrations, Temporal, api,
// worker; it returns when both programs say that they are ready. Before anything
// is started, what an earlier, killed run left behind is ended, every port is
// looked at and all that are taken are named in the error, Postgres is found, and
// the programs are built. After an error nothing is left running.
func Start(ctx context.Context, o Options) (*Stack, error) {
	s := &Stack{options: o, say: sayTo(o.Log)}
	err := s.start(ctx)
	if err != nil {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return nil, errors.Join(err, s.Stop(stopping))
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context) error {
	dir, err := filepath.Abs(s.options.Dir)
	if err != nil {
		return err
	}
	s.options.Dir = dir
	if err := claimDir(dir); err != nil {
		return err
	}
	s.lock, err = tryLock(filepath.Join(dir, "lock"))
	if err != nil {
		return fmt.Errorf("a stack runs already in %s: %w", dir, err)
	}
	if err := endLeftovers(ctx, dir, s.say); err != nil {
		return err
	}
	if err := s.settle(); err != nil {
		return err
	}
	steps := []func(context.Context) error{
		s.obtainPostgres, s.build, s.startPostgres, s.migrate("up"), s.startTemporal, s.migrate("temporal"),
		s.startMail, s.startLinks, s.startAPI, s.startWorker,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// claimDir marks a directory as a stack's. One that has other things in it is
// refused, since cleaning removes it whole.
func claimDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 && !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == marker }) {
		return fmt.Errorf("%s is not empty and was not made by devstack: name another directory", dir)
	}
	if err := makeEnterable(dir); err != nil { // os.MkdirTemp, too, makes directories for one user alone
		return err
	}
	return os.WriteFile(filepath.Join(dir, marker), []byte("The state of a development stack; devstack clean removes it.\n"), 0o600)
}

func postgresDir(dir string) string      { return filepath.Join(dir, "postgres") }
func temporalDir(dir string) string      { return filepath.Join(dir, "temporal") }
func pidPath(dir, program string) string { return filepath.Join(dir, "run", program+".pid") }
func (s *Stack) logPath(name string) string {
	return filepath.Join(s.options.Dir, "log", name+".log")
}

// endLeftovers ends what a killed run left in dir, in the order of a stop.
func endLeftovers(ctx context.Context, dir string, say sayFunc) error {
	postgres := postgresDir(dir)
	var faults []error
	for _, program := range []string{"worker", "api"} {
		paths, _ := filepath.Glob(pidPath(dir, program+"*"))
		for _, path := range paths {
			faults = append(faults, endLeftover(ctx, path, syscall.SIGTERM, stopProgramGrace, say))
		}
	}
	faults = append(faults,
		endLeftover(ctx, filepath.Join(temporalDir(dir), "temporal.pid"), syscall.SIGTERM, stopTemporalGrace, say),
		endLeftover(ctx, filepath.Join(postgres, "postgres.pid"), syscall.SIGINT, stopPostgresGrace, say),
	)
	if os.Geteuid() == 0 { // nobody else has data there
		faults = append(faults, endLeftover(ctx, filepath.Join(postgresFallback(postgres), "postgres.pid"), syscall.SIGINT, stopPostgresGrace, say))
	}
	return errors.Join(faults...)
}

// settle fills in what the options leave open and checks every port that they
// name.
func (s *Stack) settle() error {
	o := &s.options
	if o.Namespace == "" {
		o.Namespace = DefaultNamespace
	}
	if o.MigrationURL == "" {
		o.MigrationURL = o.DatabaseURL
	}
	var uses []portUse
	picked := map[string]bool{}
	// free finds an address that has not been found before.
	free := func(address *string) error {
		for *address == "" {
			port, err := FreePort()
			if err != nil {
				return err
			}
			if found := hostPort(port); !picked[found] {
				*address, picked[found] = found, true
			}
		}
		return nil
	}
	for _, address := range []struct {
		value          *string
		what, variable string
	}{
		{&o.APIAddress, "API", variableAPI},
		{&o.APIMetricsAddress, "metrics of the API", variableAPIMetrics},
		{&o.WorkerMetricsAddress, "metrics of the worker", variableWorkerMetrics},
	} {
		picked[*address.value] = true
		if err := free(address.value); err != nil {
			return err
		}
		uses = append(uses, portUse{address.what, address.variable, *address.value})
	}
	o.Copies = max(o.Copies, 1)
	s.apis = []listening{{o.APIAddress, o.APIMetricsAddress}}
	s.workers = []listening{{"", o.WorkerMetricsAddress}}
	if s.fronted() {
		s.apis[0].api = ""
	}
	for len(s.apis) < o.Copies {
		s.apis, s.workers = append(s.apis, listening{}), append(s.workers, listening{})
	}
	for i := range o.Copies {
		if err := errors.Join(free(&s.apis[i].api), free(&s.apis[i].metrics), free(&s.workers[i].metrics)); err != nil {
			return err
		}
	}
	fixed := func(port int, what, variable string) {
		if port != 0 {
			uses = append(uses, portUse{what, variable, hostPort(port)})
		}
	}
	if o.TemporalAddress == "" {
		fixed(o.TemporalPort, "Temporal server", variableTemporalPort)
		if o.WebUI {
			fixed(o.TemporalUIPort, "Temporal Web UI", variableUIPort)
		}
	}
	if o.MailAddress == "" {
		fixed(o.MailPort, "mail catcher", variableMailPort)
		fixed(o.MailUIPort, "page of the mail catcher", variableMailUIPort)
	}
	if o.DatabaseURL == "" {
		fixed(o.PostgresPort, "Postgres server", variablePostgresPort)
	}
	return checkPorts(uses)
}

// obtainPostgres sees to it that there is a PostgreSQL to start: who has none is
// told before the programs are built, which takes longer.
func (s *Stack) obtainPostgres(ctx context.Context) error {
	if s.options.DatabaseURL != "" {
		return nil
	}
	_, _, err := obtainPostgres(ctx, postgresDir(s.options.Dir), s.say)
	return err
}

func (s *Stack) build(ctx context.Context) error {
	o := s.options
	if s.bin = o.BinDir; s.bin != "" {
		return nil
	}
	root, err := ModuleRoot()
	if err != nil {
		return err
	}
	s.say("building api, worker and migrate")
	s.bin = filepath.Join(o.Dir, "bin")
	return Build(ctx, root, s.bin, o.Race, "api", "worker", "migrate")
}

func (s *Stack) startPostgres(ctx context.Context) error {
	o := s.options
	if o.DatabaseURL != "" {
		s.say("using the Postgres that %s names", variableDatabase)
		return nil
	}
	s.say("starting Postgres")
	postgres, err := StartPostgres(ctx, PostgresOptions{
		Dir: postgresDir(o.Dir), Port: o.PostgresPort, Durable: o.Durable,
		LogPath: s.logPath("postgres"), Log: o.Log,
	})
	if err != nil {
		return err
	}
	s.Postgres = postgres
	s.running = append(s.running, postgres.Stop)
	return nil
}

func (s *Stack) startTemporal(ctx context.Context) error {
	o := s.options
	if o.TemporalAddress != "" {
		s.say("using the Temporal that %s names", variableTemporal)
		return nil
	}
	s.say("starting Temporal")
	temporal, err := StartTemporal(ctx, TemporalOptions{
		Dir: temporalDir(o.Dir), Port: o.TemporalPort, UIPort: o.TemporalUIPort,
		Headless: !o.WebUI, File: true, Namespace: o.Namespace,
		LogPath: s.logPath("temporal"), Log: o.Log,
	})
	if err != nil {
		return err
	}
	s.Temporal = temporal
	s.running = append(s.running, temporal.Stop)
	return nil
}

func (s *Stack) startMail(ctx context.Context) error {
	o := s.options
	if o.MailAddress != "" {
		s.say("using the mail server that %s names", variableMail)
		return nil
	}
	mail, err := StartMail(ctx, o.MailPort, o.MailUIPort)
	if err != nil {
		return err
	}
	s.Mail = mail
	s.running = append(s.running, mail.Stop)
	return nil
}

// migrate returns the step that runs one command of the program migrate.
func (s *Stack) migrate(what string) func(context.Context) error {
	return func(ctx context.Context) error {
		s.say("migrate %s", what)
		ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
		defer cancel()
		path := s.logPath("migrate")
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		log, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer func() { _ = log.Close() }()
		c := s.program("migrate")
		c.args, c.output = []string{what}, log
		if _, err := runCommand(ctx, c); err != nil {
			return fmt.Errorf("migrate %s: %w%s", what, err, tailOf(path))
		}
		return nil
	}
}

func (s *Stack) program(name string, environs ...map[string]string) command {
	environ := os.Environ()
	for _, variables := range append([]map[string]string{s.Environ()}, environs...) {
		for variable, value := range variables {
			environ = append(environ, variable+"="+value)
		}
	}
	return command{path: filepath.Join(s.bin, name), env: environ, dir: s.options.Dir}
}

// worthTelling drops the lines of a structured log that are mere information;
// what is not of that form, as the trace of a panic, is told.
func worthTelling(line string) bool {
	for _, level := range []string{`"level":"INFO"`, `"level":"DEBUG"`, "level=INFO", "level=DEBUG"} {
		if strings.Contains(line, level) {
			return false
		}
	}
	return line != ""
}

// programReady asks a program for its readiness; the error says what is missing.
func programReady(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// A connection of its own: a kept one would outlive the process it led to.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d: %s", url, response.StatusCode, strings.TrimSpace(string(body)))
	}
	return nil
}

// Stop stops everything in the reverse order of its start. What does not stop
// in time, or by the end of ctx, is killed.
func (s *Stack) Stop(ctx context.Context) error {
	var faults []error
	for _, stop := range slices.Backward(s.running) {
		faults = append(faults, stop(ctx))
	}
	s.running = nil
	s.lock.release()
	s.lock = nil
	return errors.Join(faults...)
}

// Environ is what the stack sets for api, worker and migrate, and what it takes
// to start one of them by hand. Where there are copies it has the addresses of the
// first one.
func (s *Stack) Environ() map[string]string {
	o := s.options
	environ := map[string]string{
		variableDatabase:      o.DatabaseURL,
		variableMigration:     o.MigrationURL,
		variableTemporal:      s.TemporalAddress(),
		variableNamespace:     o.Namespace,
		variableAPI:           s.apis[0].api,
		variableAPIMetrics:    o.APIMetricsAddress,
		variableWorkerMetrics: o.WorkerMetricsAddress,
		variableDemo:          strconv.FormatBool(o.Demo),
	}
	if s.Postgres != nil {
		environ[variableDatabase] = s.Postgres.AppURL()
		environ[variableMigration] = s.Postgres.MigrationURL()
	}
	if s.Mail != nil {
		environ[variableMail], environ[variableMailSecurity] = s.Mail.Address(), "none"
	}
	if o.Demo {
		// So that a receiver on this machine can be tried.
		for variable, value := range map[string]string{variableHookHTTP: "true", variableHookNetworks: "127.0.0.0/8,::1/128"} {
			if os.Getenv(variable) == "" {
				environ[variable] = value
			}
		}
	}
	if os.Getenv(variableIssuer) == "" {
		environ[variableIssuer] = s.APIURL()
	}
	maps.Copy(environ, o.Env)
	return environ
}

// TemporalAddress is host:port of the Temporal in use. Before Temporal has
// started it is where it will be, if that is settled, and else empty.
func (s *Stack) TemporalAddress() string {
	switch {
	case s.options.TemporalAddress != "":
		return s.options.TemporalAddress
	case s.Temporal != nil:
		return s.Temporal.Address()
	case s.options.TemporalPort != 0:
		return hostPort(s.options.TemporalPort)
	default:
		return ""
	}
}

// APIURL is the base URL of the API, or of the balancer in front of it, without a
// slash at the end.
func (s *Stack) APIURL() string { return "http://" + reachable(s.options.APIAddress) }

// APIMetricsURL is the base URL of the metrics, health and readiness of the first
// copy of the API.
func (s *Stack) APIMetricsURL() string { return "http://" + reachable(s.options.APIMetricsAddress) }

// WorkerMetricsURL is the base URL of the metrics, health and readiness of the first
// copy of the worker.
func (s *Stack) WorkerMetricsURL() string {
	return "http://" + reachable(s.options.WorkerMetricsAddress)
}

// Dir is the directory of the stack's state, as an absolute path.
func (s *Stack) Dir() string { return s.options.Dir }

// Namespace is the Temporal namespace in use.
func (s *Stack) Namespace() string { return s.options.Namespace }

// reachable gives an address without a host one.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err == nil && host == "" {
		return net.JoinHostPort(Loopback, port)
	}
	return address
}
