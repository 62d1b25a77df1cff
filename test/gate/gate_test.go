// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/matrix"
)

var clients atomic.Int64

// newClient creates a credential for acme's webhooks that a spec may do anything to, and gives a token of it.
func newClient(ctx context.Context) (*v1alpha1.ClientCredential, harness.Credentials, string) {
	GinkgoHelper()
	credential := builder.ClientCredential("acme", fmt.Sprintf("caller-%d", clients.Add(1)), builder.ForAccount("acme"))
	world.Plane.Create(ctx, credential)
	credentials := world.Plane.ExpectReady(ctx, credential)
	Eventually(world.Service.Accepts).WithArguments(credentials).Should(BeTrue())
	return credential, credentials, world.Service.TakeToken(credentials)
}

// stream opens one, has its first event, and gives what says whether it has ended.
func stream(ctx context.Context, gate *harness.Gate, token string) func() bool {
	GinkgoHelper()
	response, err := http.DefaultClient.Do(gate.Request(ctx, token, "Accept", "text/event-stream"))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(response.Body.Close)
	Expect(response.StatusCode).To(Equal(http.StatusOK))
	lines := bufio.NewReader(response.Body)
	Expect(lines.ReadString('\n')).To(Equal("data: begun\n"))
	var ended atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		ended.Store(true)
	}()
	return ended.Load
}

var _ = Describe("a gate", func() {
	each(func(s *source) {
		It("tells the upstream who calls, whatever the caller says", func() {
			answer := s.gates[matrix.AcmeWebhook.Guard].Call(world.WebhookToken(),
				"X-Claviger-Account", "forged", "X_Claviger_Account", "forged", "X-Claviger-Client-Id", "forged", "Connection", "X-Claviger-Scope")
			Expect(answer.Status).To(Equal(http.StatusOK))
			Expect(answer.Header["Saw-Client-Id"]).To(Equal([]string{"acme.webhook"}))
			Expect(answer.Header["Saw-Account"]).To(Equal([]string{"acme"}))
			Expect(answer.Header["Saw-Scope"]).To(Equal([]string{"Webhook"}))
			Expect(answer.Header["Saw-Expires"]).To(HaveLen(1))
			Expect(answer.Header.Get("Saw-Authorization")).To(BeEmpty())
		})

		It("ends a stream when its token is revoked, its credential suspended or deleted", func(ctx context.Context) {
			for _, kill := range []func(*v1alpha1.ClientCredential, harness.Credentials, string){
				func(_ *v1alpha1.ClientCredential, credentials harness.Credentials, token string) {
					Expect(world.Service.Revoke(credentials, token).Status).To(Equal(http.StatusOK))
				},
				func(credential *v1alpha1.ClientCredential, _ harness.Credentials, _ string) {
					harness.Patch(ctx, world.Plane, credential, func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = true })
				},
				func(credential *v1alpha1.ClientCredential, _ harness.Credentials, _ string) {
					Expect(world.Plane.API.Delete(ctx, credential)).To(Succeed())
				},
			} {
				credential, credentials, token := newClient(ctx)
				gate := s.gates[matrix.AcmeWebhook.Guard]
				Eventually(func() int { return gate.Call(token).Status }).Should(Equal(http.StatusOK))
				ended, other := stream(ctx, gate, token), stream(ctx, gate, world.WebhookToken())
				Consistently(ended, "600ms").Should(BeFalse(), "it goes on while the token is good")
				kill(credential, credentials, token)
				harness.ExpectPromptly(ended, true)
				Expect(other()).To(BeFalse(), "another client's goes on")
			}
		})

		It("ends a stream when its token expires", func(ctx context.Context) {
			clock := &harness.Clock{}
			gate := s.start(matrix.AcmeWebhook.Guard, func(o *app.GateOptions) { o.Clock = clock.Now })
			token := world.WebhookToken()
			ended := stream(ctx, gate, token)
			clock.Advance(14*24*time.Hour + time.Second)
			harness.ExpectPromptly(ended, true)
			Expect(gate.Call(token).Status).To(Equal(http.StatusUnauthorized))
		})

		It("ends the streams that are left when it stops, and lets no error show", func(ctx context.Context) {
			gate := s.start(matrix.AcmeWebhook.Guard, func(o *app.GateOptions) { o.Stop.Grace = 100 * time.Millisecond })
			ended := stream(ctx, gate, world.WebhookToken())
			Expect(gate.Stop()).To(Succeed())
			harness.ExpectPromptly(ended, true)
		})

		It("serves the metadata of its resource to everybody", func() {
			gate := s.start(matrix.AcmeMCP.Guard, func(o *app.GateOptions) { o.ResourceURL = "https://mcp.acme.example/mcp" })
			answer := gate.Call("")
			Expect(answer.Status).To(Equal(http.StatusUnauthorized))
			Expect(answer.Header.Get("WWW-Authenticate")).To(ContainSubstring(`resource_metadata="https://mcp.acme.example/.well-known/oauth-protected-resource/mcp"`))
			request, err := http.NewRequest(http.MethodGet, gate.URL+"/.well-known/oauth-protected-resource/mcp", http.NoBody)
			Expect(err).NotTo(HaveOccurred())
			Expect(harness.Do(request).Body).To(MatchJSON(`{"resource":"https://mcp.acme.example/mcp","authorization_servers":["` + harness.Issuer + `"],"scopes_supported":["MCP"],"bearer_methods_supported":["header"]}`))
		})

		It("writes denied calls to the audit log, and no token", func() {
			Expect(s.gates[matrix.OtherMCP.Guard].Call(world.MCPToken()).Status).To(Equal(http.StatusUnauthorized))
			Expect(world.Plane.Ledger.Told()).To(MatchRegexp(`"logger":"gate\.audit","msg":"access denied","error":"invalid_token","clientID":"acme.mcp","needs":"MCP","resource":"","reason":"the token is another account's"`))
		})
	})
})

