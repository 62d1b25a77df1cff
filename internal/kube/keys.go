// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"sync/atomic"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/keyring"
)

// Keys holds the operator's key material as the API server last told. Once loaded it stays: a Secret that is deleted or
// damaged does not stop tokens from being issued and verified.
type Keys struct {
	pepper atomic.Pointer[credential.Pepper]
	ring   atomic.Pointer[keyring.Ring]
}

// Pepper gives the key that client secrets are digested with.
func (k *Keys) Pepper() (credential.Pepper, bool) {
	if pepper := k.pepper.Load(); pepper != nil {
		return *pepper, true
	}
	return credential.Pepper{}, false
}

// Ring gives the keys that tokens are signed with.
func (k *Keys) Ring() (*keyring.Ring, bool) {
	ring := k.ring.Load()
	return ring, ring != nil
}

// Loaded reports whether all key material is there.
func (k *Keys) Loaded() bool { return k.pepper.Load() != nil && k.ring.Load() != nil }

// Store takes in one of the two Secrets. Others are ignored.
func (k *Keys) Store(secret *corev1.Secret) error {
	switch secret.Name {
	case v1alpha1.PepperSecretName:
		pepper, err := credential.DecodePepper(secret.Data)
		if err != nil {
			return err
		}
		k.pepper.Store(&pepper)
	case v1alpha1.SigningKeysSecretName:
		ring, err := keyring.Decode(secret.Data)
		if err != nil {
			return err
		}
		k.ring.Store(ring)
	}
	return nil
}

// Follow keeps the key material up to date until the context ends. It watches the two Secrets by name, one by one, so
// that RBAC need not allow any other.
func (k *Keys) Follow(ctx context.Context, clients kubernetes.Interface, namespace string) {
	log := logr.FromContextOrDiscard(ctx)
	for _, name := range []string{v1alpha1.PepperSecretName, v1alpha1.SigningKeysSecretName} {
		followSecret(ctx, clients, client.ObjectKey{Namespace: namespace, Name: name}, func(secret *corev1.Secret) {
			if err := k.Store(secret); err != nil {
				log.Error(err, "Key material is not usable; the last good one stays", "secret", secret.Name)
			}
		})
	}
}

// followSecret watches one Secret by name until the context ends, and hands it over whenever it comes or changes.
func followSecret(ctx context.Context, clients kubernetes.Interface, key client.ObjectKey, store func(*corev1.Secret)) {
	handle := func(object any) {
		if secret, ok := object.(*corev1.Secret); ok {
			store(secret)
		}
	}
	_, informer := toolscache.NewInformerWithOptions(toolscache.InformerOptions{
		ListerWatcher: toolscache.NewListWatchFromClient(clients.CoreV1().RESTClient(), "secrets", key.Namespace,
			fields.OneTermEqualSelector("metadata.name", key.Name)),
		ObjectType: &corev1.Secret{},
		Handler: toolscache.ResourceEventHandlerFuncs{
			AddFunc:    handle,
			UpdateFunc: func(_, object any) { handle(object) },
		},
	})
	go informer.RunWithContext(ctx)
}
