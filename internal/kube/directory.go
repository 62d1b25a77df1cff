// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
)

// Directory holds every client, account, namespace and revoked token as the API server last told, each read from its object
// once. Look-ups take no lock and make no call; they go on answering while the API server is away.
type Directory struct {
	clients    claims[*credential.Client] // by client ID
	accounts   sync.Map                   // account ID -> *credential.Account
	namespaces sync.Map                   // name -> credential.Namespace
	revoked    claims[revocation]         // by token ID

	resources    sync.Map                     // "<namespace>/<name>" -> *credential.Resource
	resourceURLs claims[*credential.Resource] // by canonical URL

	feeds  []toolscache.ResourceEventHandlerRegistration
	synced atomic.Bool
}

// Synced reports whether all that existed when Follow was called has been taken in.
func (d *Directory) Synced() bool {
	if d.synced.Load() {
		return true
	}
	for _, feed := range d.feeds {
		if !feed.HasSynced() {
			return false
		}
	}
	d.synced.Store(true)
	return true
}

// Subject finds a client by its ID, with all that its verdict depends on. Where several claim the ID it is the one that has it.
func (d *Directory) Subject(clientID string) (credential.Subject, bool) {
	client, ok := d.clients.load(clientID)
	if !ok {
		return credential.Subject{}, false
	}
	subject := credential.Subject{Client: client, Namespace: d.Namespace(client.Namespace)}
	if !subject.Client.ConsoleLevel() {
		subject.Account = d.Account(subject.Client.AccountID)
	}
	return subject, true
}

// Namespace gives what decides about a namespace; one that is not known has no labels.
func (d *Directory) Namespace(name string) credential.Namespace {
	if namespace, ok := d.namespaces.Load(name); ok {
		return namespace.(credential.Namespace)
	}
	return credential.Namespace{Name: name}
}

// Resource finds a protected resource by its name, "<namespace>/<name>", with all that its verdict depends on.
func (d *Directory) Resource(name string) (credential.ResourceSubject, bool) {
	found, ok := d.resources.Load(name)
	if !ok {
		return credential.ResourceSubject{}, false
	}
	resource := found.(*credential.Resource)
	subject := d.resourceSubject(resource)
	if holder, ok := d.resourceURLs.load(resource.ID); ok && holder.Name != resource.Name {
		subject.Rival = holder
	}
	return subject, true
}

// ResourceAt finds a protected resource by its canonical URL, see [oauth.CanonicalResource]. Where several claim the URL it is the
// one that has it.
func (d *Directory) ResourceAt(url string) (credential.ResourceSubject, bool) {
	resource, ok := d.resourceURLs.load(url)
	if !ok {
		return credential.ResourceSubject{}, false
	}
	return d.resourceSubject(resource), true
}

func (d *Directory) resourceSubject(resource *credential.Resource) credential.ResourceSubject {
	subject := credential.ResourceSubject{Resource: resource, Namespace: d.Namespace(resource.Namespace)}
	if !resource.ConsoleLevel() {
		subject.Account = d.Account(resource.AccountID)
	}
	return subject
}

// Account finds an account by its ID; nil where there is none.
func (d *Directory) Account(accountID string) *credential.Account {
	if account, ok := d.accounts.Load(accountID); ok {
		return account.(*credential.Account)
	}
	return nil
}

// Revoked reports whether there is a RevokedToken of that token ID.
func (d *Directory) Revoked(tokenID string) bool {
	_, revoked := d.revoked.load(tokenID)
	return revoked
}

// Store takes in an object as it is now: a ClientCredential, an Account, a ProtectedResource, a RevokedToken, or the metadata of a Namespace. Others
// are ignored.
func (d *Directory) Store(object any) {
	switch object := object.(type) {
	case *v1alpha1.ClientCredential:
		read := credential.ReadClient(object)
		d.clients.store(client.ObjectKeyFromObject(object), read.ID, read)
	case *v1alpha1.Account:
		// A selector that does not parse selects nothing; the Account's own condition says so.
		account, _ := credential.ReadAccount(object)
		d.accounts.Store(account.ID, account)
	case *v1alpha1.ProtectedResource:
		read := credential.ReadResource(object)
		d.resourceURLs.store(client.ObjectKeyFromObject(object), read.ID, read)
		d.resources.Store(read.Name, read)
	case *v1alpha1.RevokedToken:
		d.revoked.store(client.ObjectKeyFromObject(object), object.Spec.TokenID, revocation{})
	case *metav1.PartialObjectMetadata:
		d.namespaces.Store(object.Name, credential.Namespace{Name: object.Name, Labels: labels.Set(object.Labels)})
	}
}

// Forget drops an object that is gone.
func (d *Directory) Forget(object any) {
	switch object := object.(type) {
	case *v1alpha1.ClientCredential:
		d.clients.forget(client.ObjectKeyFromObject(object))
	case *v1alpha1.Account:
		d.accounts.Delete(object.Name)
	case *v1alpha1.ProtectedResource:
		d.resources.Delete(object.Namespace + "/" + object.Name)
		d.resourceURLs.forget(client.ObjectKeyFromObject(object))
	case *v1alpha1.RevokedToken:
		d.revoked.forget(client.ObjectKeyFromObject(object))
	case *metav1.PartialObjectMetadata:
		d.namespaces.Delete(object.Name)
	case toolscache.DeletedFinalStateUnknown:
		d.Forget(object.Obj)
	}
}

// Follow keeps the directory up to date from a cache, which holds RevokedTokens of the operator's namespace only. It is called
// once, before anything else.
func (d *Directory) Follow(ctx context.Context, informers cache.Informers) error {
	for _, object := range []client.Object{
		&v1alpha1.ClientCredential{}, &v1alpha1.Account{}, &v1alpha1.ProtectedResource{}, &v1alpha1.RevokedToken{}, NamespaceMetadata(),
	} {
		informer, err := informers.GetInformer(ctx, object, cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("watching %T: %w", object, err)
		}
		feed, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc:    d.Store,
			UpdateFunc: func(_, object any) { d.Store(object) },
			DeleteFunc: d.Forget,
		})
		if err != nil {
			return fmt.Errorf("watching %T: %w", object, err)
		}
		d.feeds = append(d.feeds, feed)
	}
	return nil
}

// NamespaceMetadata is a Namespace of which only the metadata is read.
func NamespaceMetadata() *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}}
}
