// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/credential"
	"github.com/claviger/claviger/internal/kube"
)

// live is what the cluster says now of one token: the objects that its verdict depends on, and no others.
type live struct {
	api client.Reader
	// namespace is looked in where not all may be.
	namespace string
	// operatorNamespace is the one whose RevokedTokens count.
	operatorNamespace string

	directory *kube.Directory
	// credentials are those that claim the token's client ID.
	credentials []*v1alpha1.ClientCredential
	// unseen says what the user may not read, so that a verdict may miss it.
	unseen []string
	// partial is true where not all credentials were seen.
	partial bool
}

// read reads all that concerns a client ID and, for a token that is restricted to one, an account.
func (l *live) read(ctx context.Context, clientID, account string) error {
	accounts := map[string]bool{account: true}
	if err := l.readCredentials(ctx, clientID); err != nil {
		return err
	}
	for _, object := range l.credentials {
		if object.Spec.AccountRef != nil {
			accounts[object.Spec.AccountRef.Name] = true
		}
		if err := l.readNamespace(ctx, object.Namespace); err != nil {
			return err
		}
	}
	for name := range accounts {
		if err := l.readAccount(ctx, name); err != nil {
			return err
		}
	}
	return l.readRevocations(ctx)
}

// readCredentials reads those that claim a client ID.
func (l *live) readCredentials(ctx context.Context, clientID string) error {
	l.directory = &kube.Directory{}
	list, err := listCredentials(ctx, l.api, "", "")
	if apierrors.IsForbidden(err) {
		l.partial = true
		l.unseen = append(l.unseen, "credentials outside namespace "+l.namespace)
		list, err = listCredentials(ctx, l.api, l.namespace, "")
	}
	if err != nil {
		return err
	}
	for i := range list.Items {
		if credential.ClientID(&list.Items[i]) == clientID {
			l.credentials = append(l.credentials, &list.Items[i])
			l.directory.Store(&list.Items[i])
		}
	}
	return nil
}

func (l *live) readNamespace(ctx context.Context, name string) error {
	namespace := kube.NamespaceMetadata()
	namespace.Name = name
	err := l.api.Get(ctx, client.ObjectKey{Name: name}, namespace)
	switch {
	case apierrors.IsForbidden(err):
		l.unseen = append(l.unseen, "labels of namespace "+name)
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("reading Namespace %s: %w", name, err)
	}
	l.directory.Store(namespace)
	return nil
}

// readAccount reads an account that may not exist.
func (l *live) readAccount(ctx context.Context, name string) error {
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		return nil // no account can have that name
	}
	account := &v1alpha1.Account{}
	err := l.api.Get(ctx, client.ObjectKey{Name: name}, account)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case apierrors.IsForbidden(err):
		return fmt.Errorf("the verdict depends on Account %s, which you may not read; the platform team can bind ClusterRole claviger-account-view to you: %w", name, err)
	case err != nil:
		return fmt.Errorf("reading Account %s: %w", name, err)
	}
	l.directory.Store(account)
	return nil
}

func (l *live) readRevocations(ctx context.Context) error {
	list := &v1alpha1.RevokedTokenList{}
	err := l.api.List(ctx, list, client.InNamespace(l.operatorNamespace))
	switch {
	case apierrors.IsForbidden(err):
		l.unseen = append(l.unseen, "revoked tokens, in namespace "+l.operatorNamespace)
	case err != nil:
		return fmt.Errorf("listing revoked tokens: %w", err)
	}
	for i := range list.Items {
		l.directory.Store(&list.Items[i])
	}
	return nil
}

// nobody says that no credential has a client ID, or only none that the user may see.
func (l *live) nobody(clientID string) string {
	if l.partial {
		return "you see no credential of the client ID " + orNothing(plain(clientID)) + "; one outside namespace " + l.namespace + " may have it"
	}
	return "no credential has the client ID " + orNothing(plain(clientID)) + ", so none of its tokens is good anywhere"
}

// holder finds the credential that has the client ID: of several that claim it, the one that the token service believes.
func (l *live) holder(clientID string) (*v1alpha1.ClientCredential, bool) {
	subject, found := l.directory.Subject(clientID)
	if !found {
		return nil, false
	}
	for _, object := range l.credentials {
		if object.UID == subject.Client.UID {
			return object, true
		}
	}
	return nil, false
}
