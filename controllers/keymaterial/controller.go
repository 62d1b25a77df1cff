// SPDX-License-Identifier: Apache-2.0

// Package keymaterial makes and keeps the operator's own Secrets, the pepper and the signing keys, and rotates the latter.
package keymaterial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/kube"
)

// staleRetry is when to look again where the cache was behind.
const staleRetry = time.Second

// Reconciler makes the two Secrets where they are missing. One that is damaged is never overwritten: what it held may be in a
// backup. All of its fields are required.
type Reconciler struct {
	Secrets  kube.Secrets
	Recorder events.EventRecorder
	Metrics  *Metrics
	// Namespace is the operator's own.
	Namespace string
	// Schedule says when signing keys come and go.
	Schedule keyring.Schedule
	Now      func() time.Time
	Random   io.Reader
}

// Reconcile keeps one of the two Secrets.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var result ctrl.Result
	var err error
	switch request.NamespacedName {
	case r.key(v1alpha1.PepperSecretName):
		err = r.keepPepper(ctx)
	case r.key(v1alpha1.SigningKeysSecretName):
		result, err = r.keepSigningKeys(ctx)
	}
	if errors.Is(err, kube.ErrStale) || apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return ctrl.Result{RequeueAfter: staleRetry}, nil // the cache was behind; looking again is all that it takes
	}
	return result, err
}

func (r *Reconciler) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: r.Namespace, Name: name}
}

// keepPepper makes the pepper, or checks the one that there is.
func (r *Reconciler) keepPepper(ctx context.Context) error {
	desired := r.desired(v1alpha1.PepperSecretName, v1alpha1.PurposePepper)
	current, err := r.Secrets.Load(ctx, desired.Key)
	if err != nil {
		return err
	}
	if current == nil {
		if desired.Data, err = credential.GeneratePepper(r.Random); err != nil {
			return err
		}
	} else {
		if _, err := credential.DecodePepper(current.Data); err != nil {
			return r.damaged(current, err)
		}
		desired.Type, desired.Data = current.Type, current.Data
	}
	if _, err := r.Secrets.Publish(ctx, nil, current, desired); err != nil {
		return err
	}
	r.Metrics.sound(desired.Key.Name)
	return nil
}

func (r *Reconciler) desired(name, purpose string) kube.Desired {
	return kube.Desired{Key: r.key(name), Type: corev1.SecretTypeOpaque, Purpose: purpose}
}

// damaged leaves a Secret alone and tells of it. Nothing is tried again before the Secret changes.
func (r *Reconciler) damaged(secret *corev1.Secret, cause error) error {
	r.Metrics.isDamaged(secret.Name)
	r.tellDamaged(secret, cause)
	return reconcile.TerminalError(fmt.Errorf("the damaged Secret %s is left alone; restore it, or delete it to have a new one made: %w",
		client.ObjectKeyFromObject(secret), cause))
}
