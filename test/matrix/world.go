// SPDX-License-Identifier: Apache-2.0

package matrix

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
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// URLs of acme's MCP servers that are registered, "tools" and "notes".
const (
	ToolsURL = "https://tools.acme.example/mcp"
	NotesURL = "https://notes.acme.example/mcp"
)

// World is a control plane with accounts and credentials of every kind that the table tells apart.
type World struct {
	Plane *harness.Plane
	// Service and Second are two replicas.
	Service, Second *harness.TokenService
	// Behind has a clock so far behind that its tokens have expired; Foreign has the same keys and calls itself another issuer.
	Behind, Foreign *harness.TokenService

	Webhook, MCP, Both, Others, Console, Suspended harness.Credentials

	mortals int
}

// Start starts the control plane, the roles and all that is in the world, each until the suite ends. Further options change the
// Service.
func (w *World) Start(ctx context.Context, change ...func(*app.TokenServiceOptions)) {
	GinkgoHelper()
	w.Plane = harness.StartPlane()
	w.Plane.StartManager(nil)
	w.Service = w.Plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) {
		for _, apply := range change {
			apply(o)
		}
	})
	w.Second = w.Plane.StartTokenService()
	w.Behind = w.Plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) {
		o.Clock = func() time.Time { return time.Now().Add(-15 * 24 * time.Hour) }
	})
	w.Foreign = w.Plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) { o.Issuer = "https://auth.example.com" })
	w.populate(ctx)
}

func (w *World) populate(ctx context.Context) {
	GinkgoHelper()
	w.Plane.Create(ctx,
		builder.Account("acme", builder.Namespaces("acme"), builder.Scopes("orders.read")),
		builder.Account("other", builder.Namespaces("other")),
		builder.Account("dormant", builder.Suspended()),
		builder.ProtectedResource("acme", "tools", ToolsURL, builder.OfAccount("acme"), builder.OfType(v1alpha1.ResourceMCP)),
		builder.ProtectedResource("acme", "notes", NotesURL, builder.OfAccount("acme"), builder.OfType(v1alpha1.ResourceMCP)),
	)
	w.Webhook = w.ready(ctx, "acme", "webhook", builder.ForAccount("acme"), builder.WithScopes("Webhook"))
	w.MCP = w.ready(ctx, "acme", "mcp", builder.ForAccount("acme"), builder.WithScopes("MCP"))
	w.Both = w.ready(ctx, "acme", "both", builder.ForAccount("acme"), builder.WithScopes("Webhook", "MCP", "orders.read"))
	w.Others = w.ready(ctx, "other", "webhook", builder.ForAccount("other"), builder.WithScopes("Webhook"))
	w.Console = w.ready(ctx, config.Namespace, "console", builder.WithScopes("API"))

	w.Suspended = w.ready(ctx, "acme", "suspended", builder.ForAccount("acme"), builder.WithScopes("Webhook"))
	suspended := builder.ClientCredential("acme", "suspended")
	harness.Patch(ctx, w.Plane, suspended, func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = true })
	Eventually(w.Service.Accepts).WithArguments(w.Suspended).Should(BeFalse())
	for _, url := range []string{ToolsURL, NotesURL} {
		Eventually(func() int {
			answer, _ := w.Service.PostToken(w.MCP.Form("resource", url))
			return answer.Status
		}).Should(Equal(http.StatusOK), "the resource is known")
	}
}

// ready creates a credential and waits until every replica accepts it.
func (w *World) ready(ctx context.Context, namespace, name string, options ...builder.CredentialOption) harness.Credentials {
	GinkgoHelper()
	credential := builder.ClientCredential(namespace, name, options...)
	w.Plane.Create(ctx, credential)
	credentials := w.Plane.ExpectReady(ctx, credential)
	for _, replica := range []*harness.TokenService{w.Service, w.Second, w.Behind, w.Foreign} {
		Eventually(replica.Accepts).WithArguments(credentials).Should(BeTrue())
	}
	return credentials
}

// Tokens of every kind, taken anew each time.

// WebhookToken is acme's, with scope Webhook.
func (w *World) WebhookToken() string { return w.Service.TakeToken(w.Webhook) }

// MCPToken is acme's, with scope MCP.
func (w *World) MCPToken() string { return w.Service.TakeToken(w.MCP) }

// BothToken is acme's, with scopes Webhook, MCP and orders.read.
func (w *World) BothToken() string { return w.Service.TakeToken(w.Both) }

// OthersToken is the other account's, with scope Webhook.
func (w *World) OthersToken() string { return w.Service.TakeToken(w.Others) }

// ConsoleToken is console-level and not restricted.
func (w *World) ConsoleToken() string { return w.Service.TakeToken(w.Console) }

// RestrictedToken is console-level and restricted to acme.
func (w *World) RestrictedToken() string {
	return w.Service.TakeToken(w.Console, "scope", "account:acme")
}

// TokenFor takes a token for one resource.
func (w *World) TokenFor(credentials harness.Credentials, url string) string {
	return w.Service.TakeToken(credentials, "resource", url)
}

// ForAnotherAudience gives a genuine token that is for somebody else, signed with our key.
func (w *World) ForAnotherAudience(genuine string) string {
	GinkgoHelper()
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: config.Namespace, Name: v1alpha1.SigningKeysSecretName}
	Expect(w.Plane.API.Get(context.Background(), key, secret)).To(Succeed())
	ring, err := keyring.Decode(secret.Data)
	Expect(err).NotTo(HaveOccurred())
	expect := token.Expect{Issuer: harness.Issuer, Now: time.Now()}
	claims, err := token.Verify(genuine, ring, expect)
	Expect(err).NotTo(HaveOccurred())
	claims.Audience = []string{"https://mcp.acme.example/mcp"}
	raw, err := token.Mint(harness.Issuer, ring, claims)
	Expect(err).NotTo(HaveOccurred())
	w.Plane.Ledger.Add(raw)
	return raw
}

// Tampered changes the last character but one of the signature: the very last has bits that decode to nothing.
func Tampered(genuine string) string {
	raw := []byte(genuine)
	at := len(raw) - 2
	if raw[at] == 'A' {
		raw[at] = 'B'
	} else {
		raw[at] = 'A'
	}
	return string(raw)
}
