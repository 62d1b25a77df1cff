// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"net/http"
	"net/url"

	. "github.com/onsi/gomega"
)

func rfc7009() rfc {
	return rfc{
		number: 7009, title: "Token Revocation",
		scope: "Sections 2 to 2.2.1. There are no refresh tokens, so what concerns them has nothing to apply to; section 2.3 (JSONP) is an option that is left out.",
		clauses: []clause{
			{section: "2", must: "let a client revoke its access tokens", hold: func() {
				token := webhookToken()
				expectDone(service.Revoke(webhook, token))
				Expect(alive(service, token)).To(BeFalse())
			}},
			{section: "2", must: "take revocation requests over TLS alone", hold: rfc6749TLS, divergence: "As at RFC 6749 section 2.3.1."},
			{section: "2.1", must: "take POST with token in an application/x-www-form-urlencoded body", hold: func() {
				request := revocation()
				request.Method = http.MethodGet
				Expect(send(request, "").Status).To(Equal(http.StatusMethodNotAllowed))
				expectError(send(revocation(), url.Values{"client_id": {webhook.ID}, "client_secret": {webhook.Secret}}.Encode()), 400, "invalid_request")
			}},
			{section: "2.1", must: "authenticate the client before anything else", hold: func() {
				token := webhookToken()
				request := revocation()
				request.SetBasicAuth(webhook.ID, "wrong")
				expectError(send(request, url.Values{"token": {token}}.Encode()), 401, "invalid_client")
				Expect(alive(service, token)).To(BeTrue())
			}},
			{section: "2.1", must: "refuse to revoke a token of another client, and tell the client", hold: func() {
				token := webhookToken()
				expectError(service.Revoke(mcp, token), 400, "invalid_grant")
				Expect(alive(service, token)).To(BeTrue())
			}, divergence: "The section names no code. invalid_grant is what RFC 6749 section 5.2 has for what was issued to another client."},
			{section: "2.1", must: "find the token whatever token_type_hint says", hold: func() {
				for _, hint := range []string{"refresh_token", "access_token", "no such type"} {
					token := webhookToken()
					expectDone(service.Revoke(webhook, token, "token_type_hint", hint))
					Expect(alive(service, token)).To(BeFalse(), hint)
				}
			}},
			{section: "2.1", must: "refuse a token as soon as its revocation was answered", hold: func() {
				token := webhookToken()
				expectDone(service.Revoke(webhook, token))
				Expect(alive(service, token)).To(BeFalse())
				Expect(service.Introspect(webhook, token).Body).To(Equal(`{"active":false}`))
			}, divergence: "At once on the replica that answered, and within a second on every other one."},
			{section: "2.2", must: "answer 200 where a token was revoked, and where it was not valid anyway", hold: func() {
				token := webhookToken()
				expectDone(service.Revoke(webhook, token))
				for _, gone := range []string{token, "nonsense", world.Behind.TakeToken(webhook)} {
					expectDone(service.Revoke(webhook, gone))
				}
			}},
			{section: "2.2.1", must: "answer errors as RFC 6749 section 5.2 has them", hold: func() {
				expectError(service.Revoke(suspended, webhookToken()), 401, "invalid_client")
			}, divergence: "unsupported_token_type does not occur: there is one type of token."},
		},
	}
}
