// SPDX-License-Identifier: Apache-2.0

// Package discovery reads what an issuer publishes of its endpoints (RFC 8414, OpenID Connect Discovery 1.0). What it gives decides
// where client secrets are sent, so a document counts only where it is the issuer's own and all of its URLs can be used.
package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/claviger/claviger/internal/egress"
	"github.com/claviger/claviger/internal/outbound"
)

const (
	// maxBody bounds a document, in bytes. Those of large providers have a few thousand.
	maxBody = 256 << 10
	// longestURL is how long a URL of a Connector may be.
	longestURL = 2048
	userAgent  = "Claviger"
)

// Endpoints are those that an issuer publishes (RFC 8414 section 2). What it does not publish is empty.
type Endpoints struct {
	Authorization, Token, Revocation string
	// IssInAnswers says that every answer of the authorization endpoint has iss (RFC 9207 section 3).
	IssInAnswers bool
}

// Client reads documents. It is safe for concurrent use.
type Client struct {
	HTTP *egress.Client
	// AllowHTTP lets endpoints be http.
	AllowHTTP bool
}

// document is what is read of one. Other members are for others.
type document struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
	IssInAnswers  bool   `json:"authorization_response_iss_parameter_supported"`
}

// Errors of a document. None quotes it: it is the provider's text.
var (
	errNotFound  = errors.New("there is no such document")
	errRefused   = errors.New("no document was given")
	errNoObject  = errors.New("the document is no JSON object, or a member of it is of another type")
	errNotOwn    = errors.New("the issuer in the document is another")
	errNoTokens  = errors.New("the document has no token_endpoint")
	errIssuerURL = errors.New("the issuer is no URL that endpoints can be discovered at")
)

// Discover reads what an issuer publishes: at the place of RFC 8414 section 3.1 or, where there is nothing to be used, at that of
// OpenID Connect Discovery section 4. Its error says for people what is wrong with each.
func (c *Client) Discover(ctx context.Context, issuer string) (Endpoints, error) {
	places, err := wellKnown(issuer)
	if err != nil {
		return Endpoints{}, err
	}
	var mistakes []string
	for _, place := range places {
		found, err := c.read(ctx, place.url, issuer)
		if err == nil {
			return found, nil
		}
		mistakes = append(mistakes, place.name+": "+err.Error())
		if errors.Is(err, egress.ErrNotSent) || errors.Is(err, egress.ErrTimeout) {
			break // it is the same host
		}
	}
	return Endpoints{}, errors.New(strings.Join(mistakes, "; "))
}

type place struct{ name, url string }

// wellKnown gives where an issuer may publish its endpoints. The one puts the well-known part between host and path, the other
// behind the path.
func wellKnown(issuer string) ([]place, error) {
	const oauth, openID = "oauth-authorization-server", "openid-configuration"
	parsed, err := url.Parse(issuer)
	if err != nil || parsed.Host == "" || parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" {
		return nil, errIssuerURL
	}
	origin, path := parsed.Scheme+"://"+parsed.Host, strings.TrimSuffix(parsed.EscapedPath(), "/")
	return []place{
		{oauth, origin + "/.well-known/" + oauth + path},
		{openID, origin + path + "/.well-known/" + openID},
	}, nil
}

func (c *Client) read(ctx context.Context, place, issuer string) (Endpoints, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place, http.NoBody)
	if err != nil {
		return Endpoints{}, errIssuerURL // the library's quotes it
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", userAgent)
	response, err := c.HTTP.Do(request) //nolint:bodyclose // ReadBody closes it
	if err != nil {
		return Endpoints{}, err
	}
	body, err := outbound.ReadBody(response, maxBody)
	switch {
	case err != nil:
		return Endpoints{}, err
	case response.StatusCode == http.StatusNotFound:
		return Endpoints{}, errNotFound
	case response.StatusCode != http.StatusOK:
		return Endpoints{}, fmt.Errorf("%w: status %d", errRefused, response.StatusCode)
	}
	var read document
	if json.Unmarshal(body, &read) != nil {
		return Endpoints{}, errNoObject
	}
	return c.judge(read, issuer)
}

// judge checks a document:
//   - its issuer is the one that was asked, byte for byte (RFC 8414 section 3.3): else whoever may publish something at that host
//     could speak for it;
//   - it has a token endpoint, without which nothing can be done;
//   - its URLs are https, unless the operator allows http, and such as a Connector may name, without a property in them.
func (c *Client) judge(read document, issuer string) (Endpoints, error) {
	switch {
	case read.Issuer != issuer:
		return Endpoints{}, errNotOwn
	case read.Token == "":
		return Endpoints{}, errNoTokens
	}
	for _, endpoint := range []struct{ name, url string }{
		{"authorization_endpoint", read.Authorization}, {"token_endpoint", read.Token}, {"revocation_endpoint", read.Revocation},
	} {
		if endpoint.url != "" && !c.usable(endpoint.url) {
			return Endpoints{}, fmt.Errorf("%s %w", endpoint.name, errURL)
		}
	}
	return Endpoints{Authorization: read.Authorization, Token: read.Token, Revocation: read.Revocation, IssInAnswers: read.IssInAnswers}, nil
}

var errURL = errors.New("is no URL that can be used")

// plain is what the schema has of a URL of a Connector, but for properties: a status with another one would not be taken.
var plain = regexp.MustCompile(`^https?://[A-Za-z0-9.:_\[\]-]+(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?$`)

func (c *Client) usable(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && len(text) <= longestURL && plain.MatchString(text) && parsed.Hostname() != "" &&
		(parsed.Scheme == "https" || c.AllowHTTP)
}
