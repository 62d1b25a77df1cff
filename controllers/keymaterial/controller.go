// SPDX-License-Identifier: Apache-2.0

// Package keymaterial makes and keeps the operator's own Secrets: the pepper and the signing keys.
package keymaterial

import (
	"context"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/kube"
)

// Reconciler makes the two Secrets where they are missing. One that exists is never overwritten, even where it is
// damaged: what it held may be in a backup. All of its fields are required.
type Reconciler struct {
	Secrets kube.Secrets
	// Namespace is the operator's own.
	Namespace string
	Now       func() time.Time
	Random    io.Reader
}

// material is one of the two Secrets.
type material struct {
	name     string
	purpose  string
	generate func() (map[string][]byte, error)
	check    func(map[string][]byte) error
}

func (r *Reconciler) materials() []material {
	return []material{
		{
			name:     v1alpha1.PepperSecretName,
			purpose:  v1alpha1.PurposePepper,
			generate: func() (map[string][]byte, error) { return credential.GeneratePepper(r.Random) },
			check: func(data map[string][]byte) error {
				_, err := credential.DecodePepper(data)
				return err
			},
		},
		{
			name:     v1alpha1.SigningKeysSecretName,
			purpose:  v1alpha1.PurposeSigningKeys,
			generate: r.generateKeys,
			check: func(data map[string][]byte) error {
				_, err := keyring.Decode(data)
				return err
			},
		},
	}
}

func (r *Reconciler) generateKeys() (map[string][]byte, error) {
	key, err := keyring.Generate(r.Random, r.Now())
	if err != nil {
		return nil, err
	}
	return keyring.Encode(key)
}

// SetupWithManager registers the controller: it runs once at the start and when one of the Secrets changes or goes.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager) error {
	start := source.Func(func(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		for _, wanted := range r.materials() {
			queue.Add(reconcile.Request{NamespacedName: r.key(wanted)})
		}
		return nil
	})
	return ctrl.NewControllerManagedBy(manager).
		Named("keymaterial").
		WatchesRawSource(start).
		Watches(&corev1.Secret{}, &handler.EnqueueRequestForObject{}, builder.WithPredicates(predicate.NewPredicateFuncs(r.isMaterial))).
		Complete(r)
}

func (r *Reconciler) key(wanted material) client.ObjectKey {
	return client.ObjectKey{Namespace: r.Namespace, Name: wanted.name}
}

func (r *Reconciler) isMaterial(object client.Object) bool {
	for _, wanted := range r.materials() {
		if client.ObjectKeyFromObject(object) == r.key(wanted) {
			return true
		}
	}
	return false
}

// Reconcile makes one Secret, or checks the one that exists.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	for _, wanted := range r.materials() {
		if request.NamespacedName == r.key(wanted) {
			return ctrl.Result{}, r.keep(ctx, wanted)
		}
	}
	return ctrl.Result{}, nil
}

func (r *Reconciler) keep(ctx context.Context, wanted material) error {
	current, err := r.Secrets.Load(ctx, r.key(wanted))
	if err != nil {
		return err
	}
	desired := kube.Desired{Key: r.key(wanted), Type: corev1.SecretTypeOpaque, Purpose: wanted.purpose}
	if current == nil {
		if desired.Data, err = wanted.generate(); err != nil {
			return err
		}
	} else {
		desired.Data = current.Data
		if err := wanted.check(current.Data); err != nil {
			return reconcile.TerminalError(fmt.Errorf("the damaged Secret %s is left alone; restore it, or delete it to have a new one made: %w",
				desired.Key, err))
		}
	}
	_, err = r.Secrets.Publish(ctx, nil, current, desired)
	return err
}
