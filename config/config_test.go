package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/devstack"
)

const (
	databaseURL  = "postgres://gatehouse:hunter2@db.example:5432/gatehouse" //nolint:gosec // nobody's password
	migrationURL = "postgres://owner:hunter2@db.example:5432/gatehouse"     //nolint:gosec // nobody's password
)

func TestDefaultsAreEnoughBesideTheDatabase(t *testing.T) {
	t.Parallel()
	api, err := LoadAPI([]string{"GATEHOUSE_DATABASE_URL=" + databaseURL})
	require.NoError(t, err)
	require.Equal(t, API{
		Common:          Common{LogLevel: slog.LevelInfo, LogFormat: "json"},
		Running:         Running{ShutdownTimeout: 20 * time.Second},
		Tracing:         Tracing{Protocol: "http/protobuf", Sampler: "parentbased_always_on", SamplerArg: 1},
		Database:        Database{URL: databaseURL, MaxConns: 20, StatementTimeout: 5 * time.Second},
		Temporal:        Temporal{Address: "127.0.0.1:7233", Namespace: "default"},
		Waiting:         Waiting{Day: 24 * time.Hour},
		Listen:          Listen{Address: "127.0.0.1:8080"},
		Tokens:          Tokens{Lifetime: time.Hour, Tenant: "gatehouse", Issuer: "http://127.0.0.1:8080", KeyRotation: 2160 * time.Hour},
		Limits:          Limits{Sources: 50, RecordsPerSource: 20_000},
		Serving:         Serving{MaxBodyBytes: 2 << 20, RateLimit: 100, Concurrency: 256},
		Uploads:         Uploads{MaxBytes: 256 << 20, Concurrency: 4, MinRate: 1024, Patience: 30 * time.Second},
		DecisionTimeout: 10 * time.Second,
		MetricsAddress:  "127.0.0.1:9464",
	}, api)

	worker, err := LoadWorker([]string{"GATEHOUSE_DATABASE_URL=" + databaseURL})
	require.NoError(t, err)
	require.Equal(t, Worker{
		Common: api.Common, Running: api.Running, Tracing: api.Tracing, Database: api.Database, Temporal: api.Temporal, Waiting: api.Waiting,
		Bulk:            Bulk{Concurrency: 2, JobRetention: 30 * 24 * time.Hour, ExportRetention: 7 * 24 * time.Hour},
		Mail:            Mail{Security: "starttls", From: "Gatehouse <gatehouse@localhost>"},
		Telling:         Telling{Language: "en", Retention: 30 * 24 * time.Hour},
		SignalDecisions: true, SweepInterval: 10 * time.Second, SweepRecheck: 10 * time.Minute, MetricsAddress: "127.0.0.1:9465",
	}, worker)

	migrate, err := LoadMigrate([]string{
		"GATEHOUSE_DATABASE_URL=" + databaseURL, "GATEHOUSE_MIGRATION_DATABASE_URL=" + migrationURL,
	})
	require.NoError(t, err)
	require.Equal(t, Migrate{
		Common: api.Common, MigrationURL: migrationURL, Database: api.Database, Temporal: api.Temporal,
	}, migrate)
}

