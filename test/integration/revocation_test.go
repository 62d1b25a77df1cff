// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/sandbox"
	"github.com/claviger/claviger/internal/token"
	"github.com/claviger/claviger/test/harness"
)

// revokedToken makes one by hand, of any token of that ID.
func revokedToken(namespace, tokenID string, expires time.Time) *v1alpha1.RevokedToken {
	return &v1alpha1.RevokedToken{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fresh()},
		Spec:       v1alpha1.RevokedTokenSpec{TokenID: tokenID, ExpiresAt: metav1.NewTime(expires)},
	}
}

// tokenID reads the jti of a token.
func tokenID(token string) string {
	GinkgoHelper()
	var claims jwt.RegisteredClaims
	_, _, err := jwt.NewParser().ParseUnverified(token, &claims)
	Expect(err).NotTo(HaveOccurred())
	return claims.ID
}

func gone(ctx context.Context, object client.Object) bool {
	return apierrors.IsNotFound(plane.API.Get(ctx, client.ObjectKeyFromObject(object), object.DeepCopyObject().(client.Object)))
}

var _ = Describe("a RevokedToken", func() {
	It("goes a minute after its token has expired, and no sooner", func(ctx context.Context) {
		clock := &harness.Clock{}
		plane.StartManagerWith(func(o *app.ManagerOptions) { o.Clock = clock.Now })
		object := revokedToken(config.Namespace, fresh(), time.Now().Add(30*time.Minute))
		plane.Create(ctx, object)
		look := func(value string) {
			harness.Patch(ctx, plane, object, func(r *v1alpha1.RevokedToken) { r.Annotations = map[string]string{"example.com/look": value} })
		}
		clock.Advance(30*time.Minute + 50*time.Second)
		look("too early: a token service whose clock is behind may still take the token for a good one")
		Consistently(gone).WithArguments(ctx, object).WithTimeout(time.Second).Should(BeFalse())
		clock.Advance(20 * time.Second)
		look("in time")
		Eventually(gone).WithArguments(ctx, object).Should(BeTrue())
	})

	It("goes by itself when its time has come, also while the manager was away", func(ctx context.Context) {
		before := revokedToken(config.Namespace, fresh(), time.Now().Add(-time.Hour))
		plane.Create(ctx, before)
		plane.StartManager(nil)
		Eventually(gone).WithArguments(ctx, before).Should(BeTrue())
		soon := revokedToken(config.Namespace, fresh(), time.Now().Add(3*time.Second-time.Minute))
		plane.Create(ctx, soon)
		Expect(gone(ctx, soon)).To(BeFalse())
		Eventually(gone).WithArguments(ctx, soon).Should(BeTrue(), "nobody has touched it")
	})

	It("has no effect in another namespace than the operator's, and is left alone there", func(ctx context.Context) {
		plane.StartManager(nil)
		tokens := plane.StartTokenService()
		orders, credentials := readyOrders(ctx, tokens)
		token := tokens.TakeToken(credentials)
		verdict := func() int { return tokens.Verify(token, "scope=Webhook&account="+orders.Namespace).Status }

		elsewhere := revokedToken(orders.Namespace, tokenID(token), time.Now().Add(-time.Hour))
		here := revokedToken(config.Namespace, tokenID(token), time.Now().Add(time.Hour))
		expired := revokedToken(config.Namespace, fresh(), time.Now().Add(-time.Hour))
		plane.Create(ctx, elsewhere)
		Expect(verdict()).To(Equal(http.StatusOK))
		plane.Create(ctx, expired)
		Eventually(gone).WithArguments(ctx, expired).Should(BeTrue())
		Expect(gone(ctx, elsewhere)).To(BeFalse(), "the manager, which has come by since, is not concerned")
		Expect(verdict()).To(Equal(http.StatusOK))

		plane.Create(ctx, here)
		harness.ExpectPromptly(verdict, http.StatusUnauthorized)
		Expect(plane.API.Delete(ctx, here)).To(Succeed())
		harness.ExpectPromptly(verdict, http.StatusOK)
	})

	It("cannot be changed: another token would go on living", func(ctx context.Context) {
		object := revokedToken(config.Namespace, "one", time.Now().Add(time.Hour))
		plane.Create(ctx, object)
		object.Spec.TokenID = "another"
		Expect(apierrors.IsInvalid(plane.API.Update(ctx, object))).To(BeTrue())
		Expect(plane.API.Delete(ctx, object)).To(Succeed())
	})
})

