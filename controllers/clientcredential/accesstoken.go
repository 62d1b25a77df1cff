// SPDX-License-Identifier: Apache-2.0

package clientcredential

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/keyring"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/render"
	"github.com/claviger/claviger/internal/token"
)

// tokenSuffix makes the default name of the Secret that holds a live token.
const tokenSuffix = "-token"

// tokenKey is the Secret that the live token is delivered in.
func (s *scope) tokenKey() client.ObjectKey {
	key := client.ObjectKeyFromObject(s.object)
	key.Name += tokenSuffix
	if wanted := s.object.Spec.AccessToken; wanted.SecretName != "" {
		key.Name = wanted.SecretName
	}
	return key
}

// tokenScopes are those of the live token.
func (s *scope) tokenScopes() oauth.Scopes {
	var scopes oauth.Scopes
	for _, scope := range s.object.Spec.AccessToken.Scopes {
		scopes = append(scopes, string(scope))
	}
	if len(scopes) == 0 {
		return s.client.Scopes
	}
	return scopes
}

// deliverToken keeps a live token in a Secret: the one that is there while it is good and in the first two thirds of its life,
// else a new one, with the very claims that the token endpoint would give.
func (r *Reconciler) deliverToken(ctx context.Context, s *scope) error {
	if s.object.Spec.AccessToken == nil {
		s.object.Status.AccessToken = nil
		return nil
	}
	key := s.tokenKey()
	ring, err := r.ring(ctx)
	if err != nil {
		return s.blocked(err)
	}
	secret, _, err := r.loadOwn(ctx, s, key)
	if err != nil {
		return s.blocked(err)
	}
	audience, err := r.tokenAudience(s)
	if err != nil {
		return s.blocked(err)
	}
	live, good, err := r.liveToken(ctx, ring, s, secret)
	if err != nil {
		return s.blocked(err)
	}
	if !good || !slices.Equal(live.audience, audience) {
		if live, err = r.newToken(ring, s, audience); err != nil {
			return s.blocked(err)
		}
	}
	_, err = r.Secrets.Publish(ctx, s.object, secret, kube.Desired{
		Key: key, Type: v1alpha1.SecretTypeBinding, Purpose: v1alpha1.PurposeAccessToken, Data: render.TokenData(live.Token), Own: map[string]string{},
	})
	if err != nil {
		return s.blocked(refusedBySchema(key.Name, err))
	}
	s.object.Status.AccessToken = &v1alpha1.AccessTokenStatus{Name: key.Name, ExpiresAt: &metav1.Time{Time: live.ExpiresAt}}
	s.wakeAt(live.replaceAt())
	return nil
}

// delivered is a token with the time it was issued.
type delivered struct {
	render.Token
	audience []string
	issuedAt time.Time
}

// replaceAt is when two thirds of the token's life are over.
func (d delivered) replaceAt() time.Time {
	return d.issuedAt.Add(d.ExpiresAt.Sub(d.issuedAt) / 3 * 2)
}

func (r *Reconciler) deliver(raw string, claims token.Claims, scopes oauth.Scopes) delivered {
	return delivered{
		Token:    render.Token{AccessToken: raw, ExpiresAt: claims.ExpiresAt, Issuer: r.Minter.Issuer, Scopes: scopes},
		audience: claims.Audience,
		issuedAt: claims.IssuedAt,
	}
}

// liveToken gives the token that a Secret holds, and reports whether it can stay: every replica would admit it, it says what a
// new one would say but for whom it is for, and it is in the first two thirds of its life.
func (r *Reconciler) liveToken(ctx context.Context, ring *keyring.Ring, s *scope, secret *corev1.Secret) (delivered, bool, error) {
	if secret == nil {
		return delivered{}, false, nil
	}
	raw := string(secret.Data[v1alpha1.SecretKeyAccessToken])
	claims, err := r.Minter.Check(ring, raw, s.subject)
	if err != nil {
		return delivered{}, false, nil //nolint:nilerr // the reason does not matter: another takes its place
	}
	var revoked v1alpha1.RevokedTokenList
	err = r.List(ctx, &revoked, client.InNamespace(r.OperatorNamespace), client.MatchingFields{tokenIDIndex: claims.ID})
	if err != nil {
		return delivered{}, false, fmt.Errorf("looking for a revocation: %w", err)
	}
	live := r.deliver(raw, claims, s.tokenScopes())
	// A token that is to die with its client secret is replaced with that, and not when it is dead.
	current := !s.client.RevokeTokensWithSecret || claims.SecretID == s.todo.Published[0].SecretID()
	good := len(revoked.Items) == 0 && current &&
		claims.Scope == s.tokenScopes().String() &&
		claims.ExpiresAt.Sub(claims.IssuedAt) == s.lifetime &&
		r.Now().Before(live.replaceAt())
	return live, good, nil
}

func (r *Reconciler) newToken(ring *keyring.Ring, s *scope, audience []string) (delivered, error) {
	grant, err := r.Minter.Mint(ring, s.subject, s.tokenScopes(), audience, s.todo.Published[0].SecretID())
	if err != nil {
		return delivered{}, fmt.Errorf("making an access token: %w", err)
	}
	claims, err := r.Minter.Check(ring, grant.AccessToken, s.subject)
	if err != nil {
		s.wakeAt(s.client.RevokeTokensBefore)
		return delivered{}, fault.Waitingf(v1alpha1.ReasonTokenNotIssued, "a token that is issued now would not be admitted; see spec.revokeTokensBefore")
	}
	return r.deliver(grant.AccessToken, claims, s.tokenScopes()), nil
}

// ring reads the signing keys.
func (r *Reconciler) ring(ctx context.Context) (*keyring.Ring, error) {
	secret := &corev1.Secret{}
	err := r.Get(ctx, client.ObjectKey{Namespace: r.OperatorNamespace, Name: v1alpha1.SigningKeysSecretName}, secret)
	if apierrors.IsNotFound(err) {
		return nil, fault.Waitingf(v1alpha1.ReasonKeysNotReady, "the operator is still making its keys")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the signing keys: %w", err)
	}
	ring, err := keyring.Decode(secret.Data)
	if err != nil {
		return nil, fault.Terminalf(v1alpha1.ReasonKeysNotReady, "Secret %s/%s: %w", r.OperatorNamespace, v1alpha1.SigningKeysSecretName, err)
	}
	return ring, nil
}
