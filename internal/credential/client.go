// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/oauth"
)

// DefaultTokenExpiryMinutes is the lifetime of a token where the credential names none: 14 days. The API server fills
// it in; objects that never passed one have it from here.
const DefaultTokenExpiryMinutes = 20160

// Client is what decides over one ClientCredential, read from the object once. It is immutable.
type Client struct {
	ID        string
	UID       types.UID
	Namespace string
	// AccountID is empty for a console-level client.
	AccountID     string
	Scopes        oauth.Scopes
	TokenLifetime time.Duration
	Verifiers     Verifiers
	suspended     bool
	deleting      bool
}

// ReadClient reads a ClientCredential.
func ReadClient(object *v1alpha1.ClientCredential) *Client {
	client := &Client{
		ID:            ClientID(object),
		UID:           object.UID,
		Namespace:     object.Namespace,
		TokenLifetime: time.Duration(object.Spec.TokenExpiryMinutes) * time.Minute,
		Verifiers:     ReadVerifiers(object.Status.Verifiers),
		suspended:     object.Spec.Suspend,
		deleting:      !object.DeletionTimestamp.IsZero(),
	}
	if client.TokenLifetime <= 0 {
		client.TokenLifetime = DefaultTokenExpiryMinutes * time.Minute
	}
	if object.Spec.AccountRef != nil {
		client.AccountID = object.Spec.AccountRef.Name
	}
	for _, scope := range object.Spec.Scopes {
		client.Scopes = append(client.Scopes, string(scope))
	}
	return client
}

// ClientID gives the client ID of a ClientCredential, "<namespace>.<name>". A namespace has no dot, so no two objects
// share one.
func ClientID(object metav1.Object) string {
	return object.GetNamespace() + "." + object.GetName()
}

// ConsoleLevel reports whether the client belongs to the platform rather than to one account.
func (c *Client) ConsoleLevel() bool { return c.AccountID == "" }

// Account is what decides over an account's credentials, read from the object once. It is immutable.
type Account struct {
	ID        string
	UID       types.UID
	suspended bool
	names     sets.Set[string]
	selector  labels.Selector
	scopes    sets.Set[string]
}

// ReadAccount reads an Account. Its error is a terminal fault that says that the namespace selector does not parse; the
// Account that comes with it selects nothing and is otherwise good.
func ReadAccount(object *v1alpha1.Account) (*Account, error) {
	account := &Account{
		ID:        object.Name,
		UID:       object.UID,
		suspended: object.Spec.Suspend || !object.DeletionTimestamp.IsZero(),
		names:     sets.New(object.Spec.Namespaces.Names...),
		selector:  labels.Nothing(),
		scopes:    sets.New(string(v1alpha1.ScopeWebhook), string(v1alpha1.ScopeMCP)),
	}
	for _, scope := range object.Spec.Scopes {
		account.scopes.Insert(string(scope))
	}
	selector, err := metav1.LabelSelectorAsSelector(object.Spec.Namespaces.Selector)
	if err != nil {
		return account, invalidSelector(err)
	}
	account.selector = selector
	return account, nil
}

// Active reports whether the account may be used at all.
func (a *Account) Active() bool { return a != nil && !a.suspended }

func (a *Account) holds(namespace Namespace) bool {
	return a.names.Has(namespace.Name) || a.selector.Matches(namespace.Labels)
}

// Namespace is what decides about a namespace.
type Namespace struct {
	Name   string
	Labels labels.Set
}
