// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/harness"
)

// mounts is a workload whose trust is what its Secret held a while ago. It opens a connection for every request.
type mounts struct {
	tokens *harness.TokenService
	clock  *harness.Clock
	holder harness.Credentials
	bundle atomic.Pointer[[]byte]

	rounds   atomic.Int64
	mutex    sync.Mutex
	serials  sets.Set[string]
	failures []string
}

// run takes tokens until it is stopped.
func (m *mounts) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	clients.Go(func() {
		defer GinkgoRecover()
		for ctx.Err() == nil {
			m.round()
			m.rounds.Add(1)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); clients.Wait() })
	DeferCleanup(stop)
	return stop
}

func (m *mounts) round() {
	calling := harness.Trusting(*m.bundle.Load(), m.clock.Now)
	defer calling.CloseIdleConnections()
	form := strings.NewReader(m.holder.Form().Encode())
	response, err := calling.Post(m.tokens.URL+"/oauth/token", "application/x-www-form-urlencoded", form)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err != nil {
		m.failures = append(m.failures, err.Error())
		return
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		m.failures = append(m.failures, response.Status)
	}
	m.serials.Insert(response.TLS.PeerCertificates[0].SerialNumber.String())
}

var _ = It("authority and certificates change over two years, and no request fails", func(ctx context.Context) {
	const step, steps = 20 * 24 * time.Hour, 40
	newCertificates(ctx)
	DeferCleanup(newCertificates)
	newSigningKeys(ctx) // for a manager whose clock is years ahead
	clock := &harness.Clock{}
	manager := plane.StartManagerWith(func(o *app.ManagerOptions) {
		forTLS(o)
		o.Clock = clock.Now
	})
	tokens := plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) {
		harness.WithTLS(o)
		o.Clock = clock.Now
	})
	clock.Advance(9*365*24*time.Hour - 4*step) // the authority ends in little more than a year
	look := 0
	lookAgain := func() {
		GinkgoHelper()
		look++
		harness.Patch(ctx, plane, authoritySecret(ctx), func(s *corev1.Secret) {
			s.Annotations = map[string]string{"look": fmt.Sprint(look)}
		})
		Eventually(func() time.Time { return leafIn(expectServing(ctx)).NotAfter }).WithPolling(5 * time.Millisecond).
			Should(BeTemporally(">", clock.Now().Add(30*24*time.Hour)))
	}
	lookAgain()
	orders, credentials := readyOrders(ctx, tokens)
	secret := func() []byte { return plane.Secret(ctx, orders).Data["client_secret"] }
	before := secret()
	load := &mounts{tokens: tokens, clock: clock, holder: credentials, serials: sets.New[string]()}
	first := plane.Secret(ctx, orders).Data["ca.crt"]
	load.bundle.Store(&first)
	stop := load.run()
	authorities := sets.New(string(first))
	for range steps {
		// The workload has what its Secret held before the clock moved: twenty days ago.
		mounted := plane.Secret(ctx, orders).Data["ca.crt"]
		load.bundle.Store(&mounted)
		authorities.Insert(string(mounted))
		clock.Advance(step)
		lookAgain()
		// Twenty days are long for a manager, and short for a test: its next step waits for what the manager has to do in this one.
		Eventually(func() string { return string(plane.Secret(ctx, orders).Data["ca.crt"]) }).WithPolling(5 * time.Millisecond).
			Should(Equal(string(expectServing(ctx).Data["ca.crt"])))
		rounds := load.rounds.Load()
		Eventually(load.rounds.Load).WithPolling(5*time.Millisecond).Should(BeNumerically(">", rounds+1), "the load goes on")
	}
	stop()
	Expect(load.failures).To(BeEmpty())
	Expect(authorities.Len()).To(BeNumerically(">=", 3), "one authority, two, and the other one")
	Expect(load.serials.Len()).To(BeNumerically(">", 10))
	Expect(secret()).To(Equal(before), "the client secret has nothing to do with it")
	Expect(manager.Metrics()).To(ContainSubstring(`claviger_certificates_issued_total{cause="Authority"}`))
	AddReportEntry("certificates", fmt.Sprintf("%d requests over %d certificates of %d bundles: %d failed",
		load.rounds.Load(), load.serials.Len(), authorities.Len(), len(load.failures)))
})

var _ = It("the manager dies at every write of certificates, and another goes on", func(ctx context.Context) {
	whole := &death{name: v1alpha1.AuthoritySecretName, other: v1alpha1.ServingSecretName}
	surviveFirst(ctx, whole)
	Expect(whole.made()).To(Equal(2), "the authority, and the certificate")
	for at := 1; at <= whole.made(); at++ {
		for _, before := range []bool{true, false} {
			By(fmt.Sprintf("at write %d of %d, before it arrives: %v", at, whole.made(), before))
			surviveFirst(ctx, &death{name: v1alpha1.AuthoritySecretName, other: v1alpha1.ServingSecretName, atWrite: at, before: before})
		}
	}
})

// surviveFirst makes the first certificates under a manager that dies as told, and lets another finish.
func surviveFirst(ctx context.Context, dying *death) {
	GinkgoHelper()
	newCertificates(ctx)
	first := plane.StartManagerThrough(dying.wrap, forTLS)
	Eventually(func() bool { return dying.died() || plane.ServingSecret(ctx) != nil }).Should(BeTrue())
	_ = first.Stop()
	second := plane.StartManagerWith(forTLS)
	made := expectServing(ctx)
	Eventually(func() []byte { return authoritySecret(ctx).Data["ca.crt"] }).Should(Equal(made.Data["ca.crt"]))
	Expect(second.Stop()).To(Succeed())
}
