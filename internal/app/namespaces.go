// SPDX-License-Identifier: Apache-2.0

package app

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// watched gives the namespaces whose objects count: those of --watch-namespaces, the operator's own, those of the console, and more. Nil:
// all there are.
func (o *Common) watched(more ...string) map[string]cache.Config {
	if len(o.WatchNamespaces) == 0 {
		return nil
	}
	namespaces := map[string]cache.Config{o.Namespace: {}}
	for _, some := range [][]string{o.WatchNamespaces, o.ConsoleNamespaces, more} {
		for _, namespace := range some {
			namespaces[namespace] = cache.Config{}
		}
	}
	return namespaces
}

// newCache makes a cache in which other namespaces than the default ones are empty. To ask it for what is in one of them would be an
// error else, and names of namespaces come from users.
func newCache(config *rest.Config, options cache.Options) (cache.Cache, error) {
	objects, err := cache.New(config, options)
	if err != nil || options.DefaultNamespaces == nil {
		return objects, err //nolint:wrapcheck // as cache.New, which it stands in for
	}
	return &namespacedCache{Cache: objects, namespaces: options.DefaultNamespaces}, nil
}

type namespacedCache struct {
	cache.Cache
	namespaces map[string]cache.Config
}

func (c *namespacedCache) empty(namespace string) bool {
	_, watched := c.namespaces[namespace]
	return namespace != "" && !watched
}

// Get implements client.Reader.
func (c *namespacedCache) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if c.empty(key.Namespace) {
		return apierrors.NewNotFound(schema.GroupResource{Resource: "objects"}, key.Name) //nolint:wrapcheck // the API server's own error
	}
	return c.Cache.Get(ctx, key, object, options...) //nolint:wrapcheck // a decorator
}

// List implements client.Reader.
func (c *namespacedCache) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	applied := client.ListOptions{}
	if c.empty(applied.ApplyOptions(options).Namespace) {
		return meta.SetList(list, nil) //nolint:wrapcheck // a decorator
	}
	return c.Cache.List(ctx, list, options...) //nolint:wrapcheck // a decorator
}
