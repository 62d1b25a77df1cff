// SPDX-License-Identifier: Apache-2.0

// Package accountconnector reconciles AccountConnectors: it keeps the grant of an account at a third-party application alive, and
// publishes a Secret with an access token that is good.
package accountconnector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/politeness"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
)

const kind = "AccountConnector"

// finalizer has an AccountConnector stay until its grant was ended and its record is gone. No owner reference reaches from the
// connections namespace to a tenant's.
const finalizer = "claviger.dev/connection"

// staleRetry is when to look again where the cache was behind.
const staleRetry = time.Second

// longestSleep bounds how long a clock that has jumped, or a watch that has missed something, goes unnoticed.
const longestSleep = time.Hour

// Reconciler reconciles AccountConnectors. All of its fields are required.
type Reconciler struct {
	client.Client
	Secrets kube.Secrets
	// Versions tells of changes of the Secrets that tenants and platform teams bring.
	Versions *kube.SecretVersions
	// Grants keeps the records, and Keeper has them follow the refresh protocol.
	Grants kube.Grants
	Keeper *connector.Keeper
	// Endpoint calls the token endpoints of providers.
	Endpoint *tokenendpoint.Client
	// Hosts bounds the requests to each of them.
	Hosts    *politeness.Hosts
	Metrics  *Metrics
	Recorder events.EventRecorder
	Now      func() time.Time

	imported *kube.SecretWatch
}

// Reconcile brings one AccountConnector to what its spec says, and writes the status, whatever happened, where it differs.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := &v1alpha1.AccountConnector{}
	if err := r.Get(ctx, request.NamespacedName, object); err != nil {
		if apierrors.IsNotFound(err) {
			r.Metrics.count(request.NamespacedName, "")
			r.Secrets.Written.Forget(kind, request.NamespacedName)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	s := newScope(object)
	if object.DeletionTimestamp != nil {
		if err := r.end(ctx, s); !isStale(err) {
			return ctrl.Result{}, err
		}
		return ctrl.Result{RequeueAfter: staleRetry}, nil
	}
	if err := r.Secrets.Written.Check(kind, object); err != nil {
		return r.result(s, err) // or the status would be written twice
	}
	if err := r.hold(ctx, s); err != nil {
		return r.result(s, client.IgnoreNotFound(err))
	}
	err := r.run(ctx, s)
	if isStale(err) {
		return r.result(s, err) // what the status would say is stale too
	}
	if statusErr := client.IgnoreNotFound(r.writeStatus(ctx, s)); statusErr != nil {
		err = statusErr
	}
	return r.result(s, err)
}

// hold puts the finalizer on the object, before there is anything to end.
func (r *Reconciler) hold(ctx context.Context, s *scope) error {
	if !controllerutil.AddFinalizer(s.object, finalizer) {
		return nil
	}
	patch := client.MergeFromWithOptions(s.stored, client.MergeFromWithOptimisticLock{})
	if err := r.Patch(ctx, s.object, patch); err != nil {
		return fmt.Errorf("adding a finalizer to AccountConnector %s: %w", client.ObjectKeyFromObject(s.object), err)
	}
	s.stored = s.object.DeepCopy()
	return nil
}

// run goes through the phases until one fails. What there is of the grant is published before anything is done about it: dying on the
// way leaves no tokens unpublished. A grant is kept alive also where that cannot be, because Secret and template are the tenant's: whoever
// mends them finds a token that is good.
func (r *Reconciler) run(ctx context.Context, s *scope) error {
	for _, phase := range []func(context.Context, *scope) error{r.judge, r.configure, r.open, r.imports} {
		if err := phase(ctx, s); err != nil {
			return err
		}
	}
	unpublished, before := r.publish(ctx, s), s.standing.Record.Generation
	if isStale(unpublished) {
		return unpublished
	}
	if err := r.keep(ctx, s); err != nil {
		return err
	}
	if unpublished != nil && s.standing.Record.Generation == before {
		return unpublished
	}
	return r.publish(ctx, s)
}

func (r *Reconciler) writeStatus(ctx context.Context, s *scope) error {
	s.summarize(r.Now())
	if ready := meta.FindStatusCondition(s.object.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		r.Metrics.count(client.ObjectKeyFromObject(s.object), ready.Reason)
	}
	if equality.Semantic.DeepEqual(s.stored.Status, s.object.Status) {
		return nil
	}
	if err := r.Status().Patch(ctx, s.object, client.MergeFrom(s.stored)); err != nil {
		return fmt.Errorf("writing the status of AccountConnector %s: %w", client.ObjectKeyFromObject(s.object), err)
	}
	r.Secrets.Written.Note(kind, s.object)
	r.tell(s)
	return nil
}

// result turns an error into what the queue shall do. Faults are shown as conditions and need no log line of their own.
func (r *Reconciler) result(s *scope, err error) (ctrl.Result, error) {
	_, isFault := fault.As(err)
	switch {
	case isStale(err):
		return ctrl.Result{RequeueAfter: staleRetry}, nil
	case err != nil && !isFault:
		return ctrl.Result{}, err
	}
	wake := longestSleep
	if !s.wake.IsZero() {
		wake = min(max(s.wake.Sub(r.Now()), time.Second), longestSleep)
	}
	return ctrl.Result{RequeueAfter: wake}, nil
}

// isStale reports whether the cache was behind the API server, or somebody else was faster. Looking again shortly is all that it takes.
func isStale(err error) bool {
	return errors.Is(err, kube.ErrStale) || errors.Is(err, connector.ErrConflict) || apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err)
}
