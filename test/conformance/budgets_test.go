// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/server/limit"
	"github.com/claviger/claviger/test/harness"
)

// budgets are spent soon, and take an hour to come back, so that no clock of the test matters.
func budgets(pair, source, client, revocations int) func(*app.TokenServiceOptions) {
	return func(o *app.TokenServiceOptions) {
		o.Limits.Failures.Pair = limit.Budget{Burst: pair, Every: time.Hour}
		o.Limits.Failures.Source = limit.Budget{Burst: source, Every: time.Hour}
		o.Limits.Failures.Client = limit.Budget{Burst: client, Every: time.Hour}
		o.Limits.Revocations = limit.Budget{Burst: revocations, Every: time.Hour}
		o.Limits.TrustedProxies = []string{"127.0.0.0/8"}
		o.AuditAllowed = true
	}
}

// postFrom asks an endpoint, as a trusted proxy passes on what comes from a source; from nobody else where that is empty.
func postFrom(replica *harness.TokenService, path, source string, credentials harness.Credentials) harness.Answer {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodPost, replica.URL+path, nil)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if source != "" {
		request.Header.Set("X-Forwarded-For", source)
	}
	return send(request, credentials.Form("token", "x").Encode())
}

// webhookPlace is a guard that admits tokens of the client webhook.
const webhookPlace = "scope=Webhook&account=acme"

var endpoints = []string{"/oauth/token", "/oauth/revoke", "/oauth/introspect"}

var _ = Describe("the budgets for failures", func() {
	wrong := func(id string) harness.Credentials { return harness.Credentials{ID: id, Secret: "wrong"} }

	It("are one over all endpoints, tell nobody which clients exist, and let others through", func() {
		replica := plane.StartTokenServiceWith(budgets(3, 100, 100, 100))
		const here, there = "192.0.2.1", "192.0.2.2"
		for _, id := range []string{webhook.ID, "acme.nobody", suspended.ID} {
			for _, path := range endpoints {
				expectError(postFrom(replica, path, here, wrong(id)), http.StatusUnauthorized, "invalid_client")
			}
		}
		var bodies []string
		for _, path := range endpoints {
			for _, credentials := range []harness.Credentials{webhook, wrong(webhook.ID), wrong("acme.nobody"), suspended} {
				answer := postFrom(replica, path, here, credentials)
				expectError(answer, http.StatusTooManyRequests, "temporarily_unavailable")
				wait, err := strconv.Atoi(answer.Header.Get("Retry-After"))
				Expect(err).NotTo(HaveOccurred(), "whole seconds")
				Expect(wait).To(And(BeNumerically(">", 0), BeNumerically("<=", 3600)))
				Expect(answer.Header).NotTo(HaveKey("WWW-Authenticate"), "another way of authentication is no use")
				bodies = append(bodies, answer.Body)
			}
		}
		Expect(bodies).To(HaveEach(bodies[0]))

		By("letting the client in from elsewhere, and others from here")
		Expect(postFrom(replica, "/oauth/token", there, webhook).Status).To(Equal(http.StatusOK))
		Expect(postFrom(replica, "/oauth/token", here, mcp).Status).To(Equal(http.StatusOK))

		By("writing the source to the audit log, and counting")
		Expect(plane.Ledger.Told()).To(MatchRegexp(`"msg":"token refused","error":"temporarily_unavailable","clientID":"acme.webhook","method":"client_secret_post","reason":"over the failure budget: source_and_client","source":"192.0.2.1"`))
		Expect(replica.Metrics()).To(ContainSubstring(`claviger_limited_requests_total{budget="source_and_client"} 12`))
	})

	It("are not spent by what succeeds, nor by verdicts", func() {
		replica := plane.StartTokenServiceWith(budgets(1, 1, 1, 100))
		for range 20 {
			Expect(postFrom(replica, "/oauth/token", "192.0.2.1", webhook).Status).To(Equal(http.StatusOK))
			Expect(replica.Verify("bad", webhookPlace).Status).To(Equal(http.StatusUnauthorized))
		}
		Expect(replica.Verify(webhookToken(), webhookPlace).Status).To(Equal(http.StatusOK))
		Expect(plane.Ledger.Told()).To(MatchRegexp(`"msg":"access allowed","clientID":"acme.webhook","account":"acme","scope":"Webhook","source":"127.0.0.1"`))
	})

	It("do not let strangers lock a client out, nor guess for free from many addresses", func() {
		replica := plane.StartTokenServiceWith(budgets(5, 5, 20, 100))
		Expect(postFrom(replica, "/oauth/token", "192.0.2.1", webhook).Status).To(Equal(http.StatusOK))
		refused := 0
		for i := range 100 {
			if postFrom(replica, "/oauth/token", fmt.Sprintf("198.51.100.%d", i), wrong(webhook.ID)).Status == http.StatusTooManyRequests {
				refused++
			}
		}
		Expect(refused).To(Equal(80))
		Expect(postFrom(replica, "/oauth/token", "192.0.2.1", webhook).Status).To(Equal(http.StatusOK), "it has been there before")
	})

	It("take one /64 of IPv6 for one source, and believe no header of a stranger", func() {
		replica := plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) {
			budgets(3, 100, 100, 100)(o)
			o.Limits.TrustedProxies = []string{"10.0.0.0/8"}
		})
		for i := range 3 {
			postFrom(replica, "/oauth/token", fmt.Sprintf("192.0.2.%d", i), wrong(webhook.ID))
		}
		expectError(postFrom(replica, "/oauth/token", "192.0.2.99", webhook), http.StatusTooManyRequests, "temporarily_unavailable")

		replica = plane.StartTokenServiceWith(budgets(3, 100, 100, 100))
		for i := range 3 {
			postFrom(replica, "/oauth/token", fmt.Sprintf("2001:db8::%d", i), wrong(webhook.ID))
		}
		expectError(postFrom(replica, "/oauth/token", "2001:db8::99", webhook), http.StatusTooManyRequests, "temporarily_unavailable")
		Expect(postFrom(replica, "/oauth/token", "2001:db8:0:1::1", webhook).Status).To(Equal(http.StatusOK))
	})
})

