package lifecycle_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

func TestAJobThatHasEndedStaysEnded(t *testing.T) {
	t.Parallel()
	for status, ended := range map[lifecycle.JobStatus]bool{
		lifecycle.JobReceiving: false, lifecycle.JobPending: false, lifecycle.JobInProgress: false,
		lifecycle.JobCompleted: true, lifecycle.JobError: true, lifecycle.JobCancelled: true,
	} {
		require.Equal(t, ended, status.Ended(), status)
	}
}

func TestAFaultOfAFileSaysWhereItIs(t *testing.T) {
	t.Parallel()
	for want, fault := range map[string]lifecycle.RowFault{
		"the file is empty":                   {Message: "the file is empty"},
		"line 3: the row has 1 cell":          {Row: 1, Line: 3, Message: "the row has 1 cell", Cells: "x"},
		"line 3, column email: email is none": {Row: 1, Line: 3, Column: "email", Message: "email is none"},
		"column email: the column is missing": {Column: "email", Message: "the column is missing"},
	} {
		require.Equal(t, want, fault.String())
	}
}

// fault is one about a line, told apart from others of the line by its number.
func fault(line, number int) lifecycle.RowFault {
	return lifecycle.RowFault{Row: line - 1, Line: line, Kind: lifecycle.KindIllegalValue, Message: fmt.Sprint("fault ", number)}
}

func TestNoFaultOfAFileIsNoError(t *testing.T) {
	t.Parallel()
	var faults lifecycle.ImportFaults
	faults.Add()
	faults.Merge(lifecycle.ImportFaults{})
	require.NoError(t, faults.Err())
	require.Zero(t, faults.Total)
}

func TestTheFaultsOfAFileAreOneALine(t *testing.T) {
	t.Parallel()
	var faults lifecycle.ImportFaults
	faults.Add(
		lifecycle.RowFault{Line: 7, Column: "email", Kind: lifecycle.KindRequired, Message: "email is required"},
		lifecycle.RowFault{Line: 2, Column: "phone", Kind: lifecycle.KindRequired, Message: "phone is required"},
		lifecycle.RowFault{Line: 7, Column: "badge", Kind: lifecycle.KindRequired, Message: "data.badge is required"})
	require.Equal(t, lifecycle.NewError(lifecycle.KindRequired,
		"line 2, column phone: phone is required\n"+
			"line 7, column email: email is required\n"+
			"line 7, column badge: data.badge is required"), faults.Err())

	faults.Add(lifecycle.RowFault{Kind: lifecycle.KindLimit, Message: "too many rows"})
	require.Equal(t, lifecycle.NewError(lifecycle.KindBadRequest,
		"too many rows\n"+
			"line 2, column phone: phone is required\n"+
			"line 7, column email: email is required\n"+
			"line 7, column badge: data.badge is required"), faults.Err(), "faults of several kinds are a bad request")
}

func TestTheFirstFaultsOfAFileAreListedWhateverOrderTheyComeIn(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for _, many := range []int{1, 5, lifecycle.MaxListedFaults, lifecycle.MaxListedFaults + 1, 3 * lifecycle.MaxListedFaults} {
		all := make([]lifecycle.RowFault, many)
		for i := range all {
			all[i] = fault(1+random.IntN(many), i)
		}
		want := slices.Clone(all)
		slices.SortStableFunc(want, func(a, b lifecycle.RowFault) int { return a.Line - b.Line })
		want = want[:min(many, lifecycle.MaxListedFaults)]

		var together, one, other lifecycle.ImportFaults
		together.Add(all...)
		require.Equal(t, lifecycle.ImportFaults{Listed: want, Total: many}, together)

		one.Add(all[:many/3]...)
		other.Add(all[many/3:]...)
		before := slices.Clone(other.Listed)
		one.Merge(other)
		require.Equal(t, together, one, "of two files' halves the same are listed")
		require.Equal(t, before, other.Listed)
	}
}

func TestFaultsThatAreOnlyCountedStayCounted(t *testing.T) {
	t.Parallel()
	var faults lifecycle.ImportFaults
	faults.Add(fault(5, 0))
	faults.Merge(lifecycle.ImportFaults{Listed: []lifecycle.RowFault{fault(9, 1), fault(4, 2)}, Total: 40})
	require.Equal(t, lifecycle.ImportFaults{
		Listed: []lifecycle.RowFault{fault(4, 2), fault(5, 0), fault(9, 1)}, Total: 41,
	}, faults)
	require.ErrorContains(t, faults.Err(), "line 9: fault 1\nand 38 more faults")
	require.ErrorContains(t, (&lifecycle.ImportFaults{Total: 3}).Err(), "and 3 more faults")
}

func TestMoreFaultsThanAreListedAreCounted(t *testing.T) {
	t.Parallel()
	var faults lifecycle.ImportFaults
	for i := range lifecycle.MaxListedFaults + 1 {
		faults.Add(fault(lifecycle.MaxListedFaults+2-i, i))
	}
	var err *lifecycle.Error
	require.ErrorAs(t, faults.Err(), &err)
	require.Equal(t, lifecycle.KindIllegalValue, err.Kind)
	lines := strings.Split(err.Message, "\n")
	require.Len(t, lines, lifecycle.MaxListedFaults+1)
	require.Equal(t, "line 2: fault 1000", lines[0])
	require.Equal(t, "line 1001: fault 1", lines[lifecycle.MaxListedFaults-1])
	require.Equal(t, "and 1 more fault", lines[lifecycle.MaxListedFaults])
	faults.Add(fault(1, 0))
	require.True(t, strings.HasSuffix(faults.Err().Error(), "\nand 2 more faults"))
}
