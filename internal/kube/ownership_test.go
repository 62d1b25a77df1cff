// SPDX-License-Identifier: Apache-2.0

package kube_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/test/builder"
)

const kind = "ClientCredential"

func TestOwnershipOf(t *testing.T) {
	owner := builder.ClientCredential("acme", "orders", builder.UID("now"))
	ref := func(kind, name string, uid types.UID) []metav1.OwnerReference {
		return []metav1.OwnerReference{{APIVersion: v1alpha1.GroupVersion.String(), Kind: kind, Name: name, UID: uid, Controller: new(true)}}
	}
	annotated := func(value string) map[string]string { return map[string]string{v1alpha1.AnnotationOwner: value} }
	for _, row := range []struct {
		name        string
		refs        []metav1.OwnerReference
		annotations map[string]string
		want        kube.Ownership
		names       []string
		published   bool
	}{
		{name: "nothing says whose it is", want: kube.Foreign},
		{name: "the owner reference is ours", refs: ref(kind, "orders", "now"), want: kube.Own, names: []string{"orders"}},
		{name: "it is of an earlier object", refs: ref(kind, "orders", "then"), want: kube.Earlier, names: []string{"orders"}},
		{name: "it is of another object", refs: ref(kind, "billing", "now"), want: kube.Foreign, names: []string{"billing"}},
		{name: "it is of another kind", refs: ref("Account", "orders", "now"), want: kube.Foreign},
		{
			name: "it is of another kind, whatever the annotation says",
			refs: ref("Account", "orders", "theirs"), annotations: annotated("ClientCredential/orders/now/mounted"), want: kube.Foreign,
		},
		{
			name: "an owner that controls nothing is none",
			refs: []metav1.OwnerReference{{APIVersion: v1alpha1.GroupVersion.String(), Kind: kind, Name: "orders", UID: "now"}}, want: kube.Foreign,
		},
		{name: "the annotation is ours", annotations: annotated("ClientCredential/orders/now/mounted"), want: kube.Own, names: []string{"orders"}, published: true},
		{name: "the annotation is of an earlier object", annotations: annotated("ClientCredential/orders/then/mounted"), want: kube.Earlier, names: []string{"orders"}},
		{name: "the annotation is of another object", annotations: annotated("ClientCredential/billing/now/mounted"), want: kube.Foreign, names: []string{"billing"}},
		{name: "the annotation is of the Secret that this is a copy of", annotations: annotated("ClientCredential/orders/now/original"), want: kube.Foreign},
		{name: "the annotation is of another kind", annotations: annotated("AccountConnector/orders/now/mounted"), want: kube.Foreign},
		{name: "the annotation is damaged", annotations: annotated("orders"), want: kube.Foreign},
	} {
		t.Run(row.name, func(t *testing.T) {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
				Namespace: "acme", Name: "mounted", OwnerReferences: row.refs, Annotations: row.annotations,
			}}
			if got := kube.OwnershipOf(secret, owner, kind); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
			if got := kube.OwnerNames(secret, kind); !slices.Equal(got, row.names) {
				t.Errorf("got the names %q", got)
			}
			if got := kube.IsPublished(secret, owner, kind); got != row.published {
				t.Errorf("published under this name: got %v", got)
			}
		})
	}
}
