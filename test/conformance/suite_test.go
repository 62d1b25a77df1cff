// SPDX-License-Identifier: Apache-2.0

// Package conformance holds the token service to docs/endpoints.md with clients that know nothing of it: plain HTTP,
// golang.org/x/oauth2, curl and an independent JOSE library.
package conformance

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

func TestConformance(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Conformance")
}

var (
	plane   *harness.Plane
	service *harness.TokenService

	// Other replicas: one like the service, one whose clock is so far behind that its tokens have expired, and one that has the
	// same keys and calls itself another issuer.
	second, behind, foreign *harness.TokenService

	// Credentials of every kind that the endpoints tell apart.
	webhook, mcp, both, others, console, suspended harness.Credentials
)

var _ = BeforeSuite(func(ctx context.Context) {
	plane = harness.StartPlane()
	plane.StartManager(nil)
	service, second = plane.StartTokenService(), plane.StartTokenService()
	behind = plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) {
		o.Clock = func() time.Time { return time.Now().Add(-15 * 24 * time.Hour) }
	})
	foreign = plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) { o.Issuer = "https://auth.example.com" })

	plane.Create(ctx,
		builder.Account("acme", builder.Namespaces("acme"), builder.Scopes("orders.read")),
		builder.Account("other", builder.Namespaces("other")),
		builder.Account("dormant", builder.Suspended()),
	)
	ready := func(namespace, name string, options ...builder.CredentialOption) harness.Credentials {
		credential := builder.ClientCredential(namespace, name, options...)
		plane.Create(ctx, credential)
		credentials := plane.ExpectReady(ctx, credential)
		for _, replica := range []*harness.TokenService{service, second, behind, foreign} {
			Eventually(replica.Accepts).WithArguments(credentials).Should(BeTrue())
		}
		return credentials
	}
	webhook = ready("acme", "webhook", builder.ForAccount("acme"), builder.WithScopes("Webhook"))
	mcp = ready("acme", "mcp", builder.ForAccount("acme"), builder.WithScopes("MCP"))
	both = ready("acme", "both", builder.ForAccount("acme"), builder.WithScopes("Webhook", "MCP", "orders.read"))
	others = ready("other", "webhook", builder.ForAccount("other"), builder.WithScopes("Webhook"))
	console = ready(config.Namespace, "console", builder.WithScopes("API"))

	suspended = ready("acme", "suspended", builder.ForAccount("acme"), builder.WithScopes("Webhook"))
	harness.Patch(ctx, plane, builder.ClientCredential("acme", "suspended"), func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = true })
	Eventually(service.Accepts).WithArguments(suspended).Should(BeFalse())
})

var _ = AfterSuite(func(ctx context.Context) {
	if plane != nil {
		plane.Ledger.ExpectNoLeak(ctx)
	}
})
