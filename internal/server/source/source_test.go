// SPDX-License-Identifier: Apache-2.0

package source

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func request(peer string, lines ...string) *http.Request {
	r := &http.Request{RemoteAddr: peer, Header: http.Header{}}
	for _, line := range lines {
		r.Header.Add("X-Forwarded-For", line)
	}
	return r
}

func TestAddress(t *testing.T) {
	const proxy, second, stranger = "10.0.0.1:4711", "10.0.0.2", "203.0.113.9:4711"
	for _, row := range []struct {
		name, peer string
		lines      []string
		want       string
	}{
		{"the peer, where it is a stranger", stranger, nil, "203.0.113.9"},
		{"the peer, whatever a stranger writes", stranger, []string{"192.0.2.1"}, "203.0.113.9"},
		{"the peer, also where it claims to be a proxy", stranger, []string{"192.0.2.1, 10.0.0.2"}, "203.0.113.9"},
		{"the proxy itself, where it names nobody", proxy, nil, "10.0.0.1"},
		{"whom the proxy names", proxy, []string{"192.0.2.1"}, "192.0.2.1"},
		{"the last of those that the proxy names, for the others are the stranger's words", proxy, []string{"198.51.100.7, 192.0.2.1"}, "192.0.2.1"},
		{"whom the first of two proxies names", proxy, []string{"198.51.100.7, 192.0.2.1, " + second}, "192.0.2.1"},
		{"also in lines of their own", proxy, []string{"198.51.100.7", "192.0.2.1", second}, "192.0.2.1"},
		{"a trusted address left of a stranger's is no proof", proxy, []string{"10.0.0.9, 192.0.2.1"}, "192.0.2.1"},
		{"the leftmost, where all are trusted", proxy, []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"without blanks", proxy, []string{"198.51.100.7,192.0.2.1,10.0.0.2"}, "192.0.2.1"},
		{"with tabs", proxy, []string{"198.51.100.7\t,\t192.0.2.1\t"}, "192.0.2.1"},
		{"with a port", proxy, []string{"192.0.2.1:8080"}, "192.0.2.1"},
		{"IPv6", proxy, []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv6 with a port", proxy, []string{"[2001:db8::1]:8080"}, "2001:db8::1"},
		{"IPv4 spelt as IPv6", proxy, []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		{"a proxy spelt as IPv6", "[::ffff:10.0.0.1]:4711", []string{"192.0.2.1"}, "192.0.2.1"},
		{"a proxy of IPv6", "[fd00::1]:4711", []string{"192.0.2.1"}, "192.0.2.1"},
		{"no zone", proxy, []string{"fe80::1%<script>"}, "fe80::1"},
		{"the proxy that passed on what is no address", proxy, []string{"192.0.2.1, unknown"}, "10.0.0.1"},
		{"the second proxy that did so", proxy, []string{"unknown, 10.0.0.2"}, "10.0.0.2"},
		{"the proxy, where an entry is empty", proxy, []string{"192.0.2.1,"}, "10.0.0.1"},
		{"the proxy, where a line is empty", proxy, []string{"192.0.2.1", ""}, "10.0.0.1"},
		{"the proxy, for a name", proxy, []string{"localhost"}, "10.0.0.1"},
		{"the proxy, for an octal number", proxy, []string{"0300.0.2.1"}, "10.0.0.1"},
		{"the proxy, for a line break", proxy, []string{"192.0.2.1\r\nX: y"}, "10.0.0.1"},
		{"the proxy, for a number too many", proxy, []string{"192.0.2.1.1"}, "10.0.0.1"},
		{"the proxy, for 30 KiB of commas", proxy, []string{strings.Repeat(",", 30<<10)}, "10.0.0.1"},
		{"the leftmost of thousands of proxies", proxy, []string{"192.0.2.1" + strings.Repeat(",10.0.0.2", 3000)}, "192.0.2.1"},
		{"none, where there is no peer", "", []string{"192.0.2.1"}, ""},
		{"none, where the peer is a socket's name", "@", []string{"192.0.2.1"}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			proxies, err := ParseProxies([]string{"10.0.0.0/8", "fd00::1"})
			if err != nil {
				t.Fatal(err)
			}
			var want netip.Addr
			if row.want != "" {
				want = netip.MustParseAddr(row.want)
			}
			if got := proxies.Address(request(row.peer, row.lines...)); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestParseProxies(t *testing.T) {
	for _, row := range []struct {
		name, text string
		good       bool
	}{
		{"a network", "10.0.0.0/8", true},
		{"a network with bits beyond its length", "10.1.2.3/8", true},
		{"an address", "10.0.0.1", true},
		{"a network of IPv6", "fd00::/8", true},
		{"everybody, where only proxies can connect", "0.0.0.0/0", true},
		{"IPv4 spelt as IPv6, which no address would match", "::ffff:10.0.0.0/104", false},
		{"an address with a zone", "fe80::1%eth0", false},
		{"a name", "ingress", false},
		{"a length too many", "10.0.0.0/33", false},
		{"nothing", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := ParseProxies([]string{row.text}); (err == nil) != row.good {
				t.Errorf("got %v", err)
			}
		})
	}
}

// FuzzAddress: whatever a header says, a stranger cannot choose its address; behind a proxy, what the proxy appended decides.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"", "192.0.2.1", "10.0.0.1, 192.0.2.1", ",,,", "[::1]:80", "fe80::1%x", "unknown", "\x00"} {
		f.Add(seed)
	}
	proxies := Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	stranger, caller := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("192.0.2.1")
	f.Fuzz(func(t *testing.T, forged string) {
		if got := proxies.Address(request("203.0.113.9:1", forged)); got != stranger {
			t.Errorf("a stranger is taken for %v", got)
		}
		for _, lines := range [][]string{{forged + ", 192.0.2.1"}, {forged, "192.0.2.1"}, {forged, "192.0.2.1, 10.0.0.2"}} {
			if got := proxies.Address(request("10.0.0.1:1", lines...)); got != caller {
				t.Errorf("the caller of %q is taken for %v", lines, got)
			}
		}
		if got := proxies.Address(request("10.0.0.1:1", forged)); !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("%q gives %v", forged, got)
		}
	})
}
