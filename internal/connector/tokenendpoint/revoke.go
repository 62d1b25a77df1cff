// SPDX-License-Identifier: Apache-2.0

package tokenendpoint

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/claviger/claviger/internal/oauth"
	"github.com/claviger/claviger/internal/outbound"
)

// Revocation is a revocation request (RFC 7009 section 2.1).
type Revocation struct {
	// URL is the revocation endpoint.
	URL    string
	Client Credentials
	Token  oauth.Secret
	// Hint is what the token is: refresh_token or access_token.
	Hint string
}

// errNotRevoked says that the provider did not take it. RFC 7009 has 200 also for tokens that it does not know.
var errNotRevoked = errors.New("the revocation endpoint refused")

// Revoke tells a provider that a token is not used any more. Its errors quote nothing of the provider's, and no secret.
func (c *Client) Revoke(ctx context.Context, r Revocation) error {
	form := url.Values{"token": {r.Token.Reveal()}, "token_type_hint": {r.Hint}}
	basic, err := c.authenticate(Request{TokenURL: r.URL, Client: r.Client}, form)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return errURL
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("User-Agent", userAgent)
	if basic != "" {
		request.Header.Set("Authorization", basic)
	}
	response, err := c.HTTP.Do(request) //nolint:bodyclose // ReadBody closes it
	if err != nil {
		return fmt.Errorf("revoking a token: %w", err)
	}
	if _, err := outbound.ReadBody(response, maxBody); err != nil {
		return fmt.Errorf("revoking a token: %w", err)
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("%w: status %d", errNotRevoked, response.StatusCode)
	}
	return nil
}
