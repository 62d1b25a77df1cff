// SPDX-License-Identifier: Apache-2.0

// Package source finds out which address a request comes from.
package source

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

const header = "X-Forwarded-For"

// Proxies are the networks of those whose word on where a request comes from is taken. None: nobody's.
type Proxies []netip.Prefix

// Address gives the address that a request comes from: the peer of the connection or, where that is a trusted proxy, the address
// that it names in X-Forwarded-For. The header is read from the right, because each proxy appends whom it heard: what stands
// left of the first address that is no trusted proxy was written by a stranger, and is not looked at. So is all that is left
// of an entry that is no address; the proxy that passed it on is the source then. The zero value: not even the peer is known.
//
// Forwarded (RFC 7239) is not read: two headers could say two things, and each proxy that writes the one writes the other.
func (p Proxies) Address(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	address := plain(peer.Addr())
	if !p.trust(address) {
		return address
	}
	lines := r.Header[header]
	for i := len(lines) - 1; i >= 0; i-- {
		rest, more := lines[i], true
		for more {
			var entry string
			rest, entry, more = cutLast(rest)
			next, ok := parse(entry)
			if !ok {
				return address
			}
			address = next
			if !p.trust(address) {
				return address
			}
		}
	}
	return address
}

// TrustPeer reports whether the peer of the connection is a trusted proxy.
func (p Proxies) TrustPeer(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && p.trust(plain(peer.Addr()))
}

func (p Proxies) trust(address netip.Addr) bool {
	for _, network := range p {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// cutLast gives the last entry of a list, and what is before it.
func cutLast(list string) (rest, entry string, more bool) {
	if comma := strings.LastIndexByte(list, ','); comma >= 0 {
		return list[:comma], list[comma+1:], true
	}
	return "", list, false
}

// parse reads an address, with the port that some proxies add.
func parse(entry string) (netip.Addr, bool) {
	entry = strings.Trim(entry, " \t")
	if address, err := netip.ParseAddr(entry); err == nil {
		return plain(address), true
	}
	if both, err := netip.ParseAddrPort(entry); err == nil {
		return plain(both.Addr()), true
	}
	return netip.Addr{}, false
}

// plain gives an address its one spelling: IPv4 as IPv4, and no zone, which means nothing beyond a machine and may be any text.
func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }

// ParseProxies reads networks in CIDR notation, or single addresses. IPv4 is written as IPv4.
func ParseProxies(texts []string) (Proxies, error) {
	var proxies Proxies
	for _, text := range texts {
		network, ok := parseNetwork(text)
		if !ok {
			return nil, fmt.Errorf("%q is neither a network such as 10.0.0.0/8 nor an address", text)
		}
		proxies = append(proxies, network.Masked())
	}
	return proxies, nil
}

func parseNetwork(text string) (netip.Prefix, bool) {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		address, err := netip.ParseAddr(text)
		if err != nil || address.Zone() != "" {
			return netip.Prefix{}, false
		}
		network = netip.PrefixFrom(address, address.BitLen())
	}
	return network, !network.Addr().Is4In6()
}
