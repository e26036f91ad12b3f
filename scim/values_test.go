package scim

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
)

// TestThousandsOfMembersArePatchedInOneGo counts the values that are looked at: a
// few times as many as there are, not all of them for each.
func TestThousandsOfMembersArePatchedInOneGo(t *testing.T) {
	t.Parallel()
	const many = lifecycle.MaxWorkgroupMembers
	list := func(prefix string, n int) []any {
		elements := make([]any, n)
		for i := range elements {
			elements[i] = map[string]any{"value": fmt.Sprintf("%s-%d", prefix, i), "type": memberType}
		}
		return elements
	}
	each := func(op, path string, value any) []change {
		changes := make([]change, maxOperations)
		for i := range changes {
			changes[i] = change{op: op, path: fmt.Sprintf(path, i), value: value}
		}
		return changes
	}
	one := func(op string, value any) []change { return []change{{op: op, path: "members", value: value}} }
	alternating := make([]change, maxOperations)
	for i := range alternating {
		alternating[i] = change{op: []string{opRemove, opAdd}[i%2], path: "members", value: fmt.Sprintf("member-%d", i/2)}
	}
	for name, c := range map[string]struct {
		changes []change
		// left is how many members there are then.
		left int
	}{
		"all removed by their values": {one(opRemove, list("MEMBER", many)), 0},
		"all added again":             {one(opAdd, list("member", many)), many},
		"others added":                {one(opAdd, list("other", many)), 2 * many},
		"all removed and added":       {append(one(opRemove, list("member", many)), one(opAdd, list("member", many))...), many},
		"removed by brackets":         {each(opRemove, `members[value eq "Member-%d"]`, nil), many - maxOperations},
		"removed by brackets of two":  {each(opRemove, `members[value eq "member-%[1]d" or value eq "member-9%03[1]d"]`, nil), many - 2*maxOperations},
		"written by brackets":         {each(opReplace, `members[value eq "member-%d"].type`, memberType), many},
		"added by brackets":           {each(opAdd, `members[value eq "other-%d"].type`, memberType), many + maxOperations},
		"one by one":                  {alternating, many},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			group, spent := map[string]any{"members": list("member", many)}, effort(0)
			require.NoError(t, groups.patchWithin(group, c.changes, &spent))
			require.Len(t, group["members"], c.left)
			require.Less(t, int(spent), 5*many)
		})
	}
}

// TestWhatAPatchMayLookAtIsBounded: brackets that all members must be held against
// are carried out, but not without end.
func TestWhatAPatchMayLookAtIsBounded(t *testing.T) {
	t.Parallel()
	for _, path := range []string{`members[value co "x"]`, `members[not (value eq "x")].type`, `members.type`} {
		members := make([]any, lifecycle.MaxWorkgroupMembers)
		for i := range members {
			members[i] = map[string]any{"value": fmt.Sprintf("member-%d", i)}
		}
		group := map[string]any{"members": members}
		changes := make([]change, maxOperations)
		for i := range changes {
			changes[i] = change{op: opRemove, path: path}
		}
		// What is left is enough for six at least, and for twenty at most.
		spent := effort(maxEffort - 20*lifecycle.MaxWorkgroupMembers)
		require.NoError(t, groups.patchWithin(group, changes[:6], &spent), path)
		err := groups.patchWithin(group, changes, &spent)
		requireRefusal(t, err)
		require.Contains(t, err.Error(), "2000000", path)
	}
}

// TestWhatAPatchMayNameIsBounded, whatever it does with it.
func TestWhatAPatchMayNameIsBounded(t *testing.T) {
	t.Parallel()
	body := func(sizes ...int) map[string]any {
		list := make([]any, len(sizes))
		for i, size := range sizes {
			object := map[string]any{"op": "add", "path": "members", "value": make([]any, size)}
			if i%2 == 1 {
				object = map[string]any{"op": "add", "value": map[string]any{"displayName": "x", "members": make([]any, size)}}
			}
			list[i] = object
		}
		return map[string]any{"operations": list}
	}
	const most = lifecycle.MaxWorkgroupMembers
	_, err := groups.readPatch(body(most, most))
	require.NoError(t, err)
	for _, sizes := range [][]int{{2*most + 1}, {0, 2*most + 1}, {most, most, 1}} {
		_, err := groups.readPatch(body(sizes...))
		requireRefusal(t, err)
		require.Contains(t, err.Error(), "20000")
	}
}