func TestEverySettingIsRead(t *testing.T) {
	t.Parallel()
	authority, certificate := certificates(t)
	api, err := LoadAPI([]string{
		"PATH=/bin",
		"GATEHOUSE_DATABASE_URL=" + databaseURL,
		"GATEHOUSE_DATABASE_MAX_CONNS=7",
		"GATEHOUSE_STATEMENT_TIMEOUT=1500ms",
		"GATEHOUSE_TEMPORAL_ADDRESS=temporal.example:7233",
		"GATEHOUSE_TEMPORAL_NAMESPACE=people",
		"GATEHOUSE_TEMPORAL_TLS=true",
		"GATEHOUSE_TEMPORAL_TLS_CA_FILE=" + authority.CAFile,
		"GATEHOUSE_TEMPORAL_TLS_SERVER_NAME=temporal.example",
		"GATEHOUSE_TEMPORAL_TLS_CERT_FILE=" + certificate.CertFile,
		"GATEHOUSE_TEMPORAL_TLS_KEY_FILE=" + certificate.KeyFile,
		"GATEHOUSE_TEMPORAL_API_KEY=hunter2",
		"GATEHOUSE_API_ADDRESS=:8081",
		"GATEHOUSE_API_METRICS_ADDRESS=[::1]:9000",
		"GATEHOUSE_DEMO=false",
		"GATEHOUSE_DECISION_TIMEOUT=3s",
		"GATEHOUSE_POLICY_DAY=10s",
		"GATEHOUSE_MAX_SOURCES=51",
		"GATEHOUSE_MAX_RECORDS_PER_SOURCE=20001",
		"GATEHOUSE_TOKEN_LIFETIME=5m",
		"GATEHOUSE_TENANT=acme",
		"GATEHOUSE_ISSUER=https://gate.example",
		"GATEHOUSE_KEY_ROTATION=48h",
		"GATEHOUSE_OIDC_ISSUERS_FILE=/etc/gatehouse/issuers.json",
		"GATEHOUSE_RATE_LIMIT=7",
		"GATEHOUSE_MAX_CONCURRENCY=64",
		"GATEHOUSE_TRUSTED_PROXIES=10.0.0.0/8,fd00::/8",
		"GATEHOUSE_MAX_BODY_BYTES=4096",
		"GATEHOUSE_UPLOAD_MAX_BYTES=1048576",
		"GATEHOUSE_UPLOAD_CONCURRENCY=1",
		"GATEHOUSE_UPLOAD_MIN_RATE=0",
		"GATEHOUSE_UPLOAD_PATIENCE=1m",
		"GATEHOUSE_WEBHOOK_ALLOW_HTTP=true",
		"GATEHOUSE_WEBHOOK_ALLOWED_NETWORKS=10.0.0.0/8",
		"GATEHOUSE_SHUTDOWN_TIMEOUT=5s",
		"GATEHOUSE_LOG_LEVEL=debug",
		"GATEHOUSE_LOG_FORMAT=text",
		"OTEL_SDK_DISABLED=true",
		"OTEL_TRACES_EXPORTER=otlp",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://collector:4317/x",
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf",
		"OTEL_TRACES_SAMPLER=traceidratio",
		"OTEL_TRACES_SAMPLER_ARG=0.25",
	})
	require.NoError(t, err)
	require.Equal(t, API{
		Common:  Common{LogLevel: slog.LevelDebug, LogFormat: "text"},
		Running: Running{ShutdownTimeout: 5 * time.Second},
		Tracing: Tracing{
			Disabled: true, Exporter: "otlp", Endpoint: "http://collector:4318", TracesEndpoint: "https://collector:4317/x",
			Protocol: "grpc", TracesProtocol: "http/protobuf", Sampler: "traceidratio", SamplerArg: 0.25,
		},
		Database: Database{URL: databaseURL, MaxConns: 7, StatementTimeout: 1500 * time.Millisecond},
		Temporal: Temporal{
			Address: "temporal.example:7233", Namespace: "people", TLS: true, CAFile: authority.CAFile, ServerName: "temporal.example",
			CertFile: certificate.CertFile, KeyFile: certificate.KeyFile, APIKey: "hunter2",
		},
		Waiting: Waiting{Day: 10 * time.Second},
		Listen:  Listen{Address: ":8081"},
		Tokens:  Tokens{Lifetime: 5 * time.Minute, Tenant: "acme", Issuer: "https://gate.example", KeyRotation: 48 * time.Hour, IssuersFile: "/etc/gatehouse/issuers.json"},
		Limits:  Limits{Sources: 51, RecordsPerSource: 20_001},
		Serving: Serving{MaxBodyBytes: 4096, RateLimit: 7, Concurrency: 64, TrustedProxies: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"),
		}},
		Uploads:         Uploads{MaxBytes: 1 << 20, Concurrency: 1, Patience: time.Minute},
		Webhooks:        Webhooks{AllowHTTP: true, AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
		DecisionTimeout: 3 * time.Second,
		MetricsAddress:  "[::1]:9000",
	}, api)

	worker, err := LoadWorker([]string{
		"GATEHOUSE_DATABASE_URL=" + databaseURL,
		"GATEHOUSE_BULK_CONCURRENCY=32",
		"GATEHOUSE_JOB_RETENTION=1h",
		"GATEHOUSE_EXPORT_RETENTION=8760h",
		"GATEHOUSE_SIGNAL_DECISIONS=false",
		"GATEHOUSE_SMTP_ADDRESS=mail.example.com:25",
		"GATEHOUSE_SMTP_SECURITY=none",
		"GATEHOUSE_SMTP_ALLOW_PLAIN=true",
		"GATEHOUSE_SMTP_USER=gatehouse",
		"GATEHOUSE_SMTP_PASSWORD=hunter2",
		"GATEHOUSE_MAIL_FROM=Doors <doors@example.com>",
		"GATEHOUSE_WEBHOOK_ALLOW_HTTP=true",
		"GATEHOUSE_WEBHOOK_ALLOWED_NETWORKS=10.0.0.0/8",
		"GATEHOUSE_LANGUAGE=de",
		"GATEHOUSE_TEMPLATES_DIR=/etc/gatehouse/templates",
		"GATEHOUSE_NOTIFICATION_RETENTION=1h",
		"GATEHOUSE_SWEEP_INTERVAL=1m",
		"GATEHOUSE_SWEEP_RECHECK=1h",
		"GATEHOUSE_WORKER_DEPLOYMENT=gatehouse",
		"GATEHOUSE_WORKER_BUILD_ID=0.6-rc.1",
		"GATEHOUSE_WORKER_METRICS_ADDRESS=:9001",
	})
	require.NoError(t, err)
	require.Equal(t, Worker{
		Common:   Common{LogLevel: slog.LevelInfo, LogFormat: "json"},
		Running:  Running{ShutdownTimeout: 20 * time.Second},
		Tracing:  Tracing{Protocol: "http/protobuf", Sampler: "parentbased_always_on", SamplerArg: 1},
		Database: Database{URL: databaseURL, MaxConns: 20, StatementTimeout: 5 * time.Second},
		Temporal: Temporal{Address: "127.0.0.1:7233", Namespace: "default"},
		Waiting:  Waiting{Day: 24 * time.Hour},
		Bulk:     Bulk{Concurrency: 32, JobRetention: time.Hour, ExportRetention: 8760 * time.Hour},
		Mail: Mail{
			Address: "mail.example.com:25", Security: "none", AllowPlain: true, User: "gatehouse", Password: "hunter2", From: "Doors <doors@example.com>",
		},
		Webhooks:      Webhooks{AllowHTTP: true, AllowedNetworks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
		Telling:       Telling{Language: "de", TemplatesDir: "/etc/gatehouse/templates", Retention: time.Hour},
		SweepInterval: time.Minute, SweepRecheck: time.Hour, Deployment: Deployment{Name: "gatehouse", BuildID: "0.6-rc.1"}, MetricsAddress: ":9001",
	}, worker)
}

func TestAllBadSettingsAreNamedAtOnceAndNoneIsEchoed(t *testing.T) {
	t.Parallel()
	_, err := LoadAPI([]string{
		"GATEHOUSE_DATABASE_URL=mysql://root:hunter2@db/x",
		"GATEHOUSE_DATABASE_MAX_CONNS=hunter2",
		"GATEHOUSE_STATEMENT_TIMEOUT=5",
		"GATEHOUSE_MAX_SOURCES=0",
		"GATEHOUSE_TOKEN_LIFETIME=25h",
		"GATEHOUSE_DEMO=true",
		"GATEHOUSE_API_ADDRESS=0.0.0.0:8080",
		"GATEHOUSE_LOG_LEVEL=loud",
	})
	require.EqualError(t, err, strings.Join([]string{
		"GATEHOUSE_LOG_LEVEL must be debug, info, warn or error",
		"GATEHOUSE_DATABASE_URL must be a URL like postgres://user:password@host:5432/database",
		"GATEHOUSE_DATABASE_MAX_CONNS must be a whole number of connections from 2 to 1000",
		"GATEHOUSE_STATEMENT_TIMEOUT must be a duration from 100ms to 10m",
		"GATEHOUSE_TOKEN_LIFETIME must be a duration from 1m to 24h",
		"GATEHOUSE_MAX_SOURCES must be a whole number of sources from 1 to 100000",
		"GATEHOUSE_DEMO must be false, since GATEHOUSE_API_ADDRESS is no loopback address and everybody knows the demo's secrets",
	}, "\n"))
}

func TestWhatASettingAccepts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		variable   string
		good, evil []string
	}{
		{"GATEHOUSE_DATABASE_URL", []string{"postgresql://h/d", "postgres:///d?host=/run/postgresql"},
			[]string{"postgres://h", "postgres:///d", "host=h dbname=d", "postgres://u:%zz@h/d"}},
		{"GATEHOUSE_DATABASE_MAX_CONNS", []string{"2", "1000"}, []string{"1", "1001", "2.5", "99999999999999999999"}},
		{"GATEHOUSE_STATEMENT_TIMEOUT", []string{"100ms", "10m"}, []string{"99ms", "10m1s", "-5s", "soon"}},
		{"GATEHOUSE_API_ADDRESS", []string{"localhost:0", ":8080", "[::1]:8080"}, []string{"localhost", "h:http", "h:65536", "h h:80", "http://h:80"}},
		{"GATEHOUSE_DEMO", []string{"true", "false"}, []string{"1", "yes", "TRUE"}},
		{"GATEHOUSE_TENANT", []string{"a", "a.b-c_9"}, []string{"-a", "a b", strings.Repeat("a", 64)}},
		{"GATEHOUSE_ISSUER", []string{"http://h", "https://h:8443"}, []string{"h", "ftp://h", "http://", "http://h/", "http://h/p", "http://u@h", "http://h?q"}},
		{"GATEHOUSE_UPLOAD_MAX_BYTES", []string{"1024", "17179869184"}, []string{"1023", "17179869185", "1M"}},
		{"GATEHOUSE_UPLOAD_MIN_RATE", []string{"0", "1073741824"}, []string{"-1", "1073741825"}},
		{"GATEHOUSE_MAX_CONCURRENCY", []string{"8", "100000"}, []string{"7", "many", "100001"}},
		{"GATEHOUSE_RATE_LIMIT", []string{"0", "100"}, []string{"-1", "ten", "1000001"}},
		{"GATEHOUSE_TRUSTED_PROXIES", []string{"10.0.0.0/8", "127.0.0.1/32,::1/128"}, []string{"10.0.0.1", "10.0.0.0/33", "a/8", "10.0.0.0/8, ::1/128", ","}},
		{"GATEHOUSE_KEY_ROTATION", []string{"24h", "87600h"}, []string{"23h", "0s", "90d"}},
		{"GATEHOUSE_LOG_FORMAT", []string{"json", "text"}, []string{"xml"}},
	} {
		environ := []string{"GATEHOUSE_DATABASE_URL=" + databaseURL}
		for _, value := range test.good {
			_, err := LoadAPI(append(environ, test.variable+"="+value))
			require.NoError(t, err, "%s=%s", test.variable, value)
		}
		for _, value := range test.evil {
			_, err := LoadAPI(append(environ, test.variable+"="+value))
			require.ErrorContains(t, err, test.variable+" must be", "%s=%s", test.variable, value)
		}
	}
}

