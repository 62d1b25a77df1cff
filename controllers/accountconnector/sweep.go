// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
)

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// sweep has every connection looked at once in longestSleep, spread over it, whatever became of what was asked for before: no look that
// was lost loses a grant. It also ends the grants that nobody else will.
func (r *Reconciler) sweep(informers cache.Cache) source.Source {
	return source.Func(func(ctx context.Context, queue queue) error {
		go func() {
			if !informers.WaitForCacheSync(ctx) {
				return
			}
			r.sweepOrphans(ctx)
			tick := time.NewTicker(longestSleep)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					r.sweepAll(ctx, queue)
					r.sweepOrphans(ctx)
				}
			}
		}()
		return nil
	})
}

func (r *Reconciler) sweepAll(ctx context.Context, queue queue) {
	for _, request := range r.connections(ctx) {
		queue.AddAfter(request, time.Duration(float64(longestSleep)*connector.Spread(request.String())))
	}
}

// sweepOrphans ends the grants whose AccountConnector has gone without that, because somebody has taken away its finalizer.
func (r *Reconciler) sweepOrphans(ctx context.Context) {
	logger := ctrl.LoggerFrom(ctx)
	var secrets corev1.SecretList
	err := r.List(ctx, &secrets, client.InNamespace(r.Grants.Namespace), client.MatchingLabels{v1alpha1.LabelSecret: v1alpha1.PurposeConnection})
	if err != nil {
		logger.Error(err, "Listing the records of connections from the cache")
	}
	for i := range secrets.Items {
		secret := &secrets.Items[i]
		grant, is := r.Grants.Grant(secret)
		if !is {
			continue
		}
		orphaned, err := r.orphaned(ctx, secret, grant)
		if err == nil && orphaned {
			err = r.endOrphan(ctx, secret, grant)
		}
		if err != nil {
			logger.Error(err, "Sweeping the record of a connection that is gone", "secret", client.ObjectKeyFromObject(secret))
		}
	}
}

// orphaned reports whether the AccountConnector that a record is of does not exist: the API server itself says so. Another one of its name
// is another connection.
func (r *Reconciler) orphaned(ctx context.Context, secret *corev1.Secret, grant string) (bool, error) {
	namespace, name, is := strings.Cut(secret.Annotations[v1alpha1.AnnotationConnection], "/")
	if !is {
		return false, nil // nobody knows whose it is
	}
	key, object := client.ObjectKey{Namespace: namespace, Name: name}, &v1alpha1.AccountConnector{}
	if r.Get(ctx, key, object) == nil && object.UID == types.UID(grant) {
		return false, nil
	}
	err := r.Secrets.Live.Get(ctx, key, object)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading AccountConnector %s: %w", key, err)
	}
	return object.UID != types.UID(grant), nil
}

// errCopy says why a record is left alone.
var errCopy = errors.New("it is younger than the tokens in it, so it comes from a backup, and somebody may live on the grant: delete it where nobody does")

// endOrphan revokes the grant at the provider, best effort, and deletes the record: the one that was seen, and no other.
func (r *Reconciler) endOrphan(ctx context.Context, secret *corev1.Secret, grant string) error {
	kept, err := r.Grants.Load(ctx, grant)
	if errors.Is(err, connector.ErrGone) {
		return nil
	}
	if err != nil {
		return err // one that is damaged is left alone, too
	}
	tokens := kept.Record.Connected() || kept.Record.RefreshToken.Reveal() != ""
	if tokens && secret.CreationTimestamp.After(kept.Record.IssuedAt) {
		return errCopy
	}
	if err := r.revokeKept(ctx, secret.Annotations[v1alpha1.AnnotationConnector], kept); err != nil {
		ctrl.LoggerFrom(ctx).Info("The provider was not told that a grant has ended", "secret", client.ObjectKeyFromObject(secret), "why", err.Error())
	}
	r.Keeper.Forget(grant)
	return r.Secrets.Delete(ctx, secret)
}
