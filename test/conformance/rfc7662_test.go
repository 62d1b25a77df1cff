// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"

	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/matrix"
)

func rfc7662() rfc {
	const inactive = `{"active":false}`
	return rfc{
		number: 7662, title: "Token Introspection",
		scope: "Sections 2 to 2.3 and 4.",
		clauses: []clause{
			{section: "2", must: "take introspection requests over TLS alone", hold: rfc6749TLS, divergence: "As at RFC 6749 section 2.3.1."},
			{section: "2.1", must: "take POST with token in an application/x-www-form-urlencoded body", hold: func() {
				request := introspection()
				request.Method = http.MethodGet
				Expect(send(request, "").Status).To(Equal(http.StatusMethodNotAllowed))
				expectError(send(introspection(), url.Values{"client_id": {webhook.ID}, "client_secret": {webhook.Secret}}.Encode()), 400, "invalid_request")
			}},
			{section: "2.1", must: "tell nobody anything who does not authenticate", hold: func() {
				expectError(send(introspection(), url.Values{"token": {webhookToken()}}.Encode()), 401, "invalid_client")
			}},
			{section: "2.1", must: "find the token whatever token_type_hint says", hold: func() {
				request := introspection()
				request.SetBasicAuth(webhook.ID, webhook.Secret)
				answer := send(request, url.Values{"token": {webhookToken()}, "token_type_hint": {"refresh_token"}}.Encode())
				Expect(answer.Body).To(HavePrefix(`{"active":true`))
			}},
			{section: "2.2", must: "answer with a JSON object that has the boolean active", hold: func() {
				for token, want := range map[string]bool{webhookToken(): true, "nonsense": false} {
					answer := service.Introspect(webhook, token)
					Expect(answer.Status).To(Equal(http.StatusOK))
					Expect(answer.Header.Get("Content-Type")).To(Equal("application/json"))
					var body map[string]any
					Expect(json.Unmarshal([]byte(answer.Body), &body)).To(Succeed())
					Expect(body).To(HaveKeyWithValue("active", want))
				}
			}, divergence: "account, which the RFC does not have, names the one account that the token may act on."},
			{section: "2.2", must: "tell nothing but that a token is not active, also where the caller may not know of it", hold: func() {
				for _, token := range []string{"nonsense", othersToken(), consoleToken(), matrix.Tampered(webhookToken())} {
					Expect(service.Introspect(webhook, token).Body).To(Equal(inactive))
				}
			}},
			{section: "2.3", must: "answer 401 where the caller's own credentials are wrong", hold: func() {
				wrong := webhook
				wrong.Secret = "wrong"
				expectError(service.Introspect(wrong, webhookToken()), 401, "invalid_client")
			}},
			{section: "4", must: "check the signature, the expiry and the revocation of a token, and whether it is of this issuer", hold: func() {
				revoked := webhookToken()
				expectDone(service.Revoke(webhook, revoked))
				for _, token := range []string{
					matrix.Tampered(webhookToken()), world.Behind.TakeToken(webhook), revoked, world.Foreign.TakeToken(webhook),
				} {
					Expect(service.Introspect(webhook, token).Body).To(Equal(inactive))
				}
			}, divergence: "The section has the server check too whether a token may be used at the resource server that asks. A caller is a client and not a place here: " +
				"it compares aud, account and scope with what it needs. `/verify` does that comparison."},
		},
	}
}
