// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/server/limit"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/provider"
)

// credentials makes a client, and gives it once it is accepted everywhere.
func credentials(ctx context.Context, namespace string, options ...builder.CredentialOption) harness.Credentials {
	GinkgoHelper()
	credential := builder.ClientCredential(namespace, "webhook", options...)
	plane.Create(ctx, credential)
	made := plane.ExpectReady(ctx, credential)
	Eventually(tokens.Accepts).WithArguments(made).Should(BeTrue())
	return made
}

// denied reports whether the audit log has a call of a client that was refused for a reason.
func denied(client harness.Credentials, reason string) bool {
	for line := range strings.Lines(plane.Ledger.Told()) {
		if strings.Contains(line, `"`+client.ID+`"`) && strings.Contains(line, `"`+reason+`"`) {
			return true
		}
	}
	return false
}

var _ = Describe("POST /v1.0/accounts/{accountID}/signintoken", func() {
	ask := func(account, token, body string, headers ...string) harness.Answer {
		GinkgoHelper()
		answer := call(http.MethodPost, connect.URL+"/v1.0/accounts/"+account+"/signintoken", token, body, headers...)
		tokenIn(answer)
		return answer
	}

	It("gives a token for five minutes, and says until when", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		answer := ask(c.name, consoleToken(), `{"Username":"example_user"}`)
		Expect(answer.Status).To(Equal(http.StatusOK))
		Expect(answer.Header.Get("Content-Type")).To(Equal("application/json"))
		Expect(answer.Header.Get("Cache-Control")).To(Equal("no-store"))
		var body map[string]string
		Expect(json.Unmarshal([]byte(answer.Body), &body)).To(Succeed())
		Expect(slices.Sorted(maps.Keys(body))).To(Equal([]string{"ExpiresAtUtc", "Token"}))
		Expect(len(body["Token"])).To(Equal(43))
		Expect(body["ExpiresAtUtc"]).To(MatchRegexp(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$`))
		expires, err := time.Parse(time.RFC3339Nano, body["ExpiresAtUtc"])
		Expect(err).NotTo(HaveOccurred())
		Expect(expires).To(BeTemporally("~", clock.Now().Add(5*time.Minute), 10*time.Second))
	})

	It("is for the console, and for a token that is restricted to that account", func(ctx context.Context) {
		c, other := newCustomer(ctx, provider.Options{}, nil), newCustomer(ctx, provider.Options{}, nil)
		webhook := credentials(ctx, c.name, builder.ForAccount(c.name), builder.WithScopes("Webhook"))
		Eventually(func() bool {
			ask(c.name, tokens.TakeToken(webhook), `{"Username":"jane"}`)
			return denied(webhook, "the token is of the other level")
		}).Should(BeTrue(), "the replica knows the client, and refuses it for what it is")
		for _, row := range []struct {
			what, account, token string
			headers              []string
			status               int
			challenge            string
		}{
			{"no token", c.name, "", nil, 401, `Bearer realm="claviger", scope="API"`},
			{"no token at all", c.name, "nonsense", nil, 401, `error="invalid_token"`},
			{"an account's own client", c.name, tokens.TakeToken(webhook), nil, 401, `error="invalid_token"`},
			{"the console", c.name, consoleToken(), nil, 200, ""},
			{"the console, restricted to it", c.name, tokens.TakeToken(console, "scope", "API account:"+c.name), nil, 200, ""},
			{"the console, restricted to another", c.name, tokens.TakeToken(console, "scope", "API account:"+other.name), nil, 403, `error="insufficient_scope"`},
			{"the console, with a header that agrees", c.name, consoleToken(), []string{"X-Cyclr-Account", c.name}, 200, ""},
			{"the console, with a header that names another", c.name, consoleToken(), []string{"X-Cyclr-Account", other.name}, 403, ""},
			{"an account that there is not", "nobody", consoleToken(), nil, 404, ""},
		} {
			answer := ask(row.account, row.token, `{"Username":"jane"}`, row.headers...)
			Expect(answer.Status).To(Equal(row.status), row.what)
			Expect(answer.Header.Get("WWW-Authenticate")).To(ContainSubstring(row.challenge), row.what)
		}
	})

	It("is for a client that there is: its tokens are worth nothing when it is gone", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		credential := builder.ClientCredential(config.Namespace, c.name, builder.WithScopes("API"))
		plane.Create(ctx, credential)
		backend := plane.ExpectReady(ctx, credential)
		Eventually(tokens.Accepts).WithArguments(backend).Should(BeTrue())
		token := tokens.TakeToken(backend)
		for _, replica := range []*harness.Connect{connect, second} {
			Eventually(func() int {
				answer := call(http.MethodPost, replica.URL+"/v1.0/accounts/"+c.name+"/signintoken", token, `{"Username":"jane"}`)
				tokenIn(answer)
				return answer.Status
			}).Should(Equal(http.StatusOK))
		}
		Expect(plane.API.Delete(ctx, credential)).To(Succeed())
		for _, replica := range []*harness.Connect{connect, second} {
			var answer harness.Answer
			Eventually(func() int {
				answer = call(http.MethodPost, replica.URL+"/v1.0/accounts/"+c.name+"/signintoken", token, `{"Username":"jane"}`)
				tokenIn(answer)
				return answer.Status
			}).Should(Equal(http.StatusUnauthorized))
			Expect(answer.Header.Get("WWW-Authenticate")).To(ContainSubstring(`error="invalid_token"`))
		}
	})

	DescribeTable("refuses what it cannot use, and says what that is", func(ctx context.Context, body, says string) {
		c := newCustomer(ctx, provider.Options{}, func(c *customer) { c.account.Spec.Users = []v1alpha1.UserName{"jane"} })
		answer := ask(c.name, consoleToken(), strings.ReplaceAll(body, "ACME", c.name))
		Expect(answer.Status).To(Equal(http.StatusBadRequest))
		Expect(answer.Body).To(And(ContainSubstring(`"error":"invalid_request"`), ContainSubstring(says)))
	},
		Entry("nothing", ``, "Content-Type must be application/json"),
		Entry("no JSON", `x`, "no JSON object"),
		Entry("an array", `[]`, "no JSON object"),
		Entry("no user", `{}`, "Username is missing"),
		Entry("an empty user", `{"Username":""}`, "Username is missing"),
		Entry("a user who is not listed", `{"Username":"joe"}`, "not one of the Account's users"),
		Entry("a user that is no string", `{"Username":1}`, "Username is no string"),
		Entry("a user with a line break", `{"Username":"ja\nne"}`, "no control characters"),
		Entry("two users", `{"Username":"jane","Username":"joe"}`, "Username: a key comes twice"),
		Entry("a key of another case", `{"username":"jane"}`, "the key username, which there is not"),
		Entry("something behind it", `{"Username":"jane"} {}`, "something stands behind"),
		Entry("a connection that there is not", `{"Username":"jane","AccountConnectorId":"ACME.other"}`, "no AccountConnector of that"),
		Entry("a target that is none", `{"Username":"jane","TargetOrigin":"app"}`, "TargetOrigin must be"),
		Entry("a target that is not allowed", `{"Username":"jane","AccountConnectorId":"ACME.crm","TargetOrigin":"https://evil.example"}`, "TargetOrigin is not of an origin"),
		Entry("a message for nobody", `{"Username":"jane","CallbackMessage":"done"}`, "needs TargetOrigin"),
	)

	It("makes no more for one client than its budget has", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		third := plane.StartConnect(tokens, func(o *app.ConnectOptions) { o.Clock, o.Tokens = clock.Now, limit.Budget{Burst: 2, Every: time.Hour} })
		for range 2 {
			status, _ := c.askSignInToken(third)
			Expect(status).To(Equal(http.StatusOK))
		}
		before := c.signInSecrets(ctx)
		answer := call(http.MethodPost, third.URL+"/v1.0/accounts/"+c.name+"/signintoken", consoleToken(), `{"Username":"jane"}`)
		tokenIn(answer)
		Expect(answer.Status).To(Equal(http.StatusTooManyRequests))
		Expect(answer.Header.Get("Retry-After")).NotTo(BeEmpty())
		Expect(answer.Body).To(ContainSubstring("temporarily_unavailable"))
		Expect(c.signInSecrets(ctx)).To(Equal(before))

		By("asking an hour later, when there is one more")
		DeferCleanup(clock.Advance, -time.Hour)
		clock.Advance(time.Hour)
		status, _ := c.askSignInToken(third)
		Expect(status).To(Equal(http.StatusOK))
		status, _ = c.askSignInToken(third)
		Expect(status).To(Equal(http.StatusTooManyRequests))
	})

	It("makes none for an account that is suspended", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		patch(ctx, c.account, func(a *v1alpha1.Account) { a.Spec.Suspend = true })
		var answer harness.Answer
		Eventually(func() int {
			answer = ask(c.name, consoleToken(), `{"Username":"jane"}`)
			return answer.Status
		}).Should(Equal(http.StatusBadRequest))
		Expect(answer.Body).To(ContainSubstring("the Account is suspended"))
	})

	It("answers no other method, and no other path", func() {
		Expect(call(http.MethodGet, connect.URL+"/v1.0/accounts/acme/signintoken", consoleToken(), "").Status).To(Equal(http.StatusMethodNotAllowed))
		for _, path := range []string{"/v1.0/accounts//signintoken", "/v1.0/accounts/a/b/signintoken", "/v1.0/accounts/acme", "/.well-known/openid-configuration", "/connectorauth/", "/connectorauth/callback/", "/connectorauth/../healthz"} {
			Expect(call(http.MethodGet, connect.URL+path, consoleToken(), "").Status).To(Equal(http.StatusNotFound), path)
		}
	})
})

var _ = Describe("PUT /v1.0/accounts/{accountID}/connectors/{id}", func() {
	put := func(c *customer, value string) harness.Answer {
		GinkgoHelper()
		return call(http.MethodPut, connect.URL+"/v1.0/accounts/"+c.name+"/connectors/"+c.id(), consoleToken(), fields("AuthValue", value))
	}
	value := func(t provider.Tokens) string {
		plane.Ledger.Add(t.Access)
		plane.Ledger.Add(t.Refresh)
		return fields("AccessToken", t.Access, "RefreshToken", t.Refresh, "Expires", time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}

	It("takes tokens that the host has, once for each content", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{Rotation: provider.Strict}, nil)
		first := value(c.Give("crm.read"))
		Expect(put(c, first).Status).To(Equal(http.StatusNoContent))
		token := c.expectConnected(ctx)

		By("signing in, which the same value does not undo")
		newBrowser(connect).signIn(c.link())
		Eventually(c.published).WithArguments(ctx).ShouldNot(Equal(token))
		token, before := c.published(ctx), c.grant(ctx)
		Expect(put(c, first).Status).To(Equal(http.StatusNoContent))
		Expect(c.grant(ctx)).To(Equal(before))

		By("handing over another")
		Expect(put(c, value(c.Give("crm.read"))).Status).To(Equal(http.StatusNoContent))
		Eventually(c.published).WithArguments(ctx).ShouldNot(Equal(token))
	})

	It("leaves what there was where there is nothing to import", func(ctx context.Context) {
		c := newCustomer(ctx, provider.Options{}, nil)
		Expect(put(c, value(c.Give("crm.read"))).Status).To(Equal(http.StatusNoContent))
		c.expectConnected(ctx)
		before := c.grant(ctx)
		Expect(put(c, "{}").Status).To(Equal(http.StatusNoContent))
		for text, says := range map[string]string{
			"":                       "it is no JSON object",
			"secret":                 "it is no JSON object",
			`{"AccessToken":"a"`:     "it is no JSON object",
			`{"accessToken":"a"}`:    "accessToken",
			`{"Expires":"tomorrow"}`: "Expires is no time",
			`{"AccessToken":""}`:     "AccessToken is empty",
			`{"RefreshExpires":"2026-01-01T00:00:00Z"}`: "RefreshExpires speaks of a RefreshToken",
		} {
			answer := put(c, text)
			Expect(answer.Status).To(Equal(http.StatusBadRequest), text)
			Expect(answer.Body).To(ContainSubstring(says))
		}
		Expect(c.grant(ctx)).To(Equal(before))
	})

	It("is for a connection of that account", func(ctx context.Context) {
		mine, theirs := newCustomer(ctx, provider.Options{}, nil), newCustomer(ctx, provider.Options{}, nil)
		for _, id := range []string{theirs.id(), mine.name + ".other", "x", ".", "..", strings.Repeat("a", 400)} {
			answer := call(http.MethodPut, connect.URL+"/v1.0/accounts/"+mine.name+"/connectors/"+id, consoleToken(), fields("AuthValue", "{}"))
			Expect(answer.Status).To(Equal(http.StatusNotFound), id)
		}
		theirs.expectUntouched(ctx)
	})
})
