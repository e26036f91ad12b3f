package config

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// setting is one variable as the tags of its field describe it.
type setting struct {
	variable string
	initial  string
	required bool
	doc      string
	unit     string
	min, max string
	form     string
	kind     reflect.Type
}

// settingsOf lists the settings of a struct and of the structs in it, in the
// order of the fields.
func settingsOf(t reflect.Type) []setting {
	var all []setting
	for f := range t.Fields() {
		tag, ok := f.Tag.Lookup("env")
		if !ok {
			if f.Type.Kind() == reflect.Struct {
				all = append(all, settingsOf(f.Type)...)
			}
			continue
		}
		name, option, _ := strings.Cut(tag, ",")
		all = append(all, setting{
			variable: name, initial: f.Tag.Get("envDefault"), required: option == "required",
			doc: f.Tag.Get("doc"), unit: f.Tag.Get("unit"),
			min: f.Tag.Get("min"), max: f.Tag.Get("max"), form: f.Tag.Get("form"), kind: f.Type,
		})
	}
	return all
}

// form is what a text setting must look like: in words, and as a check.
type form struct {
	expected string
	ok       func(string) bool
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

var languagePattern = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)

var forms = map[string]form{
	"address":  {"host:port", isAddress},
	"postgres": {"a URL like postgres://user:password@host:5432/database", isPostgresURL},
	"base":     {"an http or https URL of scheme, host and port alone", isBaseURL},
	"name":     {"1 to 63 letters, digits, dots, hyphens and underscores, the first a letter or digit", namePattern.MatchString},
	// Temporal writes a version as deployment.build.
	"deployment": {"1 to 63 letters, digits, hyphens and underscores, the first a letter or digit", func(s string) bool {
		return namePattern.MatchString(s) && !strings.Contains(s, ".")
	}},
	"level":    {"debug, info, warn or error", isOneOf("debug", "info", "warn", "error")},
	"path":     {"the path of a file", func(string) bool { return true }},
	"text":     {"a text", func(string) bool { return true }},
	"security": {"starttls, tls or none", isOneOf("starttls", "tls", "none")},
	"mailbox":  {"a mailbox like Gatehouse <gatehouse@example.com>", isMailbox},
	"language": {"a language like en or pt-BR", languagePattern.MatchString},
	"networks": {"networks with commas between them, like 10.0.0.0/8,fd00::/8", areNetworks},
	"format":   {"json or text", isOneOf("json", "text")},
	"exporter": {"otlp or none", isOneOf("otlp", "none")},
	"endpoint": {"an http or https URL", isURL},
	"protocol": {"http/protobuf or grpc", isOneOf("http/protobuf", "grpc")},
	"sampler": {
		"always_on, always_off, traceidratio or one of these behind parentbased_",
		isOneOf("always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"),
	},
	"ratio":        {"a number from 0 to 1", isRatio},
	"file":         {"the path of a file that can be read", isReadable},
	"certificates": {"the path of a file of certificates in PEM", holdsCertificates},
	"key":          {"letters, digits and signs without a blank", isKey},
	"keyfile":      {"the path of a file with nothing but a key in it", holdsKey},
}

var durationType = reflect.TypeFor[time.Duration]()

// judge returns what is wrong with value, which is empty where the variable is
// unset. The error names the variable and never the value.
func (s setting) judge(value string) error {
	switch {
	case value == "" && s.required:
		return fmt.Errorf("%s is not set; it must be %s", s.variable, s.expected())
	case value == "" || s.accepts(value):
		return nil
	}
	return fmt.Errorf("%s must be %s", s.variable, s.expected())
}

func (s setting) accepts(value string) bool {
	if s.form != "" {
		return forms[s.form].ok(value)
	}
	if s.kind == durationType {
		d, err := time.ParseDuration(value)
		return err == nil && mustDuration(s.min) <= d && d <= mustDuration(s.max)
	}
	if s.kind.Kind() == reflect.Bool {
		return value == "true" || value == "false"
	}
	n, err := strconv.ParseInt(value, 10, 64)
	return err == nil && mustInt(s.min) <= n && n <= mustInt(s.max)
}

// expected says what the setting accepts, for errors and for the table.
func (s setting) expected() string {
	switch {
	case s.form != "":
		return forms[s.form].expected
	case s.kind == durationType:
		return "a duration from " + s.min + " to " + s.max
	case s.kind.Kind() == reflect.Bool:
		return "true or false"
	}
	return "a whole number of " + s.unit + " from " + s.min + " to " + s.max
}

// mustDuration reads a bound, which a test has found readable.
func mustDuration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic("config: the bound " + text + " is no duration")
	}
	return d
}

func mustInt(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic("config: the bound " + text + " is no number")
	}
	return n
}

func isAddress(value string) bool {
	host, port, err := net.SplitHostPort(value)
	if err != nil || strings.ContainsAny(host, " /\t") {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

func isPostgresURL(value string) bool {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return false
	}
	return (u.Host != "" || u.Query().Get("host") != "") && len(u.Path) > 1
}

func isURL(value string) bool {
	u, err := url.Parse(value)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

func isRatio(value string) bool {
	ratio, err := strconv.ParseFloat(value, 64)
	return err == nil && 0 <= ratio && ratio <= 1
}

func isBaseURL(value string) bool {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return false
	}
	return u.Scheme+"://"+u.Host == value
}

func isMailbox(value string) bool {
	_, err := mail.ParseAddress(value)
	return err == nil
}

func areNetworks(value string) bool {
	for network := range strings.SplitSeq(value, ",") {
		if _, err := netip.ParsePrefix(network); err != nil {
			return false
		}
	}
	return true
}

func isReadable(path string) bool {
	_, err := os.ReadFile(path) //nolint:gosec // whoever sets the variable names the file
	return err == nil
}

func holdsCertificates(path string) bool {
	raw, err := os.ReadFile(path) //nolint:gosec // whoever sets the variable names the file
	return err == nil && x509.NewCertPool().AppendCertsFromPEM(raw)
}

func holdsKey(path string) bool {
	raw, err := os.ReadFile(path) //nolint:gosec // whoever sets the variable names the file
	return err == nil && isKey(strings.TrimSpace(string(raw)))
}

// isKey reports whether value can stand in a header.
func isKey(value string) bool {
	return value != "" && !strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' })
}

func isOneOf(values ...string) func(string) bool {
	return func(value string) bool {
		return slices.Contains(values, value)
	}
}
