package httpapi

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// forwardedFor is the header in which proxies say whom they speak for, each
// behind those before it.
const forwardedFor = "X-Forwarded-For"

// clientAddress is where the request comes from: the peer, or where that is a
// trusted proxy, the last address before it that is none. What a client itself
// wrote into the header stands before that and is never reached; what can't be
// read ends the search, at the proxy that handed it on. It is invalid where the
// peer has no IP address.
func clientAddress(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	client := plainAddress(peer.Addr())
	headers := r.Header.Values(forwardedFor)
	for i := len(headers) - 1; i >= 0 && isTrusted(client, trusted); i-- {
		for rest := headers[i]; isTrusted(client, trusted); {
			at := strings.LastIndexByte(rest, ',')
			hop, ok := parseHop(rest[at+1:])
			if !ok {
				return client
			}
			client = hop
			if at < 0 {
				break
			}
			rest = rest[:at]
		}
	}
	return client
}

// fromTrusted reports whether the peer is a trusted proxy.
func fromTrusted(r *http.Request, trusted []netip.Prefix) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && isTrusted(plainAddress(peer.Addr()), trusted)
}

// parseHop reads an address, with or without a port.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.Trim(text, " \t")
	if address, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return plainAddress(address), true
	}
	if address, err := netip.ParseAddrPort(text); err == nil {
		return plainAddress(address.Addr()), true
	}
	return netip.Addr{}, false
}

// plainAddress gives every address one form.
func plainAddress(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }

func isTrusted(address netip.Addr, trusted []netip.Prefix) bool {
	return slices.ContainsFunc(trusted, func(network netip.Prefix) bool { return network.Contains(address) })
}
