// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/harness"
)

func rfc6749() rfc {
	return rfc{
		number: 6749, title: "The OAuth 2.0 Authorization Framework",
		scope: "Sections 2.3, 3.2, 3.3, 4.4 and 5: clients that authenticate, and the token endpoint with the client credentials grant. " +
			"There are no users, no redirects, no public clients and no refresh tokens, so sections 3.1, 4.1 to 4.3, 6 and 10.3 to 10.15 have nothing to apply to.",
		clauses: append(rfc6749Clients(), rfc6749Tokens()...),
	}
}

func rfc6749Clients() []clause {
	return []clause{
		{section: "2.3", must: "refuse a request with two methods of client authentication", hold: func() {
			request := tokenRequest()
			request.SetBasicAuth(webhook.ID, webhook.Secret)
			expectError(send(request, webhook.Form().Encode()), 400, "invalid_request")
		}},
		{section: "2.3.1", must: "support HTTP Basic for clients with a secret, with ID and secret form-encoded", hold: func() {
			request := tokenRequest()
			request.Header.Set("Authorization", basic(everyByte(webhook.ID), everyByte(webhook.Secret)))
			expectToken(send(request, "grant_type=client_credentials"))
		}, divergence: "ID and secret that are not form-encoded are accepted too, because many clients send them so; the ones that Claviger makes " +
			"are the same either way. The body may carry them instead, for every client."},
		{section: "2.3.1", must: "take no client credentials from the request URI", hold: func() {
			request := tokenRequest()
			request.URL.RawQuery = webhook.Form().Encode()
			expectError(send(request, ""), 400, "invalid_request")
			request = tokenRequest()
			request.URL.RawQuery = "client_secret=" + url.QueryEscape(webhook.Secret)
			expectError(send(request, url.Values{"grant_type": {"client_credentials"}, "client_id": {webhook.ID}}.Encode()), 400, "invalid_request")
		}, divergence: "No parameter at all may stand in the query."},
		{section: "2.3.1", must: "require TLS where a secret is presented", hold: rfc6749TLS, divergence: "On loopback it may be plain HTTP, and elsewhere with --allow-plain-http, for a proxy in front that speaks TLS."},
		{section: "2.3.1", must: "protect the endpoint against guessing", hold: func() {
			limited := plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) { o.Limits = app.DefaultLimits() })
			status := 0
			for attempt := 0; status != http.StatusTooManyRequests && attempt < 100; attempt++ {
				answer, _ := limited.PostToken(harness.Credentials{ID: webhook.ID, Secret: "wrong"}.Form())
				status = answer.Status
			}
			Expect(status).To(Equal(http.StatusTooManyRequests))
		}},
		{section: "3.2", must: "take token requests by POST alone", hold: func() {
			for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodHead} {
				request := tokenRequest()
				request.Method = method
				Expect(send(request, webhook.Form().Encode()).Status).To(Equal(http.StatusMethodNotAllowed))
			}
		}},
		{section: "3.2", must: "treat a parameter without a value as left out", hold: func() {
			answer, token := service.PostToken(both.Form("scope", "", "resource", ""))
			Expect(answer.Status).To(Equal(http.StatusOK))
			Expect(token.Scope).To(Equal("Webhook MCP orders.read"))
		}},
		{section: "3.2", must: "ignore parameters that it does not know", hold: func() {
			answer, _ := service.PostToken(webhook.Form("flavour", "vanilla"))
			Expect(answer.Status).To(Equal(http.StatusOK))
		}},
		{section: "3.2", must: "refuse a parameter that is there twice", hold: func() {
			for _, name := range []string{"grant_type", "client_id", "client_secret", "scope"} {
				answer, token := service.PostToken(webhook.Form(name, "x", name, "y"))
				Expect(answer.Status).To(Equal(400), name)
				Expect(token.Error).To(Equal("invalid_request"), name)
			}
		}, divergence: "resource may be repeated, as RFC 8707 section 2 has it, and so may its alias audience."},
		{section: "3.2.1", must: "have every client authenticate at the token endpoint", hold: func() {
			answer, token := service.PostToken(url.Values{"grant_type": {"client_credentials"}, "client_id": {webhook.ID}})
			Expect(answer.Status).To(Equal(401))
			Expect(token.Error).To(Equal("invalid_client"))
		}},
		{section: "3.3", must: "tell the scope of a token where it is another than was asked for", hold: func() {
			_, token := service.PostToken(webhook.Form("scope", "Webhook MCP"))
			Expect(token.Scope).To(Equal("Webhook"))
		}, divergence: "The scope is told always."},
		{section: "3.3", must: "grant a default, or refuse, where no scope is asked for", hold: func() {
			_, token := service.PostToken(both.Form())
			Expect(token.Scope).To(Equal("Webhook MCP orders.read"))
		}, divergence: "The default is all scopes of the credential."},
		{section: "3.3", must: "tell scopes apart by letter case, and take them in any order", hold: func() {
			_, token := service.PostToken(webhook.Form("scope", "webhook"))
			Expect(token.Error).To(Equal("invalid_scope"))
			_, token = service.PostToken(both.Form("scope", "MCP Webhook"))
			Expect(strings.Fields(token.Scope)).To(ConsistOf("Webhook", "MCP"))
		}},
	}
}

