// Package config reads the settings of the programs from the environment. Each
// program has one struct. A field's tags are all there is to know of a setting:
//
//	env         the variable; ",required" where it must be set
//	envDefault  the value where the variable is unset or empty
//	doc         what it means
//	unit        what a number counts
//	min, max    the bounds of a number or a duration, both included
//	form        what a text must look like, a key of forms
//
// docs/configuration.md is held equal to these tags by a test.
package config

import (
	"context"
	"log/slog"
	"net/netip"
	"time"
)

// Secret is a setting that must not be shown: it prints, logs and marshals as
// [Redacted]. Convert it to a string to use it.
type Secret string

// Redacted is what a [Secret] shows in place of its value.
const Redacted = "[redacted]"

// String returns [Redacted], or nothing for an empty Secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return Redacted
}

// GoString returns what String returns, for %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// API is the configuration of cmd/api.
type API struct {
	Common
	Running
	Tracing  Tracing
	Database Database
	Temporal Temporal
	Waiting  Waiting
	Listen   Listen
	Tokens   Tokens
	Limits   Limits
	Serving  Serving
	Uploads  Uploads
	Webhooks Webhooks
	// DecisionTimeout bounds how long approve and reject wait.
	DecisionTimeout time.Duration `env:"GATEHOUSE_DECISION_TIMEOUT" envDefault:"10s" min:"1s" max:"1m" doc:"How long approve and reject wait for the workflow before they answer 503."`
	MetricsAddress  string        `env:"GATEHOUSE_API_METRICS_ADDRESS" envDefault:"127.0.0.1:9464" form:"address" doc:"Where the API serves metrics, health and readiness."`
}

// Worker is the configuration of cmd/worker.
type Worker struct {
	Common
	Running
	Tracing  Tracing
	Database Database
	Temporal Temporal
	Waiting  Waiting
	Bulk     Bulk
	Mail     Mail
	Webhooks Webhooks
	Telling  Telling
	// Deployment is empty where Temporal hands tasks to any worker.
	Deployment Deployment
	// SignalDecisions is false where the signals approve and reject change nothing.
	SignalDecisions bool          `env:"GATEHOUSE_SIGNAL_DECISIONS" envDefault:"true" doc:"Whether the signals approve and reject decide. Whoever may write to the namespace may send them."`
	SweepInterval   time.Duration `env:"GATEHOUSE_SWEEP_INTERVAL" envDefault:"10s" min:"1s" max:"1h" doc:"How often the sweep looks for requests, imports and exports that their workflow left behind."`
	// SweepRecheck bounds how long it may go unnoticed that a workflow was terminated.
	SweepRecheck   time.Duration `env:"GATEHOUSE_SWEEP_RECHECK" envDefault:"10m" min:"1s" max:"24h" doc:"How long the sweep takes the workflow of a pending request to run that it found running. It looks after each within this time; what was changed meanwhile it sees at once."`
	MetricsAddress string        `env:"GATEHOUSE_WORKER_METRICS_ADDRESS" envDefault:"127.0.0.1:9465" form:"address" doc:"Where the worker serves metrics, health and readiness."`
}

// Migrate is the configuration of cmd/migrate.
type Migrate struct {
	Common
	// MigrationURL connects the role that owns the tables.
	MigrationURL Secret `env:"GATEHOUSE_MIGRATION_DATABASE_URL,required" form:"postgres" doc:"The database, as the role that owns the tables."`
	// Database.URL names the role that is granted what the application needs.
	Database   Database
	Temporal   Temporal
	Deployment Deployment
}

// Reconcile is the configuration of the command reconcile of cmd/admin; the others
// read GATEHOUSE_DATABASE_URL alone.
type Reconcile struct {
	Common
	Database Database
	Temporal Temporal
}

// Common is what every program has.
type Common struct {
	LogLevel  slog.Level `env:"GATEHOUSE_LOG_LEVEL" envDefault:"info" form:"level" doc:"The least level that is logged."`
	LogFormat string     `env:"GATEHOUSE_LOG_FORMAT" envDefault:"json" form:"format" doc:"How log lines are written to standard error."`
	// Unknown are the GATEHOUSE_ variables of the environment that no program
	// reads, sorted: most likely misspelt.
	Unknown []string
}

// WarnOfUnknown logs each of c.Unknown, by name: its value may be a secret.
func (c Common) WarnOfUnknown(ctx context.Context, log *slog.Logger) {
	for _, name := range c.Unknown {
		log.WarnContext(ctx, "this setting is not known", "variable", name)
	}
}

