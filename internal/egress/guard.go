// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"net/netip"
	"net/url"
	"strconv"
	"syscall"

	"code.dny.dev/ssrf"
)

// guard says which addresses may be dialled: those that are public, by IANA's registries of special-purpose addresses, and the
// networks that the operator allows.
type guard struct{ guardian *ssrf.Guardian }

func newGuard(allowed []netip.Prefix) guard {
	var four, six []netip.Prefix
	for _, network := range allowed {
		switch address := network.Addr(); {
		case address.Is4():
			four = append(four, network)
		case address.Is4In6() && network.Bits() >= 96:
			four = append(four, netip.PrefixFrom(address.Unmap(), network.Bits()-96))
		default:
			six = append(six, network)
		}
	}
	return guard{ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(four...), ssrf.WithAllowedV6Prefixes(six...))}
}

// control is a net.Dialer's Control: it sees the very address that is about to be connected to.
func (g guard) control(network, address string, _ syscall.RawConn) error {
	destination, err := netip.ParseAddrPort(address)
	if err != nil {
		return refuse("the host is at no IP address")
	}
	host := meant(destination.Addr())
	if g.guardian.Safe(network, netip.AddrPortFrom(host, destination.Port()).String(), nil) != nil {
		return refuse("the host is at " + class(host) + ", which is not public and not in an allowed network")
	}
	return nil
}

// meant gives the address that is reached in the end. Behind NAT64's well-known prefix it is the IPv4 address in the last four bytes
// (RFC 6052 section 2.1): public ones are good, as a cluster with nothing but IPv6 needs them, and 64:ff9b::7f00:1 is loopback.
func meant(address netip.Addr) netip.Addr {
	address = address.Unmap()
	if !ssrf.IPv6NAT64Prefix.Contains(address) {
		return address
	}
	bytes := address.As16()
	return netip.AddrFrom4([4]byte(bytes[12:]))
}

var (
	thisHost = netip.MustParsePrefix("0.0.0.0/8")
	shared   = netip.MustParsePrefix("100.64.0.0/10")
)

// class says what an address that is refused is, and not which it is: whoever made up a name shall not learn our networks from it.
func class(address netip.Addr) string {
	switch {
	case address.IsLoopback():
		return "a loopback address"
	case address.IsUnspecified(), thisHost.Contains(address):
		return "an unspecified address"
	case address.IsLinkLocalUnicast():
		return "a link-local address"
	case address.IsPrivate():
		return "a private address"
	case shared.Contains(address):
		return "an address of carrier-grade NAT"
	case address.IsMulticast():
		return "a multicast address"
	default:
		return "an address for special purposes"
	}
}

// admit checks what of a URL can be checked before its name is resolved.
func (c *Client) admit(u *url.URL) error {
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !c.options.AllowHTTP):
		return refuse("the URL is not https")
	case u.User != nil:
		return refuse("the URL has a user")
	case u.Hostname() == "":
		return refuse("the URL has no host")
	}
	if text := u.Port(); text != "" {
		if port, err := strconv.ParseUint(text, 10, 16); err != nil || port == 0 {
			return refuse("the URL has a port that there is not")
		}
	}
	return nil
}
