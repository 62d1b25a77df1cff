// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"slices"
	"testing"
	"time"

	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/builder"
)

// The verdicts, as wide as a column of a table.
const (
	yes = "yes"
	un  = "401" // invalid_token
	no  = "403" // insufficient_scope
)

func verdictOf(err error) string {
	switch code := codeOf(err); code {
	case "":
		return yes
	case oauth.CodeInvalidToken:
		return un
	case oauth.CodeInsufficientScope:
		return no
	default:
		return code
	}
}

// places are the columns of the matrix.
func places() map[string]issuer.Need {
	need := func(scope string, accounts ...string) issuer.Need {
		return issuer.Need{Scopes: oauth.Scopes{scope}, Accounts: accounts}
	}
	return map[string]issuer.Need{
		"acme's webhook":     need("Webhook", "acme"),
		"acme's MCP server":  need("MCP", "acme"),
		"acme's own":         need("orders.read", "acme"),
		"beta's webhook":     need("Webhook", "beta"),
		"any webhook":        need("Webhook"),
		"the API":            need("API"),
		"the API for acme":   need("API", "acme"),
		"the API for beta":   need("API", "beta"),
		"the API for both":   need("API", "acme", "beta"),
		"a place of nobody":  {Accounts: []string{"acme"}},
		"both acme scopes":   {Scopes: oauth.Scopes{"Webhook", "MCP"}, Accounts: []string{"acme"}},
		"a confused webhook": need("Webhook", "acme", "beta"),
	}
}

// TestMatrix is the table "Tokens and places" of docs/endpoints.md: every token at every place.
func TestMatrix(t *testing.T) {
	w := newWorld(t)
	w.credential("acme", "short", builder.ForAccount("acme"), builder.TokenMinutes(1))
	columns := []string{
		"acme's webhook", "acme's MCP server", "acme's own", "beta's webhook", "any webhook", "the API", "the API for acme",
		"the API for beta", "the API for both", "a place of nobody", "both acme scopes", "a confused webhook",
	}
	issued := func(client string, scopes ...string) string { return w.issue(t, client, scopes...).AccessToken }
	expired := issued("acme.short")
	w.now = noon.Add(time.Minute)
	genuine := issued("acme.orders")
	none := []string{un, un, un, un, un, un, un, un, un, un, un, un}
	for _, row := range []struct {
		name  string
		token string
		want  []string
	}{
		{"account-level, Webhook", issued("acme.orders"), []string{yes, no, no, un, yes, un, un, un, un, no, no, un}},
		{"account-level, MCP", issued("acme.agents"), []string{no, yes, no, un, no, un, un, un, un, no, no, un}},
		{"account-level, all", issued("acme.all"), []string{yes, yes, yes, un, yes, un, un, un, un, no, yes, un}},
		{"account-level, all, but asked for MCP", issued("acme.all", "MCP"), []string{no, yes, no, un, no, un, un, un, un, no, no, un}},
		{"account-level, naming its own account", issued("acme.orders", "account:acme"), []string{yes, no, no, un, yes, un, un, un, un, no, no, un}},
		{"account-level, another account", issued("beta.orders"), []string{un, un, un, yes, yes, un, un, un, un, no, un, un}},
		{"console-level", issued("platform.console"), []string{un, un, un, un, un, yes, yes, yes, yes, no, un, un}},
		{"console-level, restricted to acme", issued("platform.console", "account:acme"), []string{un, un, un, un, un, yes, yes, no, no, no, un, un}},
		{"console-level, restricted to beta", issued("platform.console", "account:beta"), []string{un, un, un, un, un, yes, no, yes, no, no, un, un}},
		{"expired", expired, none},
		{"tampered", genuine[:len(genuine)-4] + "AAAA", none},
		{"of another issuer", w.forge(t, "https://b", issuerURL), none},
		{"for another audience", w.forge(t, issuerURL, "https://b"), []string{un, un, un, un, un, un, un, un, un, no, un, un}},
		{"of another key", newWorld(t).issue(t, "acme.orders").AccessToken, none},
		{"of a client that does not exist", w.forgeFor(t, "acme.nobody"), none},
		{"text", "not-a-token", none},
		{"nothing", "", none},
	} {
		for i, column := range columns {
			t.Run(row.name+", at "+column, func(t *testing.T) {
				if _, err := w.Authorize(row.token, places()[column]); verdictOf(err) != row.want[i] {
					t.Errorf("got %v, want %s", err, row.want[i])
				}
			})
		}
	}
}

