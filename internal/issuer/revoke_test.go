// SPDX-License-Identifier: Apache-2.0

package issuer_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/builder"
)

// book is where revocations are written down, in place of the API server.
type book struct {
	*world
	away    error
	written []token.Claims
}

func (b *book) Revoke(_ context.Context, claims token.Claims) error {
	if b.away != nil {
		return b.away
	}
	b.written = append(b.written, claims)
	b.directory.Store(kube.NewRevokedToken("claviger-system", claims))
	return nil
}

// TestRevoke: acme.orders asks for one of its tokens to be revoked.
func TestRevoke(t *testing.T) {
	away := errors.New("the API server is away")
	for _, row := range []struct {
		name string
		// change happens after the token was issued; it may change the token too.
		change func(t *testing.T, b *book, raw *string)
		client oauth.ClientAuthentication
		// code is that of the error; nothing is why there was nothing to revoke. Neither: the token is revoked.
		code, nothing string
		// reason is the private half of the error.
		reason string
	}{
		{name: "its own token is revoked"},
		{name: "with the secret that the token was not taken with", client: presented("acme.orders", "new"), change: func(_ *testing.T, b *book, _ *string) {
			b.replaced(noon.Add(time.Hour))
		}},
		{name: "after the client has got other scopes", change: func(_ *testing.T, b *book, _ *string) {
			b.credential("acme", "orders", builder.ForAccount("acme"), builder.WithScopes("MCP"))
		}},
		{name: "after the client's tokens of that time were revoked", change: func(_ *testing.T, b *book, _ *string) {
			b.credential("acme", "orders", builder.ForAccount("acme"), builder.RevokeTokensBefore(noon.Add(time.Hour)))
		}},
		{name: "after the client was moved to another account, which can be undone", change: func(_ *testing.T, b *book, _ *string) {
			b.account("beta", builder.Namespaces("acme"))
			b.credential("acme", "orders", builder.ForAccount("beta"))
		}},

		{name: "the token has expired", nothing: "verifying a token: token has invalid claims: token is expired", change: func(_ *testing.T, b *book, _ *string) {
			b.now = noon.Add(14 * 24 * time.Hour)
		}},
		{name: "the token is none", nothing: "verifying a token: token is malformed", change: func(_ *testing.T, _ *book, raw *string) {
			*raw = "canary-0123456789"
		}},
		{name: "the token is tampered with", nothing: "verifying a token: token signature is invalid: crypto/ecdsa: verification error", change: func(_ *testing.T, _ *book, raw *string) {
			*raw = (*raw)[:len(*raw)-4] + "AAAA"
		}},
		{name: "the token is of another issuer", nothing: "verifying a token: token has invalid claims: token has invalid issuer", change: func(t *testing.T, b *book, raw *string) {
			*raw = b.forge(t, "https://b", issuerURL)
		}},
		{name: "the token is revoked already", nothing: "the token is revoked", change: func(t *testing.T, b *book, raw *string) {
			b.directory.Store(kube.NewRevokedToken("claviger-system", b.claims(t, *raw)))
		}},

		{name: "the token is another client's", code: oauth.CodeInvalidGrant, change: func(t *testing.T, b *book, raw *string) {
			*raw = b.issue(t, "acme.agents").AccessToken
		}},
		{name: "the token is another account's", code: oauth.CodeInvalidGrant, change: func(t *testing.T, b *book, raw *string) {
			*raw = b.issue(t, "beta.orders").AccessToken
		}},
		{name: "the secret is wrong", client: presented("acme.orders", "x"), code: oauth.CodeInvalidClient, reason: "wrong client secret"},
		{name: "the client is unknown", client: presented("acme.nobody", "x"), code: oauth.CodeInvalidClient, reason: "no such client"},
		{name: "the client is suspended", code: oauth.CodeInvalidClient, reason: v1alpha1.ReasonSuspended, change: func(_ *testing.T, b *book, _ *string) {
			b.credential("acme", "orders", builder.ForAccount("acme"), builder.Suspended())
		}},
		{name: "a wrong secret counts before a token that is none", client: presented("acme.orders", "x"), code: oauth.CodeInvalidClient, reason: "wrong client secret", change: func(_ *testing.T, _ *book, raw *string) {
			*raw = "x"
		}},
		{name: "the API server is away", code: oauth.CodeServerError, reason: away.Error(), change: func(_ *testing.T, b *book, _ *string) { b.away = away }},
		{name: "the clock is behind that of the replica that issued the token", code: oauth.CodeServerError, reason: "verifying a token: iat is in the future", change: func(_ *testing.T, b *book, _ *string) {
			b.now = noon.Add(-time.Minute - time.Second)
		}},
		{name: "the clock is behind by less than clocks may differ", change: func(_ *testing.T, b *book, _ *string) { b.now = noon.Add(-time.Minute) }},
		{name: "the signing keys are not loaded", code: oauth.CodeServerError, reason: "the key material is not loaded", change: func(t *testing.T, b *book, _ *string) {
			b.keys = &kube.Keys{}
			b.loadPepper(t)
			b.Keys = b.keys
		}},
		{name: "the objects are not all known", code: oauth.CodeServerError, reason: "the objects are not all known yet", change: func(_ *testing.T, b *book, _ *string) {
			b.Directory = behind{b.directory}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := &book{world: newWorld(t)}
			b.Revoker = b
			b.credential("acme", "orders", builder.ForAccount("acme"))
			own := b.claims(t, b.issue(t, "acme.orders").AccessToken)
			raw := b.issue(t, "acme.orders").AccessToken
			mine := b.claims(t, raw)
			if row.change != nil {
				row.change(t, b, &raw)
			}
			client := row.client
			if client.Readings == nil {
				client = presented("acme.orders", "acme.orders")
			}
			outcome, err := b.Service.Revoke(t.Context(), oauth.RevocationRequest{Client: client, Token: raw})
			checkRevocation(t, row.code, row.reason, err)
			if nothing := outcome.Nothing; (nothing != nil) != (row.nothing != "") || nothing != nil && nothing.Error() != row.nothing {
				t.Errorf("got nothing to revoke because of %v", nothing)
			}
			if revoked := row.code == "" && row.nothing == ""; !revoked {
				if len(b.written) > 0 {
					t.Errorf("%+v were revoked", b.written)
				}
			} else if len(b.written) != 1 || b.written[0].ID != mine.ID || outcome.TokenID != mine.ID || outcome.ClientID != "acme.orders" || !b.directory.Revoked(mine.ID) {
				t.Errorf("got %+v; %+v were revoked", outcome, b.written)
			}
			if b.directory.Revoked(own.ID) {
				t.Error("another token of the client was revoked")
			}
		})
	}
}

func checkRevocation(t *testing.T, code, reason string, err error) {
	t.Helper()
	var failure *oauth.Error
	if codeOf(err) != code || errors.As(err, &failure) && reasonOf(failure) != reason {
		t.Errorf("got %v, want code %q for the reason %q", err, code, reason)
	}
}
