// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
)

func TestCanonicalResource(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"a plain URL stays as it is", "https://mcp.example.com/mcp", "https://mcp.example.com/mcp"},
		{"scheme and host are in lower case", "HTTPS://MCP.Example.COM/Mcp", "https://mcp.example.com/Mcp"},
		{"the default port of https goes", "https://mcp.example.com:443/mcp", "https://mcp.example.com/mcp"},
		{"the default port of http goes", "http://localhost:80/mcp", "http://localhost/mcp"},
		{"the other scheme's default port stays", "https://mcp.example.com:80/", "https://mcp.example.com:80/"},
		{"another port stays", "https://mcp.example.com:8443/", "https://mcp.example.com:8443/"},
		{"an empty port goes", "https://mcp.example.com:/", "https://mcp.example.com/"},
		{"an empty path is a slash", "https://mcp.example.com", "https://mcp.example.com/"},
		{"an empty path before a query too", "https://mcp.example.com?tenant=1", "https://mcp.example.com/?tenant=1"},
		{"a slash at the end makes another", "https://mcp.example.com/mcp/", "https://mcp.example.com/mcp/"},
		{"a query stays", "https://mcp.example.com/mcp?tenant=A", "https://mcp.example.com/mcp?tenant=A"},
		{"an escape stays as it is written", "https://mcp.example.com/%6dcp/a%2Fb", "https://mcp.example.com/%6dcp/a%2Fb"},
		{"an IPv6 address has its brackets", "http://[::1]:8080/mcp", "http://[::1]:8080/mcp"},
		{"without a port too", "https://[2001:DB8::1]:443/", "https://[2001:db8::1]/"},
		{"a fragment is refused", "https://mcp.example.com/mcp#tools", ""},
		{"an empty fragment too", "https://mcp.example.com/mcp#", ""},
		{"a user is refused", "https://acme@mcp.example.com/mcp", ""},
		{"another scheme is refused", "ftp://mcp.example.com/", ""},
		{"a URN is refused", "urn:acme:mcp", ""},
		{"a relative URL is refused", "/mcp", ""},
		{"one without scheme is refused", "//mcp.example.com/mcp", ""},
		{"one without host is refused", "https:///mcp", ""},
		{"a port alone is no host", "https://:8443/mcp", ""},
		{"a port that is no number is refused", "https://mcp.example.com:https/", ""},
		{"a control character is refused", "https://mcp.example.com/\x00", ""},
		{"nothing is refused", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := oauth.CanonicalResource(row.text)
			if got != row.want || (err == nil) != (row.want != "") {
				t.Fatalf("got %q, %v, want %q", got, err, row.want)
			}
			if err != nil && row.text != "" && strings.Contains(err.Error(), "mcp.example.com") {
				t.Errorf("the error quotes what a client sent: %v", err)
			}
			if again, _ := oauth.CanonicalResource(got); again != got {
				t.Errorf("the canonical form of %q is %q", got, again)
			}
		})
	}
}

// FuzzCanonicalResource: whatever is accepted has one canonical form, which is accepted too.
func FuzzCanonicalResource(f *testing.F) {
	for _, seed := range []string{"https://a", "HTTP://A:80?b", "https://[::1]:443/%2f", "https://a/#", "https://a@b", ":", "https://a:b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		canonical, err := oauth.CanonicalResource(text)
		if err != nil {
			return
		}
		if again, err := oauth.CanonicalResource(canonical); err != nil || again != canonical {
			t.Fatalf("%q becomes %q, and that %q, %v", text, canonical, again, err)
		}
		if strings.Contains(canonical, "#") || !strings.HasPrefix(canonical, "http") {
			t.Fatalf("%q becomes %q", text, canonical)
		}
	})
}