var _ = Describe("a replica that revokes a token", func() {
	// replica has a directory that follows nothing: what it knows is what it has written itself.
	replica := func() *kube.Revoker {
		api, err := client.New(plane.Identity(sandbox.TokenServiceServiceAccount), client.Options{Scheme: plane.API.Scheme()})
		Expect(err).NotTo(HaveOccurred())
		return &kube.Revoker{Client: api, Namespace: config.Namespace, Directory: &kube.Directory{}}
	}
	var claims token.Claims
	BeforeEach(func() {
		claims = token.Claims{ID: fresh(), ClientID: "acme.orders", ExpiresAt: time.Now().Add(time.Hour)}
	})

	It("refuses it before any watch tells it to, also where another was first", func(ctx context.Context) {
		for _, one := range []*kube.Revoker{replica(), replica()} {
			Expect(one.Revoke(ctx, claims)).To(Succeed())
			Expect(one.Directory.Revoked(claims.ID)).To(BeTrue())
		}
		Expect(plane.API.Delete(ctx, kube.NewRevokedToken(config.Namespace, claims))).To(Succeed())
	})

	It("does not take another token's RevokedToken for its own", func(ctx context.Context) {
		object := kube.NewRevokedToken(config.Namespace, claims)
		object.Spec.TokenID = "another"
		plane.Create(ctx, object)
		one := replica()
		Expect(one.Revoke(ctx, claims)).To(MatchError(ContainSubstring("it names another token")))
		Expect(one.Directory.Revoked(claims.ID)).To(BeFalse(), "it lives at the other replicas")
		Expect(plane.API.Delete(ctx, object)).To(Succeed())
	})
})

var _ = Describe("revocation while the API server is away", func() {
	AfterEach(func(ctx context.Context) { Expect(plane.StartAPIServer(context.WithoutCancel(ctx))).To(Succeed()) })

	It("is not reported, the token lives, and it succeeds later, for replicas to come too", func(ctx context.Context) {
		plane.StartManager(nil)
		first, second := plane.StartTokenService(), plane.StartTokenService()
		orders, credentials := readyOrders(ctx, first)
		Eventually(second.Accepts).WithArguments(credentials).Should(BeTrue())
		token := first.TakeToken(credentials)
		verdict := func(replica *harness.TokenService) int {
			return replica.Verify(token, "scope=Webhook&account="+orders.Namespace).Status
		}

		plane.StopAPIServer()
		answer := first.Revoke(credentials, token)
		Expect(answer.Status).To(Equal(http.StatusServiceUnavailable), answer.Body)
		Expect(answer.Header.Get("Retry-After")).NotTo(BeEmpty(), "RFC 7009 section 2.2.1")
		Expect(answer.Body).To(ContainSubstring(`"error":"server_error"`))
		Expect(verdict(first)).To(Equal(http.StatusOK), "the client was told so")
		Expect(verdict(second)).To(Equal(http.StatusOK))
		Expect(first.Revoke(credentials, "nonsense").Status).To(Equal(http.StatusOK), "there is nothing to write")

		Expect(plane.StartAPIServer(ctx)).To(Succeed())
		Eventually(func() int { return first.Revoke(credentials, token).Status }).Should(Equal(http.StatusOK))
		Expect(verdict(first)).To(Equal(http.StatusUnauthorized))
		Eventually(verdict).WithArguments(second).Should(Equal(http.StatusUnauthorized), "once it has found back to the API server")
		third := plane.LaunchTokenService()
		Consistently(func() int { return verdict(third) }).WithPolling(time.Millisecond).WithTimeout(2*time.Second).
			ShouldNot(Equal(http.StatusOK), "before it knows of the revocation it admits nobody")
		Eventually(third.Ready).Should(BeTrue())
		Expect(verdict(third)).To(Equal(http.StatusUnauthorized))
	})
})

var _ = It("spec.revokeTokensBefore kills older tokens only, and not the secret", func(ctx context.Context) {
	clock := &harness.Clock{}
	plane.StartManager(nil)
	tokens := plane.StartTokenServiceWith(func(o *app.TokenServiceOptions) { o.Clock = clock.Now })
	orders, credentials := readyOrders(ctx, tokens)
	verdict := func(token string) int { return tokens.Verify(token, "scope=Webhook&account="+orders.Namespace).Status }
	dies := func(token string) {
		GinkgoHelper()
		harness.ExpectPromptly(func() int { return verdict(token) }, http.StatusUnauthorized)
	}

	older := tokens.TakeToken(credentials)
	harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) {
		c.Spec.RevokeTokensBefore = &metav1.Time{Time: clock.Now().Add(10 * time.Second)}
	})
	dies(older)
	early := tokens.TakeToken(credentials)
	Expect(verdict(early)).To(Equal(http.StatusUnauthorized), "until that time has come, new tokens are older than it too")

	clock.Advance(11 * time.Second)
	Expect(verdict(tokens.TakeToken(credentials))).To(Equal(http.StatusOK))
	Expect(verdict(older)).To(Equal(http.StatusUnauthorized))

	harness.Patch(ctx, plane, orders, func(c *v1alpha1.ClientCredential) { c.Spec.RevokeTokensBefore = nil })
	harness.ExpectPromptly(func() int { return verdict(older) }, http.StatusOK)
	Expect(verdict(early)).To(Equal(http.StatusOK))
})
