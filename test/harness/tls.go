// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/config"
	"github.com/claviger/claviger/internal/app"
)

// TLSHost is a DNS name of the token service that its certificate is for, and TLSIssuer an issuer identifier with it.
const (
	TLSHost   = v1alpha1.TokenServiceName + "." + config.Namespace + ".svc"
	TLSIssuer = "https://" + TLSHost
)

// WithTLS has a token service serve the certificate that the manager keeps.
func WithTLS(o *app.TokenServiceOptions) {
	o.Issuer, o.TLSSecret = TLSIssuer, v1alpha1.ServingSecretName
}

// Trusting gives a client that trusts a bundle and nothing else, and calls whatever it reaches TLSHost. now may be nil.
func Trusting(bundle []byte, now func() time.Time) *http.Client {
	GinkgoHelper()
	roots := x509.NewCertPool()
	Expect(roots.AppendCertsFromPEM(bundle)).To(BeTrue(), "a bundle has certificates")
	return &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, ServerName: TLSHost, Time: now, MinVersion: tls.VersionTLS12},
	}}
}

// client gives a client of a token service that is ready.
func (p *Plane) client(options app.TokenServiceOptions) *http.Client {
	GinkgoHelper()
	switch {
	case options.TLSCertFile != "":
		bundle, err := os.ReadFile(options.TLSCertFile)
		Expect(err).NotTo(HaveOccurred())
		return Trusting(bundle, options.Clock)
	case options.TLSSecret != "":
		secret := &corev1.Secret{}
		Expect(p.API.Get(p.ctx, client.ObjectKey{Namespace: options.Namespace, Name: options.TLSSecret}, secret)).To(Succeed())
		return Trusting(secret.Data["ca.crt"], options.Clock)
	default:
		return http.DefaultClient
	}
}

// ServingSecret gives the Secret with the token service's certificate, or nil where there is none.
func (p *Plane) ServingSecret(ctx context.Context) *corev1.Secret {
	GinkgoHelper()
	secret := &corev1.Secret{}
	err := p.API.Get(ctx, client.ObjectKey{Namespace: config.Namespace, Name: v1alpha1.ServingSecretName}, secret)
	if client.IgnoreNotFound(err) == nil && err != nil {
		return nil
	}
	Expect(err).NotTo(HaveOccurred())
	return secret
}
