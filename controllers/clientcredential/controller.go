// SPDX-License-Identifier: Apache-2.0

// Package clientcredential reconciles ClientCredentials: it publishes an owned Secret, writes its verifier to the
// status, and shows the verdict of the rules as conditions.
package clientcredential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/issuer"
	"github.com/claviger/claviger/internal/kube"
)

// conflictPoll is how often a Secret that is in the way is looked at again. It carries no label of ours, so no watch
// tells when it goes.
const conflictPoll = time.Minute

// staleRetry is when to look again where the cache was behind.
const staleRetry = time.Second

const kind = "ClientCredential"

// Reconciler reconciles ClientCredentials. All of its public fields are required.
type Reconciler struct {
	client.Client
	Secrets kube.Secrets
	// Versions tells of changes of the Secrets that users bring.
	Versions *kube.SecretVersions
	Recorder events.EventRecorder
	// OperatorNamespace holds the pepper.
	OperatorNamespace string
	// Minter makes the tokens that are delivered in Secrets. Its rules judge every credential, and its issuer identifier goes into
	// every Secret, with TokenURL and with the certificates of Trust, that verify the issuer.
	Minter   issuer.Minter
	TokenURL string
	Trust    *kube.Trust
	// Rotations counts new client secrets by cause.
	Rotations *prometheus.CounterVec
	Now       func() time.Time
	Random    io.Reader

	// prepared are successors that could not be published yet. A retry takes up the one that is there: another one each
	// time would change the status, which would bring on the next retry at once.
	prepared sync.Map // types.NamespacedName -> prepared
	imported *kube.SecretWatch
}

// Reconcile brings one ClientCredential to what its spec says, and writes the status, whatever happened, where it differs.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := &v1alpha1.ClientCredential{}
	err := r.Get(ctx, request.NamespacedName, object)
	if apierrors.IsNotFound(err) {
		return r.result(nil, r.departed(ctx, request.NamespacedName))
	}
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("reading ClientCredential %s: %w", request, err)
	}
	if err := r.Secrets.Written.Check(kind, object); err != nil {
		return ctrl.Result{RequeueAfter: staleRetry}, nil //nolint:nilerr // the write's own event comes first, most likely
	}
	s := newScope(object)
	err = r.run(ctx, s)
	if isStale(err) || errors.Is(err, errSettling) {
		return r.result(s, err) // what the status would say is stale too, or not true yet
	}
	// An object that has gone meanwhile has no status to write.
	if statusErr := client.IgnoreNotFound(r.writeStatus(ctx, s)); statusErr != nil {
		err = statusErr
	}
	return r.result(s, err)
}

// run goes through the phases until one fails.
func (r *Reconciler) run(ctx context.Context, s *scope) error {
	for _, phase := range []func(context.Context, *scope) error{
		r.identify, r.findResources, r.judge, r.loadOwned, r.admit, r.loadPepper, r.loadSecrets, r.plan, r.render, r.stageVerifiers, r.publish, r.retire, r.deliverToken,
	} {
		if err := phase(ctx, s); err != nil {
			return err
		}
	}
	s.published = true
	return nil
}

// writeStatus writes conditions and verifiers, and tells of a transition. The patch fails where somebody else has changed
// the object since it was read: the verifiers are a journal, and two writers must not each keep half of it.
func (r *Reconciler) writeStatus(ctx context.Context, s *scope) error {
	s.summarize(r.Now())
	if equality.Semantic.DeepEqual(s.stored.Status, s.object.Status) {
		return nil
	}
	if err := r.patchStatus(ctx, s); err != nil {
		return err
	}
	if s.replaced && !s.publishes() {
		r.tellReplaced(s)
	}
	r.tell(s)
	return nil
}

func (r *Reconciler) patchStatus(ctx context.Context, s *scope) error {
	patch := client.MergeFromWithOptions(s.stored, client.MergeFromWithOptimisticLock{})
	if err := r.Status().Patch(ctx, s.object, patch); err != nil {
		return fmt.Errorf("writing the status of ClientCredential %s: %w", client.ObjectKeyFromObject(s.object), err)
	}
	r.Secrets.Written.Note(kind, s.object)
	s.stored = s.object.DeepCopy()
	return nil
}

// result turns an error into what the queue shall do. Faults are shown as conditions and need no log line of their own. There is
// no scope where the object is gone.
func (r *Reconciler) result(s *scope, err error) (ctrl.Result, error) {
	switch found, isFault := fault.As(err); {
	case isStale(err):
		return ctrl.Result{RequeueAfter: staleRetry}, nil
	case errors.Is(err, errSettling):
		return ctrl.Result{RequeueAfter: settling}, nil
	case isFault && found.Reason == v1alpha1.ReasonSecretConflict:
		return ctrl.Result{RequeueAfter: conflictPoll}, nil
	case isFault: // what it waits for is watched
	case err != nil:
		return ctrl.Result{}, err
	}
	if s == nil {
		return ctrl.Result{}, nil
	}
	s.wakeAt(credential.ReadVerifiers(s.object.Status.Verifiers).NextExpiry(r.Now()))
	return ctrl.Result{RequeueAfter: r.until(s.wake)}, nil
}

// longestSleep bounds how long a clock that has jumped goes unnoticed.
const longestSleep = time.Hour

// until gives how long to wait for a time, or zero where there is none.
func (r *Reconciler) until(wake time.Time) time.Duration {
	if wake.IsZero() {
		return 0
	}
	return min(max(wake.Sub(r.Now()), time.Second), longestSleep)
}

// isStale reports whether the cache was behind the API server. Looking again shortly is all that it takes.
func isStale(err error) bool {
	return errors.Is(err, kube.ErrStale) || apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err)
}
