// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	toolswatch "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
)

// wait is for one object.
type wait[T client.Object] struct {
	// what names the object, for messages.
	what string
	// key is the object's, and list an empty list of its kind.
	key  client.ObjectKey
	list client.ObjectList
	// met says whether there is no more need to wait, or, by an error, no more sense in it.
	met func(T) (bool, error)
}

// await follows an object until the condition is met, and gives it as it is then. A watch that the API server ends, as it does now
// and then, is begun again. Its error is that of the context where nobody waits any longer.
func await[T client.Object](ctx context.Context, api client.WithWatch, w wait[T]) (T, error) {
	for {
		current, err := w.follow(ctx, api)
		switch {
		case ctx.Err() != nil:
			return current, ctx.Err() //nolint:wrapcheck // callers say what they waited for
		case errors.Is(err, toolswatch.ErrWatchClosed):
			continue
		default:
			return current, err
		}
	}
}

// follow looks at the object, and watches it from there for as long as the API server lets it.
func (w wait[T]) follow(ctx context.Context, api client.WithWatch) (T, error) {
	var current T
	one := &client.ListOptions{Namespace: w.key.Namespace, FieldSelector: fields.OneTermEqualSelector("metadata.name", w.key.Name)}
	if err := api.List(ctx, w.list, one); err != nil {
		return current, fmt.Errorf("waiting for %s: %w", w.what, err)
	}
	items, err := meta.ExtractList(w.list)
	if err != nil || len(items) == 0 {
		return current, w.gone()
	}
	current, _ = items[0].(T)
	if done, err := w.met(current); done || err != nil {
		return current, err
	}
	one.Raw = &metav1.ListOptions{ResourceVersion: w.list.GetResourceVersion()}
	events, err := api.Watch(ctx, w.list, one)
	if err != nil {
		return current, fmt.Errorf("waiting for %s: %w", w.what, err)
	}
	_, err = toolswatch.UntilWithoutRetry(ctx, events, func(event watch.Event) (bool, error) {
		changed, ok := event.Object.(T)
		switch {
		case !ok:
			return false, toolswatch.ErrWatchClosed // an error of the watch, such as a version that is too old
		case event.Type == watch.Deleted:
			return false, w.gone()
		}
		current = changed
		return w.met(changed)
	})
	return current, err //nolint:wrapcheck // the condition's own, or ErrWatchClosed, which is handled
}

func (w wait[T]) gone() error { return fmt.Errorf("%s was deleted meanwhile", w.what) }

// isRotated reports whether the rotation of a request is done and the credential Ready again. A later request that overtook it
// counts too, unless it is the one that was done before ours: then nothing has been rotated since. It fails where a rotation
// needs a human first.
func isRotated(object *v1alpha1.ClientCredential, request, before string) (bool, error) {
	status := object.Status
	stalled := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionStalled)
	if stalled != nil && stalled.ObservedGeneration == object.Generation {
		return false, fmt.Errorf("credential %s is not rotated while it is not Ready (%s: %s); the request stands. %s",
			object.Name, stalled.Reason, stalled.Message, adviceFor(object, status.Conditions))
	}
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	if status.Rotation == nil {
		return false, nil
	}
	made, latest := status.Rotation.Request, credential.ReadRotation(object).Request
	done := made == request || (made == latest && made != before && made != "")
	return done && ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == object.Generation, nil
}