// Running is what the programs that run until they are told to stop have.
type Running struct {
	// ShutdownTimeout bounds a graceful stop.
	ShutdownTimeout time.Duration `env:"GATEHOUSE_SHUTDOWN_TIMEOUT" envDefault:"20s" min:"1s" max:"10m" doc:"How long a stopping program waits for what it has begun."`
}

// Tracing says whether and how traces are exported, by the variables of
// OpenTelemetry; its library reads the rest of them itself.
type Tracing struct {
	Disabled bool `env:"OTEL_SDK_DISABLED" envDefault:"false" doc:"Whether nothing is traced, whatever else is set."`
	// Exporter is otlp, none or empty.
	Exporter string `env:"OTEL_TRACES_EXPORTER" form:"exporter" doc:"Where traces go. Empty is otlp where an endpoint is set, else none."`
	// Endpoint and TracesEndpoint are looked at for whether there is one.
	Endpoint       string `env:"OTEL_EXPORTER_OTLP_ENDPOINT" form:"endpoint" doc:"The OTLP endpoint."`
	TracesEndpoint string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" form:"endpoint" doc:"The OTLP endpoint of traces, in place of the one above; with http/protobuf it is used as it is, without /v1/traces at its end."`
	Protocol       string `env:"OTEL_EXPORTER_OTLP_PROTOCOL" envDefault:"http/protobuf" form:"protocol" doc:"How the endpoint is spoken to."`
	// TracesProtocol is empty where it is Protocol.
	TracesProtocol string  `env:"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" form:"protocol" doc:"How the endpoint of traces is spoken to, in place of the one above."`
	Sampler        string  `env:"OTEL_TRACES_SAMPLER" envDefault:"parentbased_always_on" form:"sampler" doc:"Which traces are kept."`
	SamplerArg     float64 `env:"OTEL_TRACES_SAMPLER_ARG" envDefault:"1" form:"ratio" doc:"The share of traces that a sampler by ratio keeps."`
}

// Wanted reports whether traces are exported.
func (t Tracing) Wanted() bool {
	if t.Exporter == "" {
		return !t.Disabled && t.Endpoint+t.TracesEndpoint != ""
	}
	return !t.Disabled && t.Exporter == "otlp"
}

// Database is how the programs reach Postgres.
type Database struct {
	// URL connects the application's role, which has no right to change tables.
	URL      Secret `env:"GATEHOUSE_DATABASE_URL,required" form:"postgres" doc:"The database, as the application's role."`
	MaxConns int    `env:"GATEHOUSE_DATABASE_MAX_CONNS" envDefault:"20" unit:"connections" min:"2" max:"1000" doc:"The most connections one process opens to the database."`
	// StatementTimeout ends a statement that runs longer.
	StatementTimeout time.Duration `env:"GATEHOUSE_STATEMENT_TIMEOUT" envDefault:"5s" min:"100ms" max:"10m" doc:"When the database gives up a statement; the client then gets 503. A worker waits 5s at most."`
}

// Temporal is how the programs reach Temporal.
type Temporal struct {
	Address   string `env:"GATEHOUSE_TEMPORAL_ADDRESS" envDefault:"127.0.0.1:7233" form:"address" doc:"The Temporal frontend."`
	Namespace string `env:"GATEHOUSE_TEMPORAL_NAMESPACE" envDefault:"default" form:"name" doc:"The Temporal namespace; it must exist."`
	// TLS is true where any of the following is set.
	TLS        bool   `env:"GATEHOUSE_TEMPORAL_TLS" envDefault:"false" doc:"Whether the connection to Temporal is encrypted."`
	CAFile     string `env:"GATEHOUSE_TEMPORAL_TLS_CA_FILE" form:"certificates" doc:"Whose certificates Temporal may show. Where it is empty, those that the system trusts."`
	ServerName string `env:"GATEHOUSE_TEMPORAL_TLS_SERVER_NAME" form:"text" doc:"The name that Temporal's certificate must be for, where it is not that of the address."`
	// CertFile and KeyFile are both set or both empty.
	CertFile string `env:"GATEHOUSE_TEMPORAL_TLS_CERT_FILE" form:"certificates" doc:"The certificate that is shown to Temporal, read anew for every connection."`
	KeyFile  string `env:"GATEHOUSE_TEMPORAL_TLS_KEY_FILE" form:"file" doc:"The key that goes with it."`
	// APIKey and APIKeyFile are not both set.
	APIKey     Secret `env:"GATEHOUSE_TEMPORAL_API_KEY" form:"key" doc:"The API key, as for Temporal Cloud."`
	APIKeyFile string `env:"GATEHOUSE_TEMPORAL_API_KEY_FILE" form:"keyfile" doc:"The file that holds the API key instead, read anew for every call."`
}

