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

// Workloads that read their Secret now and then take tokens all the time, at one replica and the other, while every credential is
// rotated twice. Not one request may fail.
var _ = It("no token request fails while a hundred credentials are rotated under load", func(ctx context.Context) {
	const credentials, workers, rotations = 100, 8, 2
	plane.StartManager(nil)
	replicas := []*harness.TokenService{plane.StartTokenService(), plane.StartTokenService()}
	name := fresh()
	plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
	all, keys := make([]*v1alpha1.ClientCredential, credentials), make([]client.ObjectKey, credentials)
	for i := range all {
		all[i] = builder.ClientCredential(name, fmt.Sprintf("c%d", i), builder.ForAccount(name))
		keys[i] = client.ObjectKeyFromObject(all[i])
		plane.Create(ctx, all[i])
	}
	for _, one := range all {
		plane.ExpectReason(ctx, one, v1alpha1.ReasonIssued)
	}
	for _, replica := range replicas {
		Eventually(replica.Accepts).WithArguments(plane.Credentials(ctx, all[credentials-1])).Should(BeTrue())
	}

	mounts := &mounts{}
	var taken atomic.Int64
	var failed sync.Map // what the endpoint said -> true
	loading, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	for worker := range workers {
		running.Go(func() {
			defer GinkgoRecover()
			for n := worker; loading.Err() == nil; n += workers {
				held := mounts.read(ctx, keys[n%credentials], n/credentials%3 == 0)
				answer, refusal := replicas[n%2].PostToken(held.Form())
				taken.Add(1)
				if answer.Status != http.StatusOK {
					failed.Store(fmt.Sprintf("%s: %d %s", held.ID, answer.Status, refusal.Error), true)
				}
			}
		})
	}
	for rotation := range rotations {
		trigger := fmt.Sprintf("rotation %d", rotation)
		for _, one := range all {
			harness.Patch(ctx, plane, one, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation = &v1alpha1.Rotation{Trigger: trigger} })
		}
		for _, one := range all {
			Eventually(settled).WithArguments(ctx, one).Should(BeTrue())
		}
	}
	stop()
	running.Wait()
	var refusals []any
	failed.Range(func(refusal, _ any) bool { refusals = append(refusals, refusal); return true })
	Expect(refusals).To(BeEmpty())
	Expect(taken.Load()).To(BeNumerically(">", credentials*rotations), "there was load")
	AddReportEntry("rotation under load", fmt.Sprintf("%d token requests during %d rotations: none failed", taken.Load(), credentials*rotations))
})

// mounts is what workloads hold: what their Secret held when they last read it.
type mounts struct{ held sync.Map }

// read gives what a workload holds, after reading its Secret anew where told.
func (m *mounts) read(ctx context.Context, key client.ObjectKey, anew bool) harness.Credentials {
	GinkgoHelper()
	if held, ok := m.held.Load(key); ok && !anew {
		return held.(harness.Credentials)
	}
	secret := &corev1.Secret{}
	Expect(plane.API.Get(ctx, key, secret)).To(Succeed())
	held := harness.Credentials{ID: string(secret.Data["client_id"]), Secret: string(secret.Data["client_secret"])}
	m.held.Store(key, held)
	return held
}

// The same with the manager killed in between, again and again.
var _ = It("no token request fails while managers die during rotations", func(ctx context.Context) {
	manager := plane.StartManager(nil)
	tokens := plane.StartTokenService()
	orders, before := readyOrders(ctx, tokens)
	given := []harness.Credentials{before}
	for rotation := range 6 {
		trigger := fmt.Sprintf("rotation %d", rotation)
		harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.Rotation = &v1alpha1.Rotation{Trigger: trigger} })
		time.Sleep(time.Duration(rotation) * 500 * time.Millisecond) // somewhere in the middle, each time elsewhere
		Expect(manager.Stop()).To(Succeed())
		manager = plane.StartManager(nil)
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
		given = append(given, plane.ExpectReady(ctx, orders))
		for _, credentials := range given {
			Expect(tokens.Accepts(credentials)).To(BeTrue())
		}
	}
	Expect(given[len(given)-1]).NotTo(Equal(before))
})
