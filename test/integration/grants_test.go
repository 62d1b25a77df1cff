// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/test/harness"
)

// strictProvider replaces a refresh token with each use, and ends the grant where one is used again.
type strictProvider struct {
	mutex sync.Mutex
	live  int
	ended bool
	uses  int
}

func (p *strictProvider) refresh(_ context.Context, record connector.Record) connector.Answer {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.uses++
	if p.ended || record.RefreshToken.Reveal() != p.token() {
		p.ended = true
		return connector.Answer{Outcome: connector.GrantRefused, Code: oauth.CodeInvalidGrant}
	}
	p.live++
	return connector.Answer{Outcome: connector.Granted, Tokens: connector.Tokens{
		Access: oauth.NewSecret(fmt.Sprintf("access-token-of-a-test-%d", p.live)), Refresh: oauth.NewSecret(p.token()), Type: "Bearer", Lifetime: time.Hour,
	}}
}

func (p *strictProvider) token() string { return fmt.Sprintf("refresh-token-of-a-test-%d", p.live) }

// grants gives a store of its own connections to the API server, through something where wrap is set.
func grants(namespace string, wrap func(http.RoundTripper) http.RoundTripper) kube.Grants {
	GinkgoHelper()
	access := rest.CopyConfig(plane.Admin())
	if wrap != nil {
		access.Wrap(wrap)
	}
	api, err := client.New(access, client.Options{Scheme: plane.API.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return kube.Grants{Client: api, Live: api, Namespace: namespace}
}

var attempts atomic.Int64

func keeperOf(store connector.Store, self string) *connector.Keeper {
	return &connector.Keeper{Store: store, Self: self, Now: time.Now, NewAttempt: func() string { return fmt.Sprintf("attempt-%d", attempts.Add(1)) }}
}

// due makes a grant whose access token has expired.
func due(ctx context.Context, store kube.Grants, provider *strictProvider) connector.Grant {
	GinkgoHelper()
	grant := connector.Grant{
		Name: fresh(), Behaviour: connector.Behaviour{Rotation: v1alpha1.RotationStrict}, Client: "client", Configuration: "configuration",
		Refresh: provider.refresh,
	}
	Expect(store.Create(ctx, grant.Name, "acme/crm", "hubspot")).To(Succeed())
	DeferCleanup(store.Delete, grant.Name, connector.Version(""))
	record, version, err := store.Read(ctx, grant.Name)
	Expect(err).NotTo(HaveOccurred())
	expired := connector.Tokens{Access: oauth.NewSecret("access-token-of-a-test-0"), Refresh: oauth.NewSecret(provider.token()), Lifetime: time.Minute}
	_, err = store.Write(ctx, grant.Name, record.Authorize(connector.SignIn{Tokens: expired, Client: "client", At: time.Now().Add(-time.Hour)}, grant.Behaviour), version)
	Expect(err).NotTo(HaveOccurred())
	return grant
}

var _ = Describe("the record of a connection", func() {
	It("is written by one of two replicas, and the refresh token presented once", func(ctx context.Context) {
		namespace := fresh()
		plane.Namespace(ctx, namespace, nil)
		first, second := grants(namespace, nil), grants(namespace, nil)
		for range 50 {
			provider := &strictProvider{}
			grant := due(ctx, first, provider)
			var replicas sync.WaitGroup
			for i, store := range []kube.Grants{first, second} {
				replicas.Go(func() {
					defer GinkgoRecover()
					_, err := keeperOf(store, fmt.Sprintf("replica-%d", i)).Keep(ctx, grant)
					Expect(err).NotTo(HaveOccurred())
				})
			}
			replicas.Wait()
			Expect(provider.uses).To(Equal(1))
			record, _, err := first.Read(ctx, grant.Name)
			Expect(err).NotTo(HaveOccurred())
			Expect(record.RefreshToken.Reveal() == provider.token()).To(BeTrue(), "it has the new refresh token")
		}
	})

	DescribeTable("outlives the process that refreshes it", func(ctx context.Context, dying *death, uses int) {
		namespace := fresh()
		plane.Namespace(ctx, namespace, nil)
		store, provider := grants(namespace, nil), &strictProvider{}
		grant := due(ctx, store, provider)
		dying.name = namespace
		_, err := keeperOf(grants(namespace, dying.wrap), "replica-0").Keep(ctx, grant)
		Expect(errors.Is(err, errDead)).To(BeTrue(), "%v", err)
		Eventually(func() int64 {
			_, err := keeperOf(store, "replica-0").Keep(ctx, grant) // the same replica, after a restart
			Expect(err).NotTo(HaveOccurred())
			record, _, err := store.Read(ctx, grant.Name)
			Expect(err).NotTo(HaveOccurred())
			return record.Generation
		}).Should(BeEquivalentTo(2))
		Expect(provider.uses).To(Equal(uses))
		Expect(provider.ended).To(BeFalse())
	},
		Entry("and dies before it has said so", &death{atWrite: 1, before: true}, 1),
		Entry("and dies when it has said so", &death{atWrite: 1}, 1),
		Entry("and dies when it has written the new tokens down", &death{atWrite: 2}, 1),
	)

	It("is changed by what keeps it alone, and says whose it is", func(ctx context.Context) {
		namespace := fresh()
		plane.Namespace(ctx, namespace, nil)
		store, provider := grants(namespace, nil), &strictProvider{}
		grant := due(ctx, store, provider)
		secret := &corev1.Secret{}
		Expect(plane.API.Get(ctx, store.Key(grant.Name), secret)).To(Succeed())
		Expect(secret.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationConnection, "acme/crm"))
		Expect(secret.Labels).To(HaveKeyWithValue(v1alpha1.LabelSecret, v1alpha1.PurposeConnection))
		harness.Patch(ctx, plane, secret, func(s *corev1.Secret) { s.Data["client_id"] = []byte("mine") })
		_, err := keeperOf(store, "replica-0").Keep(ctx, grant)
		Expect(err).NotTo(HaveOccurred())
		Expect(plane.API.Get(ctx, store.Key(grant.Name), secret)).To(Succeed())
		Expect(content(secret.Data).has("client_id", "mine")).To(BeTrue(), "what else is in it stays")
		Expect(store.Create(ctx, grant.Name, "acme/crm", "hubspot")).To(Succeed(), "there is one already")
		record, _, err := store.Read(ctx, grant.Name)
		Expect(err).NotTo(HaveOccurred())
		Expect(record.Generation).To(BeEquivalentTo(2), "and it is left as it is")

		_, version, err := store.Read(ctx, grant.Name)
		Expect(err).NotTo(HaveOccurred())
		Expect(store.Delete(ctx, grant.Name, "1")).To(MatchError(connector.ErrConflict), "it is not what was read")
		Expect(store.Delete(ctx, grant.Name, version)).To(Succeed())
		Expect(store.Delete(ctx, grant.Name, version)).To(Succeed())
		_, _, err = store.Read(ctx, grant.Name)
		Expect(err).To(MatchError(connector.ErrGone))
		_, err = store.Write(ctx, grant.Name, record, "1")
		Expect(err).To(MatchError(connector.ErrGone))
	})

	It("is left alone where it is damaged", func(ctx context.Context) {
		namespace := fresh()
		plane.Namespace(ctx, namespace, nil)
		store, provider := grants(namespace, nil), &strictProvider{}
		grant := due(ctx, store, provider)
		secret := &corev1.Secret{}
		Expect(plane.API.Get(ctx, store.Key(grant.Name), secret)).To(Succeed())
		harness.Patch(ctx, plane, secret, func(s *corev1.Secret) { s.Data["record"] = []byte("damaged-by-somebody") })
		_, err := keeperOf(store, "replica-0").Keep(ctx, grant)
		Expect(err).To(MatchError(ContainSubstring("damaged: it is left alone")))
		Expect(provider.uses).To(BeZero())
		Expect(plane.API.Get(ctx, store.Key(grant.Name), secret)).To(Succeed())
		Expect(content(secret.Data).has("record", "damaged-by-somebody")).To(BeTrue())
	})
})
