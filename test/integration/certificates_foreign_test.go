// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"

	corev1 "k8s.io/api/core/v1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/harness"
)

// foreign makes the data of a Secret as cert-manager would: of a server, or of an authority.
func foreign(isAuthority bool) map[string][]byte {
	GinkgoHelper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "Example"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(365 * 24 * time.Hour), BasicConstraintsValid: true,
		IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if !isAuthority {
		template.DNSNames = []string{harness.TLSHost}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	Expect(err).NotTo(HaveOccurred())
	private, err := x509.MarshalPKCS8PrivateKey(key)
	Expect(err).NotTo(HaveOccurred())
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	return map[string][]byte{
		"tls.crt": certificate, "ca.crt": certificate, "tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}
}

func foreignSecret(name string, data map[string][]byte) *corev1.Secret {
	secret := operatorSecret(name)
	secret.Type, secret.Data = corev1.SecretTypeTLS, data
	secret.Annotations = map[string]string{"cert-manager.io/certificate-name": "example"}
	return secret
}

var _ = Describe("certificates of somebody else", func() {
	BeforeEach(newCertificates)
	AfterEach(newCertificates)

	It("are served, trusted, followed and left alone", func(ctx context.Context) {
		theirs := foreignSecret(v1alpha1.ServingSecretName, foreign(false))
		Expect(plane.API.Create(ctx, theirs)).To(Succeed())
		counted := &writes{}
		manager := plane.StartManagerThrough(counted.wrap, forTLS)
		tokens := plane.StartTokenServiceWith(harness.WithTLS)
		orders, _ := readyOrders(ctx, tokens)
		Expect(plane.Secret(ctx, orders).Data).To(HaveKeyWithValue("ca.crt", theirs.Data["ca.crt"]))
		Expect(presented(tokens, theirs.Data["ca.crt"])).To(Equal(leafIn(theirs).SerialNumber.String()))
		Eventually(toldOf).WithArguments(ctx, theirs).Should(ContainElement(ContainSubstring("ForeignCertificate: ")))
		Expect(manager.Metrics()).To(ContainSubstring(`claviger_certificate_expiry_timestamp_seconds{secret="claviger-token-service-tls"}`))

		By("renewed by whoever made it")
		harness.Patch(ctx, plane, theirs, func(s *corev1.Secret) { s.Data = foreign(false) })
		Eventually(func() []byte { return plane.Secret(ctx, orders).Data["ca.crt"] }).Should(Equal(theirs.Data["ca.crt"]))
		Eventually(presented).WithArguments(tokens, theirs.Data["ca.crt"]).Should(Equal(leafIn(theirs).SerialNumber.String()))

		By("damaged")
		trusted := theirs.Data["ca.crt"]
		before := presented(tokens, trusted)
		harness.Patch(ctx, plane, theirs, func(s *corev1.Secret) { s.Data["tls.key"] = []byte("damaged") })
		Eventually(toldOf).WithArguments(ctx, theirs).Should(ContainElement(ContainSubstring("KeyMaterialDamaged: ")))
		Expect(presented(tokens, trusted)).To(Equal(before))
		Expect(plane.Secret(ctx, orders).Data["ca.crt"]).To(Equal(trusted), "workloads go on trusting")
		Expect(counted.concerning(v1alpha1.ServingSecretName)).To(BeZero())
	})

	It("take the place of ours, and ours theirs once they are gone", func(ctx context.Context) {
		plane.StartManagerWith(forTLS)
		tokens := plane.StartTokenServiceWith(harness.WithTLS)
		ours := expectServing(ctx)
		theirs := foreign(false)
		harness.Patch(ctx, plane, ours, func(s *corev1.Secret) { s.Data = theirs }) // our label stays
		Eventually(presented).WithArguments(tokens, theirs["ca.crt"]).Should(Equal(leafIn(ours).SerialNumber.String()))
		Consistently(func() map[string][]byte { return expectServing(ctx).Data }).WithTimeout(500 * time.Millisecond).Should(Equal(theirs))
		Expect(plane.API.Delete(ctx, ours)).To(Succeed())
		made := expectServing(ctx)
		Eventually(presented).WithArguments(tokens, made.Data["ca.crt"]).Should(Equal(leafIn(made).SerialNumber.String()))
	})

	It("are signed by an authority that a human brought, which is left alone", func(ctx context.Context) {
		theirs := foreignSecret(v1alpha1.AuthoritySecretName, foreign(true))
		Expect(plane.API.Create(ctx, theirs)).To(Succeed())
		counted := &writes{}
		plane.StartManagerThrough(counted.wrap, forTLS)
		tokens := plane.StartTokenServiceWith(harness.WithTLS)
		Expect(expectServing(ctx).Data["ca.crt"]).To(Equal(theirs.Data["ca.crt"]))
		Expect(presented(tokens, theirs.Data["ca.crt"])).To(Equal(leafIn(expectServing(ctx)).SerialNumber.String()))
		Eventually(toldOf).WithArguments(ctx, theirs).Should(ContainElement(ContainSubstring("ForeignCertificate: ")))
		Expect(counted.concerning(v1alpha1.AuthoritySecretName)).To(BeZero())
	})

	It("nobody makes one where nobody shall", func(ctx context.Context) {
		plane.StartManagerWith(func(o *app.ManagerOptions) {
			forTLS(o)
			o.ManageCertificates = false
		})
		tokens := plane.StartTokenService()
		orders, _ := readyOrders(ctx, tokens)
		Expect(plane.Secret(ctx, orders).Data).NotTo(HaveKey("ca.crt"))
		Expect(plane.ServingSecret(ctx)).To(BeNil())
		theirs := foreignSecret(v1alpha1.ServingSecretName, foreign(false))
		Expect(plane.API.Create(ctx, theirs)).To(Succeed())
		Eventually(func() []byte { return plane.Secret(ctx, orders).Data["ca.crt"] }).Should(Equal(theirs.Data["ca.crt"]))
	})
})