// forge signs a token for acme.orders with our key, that names another issuer or audience.
func (w *world) forge(t *testing.T, iss, aud string) string {
	t.Helper()
	return w.sign(t, iss, func(claims *token.Claims) { claims.Audience = []string{aud} })
}

// forgeFor signs a token for another client with our key.
func (w *world) forgeFor(t *testing.T, clientID string) string {
	t.Helper()
	return w.sign(t, issuerURL, func(claims *token.Claims) { claims.ClientID = clientID })
}

// sign takes a genuine token of acme.orders, changes it and signs it again.
func (w *world) sign(t *testing.T, iss string, change func(*token.Claims)) string {
	t.Helper()
	claims := w.claims(t, w.issue(t, "acme.orders").AccessToken)
	change(&claims)
	raw, err := token.Mint(iss, w.ring(t), claims)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestAccess: what a place is told about who is there.
func TestAccess(t *testing.T) {
	w := newWorld(t)
	for _, row := range []struct {
		name     string
		client   string
		scopes   []string
		place    string
		account  string
		access   oauth.Scopes
		lifetime time.Duration
		verdict  string
	}{
		{"an account's token", "acme.orders", nil, "acme's webhook", "acme", oauth.Scopes{"Webhook"}, time.Hour, yes},
		{"a token with more scopes than are needed", "acme.all", nil, "acme's MCP server", "acme", oauth.Scopes{"Webhook", "MCP", "orders.read"}, 14 * 24 * time.Hour, yes},
		{"the console's token", "platform.console", nil, "the API for acme", "", oauth.Scopes{"API"}, 14 * 24 * time.Hour, yes},
		{"a restricted token names its account", "platform.console", []string{"account:acme"}, "the API", "acme", oauth.Scopes{"API"}, 14 * 24 * time.Hour, yes},
		{"a refused token still says whose it is", "acme.orders", nil, "acme's MCP server", "acme", oauth.Scopes{"Webhook"}, time.Hour, no},
		{"so does one of the other level", "platform.console", nil, "acme's webhook", "", oauth.Scopes{"API"}, 14 * 24 * time.Hour, un},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := w.Authorize(w.issue(t, row.client, row.scopes...).AccessToken, places()[row.place])
			if verdictOf(err) != row.verdict {
				t.Fatalf("got %v", err)
			}
			if got.ClientID != row.client || got.AccountID != row.account || !slices.Equal(got.Scopes, row.access) || !got.ExpiresAt.Equal(noon.Add(row.lifetime)) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestForgedTokensNameNobody: who is behind a token is known only once it is genuine.
func TestForgedTokensNameNobody(t *testing.T) {
	w := newWorld(t)
	raw := newWorld(t).issue(t, "acme.orders").AccessToken
	got, err := w.Authorize(raw, places()["acme's webhook"])
	if verdictOf(err) != un || got.ClientID != "" || got.AccountID != "" || got.Scopes != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAuthorizeWithoutKeys(t *testing.T) {
	w := newWorld(t)
	raw := w.issue(t, "acme.orders").AccessToken
	w.Keys = &kube.Keys{}
	if got, err := w.Authorize(raw, places()["acme's webhook"]); codeOf(err) != oauth.CodeServerError || got.ClientID != "" {
		t.Errorf("got %+v, %v", got, err)
	}
}
