// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/assertion"
	"github.com/claviger/claviger/internal/oauth"
)

// Lifetimes of tokens, in minutes.
const (
	// DefaultTokenExpiryMinutes is used where neither the credential nor its Account names a lifetime: 14 days.
	DefaultTokenExpiryMinutes = 20160
	// LongestTokenExpiryMinutes is the API's bound: a year.
	LongestTokenExpiryMinutes = 525600
)

// Client is what decides over one ClientCredential, read from the object once. It is immutable.
type Client struct {
	ID        string
	UID       types.UID
	Namespace string
	// AccountID is empty for a console-level client.
	AccountID string
	Scopes    oauth.Scopes
	// Resources are the canonical URLs of the only resources that its tokens are for. Empty: any that it may call.
	Resources []string
	Verifiers Verifiers
	// Keys verify the assertions that the client signs.
	Keys assertion.Keys
	// KeysErr is a terminal fault that says which of the keys in the spec are no good, or nil. Those that are good are in Keys.
	KeysErr error
	// ServiceAccounts of its namespace may authenticate as the client.
	ServiceAccounts []string
	// RevokeTokensBefore kills tokens that were issued before it. Zero kills none.
	RevokeTokensBefore time.Time
	// RevokeTokensWithSecret kills tokens when the secret that they were taken with stops working.
	RevokeTokensWithSecret bool

	createdAt time.Time
	// tokenLifetime is zero where the credential names none; see Rules.TokenLifetime.
	tokenLifetime time.Duration
	suspended     bool
	deleting      bool
}

// ReadClient reads a ClientCredential.
func ReadClient(object *v1alpha1.ClientCredential) *Client {
	client := &Client{
		ID:            ClientID(object),
		UID:           object.UID,
		Namespace:     object.Namespace,
		Verifiers:     ReadVerifiers(object.Status.Verifiers),
		createdAt:     object.CreationTimestamp.Time,
		tokenLifetime: minutes(object.Spec.TokenExpiryMinutes),
		suspended:     object.Spec.Suspend,
		deleting:      !object.DeletionTimestamp.IsZero(),
	}
	if before := object.Spec.RevokeTokensBefore; before != nil {
		client.RevokeTokensBefore = before.Time
	}
	if rotation := object.Spec.Rotation; rotation != nil {
		client.RevokeTokensWithSecret = rotation.RevokeTokens
	}
	if object.Spec.AccountRef != nil {
		client.AccountID = object.Spec.AccountRef.Name
	}
	for _, scope := range object.Spec.Scopes {
		client.Scopes = append(client.Scopes, string(scope))
	}
	client.readKeys(object.Spec)
	for _, name := range object.Spec.ServiceAccounts {
		client.ServiceAccounts = append(client.ServiceAccounts, string(name))
	}
	for _, url := range object.Spec.Resources {
		client.Resources = append(client.Resources, resourceID(url))
	}
	return client
}

// minutes: an object that never passed an API server may have a count below zero, which is none.
func minutes(count int32) time.Duration { return time.Duration(max(count, 0)) * time.Minute }

// ClientID gives the client ID of a ClientCredential: the one that its spec names; else the one that it has had since it was
// first reconciled; else "<namespace>.<name>". A namespace has no dot, so no two objects share one of the last kind.
func ClientID(object *v1alpha1.ClientCredential) string {
	switch {
	case object.Spec.ClientID != "":
		return object.Spec.ClientID
	case object.Status.ClientID != "":
		return object.Status.ClientID
	default:
		return object.Namespace + "." + object.Name
	}
}

// Outranks reports whether this client has the client ID that both claim: one in the namespace that the ID begins with
// before any other, so that nobody takes the ID that somebody else's object will have; then the older; then, for two of the
// same second, the one whose UID sorts first.
func (c *Client) Outranks(other *Client) bool {
	if c.home() != other.home() {
		return c.home()
	}
	return older(c.createdAt, other.createdAt, c.UID, other.UID)
}

// home reports whether the client stands in the namespace that its ID begins with.
func (c *Client) home() bool { return strings.HasPrefix(c.ID, c.Namespace+".") }

// ConsoleLevel reports whether the client belongs to the platform rather than to one account.
func (c *Client) ConsoleLevel() bool { return c.AccountID == "" }

// MayHaveTokensFor reports whether the client's tokens may be for a resource: one of its own account or, for a console-level
// client, of the console, and one that it names where it names any.
func (c *Client) MayHaveTokensFor(resource *Resource) bool {
	return c.AccountID == resource.AccountID && c.Names(resource)
}

// Names reports whether the resource is one of those that the client names, or the client names none.
func (c *Client) Names(resource *Resource) bool {
	return len(c.Resources) == 0 || slices.Contains(c.Resources, resource.ID)
}

// Account is what decides over an account's credentials, read from the object once. It is immutable.
type Account struct {
	ID        string
	UID       types.UID
	suspended bool
	names     sets.Set[string]
	selector  labels.Selector
	scopes    sets.Set[string]
	// defaultTokenLifetime and maxTokenLifetime are zero where the Account names none.
	defaultTokenLifetime, maxTokenLifetime time.Duration
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

		defaultTokenLifetime: minutes(object.Spec.DefaultTokenExpiryMinutes),
		maxTokenLifetime:     minutes(object.Spec.MaxTokenExpiryMinutes),
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

// Holds reports whether the account names the namespace.
func (a *Account) Holds(namespace Namespace) bool {
	return a.names.Has(namespace.Name) || a.selector.Matches(namespace.Labels)
}

// Namespace is what decides about a namespace.
type Namespace struct {
	Name   string
	Labels labels.Set
}
