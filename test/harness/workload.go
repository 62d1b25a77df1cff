// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/claviger/claviger/internal/server"
)

// AssertionType is the client_assertion_type of every client_assertion (RFC 7523 section 2.2).
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// ServiceAccountToken gives what the kubelet would mount: a token of a ServiceAccount, which is created where it is missing, for an
// audience.
func (p *Plane) ServiceAccountToken(ctx context.Context, namespace, name, audience string) string {
	GinkgoHelper()
	p.Namespace(ctx, namespace, nil)
	account := &corev1.ServiceAccount{}
	account.Namespace, account.Name = namespace, name
	if err := p.API.Create(ctx, account); !apierrors.IsAlreadyExists(err) {
		Expect(err).NotTo(HaveOccurred())
	}
	seconds := int64(3600)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: []string{audience}, ExpirationSeconds: &seconds}}
	Expect(p.API.SubResource("token").Create(ctx, account, request)).To(Succeed())
	p.Ledger.Add(request.Status.Token)
	return request.Status.Token
}

// Asserted gives the form of a token request by an assertion, with more parameters as name, value pairs.
func Asserted(assertion string, more ...string) url.Values {
	form := url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {AssertionType}, "client_assertion": {assertion}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

// IntrospectAs asks the introspection endpoint about a token, with a bearer token of the caller's own.
func (s *TokenService) IntrospectAs(bearer, token string) Answer {
	GinkgoHelper()
	return s.post(server.PathIntrospect, url.Values{"token": {token}}, "Bearer "+bearer)
}

// RevokeAsserted asks the revocation endpoint, by an assertion, to revoke a token.
func (s *TokenService) RevokeAsserted(assertion, token string) Answer {
	GinkgoHelper()
	return s.post(server.PathRevoke, Asserted(assertion, "token", token), "")
}

// IntrospectAsserted asks the introspection endpoint, by an assertion, about a token.
func (s *TokenService) IntrospectAsserted(assertion, token string) Answer {
	GinkgoHelper()
	return s.post(server.PathIntrospect, Asserted(assertion, "token", token), "")
}

func (s *TokenService) post(path string, form url.Values, authorization string) Answer {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodPost, s.URL+path, strings.NewReader(form.Encode()))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	return Do(request)
}
