// SPDX-License-Identifier: Apache-2.0

package kube_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/test/builder"
)

func TestDirectory(t *testing.T) {
	namespace := func(labels map[string]string) *metav1.PartialObjectMetadata {
		metadata := kube.NamespaceMetadata()
		metadata.Name, metadata.Labels = "acme", labels
		return metadata
	}
	var directory kube.Directory
	if _, found := directory.Subject("acme.orders"); found {
		t.Fatal("an empty directory knows a client")
	}
	directory.Store(builder.ClientCredential("acme", "orders", builder.ForAccount("acme")))
	subject, found := directory.Subject("acme.orders")
	if !found || subject.Account != nil || subject.Namespace.Name != "acme" {
		t.Fatalf("a client before its account and namespace: %+v", subject)
	}
	directory.Store(builder.Account("acme"))
	directory.Store(namespace(map[string]string{"team": "acme"}))
	subject, _ = directory.Subject("acme.orders")
	if subject.Account == nil || subject.Namespace.Labels["team"] != "acme" {
		t.Fatalf("a client with its account and namespace: %+v", subject)
	}
	directory.Store(builder.ClientCredential("acme", "console"))
	if subject, _ := directory.Subject("acme.console"); subject.Account != nil {
		t.Error("a console-level client has the account of its namespace's name")
	}

	// A watch that was interrupted tells of a deletion in this way.
	directory.Forget(toolscache.DeletedFinalStateUnknown{Key: "acme", Obj: builder.Account("acme")})
	directory.Forget(namespace(nil))
	if subject, _ := directory.Subject("acme.orders"); subject.Account != nil || subject.Namespace.Labels != nil {
		t.Errorf("what was deleted is still there: %+v", subject)
	}
	directory.Forget(builder.ClientCredential("acme", "orders"))
	if _, found := directory.Subject("acme.orders"); found {
		t.Error("a client that was deleted is still there")
	}
}