func TestAnEmptyVariableIsAnUnsetOne(t *testing.T) {
	t.Parallel()
	_, err := LoadAPI([]string{"GATEHOUSE_DATABASE_URL= "})
	require.EqualError(t, err, "GATEHOUSE_DATABASE_URL is not set; it must be a URL like postgres://user:password@host:5432/database")

	api, err := LoadAPI([]string{"GATEHOUSE_DATABASE_URL=" + databaseURL, "GATEHOUSE_MAX_SOURCES="})
	require.NoError(t, err)
	require.Equal(t, 50, api.Limits.Sources)
}

func TestTheDemoNeedsALoopbackAddress(t *testing.T) {
	t.Parallel()
	environ := []string{
		"GATEHOUSE_DATABASE_URL=" + databaseURL, "GATEHOUSE_DEMO=true",
	}
	for address, ok := range map[string]bool{
		"":                        true,
		"127.0.0.1:80":            true,
		"127.8.0.1:80":            true,
		"[::1]:80":                true,
		"[::ffff:127.0.0.1]:80":   true,
		"localhost:80":            true,
		":80":                     false,
		"0.0.0.0:80":              false,
		"[::]:80":                 false,
		"192.168.1.1:80":          false,
		"localhost.evil.test:80":  false,
		"127.0.0.1.nip.test:8080": false,
	} {
		_, err := LoadAPI(append(slices.Clip(environ), "GATEHOUSE_API_ADDRESS="+address))
		require.Equal(t, ok, err == nil, address)
	}
}

