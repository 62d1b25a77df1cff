// SPDX-License-Identifier: Apache-2.0

package accountconnector

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/connector"
	"github.com/claviger/claviger/internal/connector/setup"
	"github.com/claviger/claviger/internal/connector/tokenendpoint"
	"github.com/claviger/claviger/internal/fault"
	"github.com/claviger/claviger/internal/kube"
)

// revokeWithin bounds how long a provider may hold up a deletion, for each token.
const revokeWithin = 10 * time.Second

// end ends the grant of an object that is being deleted, and lets it go. The provider may be away, the Connector gone, and so may be the
// Secrets of a namespace that is deleted whole: no deletion waits for any of them.
func (r *Reconciler) end(ctx context.Context, s *scope) error {
	if !controllerutil.ContainsFinalizer(s.object, finalizer) {
		return nil
	}
	kept, err := r.Grants.Load(ctx, s.grantName())
	switch {
	case err == nil:
		err = r.revokeKept(ctx, s.object.Spec.ConnectorRef.Name, kept)
		if apierrors.ReasonForError(err) != "" { // the API server's: it is asked again
			return err
		}
		if err != nil {
			r.notRevoked(s, err)
		}
	case !errors.Is(err, connector.ErrGone) && !errors.Is(err, connector.ErrDamaged):
		return err
	}
	// Only what was seen: whoever has signed in meanwhile has a grant that is to be revoked too.
	if err := r.Grants.Delete(ctx, s.grantName(), kept.Version); err != nil {
		return err
	}
	r.Keeper.Forget(s.grantName())
	controllerutil.RemoveFinalizer(s.object, finalizer)
	if err := r.Patch(ctx, s.object, client.MergeFrom(s.stored)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("removing the finalizer of AccountConnector %s: %w", client.ObjectKeyFromObject(s.object), err)
	}
	return nil
}

// revokeKept tells the provider that a grant has ended, and that nobody will confirm a sign-in, by what is kept beside them. It fails with
// a fault, with what the provider's refusal was, or with what the API server said.
func (r *Reconciler) revokeKept(ctx context.Context, through string, kept connector.Kept) error {
	of := &v1alpha1.Connector{}
	err := r.Get(ctx, client.ObjectKey{Name: through}, of)
	if apierrors.IsNotFound(err) {
		return fault.Waitingf(v1alpha1.ReasonConnectorNotFound, "Connector %s does not exist", through)
	}
	if err != nil {
		return fmt.Errorf("reading Connector %s: %w", through, err)
	}
	registrations := kube.Registrations{Live: r.Secrets.Live, Namespace: r.Grants.Namespace}
	made, err := setup.Resolve(of, nil, kept.Properties, func() (setup.Registration, error) { return registrations.Read(ctx, of) })
	if err != nil {
		return err
	}
	err = r.tellRevoked(ctx, made, connector.Tokens{Refresh: kept.Record.RefreshToken, Access: kept.Record.AccessToken})
	if kept.Pending != nil {
		err = errors.Join(err, r.tellRevoked(ctx, made, kept.Pending.Tokens))
	}
	return err
}

// revoke tells the provider that tokens are not used any more. Best effort.
func (r *Reconciler) revoke(ctx context.Context, s *scope, tokens connector.Tokens) {
	if err := r.tellRevoked(ctx, s.setup, tokens); err != nil {
		r.notRevoked(s, err)
	}
}

func (r *Reconciler) notRevoked(s *scope, err error) {
	r.Recorder.Eventf(s.object, nil, "Warning", "RevocationFailed", "Revoke", "The provider was not told that the grant has ended: %v", err)
}

// tellRevoked revokes the refresh token, which ends the grant, or else the access token (RFC 7009 section 2.1).
func (r *Reconciler) tellRevoked(ctx context.Context, provider setup.Setup, tokens connector.Tokens) error {
	token, hint := tokens.Refresh, "refresh_token"
	if token.Reveal() == "" {
		token, hint = tokens.Access, "access_token"
	}
	if provider.RevocationURL == "" || token.Reveal() == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, revokeWithin)
	defer cancel()
	return r.Endpoint.Revoke(ctx, tokenendpoint.Revocation{URL: provider.RevocationURL, Client: provider.Request.Client, Token: token, Hint: hint})
}
