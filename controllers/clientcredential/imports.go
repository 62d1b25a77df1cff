// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// imports notices changes of Secrets that users bring. They carry no label of ours, so the manager's cache does not have them;
// this watch sees the names and versions of all Secrets, and no content, and starts with the first credential that needs it.
type imports struct {
	manager    ctrl.Manager
	controller controller.Controller
	reconciler *Reconciler

	mutex   sync.Mutex
	started bool
}

// watchImported starts the watch, once.
func (r *Reconciler) watchImported() error {
	r.imports.mutex.Lock()
	defer r.imports.mutex.Unlock()
	if r.imports.started {
		return nil
	}
	versions, err := cache.New(r.imports.manager.GetConfig(), cache.Options{
		Scheme:           r.imports.manager.GetScheme(),
		Mapper:           r.imports.manager.GetRESTMapper(),
		HTTPClient:       r.imports.manager.GetHTTPClient(),
		DefaultTransform: onlyVersion,
	})
	if err != nil {
		return fmt.Errorf("building a cache: %w", err)
	}
	if err := r.imports.manager.Add(versions); err != nil {
		return fmt.Errorf("adding a cache: %w", err)
	}
	metadata := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}}
	importers := r.enqueue(func(secret client.Object) []client.ListOption {
		return []client.ListOption{client.InNamespace(secret.GetNamespace()), client.MatchingFields{secretRefIndex: secret.GetName()}}
	})
	if err := r.imports.controller.Watch(source.Kind[client.Object](versions, metadata, importers)); err != nil {
		return fmt.Errorf("watching: %w", err)
	}
	r.imports.started = true
	return nil
}

// onlyVersion drops all but what tells that a Secret is another one than before.
func onlyVersion(object any) (any, error) {
	if metadata, ok := object.(*metav1.PartialObjectMetadata); ok {
		return &metav1.PartialObjectMetadata{TypeMeta: metadata.TypeMeta, ObjectMeta: metav1.ObjectMeta{
			Namespace: metadata.Namespace, Name: metadata.Name, UID: metadata.UID, ResourceVersion: metadata.ResourceVersion,
		}}, nil
	}
	return object, nil
}