// Deployment is which version of the workers a process is, where Temporal is to tell
// them apart. Name and BuildID are set both or neither.
type Deployment struct {
	Name    string `env:"GATEHOUSE_WORKER_DEPLOYMENT" form:"deployment" doc:"The Temporal worker deployment that the worker is of, see operations.md. Where it is empty Temporal hands tasks to any worker."`
	BuildID string `env:"GATEHOUSE_WORKER_BUILD_ID" form:"name" doc:"Which build of the deployment the worker is. A build gets no tasks until migrate deployment, or an operator, makes it the current one."`
}

// Waiting is how policies count days.
type Waiting struct {
	// Day is 24 hours but in demonstrations and tests.
	Day time.Duration `env:"GATEHOUSE_POLICY_DAY" envDefault:"24h" min:"1s" max:"24h" doc:"How long a day of approval and lifecycle policies lasts. Less than 24h is for demonstrations: days then begin at no hour, and calendars don't count. All processes need the same."`
}

// Listen is where the API listens, and the demo that hangs on it.
type Listen struct {
	Address string `env:"GATEHOUSE_API_ADDRESS" envDefault:"127.0.0.1:8080" form:"address" doc:"Where the API listens."`
	// Demo is true only where Address is a loopback address.
	Demo bool `env:"GATEHOUSE_DEMO" envDefault:"false" doc:"Whether there is a demo organisation, whose secrets everybody knows. Refused unless GATEHOUSE_API_ADDRESS is a loopback address."`
}

// Tokens is what access tokens say.
type Tokens struct {
	Lifetime time.Duration `env:"GATEHOUSE_TOKEN_LIFETIME" envDefault:"1h" min:"1m" max:"24h" doc:"How long an access token is good for."`
	Tenant   string        `env:"GATEHOUSE_TENANT" envDefault:"gatehouse" form:"name" doc:"The organisation's name in tokens and in /oauth/info."`
	// Issuer has no slash at its end.
	Issuer string `env:"GATEHOUSE_ISSUER" envDefault:"http://127.0.0.1:8080" form:"base" doc:"The URL under which clients reach the API: issuer and audience of tokens. All API processes need the same."`
	// KeyRotation is how long a key signs.
	KeyRotation time.Duration `env:"GATEHOUSE_KEY_ROTATION" envDefault:"2160h" min:"24h" max:"87600h" doc:"How long a key signs tokens until a new one takes over by itself."`
	// IssuersFile is empty where tokens of our own issuer alone are taken.
	IssuersFile string `env:"GATEHOUSE_OIDC_ISSUERS_FILE" form:"path" doc:"The file of the OIDC issuers whose tokens are taken beside our own, see security.md."`
}

// Limits are the limits of contract §4 that may be moved.
type Limits struct {
	Sources          int `env:"GATEHOUSE_MAX_SOURCES" envDefault:"50" unit:"sources" min:"1" max:"100000" doc:"The most sources there may be."`
	RecordsPerSource int `env:"GATEHOUSE_MAX_RECORDS_PER_SOURCE" envDefault:"20000" unit:"records" min:"1" max:"10000000" doc:"The most records and pending requests together in one source."`
}

// Serving bounds what a client may send, and how often.
type Serving struct {
	// RateLimit is 0 where there is none.
	RateLimit int `env:"GATEHOUSE_RATE_LIMIT" envDefault:"100" unit:"requests per 10 seconds" min:"0" max:"1000000" doc:"The most calls with one access token, and the most token requests and failed logins from one address; what is more is 429. 0 is no limit."`
	// Concurrency counts neither uploads nor downloads.
	Concurrency int `env:"GATEHOUSE_MAX_CONCURRENCY" envDefault:"256" unit:"calls" min:"8" max:"100000" doc:"How many calls one process works on at once, a quarter of them decisions; one that waits more than a second for its turn is 503. Uploads and downloads are not counted."`
	// TrustedProxies are those whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix `env:"GATEHOUSE_TRUSTED_PROXIES" form:"networks" doc:"The proxies whose X-Forwarded-For says where a client is. Any other's is ignored."`
	MaxBodyBytes   int64          `env:"GATEHOUSE_MAX_BODY_BYTES" envDefault:"2097152" unit:"bytes" min:"1024" max:"67108864" doc:"The longest JSON body; a longer one is 413."`
}

