// SPDX-License-Identifier: Apache-2.0

// Package matrix is the table "Tokens and places" of docs/endpoints.md as specs, for every way in which a verdict can be asked
// for: /verify itself, gateways in front of a place, other protocols. A suite makes a World and says how it asks.
package matrix

import (
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/claviger/claviger/internal/app"
	"github.com/claviger/claviger/test/harness"
)

// Place is something that a token may be presented at.
type Place struct {
	// Guard is what the gateway says the place needs, as a query.
	Guard string
	// Account is the one that the caller's header says the call concerns.
	Account string
}

// Headers are what a caller sends to the place besides the token, as name, value pairs.
func (p Place) Headers() []string {
	if p.Account == "" {
		return nil
	}
	return []string{app.DefaultAccountHeader, p.Account}
}

// The places of the table.
var (
	AcmeWebhook   = Place{Guard: "scope=Webhook&account=acme"}
	AcmeMCP       = Place{Guard: "scope=MCP&account=acme"}
	OtherWebhook  = Place{Guard: "scope=Webhook&account=other"}
	OtherMCP      = Place{Guard: "scope=MCP&account=other"}
	SharedWebhook = Place{Guard: "scope=Webhook"}
	SharedMCP     = Place{Guard: "scope=MCP"}
	API           = Place{Guard: "scope=API"}
	// AcmeTools is an MCP server of acme that is registered as a ProtectedResource.
	AcmeTools = Place{Guard: "resource=acme/tools"}
)

// For gives the place for a call whose header names an account.
func (p Place) For(account string) Place {
	p.Account = account
	return p
}

// Ask asks for the verdict on a token at a place. Status and challenge of the answer are what the caller sees.
type Ask func(token string, at Place) harness.Answer

// Verify asks a token service itself.
func Verify(service func() *harness.TokenService) Ask {
	return func(token string, at Place) harness.Answer {
		GinkgoHelper()
		return service().Verify(token, at.Guard, at.Headers()...)
	}
}

// ExpectVerdict expects a status and, in the challenge, an error: none where code is empty.
func ExpectVerdict(answer harness.Answer, status int, code string) {
	GinkgoHelper()
	Expect(answer.Status).To(Equal(status), answer.Body)
	challenge := answer.Header.Get("WWW-Authenticate")
	switch {
	case status == http.StatusOK:
		Expect(challenge).To(BeEmpty())
	case code == "":
		Expect(challenge).To(HavePrefix("Bearer "))
		Expect(challenge).NotTo(ContainSubstring("error"), "RFC 6750 section 3.1: no error where no token was presented")
	default:
		Expect(challenge).To(HavePrefix("Bearer "))
		Expect(challenge).To(ContainSubstring(`error="` + code + `"`))
	}
	Expect(strings.Count(challenge, "Bearer ")).To(BeNumerically("<=", 1), "one challenge: %s", challenge)
}
