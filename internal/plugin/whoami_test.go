// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/claviger/claviger/test/leak"
)

// madeUp makes a token with some claims changed or, where they are nil, left out, and a signature of nobody.
func madeUp(t *testing.T, changes map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": "https://auth.example.com", "sub": "acme.orders", "aud": []string{"https://auth.example.com"}, "jti": "fYw8Zc1qk1bGm0W4d9b7Gg",
		"client_id": "acme.orders", "scope": "Webhook MCP", "account": "acme", "incarnation": "x",
		"iat": noon.Add(-time.Minute).Unix(), "exp": noon.Add(time.Hour).Unix(),
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	part := func(value any) string {
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	return part(map[string]any{"typ": "at+jwt", "alg": "ES256", "kid": "key-1"}) + "." + part(claims) + "." +
		base64.RawURLEncoding.EncodeToString([]byte("a signature of nobody"))
}

func TestWhoami(t *testing.T) {
	got := run(t, madeUp(t, nil)+"\n", "whoami", "-")
	if got.code != 0 || got.err != "" {
		t.Fatalf("got %+v", got)
	}
	expectText(t, got.out, `
Client:       acme.orders
Level:        account acme
Scopes:       Webhook MCP
Issuer:       https://auth.example.com
For:          https://auth.example.com
Issued:       2026-11-24T11:59:00Z (60s ago)
Expires:      2026-11-24T13:00:00Z (in 60m)
Token ID:     fYw8Zc1qk1bGm0W4d9b7Gg
Signed with:  ES256, key key-1

Nothing of this was verified: it is what the token says of itself.
`)
}

// TestWhoamiLines: one line of what is told of other tokens.
func TestWhoamiLines(t *testing.T) {
	for _, row := range []struct {
		name    string
		changes map[string]any
		want    string
	}{
		{"a console-level token", map[string]any{"account": nil, "scope": "API"}, "Level:        console\n"},
		{
			"a console-level token that is restricted",
			map[string]any{"scope": "API account:acme"},
			"Level:        console, restricted to account acme\n",
		},
		{
			"an account-level token that names its own account",
			map[string]any{"scope": "Webhook account:acme"},
			"Level:        account acme\n",
		},
		{"one that has expired", map[string]any{"exp": noon.Unix()}, "Expired:      2026-11-24T12:00:00Z (now)\n"},
		{"one that never expires", map[string]any{"exp": nil}, "Expires:      never says; no token service of Claviger issues such a one\n"},
		{"one for two audiences", map[string]any{"aud": []string{"a", "b"}}, "For:          a, b\n"},
		{"one whose audience is a string", map[string]any{"aud": "a"}, "For:          a\n"},
		{"one without client", map[string]any{"client_id": nil}, "Client:       <none>\n"},
		{
			"one that would write on the terminal",
			map[string]any{"client_id": "\x1b]0;root\x07\u202eevil\nLevel: console"},
			`Client:       \x1b]0;root\a\u202eevil\nLevel: console` + "\n",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := run(t, madeUp(t, row.changes), "whoami")
			if got.code != 0 || !strings.Contains(got.out, row.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestWhoamiJSON(t *testing.T) {
	got := run(t, "Authorization: Bearer "+madeUp(t, nil), "whoami", "-o", "json")
	var claims map[string]any
	if err := json.Unmarshal([]byte(got.out), &claims); err != nil || got.code != 0 {
		t.Fatalf("got %+v: %v", got, err)
	}
	if claims["client_id"] != "acme.orders" || claims["incarnation"] != "x" {
		t.Errorf("got %v", claims)
	}
	if !strings.Contains(got.err, "Nothing of this was verified") {
		t.Errorf("nobody is told that this was not verified: %q", got.err)
	}
}

// TestNoToken: what is no token is refused, and repeated nowhere.
func TestNoToken(t *testing.T) {
	for _, row := range []struct{ name, input, want string }{
		{"nothing", "", "there is no token"},
		{"an empty line", "\n", "there is no token"},
		{"a header without a token", "Authorization: Bearer\n", "there is no token"},
		{"a client secret", "clvs_abcdefghijklmnopqrstuvwxyz0123456789", "does not have three parts"},
		{"two words", "clvs_abcdefghijklmnop qrstuvwxyz0123456789", "not a bearer token"},
		{"what is far too long", strings.Repeat("a.canary-canary-canary.", 4000), "not a bearer token"},
		{"three parts that are not base64url", "canary-canary-canary=.canary-canary-canary=.x", "not a bearer token"},
		{"three parts that are no JSON", "canarycanarycanary.canarycanarycanary.x", "its header cannot be read"},
		{"a header and no claims", "e30.canarycanarycanary.x", "its claims cannot be read"},
		{"claims of another form", "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":"canary-canary-canary"}`)) + ".x", "its claims cannot be read"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := run(t, row.input, "whoami", "-")
			if got.code != 1 || got.out != "" || !strings.Contains(got.err, row.want) {
				t.Errorf("got %+v", got)
			}
			if leak.Quotes(got.err, row.input) {
				t.Errorf("the error quotes what was read: %s", got.err)
			}
		})
	}
}

func TestRevokingAnExpiredToken(t *testing.T) {
	got := run(t, madeUp(t, map[string]any{"exp": noon.Add(-25 * time.Hour).Unix()}), "revoke", "-")
	if got.code != 0 || got.out != "nothing to revoke: the token expired 2026-11-23T11:00:00Z (25h ago)\n" {
		t.Errorf("got %+v", got)
	}
}
