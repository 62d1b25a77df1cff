// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/oauth"
)

// Paths of the connect service.
const (
	pathSignIn      = "/connectorauth/updateaccountconnectoroauth"
	pathSignInToken = "/v1.0/accounts/%s/signintoken" //nolint:gosec // G101: a path, not a credential
)

// link is a sign-in link. Its URL is a secret of the user that it is made for.
type link struct {
	url     string
	expires time.Time
}

// makeLink makes one as a host's backend does: with a console-level token, restricted to the account.
func (c *connectCommand) makeLink(ctx context.Context, api client.Reader, wish plan) (link, error) {
	as, err := c.console(ctx, api, wish.connection.Namespace)
	if err != nil {
		return link{}, err
	}
	tokenURL, err := c.endpoint("", pathToken, as.tokenURL, as.caCert)
	if err != nil {
		return link{}, err
	}
	base, err := c.connectBase(as)
	if err != nil {
		return link{}, err
	}
	account := wish.connection.Spec.AccountRef.Name
	body, err := takeToken(ctx, tokenURL, as, url.Values{"scope": {string(v1alpha1.ScopeAPI) + " " + v1alpha1.ScopeAccountPrefix + account}})
	if err != nil {
		return link{}, fmt.Errorf("taking a console-level token: %w", err)
	}
	bearer, err := accessToken(body)
	if err != nil {
		return link{}, err
	}
	where := endpoint{
		service: errConnect, url: base.Endpoint(fmt.Sprintf(pathSignInToken, url.PathEscape(account))),
		caCert: tokenURL.caCert, allowPlainHTTP: c.allowPlainHTTP,
	}
	issued, err := takeSignInToken(ctx, where, bearer, wish)
	if err != nil {
		return link{}, err
	}
	query := url.Values{"id": {wish.connection.Status.ID}, "token": {issued.Token}, "targetOrigin": {wish.target}}
	return link{url: base.Endpoint(pathSignIn) + "?" + query.Encode(), expires: issued.ExpiresAtUtc}, nil
}

// connectBase is where the connect service is.
func (c *connectCommand) connectBase(as binding) (oauth.IssuerURL, error) {
	written := cmp.Or(c.connectURL, c.issuer, as.issuer)
	if written == "" {
		return oauth.IssuerURL{}, errors.New("nobody says where the connect service is; give --connect-url")
	}
	base, err := oauth.ParseIssuerURL(written, c.allowPlainHTTP)
	if err != nil {
		return oauth.IssuerURL{}, fmt.Errorf("%w: --connect-url: %w", errConnect, err)
	}
	return base, nil
}

// signInToken is the connect service's answer.
type signInToken struct {
	Token        string    `json:"Token"`
	ExpiresAtUtc time.Time `json:"ExpiresAtUtc"`
}

func takeSignInToken(ctx context.Context, where endpoint, bearer string, wish plan) (signInToken, error) {
	got, err := where.postJSON(ctx, bearer, map[string]string{
		"Username": wish.user, "AccountConnectorId": wish.connection.Status.ID, "TargetOrigin": wish.target,
	})
	if err != nil {
		return signInToken{}, err
	}
	if got.status != http.StatusOK {
		return signInToken{}, fmt.Errorf("no sign-in link is made for user %s, ending at %s: %w\nChoose others with --user and --target-origin",
			plain(wish.user), plain(wish.target), got.failure())
	}
	var issued signInToken
	if err := json.Unmarshal(got.body, &issued); err != nil || issued.Token == "" {
		return signInToken{}, errors.New("the connect service answered without a sign-in token: is this its URL?")
	}
	return issued, nil
}
