// SPDX-License-Identifier: Apache-2.0

package oauth_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/claviger/claviger/internal/oauth"
)

func TestParseScopes(t *testing.T) {
	for _, row := range []struct {
		name      string
		parameter string
		want      oauth.Scopes
		code      string
	}{
		{name: "an empty parameter is an empty set"},
		{name: "blanks alone are an empty set", parameter: "   "},
		{name: "one token is a set of one", parameter: "Webhook", want: oauth.Scopes{"Webhook"}},
		{name: "the order is kept", parameter: "MCP Webhook API", want: oauth.Scopes{"MCP", "Webhook", "API"}},
		{name: "blanks around and between are forgiven", parameter: "  MCP   Webhook ", want: oauth.Scopes{"MCP", "Webhook"}},
		{name: "a repeated token counts once, where it came first", parameter: "b a b a", want: oauth.Scopes{"b", "a"}},
		{name: "tokens are case-sensitive", parameter: "mcp MCP", want: oauth.Scopes{"mcp", "MCP"}},
		{name: "punctuation is allowed", parameter: "account:acme https://a/b?c#d", want: oauth.Scopes{"account:acme", "https://a/b?c#d"}},
		{name: "a quote is refused", parameter: `MCP "`, code: oauth.CodeInvalidScope},
		{name: "a backslash is refused", parameter: `MCP\`, code: oauth.CodeInvalidScope},
		{name: "a tab is no separator", parameter: "MCP\tAPI", code: oauth.CodeInvalidScope},
		{name: "a line break is no separator", parameter: "MCP\nAPI", code: oauth.CodeInvalidScope},
		{name: "a comma is part of a token", parameter: "MCP,API", want: oauth.Scopes{"MCP,API"}},
		{name: "letters beyond ASCII are refused", parameter: "müll", code: oauth.CodeInvalidScope},
		{name: "the greatest length is accepted", parameter: strings.Repeat("a", 4096), want: oauth.Scopes{strings.Repeat("a", 4096)}},
		{name: "one byte more is refused", parameter: strings.Repeat("a", 4097), code: oauth.CodeInvalidScope},
		{name: "blanks count towards the length", parameter: strings.Repeat(" ", 4097), code: oauth.CodeInvalidScope},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := oauth.ParseScopes(row.parameter)
			if codeOf(err) != row.code || !slices.Equal(got, row.want) {
				t.Errorf("got %q, %v; want %q, code %q", got, err, row.want, row.code)
			}
		})
	}
}

// TestScopeCharacters holds the parser to the grammar of RFC 6749 section 3.3, byte by byte:
// scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
func TestScopeCharacters(t *testing.T) {
	for b := range 256 {
		token := "x" + string([]byte{byte(b)}) + "y"
		allowed := b == 0x21 || 0x23 <= b && b <= 0x5B || 0x5D <= b && b <= 0x7E
		got, err := oauth.ParseScopes(token)
		switch {
		case b == ' ':
			if err != nil || !slices.Equal(got, oauth.Scopes{"x", "y"}) {
				t.Errorf("a blank: got %q, %v", got, err)
			}
		case allowed:
			if err != nil || !slices.Equal(got, oauth.Scopes{token}) {
				t.Errorf("byte %#x: got %q, %v; want it to be part of a token", b, got, err)
			}
		default:
			if codeOf(err) != oauth.CodeInvalidScope || got != nil {
				t.Errorf("byte %#x: got %q, %v; want it to be refused", b, got, err)
			}
		}
	}
}

func TestScopeSets(t *testing.T) {
	for _, row := range []struct {
		name   string
		a, b   oauth.Scopes
		hasAll bool
		both   oauth.Scopes
	}{
		{name: "the empty set has all of the empty set", hasAll: true},
		{name: "any set has all of the empty set", a: oauth.Scopes{"x"}, hasAll: true},
		{name: "the empty set has nothing", b: oauth.Scopes{"x"}},
		{name: "a set has all of itself", a: oauth.Scopes{"x", "y"}, b: oauth.Scopes{"y", "x"}, hasAll: true, both: oauth.Scopes{"x", "y"}},
		{name: "a set has all of a subset", a: oauth.Scopes{"x", "y", "z"}, b: oauth.Scopes{"z", "x"}, hasAll: true, both: oauth.Scopes{"x", "z"}},
		{name: "a set has not all of a superset", a: oauth.Scopes{"y"}, b: oauth.Scopes{"x", "y"}, both: oauth.Scopes{"y"}},
		{name: "sets apart have nothing in common", a: oauth.Scopes{"x"}, b: oauth.Scopes{"y"}},
		{name: "letter case tells tokens apart", a: oauth.Scopes{"mcp"}, b: oauth.Scopes{"MCP"}},
		{name: "a prefix is not the token", a: oauth.Scopes{"orders.read"}, b: oauth.Scopes{"orders"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.a.HasAll(row.b); got != row.hasAll {
				t.Errorf("HasAll: got %v", got)
			}
			if got := row.a.Intersect(row.b); !slices.Equal(got, row.both) {
				t.Errorf("Intersect: got %q, want %q in the order of the first set", got, row.both)
			}
			for _, token := range row.both {
				if !row.a.Has(token) || !row.b.Has(token) {
					t.Errorf("Has: %q is missing", token)
				}
			}
		})
	}
}

func FuzzParseScopes(f *testing.F) {
	for _, seed := range []string{"", " ", "Webhook", "MCP  Webhook MCP", `a"b`, `a\b`, "ü", "account:acme API", "\x00", "a\tb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, parameter string) {
		scopes, err := oauth.ParseScopes(parameter)
		if err != nil {
			if codeOf(err) != oauth.CodeInvalidScope || scopes != nil {
				t.Fatalf("got %q with error %v", scopes, err)
			}
			return
		}
		for i, token := range scopes {
			if token == "" || strings.ContainsAny(token, " \"\\") || slices.Contains(scopes[:i], token) {
				t.Fatalf("%q has the token %q", scopes, token)
			}
		}
		again, err := oauth.ParseScopes(scopes.String())
		if err != nil || !slices.Equal(again, scopes) {
			t.Fatalf("%q was written as %q and read as %q, %v", scopes, scopes.String(), again, err)
		}
	})
}
