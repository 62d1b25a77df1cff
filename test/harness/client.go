// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/server"
)

// Answer is that of an HTTP call.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// TokenAnswer is the body of a token endpoint's answer, good or bad.
type TokenAnswer struct {
	TokenType   string `json:"token_type"`
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
	ClientID    string `json:"clientId"`
	Scope       string `json:"scope"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// Do sends a request.
func Do(request *http.Request) Answer {
	GinkgoHelper()
	return do(http.DefaultClient, request)
}

// DoWith is Do with a client that knows more, such as cookies.
func DoWith(client *http.Client, request *http.Request) Answer {
	GinkgoHelper()
	return do(client, request)
}

func do(client *http.Client, request *http.Request) Answer {
	GinkgoHelper()
	response, err := client.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	return Answer{Status: response.StatusCode, Header: response.Header, Body: string(body)}
}

// PostToken asks the token endpoint with the form, and notes the token as a secret.
func (s *TokenService) PostToken(form url.Values) (Answer, TokenAnswer) {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodPost, s.URL+server.PathToken, strings.NewReader(form.Encode()))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := do(s.Client, request)
	var token TokenAnswer
	Expect(json.Unmarshal([]byte(answer.Body), &token)).To(Succeed(), "the token endpoint answers in JSON, always")
	s.plane.Ledger.Add(token.AccessToken)
	return answer, token
}

// Credentials are what a workload reads from its Secret.
type Credentials struct{ ID, Secret string }

// GomegaString is what a failing test prints: not the secret.
func (c Credentials) GomegaString() string { return "credentials of " + c.ID }

// Form gives the form of a token request, with more parameters as name, value pairs.
func (c Credentials) Form(more ...string) url.Values {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.ID}, "client_secret": {c.Secret}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Add(more[i], more[i+1])
	}
	return form
}

// TakeToken takes a token, which must be granted.
func (s *TokenService) TakeToken(credentials Credentials, more ...string) string {
	GinkgoHelper()
	answer, token := s.PostToken(credentials.Form(more...))
	Expect(answer.Status).To(Equal(http.StatusOK), "taking a token for %s: %s", credentials.ID, token.Error)
	return token.AccessToken
}

// Accepts reports whether the token endpoint grants the credentials a token.
func (s *TokenService) Accepts(credentials Credentials) bool {
	GinkgoHelper()
	answer, _ := s.PostToken(credentials.Form())
	return answer.Status == http.StatusOK
}

// Revoke asks the revocation endpoint, as a client, to revoke a token; more parameters are name, value pairs.
func (s *TokenService) Revoke(credentials Credentials, token string, more ...string) Answer {
	GinkgoHelper()
	return s.postAbout(server.PathRevoke, credentials, token, more...)
}

// Introspect asks the introspection endpoint, as a client, about a token.
func (s *TokenService) Introspect(credentials Credentials, token string) Answer {
	GinkgoHelper()
	return s.postAbout(server.PathIntrospect, credentials, token)
}

func (s *TokenService) postAbout(path string, credentials Credentials, token string, more ...string) Answer {
	GinkgoHelper()
	form := credentials.Form(append(more, "token", token)...)
	form.Del("grant_type")
	request, err := http.NewRequest(http.MethodPost, s.URL+path, strings.NewReader(form.Encode()))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return do(s.Client, request)
}

// Verify asks the verify endpoint about a token. query is what the guard would configure; headers are name, value pairs.
func (s *TokenService) Verify(token, query string, headers ...string) Answer {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodGet, s.URL+server.PathVerify+"?"+query, http.NoBody)
	Expect(err).NotTo(HaveOccurred())
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return do(s.Client, request)
}
