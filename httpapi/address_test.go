package httpapi

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAClientIsWhereTheLastTrustedProxySays(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, test := range map[string]struct {
		peer    string
		headers []string
		trusted []netip.Prefix
		want    string
	}{
		"no header":                          {"10.0.0.1:5", nil, trusted, "10.0.0.1"},
		"nobody is trusted":                  {"10.0.0.1:5", []string{"192.0.2.7"}, nil, "10.0.0.1"},
		"the peer is not trusted":            {"192.0.2.1:5", []string{"192.0.2.7"}, trusted, "192.0.2.1"},
		"one proxy":                          {"10.0.0.1:5", []string{"192.0.2.7"}, trusted, "192.0.2.7"},
		"two proxies":                        {"10.0.0.1:5", []string{"192.0.2.7, 10.0.0.2"}, trusted, "192.0.2.7"},
		"what the client made up":            {"10.0.0.1:5", []string{"198.51.100.1, 192.0.2.7, 10.0.0.2"}, trusted, "192.0.2.7"},
		"a trusted address made up":          {"10.0.0.1:5", []string{"10.9.9.9, 192.0.2.7"}, trusted, "192.0.2.7"},
		"two headers, the first made up":     {"10.0.0.1:5", []string{"198.51.100.1", "192.0.2.7"}, trusted, "192.0.2.7"},
		"two headers, two proxies":           {"10.0.0.1:5", []string{"192.0.2.7", "10.0.0.2"}, trusted, "192.0.2.7"},
		"all are trusted":                    {"10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, trusted, "10.0.0.3"},
		"garbage":                            {"10.0.0.1:5", []string{"garbage"}, trusted, "10.0.0.1"},
		"garbage before a proxy":             {"10.0.0.1:5", []string{"192.0.2.7, unknown, 10.0.0.2"}, trusted, "10.0.0.2"},
		"garbage before the client":          {"10.0.0.1:5", []string{"\x00,,, 192.0.2.7"}, trusted, "192.0.2.7"},
		"an empty header":                    {"10.0.0.1:5", []string{""}, trusted, "10.0.0.1"},
		"a comma at the end":                 {"10.0.0.1:5", []string{"192.0.2.7,"}, trusted, "10.0.0.1"},
		"a port":                             {"10.0.0.1:5", []string{"192.0.2.7:8080"}, trusted, "192.0.2.7"},
		"IPv6":                               {"[fd00::1]:5", []string{"2001:db8::7"}, trusted, "2001:db8::7"},
		"IPv6 in brackets":                   {"[fd00::1]:5", []string{"[2001:db8::7]"}, trusted, "2001:db8::7"},
		"IPv6 with a port":                   {"[fd00::1]:5", []string{"[2001:db8::7]:443"}, trusted, "2001:db8::7"},
		"an IPv4 peer on an IPv6 socket":     {"[::ffff:10.0.0.1]:5", []string{"192.0.2.7"}, trusted, "192.0.2.7"},
		"an IPv4 address in the form of v6":  {"10.0.0.1:5", []string{"::ffff:192.0.2.7"}, trusted, "192.0.2.7"},
		"a zone":                             {"[fe80::1%eth0]:5", nil, trusted, "fe80::1"},
		"a long header of trusted addresses": {"10.0.0.1:5", []string{strings.Repeat("10.0.0.2,", 4000) + "10.0.0.2"}, trusted, "10.0.0.2"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.RemoteAddr = test.peer
		for _, header := range test.headers {
			r.Header.Add(forwardedFor, header)
		}
		require.Equal(t, test.want, clientAddress(r, test.trusted).String(), name)
	}
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.RemoteAddr = "@"
	require.False(t, clientAddress(r, trusted).IsValid())
}
