// SPDX-License-Identifier: Apache-2.0

package oauthapi

import (
	"net/url"
	"strings"
	"testing"
)

func TestPrefixGuard(t *testing.T) {
	for _, row := range []struct{ name, target, guard string }{
		{"the guard comes before the caller's path", "/verify/envoy/scope=MCP&account=acme//tools/call?account=other", "scope=MCP&account=acme"},
		{"the root is a path", "/verify/envoy/scope=MCP//", "scope=MCP"},
		{"a slash in a guard is encoded, and stays so", "/verify/envoy/resource=acme%2Ftools//tools", "resource=acme%2Ftools"},
		{"a path that climbs leads nowhere", "/verify/envoy/scope=MCP//../../scope=API//", "scope=MCP"},
		{"a path that encodes its climb leads nowhere", "/verify/envoy/scope=MCP//%2e%2e%2fscope=API//", "scope=MCP"},
		{"an empty segment closes nothing again", "/verify/envoy/scope=MCP////scope=API//", "scope=MCP"},
		{"a prefix without its last slash is no guard", "/verify/envoy/scope=MCP/tools", ""},
		{"OPTIONS * has no path, so there is no guard", "/verify/envoy/scope=MCP/*", ""},
		{"a prefix that forgot the guard is none", "/verify/envoy//tools", ""},
		{"neither is one that ends early", "/verify/envoy/", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := prefixGuard(row.target); got != row.guard {
				t.Errorf("prefixGuard(%q) = %q, want %q", row.target, got, row.guard)
			}
		})
	}
}

// FuzzPrefixGuard: whatever a caller sends as its path, the guard is the gateway's or none.
func FuzzPrefixGuard(f *testing.F) {
	for _, path := range []string{"/", "/tools", "*", "", "//", "/../../scope=API//", "?scope=API", "#//", "/%2f%2f", "&account=other//", "\x00/", "/a|b\"?c=//"} {
		f.Add("scope=MCP&account=acme", path)
		f.Add("resource=acme%2Ftools", path)
	}
	f.Fuzz(func(t *testing.T, guard, path string) {
		if guard == "" || strings.ContainsAny(guard, "/?#") {
			return // a gateway cannot be configured so
		}
		target := PathVerifyEnvoy + guard + "/" + path
		if _, err := url.ParseRequestURI(target); err != nil {
			return // the HTTP server refuses it
		}
		got := prefixGuard(target)
		if got != guard && got != "" {
			t.Errorf("%q: the guard %q became %q", path, guard, got)
		}
		if strings.HasPrefix(path, "/") && got != guard {
			t.Errorf("%q: the guard %q got lost", path, guard)
		}
	})
}
