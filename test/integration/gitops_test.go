// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/test/builder"
	"github.com/claviger/claviger/test/harness"
)

// A GitOps tool applies the manifest server-side, as a field manager of its own, again and again. It must never meet a conflict,
// never change anything by applying what is applied, and never lose a field to the manager.
var _ = Describe("a GitOps tool that applies the manifest again and again", func() {
	var (
		counter *writes
		tokens  *harness.TokenService
		name    string
	)
	BeforeEach(func(ctx context.Context) {
		counter = &writes{}
		plane.StartManager(counter.wrap)
		tokens = plane.StartTokenService()
		name = fresh()
		plane.Create(ctx, builder.Account(name, builder.Namespaces(name)))
		plane.Namespace(ctx, name, nil)
	})
	manifest := func(spec map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": v1alpha1.GroupVersion.String(), "kind": "ClientCredential",
			"metadata": map[string]any{"namespace": name, "name": "orders"}, "spec": spec,
		}}
	}
	apply := func(ctx context.Context, object *unstructured.Unstructured) string {
		GinkgoHelper()
		applied := object.DeepCopy()
		Expect(plane.API.Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner("gitops"))).To(Succeed(), "without force")
		return applied.GetResourceVersion()
	}
	whole := map[string]any{
		"accountRef": map[string]any{}, "scopes": []any{"Webhook"}, "description": "Orders", "tokenExpiryMinutes": int64(60),
		"rotation":       map[string]any{"interval": "720h", "overlap": "1h", "trigger": "one"},
		"secretTemplate": map[string]any{"name": "orders-oauth", "labels": map[string]any{"a": "b"}, "data": map[string]any{".env": "ID={{ .ClientID }}"}},
		"accessToken":    map[string]any{},
	}

	It("never fights with the manager, through every change", func(ctx context.Context) {
		whole["accountRef"] = map[string]any{"name": name}
		object := manifest(whole)
		apply(ctx, object)
		orders := builder.ClientCredential(name, "orders")
		plane.ExpectReady(ctx, orders)
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
		made := counter.concerning(name)

		version := apply(ctx, object)
		Consistently(func() string { return apply(ctx, object) }).WithTimeout(3*time.Second).WithPolling(50*time.Millisecond).
			Should(Equal(version), "applying what is applied changes nothing")
		Expect(counter.concerning(name)).To(Equal(made), "and brings on no write")

		By("a change in Git")
		Expect(unstructured.SetNestedField(object.Object, "two", "spec", "rotation", "trigger")).To(Succeed())
		apply(ctx, object)
		Eventually(settled).WithArguments(ctx, orders).Should(BeTrue())
		Eventually(tokens.Accepts).WithArguments(plane.ExpectReady(ctx, orders)).Should(BeTrue())
		apply(ctx, object)

		By("looking at who owns what")
		Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), orders)).To(Succeed())
		for _, entry := range orders.ManagedFields {
			if entry.Manager == "gitops" {
				continue
			}
			var fields map[string]any
			Expect(json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields)).To(Succeed())
			Expect(fields).To(HaveLen(1))
			Expect(fields).To(HaveKey("f:status"), "%s writes the status and nothing else", entry.Manager)
			Expect(entry.Subresource).To(Equal("status"))
		}
		Expect(liveSpec(ctx, orders)).To(Equal(object.Object["spec"]), "the spec is what Git says and what the schema adds")
	})

	It("and a manifest with the fewest fields stays one", func(ctx context.Context) {
		object := manifest(map[string]any{"accountRef": map[string]any{"name": name}, "scopes": []any{"MCP"}})
		apply(ctx, object)
		orders := builder.ClientCredential(name, "orders")
		plane.ExpectReady(ctx, orders)
		version := apply(ctx, object)
		Expect(apply(ctx, object)).To(Equal(version))
		Expect(liveSpec(ctx, orders)).To(Equal(object.Object["spec"]))
	})
})

// liveSpec gives the spec as the API server has it, without what its schema has filled in.
func liveSpec(ctx context.Context, object client.Object) any {
	GinkgoHelper()
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("ClientCredential"))
	Expect(plane.API.Get(ctx, client.ObjectKeyFromObject(object), live)).To(Succeed())
	Expect(live.Object["metadata"]).NotTo(HaveKey("finalizers"))
	spec := live.Object["spec"].(map[string]any)
	Expect(spec).To(HaveKeyWithValue("deletionPolicy", "Delete"))
	delete(spec, "deletionPolicy")
	return spec
}

var _ = It("a credential is deleted without the manager's help", func(ctx context.Context) {
	manager := plane.StartManager(nil)
	tokens := plane.StartTokenService()
	orders, credentials := readyOrders(ctx, tokens)
	Expect(manager.Stop()).To(Succeed())
	Expect(orders.Finalizers).To(BeEmpty(), "nothing holds the object up")
	Expect(plane.API.Delete(ctx, orders)).To(Succeed())
	harness.ExpectPromptly(func() bool { return tokens.Accepts(credentials) }, false)
	Expect(apierrors.IsNotFound(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), orders))).To(BeTrue())
	Eventually(func() bool {
		return apierrors.IsNotFound(plane.API.Get(ctx, client.ObjectKeyFromObject(orders), &corev1.Secret{}))
	}).Should(BeTrue(), "the garbage collector takes the Secret")
})
