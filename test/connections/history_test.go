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

// history knows every reason that condition RefreshHealthy of a namespace's connections ever had. Some have gone by the time a test
// looks.
type history struct {
	mutex   sync.Mutex
	reasons map[string][]string
}

// follow watches from now on, until the spec ends.
func (h *history) follow(namespace string) {
	GinkgoHelper()
	api, err := client.NewWithWatch(plane.Admin(), client.Options{Scheme: plane.API.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	h.reasons = map[string][]string{}
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
	had := h.reasons[object.Name]
	if len(had) == 0 || had[len(had)-1] != found.Reason {
		h.reasons[object.Name] = append(had, found.Reason)
	}
}

func (h *history) of(name string) []string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return slices.Clone(h.reasons[name])
}

func (h *history) had(name string, reasons []string) bool {
	return slices.ContainsFunc(h.of(name), func(reason string) bool { return slices.Contains(reasons, reason) })
}