var _ = Describe("the budget for revocations", func() {
	It("bounds what a client writes, and says that the token lives", func() {
		replica := plane.StartTokenServiceWith(budgets(100, 100, 100, 2))
		first, last := replica.TakeToken(both), replica.TakeToken(both)
		Expect(replica.Revoke(both, first).Status).To(Equal(http.StatusOK))
		Expect(replica.Revoke(both, first).Status).To(Equal(http.StatusOK), "that writes nothing")
		Expect(replica.Revoke(both, replica.TakeToken(both)).Status).To(Equal(http.StatusOK))

		answer := replica.Revoke(both, last)
		expectError(answer, http.StatusTooManyRequests, "temporarily_unavailable")
		Expect(answer.Body).To(ContainSubstring("the token is not revoked"))
		Expect(answer.Header.Get("Retry-After")).To(MatchRegexp(`^\d+$`))
		Expect(replica.Verify(last, "scope=MCP&account=acme").Status).To(Equal(http.StatusOK))
		Expect(replica.Revoke(both, first).Status).To(Equal(http.StatusOK), "what is revoked stays so")
		Expect(replica.Revoke(mcp, replica.TakeToken(mcp)).Status).To(Equal(http.StatusOK), "another client has its own")
	})
})

var _ = Describe("scripts in browsers", func() {
	It("may take tokens where their origin is allowed, and read what is public from everywhere", func() {
		replica := plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) { o.Origins = []string{"https://app.example.com"} })
		preflight := func(path, origin, method string) string {
			request, err := http.NewRequest(http.MethodOptions, replica.URL+path, nil)
			Expect(err).NotTo(HaveOccurred())
			request.Header.Set("Origin", origin)
			request.Header.Set("Access-Control-Request-Method", method)
			request.Header.Set("Access-Control-Request-Headers", "content-type")
			return harness.Do(request).Header.Get("Access-Control-Allow-Origin")
		}
		for _, path := range endpoints {
			Expect(preflight(path, "https://app.example.com", http.MethodPost)).To(Equal("https://app.example.com"))
			Expect(preflight(path, "https://evil.example.com", http.MethodPost)).To(BeEmpty())
		}
		for _, path := range []string{"/oauth/jwks", "/.well-known/oauth-authorization-server"} {
			Expect(preflight(path, "https://evil.example.com", http.MethodGet)).To(Equal("*"))
		}
		Expect(preflight("/verify", "https://app.example.com", http.MethodGet)).To(BeEmpty())
	})
})

var _ = Describe("metrics", func() {
	It("are those that are documented, and tell how fresh a replica is", func() {
		page, err := os.ReadFile("../../docs/observability.md")
		Expect(err).NotTo(HaveOccurred())
		text := service.Metrics()
		served := regexp.MustCompile(`(?m)^# TYPE (claviger_\w+) `).FindAllStringSubmatch(text, -1)
		Expect(len(served)).To(BeNumerically(">", 5))
		for _, metric := range served {
			Expect(string(page)).To(ContainSubstring("| `" + metric[1] + "` |"))
		}
		for _, resource := range []string{"clientcredentials", "accounts", "revokedtokens", "namespaces", "secrets/claviger-pepper", "secrets/claviger-signing-keys"} {
			Expect(text).To(MatchRegexp(`claviger_informer_last_contact_timestamp_seconds\{resource="` + resource + `"\} [0-9.e+]+`))
		}
		Expect(text).To(MatchRegexp(`claviger_signing_key_since_timestamp_seconds [0-9.e+]+`))
	})
})