func TestMailsGoUnencryptedOnlyWhereThatIsAllowed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		settings string
		ok       bool
	}{
		{"GATEHOUSE_SMTP_ADDRESS=mail.example.com:25 GATEHOUSE_SMTP_SECURITY=none", false},
		{"GATEHOUSE_SMTP_ADDRESS=mail.example.com:25 GATEHOUSE_SMTP_SECURITY=none GATEHOUSE_SMTP_ALLOW_PLAIN=true", true},
		{"GATEHOUSE_SMTP_ADDRESS=127.0.0.1:25 GATEHOUSE_SMTP_SECURITY=none", true},
		{"GATEHOUSE_SMTP_ADDRESS=localhost:25 GATEHOUSE_SMTP_SECURITY=none", true},
		{"GATEHOUSE_SMTP_ADDRESS=mail.example.com:25", true},
		{"GATEHOUSE_SMTP_ADDRESS=mail.example.com:465 GATEHOUSE_SMTP_SECURITY=tls", true},
		{"GATEHOUSE_SMTP_SECURITY=none", true},
	} {
		_, err := LoadWorker(append([]string{"GATEHOUSE_DATABASE_URL=" + databaseURL}, strings.Fields(c.settings)...))
		require.Equal(t, c.ok, err == nil, "%s: %v", c.settings, err)
	}
}

