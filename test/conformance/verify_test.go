// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/harness"
)

const accountHeader = "X-Cyclr-Account"

// place is something that a token may be presented at.
type place struct {
	query  string
	header string // of the account that the call concerns
}

var (
	acmeWebhook  = place{query: "scope=Webhook&account=acme"}
	acmeMCP      = place{query: "scope=MCP&account=acme"}
	otherWebhook = place{query: "scope=Webhook&account=other"}
	otherMCP     = place{query: "scope=MCP&account=other"}
	api          = place{query: "scope=API"}
	apiForAcme   = place{query: "scope=API", header: "acme"}
	apiForOther  = place{query: "scope=API", header: "other"}
)

// docs/endpoints.md, "Tokens and places", row by row; what kills tokens that were good is in death_test.go. A verdict is a status
// and, in the challenge, an error.
var _ = DescribeTable("the matrix of tokens and places", func(token func() string, at place, status int, code string) {
	var headers []string
	if at.header != "" {
		headers = []string{accountHeader, at.header}
	}
	answer := service.Verify(token(), at.query, headers...)
	Expect(answer.Status).To(Equal(status), answer.Body)
	challenge := answer.Header.Get("WWW-Authenticate")
	switch {
	case status == http.StatusOK:
		Expect(challenge).To(BeEmpty())
	case code == "":
		Expect(challenge).To(HavePrefix("Bearer "))
		Expect(challenge).NotTo(ContainSubstring("error"), "RFC 6750 section 3.1: no error where no token was presented")
	default:
		Expect(challenge).To(HavePrefix("Bearer "))
		Expect(challenge).To(ContainSubstring(`error="` + code + `"`))
	}
},
	Entry("Webhook token at its account's webhook", webhookToken, acmeWebhook, 200, ""),
	Entry("Webhook token at its account's MCP server", webhookToken, acmeMCP, 403, "insufficient_scope"),
	Entry("Webhook token at the API", webhookToken, api, 401, "invalid_token"),
	Entry("Webhook token at the API, naming its account", webhookToken, apiForAcme, 401, "invalid_token"),

	Entry("MCP token at its account's webhook", mcpToken, acmeWebhook, 403, "insufficient_scope"),
	Entry("MCP token at its account's MCP server", mcpToken, acmeMCP, 200, ""),
	Entry("MCP token at the API", mcpToken, api, 401, "invalid_token"),
	Entry("MCP token at the API, naming its account", mcpToken, apiForAcme, 401, "invalid_token"),

	Entry("another account's token at a webhook", webhookToken, otherWebhook, 401, "invalid_token"),
	Entry("another account's token at an MCP server", mcpToken, otherMCP, 401, "invalid_token"),
	Entry("another account's token, the other way round", othersToken, acmeWebhook, 401, "invalid_token"),
	Entry("another account's token of the wrong scope too", mcpToken, otherWebhook, 401, "invalid_token"),
	Entry("a call to a shared webhook that names the token's account", webhookToken, place{"scope=Webhook", "acme"}, 200, ""),
	Entry("a call to a shared webhook that names another account", webhookToken, place{"scope=Webhook", "other"}, 401, "invalid_token"),
	Entry("a call to a shared MCP server that names the token's account", mcpToken, place{"scope=MCP", "acme"}, 200, ""),
	Entry("a call to a shared MCP server that names another account", mcpToken, place{"scope=MCP", "other"}, 401, "invalid_token"),
	Entry("a call whose header agrees with the guard", webhookToken, place{acmeWebhook.query, "acme"}, 200, ""),
	Entry("a call whose header contradicts the guard", webhookToken, place{acmeWebhook.query, "other"}, 401, "invalid_token"),

	Entry("console token at a webhook", consoleToken, acmeWebhook, 401, "invalid_token"),
	Entry("console token at an MCP server", consoleToken, acmeMCP, 401, "invalid_token"),
	Entry("console token at the API", consoleToken, api, 200, ""),
	Entry("console token at the API for any account", consoleToken, apiForOther, 200, ""),

	Entry("restricted console token at a webhook", restrictedToken, acmeWebhook, 401, "invalid_token"),
	Entry("restricted console token at an MCP server", restrictedToken, acmeMCP, 401, "invalid_token"),
	Entry("restricted console token at the API for its account", restrictedToken, apiForAcme, 200, ""),
	Entry("restricted console token at the API for another account", restrictedToken, apiForOther, 403, "insufficient_scope"),
	Entry("restricted console token at the API, guarded for another account", restrictedToken, place{"scope=API&account=other", ""}, 403, "insufficient_scope"),

	Entry("restricted console token at the API, where no account is named", restrictedToken, api, 200, ""),

	Entry("expired token at a webhook", expired(&webhook), acmeWebhook, 401, "invalid_token"),
	Entry("expired token at an MCP server", expired(&mcp), acmeMCP, 401, "invalid_token"),
	Entry("expired token at the API", expired(&console), api, 401, "invalid_token"),
	Entry("expired token at the API, naming an account", expired(&console), apiForAcme, 401, "invalid_token"),
	Entry("another issuer's token at a webhook", ofAnotherIssuer(&webhook), acmeWebhook, 401, "invalid_token"),
	Entry("another issuer's token at an MCP server", ofAnotherIssuer(&mcp), acmeMCP, 401, "invalid_token"),
	Entry("another issuer's token at the API", ofAnotherIssuer(&console), api, 401, "invalid_token"),
	Entry("token for another audience at a webhook", forAnotherAudience(webhookToken), acmeWebhook, 401, "invalid_token"),
	Entry("token for another audience at an MCP server", forAnotherAudience(mcpToken), acmeMCP, 401, "invalid_token"),
	Entry("token for another audience at the API", forAnotherAudience(consoleToken), api, 401, "invalid_token"),
	Entry("tampered token at a webhook", tampered(webhookToken), acmeWebhook, 401, "invalid_token"),
	Entry("tampered token at an MCP server", tampered(mcpToken), acmeMCP, 401, "invalid_token"),
	Entry("tampered token at the API", tampered(consoleToken), api, 401, "invalid_token"),
	Entry("nonsense at a webhook", text("nonsense"), acmeWebhook, 401, "invalid_token"),

	Entry("no token at a webhook", text(""), acmeWebhook, 401, ""),
	Entry("no token at an MCP server", text(""), acmeMCP, 401, ""),
	Entry("no token at the API", text(""), api, 401, ""),

	Entry("all of several scopes", bothToken, place{"scope=Webhook+orders.read&account=acme", ""}, 200, ""),
	Entry("one of several scopes", webhookToken, place{"scope=Webhook+orders.read&account=acme", ""}, 403, "insufficient_scope"),
	Entry("a guard that asks for both levels admits nobody", consoleToken, place{"scope=API+Webhook", ""}, 403, "insufficient_scope"),
	Entry("a guard that names no scope admits nobody", webhookToken, place{"account=acme", ""}, 403, "insufficient_scope"),
	Entry("a guard that names nothing admits nobody", webhookToken, place{"", ""}, 403, "insufficient_scope"),
	Entry("a guard that contradicts itself admits nobody", webhookToken, place{"scope=Webhook&account=acme&account=other", ""}, 403, "insufficient_scope"),
	Entry("a guard whose account is empty admits nobody", webhookToken, place{"scope=Webhook&account=", ""}, 403, "insufficient_scope"),
	Entry("a guard of a resource that does not exist admits nobody", webhookToken, place{"resource=acme/tools", ""}, 403, "insufficient_scope"),
)

