// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/kube"
	"github.com/claviger/claviger/internal/token"
)

// revokeOne writes the object that revokes a token.
func (c *revokeCommand) revokeOne(ctx context.Context, raw string, claimed claims) error {
	api, namespace, err := c.connect()
	if err != nil {
		return err
	}
	genuine, err := c.verify(ctx, &live{api: api, namespace: namespace}, raw, claimed)
	if err != nil {
		return err
	}
	revoked := kube.NewRevokedToken(c.operatorNamespace, genuine)
	revoked.Spec.Reason = c.reason
	done := "created; the token of " + plain(orNothing(genuine.ClientID)) + " is refused within a second"
	where := fmt.Sprintf(" in namespace %s; a token service of another operator namespace does not see it", c.operatorNamespace)
	if !c.dryRun.client() {
		err = api.Create(ctx, revoked, c.dryRun.createOptions()...)
	}
	switch {
	case apierrors.IsAlreadyExists(err):
		if err := get(ctx, api, client.ObjectKeyFromObject(revoked), revoked); err != nil {
			return err
		}
		if revoked.Spec.TokenID != genuine.ID {
			return fmt.Errorf("RevokedToken %s is there already and names another token: delete it, and try again", revoked.Name)
		}
		done = "was there already; the token is refused"
	case err != nil:
		return fmt.Errorf("creating a RevokedToken in namespace %s: %w", c.operatorNamespace, err)
	}
	if *c.print.OutputFormat != "" {
		return printObject(c.Out, c.print, revoked)
	}
	c.say("%s/%s %s%s", resourceRevokedToken, revoked.Name, done+where, c.dryRun.suffix())
	return nil
}

// verify says whether the token is one of the issuer that is trusted. Where nobody can say that it goes by what the token says
// of itself, and tells: at worst a RevokedToken names a token that there never was.
func (c *revokeCommand) verify(ctx context.Context, now *live, raw string, claimed claims) (token.Claims, error) {
	err := now.readCredentials(ctx, claimed.ClientID)
	if err == nil {
		var by trusted
		if by, err = c.trust(ctx, now, claimed.ClientID); err == nil {
			genuine, err := token.Verify(raw, by.keys.ring, token.Expect{Issuer: by.issuer, Now: claimed.within(c.now())})
			if err != nil {
				return token.Claims{}, fmt.Errorf("there is nothing to revoke: this is not a token of %s that could be used: %w", by.issuer, err)
			}
			return genuine, nil
		}
	}
	if claimed.ID == "" || claimed.Expires == nil || claimed.Expires.beyond() {
		return token.Claims{}, errors.New("this is not a token of Claviger: it has no ID, or does not expire before the year 9999")
	}
	c.note("The token could not be verified, and is revoked by what it says of itself: %s", explain(err))
	return token.Claims{ID: claimed.ID, ClientID: claimed.ClientID, ExpiresAt: claimed.Expires.time()}, nil
}

// revokeAs revokes a token at the token service (RFC 7009), as the client that it was issued to.
func (c *revokeCommand) revokeAs(ctx context.Context, raw string) error {
	api, namespace, err := c.connect()
	if err != nil {
		return err
	}
	object := &v1alpha1.ClientCredential{}
	if err := get(ctx, api, client.ObjectKey{Namespace: namespace, Name: c.as}, object); err != nil {
		return err
	}
	as, err := readBinding(ctx, api, object)
	if err != nil {
		return err
	}
	written := ""
	if as.issuer != "" {
		written = as.issuer + pathRevoke
	}
	where, err := c.endpoint("", pathRevoke, written, as.caCert)
	if err != nil {
		return err
	}
	answer, err := where.postForm(ctx, as, url.Values{"token": {raw}, "token_type_hint": {"access_token"}})
	if err != nil {
		return err
	}
	if answer.status != http.StatusOK {
		return answer.failure()
	}
	c.say("nobody can use the token any more: it was one of %s and is revoked, or it was no good token before", as.clientID)
	return nil
}
