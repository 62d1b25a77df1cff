// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/test/harness"
)

// toldOfCopy reports whether a log says of a record that it comes from a backup.
func toldOfCopy(name string) bool {
	return slices.ContainsFunc(strings.Split(plane.Ledger.Told(), "\n"), func(line string) bool {
		return strings.Contains(line, name) && strings.Contains(line, "it comes from a backup")
	})
}

var _ = Describe("what is left over of connections", func() {
	It("is a grant whose object went without its finalizer: it is revoked, and no other", func(ctx context.Context) {
		manager := plane.StartManagerWith(forConnections)
		to := startApplication()
		crm := connected(ctx, to, fmt.Sprintf(`{"RefreshToken":%q}`, to.refreshToken()))
		stays := connected(ctx, startApplication(), `{}`)
		Eventually(readyReason).WithArguments(ctx, crm).Should(Equal(v1alpha1.ReasonConnected))
		Eventually(readyReason).WithArguments(ctx, stays).Should(Equal(v1alpha1.ReasonSignInRequired))
		Expect(manager.Stop()).To(Succeed())

		record := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: config.ConnectionsNamespace, Name: "connection-" + string(crm.UID)}}
		theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: config.ConnectionsNamespace, Name: "connection-" + string(stays.UID)}}
		Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(record), record)).To(Succeed())
		Expect(record.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationConnector, crm.Spec.ConnectorRef.Name))
		waitForNextSecond() // a copy is younger than the tokens in it
		restored := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: record.Namespace, Name: "connection-" + fresh(), Labels: record.Labels,
				Annotations: map[string]string{v1alpha1.AnnotationConnection: "elsewhere/crm"},
			},
			Data: record.Data,
		}
		plane.Create(ctx, restored)
		harness.Patch(ctx, plane, crm, func(c *v1alpha1.AccountConnector) { c.Finalizers = nil })
		Expect(plane.API.Delete(ctx, crm)).To(Succeed())
		again := &v1alpha1.AccountConnector{ObjectMeta: metav1.ObjectMeta{Namespace: crm.Namespace, Name: crm.Name}, Spec: crm.Spec}
		again.Spec.AuthValueFrom = nil
		plane.Create(ctx, again) // of the same name, and another connection

		plane.StartManagerWith(forConnections)
		Eventually(gone).WithArguments(ctx, record).Should(BeTrue())
		Expect(to.hasRevoked()).To(BeTrue(), "the refresh token, once")
		Eventually(readyReason).WithArguments(ctx, again).Should(Equal(v1alpha1.ReasonSignInRequired))
		Eventually(func() bool { return toldOfCopy(restored.Name) }).Should(BeTrue(), "it has looked at the copy, and says why it leaves it")
		Expect(gone(ctx, restored)).To(BeFalse())
		Expect(gone(ctx, theirs)).To(BeFalse())
	})

	It("are sign-ins that are over, in the connections namespace alone", func(ctx context.Context) {
		plane.StartManager(nil)
		name := fresh()
		plane.Namespace(ctx, name, nil)
		signIn := func(namespace, suffix string, expires time.Duration) *corev1.Secret {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: name + suffix, Labels: map[string]string{v1alpha1.LabelSecret: v1alpha1.PurposeSignIn},
			}}
			if expires != 0 {
				secret.Annotations = map[string]string{v1alpha1.AnnotationExpiresAt: time.Now().Add(expires).UTC().Format(time.RFC3339)}
			}
			plane.Create(ctx, secret)
			return secret
		}
		foreign, lasting := signIn(name, "-foreign", -time.Minute), signIn(config.ConnectionsNamespace, "-lasting", time.Hour)
		timeless, over := signIn(config.ConnectionsNamespace, "-timeless", 0), signIn(config.ConnectionsNamespace, "-over", -time.Minute)
		soon := signIn(config.ConnectionsNamespace, "-soon", 2*time.Second)
		Eventually(gone).WithArguments(ctx, over).Should(BeTrue())
		Eventually(gone).WithArguments(ctx, soon).Should(BeTrue(), "and one when its time comes")
		for _, stays := range []*corev1.Secret{foreign, lasting, timeless} {
			Expect(gone(ctx, stays)).To(BeFalse(), stays.Name)
		}
	})
})
