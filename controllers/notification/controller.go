// SPDX-License-Identifier: Apache-2.0

// Package notification has the operator's notification hook know of connections that fail, and that are well again. What it was told
// last is in the status of each, so that nothing is forgotten over a crash. It is told at least once: a message that may not have
// arrived is sent again under the same Webhook-Id. It is a controller of its own: a hook that is away holds up no refresh.
package notification

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/notification"
)

const (
	kind = "AccountConnector"
	// workers tell at the same time. Each may wait for the hook.
	workers = 4
	// leastBackoff and mostBackoff bound the time until a message that was not taken is sent again.
	leastBackoff = 5 * time.Second
	mostBackoff  = 10 * time.Minute
	// longestSleep bounds how long a clock that has jumped goes unnoticed.
	longestSleep = time.Hour
	// staleRetry is when to look again where the cache was behind.
	staleRetry = time.Second
)

// Reconciler tells the hook. All of its fields are required.
type Reconciler struct {
	client.Client
	Hook *notification.Hook
	// Written remembers what was written to statuses.
	Written *kube.Written
	// Told counts messages by type and result.
	Told *prometheus.CounterVec
	Now  func() time.Time
}

// SetupWithManager registers the controller: it runs for a connection whenever that changes, its status included.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(manager).Named("notification").For(&v1alpha1.AccountConnector{}).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](leastBackoff, mostBackoff),
		}).
		Complete(r)
}

// Reconcile tells the hook of one connection, where that is other than it was told last, and notes it when the hook has taken it. Dying
// between the two has the same message sent once more.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := &v1alpha1.AccountConnector{}
	if err := r.Get(ctx, request.NamespacedName, object); err != nil {
		r.Written.Forget(kind, request.NamespacedName)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if object.DeletionTimestamp != nil || object.Status.ObservedGeneration != object.Generation {
		return ctrl.Result{}, nil // what the conditions say is of before
	}
	if err := r.Written.Check(kind, object); errors.Is(err, kube.ErrStale) {
		return ctrl.Result{RequeueAfter: staleRetry}, nil
	}
	found := judge(object.Status.Conditions, r.Now())
	if !found.due(object.Status.Notified) {
		if found.again.IsZero() {
			return ctrl.Result{}, nil
		}
		return ctrl.Result{RequeueAfter: min(max(found.again.Sub(r.Now()), time.Second), longestSleep)}, nil
	}
	if err := r.tell(ctx, object, found); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.note(ctx, object, found)
}

// tell sends one message.
func (r *Reconciler) tell(ctx context.Context, object *v1alpha1.AccountConnector, found verdict) error {
	message := messageOf(object, found)
	err := r.Hook.Tell(ctx, message)
	result := "delivered"
	if err != nil {
		result = "failed"
	}
	r.Told.WithLabelValues(message.Type, result).Inc()
	return err
}

func messageOf(object *v1alpha1.AccountConnector, found verdict) notification.Message {
	message := notification.Message{
		Type: notification.TypeRecovered, Timestamp: found.condition.LastTransitionTime.UTC(),
		Data: notification.Data{
			Account: object.Spec.AccountRef.Name, Namespace: object.Namespace, Name: object.Name, ID: object.Status.ID,
			Connector: object.Spec.ConnectorRef.Name, Reason: found.condition.Reason, Message: found.condition.Message,
		},
	}
	if found.state == v1alpha1.NotifiedFailing {
		message.Type = notification.TypeFailing
	}
	message.ID = idOf(object, message)
	return message
}

// idOf names a message: the same until the hook has taken it, and never again after that.
func idOf(object *v1alpha1.AccountConnector, message notification.Message) string {
	before := ""
	if told := object.Status.Notified; told != nil {
		before = told.At.UTC().Format(time.RFC3339)
	}
	text := fmt.Sprintf("%s %s %s %s %s", object.UID, message.Type, message.Data.Reason, message.Timestamp.Format(time.RFC3339), before)
	sum := sha256.Sum256([]byte(text))
	return "msg_" + base64.RawURLEncoding.EncodeToString(sum[:18])
}

// note writes down what the hook has taken.
func (r *Reconciler) note(ctx context.Context, object *v1alpha1.AccountConnector, found verdict) error {
	stored := object.DeepCopy()
	object.Status.Notified = &v1alpha1.Notified{
		State: found.state, Reason: found.condition.Reason, At: metav1.NewTime(r.Now().Truncate(time.Second)),
	}
	err := r.Status().Patch(ctx, object, client.MergeFrom(stored))
	if err == nil {
		r.Written.Note(kind, object)
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the status of AccountConnector %s: %w", client.ObjectKeyFromObject(object), err)
	}
	return nil
}
