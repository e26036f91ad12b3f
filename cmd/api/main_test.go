package main

import (
	"os"
	"testing"

	"gatehouse/store/storetest"
	"gatehouse/workflowclient/temporaltest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Run(withTemporal{m})) }

// withTemporal runs the tests of a package that needs both servers.
type withTemporal struct{ tests *testing.M }

// Run returns the exit code.
func (w withTemporal) Run() int { return temporaltest.Run(w.tests) }