// certificates makes an authority and a certificate of its.
func certificates(t *testing.T) (*devstack.Authority, devstack.Certificate) {
	t.Helper()
	authority, err := devstack.NewAuthority(t.TempDir())
	require.NoError(t, err)
	certificate, err := authority.Issue("gatehouse")
	require.NoError(t, err)
	return authority, certificate
}

func TestWhatSecuresTemporalIsJudgedAtTheStart(t *testing.T) {
	t.Parallel()
	authority, certificate := certificates(t)
	_, foreign := certificates(t)
	nowhere := filepath.Join(t.TempDir(), "none")
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte("eyJ.x-y_z\n"), 0o600))
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, []byte("\n"), 0o600))
	const on = "GATEHOUSE_TEMPORAL_TLS=true "
	for settings, want := range map[string]string{
		on: "",
		on + "GATEHOUSE_TEMPORAL_TLS_CA_FILE=" + authority.CAFile + " GATEHOUSE_TEMPORAL_TLS_SERVER_NAME=x":                         "",
		on + "GATEHOUSE_TEMPORAL_TLS_CERT_FILE=" + certificate.CertFile + " GATEHOUSE_TEMPORAL_TLS_KEY_FILE=" + certificate.KeyFile: "",
		on + "GATEHOUSE_TEMPORAL_API_KEY=eyJ.x-y_z":                                                                             "",
		on + "GATEHOUSE_TEMPORAL_API_KEY_FILE=" + key:                                                                           "",
		"GATEHOUSE_TEMPORAL_API_KEY_FILE=" + key:                                                                                "GATEHOUSE_TEMPORAL_API_KEY_FILE must not be set unless GATEHOUSE_TEMPORAL_TLS is true",
		"GATEHOUSE_TEMPORAL_TLS=false GATEHOUSE_TEMPORAL_API_KEY=k GATEHOUSE_TEMPORAL_TLS_SERVER_NAME=x":                        "GATEHOUSE_TEMPORAL_TLS_SERVER_NAME must not be set unless GATEHOUSE_TEMPORAL_TLS is true\nGATEHOUSE_TEMPORAL_API_KEY must not be set unless GATEHOUSE_TEMPORAL_TLS is true",
		on + "GATEHOUSE_TEMPORAL_TLS_CERT_FILE=" + certificate.CertFile:                                                         "GATEHOUSE_TEMPORAL_TLS_KEY_FILE is not set, but GATEHOUSE_TEMPORAL_TLS_CERT_FILE is",
		on + "GATEHOUSE_TEMPORAL_TLS_KEY_FILE=" + certificate.KeyFile:                                                           "GATEHOUSE_TEMPORAL_TLS_CERT_FILE is not set, but GATEHOUSE_TEMPORAL_TLS_KEY_FILE is",
		on + "GATEHOUSE_TEMPORAL_TLS_CERT_FILE=" + certificate.CertFile + " GATEHOUSE_TEMPORAL_TLS_KEY_FILE=" + foreign.KeyFile: "GATEHOUSE_TEMPORAL_TLS_KEY_FILE must hold the key of the certificate in GATEHOUSE_TEMPORAL_TLS_CERT_FILE",
		on + "GATEHOUSE_TEMPORAL_TLS_CERT_FILE=" + certificate.CertFile + " GATEHOUSE_TEMPORAL_TLS_KEY_FILE=" + nowhere:         "GATEHOUSE_TEMPORAL_TLS_KEY_FILE must be the path of a file that can be read",
		on + "GATEHOUSE_TEMPORAL_TLS_CA_FILE=" + nowhere:                                                                        "GATEHOUSE_TEMPORAL_TLS_CA_FILE must be the path of a file of certificates in PEM",
		on + "GATEHOUSE_TEMPORAL_TLS_CA_FILE=" + certificate.KeyFile:                                                            "GATEHOUSE_TEMPORAL_TLS_CA_FILE must be the path of a file of certificates in PEM",
		on + "GATEHOUSE_TEMPORAL_API_KEY=k GATEHOUSE_TEMPORAL_API_KEY_FILE=" + key:                                              "GATEHOUSE_TEMPORAL_API_KEY and GATEHOUSE_TEMPORAL_API_KEY_FILE must not both be set",
		on + "GATEHOUSE_TEMPORAL_API_KEY=schl\u00fcssel":                                                                        "GATEHOUSE_TEMPORAL_API_KEY must be letters, digits and signs without a blank",
		on + "GATEHOUSE_TEMPORAL_API_KEY_FILE=" + empty:                                                                         "GATEHOUSE_TEMPORAL_API_KEY_FILE must be the path of a file with nothing but a key in it",
	} {
		environ := append([]string{"GATEHOUSE_DATABASE_URL=" + databaseURL, "GATEHOUSE_MIGRATION_DATABASE_URL=" + migrationURL}, strings.Fields(settings)...)
		_, api := LoadAPI(environ)
		_, worker := LoadWorker(environ)
		_, migrate := LoadMigrate(environ)
		for _, err := range []error{api, worker, migrate} {
			if want == "" {
				require.NoError(t, err, settings)
			} else {
				require.EqualError(t, err, want, settings)
			}
		}
	}
}

func TestAVersionOfWorkersIsSetWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ settings, names string }{
		{"", ""},
		{"GATEHOUSE_WORKER_DEPLOYMENT=gatehouse GATEHOUSE_WORKER_BUILD_ID=0.6", ""},
		{"GATEHOUSE_WORKER_DEPLOYMENT=gatehouse", "GATEHOUSE_WORKER_BUILD_ID is not set"},
		{"GATEHOUSE_WORKER_BUILD_ID=0.6", "GATEHOUSE_WORKER_DEPLOYMENT is not set"},
		{"GATEHOUSE_WORKER_DEPLOYMENT=gate.house GATEHOUSE_WORKER_BUILD_ID=0.6", "GATEHOUSE_WORKER_DEPLOYMENT must be"},
	} {
		settings := append([]string{
			"GATEHOUSE_DATABASE_URL=" + databaseURL, "GATEHOUSE_MIGRATION_DATABASE_URL=" + migrationURL,
		}, strings.Fields(c.settings)...)
		_, worker := LoadWorker(settings)
		_, migrate := LoadMigrate(settings)
		for _, err := range []error{worker, migrate} {
			if c.names == "" {
				require.NoError(t, err, c.settings)
				continue
			}
			require.ErrorContains(t, err, c.names, c.settings)
		}
	}
}

