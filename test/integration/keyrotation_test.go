// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/server"
	"github.com/claviger/claviger/test/harness"
)

var _ = Describe("a signing key", func() {
	var (
		tokens  *harness.TokenService
		place   string
		before  string
		metrics func() string
		holder  harness.Credentials
	)
	BeforeEach(func(ctx context.Context) {
		newSigningKeys(ctx)
		plane.StartManagerWith(func(o *app.ManagerOptions) { metrics = metricsOf(o.MetricsAddress) })
		tokens = plane.StartTokenService()
		var orders *v1alpha1.ClientCredential
		orders, holder = readyOrders(ctx, tokens)
		place = "scope=Webhook&account=" + orders.Namespace
		before = tokens.TakeToken(holder)
		Expect(published(tokens)).To(ConsistOf(keyOf(before)))
	})
	status := func() int { return tokens.Verify(before, place).Status }
	count := func() int { return len(published(tokens)) }

	It("gets a successor when somebody asks for it, which signs later", func(ctx context.Context) {
		annotateKeys(ctx, v1alpha1.AnnotationRotate, "the auditor came")
		Eventually(count).Should(Equal(2))
		Expect(keyOf(tokens.TakeToken(holder))).To(Equal(keyOf(before)), "not everybody may know it yet")
		Expect(status()).To(Equal(http.StatusOK))

		By("asking again while it waits")
		annotateKeys(ctx, v1alpha1.AnnotationRotate, "another came")
		Eventually(func() string { return signingKeys(ctx).Rotation }).Should(Equal("another came"))
		Expect(count()).To(Equal(2), "the one that waits is what was asked for")
		version := keysSecret(ctx).ResourceVersion
		Consistently(func() string { return keysSecret(ctx).ResourceVersion }).WithTimeout(time.Second).
			Should(Equal(version), "what was granted is written once")

		Expect(metrics()).To(ContainSubstring("\nclaviger_signing_keys 2\n"))
		Expect(metrics()).To(ContainSubstring(`claviger_signing_key_rotations_total{reason="Request"}`))
		for _, id := range published(tokens) {
			Eventually(eventsAbout).WithArguments(ctx, "SigningKeyAdded", id).Should(Equal(1))
		}
	})

	It("that is compromised is removed at once", func(ctx context.Context) {
		annotateKeys(ctx, v1alpha1.AnnotationRemoveKey, "unknown, "+keyOf(before))
		Eventually(status).Should(Equal(http.StatusUnauthorized))
		after := tokens.TakeToken(holder)
		Expect(keyOf(after)).NotTo(Equal(keyOf(before)))
		Expect(tokens.Verify(after, place).Status).To(Equal(http.StatusOK))
		Expect(published(tokens)).To(ConsistOf(keyOf(after)))
		Eventually(eventsAbout).WithArguments(ctx, "SigningKeyRemoved", keyOf(before)).Should(Equal(1))
		Expect(metrics()).To(ContainSubstring(`claviger_signing_key_rotations_total{reason="Removal"}`))

		By("leaving the annotation where it is")
		plane.StartManager(nil)
		Consistently(func() int { return tokens.Verify(after, place).Status }).WithTimeout(time.Second).Should(Equal(http.StatusOK))
	})

	It("that is compromised gives way to the one that waits", func(ctx context.Context) {
		annotateKeys(ctx, v1alpha1.AnnotationRotate, "soon")
		Eventually(count).Should(Equal(2))
		waiting := published(tokens)[0]
		annotateKeys(ctx, v1alpha1.AnnotationRemoveKey, keyOf(before))
		Eventually(status).Should(Equal(http.StatusUnauthorized))
		Expect(keyOf(tokens.TakeToken(holder))).To(Equal(waiting))
	})

	It("gets a successor for another algorithm, and its tokens go on working", func(ctx context.Context) {
		plane.StartManagerWith(func(o *app.ManagerOptions) { o.SigningAlgorithm = "EdDSA" })
		Eventually(count).Should(Equal(2))
		edwards := published(tokens)[0]
		Expect(keyOf(tokens.TakeToken(holder))).To(Equal(keyOf(before)), "not everybody may know it yet")

		By("not waiting for the day on which it signs")
		fetched := tokens.TakeToken(holder)
		annotateKeys(ctx, v1alpha1.AnnotationRemoveKey, keyOf(before))
		Eventually(func() string { return keyOf(tokens.TakeToken(holder)) }).Should(Equal(edwards))
		Expect(tokens.Verify(tokens.TakeToken(holder), place).Status).To(Equal(http.StatusOK))
		Expect(tokens.Verify(fetched, place).Status).To(Equal(http.StatusUnauthorized), "its key is gone")
	})

	It("in a Secret that is damaged is told of, and works on", func(ctx context.Context) {
		var good map[string][]byte
		harness.Patch(ctx, plane, keysSecret(ctx), func(s *corev1.Secret) {
			good, s.Data = s.Data, map[string][]byte{"keys.json": []byte(`{"keys":[]}`)}
		})
		const gauge = `claviger_key_material_damaged{secret="claviger-signing-keys"} `
		Eventually(metrics).Should(ContainSubstring(gauge + "1"))
		Eventually(eventsAbout).WithArguments(ctx, "KeyMaterialDamaged", "has no key").Should(Equal(1))
		Expect(status()).To(Equal(http.StatusOK))
		harness.Patch(ctx, plane, keysSecret(ctx), func(s *corev1.Secret) { s.Data = good })
		Eventually(metrics).Should(ContainSubstring(gauge + "0"))
	})

	It("in a Secret that nobody can change stays", func(ctx context.Context) {
		uid := keysSecret(ctx).UID
		harness.Patch(ctx, plane, keysSecret(ctx), func(s *corev1.Secret) { s.Immutable = new(true) })
		annotateKeys(ctx, v1alpha1.AnnotationRotate, "in vain")
		Eventually(eventsAbout).WithArguments(ctx, "KeyMaterialDamaged", "immutable").Should(Equal(1))
		Expect(keysSecret(ctx).UID).To(Equal(uid), "it is not replaced: between a deletion and a creation all keys could be lost")
		Expect(status()).To(Equal(http.StatusOK))
	})
})

