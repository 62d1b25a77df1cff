// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// SecretVersions notices changes of Secrets that users bring. They carry no label of ours, so the manager's cache does not have them.
// This one has the names and versions of all Secrets, and no content. All controllers share it, and it starts with the first object
// that refers to such a Secret.
type SecretVersions struct {
	manager    ctrl.Manager
	namespaces map[string]cache.Config

	mutex sync.Mutex
	cache cache.Cache
}

// NewSecretVersions makes one for the controllers of a manager, of the Secrets in some namespaces. Nil: in all.
func NewSecretVersions(manager ctrl.Manager, namespaces map[string]cache.Config) *SecretVersions {
	return &SecretVersions{manager: manager, namespaces: namespaces}
}

// start gives the cache, and starts it where it does not run yet.
func (v *SecretVersions) start() (cache.Cache, error) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.cache != nil {
		return v.cache, nil
	}
	versions, err := cache.New(v.manager.GetConfig(), cache.Options{
		Scheme:            v.manager.GetScheme(),
		Mapper:            v.manager.GetRESTMapper(),
		HTTPClient:        v.manager.GetHTTPClient(),
		DefaultTransform:  onlyVersion,
		DefaultNamespaces: v.namespaces,
	})
	if err != nil {
		return nil, fmt.Errorf("building a cache: %w", err)
	}
	if err := v.manager.Add(versions); err != nil {
		return nil, fmt.Errorf("adding a cache: %w", err)
	}
	v.cache = versions
	return versions, nil
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

// SecretWatch has one controller look at those who refer to a Secret when that changes.
type SecretWatch struct {
	versions   *SecretVersions
	controller controller.Controller
	handler    handler.EventHandler

	mutex   sync.Mutex
	started bool
}

// For makes the watch of a controller. It does nothing before Start.
func (v *SecretVersions) For(controller controller.Controller, handler handler.EventHandler) *SecretWatch {
	return &SecretWatch{versions: v, controller: controller, handler: handler}
}

// Start starts the watch, once. Whoever reads a Secret after it from the API server misses no change.
func (w *SecretWatch) Start() error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.started {
		return nil
	}
	versions, err := w.versions.start()
	if err != nil {
		return err
	}
	metadata := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}}
	if err := w.controller.Watch(source.Kind[client.Object](versions, metadata, w.handler)); err != nil {
		return fmt.Errorf("watching Secrets: %w", err)
	}
	w.started = true
	return nil
}
