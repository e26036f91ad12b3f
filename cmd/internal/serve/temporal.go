package serve

import (
	"gatehouse/config"
	"gatehouse/workflowclient"
)

// DialOptions say where Temporal is and how it is reached, as the settings have
// it; a program adds what is its own.
func DialOptions(cfg config.Temporal) workflowclient.DialOptions {
	o := workflowclient.DialOptions{
		Address: cfg.Address, Namespace: cfg.Namespace,
		APIKey: workflowclient.APIKey{Value: string(cfg.APIKey), File: cfg.APIKeyFile},
	}
	if cfg.TLS {
		o.TLS = &workflowclient.TLS{
			CAFile: cfg.CAFile, ServerName: cfg.ServerName, CertFile: cfg.CertFile, KeyFile: cfg.KeyFile,
		}
	}
	return o
}
