// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
)

// ResourceURLIndex finds ProtectedResources by their canonical URL.
const ResourceURLIndex = "spec.url"

// IndexResources makes the index that a Lookup needs.
func IndexResources(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &v1alpha1.ProtectedResource{}, ResourceURLIndex, func(object client.Object) []string {
		return []string{credential.ReadResource(object.(*v1alpha1.ProtectedResource)).ID}
	})
	if err != nil {
		return fmt.Errorf("indexing ProtectedResources: %w", err)
	}
	return nil
}

// RegistrationIndex finds Connectors by the Secret of their app registration.
const RegistrationIndex = "spec.clientSecretRef.name" //nolint:gosec // G101: a field, not a credential

// IndexRegistrations makes that index.
func IndexRegistrations(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &v1alpha1.Connector{}, RegistrationIndex, func(object client.Object) []string {
		if ref := object.(*v1alpha1.Connector).Spec.ClientSecretRef; ref != nil {
			return []string{ref.Name}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("indexing Connectors by their app registration: %w", err)
	}
	return nil
}

// Lookup reads what verdicts depend on, from the cache of a manager.
type Lookup struct{ client.Reader }

// Namespace gives what decides about a namespace, which must exist.
func (l Lookup) Namespace(ctx context.Context, name string) (credential.Namespace, error) {
	namespace := NamespaceMetadata()
	if err := l.Get(ctx, client.ObjectKey{Name: name}, namespace); err != nil {
		return credential.Namespace{}, fmt.Errorf("reading Namespace %s: %w", name, err)
	}
	return credential.Namespace{Name: namespace.Name, Labels: labels.Set(namespace.Labels)}, nil
}

// Account finds an account by its ID; nil where there is none, or none is named.
func (l Lookup) Account(ctx context.Context, id string) (*credential.Account, error) {
	if id == "" {
		return nil, nil //nolint:nilnil // an account that is not there is nil everywhere
	}
	object := &v1alpha1.Account{}
	err := l.Get(ctx, client.ObjectKey{Name: id}, object)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading Account %s: %w", id, err)
	}
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // as above
	}
	// A selector that does not parse selects nothing; the Account's own condition says so.
	account, _ := credential.ReadAccount(object)
	return account, nil
}

// Resource gathers all that the verdict about a resource depends on.
func (l Lookup) Resource(ctx context.Context, resource *credential.Resource) (credential.ResourceSubject, error) {
	subject := credential.ResourceSubject{Resource: resource}
	holder, err := l.holder(ctx, resource.ID)
	if err != nil {
		return subject, err
	}
	if holder != nil && holder.UID != resource.UID && holder.Outranks(resource) {
		subject.Rival = holder
	}
	if subject.Namespace, err = l.Namespace(ctx, resource.Namespace); err != nil {
		return subject, err
	}
	subject.Account, err = l.Account(ctx, resource.AccountID)
	return subject, err
}

// ResourceAt finds the resource that has a canonical URL, with all that its verdict depends on.
func (l Lookup) ResourceAt(ctx context.Context, url string) (credential.ResourceSubject, bool, error) {
	holder, err := l.holder(ctx, url)
	if err != nil || holder == nil {
		return credential.ResourceSubject{}, false, err
	}
	subject, err := l.Resource(ctx, holder)
	return subject, err == nil, err
}

// holder is the one of those with a URL that has it; nil where there is none.
func (l Lookup) holder(ctx context.Context, url string) (*credential.Resource, error) {
	var claimants v1alpha1.ProtectedResourceList
	if err := l.List(ctx, &claimants, client.MatchingFields{ResourceURLIndex: url}); err != nil {
		return nil, fmt.Errorf("listing the ProtectedResources of a URL: %w", err)
	}
	var first *credential.Resource
	for i := range claimants.Items {
		if read := credential.ReadResource(&claimants.Items[i]); first == nil || read.Outranks(first) {
			first = read
		}
	}
	return first, nil
}
