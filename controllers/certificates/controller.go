// SPDX-License-Identifier: Apache-2.0

// Package certificates keeps the certificate that the token service serves, the authority that signs it, and what workloads
// shall trust.
package certificates

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
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/pki"
)

const (
	// staleRetry is when to look again where the cache was behind.
	staleRetry = time.Second
	// pause is the longest time between two looks. Nothing that is due is in a hurry, and a clock that was set is noticed.
	pause = time.Hour
)

// Reconciler keeps the two Secrets. Its public fields are required.
type Reconciler struct {
	Secrets  kube.Secrets
	Recorder events.EventRecorder
	Metrics  *Metrics
	// Trust is told what workloads shall verify the issuer with. Nil: somebody else says so.
	Trust *kube.Trust
	// Namespace is the operator's own.
	Namespace string
	// Manage says that the two Secrets are made and renewed here. Otherwise the second is followed only.
	Manage bool
	// Names are the DNS names of the certificate; at least one.
	Names []string
	// IssuerHost is the host of the issuer URL, without port.
	IssuerHost string
	Now        func() time.Time
	Random     io.Reader

	// seen is the bundle that is published, and since when this process has seen it so. One worker alone touches these.
	seen  string
	since time.Time
	// left has the names of Secrets that were found to be somebody else's.
	left map[string]bool
}

// found is one of the Secrets as it is.
type found struct {
	*corev1.Secret
	key client.ObjectKey
	// name is the purpose that our label says.
	purpose string
}

// Reconcile looks at both Secrets.
func (r *Reconciler) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	authority, err := r.load(ctx, v1alpha1.AuthoritySecretName, v1alpha1.PurposeAuthority)
	if err != nil {
		return r.result(err)
	}
	serving, err := r.load(ctx, v1alpha1.ServingSecretName, v1alpha1.PurposeServing)
	if err != nil {
		return r.result(err)
	}
	return r.result(r.look(ctx, authority, serving))
}

func (r *Reconciler) result(err error) (ctrl.Result, error) {
	if errors.Is(err, kube.ErrStale) || apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return ctrl.Result{RequeueAfter: staleRetry}, nil // the cache was behind; looking again is all that it takes
	}
	if err != nil && r.Trust != nil {
		r.Trust.Fail(fault.Waitingf(v1alpha1.ReasonKeysNotReady, "the operator has no certificate for the issuer yet"))
	}
	return ctrl.Result{RequeueAfter: pause}, err
}

func (r *Reconciler) load(ctx context.Context, name, purpose string) (found, error) {
	key := client.ObjectKey{Namespace: r.Namespace, Name: name}
	secret, err := r.Secrets.Load(ctx, key)
	return found{Secret: secret, key: key, purpose: purpose}, err
}

// look decides whose the certificate is: ours to keep, or somebody else's to use.
func (r *Reconciler) look(ctx context.Context, authority, serving found) error {
	var stored *pki.Serving
	var damage error
	if serving.Secret != nil {
		decoded, err := pki.DecodeServing(serving.Data)
		if damage = err; err == nil {
			stored = &decoded
		}
	}
	foreign := r.isForeign(serving, stored)
	if foreign {
		r.leave(serving)
	}
	if foreign || !r.Manage {
		return r.use(serving, stored, damage)
	}
	return r.keep(ctx, authority, serving, stored)
}

// use follows a certificate that is not to be changed here.
func (r *Reconciler) use(serving found, stored *pki.Serving, damage error) error {
	switch {
	case damage != nil:
		return r.damaged(serving, damage)
	case stored != nil:
		r.Metrics.sound(serving.key.Name)
		r.follow(stored)
	case r.Trust != nil: // nobody has made a Secret: the issuer has a certificate from elsewhere
		if _, err := r.Trust.Bundle(); err != nil {
			r.Trust.Set("")
		}
	}
	return nil
}

// isForeign reports whether the certificate is somebody else's: cert-manager's, or a human's. A damaged one is ours where our
// label says so, and a sound one where it says itself who has made it, whatever label there is: it was lost, or somebody else
// writes the Secret now.
func (*Reconciler) isForeign(serving found, stored *pki.Serving) bool {
	switch {
	case serving.Secret == nil:
		return false
	case stored == nil:
		return serving.Labels[v1alpha1.LabelSecret] != serving.purpose
	default:
		return !pki.MadeHere(stored.Certificate())
	}
}

// follow tells what workloads shall trust, and when the certificate expires.
func (r *Reconciler) follow(serving *pki.Serving) {
	if serving == nil {
		return
	}
	r.Metrics.expires(v1alpha1.ServingSecretName, serving.Certificate())
	if r.Trust == nil {
		return
	}
	bundle := ""
	if serving.Certificate().VerifyHostname(r.IssuerHost) == nil {
		bundle = serving.Bundle()
	}
	r.Trust.Set(bundle)
}

// damaged leaves a Secret alone and tells of it. Nothing is tried again before the Secret changes.
func (r *Reconciler) damaged(secret found, cause error) error {
	r.Metrics.isDamaged(secret.key.Name)
	r.tellDamaged(secret, cause)
	return reconcile.TerminalError(fmt.Errorf("the damaged Secret %s is left alone; restore it, or delete it to have a new one made: %w", secret.key, cause))
}
