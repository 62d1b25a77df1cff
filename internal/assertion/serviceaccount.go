// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/claviger/claviger/internal/oauth"
)

// MaxServiceAccountTokenLifetime bounds the life of a ServiceAccount token, from iat to exp. Nobody tells of a ServiceAccount or a
// pod that is deleted, so its token is good until it expires; the kubelet asks for an hour where a pod says nothing else.
const MaxServiceAccountTokenLifetime = 24 * time.Hour

// Cluster is who signs ServiceAccount tokens. It is immutable.
type Cluster struct {
	// Issuer is the API server's own issuer identifier (--service-account-issuer).
	Issuer string
	Keys   Keys
}

// ServiceAccount is whom a token is of.
type ServiceAccount struct{ Namespace, Name string }

// ErrUnknownKey: the token names a key that the API server does not publish, or is not known to yet.
var ErrUnknownKey = errors.New("the ServiceAccount token is of a key that the API server does not publish")

// serviceAccountClaims are those of a token of the TokenRequest API.
type serviceAccountClaims struct {
	jwt.RegisteredClaims
	Kubernetes struct {
		Namespace      string `json:"namespace"`
		ServiceAccount struct {
			Name string `json:"name"`
		} `json:"serviceaccount"`
	} `json:"kubernetes.io"`
}

// Verify checks a ServiceAccount token and gives whom it is of. It checks, in this order:
//
//   - the form; alg is on the allow-list (never none, never symmetric); no critical extension; typ, where it is there, is JWT;
//   - kid names a key of the cluster, which is of the algorithm, and the signature is that key's;
//   - iss is the cluster; aud holds the audience, byte for byte, so that a token which was made for the API server or for somebody
//     else is no good here;
//   - exp is there and in the future, iat is there and at most a minute in the future, as is nbf where it is there, and no more than
//     MaxServiceAccountTokenLifetime lies between iat and exp;
//   - the claims of Kubernetes name a namespace and a ServiceAccount, and sub names the same.
//
// A token may be used again until it expires, because the kubelet gives a pod one for an hour. Verify does not know whether the
// ServiceAccount still exists.
func (c Cluster) Verify(raw, audience string, now time.Time) (ServiceAccount, error) {
	var claims serviceAccountClaims
	token, err := parse(raw, &claims, "JWT")
	if err != nil {
		return ServiceAccount{}, err
	}
	key, found := c.Keys.named(token.kid, token.Method.Alg())
	switch {
	case !found:
		return ServiceAccount{}, ErrUnknownKey
	case !token.verifies(key.public):
		return ServiceAccount{}, errors.New("the ServiceAccount token is tampered with")
	case claims.Issuer != c.Issuer:
		return ServiceAccount{}, errors.New("the ServiceAccount token is of another issuer")
	}
	if err := isFor(claims.RegisteredClaims, audience); err != nil {
		return ServiceAccount{}, err
	}
	if err := live(claims.RegisteredClaims, now); err != nil {
		return ServiceAccount{}, err
	}
	account := ServiceAccount{Namespace: claims.Kubernetes.Namespace, Name: claims.Kubernetes.ServiceAccount.Name}
	switch {
	case claims.IssuedAt == nil:
		return ServiceAccount{}, errors.New("the ServiceAccount token has no iat")
	case claims.ExpiresAt.Sub(claims.IssuedAt.Time) > MaxServiceAccountTokenLifetime:
		return ServiceAccount{}, fmt.Errorf("the ServiceAccount token lives longer than %s", MaxServiceAccountTokenLifetime)
	case account.Namespace == "" || account.Name == "" || claims.Subject != account.String():
		return ServiceAccount{}, errors.New("the token is not of a ServiceAccount")
	}
	return account, nil
}

// String is the name that the ServiceAccount has as a user.
func (s ServiceAccount) String() string {
	return oauth.ServiceAccountPrefix + s.Namespace + ":" + s.Name
}

// Path is "<namespace>/<name>"; empty where there is none.
func (s ServiceAccount) Path() string {
	if s == (ServiceAccount{}) {
		return ""
	}
	return s.Namespace + "/" + s.Name
}
