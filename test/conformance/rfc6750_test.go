// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"net/http"
	"regexp"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/test/harness"
	"github.com/claviger/claviger/test/matrix"
)

func rfc6750() rfc {
	refused := func() []harness.Answer {
		return []harness.Answer{
			service.Verify("", matrix.AcmeWebhook.Guard),
			service.Verify("nonsense", matrix.AcmeWebhook.Guard),
			service.Verify(webhookToken(), matrix.AcmeMCP.Guard),
		}
	}
	return rfc{
		number: 6750, title: "Bearer Token Usage",
		scope: "Sections 2.1 and 3, for `/verify`, which answers as the resource server that it guards.",
		clauses: []clause{
			{section: "2.1", must: "take the token from the Authorization header, with the scheme in any case", hold: func() {
				for _, scheme := range []string{"Bearer ", "bearer ", "BEARER "} {
					Expect(service.Verify("", matrix.AcmeWebhook.Guard, "Authorization", scheme+webhookToken()).Status).To(Equal(http.StatusOK))
				}
			}, divergence: "The ways of sections 2.2 and 2.3, in the body and in the query, are not supported: tokens in URLs land in logs."},
			{section: "3", must: "answer with a challenge of the scheme Bearer, with at least one parameter, where it does not admit", hold: func() {
				for _, answer := range refused() {
					Expect(answer.Header.Values("WWW-Authenticate")).To(HaveLen(1))
					Expect(answer.Header.Get("WWW-Authenticate")).To(MatchRegexp(`^Bearer [a-z_]+="`))
				}
			}},
			{section: "3", must: "name realm, scope, error and error_description at most once each", hold: func() {
				for _, answer := range refused() {
					challenge := answer.Header.Get("WWW-Authenticate")
					for _, name := range []string{"realm", "scope", "error", "error_description"} {
						Expect(len(regexp.MustCompile(`[ ,]`+name+`="`).FindAllString(challenge, -1))).To(BeNumerically("<=", 1), challenge)
					}
				}
			}},
			{section: "3", must: "keep the values of scope, error and error_description to the characters that are allowed there", hold: func() {
				for _, answer := range refused() {
					for _, value := range regexp.MustCompile(`="([^"]*)"`).FindAllStringSubmatch(answer.Header.Get("WWW-Authenticate"), -1) {
						Expect(value[1]).To(MatchRegexp(`^[\x20\x21\x23-\x5b\x5d-\x7e]+$`))
					}
				}
			}},
			{section: "3.1", must: "name no error where no token was presented", hold: func() {
				matrix.ExpectVerdict(service.Verify("", matrix.AcmeWebhook.Guard), 401, "")
			}},
			{section: "3.1", must: "answer 401 invalid_token where a token is expired, revoked, malformed or otherwise not valid", hold: func() {
				revoked := webhookToken()
				expectDone(service.Revoke(webhook, revoked))
				for _, token := range []string{"nonsense", revoked, matrix.Tampered(webhookToken()), world.Behind.TakeToken(webhook)} {
					matrix.ExpectVerdict(service.Verify(token, matrix.AcmeWebhook.Guard), 401, "invalid_token")
				}
			}},
			{section: "3.1", must: "answer 403 insufficient_scope, with the scope that is needed, where a token has too little of it", hold: func() {
				answer := service.Verify(webhookToken(), matrix.AcmeMCP.Guard)
				matrix.ExpectVerdict(answer, 403, "insufficient_scope")
				Expect(answer.Header.Get("WWW-Authenticate")).To(ContainSubstring(`scope="MCP"`))
			}},
			{section: "3.1", must: "refuse a request with a malformed or repeated token", hold: func() {
				request := verification()
				request.Header["Authorization"] = []string{"Bearer " + webhookToken(), "Bearer " + webhookToken()}
				matrix.ExpectVerdict(harness.Do(request), 401, "invalid_token")
			}, divergence: "The section has 400 invalid_request for it. `/verify` answers nothing but 200, 401 and 403, because gateways (nginx among them) turn every " +
				"other status into a failure of their own; so it is 401 invalid_token."},
			{section: "5.3", must: "let no cache keep an answer about a token", hold: func() {
				for _, answer := range append(refused(), service.Verify(webhookToken(), matrix.AcmeWebhook.Guard)) {
					Expect(strings.Split(answer.Header.Get("Cache-Control"), ", ")).To(ContainElement("no-store"))
				}
			}},
		},
	}
}

// verification makes a request of /verify for acme's webhook, without a token.
func verification() *http.Request {
	request, err := http.NewRequest(http.MethodGet, service.URL+"/verify?"+matrix.AcmeWebhook.Guard, nil)
	Expect(err).NotTo(HaveOccurred())
	return request
}
