// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"crypto/tls"
	"errors"
	"sync/atomic"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/internal/pki"
)

// Certificate holds the certificate of a server as a Secret has it, whoever writes that. Once loaded it stays: a Secret that is
// deleted or damaged does not stop the server. The zero value is ready for use.
type Certificate struct {
	served atomic.Pointer[tls.Certificate]
}

var errNoCertificate = errors.New("the certificate has not been read yet")

// Get gives the certificate, or an error where none was ever there. It is crypto/tls's GetCertificate.
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if served := c.served.Load(); served != nil {
		return served, nil
	}
	return nil, errNoCertificate
}

// Store takes in the Secret.
func (c *Certificate) Store(secret *corev1.Secret) error {
	serving, err := pki.DecodeServing(secret.Data)
	if err != nil {
		return err
	}
	c.served.Store(serving.TLS())
	return nil
}

// Follow keeps the certificate up to date until the context ends. Connections that are open keep what they began with.
func (c *Certificate) Follow(ctx context.Context, clients kubernetes.Interface, key client.ObjectKey) {
	log := logr.FromContextOrDiscard(ctx).WithValues("secret", key.Name)
	followSecret(ctx, clients, key, func(secret *corev1.Secret) {
		if err := c.Store(secret); err != nil {
			log.Error(err, "The certificate is not usable; the last good one stays")
			return
		}
		leaf := c.served.Load().Leaf
		log.Info("Serving a certificate", "expires", leaf.NotAfter, "names", leaf.DNSNames, "issuer", leaf.Issuer.String())
	})
}
