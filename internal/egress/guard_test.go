// SPDX-License-Identifier: Apache-2.0

package egress_test

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/egress"
)

// TestWhatIsNotPublicIsNotCalled, as an address in the URL and as what a name turns out to be.
func TestWhatIsNotPublicIsNotCalled(t *testing.T) {
	for _, row := range []struct{ name, address, class string }{
		{"loopback", "127.0.0.1", "loopback"},
		{"another loopback address", "127.8.9.1", "loopback"},
		{"loopback of IPv6", "::1", "loopback"},
		{"loopback as an IPv4-mapped address", "::ffff:127.0.0.1", "loopback"},
		{"loopback behind NAT64", "64:ff9b::7f00:1", "loopback"},
		{"a private address behind NAT64", "64:ff9b::a00:1", "private"},
		{"NAT64 of one's own", "64:ff9b:1::808:808", "special purposes"},
		{"the unspecified address", "0.0.0.0", "unspecified"},
		{"this network", "0.1.2.3", "unspecified"},
		{"the unspecified address of IPv6", "::", "unspecified"},
		{"link-local", "169.254.1.1", "link-local"},
		{"the metadata of clouds", "169.254.169.254", "link-local"},
		{"the metadata of clouds as an IPv4-mapped address", "::ffff:169.254.169.254", "link-local"},
		{"link-local of IPv6", "fe80::1", "link-local"},
		{"the metadata of a cloud over IPv6", "fd00:ec2::254", "private"},
		{"the metadata of a cloud in the range of carrier-grade NAT", "100.100.100.200", "carrier-grade NAT"},
		{"RFC 1918, 10/8", "10.96.0.1", "private"},
		{"RFC 1918, 172.16/12", "172.31.255.255", "private"},
		{"RFC 1918, 192.168/16", "192.168.0.1", "private"},
		{"carrier-grade NAT", "100.64.0.1", "carrier-grade NAT"},
		{"multicast", "224.0.0.251", "multicast"},
		{"multicast of IPv6", "ff02::1", "multicast"},
		{"broadcast", "255.255.255.255", "special purposes"},
		{"6to4 of a private address", "2002:a00:1::1", "special purposes"},
		{"Teredo", "2001::1", "special purposes"},
		{"documentation", "203.0.113.1", "special purposes"},
		{"an IPv4-compatible address", "::7f00:1", "special purposes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			check := func(client *egress.Client, host string) {
				t.Helper()
				_, err := client.Do(request(t, http.MethodGet, "https://"+host+":8443/token?key=s3cret-0123456789"))
				if !errors.Is(err, egress.ErrForbidden) || !errors.Is(err, egress.ErrNotSent) {
					t.Fatalf("%s: got %v", host, err)
				}
				if !strings.Contains(err.Error(), row.class) || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), row.address) {
					t.Errorf("%s: got %v", host, err)
				}
			}
			options := egress.Options{Timeout: 5 * time.Second}
			check(egress.New(options), strings.TrimSuffix(net.JoinHostPort(row.address, ""), ":"))
			options.Resolver = newNames(t, row.address).resolver()
			check(egress.New(options), "provider.example")
		})
	}
}

// TestSpellings of an address that some resolvers read and others do not: whatever they make of them is checked.
func TestSpellings(t *testing.T) {
	address, count := listen(t, "127.0.0.1:0", func(net.Conn) {})
	_, port, _ := net.SplitHostPort(address)
	client := egress.New(egress.Options{AllowHTTP: true, Timeout: 5 * time.Second, Resolver: newNames(t, "127.0.0.1").resolver()})
	for _, host := range []string{
		"2130706433", "0177.0.0.1", "0x7f000001", "0x7f.1", "127.1", "localhost", "LOCALHOST", "localhost.", "127.0.0.1.", "127。0。0。1", "①②⑦.0.0.1",
	} {
		_, err := client.Do(request(t, http.MethodGet, "http://"+host+":"+port))
		if !errors.Is(err, egress.ErrNotSent) || (!errors.Is(err, egress.ErrForbidden) && !errors.Is(err, egress.ErrUnresolved)) {
			t.Errorf("%s: got %v", host, err)
		}
	}
	if count.Load() != 0 {
		t.Errorf("there were %d connections", count.Load())
	}
}