func TestWhatASettingOfTellingAccepts(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{
		"GATEHOUSE_SMTP_SECURITY=ssl", "GATEHOUSE_MAIL_FROM=nobody", "GATEHOUSE_LANGUAGE=english", "GATEHOUSE_LANGUAGE=de_DE",
		"GATEHOUSE_NOTIFICATION_RETENTION=59m", "GATEHOUSE_WEBHOOK_ALLOWED_NETWORKS=10.0.0.1", "GATEHOUSE_SMTP_ADDRESS=mail.example.com",
	} {
		variable, _, _ := strings.Cut(setting, "=")
		_, err := LoadWorker([]string{"GATEHOUSE_DATABASE_URL=" + databaseURL, setting})
		require.ErrorContains(t, err, variable+" must be", setting)
	}
}

func TestTheWorkerBoundsBulkWork(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{
		"GATEHOUSE_BULK_CONCURRENCY=0", "GATEHOUSE_BULK_CONCURRENCY=33", "GATEHOUSE_JOB_RETENTION=59m",
		"GATEHOUSE_JOB_RETENTION=8761h", "GATEHOUSE_EXPORT_RETENTION=0s", "GATEHOUSE_EXPORT_RETENTION=8761h",
	} {
		variable, _, _ := strings.Cut(setting, "=")
		_, err := LoadWorker([]string{"GATEHOUSE_DATABASE_URL=" + databaseURL, setting})
		require.ErrorContains(t, err, variable+" must be", setting)
	}
}

