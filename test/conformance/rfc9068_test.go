// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/matrix"
)

func rfc9068() rfc {
	return rfc{
		number: 9068, title: "JSON Web Token Profile for Access Tokens",
		scope: "Sections 2 to 5. There is no resource owner: every token is a client's own, so auth_time, acr, amr and the claims of section 2.2.2 are absent.",
		clauses: []clause{
			{section: "2.1", must: "sign every token, and never with the algorithm none", hold: func() {
				Expect(part(webhookToken(), 0)).To(HaveKeyWithValue("alg", "ES256"))
			}, divergence: "The section has RS256 among the algorithms of everybody. Claviger has it, with --signing-algorithm RS256; the default is ES256, whose " +
				"signatures cost a tenth."},
			{section: "2.1", must: "say at+jwt as the type of a token", hold: func() {
				Expect(part(webhookToken(), 0)).To(HaveKeyWithValue("typ", "at+jwt"))
			}},
			{section: "2.2", must: "put iss, exp, aud, sub, client_id, iat and jti into every token", hold: func() {
				for _, token := range []string{webhookToken(), consoleToken()} {
					claims := part(token, 1)
					for _, name := range []string{"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} {
						Expect(claims).To(HaveKey(name))
					}
				}
			}, divergence: "account, which the RFC does not have, names the account that a token is of, or restricted to."},
			{section: "2.2", must: "name the client as sub where there is no resource owner", hold: func() {
				claims := part(webhookToken(), 1)
				Expect(claims).To(HaveKeyWithValue("sub", webhook.ID))
				Expect(claims).To(HaveKeyWithValue("client_id", webhook.ID))
			}},
			{section: "2.2", must: "give every token a jti of its own", hold: func() {
				Expect(claimsOf(webhookToken()).ID).NotTo(Equal(claimsOf(webhookToken()).ID))
			}},
			{section: "2.2.3", must: "put what was granted into scope", hold: func() {
				Expect(part(service.TakeToken(both, "scope", "MCP API"), 1)).To(HaveKeyWithValue("scope", "MCP"))
			}},
			{section: "3", must: "put a default into aud where no resource is asked for", hold: func() {
				Expect(claimsOf(webhookToken()).Audience).To(ConsistOf(harness.Issuer))
			}, divergence: "The default is the issuer: such a token is good wherever its account and scope are, as clients expect that know no resources."},
			{section: "4", must: "publish its keys, and name in a token the one that signed it", hold: func() {
				Expect(fetch(http.MethodGet, service.URL+"/oauth/jwks").Body).To(ContainSubstring(`"kid":"` + part(webhookToken(), 0)["kid"].(string) + `"`))
			}},
			{section: "4", must: "refuse, where it is the resource server, a token of another type, issuer, audience or key, without a signature, or expired", hold: func() {
				for name, token := range map[string]string{
					"another issuer": world.Foreign.TakeToken(webhook), "another audience": world.ForAnotherAudience(webhookToken()),
					"another signature": matrix.Tampered(webhookToken()), "expired": world.Behind.TakeToken(webhook), "alg none": unsigned(webhookToken()),
				} {
					answer := service.Verify(token, matrix.AcmeWebhook.Guard)
					Expect(answer.Status).To(Equal(401), name)
					Expect(answer.Header.Get("WWW-Authenticate")).To(ContainSubstring(`error="invalid_token"`), name)
				}
			}},
		},
	}
}

// part reads a part of a token without verifying it: 0 is the header, 1 the claims.
func part(token string, index int) map[string]any {
	GinkgoHelper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[index])
	Expect(err).NotTo(HaveOccurred())
	var values map[string]any
	Expect(json.Unmarshal(raw, &values)).To(Succeed())
	return values
}

// unsigned makes a token claim that it needs no signature.
func unsigned(token string) string {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"at+jwt"}`))
	return header + "." + strings.Split(token, ".")[1] + "."
}

func withIssuer(issuer string) func(*app.TokenServiceOptions) {
	return func(o *app.TokenServiceOptions) { o.Issuer = issuer }
}
