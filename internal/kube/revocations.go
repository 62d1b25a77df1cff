// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/token"
)

// revokeTimeout bounds a revocation. It ends before the server's time for an answer does, so that the client is told.
const revokeTimeout = 5 * time.Second

// revocation is a RevokedToken. That it exists is all there is to it, so of several that name one token none outranks another.
type revocation struct{}

// Outranks implements claimant.
func (revocation) Outranks(revocation) bool { return false }

// Revoker revokes single tokens: it writes RevokedTokens, which the directories of all replicas follow.
type Revoker struct {
	// Client asks the API server and no cache.
	Client client.Client
	// Namespace is the operator's own.
	Namespace string
	// Directory is the replica's own, and refuses the token before the watch tells it to.
	Directory *Directory
}

// Revoke revokes a token until it would have expired.
func (r *Revoker) Revoke(ctx context.Context, claims token.Claims) error {
	ctx, cancel := context.WithTimeout(ctx, revokeTimeout)
	defer cancel()
	revoked := NewRevokedToken(r.Namespace, claims)
	key := client.ObjectKeyFromObject(revoked)
	err := r.Client.Create(ctx, revoked)
	if apierrors.IsAlreadyExists(err) { // another replica was asked too, or an answer of ours was lost
		err = r.Client.Get(ctx, key, revoked)
	}
	if err == nil && revoked.Spec.TokenID != claims.ID {
		err = errors.New("it names another token")
	}
	if err != nil {
		return fmt.Errorf("writing RevokedToken %s: %w", key, err)
	}
	r.Directory.Store(revoked)
	return nil
}

// NewRevokedToken makes the object that revokes a token. Its name is a function of the token ID, so that all who revoke one
// token write one object.
func NewRevokedToken(namespace string, claims token.Claims) *v1alpha1.RevokedToken {
	sum := sha256.Sum256([]byte(claims.ID))
	return &v1alpha1.RevokedToken{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: hex.EncodeToString(sum[:16])},
		Spec: v1alpha1.RevokedTokenSpec{
			TokenID:   claims.ID,
			ClientID:  claims.ClientID,
			ExpiresAt: metav1.Time{Time: claims.ExpiresAt},
		},
	}
}
