// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// The API server counts, whoever asks: what is not the test's own is the manager's.
var _ = It("two writes create a credential, three rotate it, none keep it: as the API server counts them", func(ctx context.Context) {
	manager := plane.StartManager(nil)
	tokens := plane.StartTokenService()
	readyOrders(ctx, tokens) // every other credential of the suite is as it should be, too
	name := fresh()
	plane.Namespace(ctx, name, nil)
	plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
	quiet := func() int { return quietWrites(ctx, manager) }
	before := quiet()

	orders := builder.ClientCredential(name, "orders", builder.ForAccount(name))
	Expect(plane.API.Create(ctx, orders)).To(Succeed())
	plane.ExpectReady(ctx, orders)
	created := quiet()
	Expect(created-before).To(Equal(1+2), "the test's own, the Secret and the status")

	rotating := orders.DeepCopy()
	rotating.Spec.Rotation = &v1alpha1.Rotation{Trigger: "now"}
	Expect(plane.API.Patch(ctx, rotating, client.MergeFrom(orders))).To(Succeed())
	Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
	rotated := quiet()
	Expect(rotated-created).To(Equal(1+3), "the test's own, the verifiers, the Secret and the status")
	AddReportEntry("writes as the API server counts them", "create 2, rotate 3, steady state 0")
})

var _ = It("four writes refresh a connection, none keep it: as the API server counts them", func(ctx context.Context) {
	clock := &harness.Clock{}
	manager := plane.StartManagerWith(func(o *app.ManagerOptions) { forConnections(o); o.Clock = clock.Now })
	to := startApplication()
	crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
	mine := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: crm.Namespace, Name: "mine"}}
	touch := func() { // has the manager look again, and writes nothing that concerns it
		harness.Patch(ctx, plane, mine, func(s *corev1.Secret) { s.Data["touched"] = []byte(fresh()) })
	}
	Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
	before := quietWrites(ctx, manager)
	touch()
	Expect(quietWrites(ctx, manager)-before).To(Equal(1), "the test's own")
	for range 3 {
		clock.Advance(45 * time.Minute)
		before, asked := quietWrites(ctx, manager), to.asked()
		touch()
		Eventually(to.asked).Should(Equal(asked + 1))
		// The status is the last of them.
		Eventually(func() bool {
			return readyReason(ctx, crm) == v1alpha1.ReasonConnected && crm.Status.ExpiresAt.After(clock.Now().Add(50*time.Minute))
		}).Should(BeTrue())
		Expect(quietWrites(ctx, manager)-before).To(Equal(1+4), "the test's own, the intent, the tokens, the output Secret and the status")
		Expect(to.asked()).To(Equal(asked + 1))
	}
	AddReportEntry("writes of a connection as the API server counts them", "refresh 4, steady state 0")
})

// work is what the manager does and has done, and the writes that the API server has served.
type work struct{ looks, busy, writes int }

var reconciles = regexp.MustCompile(`(?m)^controller_runtime_(reconcile_total|active_workers)\{[^}]*\} (\S+)$`)

// quietWrites waits until the manager has nothing to do any more, and counts what was written until then. It has nothing to do where it
// is at nothing, and has looked at nothing and written nothing since the count before.
func quietWrites(ctx context.Context, manager *harness.Role) int {
	GinkgoHelper()
	var before, now work
	Eventually(func() bool {
		before, now = now, work{writes: writesServed(ctx)}
		for _, match := range reconciles.FindAllStringSubmatch(manager.Metrics(), -1) {
			count, err := strconv.ParseFloat(match[2], 64)
			Expect(err).NotTo(HaveOccurred())
			if match[1] == "active_workers" {
				now.busy += int(count)
			} else {
				now.looks += int(count)
			}
		}
		return now.looks > 0 && now.busy == 0 && now == before
	}).WithPolling(2*time.Second).Should(BeTrue(), "there are no writes in the steady state")
	return now.writes
}

var (
	served = regexp.MustCompile(`^apiserver_request_total\{(.*)\} (\S+)$`)
	ours   = regexp.MustCompile(`resource="(secrets|clientcredentials|protectedresources|accountconnectors|connectors)"`)
	asking = regexp.MustCompile(`verb="(GET|LIST|WATCH)"`)
)

// writesServed gives how many writes of Secrets, credentials, resources and connections the API server has served, refused ones included.
func writesServed(ctx context.Context) int {
	GinkgoHelper()
	clients, err := kubernetes.NewForConfig(plane.Admin())
	Expect(err).NotTo(HaveOccurred())
	text, err := clients.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	Expect(err).NotTo(HaveOccurred())
	total, lines := 0, bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text))
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "apiserver_request_total{") {
			continue
		}
		match := served.FindStringSubmatch(lines.Text())
		Expect(match).To(HaveLen(3))
		if !ours.MatchString(match[1]) || asking.MatchString(match[1]) {
			continue
		}
		count, err := strconv.ParseFloat(match[2], 64)
		Expect(err).NotTo(HaveOccurred())
		total += int(count)
	}
	Expect(total).To(BeNumerically(">", 0), "the API server counts")
	return total
}
