// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// tools is an MCP server as account acme has it: guarded, registered as a ProtectedResource, and with a client that may do more
// than the server needs.
type tools struct {
	url        string
	credential *v1alpha1.ClientCredential
	keys       harness.Credentials
}

var resources atomic.Int64

// guarded starts a server behind a guard, and registers it.
func guarded(ctx context.Context, by guard, of mcpServer, options ...func() builder.CredentialOption) tools {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	name := fmt.Sprintf("tools-%d", resources.Add(1))
	t := tools{url: "http://" + listener.Addr().String() + "/mcp"}
	resource := builder.ProtectedResource("acme", name, t.url, builder.OfAccount("acme"), builder.OfType(v1alpha1.ResourceMCP))
	all := []builder.CredentialOption{builder.ForAccount("acme"), builder.WithScopes("Webhook", "MCP"), builder.TokenMinutes(5)}
	for _, option := range options {
		all = append(all, option())
	}
	t.credential = builder.ClientCredential("acme", name, all...)
	plane.Create(ctx, resource, t.credential)
	t.keys = plane.ExpectReady(ctx, t.credential)
	Eventually(service.Accepts).WithArguments(t.keys).Should(BeTrue())
	Eventually(func() int {
		answer, _ := service.PostToken(t.keys.Form("resource", t.url))
		return answer.Status
	}).Should(Equal(http.StatusOK), "the resource is known")
	by.start(ctx, listener, of.start(ctx), "acme/"+name)
	return t
}

// asked is a request that an SDK sent, beside those of MCP itself.
type asked struct {
	Path     string   `json:"path"`
	Status   int      `json:"status"`
	Scope    string   `json:"scope"`
	Resource []string `json:"resource"`
}

// tokenRequests are those that took a token.
func tokenRequests(all []asked) []asked {
	var found []asked
	for _, request := range all {
		if request.Path == server.PathToken {
			found = append(found, request)
		}
	}
	return found
}

// mcpClient is an MCP client that runs, whatever it is written in.
type mcpClient interface {
	connect(url string) error
	list() ([]string, error)
	whoami() (caller, error)
	// token is the one that it has now.
	token() string
	// tokenRequests are those since the last look.
	tokenRequests() []asked
}

// expectRefused waits until the guard refuses a token, as every replica does within a second.
func (t tools) expectRefused(token string) {
	GinkgoHelper()
	harness.ExpectPromptly(func() int {
		request, err := http.NewRequest(http.MethodHead, t.url, http.NoBody)
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Authorization", "Bearer "+token)
		return harness.Do(request).Status
	}, http.StatusUnauthorized)
}

// expectAnotherToken looks at how often the client asked. It asks once for the call, and once more where the stream that it opens
// beside its calls is refused at the same time.
func expectAnotherToken(client mcpClient) {
	GinkgoHelper()
	Expect(len(client.tokenRequests())).To(BeElementOf(2, 3))
}

// describeClient says what every MCP client must get through. open makes one that knows nothing but the client's own ID and secret
// or key; scoped reports whether it asks for the scopes that the server's metadata name, and resourceful whether it names the
// resource.
func describeClient(open func(context.Context, tools) mcpClient, scoped, resourceful bool, options ...func() builder.CredentialOption) {
	for _, by := range guards() {
		for _, of := range by.before {
			Describe("at "+of.name+" behind "+by.name, func() {
				var (
					at     tools
					client mcpClient
				)
				BeforeEach(func(ctx context.Context) {
					at = guarded(ctx, by, of, options...)
					client = open(ctx, at)
					Expect(client.connect(at.url)).To(Succeed())
				})

				It("finds the way from the first 401 to a tool, and asks for no more than the server's own scopes", func() {
					Expect(client.list()).To(Equal([]string{"whoami"}))
					want := caller{Client: at.keys.ID, Account: "acme", Scope: "Webhook MCP", Token: "kept back"}
					request := asked{Path: server.PathToken, Status: http.StatusOK}
					if scoped {
						want.Scope, request.Scope = "MCP", "MCP"
					}
					if resourceful {
						request.Resource = []string{at.url}
					}
					Expect(client.whoami()).To(Equal(want))
					Expect(client.tokenRequests()).To(Equal([]asked{request}), "one token is enough")
				})

				It("takes another token when one has expired", func() {
					before := client.token()
					clock.Advance(6 * time.Minute)
					Expect(client.whoami()).To(HaveField("Client", at.keys.ID))
					Expect(client.token() == before).To(BeFalse(), "it has another token")
					expectAnotherToken(client)
				})

				It("takes another token when one was revoked", func() {
					revoked := client.token()
					Expect(service.Revoke(at.keys, revoked).Status).To(Equal(http.StatusOK))
					at.expectRefused(revoked)
					Expect(client.whoami()).To(HaveField("Client", at.keys.ID))
					expectAnotherToken(client)
				})

				It("fails with our error when the client is suspended, and goes on when it no longer is", func(ctx context.Context) {
					suspend := func(yes bool) {
						harness.Patch(ctx, plane, at.credential, func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = yes })
						Eventually(service.Accepts).WithArguments(at.keys).Should(Equal(!yes))
					}
					given := client.token()
					suspend(true)
					at.expectRefused(given)
					_, err := client.whoami()
					Expect(err).To(MatchError(MatchRegexp("invalid_client|client authentication failed")))
					suspend(false)
					Expect(client.whoami()).To(HaveField("Client", at.keys.ID))
				})
			})
		}
	}
}
