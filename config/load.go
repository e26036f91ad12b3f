package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// prefix begins every variable of ours, and tracingPrefix those of OpenTelemetry,
// some of which are read here and the rest elsewhere.
const (
	prefix        = "GATEHOUSE_"
	tracingPrefix = "OTEL_"
)

// notOurs are the prefixes of variables that belong to the development stack, to
// the tests and to OpenTelemetry.
var notOurs = []string{"GATEHOUSE_DEV_", "GATEHOUSE_TEST_", tracingPrefix}

// programs are the configurations by the name of their program.
var programs = map[string]any{"api": API{}, "worker": Worker{}, "migrate": Migrate{}}

// LoadAPI reads the configuration of the API from environ, which has the form
// of os.Environ. The error names every bad setting at once, one a line, with
// what is expected, and never holds a value.
func LoadAPI(environ []string) (API, error) {
	var c API
	err := load(&c, &c.Common, environ, checkTemporal, checkDemo)
	return c, err
}

// LoadWorker does so for the worker.
func LoadWorker(environ []string) (Worker, error) {
	var c Worker
	err := load(&c, &c.Common, environ, checkTemporal, checkMail, checkDeployment)
	return c, err
}

// LoadMigrate does so for the migration.
func LoadMigrate(environ []string) (Migrate, error) {
	var c Migrate
	err := load(&c, &c.Common, environ, checkTemporal, checkDeployment)
	return c, err
}

// LoadReconcile does so for the command reconcile.
func LoadReconcile(environ []string) (Reconcile, error) {
	var c Reconcile
	err := load(&c, &c.Common, environ, checkTemporal)
	return c, err
}

// load fills the struct that target points to. Each of together judges what only
// several settings together can tell, from the values that are set.
func load(target any, common *Common, environ []string, together ...func(map[string]string) error) error {
	values := parseEnviron(environ)
	var faults []error
	for _, s := range settingsOf(reflect.TypeOf(target).Elem()) {
		if err := s.judge(values[s.variable]); err != nil {
			faults = append(faults, err)
		}
	}
	for _, judge := range together {
		faults = append(faults, judge(values))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if err := env.ParseWithOptions(target, env.Options{Environment: values}); err != nil {
		// The library's text quotes values, and a value may be a secret.
		return fmt.Errorf("the settings can't be read as %s", reflect.TypeOf(target).Elem().Name())
	}
	common.Unknown = unknown(values)
	return nil
}

// parseEnviron drops empty values, so that an empty variable is an unset one,
// and blanks at both ends of the others.
func parseEnviron(environ []string) map[string]string {
	values := make(map[string]string, len(environ))
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, prefix) && !strings.HasPrefix(name, tracingPrefix) {
			continue
		}
		if value = strings.TrimSpace(value); value != "" {
			values[name] = value
		} else {
			delete(values, name)
		}
	}
	return values
}

func unknown(values map[string]string) []string {
	known := map[string]bool{}
	for _, program := range programs {
		for _, s := range settingsOf(reflect.TypeOf(program)) {
			known[s.variable] = true
		}
	}
	var names []string
	for name := range values {
		foreign := slices.ContainsFunc(notOurs, func(p string) bool { return strings.HasPrefix(name, p) })
		if !known[name] && !foreign {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Variables that are judged together.
const (
	demoVariable         = "GATEHOUSE_DEMO"
	addressVariable      = "GATEHOUSE_API_ADDRESS"
	mailVariable         = "GATEHOUSE_SMTP_ADDRESS"
	mailSecurityVariable = "GATEHOUSE_SMTP_SECURITY"
	mailPlainVariable    = "GATEHOUSE_SMTP_ALLOW_PLAIN"
	tlsVariable          = "GATEHOUSE_TEMPORAL_TLS"
	caVariable           = "GATEHOUSE_TEMPORAL_TLS_CA_FILE"
	serverNameVariable   = "GATEHOUSE_TEMPORAL_TLS_SERVER_NAME"
	certVariable         = "GATEHOUSE_TEMPORAL_TLS_CERT_FILE"
	keyVariable          = "GATEHOUSE_TEMPORAL_TLS_KEY_FILE"
	apiKeyVariable       = "GATEHOUSE_TEMPORAL_API_KEY"
	apiKeyFileVariable   = "GATEHOUSE_TEMPORAL_API_KEY_FILE"
	deploymentVariable   = "GATEHOUSE_WORKER_DEPLOYMENT"
	buildVariable        = "GATEHOUSE_WORKER_BUILD_ID"
)

// checkDeployment refuses half a version: it would be none.
func checkDeployment(values map[string]string) error {
	switch deployment, build := values[deploymentVariable], values[buildVariable]; {
	case deployment != "" && build == "":
		return errors.New(buildVariable + " is not set, but " + deploymentVariable + " is")
	case deployment == "" && build != "":
		return errors.New(deploymentVariable + " is not set, but " + buildVariable + " is")
	}
	return nil
}

func checkDemo(values map[string]string) error {
	address := values[addressVariable]
	if values[demoVariable] != "true" || address == "" || !isAddress(address) || isLoopback(address) {
		return nil
	}
	return errors.New(demoVariable + " must be false, since " + addressVariable +
		" is no loopback address and everybody knows the demo's secrets")
}

// checkMail refuses to send mails and a password through a network as they are.
func checkMail(values map[string]string) error {
	address := values[mailVariable]
	if address == "" || !isAddress(address) || isLoopback(address) || values[mailSecurityVariable] != "none" || values[mailPlainVariable] == "true" {
		return nil
	}
	return errors.New(mailSecurityVariable + " must not be none, since " + mailVariable +
		" is on another machine; " + mailPlainVariable + "=true allows for it")
}

// checkTemporal refuses what would not be used: parts of TLS without it, a key
// without its certificate, two API keys. An API key never goes unencrypted.
func checkTemporal(values map[string]string) error {
	var faults []error
	if values[tlsVariable] != "true" {
		for _, name := range []string{caVariable, serverNameVariable, certVariable, keyVariable, apiKeyVariable, apiKeyFileVariable} {
			if values[name] != "" {
				faults = append(faults, errors.New(name+" must not be set unless "+tlsVariable+" is true"))
			}
		}
	}
	cert, key := values[certVariable], values[keyVariable]
	switch {
	case cert != "" && key == "":
		faults = append(faults, errors.New(keyVariable+" is not set, but "+certVariable+" is"))
	case cert == "" && key != "":
		faults = append(faults, errors.New(certVariable+" is not set, but "+keyVariable+" is"))
	case cert != "" && holdsCertificates(cert) && isReadable(key):
		if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
			faults = append(faults, errors.New(keyVariable+" must hold the key of the certificate in "+certVariable))
		}
	}
	if values[apiKeyVariable] != "" && values[apiKeyFileVariable] != "" {
		faults = append(faults, errors.New(apiKeyVariable+" and "+apiKeyFileVariable+" must not both be set"))
	}
	return errors.Join(faults...)
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