func webhookToken() string    { return service.TakeToken(webhook) }
func mcpToken() string        { return service.TakeToken(mcp) }
func bothToken() string       { return service.TakeToken(both) }
func othersToken() string     { return service.TakeToken(others) }
func consoleToken() string    { return service.TakeToken(console) }
func restrictedToken() string { return service.TakeToken(console, "scope", "account:acme") }

// expired gives a token that was good until yesterday.
func expired(credentials *harness.Credentials) func() string {
	return func() string { return behind.TakeToken(*credentials) }
}

// ofAnotherIssuer gives a token that was signed with our key by somebody who calls himself otherwise.
func ofAnotherIssuer(credentials *harness.Credentials) func() string {
	return func() string { return foreign.TakeToken(*credentials) }
}

// forAnotherAudience gives a genuine token that is for somebody else, signed with our key.
func forAnotherAudience(genuine func() string) func() string {
	return func() string {
		secret := &corev1.Secret{}
		key := client.ObjectKey{Namespace: config.Namespace, Name: v1alpha1.SigningKeysSecretName}
		Expect(plane.API.Get(context.Background(), key, secret)).To(Succeed())
		ring, err := keyring.Decode(secret.Data)
		Expect(err).NotTo(HaveOccurred())
		expect := token.Expect{Issuer: harness.Issuer, Audience: harness.Issuer, Now: time.Now()}
		claims, err := token.Verify(genuine(), ring, expect)
		Expect(err).NotTo(HaveOccurred())
		claims.Audience = []string{"https://mcp.acme.example/mcp"}
		raw, err := token.Mint(harness.Issuer, ring, claims)
		Expect(err).NotTo(HaveOccurred())
		plane.Ledger.Add(raw)
		return raw
	}
}

