// SPDX-License-Identifier: Apache-2.0

package connections

import (
	"context"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
)

// history knows all that condition RefreshHealthy of a namespace's connections ever said. Some of it has gone by the time a test looks.
type history struct {
	mutex sync.Mutex
	told  map[string][]telling
}

// telling is what the condition said at one time.
type telling struct{ Reason, Message string }

// follow watches from now on, until the spec ends.
func (h *history) follow(namespace string) {
	GinkgoHelper()
	api, err := client.NewWithWatch(plane.Admin(), client.Options{Scheme: plane.API.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	h.forget()
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	watch, err := api.Watch(ctx, &v1alpha1.AccountConnectorList{}, client.InNamespace(namespace))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(watch.Stop)
	go func() {
		for event := range watch.ResultChan() {
			if object, is := event.Object.(*v1alpha1.AccountConnector); is {
				h.note(object)
			}
		}
	}()
}

func (h *history) note(object *v1alpha1.AccountConnector) {
	found := meta.FindStatusCondition(object.Status.Conditions, v1alpha1.ConditionRefreshHealthy)
	if found == nil {
		return
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	now, had := telling{found.Reason, found.Message}, h.told[object.Name]
	if len(had) == 0 || had[len(had)-1] != now {
		h.told[object.Name] = append(had, now)
	}
}

// forget begins anew: what was said until now says nothing of what comes.
func (h *history) forget() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.told = map[string][]telling{}
}

func (h *history) of(name string) []telling {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return slices.Clone(h.told[name])
}