var _ = Describe("an outage", func() {
	It("of the API server changes nothing for a gate that judges by objects", func(ctx context.Context) {
		credential, _, token := newClient(ctx)
		gate := sources[0].gates[matrix.AcmeWebhook.Guard]
		Eventually(func() int { return gate.Call(token).Status }).Should(Equal(http.StatusOK))
		world.Plane.StopAPIServer()
		DeferCleanup(func() { Expect(world.Plane.StartAPIServer(context.WithoutCancel(ctx))).To(Succeed()) })
		ended := stream(ctx, gate, token)
		Expect(gate.Call(token).Status).To(Equal(http.StatusOK))
		Expect(gate.Call(world.MCPToken()).Status).To(Equal(http.StatusForbidden))
		Expect(ended()).To(BeFalse())
		Expect(gate.Ready()).To(BeTrue())

		By("coming back")
		Expect(world.Plane.StartAPIServer(ctx)).To(Succeed())
		harness.Patch(ctx, world.Plane, credential, func(c *v1alpha1.ClientCredential) { c.Spec.Suspend = true })
		Eventually(func() int { return gate.Call(token).Status }).Should(Equal(http.StatusUnauthorized), "changes are seen again")
		Eventually(ended).Should(BeTrue())
	})

	It("of the issuer admits nobody at a gate that asks, and spares streams for a while", func(ctx context.Context) {
		target, err := url.Parse(world.Service.URL)
		Expect(err).NotTo(HaveOccurred())
		var away atomic.Bool
		forward := httputil.NewSingleHostReverseProxy(target)
		between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if away.Load() {
				panic(http.ErrAbortHandler)
			}
			forward.ServeHTTP(w, r)
		}))
		DeferCleanup(between.Close)
		clock := &harness.Clock{}
		gate := sources[1].start(matrix.AcmeWebhook.Guard, func(o *app.GateOptions) {
			o.IntrospectionURL, o.JWKSURL, o.Clock = between.URL+server.PathIntrospect, between.URL+server.PathJWKS, clock.Now
		})
		token := world.WebhookToken()
		ended := stream(ctx, gate, token)

		away.Store(true)
		Eventually(func() int { return gate.Call(token).Status }).Should(Equal(http.StatusServiceUnavailable))
		answer := gate.Call(token)
		Expect(answer.Header.Get("Retry-After")).To(Equal("1"))
		Expect(answer.Body).To(ContainSubstring("server_error"))
		Expect(gate.Call("nonsense").Status).To(Equal(http.StatusUnauthorized), "what is not genuine is refused all the same")
		Expect(gate.Call("").Status).To(Equal(http.StatusUnauthorized))
		Expect(ended()).To(BeFalse())
		Expect(gate.Ready()).To(BeTrue())

		By("lasting for too long")
		clock.Advance(app.DefaultPatience)
		harness.ExpectPromptly(ended, true)

		By("coming back")
		away.Store(false)
		clock.Advance(10 * time.Second) // it is left alone for at most so long
		Eventually(func() int { return gate.Call(token).Status }).Should(Equal(http.StatusOK))
	})
})

var _ = Describe("a signing key that is withdrawn", func() {
	It("is followed at once by its successor, and refused where the issuer is asked", func(ctx context.Context) {
		before := world.WebhookToken()
		secret := &corev1.Secret{}
		secret.Namespace, secret.Name = config.Namespace, v1alpha1.SigningKeysSecretName
		harness.Patch(ctx, world.Plane, secret, func(s *corev1.Secret) {
			metav1.SetMetaDataAnnotation(&s.ObjectMeta, v1alpha1.AnnotationRemoveKey, keyOf(before))
		})
		Eventually(func() string { return keyOf(world.WebhookToken()) }).ShouldNot(Equal(keyOf(before)))
		each := func(token string) string {
			statuses := ""
			for _, s := range sources {
				statuses += fmt.Sprint(s.gates[matrix.AcmeWebhook.Guard].Call(token).Status, " ")
			}
			return statuses
		}
		after := world.WebhookToken()
		harness.ExpectPromptly(func() string { return each(after) }, "200 200 ")
		harness.ExpectPromptly(func() string { return each(before) }, "401 401 ")
	})
})

// keyOf gives the ID of the key that a token was signed with.
func keyOf(token string) string {
	GinkgoHelper()
	header, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(header)
	Expect(err).NotTo(HaveOccurred())
	var fields struct {
		KeyID string `json:"kid"`
	}
	Expect(json.Unmarshal(raw, &fields)).To(Succeed())
	return fields.KeyID
}