// newSigningKeys has the next manager make new signing keys, and the one after this spec too.
func newSigningKeys(ctx context.Context) {
	GinkgoHelper()
	forget := func(ctx context.Context) {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: config.Namespace, Name: v1alpha1.SigningKeysSecretName}}
		Expect(client.IgnoreNotFound(plane.API.Delete(ctx, secret))).To(Succeed())
	}
	forget(ctx)
	DeferCleanup(forget) // before the roles are started, so after they have stopped
}

func keysSecret(ctx context.Context) *corev1.Secret {
	GinkgoHelper()
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: config.Namespace, Name: v1alpha1.SigningKeysSecretName}
	Expect(plane.API.Get(ctx, key, secret)).To(Succeed())
	return secret
}

func annotateKeys(ctx context.Context, name, value string) {
	GinkgoHelper()
	harness.Patch(ctx, plane, keysSecret(ctx), func(s *corev1.Secret) {
		metav1.SetMetaDataAnnotation(&s.ObjectMeta, name, value)
	})
}

// published gives the IDs of the keys in the JWK set, the newest first.
func published(tokens *harness.TokenService) []string {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodGet, tokens.URL+server.PathJWKS, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	var set struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	Expect(json.Unmarshal([]byte(harness.Do(request).Body), &set)).To(Succeed())
	ids := make([]string, len(set.Keys))
	for i, key := range set.Keys {
		ids[i] = key.ID
	}
	return ids
}

// metricsOf reads the metrics of a manager.
func metricsOf(address string) func() string {
	return func() string {
		GinkgoHelper()
		request, err := http.NewRequest(http.MethodGet, "http://"+address+server.PathMetrics, http.NoBody)
		Expect(err).NotTo(HaveOccurred())
		return harness.Do(request).Body
	}
}

// eventsAbout counts the events of a reason about the Secret as it is now, whose note has a text. The event of the first key has
// no UID: there was none yet.
func eventsAbout(ctx context.Context, reason, text string) int {
	GinkgoHelper()
	var events eventsv1.EventList
	Expect(plane.API.List(ctx, &events, client.InNamespace(config.Namespace))).To(Succeed())
	secret, count := keysSecret(ctx), 0
	for i := range events.Items {
		event := &events.Items[i]
		about := event.Regarding.Name == secret.Name && (event.Regarding.UID == "" || event.Regarding.UID == secret.UID)
		if about && event.Reason == reason && strings.Contains(event.Note, text) {
			count++
		}
	}
	return count
}
