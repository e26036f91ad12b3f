package workflows_test

import (
	"testing"

	"gatehouse/workflowclient/temporaltest"
)

func TestMain(m *testing.M) { temporaltest.Main(m) }
