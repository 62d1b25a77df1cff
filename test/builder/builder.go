// SPDX-License-Identifier: Apache-2.0

// Package builder makes API objects for tests: each has the fewest fields that make it valid, and options change them.
package builder

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/claviger/claviger/api/v1alpha1"
)

// AccountOption changes an Account.
type AccountOption interface{ account(*v1alpha1.Account) }

// CredentialOption changes a ClientCredential.
type CredentialOption interface {
	credential(*v1alpha1.ClientCredential)
}

// Option changes an object of any kind.
type Option func(metadata *metav1.ObjectMeta, suspend *bool)

func (o Option) account(a *v1alpha1.Account) { o(&a.ObjectMeta, &a.Spec.Suspend) }

func (o Option) resource(r *v1alpha1.ProtectedResource) { o(&r.ObjectMeta, &r.Spec.Suspend) }

func (o Option) credential(c *v1alpha1.ClientCredential) { o(&c.ObjectMeta, &c.Spec.Suspend) }

type accountFunc func(*v1alpha1.Account)

func (f accountFunc) account(a *v1alpha1.Account) { f(a) }

type credentialFunc func(*v1alpha1.ClientCredential)

func (f credentialFunc) credential(c *v1alpha1.ClientCredential) { f(c) }

// Account makes an active Account that allows no namespace.
func Account(name string, options ...AccountOption) *v1alpha1.Account {
	account := &v1alpha1.Account{ObjectMeta: metav1.ObjectMeta{Name: name}}
	for _, option := range options {
		option.account(account)
	}
	return account
}

// ClientCredential makes a credential: console-level with scope API or, with ForAccount, account-level with scope Webhook.
func ClientCredential(namespace, name string, options ...CredentialOption) *v1alpha1.ClientCredential {
	credential := &v1alpha1.ClientCredential{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	for _, option := range options {
		option.credential(credential)
	}
	switch {
	case credential.Spec.Scopes != nil:
	case credential.Spec.AccountRef == nil:
		credential.Spec.Scopes = []v1alpha1.Scope{v1alpha1.ScopeAPI}
	default:
		credential.Spec.Scopes = []v1alpha1.Scope{v1alpha1.ScopeWebhook}
	}
	return credential
}

// UID sets metadata.uid, which an API server would choose.
func UID(uid types.UID) Option {
	return func(metadata *metav1.ObjectMeta, _ *bool) { metadata.UID = uid }
}

// Generation sets metadata.generation, which an API server would count.
func Generation(generation int64) Option {
	return func(metadata *metav1.ObjectMeta, _ *bool) { metadata.Generation = generation }
}

// CreatedAt sets metadata.creationTimestamp, which an API server would set.
func CreatedAt(at time.Time) Option {
	return func(metadata *metav1.ObjectMeta, _ *bool) { metadata.CreationTimestamp = metav1.Time{Time: at} }
}

// Annotated sets an annotation.
func Annotated(annotation, value string) Option {
	return func(metadata *metav1.ObjectMeta, _ *bool) { metav1.SetMetaDataAnnotation(metadata, annotation, value) }
}

// Deleting makes the object one that was deleted at that time and still has finalizers.
func Deleting(at time.Time) Option {
	return func(metadata *metav1.ObjectMeta, _ *bool) { metadata.DeletionTimestamp = &metav1.Time{Time: at} }
}

// Suspended sets spec.suspend.
func Suspended() Option {
	return func(_ *metav1.ObjectMeta, suspend *bool) { *suspend = true }
}

// Namespaces sets the namespaces that an Account allows by name.
func Namespaces(names ...string) AccountOption {
	return accountFunc(func(a *v1alpha1.Account) { a.Spec.Namespaces.Names = names })
}

// Selector sets the labels by which an Account allows namespaces.
func Selector(selector metav1.LabelSelector) AccountOption {
	return accountFunc(func(a *v1alpha1.Account) { a.Spec.Namespaces.Selector = &selector })
}

// Scopes sets the scopes that an Account adds to the built-in ones.
func Scopes(scopes ...v1alpha1.Scope) AccountOption {
	return accountFunc(func(a *v1alpha1.Account) { a.Spec.Scopes = scopes })
}

// DefaultTokenMinutes sets the lifetime of tokens of an Account's credentials that name none.
func DefaultTokenMinutes(minutes int32) AccountOption {
	return accountFunc(func(a *v1alpha1.Account) { a.Spec.DefaultTokenExpiryMinutes = minutes })
}

// MaxTokenMinutes bounds the lifetime of tokens of an Account's credentials.
func MaxTokenMinutes(minutes int32) AccountOption {
	return accountFunc(func(a *v1alpha1.Account) { a.Spec.MaxTokenExpiryMinutes = minutes })
}

// ForAccount makes a credential one of an account's.
func ForAccount(account string) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) {
		c.Spec.AccountRef = &v1alpha1.AccountReference{Name: account}
	})
}

// WithScopes sets a credential's scopes.
func WithScopes(scopes ...v1alpha1.Scope) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) { c.Spec.Scopes = scopes })
}

// TokenMinutes sets the lifetime of a credential's tokens.
func TokenMinutes(minutes int32) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) { c.Spec.TokenExpiryMinutes = minutes })
}

// VerifiedBy sets what a credential's secrets are verified with, which the manager would write.
func VerifiedBy(verifiers ...v1alpha1.SecretVerifier) CredentialOption {
	return credentialFunc(func(c *v1alpha1.ClientCredential) { c.Status.Verifiers = verifiers })
}
