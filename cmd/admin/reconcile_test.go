package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/reconcile"
)

// TestTheReportNamesWhatNothingElseNames: what is ended, and what somebody has to decide
// again.
func TestTheReportNamesWhatNothingElseNames(t *testing.T) {
	t.Parallel()
	deed := func(did, why string) reconcile.Deed {
		return reconcile.Deed{Kind: lifecycle.EngineRequest, ID: lifecycle.NewID(), Did: did, Why: why}
	}
	missing, lost := deed(reconcile.DidStart, reconcile.WhyMissing), deed(reconcile.DidStart, reconcile.WhyLost)
	ahead, gone := deed(reconcile.DidRestart, reconcile.WhyAhead), deed(reconcile.DidEnd, reconcile.WhyNoRow)
	report := reconcile.Report{
		Deeds:  []reconcile.Deed{missing, lost, ahead, gone},
		Faults: []reconcile.Fault{{Kind: lifecycle.EngineRequest, ID: lifecycle.NewID(), Fault: "unavailable", Cause: errors.New("it is away")}},
		Moving: 7,
	}
	var out, faults strings.Builder
	require.NoError(t, printReport(&out, report, "text"))
	for _, named := range []reconcile.Deed{lost, ahead, gone} {
		require.Contains(t, out.String(), named.Did+"\trequest\t"+named.ID.String()+"\t"+named.Why+"\n")
	}
	require.NotContains(t, out.String(), missing.ID.String(), "its row is there to be found")
	require.Contains(t, out.String(), "run it again in a minute\t7\n")
	printFaults(&faults, report)
	require.Equal(t, "request "+report.Faults[0].ID.String()+": it is away\n", faults.String())
}
