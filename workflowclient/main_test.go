package workflowclient_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"gatehouse/workflowclient/temporaltest"
)

func TestMain(m *testing.M) {
	code := temporaltest.Run(m)
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}
