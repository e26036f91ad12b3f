package workflowclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"go.temporal.io/sdk/client"
)

// TLS says how the connection to Temporal is encrypted.
type TLS struct {
	// CAFile holds the certificates, in PEM, of those who may vouch for the
	// server; empty for those that the system trusts. It is read once.
	CAFile string
	// ServerName is what the server's certificate must be for; empty for the
	// host of the address.
	ServerName string
	// CertFile and KeyFile hold, in PEM, the certificate that is shown to the
	// server and its key; both empty to show none. They are read for every
	// connection, so that a certificate is replaced without a restart.
	CertFile, KeyFile string
}

// config is an error if a file can't be read or holds something else.
func (t TLS) config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		raw, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(raw) {
			return nil, fmt.Errorf("%s holds no certificate", t.CAFile)
		}
	}
	if t.CertFile == "" && t.KeyFile == "" {
		return c, nil
	}
	load := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("the certificate in %s and its key: %w", t.CertFile, err)
		}
		return &pair, nil
	}
	if _, err := load(); err != nil {
		return nil, err
	}
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	return c, nil
}

// APIKey is what Temporal Cloud knows a caller by. The zero value is none.
type APIKey struct {
	// Value is the key itself.
	Value string
	// File holds the key in place of Value. It is read for every call, so that a
	// key is replaced without a restart.
	File string
}

// credentials are nil where there is no key.
func (k APIKey) credentials() (client.Credentials, error) {
	if k == (APIKey{}) {
		return nil, nil //nolint:nilnil // nil is no credentials
	}
	read := func(context.Context) (string, error) {
		if k.File == "" {
			return k.Value, nil
		}
		raw, err := os.ReadFile(k.File)
		if err != nil {
			return "", fmt.Errorf("the API key: %w", err)
		}
		key := strings.TrimSpace(string(raw))
		if key == "" {
			return "", fmt.Errorf("the API key: %s is empty", k.File)
		}
		return key, nil
	}
	if _, err := read(context.Background()); err != nil {
		return nil, err
	}
	return client.NewAPIKeyDynamicCredentials(read), nil
}

// secure adds to options what keeps the connection from others, and an API key
// only where the connection is encrypted.
func (o DialOptions) secure(options *client.Options) error {
	if o.TLS == nil && o.APIKey != (APIKey{}) {
		return errors.New("an API key must not go unencrypted")
	}
	var err error
	if o.TLS != nil {
		if options.ConnectionOptions.TLS, err = o.TLS.config(); err != nil {
			return err
		}
	}
	options.Credentials, err = o.APIKey.credentials()
	return err
}
