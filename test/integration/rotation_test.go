// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/harness"
)

const day = 24 * time.Hour

var _ = Describe("rotation", func() {
	var (
		clock   *harness.Clock
		manager *harness.Role
		tokens  *harness.TokenService
		orders  *v1alpha1.ClientCredential
		before  harness.Credentials
	)
	startManager := func() *harness.Role {
		return plane.StartManagerWith(func(o *app.ManagerOptions) { o.Clock = clock.Now })
	}
	BeforeEach(func(ctx context.Context) {
		clock = &harness.Clock{}
		manager = startManager()
		tokens = plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) { o.Clock = clock.Now })
		orders, before = readyOrders(ctx, tokens)
	})

	change := func(ctx context.Context, how func(*v1alpha1.ClientCredential)) {
		GinkgoHelper()
		harness.Patch(ctx, plane, orders, how)
	}
	rotateEvery := func(ctx context.Context, interval time.Duration) {
		GinkgoHelper()
		change(ctx, func(c *v1alpha1.ClientCredential) {
			c.Spec.Rotation = &v1alpha1.Rotation{Interval: &metav1.Duration{Duration: interval}}
		})
		plane.ExpectReady(ctx, orders)
	}
	// rotated waits for another client secret and gives it.
	rotated := func(ctx context.Context) harness.Credentials {
		GinkgoHelper()
		var after harness.Credentials
		Eventually(func() bool {
			after = plane.Credentials(ctx, orders)
			return after.Secret != before.Secret
		}).Should(BeTrue(), "there is another client secret")
		Expect(after.ID).To(Equal(before.ID))
		Eventually(tokens.Accepts).WithArguments(after).Should(BeTrue())
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
		plane.ExpectReady(ctx, orders)
		return after
	}
	// stays makes the manager look again, and expects the client secret to be the one it was.
	stays := func(ctx context.Context, credentials harness.Credentials) {
		GinkgoHelper()
		lookAgain(ctx, orders)
		Consistently(func() harness.Credentials { return plane.Credentials(ctx, orders) }).WithTimeout(time.Second).Should(Equal(credentials))
	}
	// advance moves the clock and makes the manager look: its timers run on the machine's.
	advance := func(ctx context.Context, by time.Duration) {
		GinkgoHelper()
		clock.Advance(by)
		lookAgain(ctx, orders)
	}

	DescribeTable("replaces the secret once, and the old one works for the overlap", func(ctx context.Context, ask func(*v1alpha1.ClientCredential)) {
		change(ctx, ask)
		after := rotated(ctx)
		Expect(tokens.Accepts(before)).To(BeTrue(), "for the overlap")
		stays(ctx, after)
		Expect(orders.Status.Verifiers).To(HaveLen(2))

		By("waiting for the end of the overlap")
		advance(ctx, day+time.Minute)
		Expect(tokens.Accepts(before)).To(BeFalse())
		Expect(tokens.Accepts(after)).To(BeTrue())
		Eventually(func() int {
			plane.ExpectReady(ctx, orders)
			return len(orders.Status.Verifiers)
		}).Should(Equal(1), "what has expired is dropped")
	},
		Entry("when the trigger changes", func(c *v1alpha1.ClientCredential) { c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "2026-q4"} }),
		Entry("when the annotation changes", func(c *v1alpha1.ClientCredential) {
			c.Annotations = map[string]string{v1alpha1.AnnotationRotate: "now"}
		}),
		Entry("when both do", func(c *v1alpha1.ClientCredential) {
			c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "2026-q4"}
			c.Annotations = map[string]string{v1alpha1.AnnotationRotate: "now"}
		}),
	)

	It("comes with its interval, says when in status and event, and counts", func(ctx context.Context) {
		counted := rotations(manager, "Interval")
		rotateEvery(ctx, 30*day)
		stays(ctx, before)
		last := orders.Status.Rotation.LastRotationTime
		Expect(orders.Status.Rotation.NextRotationTime.Time).To(BeTemporally("==", last.Add(30*day)))
		advance(ctx, 29*day)
		stays(ctx, before)
		advance(ctx, day)
		after := rotated(ctx)
		Expect(orders.Status.Rotation.NextRotationTime.Time).To(BeTemporally("~", clock.Now().Add(30*day), time.Minute))
		stays(ctx, after)
		Eventually(func(g Gomega) {
			var events eventsv1.EventList
			g.Expect(plane.API.List(ctx, &events, client.InNamespace(orders.Namespace))).To(Succeed())
			var notes []string
			for i := range events.Items {
				if events.Items[i].Reason == "SecretRotated" {
					notes = append(notes, events.Items[i].Note)
				}
			}
			g.Expect(notes).To(HaveLen(1))
			g.Expect(notes[0]).To(And(ContainSubstring("interval"), ContainSubstring("works until")))
		}).Should(Succeed())
		Expect(rotations(manager, "Interval") - counted).To(Equal(1))
	})

	It("neither rotates twice nor forgets when the manager restarts", func(ctx context.Context) {
		rotateEvery(ctx, 30*day)
		Expect(manager.Stop()).To(Succeed())
		clock.Advance(31 * day)
		manager = startManager()
		after := rotated(ctx)
		Expect(manager.Stop()).To(Succeed())
		manager = startManager()
		stays(ctx, after)
	})

	It("neither rotates twice nor forgets when the clock jumps ahead and back", func(ctx context.Context) {
		rotateEvery(ctx, 30*day)
		advance(ctx, 3650*day)
		after := rotated(ctx)
		advance(ctx, -3650*day)
		stays(ctx, after)
		next := func() time.Time {
			plane.ExpectReady(ctx, orders)
			return orders.Status.Rotation.NextRotationTime.Time
		}
		Eventually(next).Should(BeTemporally("~", clock.Now().Add(30*day), time.Minute), "not in ten years")
		Expect(orders.Status.Verifiers[1].ExpiresAt.Time).To(BeTemporally("<=", clock.Now().Add(day)), "nor does the old secret live as long")
		before = after
		advance(ctx, 30*day+time.Minute)
		rotated(ctx)
	})

	It("is asked for by what the trigger says, not by whether there is one", func(ctx context.Context) {
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "one"} })
		after := rotated(ctx)
		Expect(orders.Status.Rotation.Trigger).To(Equal("one"))
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation = nil })
		stays(ctx, after)
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "one"} })
		stays(ctx, after)
		before = after
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation.Trigger = "two" })
		rotated(ctx)
	})

	It("of a credential that asks for it from the first day makes one secret", func(ctx context.Context) {
		other := orders.DeepCopy()
		other.ObjectMeta = metav1.ObjectMeta{Namespace: orders.Namespace, Name: "second", Annotations: map[string]string{v1alpha1.AnnotationRotate: "first"}}
		other.Spec.Rotation = &v1alpha1.Rotation{Trigger: "first"}
		plane.Create(ctx, other)
		first := plane.ExpectReady(ctx, other)
		Expect(other.Status.Verifiers).To(HaveLen(1))
		lookAgain(ctx, other)
		Consistently(func() harness.Credentials { return plane.Credentials(ctx, other) }).WithTimeout(time.Second).Should(Equal(first))
	})

	It("forgets nothing when the status is wiped, and does nothing twice", func(ctx context.Context) {
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "one"} })
		after := rotated(ctx)
		wipe := func() {
			GinkgoHelper()
			Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), orders)).To(Succeed())
			orders.Status = v1alpha1.ClientCredentialStatus{}
			Expect(plane.API.Status().Update(ctx, orders)).To(Succeed())
		}
		wipe()
		stays(ctx, after)
		Expect(manager.Stop()).To(Succeed())
		wipe()
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation.Trigger = "two" })
		before = after
		manager = startManager()
		rotated(ctx)
		Expect(tokens.Accepts(after)).To(BeTrue(), "the one before works for the overlap although the status knew of none")
	})

	It("with an overlap that is shortened ends the old secret sooner", func(ctx context.Context) {
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "leak"} })
		after := rotated(ctx)
		Expect(tokens.Accepts(before)).To(BeTrue())
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation.Overlap = &metav1.Duration{} })
		Eventually(tokens.Accepts).WithArguments(before).Should(BeFalse())
		Expect(tokens.Accepts(after)).To(BeTrue())
	})

	It("lets the tokens of the old secret live, or die with it where that is asked for", func(ctx context.Context) {
		verdict := func(token string) int { return tokens.Verify(token, "scope=Webhook&account="+orders.Namespace).Status }
		old := tokens.TakeToken(before)
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "one"} })
		young := tokens.TakeToken(rotated(ctx))
		advance(ctx, day+time.Minute)
		Expect(verdict(old)).To(Equal(http.StatusOK), "tokens live until they expire")
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation.RevokeTokens = true })
		harness.ExpectPromptly(func() int { return verdict(old) }, http.StatusUnauthorized)
		Expect(verdict(young)).To(Equal(http.StatusOK))
	})

	It("changes the checksum, and keeps it otherwise", func(ctx context.Context) {
		checksum := func() string { return plane.Secret(ctx, orders).Annotations[v1alpha1.AnnotationChecksum] }
		first := checksum()
		Expect(first).NotTo(BeEmpty())
		lookAgain(ctx, orders)
		Consistently(checksum).WithTimeout(time.Second).Should(Equal(first))
		change(ctx, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "one"} })
		rotated(ctx)
		Expect(checksum()).NotTo(Equal(first))
	})

	It("heals a Secret whose annotations were taken away, without rotating", func(ctx context.Context) {
		rotateEvery(ctx, 30*day)
		was := plane.Secret(ctx, orders)
		harness.Patch(ctx, plane, plane.Secret(ctx, orders), func(s *corev1.Secret) { s.Annotations = nil })
		Eventually(func() map[string]string { return plane.Secret(ctx, orders).Annotations }).Should(Equal(was.Annotations))
		stays(ctx, before)
	})
})

// rotations gives how many client secrets a manager says were replaced for a cause. Managers of one process count together.
func rotations(manager *harness.Role, cause string) int {
	GinkgoHelper()
	_, rest, found := strings.Cut(manager.Metrics(), `claviger_client_secret_rotations_total{cause="`+cause+`"} `)
	if !found {
		return 0
	}
	count, _, _ := strings.Cut(rest, "\n")
	number, err := strconv.Atoi(count)
	Expect(err).NotTo(HaveOccurred())
	return number
}

var _ = It("a rotation takes three writes", func(ctx context.Context) {
	counter := &writes{}
	plane.StartManager(counter.wrap)
	tokens := plane.StartTokenService()
	orders, before := readyOrders(ctx, tokens)
	Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
	made := counter.concerning(orders.Namespace)
	harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation = &v1alpha1.Rotation{Trigger: "one"} })
	Eventually(func() bool { return plane.Credentials(ctx, orders) == before }).Should(BeFalse())
	Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
	Consistently(counter.concerning).WithArguments(orders.Namespace).WithTimeout(2*time.Second).
		Should(Equal(made+3), "verifiers, Secret, status")
})