func rfc6749Tokens() []clause {
	return []clause{
		{section: "4.4", must: "give the client credentials grant to confidential clients alone", hold: func() {
			answer, token := service.PostToken(url.Values{"grant_type": {"client_credentials"}, "client_id": {"anybody"}, "client_secret": {""}})
			Expect(answer.Status).To(Equal(401))
			Expect(token.Error).To(Equal("invalid_client"))
		}},
		{section: "4.4.2", must: "require grant_type to be client_credentials", hold: func() {
			form := webhook.Form()
			form.Del("grant_type")
			_, token := service.PostToken(form)
			Expect(token.Error).To(Equal("invalid_request"))
			form.Set("grant_type", "Client_Credentials")
			_, token = service.PostToken(form)
			Expect(token.Error).To(Equal("unsupported_grant_type"))
		}},
		{section: "4.4.3", must: "give no refresh token with the client credentials grant", hold: func() {
			answer, _ := service.PostToken(webhook.Form())
			Expect(answer.Body).NotTo(ContainSubstring("refresh_token"))
		}},
		{section: "5.1", must: "answer with access_token, token_type and expires_in as a JSON object in application/json", hold: func() {
			answer, _ := service.PostToken(webhook.Form())
			Expect(answer.Status).To(Equal(http.StatusOK))
			Expect(answer.Header.Get("Content-Type")).To(Equal("application/json"))
			var body struct {
				AccessToken string      `json:"access_token"`
				TokenType   string      `json:"token_type"`
				ExpiresIn   json.Number `json:"expires_in"`
			}
			Expect(json.Unmarshal([]byte(answer.Body), &body)).To(Succeed())
			Expect(body.AccessToken).NotTo(BeEmpty())
			Expect(body.TokenType).To(BeEquivalentTo("bearer"))
			Expect(body.ExpiresIn.Int64()).To(BeNumerically(">", 0))
		}, divergence: "token_type is written bearer, in lower case; section 5.1 has it compared without regard to case. A member clientId, which no RFC has, " +
			"is there for clients that know it; section 5.1 has clients ignore what they do not know."},
		{section: "5.1", must: "forbid caches to keep a token, with Cache-Control: no-store and Pragma: no-cache", hold: func() {
			answer, _ := service.PostToken(webhook.Form())
			Expect(answer.Header.Get("Cache-Control")).To(Equal("no-store"))
			Expect(answer.Header.Get("Pragma")).To(Equal("no-cache"))
		}},
		{section: "5.2", must: "answer errors as a JSON object with error, in application/json", hold: func() {
			answer, _ := service.PostToken(webhook.Form("scope", "API"))
			expectError(answer, 400, "invalid_scope")
		}},
		{section: "5.2", must: "answer 400 to errors other than a failed client authentication", hold: func() {
			for code, form := range map[string]url.Values{
				"invalid_request":        {"client_id": {webhook.ID}, "client_secret": {webhook.Secret}},
				"invalid_scope":          webhook.Form("scope", "API"),
				"unsupported_grant_type": {"grant_type": {"password"}, "client_id": {webhook.ID}, "client_secret": {webhook.Secret}},
				"invalid_target":         webhook.Form("resource", "https://nobody.example"),
			} {
				answer, token := service.PostToken(form)
				Expect(answer.Status).To(Equal(400), code)
				Expect(token.Error).To(Equal(code))
			}
		}, divergence: "Another method than POST is 405, a spent budget 429 temporarily_unavailable, and 503 server_error means that keys or objects are not " +
			"loaded yet: section 5.2 has no code for these, and those of section 4.1.2.1 say the same."},
		{section: "5.2", must: "answer 401 with a challenge of the scheme that was used where the client authentication in Authorization failed", hold: func() {
			request := tokenRequest()
			request.Header.Set("Authorization", basic(webhook.ID, "wrong"))
			answer := send(request, "grant_type=client_credentials")
			expectError(answer, 401, "invalid_client")
			Expect(answer.Header.Get("WWW-Authenticate")).To(MatchRegexp(`^Basic realm="[^"]+"`))
		}, divergence: "It is 401 with the challenge for every failed client authentication, however it was tried."},
		{section: "5.2", must: "keep error and error_description to printable ASCII without quotation marks and backslashes", hold: func() {
			allowed := regexp.MustCompile(`^[\x20\x21\x23-\x5b\x5d-\x7e]+$`)
			for _, form := range []url.Values{
				webhook.Form("scope", "\"ü\\"), webhook.Form("resource", "\"ü\\"), {"grant_type": {"\"ü\\"}}, {},
			} {
				_, token := service.PostToken(form)
				Expect(token.Error).To(MatchRegexp(allowed.String()))
				Expect(token.Description).To(MatchRegexp(allowed.String()))
			}
		}},
	}
}

// tokenRequest makes a request of the token endpoint that has no body yet.
func tokenRequest() *http.Request {
	GinkgoHelper()
	return formRequest("/oauth/token")
}

func formRequest(path string) *http.Request {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodPost, service.URL+path, nil)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
}

// expectToken notes a token that was granted.
func expectToken(answer harness.Answer) {
	GinkgoHelper()
	var token harness.TokenAnswer
	Expect(json.Unmarshal([]byte(answer.Body), &token)).To(Succeed())
	plane.Ledger.Add(token.AccessToken)
	Expect(answer.Status).To(Equal(http.StatusOK), token.Error)
}

// rfc6749TLS: a token service without a certificate refuses to listen beyond loopback.
func rfc6749TLS() {
	options := app.TokenServiceOptions{
		Common:        app.Common{Issuer: "https://auth.example.com", LogLevel: "info", LogFormat: "json"},
		ListenAddress: "0.0.0.0:8089", AccountHeader: app.DefaultAccountHeader,
	}
	Expect(options.Complete()).To(MatchError(ContainSubstring("--listen")))
}