func TestUnknownVariablesAreTold(t *testing.T) {
	t.Parallel()
	worker, err := LoadWorker([]string{
		"GATEHOUSE_DATABASE_URL=" + databaseURL,
		"GATEHOUSE_SWEEP_INTERVALL=1s",
		"GATEHOUSE_API_ADDRESS=:1", // the API's, not the worker's, and no typing error
		"GATEHOUSE_DEV_DIR=/x", "GATEHOUSE_TEST_SLOW=1", "GATEHOUSEX=1",
		"GATEHOUSE_DEMOS=true",
	})
	require.NoError(t, err)
	require.Equal(t, []string{"GATEHOUSE_DEMOS", "GATEHOUSE_SWEEP_INTERVALL"}, worker.Unknown)

	var logged strings.Builder
	worker.WarnOfUnknown(t.Context(), slog.New(slog.NewTextHandler(&logged, nil)))
	require.Equal(t, 2, strings.Count(logged.String(), "level=WARN"))
	require.Contains(t, logged.String(), "variable=GATEHOUSE_DEMOS")
	require.Contains(t, logged.String(), "variable=GATEHOUSE_SWEEP_INTERVALL")
	require.NotContains(t, logged.String(), "1s")
}

func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	api, err := LoadAPI([]string{"GATEHOUSE_DATABASE_URL=" + databaseURL})
	require.NoError(t, err)
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("starting", "url", api.Database.URL, "all", api)
	asJSON, err := json.Marshal(api)
	require.NoError(t, err)
	for _, shown := range []string{
		fmt.Sprint(api), fmt.Sprintf("%+v", api), fmt.Sprintf("%#v", api), logged.String(), string(asJSON),
	} {
		require.NotContains(t, shown, "hunter2")
		require.Contains(t, shown, Redacted)
	}
	require.Equal(t, databaseURL, string(api.Database.URL))
}

// Bounds are read at the start of a program; here, all of them, so that none
// is found unreadable there.
func TestTagsAreWellFormed(t *testing.T) {
	t.Parallel()
	seen := map[string]setting{}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		for _, s := range settingsOf(reflect.TypeOf(programs[name])) {
			require.True(t, strings.HasPrefix(s.variable, prefix) || strings.HasPrefix(s.variable, tracingPrefix), s.variable)
			require.True(t, strings.HasSuffix(s.doc, "."), "%s needs a sentence", s.variable)
			if s.form != "" {
				require.Contains(t, forms, s.form, s.variable)
			}
			if s.initial != "" {
				require.True(t, s.accepts(s.initial), "%s refuses its own default", s.variable)
			}
			if s.required {
				require.Empty(t, s.initial, s.variable)
			}
			if before, ok := seen[s.variable]; ok {
				require.Equal(t, before, s, "%s means two things", s.variable)
			}
			seen[s.variable] = s
		}
	}
}

func TestTracesAreExportedWhereThatIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		set  []string
		want bool
	}{
		{nil, false},
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318"}, true},
		{[]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://collector:4318/v1/traces"}, true},
		{[]string{"OTEL_TRACES_EXPORTER=otlp"}, true},
		{[]string{"OTEL_TRACES_EXPORTER=none", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318"}, false},
		{[]string{"OTEL_SDK_DISABLED=true", "OTEL_TRACES_EXPORTER=otlp"}, false},
		{[]string{"OTEL_SERVICE_NAME=x", "OTEL_RESOURCE_ATTRIBUTES=a=b"}, false},
	} {
		worker, err := LoadWorker(append(c.set, "GATEHOUSE_DATABASE_URL="+databaseURL))
		require.NoError(t, err)
		require.Equal(t, c.want, worker.Tracing.Wanted(), "%v", c.set)
		require.Empty(t, worker.Unknown)
	}
	_, err := LoadAPI([]string{
		"GATEHOUSE_DATABASE_URL=" + databaseURL, "OTEL_TRACES_EXPORTER=console", "OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317",
		"OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "OTEL_TRACES_SAMPLER=xray", "OTEL_TRACES_SAMPLER_ARG=2",
	})
	for _, part := range []string{
		"OTEL_TRACES_EXPORTER must be otlp or none", "OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL",
		"OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf or grpc", "OTEL_TRACES_SAMPLER must be always_on,",
		"OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1",
	} {
		require.ErrorContains(t, err, part)
	}
}
