package webhook

import "net/netip"

// reserved are the networks of IPv4 that are not of the public Internet.
var reserved = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
)

// public6 is what of IPv6 is handed out for the Internet, and reserved6 what of it
// leads elsewhere or to IPv4: Teredo and its neighbours, documentation, 6to4. NAT64
// and all that is local lies outside of public6.
var (
	public6   = netip.MustParsePrefix("2000::/3")
	reserved6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// Public reports whether an address is one of the public Internet.
func Public(ip netip.Addr) bool {
	ip = ip.WithZone("").Unmap()
	refused := reserved
	if !ip.Is4() {
		if !public6.Contains(ip) {
			return false
		}
		refused = reserved6
	}
	for _, network := range refused {
		if network.Contains(ip) {
			return false
		}
	}
	return ip.IsValid()
}
