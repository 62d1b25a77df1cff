// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"context"
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/nodejs"
)

// library has the functions that oauth4webapi.mjs and openid-client.mjs export.
type library struct{ *nodejs.Program }

// nodeClient is a client as a library needs it.
type nodeClient struct {
	ID     string      `json:"id"`
	Method string      `json:"method"`
	Secret string      `json:"secret,omitempty"`
	Key    *signingKey `json:"key,omitempty"`
}

// GomegaString is what a failing test prints.
func (c nodeClient) GomegaString() string { return c.ID + " with " + c.Method }

func withSecret(credentials harness.Credentials, method string) nodeClient {
	return nodeClient{ID: credentials.ID, Method: method, Secret: credentials.Secret}
}

func (l library) discover(algorithm string) map[string]any {
	GinkgoHelper()
	var metadata map[string]any
	l.Must(clock.Now(), "discover", map[string]string{"issuer": issuer, "algorithm": algorithm}, &metadata)
	return metadata
}

type grant struct {
	Client     nodeClient  `json:"client"`
	Parameters [][2]string `json:"parameters"`
}

func (l library) take(client nodeClient, parameters ...[2]string) harness.TokenAnswer {
	GinkgoHelper()
	var token harness.TokenAnswer
	l.Must(clock.Now(), "clientCredentials", grant{client, parameters}, &token)
	return token
}

type about struct {
	Client nodeClient `json:"client"`
	Token  string     `json:"token"`
}

// Both libraries form-encode what they put into HTTP Basic, as RFC 6749 section 2.3.1 says and few others do.
var _ = Describe("npm", func() {
	for _, module := range []string{"oauth4webapi", "openid-client"} {
		Describe(module, func() {
			var lib library
			BeforeEach(func(ctx context.Context) { lib = library{start(ctx, module+".mjs")} })

			DescribeTable("discovers by", func(algorithm string) {
				Expect(lib.discover(algorithm)).To(HaveKeyWithValue("token_endpoint", issuer+server.PathToken))
			},
				Entry("RFC 8414", "oauth2"),
				Entry("OpenID Connect Discovery", "oidc"),
			)

			DescribeTable("takes, uses, introspects and revokes a token with", func(method string) {
				lib.discover("oauth2")
				client := withSecret(orders, method)
				if method == "private_key_jwt" {
					client = nodeClient{ID: keyed.ID, Method: method, Key: key}
				}
				token := lib.take(client, [2]string{"scope", "Webhook"})
				Expect(token.Scope).To(Equal("Webhook"))
				Expect(token.TokenType).To(Equal("bearer"))
				Expect(token.ExpiresIn).To(Equal(1209600))
				const place = "scope=Webhook&account=acme"
				Expect(service.Verify(token.AccessToken, place).Status).To(Equal(http.StatusOK))

				var known struct {
					Active   bool   `json:"active"`
					ClientID string `json:"client_id"`
				}
				lib.Must(clock.Now(), "introspect", about{client, token.AccessToken}, &known)
				Expect(known.Active).To(BeTrue())
				Expect(known.ClientID).To(Equal(client.ID))

				lib.Must(clock.Now(), "revoke", about{client, token.AccessToken}, nil)
				Expect(service.Verify(token.AccessToken, place).Status).To(Equal(http.StatusUnauthorized))
				lib.Must(clock.Now(), "introspect", about{client, token.AccessToken}, &known)
				Expect(known.Active).To(BeFalse())
			},
				Entry(nil, "client_secret_basic"),
				Entry(nil, "client_secret_post"),
				Entry(nil, "private_key_jwt"),
			)

			DescribeTable("understands our error", func(client func() nodeClient, scope string, status int, code string) {
				lib.discover("oauth2")
				failure := lib.Fails(clock.Now(), "clientCredentials", grant{client(), [][2]string{{"scope", scope}}})
				Expect(failure.OAuth).To(Equal(code), failure.Error())
				Expect(failure.Status).To(Equal(status), failure.Error())
			},
				Entry("for a wrong secret", func() nodeClient {
					return nodeClient{ID: orders.ID, Method: "client_secret_post", Secret: "wrong"}
				}, "Webhook", http.StatusUnauthorized, "invalid_client"),
				Entry("for a scope that the client does not have", func() nodeClient {
					return withSecret(orders, "client_secret_basic")
				}, "API", http.StatusBadRequest, "invalid_scope"),
			)
		})
	}
})

var _ = It("npm oauth4webapi validates an access token as a resource server does (RFC 9068 section 4)", func(ctx context.Context) {
	lib := library{start(ctx, "oauth4webapi.mjs")}
	lib.discover("oauth2")
	var claims struct {
		ClientID string `json:"client_id"`
	}
	lib.Must(clock.Now(), "validate", map[string]string{"token": service.TakeToken(orders), "audience": issuer}, &claims)
	Expect(claims.ClientID).To(Equal(orders.ID))
})

// described is what oauth4webapi has found of a resource, and has accepted (RFC 9728 section 3.3).
type described struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
	Scopes               []string `json:"scopes_supported"`
}

var _ = Describe("npm oauth4webapi finds a guarded MCP server's metadata, and takes a token for it alone (RFC 9728, RFC 8707)", func() {
	for _, by := range guards() {
		It("behind "+by.name, func(ctx context.Context) {
			at := guarded(ctx, by, by.before[0])
			want := described{Resource: at.url, AuthorizationServers: []string{issuer}, Scopes: []string{"MCP"}}
			lib := library{start(ctx, "oauth4webapi.mjs")}
			lib.discover("oauth2")

			var challenged struct {
				Parameters map[string]string `json:"parameters"`
				Metadata   described         `json:"metadata"`
			}
			lib.Must(clock.Now(), "protectedResource", map[string]string{"url": at.url, "challenge": at.url}, &challenged)
			Expect(challenged.Metadata).To(Equal(want))
			Expect(challenged.Parameters).To(HaveKeyWithValue("error", "invalid_token"))
			if by.describes {
				var found described
				lib.Must(clock.Now(), "wellKnown", map[string]string{"url": at.url}, &found)
				Expect(found).To(Equal(want))
			}

			token := lib.take(withSecret(at.keys, "client_secret_basic"), [2]string{"resource", at.url}, [2]string{"scope", "MCP"})
			lib.Must(clock.Now(), "validate", map[string]string{"token": token.AccessToken, "audience": at.url}, nil)
			Expect(service.Verify(token.AccessToken, "scope=MCP&account=acme").Status).To(Equal(http.StatusUnauthorized), "it is good nowhere else")
		})
	}
})

func get(url string) harness.Answer {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	return harness.Do(request)
}
