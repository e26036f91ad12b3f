package scim_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/lifecycle"
	"gatehouse/store/storetest"
)

// TestWhatWaitsForWhoIsGoneIsWokenAtOnce, and nothing else is.
func TestWhatWaitsForWhoIsGoneIsWokenAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// path has the user's or the group's id in the place of *.
		method, path, body string
		status             int
		// byGroup has the group decide, of which the user is the only member.
		byGroup, woken bool
	}{
		"made inactive":          {"PATCH", "/Users/*", operations(`{"op":"replace","value":{"active":false}}`), 200, false, true},
		"made inactive by PUT":   {"PUT", "/Users/*", `{"userName":"ann","active":false}`, 200, false, true},
		"deleted":                {"DELETE", "/Users/*", "", 204, false, true},
		"renamed":                {"PUT", "/Users/*", `{"userName":"bob"}`, 200, false, false},
		"the member inactive":    {"PATCH", "/Users/*", operations(`{"op":"replace","value":{"active":false}}`), 200, true, true},
		"the members replaced":   {"PUT", "/Groups/*", `{"displayName":"g"}`, 200, true, true},
		"the member removed":     {"PATCH", "/Groups/*", operations(`{"op":"remove","path":"members"}`), 204, true, true},
		"the group deleted":      {"DELETE", "/Groups/*", "", 204, true, true},
		"the group renamed":      {"PATCH", "/Groups/*", operations(`{"op":"replace","value":{"displayName":"h"}}`), 204, true, false},
		"a change that is wrong": {"PATCH", "/Users/*", operations(`{"op":"replace","value":{"active":false,"roles":["x"]}}`), 400, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDirectory(t)
			d.wakes.err = errors.New("Temporal is away, which is nothing to the directory")
			user := d.user(t, "ann")
			group := d.create(t, "/Groups", `{"displayName":"g","members":[{"value":"`+id(user)+`"}]}`)
			manager := storetest.Identity(t, d.Store, "manager")
			source := storetest.Source(t, d.Store, "Source", manager.ID, lifecycle.MustParseID(id(user)))
			if c.byGroup {
				_, err := d.UpdateSource(t.Context(), source.ID, func(s *lifecycle.Source) error {
					s.Approvers = []lifecycle.Reference{{ID: lifecycle.MustParseID(id(group)), Type: lifecycle.ReferenceGovernanceGroup}}
					return nil
				})
				require.NoError(t, err)
			}
			request, err := d.AcceptRequest(t.Context(), lifecycle.Request{
				ID: lifecycle.NewID(), Source: lifecycle.SourceSummary{ID: source.ID}, Requester: manager.ID,
				Person: storetest.Person("waits", manager), Created: storetest.Now(),
			}, 10)
			require.NoError(t, err)
			path := c.path[:len(c.path)-1] + id(user)
			if c.path == "/Groups/*" {
				path = "/Groups/" + id(group)
			}
			d.do(t, c.method, path, c.body).want(c.status)
			if c.woken {
				require.Equal(t, []lifecycle.ID{request.ID}, d.wakes.nudged)
			} else {
				require.Empty(t, d.wakes.nudged)
			}
			require.Less(t, d.do(t, http.MethodGet, "/Groups", "").status, 300)
		})
	}
}
