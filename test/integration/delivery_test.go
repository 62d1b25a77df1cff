// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

var _ = Describe("delivery", func() {
	var (
		clock   *harness.Clock
		manager *harness.Role
		tokens  *harness.TokenService
		orders  *v1alpha1.ClientCredential
		before  harness.Credentials
	)
	BeforeEach(func(ctx context.Context) {
		clock = &harness.Clock{}
		manager = plane.StartManagerWith(func(o *app.ManagerOptions) { o.Clock = clock.Now })
		tokens = plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) { o.Clock = clock.Now })
		orders, before = readyOrders(ctx, tokens)
	})

	change := func(ctx context.Context, how func(*v1alpha1.ClientCredential)) {
		GinkgoHelper()
		harness.Patch(ctx, plane, orders, how)
	}
	template := func(ctx context.Context, how func(*v1alpha1.SecretTemplate)) {
		GinkgoHelper()
		change(ctx, func(c *v1alpha1.ClientCredential) {
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{}
			how(c.Spec.SecretTemplate)
		})
	}
	exists := func(ctx context.Context, name string) func() bool {
		return func() bool {
			err := plane.API.Get(ctx, client.ObjectKey{Namespace: orders.Namespace, Name: name}, &corev1.Secret{})
			Expect(client.IgnoreNotFound(err)).NotTo(HaveOccurred())
			return err == nil
		}
	}

	It("follows a template: names, labels, annotations, keys and values", func(ctx context.Context) {
		template(ctx, func(t *v1alpha1.SecretTemplate) {
			t.Labels = map[string]v1alpha1.LabelValue{"app.kubernetes.io/part-of": "argocd"}
			t.Annotations = map[string]v1alpha1.AnnotationValue{"reloader.stakater.com/match": "true"}
			t.Keys = map[string]v1alpha1.SecretKey{"client_id": "clientID", "client_secret": "clientSecret"}
			t.Data = map[string]v1alpha1.ValueTemplate{".env": "ID={{ .ClientID }}\nSECRET={{ .ClientSecret }}\n{{ if .Account }}ACCOUNT={{ .Account }}{{ end }}"}
		})
		Eventually(func() map[string][]byte { return plane.Secret(ctx, orders).Data }).Should(HaveKey(".env"))
		secret := plane.Secret(ctx, orders)
		Expect(string(secret.Data["clientSecret"]) == before.Secret).To(BeTrue(), "the client secret is the same under its new key")
		Expect(secret.Data).NotTo(HaveKey("client_secret"))
		Expect(string(secret.Data[".env"]) == "ID="+before.ID+"\nSECRET="+before.Secret+"\nACCOUNT="+orders.Namespace).To(BeTrue(), "the template is expanded")
		Expect(secret.Labels).To(HaveKeyWithValue("app.kubernetes.io/part-of", "argocd"))
		Expect(secret.Annotations).To(HaveKeyWithValue("reloader.stakater.com/match", "true"))

		By("adding what is somebody else's, and taking the template away")
		harness.Patch(ctx, plane, secret, func(s *corev1.Secret) { s.Labels["theirs"] = "stays" })
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.SecretTemplate = nil })
		Eventually(func() map[string][]byte { return plane.Secret(ctx, orders).Data }).Should(HaveKey("client_secret"))
		secret = plane.Secret(ctx, orders)
		Expect(secret.Labels).To(And(HaveKeyWithValue("theirs", "stays"), Not(HaveKey("app.kubernetes.io/part-of"))))
		Expect(secret.Annotations).NotTo(HaveKey("reloader.stakater.com/match"))
		Expect(secret.Data).NotTo(Or(HaveKey(".env"), HaveKey("clientSecret")))
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(before), "and it is still the same client secret")
		Expect(orders.Status.Verifiers).To(HaveLen(1))
	})

	DescribeTable("stops at a template that is wrong, names what is, and leaves the Secret as it was",
		func(ctx context.Context, names string, how func(*v1alpha1.SecretTemplate)) {
			was := plane.Secret(ctx, orders)
			template(ctx, how)
			plane.ExpectReason(ctx, orders, v1alpha1.ReasonInvalidTemplate)
			Expect(isCondition(orders, v1alpha1.ConditionStalled)).To(BeTrue())
			Expect(readyMessage(orders)).To(ContainSubstring(names))
			Expect(plane.Secret(ctx, orders).ResourceVersion).To(Equal(was.ResourceVersion))
			Expect(tokens.Accepts(before)).To(BeTrue())
			change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.SecretTemplate = nil })
			Expect(plane.ExpectReady(ctx, orders)).To(Equal(before))
		},
		Entry("a template that does not parse", "config.yaml", func(t *v1alpha1.SecretTemplate) {
			t.Data = map[string]v1alpha1.ValueTemplate{"config.yaml": "id: {{ .ClientID"}
		}),
		Entry("a value that there is none of", ".Password", func(t *v1alpha1.SecretTemplate) {
			t.Data = map[string]v1alpha1.ValueTemplate{"x": "{{ .Password }}"}
		}),
		Entry("a function", "printf", func(t *v1alpha1.SecretTemplate) {
			t.Data = map[string]v1alpha1.ValueTemplate{"x": `{{ printf "%999999999d" 1 }}`}
		}),
		Entry("a key that is there already", "scope", func(t *v1alpha1.SecretTemplate) {
			t.Data = map[string]v1alpha1.ValueTemplate{"scope": "x"}
		}),
		Entry("two keys of one name", "id", func(t *v1alpha1.SecretTemplate) {
			t.Keys = map[string]v1alpha1.SecretKey{"client_id": "id", "issuer": "id"}
		}),
		Entry("a label that Kubernetes does not take", "metadata.labels", func(t *v1alpha1.SecretTemplate) {
			t.Labels = map[string]v1alpha1.LabelValue{"not a label": "x"}
		}),
	)

	It("adds the certificates of the issuer where its CA is private", func(ctx context.Context) {
		file := filepath.Join(GinkgoT().TempDir(), "ca.pem")
		Expect(os.WriteFile(file, plane.Admin().CAData, 0o600)).To(Succeed())
		plane.StartManagerWith(func(o *app.ManagerOptions) { o.IssuerCAFile = file })
		name := fresh()
		private := builder.ClientCredential(name, "private", builder.ForAccount(name))
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
		Expect(manager.Stop()).To(Succeed())
		plane.Create(ctx, private)
		plane.ExpectReady(ctx, private)
		Expect(plane.Secret(ctx, private).Data).To(HaveKeyWithValue("ca.crt", plane.Admin().CAData))
	})

	It("under another name keeps the client secret, and the old Secret goes after the overlap", func(ctx context.Context) {
		template(ctx, func(t *v1alpha1.SecretTemplate) { t.Name = "orders-oauth" })
		Eventually(exists(ctx, "orders-oauth")).Should(BeTrue())
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(before))
		Expect(orders.Status.Binding.Name).To(Equal("orders-oauth"))
		Expect(orders.Status.Verifiers).To(HaveLen(1))
		Expect(exists(ctx, "orders")()).To(BeTrue(), "workloads may still mount it")

		By("renaming it back within the overlap, and away again")
		template(ctx, func(t *v1alpha1.SecretTemplate) { t.Name = "orders" })
		Eventually(func() string { plane.ExpectReady(ctx, orders); return orders.Status.Binding.Name }).Should(Equal("orders"))
		Expect(plane.Secret(ctx, orders).Annotations).NotTo(HaveKey(v1alpha1.AnnotationRemoveAfter))
		template(ctx, func(t *v1alpha1.SecretTemplate) { t.Name = "orders-oauth" })
		Eventually(func() string { plane.ExpectReady(ctx, orders); return orders.Status.Binding.Name }).Should(Equal("orders-oauth"))
		Expect(plane.Credentials(ctx, orders)).To(Equal(before))

		By("waiting for the end of the overlap")
		clock.Advance(day + time.Minute)
		lookAgain(ctx, orders)
		Eventually(exists(ctx, "orders")).Should(BeFalse())
		Expect(exists(ctx, "orders-oauth")()).To(BeTrue())
		Expect(tokens.Accepts(before)).To(BeTrue())
	})

	It("does not undo a rotation when the name goes back to the old one", func(ctx context.Context) {
		template(ctx, func(t *v1alpha1.SecretTemplate) { t.Name = "orders-oauth" })
		Eventually(exists(ctx, "orders-oauth")).Should(BeTrue())
		plane.ExpectReady(ctx, orders)
		change(ctx, func(c *v1alpha1.ClientCredential) {
			c.Annotations = map[string]string{v1alpha1.AnnotationRotate: "leak"}
		})
		Eventually(func() bool { return plane.Credentials(ctx, orders) == before }).Should(BeFalse())
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
		after := plane.ExpectReady(ctx, orders)
		template(ctx, func(t *v1alpha1.SecretTemplate) { t.Name = "orders" })
		Eventually(func() string { plane.ExpectReady(ctx, orders); return orders.Status.Binding.Name }).Should(Equal("orders"))
		Expect(plane.Credentials(ctx, orders)).To(Equal(after))
	})

	It("leaves a Secret of the new name alone that is somebody else's, and the old one works", func(ctx context.Context) {
		theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: orders.Namespace, Name: "theirs"}, Data: map[string][]byte{"x": []byte("y")}}
		plane.Create(ctx, theirs)
		template(ctx, func(t *v1alpha1.SecretTemplate) { t.Name = "theirs" })
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonSecretConflict)
		Expect(orders.Status.Binding.Name).To(Equal("orders"))
		Expect(exists(ctx, "orders")()).To(BeTrue())
		Expect(tokens.Accepts(before)).To(BeTrue())
	})

	It("with another type replaces the Secret and keeps the client secret", func(ctx context.Context) {
		template(ctx, func(t *v1alpha1.SecretTemplate) {
			t.Type = string(corev1.SecretTypeBasicAuth)
			t.Keys = map[string]v1alpha1.SecretKey{"client_id": "username", "client_secret": "password"}
			t.Labels = map[string]v1alpha1.LabelValue{"x": "y"}
		})
		Eventually(func() corev1.SecretType {
			secret := &corev1.Secret{}
			_ = plane.API.Get(ctx, client.ObjectKeyFromObject(orders), secret)
			return secret.Type
		}).Should(Equal(corev1.SecretTypeBasicAuth))
		plane.ExpectReason(ctx, orders, v1alpha1.ReasonIssued)
		secret := plane.Secret(ctx, orders)
		Expect(string(secret.Data["password"]) == before.Secret).To(BeTrue())
		Expect(orders.Status.Verifiers).To(HaveLen(1))
		Expect(metav1.IsControlledBy(secret, orders)).To(BeTrue())
	})

	It("replaces a Secret that somebody has made immutable when it must change", func(ctx context.Context) {
		harness.Patch(ctx, plane, plane.Secret(ctx, orders), func(s *corev1.Secret) { s.Immutable = new(true) })
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Scopes = []v1alpha1.Scope{"MCP"} })
		Eventually(func() string {
			secret := &corev1.Secret{}
			_ = plane.API.Get(ctx, client.ObjectKeyFromObject(orders), secret)
			return string(secret.Data["scope"])
		}).Should(Equal("MCP"))
		Expect(plane.ExpectReady(ctx, orders)).To(Equal(before))
	})

	It("retains the Secret where that is asked for, says so on it, and the client is dead", func(ctx context.Context) {
		change(ctx, func(c *v1alpha1.ClientCredential) {
			c.Spec.DeletionPolicy = v1alpha1.DeletionRetain
			c.Spec.SecretTemplate = &v1alpha1.SecretTemplate{Name: "kept"}
		})
		Eventually(exists(ctx, "kept")).Should(BeTrue())
		Eventually(func() []metav1.OwnerReference {
			plane.ExpectReady(ctx, orders)
			return plane.Secret(ctx, orders).OwnerReferences
		}).Should(BeEmpty())
		Expect(plane.API.Delete(ctx, orders)).To(Succeed())
		harness.ExpectPromptly(func() bool { return tokens.Accepts(before) }, false)
		kept := func() map[string]string { return plane.Secret(ctx, orders).Annotations }
		Eventually(kept).Should(HaveKeyWithValue(v1alpha1.AnnotationRetained, ContainSubstring("orders was deleted")))
		Eventually(exists(ctx, "orders")).Should(BeFalse(), "one of a former name is not retained")

		By("creating the credential again")
		again := orders.DeepCopy()
		again.ObjectMeta = metav1.ObjectMeta{Namespace: orders.Namespace, Name: "orders"}
		plane.Create(ctx, again)
		Expect(plane.ExpectReady(ctx, again)).To(Equal(before), "it takes its Secret up again")
		Eventually(kept).ShouldNot(HaveKey(v1alpha1.AnnotationRetained))
		Eventually(tokens.Accepts).WithArguments(before).Should(BeTrue())
	})

	It("takes the Secret along again when the policy goes back", func(ctx context.Context) {
		for _, row := range []struct {
			policy v1alpha1.DeletionPolicy
			owners int
		}{{v1alpha1.DeletionRetain, 0}, {v1alpha1.DeletionDelete, 1}} {
			change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.DeletionPolicy = row.policy })
			Eventually(func() []metav1.OwnerReference { return plane.Secret(ctx, orders).OwnerReferences }).Should(HaveLen(row.owners))
		}
		Expect(plane.API.Delete(ctx, orders)).To(Succeed())
		Eventually(exists(ctx, "orders")).Should(BeFalse())
	})

	Context("of a live token", func() {
		token := func(ctx context.Context) string {
			GinkgoHelper()
			secret := &corev1.Secret{}
			key := client.ObjectKey{Namespace: orders.Namespace, Name: orders.Status.AccessToken.Name}
			Expect(plane.API.Get(ctx, key, secret)).To(Succeed())
			raw := string(secret.Data["access_token"])
			plane.Ledger.Add(raw)
			return raw
		}
		verdict := func(raw string) int { return tokens.Verify(raw, "scope=Webhook&account="+orders.Namespace).Status }
		deliver := func(ctx context.Context) string {
			GinkgoHelper()
			change(ctx, func(c *v1alpha1.ClientCredential) {
				c.Spec.TokenExpiryMinutes = 60
				c.Spec.AccessToken = &v1alpha1.AccessTokenDelivery{}
			})
			Eventually(exists(ctx, "orders-token")).Should(BeTrue())
			Eventually(func() *v1alpha1.AccessTokenStatus { plane.ExpectReady(ctx, orders); return orders.Status.AccessToken }).ShouldNot(BeNil())
			return token(ctx)
		}

		It("replaces it at two thirds of its life, and not before", func(ctx context.Context) {
			first := deliver(ctx)
			Eventually(verdict).WithArguments(first).Should(Equal(200))
			Expect(orders.Status.AccessToken.ExpiresAt.Time).To(BeTemporally("~", clock.Now().Add(time.Hour), time.Minute))
			clock.Advance(39 * time.Minute)
			lookAgain(ctx, orders)
			Consistently(token).WithArguments(ctx).WithTimeout(time.Second).Should(Equal(first))
			clock.Advance(2 * time.Minute)
			lookAgain(ctx, orders)
			Eventually(func() bool { return token(ctx) == first }).Should(BeFalse())
			Expect(verdict(token(ctx))).To(Equal(200))
			Expect(verdict(first)).To(Equal(200), "the one before lives until it expires")
		})

		It("replaces it at once where it is no longer good", func(ctx context.Context) {
			first := deliver(ctx)
			clock.Advance(time.Minute)
			change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.RevokeTokensBefore = &metav1.Time{Time: clock.Now()} })
			Eventually(func() bool { return token(ctx) == first }).Should(BeFalse())
			Eventually(verdict).WithArguments(token(ctx)).Should(Equal(200))
			Eventually(verdict).WithArguments(first).Should(Equal(401))
			second := token(ctx)
			change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Scopes = []v1alpha1.Scope{"Webhook", "MCP"} })
			Eventually(func() bool { return token(ctx) == second }).Should(BeFalse(), "its scopes are others")
		})

		It("replaces it with the client secret where it dies with that", func(ctx context.Context) {
			first := deliver(ctx)
			change(ctx, func(c *v1alpha1.ClientCredential) {
				c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "one", RevokeTokens: true}
			})
			Eventually(func() bool { return token(ctx) == first }).Should(BeFalse())
			clock.Advance(time.Minute)
			Eventually(verdict).WithArguments(token(ctx)).Should(Equal(200))
			Expect(verdict(first)).To(Equal(200), "for the overlap")
		})

		It("replaces it at once where somebody has revoked it", func(ctx context.Context) {
			first := deliver(ctx)
			Eventually(verdict).WithArguments(first).Should(Equal(200))
			Expect(tokens.Revoke(before, first).Status).To(Equal(200))
			Eventually(func() bool { return token(ctx) == first }).Should(BeFalse())
			Eventually(verdict).WithArguments(token(ctx)).Should(Equal(200))
			Expect(verdict(first)).To(Equal(401))
		})

		It("takes it away when it is no longer asked for", func(ctx context.Context) {
			deliver(ctx)
			change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.AccessToken = nil })
			Eventually(func() *v1alpha1.AccessTokenStatus { plane.ExpectReady(ctx, orders); return orders.Status.AccessToken }).Should(BeNil())
			clock.Advance(day + time.Minute)
			lookAgain(ctx, orders)
			Eventually(exists(ctx, "orders-token")).Should(BeFalse())
		})

		It("heals its Secret", func(ctx context.Context) {
			first := deliver(ctx)
			Expect(plane.API.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: orders.Namespace, Name: "orders-token"}})).To(Succeed())
			Eventually(exists(ctx, "orders-token")).Should(BeTrue())
			Expect(token(ctx) == first).To(BeFalse())
		})
	})
})
