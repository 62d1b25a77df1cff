// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"sync"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ErrStale says that the cache does not yet have a write of our own. The event that brings it is on its way.
var ErrStale = errors.New("the cache is behind our own write")

// Written remembers the last write to each object until the cache has it. A decision taken on a cache that is behind our
// own write would be taken twice, and the second time wrongly. The zero value is ready for use.
type Written struct {
	versions sync.Map // written -> resourceVersion
}

type writtenKey struct {
	kind string
	key  client.ObjectKey
}

// Note notes an object as the API server answered a write.
func (w *Written) Note(kind string, object client.Object) {
	w.versions.Store(writtenKey{kind, client.ObjectKeyFromObject(object)}, object.GetResourceVersion())
}

// Check fails with ErrStale where the object, read from the cache, is older than the last write.
func (w *Written) Check(kind string, object client.Object) error {
	key := writtenKey{kind, client.ObjectKeyFromObject(object)}
	version, found := w.versions.Load(key)
	if !found {
		return nil
	}
	order, err := resourceversion.CompareResourceVersion(object.GetResourceVersion(), version.(string))
	if err == nil && order < 0 {
		return ErrStale
	}
	w.versions.CompareAndDelete(key, version)
	return nil
}

// Forget drops what is known of an object that is gone.
func (w *Written) Forget(kind string, key client.ObjectKey) {
	w.versions.Delete(writtenKey{kind, key})
}
