package httpapi

import (
	"slices"
	"strings"
)

// prefixes are the versioned mounts (contract §1), without their slashes.
var prefixes = []string{"v3", "beta", "v2024", "v2025", "v2026"}

// betaPrefix alone has limit and offset on the list of schema attributes.
const betaPrefix = "beta"

// resources are the first segments of the contract's paths, and of ours that are
// served as these are.
var resources = []string{
	"audit-events", "deliveries", "identities", "non-employee-approval-config", "non-employee-approvals",
	"non-employee-extension-approvals", "non-employee-extensions", "non-employee-lifecycle-config",
	"non-employee-records", "non-employee-requests", "non-employee-sources", "oauth-clients",
	"personal-access-tokens", "webhooks", "workgroups",
}

// location is where a path leads.
type location struct {
	// path is the one that the router knows, without any mount.
	path string
	// contract is true for the contract's operations, false for what is served
	// beside them.
	contract bool
	beta     bool
}

// locate finds the mount of a path and takes it away. decoded and escaped are
// the path of a URL in its two forms. ok is false for what is under no mount,
// and for every path that could be read in two ways: no redirect, no cleaning.
func locate(decoded, escaped string) (at location, ok bool) {
	if !plain(decoded, escaped) {
		return location{}, false
	}
	first, rest, _ := strings.Cut(decoded[1:], "/")
	if slices.Contains(prefixes, first) {
		path := "/" + rest
		return location{path: path, contract: true, beta: first == betaPrefix}, underResource(path)
	}
	if slices.Contains(resources, first) {
		version, rest, deeper := strings.Cut(rest, "/")
		path := "/" + first
		if deeper {
			path += "/" + rest
		}
		return location{path: path, contract: true}, version == "v1"
	}
	return location{path: decoded}, true
}

func underResource(path string) bool {
	first, _, _ := strings.Cut(path[1:], "/")
	return slices.Contains(resources, first)
}

// plain reports whether the path is absolute, has no empty segment, no dot
// segment, none that ends in a slash of its own (%2F) or a backslash, and no
// character that ends a text.
func plain(decoded, escaped string) bool {
	if !strings.HasPrefix(decoded, "/") || strings.Count(decoded, "/") != strings.Count(escaped, "/") {
		return false
	}
	if strings.ContainsAny(decoded, "\\\x00") {
		return false
	}
	for segment := range strings.SplitSeq(decoded[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}