// TestANameThatIsRebound is checked for every connection, so it is of no use that it was good the last time.
func TestANameThatIsRebound(t *testing.T) {
	answer := func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = conn.Write([]byte("HTTP/1.1 204 No Content\r\n\r\n"))
	}
	address, good := listen(t, "127.0.0.2:0", answer)
	_, port, _ := net.SplitHostPort(address)
	_, bad := listen(t, "127.0.0.1:"+port, answer)
	names := newNames(t, "127.0.0.2", "127.0.0.1")
	client := open(func(o *egress.Options) {
		o.AllowedNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")} // as good as public
		o.Resolver = names.resolver()
	})
	response, err := client.Do(request(t, http.MethodGet, "http://provider.example:"+port))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	_, err = client.Do(request(t, http.MethodGet, "http://provider.example:"+port))
	if !errors.Is(err, egress.ErrForbidden) || good.Load() != 1 || bad.Load() != 0 || names.asked.Load() != 2 {
		t.Errorf("got %v, %d and %d connections after %d answers", err, good.Load(), bad.Load(), names.asked.Load())
	}
}

func TestAllowedNetworks(t *testing.T) {
	address, _ := listen(t, "127.0.0.1:0", func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = conn.Write([]byte("HTTP/1.1 204 No Content\r\n\r\n"))
	})
	for _, row := range []struct {
		name, network string
		want          error
	}{
		{"the address alone", "127.0.0.1/32", nil},
		{"a network with it", "127.0.0.0/8", nil},
		{"a network that is written with a host's bits", "127.3.4.5/8", nil},
		{"an IPv4-mapped network with it", "::ffff:127.0.0.0/104", nil},
		{"another network", "10.0.0.0/8", egress.ErrForbidden},
		{"the loopback address of IPv6", "::1/128", egress.ErrForbidden},
		{"all of IPv6", "::/0", egress.ErrForbidden},
		{"none", "", egress.ErrForbidden},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := open(func(o *egress.Options) {
				network, _ := netip.ParsePrefix(row.network)
				o.AllowedNetworks = []netip.Prefix{network}
			})
			response, err := client.Do(request(t, http.MethodGet, "http://"+address))
			if !errors.Is(err, row.want) {
				t.Fatalf("got %v", err)
			}
			if err == nil {
				_ = response.Body.Close()
			}
		})
	}
}

func TestURLs(t *testing.T) {
	closed := egress.Options{AllowedNetworks: loopback, Timeout: time.Second}
	for _, row := range []struct{ name, url, why string }{
		{"http", "http://127.0.0.1/", "not https"},
		{"another scheme", "ftp://127.0.0.1/", "not https"},
		{"no scheme", "//127.0.0.1/", "not https"},
		{"no host", "https:///token", "no host"},
		{"no hierarchy", "https:token", "no host"},
		{"a port alone", "https://:443/", "no host"},
		{"a user", "https://s3cret@127.0.0.1/", "a user"},
		{"a user and a password", "https://user:s3cret@127.0.0.1/", "a user"},
		{"port 0", "https://127.0.0.1:0/", "a port"},
		{"a port that is too high", "https://127.0.0.1:65536/", "a port"},
	} {
		t.Run(row.name, func(t *testing.T) {
			u, err := url.Parse(row.url)
			if err != nil {
				t.Fatal(err)
			}
			r := request(t, http.MethodGet, "https://127.0.0.1")
			r.URL = u
			_, err = egress.New(closed).Do(r)
			if !errors.Is(err, egress.ErrForbidden) || !errors.Is(err, egress.ErrNotSent) || !strings.Contains(err.Error(), row.why) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %v", err)
			}
		})
	}
}