// Uploads bounds the files that clients send.
type Uploads struct {
	MaxBytes    int64 `env:"GATEHOUSE_UPLOAD_MAX_BYTES" envDefault:"268435456" unit:"bytes" min:"1024" max:"17179869184" doc:"The longest body of an upload; a longer one is 413."`
	Concurrency int   `env:"GATEHOUSE_UPLOAD_CONCURRENCY" envDefault:"4" unit:"uploads" min:"1" max:"256" doc:"How many uploads one process receives at once; what is more is 503. Each takes a connection to the database now and then."`
	// MinRate is in bytes per second; 0 switches it off.
	MinRate int64 `env:"GATEHOUSE_UPLOAD_MIN_RATE" envDefault:"1024" unit:"bytes per second" min:"0" max:"1073741824" doc:"How fast an upload must arrive on average; a slower one is broken off. With 0 only one that is silent for all of the patience is."`
	// Patience is how long an upload may be slower than MinRate.
	Patience time.Duration `env:"GATEHOUSE_UPLOAD_PATIENCE" envDefault:"30s" min:"1s" max:"10m" doc:"How long an upload may be slower than that."`
}

// Bulk is how the worker carries out imports and exports, and what it keeps of
// them.
type Bulk struct {
	// Concurrency may come to less where the database has few connections.
	Concurrency int `env:"GATEHOUSE_BULK_CONCURRENCY" envDefault:"2" unit:"imports and exports" min:"1" max:"32" doc:"How many imports one process works on at once, and as many exports beside them. An import takes one connection to the database, an export two, and all together at most half of them."`
	// JobRetention counts from the end of an import.
	JobRetention time.Duration `env:"GATEHOUSE_JOB_RETENTION" envDefault:"720h" min:"1h" max:"8760h" doc:"How long an import that ended is kept, with its rows that could not be taken."`
	// ExportRetention counts from when an export is complete, or its schedule deleted.
	ExportRetention time.Duration `env:"GATEHOUSE_EXPORT_RETENTION" envDefault:"168h" min:"1h" max:"8760h" doc:"How long a complete export is kept; those of a schedule are counted from when the schedule is deleted."`
}

// Mail is how mails go out.
type Mail struct {
	// Address is empty where there is no mail.
	Address string `env:"GATEHOUSE_SMTP_ADDRESS" form:"address" doc:"The mail server. Where it is empty nobody is mailed to."`
	// Security is starttls, tls or none.
	Security string `env:"GATEHOUSE_SMTP_SECURITY" envDefault:"starttls" form:"security" doc:"How the connection to the mail server is made safe. none is refused unless the server is on this machine or GATEHOUSE_SMTP_ALLOW_PLAIN is true."`
	// AllowPlain lets mails go through a network as they are.
	AllowPlain bool   `env:"GATEHOUSE_SMTP_ALLOW_PLAIN" envDefault:"false" doc:"Whether mails may go unencrypted to a mail server on another machine."`
	User       string `env:"GATEHOUSE_SMTP_USER" form:"text" doc:"The name to log in with at the mail server. Where it is empty nobody logs in."`
	Password   Secret `env:"GATEHOUSE_SMTP_PASSWORD" form:"text" doc:"The password that goes with it."`
	From       string `env:"GATEHOUSE_MAIL_FROM" envDefault:"Gatehouse <gatehouse@localhost>" form:"mailbox" doc:"The sender of mails. Its domain is in the ids of mails as well."`
}

// Webhooks is where events may be posted to.
type Webhooks struct {
	AllowHTTP bool `env:"GATEHOUSE_WEBHOOK_ALLOW_HTTP" envDefault:"false" doc:"Whether webhooks may go to http:// URLs. For demonstrations. All processes need the same."`
	// AllowedNetworks are beside the public Internet.
	AllowedNetworks []netip.Prefix `env:"GATEHOUSE_WEBHOOK_ALLOWED_NETWORKS" form:"networks" doc:"Networks that webhooks may go to although they are not of the public Internet."`
}

// Telling is how events are told.
type Telling struct {
	Language string `env:"GATEHOUSE_LANGUAGE" envDefault:"en" form:"language" doc:"The language of mails to whoever has said none, or one that there are no templates in."`
	// TemplatesDir is empty for the built-in templates alone.
	TemplatesDir string `env:"GATEHOUSE_TEMPLATES_DIR" form:"path" doc:"A folder of templates that take the place of the built-in ones, see notifications.md."`
	// Retention counts from when all deliveries of an event are over.
	Retention time.Duration `env:"GATEHOUSE_NOTIFICATION_RETENTION" envDefault:"720h" min:"1h" max:"8760h" doc:"How long events are kept after they were told, with their deliveries."`
}
