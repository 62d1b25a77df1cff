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

// condition says whether there is no more need to wait, or, by an error, no more sense in it.
type condition func(*v1alpha1.ClientCredential) (bool, error)

// await follows a credential until the condition is met, and gives it as it is then. A watch that the API server ends, as it
// does now and then, is begun again.
func await(ctx context.Context, api client.WithWatch, object *v1alpha1.ClientCredential, met condition) (*v1alpha1.ClientCredential, error) {
	for {
		current, err := follow(ctx, api, object, met)
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("credential %s is not done yet, and nobody waits any longer (%w); the request stands.\n"+
				"See how it goes: %s status %s -n %s", object.Name, ctx.Err(), program, object.Name, object.Namespace)
		case errors.Is(err, toolswatch.ErrWatchClosed):
			continue
		default:
			return current, err
		}
	}
}

// follow looks at the credential, and watches it from there for as long as the API server lets it.
func follow(ctx context.Context, api client.WithWatch, object *v1alpha1.ClientCredential, met condition) (*v1alpha1.ClientCredential, error) {
	one := &client.ListOptions{Namespace: object.Namespace, FieldSelector: fields.OneTermEqualSelector("metadata.name", object.Name)}
	list := &v1alpha1.ClientCredentialList{}
	if err := api.List(ctx, list, one); err != nil {
		return nil, fmt.Errorf("waiting for credential %s: %w", object.Name, err)
	}
	if len(list.Items) == 0 {
		return nil, gone(object)
	}
	current := &list.Items[0]
	if done, err := met(current); done || err != nil {
		return current, err
	}
	one.Raw = &metav1.ListOptions{ResourceVersion: list.ResourceVersion}
	events, err := api.Watch(ctx, list, one)
	if err != nil {
		return nil, fmt.Errorf("waiting for credential %s: %w", object.Name, err)
	}
	_, err = toolswatch.UntilWithoutRetry(ctx, events, func(event watch.Event) (bool, error) {
		changed, ok := event.Object.(*v1alpha1.ClientCredential)
		switch {
		case !ok:
			return false, toolswatch.ErrWatchClosed // an error of the watch, such as a version that is too old
		case event.Type == watch.Deleted:
			return false, gone(object)
		}
		current = changed
		return met(changed)
	})
	return current, err //nolint:wrapcheck // the condition's own, or ErrWatchClosed, which is handled
}

func gone(object *v1alpha1.ClientCredential) error {
	return fmt.Errorf("credential %s was deleted meanwhile", object.Name)
}

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