func text(token string) func() string { return func() string { return token } }

// tampered changes the last character but one of the signature: the very last has bits that decode to nothing.
func tampered(token func() string) func() string {
	return func() string {
		raw := []byte(token())
		at := len(raw) - 2
		if raw[at] == 'A' {
			raw[at] = 'B'
		} else {
			raw[at] = 'A'
		}
		return string(raw)
	}
}

// docs/endpoints.md, "/verify".
var _ = Describe("/verify", func() {
	It("tells who was admitted, in all four headers, always", func() {
		answer := service.Verify(service.TakeToken(both, "scope", "Webhook MCP"), acmeWebhook.query)
		Expect(answer.Status).To(Equal(http.StatusOK))
		Expect(answer.Header.Get("X-Claviger-Client-Id")).To(Equal("acme.both"))
		Expect(answer.Header.Get("X-Claviger-Account")).To(Equal("acme"))
		Expect(answer.Header.Get("X-Claviger-Scope")).To(Equal("Webhook MCP"))
		expires, err := time.Parse(time.RFC3339, answer.Header.Get("X-Claviger-Expires"))
		Expect(err).NotTo(HaveOccurred())
		Expect(expires).To(BeTemporally("~", time.Now().Add(14*24*time.Hour), time.Minute))
	})

	It("overwrites a forged account even where it has none to tell", func() {
		answer := service.Verify(consoleToken(), api.query, "X-Claviger-Account", "acme", "X-Claviger-Client-Id", "forged")
		Expect(answer.Status).To(Equal(http.StatusOK))
		Expect(answer.Header.Values("X-Claviger-Account")).To(Equal([]string{""}))
		Expect(answer.Header.Get("X-Claviger-Client-Id")).To(Equal("claviger-system.console"))
	})

	It("tells which scope would do", func() {
		Expect(service.Verify(webhookToken(), acmeMCP.query).Header.Get("WWW-Authenticate")).To(ContainSubstring(`scope="MCP"`))
	})

	DescribeTable("answers any method", func(method string) {
		request, err := http.NewRequest(method, service.URL+"/verify?"+acmeWebhook.query, nil)
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Authorization", "Bearer "+webhookToken())
		Expect(send(request, "").Status).To(Equal(http.StatusOK))
	},
		Entry(nil, http.MethodGet), Entry(nil, http.MethodHead), Entry(nil, http.MethodPost), Entry(nil, http.MethodDelete), Entry(nil, "PROPFIND"),
	)

	DescribeTable("answers 200, 401 or 403 and nothing else, whatever it is asked", func(query string, authorization ...string) {
		request, err := http.NewRequest(http.MethodGet, service.URL+"/verify", nil)
		Expect(err).NotTo(HaveOccurred())
		request.URL.RawQuery = query
		request.Header["Authorization"] = authorization
		answer := harness.Do(request)
		Expect(answer.Status).To(Or(Equal(401), Equal(403)))
		Expect(answer.Header.Get("WWW-Authenticate")).To(HavePrefix("Bearer "))
	},
		Entry("a query that does not decode", "scope=%zz", "Bearer x"),
		Entry("a scope that no scope can be", "scope=%22", "Bearer x"),
		Entry("NUL bytes", "scope=%00&account=%00", "Bearer x"),
		Entry("invalid UTF-8", "scope=%ff", "Bearer x"),
		Entry("a semicolon", "scope=Webhook;account=acme", "Bearer x"),
		Entry("two Authorization headers", acmeWebhook.query, "Bearer x", "Bearer y"),
		Entry("an empty token", acmeWebhook.query, "Bearer "),
		Entry("another scheme", acmeWebhook.query, "Basic eDp5"),
		Entry("no scheme", acmeWebhook.query, "x"),
	)
})
