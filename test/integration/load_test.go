// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// traffic is workloads that read their Secrets now and then and take tokens all the time, each at one replica and then at another.
type traffic struct {
	replicas []*harness.TokenService
	keys     []client.ObjectKey

	held  sync.Map // client.ObjectKey -> harness.Credentials, as they were last read
	taken atomic.Int64
	// failed is what the endpoint said.
	failed sync.Map
}

// during runs the load while something is done, and expects that not one request fails.
func (l *traffic) during(ctx context.Context, do func()) {
	GinkgoHelper()
	const workers = 8
	loading, stop := context.WithCancel(ctx)
	defer stop()
	var running sync.WaitGroup
	for worker := range workers {
		running.Go(func() {
			defer GinkgoRecover()
			for n := worker; loading.Err() == nil; n += workers {
				l.take(ctx, n)
			}
		})
	}
	do()
	stop()
	running.Wait()
	var refusals []any
	l.failed.Range(func(refusal, _ any) bool { refusals = append(refusals, refusal); return true })
	Expect(refusals).To(BeEmpty())
}

// take takes the n-th token. Every credential is used at every replica, round by round, and read anew every third round.
func (l *traffic) take(ctx context.Context, n int) {
	GinkgoHelper()
	key, round := l.keys[n%len(l.keys)], n/len(l.keys)
	held, ok := l.held.Load(key)
	if !ok || round%3 == 0 {
		secret := &corev1.Secret{}
		Expect(plane.API.Get(ctx, key, secret)).To(Succeed())
		held = harness.Credentials{ID: string(secret.Data["client_id"]), Secret: string(secret.Data["client_secret"])}
		l.held.Store(key, held)
	}
	credentials := held.(harness.Credentials)
	answer, refusal := l.replicas[(n+round)%len(l.replicas)].PostToken(credentials.Form())
	l.taken.Add(1)
	if answer.Status != http.StatusOK {
		l.failed.Store(fmt.Sprintf("%s: %d %s", credentials.ID, answer.Status, refusal.Error), true)
	}
}

// prepareLoad makes so many credentials that every replica knows.
func prepareLoad(ctx context.Context, count int) (*traffic, []*v1alpha1.ClientCredential) {
	GinkgoHelper()
	l := &traffic{replicas: []*harness.TokenService{plane.StartTokenService(), plane.StartTokenService()}}
	name := fresh()
	plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
	all := make([]*v1alpha1.ClientCredential, count)
	for i := range all {
		all[i] = builder.ClientCredential(name, fmt.Sprintf("c%d", i), builder.ForAccount(name))
		l.keys = append(l.keys, client.ObjectKeyFromObject(all[i]))
		plane.Create(ctx, all[i])
	}
	for _, one := range all {
		plane.ExpectReason(ctx, one, v1alpha1.ReasonIssued)
		for _, replica := range l.replicas {
			Eventually(replica.Accepts).WithArguments(plane.Credentials(ctx, one)).Should(BeTrue())
		}
	}
	return l, all
}

func rotateAll(ctx context.Context, all []*v1alpha1.ClientCredential, trigger string) {
	GinkgoHelper()
	for _, one := range all {
		harness.Patch(ctx, plane, one, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation = &v1alpha1.Rotation{Trigger: trigger} })
	}
}

func expectSettled(ctx context.Context, all []*v1alpha1.ClientCredential) {
	GinkgoHelper()
	for _, one := range all {
		Eventually(settled).WithArguments(ctx, one).Should(BeTrue())
	}
}

var _ = It("no token request fails while a hundred credentials are rotated under load", func(ctx context.Context) {
	const credentials, rotations = 100, 2
	plane.StartManager(nil)
	load, all := prepareLoad(ctx, credentials)
	load.during(ctx, func() {
		for rotation := range rotations {
			rotateAll(ctx, all, fmt.Sprintf("rotation %d", rotation))
			expectSettled(ctx, all)
		}
	})
	Expect(load.taken.Load()).To(BeNumerically(">", credentials*rotations), "there was load")
	AddReportEntry("rotation under load", fmt.Sprintf("%d token requests during %d rotations: none failed", load.taken.Load(), credentials*rotations))
})

var _ = It("no token request fails while managers die during rotations", func(ctx context.Context) {
	const credentials, deaths = 20, 5
	manager := plane.StartManager(nil)
	load, all := prepareLoad(ctx, credentials)
	load.during(ctx, func() {
		for death := range deaths {
			rotateAll(ctx, all, fmt.Sprintf("rotation %d", death))
			time.Sleep(time.Duration(death) * 600 * time.Millisecond) // somewhere in the middle, each time elsewhere
			Expect(manager.Stop()).To(Succeed())
			manager = plane.StartManager(nil)
			expectSettled(ctx, all)
		}
	})
	Expect(load.taken.Load()).To(BeNumerically(">", credentials*deaths), "there was load")
	AddReportEntry("deaths under load", fmt.Sprintf("%d token requests during %d rotations and %d deaths: none failed",
		load.taken.Load(), credentials*deaths, deaths))
})
