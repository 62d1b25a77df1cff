// SPDX-License-Identifier: Apache-2.0

package tokenendpoint

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/api/v1alpha1"
	"github.com/claviger/claviger/internal/oauth"
)

const (
	// assertionType is that of RFC 7523 section 2.2.
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// assertionLifetime is that of an assertion, which is used at once: it allows for two clocks that differ.
	assertionLifetime = 2 * time.Minute
	// assertionIDSize is that of its jti, in bytes.
	assertionIDSize = 16
)

// Credentials are a client's, at a provider.
type Credentials struct {
	ID string
	// Secret is for Basic and Post. With Post it may be empty: such a client is a public one (RFC 6749 section 2.1).
	Secret oauth.Secret
	// Key is for PrivateKeyJWT: an *ecdsa.PrivateKey, an *rsa.PrivateKey or an ed25519.PrivateKey.
	Key crypto.Signer
	// KeyID is the kid that the provider knows the key by. Empty: it has but one.
	KeyID string
	// Audience is whom assertions are for: the issuer of the provider. Empty: nobody has named it, and they are for the endpoint that
	// is called.
	Audience string
	// Style is how the client authenticates. There is no default: a guess that is wrong sends a refresh token twice.
	Style v1alpha1.AuthStyle
}

// Format implements fmt.Formatter for every verb, which would print the key.
func (c Credentials) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "client %q by %s", c.ID, c.Style)
}

var (
	errStyle  = errors.New("there is no such authStyle")
	errKey    = errors.New("authStyle PrivateKeyJWT needs a private key, of ECDSA, RSA or Ed25519")
	errRandom = errors.New("there is no randomness for an assertion")
	errSign   = errors.New("the private key does not sign an assertion")
)

// authenticate adds the client to the form, or gives the Authorization header.
func (c *Client) authenticate(r Request, form url.Values) (string, error) {
	switch client := r.Client; client.Style {
	case v1alpha1.AuthStyleBasic:
		// Both are form-encoded first (RFC 6749 section 2.3.1), which golang.org/x/oauth2 does and many forget.
		pair := url.QueryEscape(client.ID) + ":" + url.QueryEscape(client.Secret.Reveal())
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)), nil
	case v1alpha1.AuthStylePost:
		form.Set("client_id", client.ID)
		if secret := client.Secret.Reveal(); secret != "" {
			form.Set("client_secret", secret)
		}
		return "", nil
	case v1alpha1.AuthStylePrivateKeyJWT:
		assertion, err := c.assertion(client, r.TokenURL)
		form.Set("client_id", client.ID) // RFC 7521 section 4.2 has it as optional, Microsoft as required
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", assertion)
		return "", err
	default:
		return "", errStyle
	}
}

// assertion signs what RFC 7523 section 3 asks for: iss and sub are the client, aud is the provider, and jti is used once. The section
// has aud as whatever the provider knows itself by, and its endpoint is one such name. Its issuer is the one that cannot be another's
// (draft-ietf-oauth-rfc7523bis), and that zitadel/oidc takes: to others it says invalid_grant, as if the grant were dead.
func (c *Client) assertion(client Credentials, endpoint string) (string, error) {
	audience := client.Audience
	if audience == "" {
		audience = endpoint
	}
	method := methodOf(client.Key)
	if method == nil {
		return "", errKey
	}
	var id [assertionIDSize]byte
	if _, err := io.ReadFull(c.Random, id[:]); err != nil {
		return "", errRandom
	}
	now := c.Now()
	token := jwt.NewWithClaims(method, jwt.MapClaims{ // the library's own type makes aud an array, which some do not read
		"iss": client.ID, "sub": client.ID, "aud": audience, "jti": base64.RawURLEncoding.EncodeToString(id[:]),
		"iat": now.Unix(), "exp": now.Add(assertionLifetime).Unix(),
	})
	if client.KeyID != "" {
		token.Header["kid"] = client.KeyID
	}
	signed, err := token.SignedString(client.Key)
	if err != nil {
		return "", errSign
	}
	return signed, nil
}

// methodOf gives the algorithm that a key is for (RFC 7518 section 3.1, RFC 8037 section 3.1), or nil.
func methodOf(key crypto.Signer) jwt.SigningMethod {
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		switch key.Curve.Params().BitSize {
		case jwt.SigningMethodES256.CurveBits:
			return jwt.SigningMethodES256
		case jwt.SigningMethodES384.CurveBits:
			return jwt.SigningMethodES384
		case jwt.SigningMethodES512.CurveBits:
			return jwt.SigningMethodES512
		}
	case *rsa.PrivateKey:
		return jwt.SigningMethodRS256
	case ed25519.PrivateKey:
		return jwt.SigningMethodEdDSA
	}
	return nil
}
